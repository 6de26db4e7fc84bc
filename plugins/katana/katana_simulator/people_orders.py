"""Deeds around orders: shipping them, editing them by hand, invoicing, deleting."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from katana_simulator import bodies, fulfillments
from katana_simulator.clock import canonical
from katana_simulator.exchange import Row
from katana_simulator.fulfilling import TRACKING, add_fulfillment, edit_fulfillment, open_rows
from katana_simulator.invoices import link_invoice, unlink_invoices
from katana_simulator.order_lines import line_view, lines_of
from katana_simulator.order_rows import edit_row, put_row, remove_row
from katana_simulator.order_views import order_view
from katana_simulator.orders import edit_order, remove_order
from katana_simulator.people import Body, Deed, deed, location_of, number, numbers, order_of, variant_of
from katana_simulator.schema import require
from katana_simulator.world import World

_ORDER = ("order_no", "sales_order_id")
_EDITS = (
    "status", "delivery_date", "picked_date", "additional_info", "customer_ref", "tracking_number",
    "tracking_number_url", "currency", "customer_id", "location_id",
)  # fmt: skip
_STATUSES = ("PACKED", "DELIVERED")


def ship(world: World, body: Body) -> Row:
    """Pack or deliver an order: what is open, or only `quantities` ({SKU: n}); answers the fulfillment."""
    order = order_of(world, body)
    if order["is_quote"]:
        raise ValueError("a quote (PENDING) cannot be shipped")
    rows = open_rows(world, order)
    if "quantities" in body:
        rows = _chosen(world, rows, numbers(body["quantities"]))
    if not rows:
        raise ValueError(f"nothing is open on order {order['order_no']}")
    given = {name: body[name] for name in TRACKING if name in body}
    given |= {"status": _status(body.get("status", "DELIVERED")), "sales_order_fulfillment_rows": rows}
    return fulfillments.view(world, add_fulfillment(world, order, given, _instant(body, "picked_date")))


def edit_shipment(world: World, body: Body) -> Row:
    """Change tracking, status or date of a fulfillment: the one of that id, or the order's newest."""
    found = _fulfillment(world, body)
    values = {name: body[name] for name in TRACKING if name in body}
    if "status" in body:
        values["status"] = _status(body["status"])
    if "picked_date" in body:
        values["picked_date"] = _instant(body, "picked_date")
    edit_fulfillment(world, found, values)
    return fulfillments.view(world, found)


def unship(world: World, body: Body) -> list[int]:
    """Delete one fulfillment by its id, or every one of an order; answers the ids."""
    if "fulfillment_id" in body:
        found = [_fulfillment(world, body)]
    else:
        found = world.fulfillments.each("sales_order_id", order_of(world, body)["id"])
    for fulfillment in found:
        fulfillments.remove_fulfillment(world, fulfillment)
    return [int(fulfillment["id"]) for fulfillment in found]


def edit(world: World, body: Body) -> Row:
    """Change the order's own fields, under the rules of its PATCH."""
    order = order_of(world, body)
    changes = {name: body[name] for name in _EDITS if name in body}
    if "new_order_no" in body:
        changes["order_no"] = body["new_order_no"]
    if "location" in body:
        changes["location_id"] = location_of(world, body)
    edit_order(world, order, require(bodies.ORDER_CHANGE, changes))
    return show_order(world, {"sales_order_id": order["id"]})


def edit_rows(world: World, body: Body) -> Row:
    """Set quantities or prices, add rows, remove rows, by SKU; only while the order is open."""
    order = order_of(world, body)
    for sku, quantity in numbers(body.get("quantities", {})).items():
        edit_row(world, _line(world, order, sku), {"quantity": quantity})
    for sku, price in numbers(body.get("prices", {})).items():
        edit_row(world, _line(world, order, sku), {"price_per_unit": price})
    for sku, other in body.get("replace", {}).items():
        edit_row(world, _line(world, order, sku), {"variant_id": variant_of(world, {"sku": other})["id"]})
    for row in body.get("add", []):
        put_row(world, order, _new_row(world, row))
    for sku in body.get("remove", []):
        remove_row(world, _line(world, order, sku))
    return show_order(world, {"sales_order_id": order["id"]})


