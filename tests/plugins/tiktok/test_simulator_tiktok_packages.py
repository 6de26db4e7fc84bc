"""Packages that exist before they ship, TikTok's own shipping, and labels (fact sheet 6.1, 6.3 to 6.7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.tiktok.tiktok_caller import Caller, calling

BASE = "/fulfillment/202309"
START = 1768460000
OWN = {"tracking_number": "VN1", "shipping_provider_id": "6599500000000000001"}


@pytest.fixture
def caller() -> Iterator[Caller]:
    with calling(token_life_s="9999999") as running:
        running.control("clock", {"now": START, "rate": 0})
        running.token = running.refresh(running.control("settings")["refresh_token"])["data"]["access_token"]
        yield running


def waiting(caller: Caller, market: str, **spec: Any) -> dict[str, Any]:
    items = [{"sku": "A", "quantity": 2}, {"sku": "B"}]
    (order_id,) = caller.seed({"status": "AWAITING_SHIPMENT", "market": market, "lines": items} | spec)
    return caller.order(order_id)


def ids(order: dict[str, Any]) -> list[str]:
    return [line["id"] for line in order["line_items"]]


def package(order: dict[str, Any]) -> str:
    return str(order["packages"][0]["id"])


def ship(caller: Caller, package_id: str, body: Any = None) -> int:
    return caller.code("POST", f"{BASE}/packages/{package_id}/ship", None, body)


def split(caller: Caller, order: dict[str, Any], *groups: list[str]) -> dict[str, Any]:
    body = {"splittable_groups": [{"id": str(n), "order_line_item_ids": group} for n, group in enumerate(groups)]}
    return dict(caller.call("POST", f"{BASE}/orders/{order['id']}/split", None, body).json())


def test_outside_the_us_a_package_waits_from_payment_on(caller: Caller) -> None:
    """§5.8, §6.7"""
    (order_id,) = caller.seed({"market": "VN"})
    held = caller.order(order_id)
    assert held["status"] == "ON_HOLD"
    detail = caller.data("GET", f"{BASE}/packages/{package(held)}")
    assert (detail["package_status"], detail["orders"][0]["id"]) == ("TO_FULFILL", order_id)
    assert ship(caller, package(held), {"self_shipment": OWN}) == 21011044


def test_seller_shipping_in_south_east_asia_ships_the_package_that_is_there(caller: Caller) -> None:
    """§6.1, §6.3"""
    order = waiting(caller, "VN")
    assert ship(caller, package(order)) == 21011005
    assert ship(caller, package(order), {"self_shipment": OWN | {"tracking_number": "A-1"}}) == 21004012
    assert ship(caller, package(order), {"self_shipment": OWN, "priority": 1}) == 36009004
    assert ship(caller, package(order), {"self_shipment": OWN}) == 0
    shipped = caller.order(order["id"])
    assert (shipped["status"], package(shipped)) == ("AWAITING_COLLECTION", package(order))
    assert ship(caller, package(order), {"self_shipment": OWN}) == 21011006


@pytest.mark.parametrize(("market", "expected"), [("US", 0), ("GB", 21008106), ("MX", 0), ("TH", 0)])
def test_ship_package_is_for_some_markets_only(caller: Caller, market: str, expected: int) -> None:
    """§6.1: elsewhere 21008106; a US order has no package to ship."""
    order = waiting(caller, market)
    if market == "US":
        assert order["packages"] == []
        return
    assert ship(caller, package(order), {"self_shipment": OWN}) == expected


def test_tiktok_shipping_elsewhere_needs_no_number_and_gives_one(caller: Caller) -> None:
    """§6.3: no body ships with the shop's defaults in South-East Asia."""
    order = waiting(caller, "VN", shipping_type="TIKTOK")
    assert ship(caller, package(order), {"self_shipment": OWN}) == 21011004
    assert ship(caller, package(order)) == 0
    assert caller.order(order["id"])["tracking_number"].startswith("TTS")


def test_a_pick_up_needs_a_slot_on_offer(caller: Caller) -> None:
    """§6.3, §6.6: `avaliable` is the field's real name."""
    order = waiting(caller, "GB", shipping_type="TIKTOK")
    slots = caller.data("GET", f"{BASE}/packages/{package(order)}/handover_time_slots")
    free = next(slot for slot in slots["pickup_slots"] if slot["avaliable"])
    assert slots["can_van_collection"] is True
    assert ship(caller, package(order), {"handover_method": "PICKUP"}) == 21011054
    wrong = {"start_time": 1, "end_time": 2}
    assert ship(caller, package(order), {"handover_method": "PICKUP", "pickup_slot": wrong}) == 21011053
    slot = {name: free[name] for name in ("start_time", "end_time")}
    assert ship(caller, package(order), {"handover_method": "PICKUP", "pickup_slot": slot}) == 0
    assert caller.data("GET", f"{BASE}/packages/{package(order)}")["pickup_slot"] == slot


