"""What happened to each order, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hub.store.bulk import many
from hub.store.database import Tx
from hub.store.tables import timeline

_INSERT = sa.insert(timeline).inline()


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened; ``detail`` holds ids, amounts and reasons, never secrets, addresses or names."""

    order_id: int
    at: datetime
    event: str
    detail: dict[str, Any]


def add(tx: Tx, entries: Sequence[Entry]) -> None:
    """Append entries."""
    many(tx, _INSERT, [{name: getattr(entry, name) for name in Entry.__slots__} for entry in entries])


def of_order(tx: Tx, order_id: int) -> list[Entry]:
    """Return all that happened to one order, oldest first."""
    columns = (timeline.c[name] for name in Entry.__slots__)
    query = sa.select(*columns).where(timeline.c.order_id == order_id).order_by(timeline.c.id)
    return [Entry(*row) for row in tx.execute(query)]
