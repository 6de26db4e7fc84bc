"""What befalls a worker that lives on: its database fails for a moment, a clock is off, others know other routes."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from procrastinate import exceptions
from procrastinate.manager import JobManager
from structlog.testing import capture_logs

from hub.contract import TransientError
from hub.daemon import Stopping, distributed, embedded
from hub.daemon.embedded import Orders
from hub.daemon.serving import Daemon
from hub.engine import idle
from hub.engine.lane import Visit
from hub.engine.progress import Progress
from hub.engine.world import World
from hub.host.clock import SystemClock
from hub.store import known, open_store, silence_ends
from tests.daemon.conftest import Start, Worker, short_lease, until
from tests.site import Site


class Watched:
    """A worker in a thread of this process; counts its visits."""

    def __init__(self, world: World, threads: int = 2, run: Any = distributed.run) -> None:
        self.visits: Counter[str] = Counter()
        self.orders = Orders(threading.Event())
        self._thread = threading.Thread(target=run, args=self._arguments(world, run), kwargs=self._named(run, threads))

    def _arguments(self, world: World, run: Any) -> tuple[Any, ...]:
        return (world, Progress(), self.orders if run is distributed.run else self.orders.stop)

    def _named(self, run: Any, threads: int) -> dict[str, Any]:
        more = {} if run is distributed.run else {"orders": self.orders}
        return {"threads": threads, "observe": self._observe, **more}

    def _observe(self, id_: str, seconds: float, ended: Visit) -> None:
        self.visits[id_] += 1

    @contextmanager
    def working(self) -> Iterator[None]:
        """Work meanwhile."""
        self._thread.start()
        try:
            yield
        finally:
            self.orders.stop.set()
            self._thread.join(20)
            assert not self._thread.is_alive()


@pytest.fixture
def world(pg_site: Site) -> World:
    short_lease(pg_site)
    return pg_site.open(time=SystemClock())


def test_lane_goes_on_although_its_last_visit_could_not_be_taken_off_the_table(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends a connection just then: the visit is over, its row stands in the way of the next one."""
    failed: list[str | None] = []
    finish = JobManager.finish_job

    async def finish_or_fail(self: JobManager, job: Any, status: Any, delete_job: bool) -> None:
        if job.lock == "factory" and not failed:
            failed.append(job.lock)
            raise exceptions.ConnectorException
        await finish(self, job=job, status=status, delete_job=delete_job)

    monkeypatch.setattr(JobManager, "finish_job", finish_or_fail)
    worker = Watched(world)
    with worker.working():
        until(lambda: bool(failed))
        before = worker.visits["factory"]
        until(lambda: (worker.orders.wake("factory"), time.sleep(0.2), worker.visits["factory"] > before)[2], 20)


def test_visits_of_a_connection_reach_the_worker_that_knows_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two machines, one of them still with the route file of before: it knows of no connection called shop."""
    knows, stranger = Watched(world), Watched(world)
    begin = distributed._Worker.__init__

    def begin_or_forget(self: Any, *arguments: Any) -> None:
        begin(self, *arguments)
        if self._orders is stranger.orders:
            self._mine = ["factory"]

    monkeypatch.setattr(distributed._Worker, "__init__", begin_or_forget)
    with stranger.working(), knows.working():
        until(lambda: bool(knows.visits["shop"]))
        for _ in range(4):
            before = knows.visits["shop"]
            knows.orders.wake("shop")
            until(lambda before=before: knows.visits["shop"] > before, 12)  # type: ignore[misc]
    assert not stranger.visits["shop"]


@pytest.mark.parametrize("off_s", [-60, 60])
def test_clock_that_differs_from_the_servers_makes_no_lane_spin(
    world: World, monkeypatch: pytest.MonkeyPatch, off_s: int
) -> None:
    class Off(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(seconds=off_s)

    monkeypatch.setattr(distributed, "datetime", Off)
    worker = Watched(world)
    with worker.working():
        until(lambda: len(worker.visits) == 2)
        time.sleep(2)
        worker.visits.clear()
        time.sleep(6)
        assert sum(worker.visits.values()) <= 6


def test_connection_whose_server_is_silent_is_given_up_within_a_minute(postgres_database: str) -> None:
    store = open_store(postgres_database)
    with store.engine.connect() as connection:
        told = connection.connection.driver_connection.info.get_parameters()  # type: ignore[union-attr]
    store.close()
    assert {name: told[name] for name in silence_ends({})} == {
        name: str(value) for name, value in silence_ends({}).items()
    }
    assert "keepalives_idle" not in silence_ends({"keepalives_idle": "7"})
    app = distributed.app_of(postgres_database.replace("+psycopg", ""))
    assert app.connector._pool_args["kwargs"]["tcp_user_timeout"] == 30_000  # type: ignore[attr-defined]


def test_too_few_connections_to_the_database_are_a_passing_trouble(postgres_database: str) -> None:
    store = open_store(postgres_database)
    narrow = sa.create_engine(store.engine.url, pool_size=1, max_overflow=0, pool_timeout=0.2)
    store._reader = narrow
    with store.read(), pytest.raises(TransientError, match="database-busy"), store.read():
        pass
    narrow.dispose()
    store.close()


class Turned:
    """The machine's clock, which somebody sets back."""

    def __init__(self) -> None:
        self.back = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) - self.back

    def wait(self, seconds: float, until: threading.Event | None = None) -> None:
        (until or threading.Event()).wait(seconds)

    def close(self) -> None:
        pass


