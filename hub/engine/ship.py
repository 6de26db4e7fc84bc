"""ERP -> ledger: shipments become parcels of exact channel lines; ``tell`` then tells the channel of them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hub.contract import FulfilledBy, Fulfillment, Order, Package
from hub.engine import products
from hub.engine.outcome import call, pages
from hub.engine.placed import rows_as_kept
from hub.engine.trouble import set_trouble
from hub.engine.world import Connected, World
from hub.host.clock import has_passed
from hub.routing.allocate import Allocation, Shipped, allocate
from hub.routing.compose import order_key
from hub.routing.fate import Problem
from hub.routing.model import Route
from hub.store import Tx, homes, known, orders, shipping, timeline
from hub.store.orders import Link, OrderRow
from hub.store.shipping import IN_FLIGHT, TOLD, PackageState, Parcel, Seen
from hub.store.timeline import Entry

STREAM = "fulfillments"
ASK_AGAIN_S = (300.0, 600.0, 1800.0, 3600.0, 7200.0, 14_400.0)  # a shipment without tracking is asked for again
UNLINKED_S = 600.0  # a shipment may be seen before its sales order is recorded as ours
UNLINKED, FORGET = timedelta(days=2), timedelta(days=30)
CATALOGUE_S = 3600.0
BATCH = 50
TROUBLE = "ship"


def routes_to(world: World, erp: str) -> list[Route]:
    """Return the Routes whose shipments come from an ERP."""
    return [route for route in world.routes if route.erp == erp and route.fulfillments.enabled]


def gather(world: World, erp: Connected) -> bool:
    """Read what the ERP shipped since the last time, and make parcels of it; say whether anything was done."""
    routes = routes_to(world, erp.id)
    if not routes or not (any(route.orders.enabled for route in routes) or _is_any_open(world, erp)):
        return False
    done = _is_due(world, erp)
    if done:
        read(world, erp)
    return _look_at_due(world, erp) or done


def _is_any_open(world: World, erp: Connected) -> bool:
    """Say whether an order that was placed before orders were switched off may still ship."""
    with world.store.read() as tx:
        return bool(orders.open_placed(tx, erp.id, world.shops_of(erp.id), 0, 1))


def _is_due(world: World, erp: Connected) -> bool:
    now = world.clock.now()
    with world.store.read() as tx:
        _, at = known.cursor(tx, erp.id, STREAM)
    return at is None or not at <= now < at + timedelta(seconds=world.timing.fulfillments_every_s)


def read(world: World, erp: Connected) -> set[str]:
    """Read what the ERP shipped since the last time; return the sales orders of which that told anything new."""
    now, told = world.clock.now(), set[str]()
    with world.store.read() as tx:
        cursor, at = known.cursor(tx, erp.id, STREAM)
    start = _start(world, erp, now)
    for page in pages(world, erp, "pull_fulfillments", since=cursor, start=start):
        cursor = page.cursor or cursor
        with world.store.write() as tx:
            told.update(see(tx, erp.id, page.items, now))
            if page.cursor is not None:
                known.set_cursor(tx, erp.id, STREAM, cursor, at or now - timedelta(days=1))
    with world.store.write() as tx:
        known.set_cursor(tx, erp.id, STREAM, cursor, now)
    return told


def _start(world: World, erp: Connected, now: datetime) -> datetime:
    """Return from when on shipments matter the first time: no order of ours was shipped before its route began."""
    with world.store.write() as tx:
        return min(route.orders.start or known.route_start(tx, route.name, now) for route in routes_to(world, erp.id))


def document_of(item: Fulfillment) -> tuple[str, str]:
    """Return a shipment as the ledger keeps it, and its digest."""
    document = item.model_dump_json(exclude_defaults=True)
    return document, hashlib.sha256(document.encode()).hexdigest()


def see(tx: Tx, erp: str, items: Sequence[Fulfillment], now: datetime) -> list[str]:
    """Take shipments up; return the sales orders of which that told anything new."""
    found = {item.ref: (item, *document_of(item)) for item in items}
    return shipping.see(tx, erp, found, now) if found else []


def _look_at_due(world: World, erp: Connected) -> bool:
    """Make parcels of new and changed shipments; ask again for those that still lack their tracking."""
    now = world.clock.now()
    with world.store.read() as tx:
        due = shipping.due_fulfillments(tx, erp.id, now, BATCH)
        links = shipping.links_by_ref(tx, erp.id, [seen.order_ref for seen in due])
    if not due:
        return False
    stale = [seen for seen in due if seen.asked and seen.order_ref in links]
    if stale:
        found = call(world, erp, "fetch_fulfillments", refs=[seen.ref for seen in stale])
        with world.store.write() as tx:
            see(tx, erp.id, found, now)
    with world.store.write() as tx:
        unlinked = [seen for seen in due if seen.order_ref not in links]
        shipping.forget(tx, erp.id, [seen.ref for seen in unlinked if now - seen.first_seen_at >= FORGET])
        shipping.set_due(tx, erp.id, [(seen.ref, _again(seen, now), 0) for seen in unlinked])
    refs = list(dict.fromkeys(seen.order_ref for seen in due if seen.order_ref in links))
    _read_rows(world, erp, [links[ref] for ref in refs])
    for ref in refs:
        _plan(world, erp, ref, now)
    return True


def _again(seen: Seen, now: datetime) -> datetime:
    """Return when a shipment of a sales order that is none of ours is looked at again; in the end to forget it."""
    is_new = now - seen.first_seen_at < UNLINKED
    return now + timedelta(seconds=UNLINKED_S) if is_new else seen.first_seen_at + FORGET


def _read_rows(world: World, erp: Connected, links: Sequence[Link]) -> None:
    """Read the rows of sales orders that were shipped, all at once: a person may have edited them by hand."""
    with world.store.read() as tx:
        rows = orders.by_ids(tx, [link.order_id for link in links])
    keys = {
        link.ref: order_key(Order.model_validate_json(row.document), world.connected[row.connection].connector)
        for link in links
        if (row := rows[link.order_id]).connection in world.connected
    }
    found = call(world, erp, "find_orders", orders=list(keys.values()), before=None) if keys else []
    present = {one.ref: rows_as_kept(one) for one in found}
    _know(world, erp, {each["variant_ref"] for kept in present.values() for each in kept or ()})
    now = world.clock.now()
    with world.store.write() as tx:
        for link in links:
            kept = present.get(link.ref)
            if kept is None or kept == link.rows:
                continue
            shipping.set_rows(tx, link.order_id, kept)
            if link.rows is not None:
                timeline.add(tx, [Entry(link.order_id, now, "edited-in-erp", {"number": link.number})])


def _know(world: World, erp: Connected, variants: Collection[str]) -> None:
    """Read the catalogue where a person put a Variant into a sales order that the hub never met; then it has a SKU."""
    with world.store.read() as tx:
        is_known = len(known.skus_of(tx, erp.id, set(variants))) == len(variants)
        _, at = known.cursor(tx, erp.id, products.WHOLE)
    is_recent = at is not None and not has_passed(at, CATALOGUE_S, world.clock.now())
    if not is_known and not is_recent and "pull_products" in erp.capabilities:
        products.read_whole(world, erp, products.WHOLE)


def _plan(world: World, erp: Connected, ref: str, now: datetime) -> None:
    """Bring the parcels of one order into line with its shipments."""
    with world.store.read() as tx:
        link = shipping.links_by_ref(tx, erp.id, [ref])[ref]
        row = orders.by_ids(tx, [link.order_id])[link.order_id]
        seen = shipping.of_sales_orders(tx, erp.id, [ref])[ref]
    route = next((r for r in routes_to(world, erp.id) if r.name == row.route), None)
    order = Order.model_validate_json(row.document)
    if route is None or order.fulfilled_by is FulfilledBy.CHANNEL:
        with world.store.write() as tx:
            shipping.set_due(tx, erp.id, [(each.ref, None, homes.OFF if route is None else 0) for each in seen])
        return
    values = {each.ref: Fulfillment.model_validate_json(each.document) for each in seen}
    with world.store.write() as tx:
        skus = _skus(tx, erp, link)
        _hand_over(tx, row.id, values)
        parcels = {parcel.key: parcel for parcel in shipping.parcels_of(tx, [row.id]).get(row.id, [])}
        shipments = _shipments(order, values, parcels, skus)
        made = allocate(order, route, shipments)
        problems = _write_parcels(tx, row, order, erp.id, values, parcels, made, now)
        problems += [problem for found in made.problems.values() for problem in found]
        waiting = _wait_for_tracking(tx, route, erp.id, seen, values, made, order, now)
        set_trouble(tx, world, {row.id: [*problems, *waiting]}, TROUBLE, now)


def _counts(value: Fulfillment, order: Order) -> bool:
    """Say whether a shipment is to be told: delivered; where the channel sells the label, packed is enough."""
    return not value.deleted and (value.delivered or order.shipping_by is FulfilledBy.CHANNEL)


def _is_told(parcel: Parcel) -> bool:
    """Say whether the channel knows a parcel, also where a corrected number of it has not gone out yet."""
    return parcel.state in TOLD or parcel.told_at is not None


def _shipments(
    order: Order, values: Mapping[str, Fulfillment], parcels: Mapping[str, Parcel], skus: Mapping[str, str]
) -> list[Shipped]:
    found = []
    for value in values.values():
        for package in value.packages:
            parcel = parcels.get(package.key)
            told = None
            if parcel is not None and (_is_told(parcel) or parcel.state in IN_FLIGHT):
                told = {ref: Decimal(units) for ref, units in parcel.lines.items()}
            if not _counts(value, order) and told is None:
                continue
            pieces: dict[str, Decimal] = {}
            for row, quantity in package.lines.items():
                sku = skus.get(row, f"row {row}")
                pieces[sku] = pieces.get(sku, Decimal(0)) + quantity
            found.append(Shipped(package.key, pieces, package.tracking_number, told))
    return found


def _skus(tx: Tx, erp: Connected, link: Link) -> dict[str, str]:
    """Return the ERP SKU of each sales order row."""
    rows = link.rows or []
    skus = known.skus_of(tx, erp.id, {each["variant_ref"] for each in rows})
    return {each["ref"]: skus.get(each["variant_ref"], f"variant {each['variant_ref']}") for each in rows}


def _hand_over(tx: Tx, order_id: int, values: Mapping[str, Fulfillment]) -> None:
    """Let a shipment that was deleted and booked again under the same number keep the parcel the channel knows."""
    parcels = shipping.parcels_of(tx, [order_id]).get(order_id, [])
    known_keys = {parcel.key for parcel in parcels}
    fresh = {
        package.tracking_number: package.key
        for value in values.values()
        for package in value.packages
        if not value.deleted and package.tracking_number and package.key not in known_keys
    }
    gone = {package.key for value in values.values() if value.deleted for package in value.packages}
    for parcel in parcels:
        is_free = _is_told(parcel) and parcel.state not in IN_FLIGHT
        if parcel.key in gone and is_free and parcel.told_tracking in fresh:
            shipping.update_parcels(tx, [{"id": parcel.id, "key": fresh.pop(parcel.told_tracking)}])


def _write_parcels(
    tx: Tx, row: OrderRow, order: Order, erp: str, values: Mapping[str, Fulfillment],
    parcels: Mapping[str, Parcel], made: Allocation, now: datetime,
) -> list[Problem]:  # fmt: skip
    """Insert, change or withdraw parcels; return what cannot be put right from here."""
    problems: list[Problem] = []
    for value in values.values():
        for package in value.packages:
            lines = {ref: str(units) for ref, units in made.lines.get(package.key, {}).items()}
            parcel = parcels.get(package.key)
            if parcel is None and lines:
                shipping.add_parcels(tx, [_new(row, erp, package, lines, _state(order, package), now)])
                timeline.add(tx, [_entry(row, now, "shipment-seen", package, lines)])
            elif parcel is None or parcel.state in IN_FLIGHT:
                continue
            elif _is_told(parcel):
                problems += _after_told(tx, row, value, package, parcel, now)
            else:
                _renew(tx, parcel, package, lines, _state(order, package), now)
    return problems


def _state(order: Order, package: Package) -> PackageState:
    has_all = bool(package.tracking_number) or order.shipping_by is FulfilledBy.CHANNEL
    return PackageState.READY if has_all else PackageState.WAITING


def _new(
    row: OrderRow, erp: str, package: Package, lines: Mapping[str, str], state: PackageState, now: datetime
) -> dict[str, Any]:
    return {
        "order_id": row.id, "erp": erp, "key": package.key, "lines": dict(lines), "attempts": 0, **_told_of(package),
        "state": state, "due_at": now,
    }  # fmt: skip


def _told_of(package: Package) -> dict[str, Any]:
    return {
        "tracking_number": package.tracking_number,
        "carrier": package.carrier,
        "tracking_url": package.tracking_url,
    }


def _renew(
    tx: Tx, parcel: Parcel, package: Package, lines: Mapping[str, str], state: PackageState, now: datetime
) -> None:
    """Let a parcel that was not told yet follow its shipment; one that changed is tried at once."""
    told = _told_of(package)
    same = dict(lines) == parcel.lines and all(getattr(parcel, name) == value for name, value in told.items())
    if same and (parcel.state != PackageState.SUPERSEDED or not lines):
        return
    state = state if lines else PackageState.SUPERSEDED
    shipping.update_parcels(
        tx, [{"id": parcel.id, "lines": dict(lines), **told, "state": state, "due_at": now, "reason": None}]
    )


def _after_told(
    tx: Tx, row: OrderRow, value: Fulfillment, package: Package, parcel: Parcel, now: datetime
) -> list[Problem]:
    """Follow a shipment whose parcel the channel knows: a corrected number goes out, a deletion needs a person."""
    if parcel.state == PackageState.SETTLED:
        return []
    if value.deleted:
        if parcel.state not in TOLD:
            _drop_correction(tx, parcel)
        what = f"shipment {parcel.key} was deleted in {parcel.erp} after the channel was told of it"
        what += f" ({parcel.told_tracking})" if parcel.told_tracking else ""
        do = (
            "Book it again in the ERP with the same tracking number. Or settle it with the buyer on the channel, then: "
        )
        do += f"hub retry --settled {row.ref}"
        return [Problem("shipment-taken-back", what, do)]
    told, new = _told_of(package), package.tracking_number
    if parcel.state in TOLD:
        is_news = parcel.state == PackageState.DONE and new not in (None, parcel.told_tracking, parcel.tracking_number)
    elif new in (None, parcel.told_tracking):
        _drop_correction(tx, parcel)
        return []
    else:
        is_news = any(getattr(parcel, name) != value for name, value in told.items())
    if is_news:
        changes = {"id": parcel.id, **told, "state": PackageState.READY, "due_at": now, "reason": None}
        shipping.update_parcels(tx, [changes])
        timeline.add(tx, [_entry(row, now, "tracking-changed", package, parcel.lines)])
    return []


def _drop_correction(tx: Tx, parcel: Parcel) -> None:
    """Let the channel keep the number it knows; one that was to replace it does not go out."""
    done = {"state": PackageState.DONE, "due_at": None, "reason": None}
    shipping.update_parcels(tx, [{"id": parcel.id, "tracking_number": parcel.told_tracking, **done}])


def _entry(row: OrderRow, now: datetime, event: str, package: Package, lines: Mapping[str, str]) -> Entry:
    detail = {"shipment": package.key, "lines": dict(lines), "tracking": package.tracking_number}
    return Entry(row.id, now, event, {**detail, "carrier": package.carrier})


def _wait_for_tracking(
    tx: Tx, route: Route, erp: str, seen: Sequence[Seen], values: Mapping[str, Fulfillment], made: Allocation,
    order: Order, now: datetime,
) -> list[Problem]:  # fmt: skip
    """Ask again, ever more seldom, for shipments that lack their tracking; say it when it takes long."""
    problems: list[Problem] = []
    dues: list[tuple[str, datetime | None, int]] = []
    for each in seen:
        value = values[each.ref]
        bare = [package for package in value.packages if not package.tracking_number]
        if value.deleted or not bare or not value.delivered or order.shipping_by is FulfilledBy.CHANNEL:
            dues.append((each.ref, None, 0))
            continue
        wait = ASK_AGAIN_S[min(each.asked, len(ASK_AGAIN_S) - 1)]
        dues.append((each.ref, now + timedelta(seconds=wait), each.asked + 1))
        if now - each.first_seen_at >= timedelta(seconds=route.fulfillments.late_s):
            what = f"shipment {each.ref} is delivered in {erp} since over {route.fulfillments.late_s / 3600:g} h, "
            do = "Enter the tracking number in the ERP; the hub sees it by itself."
            problems.append(Problem("tracking-missing", what + "without a tracking number", do))
    shipping.set_due(tx, erp, dues)
    return problems
