"""What each kind of work takes in calls, as the forecast needs it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from hub.contract import Budget, HubError
from hub.store import Store
from hub.store.budgets import Cost, add_costs

KEEP_EVERY_S = 15.0  # of real time: so seldom that it costs nothing per order
SWEEP = "sweep"
ALL = "all"
_ENDPOINT = re.compile(r"([A-Z]+ )?/?([a-z_]+|\d{6}|v\d|\{[a-z_]+\})(/([a-z_]+|\d{6}|\{[a-z_]+\}))*")


def kind_of(hook: str, arguments: dict[str, Any]) -> str:
    """Name a kind of work: by its hook; a whole reading of stock apart from that of a few Variants."""
    return SWEEP if hook == "pull_inventory" and arguments.get("variants") is None else hook


def endpoint_of(key: str) -> str:
    """Return what of a budget's key may be told: the endpoint at its end; else it is one for all calls, or private."""
    last = key.rpartition(":")[2]
    return last if _ENDPOINT.fullmatch(last) else ALL


class Costs:
    """Counts of this process that are not yet kept in the store."""

    def __init__(self, store: Store) -> None:
        self._store, self._lock = store, threading.Lock()
        self._new: dict[tuple[str, str], Cost] = {}
        self._kept_at = float("-inf")  # the first is kept at once: a forecast beside a new daemon knows of it
        self._budgets: dict[str, set[Budget]] = {}

    def budgets_of(self, connection: str) -> set[Budget]:
        """Return the budgets that calls of this process to a Connection came out of."""
        with self._lock:
            return set(self._budgets.get(connection, ()))

    def add(self, connection: str, kind: str, calls: Mapping[Budget | None, int], effects: int) -> None:
        """Count the calls that a piece of work took; now and then all that was counted is kept."""
        with self._lock:
            old = self._new.get((connection, kind), Cost(0.0, 0.0, {}))
            for budget, times in calls.items():
                if budget is not None:
                    self._budgets.setdefault(connection, set()).add(budget)
                    before = old.budgets.get(budget.key, [0.0])[0]
                    old.budgets[budget.key] = [before + times, budget.calls, budget.per_s]
            self._new[connection, kind] = Cost(old.calls + sum(calls.values()), old.effects + effects, old.budgets)
            is_due = time.monotonic() - self._kept_at >= KEEP_EVERY_S
        if is_due:
            self.keep()

    def keep(self) -> None:
        """Keep what was counted; what cannot be kept is only less known."""
        with self._lock:
            rows, self._new = self._new, {}
            self._kept_at = time.monotonic()
        if rows:
            with suppress(HubError), self._store.write() as tx:
                add_costs(tx, rows)
