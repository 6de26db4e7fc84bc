"""The schema, its laws, and what a database's failures mean to a person; on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from hub.contract import ConfigurationError, HubError, TransientError
from hub.store import SCHEMA_VERSION, ConflictError, Store, known, open_store, orders, outbox, schema_version
from hub.store.address import parse
from hub.store.database import SILENT_S, explain
from hub.store.orders import Link
from hub.store.tables import metadata
from tests.conftest import NOON

Row = dict[str, Any]


def _order(ref: str, connection: str = "shop") -> Row:
    return {
        "connection": connection, "ref": ref, "key": f"X-{ref}", "channel_status": "OPEN", "created_at": NOON,
        "updated_at": NOON, "first_seen_at": NOON, "read_at": NOON, "digest": "d", "document": "{}", "fate": "ready",
        "cause": "hold", "reason": None, "route": None, "release_at": NOON, "due_at": NOON,
    }  # fmt: skip


def _effect(order_id: int, key: str) -> Row:
    return {"kind": "place-order", "target": "erp", "key": key, "order_id": order_id, "priority": 20, "due_at": NOON,
            "look_first": False, "payload": "{}"}  # fmt: skip


def test_migrations_make_exactly_the_tables_that_the_code_names(store: Store) -> None:
    with store.read() as tx:
        assert compare_metadata(MigrationContext.configure(tx), metadata) == []


def test_newest_migration_is_the_version_this_hub_knows(store: Store) -> None:
    folder = Path(orders.__file__).parent / "migrations"
    assert ScriptDirectory(str(folder)).get_current_head() == SCHEMA_VERSION == schema_version(store)


def test_opening_again_changes_nothing(database: str) -> None:
    for _ in range(2):
        opened = open_store(database)
        assert schema_version(opened) == SCHEMA_VERSION
        opened.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("is_new", [False, True])
def test_root_is_refused_where_the_ledger_is_another_users(tmp_path: Path, is_new: bool) -> None:
    """One lock file that root made keeps the service out until somebody finds it."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    if not is_new:
        open_store(str(folder / "hub.db")).close()
    for each in (folder, *folder.iterdir()):
        os.chown(each, 54321, 54321)
    there = sorted(folder.iterdir())
    with pytest.raises(ConfigurationError) as caught:
        open_store(str(folder / "hub.db"))
    assert caught.value.code == "database-owner"
    assert "sudo -u '#54321' hub" in caught.value.do
    assert sorted(folder.iterdir()) == there


def test_instants_come_back_as_they_went_in(store: Store) -> None:
    row = {**_order("1"), "due_at": NOON + timedelta(milliseconds=7)}
    with store.write() as tx:
        orders.insert(tx, [row])
        assert orders.by_refs(tx, "shop", ["1"])["1"].due_at == NOON + timedelta(milliseconds=7)


def test_database_refuses_the_same_channel_order_twice(store: Store) -> None:
    with pytest.raises(ConflictError), store.write() as tx:
        orders.insert(tx, [_order("1"), _order("1")])
    with store.read() as tx:
        assert orders.by_refs(tx, "shop", ["1"]) == {}, "the whole transaction is undone"


@pytest.mark.parametrize(
    "second",
    [{"order_id": 1}, {"key": "X-1"}, {"ref": "77"}],
    ids=["one sales order per order", "one per key", "one order per sales order"],
)
def test_database_refuses_a_second_sales_order(store: Store, second: Row) -> None:
    """Law 1: constraints, not checks."""
    with store.write() as tx:
        ids = orders.insert(tx, [_order("1"), _order("2")])
        orders.link(tx, [Link(ids["1"], "erp", "X-1", "77", "TT-1", False, NOON)])
    other = {"order_id": ids["2"], "erp": "erp", "key": "X-2", "ref": "78", "number": "TT-2", "adopted": False,
             "linked_at": NOON}  # fmt: skip
    clash = {**other, **({"order_id": ids["1"]} if "order_id" in second else second)}
    with pytest.raises(ConflictError), store.write() as tx:
        orders.link(tx, [Link(**clash)])


