"""The outbox: intended effects, one row each, claimed before they are sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

import sqlalchemy as sa

from hub.store.bulk import many
from hub.store.database import Tx
from hub.store.tables import orders, outbox


class State(StrEnum):
    """Where an effect stands."""

    PENDING = "pending"
    SENDING = "sending"  # claimed; may have been sent until its deadline, its answer may come until the time-out
    UNKNOWN = "unknown"  # sent, answer lost: looked up before anything else
    DONE = "done"
    BLOCKED = "blocked"
    SUPERSEDED = "superseded"


OPEN = (State.PENDING, State.SENDING, State.UNKNOWN, State.BLOCKED)
FLYING = frozenset({State.SENDING, State.UNKNOWN})
PLACE_ORDER = "place-order"
PRIORITY = {PLACE_ORDER: 20}  # cancel 10, order 20, fulfillment 30, stock decrease 40, stock increase 50, catalogue 60


class Effect(NamedTuple):
    """One row of the outbox."""

    id: int
    kind: str
    target: str
    key: str
    order_id: int
    state: str
    due_at: datetime
    look_first: bool
    attempts: int
    deadline_at: datetime | None
    payload: str


_COLUMNS = tuple(outbox.c[name] for name in Effect._fields)
# It may be there: it was sent, and has not been looked up since.
_UNSURE = sa.and_(outbox.c.attempts > 0, outbox.c.look_first.is_(True))
_INSERT = sa.insert(outbox).inline()
_RENEW = (
    sa.update(outbox)
    .where(outbox.c.id == sa.bindparam("row_id"))
    .values(state=sa.bindparam("b_state"), payload=sa.bindparam("b_payload"), due_at=sa.bindparam("b_due"))
)
_LOOK_UP = (
    sa.update(outbox)
    .where(outbox.c.id == sa.bindparam("row_id"))
    .values(state=sa.bindparam("b_state"), due_at=sa.bindparam("b_due"))
)

# Statements of every round stand ready, because putting one together takes longer than its execution.
_OF_TARGET = outbox.c.target == sa.bindparam("b_target")
_ABANDONED = (
    sa.select(*_COLUMNS)
    .where(_OF_TARGET, outbox.c.state == State.SENDING, outbox.c.deadline_at <= sa.bindparam("b_before"))
    .order_by(outbox.c.id)
    .limit(sa.bindparam("b_limit"))
)
# Its two states stand by themselves, so that the index leads to them and not to all that was ever sent.
_TO_LOOK_UP = (
    sa.select(*_COLUMNS)
    .where(_OF_TARGET, outbox.c.state.in_((State.UNKNOWN, State.PENDING)))
    .where(sa.or_(outbox.c.state == State.UNKNOWN, outbox.c.look_first.is_(True)))
    .where(outbox.c.due_at <= sa.bindparam("b_now"))
    .order_by(outbox.c.id)
    .limit(sa.bindparam("b_limit"))
)
# The one intended first goes first, also where the budget did not let it out before and moved its time.
_NEXT = (
    sa.select(*_COLUMNS)
    .where(_OF_TARGET, outbox.c.state == State.PENDING, outbox.c.look_first.is_(False))
    .where(outbox.c.due_at <= sa.bindparam("b_now"))
    .where(sa.exists().where(orders.c.id == outbox.c.order_id, orders.c.fate == "ready"))
    .order_by(outbox.c.priority, outbox.c.id)
    .limit(sa.bindparam("b_limit"))
    .with_for_update(skip_locked=True, of=outbox)
)
_CLAIM = (
    sa.update(outbox)
    .where(outbox.c.id == sa.bindparam("row_id"))
    .values(
        state=sa.bindparam("b_state"),
        deadline_at=sa.bindparam("b_deadline"),
        attempts=outbox.c.attempts + sa.bindparam("b_one"),
    )
)
_NEXT_WAITING = sa.select(sa.type_coerce(sa.func.min(outbox.c.due_at), outbox.c.due_at.type)).where(
    _OF_TARGET, outbox.c.state.in_((State.PENDING, State.UNKNOWN))
)
_NEXT_CLAIMED = sa.select(sa.type_coerce(sa.func.min(outbox.c.deadline_at), outbox.c.due_at.type)).where(
    _OF_TARGET, outbox.c.state == State.SENDING
)


def _effects(result: sa.Result[Any]) -> list[Effect]:
    return [Effect._make(row) for row in result.all()]


def intend(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Write effects, or renew the payload of effects with the same key that have not been sent.

    One that may have been sent keeps what was sent, and is looked up. Returns the keys that are already the effect of
    another order; nothing is written for those.
    """
    if not rows:
        return set()
    keys = [row["key"] for row in rows]
    first = rows[0]
    query = sa.select(outbox.c.key, outbox.c.id, outbox.c.state, outbox.c.order_id, _UNSURE.label("is_unsure")).where(
        outbox.c.target == first["target"], outbox.c.kind == first["kind"], outbox.c.key.in_(keys)
    )
    present = {each.key: each for each in tx.execute(query).all()}
    foreign = {row["key"] for row in rows if row["key"] in present and present[row["key"]].order_id != row["order_id"]}
    new = [row for row in rows if row["key"] not in present]
    many(tx, _INSERT, [{"state": State.PENDING, "attempts": 0, **row} for row in new])
    idle = (State.PENDING, State.BLOCKED, State.SUPERSEDED)
    again = [
        (row, present[row["key"]])
        for row in rows
        if row["key"] in present and row["key"] not in foreign and present[row["key"]].state in idle
    ]
    renewed = [
        {"row_id": held.id, "b_state": State.PENDING, "b_payload": row["payload"], "b_due": row["due_at"]}
        for row, held in again
        if not held.is_unsure
    ]
    many(tx, _RENEW, renewed)
    unsure = [
        {"row_id": held.id, "b_state": State.UNKNOWN, "b_due": row["due_at"]} for row, held in again if held.is_unsure
    ]
    many(tx, _LOOK_UP, unsure)
    return foreign


