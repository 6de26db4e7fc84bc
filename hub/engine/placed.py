"""Recording what became of sales orders that were sent or looked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from hub.contract import Order, PlacedOrder, PlacedRow, SalesOrder, SalesOrderRow
from hub.engine.ledger import Intent, fate_columns, fate_entry
from hub.engine.stray import TARGET_GONE
from hub.engine.world import Connected, World
from hub.routing.fate import RECORDING, Fate, History, Problem, Standing, after_placement, lines_digest
from hub.routing.model import AfterPlacement
from hub.store import ConflictError, Tx, orders, outbox, timeline
from hub.store.orders import Link, OrderRow
from hub.store.outbox import Effect, Settled, State
from hub.store.timeline import Entry

TOLERANCE = Decimal("0.05")  # what the ERP's own rounding of one order may come to before it is worth a word
HUNDRED = Decimal(100)
OTHER = "other"  # the digest of a sales order that was found with other units than its order has


@dataclass(frozen=True, slots=True)
class Placed:
    """A sales order exists; ``adopted`` where this ledger did not make it."""

    effect: Effect
    intent: Intent
    found: PlacedOrder
    adopted: bool


@dataclass(frozen=True, slots=True)
class Blocked:
    """The other side refuses; ``look_first`` where a retry must look it up before it sends."""

    effect: Effect
    problem: Problem
    look_first: bool = False


@dataclass(frozen=True, slots=True)
class Again:
    """Not done yet: to be sent (PENDING) or looked up (UNKNOWN) at an instant."""

    effect: Effect
    state: State
    due_at: datetime
    look_first: bool = False
    reason: Mapping[str, Any] | None = None
    attempts: int | None = None  # set where nothing went out: the claim does not count as an attempt


Outcome = Placed | Blocked | Again


def mark_unknown(tx: Tx, effects: Sequence[Effect], now: datetime, why: str) -> None:
    """Have effects looked up whose sender gave no outcome."""
    outbox.settle(tx, [Settled(effect, State.UNKNOWN, now) for effect in effects])
    timeline.add(tx, [Entry(effect.order_id, now, "outcome-unknown", {"why": why}) for effect in effects])


def record(world: World, erp: Connected, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Write outcomes, all in one transaction; one that breaks a law of the schema is blocked, alone."""
    try:
        _write(world, erp, outcomes, now)
    except ConflictError:
        if len(outcomes) > 1:
            for outcome in outcomes:
                record(world, erp, [outcome], now)
            return
        problem = Problem(
            "sales-order-taken",
            "its sales order already belongs to another channel order",
            "Compare both orders in the ERP and on the channel; one of them was linked wrongly.",
        )
        _write(world, erp, [Blocked(outcomes[0].effect, problem, look_first=True)], now)


def _write(world: World, erp: Connected, outcomes: Sequence[Outcome], now: datetime) -> None:
    if not outcomes:
        return
    with world.store.write() as tx:
        rows = orders.by_ids(tx, [outcome.effect.order_id for outcome in outcomes])
        entries: list[Entry] = []
        changes: list[dict[str, Any]] = []
        links: list[Link] = []
        settled: list[Settled] = []
        for outcome in outcomes:
            row = rows[outcome.effect.order_id]
            if isinstance(outcome, Placed):
                links.append(_link(erp, outcome, now))
                entries += _placed_entries(outcome, row, now)
                changes.append(_after(world, outcome, row, now, entries))
                settled.append(Settled(outcome.effect, State.DONE))
            elif isinstance(outcome, Blocked):
                changes.append(_blocked(world, outcome, row, now, entries))
                settled.append(Settled(outcome.effect, State.BLOCKED, None, outcome.look_first))
            else:
                settled.append(_again(outcome, row))
                entries += _again_entries(outcome, now)
                if settled[-1].state is State.SUPERSEDED:
                    due = Standing(Fate.HELD, "hold", row.release_at or now)
                    changes.append(_changed(world, due, row, now))
        outbox.settle(tx, settled)
        orders.link(tx, links)
        orders.update(tx, changes)
        timeline.add(tx, entries)
    world.placed += len(links)


def _link(erp: Connected, outcome: Placed, now: datetime) -> Link:
    found, effect = outcome.found, outcome.effect
    return Link(effect.order_id, erp.id, effect.key, found.ref, found.number, outcome.adopted, now, rows_as_kept(found))


def rows_as_kept(found: PlacedOrder) -> list[dict[str, str]] | None:
    """Return a sales order's rows as the ledger keeps them; None where the answer did not show them."""
    return [
        {"ref": row.ref, "variant_ref": row.variant_ref, "quantity": str(row.quantity)} for row in found.rows
    ] or None


