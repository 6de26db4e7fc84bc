"""Proof of stock: what a channel shows now of each SKU, held against what the hub would have it sell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from hub.engine import channel_stock, shelf, stock
from hub.engine.proof import Part, Proof
from hub.engine.sellable import Item, Planned, Scene, planned, ruler, scene
from hub.engine.world import Connected, World
from hub.routing.model import Route
from hub.routing.reckon import Reckoned
from hub.store import stock as ledger

PAGE = 600
AGREEING, DIFFERING = "agreeing", "differing"


def of_stock(world: World, channel: Connected, proof: Proof, *, in_lane: bool) -> Iterator[bool]:
    """Account for every SKU of a shop that sells an ERP's stock; the ERP's levels are those of its last sweep.

    Shape: yields after each reading of the channel: a call per 600 SKUs at TikTok Shop.

    Args:
        in_lane: whether this process speaks for the channel: then a number that differs is taken as read, so that the
            next push puts it right.
    """
    route = ruler(world, channel.id)
    if route is None or not channel.capabilities >= channel_stock.NEEDS or stock.swept_at(world, route.erp) is None:
        return
    part = proof.parts["stock"] = Part.of(DIFFERING)
    made = _scene(world, route)
    asked: list[str] = []
    for item in made.sides[channel.id].items.values():
        each = planned(made, made.sides[channel.id], item)
        if each.why is not None:
            part.told += 1
            part.count("left alone", each.why.code)
        else:
            asked.append(item.row.ref)
    for start in range(0, len(asked), PAGE):
        _page(world, channel, route, asked[start : start + PAGE], part, in_lane=in_lane)
        yield True


def _scene(world: World, route: Route) -> Scene:
    with world.store.read() as tx:
        return scene(tx, world, route.erp)


def _page(
    world: World, channel: Connected, route: Route, refs: Sequence[str], part: Part, *, in_lane: bool
) -> None:  # fmt: skip
    rows = shelf.look(world, channel, _scene(world, route).sides[channel.id], refs)
    made = _scene(world, route)
    side, differing = made.sides[channel.id], []
    for row in rows:
        item = side.items.get(row["variant_ref"])
        if item is None:
            continue  # it left the catalogue while this page was read
        part.told += 1
        word = judge(planned(made, side, item), row["quantities"], row["committed"])
        if word == DIFFERING:
            part.remainder[DIFFERING].append(_named(item, row["quantities"]))
            differing.append(row)
        else:
            part.count(*word.split(": "))
    if differing and in_lane:
        with world.store.write() as tx:
            ledger.put_stock(tx, channel.id, differing)
        channel_stock.disturb(world, channel.id)


def _named(item: Item, shown: Mapping[str, int]) -> str:
    held = item.reckoned.total if item.reckoned is not None else 0
    return f"{item.row.sku or item.row.ref}: {sum(shown.values())} there, {held} in the ledger"


def judge(each: Planned, shown: Mapping[str, int], committed: Decimal) -> str:
    """Say how what a channel shows of one Variant stands to its target: agreeing, pending and why, or differing."""
    wanted, row, held = each.target, each.item.stock, each.item.reckoned
    if wanted is None:
        return "pending: level unread"
    if all(shown.get(place, 0) == units for place, units in wanted.quantities.items()):
        return AGREEING
    if row is not None and row.reason is not None:
        return "pending: refused"
    if held is None or not each.item.is_known:
        return "pending: on its way"
    if not _is_as_held(held, shown, committed):
        return DIFFERING
    if committed > held.committed:
        return "pending: just sold"  # the next pull brings the order
    total = sum(shown.get(place, 0) for place in wanted.quantities)
    if total < wanted.total:
        return "pending: increase waits"
    return "pending: decrease waits" if total > wanted.at_most else "pending: reading unsure"


def _is_as_held(held: Reckoned, shown: Mapping[str, int], committed: Decimal) -> bool:
    """Say whether sales alone lead from what the ledger holds to what is shown.

    A sale moves units from sellable to committed; a parcel that left takes them away; a hand changes their sum.
    """
    there = sum(shown.values()) + committed
    here = held.total + held.committed
    if not here - held.gone <= there <= here:
        return False
    is_still = committed == held.committed and not held.gone
    return not is_still or all(shown.get(place, 0) == units for place, units in held.quantities.items())
