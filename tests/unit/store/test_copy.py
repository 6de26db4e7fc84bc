"""A copy of the ledger holds everything but the tokens, whatever database the ledger is on."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from hub.store import Store, known, open_store
from hub.store.copy import copy_ledger
from hub.store.tables import metadata
from tests.conftest import NOON, OrderMaker
from tests.unit.engine.ledger_rows import put, put_effect, put_placed


def rows(store: Store, name: str) -> list[tuple[object, ...]]:
    with store.read() as tx:
        table = metadata.tables[name]
        return [tuple(row) for row in tx.execute(sa.select(table).order_by(*table.primary_key.columns))]


def test_copy_holds_every_row_but_the_tokens(store: Store, make_order: OrderMaker, tmp_path: Path) -> None:
    for n in range(40):
        put(store, make_order(str(n)), "held", "hold", reason=[{"code": "x"}])
    put_effect(store, put_placed(store, make_order("p"), "placed"), "X-p", "done")
    with store.write() as tx:
        known.set_tokens(tx, "a", b"secret", NOON)
        known.set_note(tx, "shop", "k", "v")
        known.pause(tx, "shop", NOON, {"code": "c"})
        known.route_start(tx, "us", NOON)
    copy = open_store(str(tmp_path / "copy.db"))
    copy_ledger(store, copy)
    for name in metadata.tables:
        assert rows(copy, name) == ([] if name == "authorisations" else rows(store, name)), name
    assert len(rows(copy, "orders")) == 41
    copy.close()
