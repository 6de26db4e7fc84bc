"""The request quota, on simulated time (K-04, K-05, K-06)."""

from __future__ import annotations

import math
from collections import deque

from katana_simulator.options import Options


class Limiter:
    """Counts calls in a window of 60 simulated seconds and says what the rate headers hold."""

    WINDOW_S = 60.0

    def __init__(self, options: Options) -> None:
        self._options = options
        self._window_start = -math.inf
        self._used = 0
        self._recent: deque[float] = deque()

    def take(self, now: float) -> tuple[dict[str, str], int | None]:
        """Count one call: its headers, and the seconds to wait when it is one too many."""
        wanted = self._options["rate_limit"]
        if wanted == "off":
            return self._headers(1_000_000, 1_000_000, now + self.WINDOW_S), None
        limit = int(float(wanted))
        if self._options["rate_window"] == "sliding":
            left, ends = self._take_sliding(limit, now)
        else:
            left, ends = self._take_fixed(limit, now)
        headers = self._headers(limit, max(left, 0), ends)
        return headers, (max(math.ceil(ends - now), 1) if left < 0 else None)

    def _take_fixed(self, limit: int, now: float) -> tuple[int, float]:
        if not self._window_start <= now < self._window_start + self.WINDOW_S:
            self._window_start, self._used = now, 0
        ends = self._window_start + self.WINDOW_S
        if self._used >= limit:
            return -1, ends
        self._used += 1
        return limit - self._used, ends

    def _take_sliding(self, limit: int, now: float) -> tuple[int, float]:
        while self._recent and not self._recent[0] <= now < self._recent[0] + self.WINDOW_S:
            self._recent.popleft()
        is_over = len(self._recent) >= limit
        if not is_over:
            self._recent.append(now)
        ends = (self._recent[0] if self._recent else now) + self.WINDOW_S
        return -1 if is_over else limit - len(self._recent), ends

    def _headers(self, limit: int, left: int, ends: float) -> dict[str, str]:
        unit = 1 if self._options["ratelimit_reset_unit"] == "s" else 1000
        return {
            "X-Ratelimit-Limit": str(limit),
            "X-Ratelimit-Remaining": str(left),
            "X-Ratelimit-Reset": str(math.ceil(ends * unit)),
        }
