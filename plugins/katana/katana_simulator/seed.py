"""Setting the account up: `/_sim/seed` and `/_sim/demo`.

A seed may hold, each part optional: `reset` (true: empty first), `api_key`, `base_currency`, `currency_rates`
({"EUR": 1.1}), `locations` [{name, sales_allowed}], `tax_rates` [{name, rate, is_default_sales}], `customers`
[create bodies], `variants` (below), `stock` [{sku, location, quantity, expected, safety}] setting counts,
`sales_orders` [create bodies, whose rows may say `sku` for `variant_id`, and which need no customer], and
`fulfillments` [create bodies, which may say `order_no` for `sales_order_id`, and which ship everything open where
they name no rows].

A variant: `sku` (null for none), `name`, `price`, `purchase_price`, `type` (product, material, service),
`sellable`, `archived`, `deleted`, `serial_tracked`, `batch_tracked`, `category_name`, `kit` [{sku, quantity}],
`internal_barcode`, `registered_barcode`, `stock` (a number at the default location, or {location name: number}).
SKUs may repeat. The first location named becomes the default.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from katana_simulator.account import add_tax_rate
from katana_simulator.clock import canonical
from katana_simulator.customers import add_customer
from katana_simulator.exchange import ApiError, Row
from katana_simulator.fulfilling import add_fulfillment, open_rows
from katana_simulator.inventory import set_level
from katana_simulator.items import add_item
from katana_simulator.orders import add_order
from katana_simulator.world import World, location

_PARTS = {
    "reset", "api_key", "base_currency", "currency_rates", "locations", "tax_rates", "customers", "variants", "stock",
    "sales_orders", "fulfillments",
}  # fmt: skip


def seed(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Add what the body holds and answer its ids, by name or SKU (the last of equals wins) and in order."""
    unknown = sorted(set(body) - _PARTS)
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(_PARTS))}")
    if body.get("reset"):
        world.empty()
    if "api_key" in body:
        world.options.update({"api_key": body["api_key"]})
    world.factory["base_currency_code"] = body.get("base_currency", world.factory["base_currency_code"])
    world.rates |= {name: Decimal(str(rate)) for name, rate in body.get("currency_rates", {}).items()}
    _seed_locations(world, body.get("locations", []))
    taxes = [add_tax_rate(world, row) for row in body.get("tax_rates", [])]
    customers = [add_customer(world, row) for row in body.get("customers", [])]
    variants = _seed_variants(world, body.get("variants", []))
    for row in body.get("stock", []):
        _seed_stock(world, row)
    try:
        orders = [add_order(world, _order_body(world, row)) for row in body.get("sales_orders", [])]
    except ApiError as error:
        raise ValueError(f"sales order refused: {error.message}") from None
    fulfillments = [_seed_fulfillment(world, row) for row in body.get("fulfillments", [])]
    return {
        "locations": {row["name"]: row["id"] for row in world.locations.rows.values()},
        "tax_rates": {row["name"]: row["id"] for row in taxes},
        "customers": {row["name"]: row["id"] for row in customers},
        "variants": {row["sku"]: row["id"] for row in variants if row["sku"] is not None},
        "variant_ids": [row["id"] for row in variants],
        "sales_orders": [row["id"] for row in orders],
        "fulfillments": [row["id"] for row in fulfillments],
    }