def test_effect_of_a_key_is_written_once_and_renewed_while_unsent(store: Store) -> None:
    with store.write() as tx:
        ids = orders.insert(tx, [_order("1"), _order("2")])
        outbox.intend(tx, [_effect(ids["1"], "K")])
        outbox.intend(tx, [{**_effect(ids["1"], "K"), "payload": "new"}])
        (effect,) = outbox.of_order(tx, ids["1"])
        assert effect.payload == "new"
        assert outbox.intend(tx, [_effect(ids["2"], "K")]) == {"K"}, "another order's effect is not taken over"
        (claimed,) = outbox.claim(tx, "erp", NOON, NOON + timedelta(seconds=30), 5)
        outbox.intend(tx, [{**_effect(ids["1"], "K"), "payload": "newer"}])
        (effect,) = outbox.of_order(tx, ids["1"])
        assert (effect.state, effect.payload) == ("sending", "new"), "what may be on its way stays as it was sent"
        assert claimed.id == effect.id


def test_effect_is_claimed_by_one_of_many_workers(store: Store) -> None:
    with store.write() as tx:
        ids = orders.insert(tx, [_order(str(n)) for n in range(40)])
        outbox.intend(tx, [_effect(id_, f"K{id_}") for id_ in ids.values()])
    taken: list[int] = []

    def work() -> None:
        while True:
            with store.write() as tx:
                claimed = outbox.claim(tx, "erp", NOON, NOON + timedelta(seconds=30), 3)
            if not claimed:
                return
            taken.extend(effect.id for effect in claimed)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 40


def test_lock_is_held_by_one_and_freed_at_the_end(store: Store, ledger: str) -> None:
    other = open_store(ledger)
    with store.lock("lane:x") as won:
        assert won
        with other.lock("lane:x") as second:
            assert not second
        with other.lock("lane:y") as third:
            assert third
    with other.lock("lane:x") as after:
        assert after
    other.close()


def test_lock_is_one_however_a_file_is_reached(sqlite: Store, tmp_path: Path) -> None:
    link = tmp_path / "elsewhere" / "link.db"
    link.parent.mkdir()
    link.symlink_to(str(sqlite.engine.url.database))
    other = open_store(str(link))
    with sqlite.lock("lane:shop") as mine, other.lock("lane:shop") as second:
        assert mine is not None
        assert second is None
    other.close()


def test_process_that_is_silent_while_it_writes_holds_nobody_up(postgres_tables: str) -> None:
    """Paused, or cut off with its machine, it would keep every other worker from writing for as long as it is away."""
    silent, other = open_store(postgres_tables), open_store(postgres_tables)
    inside, over, failed = threading.Event(), threading.Event(), list[HubError]()

    def be_silent() -> None:
        try:
            with silent.leased(["factory"], holder="silent", ttl_s=1), silent.write() as tx:
                inside.set()
                over.wait(30)
                outbox.pending(tx, "factory")
        except TransientError as error:
            failed.append(error)

    thread = threading.Thread(target=be_silent)
    thread.start()
    assert inside.wait(30)
    began = time.monotonic()
    with other.write() as tx:
        known.set_cursor(tx, "factory", "x", None, NOON)
    assert time.monotonic() - began < SILENT_S
    over.set()
    thread.join()
    assert [error.code for error in failed] == ["database-failed"]
    with silent.write() as tx:  # and it goes on by itself
        assert known.cursor(tx, "factory", "x") == (None, NOON)
    for store in (silent, other):
        store.close()


def test_session_lets_go_of_a_silent_transaction_and_of_a_peer_that_is_gone(postgres_tables: str) -> None:
    store = open_store(f"{postgres_tables}&options=-c%20application_name%3Dhub")
    with store.read() as tx:
        told = {
            name: tx.exec_driver_sql(f"SHOW {name}").scalar()
            for name in ("idle_in_transaction_session_timeout", "application_name")
        }
        kept = tx.exec_driver_sql("SELECT reset_val FROM pg_settings WHERE name = 'tcp_keepalives_idle'").scalar()
    store.close()
    assert told == {"idle_in_transaction_session_timeout": "10s", "application_name": "hub"}
    assert kept == "20"