def _placed_entries(outcome: Placed, row: OrderRow, now: datetime) -> list[Entry]:
    found, order = outcome.found, outcome.intent.sales_order
    detail: dict[str, Any] = {"number": found.number, "ref": found.ref, "currency": order.currency}
    if found.total is not None:
        expected = expected_totals(order)
        detail["total"] = str(found.total)
        if found.ours and min(abs(found.total - one) for one in expected) > TOLERANCE:
            detail["expected_total"] = str(expected[0])
    return [Entry(row.id, now, "adopted" if outcome.adopted else "sent", detail)]


def expected_totals(order: SalesOrder) -> tuple[Decimal, Decimal]:
    """Return what the ERP's total should come to, with and without the shipping fee (which: not documented)."""
    rows = sum(
        ((row.price * row.quantity - row.discount) * (1 + (row.tax_rate or 0) / HUNDRED) for row in order.rows),
        Decimal(0),
    )
    fee = order.shipping
    shipping = fee.amount * (1 + (fee.tax_rate or 0) / HUNDRED) if fee is not None else Decimal(0)
    cent = Decimal("0.01")
    return (rows + shipping).quantize(cent), rows.quantize(cent)


def rules_after(world: World, row: OrderRow) -> AfterPlacement | None:
    """Return what an order's Route says of changes after placement; None where there is no such Route any more."""
    return next((route.orders.after for route in world.routes if route.name == row.route), None)


def _after(world: World, outcome: Placed, row: OrderRow, now: datetime, entries: list[Entry]) -> dict[str, Any]:
    is_as_meant = not outcome.found.ours or _is_as_meant(outcome)
    if outcome.found.ours and is_as_meant and row.digest == outcome.intent.document:
        # Nothing changed since it was composed; only what the channel shipped itself has a next step.
        cause = RECORDING if outcome.intent.is_done else None
        digest, standing = outcome.intent.digest, Standing(Fate.PLACED, cause)
    else:
        order = Order.model_validate_json(row.document)
        digest = outcome.intent.digest if outcome.found.ours else lines_digest(order)
        digest = digest if is_as_meant else OTHER
        standing = after_placement(order, History(placed_digest=digest), rules_after(world, row))
    entries.append(fate_entry(row.id, standing, now, row.route))
    return _changed(world, standing, row, now, placed_digest=digest)


def _is_as_meant(outcome: Placed) -> bool:
    """Say whether a sales order has the units it should; the order may have changed since a lost ledger placed it."""
    found, wanted = outcome.found.rows, outcome.intent.sales_order.rows
    return not found or outcome.intent.is_done or _units(found) == _units(wanted)


def _units(rows: Sequence[PlacedRow] | Sequence[SalesOrderRow]) -> dict[str, Decimal]:
    units: dict[str, Decimal] = {}
    for row in rows:
        units[row.variant_ref] = units.get(row.variant_ref, Decimal(0)) + row.quantity
    return units


def _blocked(world: World, outcome: Blocked, row: OrderRow, now: datetime, entries: list[Entry]) -> dict[str, Any]:
    standing = Standing(Fate.BLOCKED, outcome.problem.code, row.release_at, (outcome.problem,))
    entries.append(fate_entry(row.id, standing, now, row.route))
    return _changed(world, standing, row, now, rechecks=row.rechecks)


def _changed(
    world: World,
    standing: Standing,
    row: OrderRow,
    now: datetime,
    *,
    placed_digest: str | None = None,
    rechecks: int = 0,
) -> dict[str, Any]:
    columns = fate_columns(world, standing, None, now, rechecks)
    return {"id": row.id, **columns, "route": row.route, "placed_digest": placed_digest or row.placed_digest}


def _again(outcome: Again, row: OrderRow) -> Settled:
    """Withdraw what would be sent again although the Order or its ERP changed meanwhile: it is decided anew instead."""
    changed = Intent.model_validate_json(outcome.effect.payload).document != row.digest
    if outcome.state is State.PENDING and (changed or row.cause == TARGET_GONE):
        return Settled(outcome.effect, State.SUPERSEDED, None, outcome.look_first, outcome.attempts)
    return Settled(outcome.effect, outcome.state, outcome.due_at, outcome.look_first, outcome.attempts)


def _again_entries(outcome: Again, now: datetime) -> list[Entry]:
    if outcome.reason is None:
        return []
    event = "outcome-unknown" if outcome.state is State.UNKNOWN else "postponed"
    return [Entry(outcome.effect.order_id, now, event, {**outcome.reason, "until": outcome.due_at.isoformat()})]
