"""What a person may decide about an order, and what is refused (laws 1 and 3)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.contract import HubError, OrderStatus
from hub.engine import hand
from hub.store import Store, timeline
from tests.conftest import NOON, OrderMaker
from tests.unit.engine.ledger_rows import effects_of, put, put_effect, put_placed, row_of

HOUR = timedelta(hours=1)


def events(store: Store, ref: str = "5001") -> list[str]:
    with store.read() as tx:
        return [entry.event for entry in timeline.of_order(tx, row_of(store, ref).id)]


def test_held_order_stays_until_it_is_released(store: Store, make_order: OrderMaker) -> None:
    put(store, make_order(), "held", "hold", release_at=NOON + HOUR, due_at=NOON + HOUR)
    done = hand.hold(store, "5001", NOON, reason="ask the buyer")
    row = row_of(store)
    assert (done.fate, done.cause) == ("held", "by-hand") == (row.fate, row.cause)
    assert (row.hand, row.release_at, row.due_at) == ("held", None, None)
    assert events(store) == ["held-by-hand", "held"]


def test_order_is_found_by_its_key_too(store: Store, make_order: OrderMaker) -> None:
    put(store, make_order(), "held", "hold")
    assert hand.hold(store, "X-5001", NOON).ref == "5001"


def test_holding_withdraws_what_waits_to_be_sent(store: Store, make_order: OrderMaker) -> None:
    id_ = put(store, make_order(), "ready")
    put_effect(store, id_, "X-5001")
    hand.hold(store, "5001", NOON)
    assert [effect.state for effect in effects_of(store)] == ["superseded"]
    assert row_of(store).fate == "held"


def test_holding_a_blocked_order_holds_it(store: Store, make_order: OrderMaker) -> None:
    put(store, make_order(), "blocked", "variant-unmapped", reason=[{"code": "variant-unmapped", "what": "", "do": ""}])
    hand.hold(store, "5001", NOON)
    assert (row_of(store).cause, row_of(store).reason) == ("by-hand", None)


def test_unpaid_order_stays_unpaid_and_is_held_afterwards(store: Store, make_order: OrderMaker) -> None:
    """Payment is the first reason to wait; the ledger would say so again at the next change anyway."""
    put(store, make_order(status=OrderStatus.UNPAID, paid_at=None), "held", "unpaid")
    hand.hold(store, "5001", NOON)
    assert (row_of(store).cause, row_of(store).hand) == ("unpaid", "held")
    assert events(store) == ["held-by-hand"]


def test_holding_a_placed_order_is_refused_with_its_number(store: Store, make_order: OrderMaker) -> None:
    put_placed(store, make_order(), "placed")
    with pytest.raises(HubError) as refused:
        hand.hold(store, "5001", NOON)
    assert refused.value.code == "placed-already"
    assert "X-5001 in erp" in refused.value.what
    assert row_of(store).hand is None


@pytest.mark.parametrize("state", ["sending", "unknown"])
def test_holding_an_order_in_flight_is_refused(store: Store, make_order: OrderMaker, state: str) -> None:
    id_ = put(store, make_order(), "ready")
    put_effect(store, id_, "X-5001", state)
    with pytest.raises(HubError) as refused:
        hand.hold(store, "5001", NOON)
    assert refused.value.code == "in-flight"
    assert (row_of(store).fate, effects_of(store)[0].state) == ("ready", state)


@pytest.mark.parametrize("fate", ["skipped", "cancelled"])
def test_holding_an_order_that_never_leaves_is_refused(store: Store, make_order: OrderMaker, fate: str) -> None:
    put(store, make_order(), fate)
    with pytest.raises(HubError, match="not-leaving"):
        hand.hold(store, "5001", NOON)


def test_holding_twice_is_refused(store: Store, make_order: OrderMaker) -> None:
    put(store, make_order(), "held", "hold")
    hand.hold(store, "5001", NOON)
    with pytest.raises(HubError, match="held-already"):
        hand.hold(store, "5001", NOON)


def test_release_ends_a_persons_hold_at_once(store: Store, make_order: OrderMaker) -> None:
    put(store, make_order(), "held", "by-hand", hand="held")
    done = hand.release(store, "5001", NOON)
    row = row_of(store)
    assert (row.hand, row.cause, row.release_at, row.due_at) == ("released", "hold", NOON, NOON)
    assert done.says == "the next pass sends it on"


def test_release_ends_the_routes_own_hold_early(store: Store, make_order: OrderMaker) -> None:
    put(store, make_order(), "held", "hold", release_at=NOON + HOUR, due_at=NOON + HOUR)
    hand.release(store, "5001", NOON)
    assert row_of(store).release_at == NOON


def test_release_never_ends_the_channels_hold(store: Store, make_order: OrderMaker) -> None:
    """Law 3: no order leaves before the later of its release time and the channel's own hold."""
    on_hold = make_order(status=OrderStatus.ON_HOLD, hold_until=NOON + HOUR)
    put(store, on_hold, "held", "channel-hold", release_at=NOON + HOUR, due_at=NOON + HOUR)
    done = hand.release(store, "5001", NOON)
    assert (row_of(store).cause, row_of(store).release_at) == ("channel-hold", NOON + HOUR)
    assert "only the channel can end it" in done.says


def test_release_waits_for_the_end_of_the_channels_free_hour(store: Store, make_order: OrderMaker) -> None:
    put(store, make_order(hold_until=NOON + HOUR), "held", "hold", release_at=NOON + 2 * HOUR)
    done = hand.release(store, "5001", NOON)
    assert row_of(store).release_at == NOON + HOUR
    assert "2026-03-02 13:00:00Z" in done.says


def test_releasing_what_is_not_held_is_refused(store: Store, make_order: OrderMaker) -> None:
    put_placed(store, make_order(), "placed")
    with pytest.raises(HubError) as refused:
        hand.release(store, "5001", NOON)
    assert refused.value.what == "it is not held: it is placed"


def test_unknown_order_is_refused_with_the_way_to_look(store: Store) -> None:
    with pytest.raises(HubError) as refused:
        hand.release(store, "77", NOON)
    assert (refused.value.code, "hub orders" in refused.value.do) == ("order-unknown", True)


def test_order_of_two_shops_must_be_named_exactly(store: Store, make_order: OrderMaker) -> None:
    put(store, make_order(key="X-a"), "held", "hold")
    put(store, make_order(key="X-b"), "held", "hold", connection="other")
    with pytest.raises(HubError) as refused:
        hand.hold(store, "5001", NOON)
    assert refused.value.what == "2 orders have the id '5001': X-a in shop (held), X-b in other (held)"
    assert hand.hold(store, "5001", NOON, connection="other").key == "X-b"
