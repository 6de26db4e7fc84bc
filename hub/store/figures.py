"""Figures of the whole ledger, for metrics and health: each answered by an index, or from a table of few rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hub.contract import ConfigurationError
from hub.store.database import Store, Tx, require_schema
from hub.store.tables import EPOCH, MILLISECOND, budgets, cursors, orders, proofs

_PLACE = (orders.c.connection, orders.c.fate, orders.c.cause)
_FATES = sa.select(*_PLACE, sa.func.count()).group_by(*_PLACE)
_BLOCKED = (
    sa.select(orders.c.connection, sa.type_coerce(sa.func.min(orders.c.first_seen_at), orders.c.first_seen_at.type))
    .where(orders.c.fate == "blocked")
    .group_by(orders.c.connection)
)


def fates(tx: Tx) -> dict[tuple[str, str, str], int]:
    """Return how many orders met which fate, by (connection, fate, cause)."""
    return {(connection, fate, cause or ""): n for connection, fate, cause, n in tx.execute(_FATES)}


def blocked_since(tx: Tx) -> dict[str, datetime]:
    """Return when the order was first seen that is blocked and was there before all others, by connection."""
    return {row[0]: row[1] for row in tx.execute(_BLOCKED)}


def pulled_at(tx: Tx) -> dict[tuple[str, str], datetime]:
    """Return when each (connection, stream) was last read; of a stream that has parts, the latest part's."""
    found: dict[tuple[str, str], datetime] = {}
    for connection, stream, at in tx.execute(sa.select(cursors.c.connection, cursors.c.stream, cursors.c.at)):
        key = connection, stream.partition(":")[0]
        found[key] = max(at, found.get(key, at))
    return found


def last_proofs(tx: Tx) -> dict[str, tuple[datetime, dict[str, Any]]]:
    """Return the last reconciliation of each connection, and when it was."""
    query = sa.select(proofs.c.connection, proofs.c.at, proofs.c.document)
    return {connection: (at, document) for connection, at, document in tx.execute(query)}


def keep_proof(tx: Tx, connection: str, at: datetime, document: Mapping[str, Any]) -> None:
    """Keep a connection's reconciliation in place of the one before."""
    tx.execute(sa.delete(proofs).where(proofs.c.connection == connection))
    tx.execute(sa.insert(proofs), {"connection": connection, "at": at, "document": dict(document)})


def calls_taken(tx: Tx, now: datetime) -> dict[str, int]:
    """Return how many calls are taken of each request budget at present, by its key."""
    at = (now - EPOCH) // MILLISECOND
    query = sa.select(budgets.c.key, budgets.c.taken)
    return {key: sum(calls for _, until, calls in taken if until > at) for key, taken in tx.execute(query)}


def require_ready(store: Store) -> None:
    """Refuse a database that is gone, or that another version of the hub has made or upgraded.

    Raises:
        HubError: it is not this hub's any more, or does not answer.
    """
    if not store.is_shared and not Path(store.label).exists():  # what is open would go on, and nobody could find it
        raise ConfigurationError(
            "database-gone",
            "the file of the database is not there any more; what is written now is lost",
            where=f"database {store.label}",
            do="Stop the hub, put the file or its last backup back, and start it.",
        )
    with store.read() as tx:
        require_schema(tx, store.label)