def test_newer_database_is_refused_with_the_way_back(database: str) -> None:
    opened = open_store(database)
    with opened.write() as tx:
        tx.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    opened.close()
    with pytest.raises(ConfigurationError, match="newer hub") as caught:
        open_store(database)
    assert caught.value.code == "database-newer"


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Store]:
    """A ledger on SQLite."""
    opened = open_store(str(tmp_path / "hub.db"), busy_s=1)
    yield opened
    opened.close()


def test_damaged_file_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "hub.db").write_bytes(b"This is no database. " * 400)
    with pytest.raises(HubError) as caught:
        open_store(str(tmp_path / "hub.db"))
    assert caught.value.code == "database-corrupt"
    assert "backup" in caught.value.do


def test_full_disk_is_told_and_loses_nothing(sqlite: Store) -> None:
    with sqlite.write() as tx:
        orders.insert(tx, [_order("1")])
    with sqlite.read() as tx:
        pages = tx.exec_driver_sql("PRAGMA page_count").scalar_one()
    with sqlite.engine.connect() as raw:
        raw.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(HubError) as caught, sqlite.write() as tx:
        orders.insert(tx, [{**_order(f"a{n}"), "document": "x" * 4000} for n in range(50)])
    assert caught.value.code == "disk-full"
    with sqlite.read() as tx:
        assert set(orders.by_refs(tx, "shop", ["1", "a0"])) == {"1"}


@pytest.mark.parametrize(("free", "code"), [(0, "disk-full"), (10**9, "disk-failed")])
def test_failing_disk_is_called_full_only_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, code: str
) -> None:
    """SQLite says "disk I/O error" of both."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 0, free))  # type: ignore[attr-defined]
    error = sa.exc.OperationalError(None, None, sqlite3.OperationalError("disk I/O error"))
    assert explain(error, str(tmp_path / "hub.db")).code == code


def test_locked_database_is_told(sqlite: Store) -> None:
    with sqlite.write():
        holder = open_store(str(sqlite.engine.url.database), busy_s=1)
        with pytest.raises(HubError) as caught, holder.write():
            pass
        holder.close()
    assert caught.value.code == "database-locked"


def test_unknown_kind_of_database_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="database-url"):
        open_store("nonsense://x")


SECRET = "s3cretPW"


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (f"postgresql://hub@/hub?host=/run/pg&password={SECRET}", "postgresql:///run/pg/hub"),
        (f"postgresql://hub:{SECRET}@db:5433/hub?sslpassword={SECRET}", "postgresql://db:5433/hub"),
        (f"postgres://hub:{SECRET}%40x@db/hub", "postgresql://db/hub"),
        (f"postgresql:///?dbname=hub&host=a&host=b&password={SECRET}", "postgresql://a,b/hub"),
        (f"postgresql://hub%40azure:{SECRET}@db/hub", "postgresql://db/hub"),
    ],
)
def test_database_is_named_by_host_port_and_name_alone(address: str, name: str) -> None:
    """The name is logged and stands in errors; libpq takes a password from the query too."""
    assert parse(address)[1] == name


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://hub:p@{SECRET}/w#rd@db/hub", f"postgresql://hub:p@x:{SECRET}@db/hub",
        f"postgresql://hub:p@x?{SECRET}@db/hub", f"postgresql://hub:pa:{SECRET}@[::1", f"p q://{SECRET}",
    ],
)  # fmt: skip
def test_address_that_cannot_be_read_is_refused_without_a_word_of_it(address: str) -> None:
    with pytest.raises(ConfigurationError, match="database-url") as caught:
        open_store(address)
    assert SECRET not in str(caught.value)
