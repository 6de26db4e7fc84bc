"""When hints may be looked at: gaps gather them, and all looks together keep to a share of the budget."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from hub.contract import Budget, HintKind
from hub.engine import wake
from hub.engine.world import Connected
from hub.host.work import Work, count_call, counted
from hub.store import Store, wakes

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ERP = cast(Connected, SimpleNamespace(id="factory"))
KATANA = Budget("factory", calls=60, per_s=60.0)


def note(store: Store, at: datetime, *kinds: HintKind) -> None:
    with store.write() as tx:
        wakes.add(tx, "factory", [(kind.value, "1") for kind in kinds], at)


def may_look(store: Store, kind: HintKind, now: datetime) -> bool:
    with store.read() as tx:
        at = wake.waiting(tx, ERP, now).get(kind)
    return at is not None and at <= now


def look(store: Store, kind: HintKind, now: datetime, calls: int) -> None:
    work = Work()
    with counted(work):
        for _ in range(calls):
            count_call(KATANA)
    with store.write() as tx:
        wake.looked(tx, ERP, kind, now, work)
        wakes.drop(tx, "factory", wakes.due(tx, "factory", kind.value, now, 10))


def looks_in(store: Store, seconds: int, kind: HintKind, *, begin: int = 0, calls: int = 2) -> int:
    """Have a hint come every second; return how many looks that made."""
    made = 0
    for second in range(begin, begin + seconds):
        now = NOON + timedelta(seconds=second)
        note(store, now, kind)
        if may_look(store, kind, now):
            look(store, kind, now, calls)
            made += 1
    return made


def test_flood_is_looked_at_within_a_quarter_of_the_budget(store: Store) -> None:
    """60 calls a minute: the first minute may use a share of one more ahead, then 15 calls a minute remain."""
    assert looks_in(store, 60, HintKind.FULFILLMENTS) * 2 <= 15 + 15 + 2
    assert 14 <= looks_in(store, 120, HintKind.FULFILLMENTS, begin=60) <= 16


def test_what_does_not_hurry_leaves_room_for_what_does(store: Store) -> None:
    looks_in(store, 120, HintKind.INVENTORY)
    now = NOON + timedelta(seconds=120)
    note(store, now, HintKind.INVENTORY, HintKind.FULFILLMENTS)
    assert not may_look(store, HintKind.INVENTORY, now)
    assert may_look(store, HintKind.FULFILLMENTS, now)


def test_looks_that_cost_nothing_are_held_back_by_the_gap_alone(store: Store) -> None:
    assert looks_in(store, 60, HintKind.ORDERS, calls=0) == 60
    assert looks_in(store, 60, HintKind.PRODUCTS, calls=0) == 6


def test_clock_that_was_set_back_stops_no_look(store: Store) -> None:
    looks_in(store, 60, HintKind.FULFILLMENTS)
    before = NOON - timedelta(hours=1)
    with store.write() as tx:
        heard = wakes.due(tx, "factory", HintKind.FULFILLMENTS.value, NOON + timedelta(hours=1), 10)
        wakes.drop(tx, "factory", heard)
    note(store, before, HintKind.FULFILLMENTS)
    assert may_look(store, HintKind.FULFILLMENTS, before)


def test_hint_heard_again_meanwhile_stays_and_room_is_bounded(store: Store, monkeypatch: Any) -> None:
    monkeypatch.setattr(wakes, "MOST", 3)
    note(store, NOON, HintKind.ORDERS)
    with store.write() as tx:
        (seen,) = wakes.due(tx, "factory", "orders", NOON, 10)
        wakes.add(tx, "factory", [("orders", "1")], NOON)
        wakes.drop(tx, "factory", [seen])
        (again,) = wakes.due(tx, "factory", "orders", NOON, 10)
        wakes.add(tx, "factory", [("orders", str(ref)) for ref in range(9)], NOON)
        wakes.add(tx, "factory", [("products", str(ref)) for ref in range(9)], NOON)
        assert len(wakes.due(tx, "factory", "orders", NOON, 10)) == 3
        assert len(wakes.due(tx, "factory", "products", NOON, 10)) == 3  # each kind has its own
        wakes.postpone(tx, "factory", [(again, NOON + timedelta(seconds=5))])
        assert again.ref not in {each.ref for each in wakes.due(tx, "factory", "orders", NOON, 10)}
        wakes.drop(tx, "factory", [again])
        assert len(wakes.due(tx, "factory", "orders", NOON + timedelta(seconds=5), 10)) == 3  # heard again
