"""How requests travel, against a server that says exactly what the test wrote."""

from __future__ import annotations

import contextlib
import gzip
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from hub.host import answers, transport
from hub.host.transport import Transport

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers each connection with its list of scripted replies, then closes it; keeps what it was sent."""

    def __init__(self, *connections: list[bytes]) -> None:
        self.got: list[bytes] = []
        self.opened = 0
        self._script = connections
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # the test is over, or the client went away
            for replies in self._script:
                connection, _ = self._listening.accept()
                self.opened += 1
                with connection:
                    for reply in replies:
                        self.got.append(connection.recv(1 << 16))
                        connection.sendall(reply)

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    made: list[Server] = []

    def serve(*connections: list[bytes]) -> Server:
        made.append(Server(*connections))
        return made[-1]

    yield serve
    for server in made:
        server.close()


@pytest.fixture
def sender() -> Iterator[Transport]:
    made = Transport()
    yield made
    made.close()


def request(url: str, **parts: object) -> httpx.Request:
    timeout = {"connect": 2.0, "read": 0.3, "write": 2.0, "pool": 2.0}
    return httpx.Request("POST", url, extensions={"timeout": timeout}, **parts)  # type: ignore[arg-type]


def test_a_connection_is_used_again(serve: Callable[..., Server], sender: Transport) -> None:
    server = serve([OK, OK])
    assert [sender.handle_request(request(server.url)).read() for _ in range(2)] == [b"ok", b"ok"]
    assert server.opened == 1


def test_a_connection_that_the_server_closed_is_not_used_again(serve: Callable[..., Server], sender: Transport) -> None:
    """A write on it would be lost without an answer, and then nobody knew whether it happened."""
    server = serve([OK], [OK])
    first = sender.handle_request(request(server.url))
    server_side_is_gone = threading.Event()
    server_side_is_gone.wait(0.1)
    assert (first.read(), sender.handle_request(request(server.url)).read()) == (b"ok", b"ok")
    assert server.opened == 2


def test_a_connection_that_rested_long_is_not_used_again(
    serve: Callable[..., Server], sender: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve([OK], [OK])
    sender.handle_request(request(server.url))
    monkeypatch.setattr(transport, "MAX_IDLE_S", -1.0)
    sender.handle_request(request(server.url))
    assert server.opened == 2


def test_an_answer_that_closes_ends_the_connection(serve: Callable[..., Server], sender: Transport) -> None:
    server = serve([OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")], [OK])
    assert [sender.handle_request(request(server.url)).read() for _ in range(2)] == [b"ok", b"ok"]
    assert server.opened == 2


def test_a_request_travels_with_its_headers_and_body(serve: Callable[..., Server], sender: Transport) -> None:
    server = serve([OK])
    sender.handle_request(request(f"{server.url}/v1/orders?a=b%20c", content=b"body", headers={"X-One": "1"}))
    head, _, body = server.got[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert (lines[0], body) == (b"POST /v1/orders?a=b%20c HTTP/1.1", b"body")
    assert {b"X-One: 1", b"Content-Length: 4"} <= set(lines)


def test_a_body_in_pieces_travels_whole(serve: Callable[..., Server], sender: Transport) -> None:
    server = serve([OK])
    sender.handle_request(request(server.url, content=iter([b"bo", b"dy"])))
    head, _, body = server.got[0].partition(b"\r\n\r\n")
    assert body == b"body"
    assert b"Content-Length: 4" in head
    assert b"chunked" not in head


def test_a_header_cannot_smuggle_in_another(serve: Callable[..., Server], sender: Transport) -> None:
    server = serve([OK])
    with pytest.raises(httpx.LocalProtocolError):
        sender.handle_request(request(server.url, headers={"X-One": "1\r\nX-Two: 2"}))
    assert server.got == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Le", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 1\r\n\r\nok", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: zip\r\n\r\nok", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay0\r\n\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", httpx.RemoteProtocolError),
        (b"nonsense\r\n\r\n", httpx.RemoteProtocolError),
    ],
)
def test_a_broken_answer_is_no_answer(
    serve: Callable[..., Server], sender: Transport, answer: bytes, error: type[Exception]
) -> None:
    """Half an answer must never be taken for a whole one (law 1)."""
    with pytest.raises(error):
        sender.handle_request(request(serve([answer]).url))


def test_a_word_to_go_on_is_not_the_answer(serve: Callable[..., Server], sender: Transport) -> None:
    server = serve([b"HTTP/1.1 100 Continue\r\n\r\n" + OK, OK])
    assert [sender.handle_request(request(server.url)).read() for _ in range(2)] == [b"ok", b"ok"]
    assert server.opened == 1


@pytest.mark.parametrize(("head", "opened"), [(b"", 2), (b"Connection: Keep-Alive\r\n", 1)])
def test_an_older_server_keeps_a_connection_only_where_it_says_so(
    serve: Callable[..., Server], sender: Transport, head: bytes, opened: int
) -> None:
    old = OK.replace(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200\r\n" + head)
    server = serve([old, OK], [OK])
    assert [sender.handle_request(request(server.url)).read() for _ in range(2)] == [b"ok", b"ok"]
    assert server.opened == opened


def test_an_answer_without_a_body_ends_with_its_headers(serve: Callable[..., Server], sender: Transport) -> None:
    server = serve([b"HTTP/1.1 204 No Content\r\nX-Long: one\r\n two\r\n\r\n", OK])
    first, second = (sender.handle_request(request(server.url)) for _ in range(2))
    assert (first.read(), first.headers["x-long"], second.read()) == (b"", "one two", b"ok")
    assert server.opened == 1


def test_the_answer_to_a_head_ends_with_its_headers(serve: Callable[..., Server], sender: Transport) -> None:
    asked = httpx.Request("HEAD", serve([OK.removesuffix(b"ok")]).url, extensions={"timeout": {"read": 0.3}})
    assert sender.handle_request(asked).read() == b""


def test_an_answer_in_chunks_and_zipped_is_read(serve: Callable[..., Server], sender: Transport) -> None:
    zipped = gzip.compress(b"hello")
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
    server = serve([head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(zipped), zipped)])
    assert sender.handle_request(request(server.url)).read() == b"hello"


@pytest.mark.parametrize(
    ("coding", "body", "error"),
    [
        (b"gzip", gzip.compress(bytes(2000)), httpx.ReadError),
        (b"gzip", gzip.compress(b"hello")[:-1], httpx.RemoteProtocolError),
        (b"gzip", gzip.compress(b"hello") + b"more", httpx.RemoteProtocolError),
        (b"gzip", b"hello", httpx.RemoteProtocolError),
        (b"gzip, gzip", gzip.compress(gzip.compress(b"hello")), httpx.RemoteProtocolError),
        (b"br", b"hello", httpx.RemoteProtocolError),
    ],
    ids=["large", "cut", "more", "not-packed", "twice", "unknown"],
)
def test_a_body_that_cannot_be_unpacked_or_grows_too_large_is_no_answer(
    serve: Callable[..., Server], sender: Transport, monkeypatch: pytest.MonkeyPatch,
    coding: bytes, body: bytes, error: type[Exception],
) -> None:  # fmt: skip
    monkeypatch.setattr(answers, "MAX_ANSWER_BYTES", 1000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (coding, len(body))
    with pytest.raises(error):
        sender.handle_request(request(serve([head + body]).url))


@pytest.mark.parametrize("head", [b"Content-Length: 11\r\n\r\n", b"Connection: close\r\n\r\n"])
def test_an_answer_too_large_to_be_meant_is_refused(
    serve: Callable[..., Server], sender: Transport, monkeypatch: pytest.MonkeyPatch, head: bytes
) -> None:
    monkeypatch.setattr(answers, "MAX_ANSWER_BYTES", 10)
    with pytest.raises(httpx.ReadError):
        sender.handle_request(request(serve([b"HTTP/1.1 200 OK\r\n" + head + b"x" * 11]).url))


def test_a_silent_server_is_a_read_timeout(sender: Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(httpx.ReadTimeout):
            sender.handle_request(request(url))


def test_a_closed_port_is_a_connect_error_so_nothing_was_sent(sender: Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(httpx.ConnectError):
        sender.handle_request(request(f"http://127.0.0.1:{port}"))


def test_a_server_that_does_not_speak_tls_is_a_connect_error(serve: Callable[..., Server], sender: Transport) -> None:
    server = serve([b"HTTP/1.1 400 Bad Request\r\n\r\n"])
    with pytest.raises(httpx.ConnectError):
        sender.handle_request(request(server.url.replace("http:", "https:")))


def test_a_server_that_drips_is_a_read_timeout(sender: Transport) -> None:
    """The time is for the whole answer: else one that never ends would hold a lane for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        dripping = threading.Thread(target=_drip, args=(listening,), daemon=True)
        dripping.start()
        began = time.monotonic()
        with pytest.raises(httpx.ReadTimeout):
            sender.handle_request(request(f"http://127.0.0.1:{listening.getsockname()[1]}"))
        assert time.monotonic() - began < 2


