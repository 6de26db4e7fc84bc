"""When a package is handed over: the slots on offer, and the check of a chosen one (6.3, 6.6)."""

from __future__ import annotations

from tiktok_simulator.fulfilment.codes import refusal
from tiktok_simulator.fulfilment.packages import Package
from tiktok_simulator.fulfilment.rules import own_package
from tiktok_simulator.gateway import Call
from tiktok_simulator.params import Params
from tiktok_simulator.wire import Json
from tiktok_simulator.world import World

DAY_S, HOUR_S = 86400, 3600


def handover_time_slots(world: World, call: Call) -> Json:
    """The slots of one package; `avaliable` is the field's real name."""
    Params(world, call).asked()
    package = own_package(world, call, call.values["package_id"])
    if package.order.is_fbt:
        raise refusal(21008025)
    return {
        "can_pickup": True,
        "can_drop_off": True,
        "can_van_collection": package.order.market == "GB",
        "drop_off_point_url": "https://www.tiktok.example/drop-off",
        "pickup_slots": [{**slot, "avaliable": n > 0} for n, slot in enumerate(_slots(world))],
    }


def check_handover(world: World, package: Package, wish: Json) -> None:
    """Note how a package is handed over; a pick-up needs a slot that is on offer."""
    package.handover_method = str(wish.get("handover_method", "DROP_OFF"))
    if package.handover_method != "PICKUP":
        return
    slot = wish.get("pickup_slot")
    if slot is None:
        raise refusal(21011054)
    if slot not in _slots(world)[1:]:
        raise refusal(21011053)
    package.pickup_slot = slot


def _slots(world: World) -> list[Json]:
    """Four days at nine in the morning, the first one, today's, no longer to be had."""
    today = int(world.clock.now()) // DAY_S * DAY_S
    return [
        {"start_time": today + n * DAY_S + 9 * HOUR_S, "end_time": today + n * DAY_S + 12 * HOUR_S} for n in range(4)
    ]
