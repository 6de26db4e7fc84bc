"""Open orders of the ledger -> what each still takes of an ERP's Variants, and of the channel's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from weakref import WeakKeyDictionary

from hub.contract import FulfilledBy, LineItem, LineStatus, Location, Order, OrderStatus
from hub.engine import watch
from hub.engine.ledger import OPEN
from hub.engine.world import World
from hub.routing.compose import components
from hub.routing.match import names_of
from hub.routing.model import Route
from hub.routing.reckon import Open
from hub.routing.stock import Ordered
from hub.store import Store, Tx, known
from hub.store import stock as ledger
from hub.store.stock import OpenRow

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class _Parsed:
    """What stock needs of an order's document: the lines that take, or took, of the seller's own stock."""

    digest: str
    lines: tuple[LineItem, ...]
    place: str | None
    is_open: bool


_parsed: WeakKeyDictionary[Store, dict[str, dict[int, _Parsed]]] = WeakKeyDictionary()
"""Documents are long and rarely change; only what stock needs of them is kept, by shop and order."""


@dataclass(frozen=True, slots=True)
class Names:
    """What the orders' words for SKUs and Locations mean."""

    refs: Mapping[str, str]  # ERP SKU -> its one Variant
    items: Mapping[str, str]  # channel SKU -> its one Variant there
    erp_locations: Sequence[Location] = ()
    channel_locations: Sequence[Location] = ()


@dataclass(slots=True)
class Taken:
    """What a shop's open orders take: by ERP Variant, and by Variant of the channel."""

    ordered: dict[str, list[Ordered]] = field(default_factory=dict)
    open: dict[str, list[Open]] = field(default_factory=dict)


def read(tx: Tx, world: World, shop: str, erp: str, names: Names, oldest: datetime | None) -> Taken:
    """Return what a shop's orders take from an ERP whose oldest level was read at ``oldest``.

    Nothing where the shop's orders are switched off: what nobody reads grows old, and what the shop itself says it has
    committed counts alone.
    """
    if not any(route.orders.enabled for route in world.routes_from(shop)):
        return Taken()
    rows, deadlines = rows_of(tx, world, shop, erp, oldest)
    parsed = _documents(tx, world.store, shop, rows)
    routes = {route.name: route for route in world.routes_from(shop)}
    here = next((route for route in routes.values() if route.erp == erp), None)
    window, taken = timedelta(seconds=world.timing.send_window_s), Taken()
    for row in rows:
        parts, route = parsed[row.id], routes.get(row.route or "")
        mapping = route if route is not None and route.erp == erp else here
        if not parts.lines or mapping is None:
            continue
        deadline = deadlines.get(row.id)
        made = _Made(
            elsewhere=row.linked_erp not in (None, erp) or (route is not None and route.erp != erp),
            sent_at=None if deadline is None else deadline - window,
            linked_at=row.linked_at if row.linked_erp == erp else None,
            gone_at=row.gone_at if row.linked_erp == erp else None,
        )
        for line in parts.lines:
            _take(taken, line, parts, row, made, mapping, names)
    return taken


def rows_of(
    tx: Tx, world: World, shop: str, erp: str, oldest: datetime | None
) -> tuple[list[OpenRow], dict[int, datetime]]:
    """Return the orders that take stock, and until when their sales orders were sent to an ERP.

    Shipped ones too, where a reading may be older than their sales order: what they took is not in it.
    """
    settle = timedelta(seconds=world.timing.stock_settle_s)
    rows = ledger.open_orders(tx, shop, None if oldest is None else oldest - settle)
    return rows, ledger.sent(tx, erp, [row.id for row in rows])


_versions: WeakKeyDictionary[Store, dict[str, tuple[object, int]]] = WeakKeyDictionary()
"""By ERP: what stood in the ledger when the orders that take its stock were last looked through, and what they were."""


def noted(tx: Tx, erp: str, oldest: datetime | None) -> tuple[object, ...]:
    """Return what has changed whenever an order that takes stock of an ERP may have; costs next to nothing."""
    return (oldest, known.cursor(tx, erp, watch.STREAM)[0], *ledger.noted(tx, erp))


