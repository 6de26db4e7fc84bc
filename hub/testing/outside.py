"""What an author gives: the system on the other side, as the kit drives it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hub.contract import SalesOrder
from hub.testing.deeds import Deeds
from hub.testing.faults import Answer


@dataclass(frozen=True, slots=True)
class SeenOrder:
    """A living sales order as it stands on the other side.

    ``rows`` holds SKU and quantity of each row, in any order; ``shipping`` its shipping charge net of tax, 0 where
    there is none, and None where that cannot be told.
    """

    ref: str
    rows: tuple[tuple[str, Decimal], ...]
    shipping: Decimal | None = None


class Outside(Deeds):
    """The system on the other side. Subclass it; each hook of the connector needs the methods listed under its name.

    The kit stands between connector and system and makes the faults itself, so the system only has to behave. What
    ``hub.testing.Deeds`` lists is optional: it lets more rules run.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._begun, self._skipped, self._lock = time.monotonic(), timedelta(), threading.Lock()
        self._start = start or datetime.now(UTC)

    # Every connector:

    def upstream(self) -> str | Answer:
        """Return the URL of the running system, or a function that answers for it."""
        raise self._wanted("upstream", "every connector")

    def settings(self, url: str) -> dict[str, Any]:
        """Return the connector's settings, secrets in plain text, that reach the system at ``url``."""
        raise self._wanted("settings", "every connector")

    def refuse_credentials(self) -> None:
        """Make the system refuse the connector's credentials from now on."""
        raise self._wanted("refuse_credentials", "every connector that has credentials")

    # pull_orders and fetch_orders:

    def seed_orders(self, count: int) -> Sequence[str]:
        """Add so many orders, their last changes seconds apart and some days ago at most; return their refs."""
        raise self._wanted("seed_orders", "pull_orders and fetch_orders")

    def touch(self, ref: str) -> None:
        """Change an order at the present instant, so that its ``updated_at`` moves."""
        raise self._wanted("touch", "pull_orders and fetch_orders")

    # find_variants, push_order and find_orders:

    def seed_variants(self, count: int) -> Sequence[str]:
        """Add so many variants that may be sold and ask for no tax; return their SKUs."""
        raise self._wanted("seed_variants", "find_variants and push_order")

    def sales_orders(self) -> Sequence[SeenOrder]:
        """Return every living sales order."""
        raise self._wanted("sales_orders", "push_order and find_orders")

    def delete_order(self, ref: str) -> None:
        """Delete a sales order, as a person would."""
        raise self._wanted("delete_order", "find_orders")

    def refused(self, order: SalesOrder) -> tuple[SalesOrder, str]:
        """Return an order like this one that the system refuses, and a word of the reason it gives."""
        raise self._wanted("refused", "push_order")

    # Only where the system keeps its own time:

    def now(self) -> datetime:
        """Return the system's time."""
        with self._lock:
            return self._start + timedelta(seconds=time.monotonic() - self._begun) + self._skipped

    def pass_time(self, seconds: float) -> None:
        """Let time pass at once, on the system too; waits of the hub end here."""
        with self._lock:
            self._skipped += timedelta(seconds=max(seconds, 0))
