"""Mark Package As Shipped, by the seller's own carrier (fact sheet 6.1, 6.2, 15)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.plugins.tiktok.tiktok_caller import Caller, calling

UPS = "7117859084333745966"
DHL_UK = "6639580521074524161"
NUMBER = "1Z999AA10123456784"


@pytest.fixture
def caller() -> Iterator[Caller]:
    with calling() as running:
        yield running


def waiting(caller: Caller, **spec: Any) -> str:
    """An order that waits for shipment, of two units unless told otherwise."""
    lines = [{"sku": "A", "quantity": 2}]
    return caller.seed({"status": "AWAITING_SHIPMENT", "lines": lines} | spec)[0]


def mark(caller: Caller, order_id: str, number: str = NUMBER, provider: str = UPS, **more: Any) -> dict[str, Any]:
    path = f"/fulfillment/202309/orders/{order_id}/packages"
    body = {"tracking_number": number, "shipping_provider_id": provider} | more
    return dict(caller.call("POST", path, None, body).json())


def code(caller: Caller, order_id: str, *values: str, **more: Any) -> int:
    return int(mark(caller, order_id, *values, **more)["code"])


def lines(caller: Caller, order_id: str) -> list[str]:
    return [line["id"] for line in caller.order(order_id)["line_items"]]


def test_an_order_marked_as_shipped_awaits_collection_with_number_provider_and_package(caller: Caller) -> None:
    """§6.2, §6.7: without named items, all unshipped ones go."""
    order_id = waiting(caller)
    assert caller.order(order_id)["packages"] == []
    answer = mark(caller, order_id)
    order = caller.order(order_id)
    assert answer["data"] == {
        "order_id": order_id,
        "order_line_item_ids": lines(caller, order_id),
        "package_id": order["packages"][0]["id"],
    }
    assert (order["status"], order["tracking_number"], order["shipping_provider"]) == (
        "AWAITING_COLLECTION",
        NUMBER,
        "UPS",
    )
    line = order["line_items"][0]
    assert (line["package_status"], line["tracking_number"]) == ("PROCESSING", NUMBER)
    assert (line["shipping_provider_id"], line["shipping_provider_name"]) == (UPS, "UPS")
    assert caller.control("journal")["calls"][-1]["wrote"] is False
    calls = [call for call in caller.control("journal")["calls"] if call["path"].endswith("/packages")]
    assert [call["wrote"] for call in calls] == [True]


def test_two_packages_take_two_calls_and_the_order_is_partly_shipped_between_them(caller: Caller) -> None:
    """§6.2, §5.3"""
    order_id = waiting(caller)
    first, second = lines(caller, order_id)
    assert code(caller, order_id, "T1", order_line_item_ids=[first]) == 0
    assert caller.order(order_id)["status"] == "PARTIALLY_SHIPPING"
    assert code(caller, order_id, "T2", order_line_item_ids=[first, second]) == 21011020
    assert code(caller, order_id, "T2", order_line_item_ids=[second]) == 0
    order = caller.order(order_id)
    assert (order["status"], len(order["packages"])) == ("AWAITING_COLLECTION", 2)
    assert order["split_or_combine_tag"] == "SPLIT"


@pytest.mark.parametrize(
    ("status", "expected"),
    [("UNPAID", 21042057), ("ON_HOLD", 21011044), ("CANCELLED", 21011041), ("AWAITING_COLLECTION", 21011006),
     ("IN_TRANSIT", 21011006), ("DELIVERED", 21011027)],
)  # fmt: skip
def test_only_an_order_that_waits_can_be_shipped(caller: Caller, status: str, expected: int) -> None:
    """§4.2, §6.2"""
    assert code(caller, waiting(caller, status=status)) == expected


@pytest.mark.parametrize("switch", ["21011020", "21042056", "21008099", "21011025"])
def test_a_repeat_says_in_one_of_several_ways_that_it_is_done(caller: Caller, switch: str) -> None:
    """§6.2: sources name several codes."""
    caller.options(already_shipped_code=switch)
    order_id = waiting(caller)
    assert [code(caller, order_id), code(caller, order_id)] == [0, int(switch)]


def test_an_open_cancellation_request_stops_its_items_alone(caller: Caller) -> None:
    """§4.2 21011007"""
    order_id = waiting(caller)
    asked, free = lines(caller, order_id)
    caller.act(order_id, "request_cancel", line_ids=[asked])
    assert code(caller, order_id) == 21011007
    assert code(caller, order_id, order_line_item_ids=[free]) == 0
    caller.act(order_id, "decide_cancel", accept=False)
    assert code(caller, order_id, "T2", order_line_item_ids=[asked]) == 0


@pytest.mark.parametrize(
    ("number", "provider", "expected"),
    [("1Z-999", UPS, 21004012), ("", UPS, 36009004), (NUMBER, "1", 21011022), (NUMBER, DHL_UK, 21011022)],
)
def test_numbers_and_providers_are_checked(caller: Caller, number: str, provider: str, expected: int) -> None:
    """§4.2, §7: a provider must be on the list of the order's delivery option."""
    assert code(caller, waiting(caller), number, provider) == expected