def supersede(tx: Tx, order_ids: Sequence[int]) -> None:
    """Withdraw the effects of these orders that have not been sent."""
    if order_ids:
        idle = outbox.c.state.in_((State.PENDING, State.BLOCKED))
        mine = outbox.c.order_id.in_(order_ids)
        tx.execute(sa.update(outbox).where(mine, idle, sa.not_(_UNSURE)).values(state=State.SUPERSEDED))


def look_up_sent(tx: Tx, order_ids: Sequence[int], now: datetime) -> None:
    """Have what may have been sent of these orders looked up, before anything else becomes of them."""
    if order_ids:
        idle = outbox.c.state.in_((State.PENDING, State.BLOCKED))
        mine = outbox.c.order_id.in_(order_ids)
        tx.execute(sa.update(outbox).where(mine, idle, _UNSURE).values(state=State.UNKNOWN, due_at=now))


def states(tx: Tx, order_ids: Sequence[int]) -> dict[int, set[State]]:
    """Return in which states these orders have effects that have not come to an end; nothing for those without any.

    One that may have been sent counts as UNKNOWN, wherever it waits.
    """
    query = sa.select(outbox.c.order_id, outbox.c.state, _UNSURE.label("is_unsure")).where(
        outbox.c.order_id.in_(order_ids), outbox.c.state.in_(OPEN)
    )
    found: dict[int, set[State]] = {}
    for order_id, state, is_unsure in tx.execute(query).all():
        found.setdefault(order_id, set()).add(State.UNKNOWN if is_unsure else State(state))
    return found


def in_flight(tx: Tx, order_ids: Sequence[int]) -> set[int]:
    """Return which of these orders have an effect that may be on its way."""
    query = sa.select(outbox.c.order_id).where(
        outbox.c.order_id.in_(order_ids), outbox.c.state.in_((State.SENDING, State.UNKNOWN))
    )
    return set(tx.execute(query).scalars().all())


def of_order(tx: Tx, order_id: int) -> list[Effect]:
    """Return the effects of one order."""
    return _effects(tx.execute(sa.select(*_COLUMNS).where(outbox.c.order_id == order_id).order_by(outbox.c.id)))


def pending(tx: Tx, target: str) -> int:
    """Return how many effects wait to be sent."""
    query = sa.select(sa.func.count()).select_from(outbox)
    return int(tx.execute(query.where(outbox.c.target == target, outbox.c.state == State.PENDING)).scalar_one())


def claim(tx: Tx, target: str, now: datetime, deadline: datetime, limit: int) -> list[Effect]:
    """Take the next due effects for sending, by priority; each may be sent until ``deadline``, by this caller only."""
    found = _effects(tx.execute(_NEXT, {"b_target": target, "b_now": now, "b_limit": limit}))
    claimed = {"b_state": State.SENDING, "b_deadline": deadline, "b_one": 1}
    many(tx, _CLAIM, [{"row_id": effect.id, **claimed} for effect in found])
    return found


def abandoned(tx: Tx, target: str, before: datetime, limit: int) -> list[Effect]:
    """Return effects whose claim ran out before an instant, without an outcome: their sender died."""
    return _effects(tx.execute(_ABANDONED, {"b_target": target, "b_before": before, "b_limit": limit}))


def to_look_up(tx: Tx, target: str, now: datetime, limit: int) -> list[Effect]:
    """Return effects that must be looked up on the other side before they may be sent."""
    return _effects(tx.execute(_TO_LOOK_UP, {"b_target": target, "b_now": now, "b_limit": limit}))


