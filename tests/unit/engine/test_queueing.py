"""How long calls take to get through a budget: the arithmetic, held against budgets that let calls out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.contract import Budget
from hub.engine.queueing import KEPT_FREE, Window, emptied, finish, unhurried
from hub.host import budget as host
from hub.host.budget import Budgets, OwnLedger, Permit
from tests.unit.host.test_http import StepClock

MINUTE = Window(60, 60.0)


def let_out(calls: int, per_s: float, wanted: int, *, urgent: bool = True) -> float:
    """Return in how many seconds a real budget lets that many calls out, each answered at once."""
    clock = StepClock()
    budgets, began = Budgets(clock, OwnLedger()), clock.now()
    while wanted:
        got = budgets.take(Budget("k", calls, per_s), urgent=urgent)
        if isinstance(got, Permit):
            budgets.answered(got)
            wanted -= 1
        else:
            clock.wait(got)
    return (clock.now() - began).total_seconds()


@given(st.integers(1, 59), st.sampled_from([1.0, 61.0]), st.integers(1, 300))
def test_forecast_of_a_burst_is_what_the_budget_then_does(calls: int, per_s: float, wanted: int) -> None:
    told = list(finish(Window(calls, per_s), [(0.0, 1.0)] * wanted))[-1]
    assert told == pytest.approx(let_out(calls, per_s, wanted), abs=0.01)


def test_calls_that_are_not_urgent_take_what_the_budget_leaves_them() -> None:
    assert KEPT_FREE == 1 - 1 / host.RESERVE
    told = unhurried(MINUTE, 500, 0.0, 0.0)
    assert told == pytest.approx(let_out(60, 60.0, 500, urgent=False), rel=0.1)


def test_what_is_taken_and_what_is_closed_delays() -> None:
    assert list(finish(Window(2, 60.0, [5.0, 30.0]), [(0.0, 1.0)] * 3)) == [5.0, 30.0, 65.0]
    assert list(finish(Window(2, 60.0, [5.0], closed_s=20.0), [(0.0, 1.0)] * 2)) == [20.0, 20.0]
    assert list(finish(Window(2, 60.0, [5.0, 30.0, 90.0]), [(0.0, 1.0)])) == [30.0], "more taken than there is"


def test_polls_go_between() -> None:
    """Ten calls a minute of sixty: what is queued gets fifty."""
    (told,) = list(finish(MINUTE, [(0.0, 600.0)], background_per_s=10 / 60))
    assert told == pytest.approx(600 / 50 * 60, rel=0.1)


def test_a_queue_is_empty_before_the_next_order_comes() -> None:
    jobs = [(0.0, 1.0), (0.0, 1.0), (100.0, 1.0)]
    assert emptied(jobs, [1.0, 2.0, 100.0]) == 2.0
    assert emptied(jobs, [50.0, 120.0, 130.0]) == 130.0
    assert emptied([], []) == 0.0


def test_while_urgent_calls_use_all_up_another_gets_through_each_window() -> None:
    assert unhurried(MINUTE, 3, 600.0, 0.0) == 180.0
    assert unhurried(MINUTE, 20, 600.0, 0.25) == pytest.approx(600 + 10 / (0.75 - 0.25))
