"""Calls that are not urgent take turns: a sweep, a look-up of many SKUs, hold no order up."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest

from hub.daemon.embedded import run
from hub.engine import turns
from hub.engine.progress import Progress
from hub.engine.sync import sync
from hub.engine.world import World
from hub.host.budget import Budgets, Permit
from hub.host.work import is_urgent, unhurried
from hub.store.budgets import StoredLedger, window_of
from tests.flow.conftest import SiteMaker
from tests.flow.stock_site import INVENTORY, list_products, route, sells
from tests.site import HOUR, NOON, Site
from tests.stepped import SteppedClock

VARIANTS = "GET /v1/variants"
LINES = [{"sku": "SKU-0", "price": "20.00"}]


def narrow(site: Site, calls: int = 60) -> None:
    site.katana_sim("options", {"rate_limit": str(calls), "rate_window": "sliding"})
    file = site.folder / "routes.yaml"
    file.write_text(file.read_text().replace("requests_per_minute: 6000", f"requests_per_minute: {calls}"))


@pytest.fixture
def world(site: Site) -> World:
    """A hub that has made one call to its ERP, on a clock that only waiting moves."""
    narrow(site)
    site.order(create_time=NOON - 2 * HOUR)
    opened = site.open(time=SteppedClock(site, threading.Event(), end_s=1e6))
    sync(opened, Progress(), threading.Event())
    return opened


def use_up(world: World, leave: int) -> None:
    """Have another process take all of the ERP's minute but some calls."""
    (budget,) = [each for each in world.costs.budgets_of("factory") if each.per_s > turns.LONG_S]
    other = Budgets(world.clock, StoredLedger(world.store))
    with world.store.read() as tx:
        at = world.clock.now().timestamp() * 1000
        taken = sum(calls for _, until, calls in window_of(tx, budget.key)[0] if until > at)
    for _ in range(budget.calls - leave - taken):
        permit = other.take(budget)
        assert isinstance(permit, Permit)
        other.answered(permit)


def test_turn_comes_while_three_quarters_are_not_used_up(world: World) -> None:
    shop, factory = world.connected["shop"], world.connected["factory"]
    with unhurried(), turns.turn(world, shop, factory) as may_go:
        assert may_go
        assert is_urgent(), "its lane waits for it"
    use_up(world, 15)
    with turns.turn(world, shop, factory) as may_go:
        assert not may_go
    again = turns.next_turn(world, "shop", world.clock.now())
    assert again is not None
    assert timedelta() < again - world.clock.now() <= timedelta(seconds=61)


def test_what_waited_for_a_whole_window_goes_like_an_urgent_call(world: World) -> None:
    """Others leave ten calls a minute for ever: nothing that is not urgent would ever go."""
    factory, went = world.connected["factory"], []
    for _ in range(8):
        use_up(world, 10)
        with turns.turn(world, factory, factory) as may_go:
            went.append(may_go)
        world.clock.wait(20)
    assert went == [False, False, False, False, True, False, False, False]


def test_sweep_of_many_pages_holds_no_order_up(make_site: SiteMaker) -> None:
    """600 variants of 30 a page, 60 calls a minute, an order every other second: all are placed as they come."""
    skus = {f"SKU-{n}": 40 for n in range(600)}
    site = make_site(routes=route(), skus=skus)
    narrow(site)
    file = site.folder / "routes.yaml"
    file.write_text(file.read_text().replace("requests_per_minute: 60", "requests_per_minute: 60, page_size: 30"))
    list_products(site, "SKU-0", stock=1)
    for n in range(60):
        site.order(lines=LINES, create_time=NOON - HOUR + 2 * n)
    ends = {order["id"]: order["paid_time"] + HOUR for order in site.tiktok_sim("state", method="GET")["orders"]}
    stop = threading.Event()
    world = site.open(time=SteppedClock(site, stop, end_s=240))
    run(world, Progress(), stop)
    assert site.calls("katana")[INVENTORY] >= 20
    assert sells(site, "SKU-0") < 40
    made = {row["order_no"].removeprefix("TT-"): row["created_at"] for row in site.sales_orders()}
    late = [datetime.fromisoformat(made[ref]).timestamp() - end for ref, end in ends.items()]
    assert max(late) <= 60, late
