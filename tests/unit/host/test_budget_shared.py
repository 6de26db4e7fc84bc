"""What one process is told, every process keeps to: budgets over real HTTP and both kinds of database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from email.utils import format_datetime

import httpx
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from hub.contract import Budget, Call, Pace, TransientError
from hub.host.budget import Budgets, OwnLedger, Permit
from hub.host.http import Guard, Session
from hub.store import Store
from hub.store.budgets import StoredLedger
from tests.unit.host.test_http import NOON, StepClock

KEY = Budget("k", 60, 61.0)


@contextmanager
def processes(clock: StepClock, store: Store, count: int = 2) -> Iterator[list[Session]]:
    """Open sessions as processes of their own would, on one database."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                Session("shop", clock=clock, budgets=Budgets(clock, StoredLedger(store)), guard=Guard(),
                        log=structlog.get_logger(), timeout_s=5)
            )
            for _ in range(count)
        ]  # fmt: skip


def get(session: Session, server: HTTPServer, budget: Budget = KEY) -> httpx.Response:
    return session.get(server.url_for("/a"), extensions={"hub": Call(reads=True, budget=budget)})


@pytest.mark.parametrize("told", ["40", format_datetime(NOON + timedelta(seconds=40), usegmt=True)])
def test_time_to_wait_holds_for_every_process(httpserver: HTTPServer, store: Store, told: str) -> None:
    """In seconds or as a date; the process that was refused waits as long as the one that was not."""
    clock = StepClock()
    httpserver.expect_ordered_request("/a").respond_with_data("", 429, {"Retry-After": told})
    httpserver.expect_ordered_request("/a").respond_with_data("{}")
    httpserver.expect_ordered_request("/a").respond_with_data("{}")
    with processes(clock, store) as (one, other):
        budget = Budget("k", 1, 1.0)
        assert get(one, httpserver, budget).status_code == 200
        assert (clock.now() - NOON).total_seconds() == pytest.approx(40, abs=0.1)
        clock.at = NOON + timedelta(seconds=10)  # the other one looked while the first still waited
        assert get(other, httpserver, budget).status_code == 200
    assert (clock.now() - NOON).total_seconds() >= 40


def test_long_time_to_wait_rests_the_connection_in_every_process(httpserver: HTTPServer, store: Store) -> None:
    httpserver.expect_ordered_request("/a").respond_with_data("", 429, {"Retry-After": "300"})
    clock = StepClock()
    with processes(clock, store) as (one, other):
        assert get(one, httpserver).status_code == 429
        with pytest.raises(TransientError) as told:
            get(other, httpserver)
    assert told.value.code == "rate-limited"
    assert told.value.retry_after_s == pytest.approx(300, abs=1)
    assert len(httpserver.log) == 1


def test_calls_of_several_processes_fit_into_one_window(httpserver: HTTPServer, store: Store) -> None:
    clock, seen = StepClock(), list[float]()

    def answer(request: Request) -> Response:
        seen.append((clock.now() - NOON).total_seconds())
        return Response("{}")

    httpserver.expect_request("/a").respond_with_handler(answer)
    budget = Budget("k", 5, 61.0)
    with processes(clock, store, 3) as opened:
        for n in range(13):
            get(opened[n % 3], httpserver, budget)
    assert all(late - early > 60 for early, late in zip(seen, seen[5:], strict=False))


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.floats(0, 15), st.booleans(), st.none() | st.integers(0, 6), st.booleans()),
        max_size=60,
    )
)
def test_room_is_told_as_it_is_then_taken(steps: list[tuple[int, float, bool, int | None, bool]]) -> None:
    """Whatever went before, over three processes: where room is told a call may go, where not it waits just as long."""
    clock, ledger, budget = StepClock(), OwnLedger(), Budget("k", 6, 61.0)
    opened = [Budgets(clock, ledger) for _ in range(3)]
    for which, pause, urgent, left, closes in steps:
        clock.wait(pause)
        mine = opened[which]
        told_s = mine.room_in_s(budget, urgent=urgent)
        got = mine.take(budget, urgent=urgent)
        assert (told_s == 0.0) if isinstance(got, Permit) else (told_s == got)
        if isinstance(got, Permit):
            mine.answered(got)
        if left is not None:
            mine.learn(budget, Pace(left, 20.0))
        if closes:
            mine.close(budget, 5.0)
