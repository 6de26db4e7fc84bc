"""The calls of `/sales_order_fulfillments`: the record of what shipped, with its tracking."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from katana_simulator import allocations, bodies
from katana_simulator.allocations import check_allocation
from katana_simulator.clock import canonical
from katana_simulator.exchange import Answer, Request, Row, blocked, not_found, refused
from katana_simulator.fulfilling import TRACKING, add_fulfillment, edit_fulfillment, undo_fulfillment
from katana_simulator.lists import DATES, Param, answer_list, fields, is_true
from katana_simulator.schema import require
from katana_simulator.stock import ZERO
from katana_simulator.world import Handler, World

_PARAMS = (  # K-70: no ids
    DATES
    | fields("int", "sales_order_id")
    | fields("text", "status", "invoice_status", *TRACKING)
    | {"picked_date_min": Param("min", "picked_date")}
)


def list_fulfillments(world: World, request: Request) -> Answer:
    return answer_list(world, request, world.fulfillments, _PARAMS, view)


def read_fulfillment(world: World, request: Request) -> Answer:
    row = world.fulfillments.rows.get(request.id)
    if row is None or (row["deleted_at"] and not is_true(request, "include_deleted")):
        raise not_found()
    return Answer(200, view(world, row))


def create_fulfillment(world: World, request: Request) -> Answer:
    body = require(bodies.NEW_FULFILLMENT, request.body)
    order = world.orders.live(body["sales_order_id"])
    if order is None:
        raise refused(f"Sales order with id {body['sales_order_id']} not found")
    if order["is_quote"]:
        raise refused("Sales order with status PENDING cannot be fulfilled")
    _check_rows(world, order, body["sales_order_fulfillment_rows"])
    picked = canonical(body["picked_date"]) if "picked_date" in body else None
    return Answer(200, view(world, add_fulfillment(world, order, body, picked)), wrote=True)


def change_fulfillment(world: World, request: Request) -> Answer:
    body = require(bodies.FULFILLMENT_CHANGE, request.body)
    row = _find(world, request)
    values = dict(body)
    if "picked_date" in values:
        values["picked_date"] = canonical(values["picked_date"])
    edit_fulfillment(world, row, values)
    shown = view(world, row)
    for item in shown["sales_order_fulfillment_rows"]:
        del item["id"]
    return Answer(200, shown, wrote=True)


def delete_fulfillment(world: World, request: Request) -> Answer:
    remove_fulfillment(world, _find(world, request))
    return Answer(int(world.options["delete_status"]), wrote=True)


def remove_fulfillment(world: World, row: Row) -> None:
    """Take a fulfillment back, unless goods of it have been returned (assumed: stock would be counted twice)."""
    if any(world.return_rows.first("fulfillment_row_id", shipped["id"]) for shipped in row["rows"]):
        raise blocked("Cannot delete sales order fulfillment as it has return orders.")
    undo_fulfillment(world, world.orders.rows[row["sales_order_id"]], row)


def _check_rows(world: World, order: Row, rows: list[Row]) -> None:
    wanted: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for row in rows:
        found = world.order_rows.live(row["sales_order_row_id"])
        if found is not None:
            check_allocation(world, found, row)
        wanted[int(row["sales_order_row_id"])] += Decimal(row["quantity"])
    for row_id, quantity in wanted.items():
        line = world.order_rows.live(row_id)
        if line is None or line["sales_order_id"] != order["id"]:
            raise refused(f"Sales order row with id {row_id} not found")
        left = line["quantity"] - line["fulfilled"]
        if quantity > left and world.options["over_fulfillment"] == "refuse":  # K-69
            raise refused(f"Fulfillment quantity {quantity} of row {row_id} exceeds its open quantity {left}")


def _find(world: World, request: Request) -> Row:
    row = world.fulfillments.live(request.id)
    if row is None:
        raise not_found()
    return row


def view(world: World, row: Row) -> Row:
    shown = {name: value for name, value in row.items() if name != "rows"}
    shown["sales_order_fulfillment_rows"] = [_row_view(shipped) for shipped in row["rows"]]
    if world.options["fulfillment_timestamps"] == "no":  # K-71
        del shown["created_at"], shown["updated_at"]
    if not row["deleted_at"]:
        del shown["deleted_at"]
    return shown


def _row_view(shipped: Row) -> Row:
    return {
        "id": shipped["id"],
        "sales_order_row_id": shipped["sales_order_row_id"],
        "quantity": shipped["quantity"],
        **allocations.shown(shipped),
    }


ROUTES: dict[str, Handler] = {
    "GET /sales_order_fulfillments": list_fulfillments,
    "POST /sales_order_fulfillments": create_fulfillment,
    "GET /sales_order_fulfillments/{id}": read_fulfillment,
    "PATCH /sales_order_fulfillments/{id}": change_fulfillment,
    "DELETE /sales_order_fulfillments/{id}": delete_fulfillment,
}
