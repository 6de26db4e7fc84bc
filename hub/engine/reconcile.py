"""Proof that nothing was lost: what a channel tells of a window afresh, held against the ledger.

It does not trust the path that orders took: it reads the window from its start, without the cursor. What it finds
missing the next pull should have brought by itself; so a finding is a fault to report.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from hub.contract import FulfilledBy, Hint, HintKind, LineItem, LineStatus, Order
from hub.engine import wake, watch
from hub.engine.ledger import record, rules_of
from hub.engine.outcome import pages
from hub.engine.proof import Part, Proof
from hub.engine.tell import routes_from
from hub.engine.world import Connected, World
from hub.routing.fate import Fate
from hub.store import known, orders, shipping
from hub.store.orders import Link, OrderRow
from hub.store.shipping import PackageState, Parcel

GRACE_S = 600.0  # what changed this lately may come with the next pull, and what was sent may not show yet
MISSING, BEHIND, UNKNOWN = "missing", "behind", "unknown"


def of_orders(world: World, channel: Connected, proof: Proof, *, in_lane: bool) -> Iterator[bool]:
    """Account for the Orders that changed in the window, and for the parcels they show; a page at a time.

    Shape: yields after each page: about one call per 100 Orders.

    Args:
        in_lane: whether this process speaks for the channel: then what the ledger lacked is taken from the page itself,
            as a pull would have; else the lane is told where to look.
    """
    if not any(route.orders.enabled for route in world.routes_from(channel.id)):
        return
    told, parcels = Part.of(MISSING, BEHIND), Part.of(UNKNOWN)
    proof.parts |= {"orders": told, "parcels": parcels}
    proof.since = max(proof.since, _taken_since(world, channel, proof.at))
    settled = proof.at - timedelta(seconds=GRACE_S)
    seen: set[str] = set()
    for page in pages(world, channel, "pull_orders", since=None, start=proof.since):
        fresh = {order.ref: order for order in page.items if order.ref not in seen}
        seen |= fresh.keys()
        with world.store.read() as tx:
            rows = orders.by_refs(tx, channel.id, list(fresh))
            links = orders.links_of(tx, [row.id for row in rows.values()])
            known_parcels = shipping.parcels_of(tx, list(links))
        lacking = account(list(fresh.values()), rows, settled, told)
        for order in fresh.values():
            row = rows.get(order.ref)
            if row is not None and _tells_parcels(world, channel, order, row, links.get(row.id)):
                account_parcels(order, row, known_parcels.get(row.id, ()), settled, parcels)
        if lacking:
            _mend(world, channel, lacking, [ref for ref in fresh if ref not in rows], in_lane=in_lane)
        yield True


def _taken_since(world: World, channel: Connected, now: datetime) -> datetime:
    """Return from when on the Routes of a channel take Orders."""
    routes = [route for route in world.routes_from(channel.id) if route.orders.enabled]
    with world.store.write() as tx:
        return min(route.orders.start or known.route_start(tx, route.name, now) for route in routes)


def account(told: Sequence[Order], rows: Mapping[str, OrderRow], settled: datetime, part: Part) -> list[Order]:
    """Count Orders by fate; name and return those that the ledger does not know, or holds an earlier state of."""
    lacking: list[Order] = []
    for order in told:
        row = rows.get(order.ref)
        part.told += 1
        is_fresh = order.updated_at > settled  # the next pull brings it
        if row is not None and (is_fresh or row.updated_at >= order.updated_at):
            part.count(row.fate, row.cause if row.fate == Fate.SKIPPED else None)
        elif is_fresh:
            part.count("coming")
        else:
            part.remainder[MISSING if row is None else BEHIND].append(order.ref)
            lacking.append(order)
    return lacking


def _mend(world: World, channel: Connected, lacking: Sequence[Order], missing: Sequence[str], *, in_lane: bool) -> None:
    now = world.clock.now()
    if not in_lane:
        wake.note(world, channel.id, [Hint(kind=HintKind.ORDERS, ref=order.ref) for order in lacking])
        return
    with world.store.write() as tx:
        rules = rules_of(tx, world, channel)
        record(tx, world, channel, lacking, rules, now)
        if any(order.ref in missing for order in lacking):
            # A ledger that lost an order may have placed it: it is looked up before it is sent.
            for erp in {route.erp for route in rules.routes}:
                watch.begin_anew(tx, erp, now)


# -- parcels that the channel shows


def _tells_parcels(world: World, channel: Connected, order: Order, row: OrderRow, link: Link | None) -> bool:
    """Say whether the parcels of an Order are the hub's to tell."""
    ours = link is not None and link.gone_at is None and order.fulfilled_by is FulfilledBy.SELLER
    return ours and row.route in routes_from(world, channel.id)


def account_parcels(
    order: Order, row: OrderRow, known_parcels: Sequence[Parcel], settled: datetime, part: Part
) -> None:
    """Count the parcels that an Order shows as shipped; name those that the ledger knows nothing of."""
    mine = [parcel for parcel in known_parcels if parcel.state != PackageState.SUPERSEDED]
    for number, lines in _shown(order).items():
        part.told += 1
        if any(_is_of(parcel, number, lines) for parcel in mine):
            part.count("told")
        elif row.fate == Fate.BLOCKED:
            part.count("blocked")
        elif order.updated_at > settled:
            part.count("coming")
        else:
            part.remainder[UNKNOWN].append(f"{order.ref}: {number or 'without a number'}")


def _shown(order: Order) -> dict[str, list[LineItem]]:
    found: dict[str, list[LineItem]] = {}
    for line in order.lines:
        if line.status is LineStatus.SHIPPED:
            found.setdefault(line.tracking_number or line.package_ref or "", []).append(line)
    return found


def _is_of(parcel: Parcel, number: str, lines: Sequence[LineItem]) -> bool:
    numbers = {_plain(each) for each in (parcel.tracking_number, parcel.told_tracking) if each}
    refs = {line.package_ref for line in lines if line.package_ref}
    by_lines = not number and all(line.ref in parcel.lines for line in lines)
    return _plain(number) in numbers or parcel.package_ref in refs or by_lines


def _plain(number: str) -> str:
    """Return a number without what a channel may leave out of it."""
    return re.sub(r"[^A-Z0-9]", "", number.upper())
