"""Sales orders as answers show them."""

from __future__ import annotations

from decimal import Decimal

from katana_simulator.exchange import Row
from katana_simulator.order_lines import HUNDRED, gross_total, line_availability, line_view, lines_of
from katana_simulator.stock import ZERO
from katana_simulator.world import World

_STORED = (
    "id", "customer_id", "order_no", "source", "order_created_date", "delivery_date", "picked_date", "location_id",
    "status", "currency", "conversion_rate", "conversion_date", "invoicing_status", "additional_info", "customer_ref",
    "ecommerce_order_type", "ecommerce_store_name", "ecommerce_order_id", "ingredient_availability",
    "production_status", "tracking_number", "tracking_number_url", "billing_address_id", "shipping_address_id",
    "custom_fields", "created_at", "updated_at", "deleted_at",
)  # fmt: skip
_WORST_FIRST = ("NOT_AVAILABLE", "EXPECTED", "IN_STOCK", "PICKED", "NOT_APPLICABLE")


def order_view(world: World, order: Row, *, is_new: bool = False) -> Row:
    """The order with its rows and their ids (K-54), fee and addresses."""
    lines = lines_of(world, order)
    total = sum((gross_total(world, line) for line in lines), ZERO)
    fees = world.shipping_fees.each("sales_order_id", order["id"])
    if world.options["total_includes_shipping"] == "yes":  # K-51
        total += sum((_fee_total(world, fee) for fee in fees), ZERO)
    rate = order["conversion_rate"] or world.rate_of(order["currency"])
    shown = {name: order[name] for name in _STORED}
    shown |= {
        "total": f"{total:f}" if world.options["number_style"] == "strings" else total,  # K-19
        "total_in_base_currency": total * rate,
        "product_availability": order_availability(world, order),
        "product_expected_date": None,
        "ingredient_expected_date": None,
        "linked_manufacturing_order_id": None,
        "shipping_fee": fee_view(fees[0]) if fees else None,
        "addresses": world.order_addresses.each("sales_order_id", order["id"]),
        "sales_order_rows": [line_view(world, order, line, is_new=is_new) for line in lines],
    }
    return shown


def order_availability(world: World, order: Row) -> str:
    """The worst of the rows, leaving out those that hold no stock."""
    found = {line_availability(world, order, line) for line in lines_of(world, order)}
    return next((word for word in _WORST_FIRST if word in found), "NOT_APPLICABLE")


def fee_view(fee: Row) -> Row:
    """A shipping fee, its amount as text with ten decimals.  # K-21"""
    return {
        "id": fee["id"],
        "sales_order_id": fee["sales_order_id"],
        "amount": f"{fee['amount']:.10f}",
        "description": fee["description"],
        "tax_rate_id": fee["tax_rate_id"],
    }


def _fee_total(world: World, fee: Row) -> Decimal:
    tax_id = fee["tax_rate_id"]
    rate = ZERO if tax_id is None else world.tax_rates.rows[tax_id]["rate"]
    total: Decimal = fee["amount"] * (HUNDRED + rate) / HUNDRED
    return total
