"""One process at a time speaks for a Connection, and what it decided cannot be written once another does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psycopg
import pytest
from structlog.testing import capture_logs

from bench.idle import HandClock
from hub.contract import TransientError
from hub.daemon.embedded import run
from hub.engine import watch
from hub.engine.lane import visit
from hub.engine.lanes import lanes
from hub.engine.progress import Progress
from hub.engine.sync import sync
from hub.store import LaneLostError, known, open_store
from tests.flow.conftest import SiteMaker
from tests.site import HOUR, NOON, Site


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def take_over(database: str) -> None:
    """Do what another worker does that finds the leases ended, and gives them back at once."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("UPDATE leases SET epoch = epoch + 1, holder = 'another', until = 0")


@pytest.fixture
def pg_site(make_site: SiteMaker, postgres_database: str) -> Site:
    """A site whose ledger is on PostgreSQL."""
    return make_site(database=postgres_database)


def test_pass_whose_lanes_were_taken_over_ends_and_says_so(pg_site: Site) -> None:
    pg_site.order()
    world = pg_site.open()
    ended: list[bool] = []

    def end(_: Progress) -> None:
        if not ended:
            ended.append(True)
            take_over(pg_site.database)

    with pytest.raises(TransientError) as caught:
        sync(world, Progress(tell=end), threading.Event())
    assert caught.value.code == "lane-lost"
    assert "shop" in caught.value.what
    assert pg_site.total_calls("katana") == 0
    pg_site.advance(2 * HOUR)
    assert not pg_site.sync().errors
    assert pg_site.fates() == {"placed": 1}


def test_daemon_whose_lanes_were_taken_over_enters_again_as_if_it_had_just_begun(pg_site: Site) -> None:
    """Another process may have worked meanwhile, so a new watch begins."""
    pg_site.both("clock", {"rate": 1})  # where time stands still, the half second of a daemon's rest never ends
    world, stop, progress = pg_site.open(), threading.Event(), Progress()
    pg_site.order()
    with capture_logs() as log:
        daemon = threading.Thread(target=run, args=(world, progress, stop))
        daemon.start()
        try:
            until(lambda: progress.doing == "waiting")
            began = watch.since(world, "factory")
            take_over(pg_site.database)
            pg_site.advance(600)
            until(lambda: watch.since(world, "factory") != began)
            pg_site.advance(2 * HOUR)
            until(lambda: pg_site.fates() == {"placed": 1})
        finally:
            stop.set()
            daemon.join(20)
    lost = [entry for entry in log if entry["event"] == "lane-lost"]
    assert [entry["connections"] for entry in lost] == ["factory, shop"]


def test_daemon_whose_lane_another_process_took_waits_until_it_is_free(pg_site: Site) -> None:
    pg_site.both("clock", {"rate": 1})
    world, stop = pg_site.open(), threading.Event()
    progress = Progress(tell=lambda progress: stop.set() if progress.busy else None)  # as hub run does
    other = open_store(pg_site.database)
    daemon = threading.Thread(target=run, args=(world, progress, stop))
    with capture_logs() as log:
        daemon.start()
        try:
            until(lambda: progress.doing == "waiting")
            take_over(pg_site.database)
            with other.leased(["shop"], holder="another", ttl_s=60) as (_, busy):
                assert not busy
                pg_site.advance(600)
                until(lambda: "lanes-busy" in [entry["event"] for entry in log])
            pg_site.order()
            pg_site.advance(2 * HOUR)
            until(lambda: pg_site.fates() == {"placed": 1})
            assert not stop.is_set()
        finally:
            stop.set()
            daemon.join(20)
            other.close()
    assert [entry["connections"] for entry in log if entry["event"] == "lanes-busy"] == [["shop"]]


def test_daemon_that_begins_beside_another_ends(pg_site: Site) -> None:
    world, stop = pg_site.open(), threading.Event()
    progress = Progress(tell=lambda progress: stop.set() if progress.busy else None)
    other = open_store(pg_site.database)
    with other.leased(["shop"], holder="another", ttl_s=60):
        run(world, progress, stop)
    other.close()
    assert progress.busy == ["shop"]


def test_write_of_a_worker_that_was_taken_for_dead_is_refused_and_changes_nothing(pg_site: Site) -> None:
    world = pg_site.open()
    with lanes(world, ["shop"]):
        take_over(pg_site.database)
        with pytest.raises(LaneLostError), world.store.write() as tx:
            known.set_cursor(tx, "shop", "orders", None, world.clock.now())
    with world.store.read() as tx:
        assert known.cursor(tx, "shop", "orders") == (None, None)


def test_new_tokens_are_kept_even_where_the_lane_was_lost_meanwhile(pg_site: Site) -> None:
    """T-13: the worker that exchanged them was paused; the old pair is dead, and a person would have to consent."""
    world = pg_site.open()
    tokens = world.connected["shop"].authorisation
    with lanes(world, ["shop"]):
        take_over(pg_site.database)
        living = tokens.access_token()
    assert living
    other = pg_site.open()
    assert other.connected["shop"].authorisation.access_token() == living


def test_lease_ends_for_its_holder_before_it_ends_for_others(pg_site: Site) -> None:
    """What a worker believes rests on its own clock from before it asked, so a paused one never sends too late."""
    first, second = open_store(pg_site.database), open_store(pg_site.database)
    with first.leased(["shop"], holder="a", ttl_s=1) as (fence, _):
        assert fence.is_valid()
        with second.leased(["shop"], holder="b", ttl_s=1) as (_, busy):
            assert busy == ["shop"]
        with second.leased(["shop"], holder="b", ttl_s=1, wait_s=5) as (later, none):
            assert not none
            assert later.is_valid()
            assert not fence.is_valid()
            with pytest.raises(LaneLostError):
                first.renew(fence)
    first.close()
    second.close()


def test_second_daemon_on_a_file_is_told_that_the_first_does_the_work(site: Site) -> None:
    world = site.open()
    with lanes(world, ["shop", "factory"]) as first:
        assert list(first.won) == ["shop", "factory"]
        with lanes(world, ["shop"]) as second:
            assert (list(second.won), list(second.busy)) == ([], ["shop"])


def test_worker_joins_the_watch_of_another_that_it_has_seen_alive(pg_site: Site) -> None:
    """Else each worker would withdraw what waits whenever it meets an ERP that others have spoken for."""
    clock = HandClock(float(NOON))
    mine = pg_site.open(clock)
    watch.beat(mine, "elsewhere")
    clock.at += 60
    with mine.store.write() as tx:  # as another worker does that begins with this ERP
        watch.begin_anew(tx, "factory", clock.now())
    joined = watch.since(mine, "factory")
    clock.at += 60
    watch.beat(mine, "factory")
    assert watch.since(mine, "factory") == joined
    mine.doubt()
    watch.beat(mine, "factory")
    assert watch.since(mine, "factory") == clock.now()


def test_orders_that_a_new_watch_withdraws_are_taken_up_at_once(make_site: SiteMaker) -> None:
    site = make_site()
    ref = site.order()
    site.sync()
    site.advance(2 * HOUR)
    world = site.open()
    visit(world, Progress(), threading.Event(), "shop")
    assert site.fate(ref) == ("ready", None)
    world.doubt()
    ended = visit(world, Progress(), threading.Event(), "factory")
    assert site.fate(ref) == ("held", "hold")
    assert ended.wake >= {"shop"}
