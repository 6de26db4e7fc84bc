"""Once a day, open orders are read again by id on both sides: neither feed promises to tell every change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from hub.contract import ContractError, Cursor, Order, OrderKey, OrderRef, PlacedOrder, RejectedError
from hub.engine.ledger import record, rules_of
from hub.engine.outcome import call
from hub.engine.placed import rows_as_kept
from hub.engine.trouble import set_trouble
from hub.engine.turns import turn
from hub.engine.world import Connected, World
from hub.routing.compose import order_key
from hub.routing.fate import Problem
from hub.store import Tx, known, orders, shipping, timeline
from hub.store.orders import Link, OrderRow
from hub.store.timeline import Entry

STREAM, ERP_STREAM, TURN = "open-orders", "placed-orders", "placed-orders-turn"
BATCH, ERP_BATCH = 50, 100
ERP_TURN_S = 3600.0  # between two batches, since a quiet hour has hardly a call to spare there
TROUBLE = "recheck"


def recheck(world: World, channel: Connected) -> bool:
    """Read one batch of the open orders that were not read for a day; say whether there were any."""
    now = world.clock.now()
    period = timedelta(seconds=world.timing.open_orders_every_s)
    if not any(route.orders.enabled for route in world.routes_from(channel.id)):
        return False
    with world.store.read() as tx:
        _, at = known.cursor(tx, channel.id, STREAM)
        rows = [] if _is_resting(at, now, world) else orders.open_before(tx, channel.id, now - period, BATCH)
    if not rows:
        if not _is_resting(at, now, world):
            with world.store.write() as tx:
                known.set_cursor(tx, channel.id, STREAM, None, now)
        return False
    refs = [OrderRef(ref=row.ref, created_at=row.created_at, updated_at=row.updated_at) for row in rows]
    found = call(world, channel, "fetch_orders", orders=refs)
    with world.store.write() as tx:
        record(tx, world, channel, found, rules_of(tx, world, channel), now)
        answered = {order.ref for order in found}
        gone = [row for row in rows if row.ref not in answered]
        # One the channel no longer knows is not asked for every pass; the release of an unplaced one says it.
        orders.update(tx, [{"id": row.id, "read_at": now} for row in gone])
    return True


def _is_soon(at: datetime | None, now: datetime, wait_s: float) -> bool:
    return at is not None and at <= now < at + timedelta(seconds=wait_s)


def _is_resting(at: datetime | None, now: datetime, world: World) -> bool:
    """Say whether a whole round ended a short while ago, so that no row need be looked for."""
    return _is_soon(at, now, world.timing.catalogue_every_s)


def recheck_erp(world: World, erp: Connected) -> bool:
    """Look once a day whether sales orders of open orders were deleted or edited in the ERP; a batch at a time."""
    now = world.clock.now()
    with world.store.read() as tx:
        last, at = known.cursor(tx, erp.id, ERP_STREAM)
    if at is None or (last is None and not at <= now < at + timedelta(seconds=world.timing.open_orders_every_s)):
        last = None if at is None else Cursor("0")
        with world.store.write() as tx:
            known.set_cursor(tx, erp.id, ERP_STREAM, last, now)
        at = now
    if last is None:
        return False
    shops = world.shops_of(erp.id)
    with world.store.read() as tx:
        waits, turned_at = known.cursor(tx, erp.id, TURN)
        if _is_soon(turned_at, now, float(waits or 0)):
            return False
        batches = max(1.0, orders.count_open_placed(tx, erp.id, shops) / ERP_BATCH)
        wait_s = min(ERP_TURN_S, world.timing.open_orders_every_s / 2 / batches)  # half of the period suffices for all
        rows = orders.open_placed(tx, erp.id, shops, int(last), ERP_BATCH)
        mine = [row for row in rows if world.takes_orders(row.route)]
        links = orders.links_of(tx, [row.id for row in mine])
    with turn(world, erp, erp) as may_go:
        if mine and not may_go:
            return False
        if mine:
            _check(world, erp, mine, links)
    with world.store.write() as tx:
        known.set_cursor(tx, erp.id, ERP_STREAM, Cursor(str(rows[-1].id)) if rows else None, at)
        if rows:
            known.set_cursor(tx, erp.id, TURN, Cursor(str(wait_s)), now)
    return bool(rows)


def recheck_named(world: World, erp: Connected, refs: Sequence[str]) -> None:
    """Look whether some sales orders of open orders were deleted or edited: at most a batch, in one reading."""
    with world.store.read() as tx:
        rows = orders.open_named(tx, erp.id, refs[:ERP_BATCH])
        mine = [row for row in rows if row.connection in world.connected and world.takes_orders(row.route)]
        links = orders.links_of(tx, [row.id for row in mine])
    if mine:
        _check(world, erp, mine, links)


def _check(world: World, erp: Connected, rows: Sequence[OrderRow], links: Mapping[int, Link]) -> None:
    keys = [_key(row, world.connected[row.connection]) for row in rows]
    by_key: dict[str, list[PlacedOrder]] = {}
    for one in call(world, erp, "find_orders", orders=keys, before=None):
        by_key.setdefault(one.key, []).append(one)
    for row in rows:
        compare(world, world.connected[row.connection], row, links[row.id], by_key.get(row.key, []))


def _key(row: OrderRow, channel: Connected) -> OrderKey:
    return order_key(Order.model_validate_json(row.document), channel.connector)


def named(living: Sequence[PlacedOrder]) -> str:
    """Return sales orders by number and id."""
    return " and ".join(f"{one.number} (id {one.ref})" for one in living)


def compare(world: World, channel: Connected, row: OrderRow, link: Link, found: Sequence[PlacedOrder]) -> None:
    """Act on what an ERP shows of one order: doubles block it, a deletion does too or is passed on, edits are kept."""
    living = [one for one in found if not one.deleted]
    now = world.clock.now()
    problems: list[Problem] = []
    if len(living) > 1:
        what = f"{link.erp} has {len(living)} sales orders for this one order: {named(living)}"
        problems = [Problem("duplicate-in-erp", what, f"Delete all but one of them there, then: hub retry {row.ref}")]
    elif not living and any(one.deleted for one in found):
        problems = _deleted(world, channel, row, link)
    with world.store.write() as tx:
        if len(living) == 1 and living[0].ref != link.ref and _is_gone(link, found):
            link = _follow(tx, link, living[0], now)
        rows = rows_as_kept(living[0]) if len(living) == 1 and living[0].ref == link.ref else None
        if rows is not None and rows != link.rows:
            shipping.set_rows(tx, row.id, rows)
            if link.rows is not None:
                timeline.add(tx, [Entry(row.id, now, "edited-in-erp", {"number": link.number})])
        set_trouble(tx, world, {row.id: problems}, TROUBLE, now)


def _is_gone(link: Link, found: Sequence[PlacedOrder]) -> bool:
    return any(one.ref == link.ref and one.deleted for one in found)


def _follow(tx: Tx, link: Link, left: PlacedOrder, now: datetime) -> Link:
    """Take the sales order that is left of two for the order's own; the linked one was deleted."""
    if shipping.links_by_ref(tx, link.erp, [left.ref]):
        return link  # it stands for another order: nothing can be said of this one
    moved = orders.relink(tx, link, ref=left.ref, number=left.number, adopted=not left.ours)
    timeline.add(tx, [Entry(link.order_id, now, "adopted", {"number": left.number, "ref": left.ref})])
    return moved


