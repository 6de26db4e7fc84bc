"""From a delivery of either system to its effect on the other: real processes, deliveries by the simulators."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.contract import Hint, HintKind
from hub.engine import subscribe, wake
from hub.host.clock import FOLLOW_EVERY_S
from hub.store.tables import wakes
from tests.daemon.conftest import Start, short_lease, until
from tests.site import Site

ROUTE = """\
  - name: us
    channel: shop
    erp: factory
    orders: {start: 2026-03-01, hold: 0m}
    fulfillments: {}
    inventory: {}
"""
SOON_S = 40  # before any poll: they are an hour apart here


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A site that polls once an hour, whose simulators deliver webhooks to this machine."""
    folder = tmp_path / "site"
    folder.mkdir()
    on_file = request.param == "sqlite"
    database = str(folder / "hub.db") if on_file else request.getfixturevalue("postgres_database")
    made = Site(folder, database, routes=ROUTE)
    file = folder / "routes.yaml"
    file.write_text(file.read_text().replace("orders_every: 60s", "orders_every: 1h, fulfillments_every: 1h"))
    short_lease(made)
    made.both("clock", {"rate": 1})
    made.both("options", {"webhook_http": "on"})
    made.tiktok_sim("options", {"hold_s": 0})
    made.tiktok_sim("seed", {"products": [{"title": "MUG", "seller_sku": "MUG", "stock": 0}]})
    made.open()
    yield made
    made.close()


def listening() -> tuple[str, str]:
    """Return a free address of this machine, and its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    return address, f"http://{address}"


def register(site: Site, base: str) -> None:
    world = site.open()
    for id_ in ("shop", "factory"):
        subscribe.register(world, world.connected[id_], subscribe.url_at(base, id_))


def sells(site: Site) -> int:
    state = site.tiktok_sim("state", method="GET")
    (stock,) = state["stock"].values()
    return sum(int(place["available"]) for place in stock["warehouses"].values())


def status(site: Site, ref: str) -> str:
    orders = site.tiktok_sim("state", method="GET")["orders"]
    return str(next(order["status"] for order in orders if order["id"] == ref))


def test_what_happens_on_one_side_shows_on_the_other_long_before_any_poll(site: Site, start: Start) -> None:
    """With PostgreSQL by two workers, of which one receives; deliveries come twice and overtake each other."""
    site.tiktok_sim("options", {"webhook_duplicates": 0.5, "webhook_reorder": "on"})
    address, base = listening()
    register(site, base)
    workers = [start(site, "--listen", address)]
    if "postgresql" in site.database:
        workers.append(start(site))
    until(lambda: sells(site) == 100, SOON_S)
    (ref,) = site.orders_made(lines=[{"sku": "MUG", "price": "20.00"}])
    until(lambda: len(site.sales_orders()) == 1, SOON_S)
    site.both("clock", {"advance_s": 10})  # no echo of the hub's own sales order any more
    time.sleep(FOLLOW_EVERY_S + 0.1)  # the hub reckons on from the clock as it last saw it
    site.katana_sim("do/stock", {"sku": "MUG", "quantity": 10})
    until(lambda: sells(site) <= 10, SOON_S)
    number = {"tracking_carrier": "UPS", "tracking_number": "1Z999AA10123456784"}
    site.katana_sim("do/ship", {"order_no": f"TT-{ref}", **number})
    until(lambda: status(site, ref) == "AWAITING_COLLECTION", SOON_S)
    assert len(site.sales_orders()) == 1
    for worker in workers:
        assert worker.stop() == 0, worker.file.read_text()


def test_hint_that_was_noted_is_looked_at_although_the_process_was_killed(site: Site, start: Start) -> None:
    """Killed between the note and the look: whoever begins next looks."""
    worker = start(site)
    until(lambda: sells(site) == 100, SOON_S)
    worker.signal(signal.SIGKILL)
    worker.process.wait(10)
    (ref,) = site.orders_made(lines=[{"sku": "MUG", "price": "20.00"}])
    wake.note(site.open(), "shop", [Hint(kind=HintKind.ORDERS, ref=ref)])
    start(site)
    until(lambda: len(site.sales_orders()) == 1, SOON_S + 30)  # on PostgreSQL a dead worker's lease ends first
    until(lambda: _left(site) == 0)


def _left(site: Site) -> int:
    assert site.world is not None
    with site.world.store.read() as tx:
        return len(tx.execute(wakes.select()).all())
