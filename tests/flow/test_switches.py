"""Each direction of a route has its own switch: with one on and the rest off it works, and the others make no call.

M6, M7. The table says which calls belong to which direction; what names a place or a variant serves several.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from hub.engine.idle import MAX_IDLE_S, idle_s
from hub.engine.progress import Progress
from hub.engine.sync import Crew, involved
from tests.flow.conftest import SiteMaker
from tests.flow.stock_site import INVENTORY, PRODUCTS, SEARCH, UPDATE, buy, in_erp, list_products, sells
from tests.flow.test_products import CREATE, on_channel, show_goods
from tests.flow.test_shipments import numbers, ship
from tests.site import HOUR, Site

DIRECTIONS = ("orders", "fulfillments", "inventory", "products", "returns")
ROUTE = """\
  - name: us
    channel: shop
    erp: factory
    orders: {start: 2026-03-01, enabled: ORDERS}
    fulfillments: {enabled: FULFILLMENTS}
    inventory: {every: 1h, enabled: INVENTORY}
    products: {publish: draft, skus: [MUG-NEW], images: images, weight: 420g, size_cm: [12, 10, 10], enabled: PRODUCTS}
    returns: {enabled: RETURNS}
"""


OWN = {
    "orders": {
        "POST /order/202309/orders/search", "POST /return_refund/202309/cancellations/search", "POST /v1/sales_orders",
    },
    "fulfillments": {"POST /fulfillment/202309/orders/{order_id}/packages"},
    "inventory": {SEARCH, UPDATE, INVENTORY},
    "products": {
        CREATE, "POST /product/202309/images/upload", "POST /product/202309/categories/recommend",
        "GET /product/202309/categories/{category_id}/attributes", "GET /product/202312/prerequisites",
        "GET /logistics/202309/warehouses/{warehouse_id}/delivery_options",
    },
    "returns": {"POST /return_refund/202309/returns/search", "POST /v1/sales_returns"},
}  # fmt: skip
PLACES = {"GET /logistics/202309/warehouses", "GET /fbt/202408/warehouses", "GET /v1/locations"}
MAY = {
    "orders": {"GET /v1/sales_orders", "GET /v1/variants", "GET /order/202507/orders"},
    "fulfillments": {
        "GET /v1/sales_order_fulfillments",
        "GET /order/202507/orders",
        "GET /v1/sales_orders",  # read before every word
    },
    "inventory": {PRODUCTS, "GET /v1/variants", *PLACES},
    "products": {PRODUCTS, "GET /v1/variants", *PLACES},
    "returns": {
        "PATCH /v1/sales_returns/{id}",
        "POST /v1/sales_return_rows",
        "GET /v1/sales_returns",
        "GET /v1/sales_orders/{id}/returnable_items",
        "GET /v1/sales_order_fulfillments",
        *PLACES,
    },
}


def route(*on: str) -> str:
    """Return a route with these directions on."""
    text = ROUTE
    for name in DIRECTIONS:
        text = text.replace(name.upper(), "true" if name in on else "false")
    return text


WORKED: dict[str, Callable[[Site, dict[str, str]], bool]] = {
    "orders": lambda site, refs: f"TT-{refs['new']}" in {each["order_no"] for each in site.sales_orders()},
    "fulfillments": lambda site, refs: numbers(site, refs["shipped"]) != [None],
    "inventory": lambda site, refs: sells(site, "TEE") == 60,
    "products": lambda site, refs: (
        "MUG-NEW" in {sku["seller_sku"] for each in on_channel(site) for sku in each["skus"]}
    ),
    "returns": lambda site, refs: bool(site.katana_sim("state", method="GET")["sales_returns"]),
}


@pytest.fixture
def busy(make_site: SiteMaker) -> tuple[Site, dict[str, str]]:
    """A site with two placed orders where, since the last pass, something has happened in every direction."""
    site = make_site(routes=route("orders", "fulfillments", "inventory"))
    show_goods(site.folder, "MUG-NEW")
    list_products(site, "MUG", "TEE", stock=7)
    shipped, returned = site.order(), site.order()
    site.sync()
    site.advance(2 * HOUR)
    site.sync()
    ship(site, returned)
    for wait in (301, 61):
        site.advance(wait)
        site.sync()
    assert site.fate(shipped) == ("placed", None)
    assert site.fate(returned) == ("fulfilled", None)
    ship(site, shipped, "1Z999AA10123456799")
    new = buy(site, "MUG")
    in_erp(site, "TEE", change=-40)
    site.seed_variants({"MUG-NEW": 5})
    back = site.tiktok_sim("returns", {"order_id": returned, "type": "RETURN_AND_REFUND", "sku": "MUG", "quantity": 1})
    for wish in (
        {"action": "set", "status": "AWAITING_BUYER_SHIP"},
        {"action": "ship_back", "tracking_number": "1Z999AA10123456700"},
        {"action": "set", "status": "RETURN_OR_REFUND_REQUEST_COMPLETE"},
    ):
        site.tiktok_sim(f"returns/{back['return_id']}", wish)
    return site, {"shipped": shipped, "returned": returned, "new": new}


def made(site: Site) -> set[str]:
    """Run a pass two hours later; return the calls that it made, by method and path."""
    site.advance(2 * HOUR)
    before = {name: site.calls(name) for name in ("tiktok", "katana")}
    assert site.sync().errors == {}
    return {call for name, was in before.items() for call, n in site.calls(name).items() if n > was.get(call, 0)}


@pytest.mark.parametrize("on", DIRECTIONS)
def test_one_direction_works_alone_and_makes_no_call_of_the_others(busy: tuple[Site, dict[str, str]], on: str) -> None:
    site, refs = busy
    site.write_routes(route(on))
    calls = made(site)
    assert calls >= OWN[on]
    assert calls <= OWN[on] | MAY[on]
    worked = {name: test(site, refs) for name, test in WORKED.items()}
    assert worked == {name: name == on for name in DIRECTIONS}


@pytest.mark.parametrize("off", DIRECTIONS)
def test_one_direction_that_is_off_makes_no_call_and_the_others_work(
    busy: tuple[Site, dict[str, str]], off: str
) -> None:
    site, refs = busy
    rest = [name for name in DIRECTIONS if name != off]
    site.write_routes(route(*rest))
    calls = made(site)
    assert not calls & OWN[off]
    worked = {name: test(site, refs) for name, test in WORKED.items()}
    assert worked == {name: name != off for name in DIRECTIONS}


def test_all_directions_off_make_no_call(busy: tuple[Site, dict[str, str]]) -> None:
    site, refs = busy
    site.write_routes(route())
    assert made(site) == set()
    assert not any(test(site, refs) for test in WORKED.values())


def test_sales_orders_of_a_route_whose_orders_are_off_are_left_alone_until_they_are_on_again(
    make_site: SiteMaker,
) -> None:
    """Neither deleted nor looked at, whatever was begun; then what was cancelled meanwhile is."""
    site = make_site(routes=route("orders"))
    show_goods(site.folder, "MUG-NEW")
    ref, kept = site.order(), site.order()
    site.sync()
    site.advance(HOUR)
    site.sync()
    site.act(ref, "cancel")
    site.katana_sim("faults", {"faults": [{"kind": "503", "match": "sales_orders", "method": "DELETE", "times": 1}]})
    site.advance(61)
    site.sync()
    assert site.fate(ref) == ("placed", "cancelling")
    site.write_routes(route("inventory"))
    before = site.calls("katana")
    for wait in (25 * HOUR, 2 * HOUR, 2 * HOUR):
        site.advance(wait)
        site.sync()
    asked = {call for call, n in site.calls("katana").items() if n > before.get(call, 0)}
    assert not any("sales_order" in call for call in asked)
    site.write_routes(route("orders"))
    site.advance(HOUR)
    site.sync()
    assert site.fate(ref) == ("cancelled", None)
    assert [each["order_no"] for each in site.sales_orders()] == [f"TT-{kept}"]


def test_shipment_of_a_route_that_told_none_is_told_when_it_is_switched_on(make_site: SiteMaker) -> None:
    """Another route reads the same ERP's shipments meanwhile, so nothing would bring this one again."""
    tees = "orders: {start: 2026-03-01, when: {skus: [TEE]}}\n    inventory: {enabled: false}\n"
    other = f"  - name: tees\n    channel: shop\n    erp: factory\n    {tees}"
    site = make_site(routes=other + route("orders"))
    show_goods(site.folder, "MUG-NEW")
    ref = site.order()
    site.sync()
    site.advance(2 * HOUR)
    site.sync()
    ship(site, ref)
    for _ in range(2):
        site.advance(301)
        site.sync()
    assert numbers(site, ref) == [None]
    site.write_routes(other + route("orders", "fulfillments"))
    site.advance(301)
    site.sync()
    assert numbers(site, ref) == ["1Z999AA10123456784"]


def test_hub_whose_orders_are_off_sleeps_between_its_looks(make_site: SiteMaker) -> None:
    """No pull of orders is due, nor any effect that was left to send: it must not spin."""
    site = make_site(routes=route("orders"))
    show_goods(site.folder, "MUG-NEW")
    site.order()
    site.advance(2 * HOUR)
    site.both("clock", {"rate": 20})
    site.katana_sim("faults", {"faults": [{"kind": "429", "match": "sales_orders$", "method": "POST"}]})
    world = site.open()
    Crew(world, Progress(), threading.Event(), *involved(world)).round(pull_anyway=True)
    assert site.fates() == {"ready": 1}
    site.both("clock", {"rate": 0})
    site.write_routes(route("inventory"))
    site.advance(HOUR)
    site.sync()
    assert site.world is not None
    assert {idle_s(site.world, each) for side in involved(site.world) for each in side} == {MAX_IDLE_S}
