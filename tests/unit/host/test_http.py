"""The client lent to connectors, against real servers that misbehave."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import structlog
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from hub.contract import LONGEST_WAIT_S, Budget, Call, ConfigurationError, Pace, TransientError
from hub.host.budget import Budgets, Permit
from hub.host.http import Guard, Session, renewing_tokens, retry_after_s, send_before

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
READ = {"hub": Call(reads=True)}
WRITE = {"hub": Call(reads=False)}


class StepClock:
    """Time that only waiting moves."""

    def __init__(self) -> None:
        self.at, self.waited = NOON, 0.0

    def now(self) -> datetime:
        return self.at

    def wait(self, seconds: float, until: threading.Event | None = None) -> None:
        self.waited += seconds
        self.at += timedelta(seconds=seconds)

    def close(self) -> None:
        pass


@pytest.fixture
def clock() -> StepClock:
    return StepClock()


@pytest.fixture
def make(clock: StepClock) -> Iterator[Callable[..., Session]]:
    made: list[Session] = []

    def make(*, dry: bool = False, timeout_s: float = 5, trace: Any = None) -> Session:
        made.append(Session("shop", clock=clock, budgets=Budgets(clock), guard=Guard(dry=dry),
                            log=structlog.get_logger(), timeout_s=timeout_s, trace=trace))  # fmt: skip
        return made[-1]

    yield make
    for session in made:
        session.close()


class Nonce(httpx.Auth):
    """Signs each attempt with a new number."""

    def __init__(self) -> None:
        self.count = 0

    def auth_flow(self, request: httpx.Request):  # type: ignore[no-untyped-def]  # the base class leaves it untyped
        self.count += 1
        request.headers["x-nonce"] = str(self.count)
        yield request


def test_read_is_tried_again_after_server_errors_and_authenticated_anew(
    httpserver: HTTPServer, make: Callable[..., Session]
) -> None:
    seen: list[str] = []

    def answer(request: Request) -> Response:
        seen.append(request.headers["x-nonce"])
        return Response("sorry", 503) if len(seen) < 3 else Response("{}")

    httpserver.expect_request("/a").respond_with_handler(answer)
    response = make().get(httpserver.url_for("/a"), extensions=READ, auth=Nonce())
    assert response.status_code == 200
    assert seen == ["1", "2", "3"]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_write_is_never_repeated_on_a_server_error(
    httpserver: HTTPServer, make: Callable[..., Session], status: int
) -> None:
    httpserver.expect_request("/a").respond_with_data("sorry", status)
    assert make().post(httpserver.url_for("/a"), extensions=WRITE).status_code == status
    assert len(httpserver.log) == 1


def test_refused_write_is_repeated_after_the_time_told(
    httpserver: HTTPServer, make: Callable[..., Session], clock: StepClock
) -> None:
    """429 was not processed, so any method may go again (K: 1.2)."""
    httpserver.expect_ordered_request("/a").respond_with_data("", 429, {"Retry-After": "15"})
    httpserver.expect_ordered_request("/a").respond_with_data("{}")
    assert make().post(httpserver.url_for("/a"), extensions=WRITE).status_code == 200
    assert clock.waited == pytest.approx(15, abs=0.1)


def test_call_that_finds_nobody_says_where_it_went_and_why(make: Callable[..., Session]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(TransientError) as refused:
        make().get(f"http://127.0.0.1:{port}/x", extensions=READ)
    assert refused.value.where == f"shop, 127.0.0.1:{port}"
    assert "Connection refused" in refused.value.what
    with pytest.raises(TransientError) as unknown:
        make().get("https://nowhere.invalid/x", extensions=READ)
    assert unknown.value.where == "shop, nowhere.invalid:443"
    assert "ConnectError: " in unknown.value.what


def test_lost_answer_of_a_write_may_have_happened_and_of_a_read_not(
    httpserver: HTTPServer, make: Callable[..., Session]
) -> None:
    stopped = threading.Event()

    def slow(request: Request) -> Response:
        stopped.wait(1)
        return Response("late")

    httpserver.expect_request("/a").respond_with_handler(slow)
    session = make(timeout_s=0.1)
    with pytest.raises(TransientError) as write:
        session.post(httpserver.url_for("/a"), extensions=WRITE)
    with pytest.raises(TransientError) as read:
        session.get(httpserver.url_for("/a"), extensions=READ)
    stopped.set()
    assert (write.value.may_have_happened, read.value.may_have_happened) == (True, False)


def test_write_that_found_no_server_did_not_happen(make: Callable[..., Session]) -> None:
    with pytest.raises(TransientError) as caught:
        make().post("http://127.0.0.1:9/", extensions=WRITE)
    assert not caught.value.may_have_happened


def test_answer_that_cannot_be_unpacked_is_a_lost_answer(httpserver: HTTPServer, make: Callable[..., Session]) -> None:
    httpserver.expect_request("/a").respond_with_data("no gzip", headers={"Content-Encoding": "gzip"})
    with pytest.raises(TransientError) as caught:
        make().post(httpserver.url_for("/a"), extensions=WRITE)
    assert caught.value.may_have_happened


def test_dry_run_lets_reads_pass_and_no_write(httpserver: HTTPServer, make: Callable[..., Session]) -> None:
    httpserver.expect_request("/a").respond_with_data("{}")
    session = make(dry=True)
    assert session.post(httpserver.url_for("/a"), extensions=READ).status_code == 200
    for extensions in (WRITE, {}):
        with pytest.raises(ConfigurationError, match="dry-run-write"):
            session.post(httpserver.url_for("/a"), extensions=extensions)
    assert len(httpserver.log) == 1
    with renewing_tokens():
        assert session.get(httpserver.url_for("/a"), extensions=WRITE).status_code == 200


def test_plain_http_leaves_only_for_loopback(make: Callable[..., Session]) -> None:
    with pytest.raises(ConfigurationError, match="plain-http"):
        make().get("http://example.invalid/", extensions=READ)


def test_write_past_its_deadline_is_not_sent(
    httpserver: HTTPServer, make: Callable[..., Session], clock: StepClock
) -> None:
    """Law 1: the deadline is checked just before each send."""
    httpserver.expect_request("/a").respond_with_data("{}")
    with send_before(clock.now() - timedelta(seconds=1)), pytest.raises(TransientError) as caught:
        make().post(httpserver.url_for("/a"), extensions=WRITE)
    assert (caught.value.code, caught.value.may_have_happened) == ("send-window-passed", False)
    assert httpserver.log == []


class SlowRenewal(httpx.Auth):
    """Renews its token, which takes a minute, before a request leaves or once it was refused."""

    def __init__(self, clock: StepClock, *, before: bool) -> None:
        self._clock, self._before = clock, before

    def auth_flow(self, request: httpx.Request):  # type: ignore[no-untyped-def]  # the base class leaves it untyped
        if self._before:
            self._clock.wait(60)
        response = yield request
        if response.status_code == 401:
            self._clock.wait(60)
            yield request


@pytest.mark.parametrize(("before", "calls"), [(True, 0), (False, 1)])
def test_write_does_not_leave_after_its_deadline_because_tokens_were_renewed_meanwhile(
    httpserver: HTTPServer, make: Callable[..., Session], clock: StepClock, before: bool, calls: int
) -> None:
    """Law 1: what was made ready too slowly is too late, and so is a repetition after a renewal."""
    httpserver.expect_request("/a").respond_with_data("", 401)
    auth = SlowRenewal(clock, before=before)
    with send_before(clock.now() + timedelta(seconds=30)), pytest.raises(TransientError) as caught:
        make().post(httpserver.url_for("/a"), extensions=WRITE, auth=auth)
    assert (caught.value.code, caught.value.may_have_happened) == ("send-window-passed", False)
    assert len(httpserver.log) == calls


def test_write_whose_turn_comes_after_its_deadline_does_not_wait_for_it(
    httpserver: HTTPServer, make: Callable[..., Session], clock: StepClock
) -> None:
    httpserver.expect_request("/a").respond_with_data("{}")
    call = {"hub": Call(reads=False, budget=Budget("k", 1, 60))}
    session = make()
    with send_before(clock.now() + timedelta(seconds=30)):
        session.post(httpserver.url_for("/a"), extensions=call)
        with pytest.raises(TransientError, match="send-window-passed"):
            session.post(httpserver.url_for("/a"), extensions=call)
    assert clock.waited == 0


class Slow(httpx.Auth):
    """Needs a new token first, which takes its time."""

    def __init__(self, clock: StepClock) -> None:
        self._clock = clock

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        self._clock.wait(60)
        yield request


def test_write_whose_deadline_passes_while_a_token_is_renewed_is_not_sent(
    httpserver: HTTPServer, make: Callable[..., Session], clock: StepClock
) -> None:
    httpserver.expect_request("/a").respond_with_data("{}")
    with send_before(clock.now() + timedelta(seconds=30)), pytest.raises(TransientError, match="send-window-passed"):
        make().post(httpserver.url_for("/a"), extensions=WRITE, auth=Slow(clock))
    assert httpserver.log == []


def test_what_passes_between_the_last_check_and_the_last_byte_of_a_write_is_told(
    httpserver: HTTPServer, make: Callable[..., Session], clock: StepClock
) -> None:
    """Law 1: the window that cannot be closed is measured; a read has none, and waiting for a token is not in it."""
    httpserver.expect_request("/a").respond_with_data("{}")
    told: list[dict[str, Any]] = []
    session = make(trace=lambda event, details: told.append(details))
    session.post(httpserver.url_for("/a"), extensions=WRITE, auth=Slow(clock))
    session.post(httpserver.url_for("/a"), extensions=READ, auth=Slow(clock))
    write, read = told
    assert 0 < write["window_s"] < write["seconds"]
    assert read["window_s"] is None


def test_budget_spreads_calls_over_its_window(
    httpserver: HTTPServer, make: Callable[..., Session], clock: StepClock
) -> None:
    """Law 10: never more than the budget in any window."""
    httpserver.expect_request("/a").respond_with_data("{}")
    session, at = make(), []
    for _ in range(13):
        session.get(httpserver.url_for("/a"), extensions={"hub": Call(reads=True, budget=Budget("k", 5, 60))})
        at.append(clock.now())
    for first, sixth in zip(at, at[5:], strict=False):
        assert sixth - first >= timedelta(seconds=60)


def test_budget_stops_at_the_other_sides_word(
    httpserver: HTTPServer, make: Callable[..., Session], clock: StepClock
) -> None:
    httpserver.expect_request("/a").respond_with_data("{}")
    call = Call(reads=True, budget=Budget("k", 50, 60), pace=lambda response: Pace(remaining=0, resets_in_s=42))
    session = make()
    for _ in range(2):
        session.get(httpserver.url_for("/a"), extensions={"hub": call})
    assert clock.waited == pytest.approx(42)


@pytest.mark.parametrize("pace_s", [10.0**9, float("inf")])
def test_no_word_of_the_other_side_shuts_it_for_years(
    httpserver: HTTPServer, make: Callable[..., Session], clock: StepClock, pace_s: float
) -> None:
    httpserver.expect_request("/a").respond_with_data("{}")
    call = Call(reads=True, budget=Budget("k", 50, 60), pace=lambda response: Pace(remaining=0, resets_in_s=pace_s))
    session = make()
    session.get(httpserver.url_for("/a"), extensions={"hub": call})
    with pytest.raises(TransientError) as caught:
        session.get(httpserver.url_for("/a"), extensions={"hub": call})
    assert caught.value.retry_after_s == LONGEST_WAIT_S
    clock.wait(LONGEST_WAIT_S)
    assert session.get(httpserver.url_for("/a"), extensions={"hub": call}).status_code == 200


def test_write_is_done_although_its_pace_cannot_be_read(httpserver: HTTPServer, make: Callable[..., Session]) -> None:
    def broken(response: httpx.Response) -> Pace:
        raise OverflowError

    httpserver.expect_request("/a").respond_with_data("{}")
    call = Call(reads=False, budget=Budget("k", 50, 60), pace=broken)
    assert make().post(httpserver.url_for("/a"), extensions={"hub": call}).status_code == 200


@pytest.mark.parametrize("auth", [None, Nonce()], ids=["bare", "signed"])
def test_request_of_a_connectors_own_making_has_a_time_too(
    make: Callable[..., Session], auth: httpx.Auth | None
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(TransientError, match="ReadTimeout"):
            make(timeout_s=0.1).send(httpx.Request("GET", url), auth=auth)


@pytest.mark.parametrize("auth", [None, Nonce()], ids=["bare", "signed"])
def test_calls_begun_have_left_and_are_finished_in_any_order(
    make: Callable[..., Session], auth: httpx.Auth | None
) -> None:
    session = make()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        first, second = (
            session.begin(httpx.Request("POST", f"{url}/{name}", extensions=WRITE), auth=auth) for name in "ab"
        )
        for _ in range(2):
            accepted, _ = listening.accept()
            with accepted:
                name = accepted.recv(1 << 16)[len("POST /") :][:1]
                accepted.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + name)
        assert (second().text, first().text) == ("b", "a")


def test_what_was_refused_after_it_was_begun_is_sent_again(
    httpserver: HTTPServer, make: Callable[..., Session], clock: StepClock
) -> None:
    httpserver.expect_ordered_request("/a").respond_with_data("", 429, {"Retry-After": "15"})
    httpserver.expect_ordered_request("/a").respond_with_data("{}")
    finish = make().begin(httpx.Request("POST", httpserver.url_for("/a"), extensions=WRITE), auth=Nonce())
    assert clock.waited == 0
    assert finish().status_code == 200
    assert clock.waited == pytest.approx(15, abs=0.1)


def test_call_that_cannot_leave_fails_as_it_is_begun_and_a_lost_answer_as_it_is_finished(
    httpserver: HTTPServer, make: Callable[..., Session], clock: StepClock
) -> None:
    write = httpx.Request("POST", httpserver.url_for("/a"), extensions=WRITE)
    with send_before(clock.now() - timedelta(seconds=1)), pytest.raises(TransientError, match="send-window-passed"):
        make().begin(write)
    with pytest.raises(ConfigurationError, match="dry-run-write"):
        make(dry=True).begin(write)
    assert httpserver.log == []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        finish = make(timeout_s=0.1).begin(httpx.Request("POST", url, extensions=WRITE))
        with pytest.raises(TransientError) as caught:
            finish()
    assert caught.value.may_have_happened


def test_call_to_be_begun_at_once_does_not_wait_for_its_budget(
    httpserver: HTTPServer, make: Callable[..., Session], clock: StepClock
) -> None:
    httpserver.expect_request("/a").respond_with_data("{}")
    session, call = make(), {"hub": Call(reads=True, budget=Budget("k", 1, 60))}
    session.begin(httpx.Request("GET", httpserver.url_for("/a"), extensions=call), at_once=True)()
    with pytest.raises(TransientError, match="rate-limited"):
        session.begin(httpx.Request("GET", httpserver.url_for("/a"), extensions=call), at_once=True)
    assert clock.waited == 0
    httpserver.expect_oneshot_request("/b").respond_with_data("", 503)
    httpserver.expect_request("/b").respond_with_data("{}")
    finish = session.begin(httpx.Request("GET", httpserver.url_for("/b"), extensions=READ), at_once=True)
    assert finish().status_code == 200, "what comes after it left may wait"


def test_budget_is_whole_again_a_window_after_a_call_was_dropped(clock: StepClock) -> None:
    budget, budgets = Budget("k", 1, 60), Budgets(clock)
    session = Session("shop", clock=clock, budgets=budgets, guard=Guard(), log=structlog.get_logger(), timeout_s=5)
    with socket.create_server(("127.0.0.1", 0)) as listening, session:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        session.begin(httpx.Request("GET", url, extensions={"hub": Call(reads=True, budget=budget)}))
    clock.wait(40)
    assert budgets.take(budget) == 60, "it may have arrived at any moment until now"
    clock.wait(60)
    assert isinstance(budgets.take(budget), Permit)


def test_call_is_finished_once(httpserver: HTTPServer, make: Callable[..., Session]) -> None:
    httpserver.expect_request("/a").respond_with_data("{}")
    finish = make().begin(httpx.Request("POST", httpserver.url_for("/a"), extensions=WRITE))
    assert finish().status_code == 200
    with pytest.raises(RuntimeError):
        finish()
    assert len(httpserver.log) == 1


def test_call_whose_answer_nobody_waits_for_leaves_no_connection(make: Callable[..., Session]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        finish = make().begin(httpx.Request("POST", url, extensions=WRITE))
        accepted, _ = listening.accept()
        with accepted:
            accepted.settimeout(10)
            assert accepted.recv(1 << 16)
            del finish
            with pytest.raises(ConnectionResetError):
                accepted.recv(1)


def test_no_cookie_is_kept(httpserver: HTTPServer, make: Callable[..., Session]) -> None:
    httpserver.expect_request("/a").respond_with_data("{}", headers={"Set-Cookie": "tracker=abc"})
    session = make()
    for _ in range(2):
        session.get(httpserver.url_for("/a"))
    assert "Cookie" not in httpserver.log[-1][0].headers


def test_stopping_hub_waits_for_nothing(httpserver: HTTPServer, clock: StepClock) -> None:
    guard = Guard()
    guard.stop.set()
    httpserver.expect_request("/a").respond_with_data("", 429, {"Retry-After": "30"})
    session = Session("shop", clock=clock, budgets=Budgets(clock), guard=guard, log=structlog.get_logger(), timeout_s=5)
    with session, pytest.raises(TransientError, match="stopping"):
        session.get(httpserver.url_for("/a"), extensions=READ)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("15", 15.0),
        ("Mon, 02 Mar 2026 12:00:30 GMT", 30.0),
        ("Mon, 02 Mar 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("1772452800", LONGEST_WAIT_S),  # an instant where seconds belong
        ("9" * 400, LONGEST_WAIT_S),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT_S),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(text: str, seconds: float | None) -> None:
    assert retry_after_s(httpx.Response(429, headers={"Retry-After": text}), NOON) == seconds
