"""The whole state as JSON, for assertions: every table under its resource's name, deleted rows included."""

from __future__ import annotations

from typing import Any

from katana_simulator import fulfillments, variants
from katana_simulator.exchange import Row
from katana_simulator.kits import potential
from katana_simulator.order_lines import line_view
from katana_simulator.order_views import fee_view, order_view
from katana_simulator.world import World


def dump(world: World) -> dict[str, Any]:
    """Every table; orders as lists show them, `inventory` with exact numbers for each place ever touched."""
    return {
        "locations": list(world.locations.rows.values()),
        "variants": [variants.view(world, row) | {"kit": row["kit"]} for row in world.variants.rows.values()],
        "products": list(world.parents["product"].rows.values()),
        "materials": list(world.parents["material"].rows.values()),
        "services": list(world.parents["service"].rows.values()),
        "customers": list(world.customers.rows.values()),
        "customer_addresses": list(world.customer_addresses.rows.values()),
        "tax_rates": list(world.tax_rates.rows.values()),
        "sales_orders": [order_view(world, row) for row in world.orders.rows.values()],
        "sales_order_rows": [_line(world, row) for row in world.order_rows.rows.values()],
        "sales_order_addresses": list(world.order_addresses.rows.values()),
        "sales_order_shipping_fee": [
            fee_view(row) | {"deleted_at": row["deleted_at"]} for row in world.shipping_fees.rows.values()
        ],
        "sales_order_fulfillments": [
            fulfillments.view(world, row) | {"deleted_at": row["deleted_at"]}
            for row in world.fulfillments.rows.values()
        ],
        "sales_returns": list(world.returns.rows.values()),
        "sales_return_rows": list(world.return_rows.rows.values()),
        "inventory": [_level(world, place) for place in world.stock.levels],
        "inventory_movements": list(world.stock.movements.rows.values()),
        "stock_adjustments": list(world.adjustments.rows.values()),
        "factory": world.factory,
    }


def _line(world: World, row: Row) -> Row:
    return line_view(world, world.orders.rows[row["sales_order_id"]], row) | {"fulfilled": row["fulfilled"]}


def _level(world: World, place: tuple[int, int]) -> Row:
    level, variant = world.stock.levels[place], world.variants.rows[place[0]]
    return {
        "variant_id": place[0],
        "sku": variant["sku"],
        "location_id": place[1],
        "location": world.locations.rows[place[1]]["name"],
        "in_stock": level.in_stock,
        "committed": level.committed,
        "expected": level.expected,
        "potential": potential(world, variant, place[1]),
    }
