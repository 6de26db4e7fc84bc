"""Ledger -> outbox: Orders whose hold is over are read again, composed, and intended for the ERP."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hub.contract import FulfilledBy, Order, OrderRef, SalesOrder
from hub.engine import catalogue, late, watch
from hub.engine.ledger import Intent, Rules, fate_columns, fate_entry, history_of, reasons, record, rules_of
from hub.engine.outcome import call
from hub.engine.pull import LOCATIONS_LIVE_S, refresh_named_locations
from hub.engine.world import Connected, World
from hub.host.clock import has_passed
from hub.routing.compose import Known, compose, wanted_skus
from hub.routing.fate import Fate, Problem, Standing, lines_digest
from hub.routing.model import Route
from hub.routing.money import imbalances
from hub.store import Tx, known, orders, outbox, timeline
from hub.store.orders import OrderRow

BATCH = 400
FRESH_S = 120.0  # a reading this young, made after the release time, counts as the re-read
CHANNEL_SIDE = ("status-unknown", "sku-missing", "money-unbalanced", "nothing-to-ship", "order-vanished")
FULL = 50  # so many are read again at one call, so that they need not wait for more
GATHER_LESS_S = 2.0  # a gathered release still leaves within its time
ROOM = 200  # more are released while fewer wait for one ERP: what would wait long is read when its turn comes


@dataclass(frozen=True, slots=True)
class _Case:
    """One due Order with its decision; ``sales_order`` where it may go to the ERP."""

    row: OrderRow
    order: Order
    route: Route | None
    standing: Standing
    sales_order: SalesOrder | None = None


def gathered_at(
    tx: Tx, world: World, channel: Connected, shut: Sequence[str], before: datetime
) -> datetime | None:  # fmt: skip
    """Return when what comes due has waited for others long enough, so that one reading serves all.

    Args:
        shut: Routes that nothing is released for now.
        before: nothing later is wanted; None where nothing comes due until then.
    """
    first = orders.next_due(tx, channel.id, shut)
    if first is None or first > before:
        return None
    latest = first + timedelta(seconds=max(0.0, world.timing.release_every_s - GATHER_LESS_S))
    return orders.nth_due(tx, channel.id, FULL, latest, shut) or latest


def is_time(world: World, channel: Connected, resting: Collection[str]) -> bool:
    """Say whether an Order has waited for others long enough, or needs no reading before it goes."""
    now = world.clock.now()
    with world.store.read() as tx:
        if orders.nth_due(tx, channel.id, 1, now) is None:
            return False
        shut = _shut(tx, world, channel, resting)
        # A lane that is awake anyway need not wake once more for the last part of the wait.
        soon = now + timedelta(seconds=world.timing.release_every_s / 8)
        at = gathered_at(tx, world, channel, shut, soon)
        return at is not None and (at <= soon or orders.is_any_fresh(tx, channel.id, now, shut))


def _shut(tx: Tx, world: World, channel: Connected, resting: Collection[str]) -> list[str]:
    """Return the Routes whose ERP rests or has no room."""
    active = [route for route in world.routes_from(channel.id) if route.orders.enabled]
    closed = {erp for erp in {route.erp for route in active} if erp in resting or not _has_room(tx, world, erp)}
    return [route.name for route in active if route.erp in closed]


def release(world: World, channel: Connected, resting: Collection[str] = ()) -> int:
    """Take the Orders that are due one step further; return how many got a new standing or a later look.

    Orders for an ERP that rests (``resting``) or has no room stay due; those for the others go on.
    """
    now = world.clock.now()
    with world.store.read() as tx:
        shut = _shut(tx, world, channel, resting)
        rows = orders.due(tx, channel.id, now, BATCH, shut)
    if not rows:
        return 0
    due, is_full = len(rows), len(rows) == BATCH
    if shut:
        rows = late.put_off(world, rows, now)
    active = [route for route in world.routes_from(channel.id) if route.orders.enabled]
    for erp in {route.erp for route in active if route.name not in shut}:
        watch.survey(world, channel, world.connected[erp], None if is_full else rows)
        if is_full:
            watch.survey(world, channel, world.connected[erp], [row for row in rows if late.is_late(row)])
        rows = late.take_over(world, channel, erp, rows, now)
    taken = due - len(rows)
    cases = _decide(world, channel, rows, now)
    # A changed route file may lead an order to an ERP that rests; from now on its row says so, and it waits.
    led = [case for case in cases if case.route is not None and case.route.name in shut]
    others = [case for case in cases if case.route is None or case.route.name not in shut]
    leaving, moved = _divide(world, others, now)
    moved += _settle(world, led, now)
    leaving, still = _unblocked(world, channel, leaving, now)
    leaving, read = _read_again(world, channel, leaving, now)
    return taken + moved + still + read + _settle(world, _composed(world, channel, leaving), now)


def _has_room(tx: Tx, world: World, erp: str) -> bool:
    # A dry run sends nothing, so it would never have room again.
    return world.guard.dry or outbox.pending(tx, erp) < ROOM


def _decide(world: World, channel: Connected, rows: Sequence[OrderRow], now: datetime) -> list[_Case]:
    with world.store.write() as tx:
        rules = rules_of(tx, world, channel)
    return [_case(row, rules, now) for row in rows]


def _case(row: OrderRow, rules: Rules, now: datetime) -> _Case:
    order = Order.model_validate_json(row.document)
    route, standing = rules.decide(order, history_of(row), now)
    return _Case(row, order, route, standing)


def _may_leave(case: _Case, now: datetime) -> bool:
    held = case.standing
    return held.fate is Fate.HELD and held.cause == "hold" and held.release_at is not None and held.release_at <= now


def _must_be_read(case: _Case, now: datetime) -> bool:
    """Say whether only a new reading can tell: the channel's own hold, a request to cancel."""
    if case.row.fate == Fate.BLOCKED and case.row.cause in CHANNEL_SIDE:
        return True
    held = case.standing
    over = held.release_at is None or held.release_at <= now
    return held.fate is Fate.HELD and held.cause in ("channel-hold", "cancel-requested") and over


