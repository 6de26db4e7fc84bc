"""The account itself: user, factory, locations and tax rates."""

from __future__ import annotations

from decimal import Decimal

from katana_simulator import bodies
from katana_simulator.exchange import Answer, Request, Row, not_found
from katana_simulator.lists import COMMON, Param, answer_list, fields
from katana_simulator.schema import require
from katana_simulator.world import Handler, World

_LOCATION_PARAMS = (
    COMMON
    | fields("text", "name", "legal_name")
    | fields("int", "address_id")
    | fields("flag", "is_primary", "sales_allowed", "manufacturing_allowed")
    | {"purchases_allowed": Param("flag", "purchase_allowed")}  # K-27: filter and field differ by one letter
)
_TAX_PARAMS = (
    COMMON
    | fields("number", "rate")
    | fields("text", "name")
    | fields("flag", "is_default_sales", "is_default_purchases")
)


def read_user(world: World, request: Request) -> Answer:
    return Answer(200, world.user)  # K-02


def read_factory(world: World, request: Request) -> Answer:
    return Answer(200, world.factory)  # K-02, K-28


def list_locations(world: World, request: Request) -> Answer:
    return answer_list(world, request, world.locations, _LOCATION_PARAMS, _as_is)


def read_location(world: World, request: Request) -> Answer:
    row = world.locations.live(request.id)
    if row is None:
        raise not_found()
    return Answer(200, row)


def list_tax_rates(world: World, request: Request) -> Answer:
    return answer_list(world, request, world.tax_rates, _TAX_PARAMS, _as_is)


def create_tax_rate(world: World, request: Request) -> Answer:
    body = require(bodies.NEW_TAX_RATE, request.body)
    return Answer(200, add_tax_rate(world, body), wrote=True)


def add_tax_rate(world: World, body: Row) -> Row:
    """Rates are not unique: the same percentage may exist under several names.  # K-78"""
    rate, stamp = Decimal(body["rate"]), world.stamp()
    name = body.get("name") or f"Tax {rate}%"
    return world.tax_rates.add(
        {
            "name": name,
            "display_name": f"{rate}% - {name}",
            "rate": rate,
            "is_default_sales": bool(body.get("is_default_sales", False)),
            "is_default_purchases": False,
            "created_at": stamp,
            "updated_at": stamp,
        }
    )


def _as_is(world: World, row: Row) -> Row:
    return row


ROUTES: dict[str, Handler] = {
    "GET /user_info": read_user,
    "GET /factory": read_factory,
    "GET /locations": list_locations,
    "GET /locations/{id}": read_location,
    "GET /tax_rates": list_tax_rates,
    "POST /tax_rates": create_tax_rate,
}
