"""Simulated time, and how instants are written."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)", re.IGNORECASE)


class Clock:
    """Simulated Unix seconds that can be set, pushed forward and sped up.

    It starts at real time. Nothing waits on it: whatever depends on time (the rate window, visibility of new
    orders, staleness of stock) compares instants when it is asked, so a jump needs no catching up.
    """

    def __init__(self) -> None:
        self.rate = 1.0
        self._base = time.time()
        self._since = time.monotonic()

    def now(self) -> float:
        return self._base + (time.monotonic() - self._since) * self.rate

    def set(self, now: float) -> None:
        self._base, self._since = now, time.monotonic()

    def advance(self, seconds: float) -> None:
        self.set(self.now() + seconds)

    def set_rate(self, rate: float) -> None:
        self.set(self.now())
        self.rate = rate


def iso(seconds: float) -> str:
    """Write an instant the way answers do: UTC, milliseconds, Z.  # K-17"""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def canonical(text: str) -> str | None:
    """Rewrite an instant from a request as `iso` would, or answer None where it is not one with time and zone."""
    if not _INSTANT.fullmatch(text):
        return None
    try:
        return iso(datetime.fromisoformat(text.upper()).timestamp())
    except (ValueError, OverflowError):
        return None
