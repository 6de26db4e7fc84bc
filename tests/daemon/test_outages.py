"""A daemon outlives what happens to its database: it says so once when it goes and once when it is back."""

from __future__ import annotations

import re
import resource
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from structlog.testing import capture_logs

from hub.daemon import embedded
from hub.engine.progress import Progress
from hub.store import open_store
from tests.daemon.conftest import Start, Worker, short_lease, until
from tests.site import NOON, Site

SMALL = 4 * 1024
HELD = {"lines": [{"sku": "MUG", "price": "20.00"}], "create_time": NOON - 60}


def watched(daemon: Worker) -> tuple[list[dict[str, str]], str]:
    """Return why a daemon is not ready, and whether it says that its database can be written."""
    with httpx.Client(base_url=f"http://{daemon.events('listening')[0]['address']}", timeout=30) as http:
        writable = re.search(r"^hub_database_writable (\d)", http.get("/metrics").text, re.MULTILINE)
        answer = http.get("/readyz")
    reasons = answer.json()["reasons"]
    assert answer.status_code == (503 if reasons else 200)
    assert writable is not None
    return reasons, writable[1]


@pytest.fixture
def file_site(tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    made = Site(folder, str(folder / "hub.db"))
    made.both("clock", {"rate": 1})
    made.open()
    yield made
    made.close()


def test_daemon_waits_for_room_on_the_disk_and_goes_on(file_site: Site, start: Start) -> None:
    """No file may grow past a few KiB for a while, which is what a disk without room is to a process."""
    refs = [file_site.order(create_time=NOON - 60)]
    daemon = start(file_site, "--listen", "127.0.0.1:0")
    until(lambda: file_site.fates() == {"held": 1})
    assert watched(daemon) == ([], "1")
    before = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (SMALL, before[1]))
    refs += file_site.orders_made(count=20, **HELD)
    file_site.advance(2 * 3600)
    until(lambda: bool(daemon.events("database-away")))
    assert {each["code"] for each in daemon.events("database-away")} == {"disk-failed"}
    assert daemon.process.poll() is None
    assert watched(daemon) == ([{"code": "disk-failed"}], "0")
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, before)
    until(lambda: file_site.fates() == {"placed": len(refs)})
    assert daemon.events("database-back")
    assert watched(daemon) == ([], "1")
    assert sorted(row["order_no"] for row in file_site.sales_orders()) == sorted(f"TT-{ref}" for ref in refs)
    assert daemon.stop() == 0


def test_daemon_waits_for_a_program_that_holds_the_database(file_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    file_site.order()
    world = file_site.open()
    world.store.close()
    world.store = open_store(file_site.database, busy_s=1)
    monkeypatch.setattr(embedded, "STORE_RETRY_S", 0.2)
    stop = threading.Event()
    holder = sqlite3.connect(file_site.database, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    with capture_logs() as log:
        daemon = threading.Thread(target=embedded.run, args=(world, Progress(), stop))
        daemon.start()
        until(lambda: any(entry["event"] == "database-away" for entry in log))
        holder.execute("ROLLBACK")
        until(lambda: any(entry["event"] == "database-back" for entry in log))
        until(lambda: file_site.fates() == {"held": 1})
        stop.set()
        daemon.join(10)
    holder.close()
    assert [entry["code"] for entry in log if entry["event"] == "database-away"] == ["database-locked"]


def test_worker_outlives_a_server_that_is_away(pg_site: Site, start: Start, postgres_url: str) -> None:
    short_lease(pg_site)
    file = pg_site.folder / "routes.yaml"
    taxed = "start: 2026-03-01\n      tax: {mode: fixed, rate: 20, create_rates: true}"
    file.write_text(file.read_text().replace("start: 2026-03-01", taxed))
    refs = pg_site.orders_made(count=3, **HELD)
    worker = start(pg_site, "--listen", "127.0.0.1:0")
    until(lambda: pg_site.fates() == {"held": 3})
    name = urlsplit(pg_site.database).path.strip("/")
    pg_site.close_hub()
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        pg_site.advance(2 * 3600)
        until(lambda: bool(worker.events("database-away")))
        until(lambda: watched(worker)[1] == "0")
        server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    pg_site.open()
    until(lambda: pg_site.fates() == {"placed": 3})
    until(lambda: bool(worker.events("database-back")))
    said = worker.events("database-away")[0]
    assert said["what"]
    assert "database runs" in said["do"]
    assert watched(worker) == ([], "1")
    assert sorted(row["order_no"] for row in pg_site.sales_orders()) == sorted(f"TT-{ref}" for ref in refs)
    assert worker.stop() == 0
    assert worker.events("tax-rate-made")[0]["connection"] == "factory"
    assert worker.strange() == []  # whoever says something, and whatever the pool of connections has to say
