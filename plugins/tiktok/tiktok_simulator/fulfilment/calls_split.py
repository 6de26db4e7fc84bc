"""Splitting an order over several packages before it ships (6.1, 6.6)."""

from __future__ import annotations

from collections import Counter

from tiktok_simulator.fulfilment.codes import refusal
from tiktok_simulator.fulfilment.rules import (
    check_state,
    check_units,
    named_units,
    own_order,
    splits_by_unit,
    wrong_market,
)
from tiktok_simulator.gateway import Call
from tiktok_simulator.order import OPEN, Order, Unit
from tiktok_simulator.params import Params
from tiktok_simulator.wire import ApiError, Json
from tiktok_simulator.world import World

SPLIT: Json = {"splittable_groups*": [{"id*": str, "order_line_item_ids*": [str]}]}


def split_attributes(world: World, call: Call) -> Json:
    """Whether each of some orders can, or must, be split."""
    params = Params(world, call)
    params.asked("order_ids")
    found = []
    for order_id in params.ids("order_ids", 50):
        order = world.orders.by_id.get(order_id)
        if order is None or order.shop != call.of_shop.id:
            raise refusal(21008111)
        reason = _obstacle(world, call, order)
        shown: Json = {"order_id": order_id, "can_split": reason is None, "must_split": False}
        found.append(shown | ({"reason": f"{reason.code} {reason.message}"} if reason else {}))
    return {"split_attributes": found}


def _obstacle(world: World, call: Call, order: Order) -> ApiError | None:
    """Why an order cannot be split, if it cannot."""
    try:
        check_state(world, order)
    except ApiError as error:
        return error
    units = [unit for unit in order.live_units if unit.stage == OPEN]
    if len(units) < 2:
        return refusal(21011035)
    by_unit = splits_by_unit(order, call.of_shop.seller_type)
    if not by_unit and len({unit.goods.sku_id for unit in units}) < 2:
        return refusal(21011036)
    return None


def split_order(world: World, call: Call) -> Json:
    """Put the items of an order into one package per group."""
    params = Params(world, call)
    params.asked()
    groups: list[Json] = params.shaped(SPLIT)["splittable_groups"]
    order = own_order(world, call)
    if order.market == "US":
        raise wrong_market()  # in the US the shipping call itself splits
    check_state(world, order)
    units = _grouped(world, order, groups)
    if not splits_by_unit(order, call.of_shop.seller_type):
        homes = Counter(sku for group in units for sku in {unit.goods.sku_id for unit in group})
        if any(count > 1 for count in homes.values()):
            raise refusal(21011036)
    now = int(world.clock.now())
    made = [world.orders.packages.make(order, group, now) for group in units]
    for package in made:
        package.is_split = True
    world.orders.changed(order, now, status_change=False)
    world.orders.tell_split(order, made, now)
    world.wrote = True
    return {"packages": [{"splittable_group_id": g["id"], "id": p.id} for g, p in zip(groups, made, strict=True)]}


def _grouped(world: World, order: Order, groups: list[Json]) -> list[list[Unit]]:
    """The units of each group: every open one in one group, or the rest stays where it is."""
    named = [one for group in groups for one in group["order_line_item_ids"]]
    check_units(named_units(order, named))
    waiting = {unit.id for unit in order.live_units if unit.stage == OPEN}
    if set(named) != waiting and world.options["split_groups"] == "all_named":
        raise refusal(21011005, "every item that is not shipped must be in a group")
    if len({group["id"] for group in groups}) < len(groups):
        raise refusal(21011005, "two groups have one id")
    if len(groups) < 2 and set(named) == waiting:
        raise refusal(21011035)
    return [named_units(order, group["order_line_item_ids"]) for group in groups]
