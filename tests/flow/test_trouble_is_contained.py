"""One thing that fails costs no more than itself: neither other orders, nor calls, nor attempts, nor writes."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from hub.contract import SalesOrder
from hub.daemon.embedded import run
from hub.engine import catalogue, outcome, pull, release, watch
from hub.engine.lane import visit
from hub.engine.progress import Progress
from hub.engine.sync import Crew, involved, sync
from hub.host.clock import FOLLOW_EVERY_S
from hub.host.transport import Sent
from hub.store import known, orders, outbox
from tests.flow.conftest import SiteMaker
from tests.flow.stock_site import two_shops
from tests.site import HOUR, NOON, ROUTE, Site
from tests.stepped import SteppedClock, writes_of

CREATE = "POST /v1/sales_orders"
LINES = [{"sku": "MUG", "price": "20.00"}]


def _later(site: Site, seconds: float) -> None:
    """Move the clocks, and let the hub's copy of them, which is kept for a fifth of a second, grow old."""
    site.advance(seconds)
    time.sleep(FOLLOW_EVERY_S + 0.05)


def _crew(site: Site) -> Crew:
    world = site.world or site.open()
    return Crew(world, Progress(), threading.Event(), *involved(world))


@pytest.mark.parametrize("kind", ["500", "503"])
def test_order_does_not_wait_for_a_catalogue_that_cannot_be_read(site: Site, kind: str) -> None:
    site.order()
    site.advance(2 * HOUR)
    site.sync()
    site.both("clock", {"rate": 20})
    site.advance(HOUR)  # the catalogue is due
    ref = site.order(create_time=NOON)
    site.katana_sim("faults", {"faults": [{"kind": kind, "match": "variants"}]})
    with capture_logs() as log:
        progress = site.sync()
        assert site.fate(ref) == ("placed", None)
        assert progress.errors == {}
        tried = site.calls("katana")["GET /v1/variants"]
        site.sync(again=True)  # it is not tried again at once
        assert site.calls("katana")["GET /v1/variants"] == tried
        _later(site, catalogue.AGAIN_S)
        site.order(create_time=NOON + 60)
        site.sync(again=True)
        assert site.calls("katana")["GET /v1/variants"] > tried
        site.katana_sim("faults", {"faults": []})
        _later(site, catalogue.AGAIN_S)
        site.order(create_time=NOON + 120)
        site.sync(again=True)
    told = [entry["event"] for entry in log if entry["event"].startswith("catalogue")]
    assert told == ["catalogue-unread", "catalogue-read-again"]


def test_refused_key_rests_the_erp_although_only_the_catalogue_asked(site: Site) -> None:
    site.order(lines=[{"sku": "NEW", "price": "20.00"}])
    site.advance(2 * HOUR)
    site.sync()
    _later(site, HOUR)
    site.katana_sim("options", {"key_revoked": "yes"})
    assert site.sync(again=True).errors["factory"].code == "credentials-refused"


def test_missing_tax_rate_costs_one_call_for_forty_orders(make_site: SiteMaker) -> None:
    """1 reading of the tax rates, and no look-up of a sales order that nobody sent."""
    site = make_site(routes=ROUTE + "      tax: {mode: fixed, rate: 20}\n")
    site.orders_made(count=40, lines=LINES, create_time=NOON - 60)
    site.advance(2 * HOUR)
    site.sync()
    assert site.fates() == {"blocked": 40}
    calls = site.calls("katana")
    assert calls["GET /v1/tax_rates"] == 1
    assert calls["GET /v1/sales_orders"] == 1  # the survey of what others made


def test_send_that_was_never_let_out_does_not_count_as_an_attempt(site: Site) -> None:
    """The budget lets 10 a minute out, the window is 3 s: what is claimed beyond comes back as if untouched."""
    file = site.folder / "routes.yaml"
    file.write_text(file.read_text().replace("requests_per_minute: 6000", "requests_per_minute: 10"))
    refs = site.orders_made(count=30, lines=LINES, create_time=NOON - 60)
    site.advance(2 * HOUR)
    site.open()
    _crew(site).round(pull_anyway=True)
    effects = [site.effects(ref)[0] for ref in refs]
    assert {(effect.state, effect.attempts) for effect in effects} == {("done", 1), ("pending", 0)}


