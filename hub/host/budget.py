"""The request budget: how many calls may go out under one key, shared by all Connections of this process."""

from __future__ import annotations

import threading
from collections import deque
from datetime import timedelta

from hub.contract import Budget, Pace
from hub.host.clock import HubClock


class _Window:
    def __init__(self) -> None:
        self.sent: deque[float] = deque()
        self.closed_until = 0.0


class Budgets:
    """A sliding window per key, narrowed by what the other side's headers say."""

    def __init__(self, clock: HubClock) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._windows: dict[str, _Window] = {}

    def delay(self, budget: Budget) -> float:
        """Take a place if one is free now and return 0, else return the seconds until one may be."""
        now = self._clock.now().timestamp()
        with self._lock:
            window = self._windows.setdefault(budget.key, _Window())
            if window.sent and window.sent[-1] > now:
                window.sent.clear()  # the clock was set back; what was sent cannot be told any more
                window.closed_until = min(window.closed_until, now + budget.per_s)
            while window.sent and window.sent[0] <= now - budget.per_s:
                window.sent.popleft()
            if window.closed_until > now:
                return window.closed_until - now
            if len(window.sent) >= budget.calls:
                return window.sent[0] + budget.per_s - now
            window.sent.append(now)
            return 0.0

    def learn(self, budget: Budget, pace: Pace | None) -> None:
        """Stop at the other side's word: no call is left until its reset."""
        if pace is not None and pace.remaining <= 0:
            self.close(budget, pace.resets_in_s)

    def close(self, budget: Budget, seconds: float) -> None:
        """Let nothing out under this key for that long."""
        until = (self._clock.now() + timedelta(seconds=seconds)).timestamp()
        with self._lock:
            window = self._windows.setdefault(budget.key, _Window())
            window.closed_until = max(window.closed_until, until)