def _divide(world: World, cases: Sequence[_Case], now: datetime) -> tuple[list[_Case], int]:
    """Settle what cannot leave; return what may, or what must be read to know, and how many were settled."""
    going = [case for case in cases if _may_leave(case, now) or (_must_be_read(case, now) and _is_stale(case.row, now))]
    ids = {case.row.id for case in going}
    return going, _settle(world, [case for case in cases if case.row.id not in ids], now)


def _unblocked(world: World, channel: Connected, cases: Sequence[_Case], now: datetime) -> tuple[list[_Case], int]:
    """Look whether blocked Orders are still blocked before a channel call is spent on them."""
    blocked = [case for case in cases if case.row.fate == Fate.BLOCKED and case.row.cause not in CHANNEL_SIDE]
    tried = _composed(world, channel, blocked)
    still = [case for case in tried if case.sales_order is None]
    ids = {case.row.id for case in still}
    return [case for case in cases if case.row.id not in ids], _settle(world, still, now)


def _is_stale(row: OrderRow, now: datetime) -> bool:
    read_after_release = row.release_at is not None and row.read_at >= row.release_at
    return not read_after_release or has_passed(row.read_at, FRESH_S, now)


def _read_again(world: World, channel: Connected, cases: Sequence[_Case], now: datetime) -> tuple[list[_Case], int]:
    """Read stale Orders again; return those that may still leave, and how many may not."""
    stale = [case for case in cases if _is_stale(case.row, now)]
    fresh = [case for case in cases if not _is_stale(case.row, now)]
    if not stale:
        return fresh, 0
    refs = [OrderRef(ref=c.row.ref, created_at=c.row.created_at, updated_at=c.row.updated_at) for c in stale]
    found = call(world, channel, "fetch_orders", orders=refs)
    read_at = world.clock.now()
    with world.store.write() as tx:
        record(tx, world, channel, found, rules_of(tx, world, channel), read_at)
        rows = orders.by_ids(tx, [case.row.id for case in stale])
    answered = {order.ref for order in found}
    moved = _settle(world, [_vanished(case, channel) for case in stale if case.row.ref not in answered], read_at)
    again = _decide(world, channel, [row for row in rows.values() if row.ref in answered], read_at)
    leaving = [case for case in again if _may_leave(case, read_at)]
    ids = {case.row.id for case in leaving}
    return fresh + leaving, moved + _settle(world, [case for case in again if case.row.id not in ids], read_at)


def _vanished(case: _Case, channel: Connected) -> _Case:
    problem = Problem(
        "order-vanished",
        f"{channel.id} no longer knows this order",
        "Look it up on the channel; the hub asks again by itself.",
    )
    return replace(case, standing=Standing(Fate.BLOCKED, problem.code, case.row.release_at, (problem,)))


def _composed(world: World, channel: Connected, cases: Sequence[_Case]) -> list[_Case]:
    """Return the cases with their sales orders, or blocked with every problem."""
    memories: dict[str, Known] = {}
    for erp in {case.route.erp for case in cases if case.route is not None}:
        missed = any(case.row.cause == "location-unknown" for case in cases)
        max_age_s = world.timing.catalogue_every_s if missed else LOCATIONS_LIVE_S
        refresh_named_locations(world, world.connected[erp], max_age_s=max_age_s)
        mine = [(case.order, case.route) for case in cases if case.route is not None and case.route.erp == erp]
        skus = {sku for order, route in mine for sku in wanted_skus(order, route)}
        if skus:
            catalogue.look_up(world, world.connected[erp], skus, to_place=True)
        memories[erp] = _known(world, channel, erp, skus)
    return [_compose(channel, case, memories) for case in cases]