def demo(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Start over with neutral data: each entry a product with one variant, its stock at the first location."""
    variants = [
        {"sku": row["sku"], "name": row["name"], "price": row["price"], "stock": row["stock"]}
        for row in body.get("catalogue", [])
    ]
    names = body.get("locations") or ["Main warehouse"]
    currency = next((row["currency"] for row in body.get("catalogue", []) if row.get("currency")), "USD")
    return seed(
        world,
        {
            "reset": True,
            "base_currency": currency,
            "locations": [{"name": name} for name in names],
            "variants": variants,
        },
    )


def _seed_locations(world: World, rows: list[Row]) -> None:
    if not rows:
        return
    if not world.is_seeded:
        # The lone location of an empty account gives way to the named ones.
        world.locations.rows.clear()
        world.locations = type(world.locations)("name")
        world.factory["default_sales_location_id"] = None
        world.is_seeded = True
    for row in rows:
        found = world.locations.first("name", row["name"])
        if found is None:
            is_first = not world.locations.rows
            found = world.locations.add(location(row["name"], world.stamp(), is_primary=is_first))
        found |= {name: value for name, value in row.items() if name in found}
    if world.factory["default_sales_location_id"] is None:
        world.factory["default_sales_location_id"] = next(iter(world.locations.rows))


def _seed_variants(world: World, rows: list[Row]) -> list[Row]:
    added = []
    for row in rows:
        added.append(_seed_variant(world, row))
    for row, variant in zip(rows, added, strict=True):
        variant["kit"] = [
            (_variant(world, part["sku"])["id"], Decimal(part["quantity"])) for part in row.get("kit", [])
        ]
    return added


def _seed_variant(world: World, row: Row) -> Row:
    kind, stamp = row.get("type", "product"), world.stamp()
    names = ("sku", "purchase_price", "internal_barcode", "registered_barcode")
    variant = {name: row[name] for name in names if name in row}
    if row.get("price") is not None:
        variant["sales_price"] = Decimal(row["price"])
    is_kit = bool(row.get("kit"))
    parent = add_item(
        world,
        kind,
        {
            "name": row.get("name") or row.get("sku") or "Unnamed",
            "is_sellable": row.get("sellable", True),
            "is_auto_assembly": is_kit,
            "is_producible": is_kit,
            **{name: row[name] for name in ("serial_tracked", "batch_tracked", "category_name") if name in row},
            "variants": [variant],
        },
    )
    added = next(world.variants.newest_first())
    if row.get("archived"):
        parent["archived_at"] = stamp
    if row.get("deleted"):
        added["deleted_at"] = parent["deleted_at"] = stamp
    stock = row.get("stock") or {}
    if not isinstance(stock, dict):
        stock = {world.locations.rows[world.default_location_id()]["name"]: stock}
    for name, quantity in stock.items():
        set_level(world, (added["id"], _location_id(world, name)), Decimal(quantity), "SEED")
    return added


def _seed_stock(world: World, row: Row) -> None:
    place = (
        _variant(world, row["sku"])["id"],
        _location_id(world, row["location"]) if "location" in row else world.default_location_id(),
    )
    if "quantity" in row:
        set_level(world, place, Decimal(row["quantity"]), "STOCKTAKE")
    level = world.stock.level(place)
    level.expected = Decimal(row.get("expected", level.expected))
    level.safety = Decimal(row.get("safety", level.safety))


def _order_body(world: World, row: Row) -> Row:
    lines = [
        {name: value for name, value in line.items() if name != "sku"}
        | ({"variant_id": _variant(world, line["sku"])["id"]} if "sku" in line else {})
        for line in row["sales_order_rows"]
    ]
    body = {**row, "sales_order_rows": lines}
    if "customer_id" not in body:
        known = world.customers.first("name", "Seeded customer")
        body["customer_id"] = (known or add_customer(world, {"name": "Seeded customer"}))["id"]
    return body


def _seed_fulfillment(world: World, row: Row) -> Row:
    order = world.orders.first("order_no", row["order_no"]) if "order_no" in row else None
    order = order or world.orders.live(row.get("sales_order_id"))
    if order is None:
        raise ValueError(f"no sales order for fulfillment {row}")
    rows = row.get("sales_order_fulfillment_rows") or open_rows(world, order)
    picked = canonical(row["picked_date"]) if "picked_date" in row else None
    given = {"status": row.get("status", "DELIVERED"), "sales_order_fulfillment_rows": rows}
    return add_fulfillment(world, order, row | given, picked)


def _variant(world: World, sku: str) -> Row:
    found = world.variants.first("sku", sku)
    if found is None:
        raise ValueError(f"no variant with SKU {sku}")
    return found


def _location_id(world: World, name: str) -> int:
    found = world.locations.first("name", name)
    if found is None:
        raise ValueError(f"no location named {name}")
    return int(found["id"])