def look_from(tx: Tx, erp: str, order_id: int) -> None:
    """Let the daily look for sales orders that are gone begin at an order again, if it was past it; it is urgent."""
    last, at = known.cursor(tx, erp, ERP_STREAM)
    if at is not None and (last is None or int(last) >= order_id):
        known.set_cursor(tx, erp, ERP_STREAM, Cursor(str(order_id - 1)), at)
    known.set_cursor(tx, erp, TURN, None, datetime.fromtimestamp(0, UTC))


def _deleted(world: World, channel: Connected, row: OrderRow, link: Link) -> list[Problem]:
    """Cancel on the channel where the route says so; else block: a slip in the ERP must not refund a buyer."""
    route = next((route for route in world.routes if route.name == row.route), None)
    reason = route.orders.after.cancel_reason if route is not None else None
    what = f"its sales order {link.number} was deleted in {link.erp}"
    if reason is None or "cancel_order" not in channel.capabilities:
        do = f"Restore it there, or cancel the order on the channel; then: hub retry {row.ref}"
        return [Problem("deleted-in-erp", what, do)]
    try:
        call(world, channel, "cancel_order", order_ref=row.ref, reason=reason)
    except (RejectedError, ContractError) as error:
        return [Problem("deleted-in-erp", f"{what}, and the channel refuses to cancel it: {error.what}", error.do)]
    with world.store.write() as tx:
        timeline.add(tx, [Entry(row.id, world.clock.now(), "cancelled-on-channel", {"reason": reason})])
    return []
