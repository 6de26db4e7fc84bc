"""Channel -> ERP: goods that came back, booked in as sales returns where a route wants it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from hub.contract import (
    ContractError,
    HubError,
    Location,
    LocationKind,
    Order,
    RejectedError,
    Return,
    SalesReturn,
    TransientError,
)  # fmt: skip
from hub.engine.ledger import reasons
from hub.engine.outcome import call, pages, retry_in
from hub.engine.pull import refresh_locations
from hub.engine.trouble import set_trouble
from hub.engine.world import Connected, World
from hub.host.http import send_before
from hub.routing.compose import components
from hub.routing.fate import Problem
from hub.routing.match import names_of
from hub.routing.model import Route
from hub.store import known, orders, timeline
from hub.store import returns as ledger
from hub.store.orders import Link, OrderRow
from hub.store.returns import BLOCKED, DONE, READY, SENDING, WAITING, ReturnRow
from hub.store.timeline import Entry

STREAM = "returns"
BATCH = 10
TROUBLE = "return"
BLOCKED_AGAIN_S = 14_400.0


def routes_of(world: World, channel: str) -> list[Route]:
    """Return the Routes of a channel that book returns."""
    return [route for route in world.routes_from(channel) if route.returns.enabled]


def book(world: World, channel: Connected) -> bool:
    """Read what came back since the last time, and book what was received; say whether anything was done."""
    if not routes_of(world, channel.id):
        return False
    done, now = _is_due(world, channel), world.clock.now()
    if done:
        read(world, channel)
    with world.store.read() as tx:
        due = ledger.due(tx, channel.id, now, BATCH)
        rows = orders.by_refs(tx, channel.id, [each.order_ref for each in due])
    for each in due:
        row = rows.get(each.order_ref)
        if row is not None:
            _book_one(world, channel, each, row)
        else:
            _write(world, each, state=WAITING, due_at=None)  # an order from before our time
    return done or bool(due)


def _is_due(world: World, channel: Connected) -> bool:
    now = world.clock.now()
    with world.store.read() as tx:
        _, at = known.cursor(tx, channel.id, STREAM)
    return at is None or not at <= now < at + timedelta(seconds=world.timing.returns_every_s)


def read(world: World, channel: Connected) -> None:
    """Read what came back since the last time."""
    now = world.clock.now()
    with world.store.write() as tx:
        cursor, _ = known.cursor(tx, channel.id, STREAM)
        starts = [r.orders.start or known.route_start(tx, r.name, now) for r in routes_of(world, channel.id)]
    for page in pages(world, channel, "pull_returns", since=cursor, start=min(starts)):
        cursor = page.cursor or cursor
        with world.store.write() as tx:
            ledger.see(tx, channel.id, page.items, now)
    with world.store.write() as tx:
        known.set_cursor(tx, channel.id, STREAM, cursor, now)


def _book_one(world: World, channel: Connected, each: ReturnRow, row: OrderRow) -> None:
    now = world.clock.now()
    with world.store.read() as tx:
        link = orders.links_of(tx, [row.id]).get(row.id)
    route = next((r for r in routes_of(world, channel.id) if r.name == row.route), None)
    if link is None or route is None or route.erp != link.erp:
        _write(world, each, state=WAITING, due_at=None)
        return
    erp = world.connected[link.erp]
    made = _sales_return(world, channel, erp, each, row, link, route)
    if isinstance(made, Problem):
        _blocked(world, each, row, made)
        return
    deadline = now + timedelta(seconds=world.timing.send_window_s)
    _write(world, each, state=SENDING, due_at=deadline + timedelta(seconds=world.timing.timeout_s))
    try:
        with send_before(deadline):
            ref: str = call(world, erp, "push_return", sales_return=made)
    except TransientError as error:
        _write(world, each, state=SENDING, due_at=world.clock.now() + retry_in(3, error.retry_after_s))
    except (RejectedError, ContractError) as error:
        _blocked(world, each, row, Problem("return-unbooked", f"{error.what} ({error.where})", error.do))
    except HubError:
        _write(world, each, state=READY, due_at=now)
        raise
    else:
        _write(world, each, state=DONE, due_at=None, sales_return_ref=ref, reason=None)
        with world.store.write() as tx:
            timeline.add(tx, [Entry(row.id, now, "return-booked", {"return": each.ref, "sales_return": ref})])
            set_trouble(tx, world, {row.id: []}, TROUBLE, now)


def _sales_return(
    world: World, channel: Connected, erp: Connected, each: ReturnRow, row: OrderRow, link: Link, route: Route
) -> SalesReturn | Problem:
    value = Return.model_validate_json(each.document)
    place = _location(world, channel, erp, value, route)
    if isinstance(place, Problem):
        return place
    rows = _rows(world, erp, Order.model_validate_json(row.document), value, link, route)
    if not rows:
        what = f"return {each.ref} names no unit that sales order {link.number} holds"
        return Problem("return-unbooked", what, f"Book it in the ERP by hand, then: hub retry --settled {row.ref}")
    return SalesReturn(
        key=f"RT-{each.ref}", order_ref=link.ref, location_ref=place, rows=rows, tracking_number=value.tracking_number,
        carrier=value.carrier, note=value.reason, restock=route.returns.restock,
    )  # fmt: skip


def _location(world: World, channel: Connected, erp: Connected, value: Return, route: Route) -> str | Problem:
    for each in (channel, erp):
        refresh_locations(world, each)
    with world.store.read() as tx:
        theirs, ours = known.locations_of(tx, channel.id), known.locations_of(tx, erp.id)
    names = names_of(value.location_ref or _only_return_place(theirs), theirs)
    name = next((to for at, to in route.returns.locations.items() if at in names), route.returns.default)
    if name is None and route.returns.locations:
        place = f"to {names[-1]!r}" if names else "to a warehouse that the channel does not name"
        what = f"no line of the route says where goods go that came back {place}"
        return Problem(
            "location-unknown", what, f"Name it, or a default, in the route file: routes/{route.name}/returns."
        )
    name = name or route.orders.location.default
    found = [each.ref for each in ours if (each.is_default if name is None else name in (each.name, each.ref))]
    if len(found) == 1:
        return found[0]
    called = f"location {name!r}" if name is not None else "default location"
    what = f"{erp.id} has {len(found) or 'no'} {called} for returned goods"
    return Problem("location-unknown", what, f"Name it in the route file: routes/{route.name}/returns.")


def _only_return_place(places: Sequence[Location]) -> str | None:
    """Return where a channel that does not name the place takes returns; None where it has several, or none."""
    found = [place.ref for place in places if place.kind is LocationKind.RETURNS and place.usable]
    return found[0] if len(found) == 1 else None


def _rows(world: World, erp: Connected, order: Order, value: Return, link: Link, route: Route) -> dict[str, Decimal]:
    """Return how much of each sales order row came back."""
    kept = link.rows or []
    with world.store.read() as tx:
        skus = known.skus_of(tx, erp.id, {each["variant_ref"] for each in kept})
    lines = {line.ref: line for line in order.lines}
    left = {each["ref"]: Decimal(each["quantity"]) for each in kept}
    found: dict[str, Decimal] = {}
    for back in value.lines:
        line = lines.get(back.line_ref)
        for part in components(line, route) if line is not None else ():
            _take(part.quantity * back.quantity, _of_sku(kept, skus, part.sku), left, found)
    return found


def _of_sku(kept: Sequence[dict[str, str]], skus: dict[str, str], sku: str) -> list[str]:
    return [each["ref"] for each in kept if skus.get(each["variant_ref"]) == sku]


def _take(need: Decimal, refs: Sequence[str], left: dict[str, Decimal], found: dict[str, Decimal]) -> None:
    for ref in refs:
        take = min(need, left[ref])
        if take > 0:
            left[ref] -= take
            found[ref] = found.get(ref, Decimal(0)) + take
            need -= take


def _blocked(world: World, each: ReturnRow, row: OrderRow, problem: Problem) -> None:
    now = world.clock.now()
    _write(world, each, state=BLOCKED, due_at=now + timedelta(seconds=BLOCKED_AGAIN_S), reason=reasons([problem]))
    with world.store.write() as tx:
        set_trouble(tx, world, {row.id: [problem]}, TROUBLE, now)


def _write(world: World, each: ReturnRow, **changes: object) -> None:
    with world.store.write() as tx:
        ledger.update(tx, each, changes)
