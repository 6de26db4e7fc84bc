"""The catalogues of both sides: read whole where they must be, laid side by side, and switched by a person."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hub.config.faults import listing as listed
from hub.config.faults import nearest
from hub.contract import HubError, Order, Variant
from hub.engine import catalogue, readings, shelf
from hub.engine.outcome import pages
from hub.engine.pull import refresh_locations
from hub.engine.readings import Reading
from hub.engine.turns import turn
from hub.engine.world import Connected, World
from hub.routing.fate import Fate
from hub.routing.listing import Entry, Match, drafts, matched, seller_sku
from hub.routing.model import Route
from hub.store import Store, Tx, known, orders
from hub.store import products as ledger
from hub.store import stock as switches
from hub.store.products import BLOCKED, DONE, GONE, SHOP, ListingRow

WHOLE = "catalogue"  # the stream that says when an ERP's whole catalogue was read
WHOLE_S = 86_400.0  # an ERP may not tell that a product became sellable, so all is read this often
Tell = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class There:
    """One Variant of one side, as that side tells it."""

    ref: str
    sku: str | None
    name: str
    product: str | None
    price: Decimal | None
    currency: str | None
    status: str = ""
    stockable: bool = True


@dataclass(frozen=True, slots=True)
class Listed:
    """What became of publishing an item: its state, and what stands in the way or was said beside."""

    state: str
    ref: str | None
    told_at: datetime | None
    due_at: datetime | None
    problems: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One item of the catalogues of a Route's two sides; ``switched_by``: a person, a pattern, or nobody (None)."""

    sku: str | None
    match: str
    enabled: bool
    switched_by: str | None
    erp: tuple[There, ...]
    channel: tuple[There, ...]
    within: tuple[str, ...]
    listing: Listed | None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The items of a Route, and why nothing can be listed in its shop at present, if so."""

    route: str
    channel: str
    erp: str
    read_at: datetime | None
    items: tuple[Row, ...]
    shop: Listed | None


# -- reading


def ruler(world: World, channel: str) -> Route | None:
    """Return the Route that rules a channel's products; None where none of its Routes takes part."""
    return next((route for route in world.routes_from(channel) if route.products.enabled), None)


def routes_of(world: World, name: str | None) -> list[Route]:
    """Return the Route that rules each shop's products, or the one of that name.

    Raises:
        HubError: there is no such Route.
    """
    if name is None:
        shops = dict.fromkeys(route.channel for route in world.routes)
        return [ruler(world, shop) or world.routes_from(shop)[0] for shop in shops]
    found = [route for route in world.routes if route.name == name]
    if not found:
        names = [route.name for route in world.routes]
        do = f"{nearest(name, names)}Routes: {listed(names)}."
        raise HubError("route-unknown", f"there is no route {name!r}", where=str(world.config.path), do=do)
    return [ruler(world, found[0].channel) or found[0]]


def is_known(world: World, route: Route) -> bool:
    """Say whether both catalogues of a Route were read whole once."""
    with world.store.read() as tx:
        both = ((route.erp, WHOLE), (route.channel, shelf.STREAM))
        return all(known.cursor(tx, id_, stream)[1] is not None for id_, stream in both)


def read_both(world: World, route: Route, tell: Tell = lambda _id, _n: None) -> None:
    """Read both catalogues of a Route whole."""
    for id_ in (route.erp, route.channel):
        connected = world.connected[id_]
        if "pull_products" in connected.capabilities:
            read_whole(world, connected, shelf.STREAM if id_ == route.channel else WHOLE, tell)
    with world.store.write() as tx:
        if SHOP in ledger.listings_of(tx, route.channel):  # whoever reads anew may just have mended the shop
            ledger.put_listing(tx, route.channel, SHOP, {"due_at": world.clock.now()})


