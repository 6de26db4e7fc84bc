"""What the answers of both systems say of their limits is learned from real answers, and kept to."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from hub.contract import Budget
from hub.daemon.embedded import run
from hub.engine import place, pull, release
from hub.engine.progress import Progress
from hub.host.budget import Permit
from hub.host.clock import FOLLOW_EVERY_S, FollowedClock
from tests.flow.conftest import SiteMaker
from tests.flow.stock_site import UPDATE, list_products, route
from tests.site import HOUR, NOON, Site
from tests.stepped import SteppedClock

LINES = [{"sku": "MUG", "price": "20.00"}]


def refused(site: Site, url: str) -> int:
    calls: list[dict[str, Any]] = site.sim(url, "journal", method="GET")["calls"]
    return sum(call["status"] == 429 for call in calls)


@pytest.mark.parametrize("unit", ["s", "ms"])
@pytest.mark.parametrize("window", ["fixed", "sliding"])
def test_calls_of_another_tool_are_learned_from_what_remains(site: Site, unit: str, window: str) -> None:
    """K-04 to K-06: the reset may be told in seconds or in milliseconds. 35 of 60 calls are gone."""
    options = {"rate_limit": "60", "rate_window": window, "ratelimit_reset_unit": unit}
    site.katana_sim("options", options)
    file = site.folder / "routes.yaml"
    file.write_text(file.read_text().replace("requests_per_minute: 6000", "requests_per_minute: 60"))
    site.orders_made(count=45, lines=LINES, create_time=NOON - 2 * HOUR)
    headers = {"Authorization": f"Bearer {site.environ()['API_KEY']}"}
    for _ in range(35):
        assert site.http.get(f"{site.katana.url}/v1/locations", headers=headers).status_code == 200
    stop = threading.Event()
    world = site.open(time=SteppedClock(site, stop, end_s=300))
    run(world, Progress(), stop)
    assert site.fates() == {"placed": 45}
    assert refused(site, site.katana.url) == 0


def test_channel_that_bears_less_than_was_set_is_asked_less(make_site: SiteMaker) -> None:
    """T-40, T-123: nothing tells how many calls are left. One refusal closes the endpoint for as long as it says and
    halves its calls; other endpoints go on. Without that, every other call of 24 would be refused.
    """
    site = make_site(routes=route())
    file = site.folder / "routes.yaml"
    file.write_text(file.read_text().replace("writes_per_second: 50", "writes_per_second: 8"))
    list_products(site, *(f"SKU-{n}" for n in range(24)))
    site.seed_variants({f"SKU-{n}": 40 for n in range(24)})
    site.tiktok_sim("options", {"rate_limit": "5"})
    site.both("clock", {"rate": 1})  # the simulator counts on the clock that passes
    site.sync()
    assert site.calls("tiktok")[UPDATE] >= 24
    assert 1 <= refused(site, site.tiktok.url) <= 3
    assert site.world is not None
    (budget,) = [each for each in site.world.costs.budgets_of("shop") if each.key.endswith(UPDATE)]
    assert isinstance(budget, Budget)
    assert budget.calls == 8


def test_order_that_waits_for_the_budget_keeps_its_place(site: Site) -> None:
    """A batch holds more than the budget lets out in time; what is left of it goes before what was released later."""
    file = site.folder / "routes.yaml"
    file.write_text(file.read_text().replace("requests_per_minute: 6000", "requests_per_minute: 60"))
    site.order(lines=LINES, create_time=NOON - 2 * HOUR)
    site.sync()
    world = site.world
    assert world is not None
    shop, factory = world.connected["shop"], world.connected["factory"]
    site.orders_made(count=place.BATCH + 20, lines=LINES, create_time=NOON - 60)
    site.advance(2 * HOUR)
    time.sleep(FOLLOW_EVERY_S + 0.05)
    pull.pull_orders(world, shop)
    release.release(world, shop)
    (budget,) = world.costs.budgets_of("factory")
    for _ in range(61):  # from then on there is room for a call a second
        site.advance(1)
        assert isinstance(world.clock, FollowedClock)
        world.clock._asked = float("-inf")
        if isinstance(got := world.budgets.take(budget), Permit):
            world.budgets.answered(got)
    site.both("clock", {"rate": 10})
    for _ in range(60):
        place.place(world, factory)
        if len(site.sales_orders()) > 12:
            break
        time.sleep(0.02)
    made = sorted(int(one["order_no"][-3:]) for one in site.sales_orders())
    assert made == list(range(1, len(made) + 1))