def test_hub_that_stops_ends_with_the_calls_it_is_in(site: Site) -> None:
    refs = site.orders_made(count=30, lines=LINES, create_time=NOON - 60)
    site.advance(2 * HOUR)
    world, stop = site.open(), threading.Event()
    factory, hooks = world.connected["factory"], world.connected["factory"].hooks

    class Stopping:
        """The ERP's hooks; the hub is told to stop while it sends its first order."""

        def __getattr__(self, hook: str) -> Any:
            if hook == "begin_order":
                stop.set()
            return getattr(hooks, hook)

    world.connected["factory"] = replace(factory, hooks=cast(Any, Stopping()))
    sync(world, Progress(), stop)
    assert 0 < len(site.sales_orders()) <= factory.in_flight
    left = [effect for ref in refs for effect in site.effects(ref) if effect.state != "done"]
    assert {(effect.state, effect.attempts, effect.look_first) for effect in left} == {("pending", 0, False)}
    site.sync()
    assert [site.fate(ref) for ref in refs] == [("placed", None)] * 30
    assert site.calls("katana")[CREATE] == 30


def test_order_the_hub_breaks_over_gives_up_at_once_what_is_on_its_way_beside_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decision 0009: what nobody waits for is reset, not left to a garbage collector; the other is looked up."""
    refs = site.orders_made(count=4, lines=LINES, create_time=NOON - 60)
    site.advance(2 * HOUR)
    site.both("clock", {"rate": 20})
    world = site.open()
    factory, hooks = world.connected["factory"], world.connected["factory"].hooks
    finished: list[str] = []

    class Odd:
        def __getattr__(self, hook: str) -> Any:
            return self.begin if hook == "begin_order" else getattr(hooks, hook)

        def begin(self, order: SalesOrder) -> Callable[[], Any]:
            finish = hooks.begin_order(order=order)

            def oddly() -> Any:
                finished.append(order.key.key)
                finish()
                return {"no": "PlacedOrder"}

            return oddly

    given_up = 0
    give_up = Sent.give_up

    def count(sent: Sent) -> None:
        nonlocal given_up
        given_up += 1
        give_up(sent)

    monkeypatch.setattr(Sent, "give_up", count)
    world.connected["factory"] = replace(factory, hooks=cast(Any, Odd()))
    visit(world, Progress(), threading.Event(), "shop")
    gc.disable()
    try:
        assert visit(world, Progress(), threading.Event(), "factory").error is not None
        assert (len(finished), given_up) == (1, 1)
    finally:
        gc.enable()
    world.connected["factory"] = factory
    site.advance(600)
    for _ in range(3):
        site.sync(again=True)
        site.advance(60)
    assert {site.fate(ref) for ref in refs} == {("placed", None)}
    assert sorted(one["order_no"] for one in site.sales_orders()) == sorted(f"TT-{ref}" for ref in refs)


@pytest.mark.parametrize("back_s", [5 * HOUR, 40 * 24 * HOUR])
def test_clock_that_was_set_back_stops_neither_pulls_nor_the_catalogue(site: Site, back_s: int) -> None:
    site.tiktok_sim("options", {"rotation": "survives"})
    world = site.open()
    shop, factory, now = world.connected["shop"], world.connected["factory"], world.clock.now()
    site.sync(again=True)
    assert not pull.is_due(world, shop)
    ahead = now + (now - now.replace(hour=0)) + (now.replace(hour=1) - now.replace(hour=0)) * (back_s // HOUR)
    with world.store.write() as tx:
        known.set_cursor(tx, "shop", pull.STREAM, None, ahead)
        known.set_cursor(tx, "factory", catalogue.STREAM, None, ahead)
    assert pull.is_due(world, shop)
    assert catalogue.refresh(world, factory, for_stock=True)


def test_pause_made_before_the_clock_was_set_back_is_over(site: Site) -> None:
    site.katana_sim("options", {"key_revoked": "yes"})
    site.order()
    site.advance(2 * HOUR)
    world = site.open()
    _crew(site).round(pull_anyway=True)
    now = world.clock.now()
    with world.store.write() as tx:
        ((until, reason),) = outcome.resting(tx, now).values()
        assert 0.75 * outcome.PAUSE_S <= (until - now).total_seconds() <= outcome.PAUSE_S
        known.pause(tx, "factory", until + 5 * (until - now), reason)
        assert outcome.resting(tx, now) == {}


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=365)])
@pytest.mark.parametrize("again", [False, True])
def test_clock_that_was_ahead_strands_no_order(
    site: Site, monkeypatch: pytest.MonkeyPatch, ahead: timedelta, again: bool
) -> None:
    """While it is ahead, one order is claimed by what then dies, one is withdrawn, and a blocked one looked at."""
    claimed, waiting, unknown = site.order(), site.order(), site.order(lines=[{"sku": "NEW", "price": "20.00"}])
    site.advance(2 * HOUR)
    world = site.open()
    _crew(site)._channel_step(world.connected["shop"], True)
    assert [site.fate(ref)[0] for ref in (claimed, waiting, unknown)] == ["ready", "ready", "blocked"]
    right = world.clock.now
    with monkeypatch.context() as wrong:
        wrong.setattr(world.clock, "now", lambda: right() + ahead)
        now = world.clock.now()
        with world.store.write() as tx:
            assert len(outbox.claim(tx, "factory", now, now + timedelta(seconds=3), 1)) == 1
        assert watch.beat(world, "factory")
        release.release(world, world.connected["shop"], resting=["factory"])
    site.both("clock", {"rate": 20})
    site.advance(60)
    site.sync(again=again)
    assert {site.fate(ref) for ref in (claimed, waiting)} == {("placed", None)}
    due_at = site.row(unknown).due_at
    assert site.world is not None
    assert due_at is not None
    assert due_at - site.world.clock.now() <= timedelta(hours=8)


def test_reading_dated_by_a_clock_that_was_ahead_is_no_new_one(site: Site) -> None:
    ref = site.order()
    world = site.open()
    pull.pull_orders(world, world.connected["shop"])
    with world.store.write() as tx:
        orders.update(tx, [{"id": site.row(ref).id, "read_at": world.clock.now() + timedelta(days=1)}])
    site.advance(2 * HOUR)
    site.act(ref, "cancel", by="SELLER")
    release.release(world, world.connected["shop"])
    assert site.fate(ref) == ("cancelled", None)


def test_order_that_waited_while_both_sides_were_away_is_read_again_before_it_is_sent(site: Site) -> None:
    kept, cancelled = site.order(), site.order()
    site.advance(2 * HOUR)
    world = site.open()
    shop, factory = world.connected["shop"], world.connected["factory"]
    _crew(site)._channel_step(shop, True)
    site.act(cancelled, "cancel", by="SELLER")
    for _ in range(int(watch.GAP_S // 60) + 2):
        site.advance(60)
        watch.beat(world, "factory")  # the ERP's lane still tries
    assert {site.fate(ref) for ref in (kept, cancelled)} == {("ready", None)}
    _crew(site)._erp_step(factory)
    assert site.sales_orders() == []
    _crew(site)._channel_step(shop, False)
    _crew(site)._erp_step(factory)
    assert [site.fate(ref) for ref in (kept, cancelled)] == [("placed", None), ("cancelled", None)]
    assert [one["order_no"] for one in site.sales_orders(deleted=True)] == [f"TT-{kept}"]


@pytest.mark.parametrize("trouble", [None, "erp", "channel"])
def test_idle_daemon_neither_spins_nor_writes(site: Site, trouble: str | None) -> None:
    """A minute: pulls of orders and of requests to cancel (5 transactions) and two beats; now and then a try."""
    site.order(create_time=NOON - 2 * HOUR)
    world, stop = site.open(), threading.Event()
    if trouble == "erp":
        site.katana_sim("options", {"key_revoked": "yes"})
    clock = SteppedClock(site, stop, end_s=HOUR)
    world.clock = clock
    if trouble == "channel":
        site.sync(again=True)
        site.tiktok_sim("authorisation", {"action": "expire_refresh"})
        site.tiktok_sim("authorisation", {"action": "expire_access"})
    with writes_of(world.store) as writes:
        run(world, Progress(), stop)
    assert len(clock.waits) <= 4 * 60
    assert len(writes) <= 8 * 60


def test_lane_that_waits_for_a_thread_takes_no_processor(site: Site) -> None:
    """Three lanes are due, two threads wait for slow answers: whoever hands lanes out sleeps meanwhile."""
    two_shops(site, "pool: all", "pool: all")
    for name in ("tiktok", "katana"):
        getattr(site, f"{name}_sim")("options", {"latency_ms": "400"})
    world, stop = site.open(), threading.Event()
    daemon = threading.Thread(target=run, args=(world, Progress(), stop), kwargs={"threads": 2})
    began, spent = time.monotonic(), time.process_time()
    daemon.start()
    time.sleep(3)
    spent, took = time.process_time() - spent, time.monotonic() - began
    stop.set()
    daemon.join(10)
    assert not daemon.is_alive()
    assert spent < 0.4 * took
