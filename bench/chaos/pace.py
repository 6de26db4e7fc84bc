"""The simulators' clock: fast while the hub keeps up, slow while it does not, so that a busy machine changes little."""

from __future__ import annotations

import time

from tests.site import NOON, Site

SLOWER = 20.0
BEHIND_S = 2.5  # real seconds without a reading of orders at full pace, and the clock waits for the hub
LOOK_S = 0.1
FEED = "/orders/search"


class Pace:
    """Drives both clocks alike.

    Args:
        fast: how many simulated seconds pass in a real one while the hub keeps up.
    """

    def __init__(self, site: Site, fast: float) -> None:
        self._site, self._fast, self._rate = site, fast, 0.0
        self._base, self._since = float(NOON), time.monotonic()
        self._feed, self._fed_at, self._looked = 0, float(NOON), time.monotonic()
        self.slow_s = 0.0

    @property
    def now(self) -> float:
        """The simulated second; a little behind the simulators, so that nothing is done in their future."""
        return self._base + (time.monotonic() - self._since) * self._rate

    def look(self) -> None:
        """Choose the rate by whether the hub reads its orders in time."""
        since = time.monotonic() - self._looked
        if since < LOOK_S:
            return
        self._looked += since
        feed = sum(n for call, n in self._site.calls("tiktok").items() if FEED in call)
        if feed != self._feed:
            self._feed, self._fed_at = feed, self.now
        is_behind = self.now - self._fed_at > BEHIND_S * self._fast
        rate = self._fast / SLOWER if is_behind else self._fast
        if self._rate < self._fast:
            self.slow_s += since
        if rate != self._rate:
            self._turn(rate)

    def rest(self) -> None:
        """Let time pass as it does outside, for whoever looks at what has become of it."""
        self._turn(1.0)

    def _turn(self, rate: float) -> None:
        site = self._site
        clocks = [site.sim(url, "clock", method="GET")["now"] for url in (site.tiktok.url, site.katana.url)]
        at = max(*clocks, self.now)
        site.both("clock", {"now": at, "rate": rate})
        self._base, self._since, self._rate = at, time.monotonic(), rate
