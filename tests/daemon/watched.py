"""A site at work whose daemon is watched: real calls, real visits, and the HTTP side that tells of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from hub.daemon.metrics import Metrics
from hub.daemon.web import serve_web
from hub.engine.lane import visit
from hub.engine.progress import Progress
from hub.engine.world import World
from tests.site import HOUR, Site

ROUTE = """\
  - name: us
    channel: shop
    erp: factory
    orders: {start: 2026-03-01}
    inventory: {buffer: {units: 2}}
"""
SKUS, TRACKING = ("MUG", "TEE", "TOP-HAT-XL"), "1Z999AA10123456784"
BUYER = {"name": "Wilhelmina Quackenbush", "address_line1": "742 Evergreen Terrace", "phone_number": "+15550142233"}


def busy(site: Site) -> dict[str, str]:
    """Have buyers order what may go, what the ERP lacks, and what is cancelled; by what becomes of it."""
    mug = [{"sku": "MUG", "quantity": 2, "price": "20.00"}]
    refs = {
        "placed": site.order(lines=mug, address=BUYER),
        "shipped": site.order(lines=[{"sku": "TEE", "price": "15.00"}]),
        "cancelled": site.order(lines=mug),
        "blocked": site.order(lines=[{"sku": "TOP-HAT-XL", "price": "9.00"}]),
    }
    site.act(refs["cancelled"], "cancel")
    return refs


def work(site: Site, world: World, refs: dict[str, str]) -> None:
    """Go over the lanes until the orders stand where they shall."""
    go_round(world)
    site.advance(HOUR + 60)
    for _ in range(20):  # on a slow machine a call may take too long, and its Connection rests for a while
        go_round(world)
        if site.fates().get("placed") == 2:
            break
        site.advance(60)
    body = {"tracking_carrier": "UPS", "tracking_number": TRACKING}
    site.katana_sim("do/ship", {"order_no": f"TT-{refs['shipped']}", **body})
    for _ in range(2):
        site.advance(HOUR)
        go_round(world)


def go_round(world: World) -> None:
    """Visit both lanes until nothing more is due at once."""
    stop = threading.Event()
    for _ in range(8):
        for id_ in ("shop", "factory"):
            visit(world, Progress(), stop, id_)


def private(site: Site, world: World, refs: dict[str, str]) -> list[str]:
    """Return what may be told to nobody: ids of orders on both sides, SKUs, parcels, buyers, keys and tokens."""
    given = [
        text for text in map(str, {**site.tiktok.settings(), **site.katana.settings()}.values()) if "://" not in text
    ]
    made = [str(row[name]) for row in site.sales_orders() for name in ("order_no", "id")]
    token = world.connected["shop"].authorisation.access_token()
    return [*given, *made, token, *refs.values(), *BUYER.values(), *SKUS, TRACKING]


@contextmanager
def watched(world: World, metrics: Metrics) -> Iterator[httpx.Client]:
    """Open the HTTP side of a World, and a client to it."""
    with (
        serve_web(lambda: world, "127.0.0.1:0", lambda id_: None, metrics) as (host, port),
        httpx.Client(base_url=f"http://{host}:{port}", timeout=30) as http,
    ):
        yield http
