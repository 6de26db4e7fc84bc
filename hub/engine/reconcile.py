"""Proof that nothing was lost or doubled: what both sides tell afresh, held against the ledger.

It only looks. What it finds missing, the next pull, look-up or daily re-read should have found by itself; so a finding
is a fault to report, or a hand in one of the systems.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from hub.contract import Order, PlacedOrder
from hub.engine.outcome import call, pages
from hub.engine.world import Connected, World
from hub.routing.compose import order_key
from hub.routing.fate import Fate
from hub.store import known, orders, shipping
from hub.store.orders import Link, OrderRow
from hub.store.shipping import TOLD, PackageState

T = TypeVar("T")
BATCH = 200
GRACE_S = 600.0  # what changed this lately may come with the next pull, and what was sent may not show yet
OPEN_ENDED = (PackageState.WAITING, PackageState.BLOCKED)


@dataclass(slots=True)
class ShopProof:
    """A channel's Orders that changed in a window, by fate; ``missing`` and ``behind`` are refs.

    ``missing``: the ledger does not know them. ``behind``: the ledger holds an earlier state.
    """

    channel: str
    since: datetime
    until: datetime
    told: int = 0
    fates: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    behind: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Say whether every Order is accounted for."""
        return not self.missing and not self.behind


@dataclass(slots=True)
class ErpProof:
    """An ERP's sales orders and shipments of those Orders.

    ``lost``: the ledger says placed, the ERP has none that lives. ``doubled``: it has more than one. ``shipments``: by
    what became of them; ``unread``: refs of shipments the ledger has not read.
    """

    erp: str
    placed: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    shipments: dict[str, int] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Say whether there is one sales order for each placed Order, and no shipment went unread."""
        return not self.lost and not self.doubled and not self.unread


def shops(world: World, channel: Connected, since: datetime, placed: dict[str, list[OrderRow]]) -> ShopProof:
    """Read what a channel tells of a window again and hold it against the ledger: about one call per 100 Orders.

    Args:
        placed: gets the Orders with a sales order, by ERP.
    """
    now = world.clock.now()
    start = max(since, _watched_since(world, channel, now))
    proof = ShopProof(channel.id, start, now)
    settled = now - timedelta(seconds=GRACE_S)
    seen: set[str] = set()
    for page in pages(world, channel, "pull_orders", since=None, start=start):
        fresh = [order for order in page.items if order.ref not in seen]
        seen |= {order.ref for order in fresh}
        _account(world, channel, fresh, settled, proof, placed)
    return proof


def _watched_since(world: World, channel: Connected, now: datetime) -> datetime:
    """Return from when on the Routes of a channel take Orders."""
    routes = [route for route in world.routes_from(channel.id) if route.orders.enabled]
    with world.store.write() as tx:
        return min((route.orders.start or known.route_start(tx, route.name, now) for route in routes), default=now)


def _account(
    world: World, channel: Connected, told: Sequence[Order], settled: datetime, proof: ShopProof,
    placed: dict[str, list[OrderRow]],
) -> None:  # fmt: skip
    with world.store.read() as tx:
        rows = orders.by_refs(tx, channel.id, [order.ref for order in told])
        links = orders.links_of(tx, [row.id for row in rows.values()])
    for order in told:
        row = rows.get(order.ref)
        if row is None:
            if order.updated_at > settled:
                continue  # the next pull brings it
            proof.missing.append(order.ref)
        else:
            proof.fates[row.fate] = proof.fates.get(row.fate, 0) + 1
            if row.updated_at < order.updated_at <= settled:
                proof.behind.append(order.ref)
            link = links.get(row.id)
            if link is not None and link.gone_at is None:
                placed.setdefault(link.erp, []).append(row)
        proof.told += 1


def erps(world: World, erp: Connected, since: datetime, placed: Sequence[OrderRow]) -> ErpProof:
    """Look the sales orders of placed Orders up, and read the shipments of a window again."""
    proof = ErpProof(erp.id, placed=len(placed))
    for rows in _batches(placed):
        _look_up(world, erp, rows, proof)
    if any(route.erp == erp.id and route.fulfillments.enabled for route in world.routes):
        _read_shipments(world, erp, since, proof)
    return proof


def _batches(items: Sequence[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch


def _look_up(world: World, erp: Connected, rows: Sequence[OrderRow], proof: ErpProof) -> None:
    settled = world.clock.now() - timedelta(seconds=GRACE_S)
    keys = {row.key: order_key(Order.model_validate_json(row.document), _connector(world, row)) for row in rows}
    living: dict[str, list[PlacedOrder]] = {}
    for one in call(world, erp, "find_orders", orders=list(keys.values()), before=None):
        if not one.deleted:
            living.setdefault(one.key, []).append(one)
    with world.store.read() as tx:
        links = orders.links_of(tx, [row.id for row in rows])
    for row in rows:
        found, link = living.get(row.key, []), links.get(row.id)
        if len(found) > 1:
            proof.doubled.append(f"{row.ref}: {' and '.join(f'{one.number} (id {one.ref})' for one in found)}")
        elif not found and link is not None and link.linked_at <= settled and not _is_known_gone(row):
            proof.lost.append(f"{row.ref}: {link.number} (id {link.ref})")


def _is_known_gone(row: OrderRow) -> bool:
    """Say whether the ledger says itself that a sales order is gone."""
    return row.fate == Fate.BLOCKED and any(each["code"] == "deleted-in-erp" for each in row.reason or ())


def _connector(world: World, row: OrderRow) -> str:
    return world.connected[row.connection].connector


def _read_shipments(world: World, erp: Connected, since: datetime, proof: ErpProof) -> None:
    settled = world.clock.now() - timedelta(seconds=max(GRACE_S, 2 * world.timing.fulfillments_every_s))
    counted: set[str] = set()
    for page in pages(world, erp, "pull_fulfillments", since=None, start=since):
        fresh = [each for each in page.items if each.ref not in counted and not each.deleted and each.delivered]
        counted |= {each.ref for each in fresh}
        with world.store.read() as tx:
            links = shipping.links_by_ref(tx, erp.id, [each.order_ref for each in fresh])
            read = {seen.ref for of in shipping.of_sales_orders(tx, erp.id, list(links)).values() for seen in of}
            fates = _shipment_fates(links, shipping.parcels_of(tx, [link.order_id for link in links.values()]))
        for each in fresh:
            ours = each.order_ref in links
            word = (
                fates[each.order_ref] if ours and each.ref in read else "not of the channel" if not ours else "unread"
            )
            proof.shipments[word] = proof.shipments.get(word, 0) + 1
            if word == "unread" and (each.at is None or each.at <= settled):
                proof.unread.append(each.ref)


def _shipment_fates(links: Mapping[str, Link], parcels: Mapping[int, Sequence[shipping.Parcel]]) -> dict[str, str]:
    """Return, by sales order, the worst that its parcels stand at."""
    found = {}
    for ref, link in links.items():
        states = {parcel.state for parcel in parcels.get(link.order_id, ())} - {PackageState.SUPERSEDED}
        worst = next((state.value for state in OPEN_ENDED if state in states), None)
        found[ref] = worst or ("told" if states and states <= set(TOLD) else "on its way")
    return found
