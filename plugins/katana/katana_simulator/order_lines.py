"""Rows of sales orders as the account keeps them: checked, committed to stock, priced and shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from katana_simulator import allocations
from katana_simulator.exchange import Row, refused
from katana_simulator.kits import availability
from katana_simulator.stock import ZERO
from katana_simulator.variants import parent_of
from katana_simulator.world import World

HUNDRED = Decimal(100)
_COMPUTED = ("product_availability", "product_expected_date", "cogs_value")


def check_line(world: World, body: Row) -> None:
    """Refuse what a row may not refer to; every check comes before any write."""
    if "variant_id" in body:
        _check_variant(world, body["variant_id"])
    if "location_id" in body:
        check_location(world, body["location_id"])
    tax_id = body.get("tax_rate_id")
    if tax_id is not None and world.tax_rates.live(tax_id) is None:
        raise refused(f"Tax rate with id {tax_id} not found")


def check_location(world: World, location_id: int) -> None:
    row = world.locations.live(location_id)
    if row is None:
        raise refused(f"Location with id {location_id} not found")
    if not row["sales_allowed"]:
        raise refused(f"Sales are not allowed at location {row['name']}")  # K-27


def add_line(world: World, order: Row, body: Row, stamp: str) -> Row:
    variant = world.variants.rows[body["variant_id"]]
    discount = body.get("total_discount")
    price = body["price_per_unit"] if "price_per_unit" in body else variant["sales_price"] or 0  # K-49
    row: Row = {
        "sales_order_id": order["id"],
        "variant_id": variant["id"],
        "quantity": Decimal(body["quantity"]),
        "price": Decimal(price),
        "discount": None if discount is None else Decimal(discount),
        "tax_rate_id": body.get("tax_rate_id", _default_tax_id(world)),
        "location_id": body.get("location_id"),
        "attributes": body.get("attributes", []),
        "custom_fields": body.get("custom_fields"),
        "fulfilled": ZERO,
        "claim": None,
        "created_at": stamp,
        "updated_at": stamp,
        "deleted_at": None,
    }
    world.order_rows.add(row)
    settle(world, order, row)
    return row


def settle(world: World, order: Row, row: Row) -> None:
    """Bring the commitment of one row to what it should be now: its open quantity, or nothing.  # K-63"""
    now, old = world.clock.now(), row["claim"]
    place = (row["variant_id"], row["location_id"] or order["location_id"])
    is_idle = order["is_quote"] or order["deleted_at"] or row["deleted_at"] or not _holds_stock(world, row)
    quantity = ZERO if is_idle else max(row["quantity"] - row["fulfilled"], ZERO)
    if old is not None:
        if old == (place, quantity):
            return
        world.stock.commit(old[0], -old[1], now)
    row["claim"] = (place, quantity) if quantity else None
    if quantity:
        world.stock.commit(place, quantity, now)


def lines_of(world: World, order: Row) -> list[Row]:
    """Live rows of an order, oldest first.  # K-66"""
    return world.order_rows.each("sales_order_id", order["id"])


def tax_of(world: World, row: Row) -> Decimal | None:
    tax_id = row["tax_rate_id"]
    return None if tax_id is None else world.tax_rates.rows[tax_id]["rate"]


def net_total(row: Row) -> Decimal:
    """What a row comes to, without tax, less its discount.  # K-51"""
    total: Decimal = row["quantity"] * row["price"] - (row["discount"] or ZERO)
    return total


def gross_total(world: World, row: Row) -> Decimal:
    return net_total(row) * (HUNDRED + (tax_of(world, row) or ZERO)) / HUNDRED


def line_view(world: World, order: Row, row: Row, *, is_new: bool = False) -> Row:
    """The row as answers show it; the answer to a create lacks some computed fields. Types follow K-19."""
    rate = order["conversion_rate"] or world.rate_of(order["currency"])
    total, as_text = net_total(row), world.options["number_style"] == "strings"
    shown: dict[str, Any] = {
        "id": row["id"],
        "sales_order_id": row["sales_order_id"],
        "variant_id": row["variant_id"],
        "quantity": f"{row['quantity']:f}" if as_text else row["quantity"],
        "price_per_unit": f"{row['price']:.10f}",
        "price_per_unit_in_base_currency": row["price"] * rate,
        "total": total,
        "total_in_base_currency": total * rate,
        "total_discount": None if row["discount"] is None else _money(row["discount"]),
        "tax_rate_id": row["tax_rate_id"],
        "tax_rate": tax_of(world, row),
        "location_id": row["location_id"] or order["location_id"],
        "product_availability": None if is_new else line_availability(world, order, row),
        "product_expected_date": None,
        "cogs_value": None,
        "attributes": row["attributes"],
        **allocations.shown(row),
        "linked_manufacturing_order_id": None,
        "conversion_rate": order["conversion_rate"],
        "conversion_date": order["conversion_date"],
        "custom_fields": row["custom_fields"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "deleted_at": row["deleted_at"],
    }
    if is_new:
        for name in _COMPUTED:
            del shown[name]
    return shown


def line_availability(world: World, order: Row, row: Row) -> str:
    if not _holds_stock(world, row):
        return "NOT_APPLICABLE"
    if row["fulfilled"] >= row["quantity"]:
        return "PICKED"
    place = (row["variant_id"], row["location_id"] or order["location_id"])
    return availability(world, world.variants.rows[row["variant_id"]], place)


def _check_variant(world: World, variant_id: int) -> None:
    variant = world.variants.live(variant_id)
    if variant is None:
        raise refused(f"Variant with id {variant_id} not found")
    parent = parent_of(world, variant)
    if parent["archived_at"] and world.options["archived_variant"] == "refuse":  # K-36
        raise refused(f"Variant with id {variant_id} is archived")
    if not parent["is_sellable"] and world.options["non_sellable_variant"] == "refuse":
        raise refused(f"Variant with id {variant_id} is not sellable")


def _default_tax_id(world: World) -> int | None:
    if world.options["default_tax"] == "none":  # K-50
        return None
    return next((row["id"] for row in world.tax_rates.rows.values() if row["is_default_sales"]), None)


def _holds_stock(world: World, row: Row) -> bool:
    return bool(world.variants.rows[row["variant_id"]]["type"] != "service")


def _money(amount: Decimal) -> str:
    exponent = amount.as_tuple().exponent
    places = max(-exponent if isinstance(exponent, int) else 0, 2)
    return f"{amount:.{places}f}"
