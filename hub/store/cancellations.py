"""Cancellations as the channels told them, and what became of our answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hub.contract import Cancellation
from hub.store.database import Tx
from hub.store.tables import cancellations


@dataclass(frozen=True, slots=True)
class CancellationRow:
    """One cancellation; ``decision`` is what we answered: accept, refuse, ask; None: nothing yet."""

    connection: str
    ref: str
    order_ref: str
    state: str
    document: str
    decision: str | None
    reason: list[dict[str, Any]] | None
    due_at: datetime | None


_COLUMNS = tuple(cancellations.c[name] for name in CancellationRow.__slots__)


def see(tx: Tx, connection: str, found: Sequence[Cancellation], now: datetime) -> list[Cancellation]:
    """Store cancellations; return those that are new or say something new."""
    latest = {each.ref: each for each in sorted(found, key=lambda each: each.updated_at)}
    query = sa.select(cancellations.c.ref, cancellations.c.document).where(
        cancellations.c.connection == connection, cancellations.c.ref.in_(list(latest))
    )
    known = {row.ref: row.document for row in tx.execute(query)}
    news = []
    for each in latest.values():
        document = each.model_dump_json(exclude_defaults=True)
        if known.get(each.ref) == document:
            continue
        news.append(each)
        columns = {"state": each.state.value, "document": document, "due_at": now, "reason": None}
        if each.ref in known:
            mine = sa.and_(cancellations.c.connection == connection, cancellations.c.ref == each.ref)
            tx.execute(sa.update(cancellations).where(mine).values(**columns))
        else:
            row = {"connection": connection, "ref": each.ref, "order_ref": each.order_ref, **columns}
            tx.execute(sa.insert(cancellations), [row])
    return news


def due(tx: Tx, connection: str, now: datetime, limit: int) -> list[CancellationRow]:
    """Return cancellations that must be looked at, the longest waiting first."""
    query = sa.select(*_COLUMNS).where(cancellations.c.connection == connection, cancellations.c.due_at <= now)
    return [CancellationRow(*row) for row in tx.execute(query.order_by(cancellations.c.due_at).limit(limit))]


def next_due(tx: Tx, connection: str) -> datetime | None:
    """Return when the next cancellation must be looked at."""
    kind = cancellations.c.due_at.type
    found: datetime | None = tx.execute(
        sa.select(sa.type_coerce(sa.func.min(cancellations.c.due_at), kind)).where(
            cancellations.c.connection == connection
        )
    ).scalar()
    return found


def update(tx: Tx, row: CancellationRow, changes: Mapping[str, Any]) -> None:
    """Change one cancellation."""
    mine = sa.and_(cancellations.c.connection == row.connection, cancellations.c.ref == row.ref)
    tx.execute(sa.update(cancellations).where(mine).values(**changes))


def of_order(tx: Tx, connection: str, order_ref: str) -> list[CancellationRow]:
    """Return the cancellations of one order."""
    query = sa.select(*_COLUMNS).where(cancellations.c.connection == connection, cancellations.c.order_ref == order_ref)
    return [CancellationRow(*row) for row in tx.execute(query.order_by(cancellations.c.ref))]
