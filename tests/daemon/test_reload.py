"""SIGHUP: the route file is read again; refused as a whole where anything in it is wrong."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.daemon.conftest import Start, Worker, until
from tests.site import NOON, Site


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A site whose orders are held for ten hours; its time passes as real time does."""
    folder = tmp_path / "site"
    folder.mkdir()
    on_file = request.param == "sqlite"
    made = Site(folder, str(folder / "hub.db") if on_file else request.getfixturevalue("postgres_database"))
    made.both("clock", {"rate": 1})
    rewrite(made, "start: 2026-03-01", "start: 2026-03-01\n      hold: 10h")
    made.open()
    yield made
    made.close()


def rewrite(site: Site, old: str, new: str) -> None:
    file = site.folder / "routes.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def told_of_routes(daemon: Worker) -> tuple[float, float]:
    """Return whether the route file was taken when it was last read, and when that was, as Prometheus is told."""
    text = httpx.get(f"http://{daemon.events('listening')[0]['address']}/metrics", timeout=30).text
    taken, at = (
        re.search(rf"^hub_routes_reload_{name} (\S+)", text, re.M) for name in ("successful", "timestamp_seconds")
    )
    assert taken is not None
    assert at is not None
    return float(taken[1]), float(at[1])


def test_changed_route_file_is_taken_whole_or_not_at_all(site: Site, start: Start) -> None:
    site.order(create_time=NOON - 60)
    site.advance(2 * 3600)
    daemon = start(site, "--listen", "127.0.0.1:0")
    until(lambda: site.fates() == {"held": 1})
    taken, first_at = told_of_routes(daemon)
    assert taken == 1

    rewrite(site, "hold: 10h", "hold: 10x\n      unheard_of: true")
    daemon.signal(signal.SIGHUP)
    until(lambda: bool(daemon.events("routes-refused")))
    told = " ".join(daemon.events("routes-refused")[0]["faults"])
    assert "10x" in told or "hold" in told
    assert "unheard_of" in told
    until(lambda: told_of_routes(daemon)[0] == 0)
    assert told_of_routes(daemon)[1] > first_at
    site.order(create_time=NOON)
    site.advance(120)
    until(lambda: site.fates() == {"held": 2})  # it works on, by the file as it was

    rewrite(site, "hold: 10x\n      unheard_of: true", "hold: 60m")
    daemon.signal(signal.SIGHUP)
    until(lambda: bool(daemon.events("routes-reloaded")))
    until(lambda: told_of_routes(daemon)[0] == 1)
    site.order(create_time=NOON + 7200)
    site.advance(120)
    until(lambda: site.fates() == {"held": 3})
    site.advance(3600)
    until(lambda: site.fates() == {"held": 2, "placed": 1})
    assert daemon.stop() == 0
