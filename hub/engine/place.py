"""Outbox -> ERP: sales orders, each sent once, looked up before it is ever sent again."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from hub.contract import (
    AuthorizationError,
    ConfigurationError,
    HubError,
    PlacedOrder,
    RejectedError,
    SalesOrder,
    TransientError,
)  # fmt: skip
from hub.engine import placed
from hub.engine.ledger import Intent
from hub.engine.outcome import call, reason_of, resume, retry_in
from hub.engine.placed import Again, Blocked, Outcome, Placed
from hub.engine.world import Connected, World
from hub.host.http import send_before
from hub.routing.fate import Problem
from hub.store import known, outbox
from hub.store.outbox import Effect, State

BATCH = 32
LOOK_UP_BATCH = 1000
RECOVER_BATCH = 100


def place(world: World, erp: Connected) -> int:
    """Look up what is unsure, then send what is due; return how many effects were touched.

    Raises:
        HubError: the Connection as a whole cannot go on; every effect touched is safe to go on with later.
    """
    touched = look_up(world, erp)
    now = world.clock.now()
    deadline = now + timedelta(seconds=world.timing.send_window_s)
    with world.store.write() as tx:
        claimed = outbox.claim(tx, erp.id, now, deadline, BATCH)
    if claimed:
        _send(world, erp, [(effect, None) for effect in claimed], deadline)
    return touched + len(claimed)


def patience_s(world: World) -> float:
    """Return how long after its deadline an effect without an outcome may still take hold on the other side."""
    return world.timing.timeout_s + world.timing.settle_s


def look_up(world: World, erp: Connected) -> int:
    """Find out what became of effects whose outcome is unknown, and whether doubted ones already exist."""
    now = world.clock.now()
    with world.store.write() as tx:
        lost = outbox.abandoned(tx, erp.id, now - timedelta(seconds=patience_s(world)), RECOVER_BATCH)
        placed.mark_unknown(tx, lost, now, "its sender stopped before the answer was recorded")
        unsure = outbox.to_look_up(tx, erp.id, now, LOOK_UP_BATCH)
    if not unsure:
        return 0
    intents = {effect.id: Intent.model_validate_json(effect.payload) for effect in unsure}
    found = call(world, erp, "find_orders", orders=[intent.sales_order.key for intent in intents.values()])
    by_key: dict[str, list[PlacedOrder]] = {}
    for one in found:
        by_key.setdefault(one.key, []).append(one)
    outcomes: list[Outcome] = []
    to_complete: list[tuple[Effect, PlacedOrder]] = []
    for effect in unsure:
        matches = by_key.get(effect.key, [])
        outcome = _judge(world, erp, effect, intents[effect.id], matches, now)
        if isinstance(outcome, Placed) and outcome.found.ours and intents[effect.id].sales_order.shipping is not None:
            to_complete.append((effect, outcome.found))
        else:
            outcomes.append(outcome)
    if world.guard.dry:
        outcomes += [Again(effect, State.PENDING, now) for effect, _ in to_complete]
        to_complete = []
    placed.record(world, erp, outcomes, now)
    _complete(world, erp, to_complete)
    return len(unsure)


def _judge(
    world: World, erp: Connected, effect: Effect, intent: Intent, matches: Sequence[PlacedOrder], now: datetime
) -> Outcome:
    living = [one for one in matches if not one.deleted]
    if len(living) > 1:
        numbers = " and ".join(f"{one.number} (id {one.ref})" for one in living)
        return Blocked(
            effect,
            Problem(
                "duplicate-in-erp",
                f"{erp.id} has {len(living)} sales orders for this one order: {numbers}",
                "Delete all but one of them there, then retry the order.",
            ),
            look_first=True,
        )
    if living:
        return Placed(effect, intent, living[0], adopted=effect.attempts == 0 or not living[0].ours)
    if matches:
        return Blocked(
            effect,
            Problem(
                "deleted-in-erp",
                f"its sales order {matches[0].number} was deleted in {erp.id}",
                "It is not made again. Restore it there and retry the order, or leave it.",
            ),
            look_first=True,
        )
    return Again(effect, State.PENDING, now, look_first=False)


def _complete(world: World, erp: Connected, existing: Sequence[tuple[Effect, PlacedOrder]]) -> None:
    """Let the connector add what an existing sales order still lacks."""
    for start in range(0, len(existing), BATCH):
        batch = existing[start : start + BATCH]
        deadline = world.clock.now() + timedelta(seconds=world.timing.send_window_s)
        with world.store.write() as tx:
            outbox.reclaim(tx, [effect.id for effect, _ in batch], deadline)
        _send(world, erp, batch, deadline)


def _send(world: World, erp: Connected, batch: Sequence[tuple[Effect, PlacedOrder | None]], deadline: datetime) -> None:
    """Send a claimed batch, several calls in flight, and record every outcome in one transaction."""
    halting: list[HubError] = []

    def push(item: tuple[Effect, PlacedOrder | None]) -> Outcome:
        effect, existing = item
        if halting:
            return Again(effect, State.PENDING, world.clock.now(), look_first=existing is not None)
        return _push(world, erp, effect, existing, deadline, halting)

    with ThreadPoolExecutor(max_workers=erp.in_flight, thread_name_prefix=erp.id) as pool:
        outcomes = list(pool.map(push, batch))
    placed.record(world, erp, outcomes, world.clock.now())
    if halting:
        raise halting[0]
    if any(isinstance(outcome, Placed) for outcome in outcomes):
        resume(world, erp)


def _push(
    world: World, erp: Connected, effect: Effect, existing: PlacedOrder | None, deadline: datetime,
    halting: list[HubError],
) -> Outcome:  # fmt: skip
    intent = Intent.model_validate_json(effect.payload)
    try:
        with send_before(deadline):
            made: PlacedOrder = call(world, erp, "push_order", order=intent.sales_order, existing=existing)
    except TransientError as error:
        return _after_transient(world, effect, existing, deadline, error)
    except RejectedError as error:
        return _after_rejection(world, erp, effect, intent, existing, error)
    except (AuthorizationError, ConfigurationError) as error:
        halting.append(error)
        return Again(effect, State.PENDING, world.clock.now(), look_first=existing is not None)
    except HubError as error:
        # Whether a broken connector sent it cannot be known, so only a look-up may lead on.
        return Blocked(effect, Problem(error.code, error.what, error.do), look_first=True)
    if not made.complete:
        return Again(
            effect,
            State.UNKNOWN,
            world.clock.now() + timedelta(seconds=world.timing.settle_s),
            reason={"code": "order-incomplete", "what": f"sales order {made.number} still lacks a part"},
        )
    return Placed(effect, intent, made, adopted=existing is not None and effect.attempts == 0)


def _after_transient(
    world: World, effect: Effect, existing: PlacedOrder | None, deadline: datetime, error: TransientError
) -> Outcome:
    if error.may_have_happened:
        due = max(deadline, world.clock.now()) + timedelta(seconds=patience_s(world))
        return Again(effect, State.UNKNOWN, due, reason=reason_of(error))
    due = world.clock.now() + retry_in(effect.attempts + 1, error.retry_after_s)
    return Again(effect, State.PENDING, due, look_first=existing is not None, reason=reason_of(error))


def _after_rejection(
    world: World, erp: Connected, effect: Effect, intent: Intent, existing: PlacedOrder | None, error: RejectedError
) -> Outcome:
    """Look once whether the sales order exists after all; else block the Order, with the vendor's reason."""
    now = world.clock.now()
    if existing is None:
        try:
            matches = call(world, erp, "find_orders", orders=[intent.sales_order.key])
        except HubError as again:
            return Again(effect, State.UNKNOWN, now + retry_in(effect.attempts + 1), reason=reason_of(again))
        outcome = _judge(world, erp, effect, intent, matches, now)
        if not isinstance(outcome, Again):
            return outcome
    _forget(world, erp, intent.sales_order, error)
    what = f"{erp.id} refuses its sales order: {error.what} ({error.where})"
    return Blocked(effect, Problem(error.code, what, error.do), look_first=existing is not None)


def _forget(world: World, erp: Connected, order: SalesOrder, error: RejectedError) -> None:
    skus = {row.sku for row in order.rows if row.variant_ref in error.variant_refs}
    if skus:
        with world.store.write() as tx:
            known.forget_skus(tx, erp.id, skus)
        for sku in skus:
            world.asked.pop((erp.id, sku), None)