def test_lanes_are_visited_although_the_clock_was_set_back(pg_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "MAX_IDLE_S", 3.0)
    clock = Turned()
    world = pg_site.open(time=clock)
    worker = Watched(world, run=embedded.run)
    with worker.working():
        until(lambda: len(worker.visits) == 2)
        time.sleep(1)
        clock.back = timedelta(hours=1)
        time.sleep(0.5)
        before = worker.visits.copy()
        until(lambda: all(worker.visits[id_] > before[id_] for id_ in before), 15)


def test_single_thread_on_a_real_clock_hears_a_wake_at_once(pg_site: Site) -> None:
    world = pg_site.open(time=SystemClock())
    worker = Watched(world, threads=1, run=embedded.run)
    with worker.working():
        until(lambda: len(worker.visits) == 2)
        time.sleep(2)
        before = worker.visits["shop"]
        worker.orders.wake("shop")
        until(lambda: worker.visits["shop"] > before, 2)


def test_daemon_waits_for_lanes_that_a_command_took_meanwhile(tmp_path: Path, start: Start) -> None:
    """Another process began while it read its route file anew: at its own start it would be refused, now it waits."""
    site = Site(tmp_path, str(tmp_path / "hub.db"))
    site.both("clock", {"rate": 1})
    asked, others = Stopping(), list[Worker]()
    visits: Counter[str] = Counter()

    class Slow(Daemon):
        def _reload(self) -> None:
            others.append(start(site))
            until(lambda: bool(others[0].events("hub-started")))
            time.sleep(1)

    daemon = Slow(site.open(), asked, observe=lambda id_, seconds, ended: visits.update([id_]))
    thread = threading.Thread(target=daemon.serve)
    with capture_logs() as log:
        thread.start()
        try:
            until(lambda: len(visits) == 2)
            asked.reload.set()
            until(lambda: "lanes-busy" in [each["event"] for each in log])
            visits.clear()
            time.sleep(1)
            assert (thread.is_alive(), dict(visits)) == (True, {})
            assert others[0].stop() in (0, 143)
            until(lambda: len(visits) == 2, 20)
        finally:
            asked.event.set()
            thread.join(20)
            site.close()
    assert [each["connections"] for each in log if each["event"] == "lanes-busy"] == [["shop", "factory"]]


def test_what_a_database_that_is_away_says_is_told_and_not_what_wraps_it() -> None:
    """procrastinate's own words begin with an empty line."""
    wrapped = exceptions.ConnectorException()
    wrapped.__cause__ = psycopg.OperationalError("connection refused\n\tIs the server running?")
    assert distributed.text_of(wrapped) == "connection refused"
    assert distributed.text_of(exceptions.ConnectorException("\n  it is away\n")) == "it is away"
    assert distributed.text_of(OSError()) == "OSError"


def test_restarted_worker_says_at_once_what_rests_and_what_to_do(pg_site: Site, start: Start) -> None:
    """Its log is all that whoever started it sees, and a connection that rests is not visited for minutes."""
    pg_site.order()
    pg_site.sync()
    pg_site.advance(2 * 3600)
    pg_site.katana_sim("options", {"key_revoked": "yes"})
    for _ in range(3):
        worker = start(pg_site)
        until(lambda worker=worker: bool(worker.events("connection-paused")))
        (said,) = worker.events("connection-paused")
        assert (said["connection"], said["code"]) == ("factory", "credentials-refused")
        assert said["what"]
        assert said["where"].startswith("factory")
        assert "API key" in said["do"]
        assert worker.stop() == 0
    world = pg_site.open()
    at = world.clock.now() + timedelta(minutes=4)
    with world.store.write() as tx:
        reason = {"code": "scope-missing", "what": "a scope is missing", "where": "shop", "do": "Consent anew."}
        known.pause(tx, "shop/stock", at, reason | {"for_s": 300})
    worker = start(pg_site)
    until(lambda: bool(worker.events("step-paused")))
    said = worker.events("step-paused")[0]
    assert {key: said[key] for key in ("connection", "step", *reason)} == {
        "connection": "shop",
        "step": "stock",
        **reason,
    }
    assert worker.stop() == 0
