"""Budgets: never more calls in any window than allowed, and never more than the other side will bear."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from hub.contract import Budget, Pace
from hub.host.budget import Budgets, OwnLedger, Permit
from hub.store import Store, open_store
from hub.store.budgets import StoredLedger, window_of
from tests.stepped import writes_of
from tests.unit.host.test_http import StepClock

KATANA = Budget("k", 60, 61.0)


def take(budgets: Budgets, budget: Budget = KATANA, *, urgent: bool = True) -> Permit | float:
    """Take a permit and have its call answered at once."""
    got = budgets.take(budget, urgent=urgent)
    if isinstance(got, Permit):
        budgets.answered(got)
    return got


def most(budgets: Budgets, budget: Budget = KATANA, *, urgent: bool = True) -> int:
    """Return how many calls go out now."""
    count = 0
    while isinstance(take(budgets, budget, urgent=urgent), Permit):
        count += 1
    return count


@dataclass
class Flight:
    """A call: when it left, and when its answer came."""

    budgets: Budgets
    permit: Permit
    left: datetime
    lands: datetime
    landed: datetime | None = None

    def land(self, now: datetime) -> None:
        if self.landed is None and self.lands <= now:
            self.budgets.answered(self.permit)
            self.landed = now


@given(
    st.lists(st.tuples(st.integers(0, 2), st.floats(0, 12), st.floats(0, 40)), min_size=30, max_size=80),
    st.integers(1, 9),
)
def test_no_window_of_the_other_side_holds_more_than_the_budget(
    steps: list[tuple[int, float, float]], calls: int
) -> None:
    """Law 10, over three processes. The other side counts a call at any moment between its leaving and its answer."""
    clock, ledger, budget = StepClock(), OwnLedger(), Budget("k", calls, 61.0)
    processes = [Budgets(clock, ledger) for _ in range(3)]
    flights: list[Flight] = []
    for which, pause, travel in steps:
        clock.wait(pause)
        for flight in flights:
            flight.land(clock.now())
        got = processes[which].take(budget)
        if isinstance(got, Permit):
            flights.append(Flight(processes[which], got, clock.now(), clock.now() + timedelta(seconds=travel)))
    for last in flights:
        begin = last.left - timedelta(seconds=60)
        inside = [each for each in flights if each.left <= last.left and (each.landed is None or each.landed > begin)]
        assert len(inside) <= calls


def test_call_whose_answer_nobody_waits_for_counts_for_one_more_window() -> None:
    """It may have arrived at any moment until now; a garbage collector that says so can wait for no lock."""
    clock = StepClock()
    budgets = Budgets(clock)
    got = budgets.take(KATANA)
    assert isinstance(got, Permit)
    got.is_dropped = True
    clock.wait(60)
    assert most(budgets) == 59
    clock.wait(61)
    assert most(budgets) == 60


def test_a_high_limit_is_taken_in_portions_and_a_lost_one_counts_as_used(store: Store) -> None:
    """A process that dies loses no more than a sixtieth of a window."""
    clock, ledger, budget = StepClock(), StoredLedger(store), Budget("k", 6000, 60.0)
    with writes_of(store) as writes:
        first = Budgets(clock, ledger)
        for _ in range(100):
            assert isinstance(take(first, budget), Permit)
    assert len(writes) <= 1
    take(Budgets(clock, ledger), budget)  # dies with 99 of them
    assert most(Budgets(clock, ledger), budget) == 5800
    clock.wait(60.9)
    assert most(Budgets(clock, ledger), budget) == 0  # the last of a portion may have left within the second
    clock.wait(0.2)
    assert most(Budgets(clock, ledger), budget) == 6000


def test_processes_share_what_the_database_holds(store: Store) -> None:
    clock = StepClock()
    one, other = (Budgets(clock, StoredLedger(store)) for _ in range(2))
    assert [isinstance(take(each), Permit) for each in [one, other] * 30] == [True] * 60
    assert take(other) == take(one) == 61.0
    clock.wait(61)
    assert most(other) == 60
    with store.read() as tx:
        assert len(window_of(tx, "k")[0]) == 60  # what is over is not kept


def test_a_long_window_keeps_a_quarter_for_what_is_urgent(store: Store) -> None:
    """A sweep of the ERP's stock may not use up what the next order needs."""
    clock = StepClock()
    budgets = Budgets(clock, StoredLedger(store))
    assert most(budgets, urgent=False) == 45
    assert most(budgets) == 15
    short = Budget("t", 8, 1.0)
    assert most(budgets, short, urgent=False) == 8  # nobody waits long there


def test_what_another_tool_took_is_left_to_it_until_the_reset(store: Store) -> None:
    """K-04, K-05: tools on one key share its quota, and each answer says what is left of it."""
    clock = StepClock()
    one, other = (Budgets(clock, StoredLedger(store)) for _ in range(2))
    for budgets in (one, other):
        take(budgets)
    one.learn(KATANA, Pace(remaining=18, resets_in_s=30))
    one.learn(KATANA, Pace(remaining=19, resets_in_s=30))  # an answer that was overtaken
    assert most(other) == 18
    clock.wait(30)
    assert most(one) == 40


def test_two_processes_do_not_take_each_other_for_another_tool(store: Store) -> None:
    clock = StepClock()
    one, other = (Budgets(clock, StoredLedger(store)) for _ in range(2))
    for count in range(20):
        for budgets, left in ((one, 59 - 2 * count), (other, 58 - 2 * count)):
            take(budgets)
            budgets.learn(KATANA, Pace(left, 45))
    assert most(one) == 20


def test_after_a_refusal_no_process_sends_until_it_may(store: Store) -> None:
    clock = StepClock()
    one, other = (Budgets(clock, StoredLedger(store)) for _ in range(2))
    take(one)
    one.close(KATANA, 15)
    assert take(other) == take(one) == 15.0
    clock.wait(15)
    assert isinstance(take(other), Permit)


def test_a_refusal_without_a_known_limit_halves_the_calls_and_they_come_back_slowly(store: Store) -> None:
    """T-40: no figure is promised. Two calls that were in flight together are refused once."""
    clock, budget = StepClock(), Budget("t", 8, 1.0)
    budgets = Budgets(clock, StoredLedger(store))
    for _ in range(2):
        budgets.learn(budget, Pace(0, 2, slower=True))
    clock.wait(2)
    found = []
    for _ in range(6):
        found.append(most(budgets, budget))
        clock.wait(60)
    assert found == [4, 5, 6, 7, 8, 8]


def test_a_clock_that_was_set_back_stops_nothing_for_long(store: Store) -> None:
    clock = StepClock()
    budgets = Budgets(clock, StoredLedger(store))
    assert most(budgets) == 60
    budgets.close(KATANA, 600)
    clock.at -= timedelta(hours=1)
    again = Budgets(clock, StoredLedger(store))
    assert take(again) == 61.0
    clock.wait(61)
    assert isinstance(take(again), Permit)
    assert isinstance(take(budgets), Permit)


def test_bookkeeping_that_fails_after_a_call_fails_no_call(tmp_path: Path) -> None:
    """What was sent was sent: an error here would have it sent again."""
    clock, store = StepClock(), open_store(str(tmp_path / "hub.db"))
    budgets = Budgets(clock, StoredLedger(store))
    permit = budgets.take(KATANA)
    assert isinstance(permit, Permit)
    store.engine.dispose()
    (tmp_path / "hub.db").write_bytes(b"no database any more" * 500)
    clock.wait(1)
    budgets.answered(permit)
    budgets.close(KATANA, 15)
    assert budgets.take(KATANA) == 15.0
    store.close()
