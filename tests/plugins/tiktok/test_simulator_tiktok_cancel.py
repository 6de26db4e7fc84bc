"""Cancellations: by the seller, asked for by the buyer, decided or run out (fact sheet 5.3, 5.5, 10)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.tiktok.tiktok_caller import Caller, calling

START = 1768460000
BASE = "/return_refund/202309"
OUT, PRICE = "seller_cancel_reason_out_of_stock", "seller_cancel_unpaid_reason_wrong_price"


@pytest.fixture
def caller() -> Iterator[Caller]:
    with calling(token_life_s="9999999") as running:
        running.control("clock", {"now": START, "rate": 0})
        running.token = running.refresh(running.control("settings")["refresh_token"])["data"]["access_token"]
        yield running


def waiting(caller: Caller, **spec: Any) -> str:
    base = {"status": "AWAITING_SHIPMENT", "paid_time": START - 7200, "lines": [{"sku": "A", "quantity": 3}]}
    return caller.seed(base | spec)[0]


def cancel(caller: Caller, order_id: str, reason: str = OUT, **more: Any) -> dict[str, Any]:
    body = {"order_id": order_id, "cancel_reason": reason, **more}
    return dict(caller.call("POST", f"{BASE}/cancellations", None, body).json())


def found(caller: Caller, query: dict[str, str] | None = None, **filters: Any) -> list[dict[str, Any]]:
    path = f"{BASE}/cancellations/search"
    return list(caller.data("POST", path, {"page_size": "50"} | (query or {}), filters or None)["cancellations"])


def test_the_seller_cancels_a_whole_order(caller: Caller) -> None:
    order_id = waiting(caller)
    answer = cancel(caller, order_id)
    order = caller.order(order_id)
    assert (order["status"], order["cancellation_initiator"]) == ("CANCELLED", "SELLER")
    assert order["cancel_reason"] == "Out of stock"
    (record,) = found(caller, order_ids=[order_id])
    assert record["cancel_id"] == answer["data"]["cancel_id"]
    assert (record["cancel_type"], record["role"], record["cancel_reason"]) == ("CANCEL", "SELLER", OUT)
    assert (record["cancel_status"], len(record["cancel_line_items"])) == ("CANCELLATION_REQUEST_SUCCESS", 3)
    assert record["refund_amount"]["refund_total"] == order["payment"]["total_amount"]
    caller.advance(60)
    assert found(caller)[0]["cancel_status"] == "CANCELLATION_REQUEST_COMPLETE"
    assert cancel(caller, order_id)["code"] == 25001051


@pytest.mark.parametrize(("market", "code"), [("US", 0), ("GB", 0), ("VN", 25005010), ("DE", 25005010)])
def test_items_are_cancelled_alone_in_the_us_and_the_uk_only(caller: Caller, market: str, code: int) -> None:
    """§10"""
    order_id = waiting(caller, market=market)
    lines = [line["id"] for line in caller.order(order_id)["line_items"]]
    reason = OUT + ("_uk" if market == "GB" else "")
    assert cancel(caller, order_id, reason, order_line_item_ids=lines[:1])["code"] == code
    left = [line["display_status"] for line in caller.order(order_id)["line_items"]].count("AWAITING_SHIPMENT")
    assert left == (3 if code else 2)


def test_items_are_named_by_sku_and_quantity_as_well(caller: Caller) -> None:
    order_id = waiting(caller)
    sku_id = caller.order(order_id)["line_items"][0]["sku_id"]
    assert cancel(caller, order_id, skus=[{"sku_id": sku_id, "quantity": 4}])["code"] == 25005011
    assert cancel(caller, order_id, skus=[{"sku_id": sku_id, "quantity": 2}])["code"] == 0
    assert caller.order(order_id)["status"] == "AWAITING_SHIPMENT"
    assert cancel(caller, order_id, skus=[{"sku_id": sku_id, "quantity": 1}])["code"] == 0
    assert caller.order(order_id)["status"] == "CANCELLED"


def test_a_reason_belongs_to_a_status(caller: Caller) -> None:
    """§10: 25001021 for a reason of another status, 25001014 for one nobody knows."""
    paid, unpaid = waiting(caller), waiting(caller, status="UNPAID", paid_time=None)
    assert cancel(caller, paid, PRICE)["code"] == 25001021
    assert cancel(caller, unpaid, OUT)["code"] == 25001021
    assert cancel(caller, paid, "because")["code"] == 25001014
    assert cancel(caller, unpaid, PRICE)["code"] == 0


@pytest.mark.parametrize(("market", "code"), [("US", 0), ("GB", 25001045)])
def test_what_awaits_collection_is_cancelled_by_the_seller_in_the_us_only(
    caller: Caller, market: str, code: int
) -> None:
    """§5.3"""
    order_id = waiting(caller, market=market, status="AWAITING_COLLECTION")
    assert cancel(caller, order_id, OUT + ("_uk" if market == "GB" else ""))["code"] == code
    moving = waiting(caller, status="IN_TRANSIT")
    assert cancel(caller, moving)["code"] == 25001045


def test_orders_of_others_and_of_tiktok_are_not_cancelled(caller: Caller) -> None:
    assert cancel(caller, "576999999999999999")["code"] == 25007006
    assert cancel(caller, waiting(caller, kind="fbt"))["code"] == 25011026
    assert cancel(caller, waiting(caller), note="x")["code"] == 36009004


@pytest.mark.parametrize(("switch", "left"), [("no", 10), ("yes", 0)])
def test_out_of_stock_may_empty_the_sku(caller: Caller, switch: str, left: int) -> None:
    """§10, §16: UNCERTAIN"""
    caller.options(out_of_stock_empties=switch)
    caller.control("seed", {"products": [{"sku": "A", "stock": 10}]})
    cancel(caller, waiting(caller))
    (stock,) = caller.control("state")["stock"].values()
    assert [one["available"] for one in stock["warehouses"].values()] == [left]


def test_within_the_hour_a_buyer_cancels_and_after_it_asks(caller: Caller) -> None:
    """§5.5: also where the order is not on hold."""
    (early,) = caller.seed({"on_hold": False})
    assert caller.act(early, "buyer_cancel")["cancelled"] is True
    late = waiting(caller)
    answer = caller.act(late, "buyer_cancel")
    assert answer["cancelled"] is False
    order = caller.order(late)
    assert (order["status"], order["is_buyer_request_cancel"]) == ("AWAITING_SHIPMENT", True)
    (record,) = found(caller, cancel_status=["CANCELLATION_REQUEST_PENDING"])
    assert (record["cancel_id"], record["cancel_type"]) == (answer["cancel_id"], "BUYER_CANCEL")
    action = {"action": "SELLER_RESPOND_CANCEL", "deadline": START + 172_800}
    assert record["seller_next_action_response"] == [action]


def test_a_request_is_approved_once_and_the_same_key_again_is_fine(caller: Caller) -> None:
    """§10"""
    order_id = waiting(caller)
    cancel_id = caller.act(order_id, "request_cancel", sku="A", quantity=1)["cancel_id"]
    path = f"{BASE}/cancellations/{cancel_id}/approve"
    assert caller.code("POST", path, {"idempotency_key": "k1"}) == 0
    assert caller.code("POST", path, {"idempotency_key": "k1"}) == 0
    assert caller.code("POST", path, {"idempotency_key": "k2"}) == 25020010
    order = caller.order(order_id)
    assert (order["status"], order["is_buyer_request_cancel"]) == ("AWAITING_SHIPMENT", False)
    assert [line["display_status"] for line in order["line_items"]].count("CANCELLED") == 1
    writes = [call["wrote"] for call in caller.control("journal")["calls"] if call["path"] == path]
    assert writes == [True, False, False]


def test_a_request_is_rejected_for_an_offered_reason(caller: Caller) -> None:
    """§10"""
    order_id = waiting(caller)
    cancel_id = caller.act(order_id, "request_cancel")["cancel_id"]
    reasons = caller.data("GET", f"{BASE}/reject_reasons", {"return_or_cancel_id": cancel_id})["reasons"]
    path = f"{BASE}/cancellations/{cancel_id}/reject"
    assert caller.code("POST", path, None, {"reject_reason": "no"}) == 25001014
    assert caller.code("POST", path, None, {"reject_reason": reasons[0]["name"]}) == 0
    assert caller.code("POST", path, None, {"reject_reason": reasons[0]["name"]}) == 25020009
    assert caller.order(order_id)["is_buyer_request_cancel"] is False
    for status in ("CANCELLATION_REQUEST_CANCEL", "CANCELLATION_REQUEST_CANCELLED"):
        assert [one["cancel_id"] for one in found(caller, cancel_status=[status])] == [cancel_id]
    assert caller.code("POST", f"{BASE}/cancellations/1/approve") == 25020003


def test_a_request_nobody_answers_is_granted_at_its_deadline(caller: Caller) -> None:
    """§5.5"""
    order_id = waiting(caller)
    caller.act(order_id, "request_cancel", sku="A", quantity=2)
    caller.advance(172_799)
    assert caller.order(order_id)["is_buyer_request_cancel"] is True
    caller.advance(1)
    order = caller.order(order_id)
    assert [line["display_status"] for line in order["line_items"]].count("CANCELLED") == 2


def test_cancellations_come_oldest_first_in_pages(caller: Caller) -> None:
    """§10: ASC is the default here."""
    made = []
    for _ in range(3):
        caller.advance(1)
        made.append(cancel(caller, waiting(caller))["data"]["cancel_id"])
    assert [one["cancel_id"] for one in found(caller)] == made
    assert [one["cancel_id"] for one in found(caller, {"sort_order": "DESC"})] == made[::-1]
    page = caller.data("POST", f"{BASE}/cancellations/search", {"page_size": "2"})
    query = {"page_size": "2", "page_token": page["next_page_token"]}
    rest = caller.data("POST", f"{BASE}/cancellations/search", query)["cancellations"]
    assert [one["cancel_id"] for one in rest] == made[2:]
    assert [one["cancel_id"] for one in found(caller, update_time_ge=START + 3)] == made[2:]
    assert caller.code("POST", f"{BASE}/cancellations/search", {"page_size": "51"}) == 36009004
