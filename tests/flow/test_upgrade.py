"""Databases of earlier versions (tests/data): brought forward, and gone on with as if nothing had been."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from hub.contract import ConfigurationError, HubError
from hub.engine import hand
from hub.store import SCHEMA_VERSION, LaneLostError, Store, leases, open_store, schema_version
from hub.store.forward import Moved, bring_forward
from hub.store.tables import authorisations, metadata
from hub.store.upgrade import upgrade
from tests.daemon.conftest import until
from tests.flow.conftest import SiteMaker
from tests.site import HOUR, NOON, Site

DATA = Path(__file__).parents[1] / "data"
VERSIONS = ("0001", "0002")
ROUTE = """\
  - name: us
    channel: shop
    erp: factory
    orders: {start: 2026-03-01}
    inventory: {enabled: false}
"""


def story(site: Site) -> dict[str, str]:
    """Have happen what the dumps know of, to both systems; the hub that saw it is not the one that goes on."""
    tea = [{"sku": "TEA", "price": "7.00"}]
    refs = {
        "placed": site.order(lines=[{"sku": "MUG", "quantity": 2, "price": "20.00"}]),
        "shipped": site.order(lines=[{"sku": "TEE", "price": "15.00"}], create_time=NOON - 10),
        "cancelled": site.order(),
        "by-hand": site.order(),
        "blocked": site.order(lines=[{"sku": "HAT", "price": "9.00"}]),
    }
    site.act(refs["cancelled"], "cancel")
    site.sync()
    assert site.world is not None
    hand.hold(site.world.store, refs["by-hand"], site.world.clock.now())
    for seconds in (HOUR - 30, 30):  # one after the other, so that the ERP gives them the ids that the dumps know
        site.advance(seconds)
        site.sync()
    body = {"tracking_carrier": "UPS", "tracking_number": "1Z999AA10123456784"}
    site.katana_sim("do/ship", {"order_no": f"TT-{refs['shipped']}", **body})
    site.advance(301)
    site.sync()
    refs["unknown"] = site.order(lines=tea, create_time=NOON + HOUR)
    site.advance(HOUR)
    refs["held"] = site.order(lines=tea, create_time=NOON + 7000)
    site.sync()
    site.close_hub()
    return refs


def loaded(version: str, folder: Path) -> Path:
    file = folder / f"{version}.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript((DATA / f"schema-{version}.sql").read_text())
    return file


def into_postgres(file: Path, url: str, version: str) -> None:
    """Make the tables of a version, and put a SQLite ledger's rows into them."""
    source, target = sa.create_engine(f"sqlite:///{file}"), open_store(url, as_it_is=True)
    tables = sa.MetaData()
    tables.reflect(source)
    with source.connect() as reading, target.write() as tx:
        upgrade(tx, version)
        for table in tables.sorted_tables:
            rows = [dict(row) for row in reading.execute(sa.select(table)).mappings()]
            if rows and table.name != "alembic_version":
                tx.execute(sa.insert(table), rows)
            if "id" in table.columns and isinstance(table.c.id.type, sa.Integer):
                sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
                tx.exec_driver_sql(f"SELECT setval({sequence}, greatest(max(id), 1)) FROM {table.name}")
    source.dispose()
    target.close()


def rows_of(store: Store) -> dict[str, list[Any]]:
    """Return every row of every table but the version's, by the columns that it has."""
    tables = sa.MetaData()
    with store.read() as tx:
        tables.reflect(tx)
        found = {
            table.name: [dict(row) for row in tx.execute(sa.select(table)).mappings()]
            for table in tables.tables.values()
        }
    found.pop("alembic_version")
    return found


def adapt(store: Store, site: Site) -> None:
    """Give the ledger what today's systems gave out instead: the sales orders' ids, the tokens."""
    todays = open_store(site.database)
    with todays.read() as tx:
        tokens = [dict(row) for row in tx.execute(sa.select(authorisations)).mappings()]
    todays.close()
    with store.write() as tx:
        for made in site.sales_orders():
            where = {"number": made["order_no"], "ref": f"old-{made['id']}"}
            tx.execute(sa.text("UPDATE sales_orders SET ref = :ref WHERE number = :number"), where)
        tx.execute(sa.text("UPDATE sales_orders SET ref = replace(ref, 'old-', '')"))
        tx.execute(sa.delete(authorisations))
        tx.execute(sa.insert(authorisations), tokens)


