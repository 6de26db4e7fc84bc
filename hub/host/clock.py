"""Where the hub takes its time from: the machine, or a simulator's clock on loopback."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Protocol

import httpx

from hub.contract import ConfigurationError, is_loopback
from hub.host.transport import Transport

FOLLOW_EVERY_S = 0.2
LEAP_S = 1.0


def has_passed(since: datetime, seconds: float, now: datetime) -> bool:
    """Say whether that long has passed since an instant.

    Also where the instant is as far ahead: it was written before the clock was set back, and would else be waited for.
    """
    return abs((now - since).total_seconds()) >= seconds


class HubClock(Protocol):
    """The clock of the hub's own parts: it can also wait."""

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        ...

    def wait(self, seconds: float, until: threading.Event | None = None) -> None:
        """Wait that long on this clock, or until the event is set."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        return datetime.now(UTC)

    def wait(self, seconds: float, until: threading.Event | None = None) -> None:
        """Wait that long, or until the event is set."""
        (until or threading.Event()).wait(max(seconds, 0))

    def close(self) -> None:
        """Hold nothing."""


def real_s(clock: HubClock, seconds: float) -> float:
    """Return how many real seconds to sleep where that many shall pass on a clock; a followed one may leap."""
    return clock.real_s(seconds) if isinstance(clock, FollowedClock) else seconds


class FollowedClock:
    """A simulator's clock, asked over HTTP a few times a second and reckoned on in between.

    Args:
        url: answers GET with ``{"now": Unix seconds, "rate": simulated seconds per real second}``.
    """

    def __init__(self, url: str) -> None:
        if not is_loopback(url):
            raise ConfigurationError(
                "clock-not-loopback",
                f"the clock {url} is not on this machine",
                where="clock",
                do="Remove 'clock' from the route file; it is for simulators.",
            )
        self._url, self._lock = url, threading.Lock()
        self._http = httpx.Client(timeout=5, trust_env=False, transport=Transport())
        self._asked = float("-inf")
        self._now, self._rate = 0.0, 1.0

    def now(self) -> datetime:
        """Return the simulated instant."""
        with self._lock:
            since = time.monotonic() - self._asked
            if since > FOLLOW_EVERY_S:
                self._ask()
                since = 0.0
            return datetime.fromtimestamp(self._now + since * self._rate, UTC)

    def close(self) -> None:
        """Close the connection to the simulator."""
        self._http.close()

    def _ask(self) -> None:
        try:
            said = self._http.get(self._url).raise_for_status().json()
            self._now, self._rate = float(said["now"]), float(said.get("rate", 1.0))
        except (httpx.HTTPError, KeyError, ValueError) as error:
            raise ConfigurationError(
                "clock-unreachable",
                f"no time from {self._url} ({type(error).__name__})",
                where="clock",
                do="Start it, or remove 'clock'.",
            ) from error
        self._asked = time.monotonic()

    def wait(self, seconds: float, until: threading.Event | None = None) -> None:
        """Wait that long in simulated time, looking again as often as the clock is followed."""
        until = until or threading.Event()
        end = self.now().timestamp() + seconds
        while (left := end - self.now().timestamp()) > 0:
            if until.wait(min(left / max(self._rate, 0.001), FOLLOW_EVERY_S)):
                return

    def real_s(self, seconds: float) -> float:
        """Return how many real seconds that is at the present rate, at most until it is time to look again."""
        return min(seconds / max(self._rate, 0.001), LEAP_S)
