"""Real workers: `hub run` processes against a site of real simulators."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.site import ROUTE, ROUTES, Site


def until(condition: Callable[[], bool], seconds: float = 40) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def short_lease(site: Site) -> None:
    """Have the lanes of a dead worker free after two seconds."""
    file = site.folder / "routes.yaml"
    file.write_text(file.read_text().replace("settle: 1s}", "settle: 1s, lease: 2s}"))


class Worker:
    """One `hub run`, its log in a file."""

    def __init__(self, site: Site, name: str, *arguments: str, **environ: str) -> None:
        self.file = site.folder / f"{name}.log"
        command = [sys.executable, "-m", "hub", "--database", site.database, "run", "--log", "json", *arguments]
        with self.file.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=site.folder, env=site.whole_environ() | environ, stdout=log, stderr=log
            )

    def log(self) -> list[dict[str, Any]]:
        """Return what it logged."""
        lines = self.file.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def strange(self) -> list[str]:
        """Return the lines that are not one JSON object."""
        return [line for line in self.file.read_text().splitlines() if not line.startswith("{")]

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return what it logged under one event."""
        return [entry for entry in self.log() if entry["event"] == name]

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def stop(self) -> int:
        """Ask it to stop; return its exit code."""
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
        return self.process.wait(15)


Start = Callable[..., Worker]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start workers of a site; whatever still runs at the end is killed."""
    made: list[Worker] = []

    def begin(site: Site, *arguments: str, **environ: str) -> Worker:
        made.append(Worker(site, f"worker-{len(made)}", *arguments, **environ))
        return made[-1]

    yield begin
    for worker in made:
        worker.process.kill()
        worker.process.wait(10)
        tail = "".join(worker.file.read_text().splitlines(keepends=True)[-60:])
        sys.stdout.write(f"-- {worker.file.name}\n{tail}")  # shown where the test failed


@pytest.fixture
def pg_site(tmp_path: Path, postgres_database: str) -> Iterator[Site]:
    """A site whose ledger is on PostgreSQL; its time passes as real time does."""
    folder = tmp_path / "site"
    folder.mkdir()
    made = Site(folder, postgres_database)
    made.both("clock", {"rate": 1})
    made.open()  # to look into its ledger
    yield made
    made.close()


__all__ = ["ROUTE", "ROUTES", "Start", "Worker", "short_lease", "until"]
