"""The calls around orders: detail, references, shops, warehouses, products, stock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.plugins.tiktok.tiktok_caller import DETAIL, Caller, calling

PRODUCTS = "/product/202502/products/search"
STOCK = "/product/202309/inventory/search"
REFERENCES = "/order/202406/orders/external_orders"


@pytest.fixture
def caller() -> Iterator[Caller]:
    with calling() as running:
        yield running


@pytest.mark.parametrize("path", [DETAIL, "/order/202309/orders"])
def test_detail_answers_up_to_fifty_orders(caller: Caller, path: str) -> None:
    """T-52"""
    ids = caller.seed({"count": 51})
    found = caller.data("GET", path, {"ids": ",".join(ids[:50])})["orders"]
    assert [order["id"] for order in found] == ids[:50]
    assert caller.code("GET", path, {"ids": ",".join(ids)}) == 36009004
    assert caller.code("GET", path, {"ids": ""}) == 36009004
    assert caller.code("GET", path, {"ids": '["1"]'}) == 36009004


@pytest.mark.parametrize(("switch", "code"), [("leave_out", 0), ("error", 21008111)])
def test_detail_leaves_unknown_ids_out_or_refuses(caller: Caller, switch: str, code: int) -> None:
    """T-53"""
    caller.options(detail_unknown_ids=switch)
    (known,) = caller.seed({})
    answer = caller.call("GET", DETAIL, {"ids": f"{known},576999999999999999"}).json()
    assert answer["code"] == code
    assert code or [order["id"] for order in answer["data"]["orders"]] == [known]
    assert caller.code("GET", DETAIL, {"ids": "576999999999999999"}) == 21008111


def test_external_references_are_noted_and_fail_one_by_one(caller: Caller) -> None:
    (known,) = caller.seed({})
    reference = {"id": "SO-1", "platform": "ORDER_MANAGEMENT_SYSTEM", "line_items": []}
    orders = [{"id": known, "external_order": reference}, {"id": "576999999999999999", "external_order": reference}]
    data = caller.data("POST", REFERENCES, None, {"orders": orders})
    assert [error["detail"]["order_id"] for error in data["errors"]] == ["576999999999999999"]
    assert caller.control(f"orders/{known}")["order"]["external_orders"] == [reference]
    assert caller.control("journal")["calls"][-1]["wrote"] is True
    assert caller.data("POST", REFERENCES, None, {"orders": orders[:1]}) == {}


def test_shops_are_listed_with_region_and_cipher(caller: Caller) -> None:
    """T-19"""
    shop = caller.data("GET", "/authorization/202309/shops", cipher=None)["shops"][0]
    assert (shop["id"], shop["region"], shop["seller_type"]) == (caller.settings["shop"], "US", "LOCAL")
    assert shop["cipher"]
    active = caller.data("GET", "/seller/202309/shops", cipher=None)["shops"]
    assert active == [{"id": shop["id"], "region": "US"}]
    assert caller.data("GET", "/seller/202309/permissions", cipher=None) == {"permissions": []}


@pytest.mark.parametrize(("switch", "listed"), [("yes", 3), ("no", 2)])
def test_warehouses_have_two_ids_for_one_place_and_perhaps_tiktoks_own(
    caller: Caller, switch: str, listed: int
) -> None:
    """T-77, T-78"""
    caller.options(fbt_warehouse_listed=switch)
    found = caller.data("GET", "/logistics/202309/warehouses")["warehouses"]
    assert len(found) == listed
    sells, takes_back = found[0], next(one for one in found if one["type"] == "RETURN_WAREHOUSE")
    assert sells["name"] == takes_back["name"]
    assert sells["entity_id"] == takes_back["entity_id"]
    assert sells["id"] != takes_back["id"]
    assert "distict" in sells["address"]


def test_delivery_options_lead_to_providers(caller: Caller) -> None:
    (order_id,) = caller.seed({"status": "AWAITING_SHIPMENT"})
    order = caller.order(order_id)
    path = f"/logistics/202309/warehouses/{order['warehouse_id']}/delivery_options"
    options = [option["id"] for option in caller.data("GET", path)["delivery_options"]]
    assert order["delivery_option_id"] in options
    path = f"/logistics/202309/delivery_options/{options[0]}/shipping_providers"
    names = [provider["name"] for provider in caller.data("GET", path)["shipping_providers"]]
    assert {"USPS", "UPS"} <= set(names)
    assert caller.code("GET", "/logistics/202309/delivery_options/1/shipping_providers") == 21008116
    assert caller.code("GET", "/logistics/202309/warehouses/1/delivery_options") == 12052097


def test_products_are_found_by_sku_in_pages(caller: Caller) -> None:
    products = [{"title": f"Product {n}", "sku": f"SKU-{n}", "price": "5", "stock": n} for n in range(5)]
    caller.control("seed", {"products": products})
    page = caller.data("POST", PRODUCTS, {"page_size": "2"})
    assert (len(page["products"]), page["total_count"]) == (2, 5)
    rest = caller.data("POST", PRODUCTS, {"page_size": "100", "page_token": page["next_page_token"]})
    assert len(rest["products"]) == 3
    found = caller.data("POST", PRODUCTS, {"page_size": "10"}, {"seller_skus": ["SKU-3"]})["products"]
    assert [one["skus"][0]["inventory"][0]["quantity"] for one in found] == [3]
    assert caller.code("POST", PRODUCTS, {"page_size": "10"}, {"seller_skus": ["x"] * 11}) == 12019027
    assert caller.code("POST", PRODUCTS, {"page_size": "10"}, {"update_time_lt": 1}) == 36009004
    by_product = caller.data("POST", STOCK, None, {"product_ids": [found[0]["id"]]})["inventory"]
    assert by_product[0]["skus"][0]["total_available_quantity"] == 3
    assert caller.code("POST", STOCK, None, {"product_ids": ["1"] * 101}) == 12019120
    assert caller.code("POST", STOCK, None, {"sku_ids": ["1"] * 601}) == 12019015


def test_missing_warehouses_fail_the_prerequisites(caller: Caller) -> None:
    def failed() -> list[str]:
        results = caller.data("GET", "/product/202312/prerequisites")["check_results"]
        return [result["check_item"] for result in results if result["is_failed"]]

    assert failed() == []
    caller.control("seed", {"warehouses": [{"name": "Only one"}]})
    assert failed() == ["RETURN_WAREHOUSE"]
