"""Rate limits per endpoint, app and shop, and the hourly one of test shops."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable

from tiktok_simulator.clock import Clock
from tiktok_simulator.options import Options
from tiktok_simulator.wire import ApiError

TOO_MANY = 36009002


class Limits:
    """Sliding windows over simulated time, or over real time while the simulated clock stands still."""

    def __init__(self, clock: Clock, options: Options, real: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._options = options
        self._real = real
        self._windows: dict[tuple[str, ...], deque[float]] = {}

    def count(self, endpoint: str, app: str, shop: str) -> None:
        """Count a call, or refuse it with 429 when a window is full (T-40, T-41)."""
        now = self._clock.now() if self._clock.rate else self._real()
        windows = [
            (("second", endpoint, app, shop), self._options.number("rate_limit"), 1.0),
            (("hour", shop), self._options.number("hourly_limit"), 3600.0),
        ]
        open_windows = []
        for key, limit, length in windows:
            if limit is None:
                continue
            window = self._windows.setdefault(key, deque())
            while window and not now - length < window[0] <= now:
                window.popleft()
            if len(window) >= limit:
                wait = math.ceil(window[0] + length - now) if window else length
                raise too_many(max(1, int(wait)))
            open_windows.append(window)
        for window in open_windows:
            window.append(now)


def too_many(wait_s: int) -> ApiError:
    """The refusal of a call that came too soon."""
    return ApiError(TOO_MANY, "Too many requests, please slow down", 429, {"Retry-After": str(wait_s)})