def read_whole(world: World, connected: Connected, stream: str, tell: Tell = lambda _id, _n: None) -> None:
    """Read a whole catalogue; what it does not tell any more is gone. Wakes the Orders it may heal."""
    reading = _begun(world, connected)
    while not readings.read_on(world, connected, reading):
        tell(connected.id, len(reading.told))
    tell(connected.id, len(reading.told))
    _end(world, connected, stream, reading)


def _begun(world: World, connected: Connected) -> Reading:
    refresh_locations(world, connected)
    key = f"{WHOLE}:{connected.id}"
    reading = readings.take(world, key, lambda: pages(world, connected, "pull_products", since=None, start=None))
    if reading.before is None:
        with world.store.read() as tx:
            reading.before = ledger.refs(tx, connected.id)
    return reading


def _read_on(world: World, channel: Connected, erp: Connected) -> shelf.State:
    """Read an ERP's whole catalogue for a while, where its budget has room."""
    with turn(world, channel, erp) as may_go:
        if not may_go:
            return shelf.State.WAITS
        reading = _begun(world, erp)
        if readings.read_on(world, erp, reading):
            _end(world, erp, WHOLE, reading)
        else:
            readings.keep(world, f"{WHOLE}:{erp.id}", reading)
    return shelf.State.READ


def _end(world: World, connected: Connected, stream: str, reading: Reading) -> None:
    with world.store.write() as tx:
        ledger.bury(tx, connected.id, (reading.before or set()) - reading.told.keys())
        known.set_cursor(tx, connected.id, stream, reading.cursor, reading.began)
        if stream == WHOLE:  # the ERP's changes are followed from here
            known.set_cursor(tx, connected.id, catalogue.STREAM, reading.cursor, reading.began)
            orders.wake(tx, reading.began, fate=Fate.BLOCKED, causes=catalogue.HEALED_BY_VARIANTS)
    world.asked.clear()


def refresh(world: World, channel: Connected, route: Route, resting: Collection[str]) -> shelf.State:
    """Read some of what must be known before anything is listed: the ERP's catalogue daily, the channel's hourly."""
    with world.store.read() as tx:
        _, at = known.cursor(tx, route.erp, WHOLE)
    due = at is None or world.clock.now() - at >= timedelta(seconds=WHOLE_S)
    if due and route.erp not in resting:
        return _read_on(world, channel, world.connected[route.erp])
    return shelf.refresh(world, channel, route, resting=resting)


def currency_of(tx: Tx, channel: str, variants: Sequence[Variant]) -> str | None:
    """Return what a shop sells in: as its catalogue says, else its newest order; None: not known."""
    told = next((each.currency for each in variants if each.currency), None)
    if told is None and (document := ledger.newest_order(tx, channel)) is not None:
        return Order.model_validate_json(document).currency
    return told


# -- showing


def review(world: World, route: Route) -> Catalogue:
    """Return both catalogues of a Route side by side, as the ledger knows them; makes no call."""
    with world.store.read() as tx:
        erp, there = (ledger.catalogue(tx, id_) for id_ in (route.erp, route.channel))
        switched, rows = switches.switches_of(tx, route.channel), ledger.listings_of(tx, route.channel)
        times = [known.cursor(tx, route.erp, catalogue.STREAM)[1], known.cursor(tx, route.channel, shelf.STREAM)[1]]
        currency = currency_of(tx, route.channel, there)
    drafted = drafts(erp, there, route, switched, currency)
    by_sku = {sku: rows[draft.product] for draft in drafted if draft.product in rows for sku in draft.skus}
    shop = rows.get(SHOP)
    return Catalogue(
        route.name,
        route.channel,
        route.erp,
        min((at for at in times if at is not None), default=None),
        tuple(_row(entry, by_sku) for entry in matched(erp, there, route, switched)),
        _listing(shop) if shop is not None and shop.state == BLOCKED else None,
    )