def delete(world: World, body: Body) -> Row:
    order = order_of(world, body)
    remove_order(world, order)
    return {"id": order["id"], "deleted_at": order["deleted_at"]}


def invoice(world: World, body: Body) -> Row:
    """Link an invoice to the whole order, or take it away with `linked` false."""
    order = order_of(world, body)
    if body.get("linked", True):
        link_invoice(world, order, str(body.get("invoice_id", f"INV-{order['id']}")), body.get("integration", "xero"))
    else:
        unlink_invoices(world, order)
    return {"id": order["id"], "invoicing_status": order["invoicing_status"]}


def show_order(world: World, body: Body) -> Row:
    """Everything about the newest order of a number, a deleted one too: rows with SKUs, and what was shipped."""
    if "sales_order_id" in body:
        order = world.orders.rows[int(body["sales_order_id"])]
    else:
        named = world.orders.where("order_no", [str(body["order_no"])])
        if not named:
            raise ValueError(f"no sales order {body['order_no']}")
        order = named[0]
    lines = reversed(world.order_rows.where("sales_order_id", [order["id"]]))
    return order_view(world, order) | {
        "sales_order_rows": [_shown_line(world, order, line) for line in lines],
        "fulfillments": [
            fulfillments.view(world, row) | {"deleted_at": row["deleted_at"]}
            for row in reversed(world.fulfillments.where("sales_order_id", [order["id"]]))
        ],
    }


def _shown_line(world: World, order: Row, line: Row) -> Row:
    sku = world.variants.rows[line["variant_id"]]["sku"]
    return line_view(world, order, line) | {"sku": sku, "fulfilled": line["fulfilled"]}


def _chosen(world: World, rows: list[Row], wanted: dict[str, Decimal]) -> list[Row]:
    """Spread the wanted quantities over the open rows, oldest first."""
    chosen = []
    for row in rows:
        sku = world.variants.rows[world.order_rows.rows[row["sales_order_row_id"]]["variant_id"]]["sku"]
        taken = min(wanted.get(sku, Decimal(0)), row["quantity"])
        if taken > 0:
            wanted[sku] -= taken
            chosen.append({**row, "quantity": taken})
    left = {sku: str(quantity) for sku, quantity in wanted.items() if quantity}
    if left:
        raise ValueError(f"more than is open: {left}")
    return chosen


def _fulfillment(world: World, body: Body) -> Row:
    if "fulfillment_id" in body:
        found = world.fulfillments.live(int(body["fulfillment_id"]))
    else:
        found = next(reversed(world.fulfillments.each("sales_order_id", order_of(world, body)["id"])), None)
    if found is None:
        raise ValueError("no such fulfillment")
    return found


def _line(world: World, order: Row, sku: str) -> Row:
    for line in lines_of(world, order):
        if world.variants.rows[line["variant_id"]]["sku"] == sku:
            return line
    raise ValueError(f"order {order['order_no']} has no row with SKU {sku}")


def _new_row(world: World, given: Row) -> Row:
    row: Row = {"variant_id": variant_of(world, given)["id"], "quantity": number(given.get("quantity", 1))}
    if "price" in given:
        row["price_per_unit"] = number(given["price"])
    return row


def _status(status: Any) -> str:
    if status not in _STATUSES:
        raise ValueError(f"status takes PACKED or DELIVERED, not {status}")
    return str(status)


def _instant(body: Body, name: str) -> str | None:
    if body.get(name) is None:
        return None
    found = canonical(str(body[name]))
    if found is None:
        raise ValueError(f"{name} takes an instant with a zone, not {body[name]}")
    return found


DEEDS: dict[str, Deed] = {
    "ship": deed(ship, *_ORDER, "quantities", "status", "picked_date", *TRACKING),
    "shipment": deed(edit_shipment, *_ORDER, "fulfillment_id", "status", "picked_date", *TRACKING),
    "unship": deed(unship, *_ORDER, "fulfillment_id"),
    "order": deed(edit, *_ORDER, "new_order_no", "location", *_EDITS),
    "rows": deed(edit_rows, *_ORDER, "quantities", "prices", "replace", "add", "remove"),
    "delete": deed(delete, *_ORDER),
    "invoice": deed(invoice, *_ORDER, "linked", "invoice_id", "integration"),
}
