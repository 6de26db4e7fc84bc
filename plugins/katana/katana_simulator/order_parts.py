"""What hangs on a sales order besides its rows: addresses and the shipping fee."""

from __future__ import annotations

from decimal import Decimal

from katana_simulator import bodies
from katana_simulator.exchange import Answer, Request, Row, not_found, refused
from katana_simulator.lists import COMMON, DATES, Param, answer_list, fields
from katana_simulator.order_views import fee_view
from katana_simulator.orders import add_order_address
from katana_simulator.schema import require
from katana_simulator.tables import Table
from katana_simulator.world import Handler, World

_ADDRESS_PARAMS = (  # K-66
    COMMON
    | {"sales_order_ids": Param("int", "sales_order_id", many=True)}
    | fields("text", "entity_type", *bodies.ADDRESS_TEXTS)
)
_FEE_PARAMS = DATES | fields("int", "sales_order_id")


def list_addresses(world: World, request: Request) -> Answer:
    return answer_list(world, request, world.order_addresses, _ADDRESS_PARAMS, _as_is)


def create_address(world: World, request: Request) -> Answer:
    body = require(bodies.NEW_ORDER_ADDRESS, request.body)
    order = _order(world, body)
    if order[f"{body['entity_type']}_address_id"] is not None:
        raise refused(f"Sales order already has a {body['entity_type']} address")
    row = add_order_address(world, order, body, _touch(world, order))
    return Answer(200, _without_deletion(row), wrote=True)


def change_address(world: World, request: Request) -> Answer:
    body = require(bodies.ORDER_ADDRESS_CHANGE, request.body)
    row = _find(world.order_addresses, request)
    row |= {**body, "updated_at": _touch(world, world.orders.rows[row["sales_order_id"]])}
    return Answer(200, _without_deletion(row), wrote=True)


def delete_address(world: World, request: Request) -> Answer:
    row = _find(world.order_addresses, request)
    order = world.orders.rows[row["sales_order_id"]]
    order[f"{row['entity_type']}_address_id"] = None
    stamp = _touch(world, order)
    row |= {"deleted_at": stamp, "updated_at": stamp}
    return Answer(int(world.options["delete_status"]), wrote=True)


def list_fees(world: World, request: Request) -> Answer:
    return answer_list(world, request, world.shipping_fees, _FEE_PARAMS, lambda _, row: fee_view(row))


def read_fee(world: World, request: Request) -> Answer:
    return Answer(200, fee_view(_find(world.shipping_fees, request)))


def create_fee(world: World, request: Request) -> Answer:
    body = require(bodies.NEW_SHIPPING_FEE, request.body)
    order = _order(world, body)
    _check_tax(world, body)
    if world.options["second_shipping_fee"] == "refuse" and world.shipping_fees.first("sales_order_id", order["id"]):
        raise refused("Sales order already has a shipping fee")  # K-67
    stamp = _touch(world, order)
    row: Row = {
        "sales_order_id": order["id"],
        "amount": Decimal(body["amount"]),
        "description": body.get("description"),
        "tax_rate_id": body.get("tax_rate_id"),
        "created_at": stamp,
        "updated_at": stamp,
        "deleted_at": None,
    }
    return Answer(200, fee_view(world.shipping_fees.add(row)), wrote=True)


def change_fee(world: World, request: Request) -> Answer:
    body = require(bodies.SHIPPING_FEE_CHANGE, request.body)
    row = _find(world.shipping_fees, request)
    _check_tax(world, body)
    stamp = _touch(world, world.orders.rows[row["sales_order_id"]])
    row |= {**body, "amount": Decimal(body["amount"]), "updated_at": stamp}
    return Answer(200, fee_view(row), wrote=True)


def delete_fee(world: World, request: Request) -> Answer:
    row = _find(world.shipping_fees, request)
    stamp = _touch(world, world.orders.rows[row["sales_order_id"]])
    row |= {"deleted_at": stamp, "updated_at": stamp}
    return Answer(int(world.options["delete_status"]), wrote=True)


def _touch(world: World, order: Row) -> str:
    stamp = world.stamp()
    world.orders.change(order, {"updated_at": stamp})
    return stamp


def _order(world: World, body: Row) -> Row:
    order = world.orders.live(body["sales_order_id"])
    if order is None:
        raise refused(f"Sales order with id {body['sales_order_id']} not found")
    return order


def _check_tax(world: World, body: Row) -> None:
    tax_id = body.get("tax_rate_id")
    if tax_id is not None and world.tax_rates.live(tax_id) is None:
        raise refused(f"Tax rate with id {tax_id} not found")


def _find(table: Table, request: Request) -> Row:
    row = table.live(request.id)
    if row is None:
        raise not_found()
    return row


def _as_is(world: World, row: Row) -> Row:
    return row


def _without_deletion(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "deleted_at"}


ROUTES: dict[str, Handler] = {
    "GET /sales_order_addresses": list_addresses,
    "POST /sales_order_addresses": create_address,
    "PATCH /sales_order_addresses/{id}": change_address,
    "DELETE /sales_order_addresses/{id}": delete_address,
    "GET /sales_order_shipping_fee": list_fees,
    "POST /sales_order_shipping_fee": create_fee,
    "GET /sales_order_shipping_fee/{id}": read_fee,
    "PATCH /sales_order_shipping_fee/{id}": change_fee,
    "DELETE /sales_order_shipping_fee/{id}": delete_fee,
}