def test_a_delivery_option_of_the_sellers_own_takes_more_carriers(caller: Caller) -> None:
    """§7"""
    option = "7091146663229654786"
    listed = caller.data("GET", f"/logistics/202309/delivery_options/{option}/shipping_providers")
    own = next(one["id"] for one in listed["shipping_providers"] if one["name"] == "Simulated Courier")
    assert code(caller, waiting(caller), NUMBER, own) == 21011022
    assert code(caller, waiting(caller, delivery_option_id=option), NUMBER, own) == 0


def test_a_number_serves_twenty_orders_of_one_recipient_and_no_other(caller: Caller) -> None:
    """§6.2, §15"""
    same = caller.seed({"status": "AWAITING_SHIPMENT", "buyer": 7, "count": 21})
    assert [code(caller, order_id) for order_id in same] == [0] * 20 + [21034012]
    assert code(caller, waiting(caller, buyer=8)) == 21011025
    caller.options(shared_numbers="any_recipient")
    stranger = waiting(caller, buyer=8)
    assert [code(caller, stranger, "T9"), code(caller, waiting(caller, buyer=9), "T9")] == [0, 0]


def test_one_number_is_on_one_package_of_an_order(caller: Caller) -> None:
    """§4.2 21011025"""
    order_id = waiting(caller)
    first, second = lines(caller, order_id)
    assert code(caller, order_id, order_line_item_ids=[first]) == 0
    assert code(caller, order_id, order_line_item_ids=[second]) == 21011025


@pytest.mark.parametrize(
    ("switch", "whole", "rest"), [("when_clear", 0, 21011048), ("all", 0, 0), ("never", 21011048, 0)]
)
def test_without_named_items_nothing_is_guessed(caller: Caller, switch: str, whole: int, rest: int) -> None:
    """§6.2: left out means all unshipped items, unless several packages are possible (21011048)."""
    caller.options(unnamed_items=switch)
    assert code(caller, waiting(caller), "W1") == whole
    parted = waiting(caller)
    assert code(caller, parted, "P1", order_line_item_ids=lines(caller, parted)[:1]) == 0
    assert code(caller, parted, "P2") == (rest if switch != "never" else 21011048)


def test_named_items_must_be_the_orders_own_and_alive(caller: Caller) -> None:
    """§4.2"""
    order_id, other = waiting(caller), waiting(caller)
    assert code(caller, order_id, order_line_item_ids=lines(caller, other)) == 21011029
    assert code(caller, order_id, order_line_item_ids=lines(caller, order_id)[:1] * 2) == 21011005
    assert code(caller, order_id, order_line_item_ids=[]) == 21011005
    caller.act(order_id, "cancel_line", line_ids=lines(caller, order_id)[:1])
    assert code(caller, order_id, order_line_item_ids=lines(caller, order_id)[:1]) == 21011041
    assert code(caller, order_id) == 0


