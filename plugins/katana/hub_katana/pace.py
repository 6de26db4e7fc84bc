"""What Katana's answers say of the rate limit."""

from __future__ import annotations

from datetime import datetime

import httpx

from hub.contract import Pace

WINDOW_S = 60.0  # K-04
_MILLISECONDS_FROM = 10**12  # K-06
_DIGITS = 19  # more are no time and no number of calls


def read_pace(response: httpx.Response, now: datetime) -> Pace | None:
    """Return the calls left and when they come back; None where the answer does not say.

    Units: seconds from ``now``, at most one window: a clock that runs apart must not stop the Connection for longer.
    Source: K-05; K-06 for the two units of the reset, which size tells apart, and for Retry-After going first.
    """
    refused = response.status_code == httpx.codes.TOO_MANY_REQUESTS
    if refused and (wait_s := retry_after_s(response)) is not None:
        return Pace(0, wait_s)
    remaining = 0 if refused else _whole(response.headers.get("X-Ratelimit-Remaining"))
    resets_in_s = _resets_in_s(response, now)
    if remaining is None or resets_in_s is None:
        return None
    return Pace(max(remaining, 0), resets_in_s)


def wait_s(response: httpx.Response, now: datetime) -> float | None:
    """Return how long a refused call should wait: Retry-After, else on a 429 the reset, else None."""
    told = retry_after_s(response)
    if told is None and response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return _resets_in_s(response, now)
    return told


def retry_after_s(response: httpx.Response) -> float | None:
    """Return Retry-After in seconds; None where it is missing or is a date."""
    told = _whole(response.headers.get("Retry-After"))
    return None if told is None else float(max(told, 0))


def _resets_in_s(response: httpx.Response, now: datetime) -> float | None:
    reset = _whole(response.headers.get("X-Ratelimit-Reset"))
    if reset is None:
        return None
    reset_s = reset / 1000 if reset >= _MILLISECONDS_FROM else float(reset)
    return min(max(reset_s - now.timestamp(), 0.0), WINDOW_S)


def _whole(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if len(text) < _DIGITS and text.isascii() and text.removeprefix("-").isdecimal() else None
