"""What may ship now, and with which number: every check of the shipping calls (6.1, 6.2, 15)."""

from __future__ import annotations

import re

from tiktok_simulator.fulfilment.codes import refusal
from tiktok_simulator.fulfilment.packages import Package
from tiktok_simulator.gateway import Call
from tiktok_simulator.markets import LATIN_AMERICA, SOUTH_EAST_ASIA
from tiktok_simulator.order import CANCELLED, GONE, ON_HOLD, OPEN, UNPAID, Order, Unit
from tiktok_simulator.wire import ApiError
from tiktok_simulator.world import World

ORDERS_PER_NUMBER = 20
LATE = ("DELIVERED", "COMPLETED")
# One provider's numbers have a form that can be told from the number alone; others take anything.
FORMS = {"UPS": re.compile(r"1Z[0-9A-Z]{16}"), "USPS": re.compile(r"\d{20,22}")}


def own_order(world: World, call: Call) -> Order:
    """The order in the path, if it is this shop's."""
    order = world.orders.by_id.get(call.values["order_id"])
    if order is None or order.shop != call.of_shop.id:
        raise refusal(21008111)
    return order


def own_package(world: World, call: Call, package_id: str) -> Package:
    """A package of this shop."""
    package = world.orders.packages.by_id.get(package_id)
    if package is None:
        raise refusal(21008111)
    if package.order.shop != call.of_shop.id:
        raise refusal(21011028)
    return package


def ships_by_package(order: Order) -> bool:
    """Where Ship Package with self_shipment takes the place of Mark Package As Shipped (6.1)."""
    return order.market in SOUTH_EAST_ASIA or order.market in LATIN_AMERICA


def splits_by_unit(order: Order, seller_type: str) -> bool:
    """Whether the units of one SKU may go into several packages (6.1)."""
    return not ships_by_package(order) or (order.market == "MX" and seller_type == "CROSS_BORDER")


def check_state(world: World, order: Order) -> None:
    """The order as a whole must wait for shipment, at least in part."""
    if order.is_fbt:
        raise refusal(21008025)
    if order.status == ON_HOLD:
        raise refusal(21011044)
    if order.status == UNPAID:
        raise refusal(21042057)
    if order.status == CANCELLED:
        raise refusal(21011041)
    if not any(unit.stage == OPEN for unit in order.live_units):
        raise refusal(21011027 if order.status in LATE else int(world.options["already_shipped_code"]))


def check_units(units: list[Unit]) -> None:
    """Each unit must be open and nobody may have asked to cancel it."""
    if any(unit.stage == GONE for unit in units):
        raise refusal(21011041)
    if any(unit.stage != OPEN for unit in units):
        raise refusal(21011020)
    if any(unit.request for unit in units):
        raise refusal(21011007)


def named_units(order: Order, ids: list[str]) -> list[Unit]:
    """The units of these ids, each named once."""
    by_id = {unit.id: unit for unit in order.units}
    if not ids or len(set(ids)) < len(ids):
        raise refusal(21011005, "order_line_item_ids is empty or names an item twice")
    if any(one not in by_id for one in ids):
        raise refusal(21011029)
    return [by_id[one] for one in ids]


def open_units(world: World, order: Order) -> list[Unit]:
    """What ships when no item is named; where several packages are possible, nothing is guessed."""
    switch = world.options["unnamed_items"]
    live = order.live_units
    divided = len(world.orders.packages.of_order(order)) > 1 or any(unit.stage != OPEN for unit in live)
    if (switch == "when_clear" and divided) or (switch == "never" and len(live) > 1):
        raise refusal(21011048)
    return [unit for unit in live if unit.stage == OPEN]


def check_number(world: World, order: Order, number: str, provider_id: str) -> str:
    """Check a tracking number and its provider; answers a warning, or nothing."""
    if not re.fullmatch(r"[A-Za-z0-9]+", number):
        raise refusal(21004012)
    listed = {str(one["id"]): str(one["name"]) for one in world.shops.providers_of(order.delivery_option_id)}
    if provider_id not in listed:
        raise refusal(21011022)
    check_use(world, order, number)
    fitting = [name for name, form in FORMS.items() if form.fullmatch(number)]
    name = listed[provider_id]
    if world.options["number_format"] == "strict" and name in FORMS and name not in fitting:
        raise refusal(21004015)
    if world.options["number_format"] == "warn" and fitting and name not in fitting:
        return f"The tracking number looks like one of {', '.join(fitting)}"
    return ""


def check_use(world: World, order: Order, number: str) -> None:
    """A number may be on 20 orders of one recipient, and on one package of each."""
    packages = world.orders.packages
    known = packages.orders_of(order.shop, number)
    if order.id in known:
        raise refusal(21011025)
    others = [world.orders.by_id[one] for one in known]
    shared = world.options["shared_numbers"] == "any_recipient"
    if not shared and any(one.buyer != order.buyer or one.address != order.address for one in others):
        raise refusal(21011025, "it is on the order of another recipient")
    if len(known) >= ORDERS_PER_NUMBER:
        raise refusal(21034012)


def wrong_market() -> ApiError:
    """This call is for other markets."""
    return refusal(21008106)
