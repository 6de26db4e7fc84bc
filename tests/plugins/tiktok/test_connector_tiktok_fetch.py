"""Reading known orders again: in few calls, whatever became of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hub.contract import OrderRef, OrderStatus, RejectedError
from tests.plugins.tiktok.tiktok_bench import LONG_AGO, Shop, ref_of, shop_on_simulator

SEARCH, DETAIL = "/order/202309/orders/search", "/order/202507/orders"


def _unknown(ref: str) -> OrderRef:
    return OrderRef(ref=ref, created_at=LONG_AGO, updated_at=LONG_AGO)


def test_fifty_orders_cost_one_call(shop: Shop) -> None:
    """T-52: ids comma-joined in one value (T-28)."""
    shop.backlog(50)
    refs = [ref_of(order) for order in shop.orders()]
    shop.paths()
    assert len(shop.connector.fetch_orders(refs)) == 50
    assert shop.calls[0].url.params["ids"] == ",".join(ref.ref for ref in refs)
    assert shop.paths() == [DETAIL]


def test_a_hundred_orders_close_together_cost_one_call(shop: Shop) -> None:
    shop.backlog(100)
    refs = [ref_of(order) for order in shop.orders()]
    shop.paths()
    assert {order.ref for order in shop.connector.fetch_orders(refs)} == {ref.ref for ref in refs}
    assert shop.paths() == [SEARCH]


def test_what_moved_out_of_the_span_is_asked_for_by_id(shop: Shop) -> None:
    ids = shop.backlog(100)
    refs = [ref_of(order) for order in shop.orders()]
    shop.act(ids[7], "cancel")
    shop.paths()
    found = {order.ref: order for order in shop.connector.fetch_orders(refs)}
    assert set(found) == set(ids)
    assert found[ids[7]].status is OrderStatus.CANCELLED
    assert shop.paths() == [SEARCH, DETAIL]


def test_orders_far_apart_are_asked_for_by_id_after_one_look(shop: Shop) -> None:
    """A search that would have to page through strangers is given up after its first page."""
    shop.backlog(1000)
    refs = [ref_of(order) for order in shop.orders()][::10]
    shop.paths()
    assert len(shop.connector.fetch_orders(refs)) == 100
    assert shop.paths() == [SEARCH, DETAIL, DETAIL]


def test_no_orders_cost_no_call(shop: Shop) -> None:
    assert shop.connector.fetch_orders([]) == []
    assert shop.paths() == []


@pytest.mark.parametrize("manner", ["leave_out", "error"])
def test_an_unknown_order_is_left_out_and_spoils_no_other(shop: Shop, manner: str) -> None:
    """T-53: TikTok may leave it out, or refuse the whole call; 1 of 50 is found in 2 * 6 further calls at most."""
    shop.options(detail_unknown_ids=manner)
    shop.backlog(49)
    refs = [ref_of(order) for order in shop.orders()]
    refs.insert(20, _unknown("576999999999999999"))
    shop.paths()
    assert {order.ref for order in shop.connector.fetch_orders(refs)} == {ref.ref for ref in refs} - {refs[20].ref}
    assert len(shop.paths()) == (1 if manner == "leave_out" else 13)


def test_nothing_but_unknown_orders_is_an_empty_answer(shop: Shop) -> None:
    """T-39, T-53."""
    assert shop.connector.fetch_orders([_unknown("576999999999999999"), _unknown("576999999999999998")]) == []


def test_the_search_for_unknown_orders_is_bounded(shop: Shop) -> None:
    """T-53: many refusals are no longer about single orders; the refusal is passed on."""
    refs = [_unknown(f"5769999999999{n:05d}") for n in range(400)]
    with pytest.raises(RejectedError, match="order-unreadable"):
        shop.connector.fetch_orders(refs)
    assert len(shop.paths()) <= 212


def test_the_older_version_of_the_detail_call_can_be_chosen() -> None:
    """T-52."""
    with shop_on_simulator(order_detail_version="202309") as shop:
        shop.backlog(1)
        refs = [ref_of(order) for order in shop.orders()]
        shop.paths()
        assert len(shop.connector.fetch_orders(refs)) == 1
        assert shop.paths() == ["/order/202309/orders"]


def test_an_edit_that_moved_no_time_is_seen_by_the_re_read(shop: Shop) -> None:
    """T-62: edits may not move update_time; law 3 asks for the order as it stands."""
    (ref,) = shop.seed({"status": "AWAITING_SHIPMENT", "on_hold": False})
    (before,) = shop.orders()
    shop.act(ref, "request_cancel")
    (after,) = shop.connector.fetch_orders([ref_of(before)])
    assert after.updated_at == before.updated_at
    assert (before.cancel_requested, after.cancel_requested) == (False, True)  # T-61


def test_a_span_is_searched_to_its_last_second(shop: Shop) -> None:
    """T-46: the upper end is exclusive."""
    shop.backlog(60)
    refs = [ref_of(order) for order in shop.orders()]
    shop.paths()
    shop.connector.fetch_orders(refs)
    assert shop.paths() == [SEARCH]
    newest = max(ref.updated_at for ref in refs)
    assert newest == max(order.updated_at for order in shop.connector.fetch_orders(refs))
    assert newest > datetime(2020, 1, 1, tzinfo=UTC)