def test_bodies_and_queries_hold_known_names_of_the_right_type_only(caller: Caller) -> None:
    order_id = waiting(caller)
    for wrong in ({"carrier": "x"}, {"order_line_item_ids": "1"}, {"order_line_item_ids": [1]}, {"tracking_number": 5}):
        assert code(caller, order_id, **wrong) == 36009004
    path = f"/fulfillment/202309/orders/{order_id}/packages"
    assert caller.code("POST", path, None, {"tracking_number": "T1"}) == 36009004
    assert (
        caller.code("POST", path, {"order_id": "1"}, {"tracking_number": "T1", "shipping_provider_id": UPS}) == 36009004
    )
    assert caller.order(order_id)["status"] == "AWAITING_SHIPMENT"


def test_orders_of_others_of_tiktok_and_of_other_markets_are_refused(caller: Caller) -> None:
    """§6.1, §4.2"""
    assert code(caller, "576999999999999999") == 21008111
    assert code(caller, waiting(caller, kind="fbt")) == 21008025
    assert code(caller, waiting(caller, shipping_type="TIKTOK")) == 21011004
    assert code(caller, waiting(caller, market="VN")) == 21008106
    assert code(caller, waiting(caller, market="GB"), "GB1", DHL_UK) == 0


@pytest.mark.parametrize(
    ("switch", "expected", "warns"), [("loose", 0, False), ("warn", 0, True), ("strict", 21004015, False)]
)
def test_a_number_of_another_carrier_is_taken_warned_of_or_refused(
    caller: Caller, switch: str, expected: int, warns: bool
) -> None:
    """§6.2, §4.2 21004015"""
    caller.options(number_format=switch)
    answer = mark(caller, waiting(caller), NUMBER, "7117858858072016686")
    assert answer["code"] == expected
    assert ("warning" in (answer["data"] or {})) is warns


def test_a_missing_scope_stops_shipping(caller: Caller) -> None:
    """§2.6"""
    order_id = waiting(caller)
    caller.options(granted_scopes="seller.order.info")
    standing = caller.control("settings")["refresh_token"]
    caller.token = caller.refresh(standing)["data"]["access_token"]
    assert code(caller, order_id) == 105005


@pytest.mark.parametrize(
    ("kind", "shipped"), [("lost_reply", True), ("cut_body", True), ("drop", False), ("503", False)]
)
def test_a_broken_answer_leaves_the_parcel_shipped_or_not(caller: Caller, kind: str, shipped: bool) -> None:
    order_id = waiting(caller)
    caller.faults({"kind": kind, "match": "/packages$", "times": 1})
    with contextlib.suppress(httpx.RemoteProtocolError, ValueError):
        mark(caller, order_id)
    assert caller.control("journal")["calls"][-1]["wrote"] is shipped
    assert caller.order(order_id)["status"] == ("AWAITING_COLLECTION" if shipped else "AWAITING_SHIPMENT")
    assert code(caller, order_id) == (21011006 if shipped else 0)


def test_the_carrier_scans_and_delivers_by_the_clock(caller: Caller) -> None:
    """§5.3, §15"""
    caller.options(scan_after_s="3600", deliver_after_s="7200", complete_after_s="600")
    order_id = waiting(caller)
    mark(caller, order_id)
    seen = []
    for seconds in (3500, 200, 7200, 600):
        caller.advance(seconds)
        seen.append(caller.order(order_id)["status"])
    assert seen == ["AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED", "COMPLETED"]


def test_a_parcel_nobody_ever_scans_is_cancelled_after_a_time(caller: Caller) -> None:
    """§6.2"""
    caller.options(unscanned_cancel_s="3600")
    order_id = waiting(caller)
    mark(caller, order_id)
    caller.advance(3601)
    order = caller.order(order_id)
    assert (order["status"], order["cancellation_initiator"]) == ("CANCELLED", "SYSTEM")
