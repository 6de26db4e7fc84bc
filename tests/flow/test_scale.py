"""What the hub asks of a large ledger is answered by indexes: the plans of both databases say so, and the work done."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bench import idle
from bench.ledger import Size, fill
from hub.daemon import figures
from hub.engine import demand, review
from hub.engine.proving import prove_now
from hub.engine.sellable import sources
from hub.engine.world import World
from hub.store import Store
from hub.store import stock as ledger
from hub.store.orders import open_before
from hub.store.tables import metadata
from tests.flow.conftest import SiteMaker
from tests.flow.stock_site import list_products
from tests.flow.test_returns import send_back
from tests.flow.test_shipments import ship
from tests.site import HOUR, NOON, Site

DAY = 24 * HOUR
LARGE = {"orders", "sales_orders", "outbox", "timeline", "variants", "levels", "stock", "fulfillments", "packages"}
WHOLE = {"connection", "erp", "target", "target, kind"}  # all of a Connection: as bad as all where it has the most
ROUTE = """\
  - name: us
    channel: shop
    erp: factory
    orders: {start: 2026-03-01}
    returns: {enabled: true}
    products: {publish: draft, update: true, skus: ["TEE"]}
"""
EXCEPTIONS = (
    # What a statement holds; why it may go through a whole table, or all of a Connection.
    (r"SELECT max\(timeline.id\) AS max_1 FROM timeline$", "one end of the primary key"),
    (r"FROM orders ORDER BY orders.id DESC LIMIT", "ends after as many rows as are shown"),
    (r"count\(\*\) AS count_1 FROM orders GROUP BY", "counts for a person or for metrics, which keep them for a while"),
    (r"FROM variants WHERE variants.connection = \S+ AND variants.gone", "the whole catalogue, where it changed"),
    (r"FROM stock WHERE stock.connection = \S+( AND stock.retry_at\b.*)?$", "the whole stock, where it changed"),
    (r"FROM levels WHERE levels.connection = \S+ AND levels.location_ref IN", "the whole stock, where it changed"),
)
Asked = dict[str, Any]  # statement -> its parameters, one set of them


@contextmanager
def _asked(store: Store) -> Iterator[Asked]:
    """Collect what is asked of a database."""
    found: Asked = {}

    def told(_c: object, _u: object, statement: str, parameters: Any, _x: object, many: bool) -> None:
        if statement.split(" ", 1)[0] in ("SELECT", "UPDATE", "DELETE"):
            found.setdefault(" ".join(statement.split()), parameters[0] if many else parameters)

    sa.event.listen(store.engine, "before_cursor_execute", told)
    try:
        yield found
    finally:
        sa.event.remove(store.engine, "before_cursor_execute", told)


def _live(site: Site) -> Asked:
    """Have all happen to orders that can, and a person look; return what was asked of the database."""
    found: Asked = {}

    def later(seconds: float) -> None:
        site.advance(seconds)
        world = site.open()
        with _asked(world.store) as asked, _noted(world):
            assert not site.sync(again=True).errors
        found.update(asked)

    list_products(site, "MUG", "TEA", stock=40)
    mug = [{"sku": "MUG", "price": "20.00", "quantity": 2}]
    refs = site.orders_made(lines=mug, count=5)
    site.order(lines=[{"sku": "NOWHERE", "price": "20.00"}])
    site.order(lines=mug, paid_time=None)
    later(1)
    later(2 * HOUR)
    ship(site, refs[0])
    site.act(refs[1], "cancel")
    site.act(refs[2], "cancel_line", sku="MUG", quantity=1)
    site.act(refs[3], "request_cancel")
    later(HOUR)
    send_back(site, refs[0])
    later(DAY + HOUR)
    later(HOUR)
    assert site.world is not None
    with _asked(site.world.store) as asked:
        _look(site.world, refs[0])
    return found | asked


def _look(world: World, ref: str) -> None:
    assert review.review(world.store, ref).brief.ref == ref
    assert review.listing(world.store, "placed", 20)
    assert review.listing(world.store, None, 20)
    review.counts(world.store)
    figures.read(world)
    shop, erp = (world.connected[id_] for id_ in ("shop", "factory"))
    since = world.clock.now() - timedelta(days=1)
    assert [prove_now(world, each, since).is_whole for each in (shop, erp)] == [True, True]


@contextmanager
def _noted(world: World) -> Iterator[None]:
    """See in every transaction that the ledger notes something wherever orders take other stock than before."""
    seen: dict[Any, Any] = {}
    silent: list[Any] = []

    def compare(connection: sa.Connection) -> None:
        if connection.get_execution_options().get("writes"):
            oldest = ledger.readings(connection, "factory", sources(world, connection, "factory"))[0]
            taken = demand.rows_of(connection, world, "shop", "factory", oldest)
            if seen.setdefault(demand.noted(connection, "factory", oldest), taken) != taken:
                silent.append(taken)

    sa.event.listen(world.store.engine, "commit", compare)
    try:
        yield
    finally:
        sa.event.remove(world.store.engine, "commit", compare)
    assert silent == []


def _sqlite_faults(store: Store, asked: Asked) -> list[str]:
    faults = []
    with store.read() as tx:
        for statement, parameters in asked.items():
            for *_, step in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters):
                found = re.match(r"(SCAN|SEARCH) (\w+)", step)
                if found and found[2] in LARGE:
                    keys = re.findall(r"(\w+)(?:=|<|>)", step.partition("(")[2])
                    if ", ".join(keys) in WHOLE or not keys:
                        faults.append(f"{step}: {statement}")
    return faults


def _postgres_faults(store: Store, asked: Asked) -> list[str]:
    def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield node
        for below in node.get("Plans", ()):
            yield from nodes(below)

    faults = []
    with store.engine.connect() as tx:
        tx.exec_driver_sql("ANALYZE")
        for statement, parameters in asked.items():
            (plan,) = tx.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
            for node in nodes(plan["Plan"]):
                named = node.get("Relation Name") or node.get("Index Name", "")
                keys = re.findall(r"\(?(\w+) (?:=|<|>|IS)", node.get("Index Cond", "").replace('"', ""))
                is_read = "Scan" in node["Node Type"] and not node["Node Type"].startswith("Bitmap Heap")
                if is_read and named.split("_")[0] in LARGE and (", ".join(keys) in WHOLE or not keys):
                    faults.append(f"{node['Node Type']} {named} {keys}: {statement}")
    return faults


def test_every_statement_of_a_hubs_life_is_answered_by_an_index(make_site: SiteMaker, database: str) -> None:
    site = make_site(routes=ROUTE, database=database)
    asked = _live(site)
    assert site.world is not None
    store = site.world.store
    with store.write() as tx:
        for table in reversed(metadata.sorted_tables):
            tx.execute(table.delete())
    fill(store, Size(20_000, 2_000), datetime.fromtimestamp(NOON, UTC), ("shop", "factory", "us"))
    faults = (_postgres_faults if store.is_shared else _sqlite_faults)(store, asked)
    unknown = [fault for fault in faults if not any(re.search(known, fault) for known, _ in EXCEPTIONS)]
    assert len(asked) > 100
    assert not unknown, "\n\n".join(unknown)


@pytest.mark.parametrize("connection", ["shop", "factory"])
def test_visit_with_nothing_to_do_costs_the_database_no_more_with_many_orders(
    make_site: SiteMaker, connection: str
) -> None:
    costs = []
    for orders in (0, 10_000):
        site = make_site(routes=ROUTE)
        world, clock = _at_rest(site, orders)
        costs.append(idle.visits(world, clock, site.advance, steps=20)[connection])
    empty, full = costs
    assert full.statements <= 1.1 * empty.statements
    assert full.steps <= 1.35 * empty.steps


def test_looking_for_orders_long_unread_passes_over_the_others(make_site: SiteMaker) -> None:
    site = make_site(routes=ROUTE)
    world, clock = _at_rest(site, 10_000)
    steps = []
    with world.store.read() as tx:
        assert open_before(tx, "shop", clock.now() + timedelta(days=1), 200), "there are orders to pass over"
        raw = tx.connection.driver_connection
        raw.set_progress_handler(lambda: steps.append(1), 1)  # type: ignore[union-attr]
        assert open_before(tx, "shop", clock.now() - timedelta(days=1), 50) == []
        raw.set_progress_handler(None, 1)  # type: ignore[union-attr]
    assert len(steps) < 100


def _at_rest(site: Site, orders: int) -> tuple[World, idle.HandClock]:
    clock = idle.HandClock(float(NOON))
    world = site.open(clock)
    if orders:
        fill(world.store, Size(orders, orders // 10), clock.now(), ("shop", "factory", "us"))
    idle.in_use(world, clock.now())
    idle.settle(world)
    return world, clock