@pytest.fixture
def old(request: pytest.FixtureRequest, tmp_path: Path, version: str, kind: str) -> str:
    """The URL of a database of an earlier version."""
    file = loaded(version, tmp_path)
    if kind == "sqlite":
        return str(file)
    url: str = request.getfixturevalue("postgres_database")
    into_postgres(file, url, version)
    return url


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("version", VERSIONS)
def test_database_of_an_earlier_version_goes_on_where_it_was(make_site: SiteMaker, old: str, version: str) -> None:
    site = make_site(routes=ROUTE)
    refs = story(site)
    told = sum(n for call, n in site.calls("tiktok").items() if call.startswith("POST /fulfillment"))
    with pytest.raises(ConfigurationError) as caught:
        open_store(old)
    assert caught.value.code == "database-older"
    store = open_store(old, as_it_is=True)
    before = rows_of(store)
    moved = bring_forward(store)
    assert (moved.before, moved.after) == (version, SCHEMA_VERSION)
    after = rows_of(store)
    for name, rows in before.items():
        kept = [{key: row[key] for key in rows[0]} for row in after[name]] if rows else []
        assert kept == rows, f"rows of {name}"
    adapt(store, site)
    store.close()

    site.database = old
    site.both("clock", {"rate": 30})  # waiting for what the ERP shows of the unknown one
    site.seed_variants({"HAT": 10})
    site.sync()
    site.advance(HOUR)
    site.sync()
    numbers = sorted(row["order_no"] for row in site.sales_orders())
    assert numbers == sorted(f"TT-{refs[name]}" for name in ("placed", "shipped", "blocked", "unknown", "held"))
    assert site.row(refs["placed"]).reason is None
    assert {name: site.fate(ref)[0] for name, ref in refs.items()} == {
        "placed": "placed", "shipped": "fulfilled", "cancelled": "cancelled", "by-hand": "held", "blocked": "placed",
        "unknown": "placed", "held": "placed",
    }  # fmt: skip
    assert site.fate(refs["by-hand"]) == ("held", "by-hand")
    assert sum(n for call, n in site.calls("tiktok").items() if call.startswith("POST /fulfillment")) == told


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("version", ["0001"])
def test_upgrade_that_fails_in_the_middle_changes_nothing_and_goes_on_once_that_is_mended(old: str) -> None:
    """A table of the last migration is there already: by then every other has been made."""
    store = open_store(old, as_it_is=True)
    with store.write() as tx:
        tx.execute(sa.text("CREATE TABLE proofs (x INTEGER)"))
    before = rows_of(store)
    with pytest.raises(HubError, match="proofs"):
        bring_forward(store)
    assert (schema_version(store), rows_of(store)) == ("0001", before)
    with store.write() as tx:
        tx.execute(sa.text("DROP TABLE proofs"))
    assert bring_forward(store).after == SCHEMA_VERSION
    with store.read() as tx:
        assert compare_metadata(MigrationContext.configure(tx), metadata) == []
    store.close()
    open_store(old).close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("version", VERSIONS)
def test_again_does_nothing_and_a_newer_database_is_refused_with_the_way_back(old: str) -> None:
    store = open_store(old, as_it_is=True)
    bring_forward(store)
    rows = rows_of(store)
    assert bring_forward(store) == Moved(SCHEMA_VERSION, SCHEMA_VERSION)
    assert rows_of(store) == rows
    with store.write() as tx:
        tx.execute(sa.text("UPDATE alembic_version SET version_num = '0900'"))
    with pytest.raises(ConfigurationError, match="newer hub again, or restore the backup") as caught:
        bring_forward(store)
    assert caught.value.code == "database-newer"
    store.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_copy_from_before_is_whole_and_is_the_way_back(tmp_path: Path, version: str) -> None:
    file = loaded(version, tmp_path)
    store = open_store(str(file), as_it_is=True)
    before = rows_of(store)
    said: list[str] = []
    copy = bring_forward(store, tell=said.append).copy
    store.close()
    assert copy == tmp_path / f"{version}.db-before-{SCHEMA_VERSION}"
    assert str(copy) in said[0]
    assert copy.stat().st_mode & 0o777 == 0o600
    again = open_store(str(copy), as_it_is=True)
    assert (schema_version(again), rows_of(again)) == (version, before)
    again.close()

    copy.replace(file)  # back to before; and forward anew
    copy.write_text("of another day")
    store = open_store(str(file), as_it_is=True)
    assert bring_forward(store).copy == tmp_path / f"{version}.db-before-{SCHEMA_VERSION}-2"
    store.close()
    assert copy.read_text() == "of another day"


HOLD = """\
import sys
from hub.store import open_store
with open_store(sys.argv[1], as_it_is=True).lock("lane:shop") as won:
    print("held" if won else "busy", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("version", VERSIONS)
def test_upgrade_is_refused_while_a_hub_of_the_old_version_works(old: str, version: str) -> None:
    """Both versions made their lanes so: a lock of their own process."""
    with subprocess.Popen([sys.executable, "-c", HOLD, old], stdin=PIPE, stdout=PIPE, text=True) as hub:
        assert hub.stdout is not None
        assert hub.stdout.readline() == "held\n"
        store = open_store(old, as_it_is=True)
        before = rows_of(store)
        with pytest.raises(HubError, match="Stop every hub run") as caught:
            bring_forward(store)
        assert caught.value.code == "database-in-use"
        assert (schema_version(store), rows_of(store)) == (version, before)
        hub.kill()
    until(lambda: _is_free(store))
    store.close()


def _is_free(store: Store) -> bool:
    """Say whether the upgrade goes on; PostgreSQL takes a moment to see that a session's process died."""
    try:
        return bring_forward(store).after == SCHEMA_VERSION
    except HubError as error:
        if error.code != "database-in-use":
            raise
        return False


def test_whoever_held_a_lease_before_a_forced_upgrade_writes_nothing_after(postgres_database: str) -> None:
    """Also not once others took it: its epoch never comes again."""
    store = open_store(postgres_database)
    fence, _ = leases.take(store.engine, ["shop"], "old", 60, 0)
    with store.write() as tx:
        leases.end_all(tx)
    newer, busy = leases.take(store.engine, ["shop"], "new", 60, 0)
    assert busy == []
    with pytest.raises(LaneLostError), leases.within(fence), store.write():
        pass
    with leases.within(newer), store.write():
        pass
    store.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_old_database_has_rows_in_every_table(tmp_path: Path, version: str) -> None:
    store = open_store(str(loaded(version, tmp_path)), as_it_is=True)
    assert [name for name, rows in rows_of(store).items() if not rows] == []
    store.close()


def test_every_released_schema_has_its_old_database() -> None:
    assert [file.stem.removeprefix("schema-") for file in sorted(DATA.glob("schema-*.sql"))] == [
        f"{n:04}" for n in range(1, int(SCHEMA_VERSION))
    ]
