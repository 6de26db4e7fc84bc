"""Whether a shop is ready to publish: the prerequisites, each with a switch (8.8)."""

from __future__ import annotations

from tiktok_simulator.gateway import Call
from tiktok_simulator.params import Params
from tiktok_simulator.wire import Json
from tiktok_simulator.world import World

ITEMS = ("SHOP_STATUS", "SHOP_TAX", "PICKUP_WAREHOUSE", "RETURN_WAREHOUSE", "DELIVERY_OPTION", "SHIPPING_TEMPLATE")


def failing(world: World, shop_id: str) -> list[str]:
    """The items that fail: by the switch, or because no such warehouse is there."""
    switched = set(filter(None, world.options["failing_prerequisites"].replace(" ", "").split(",")))
    kinds = {w.type for w in world.shops.warehouses_of(shop_id) if w.effect_status == "ENABLED"}
    if "SALES_WAREHOUSE" not in kinds:
        switched.add("PICKUP_WAREHOUSE")
    if "RETURN_WAREHOUSE" not in kinds:
        switched.add("RETURN_WAREHOUSE")
    return [item for item in ITEMS if item in switched]


def prerequisites(world: World, call: Call) -> Json:
    """Every check with its outcome."""
    Params(world, call).asked()
    found = failing(world, call.of_shop.id)
    return {
        "check_results": [
            {
                "check_item": item,
                "is_failed": item in found,
                "fail_reasons": ["Set it up first"] if item in found else [],
            }
            for item in ITEMS
        ]
    }
