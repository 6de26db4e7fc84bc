"""The calls of `/sales_returns` and `/sales_return_rows` (fact sheet 7)."""

from __future__ import annotations

from decimal import Decimal

from katana_simulator import return_bodies
from katana_simulator.exchange import Answer, Request, Row, not_found, refused
from katana_simulator.lists import COMMON, Param, answer_list, fields
from katana_simulator.returning import (
    REASON_IDS,
    add_return,
    add_return_row,
    change_return_status,
    check_quantity,
    remove_return,
    returnable,
    settle_return_row,
    shipped_row,
)
from katana_simulator.schema import require
from katana_simulator.world import Handler, World

_PARAMS = (  # `order_no` is the return's; `sales_order_id`, `return_date_min` and the like are ignored
    COMMON
    | fields("text", "order_no", "status", "refund_status")
    | fields("int", "return_location_id")
    | {f"order_return_date_{kind}": Param(kind, "return_date") for kind in ("min", "max")}
    | {f"order_created_date_{kind}": Param(kind, "order_created_date") for kind in ("min", "max")}
)
_ROW_PARAMS = COMMON | fields(
    "int", "sales_return_id", "variant_id", "restock_location_id", "reason_id", "sales_order_row_id"
)


def list_returns(world: World, request: Request) -> Answer:
    return answer_list(world, request, world.returns, _PARAMS, _view)


def read_return(world: World, request: Request) -> Answer:
    return Answer(200, _view(world, _find(world, request)))


def create_return(world: World, request: Request) -> Answer:
    body = return_bodies.read_new(world, request.body)
    order = world.orders.live(body["sales_order_id"])
    if order is None:
        raise refused(f"Sales order with id {body['sales_order_id']} not found")
    _check_location(world, body.get("return_location_id"))
    return Answer(200, _view(world, add_return(world, order, body)), wrote=True)


def change_return(world: World, request: Request) -> Answer:
    body = return_bodies.read_change(world, request.body)
    found = _find(world, request)
    values = {name: value for name, value in body.items() if name != "status"}
    if values and found["status"] == "RESTOCKED_ALL":
        raise refused("Sales return with status RESTOCKED_ALL cannot be changed")
    is_leap = body.get("status") == "RESTOCKED_ALL" and found["status"] == "NOT_RETURNED"
    if is_leap and world.options["return_steps"] == "in_turn":  # K-90
        raise refused("Sales return must be returned before it can be restocked")
    _check_location(world, body.get("return_location_id"))
    world.returns.change(found, {**values, "updated_at": world.stamp()})
    if "status" in body:
        change_return_status(world, found, body["status"])
    return Answer(200, _view(world, found), wrote=True)


def delete_return(world: World, request: Request) -> Answer:
    remove_return(world, _find(world, request))
    return Answer(int(world.options["delete_status"]), wrote=True)


def list_reasons(world: World, request: Request) -> Answer:
    return Answer(200, [{"id": number, "name": name} for number, name in REASON_IDS.items()])


def list_returnable(world: World, request: Request) -> Answer:
    order = world.orders.live(request.id)
    if order is None:
        raise not_found()
    return Answer(200, returnable(world, order))


def list_rows(world: World, request: Request) -> Answer:
    return answer_list(world, request, world.return_rows, _ROW_PARAMS, _row_view)


def read_row(world: World, request: Request) -> Answer:
    return Answer(200, _row_view(world, _find_row(world, request)))


def create_row(world: World, request: Request) -> Answer:
    body = require(return_bodies.NEW_ROW, request.body)
    found = world.returns.live(body["sales_return_id"])
    if found is None:
        raise refused(f"Sales return with id {body['sales_return_id']} not found")
    if found["status"] != "NOT_RETURNED":
        raise refused(f"Cannot add rows to a sales return with status {found['status']}")
    _check_row(world, body)
    return Answer(200, _row_view(world, add_return_row(world, found, body)), wrote=True)


def change_row(world: World, request: Request) -> Answer:
    """Quantity and reason change before the return, where it goes and batches until it is restocked."""
    body = require(return_bodies.ROW_CHANGE, request.body)
    row = _find_row(world, request)
    found = world.returns.rows[row["sales_return_id"]]
    is_late = bool({"quantity", "reason_id"} & set(body)) and found["status"] != "NOT_RETURNED"
    if is_late or found["status"] == "RESTOCKED_ALL":
        raise refused(f"Cannot change this row of a sales return with status {found['status']}")
    _check_row(world, body)
    values = dict(body)
    if "quantity" in values:
        values["quantity"] = Decimal(values["quantity"])
        check_quantity(world, shipped_row(world, found, row["fulfillment_row_id"]), values["quantity"], row)
    row |= {**values, "updated_at": world.stamp()}
    settle_return_row(world, found, row)
    return Answer(200, _row_view(world, row), wrote=True)


def delete_row(world: World, request: Request) -> Answer:
    row = _find_row(world, request)
    found, stamp = world.returns.rows[row["sales_return_id"]], world.stamp()
    if found["status"] != "NOT_RETURNED":
        raise refused(f"Cannot delete rows of a sales return with status {found['status']}")
    row |= {"deleted_at": stamp, "updated_at": stamp}
    return Answer(int(world.options["delete_status"]), wrote=True)


def _check_row(world: World, body: Row) -> None:
    _check_location(world, body.get("restock_location_id"))
    if body.get("reason_id") is not None and body["reason_id"] not in REASON_IDS:
        raise refused(f"Return reason with id {body['reason_id']} not found")


def _check_location(world: World, location_id: int | None) -> None:
    if location_id is not None and world.locations.live(location_id) is None:
        raise refused(f"Location with id {location_id} not found")


def _find(world: World, request: Request) -> Row:
    found = world.returns.live(request.id)
    if found is None:
        raise not_found()
    return found


def _find_row(world: World, request: Request) -> Row:
    found = world.return_rows.live(request.id)
    if found is None:
        raise not_found()
    return found


def _view(world: World, row: Row) -> Row:
    word = world.options["refunded_word"]
    return row | {"refund_status": word if row["refund_status"] == "REFUNDED" else row["refund_status"]}


def _row_view(world: World, row: Row) -> Row:
    """Quantity and price are text (fact sheet 1.5)."""
    hidden = ("restocked",) if row["deleted_at"] else ("restocked", "deleted_at")
    shown = {name: value for name, value in row.items() if name not in hidden}
    return shown | {"quantity": f"{row['quantity']:f}", "net_price_per_unit": f"{row['net_price_per_unit']:.10f}"}


ROUTES: dict[str, Handler] = {
    "GET /sales_returns": list_returns,
    "POST /sales_returns": create_return,
    "GET /sales_returns/return_reasons": list_reasons,
    "GET /sales_returns/{id}": read_return,
    "PATCH /sales_returns/{id}": change_return,
    "DELETE /sales_returns/{id}": delete_return,
    "GET /sales_orders/{id}/returnable_items": list_returnable,
    "GET /sales_return_rows": list_rows,
    "POST /sales_return_rows": create_row,
    "GET /sales_return_rows/{id}": read_row,
    "PATCH /sales_return_rows/{id}": change_row,
    "DELETE /sales_return_rows/{id}": delete_row,
}
