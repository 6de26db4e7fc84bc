"""What the daemon's HTTP side lets in: real sockets, real signatures, and senders without manners."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hub.contract import ConfigurationError
from hub.daemon import inbox, web
from hub.daemon.metrics import Metrics
from hub.store.tables import wakes
from tests.daemon.conftest import until
from tests.daemon.front import Front, closed_within, front_of, signature
from tests.site import Site

BODY = b'{"order": "5001"}'


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, str(tmp_path / "hub.db"))
    yield made
    made.close()


@pytest.fixture
def front(site: Site) -> Iterator[Front]:
    with front_of(site.open()) as made:
        yield made


def outcomes(front: Front) -> dict[str, int]:
    lines = [line for line in front.get("/metrics").text.splitlines() if line.startswith("hub_webhooks_total")]
    found: Counter[str] = Counter()
    for line in lines:
        found[line.split('outcome="')[1].split('"')[0]] += int(float(line.split()[-1]))
    return found


def noted(front: Front) -> list[tuple[str, str, str]]:
    with front.world.store.read() as tx:
        return [(row.connection, row.kind, row.ref) for row in tx.execute(wakes.select())]


def test_signed_delivery_is_answered_with_an_empty_200_and_wakes_its_lane(front: Front) -> None:
    answer = front.deliver(BODY)
    assert (answer.status_code, answer.content) == (200, b"")
    assert "server" not in answer.headers
    until(lambda: front.woken == ["shop"])
    assert noted(front) == [("shop", "orders", "5001")]
    assert outcomes(front) == {"taken": 1}


def test_wrong_signature_is_refused_and_looks_like_an_unknown_connection(front: Front) -> None:
    """Whoever tries ids learns nothing of which there are."""
    wrong = [
        front.deliver(BODY, sign="0" * 64),
        front.deliver(BODY, sign=""),
        front.deliver(BODY.replace(b"5001", b"5002"), sign=signature(BODY)),
        front.deliver(BODY, connection="nobody"),
        front.deliver(BODY, connection="factory"),  # of another system, whose signature it is not
    ]
    assert [answer.status_code for answer in wrong] == [401] * 5
    assert {(tuple(answer.headers.items()), answer.content) for answer in wrong} == {
        (tuple(wrong[0].headers.items()), b"")
    }
    assert outcomes(front) == {"refused": 4, "unknown": 1}
    assert noted(front) == []


def test_signature_covers_the_very_bytes_that_came(front: Front) -> None:
    odd = b'{ "order" :\t"5001",\r\n "x": "\\u00e9\xc3\xa9" }\n'
    assert front.deliver(odd).status_code == 200


def test_only_what_is_served_is_answered(front: Front) -> None:
    assert front.http.get("/webhooks/shop").status_code == 405
    assert front.http.post("/healthz").status_code == 405
    assert front.http.delete("/webhooks/shop").status_code == 405
    for path in ("/", "/webhooks", "/webhooks/", "/webhooks/shop/", "/webhooks/a/b", "/docs", "/metrics/", "//healthz"):
        assert front.http.get(path).status_code == 404, path
    assert front.get("/healthz").text == "ok\n"


def test_body_of_one_mebibyte_is_taken_and_one_byte_more_is_not(front: Front) -> None:
    head, tail = b'{"order": "', b'"}'
    most = head + b"7" * (web.BODY_BYTES - len(head) - len(tail)) + tail
    assert front.deliver(most).status_code == 200
    assert front.deliver(most + b" ").status_code == 413
    in_pieces = (most[at : at + 65536] for at in range(0, len(most), 65536))
    answer = front.http.post("/webhooks/shop", content=(*in_pieces, b" "), headers={"Authorization": signature(most)})
    assert answer.status_code == 413


def test_head_that_is_too_large_is_refused(front: Front) -> None:
    answer = front.http.post("/webhooks/shop", content=BODY, headers={"X": "x" * 40_000})
    assert answer.status_code in (400, 431)
    assert front.deliver(BODY).status_code == 200


def test_whoever_sends_slowly_is_cut_off_and_nobody_else_waits(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "BODY_S", 0.5)
    monkeypatch.setattr(web, "REQUEST_S", 1.0)
    with front_of(site.open()) as front:
        silent, slow_head, slow_body = front.raw(), front.raw(), front.raw()
        slow_head.sendall(b"POST /webhooks/shop HTTP/1.1\r\nHost: hub\r\n")
        slow_body.sendall(b"POST /webhooks/shop HTTP/1.1\r\nHost: hub\r\nContent-Length: 1000\r\n\r\n{")
        over = threading.Event()

        def trickle() -> None:
            while not over.wait(0.1):
                for sock, more in ((slow_head, b"X-More: x\r\n"), (slow_body, b" ")):
                    try:
                        sock.sendall(more)
                    except OSError:
                        return

        threading.Thread(target=trickle, daemon=True).start()
        assert front.deliver(BODY).status_code == 200
        slow_body.settimeout(5)
        assert b" 408 " in slow_body.recv(1000)
        assert all(closed_within(sock, 5) for sock in (silent, slow_head, slow_body))
        over.set()
        for sock in (silent, slow_head, slow_body):
            sock.close()


def test_whoever_does_not_read_the_answer_is_cut_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "REQUEST_S", 1.0)
    monkeypatch.setattr(Metrics, "text", lambda self: b"#" * 20_000_000)
    with front_of(site.open()) as front:
        sock = front.raw()
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: hub\r\n\r\n")
        time.sleep(1.3)
        assert closed_within(sock, 5)
        sock.close()


def test_many_deliveries_at_once_are_all_taken_or_told_to_come_again(front: Front) -> None:
    """Each kept delivery is noted; what is too much at once gets 503, which senders repeat."""
    bodies = [b'{"order": "%d"}' % n for n in range(300)]
    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(front.deliver, bodies))
    assert {answer.status_code for answer in answers} <= {200, 503}
    taken = {body for body, answer in zip(bodies, answers, strict=True) if answer.status_code == 200}
    assert len(taken) > 200
    until(lambda: {b'{"order": "%s"}' % ref.encode() for _, _, ref in noted(front)} == taken)


def test_senders_that_dawdle_keep_other_deliveries_out_but_not_health(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "AT_ONCE", 5)
    with front_of(site.open()) as front:
        slow = [front.raw() for _ in range(9)]
        for sock in slow:
            sock.sendall(b"POST /webhooks/shop HTTP/1.1\r\nHost: hub\r\nContent-Length: 10\r\n\r\n{")
        until(lambda: front.deliver(BODY).status_code == 503)
        assert front.get("/healthz").status_code == 200
        for sock in slow:
            sock.close()
        until(lambda: front.deliver(BODY).status_code == 200)


def test_more_connections_than_are_served_are_closed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "CONNECTIONS", 10)
    with front_of(site.open()) as front:
        idle = [front.raw() for _ in range(9)]
        assert front.get("/healthz").status_code == 200
        more = [front.raw() for _ in range(5)]
        assert any(closed_within(sock, 1) for sock in more)
        for sock in (*idle, *more):
            sock.close()
        until(lambda: front.get("/healthz").status_code == 200)


def test_deliveries_that_hang_are_never_more_than_are_heard_at_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for those any more, but their threads are still there."""
    monkeypatch.setattr(web, "ANSWER_S", 0.2)
    with front_of(site.open()) as front:
        front.shop.gate.clear()
        assert {front.deliver(BODY).status_code for _ in range(3 * web.HEARING)} == {503}
        assert front.shop.heard == web.HEARING
        front.shop.gate.set()
        until(lambda: front.deliver(BODY).status_code == 200)


