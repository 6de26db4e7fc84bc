"""Outbox -> ERP: sales orders, each sent once, looked up before it is ever sent again."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from dataclasses import dataclass, field
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
from hub.engine import placed, watch
from hub.engine.ledger import Intent
from hub.engine.outcome import call, in_halves, reason_of, retry_in
from hub.engine.placed import Again, Blocked, Outcome, Placed
from hub.engine.world import Connected, World
from hub.host.http import send_before
from hub.routing.fate import Problem
from hub.store import known, outbox
from hub.store.outbox import Effect, State

BATCH, MOST = 64, 256  # claimed at once, at first and where the other side is quick
LOOK_UP_BATCH = 1000
RECOVER_BATCH = 100
SHORT_S = 2.0  # a call that would wait no longer keeps its place
MOST_ATTEMPTS = 100  # a day of the longest waits

_Item = tuple[Effect, PlacedOrder | None]  # an effect to send, and what exists of it already
_Pushing = Generator[None, None, Outcome]  # one order's sending


def place(world: World, erp: Connected, until: datetime | None = None) -> int:
    """Look up what is unsure, then send what is due; return how many effects were looked up, withdrawn or let out.

    Args:
        until: before this instant one batch follows another; None: there is only one.

    Raises:
        HubError: the Connection as a whole cannot go on; every effect touched is safe to go on with later.
    """
    touched = look_up(world, erp) + watch.withdraw_unread(world, erp.id)
    batch = _claimed(world, erp)
    return touched + (0 if batch is None else _send(world, erp, batch, until))


def _claimed(world: World, erp: Connected) -> _Batch | None:
    now = world.clock.now()
    deadline = now + timedelta(seconds=world.timing.send_window_s)
    size = world.batch.get(erp.id, BATCH)
    with world.store.write() as tx:
        found = outbox.claim(tx, erp.id, now, deadline, size)
    return _Batch(deadline, deque((effect, None) for effect in found), size) if found else None


def patience_s(world: World) -> float:
    """Return how long after its deadline an effect without an outcome may still take hold on the other side."""
    return world.timing.timeout_s + world.timing.settle_s


def look_up(world: World, erp: Connected) -> int:
    """Find out what became of effects whose outcome is unknown, and whether doubted ones already exist."""
    now = world.clock.now()
    with world.store.read() as tx:
        lost = outbox.abandoned(tx, erp.id, now - timedelta(seconds=patience_s(world)), RECOVER_BATCH)
        unsure = outbox.to_look_up(tx, erp.id, now, LOOK_UP_BATCH)
    if lost:
        with world.store.write() as tx:
            placed.mark_unknown(tx, lost, now, "its sender stopped before the answer was recorded")
            unsure = outbox.to_look_up(tx, erp.id, now, LOOK_UP_BATCH)
    if not unsure:
        return 0
    intents = {effect.id: Intent.model_validate_json(effect.payload) for effect in unsure}
    by_key = _find(world, erp, unsure, intents)
    outcomes: list[Outcome] = []
    to_complete: list[tuple[Effect, PlacedOrder]] = []
    for effect in unsure:
        matches = by_key.get(effect.key, [])
        outcome = _judge(world, erp, effect, intents[effect.id], matches, now)
        if isinstance(outcome, Placed) and outcome.found.ours and intents[effect.id].sales_order.shipping is not None:
            to_complete.append((effect, outcome.found))
        else:
            outcomes.append(outcome)
    placed.record(world, erp, outcomes, now)
    _complete(world, erp, to_complete)
    return len(unsure)


def _find(
    world: World, erp: Connected, unsure: Sequence[Effect], intents: Mapping[int, Intent]
) -> dict[str, list[PlacedOrder]]:
    """Look effects up; for those never sent, only sales orders from before this ledger's watch can exist."""
    never_sent = [effect for effect in unsure if effect.state == State.PENDING and effect.attempts == 0]
    sent = [effect for effect in unsure if effect.state != State.PENDING or effect.attempts > 0]
    by_key: dict[str, list[PlacedOrder]] = {}
    for effects, before in ((never_sent, watch.since(world, erp.id)), (sent, None)):
        keys = [intents[effect.id].sales_order.key for effect in effects]
        for one in call(world, erp, "find_orders", orders=keys, before=before) if keys else ():
            by_key.setdefault(one.key, []).append(one)
    return by_key


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
                f"Delete all but one of them there, then: hub retry {effect.key}",
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
                f"It is not made again. Leave it, or restore it there, then: hub retry {effect.key}",
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
        _send(world, erp, _Batch(deadline, deque(batch)))


def _send(world: World, erp: Connected, batch: _Batch, until: datetime | None = None) -> int:
    """Send a claimed batch, several calls in flight, and record every outcome in one transaction; then the next.

    The other side waits while that is recorded: threads that send meanwhile would only take the interpreter from it.
    Returns how many the budget let out.
    """
    went = 0
    with ThreadPoolExecutor(erp.in_flight, thread_name_prefix=erp.id) as pool:
        following: _Batch | None = batch
        while (batch_now := following) is not None:
            batch_now.send(world, erp, pool)
            went += _recorded(world, erp, batch_now)
            if batch_now.halting:
                raise batch_now.halting[0]
            following = _claimed(world, erp) if _goes_on(world, batch_now, until) else None
    return went


def _goes_on(world: World, batch: _Batch, until: datetime | None) -> bool:
    if until is None or world.clock.now() >= until or world.guard.stop.is_set():
        return False
    return all(map(_went, batch.outcomes))  # where the budget is used up, more would only be carried about


