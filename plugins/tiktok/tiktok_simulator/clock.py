"""Simulated time, and what is due in it."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable

Deed = Callable[[int], None]


class Clock:
    """Simulated Unix seconds, moving `rate` times as fast as real ones."""

    def __init__(self, now: float | None = None, rate: float = 1.0) -> None:
        # One object, so that a thread without a lock reads no half of a turn.
        self._state = (time.time() if now is None else now, time.monotonic(), rate)

    @property
    def rate(self) -> float:
        """Simulated seconds per real one."""
        return self._state[2]

    def now(self) -> float:
        """The present instant in simulated Unix seconds."""
        base, since, rate = self._state
        return base + (time.monotonic() - since) * rate

    def turn(self, *, now: float | None = None, advance_s: float = 0.0, rate: float | None = None) -> None:
        """Set the clock, move it, or change its pace; the three may be combined."""
        base = (self.now() if now is None else now) + advance_s
        self._state = (base, time.monotonic(), self.rate if rate is None else rate)


class Agenda:
    """Deeds with a due time; they happen in order, each told the second it was due, not the second it ran."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Deed]] = []
        self._numbers = itertools.count()

    def at(self, when: float, deed: Deed) -> None:
        """Plan a deed; equal times run in the order they were planned."""
        heapq.heappush(self._due, (when, next(self._numbers), deed))

    def run(self, now: float) -> None:
        """Do everything due by now; a deed may plan further ones that are due as well."""
        while self._due and self._due[0][0] <= now:
            when, _, deed = heapq.heappop(self._due)
            deed(int(when))

    def clear(self) -> None:
        """Forget all plans."""
        self._due.clear()
