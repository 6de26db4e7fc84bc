"""TikTok shipping: services, buying a label, and the label itself (6.4, 6.5)."""

from __future__ import annotations

from typing import Any

from tiktok_simulator.fulfilment.calls_ship import tiktok_number
from tiktok_simulator.fulfilment.codes import refusal
from tiktok_simulator.fulfilment.packages import Package
from tiktok_simulator.fulfilment.rules import (
    check_state,
    check_units,
    named_units,
    open_units,
    own_order,
    own_package,
    wrong_market,
)
from tiktok_simulator.gateway import Call
from tiktok_simulator.order import ARRANGED, MOVING, OPEN, Order, Unit
from tiktok_simulator.params import Params
from tiktok_simulator.shops import stable_id
from tiktok_simulator.wire import Json
from tiktok_simulator.world import World

WEIGHT: Json = {"value*": str, "unit*": ("GRAM", "POUND")}
DIMENSION: Json = {"length*": str, "width*": str, "height*": str, "unit*": ("CM", "INCH")}
QUERY: Json = {"order_line_item_ids": [str], "weight": WEIGHT, "dimension": DIMENSION}
CREATE: Json = {"order_id*": str, **QUERY, "shipping_service_id": str}
GRAMS = {"GRAM": 1.0, "POUND": 453.6}
HEAVIEST_G = 30_000
KINDS = (
    "SHIPPING_LABEL", "PACKING_SLIP", "SHIPPING_LABEL_AND_PACKING_SLIP", "SHIPPING_LABEL_PICTURE", "HAZMAT_LABEL",
    "INVOICE_LABEL",
)  # fmt: skip
SERVICES = (("TikTok Shipping Ground", "5.31", 3, 6, True), ("TikTok Shipping Express", "11.80", 1, 3, False))


def query_services(world: World, call: Call) -> Json:
    """What TikTok would charge for a package of these items."""
    params = Params(world, call)
    params.asked()
    body = params.shaped(QUERY)
    order = own_order(world, call)
    _check_call(world, order)
    _units(world, order, body)
    _check_weight(body)
    return {"shipping_services": _services(world, order)}


def create_package(world: World, call: Call) -> Json:
    """Buy a label: it costs money, and the items count as shipped from then on (US)."""
    params = Params(world, call)
    params.asked()
    body = params.shaped(CREATE)
    order = world.orders.by_id.get(str(body["order_id"]))
    if order is None or order.shop != call.of_shop.id:
        raise refusal(21008111)
    _check_call(world, order)
    _check_repeat(world, order, body.get("order_line_item_ids"))
    units = _units(world, order, body)
    _check_weight(body)
    services = {str(one["id"]): one for one in _services(world, order)}
    wanted = body.get("shipping_service_id") or next(iter(services))
    if wanted not in services:
        raise refusal(21011037)
    package = _buy(world, order, units, services[wanted], body)
    optional: Json = {name: body[name] for name in ("weight", "dimension") if name in body}
    return {
        "package_id": package.id,
        "order_id": order.id,
        "order_line_item_ids": [unit.id for unit in units],
        "shipping_service_info": services[wanted],
        "create_time": package.create_time,
        **optional,
    }


def shipping_document(world: World, call: Call) -> Json:
    """Where the label of a package lies; it needs some seconds after the shipment is arranged."""
    params = Params(world, call)
    params.asked("document_type", "document_size", "document_format")
    if params.text("document_type") not in KINDS:
        raise params.wrong(f"document_type must be one of {', '.join(KINDS)}")
    params.choice("document_size", ("A6", "A5"))
    params.choice("document_format", ("PDF", "ZPL"))
    package = own_package(world, call, call.values["package_id"])
    if package.order.is_fbt or package.order.shipping_type != "TIKTOK":
        raise refusal(11034002)
    stages = [unit.stage for unit in package.live_units]
    if not stages:
        raise refusal(21011041)
    if any(unit.request for unit in package.live_units):
        raise refusal(21011007)
    now = world.clock.now()
    if min(stages) >= MOVING:
        raise refusal(21023046)
    ready = (package.shipped_time or 0) + world.options.seconds("label_delay_s")
    if min(stages) < ARRANGED or now < ready:
        raise refusal(int(world.options["label_not_ready_code"]))
    url = world.documents.link(params.text("document_type"), package.id, now)
    return {"doc_url": url, "tracking_number": package.tracking_number}


def _check_call(world: World, order: Order) -> None:
    if order.is_fbt:
        raise refusal(21008025)
    if order.market != "US" or order.shipping_type != "TIKTOK":
        raise wrong_market()


def _check_repeat(world: World, order: Order, ids: Any) -> None:
    """A label that is bought, or still in the making, is not bought again."""
    units = order.live_units if ids is None else [unit for unit in order.live_units if unit.id in ids]
    if not units or any(unit.stage == OPEN for unit in units):
        return
    package = world.orders.packages.by_id[units[0].package_id]
    ready = (package.shipped_time or 0) + world.options.seconds("label_delay_s")
    raise refusal(21030005 if world.clock.now() < ready else 21022025)


def _units(world: World, order: Order, body: Json) -> list[Unit]:
    check_state(world, order)
    ids = body.get("order_line_item_ids")
    units = open_units(world, order) if ids is None else named_units(order, ids)
    check_units(units)
    return units


def _check_weight(body: Json) -> None:
    weight = body.get("weight")
    if weight is None:
        return
    try:
        grams = float(weight["value"]) * GRAMS[weight["unit"]]
    except ValueError as error:
        raise refusal(21001001, "weight is not a number") from error
    if not 0 < grams <= HEAVIEST_G:
        raise refusal(11021009)


def _services(world: World, order: Order) -> list[Json]:
    providers = world.shops.providers_of(order.delivery_option_id)
    return [
        {"id": stable_id("7208", order.market, name), "name": name, "price": price, "currency": "USD",
         "earliest_delivery_days": first, "latest_delivery_days": last, "is_default": default,
         "shipping_provider_id": providers[n]["id"], "shipping_provider_name": providers[n]["name"]}
        for n, (name, price, first, last, default) in enumerate(SERVICES)
    ]  # fmt: skip


def _buy(world: World, order: Order, units: list[Unit], service: Json, body: Json) -> Package:
    now, packages = int(world.clock.now()), world.orders.packages
    package = packages.make(order, units, now)
    package.service, package.weight, package.dimension = service, body.get("weight"), body.get("dimension")
    number, _ = tiktok_number(world, package.id, order.delivery_option_id)
    world.lifecycle.ship(order, units, number, str(service["shipping_provider_id"]), now)
    packages.labels.append(
        {"package_id": package.id, "order_id": order.id, "price": service["price"], "currency": service["currency"]}
    )
    world.wrote = True
    return package
