"""The calls that ship: Mark Package As Shipped, Ship Package, Batch Ship Packages (6.2, 6.3)."""

from __future__ import annotations

from typing import Any

from tiktok_simulator.fulfilment.codes import refusal
from tiktok_simulator.fulfilment.packages import Package
from tiktok_simulator.fulfilment.rules import (
    check_number,
    check_state,
    check_units,
    named_units,
    open_units,
    own_order,
    own_package,
    ships_by_package,
    wrong_market,
)
from tiktok_simulator.fulfilment.slots import check_handover
from tiktok_simulator.gateway import Call
from tiktok_simulator.markets import SOUTH_EAST_ASIA
from tiktok_simulator.order import OPEN
from tiktok_simulator.params import Params
from tiktok_simulator.wire import ApiError, Json
from tiktok_simulator.world import World

MARK: Json = {"tracking_number*": str, "shipping_provider_id*": str, "order_line_item_ids": [str]}
SHIP: Json = {
    "handover_method": ("PICKUP", "DROP_OFF"),
    "pickup_slot": {"start_time*": int, "end_time*": int},
    "self_shipment": {"tracking_number*": str, "shipping_provider_id*": str},
}
BATCH: Json = {"packages*": [{"id*": str, **SHIP}]}


def mark_shipped(world: World, call: Call) -> Json:
    """Ship some or all open items of an order under the seller's own number; one call, one package."""
    params = Params(world, call)
    params.asked()
    body = params.shaped(MARK)
    order = own_order(world, call)
    if ships_by_package(order):
        raise wrong_market()
    if order.shipping_type != "SELLER" and not order.is_fbt:
        raise refusal(21011004)
    check_state(world, order)
    given = body.get("order_line_item_ids")
    units = open_units(world, order) if given is None else named_units(order, given)
    check_units(units)
    number, provider = str(body["tracking_number"]), str(body["shipping_provider_id"])
    warning = check_number(world, order, number, provider)
    package_id = world.lifecycle.ship(order, units, number, provider, int(world.clock.now()))
    world.wrote = True
    shown: Json = {
        "order_id": order.id,
        "order_line_item_ids": [unit.id for unit in units],
        "package_id": package_id,
    }
    return shown | ({"warning": {"message": warning}} if warning else {})


def ship_package(world: World, call: Call) -> Json:
    """Ship one package that exists already."""
    params = Params(world, call)
    params.asked()
    wish = params.shaped(SHIP)
    _ship(world, own_package(world, call, call.values["package_id"]), wish)
    return {}


def ship_packages(world: World, call: Call) -> Json:
    """Ship many packages; each that fails is listed, the others are shipped."""
    params = Params(world, call)
    params.asked()
    wishes: list[Json] = params.shaped(BATCH)["packages"]
    most = world.options.number("batch_ship_max") or 0
    if not 1 <= len(wishes) <= most:
        raise params.wrong(f"packages must be 1 to {most}")
    errors = [error for wish in wishes if (error := _one_of_batch(world, call, wish))]
    return {"errors": errors} if errors else {}


def _one_of_batch(world: World, call: Call, wish: Json) -> Json | None:
    try:
        _ship(world, own_package(world, call, str(wish["id"])), wish)
    except ApiError as error:
        own = world.options["batch_error_code"] == "own"
        code, text = (error.code, error.message) if own else (10007014, f"{error.code} {error.message}")
        return {"code": code, "message": text, "detail": {"package_id": wish["id"]}}
    return None


def _ship(world: World, package: Package, wish: Json) -> None:
    order, own = package.order, wish.get("self_shipment")
    if order.market == "US" or (order.shipping_type == "SELLER" and not ships_by_package(order)):
        raise refusal(21008025) if order.is_fbt else wrong_market()
    check_state(world, order)
    units = package.live_units
    if any(unit.stage != OPEN for unit in units):
        raise refusal(21011040)
    check_units(units or package.units)
    number, provider = _number(world, package, own)
    if order.shipping_type != "SELLER" and order.market not in SOUTH_EAST_ASIA:
        check_handover(world, package, wish)
    world.lifecycle.ship(order, units, number, provider, int(world.clock.now()))
    world.wrote = True


def _number(world: World, package: Package, own: Any) -> tuple[str, str]:
    """The seller's number, or one of TikTok's."""
    order = package.order
    if order.shipping_type == "SELLER":
        if own is None:
            raise refusal(21011005, "self_shipment is required")
        check_number(world, order, own["tracking_number"], own["shipping_provider_id"])
        return own["tracking_number"], own["shipping_provider_id"]
    if own is not None:
        raise refusal(21011004)
    return tiktok_number(world, package.id, package.order.delivery_option_id)


def tiktok_number(world: World, package_id: str, option_id: str) -> tuple[str, str]:
    """The number and provider TikTok gives to a package it carries."""
    return f"TTS{package_id}", str(world.shops.providers_of(option_id)[0]["id"])