def version(tx: Tx, world: World, erp: str, oldest: datetime | None) -> int:
    """Return what changes with the orders that take stock of an ERP.

    They are looked through only where the ledger has noted anything since, of whatever order: they may be thousands.
    """
    at = noted(tx, erp, oldest)
    before, found = _versions.get(world.store, {}).get(erp, (None, 0))
    if before != at:
        rows = [rows_of(tx, world, shop, erp, oldest) for shop in world.shops_of(erp)]
        found = hash(tuple((tuple(each), tuple(sent.items())) for each, sent in rows))
        _versions.setdefault(world.store, {})[erp] = (at, found)
    return found


@dataclass(frozen=True, slots=True)
class _Made:
    """What is known of an order's sales order."""

    elsewhere: bool
    sent_at: datetime | None
    linked_at: datetime | None
    gone_at: datetime | None


def _take(taken: Taken, line: LineItem, parsed: _Parsed, row: OpenRow, made: _Made, route: Route, names: Names) -> None:
    origin, shipped = line.location_ref or parsed.place, line.status is LineStatus.SHIPPED
    if shipped and made.linked_at is None and made.sent_at is None:
        return  # shipped by a person on the channel: no reading will ever show it
    location = _booked_at(origin, route, names)
    for part in components(line, route):
        ref = names.refs.get(part.sku)
        if ref is not None:
            units = Ordered(
                part.quantity * line.quantity, location, origin, made.sent_at, made.linked_at, made.gone_at,
                made.elsewhere, shipped,
            )  # fmt: skip
            taken.ordered.setdefault(ref, []).append(units)
    for item, quantity in () if shipped else _items(line, names):
        units_there = Open(quantity, origin, row.created_at, row.first_seen_at, direct=not line.parts)
        taken.open.setdefault(item, []).append(units_there)


def _items(line: LineItem, names: Names) -> Iterator[tuple[str, Decimal]]:
    """Yield which Variants of the channel a line takes; of the channel's own bundles, their parts."""
    for part in line.parts:
        item = part.variant_ref or names.items.get(part.sku or "")
        if item is not None:
            yield item, part.quantity * line.quantity
    if not line.parts:
        item = line.variant_ref or names.items.get(line.sku or "")
        if item is not None:
            yield item, line.quantity


def _booked_at(origin: str | None, route: Route, names: Names) -> str | None:
    """Return the ERP Location that an order from a channel Location is booked at; None where that is not known."""
    rule = route.orders.location
    called = names_of(origin, names.channel_locations)
    name = next((rule.by_channel_location[n] for n in called if n in rule.by_channel_location), rule.default)
    found = [
        place.ref
        for place in names.erp_locations
        if (place.is_default if name is None else name in (place.name, place.ref))
    ]
    return found[0] if len(found) == 1 else None


def _documents(tx: Tx, store: Store, shop: str, rows: Sequence[OpenRow]) -> dict[int, _Parsed]:
    cache = _parsed.setdefault(store, {}).setdefault(shop, {})
    missing = [row.id for row in rows if row.id not in cache or cache[row.id].digest != row.digest]
    digests = {row.id: row.digest for row in rows}
    for id_, document in ledger.documents(tx, missing).items():
        cache[id_] = _parse(document, digests[id_])
    _parsed[store][shop] = {id_: cache[id_] for id_ in digests}
    return _parsed[store][shop]


def _parse(document: str, digest: str) -> _Parsed:
    order = Order.model_validate_json(document)
    is_open = order.status in OPEN and any(line.status is LineStatus.OPEN for line in order.lines)
    own = order.fulfilled_by is FulfilledBy.SELLER and order.status is not OrderStatus.CANCELLED
    lines = tuple(line for line in order.lines if own and line.status is not LineStatus.CANCELLED)
    return _Parsed(digest, lines, order.location_ref, is_open)


def close_shipped(world: World, shop: str) -> None:
    """Mark orders of a ledger from before the mark existed that have nothing left to ship; once each."""
    cache = _parsed.get(world.store, {}).get(shop, {})
    with world.store.read() as tx:
        rows = [row for row in ledger.open_orders(tx, shop, None) if row.id in cache and not cache[row.id].is_open]
    if rows:
        with world.store.write() as tx:
            ledger.close(tx, [row.id for row in rows if cache[row.id].digest == row.digest])