def _row(entry: Entry, rows: dict[str, ListingRow]) -> Row:
    row = rows.get(entry.sku or "") if entry.erp else None
    return Row(
        sku=entry.sku,
        match=entry.match.value,
        enabled=entry.switch.enabled,
        switched_by=entry.switch.by,
        erp=tuple(_there(each) for each in entry.erp),
        channel=tuple(_there(each) for each in entry.channel),
        within=entry.within,
        listing=_listing(row) if row is not None else None,
    )


def _there(each: Variant) -> There:
    return There(
        each.ref, each.sku, each.name, each.product_ref, each.price, each.currency, each.status, each.stockable
    )


def _listing(row: ListingRow) -> Listed:
    return Listed(row.state, row.ref, row.told_at, row.due_at, tuple(row.reason or ()))


# -- switching


@dataclass(frozen=True, slots=True)
class Switched:
    """What a person switched, and what happens next."""

    sku: str
    channel: str
    enabled: bool
    says: str


def switch(store: Store, routes: Sequence[Route], skus: Sequence[str], *, enabled: bool) -> list[Switched]:
    """Switch items on or off for sync in these Routes' shops; all of them or, where one is unknown, none.

    Raises:
        HubError: no Variant of either side has one of these SKUs.
    """
    done = []
    with store.write() as tx:
        for route in routes:
            sides = _known(tx, route, skus)
            done += [_switch(tx, route, sku, sides, enabled=enabled) for sku in skus]
    return done


@dataclass(frozen=True, slots=True)
class _Sides:
    erp: list[Variant]
    channel: list[Variant]


def _known(tx: Tx, route: Route, skus: Sequence[str]) -> _Sides:
    """Return both catalogues, having made sure that they hold the SKUs."""
    sides = _Sides(ledger.catalogue(tx, route.erp), ledger.catalogue(tx, route.channel))
    there = {each.sku for each in (*sides.erp, *sides.channel) if each.sku}
    for sku in skus:
        if sku not in there:
            raise HubError(
                "sku-unknown",
                f"neither {route.erp} nor {route.channel} has a variant with SKU {sku!r}",
                where=f"route {route.name}",
                do=f"{nearest(sku, there)}hub products --refresh reads both catalogues anew.",
            )
    return sides


def _switch(tx: Tx, route: Route, sku: str, sides: _Sides, *, enabled: bool) -> Switched:
    switches.set_switch(tx, route.channel, sku, enabled)
    if not route.products.enabled:
        says = f"noted, but without effect: route {route.name} has its products section switched off"
    elif not enabled:
        says = "neither its stock nor its listing goes out any more; the shop sells what it shows; orders still arrive"
    else:
        says = _next(tx, route, sku, sides)
    return Switched(sku, route.channel, enabled, says)


def _next(tx: Tx, route: Route, sku: str, sides: _Sides) -> str:
    """Say what an item that is switched on is in for; what was deleted on the channel may be listed anew."""
    entries = matched(sides.erp, sides.channel, route, {sku: True})
    mine = next((each for each in entries if sku in (each.sku, *(offer.sku for offer in each.channel))), None)
    stock = "its stock goes out with the next pass" if route.inventory.enabled else "the route sends no stock"
    if mine is None or mine.match is not Match.HERE:
        return stock
    if route.products.publish is None or seller_sku(sku, route.orders.skus) is None:
        return f"{route.channel} does not have it, and the route publishes nothing: nothing goes out before it is there"
    products = {each.product_ref or each.ref for each in mine.erp}
    for product, row in ledger.listings_of(tx, route.channel).items():
        if product in products and row.state in (GONE, BLOCKED, DONE):
            again = {"round": row.round + 1, "ref": None, "told": None} if row.state == GONE else {}
            ledger.put_listing(tx, route.channel, product, {"state": BLOCKED, "due_at": None, "asked": None, **again})
    return f"{route.channel} does not have it: it is published as a {route.products.publish} with the next pass"