def _compose(channel: Connected, case: _Case, memories: Mapping[str, Known]) -> _Case:
    route = case.route
    assert route is not None  # noqa: S101  # only an Order with a Route may leave
    problems = imbalances(case.order)
    if not problems:
        try:
            made = compose(case.order, route, channel.connector, memories[route.erp])
        except (ValueError, ArithmeticError) as error:
            made = (_uncomposable(error),)
        if isinstance(made, SalesOrder):
            ready = Standing(Fate.READY, None, case.standing.release_at)
            return _Case(case.row, case.order, route, ready, made)
        problems = made
    blocked = Standing(Fate.BLOCKED, problems[0].code, case.standing.release_at, problems)
    return _Case(case.row, case.order, route, blocked)


def compose_one(
    world: World, channel: Connected, row: OrderRow, order: Order, route: Route
) -> SalesOrder | tuple[Problem, ...]:
    """Return the sales order that an Order comes to under a Route at this moment, or what stands in the way."""
    case = _composed(world, channel, [_Case(row, order, route, Standing(Fate.HELD, "hold"))])[0]
    return case.sales_order or case.standing.problems


def _uncomposable(error: Exception) -> Problem:
    what = f"no sales order could be composed from it ({type(error).__name__})"
    return Problem("order-uncomposable", what, "Report it with the output of hub order, which names no buyer.")


def _known(world: World, channel: Connected, erp: str, skus: Collection[str]) -> Known:
    with world.store.read() as tx:
        return Known(
            known.variants_by_sku(tx, erp, skus), known.locations_of(tx, erp), known.locations_of(tx, channel.id)
        )


def _settle(world: World, cases: Sequence[_Case], now: datetime) -> int:
    """Write decisions and the effects that follow, in one transaction; return how many were still valid."""
    if not cases:
        return 0
    with world.store.write() as tx:
        present = orders.versions(tx, [case.row.id for case in cases])
        # A person may have held or released the order meanwhile; it is due again, so nothing is lost.
        valid = [case for case in cases if present[case.row.id] == (case.row.digest, case.row.hand)]
        flying = outbox.in_flight(tx, [case.row.id for case in valid])
        valid = [case for case in valid if case.row.id not in flying]
        orders.update(tx, [{"id": c.row.id, **_columns(world, c, now)} for c in valid])
        timeline.add(
            tx, [fate_entry(c.row.id, c.standing, now, c.route.name if c.route else None) for c in valid if _is_news(c)]
        )
        effects = [_effect(world, c, now) for c in valid if c.sales_order is not None]
        foreign: set[str] = set()
        for target in {effect["target"] for effect in effects}:
            foreign |= outbox.intend(tx, [effect for effect in effects if effect["target"] == target])
        twice = [_twice(c) for c in valid if c.sales_order is not None and c.sales_order.key.key in foreign]
        orders.update(tx, [{"id": c.row.id, **_columns(world, c, now)} for c in twice])
        timeline.add(tx, [fate_entry(c.row.id, c.standing, now, c.row.route) for c in twice])
    return len(valid)


def _twice(case: _Case) -> _Case:
    problem = Problem(
        "same-order-twice",
        "another connection already carries this channel order to the same ERP",
        "Two connections reach the same shop; remove one from the routes.",
    )
    return replace(case, standing=Standing(Fate.BLOCKED, problem.code, case.row.release_at, (problem,)))


def _is_news(case: _Case) -> bool:
    row, standing = case.row, case.standing
    return (standing.fate.value, standing.cause, reasons(standing.problems)) != (row.fate, row.cause, row.reason)


def _columns(world: World, case: _Case, now: datetime) -> dict[str, Any]:
    # A blocked order is tried again after a growing wait, also where trying means sending it.
    again = case.row.fate == Fate.BLOCKED and case.standing.fate in (Fate.BLOCKED, Fate.READY)
    return fate_columns(world, case.standing, case.route, now, case.row.rechecks + 1 if again else 0)


def _effect(world: World, case: _Case, now: datetime) -> dict[str, Any]:
    assert case.sales_order is not None  # noqa: S101  # the caller chose only these
    assert case.route is not None  # noqa: S101
    return {
        "kind": outbox.PLACE_ORDER,
        "target": case.route.erp,
        "key": case.sales_order.key.key,
        "order_id": case.row.id,
        "priority": outbox.PRIORITY[outbox.PLACE_ORDER],
        "due_at": now,
        "look_first": watch.must_look_first(world, case.row.connection, case.route.erp, case.sales_order.key),
        "payload": Intent(
            sales_order=case.sales_order,
            digest=lines_digest(case.order),
            document=case.row.digest,
            is_done=case.order.fulfilled_by is FulfilledBy.CHANNEL,
        ).model_dump_json(exclude_defaults=True),
    }
