"""The life of an order on the simulated clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.tiktok.tiktok_caller import DETAIL, Caller, calling

START = 1768460000


@pytest.fixture
def caller() -> Iterator[Caller]:
    with calling(token_life_s="9999999") as running:
        running.control("clock", {"now": START, "rate": 0})
        running.token = running.refresh(running.control("state")["tokens"][-1]["refresh_token"])["data"]["access_token"]
        yield running


def line_states(order: dict[str, Any]) -> list[str]:
    return [line["display_status"] for line in order["line_items"]]


def test_a_paid_order_is_on_hold_for_exactly_one_hour(caller: Caller) -> None:
    """T-58"""
    (order_id,) = caller.seed({"paid_time": None})
    assert caller.order(order_id)["status"] == "UNPAID"
    caller.advance(100)
    caller.act(order_id, "pay")
    paid = caller.order(order_id)
    assert (paid["status"], paid["paid_time"], paid["update_time"]) == ("ON_HOLD", START + 100, START + 100)
    caller.advance(3599)
    assert caller.order(order_id)["status"] == "ON_HOLD"
    caller.advance(1)
    free = caller.order(order_id)
    assert (free["status"], free["update_time"]) == ("AWAITING_SHIPMENT", START + 3700)


def test_without_the_hold_a_paid_order_waits_for_shipment_at_once(caller: Caller) -> None:
    """T-59"""
    (order_id,) = caller.seed({"on_hold": False})
    order = caller.order(order_id)
    assert (order["status"], order["is_on_hold_order"], order["paid_time"]) == ("AWAITING_SHIPMENT", False, START)


def test_an_unpaid_order_is_cancelled_by_time(caller: Caller) -> None:
    """T-57"""
    (order_id,) = caller.seed({"paid_time": None})
    caller.advance(86400)
    order = caller.order(order_id)
    assert (order["status"], order["cancellation_initiator"]) == ("CANCELLED", "SYSTEM")
    assert order["cancel_time"] == order["update_time"] == START + 86400


def test_a_pre_order_is_held_until_its_release(caller: Caller) -> None:
    """T-60"""
    (order_id,) = caller.seed({"kind": "preorder", "release_s": 200_000})
    caller.advance(199_999)
    assert caller.order(order_id)["status"] == "ON_HOLD"
    caller.advance(1)
    assert caller.order(order_id)["status"] == "AWAITING_SHIPMENT"


def test_everything_due_in_a_jump_happens_in_order_at_its_own_time(caller: Caller) -> None:
    (order_id,) = caller.seed(
        {
            "paid_time": START + 50,
            "lines": [{"sku": "A", "quantity": 2}],
            "plan": [
                {"action": "edit", "after_s": 600, "sku": "A", "quantity": 3},
                {"action": "cancel", "after_s": 1200},
                {"action": "edit", "after_s": 1800, "note": "too late"},
            ],
        }
    )
    caller.advance(10_000)
    order = caller.order(order_id)
    assert (order["status"], order["cancel_time"], len(order["line_items"])) == ("CANCELLED", START + 1200, 3)
    assert order["buyer_message"] == ""


def test_an_order_of_the_future_appears_when_its_time_comes(caller: Caller) -> None:
    caller.seed({"create_time": START + 60})
    assert caller.ids() == []
    caller.advance(61)
    assert len(caller.ids()) == 1


def test_an_edit_in_the_hold_changes_lines_address_and_note(caller: Caller) -> None:
    (order_id,) = caller.seed({"lines": [{"sku": "A", "quantity": 3}, {"sku": "B"}]})
    kept = caller.order(order_id)["line_items"][0]["id"]
    change = {"sku": "A", "quantity": 1, "address": {"address_line1": "7 New Way"}, "note": "please wrap"}
    caller.act(order_id, "edit", **change)
    caller.advance(3600)
    order = caller.order(order_id)
    assert [line["seller_sku"] for line in order["line_items"]] == ["A", "B"]
    assert order["line_items"][0]["id"] == kept
    assert order["recipient_address"]["address_line1"] == "7 New Way"
    assert (order["buyer_message"], order["has_updated_recipient_address"]) == ("please wrap", True)


def test_an_edit_after_the_hold_is_refused(caller: Caller) -> None:
    (order_id,) = caller.seed({"status": "AWAITING_SHIPMENT"})
    answer = caller.http.post(f"/_sim/orders/{order_id}", json={"action": "edit", "note": "x"})
    assert answer.status_code == 409


@pytest.mark.parametrize(("switch", "moves"), [("no", False), ("yes", True)])
def test_edits_and_requests_move_the_update_time_only_under_the_switch(
    caller: Caller, switch: str, moves: bool
) -> None:
    """T-62"""
    caller.options(edits_move_update_time=switch)
    held, waiting = caller.seed({}, {"status": "AWAITING_SHIPMENT"})
    before = caller.order(waiting)["update_time"]
    caller.advance(60)
    caller.act(held, "edit", note="x")
    caller.act(waiting, "request_cancel")
    assert (caller.order(held)["update_time"] == START + 60) is moves
    assert (caller.order(waiting)["update_time"] == START + 60) is moves
    assert moves or caller.order(waiting)["update_time"] == before


def test_the_whole_way_of_a_package_moves_times_and_statuses(caller: Caller) -> None:
    """T-55"""
    (order_id,) = caller.seed({"status": "AWAITING_SHIPMENT", "lines": [{"sku": "A", "quantity": 2}]})
    first, second = (line["id"] for line in caller.order(order_id)["line_items"])
    seen = []
    for action, more in (
        ("ship", {"line_ids": [first], "tracking_number": "T1"}),
        ("ship", {"line_ids": [second], "tracking_number": "T2"}),
        ("collect", {}),
        ("deliver", {}),
        ("complete", {}),
    ):
        caller.advance(1000)
        caller.act(order_id, action, **more)
        order = caller.order(order_id)
        assert order["update_time"] == caller.now()
        seen.append((order["status"], line_states(order)))
    assert seen == [
        ("PARTIALLY_SHIPPING", ["AWAITING_COLLECTION", "AWAITING_SHIPMENT"]),
        ("AWAITING_COLLECTION", ["AWAITING_COLLECTION"] * 2),
        ("IN_TRANSIT", ["IN_TRANSIT"] * 2),
        ("DELIVERED", ["DELIVERED"] * 2),
        ("COMPLETED", ["COMPLETED"] * 2),
    ]
    assert [line["tracking_number"] for line in order["line_items"]] == ["T1", "T2"]
    assert len(order["packages"]) == 2
    assert order["rts_time"] < order["collection_time"] < order["delivery_time"]


def test_a_partly_cancelled_order_keeps_its_status(caller: Caller) -> None:
    """T-55"""
    (order_id,) = caller.seed({"status": "AWAITING_SHIPMENT", "lines": [{"sku": "A", "quantity": 2}, {"sku": "B"}]})
    caller.act(order_id, "cancel_line", sku="A", quantity=1, by="SELLER", reason="Out of stock")
    order = caller.order(order_id)
    assert (order["status"], order["update_time"]) == ("AWAITING_SHIPMENT", START)
    assert line_states(order) == ["CANCELLED", "AWAITING_SHIPMENT", "AWAITING_SHIPMENT"]
    assert order["line_items"][0]["cancel_user"] == "SELLER"
    caller.act(order_id, "cancel_line", sku="A")
    caller.act(order_id, "cancel_line", sku="B")
    assert caller.order(order_id)["status"] == "CANCELLED"


@pytest.mark.parametrize(("switch", "total"), [("kept", "30.00"), ("reduced", "20.00")])
def test_payment_after_a_partial_cancellation_follows_its_switch(caller: Caller, switch: str, total: str) -> None:
    """T-79"""
    caller.options(partial_cancel_payment=switch)
    lines = [{"sku": "A", "price": "10", "quantity": 3}]
    (order_id,) = caller.seed({"status": "AWAITING_SHIPMENT", "tax_rate": "0", "lines": lines})
    caller.act(order_id, "cancel_line", sku="A", quantity=1)
    assert caller.order(order_id)["payment"]["sub_total"] == total


def test_a_request_to_cancel_wins_when_nobody_answers(caller: Caller) -> None:
    """T-61"""
    rejected, ignored = caller.seed({"status": "AWAITING_SHIPMENT"}, {"status": "AWAITING_SHIPMENT"})
    for order_id in (rejected, ignored):
        caller.act(order_id, "request_cancel")
        assert caller.order(order_id)["is_buyer_request_cancel"] is True
    caller.act(rejected, "decide_cancel", accept=False)
    caller.advance(172_800)
    assert caller.order(rejected)["status"] == "AWAITING_SHIPMENT"
    assert caller.order(ignored)["status"] == "CANCELLED"


@pytest.mark.parametrize("shown", ["AWAITING_SHIPMENT", "ON_HOLD"])
def test_a_line_in_the_hold_says_what_the_switch_says(caller: Caller, shown: str) -> None:
    """T-56"""
    caller.options(hold_line_status=shown)
    (order_id,) = caller.seed({})
    assert line_states(caller.order(order_id)) == [shown]


@pytest.mark.parametrize(("market", "packages"), [("US", 0), ("GB", 1), ("JP", 1), ("DE", 1)])
def test_packages_exist_from_payment_on_except_in_the_us(caller: Caller, market: str, packages: int) -> None:
    """T-79"""
    (order_id,) = caller.seed({"market": market, "on_hold": False, "lines": [{"quantity": 2}]})
    order = caller.order(order_id)
    assert len(order["packages"]) == packages
    assert all(("package_id" in line) is bool(packages) for line in order["line_items"])


@pytest.mark.parametrize(
    "status",
    [
        "UNPAID",
        "ON_HOLD",
        "AWAITING_SHIPMENT",
        "PARTIALLY_SHIPPING",
        "AWAITING_COLLECTION",
        "IN_TRANSIT",
        "DELIVERED",
        "COMPLETED",
        "CANCELLED",
    ],
)
def test_an_order_can_be_seeded_in_any_status(caller: Caller, status: str) -> None:
    (order_id,) = caller.seed({"status": status, "lines": [{"sku": "A", "quantity": 2}]})
    order = caller.order(order_id)
    assert order["status"] == status
    assert order["create_time"] <= order["update_time"] <= START


def test_a_status_nobody_knows_and_fields_of_ones_own_can_be_set(caller: Caller) -> None:
    strange, plain = caller.seed({"status": "TELEPORTED"}, {})
    assert caller.order(strange)["status"] == "TELEPORTED"
    fields: dict[str, Any] = {"warehouse_id": None, "payment": {"tax": "9.99"}, "line_items": []}
    caller.act(plain, "set", fields=fields, update_time=START - 5)
    order = caller.data("GET", DETAIL, {"ids": plain})["orders"][0]
    assert "warehouse_id" not in order
    assert (order["payment"]["tax"], order["payment"]["currency"]) == ("9.99", "USD")
    assert order["line_items"] == []


def test_stock_is_held_from_the_placing_and_freed_by_cancellation(caller: Caller) -> None:
    product = {"title": "Mug", "sku": "MUG", "stock": 10}
    placed, gone = caller.seed(
        {"paid_time": None, "lines": [{"sku": "MUG", "quantity": 3}]},
        {"lines": [{"sku": "MUG", "quantity": 2}]},
        products=[product],
    )
    sku_id = caller.order(placed)["line_items"][0]["sku_id"]

    def stock() -> tuple[int, int]:
        answer = caller.data("POST", "/product/202309/inventory/search", None, {"sku_ids": [sku_id]})
        entry = answer["inventory"][0]["skus"][0]["warehouse_inventory"][0]
        return entry["available_quantity"], entry["committed_quantity"]

    assert stock() == (5, 5)
    caller.act(gone, "cancel")
    assert stock() == (7, 3)
    caller.act(placed, "pay")
    caller.act(placed, "edit", sku="MUG", quantity=4)
    assert stock() == (6, 4)
    caller.advance(3600)
    caller.act(placed, "ship")
    assert stock() == (6, 0)
