"""Returns, refunds and replacements after shipping (fact sheet 10)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.tiktok.tiktok_caller import Caller, calling

START = 1768460000
BASE = "/return_refund/202309/returns"


@pytest.fixture
def caller() -> Iterator[Caller]:
    with calling(token_life_s="9999999") as running:
        running.control("clock", {"now": START, "rate": 0})
        running.token = running.refresh(running.control("settings")["refresh_token"])["data"]["access_token"]
        yield running


def ask(caller: Caller, kind: str = "RETURN_AND_REFUND", quantity: int = 1) -> tuple[str, str]:
    """A delivered order of two pieces and a return of some; answers both ids."""
    (order_id,) = caller.seed({"status": "DELIVERED", "lines": [{"sku": "A", "quantity": 2, "price": "10"}]})
    made = caller.control("returns", {"order_id": order_id, "type": kind, "sku": "A", "quantity": quantity})
    return order_id, made["return_id"]


def shown(caller: Caller, return_id: str) -> dict[str, Any]:
    (record,) = caller.data("POST", f"{BASE}/search", None, {"return_ids": [return_id]})["return_orders"]
    return dict(record)


def decide(caller: Caller, return_id: str, decision: str, key: str = "", **more: Any) -> int:
    verb = "reject" if decision.startswith("REJECT") else "approve"
    query = {"idempotency_key": key} if key else None
    return caller.code("POST", f"{BASE}/{return_id}/{verb}", query, {"decision": decision, **more})


def test_a_return_goes_from_request_over_the_parcel_to_the_refund(caller: Caller) -> None:
    order_id, return_id = ask(caller)
    record = shown(caller, return_id)
    assert (record["order_id"], record["return_type"]) == (order_id, "RETURN_AND_REFUND")
    assert record["refund_amount"]["refund_subtotal"] == "10.00"
    seen = [(record["return_status"], record["seller_next_action_response"][0]["action"])]
    assert decide(caller, return_id, "APPROVE_REFUND") == 25011012
    assert decide(caller, return_id, "APPROVE_RETURN", "k") == 0
    assert decide(caller, return_id, "APPROVE_RETURN", "k") == 0
    assert decide(caller, return_id, "APPROVE_RETURN", "other") == 25011011
    caller.control(f"returns/{return_id}", {"action": "ship_back", "tracking_number": "BACK1"})
    record = shown(caller, return_id)
    assert record["return_tracking_number"] == "BACK1"
    seen.append((record["return_status"], record["seller_next_action_response"][0]["action"]))
    assert decide(caller, return_id, "APPROVE_RECEIVED_PACKAGE") == 0
    assert shown(caller, return_id)["return_status"] == "RETURN_OR_REFUND_REQUEST_SUCCESS"
    caller.advance(60)
    assert shown(caller, return_id)["return_status"] == "RETURN_OR_REFUND_REQUEST_COMPLETE"
    assert seen == [
        ("RETURN_OR_REFUND_REQUEST_PENDING", "SELLER_RESPOND_RETURN"),
        ("BUYER_SHIPPED_ITEM", "SELLER_RESPOND_RECEIVE_PACKAGE"),
    ]
    assert caller.order(order_id)["status"] == "DELIVERED"


def test_an_order_refunded_in_full_is_completed(caller: Caller) -> None:
    """§5.3"""
    order_id, return_id = ask(caller, "REFUND", 2)
    assert decide(caller, return_id, "APPROVE_REFUND") == 0
    assert caller.order(order_id)["status"] == "COMPLETED"


@pytest.mark.parametrize(
    ("kind", "decision", "status"),
    [
        ("REFUND", "REJECT_REFUND", "REFUND_OR_RETURN_REQUEST_REJECT"),
        ("RETURN_AND_REFUND", "REJECT_RETURN", "REFUND_OR_RETURN_REQUEST_REJECT"),
        ("REPLACEMENT", "REJECT_REPLACEMENT", "REPLACEMENT_REQUEST_REJECT"),
    ],
)
def test_a_seller_rejects_for_an_offered_reason(caller: Caller, kind: str, decision: str, status: str) -> None:
    _, return_id = ask(caller, kind)
    query = {"return_or_cancel_id": return_id}
    reasons = caller.data("GET", "/return_refund/202309/reject_reasons", query)["reasons"]
    assert decide(caller, return_id, decision, reject_reason="no") == 25001014
    assert decide(caller, return_id, decision) == 36009004
    assert decide(caller, return_id, decision, reject_reason=reasons[0]["name"]) == 0
    assert shown(caller, return_id)["return_status"] == status


def test_a_replacement_is_a_new_order_without_money(caller: Caller) -> None:
    order_id, return_id = ask(caller, "REPLACEMENT")
    assert decide(caller, return_id, "APPROVE_REPLACEMENT") == 0
    new = next(order for page in caller.pages() for order in page["orders"] if order["is_replacement_order"])
    assert (new["replaced_order_id"], new["payment"]["total_amount"]) == (order_id, "0")


def test_a_partial_refund_is_offered_and_taken(caller: Caller) -> None:
    _, return_id = ask(caller, "REFUND")
    assert decide(caller, return_id, "OFFER_PARTIAL_REFUND") == 25001001
    offer = {"currency": "USD", "amount": "3.00"}
    assert decide(caller, return_id, "OFFER_PARTIAL_REFUND", partial_refund=offer) == 0
    assert shown(caller, return_id)["return_status"] == "AWAITING_BUYER_RESPONSE"
    caller.control(f"returns/{return_id}", {"action": "accept_offer"})
    assert shown(caller, return_id)["return_status"] == "RETURN_OR_REFUND_REQUEST_SUCCESS"


def test_a_return_nobody_answers_is_granted_at_its_deadline(caller: Caller) -> None:
    _, return_id = ask(caller)
    caller.advance(172_800)
    assert shown(caller, return_id)["return_status"] == "AWAITING_BUYER_SHIP"


@pytest.mark.parametrize(
    "status", ["REJECT_RECEIVE_PACKAGE", "REPLACEMENT_REQUEST_REFUND_SUCCESS", "RETURN_OR_REFUND_REQUEST_COMPLETE"]
)
def test_any_status_can_be_set_by_hand_and_searched_for(caller: Caller, status: str) -> None:
    _, return_id = ask(caller)
    caller.control(f"returns/{return_id}", {"action": "set", "status": status})
    found = caller.data("POST", f"{BASE}/search", None, {"return_status": [status]})["return_orders"]
    assert [one["return_id"] for one in found] == [return_id]


def test_a_buyer_withdraws_and_what_was_not_shipped_cannot_come_back(caller: Caller) -> None:
    _, return_id = ask(caller)
    caller.control(f"returns/{return_id}", {"action": "withdraw"})
    assert shown(caller, return_id)["return_status"] == "RETURN_OR_REFUND_REQUEST_CANCEL"
    (waiting,) = caller.seed({"status": "AWAITING_SHIPMENT"})
    assert caller.http.post("/_sim/returns", json={"order_id": waiting}).status_code == 409


def test_pages_of_returns_hold_at_least_ten(caller: Caller) -> None:
    assert caller.code("POST", f"{BASE}/search", {"page_size": "9"}) == 36009004
    assert caller.data("POST", f"{BASE}/search", {"page_size": "10"})["return_orders"] == []
    assert caller.code("POST", f"{BASE}/1/approve", None, {"decision": "APPROVE_REFUND"}) == 25020003
