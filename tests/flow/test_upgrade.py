"""Databases of earlier versions (tests/data): brought forward, and gone on with as if nothing had been."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hub.contract import ConfigurationError
from hub.engine import hand
from hub.store import SCHEMA_VERSION, Store, open_store
from hub.store.forward import bring_forward
from hub.store.tables import authorisations
from hub.store.upgrade import upgrade
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
        "shipped": site.order(lines=[{"sku": "TEE", "price": "15.00"}]),
        "cancelled": site.order(),
        "by-hand": site.order(),
        "blocked": site.order(lines=[{"sku": "HAT", "price": "9.00"}]),
    }
    site.act(refs["cancelled"], "cancel")
    site.sync()
    assert site.world is not None
    hand.hold(site.world.store, refs["by-hand"], site.world.clock.now())
    site.advance(HOUR)
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
    assert {name: site.fate(ref)[0] for name, ref in refs.items()} == {
        "placed": "placed", "shipped": "fulfilled", "cancelled": "cancelled", "by-hand": "held", "blocked": "placed",
        "unknown": "placed", "held": "placed",
    }  # fmt: skip
    assert site.fate(refs["by-hand"]) == ("held", "by-hand")
    assert sum(n for call, n in site.calls("tiktok").items() if call.startswith("POST /fulfillment")) == told


def test_every_released_schema_has_its_old_database() -> None:
    assert [file.stem.removeprefix("schema-") for file in sorted(DATA.glob("schema-*.sql"))] == [
        f"{n:04}" for n in range(1, int(SCHEMA_VERSION))
    ]
