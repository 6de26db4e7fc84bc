"""What was called, in order, and how often."""

from __future__ import annotations

from collections import Counter

from tiktok_simulator.wire import Json

KEPT = 200_000


class Journal:
    """Every call of the system; its numbers go on after the list is forgotten."""

    def __init__(self) -> None:
        self._calls: list[Json] = []
        self._first = 0
        self._counts: Counter[str] = Counter()

    def note(self, call: Json, template: str) -> None:
        """Add a call, counted under its method and path template."""
        self._calls.append({"n": self._first + len(self._calls), **call})
        self._counts[f"{call['method']} {template}"] += 1
        if len(self._calls) > KEPT:
            dropped = len(self._calls) - KEPT // 2
            del self._calls[:dropped]
            self._first += dropped

    def since(self, number: int, limit: int | None = None) -> Json:
        """Calls from a number on, and the number to ask for next."""
        start = max(0, number - self._first)
        calls = self._calls[start:] if limit is None else self._calls[start : start + limit]
        following = self._first + start + len(calls)
        return {"next": max(following, number), "calls": calls}

    def forget(self) -> None:
        """Drop the calls and the counts."""
        self._first += len(self._calls)
        self._calls = []
        self._counts.clear()

    def counters(self) -> Json:
        """How often each call was made."""
        return {"calls": dict(sorted(self._counts.items())), "total": self._counts.total()}
