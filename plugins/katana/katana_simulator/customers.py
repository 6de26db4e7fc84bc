"""Customers and the address templates they carry."""

from __future__ import annotations

from katana_simulator import bodies
from katana_simulator.exchange import Answer, Request, Row, not_found, refused
from katana_simulator.lists import COMMON, Param, answer_list, fields
from katana_simulator.schema import require
from katana_simulator.world import Handler, World

_TEXTS = ("first_name", "last_name", "company", "email", "phone", "comment", "reference_id", "category")
_PARAMS = COMMON | fields(  # K-37
    "text", "name", "first_name", "last_name", "company", "email", "phone", "reference_id", "category", "currency"
)
_ADDRESS_PARAMS = (
    COMMON
    | {"customer_ids": Param("int", "customer_id", many=True)}
    | fields("text", "entity_type", *bodies.ADDRESS_TEXTS)
)


def list_customers(world: World, request: Request) -> Answer:
    return answer_list(world, request, world.customers, _PARAMS, view)


def create_customer(world: World, request: Request) -> Answer:
    body = require(bodies.NEW_CUSTOMER, request.body)
    if _billing_count(body.get("addresses", [])) > 1:
        raise refused("Customer can have only one billing address")  # K-40
    return Answer(200, view(world, add_customer(world, body)), wrote=True)


def change_customer(world: World, request: Request) -> Answer:
    body = require(bodies.CUSTOMER_CHANGE, request.body)
    row = _find(world, request)
    address_id = body.get("default_shipping_id")
    if address_id is not None:
        address = world.customer_addresses.live(address_id)
        if address is None or address["customer_id"] != row["id"]:
            raise refused("Default shipping address not found")
    world.customers.change(row, {**body, "updated_at": world.stamp()})
    return Answer(200, {name: value for name, value in row.items() if name != "addresses"}, wrote=True)


def delete_customer(world: World, request: Request) -> Answer:
    row = _find(world, request)
    world.customers.change(row, {"deleted_at": world.stamp(), "updated_at": world.stamp()})
    return Answer(int(world.options["delete_status"]), wrote=True)


def add_customer(world: World, body: Row) -> Row:
    """Names and emails may repeat; nothing is checked.  # K-39"""
    stamp = world.stamp()
    row: Row = {"name": body["name"]} | {name: body.get(name) for name in _TEXTS}
    row |= {
        "currency": body.get("currency") or world.factory["base_currency_code"],
        "discount_rate": body.get("discount_rate"),
        "default_billing_id": None,
        "default_shipping_id": None,
        "created_at": stamp,
        "updated_at": stamp,
        "deleted_at": None,
    }
    world.customers.add(row)
    for address in body.get("addresses", []):
        _add_address(world, row, address)
    return row


def list_addresses(world: World, request: Request) -> Answer:
    return answer_list(world, request, world.customer_addresses, _ADDRESS_PARAMS, _address_view)


def create_address(world: World, request: Request) -> Answer:
    body = require(bodies.NEW_CUSTOMER_ADDRESS, request.body)
    customer = world.customers.live(body["customer_id"])
    if customer is None:
        raise refused(f"Customer with id {body['customer_id']} not found")
    if body["entity_type"] == "billing" and customer["default_billing_id"] is not None:
        raise refused("Customer can have only one billing address")
    return Answer(200, _address_view(world, _add_address(world, customer, body)), wrote=True)


def change_address(world: World, request: Request) -> Answer:
    body = require(bodies.CUSTOMER_ADDRESS_CHANGE, request.body)
    row = world.customer_addresses.live(request.id)
    if row is None:
        raise not_found()
    world.customer_addresses.change(row, {**body, "updated_at": world.stamp()})
    return Answer(200, _address_view(world, row), wrote=True)


def delete_address(world: World, request: Request) -> Answer:
    row = world.customer_addresses.live(request.id)
    if row is None:
        raise not_found()
    customer, default = world.customers.rows[row["customer_id"]], f"default_{row['entity_type']}_id"
    if customer[default] == row["id"]:
        customer[default] = None
    row |= {"deleted_at": world.stamp(), "updated_at": world.stamp()}
    return Answer(int(world.options["delete_status"]), wrote=True)


def view(world: World, row: Row) -> Row:
    addresses = world.customer_addresses.each("customer_id", row["id"])
    return row | {"addresses": [_address_view(world, address) for address in addresses]}


def _add_address(world: World, customer: Row, given: Row) -> Row:
    kind, stamp = given["entity_type"], world.stamp()
    row: Row = {"customer_id": customer["id"], "entity_type": kind}
    row |= {name: given.get(name) for name in bodies.ADDRESS_TEXTS}
    added = world.customer_addresses.add(row | {"created_at": stamp, "updated_at": stamp, "deleted_at": None})
    # The first address of its kind becomes the default, a later one only where it asks for it.
    if customer[f"default_{kind}_id"] is None or given.get("default"):
        customer[f"default_{kind}_id"] = added["id"]
    return added


def _address_view(world: World, row: Row) -> Row:
    customer = world.customers.rows[row["customer_id"]]
    return row | {"default": customer[f"default_{row['entity_type']}_id"] == row["id"]}


def _billing_count(addresses: list[Row]) -> int:
    return sum(address["entity_type"] == "billing" for address in addresses)


def _find(world: World, request: Request) -> Row:
    row = world.customers.live(request.id)
    if row is None:
        raise not_found()
    return row


ROUTES: dict[str, Handler] = {
    "GET /customers": list_customers,
    "POST /customers": create_customer,
    "PATCH /customers/{id}": change_customer,
    "DELETE /customers/{id}": delete_customer,
    "GET /customer_addresses": list_addresses,
    "POST /customer_addresses": create_address,
    "PATCH /customer_addresses/{id}": change_address,
    "DELETE /customer_addresses/{id}": delete_address,
}
