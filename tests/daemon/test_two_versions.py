"""A rolling restart: hubs that know other tables than those they meet stop, and say the way on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from hub.contract import TransientError
from hub.store import SCHEMA_VERSION, open_store
from hub.store.database import WRITERS
from tests.daemon.conftest import Start, Worker, until
from tests.site import NOON, Site


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A site with a ledger; its time passes as real time does."""
    folder = tmp_path / "site"
    folder.mkdir()
    on_file = request.param == "sqlite"
    made = Site(folder, str(folder / "hub.db") if on_file else request.getfixturevalue("postgres_database"))
    made.both("clock", {"rate": 1})
    open_store(made.database).close()
    yield made
    made.close()


def stamp(site: Site, version: str) -> None:
    """Say that the tables have a version, as an upgrade does at its end."""
    store = open_store(site.database, as_it_is=True)
    with store.write() as tx:
        tx.execute(sa.text("UPDATE alembic_version SET version_num = :version"), {"version": version})
    store.close()


def stopped_between_writes(site: Site, worker: Worker) -> bool:
    """Stop a worker's process; let it go on where it was just writing."""
    worker.signal(signal.SIGSTOP)
    os.waitpid(worker.process.pid, os.WUNTRACED)  # until then one of its threads may still begin to write
    store = open_store(site.database, as_it_is=True, busy_s=0)
    try:
        if store.is_shared:
            with store.read() as tx:
                is_free = bool(tx.exec_driver_sql(f"SELECT pg_try_advisory_xact_lock({WRITERS})").scalar())
        else:
            with store.write():
                is_free = True
    except TransientError:
        is_free = False
    store.close()
    if not is_free:
        worker.signal(signal.SIGCONT)
    return is_free


def hub(site: Site, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the hub."""
    command = [sys.executable, "-m", "hub", "--database", site.database, *words]
    return subprocess.run(
        command, cwd=site.folder, env=site.whole_environ(), capture_output=True, text=True, timeout=60, check=False
    )


def test_running_worker_stops_at_its_next_visit_once_the_tables_are_of_a_newer_version(
    site: Site, start: Start
) -> None:
    """It ends with the reason; a service that restarts it hears the same, until it is of the new version too."""
    worker = start(site)
    until(lambda: any(call.startswith("POST /order") for call in site.calls("tiktok")))
    stamp(site, "0900")
    site.order(create_time=NOON - 60)
    site.advance(2 * 3600)
    assert worker.process.wait(60) == 1
    said = worker.file.read_text()
    assert "database-newer" in said
    assert "Install the newer hub again, or restore the backup" in said
    assert site.sales_orders() == []
    again = start(site)
    assert again.process.wait(60) == 1
    assert "database-newer" in again.file.read_text()


def test_upgrade_is_refused_while_a_daemon_works_and_changes_nothing(site: Site, start: Start) -> None:
    worker = start(site)
    until(lambda: any(call.startswith("POST /order") for call in site.calls("tiktok")))
    until(lambda: stopped_between_writes(site, worker))  # it does not see that its tables are said to be old
    stamp(site, "0002")
    ran = hub(site, "upgrade", "--json")
    assert ran.returncode == 1
    assert json.loads(ran.stdout)["error"]["code"] == "database-in-use"
    assert "Stop every hub run" in ran.stderr
    stamp(site, SCHEMA_VERSION)
    worker.signal(signal.SIGCONT)
    assert worker.stop() == 0


@pytest.mark.parametrize("words", [["run"], ["sync"], ["orders"], ["hold", "add", "5001"]])
def test_command_on_older_tables_is_refused_with_the_command_that_brings_them_forward(
    tmp_path: Path, words: list[str]
) -> None:
    site = Site(tmp_path, str(tmp_path / "hub.db"))
    open_store(site.database).close()
    stamp(site, "0002")
    ran = hub(site, *words)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-3:] == [
        f"database-older: the tables have version 0002, this hub needs {SCHEMA_VERSION}",
        f"  where: database {site.database}",
        "  do:    Stop every hub that works on it, then run: hub upgrade",
    ]
    site.close()


def test_upgrade_says_what_it_did_and_once_more_that_nothing_is_to_do(tmp_path: Path) -> None:
    from tests.flow.test_upgrade import loaded

    file = loaded("0002", tmp_path)
    site = Site(tmp_path, str(file))
    ran = hub(site, "upgrade")
    assert (ran.returncode, ran.stdout) == (0, f"Upgraded the tables from version 0002 to {SCHEMA_VERSION}.\n")
    assert f"{file}-before-{SCHEMA_VERSION}" in ran.stderr
    assert hub(site, "upgrade").stdout == f"The tables have version {SCHEMA_VERSION} already.\n"
    assert hub(site, "orders", "--json").returncode == 0
    site.close()
