"""Cancellations and returns: read, answered, and the seller's own."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hub_tiktok.reasons import candidates, valid_reasons
from hub_tiktok.returns import goods_return

from hub.contract import Cancellation, CancellationState, Cursor, OrderStatus, RejectedError, Return
from tests.plugins.tiktok.tiktok_bench import FIXED_NOW, LONG_AGO, SHOP, Bench, Shop, told
from tests.plugins.tiktok.tiktok_parcels import own, present, push, shop_in, waiting

SEARCH = "/return_refund/202309/cancellations/search"
CANCEL = "/return_refund/202309/cancellations"
REASONS = "/return_refund/202309/reject_reasons"
RETURNS = "/return_refund/202309/returns/search"
DETAIL = "/order/202507/orders"


def _pull(shop: Shop, since: Cursor | None = None) -> list[Cancellation]:
    return [each for page in shop.connector.pull_cancellations(since, LONG_AGO) for each in page.items]


def _requested(shop: Shop, **selected: Any) -> Cancellation:
    order = waiting(shop)
    shop.act(order.ref, "request_cancel", **selected)
    (found,) = _pull(shop)
    shop.calls.clear()
    return found


def test_a_request_is_read_with_its_lines_and_its_deadline() -> None:
    """T-112: one call for up to 50."""
    with shop_in("US") as shop:
        order = waiting(shop)
        shop.act(order.ref, "request_cancel", line_ids=[order.lines[0].ref])
        shop.calls.clear()
        (found,) = _pull(shop)
        assert shop.paths() == [SEARCH]
        assert (found.order_ref, found.state, found.by_buyer) == (order.ref, CancellationState.REQUESTED, True)
        assert found.lines == (order.lines[0].ref,)
        assert found.decide_by is not None
        assert found.decide_by > shop.clock.now()


def test_what_the_seller_or_time_cancelled_is_done_and_not_the_buyers() -> None:
    """T-112."""
    with shop_in("US") as shop:
        order = waiting(shop)
        shop.act(order.ref, "cancel", by="SELLER")
        (found,) = _pull(shop)
        assert (found.state, found.by_buyer) == (CancellationState.DONE, False)


def test_a_quiet_pull_costs_one_call_and_a_cursor_leaves_out_what_is_old() -> None:
    with shop_in("US") as shop:
        waiting_order = waiting(shop)
        shop.act(waiting_order.ref, "request_cancel")
        pages = list(shop.connector.pull_cancellations(None, LONG_AGO))
        shop.control("clock", {"advance_s": 3600})
        other = waiting(shop)
        shop.act(other.ref, "request_cancel")
        pages = list(shop.connector.pull_cancellations(pages[-1].cursor, LONG_AGO))
        shop.control("clock", {"advance_s": 3600})
        shop.calls.clear()
        assert [each.order_ref for page in pages for each in page.items][-1] == other.ref
        _pull(shop, pages[-1].cursor)
        assert shop.paths() == [SEARCH]


def test_a_request_is_accepted_in_one_call_and_again_without_harm() -> None:
    """T-113."""
    with shop_in("US") as shop:
        request = _requested(shop)
        shop.connector.decide_cancellation(request, True, None)
        assert shop.paths() == [f"{CANCEL}/{request.ref}/approve"]
        assert present(shop, request.order_ref).status is OrderStatus.CANCELLED
        shop.connector.decide_cancellation(request, True, None)


def test_a_request_is_refused_for_a_reason_that_tiktok_offers() -> None:
    """T-113: two calls; the usual reason is that it is packed."""
    with shop_in("US") as shop:
        request = _requested(shop)
        shop.connector.decide_cancellation(request, False, None)
        reject = shop.calls[-1]
        assert json.loads(reject.content) == {"reject_reason": "seller_reject_apply_product_has_been_packed"}
        assert shop.paths() == [REASONS, f"{CANCEL}/{request.ref}/reject"]
        (found,) = _pull(shop)
        assert found.state is CancellationState.WITHDRAWN
        assert not present(shop, request.order_ref).cancel_requested


def test_a_reason_may_be_told_by_its_words_and_a_wrong_one_names_the_right_ones() -> None:
    """T-113."""
    with shop_in("US") as shop:
        request = _requested(shop)
        with pytest.raises(RejectedError, match=r"reason-refused.*seller_reject_apply_product_has_been_packed"):
            shop.connector.decide_cancellation(request, False, "because")
        shop.connector.decide_cancellation(request, False, "the product HAS been packed")


def test_a_request_that_was_decided_the_other_way_is_refused() -> None:
    """T-116: the state that is read decides, not the code."""
    with shop_in("US") as shop:
        request = _requested(shop)
        shop.connector.decide_cancellation(request, True, None)
        with pytest.raises(RejectedError):
            shop.connector.decide_cancellation(request, False, None)


@pytest.mark.parametrize(("region", "reason"), [
    ("US", "out_of_stock"),
    ("US", "seller_cancel_unpaid_reason_out_of_stock"),
    ("US", "seller_cancel_paid_reason_buyer_requested_cancellation"),
    ("GB", "wrong_price"),
    ("GB", "seller_cancel_reason_out_of_stock_uk"),
    ("DE", "out of stock"),
])  # fmt: skip
def test_a_seller_cancels_for_a_reason_that_fits_status_and_region(region: str, reason: str) -> None:
    """T-114: by its meaning, in whatever form the route file has it."""
    with shop_in(region) as shop:
        order = waiting(shop)
        shop.connector.cancel_order(order.ref, reason)
        assert shop.paths() == [DETAIL, CANCEL]
        assert present(shop, order.ref).status is OrderStatus.CANCELLED
        shop.connector.cancel_order(order.ref, reason)
        assert shop.paths() == [DETAIL]


@pytest.mark.parametrize("reason", [None, "no_such_reason", "buyer_hasnt_paid_within_time_allowed"])
def test_a_reason_that_does_not_fit_names_those_that_do(reason: str | None) -> None:
    """T-114, T-116."""
    with shop_in("US") as shop:
        order = waiting(shop)
        with pytest.raises(RejectedError, match=r"reason-refused.*seller_cancel_reason_out_of_stock"):
            shop.connector.cancel_order(order.ref, reason)
        assert shop.paths() == [DETAIL]


def test_an_order_of_which_parts_left_is_not_cancelled() -> None:
    with shop_in("US") as shop:
        order = waiting(shop)
        push(shop, order, own(shop, order, [0]))
        shop.paths()
        with pytest.raises(RejectedError, match="order-packed"):
            shop.connector.cancel_order(order.ref, "out_of_stock")
        assert shop.paths() == [DETAIL]


def test_reasons_depend_on_payment() -> None:
    """T-114."""
    unpaid, paid = valid_reasons(OrderStatus.UNPAID, "US"), valid_reasons(OrderStatus.OPEN, "US")
    assert not set(unpaid) & set(paid)
    assert candidates("out_of_stock", OrderStatus.UNPAID, "US") == ["seller_cancel_unpaid_reason_out_of_stock"]
    assert candidates("out_of_stock", OrderStatus.OPEN, "GB") == [
        "seller_cancel_reason_out_of_stock_uk",
        "seller_cancel_reason_out_of_stock",
    ]
    assert candidates("own_word", OrderStatus.OPEN, "TH") == ["own_word"]


def _returns(shop: Shop) -> list[Return]:
    return [each for page in shop.connector.pull_returns(None, LONG_AGO) for each in page.items]


def test_a_return_arrives_when_it_is_complete_and_something_was_sent() -> None:
    """T-115."""
    with shop_in("US") as shop:
        order = waiting(shop)
        shop.act(order.ref, "deliver")
        made = shop.control(
            "returns", {"order_id": order.ref, "type": "RETURN_AND_REFUND", "line_ids": [order.lines[0].ref]}
        )
        shop.calls.clear()
        (begun,) = _returns(shop)
        assert shop.paths() == [RETURNS]
        assert (begun.order_ref, begun.received, begun.closed) == (order.ref, False, False)
        assert [line.line_ref for line in begun.lines] == [order.lines[0].ref]
        one = f"returns/{made['return_id']}"
        shop.control(one, {"action": "set", "status": "AWAITING_BUYER_SHIP"})
        shop.control(one, {"action": "ship_back", "tracking_number": "RET1"})
        shop.control(one, {"action": "set", "status": "RETURN_OR_REFUND_REQUEST_COMPLETE"})
        (done,) = _returns(shop)
        assert (done.received, done.closed, done.tracking_number) == (True, True, "RET1")


@pytest.mark.parametrize("parts", [
    {"return_type": "REFUND", "return_tracking_number": "R1"},
    {"return_tracking_number": ""},
    {"return_status": "BUYER_SHIPPED_ITEM", "return_tracking_number": "R1"},
])  # fmt: skip
def test_goods_that_did_not_come_back_are_not_received(parts: dict[str, str]) -> None:
    """T-115: else stock would be booked that nobody has."""
    item = {
        "return_id": "403", "order_id": "576", "return_type": "RETURN_AND_REFUND",
        "return_status": "RETURN_OR_REFUND_REQUEST_COMPLETE",
        "return_line_items": [{"order_line_item_id": "577"}], **parts,
    }  # fmt: skip
    found = goods_return(item, ("RETURN_OR_REFUND_REQUEST_COMPLETE",), FIXED_NOW)
    assert found is not None
    assert not found.received
    assert found.updated_at == FIXED_NOW


def test_a_return_that_cannot_be_read_is_left_out() -> None:
    assert goods_return({"return_id": "403", "order_id": "576"}, (), FIXED_NOW + timedelta(1)) is None


def _untimed(status: dict[str, str]) -> Bench:
    """A shop whose cancellations and returns tell exactly the fields that the vendor's page lists (sheet 10)."""
    lines = [{"order_line_item_id": "11", "sku_id": "1", "seller_sku": "A"}]
    request = {"cancel_id": "403", "order_id": "576", "cancel_type": "BUYER_CANCEL", "cancel_line_items": lines}
    sent = {"return_id": "404", "order_id": "576", "return_type": "RETURN_AND_REFUND", "return_line_items": lines}

    def answer(call: httpx.Request) -> httpx.Response:
        data = {
            "shops": [{"id": SHOP, "region": "US", "cipher": "c"}],
            "cancellations": [request | {"cancel_status": status["cancel"]}],
            "return_orders": [sent | {"return_status": status["return"]}],
        }
        return httpx.Response(200, json={"code": 0, "data": data})

    return told(answer)


