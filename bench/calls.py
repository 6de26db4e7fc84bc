"""What stock, shipments and a quiet hour cost in calls, counted by the simulators."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import ceil
from pathlib import Path

from hub.daemon.embedded import run
from hub.engine.progress import Progress
from tests.flow.stock_site import INVENTORY, SEARCH, UPDATE, in_erp, later, list_products, route, work
from tests.site import HOUR, NOON, Site
from tests.stepped import SteppedClock

ROWS, PAGE, READS = 1000, 250, 50  # variants at one location; rows of an ERP page; orders of a channel's read by id
ORDERS_S, FULFILLMENTS_S, SWEEP_S = 60, 300, 3600
DETAIL, PARCEL = "GET /order/202507/orders", "POST /fulfillment/202309/orders/{order_id}/packages"


@contextmanager
def _site(routes: str, skus: Mapping[str, int]) -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder), str(Path(folder) / "hub.db"), routes=routes, skus=skus)
        try:
            yield site
        finally:
            site.close()


def _since(site: Site, simulator: str, before: Mapping[str, int]) -> dict[str, int]:
    now = site.calls(simulator)
    return {call: n - before.get(call, 0) for call, n in now.items() if n != before.get(call, 0)}


def many(rows: int) -> dict[str, int]:
    """Return so many SKUs with their stock."""
    return {f"SKU-{n:04}": 40 for n in range(rows)}


def measure_stock(rows: int = ROWS, changed: int = 20) -> dict[str, float]:
    """Return what a sweep of one location, a change and no change cost; raise where a level did not arrive."""
    with _site(route(), many(rows)) as site:
        site.both("clock", {"rate": 1})  # calls are budgeted per second of this clock
        list_products(site, *many(rows), stock=40)
        work(site)
        before = {name: site.calls(name) for name in ("tiktok", "katana")}
        later(site, SWEEP_S + 1)
        still = {name: _since(site, name, before[name]) for name in before}
        before = {name: site.calls(name) for name in ("tiktok", "katana")}
        for sku in list(many(rows))[:changed]:
            in_erp(site, sku, change=-3)
        later(site, SWEEP_S + 1)
        made = _since(site, "tiktok", before["tiktok"])
        sold = {each["warehouses"][place]["available"] for each in site.tiktok_sim("state", method="GET")[
            "stock"].values() for place in each["warehouses"]}  # fmt: skip
    if sold != {40, 37}:
        raise RuntimeError(f"the channel sells {sorted(sold)}")
    return {
        # Against: 1; the calls of one full sweep for each 250 rows of one mapped location.
        "stock.katana_calls_per_250_variants": still["katana"][INVENTORY] / ceil(rows / PAGE),
        # Against: 1; writes for each product (of one SKU) whose level changed.
        "stock.tiktok_calls_per_changed_product": made[UPDATE] / changed,
        # Against: 0; writes and reads of stock in a reconciliation that found nothing changed.
        "stock.tiktok_calls_when_nothing_changed": still["tiktok"].get(UPDATE, 0) + still["tiktok"].get(SEARCH, 0),
    }


SHIPPING = """\
  - name: us
    channel: shop
    erp: factory
    orders: {start: 2026-03-01}
    inventory: {enabled: false}
"""


def measure_parcels(orders: int = 60, parcels: int = 3) -> dict[str, float]:
    """Return what telling the channel of seller-shipped parcels costs; raise where a parcel did not arrive."""
    with _site(SHIPPING, {"MUG": 10_000}) as site:
        site.both("clock", {"rate": 1})
        lines = [{"sku": "MUG", "price": "20.00", "quantity": parcels}]
        refs = site.orders_made(lines=lines, create_time=NOON - 60, count=orders)
        site.sync()
        site.advance(HOUR)
        site.sync()
        for n, ref in enumerate(refs):
            for k in range(parcels):
                number = f"1Z999AA1{n:04}{k:04}"
                body = {"tracking_carrier": "UPS", "tracking_number": number, "quantities": {"MUG": 1}}
                site.katana_sim("do/ship", {"order_no": f"TT-{ref}", **body})
        before = site.calls("tiktok")
        site.advance(FULFILLMENTS_S + 1)
        site.sync()
        made = _since(site, "tiktok", before)
        state = site.tiktok_sim("state", method="GET")
    told = {line.get("tracking_number") for order in state["orders"] for line in order["lines"]}
    if len(told) != orders * parcels:
        raise RuntimeError(f"{len(told)} parcels arrived of {orders * parcels}")
    if made[DETAIL] > ceil(orders / READS):
        raise RuntimeError(f"{made[DETAIL]} reads before shipping {orders} orders")
    # Against: 1 and a read for each 50 orders, which is named beside it.
    return {
        "fulfillments.tiktok_calls_per_parcel": made[PARCEL] / (orders * parcels),
        "fulfillments.tiktok_reads_per_50_orders": made[DETAIL] / ceil(orders / READS),
    }


QUIET = """\
  - name: us
    channel: shop
    erp: factory
    orders: {start: 2026-03-01}
"""


def quiet_hour(rows: int = ROWS, orders: int = 101) -> dict[str, dict[str, int]]:
    """Run the daemon's loop until all is told and settled, then an hour in which nothing happens; return its calls.

    Time passes only while the daemon sleeps. It was busy before: both catalogues are new, more orders came at once than
    one page holds, and lie open now; one buyer has not paid.
    """
    with _site(QUIET, many(rows)) as site:
        list_products(site, *many(rows), stock=40)
        lines = [{"sku": "SKU-0001", "price": "20.00"}]
        site.orders_made(lines=lines, create_time=NOON - 60, count=orders)
        site.order(lines=lines, paid_time=None)
        world, stop = site.open(), threading.Event()
        counted: list[dict[str, dict[str, int]]] = []
        begin = 1.3 * HOUR + 45  # the orders are placed, and read back as such; between two polls

        def between(passed_s: float) -> None:
            if (len(counted) == 0 and passed_s >= begin) or (len(counted) == 1 and passed_s >= begin + HOUR):
                counted.append({name: site.calls(name) for name in ("katana", "tiktok")})

        world.clock = SteppedClock(site, stop, begin + HOUR, between)
        for session in world.sessions:
            session._clock = world.clock
        run(world, Progress(), stop)
        first, last = counted
    return {
        name: {call: n - first[name].get(call, 0) for call, n in calls.items() if n != first[name].get(call, 0)}
        for name, calls in last.items()
    }


def measure_quiet() -> dict[str, float]:
    """Return the calls of a quiet hour to each side."""
    made = quiet_hour()
    # Against: 3600/300 polls of shipments + ceil(1000/250) of a sweep = 16, times at most 1.1.
    # Against: 60 searches of orders and 60 of cancellations = 120, times at most 1.1.
    return {f"quiet_hour.{name}_calls": sum(calls.values()) for name, calls in made.items()}