def _recorded(world: World, erp: Connected, batch: _Batch) -> int:
    placed.record(world, erp, batch.outcomes, world.clock.now())
    if batch.size is not None:
        # Claim no more than the budget lets out within the window: what is not sent in time is only carried about.
        in_time = world.clock.now() <= batch.deadline
        world.batch[erp.id] = min(MOST, 2 * batch.size) if in_time else max(erp.in_flight, batch.size // 2)
    return sum(map(_went, batch.outcomes))


def _went(outcome: Outcome) -> bool:
    return not isinstance(outcome, Again) or outcome.attempts is None


@dataclass(slots=True)
class _Batch:
    """Claimed effects on their way; ``size`` is how many were asked for (None: as many as there were)."""

    deadline: datetime
    waiting: deque[_Item]
    size: int | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    halting: list[HubError] = field(default_factory=list)  # why the Connection as a whole cannot go on

    def send(self, world: World, erp: Connected, pool: ThreadPoolExecutor) -> None:
        """Push it, as many at once as the connector allows, until it is ``halting`` or the hub stops."""
        if _can_begin(world, erp) and all(existing is None for _, existing in self.waiting):
            self._work_off(world, erp, erp.in_flight)
            return
        workers = range(min(erp.in_flight, len(self.waiting)))
        for share in [pool.submit(copy_context().run, self._work_off, world, erp, 1) for _ in workers]:
            share.result()

    def _work_off(self, world: World, erp: Connected, most: int) -> None:
        """Send what waits, one after the other: while the ERP makes one, the next is sent, up to ``most``."""
        flying: deque[tuple[Context, _Pushing]] = deque()
        try:
            while True:
                item = self._next() if len(flying) < most and (not flying or _has_room(world, erp)) else None
                if item is not None:
                    with send_before(self.deadline):
                        each = copy_context(), _pushing(world, erp, self, *item)
                elif flying:
                    each = flying.popleft()
                else:
                    return
                context, pushing = each
                try:
                    context.run(next, pushing)
                except StopIteration as done:
                    self.outcomes.append(done.value)
                else:
                    flying.append(each)
        finally:
            for context, pushing in flying:  # left where something broke: given up now, and looked up later
                context.run(pushing.close)

    def _next(self) -> _Item | None:
        try:
            return self.waiting.popleft()
        except IndexError:
            return None


def _can_begin(world: World, erp: Connected) -> bool:
    return "begin_order" in erp.capabilities and world.stand_in is None


def _has_room(world: World, erp: Connected) -> bool:
    """Say whether the next call need not wait; else what is on its way is seen to first."""
    try:
        return all(world.budgets.room_in_s(each) <= 0 for each in world.costs.budgets_of(erp.id))
    except HubError:
        return False


def _pushing(
    world: World, erp: Connected, batch: _Batch, effect: Effect, existing: PlacedOrder | None
) -> _Pushing:  # fmt: skip
    """Send one order; give way once it is on its way, where the connector can."""
    if batch.halting or world.guard.stop.is_set():
        return _not_let_out(effect, existing, world.clock.now())
    intent = Intent.model_validate_json(effect.payload)
    order = intent.sales_order
    try:
        if existing is None and _can_begin(world, erp):
            made: PlacedOrder = yield from in_halves(world, erp, "push_order", "begin_order", order=order)
        else:
            made = call(world, erp, "push_order", order=order, existing=existing)
    except TransientError as error:
        return _after_transient(world, effect, existing, batch.deadline, error)
    except RejectedError as error:
        return _after_rejection(world, erp, effect, intent, existing, error)
    except (AuthorizationError, ConfigurationError) as error:
        batch.halting.append(error)
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
    if error.may_have_happened and effect.attempts >= MOST_ATTEMPTS:
        return Blocked(effect, _gave_up(error), look_first=True)
    if error.may_have_happened:
        due = max(deadline, world.clock.now()) + timedelta(seconds=patience_s(world))
        if effect.attempts:
            due += retry_in(effect.attempts)
        return Again(effect, State.UNKNOWN, due, reason=reason_of(error))
    if error.code in ("send-window-passed", "stopping"):
        # Where the budget is used up, there is nothing to try before it has room again. A short wait fits into the next
        # batch, which it is to lead: what was released later is not to overtake it.
        wait_s = error.retry_after_s or 0.0
        is_short = wait_s <= min(SHORT_S, world.timing.send_window_s / 2)
        return _not_let_out(effect, existing, world.clock.now() + timedelta(seconds=0 if is_short else wait_s))
    if effect.attempts >= MOST_ATTEMPTS:
        return Blocked(effect, _gave_up(error))
    due = world.clock.now() + retry_in(effect.attempts + 1, error.retry_after_s)
    return Again(effect, State.PENDING, due, look_first=existing is not None, reason=reason_of(error))


def _not_let_out(effect: Effect, existing: PlacedOrder | None, due: datetime) -> Again:
    """Return an effect to its place: it was claimed, but no call went out for it."""
    return Again(effect, State.PENDING, due, look_first=existing is not None, attempts=effect.attempts)


def _gave_up(error: TransientError) -> Problem:
    what = f"{MOST_ATTEMPTS} attempts failed, the last with {error.code}: {error.what}"
    return Problem("gave-up", what, "The hub tries again, seldom; sooner with: hub retry.")


def _after_rejection(
    world: World, erp: Connected, effect: Effect, intent: Intent, existing: PlacedOrder | None, error: RejectedError
) -> Outcome:
    """Look once whether the sales order exists after all; else block the Order, with the vendor's reason."""
    now = world.clock.now()
    if existing is None and error.sent:
        try:
            matches = call(world, erp, "find_orders", orders=[intent.sales_order.key], before=None)
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
