"""Durations and instants as a route file writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smhd])")
YEAR_S = 366 * 86_400
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def duration_s(value: Any) -> float | None:
    """Return a duration in seconds; None where the value is none."""
    if value in (0, "0") and not isinstance(value, bool):
        return 0.0
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    return float(Decimal(found[1]) * _SECONDS[found[2]]) if found else None


def span_s(value: Any) -> float | None:
    """Return a duration in seconds; None where the value is none, or longer than a year."""
    found = duration_s(value)
    return None if found is None or found > YEAR_S else found


def seconds(value: Any) -> float:
    """Return a duration that is known to be one in seconds."""
    found = duration_s(value)
    return 0.0 if found is None else found


def start_of(text: str) -> datetime | None:
    """Return a date's midnight in UTC, or an instant that has a zone; None where the text is neither."""
    try:
        instant = datetime.fromisoformat(text.strip())
        if len(text.strip()) == len("2026-01-15"):
            return instant.replace(tzinfo=UTC)
        return instant.astimezone(UTC) if instant.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
