"""What was called: a bounded journal, and counters that are never cut short."""

from __future__ import annotations

import itertools
from collections import Counter, deque
from typing import Any
from urllib.parse import parse_qs

Entry = tuple[int, float, str, str, str, Any, int | None, str | None, bool]
_NAMES = ("n", "at", "method", "path", "query", "body", "status", "fault", "wrote")


class Journal:
    """Calls in the order they were answered; `n` counts from 0 and goes on after the journal is forgotten."""

    def __init__(self, size: int) -> None:
        self._entries: deque[Entry] = deque(maxlen=size)
        self._next = 0
        self.counters: Counter[str] = Counter()

    def resize(self, size: int) -> None:
        if size != self._entries.maxlen:
            self._entries = deque(self._entries, maxlen=size)

    def add(
        self,
        at: float,
        method: str,
        path: str,
        query: str,
        body: Any,
        status: int | None,
        fault: str | None,
        wrote: bool,
    ) -> None:
        self._entries.append((self._next, at, method, path, query, body, status, fault, wrote))
        self._next += 1

    def since(self, number: int, limit: int | None) -> dict[str, Any]:
        """Calls from n = `number` on, oldest first; `next` is what to ask with the next time."""
        found = itertools.islice((entry for entry in self._entries if entry[0] >= number), limit)
        calls = [_shown(entry) for entry in found]
        return {"next": calls[-1]["n"] + 1 if calls else max(number, self._next), "calls": calls}

    def forget(self) -> None:
        """Drop the calls and their counts."""
        self._entries.clear()
        self.counters.clear()

    def count(self) -> dict[str, Any]:
        return {"calls": dict(self.counters), "total": self.counters.total()}


def _shown(entry: Entry) -> dict[str, Any]:
    call = dict(zip(_NAMES, entry, strict=True))
    # Parsed only when somebody reads it: keeping the journal must stay cheap.
    query = parse_qs(call["query"], keep_blank_values=True)
    call["query"] = {name: values[0] if len(values) == 1 else values for name, values in query.items()}
    return call