_SETTLE = (
    sa.update(outbox)
    .where(outbox.c.id == sa.bindparam("row_id"))
    .values(
        state=sa.bindparam("b_state"),
        due_at=sa.bindparam("b_due"),
        look_first=sa.bindparam("b_look"),
        attempts=sa.func.coalesce(sa.bindparam("b_attempts"), outbox.c.attempts),
    )
)


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of an effect; ``due_at`` None leaves its time as it was, ``attempts`` None their count."""

    effect: Effect
    state: State
    due_at: datetime | None = None
    look_first: bool = False
    attempts: int | None = None


def settle(tx: Tx, settled: Sequence[Settled]) -> None:
    """Record what became of effects."""
    rows = [
        {
            "row_id": one.effect.id,
            "b_state": one.state,
            "b_due": one.due_at or one.effect.due_at,
            "b_look": one.look_first,
            "b_attempts": one.attempts,
        }
        for one in settled
    ]
    many(tx, _SETTLE, rows)


def astray(tx: Tx, connection: str, erps: Mapping[str, str], cause: str) -> list[Effect]:
    """Return effects that place a channel's unplaced orders elsewhere than in their route's ERP (``erps``, by route).

    Also those of orders that are blocked for this cause already, wherever they go.
    """
    query = sa.select(*_COLUMNS).join(orders, orders.c.id == outbox.c.order_id)
    query = query.where(outbox.c.kind == PLACE_ORDER, orders.c.connection == connection)
    # A withdrawn one counts where an earlier send of it may have arrived.
    sent = (outbox.c.state == State.SUPERSEDED) & (outbox.c.attempts > 0) & outbox.c.look_first
    query = query.where(outbox.c.state.in_(OPEN) | sent)
    query = query.where(orders.c.placed_digest.is_(None), orders.c.fate.in_(("held", "ready", "blocked")))
    name = sa.func.coalesce(orders.c.route, "")
    at_home = sa.or_(sa.false(), *(sa.and_(name == route, outbox.c.target == erp) for route, erp in erps.items()))
    is_cause = sa.func.coalesce(orders.c.cause, "") == cause
    return _effects(tx.execute(query.where(sa.or_(sa.not_(at_home), is_cause)).order_by(outbox.c.id)))


def next_due(tx: Tx, target: str, patience_s: float) -> datetime | None:
    """Return when the next effect of a Connection can go on; a claim goes on ``patience_s`` after its deadline."""
    first: datetime | None = tx.execute(_NEXT_WAITING, {"b_target": target}).scalar()
    other: datetime | None = tx.execute(_NEXT_CLAIMED, {"b_target": target}).scalar()
    times = [t for t in (first, None if other is None else other + timedelta(seconds=patience_s)) if t is not None]
    return min(times, default=None)


def doubt(tx: Tx, target: str) -> list[int]:
    """Have every unsent effect looked up before it is sent, and withdraw the waiting ones; return their orders."""
    waiting = sa.select(outbox.c.order_id).where(outbox.c.target == target, outbox.c.state == State.PENDING)
    withdrawn = list(tx.execute(waiting).scalars())
    unsent = outbox.c.state.in_((State.PENDING, State.BLOCKED, State.SUPERSEDED))
    tx.execute(sa.update(outbox).where(outbox.c.target == target, unsent).values(look_first=True))
    idle = sa.and_(outbox.c.target == target, outbox.c.state == State.PENDING)
    tx.execute(sa.update(outbox).where(idle).values(state=State.SUPERSEDED))
    return withdrawn


def of_unread(tx: Tx, target: str, channels: Sequence[str], read_before: datetime) -> list[int]:
    """Return the orders of channels that wait to be sent and were last read before an instant."""
    query = sa.select(outbox.c.order_id).join(orders, orders.c.id == outbox.c.order_id)
    query = query.where(outbox.c.target == target, outbox.c.state == State.PENDING)
    query = query.where(orders.c.connection.in_(channels), orders.c.fate == "ready", orders.c.read_at < read_before)
    return list(tx.execute(query).scalars())


def bring_near(tx: Tx, target: str, far: datetime, deadline: datetime, due_at: datetime) -> None:
    """Give what was sent, and is dated later than ``far``, this deadline or time of look-up instead."""
    mine = sa.update(outbox).where(outbox.c.target == target)
    claimed = mine.where(outbox.c.state == State.SENDING, outbox.c.deadline_at > far)
    tx.execute(claimed.values(deadline_at=deadline))
    tx.execute(mine.where(outbox.c.state == State.UNKNOWN, outbox.c.due_at > far).values(due_at=due_at))


def reclaim(tx: Tx, ids: Sequence[int], deadline: datetime) -> None:
    """Take effects that were just looked up for another send."""
    statement = sa.update(outbox).where(outbox.c.id.in_(ids))
    tx.execute(statement.values(state=State.SENDING, deadline_at=deadline, attempts=outbox.c.attempts + 1))
