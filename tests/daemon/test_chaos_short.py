"""The chaos of `make chaos` in short: real processes, killed and paused, between two systems that fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.chaos.hubs import Fortune
from bench.chaos.scene import LEASE_S, Script, play
from bench.chaos.window import Provoked, provoke
from tests.e2e.starter import Starter

KILLED = Fortune(0.2, 1.2)
PAUSED = Fortune(0.5, 1.0, pause_s=(LEASE_S + 0.5, LEASE_S + 1.5))


@pytest.fixture(scope="module")
def starter() -> Iterator[Starter]:
    """What forks hub processes."""
    made = Starter()
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fortunes", "duplicates"), [((KILLED,), "refuse"), ((KILLED, PAUSED, KILLED), "allow")], ids=["file", "server"]
)
def test_every_law_holds_whatever_dies(
    tmp_path: Path, request: pytest.FixtureRequest, starter: Starter, fortunes: tuple[Fortune, ...], duplicates: str
) -> None:
    """One process on SQLite; three workers on PostgreSQL, one of them paused past its lease."""
    single = len(fortunes) == 1
    database = str(tmp_path / "site" / "hub.db") if single else request.getfixturevalue("postgres_database")
    script = Script(
        "short", database, fortunes, duplicates, buyers=40, kills=3, lively_s=90, hours=0.25, tail_hours=1.7,
        calm_s=120, fast=600, timeout_s=1,
    )  # fmt: skip
    came = play(tmp_path / "site", script, starter)
    assert came.broken == []
    assert came.figures["kills"] > 0
    assert came.figures["faults"] > 0
    assert came.figures["orders"] == came.fates.total() > 5
    assert came.figures["pauses"] > 0 or single


@pytest.mark.slow
@pytest.mark.parametrize("duplicates", ["allow", "refuse"])
def test_order_sent_in_the_window_by_a_worker_taken_for_dead_is_named_or_adopted(
    tmp_path: Path, postgres_database: str, duplicates: str
) -> None:
    """Law 1: stopped between the last check and its bytes, past lease, deadline, time-out and settle time."""
    came = provoke(tmp_path / "site", postgres_database, duplicates)
    if duplicates == "refuse":
        assert came == Provoked(1, (), ("placed", None), True)
    else:
        assert (came.sales_orders, came.fate[0]) == (2, "blocked")
        assert [name.count("(id ") for name in came.named] == [2]
