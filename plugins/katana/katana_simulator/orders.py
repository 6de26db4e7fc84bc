"""Sales orders: create, read, change, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from katana_simulator import bodies
from katana_simulator.clock import canonical
from katana_simulator.exchange import Answer, Request, Row, not_found, refused
from katana_simulator.fulfilling import deliver_rest, undo_fulfillment
from katana_simulator.invoices import check_deletable
from katana_simulator.lists import COMMON, Param, answer_list, fields
from katana_simulator.order_lines import add_line, check_line, check_location, lines_of, settle
from katana_simulator.order_views import order_availability, order_view
from katana_simulator.schema import require
from katana_simulator.world import Handler, World

_PARAMS = (  # K-56
    COMMON
    | fields("int", "customer_id", "location_id")
    | fields("text", "order_no", "source", "status", "currency", "invoicing_status", "production_status")
    | fields("text", "ingredient_availability", "ecommerce_order_type", "ecommerce_store_name", "ecommerce_order_id")
)
_ONLY_OPEN = ("order_no", "customer_id", "delivery_date", "location_id", "currency")  # K-59
_ONLY_SHIPPED = ("conversion_rate", "conversion_date")
_CREATE_ONLY = ("ecommerce_order_type", "ecommerce_store_name", "ecommerce_order_id")
_KEPT = ("additional_info", "customer_ref", "tracking_number", "tracking_number_url", "custom_fields", *_CREATE_ONLY)
OPEN = ("NOT_SHIPPED", "PENDING", "READY_FOR_FULFILLMENT")  # the last: fact sheet 0.1


def list_orders(world: World, request: Request) -> Answer:
    params = _PARAMS
    if world.options["order_no_match"] == "ignore_case":  # K-26
        params = params | {"order_no": Param("folded", "order_no_folded")}
    shown = visible_to_lists(world)
    wanted = request.query.get("product_availability")
    if wanted is None:
        return answer_list(world, request, world.orders, params, order_view, shown)

    def is_shown(order: Row) -> bool:
        return shown(order) and order_availability(world, order) == wanted[-1]

    return answer_list(world, request, world.orders, params, order_view, is_shown)


def visible_to_lists(world: World) -> Callable[[Row], bool]:
    """Whether lists show an order yet.  # K-75"""
    latest = world.clock.now() - float(world.options["order_visibility_s"])
    return lambda order: order["created_s"] <= latest


def read_order(world: World, request: Request) -> Answer:
    shown = order_view(world, _find(world, request))
    if world.options["inline_addresses"] == "no":  # K-53
        del shown["addresses"]
    return Answer(200, shown)


def create_order(world: World, request: Request) -> Answer:
    """An `Idempotency-Key` header changes nothing: the same body twice makes two orders.  # K-03"""
    body = require(bodies.NEW_ORDER, request.body)
    order = add_order(world, body)
    return Answer(200, order_view(world, order, is_new=True), wrote=True)  # K-15


def add_order(world: World, body: Row) -> Row:
    customer = _customer(world, body["customer_id"])
    if "location_id" in body:
        check_location(world, body["location_id"])
    if "order_no" in body:
        _check_number(world, body["order_no"])
    kinds = [address["entity_type"] for address in body.get("addresses", [])]
    if len(kinds) != len(set(kinds)):
        raise refused("Sales order can have one billing and one shipping address")
    for line in body["sales_order_rows"]:
        check_line(world, line)
    order = world.orders.add(_new_order(world, body, customer))
    stamp = order["created_at"]
    for line in body["sales_order_rows"]:
        add_line(world, order, line, stamp)
    for address in body.get("addresses", []):
        add_order_address(world, order, address, stamp)
    return order


def add_order_address(world: World, order: Row, given: Row, stamp: str) -> Row:
    row: Row = {"sales_order_id": order["id"], "entity_type": given["entity_type"]}
    row |= {name: given.get(name) for name in bodies.ADDRESS_TEXTS}
    row |= {"created_at": stamp, "updated_at": stamp, "deleted_at": None}
    world.order_addresses.add(row)
    order[f"{row['entity_type']}_address_id"] = row["id"]
    return row


def change_order(world: World, request: Request) -> Answer:
    body = require(bodies.ORDER_CHANGE, request.body)
    order = _find(world, request)
    edit_order(world, order, body)
    return Answer(200, order_view(world, order), wrote=True)


def edit_order(world: World, order: Row, body: Row) -> None:
    """Change an order as a PATCH does."""
    _check_change(world, order, body)
    values = {name: value for name, value in body.items() if name != "status"}
    for name in ("order_created_date", "delivery_date", "picked_date", "conversion_date"):
        if name in values:
            values[name] = canonical(values[name])
    if "order_no" in values:
        values["order_no_folded"] = values["order_no"].casefold()
    if values.get("custom_fields"):
        values["custom_fields"] = (order["custom_fields"] or {}) | values["custom_fields"]
    world.orders.change(order, {**values, "updated_at": world.stamp()})
    if "picked_date" in values and world.options["order_picked_date"] == "copied":
        for fulfillment in world.fulfillments.each("sales_order_id", order["id"]):
            fulfillment |= {"picked_date": values["picked_date"], "updated_at": order["updated_at"]}
    _change_status(world, order, body.get("status"))
    for line in lines_of(world, order):
        settle(world, order, line)


