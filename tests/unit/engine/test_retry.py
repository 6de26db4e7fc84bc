"""What a retry means, and what it must not do (laws 1 and 3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hub.contract import HubError, OrderStatus, Return, ReturnLine
from hub.engine import retry as again
from hub.store import Store, orders, returns, shipping, timeline
from hub.store.shipping import PackageState, Parcel
from tests.conftest import NOON, OrderMaker
from tests.unit.engine.ledger_rows import effects_of, put, put_effect, put_placed, row_of

HOUR = timedelta(hours=1)
REASON = [{"code": "carrier-unmapped", "what": "no such carrier", "do": "map it", "skus": []}]


def events(store: Store, ref: str = "5001") -> list[str]:
    with store.read() as tx:
        return [entry.event for entry in timeline.of_order(tx, row_of(store, ref).id)]


def put_trouble(store: Store, order: Any, cause: str, by: str = "tell", **columns: Any) -> int:
    """Insert an order that has a sales order and is blocked by what a flow found."""
    trouble = [{"code": cause, "what": "it is so", "do": "mend it", "skus": []}]
    id_ = put_placed(store, order, "blocked", cause, **columns)
    with store.write() as tx:
        orders.update(tx, [{"id": id_, "trouble": [{**trouble[0], "by": by}], "reason": trouble}])
    return id_


def put_parcel(store: Store, id_: int, key: str, state: PackageState, **columns: Any) -> None:
    with store.write() as tx:
        row = {"order_id": id_, "erp": "erp", "key": key, "lines": {"1": "1"}, "state": state, "attempts": 3}
        shipping.add_parcels(tx, [{**row, "due_at": NOON + HOUR, "reason": REASON, **columns}])


def parcels(store: Store, ref: str = "5001") -> dict[str, Parcel]:
    with store.read() as tx:
        id_ = row_of(store, ref).id
        return {parcel.key: parcel for parcel in shipping.parcels_of(tx, [id_]).get(id_, [])}


def test_retry_makes_a_blocked_order_due_and_forgets_its_waits(store: Store, make_order: OrderMaker) -> None:
    put(store, make_order(), "blocked", "variant-unmapped", due_at=NOON + HOUR, rechecks=4)
    again.retry(store, "5001", NOON)
    assert (row_of(store).due_at, row_of(store).rechecks, row_of(store).fate) == (NOON, 0, "blocked")
    assert events(store) == ["retried-by-hand"]


def test_retry_hurries_an_effect_that_waits_for_its_next_attempt(store: Store, make_order: OrderMaker) -> None:
    id_ = put(store, make_order(), "ready")
    put_effect(store, id_, "X-5001", due_at=NOON + HOUR)
    again.retry(store, "5001", NOON)
    assert effects_of(store)[0].due_at == NOON


def test_retry_does_not_hurry_an_effect_whose_outcome_is_open(store: Store, make_order: OrderMaker) -> None:
    """Law 1: it is looked up only after the other side had its time to show it."""
    id_ = put(store, make_order(), "ready")
    put_effect(store, id_, "X-5001", "unknown", due_at=NOON + HOUR)
    with pytest.raises(HubError, match="not-blocked"):
        again.retry(store, "5001", NOON)
    assert effects_of(store)[0].due_at == NOON + HOUR


def test_retry_after_a_change_accepts_the_present_lines(store: Store, make_order: OrderMaker) -> None:
    put_placed(store, make_order(), "blocked", "changed-after-placement", digest="as it was")
    done = again.retry(store, "5001", NOON)
    assert (done.fate, row_of(store).fate, row_of(store).reason) == ("placed", "placed", None)
    assert row_of(store).placed_digest != "as it was"
    assert events(store) == ["change-accepted-by-hand", "placed"]


def test_retry_after_a_change_finds_the_fate_of_a_shipped_order(store: Store, make_order: OrderMaker) -> None:
    put_placed(store, make_order(status=OrderStatus.SHIPPED), "blocked", "changed-after-placement", digest="before")
    assert again.retry(store, "5001", NOON).fate == "fulfilled"


def test_retry_of_all_leaves_alone_what_a_person_must_have_mended(store: Store, make_order: OrderMaker) -> None:
    put(store, make_order("1"), "blocked", "variant-unmapped", due_at=NOON + HOUR)
    put_placed(store, make_order("2"), "blocked", "changed-after-placement", digest="before")
    put(store, make_order("3"), "held", "hold")
    found, alone = again.retry_blocked(store, NOON)
    assert [each.ref for each in found] == ["1"]
    assert [each.ref for each in alone] == ["2"]
    assert row_of(store, "2").fate == "blocked"


def test_retry_after_trouble_has_every_flow_try_again(store: Store, make_order: OrderMaker) -> None:
    id_ = put_trouble(store, make_order(), "carrier-unmapped")
    put_parcel(store, id_, "f1", PackageState.BLOCKED)
    put_parcel(store, id_, "f2", PackageState.DONE, due_at=None)
    put_parcel(store, id_, "f3", PackageState.UNKNOWN)
    again.retry(store, "5001", NOON)
    row, found = row_of(store), parcels(store)
    assert (row.trouble, row.due_at) == (None, NOON)
    assert (found["f1"].state, found["f1"].due_at, found["f1"].reason) == ("ready", NOON, None)
    assert (found["f2"].state, found["f2"].reason) == ("done", None)
    assert (found["f3"].state, found["f3"].due_at) == ("unknown", NOON + HOUR)  # its outcome is open


def test_retry_of_a_cancelled_order_that_could_not_be_deleted_tries_again(store: Store, make_order: OrderMaker) -> None:
    cancelled = make_order(status=OrderStatus.CANCELLED)
    put_trouble(store, cancelled, "cancelled-after-placement", "change")
    found, alone = again.retry_blocked(store, NOON)
    assert ([each.ref for each in found], alone) == (["5001"], [])
    assert (row_of(store).trouble, row_of(store).due_at) == (None, NOON)


def test_settled_by_hand_is_left_alone(store: Store, make_order: OrderMaker) -> None:
    id_ = put_trouble(store, make_order(), "carrier-unmapped", digest="before")
    put_parcel(store, id_, "f1", PackageState.BLOCKED)
    put_parcel(store, id_, "f2", PackageState.READY, reason=None)
    done = again.settle(store, "5001", NOON)
    row, found = row_of(store), parcels(store)
    assert (done.fate, row.fate, row.reason, row.trouble) == ("placed", "placed", None, None)
    assert row.placed_digest != "before"
    assert (found["f1"].state, found["f1"].due_at) == ("settled", None)
    assert (found["f2"].state, found["f2"].due_at) == ("ready", NOON + HOUR)
    assert "settled-by-hand" in events(store)


def test_settled_by_hand_closes_a_cancelled_order_and_keeps_its_sales_order(
    store: Store, make_order: OrderMaker
) -> None:
    put_trouble(store, make_order(status=OrderStatus.CANCELLED), "cancelled-after-placement", "change")
    assert again.settle(store, "5001", NOON).fate == "cancelled"
    with store.read() as tx:
        assert orders.links_of(tx, [row_of(store).id]) != {}


def test_settled_return_is_not_booked_by_the_hub(store: Store, make_order: OrderMaker) -> None:
    put_trouble(store, make_order(), "return-unbooked", "return")
    back = Return(ref="r1", order_ref="5001", status="x", received=True, lines=(ReturnLine(line_ref="1"),),
                  updated_at=NOON)  # fmt: skip
    with store.write() as tx:
        returns.see(tx, "shop", [back], NOON)
        returns.update(tx, returns.of_order(tx, "shop", "5001")[0], {"state": returns.BLOCKED})
    again.settle(store, "5001", NOON)
    with store.read() as tx:
        (row,) = returns.of_order(tx, "shop", "5001")
    assert (row.state, row.due_at) == ("done", None)


@pytest.mark.parametrize("fate", ["placed", "blocked"])
def test_only_a_blocked_order_with_a_sales_order_can_be_settled(
    store: Store, make_order: OrderMaker, fate: str
) -> None:
    if fate == "placed":
        put_placed(store, make_order(), fate)
    else:
        put(store, make_order(), fate, "variant-unmapped")
    with pytest.raises(HubError, match="not-blocked"):
        again.settle(store, "5001", NOON)