def test_records_that_tell_no_time_are_no_news_twice_and_news_again_with_another_status() -> None:
    """T-122, sheet 10: the list of fields names no update_time; else every poll would read their orders again."""
    status = {"cancel": "CANCELLATION_REQUEST_PENDING", "return": "AWAITING_BUYER_SHIP"}
    bench = _untimed(status)

    def pulled() -> list[Any]:
        pulls = (bench.connector.pull_cancellations, bench.connector.pull_returns)
        return [each for pull in pulls for page in pull(None, LONG_AGO) for each in page.items]

    first = pulled()
    bench.clock.time += timedelta(hours=1)
    assert pulled() == first
    status |= {"cancel": "CANCELLATION_REQUEST_COMPLETE", "return": "BUYER_SHIPPED_ITEM"}
    assert [each.updated_at for each in pulled()] == [FIXED_NOW + timedelta(hours=1)] * 2


@pytest.mark.parametrize(
    "reasons",
    [
        {"reasons": [{"name": "seller_reject_b", "text": "Too late"}]},
        {"reject_reasons": [{"reject_reason": "seller_reject_b", "reject_reason_text": "Too late"}]},
    ],
)
def test_a_refusal_names_an_offered_reason_and_sends_nothing_that_nobody_lists(reasons: dict[str, Any]) -> None:
    """T-113, sheet 10: the answer's shape is told by clients only; a rejection's query is not said to hold a key."""

    def answer(call: httpx.Request) -> httpx.Response:
        data = {"shops": [{"id": SHOP, "region": "US", "cipher": "c"}], **reasons}
        return httpx.Response(200, json={"code": 0, "data": data})

    bench = told(answer)
    asked = Cancellation(ref="403", order_ref="576", state=CancellationState.REQUESTED, updated_at=FIXED_NOW)
    bench.connector.decide_cancellation(asked, False, "too late")
    rejection = bench.calls[-1]
    assert json.loads(rejection.content) == {"reject_reason": "seller_reject_b"}
    assert set(rejection.url.params) == {"app_key", "timestamp", "sign", "shop_cipher"}
