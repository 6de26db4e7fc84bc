"""What the forecast says of queued work: it counts what waits, makes no call, and owns up to what it cannot know."""

from __future__ import annotations

import threading

import pytest

from hub.contract import TransientError
from hub.engine.forecast import Outlook, forecast
from hub.engine.lane import visit
from hub.engine.outcome import call, pause
from hub.engine.progress import Progress
from hub.engine.world import World
from hub.store.budgets import costs_of
from tests.flow.conftest import SiteMaker
from tests.flow.stock_site import list_products, route
from tests.site import HOUR, NOON, Site
from tests.stepped import writes_of


def narrow(site: Site) -> None:
    """Have Katana let 60 calls a minute through, as it does."""
    file = site.folder / "routes.yaml"
    file.write_text(file.read_text().replace("requests_per_minute: 6000", "requests_per_minute: 60"))


def outlook(world: World, connection: str, within_s: float = HOUR) -> Outlook:
    """Look ahead, and make sure that nobody noticed."""
    with writes_of(world.store) as writes:
        told = forecast(world, within_s)
    assert not writes
    return next(each for each in told.connections if each.connection == connection)


def waiting(told: Outlook) -> dict[str, tuple[int, int]]:
    return {load.work: (load.due, load.coming) for load in told.work}


def test_what_no_call_was_made_for_yet_is_not_known(site: Site) -> None:
    site.orders_made(count=3, lines=[{"sku": "MUG", "price": "20.00"}], create_time=NOON - 60)
    site.sync()
    world = site.open()
    told = outlook(world, "factory")
    assert waiting(told) == {"sales orders": (0, 3)}
    assert (told.limits, told.orders_in_s, told.drained_in_s) == ((), None, None)
    assert len(told.unknown) == 1
    assert "sales orders" in told.unknown[0]


def test_first_call_of_a_process_is_known_beside_it_at_once(site: Site) -> None:
    """Whatever it does next may wait for a whole window of its budget before it counts anything anew."""
    world = site.open()
    call(world, world.connected["factory"], "list_locations")
    told = outlook(world, "factory")
    assert [limit.calls for limit in told.limits] == [6000]


def test_orders_due_and_coming_are_counted_at_what_orders_took_lately(site: Site) -> None:
    """Sixty calls in 61 seconds: a hundred orders take two windows, and no call is made to say so."""
    narrow(site)
    site.order(create_time=NOON - 2 * HOUR)
    site.sync()
    site.orders_made(count=100, lines=[{"sku": "MUG", "price": "20.00"}], create_time=NOON - HOUR + 600)
    site.orders_made(count=7, lines=[{"sku": "MUG", "price": "20.00"}], create_time=NOON)
    site.sync()
    site.advance(700)
    world, calls = site.open(), (site.total_calls("tiktok"), site.total_calls("katana"))
    told = outlook(world, "factory")
    assert waiting(told) == {"sales orders": (100, 7)}
    (load,) = told.work
    assert load.calls is not None
    assert 107 <= load.calls <= 4 * 107, "an order took the calls that the first one took"
    assert not load.is_assumed
    (limit,) = told.limits
    assert (limit.calls, limit.per_s, limit.taken) == (60, 61.0, 0)
    assert told.orders_in_s == 61 * ((load.calls * 100 / 107 - 1) // 60)
    assert told.urgent_in_s == told.orders_in_s, "the others' hold has not ended by then"
    assert waiting(outlook(world, "factory", 60)) == {"sales orders": (100, 0)}
    assert (site.total_calls("tiktok"), site.total_calls("katana")) == calls


def test_connection_that_rests_begins_when_it_is_back(site: Site) -> None:
    site.order(create_time=NOON - 2 * HOUR)
    site.sync()
    site.order(create_time=NOON - HOUR + 600)
    site.sync()
    site.advance(700)
    world = site.open()
    error = TransientError("rate-limited", "too many", where="factory", do="Wait.", retry_after_s=200)
    pause(world, world.connected["factory"], error)
    told = outlook(world, "factory")
    assert told.resting_until is not None
    assert told.orders_in_s is not None
    assert 199 <= told.orders_in_s <= 260


def test_products_to_push_are_counted_and_give_way(make_site: SiteMaker) -> None:
    site = make_site(routes=route())
    list_products(site, "MUG", "TEE", stock=7)
    world = site.open()
    assert outlook(world, "shop").unknown, "the ERP's stock was never read"
    site.sync()
    told = outlook(site.open(), "shop")
    assert waiting(told) == {}
    assert (told.orders_in_s, told.urgent_in_s, told.drained_in_s) == (0, 0, 0)
    site.advance(HOUR + 1)
    told = outlook(site.open(), "factory")
    assert waiting(told) == {"locations to sweep": (1, 0)}
    (load,) = told.work
    assert (load.calls, load.is_urgent, load.is_assumed) == (1, False, False)


def test_polls_are_told_besides(site: Site) -> None:
    site.order(create_time=NOON - 2 * HOUR)
    site.sync()
    told = outlook(site.open(), "shop")
    assert 60 <= told.background_per_hour <= 240, "orders and cancellations, each minute"


def test_what_was_not_let_out_says_nothing_of_what_an_order_takes(site: Site) -> None:
    """A backlog claims more than the budget lets out in time; what goes back was no order placed."""
    narrow(site)
    site.orders_made(count=90, lines=[{"sku": "MUG", "price": "20.00"}], create_time=NOON - 2 * HOUR)
    world = site.open()
    visit(world, Progress(), threading.Event(), "shop")
    visit(world, Progress(), threading.Event(), "factory")  # the clock stands still: nothing more is let out
    world.costs.keep()
    placed = len(site.sales_orders())
    with world.store.read() as tx:
        cost = costs_of(tx, ["factory"])["factory"]["push_order"]
    assert 0 < placed < 90
    assert cost.effects == placed


@pytest.mark.parametrize("kind", ["lost_reply", "503"])
def test_order_whose_answer_is_no_success_is_one_order_all_the_same(site: Site, kind: str) -> None:
    """Else its calls would pile up, and a hundred new orders be foretold two thousand calls."""
    fault = {"kind": kind, "match": "sales_orders$", "method": "POST", "times": 4}
    site.katana_sim("faults", {"faults": [fault]})
    site.orders_made(count=5, lines=[{"sku": "MUG", "price": "20.00"}], create_time=NOON - 2 * HOUR)
    world = site.open()
    for name in ("shop", "factory"):
        visit(world, Progress(), threading.Event(), name)
    world.costs.keep()
    with world.store.read() as tx:
        cost = costs_of(tx, ["factory"])["factory"]["push_order"]
    assert cost.effects == 5
    assert cost.calls <= 5 + 2  # its customer is looked for, and made
