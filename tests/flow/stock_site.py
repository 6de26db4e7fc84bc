"""A site whose shop sells the ERP's stock, and what its channel shows of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from hub.host.clock import FOLLOW_EVERY_S
from hub.store import stock as ledger
from hub.store.stock import StockRow
from tests.site import Site

ROUTE = """\
  - name: us
    channel: shop
    erp: factory
    fulfillments: {enabled: false}
    inventory: {INVENTORY}
    products: {PRODUCTS}
    orders:
      start: 2026-03-01
      {ORDERS}
"""
UPDATE, SEARCH = "POST /product/202309/products/{product_id}/inventory/update", "POST /product/202309/inventory/search"
PRODUCTS, INVENTORY = "POST /product/202502/products/search", "GET /v1/inventory"


def route(inventory: str = "", orders: str = "", products: str = "") -> str:
    """Return a route with these inventory rules; the hourly rhythm is the default."""
    text = ROUTE.replace("{INVENTORY}", "{" + inventory + "}").replace("{PRODUCTS}", "{" + products + "}")
    return text.replace("{ORDERS}", orders)


def list_products(site: Site, *skus: str, stock: int | Mapping[str, int] = 0, **more: Any) -> None:
    """Have the shop list products of one SKU each."""
    site.tiktok_sim("seed", {"products": [{"title": sku, "seller_sku": sku, "stock": stock, **more} for sku in skus]})


def two_shops(site: Site, first: str, second: str) -> str:
    """Give the seller a second shop, ``shop2``, with inventory rules of its own; return its id there."""
    ids = ("7495000000000000001", "7495000000000000002")
    site.tiktok_sim("seed", {"shops": [{"id": each, "name": f"Shop {each[-1]}"} for each in ids]})
    other = route(second).replace("name: us", "name: us2").replace("channel: shop", "channel: shop2")
    site.write_routes(route(first) + other)
    file = site.folder / "routes.yaml"
    text = file.read_text()
    one = text[text.index("  shop:\n") : text.index("  factory:\n")]
    two = one.replace("  shop:\n", "  shop2:\n", 1).replace("${SHOP}", f'"{ids[1]}"')
    file.write_text(text.replace("  factory:\n", two + "  factory:\n", 1))
    return ids[1]


def later(site: Site, seconds: float) -> None:
    """Let time pass, then run the hub until it rests."""
    site.advance(seconds)
    work(site)


def buy(site: Site, sku: str, quantity: int = 1, **more: Any) -> str:
    """Have a buyer order what the channel still sells."""
    said = site.tiktok_sim("buy", {"lines": [{"sku": sku, "quantity": quantity}], **more})
    assert said["bought"], said
    return str(said["order_id"])


def in_erp(site: Site, sku: str, **more: Any) -> dict[str, Any]:
    """Have somebody count, or change, an ERP's stock; returns the level."""
    level: dict[str, Any] = site.katana_sim("do/stock", {"sku": sku, **more})
    return level


def stock_row(site: Site, sku: str, shop: str = "shop") -> tuple[StockRow, dict[str, Any]]:
    """Return what the ledger knows of a SKU's stock, and the terms of its last number."""
    assert site.world is not None
    with site.world.store.read() as tx:
        (ref,) = [item.ref for item in ledger.items(tx, shop) if item.sku == sku]
        return ledger.stock_of(tx, shop)[ref], ledger.terms_of(tx, shop, ref) or {}


def work(site: Site, *, again: bool = False) -> None:
    """Run one pass of the hub, as a process of its own (``again``: within the open one)."""
    if again:
        time.sleep(FOLLOW_EVERY_S * 1.1)  # an open hub looks at the simulated clock now and then
    site.sync(again=again)


def sells(site: Site, *skus: str, shop: str | None = None) -> Any:
    """Return what the channel sells of each SKU over all warehouses (of one SKU: the number itself)."""
    state = site.tiktok_sim("state", method="GET")
    by_shop = {product["id"]: product["shop"] for product in state["products"]}
    mine = {
        each["id"]: each["seller_sku"] for product in state["products"] if shop in (None, by_shop[product["id"]])
        for each in product["skus"]
    }  # fmt: skip
    found = {
        sku: sum(place["available"] for place in state["stock"][ref]["warehouses"].values())
        for ref, sku in mine.items() if sku in skus
    }  # fmt: skip
    return found[skus[0]] if len(skus) == 1 else found


def made_since(site: Site, simulator: str, before: Mapping[str, int]) -> dict[str, int]:
    """Return the calls made since a count of them, without those for orders."""
    now = site.calls(simulator)
    new = {call: n - before.get(call, 0) for call, n in now.items() if n != before.get(call, 0)}
    return {call: n for call, n in new.items() if "/orders" not in call and "/cancellations" not in call}