def _drip(listening: socket.socket) -> None:
    connection, _ = listening.accept()
    with connection, contextlib.suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.05)


def test_what_no_limit_of_a_body_counts_is_limited_too(
    serve: Callable[..., Server], sender: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MAX_ANSWER_BYTES", 10)
    monkeypatch.setattr(answers, "MAX_HEAD_BYTES", 100)
    chunk = b"1;" + b"x" * 200 + b"\r\nx\r\n"
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with pytest.raises(httpx.ReadError):
        sender.handle_request(request(serve([head + chunk + b"0\r\n\r\n"]).url))


BODY = 60_000  # fits what a system holds for a sender and a receiver that reads nothing


@contextlib.contextmanager
def deaf_server() -> Iterator[socket.socket]:
    """Listen for one that will be told more than it has taken in."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening


def _taken_in(connection: socket.socket) -> int:
    """Return how many bytes still arrive."""
    connection.settimeout(3)
    taken = 0
    with contextlib.suppress(OSError):
        while found := connection.recv(1 << 16):
            taken += len(found)
    return taken


def test_a_write_that_was_given_up_is_not_delivered_later(sender: Transport) -> None:
    """Law 1: it is looked up after its time, and sent again where it is not there; then it must not come after all."""
    with deaf_server() as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(httpx.ReadTimeout):
            sender.handle_request(request(url, content=b"x" * BODY))
        connection, _ = listening.accept()
        with connection:
            assert _taken_in(connection) < BODY


SENDS = f"""
import httpx, sys
from hub.host.transport import Transport
times = dict.fromkeys(("connect", "read", "write", "pool"), 1.0)
request = httpx.Request("POST", sys.argv[1], content=b"x" * {BODY}, extensions={{"timeout": times | {{"read": 60.0}}}})
Transport().handle_request(request)
"""


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="needs TCP_USER_TIMEOUT, which Linux has")
def test_a_write_of_a_process_that_was_killed_is_not_delivered_later() -> None:
    with deaf_server() as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        process = subprocess.Popen([sys.executable, "-c", SENDS, url])
        connection, _ = listening.accept()
        with connection:
            time.sleep(0.5)
            process.kill()
            process.wait(10)
            time.sleep(2.5)
            assert _taken_in(connection) < BODY


def test_connections_at_rest_too_long_are_closed_for_whichever_server(
    serve: Callable[..., Server], sender: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MAX_IDLE_S", 0.05)
    for _ in range(3):
        sender.handle_request(request(serve([OK, OK]).url))
        time.sleep(0.1)
    assert sum(map(len, sender._resting.values())) == 1


def test_a_connection_whose_call_outlives_the_session_is_closed(
    serve: Callable[..., Server], sender: Transport
) -> None:
    sender.close()
    sender.handle_request(request(serve([OK]).url))
    assert sum(map(len, sender._resting.values())) == 0


def test_answers_that_do_not_come_are_waited_for_side_by_side(sender: Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        timeout = {"connect": 2.0, "read": 1.5, "write": 2.0, "pool": 2.0}
        sent = [sender.begin(httpx.Request("POST", url, extensions={"timeout": timeout})) for _ in range(3)]
        began = time.monotonic()
        for each in sent:
            with pytest.raises(httpx.ReadTimeout):
                each.answer()
    assert time.monotonic() - began < 1.5 + 2 * transport.LATE_S + 0.4


def test_an_answer_read_late_is_read_and_its_connection_has_rested_since(
    serve: Callable[..., Server], sender: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve([OK, OK], [OK])
    monkeypatch.setattr(transport, "LATE_S", 0.05)
    monkeypatch.setattr(transport, "MAX_IDLE_S", 0.3)
    sent = sender.begin(request(server.url))
    time.sleep(0.4)  # longer than its time-out
    assert sent.answer().read() == b"ok"
    sender.handle_request(request(server.url))
    assert server.opened == 2