@pytest.mark.parametrize(("switch", "code"), [("10007014", 10007014), ("own", 21011044)])
def test_a_batch_ships_what_it_can_and_lists_the_rest(caller: Caller, switch: str, code: int) -> None:
    """§6.3"""
    caller.options(batch_error_code=switch)
    good = waiting(caller, "VN")
    (held_id,) = caller.seed({"market": "VN"})
    held = caller.order(held_id)
    batch = [
        {"id": package(one), "self_shipment": OWN | {"tracking_number": f"N{n}"}} for n, one in enumerate((good, held))
    ]
    data = caller.data("POST", f"{BASE}/packages/ship", None, {"packages": batch})
    assert [(error["code"], error["detail"]) for error in data["errors"]] == [(code, {"package_id": package(held)})]
    assert "21011044" in data["errors"][0]["message"] or switch == "own"
    assert caller.order(good["id"])["status"] == "AWAITING_COLLECTION"
    assert caller.code("POST", f"{BASE}/packages/ship", None, {"packages": batch * 26}) == 36009004


def test_units_of_one_sku_stay_together_where_the_region_says_so(caller: Caller) -> None:
    """§6.1, §4.2 21011036"""
    order = waiting(caller, "VN")
    first, second, other = ids(order)
    assert split(caller, order, [first], [second, other])["code"] == 21011036
    assert split(caller, order, [first, second])["code"] == 21011005
    answer = split(caller, order, [first, second], [other])
    made = {one["splittable_group_id"]: one["id"] for one in answer["data"]["packages"]}
    now = caller.order(order["id"])
    assert {line["id"]: line["package_id"] for line in now["line_items"]} == {
        first: made["0"], second: made["0"], other: made["1"],
    }  # fmt: skip
    assert caller.code("GET", f"{BASE}/packages/{package(order)}") == 21008111
    assert ship(caller, made["1"], {"self_shipment": OWN}) == 0
    assert caller.order(order["id"])["status"] == "PARTIALLY_SHIPPING"


def test_the_united_kingdom_splits_by_unit_and_the_us_only_when_shipping(caller: Caller) -> None:
    """§6.1"""
    order = waiting(caller, "GB")
    first, second, other = ids(order)
    assert split(caller, order, [first], [second, other])["code"] == 0
    us = waiting(caller, "US")
    assert split(caller, us, ids(us)[:1], ids(us)[1:])["code"] == 21008106


def test_split_attributes_tell_what_can_be_split_and_why_not(caller: Caller) -> None:
    """§6.6"""
    both, same = waiting(caller, "VN"), waiting(caller, "VN", lines=[{"sku": "A", "quantity": 2}])
    query = {"order_ids": f"{both['id']},{same['id']}"}
    found = caller.data("GET", f"{BASE}/orders/split_attributes", query)["split_attributes"]
    assert [one["can_split"] for one in found] == [True, False]
    assert "21011036" in found[1]["reason"]


def buy(caller: Caller, order: dict[str, Any], **more: Any) -> dict[str, Any]:
    return dict(caller.call("POST", f"{BASE}/packages", None, {"order_id": order["id"], **more}).json())


def test_a_label_is_bought_once_and_is_ready_after_some_seconds(caller: Caller) -> None:
    """§6.4, §6.5"""
    order = waiting(caller, "US", shipping_type="TIKTOK")
    answer = buy(caller, order, weight={"value": "500", "unit": "GRAM"})
    package_id = answer["data"]["package_id"]
    assert answer["data"]["shipping_service_info"]["price"] == "5.31"
    assert caller.order(order["id"])["line_items"][0]["tracking_number"].startswith("TTS")
    path, query = f"{BASE}/packages/{package_id}/shipping_documents", {"document_type": "SHIPPING_LABEL"}
    assert caller.code("GET", path, query) == 21042104
    assert buy(caller, order)["code"] == 21030005
    caller.advance(5)
    assert buy(caller, order)["code"] == 21022025
    assert len(caller.control("state")["labels_bought"]) == 1
    document = caller.data("GET", path, query)
    page = caller.http.get(document["doc_url"])
    assert (page.headers["content-type"], page.content[:5]) == ("application/pdf", b"%PDF-")
    assert document["doc_url"].startswith(caller.simulator.url)
    caller.advance(86401)
    assert caller.http.get(document["doc_url"]).status_code == 403
    caller.act(order["id"], "collect")
    assert caller.code("GET", path, query) == 21023046


