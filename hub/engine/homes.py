"""What a changed route file means for orders and shipments that are there already; looked at as a process begins.

A Route is known by its name. One that was renamed takes over what its former name had: its start, and the orders that
were placed under it. What no Route takes any more is said, since nobody would tell the channel of its shipments.
"""

from __future__ import annotations

from datetime import datetime

from hub.contract import Order
from hub.engine.ledger import Rules, rules_of
from hub.engine.trouble import set_trouble
from hub.engine.world import Connected, World
from hub.routing.fate import Problem
from hub.store import Tx, homes, orders, timeline
from hub.store.orders import Link, OrderRow
from hub.store.timeline import Entry

TROUBLE = "route"
ROUTE_GONE = "route-gone"
SETTLED = "settled-by-hand"


def adopt(world: World, channel: Connected) -> None:
    """Give a channel's Routes the starts and the placed orders of their former names; say which orders have no home."""
    now, leads = world.clock.now(), {route.name: route.erp for route in world.routes_from(channel.id)}
    with world.store.write() as tx:
        _take_over_starts(tx, world, channel, leads)
        lost = homes.astray(tx, channel.id, leads)
        back = set(homes.blocked_for(tx, channel.id, ROUTE_GONE)) - set(lost)
        set_trouble(tx, world, dict.fromkeys(back, ()), TROUBLE, now)
        if not lost:
            return
        rules, links = rules_of(tx, world, channel), orders.links_of(tx, lost)
        for row in orders.by_ids(tx, lost).values():
            _rehome(tx, world, rules, row, links[row.id], now)


def wake(world: World, erp: Connected) -> None:
    """Have shipments looked at that were left alone while their Route was switched off, or gone."""
    names = [route.name for route in world.routes if route.erp == erp.id and route.fulfillments.enabled]
    with world.store.write() as tx:
        homes.wake_shipments(tx, erp.id, names, world.clock.now())


def _take_over_starts(tx: Tx, world: World, channel: Connected, leads: dict[str, str]) -> None:
    begin_now = [route.name for route in world.routes_from(channel.id) if route.orders.start is None]
    new = set(begin_now) - homes.starts(tx, begin_now).keys()
    if not new:
        return
    before = homes.starts(tx, homes.former(tx, channel.id, leads))
    for name in new if before else ():
        homes.set_start(tx, name, min(before.values()))


def _rehome(tx: Tx, world: World, rules: Rules, row: OrderRow, link: Link, now: datetime) -> None:
    route = rules.route(Order.model_validate_json(row.document))
    if route is not None and route.erp == link.erp:
        orders.update(tx, [{"id": row.id, "route": route.name}])
        timeline.add(tx, [Entry(row.id, now, "route-changed", {"from": row.route, "route": route.name})])
        set_trouble(tx, world, {row.id: []}, TROUBLE, now)
    elif all(entry.event != SETTLED for entry in timeline.of_order(tx, row.id)):
        set_trouble(tx, world, {row.id: [_gone(row, link)]}, TROUBLE, now)


def _gone(row: OrderRow, link: Link) -> Problem:
    what = f"it was placed in {link.erp} by route {row.route}, and no route takes it there any more"
    do = (
        f"Name a route in the route file that takes it from {row.connection} to {link.erp}, and start the hub again. "
        f"Or tell the channel of its shipments yourself, then: hub retry --settled {row.ref}"
    )
    return Problem(ROUTE_GONE, f"{what}: its shipments and changes go nowhere", do)
