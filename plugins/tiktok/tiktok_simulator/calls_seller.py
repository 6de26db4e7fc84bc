"""Calls about the seller: shops, permissions, warehouses, delivery."""

from __future__ import annotations

from tiktok_simulator.gateway import Call
from tiktok_simulator.wire import ApiError, Json
from tiktok_simulator.world import World

WAREHOUSE_UNKNOWN = 12052097
OPTION_UNKNOWN = 21008116


def authorized_shops(world: World, call: Call) -> Json:
    """The shops behind the token (T-19)."""
    return {"shops": [shop.as_dict() for shop in world.shops.authorised]}


def active_shops(world: World, call: Call) -> Json:
    """The active shops of the seller."""
    return {"shops": [{"id": shop.id, "region": shop.region} for shop in world.shops.authorised]}


def permissions(world: World, call: Call) -> Json:
    """What the seller may do beyond one shop."""
    return {"permissions": ["MANAGE_GLOBAL_PRODUCT"] if len(world.shops.authorised) > 1 else []}


def warehouses(world: World, call: Call) -> Json:
    """All warehouses of the shop, unpaged (T-78); TikTok's own ones as the switch says (T-77)."""
    listed = world.options["fbt_warehouse_listed"] == "yes"
    found = [w for w in world.shops.warehouses_of(call.of_shop.id) if listed or not w.is_fbt]
    return {"warehouses": [warehouse.as_dict() for warehouse in found]}


def fbt_warehouses(world: World, call: Call) -> Json:
    """TikTok's own warehouses with the ids that orders and products show for them (T-77)."""
    found = [w for w in world.shops.warehouses_of(call.of_shop.id) if w.is_fbt]
    return {
        "warehouses": [
            {"fbt_warehouse_id": w.entity_id, "warehouse_ids": [w.id], "name": w.name, "subscribed": True}
            for w in found
        ]
    }


def delivery_options(world: World, call: Call) -> Json:
    """The delivery options of one warehouse."""
    warehouse = world.shops.warehouses.get(call.values["warehouse_id"])
    if warehouse is None or warehouse.shop != call.of_shop.id:
        raise ApiError(WAREHOUSE_UNKNOWN, "The warehouse is unknown")
    return {"delivery_options": world.shops.delivery_options(warehouse)}


def shipping_providers(world: World, call: Call) -> Json:
    """The carriers of one delivery option."""
    found = world.shops.providers_of(call.values["delivery_option_id"])
    if not found:
        raise ApiError(OPTION_UNKNOWN, "The delivery option is not subscribed")
    return {"shipping_providers": found}