def delete_order(world: World, request: Request) -> Answer:
    remove_order(world, _find(world, request))
    return Answer(int(world.options["delete_status"]), wrote=True)  # K-16


def remove_order(world: World, order: Row) -> None:
    """A soft delete: commitments vanish, and what was shipped returns to stock.  # K-55, K-64"""
    check_deletable(world, order)
    stamp = world.stamp()
    for fulfillment in world.fulfillments.each("sales_order_id", order["id"]):
        undo_fulfillment(world, order, fulfillment)
    world.orders.change(order, {"deleted_at": stamp, "updated_at": stamp})
    for line in lines_of(world, order):
        line |= {"deleted_at": stamp, "updated_at": stamp}
        settle(world, order, line)


def _new_order(world: World, body: Row, customer: Row) -> Row:
    now, stamp = world.clock.now(), world.stamp()
    order_no = body.get("order_no") or _next_number(world)
    created, delivery = body.get("order_created_date"), body.get("delivery_date")
    is_quote = body.get("status") == "PENDING"
    order: Row = {
        "customer_id": customer["id"],
        "order_no": order_no,
        "order_no_folded": order_no.casefold(),
        "source": "API" if world.options["source_case"] == "upper" else "api",  # K-52
        "order_created_date": stamp if created is None else canonical(created),
        "delivery_date": None if delivery is None else canonical(delivery),
        "picked_date": None,
        "location_id": body.get("location_id", world.default_location_id()),  # K-49
        "status": "PENDING" if is_quote else "NOT_SHIPPED",
        "is_quote": is_quote,
        "is_ready": False,
        "currency": body.get("currency") or customer["currency"] or world.factory["base_currency_code"],
        "conversion_rate": None,
        "conversion_date": None,
        "invoicing_status": "notInvoiced",
        "ingredient_availability": "NOT_APPLICABLE",
        "production_status": "NOT_APPLICABLE",
        "billing_address_id": None,
        "shipping_address_id": None,
        "created_s": now,
        "created_at": stamp,
        "updated_at": stamp,
        "deleted_at": None,
    }
    for name in _KEPT:  # K-46
        order[name] = body.get(name)
    return order


def _next_number(world: World) -> str:
    while True:
        world.last_number += 1
        order_no = f"SO-{world.last_number}"  # K-44
        if world.orders.first("order_no", order_no) is None:
            return order_no


def _check_number(world: World, order_no: str) -> None:
    if world.options["duplicate_order_no"] == "refuse" and world.orders.first("order_no", order_no):  # K-45
        raise refused(f"Sales order with order number {order_no} already exists")


def _check_change(world: World, order: Row, body: dict[str, Any]) -> None:
    is_open = order["status"] in OPEN
    locked = [name for name in _ONLY_OPEN if name in body and not is_open]
    if "picked_date" in body and not is_open and world.options["order_picked_date"] == "locked":  # K-61
        locked.append("picked_date")
    locked += [name for name in _ONLY_SHIPPED if name in body and order["status"] not in ("PACKED", "DELIVERED")]
    if locked:
        raise refused(f"Cannot update {', '.join(locked)} of a sales order with status {order['status']}")
    if "customer_id" in body:
        _customer(world, body["customer_id"])
    if "location_id" in body:
        check_location(world, body["location_id"])
    if body.get("order_no", order["order_no"]) != order["order_no"]:
        _check_number(world, body["order_no"])
    if body.get("status") in OPEN and not is_open:
        raise refused(f"Cannot change status from {order['status']} to {body['status']}; delete the fulfillments")


def _change_status(world: World, order: Row, status: str | None) -> None:
    if status in OPEN:
        order["is_quote"] = status == "PENDING"
        order["is_ready"] = status == "READY_FOR_FULFILLMENT"
        order["status"] = status
    elif status is not None and world.options["patch_delivered"] == "deliver":  # K-60
        deliver_rest(world, order, status)


def _customer(world: World, customer_id: int) -> Row:
    customer = world.customers.live(customer_id)
    if customer is None:
        raise refused(f"Customer with id {customer_id} not found")
    return customer


def _find(world: World, request: Request) -> Row:
    order = world.orders.live(request.id)
    if order is None:
        raise not_found()
    return order


ROUTES: dict[str, Handler] = {
    "GET /sales_orders": list_orders,
    "POST /sales_orders": create_order,
    "GET /sales_orders/{id}": read_order,
    "PATCH /sales_orders/{id}": change_order,
    "DELETE /sales_orders/{id}": delete_order,
}
