"""What was hinted at from outside: rows that make a lane look somewhere early. Losing one costs time, never data."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from hub.store.database import Tx
from hub.store.tables import wakes

MOST = 5_000  # rows kept of one Connection; polling finds what is left out

Wake = tuple[str, str]  # kind, ref ("" where the hint names nothing)


def add(tx: Tx, connection: str, found: Iterable[Wake], at: datetime) -> None:
    """Note hints; one that is noted already stays one."""
    count = sa.select(sa.func.count()).where(wakes.c.connection == connection)
    room = MOST - int(tx.execute(count).scalar() or 0)
    known = set(of_connection(tx, connection))
    new = [each for each in dict.fromkeys(found) if each not in known][: max(0, room)]
    if new:
        tx.execute(
            sa.insert(wakes), [{"connection": connection, "kind": kind, "ref": ref, "at": at} for kind, ref in new]
        )


def of_connection(tx: Tx, connection: str) -> list[Wake]:
    """Return what was hinted at and not looked at yet, oldest first."""
    query = sa.select(wakes.c.kind, wakes.c.ref).where(wakes.c.connection == connection)
    return [(kind, ref) for kind, ref in tx.execute(query.order_by(wakes.c.at, wakes.c.kind, wakes.c.ref))]


def drop(tx: Tx, connection: str, done: Iterable[Wake]) -> None:
    """Forget hints that were looked at."""
    keys = list(done)
    if keys:
        row = sa.tuple_(wakes.c.kind, wakes.c.ref)
        tx.execute(sa.delete(wakes).where((wakes.c.connection == connection) & row.in_(keys)))
