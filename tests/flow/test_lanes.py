"""One process at a time speaks for a Connection, and knows when it no longer does (PostgreSQL: a session's lock)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psycopg
import pytest
from structlog.testing import capture_logs

from hub.contract import TransientError
from hub.daemon.embedded import run
from hub.engine import watch
from hub.engine.progress import Progress
from hub.engine.sync import sync
from hub.store import open_store
from tests.flow.conftest import SiteMaker
from tests.site import HOUR, Site

HOLDERS = """
SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = pg_locks.database
WHERE locktype = 'advisory' AND granted AND d.datname = current_database()
"""


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def holders(database: str) -> list[int]:
    with psycopg.connect(database, autocommit=True) as connection:
        return [row[0] for row in connection.execute(HOLDERS)]


def end_sessions_of_locks(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        for (pid,) in connection.execute(HOLDERS).fetchall():
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


@pytest.fixture
def pg_site(make_site: SiteMaker, postgres_database: str) -> Site:
    """A site whose ledger is on PostgreSQL."""
    return make_site(database=postgres_database)


def test_pass_that_lost_its_lock_ends_and_says_so(pg_site: Site) -> None:
    pg_site.order()
    world = pg_site.open()
    ended: list[bool] = []

    def end(_: Progress) -> None:
        if not ended:
            ended.append(True)
            end_sessions_of_locks(pg_site.database)

    with pytest.raises(TransientError) as caught:
        sync(world, Progress(tell=end), threading.Event())
    assert caught.value.code == "lane-lost"
    assert "shop, factory" in caught.value.what
    pg_site.advance(2 * HOUR)
    assert not pg_site.sync().errors
    assert pg_site.fates() == {"placed": 1}


def test_daemon_that_lost_its_lock_enters_again_as_if_it_had_just_begun(pg_site: Site) -> None:
    """Another process may have worked meanwhile, so the new watch begins with the new lock."""
    pg_site.both("clock", {"rate": 1})  # where time stands still, the half second of a daemon's rest never ends
    world, stop, progress = pg_site.open(), threading.Event(), Progress()
    pg_site.order()
    with capture_logs() as log:
        daemon = threading.Thread(target=run, args=(world, progress, stop))
        daemon.start()
        try:
            until(lambda: progress.doing == "waiting")
            first, began = holders(pg_site.database), watch.since(world, "factory")
            assert len(first) == 2
            end_sessions_of_locks(pg_site.database)
            pg_site.advance(600)
            until(lambda: watch.since(world, "factory") != began)
            again = holders(pg_site.database)
            assert len(again) == 2
            assert not set(again) & set(first)
            pg_site.advance(2 * HOUR)
            until(lambda: pg_site.fates() == {"placed": 1})
        finally:
            stop.set()
            daemon.join(20)
    lost = [entry for entry in log if entry["event"] == "lane-lost"]
    assert [sorted(entry["connections"]) for entry in lost] == [["factory", "shop"]]


def test_daemon_whose_lane_another_process_took_over_ends(pg_site: Site) -> None:
    pg_site.both("clock", {"rate": 1})
    world, stop = pg_site.open(), threading.Event()
    progress = Progress(tell=lambda progress: stop.set() if progress.busy else None)  # as hub run does
    other = open_store(pg_site.database)
    daemon = threading.Thread(target=run, args=(world, progress, stop))
    daemon.start()
    try:
        until(lambda: progress.doing == "waiting")
        end_sessions_of_locks(pg_site.database)
        with other.lock("lane:shop", wait_s=5) as won:
            assert won
            pg_site.advance(600)
            daemon.join(20)
        assert stop.is_set()
    finally:
        stop.set()
        daemon.join(20)
        other.close()
    assert progress.busy == ["shop"]


def test_lock_on_a_file_stays_until_it_is_given_back(site: Site) -> None:
    world = site.open()
    with world.store.lock("lane:shop") as held:
        assert held is not None
        assert held.is_held()
