"""/healthz and /readyz over HTTP: red while the process should not be relied on, and green again after."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
import sqlalchemy as sa

from hub.daemon import health, web
from hub.daemon.health import Pulse
from hub.daemon.metrics import Metrics
from hub.engine.world import World
from hub.store import SCHEMA_VERSION, known
from tests.daemon.conftest import Start, until
from tests.daemon.watched import watched
from tests.docs.test_errors_page import sections
from tests.site import Site


class Hands:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, str(tmp_path / "hub.db"))
    yield made
    made.close()


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def metrics(hands: Hands) -> Metrics:
    made = Metrics()
    made.pulse = Pulse(hands)
    return made


@pytest.fixture
def world(site: Site) -> World:
    return site.open()


@pytest.fixture
def http(world: World, metrics: Metrics) -> Iterator[httpx.Client]:
    with watched(world, metrics) as client:
        yield client


def reasons(http: httpx.Client) -> list[str]:
    """Return why it is not ready, as codes, each with the connection if it is of one."""
    answer = http.get("/readyz")
    told = answer.json()
    assert told["ready"] == (told["reasons"] == [])
    assert answer.status_code == (200 if told["ready"] else 503)
    assert http.get("/healthz").text == "ok\n", "the process lives, whatever else is wrong"
    assert all(each["code"] in sections() for each in told["reasons"])
    return [" ".join(each.values()) for each in told["reasons"]]


def begin(metrics: Metrics, connection: str) -> None:
    metrics.trace("visit", {"connection": connection})


def end(metrics: Metrics, connection: str) -> None:
    metrics.trace("visit", {"connection": connection, "seconds": 0.1, "result": None})


def test_database_file_that_went_away_is_told_until_it_is_back(site: Site, http: httpx.Client) -> None:
    assert reasons(http) == []
    file, aside = site.folder / "hub.db", site.folder / "aside.db"
    file.replace(aside)
    assert reasons(http) == ["database-gone"]
    aside.replace(file)
    assert reasons(http) == []


@pytest.mark.parametrize(("version", "code"), [("0900", "database-newer"), ("0001", "database-older")])
def test_tables_of_another_version_are_told(world: World, http: httpx.Client, version: str, code: str) -> None:
    def stamp(found: str) -> None:
        with world.store.write() as tx:
            tx.execute(sa.text("UPDATE alembic_version SET version_num = :found"), {"found": found})

    stamp(version)
    assert reasons(http) == [code]
    stamp(SCHEMA_VERSION)
    assert reasons(http) == []


def test_damaged_database_is_told(site: Site, world: World, http: httpx.Client) -> None:
    world.store.close()
    (site.folder / "hub.db").write_bytes(b"This is no database. " * 400)
    assert reasons(http) == ["database-corrupt"]


def test_lane_that_is_stuck_is_told_by_its_connection(http: httpx.Client, metrics: Metrics, hands: Hands) -> None:
    begin(metrics, "shop")
    hands.at += health.STUCK_S
    assert reasons(http) == []
    hands.at += 1
    assert reasons(http) == ["lane-stuck shop"]
    end(metrics, "shop")
    assert reasons(http) == []


def test_scheduler_that_visits_nobody_is_told(http: httpx.Client, metrics: Metrics, hands: Hands) -> None:
    begin(metrics, "shop")
    end(metrics, "shop")
    hands.at += health.QUIET_S
    assert reasons(http) == []
    hands.at += 1
    assert reasons(http) == ["lanes-quiet"]
    begin(metrics, "factory")
    assert reasons(http) == []


def test_quiet_is_right_where_every_connection_rests(
    world: World, http: httpx.Client, metrics: Metrics, hands: Hands
) -> None:
    hands.at += health.QUIET_S + 1
    until_when = world.clock.now() + timedelta(minutes=4)
    for id_ in ("shop", "factory"):
        assert reasons(http) == ["lanes-quiet"]
        with world.store.write() as tx:
            known.pause(tx, id_, until_when, {"code": "credentials-refused", "for_s": 300})
    assert reasons(http) == []


def test_silent_database_is_told_in_time_and_is_green_once_it_answers(
    tmp_path: Path, postgres_database: str, metrics: Metrics, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a shared database a process may be quiet: others do the work."""
    monkeypatch.setattr(web, "READY_S", 0.5)
    site = Site(tmp_path, postgres_database)
    with watched(site.open(), metrics) as http:
        hands.at += health.QUIET_S + 1
        assert reasons(http) == []
        with psycopg.connect(postgres_database) as other:
            other.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
            assert reasons(http) == ["database-silent"]
        until(lambda: reasons(http) == [])
    site.close()


def test_running_daemon_is_ready_and_its_visits_are_seen(site: Site, start: Start) -> None:
    """What a supervisor sees, from a real process on a free port."""
    daemon = start(site, "--listen", "127.0.0.1:0")
    until(lambda: bool(daemon.events("listening")))
    with httpx.Client(base_url=f"http://{daemon.events('listening')[0]['address']}", timeout=30) as http:
        until(lambda: 'hub_visits_total{connection="factory",outcome="ok"}' in http.get("/metrics").text)
        assert reasons(http) == []
    assert daemon.stop() == 0
