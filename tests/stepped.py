"""A daemon whose sleep is a step of both simulators' clocks: an hour takes as long as its work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import sqlalchemy as sa

from hub.host.clock import FollowedClock
from hub.store import Store
from tests.site import Site


class SteppedClock:
    """Time passes only while somebody waits; at the end everybody is told to stop.

    Args:
        between: called with the seconds that passed so far, after each step.
    """

    def __init__(
        self, site: Site, stop: threading.Event, end_s: float, between: Callable[[float], None] = lambda passed_s: None
    ) -> None:
        self._site, self._stop, self._between = site, stop, between
        self._begin = self._now = float(site.tiktok_sim("clock", method="GET")["now"])
        self._end = self._begin + end_s
        self.waits: list[float] = []
        self._followed = site.world.clock if site.world is not None else None  # what connectors were built with

    def now(self) -> datetime:
        """Return the present instant of the simulators."""
        return datetime.fromtimestamp(self._now, UTC)

    def wait(self, seconds: float, until: threading.Event | None = None) -> None:
        """Move both clocks on by that long."""
        self.waits.append(seconds)
        self._now += seconds
        self._site.both("clock", {"now": self._now, "rate": 0})
        if isinstance(self._followed, FollowedClock):
            self._followed._asked = float("-inf")  # it looks again at once
        self._between(self._now - self._begin)
        if self._now >= self._end:
            self._stop.set()

    def close(self) -> None:
        """Hold nothing."""


@contextmanager
def writes_of(store: Store) -> Iterator[list[str]]:
    """Collect the transactions that lock the database for writing."""
    found: list[str] = []

    def begun(connection: sa.Connection) -> None:
        if connection.get_execution_options().get("writes"):
            found.append("write")

    sa.event.listen(store.engine, "begin", begun)
    try:
        yield found
    finally:
        sa.event.remove(store.engine, "begin", begun)