def test_services_have_prices_and_only_theirs_can_be_bought(caller: Caller) -> None:
    """§6.4"""
    order = waiting(caller, "US", shipping_type="TIKTOK")
    path = f"{BASE}/orders/{order['id']}/shipping_services/query"
    services = caller.data("POST", path, None, {"order_line_item_ids": ids(order)})["shipping_services"]
    assert [one["is_default"] for one in services] == [True, False]
    assert buy(caller, order, shipping_service_id="1")["code"] == 21011037
    assert buy(caller, order, weight={"value": "80", "unit": "POUND"})["code"] == 11021009
    assert buy(caller, waiting(caller, "US"))["code"] == 21008106
    first = buy(caller, order, order_line_item_ids=ids(order)[:1], shipping_service_id=services[1]["id"])
    assert first["code"] == 0
    assert caller.order(order["id"])["status"] == "PARTIALLY_SHIPPING"
    assert buy(caller, order)["code"] == 21011048


def test_packages_are_searched_by_status_and_time_in_pages(caller: Caller) -> None:
    """§6.6"""
    orders = [waiting(caller, "GB") for _ in range(3)]
    path = f"{BASE}/packages/search"
    assert caller.data("POST", path, {"page_size": "50"})["total_count"] == 0
    for order in orders:
        caller.advance(10)
        caller.act(order["id"], "ship", tracking_number=f"G{order['id']}")
    page = caller.data("POST", path, {"page_size": "2", "sort_field": "update_time", "sort_order": "ASC"})
    assert [one["orders"][0]["id"] for one in page["packages"]] == [order["id"] for order in orders[:2]]
    assert page["packages"][0]["status"] == "PROCESSING"
    query = {"page_size": "2", "sort_field": "update_time", "sort_order": "ASC", "page_token": page["next_page_token"]}
    assert len(caller.data("POST", path, query)["packages"]) == 1
    late = caller.data("POST", path, {"page_size": "50"}, {"update_time_ge": START + 30})
    assert late["total_count"] == 1
    assert caller.data("POST", path, None, {"package_status": "COMPLETED"})["packages"] == []
    assert caller.code("POST", path, {"page_size": "51"}) == 36009004


@pytest.mark.parametrize("by", ["orders", "packages"])
def test_a_tracking_number_is_changed_once_and_within_three_days(caller: Caller, by: str) -> None:
    """§6.6: 21011043 before shipping, 21011051 the second time, 21011050 after 72 h."""
    order = waiting(caller, "GB")
    path = f"{BASE}/{by}/{order['id'] if by == 'orders' else package(order)}/shipping_info/update"
    other = {"tracking_number": "NEW1", "shipping_provider_id": "6599541761693270018"}
    assert caller.code("POST", path, None, other) == 21011043
    caller.act(order["id"], "ship", tracking_number="OLD1")
    assert caller.code("POST", path, None, other | {"shipping_provider_id": "1"}) == 21011022
    assert caller.code("POST", path, None, other) == 0
    assert caller.order(order["id"])["line_items"][0]["tracking_number"] == "NEW1"
    assert caller.code("POST", path, None, other | {"tracking_number": "NEW2"}) == 21011051
    late = waiting(caller, "GB")
    caller.act(late["id"], "ship", tracking_number="OLD2")
    caller.advance(259_201)
    path = f"{BASE}/{by}/{late['id'] if by == 'orders' else package(late)}/shipping_info/update"
    assert caller.code("POST", path, None, other | {"tracking_number": "NEW3"}) == 21011050


def test_an_order_in_several_packages_changes_its_numbers_one_by_one(caller: Caller) -> None:
    """§6.6"""
    order = waiting(caller, "US")
    for n, line in enumerate(ids(order)):
        caller.act(order["id"], "ship", line_ids=[line], tracking_number=f"S{n}")
    path = f"{BASE}/orders/{order['id']}/shipping_info/update"
    body = {"tracking_number": "NEW1", "shipping_provider_id": "7117859084333745966"}
    assert caller.code("POST", path, None, body) == 21011049
    assert caller.data("GET", f"{BASE}/orders/{order['id']}/tracking")["tracking"]


def test_a_thousand_orders_are_packed_and_searched_quickly(caller: Caller) -> None:
    caller.seed({"market": "GB", "status": "AWAITING_COLLECTION", "count": 1000})
    page = caller.data("POST", f"{BASE}/packages/search", {"page_size": "50"})
    assert (page["total_count"], len(page["packages"])) == (1000, 50)
