"""SIGHUP: the route file is read again; refused as a whole where anything in it is wrong."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.conftest import Start, until
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


def test_changed_route_file_is_taken_whole_or_not_at_all(site: Site, start: Start) -> None:
    site.order(create_time=NOON - 60)
    site.advance(2 * 3600)
    daemon = start(site)
    until(lambda: site.fates() == {"held": 1})

    rewrite(site, "hold: 10h", "hold: 10x\n      unheard_of: true")
    daemon.signal(signal.SIGHUP)
    until(lambda: bool(daemon.events("routes-refused")))
    told = " ".join(daemon.events("routes-refused")[0]["faults"])
    assert "10x" in told or "hold" in told
    assert "unheard_of" in told
    site.order(create_time=NOON)
    site.advance(120)
    until(lambda: site.fates() == {"held": 2})  # it works on, by the file as it was

    rewrite(site, "hold: 10x\n      unheard_of: true", "hold: 60m")
    daemon.signal(signal.SIGHUP)
    until(lambda: bool(daemon.events("routes-reloaded")))
    site.order(create_time=NOON + 7200)
    site.advance(120)
    until(lambda: site.fates() == {"held": 3})
    site.advance(3600)
    until(lambda: site.fates() == {"held": 2, "placed": 1})
    assert daemon.stop() == 0
