"""Returned goods as the channels told them, and the sales returns they became."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hub.contract import Return
from hub.store.database import Tx
from hub.store.tables import returns

WAITING, READY, SENDING, DONE, BLOCKED = "waiting", "ready", "sending", "done", "blocked"


@dataclass(frozen=True, slots=True)
class ReturnRow:
    """One return."""

    connection: str
    ref: str
    order_ref: str
    document: str
    state: str
    sales_return_ref: str | None
    reason: list[dict[str, Any]] | None
    due_at: datetime | None


_COLUMNS = tuple(returns.c[name] for name in ReturnRow.__slots__)


def see(tx: Tx, connection: str, found: Sequence[Return], now: datetime) -> None:
    """Store returns; what is received and not booked yet becomes due."""
    latest = {each.ref: each for each in sorted(found, key=lambda each: each.updated_at)}
    query = sa.select(returns.c.ref, returns.c.state).where(
        returns.c.connection == connection, returns.c.ref.in_(list(latest))
    )
    known = {row.ref: row.state for row in tx.execute(query)}
    for ref, each in latest.items():
        document = each.model_dump_json(exclude_defaults=True)
        state = READY if each.received else WAITING
        due = now if each.received else None
        if ref not in known:
            row = {"connection": connection, "ref": ref, "order_ref": each.order_ref, "document": document}
            tx.execute(sa.insert(returns), [{**row, "state": state, "due_at": due}])
        elif known[ref] in (WAITING, READY, BLOCKED):
            mine = sa.and_(returns.c.connection == connection, returns.c.ref == ref)
            tx.execute(sa.update(returns).where(mine).values(document=document, state=state, due_at=due, reason=None))


def due(tx: Tx, connection: str, now: datetime, limit: int) -> list[ReturnRow]:
    """Return what is to be booked, the longest waiting first."""
    query = sa.select(*_COLUMNS).where(returns.c.connection == connection, returns.c.due_at <= now)
    query = query.where(returns.c.state.in_((READY, SENDING, BLOCKED))).order_by(returns.c.due_at)
    return [ReturnRow(*row) for row in tx.execute(query.limit(limit))]


def update(tx: Tx, row: ReturnRow, changes: Mapping[str, Any]) -> None:
    """Change one return."""
    mine = sa.and_(returns.c.connection == row.connection, returns.c.ref == row.ref)
    tx.execute(sa.update(returns).where(mine).values(**changes))


def of_order(tx: Tx, connection: str, order_ref: str) -> list[ReturnRow]:
    """Return the returns of one order."""
    query = sa.select(*_COLUMNS).where(returns.c.connection == connection, returns.c.order_ref == order_ref)
    return [ReturnRow(*row) for row in tx.execute(query.order_by(returns.c.ref))]
