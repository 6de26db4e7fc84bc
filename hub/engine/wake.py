"""Hints from outside: heard where they come in, kept until the lane has looked, and looked at within a share of calls.

One kind of hint is looked at again only after a gap, which gathers what comes meanwhile; and all looks of a Connection
together take no more than a share of its request budget, be the flood as long as it likes. What has to wait is kept;
what must not wait for it is not: polls and timers go on as if there were no hints.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from hub.contract import Hint, HintKind, Webhook
from hub.engine.outcome import call
from hub.engine.world import Connected, World
from hub.host.work import Work
from hub.store import Tx, known, wakes

STREAM = "hints"
URGENCY = (
    HintKind.AUTHORIZATION, HintKind.CANCELLATIONS, HintKind.ORDERS, HintKind.FULFILLMENTS, HintKind.INVENTORY,
    HintKind.RETURNS, HintKind.PRODUCTS,
)  # fmt: skip
UNHURRIED = frozenset({HintKind.INVENTORY, HintKind.RETURNS, HintKind.PRODUCTS})
GAP_S = 0.5
GAPS_S = {HintKind.RETURNS: 10.0, HintKind.PRODUCTS: 10.0, HintKind.AUTHORIZATION: 300.0}
AFTER_FAILURE_S = 10.0
SHARE = 0.25  # of a Connection's request budget, for all looks together
AT_ONCE_S = 60.0  # so much of that share may be used ahead; half of it by what does not hurry
LONGEST_S = 600.0


def hear(world: World, id_: str, webhook: Webhook) -> list[Hint]:
    """Return what a delivery hints at, by its connector.

    Raises:
        RejectedError: it does not come from where it says.
    """
    found: list[Hint] = call(world, world.connected[id_], "read_webhook", delivery=webhook)
    return found


def note(world: World, id_: str, hints: Sequence[Hint]) -> None:
    """Keep hints until the Connection's lane has looked."""
    with world.store.write() as tx:
        wakes.add(tx, id_, [(hint.kind.value, hint.ref or "") for hint in hints], world.clock.now())


def waiting(tx: Tx, connected: Connected, now: datetime) -> dict[HintKind, datetime]:
    """Return the kinds of hints that wait, the most urgent first, and when each may be looked at."""
    due = wakes.kinds(tx, connected.id)
    if not due:
        return {}
    _, paid = known.cursor(tx, connected.id, STREAM)  # until when the looks so far take up their share
    if paid is None or paid > now + timedelta(seconds=LONGEST_S):
        paid = now
    kinds = [kind for kind in URGENCY if kind in due]
    return {kind: max(due[kind], _after_gap(tx, connected, kind, now), _paid(paid, kind)) for kind in kinds}


def _after_gap(tx: Tx, connected: Connected, kind: HintKind, now: datetime) -> datetime:
    """Return when the gap after the last look of a kind ends; a longer one was begun before the clock was set back."""
    _, until = known.cursor(tx, connected.id, f"{STREAM}:{kind}")
    longest = timedelta(seconds=max(AFTER_FAILURE_S, GAPS_S.get(kind, GAP_S)))
    return now if until is None or until > now + longest else until


def _paid(paid: datetime, kind: HintKind) -> datetime:
    return paid - timedelta(seconds=AT_ONCE_S / 2 if kind in UNHURRIED else AT_ONCE_S)


def next_due(tx: Tx, connected: Connected, now: datetime) -> datetime | None:
    """Return when the next hint may be looked at."""
    return min(waiting(tx, connected, now).values(), default=None)


def looked(tx: Tx, connected: Connected, kind: HintKind, now: datetime, work: Work, *, failed: bool = False) -> None:
    """Remember that a look was made, what it cost, and so when the next one may be."""
    gap_s = AFTER_FAILURE_S if failed else GAPS_S.get(kind, GAP_S)
    known.set_cursor(tx, connected.id, f"{STREAM}:{kind}", None, now + timedelta(seconds=gap_s))
    cost_s = sum(calls * budget.per_s / budget.calls for budget, calls in work.calls.items() if budget is not None)
    if cost_s:
        _, paid = known.cursor(tx, connected.id, STREAM)
        begin = now if paid is None or not now < paid <= now + timedelta(seconds=LONGEST_S) else paid
        until = min(begin + timedelta(seconds=cost_s / SHARE), now + timedelta(seconds=LONGEST_S))
        known.set_cursor(tx, connected.id, STREAM, None, until)
