"""Stock: what a shop says it has, and what it is told to sell."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from hub.contract import ConfigurationError, SellableStock, TransientError, Variant
from tests.plugins.tiktok.tiktok_bench import SHOP, Bench, Shop, shop_on_simulator

SEARCH = "/product/202309/inventory/search"
PRODUCTS = "/product/202502/products/search"


def _update(product: str) -> str:
    return f"/product/202309/products/{product}/inventory/update"


def _products(shop: Shop, *products: dict[str, Any]) -> dict[str, Variant]:
    """The Variants, by SKU, of products that the shop now has."""
    shop.seed(products=list(products))
    found = {v.sku or "": v for page in shop.connector.pull_products(None, None) for v in page.items}
    shop.calls.clear()
    return found


def _stock(variant: Variant, *quantities: int) -> SellableStock:
    assert variant.product_ref
    told = dict(zip(variant.places, quantities, strict=True))
    return SellableStock(product_ref=variant.product_ref, variant_ref=variant.ref, quantities=told)


def _levels(shop: Bench, variants: list[str] | None, location: str | None = None) -> list[Any]:
    return [level for page in shop.connector.pull_inventory(variants, location) for level in page.items]


TWO_PLACES = [
    {"id": "7001", "name": "East", "type": "SALES_WAREHOUSE", "is_default": True},
    {"id": "7002", "name": "West", "type": "SALES_WAREHOUSE"},
]


def _two_places(shop: Shop) -> Variant:
    shop.seed(warehouses=TWO_PLACES)
    return _products(shop, {"title": "Mug", "skus": [{"seller_sku": "MUG", "stock": {"7001": 5, "7002": 3}}]})["MUG"]


def test_one_product_costs_one_call_with_every_sku_and_every_place(shop: Shop) -> None:
    """T-99: changed numbers of one product go in one call."""
    skus = [{"seller_sku": "RED", "stock": 5}, {"seller_sku": "BLUE", "stock": 6}]
    found = _products(shop, {"title": "Mug", "skus": skus})
    red, blue = found["RED"], found["BLUE"]
    results = shop.connector.push_inventory([_stock(red, 9), _stock(blue, 0)])
    assert [(result.ref, result.error) for result in results] == [(red.ref, None), (blue.ref, None)]
    assert shop.paths() == [_update(red.product_ref or "")]
    levels = {level.variant_ref: level.in_stock for level in _levels(shop, [red.ref, blue.ref])}
    assert levels == {red.ref: Decimal(9), blue.ref: Decimal(0)}
    assert shop.paths() == [SEARCH]


def test_places_of_a_sku_are_set_each(shop: Shop) -> None:
    """T-98, T-99."""
    mug = _two_places(shop)
    assert set(mug.places) == {"7001", "7002"}
    (result,) = shop.connector.push_inventory([_stock(mug, 7, 8)])
    assert result.error is None
    levels = {level.location_ref: level.in_stock for level in _levels(shop, [mug.ref])}
    assert levels == dict(zip(mug.places, (Decimal(7), Decimal(8)), strict=True))
    assert [level.location_ref for level in _levels(shop, [mug.ref], "7002")] == ["7002"]


def test_a_place_left_out_is_refused_for_this_sku_alone(shop: Shop) -> None:
    """T-99, T-100: 12019028 inside 12052990; code 0 is no success."""
    shop.seed(warehouses=TWO_PLACES)
    skus = [{"seller_sku": "A", "stock": {"7001": 1, "7002": 1}}, {"seller_sku": "B", "stock": {"7001": 1}}]
    found = _products(shop, {"title": "Mug", "skus": skus})
    part = _stock(found["A"], 4, 4).model_copy(update={"quantities": {"7001": 4}})
    first, second = shop.connector.push_inventory([part, _stock(found["B"], 4)])
    assert (first.code, first.lasting) == ("warehouses-incomplete", True)
    assert "12019028" in (first.error or "")
    assert second.error is None


def test_a_promotion_keeps_its_floor(shop: Shop) -> None:
    """T-100: 12052393."""
    mug = _products(shop, {"title": "Mug", "skus": [{"seller_sku": "MUG", "stock": 9, "promotion": True}]})["MUG"]
    (result,) = shop.connector.push_inventory([_stock(mug, 3)])
    assert (result.code, result.lasting) == ("stock-promotion-floor", True)
    assert "Seller Center" in result.do


def test_a_product_that_is_not_on_sale_refuses_every_sku_of_it(shop: Shop) -> None:
    """T-97, T-100: 12052901 for the whole call."""
    found = _products(
        shop, {"title": "Mug", "status": "SELLER_DEACTIVATED", "skus": [{"seller_sku": "A"}, {"seller_sku": "B"}]}
    )
    results = shop.connector.push_inventory([_stock(found["A"], 1), _stock(found["B"], 1)])
    assert {result.code for result in results} == {"product-not-active"}
    assert all(result.lasting for result in results)


def test_one_product_refused_does_not_hold_back_the_others(shop: Shop) -> None:
    products = [{"title": "A", "status": "FREEZE", "skus": [{"seller_sku": "A"}]}, {"seller_sku": "B", "title": "B"}]
    found = _products(shop, *products)
    results = shop.connector.push_inventory([_stock(found["A"], 1), _stock(found["B"], 1)])
    assert [result.error is None for result in results] == [False, True]


def test_more_than_tiktok_takes_is_cut_and_said(shop: Shop) -> None:
    """T-99: 0 to 99,999."""
    mug = _products(shop, {"seller_sku": "MUG", "title": "Mug"})["MUG"]
    (result,) = shop.connector.push_inventory([_stock(mug, 100_500)])
    assert result.error is None
    assert "99999" in result.warnings[0]
    assert [level.in_stock for level in _levels(shop, [mug.ref])] == [Decimal(99_999)]
    shop.connector.push_inventory([_stock(mug, -4)])
    assert [level.in_stock for level in _levels(shop, [mug.ref])] == [Decimal(0)]


def test_an_account_that_takes_no_zero_is_never_told_a_one() -> None:
    """T-99: selling one more would oversell; the operator must deactivate the product."""
    with shop_on_simulator({"stock_zero": "refused"}, zero_allowed=False) as shop:
        mug = _products(shop, {"seller_sku": "MUG", "title": "Mug"})["MUG"]
        (result,) = shop.connector.push_inventory([_stock(mug, 0)])
        assert (result.code, result.lasting) == ("quantity-refused", True)
        assert "deactivate" in result.do.lower()
        assert shop.paths() == []


def test_a_zero_that_tiktok_refuses_is_a_lasting_refusal() -> None:
    """T-99, T-100: 12052055, where the setting does not know it."""
    with shop_on_simulator({"stock_zero": "refused"}) as shop:
        mug = _products(shop, {"seller_sku": "MUG", "title": "Mug"})["MUG"]
        (result,) = shop.connector.push_inventory([_stock(mug, 0)])
        assert (result.code, result.lasting) == ("quantity-refused", True)


def test_what_buyers_ordered_is_committed_and_part_of_the_stock(shop: Shop) -> None:
    """T-98: available does not contain it."""
    mug = _products(shop, {"seller_sku": "MUG", "title": "Mug", "stock": 10})["MUG"]
    shop.control("buy", {"sku": "MUG", "quantity": 3})
    (level,) = _levels(shop, [mug.ref])
    assert (level.in_stock, level.committed) == (Decimal(10), Decimal(3))
    assert level.at == shop.clock.now() or level.at <= shop.clock.now()


def test_six_hundred_skus_cost_one_call_and_all_of_them_the_pages_of_the_catalogue(shop: Shop) -> None:
    """T-98."""
    products = [{"seller_sku": f"S{at}", "title": f"P{at}"} for at in range(120)]
    found = _products(shop, *products)
    refs = [variant.ref for variant in found.values()]
    assert len(_levels(shop, refs)) == 120
    assert shop.paths() == [SEARCH]
    _levels(shop, [f"1730{at:014d}" for at in range(601)])
    assert shop.paths() == [SEARCH, SEARCH]
    assert len(_levels(shop, None)) >= 120
    assert shop.paths() == [PRODUCTS, SEARCH, PRODUCTS, SEARCH]


def test_no_variants_cost_no_call(shop: Shop) -> None:
    assert _levels(shop, []) == []
    assert shop.connector.push_inventory([]) == []
    assert shop.paths() == []


@pytest.fixture
def warm(bench: Bench) -> Bench:
    bench.memory.set(f"shop:{SHOP}", json.dumps({"shop": {"id": SHOP, "name": "S", "region": "US", "cipher": "c"}}))
    return bench


ITEM = SellableStock(product_ref="1729", variant_ref="1730", quantities={"7001": 4})


def test_a_passing_fault_of_one_sku_is_not_lasting(warm: Bench, httpserver: HTTPServer) -> None:
    """T-100: 12052109 and internal errors."""
    fault = {"code": 12052990, "detail": {"sku_id": "1730", "extra_errors": [{"code": 12052109, "message": "busy"}]}}
    httpserver.expect_request(_update("1729")).respond_with_json({"code": 0, "data": {"errors": [fault]}})
    (result,) = warm.connector.push_inventory([ITEM])
    assert (result.code, result.lasting) == ("channel-busy", False)


def test_a_fault_without_a_sku_concerns_all_of_them(warm: Bench, httpserver: HTTPServer) -> None:
    fault = {"code": 12052901, "message": "not active", "detail": {}}
    httpserver.expect_request(_update("1729")).respond_with_json({"code": 0, "data": {"errors": [fault]}})
    other = ITEM.model_copy(update={"variant_ref": "1731"})
    results = warm.connector.push_inventory([ITEM, other])
    assert [result.code for result in results] == ["product-not-active"] * 2


def test_a_busy_channel_is_told_again(warm: Bench, httpserver: HTTPServer) -> None:
    httpserver.expect_request(_update("1729")).respond_with_json({"code": 36009003, "message": "internal"})
    with pytest.raises(TransientError):
        warm.connector.push_inventory([ITEM])
    (hint,) = warm.hints()
    assert not hint.reads
    assert hint.budget is not None
    assert hint.budget.calls == warm.settings.writes_per_second == 3  # T-101
    assert "1729" not in hint.budget.key


def test_an_inactive_seller_stops_the_connection(warm: Bench, httpserver: HTTPServer) -> None:
    """T-100: 12052700 is about the shop, not about a SKU."""
    httpserver.expect_request(_update("1729")).respond_with_json({"code": 12052700, "message": "seller is inactive"})
    with pytest.raises(ConfigurationError, match="seller-inactive"):
        warm.connector.push_inventory([ITEM])