def test_full_queue_tells_the_sender_to_come_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is away: what waits is kept in bounds, and noted once it is back."""
    monkeypatch.setattr(inbox, "ROOM", 3)
    world = site.open()
    with front_of(world) as front:
        with world.store.write():  # nobody else may write
            statuses = [front.deliver(b'{"order": "%d"}' % n).status_code for n in range(8)]
            assert statuses[:3] == [200] * 3
            assert statuses[-1] == 503
        until(lambda: len(noted(front)) == statuses.count(200))
        assert outcomes(front)["full"] == statuses.count(503)


def test_slow_verification_is_answered_before_the_sender_gives_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "ANSWER_S", 0.3)
    with front_of(site.open()) as front:
        front.shop.gate.clear()
        began = time.monotonic()
        assert front.deliver(BODY).status_code == 503
        assert time.monotonic() - began < 2
        front.shop.gate.set()
        assert front.get("/healthz").status_code == 200


def test_delivery_is_answered_at_once_while_somebody_else_writes_to_the_database(front: Front) -> None:
    """It is verified, then answered, then noted: the less patient sender waits three seconds."""
    with front.world.store.write():
        began = time.monotonic()
        assert front.deliver(BODY).status_code == 200
        assert time.monotonic() - began < web.ANSWER_S
        time.sleep(2 * inbox.GATHER_S)
        assert front.woken == []
    until(lambda: front.woken == ["shop"])
    assert noted(front) == [("shop", "orders", "5001")]


def test_nothing_listens_after_the_end_and_what_was_taken_is_noted(site: Site) -> None:
    world = site.open()
    with front_of(world) as front:
        statuses = [front.deliver(b'{"order": "%d"}' % n).status_code for n in range(20)]
    assert len(noted(front)) == statuses.count(200) == 20
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(front.address, timeout=5)


@pytest.mark.parametrize("listen", ["8080", ":8080", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:99999", "192.0.2.1:80"])
def test_address_that_cannot_be_listened_on_is_refused_by_name(site: Site, listen: str) -> None:
    world = site.open()
    with pytest.raises(ConfigurationError, match="listen-address"), serve_web(world, listen):
        pass


def serve_web(world: object, listen: str) -> object:
    return web.serve_web(lambda: world, listen, lambda id_: None, Metrics())  # type: ignore[arg-type, return-value]
