"""Proof towards an ERP: one sales order for each placed Order, and every shipment read.

Two sales orders under one key are what no claim and no look-up can rule out where the ERP has no idempotency key: they
are found here, the Order is blocked, and both are named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from hub.contract import Fulfillment, Order, PlacedOrder
from hub.engine import recheck, ship
from hub.engine.outcome import call, pages
from hub.engine.proof import Part, Proof
from hub.engine.reconcile import GRACE_S
from hub.engine.world import Connected, World
from hub.routing.compose import order_key
from hub.routing.fate import Fate
from hub.store import Tx, known, orders, shipping
from hub.store.figures import last_proofs
from hub.store.orders import Link, OrderRow
from hub.store.shipping import TOLD, PackageState

BATCH = 200
NEWEST, NEWEST_S = 100, 7 * 86_400.0  # so many of the latest sales orders are looked up again, however quiet it is
LEAD_S = 35.0  # a reading of shipments so shortly before a poll stands for it; a lane rests no longer than 30 s
DOUBLED, LOST, UNREAD = "doubled", "lost", "unread"
FOREIGN = "not of a channel"
OPEN_ENDED = (PackageState.WAITING, PackageState.BLOCKED)


def of_sales_orders(world: World, erp: Connected, proof: Proof) -> Iterator[bool]:
    """Look up the sales orders that were made in the window, and the latest besides.

    Shape: yields after each batch: two calls per 100 of them at most, one in all where few sales orders were made.
    """
    if not any(route.orders.enabled for route in world.routes_to(erp.id)):
        return
    part = proof.parts["sales_orders"] = Part.of(DOUBLED, LOST)
    with world.store.read() as tx:
        ids = orders.linked_since(tx, erp.id, proof.since)
        latest = orders.linked_since(tx, erp.id, proof.at - timedelta(seconds=NEWEST_S), NEWEST)
        named = _named_before(tx, erp)
    wanted = list(dict.fromkeys([*ids, *latest, *named]))
    for start in range(0, len(wanted), BATCH):
        if _look_up(world, erp, wanted[start : start + BATCH], part):
            yield True


def _named_before(tx: Tx, erp: Connected) -> list[int]:
    """Return the orders whose sales order the last proof did not find: they are named until they are found."""
    _, kept = last_proofs(tx).get(erp.id, (None, {}))
    lost = kept.get("sales_orders", {}).get(LOST, [])[:BATCH]
    return [row.id for each in lost for row in orders.find(tx, each.partition(":")[0])]


def _look_up(world: World, erp: Connected, ids: Sequence[int], part: Part) -> bool:
    with world.store.read() as tx:
        rows = [row for row in orders.by_ids(tx, ids).values() if row.connection in world.connected]
    rows = [row for row in rows if world.takes_orders(row.route)]
    if not rows:
        return False
    keys = [order_key(Order.model_validate_json(row.document), _channel(world, row).connector) for row in rows]
    found: dict[str, list[PlacedOrder]] = {}
    for one in call(world, erp, "find_orders", orders=keys, before=None):
        found.setdefault(one.key, []).append(one)
    with world.store.read() as tx:
        fresh, links = orders.by_ids(tx, [row.id for row in rows]), orders.links_of(tx, [row.id for row in rows])
    for id_, link in links.items():
        if link.erp == erp.id and link.gone_at is None:
            _account(world, fresh[id_], link, found.get(fresh[id_].key, []), part)
    return True


def _channel(world: World, row: OrderRow) -> Connected:
    return world.connected[row.connection]


def _account(world: World, row: OrderRow, link: Link, found: Sequence[PlacedOrder], part: Part) -> None:
    living, now = [one for one in found if not one.deleted], world.clock.now()
    part.told += 1
    if len(living) > 1:
        part.remainder[DOUBLED].append(f"{row.ref}: {recheck.named(living)}")
    elif living:
        part.count("single")
    elif _is_known_gone(row):
        part.count("gone, and the order blocked")
    elif link.linked_at > now - timedelta(seconds=GRACE_S):
        part.count("coming")  # it may not show yet
    else:
        part.remainder[LOST].append(f"{row.ref}: {link.number} (id {link.ref})")
        with world.store.write() as tx:
            recheck.look_from(tx, link.erp, row.id)
    is_news = len(living) > 1 or any(one.ref != link.ref for one in living)
    if living and (is_news or any(each["by"] == recheck.TROUBLE for each in row.trouble or ())):
        recheck.compare(world, _channel(world, row), row, link, found)


def _is_known_gone(row: OrderRow) -> bool:
    """Say whether the ledger says itself that a sales order is gone."""
    return row.fate == Fate.BLOCKED and any(each["code"] == "deleted-in-erp" for each in row.reason or ())


# -- shipments


def of_shipments(world: World, erp: Connected, proof: Proof, *, in_lane: bool) -> Iterator[bool]:
    """Read the shipments of the window again; those that were not read are taken up, since no poll will bring them.

    Shape: yields after each page: one call per 250 at Katana. Within the lane none more than without: it waits until a
    poll of shipments is near, and where it finds nothing that is not known, it stands for that poll. What it found
    unread counts only where the poll that follows did not bring it either.
    """
    if not ship.routes_to(world, erp.id) or (in_lane and _polled_at(world, erp) is None):
        return
    every, waits_since = world.timing.fulfillments_every_s, world.clock.now()
    while in_lane and not _is_poll_near(world, erp, waits_since):
        yield False
    began, told = world.clock.now(), dict[str, Fulfillment]()
    for page in pages(world, erp, "pull_fulfillments", since=None, start=proof.since):
        told |= {each.ref: each for each in page.items}
        yield True
    if in_lane and _is_all_known(world, erp, told):
        with world.store.write() as tx:
            cursor, _ = known.cursor(tx, erp.id, ship.STREAM)
            known.set_cursor(tx, erp.id, ship.STREAM, cursor, began)
    elif in_lane:
        patience = began + timedelta(seconds=2 * every)
        while (_polled_at(world, erp) or began) <= began and world.clock.now() < patience:
            yield False
    part = proof.parts["shipments"] = Part.of(UNREAD)
    grace = 0.0 if in_lane else max(GRACE_S, 2 * every)
    left = [each for each in told.values() if each.delivered and not each.deleted]
    for start in range(0, len(left), BATCH):
        with world.store.read() as tx:
            account_shipments(tx, erp, left[start : start + BATCH], began - timedelta(seconds=grace), part)
    unread = [told[ref] for ref in part.remainder[UNREAD]]
    if unread:
        with world.store.write() as tx:
            ship.see(tx, erp.id, unread, world.clock.now())


def _is_poll_near(world: World, erp: Connected, waits_since: datetime) -> bool:
    """Say whether a poll of shipments is due in a moment; a lane so busy that it never is then has waited enough."""
    now, polled, every = world.clock.now(), _polled_at(world, erp), timedelta(seconds=world.timing.fulfillments_every_s)
    return polled is not None and (now >= polled + every - timedelta(seconds=LEAD_S) or now >= waits_since + every)


def _polled_at(world: World, erp: Connected) -> datetime | None:
    with world.store.read() as tx:
        return known.cursor(tx, erp.id, ship.STREAM)[1]


def _is_all_known(world: World, erp: Connected, told: Mapping[str, Fulfillment]) -> bool:
    with world.store.read() as tx:
        kept = shipping.digests_of(tx, erp.id, list(told))
    return all(kept.get(ref) == ship.document_of(each)[1] for ref, each in told.items())


def account_shipments(tx: Tx, erp: Connected, left: Sequence[Fulfillment], settled: datetime, part: Part) -> None:
    """Count delivered shipments by what became of their parcels and by shop; name those that were not read."""
    links = shipping.links_by_ref(tx, erp.id, [each.order_ref for each in left])
    rows = orders.by_ids(tx, [link.order_id for link in links.values()])
    read = shipping.digests_of(tx, erp.id, [each.ref for each in left])
    words = _words(links, shipping.parcels_of(tx, list(rows)))
    for each in left:
        part.told += 1
        link = links.get(each.order_ref)
        if link is None:
            part.count(FOREIGN)
        elif each.ref in read:
            part.count(words[each.order_ref], rows[link.order_id].connection)
        elif each.at is not None and each.at > settled:
            part.count("coming", rows[link.order_id].connection)
        else:
            part.remainder[UNREAD].append(each.ref)


def _words(links: Mapping[str, Link], parcels: Mapping[int, Sequence[shipping.Parcel]]) -> dict[str, str]:
    """Return, by sales order, the worst that its parcels stand at."""
    found = {}
    for ref, link in links.items():
        states = {parcel.state for parcel in parcels.get(link.order_id, ())} - {PackageState.SUPERSEDED}
        worst = next((state.value for state in OPEN_ENDED if state in states), None)
        found[ref] = worst or ("told" if states and states <= set(TOLD) else "on its way")
    return found
