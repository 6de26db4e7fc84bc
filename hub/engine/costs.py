"""What each kind of work takes in calls, as the forecast needs it."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Any

from hub.contract import HubError
from hub.host.work import Work
from hub.store import Store
from hub.store.budgets import Cost, add_costs

KEEP_EVERY_S = 15.0  # of real time: so seldom that it costs nothing per order
SWEEP = "sweep"


def kind_of(hook: str, arguments: dict[str, Any]) -> str:
    """Name a kind of work: by its hook; a whole reading of stock apart from that of a few Variants."""
    return SWEEP if hook == "pull_inventory" and arguments.get("variants") is None else hook


class Costs:
    """Counts of this process that are not yet kept in the store."""

    def __init__(self, store: Store) -> None:
        self._store, self._lock = store, threading.Lock()
        self._new: dict[tuple[str, str], Cost] = {}
        self._kept_at = time.monotonic()

    def add(self, connection: str, kind: str, work: Work, effects: int) -> None:
        """Count what a piece of work took; now and then all that was counted is kept."""
        with self._lock:
            old = self._new.get((connection, kind), Cost(0.0, 0.0, {}))
            for budget, calls in work.calls.items():
                if budget is not None:
                    before = old.budgets.get(budget.key, [0.0, 0.0])[0]
                    old.budgets[budget.key] = [before + calls, 60 * budget.calls / budget.per_s]
            self._new[connection, kind] = Cost(old.calls + sum(work.calls.values()), old.effects + effects, old.budgets)
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
