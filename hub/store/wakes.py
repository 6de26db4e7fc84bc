"""What was hinted at from outside: rows that make a lane look somewhere early. Losing one costs time, never data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from hub.store.bulk import many
from hub.store.database import Tx
from hub.store.tables import sales_orders, stock, variants, wakes

MOST = 5_000  # rows kept of one kind and Connection; polling finds what is left out

Wake = tuple[str, str]  # kind, ref ("" where the hint names nothing)


class Heard(NamedTuple):
    """One thing hinted at: when last, how often (so that one heard again meanwhile stays), how often asked in vain."""

    kind: str
    ref: str
    at: datetime
    heard: int
    asked: int


_MINE = wakes.c.connection == sa.bindparam("of")
_THIS = _MINE & (wakes.c.kind == sa.bindparam("b_kind")) & (wakes.c.ref == sa.bindparam("b_ref"))
_KINDS = sa.select(wakes.c.kind, sa.type_coerce(sa.func.min(wakes.c.due_at), wakes.c.due_at.type).label("due_at"))
_KINDS = _KINDS.where(_MINE).group_by(wakes.c.kind)
_AGAIN = sa.update(wakes).where(_THIS).values(at=sa.bindparam("b_at"), heard=wakes.c.heard + 1)
_LATER = sa.update(wakes).where(_THIS).values(due_at=sa.bindparam("b_due"), asked=wakes.c.asked + 1)
_DROP = sa.delete(wakes).where(_THIS & (wakes.c.heard == sa.bindparam("b_heard")))


def add(tx: Tx, connection: str, found: Iterable[Wake], at: datetime) -> None:
    """Note hints; one that is noted already stays one, and counts as heard again."""
    wanted = dict.fromkeys(found)
    query = sa.select(wakes.c.kind, wakes.c.ref).where(wakes.c.connection == connection)
    known: set[Wake] = {(kind, ref) for kind, ref in tx.execute(query).all()}
    again = [{"of": connection, "b_kind": kind, "b_ref": ref, "b_at": at} for kind, ref in wanted.keys() & known]
    if again:
        tx.execute(_AGAIN, again)
    room = Counter({kind: MOST for kind, _ in wanted})
    room.subtract(kind for kind, _ in known)
    new = []
    for each in (one for one in wanted if one not in known):
        if room[each[0]] > 0:
            room[each[0]] -= 1
            new.append(each)
    row = {"connection": connection, "at": at, "due_at": at, "heard": 1, "asked": 0}
    many(tx, sa.insert(wakes), [{**row, "kind": kind, "ref": ref} for kind, ref in new])


def kinds(tx: Tx, connection: str) -> dict[str, datetime]:
    """Return what kinds of hints wait, and when the first of each is due."""
    return {row.kind: row.due_at for row in tx.execute(_KINDS, {"of": connection}).all()}


def due(tx: Tx, connection: str, kind: str, now: datetime, limit: int) -> list[Heard]:
    """Return hints of one kind that are due, the longest waiting first."""
    query = sa.select(wakes.c.kind, wakes.c.ref, wakes.c.at, wakes.c.heard, wakes.c.asked)
    query = query.where(wakes.c.connection == connection, wakes.c.kind == kind, wakes.c.due_at <= now)
    return [Heard(*row) for row in tx.execute(query.order_by(wakes.c.due_at, wakes.c.ref).limit(limit)).all()]


def postpone(tx: Tx, connection: str, found: Iterable[tuple[Heard, datetime]]) -> None:
    """Have hints looked at later, because nothing was to be seen yet."""
    rows = [{"of": connection, "b_kind": each.kind, "b_ref": each.ref, "b_due": at} for each, at in found]
    if rows:
        tx.execute(_LATER, rows)


def drop(tx: Tx, connection: str, done: Iterable[Heard]) -> None:
    """Forget hints that were looked at, but for those that were heard again meanwhile."""
    rows = [{"of": connection, "b_kind": each.kind, "b_ref": each.ref, "b_heard": each.heard} for each in done]
    if rows:
        tx.execute(_DROP, rows)


# -- what the hub itself has just done, which the other side hints at too


def just_placed(tx: Tx, erp: str, since: datetime) -> dict[str, datetime]:
    """Return the Variants of sales orders made after an instant, and when the last of each was made."""
    query = sa.select(sales_orders.c.rows, sales_orders.c.linked_at).where(
        sales_orders.c.erp == erp, sales_orders.c.linked_at > since
    )
    return {
        each["variant_ref"]: at
        for rows, at in tx.execute(query.order_by(sales_orders.c.linked_at)).all()
        for each in rows or ()
    }


def just_told(tx: Tx, channel: str, since: datetime) -> tuple[set[str], set[str]]:
    """Return the Variants whose stock the hub has set on a channel after an instant, and their products."""
    query = sa.select(stock.c.variant_ref, variants.c.product_ref).outerjoin(
        variants, (variants.c.connection == stock.c.connection) & (variants.c.ref == stock.c.variant_ref)
    )
    rows = tx.execute(query.where(stock.c.connection == channel, stock.c.pushed_at > since)).all()
    return {row.variant_ref for row in rows}, {row.product_ref for row in rows if row.product_ref is not None}
