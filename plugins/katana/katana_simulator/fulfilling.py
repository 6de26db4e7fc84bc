"""What fulfillments do to orders and stock (K-62, K-64)."""

from __future__ import annotations

from decimal import Decimal

from katana_simulator.allocations import KINDS, is_serial_tracked
from katana_simulator.exchange import Row
from katana_simulator.kits import build, build_missing
from katana_simulator.order_lines import lines_of, settle
from katana_simulator.stock import ZERO, Cause
from katana_simulator.world import World

TRACKING = ("tracking_number", "tracking_url", "tracking_carrier", "tracking_method")


def add_fulfillment(world: World, order: Row, given: Row, picked: str | None = None) -> Row:
    """Ship the given rows: stock and commitment drop, the order's status follows."""
    stamp = world.stamp()
    fulfillment: Row = {
        "sales_order_id": order["id"],
        "picked_date": picked or stamp,
        "status": given["status"],
        "invoice_status": "NOT_INVOICED",
        "conversion_rate": given.get("conversion_rate"),
        "conversion_date": given.get("conversion_date"),
        **{name: given.get(name) for name in TRACKING},
        "packer_id": None,
        "rows": [],
        "created_at": stamp,
        "updated_at": stamp,
        "deleted_at": None,
    }
    world.fulfillments.add(fulfillment)
    for row in given["sales_order_fulfillment_rows"]:
        line = world.order_rows.rows[row["sales_order_row_id"]]
        given_from = {name: row[name] for name in KINDS if name in row}
        fulfillment["rows"].append(_ship(world, order, line, Decimal(row["quantity"])) | given_from)
    refresh_status(world, order)
    return fulfillment


def undo_fulfillment(world: World, order: Row, fulfillment: Row) -> None:
    """Take a fulfillment back, whole: its quantities return to stock and to commitment."""
    stamp, now = world.stamp(), world.clock.now()
    for shipped in fulfillment["rows"]:
        line = world.order_rows.rows[shipped["sales_order_row_id"]]
        line["fulfilled"] -= shipped["quantity"]
        if shipped["place"] is not None:
            variant, cause = world.variants.rows[shipped["place"][0]], _cause(order, line)
            world.stock.move(shipped["place"], shipped["quantity"], cause, now)
            if shipped["built"]:
                build(world, variant, shipped["place"], -shipped["built"], cause)
        settle(world, order, line)
    fulfillment |= {"deleted_at": stamp, "updated_at": stamp}
    refresh_status(world, order)


def edit_fulfillment(world: World, fulfillment: Row, values: Row) -> None:
    """Change tracking, status or date; whether tracking alone moves `updated_at` is a switch.  # K-71"""
    is_tracking_only = all(name in TRACKING for name in values)
    if not is_tracking_only or world.options["tracking_edit_updates"] == "yes":
        values = values | {"updated_at": world.stamp()}
    world.fulfillments.change(fulfillment, values)
    if not is_tracking_only:
        refresh_status(world, world.orders.rows[fulfillment["sales_order_id"]])


def deliver_rest(world: World, order: Row, status: str) -> None:
    """Ship everything that is still open, and raise what is already packed to the same status."""
    if any(is_serial_tracked(world, line) for line in lines_of(world, order)):
        return  # seen live: the answer is 200 and nothing changes
    for fulfillment in world.fulfillments.each("sales_order_id", order["id"]):
        if status == "DELIVERED":
            fulfillment |= {"status": status, "updated_at": world.stamp()}
    rows = open_rows(world, order)
    if rows:
        add_fulfillment(world, order, {"status": status, "sales_order_fulfillment_rows": rows})
    refresh_status(world, order)


def open_rows(world: World, order: Row) -> list[Row]:
    """What is left to ship, in the shape of a fulfillment's rows."""
    return [
        {"sales_order_row_id": line["id"], "quantity": line["quantity"] - line["fulfilled"]}
        for line in lines_of(world, order)
        if line["quantity"] > line["fulfilled"]
    ]


def refresh_status(world: World, order: Row) -> None:
    """Work the order's status out of its fulfillments.  # K-62"""
    fulfillments = world.fulfillments.each("sales_order_id", order["id"])
    picked = max((row["picked_date"] for row in fulfillments), default=None)
    values: Row = {"status": _status(world, order, fulfillments), "picked_date": picked}
    if world.options["shipment_moves_order"] == "yes":  # assumed
        values["updated_at"] = world.stamp()
    world.orders.change(order, values)


def _status(world: World, order: Row, fulfillments: list[Row]) -> str:
    if not fulfillments:
        return "PENDING" if order["is_quote"] else "READY_FOR_FULFILLMENT" if order["is_ready"] else "NOT_SHIPPED"
    delivered = [row["status"] == "DELIVERED" for row in fulfillments]
    if all(line["fulfilled"] >= line["quantity"] for line in lines_of(world, order)):
        is_mixed = any(delivered) and not all(delivered)
        return world.options["mixed_status"] if is_mixed else "DELIVERED" if all(delivered) else "PACKED"
    return "PARTIALLY_DELIVERED" if any(delivered) else "PARTIALLY_PACKED"


def _ship(world: World, order: Row, line: Row, quantity: Decimal) -> Row:
    world.last_fulfillment_row += 1
    variant, cause = world.variants.rows[line["variant_id"]], _cause(order, line)
    place, built = None, ZERO
    if variant["type"] != "service":
        place = (variant["id"], line["location_id"] or order["location_id"])
        built = build_missing(world, variant, place, quantity, cause)
        world.stock.move(place, -quantity, cause, world.clock.now())
    line["fulfilled"] += quantity
    settle(world, order, line)
    row_id = world.last_fulfillment_row
    return {"id": row_id, "sales_order_row_id": line["id"], "quantity": quantity, "place": place, "built": built}


def _cause(order: Row, line: Row) -> Cause:
    return Cause("SalesOrderRow", line["id"], order["order_no"], order["id"])
