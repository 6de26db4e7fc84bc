"""Writing many rows with one statement, on each kind of database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from hub.store import Store
from hub.store.bulk import many
from hub.store.tables import orders

NOON = datetime(2026, 3, 2, 12, 0, 0, 123_000, tzinfo=UTC)
INSERT = sa.insert(orders).inline()
COLUMNS = (orders.c.ref, orders.c.created_at, orders.c.due_at, orders.c.reason, orders.c.is_open, orders.c.cause)


def row(ref: str, **more: Any) -> dict[str, Any]:
    given = {
        "connection": "shop", "ref": ref, "key": f"TT-{ref}", "channel_status": "OPEN", "updated_at": NOON,
        "first_seen_at": NOON, "read_at": NOON, "digest": "d", "document": "{}", "fate": "held", "created_at": NOON,
        "due_at": None, "reason": [{"code": "x", "what": "é"}], "is_open": True, "cause": "hold",
    }  # fmt: skip
    return {**given, **more}


def written(store: Store) -> list[tuple[Any, ...]]:
    with store.read() as tx:
        return [tuple(each) for each in tx.execute(sa.select(*COLUMNS).order_by(orders.c.ref))]


def test_rows_come_back_as_they_were_written(store: Store) -> None:
    later = NOON + timedelta(days=1)
    with store.write() as tx:
        many(tx, INSERT, [row("1"), row("2", due_at=later, reason=None, is_open=False, cause=None)])
    assert written(store) == [
        ("1", NOON, None, [{"code": "x", "what": "é"}], True, "hold"),
        ("2", NOON, later, None, False, None),
    ]


def test_the_same_statement_with_other_columns_writes_those(store: Store) -> None:
    with store.write() as tx:
        many(tx, INSERT, [row("1")])
        many(tx, INSERT, [{name: value for name, value in row("2", is_open=False).items() if name != "cause"}])
    assert [each[5] for each in written(store)] == ["hold", None]


def test_a_row_that_lacks_a_parameter_is_refused(store: Store) -> None:
    """What is left out must never be written as something else."""
    whole, lacking = row("1"), row("2")
    del lacking["fate"]
    with pytest.raises(KeyError), store.write() as tx:
        many(tx, INSERT, [whole, lacking])
    assert written(store) == []
