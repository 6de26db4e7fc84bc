"""What an order looks like: kinds, units, and the switches that make it hard to read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.tiktok.tiktok_caller import DETAIL, Caller, calling


@pytest.fixture
def caller() -> Iterator[Caller]:
    with calling() as running:
        yield running


def walk(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every named value within."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield key, one
            yield from walk(one, key)
    elif isinstance(value, list):
        for one in value:
            yield from walk(one, name)


def test_ids_are_digits_times_are_integers_and_nothing_is_null(caller: Caller) -> None:
    """T-43"""
    (order_id,) = caller.seed({"status": "DELIVERED", "kind": "bundle"})
    order = caller.order(order_id)
    for name, value in walk(order):
        assert value is not None, name
        if name.endswith(("_time", "_date")):
            assert isinstance(value, int), name
        if name == "id" or (name.endswith("_id") and value):
            assert re.fullmatch(r"\d{15,20}", value), (name, value)


def test_each_piece_is_a_line_item_with_an_id_of_its_own(caller: Caller) -> None:
    """T-63"""
    (order_id,) = caller.seed({"lines": [{"sku": "A", "quantity": 3}, {"sku": "B", "quantity": 2}]})
    lines = caller.order(order_id)["line_items"]
    assert [line["seller_sku"] for line in lines] == ["A", "A", "A", "B", "B"]
    assert len({line["id"] for line in lines}) == 5
    assert len({line["sku_id"] for line in lines}) == 2


def test_a_listed_sku_has_its_product_and_an_unlisted_one_ids_of_its_own(caller: Caller) -> None:
    """T-64"""
    (order_id,) = caller.seed(
        {"lines": [{"sku": "MUG"}, {"sku": "GONE"}, {"sku": ""}]}, products=[{"title": "Enamel mug", "sku": "MUG"}]
    )
    products = caller.data("POST", "/product/202502/products/search", {"page_size": "10"})["products"]
    mug, gone, empty = caller.order(order_id)["line_items"]
    assert (mug["product_id"], mug["sku_id"]) == (products[0]["id"], products[0]["skus"][0]["id"])
    assert mug["product_name"] == "Enamel mug"
    assert gone["product_id"] not in {product["id"] for product in products}
    assert empty["seller_sku"] == ""


@pytest.mark.parametrize(
    ("switch", "names"),
    [
        ("combined", {"combined_listing_skus"}),
        ("sub_items", {"sub_item_info"}),
        ("both", {"combined_listing_skus", "sub_item_info"}),
    ],
)
def test_a_bundle_names_its_parts_where_the_switch_says(caller: Caller, switch: str, names: set[str]) -> None:
    """T-72"""
    caller.options(bundle_parts=switch)
    bundle = [{"sku": "CUP", "count": 2}, {"sku": "TEA", "count": 1}]
    (order_id,) = caller.seed({"kind": "bundle", "lines": [{"sku": "SET", "bundle": bundle}]})
    line = caller.order(order_id)["line_items"][0]
    found = {"combined_listing_skus", "sub_item_info"} & set(line)
    assert found == names
    for name in found:
        assert [(part["seller_sku"], part["sku_count"]) for part in line[name]] == [("CUP", 2), ("TEA", 1)]


def test_a_listed_bundle_brings_its_parts_into_every_order(caller: Caller) -> None:
    listed = {"title": "Set", "sku": "SET", "bundle": [{"sku": "CUP", "count": 2}]}
    (order_id,) = caller.seed(
        {"lines": [{"sku": "SET", "quantity": 2}]}, products=[{"title": "Cup", "sku": "CUP"}, listed]
    )
    lines = caller.order(order_id)["line_items"]
    assert [line["combined_listing_skus"][0]["seller_sku"] for line in lines] == ["CUP", "CUP"]


def test_an_fbt_order_leaves_from_tiktoks_warehouse(caller: Caller) -> None:
    """T-77"""
    own, fbt = caller.seed({"status": "AWAITING_SHIPMENT"}, {"kind": "fbt", "status": "AWAITING_SHIPMENT"})
    theirs = caller.data("GET", "/fbt/202408/warehouses")["warehouses"][0]["warehouse_ids"]
    assert caller.order(fbt)["warehouse_id"] in theirs
    assert caller.order(own)["warehouse_id"] not in theirs
    assert caller.order(fbt)["fulfillment_type"] == "FULFILLMENT_BY_TIKTOK"
    assert caller.order(fbt)["shipping_type"] == "TIKTOK"


@pytest.mark.parametrize(("switch", "present"), [("full", True), ("left_out", False), ("null", True)])
def test_empty_fields_are_shown_left_out_or_null(caller: Caller, switch: str, present: bool) -> None:
    """T-43"""
    caller.options(optional_fields=switch)
    (order_id,) = caller.seed({"lines": [{"sku": ""}]})
    order = caller.order(order_id)
    assert ("buyer_message" in order) is present
    assert ("seller_sku" in order["line_items"][0]) is present
    assert ("shipping_fee_seller_discount" in order["payment"]) is present
    assert (order.get("buyer_message") is None) is (switch != "full")
    assert order["payment"]["total_amount"]


@pytest.mark.parametrize(("switch", "present"), [("no", False), ("yes", True)])
def test_unknown_fields_turn_up_when_the_switch_says_so(caller: Caller, switch: str, present: bool) -> None:
    """T-44"""
    caller.options(junk_fields=switch)
    (order_id,) = caller.seed({})
    answer = caller.call("GET", DETAIL, {"ids": order_id}).json()
    order = answer["data"]["orders"][0]
    places = [answer, order, order["payment"], order["line_items"][0]]
    assert {any(name.startswith("zz_") for name in place) for place in places} == {present}


def test_an_unknown_status_is_shown_when_the_switch_says_so(caller: Caller) -> None:
    """T-44"""
    (order_id,) = caller.seed({})
    caller.options(unknown_status="BEING_PONDERED")
    assert caller.order(order_id)["status"] == "BEING_PONDERED"
    caller.options(unknown_status="off")
    assert caller.order(order_id)["status"] == "ON_HOLD"


def test_search_and_detail_differ_in_the_documented_fields_only(caller: Caller) -> None:
    """T-54"""
    us, asian = caller.seed({"status": "AWAITING_SHIPMENT"}, {"status": "AWAITING_SHIPMENT", "market": "SG"})
    searched = {order["id"]: order for order in caller.page()["orders"]}
    payment = {"payment_method_code", "payment_card_type", "payment_auth_code"}
    for order_id, only_searched in ((us, set()), (asian, {"fulfillment_priority_level", "recommended_shipping_time"})):
        detail = caller.order(order_id)
        assert set(detail) - set(searched[order_id]) == payment
        assert set(searched[order_id]) - set(detail) == only_searched
        shared = set(detail) & set(searched[order_id])
        assert {name: detail[name] for name in shared} == {name: searched[order_id][name] for name in shared}


def test_a_spec_with_an_unknown_name_is_refused(caller: Caller) -> None:
    wrong: list[dict[str, Any]] = [{"skus": []}, {"lines": [{"amount": 2}]}, {"market": "XX"}, {"kind": "odd"}]
    for spec in [*wrong, {"fees": {"tip": "1"}}]:
        answer = caller.http.post("/_sim/seed", json={"orders": [spec]})
        assert answer.status_code == 400, spec
        assert answer.json()["error"]
