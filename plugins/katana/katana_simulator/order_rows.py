"""The calls of `/sales_order_rows`."""

from __future__ import annotations

from decimal import Decimal

from katana_simulator import allocations, bodies
from katana_simulator.exchange import Answer, Request, Row, not_found, refused
from katana_simulator.lists import COMMON, Param, answer_list, fields
from katana_simulator.order_lines import add_line, check_line, line_availability, line_view, settle
from katana_simulator.orders import OPEN, visible_to_lists
from katana_simulator.schema import require
from katana_simulator.variants import view as variant_view
from katana_simulator.world import Handler, World

_PARAMS = (  # K-66: the plural only
    COMMON
    | {"sales_order_ids": Param("int", "sales_order_id", many=True)}
    | fields("int", "variant_id", "tax_rate_id", "linked_manufacturing_order_id", "location_id")
)
_ALLOCATIONS = ("traceability", "batch_transactions", "serial_number_transactions")
_FREE_CHANGES = ("attributes", "custom_fields")


def list_rows(world: World, request: Request) -> Answer:
    shown = visible_to_lists(world)
    wanted = request.query.get("product_availability")

    def is_shown(row: Row) -> bool:
        order = world.orders.rows[row["sales_order_id"]]
        return shown(order) and (wanted is None or line_availability(world, order, row) == wanted[-1])

    extends = "variant" in request.query.get("extend", [])
    return answer_list(world, request, world.order_rows, _PARAMS, _extended if extends else view, is_shown)


def read_row(world: World, request: Request) -> Answer:
    extends = "variant" in request.query.get("extend", [])
    return Answer(200, (_extended if extends else view)(world, _find(world, request)))


def create_row(world: World, request: Request) -> Answer:
    body = require(bodies.NEW_ORDER_ROW, request.body)
    order = world.orders.live(body["sales_order_id"])
    if order is None:
        raise refused(f"Sales order with id {body['sales_order_id']} not found")
    return Answer(200, view(world, put_row(world, order, body)), wrote=True)


def put_row(world: World, order: Row, body: Row) -> Row:
    """Add a row to an order that is open.  # K-65"""
    _check_open(order)
    check_line(world, body)
    stamp = world.stamp()
    row = add_line(world, order, body, stamp)
    world.orders.change(order, {"updated_at": stamp})
    return row


def change_row(world: World, request: Request) -> Answer:
    body = require(bodies.ORDER_ROW_CHANGE, request.body)
    return Answer(200, view(world, edit_row(world, _find(world, request), body)), wrote=True)


def edit_row(world: World, row: Row, body: Row) -> Row:
    """Change a row as a PATCH does; what decides about stock only while the order is open.  # K-65"""
    order, stamp = world.orders.rows[row["sales_order_id"]], world.stamp()
    if any(name not in _FREE_CHANGES + _ALLOCATIONS for name in body):
        _check_open(order)
    check_line(world, body)
    if body.get("custom_fields"):
        body = body | {"custom_fields": (row["custom_fields"] or {}) | body["custom_fields"]}
    for name in ("variant_id", "tax_rate_id", "location_id", *_FREE_CHANGES):
        if name in body:
            row[name] = body[name]
    for name, field in (("quantity", "quantity"), ("price_per_unit", "price"), ("total_discount", "discount")):
        if name in body:
            row[field] = Decimal(body[name])
    allocations.allocate(row, body)
    row["updated_at"] = stamp
    world.orders.change(order, {"updated_at": stamp})
    settle(world, order, row)
    return row


def delete_row(world: World, request: Request) -> Answer:
    remove_row(world, _find(world, request))
    return Answer(int(world.options["delete_status"]), wrote=True)


def remove_row(world: World, row: Row) -> None:
    """Mark a row as deleted, while its order is open; its commitment goes."""
    order, stamp = world.orders.rows[row["sales_order_id"]], world.stamp()
    _check_open(order)
    row |= {"deleted_at": stamp, "updated_at": stamp}
    world.orders.change(order, {"updated_at": stamp})
    settle(world, order, row)


def view(world: World, row: Row) -> Row:
    return line_view(world, world.orders.rows[row["sales_order_id"]], row)


def _extended(world: World, row: Row) -> Row:
    return view(world, row) | {"variant": variant_view(world, world.variants.rows[row["variant_id"]])}


def _check_open(order: Row) -> None:
    if order["status"] not in OPEN:  # K-65
        raise refused(f"Cannot change rows of a sales order with status {order['status']}")


def _find(world: World, request: Request) -> Row:
    row = world.order_rows.live(request.id)
    if row is None:
        raise not_found()
    return row


ROUTES: dict[str, Handler] = {
    "GET /sales_order_rows": list_rows,
    "POST /sales_order_rows": create_row,
    "GET /sales_order_rows/{id}": read_row,
    "PATCH /sales_order_rows/{id}": change_row,
    "DELETE /sales_order_rows/{id}": delete_row,
}
