"""Cancellation records: who asked, for which units, and what came of it (10)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from tiktok_simulator.feed import Feed
from tiktok_simulator.order import Order, Unit
from tiktok_simulator.webhooks.outlet import Outlet
from tiktok_simulator.webhooks.topics import CANCELLATION

PENDING = "CANCELLATION_REQUEST_PENDING"
SUCCESS = "CANCELLATION_REQUEST_SUCCESS"
CANCELLED = "CANCELLATION_REQUEST_CANCELLED"
COMPLETE = "CANCELLATION_REQUEST_COMPLETE"


@dataclass(slots=True)
class Cancellation:
    """One cancellation, asked for or done; only an open request has a deadline that matters."""

    id: str
    order: Order
    units: list[Unit]
    role: str
    reason: str
    reason_text: str
    create_time: int
    update_time: int
    status: str = PENDING
    deadline: int = 0
    reject_reason: str = ""
    keys: set[str] = field(default_factory=set)

    @property
    def kind(self) -> str:
        """Which of the two types of the search it is."""
        return "BUYER_CANCEL" if self.role == "BUYER" else "CANCEL"


class Cancellations:
    """All records by id, by order and, for each shop, by time."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self.clear()

    def clear(self) -> None:
        """Forget all records and start ids anew."""
        self.by_id: dict[str, Cancellation] = {}
        self.by_order: dict[str, list[Cancellation]] = {}
        self.feeds: dict[str, Feed] = {}
        self._numbers = itertools.count(1)

    def feed(self, shop_id: str) -> Feed:
        """The feed of a shop."""
        return self.feeds.setdefault(shop_id, Feed())

    def make(self, order: Order, units: list[Unit], role: str, reason: str, text: str, at: int) -> Cancellation:
        """A new record, still pending."""
        record = Cancellation(f"403{next(self._numbers):015d}", order, units, role, reason, text, at, at)
        self.by_id[record.id] = record
        self.by_order.setdefault(order.id, []).append(record)
        self.feed(order.shop).add(record)
        return record

    def open_of(self, order: Order) -> list[Cancellation]:
        """The requests of an order that wait for an answer."""
        return [record for record in self.by_order.get(order.id, []) if record.status == PENDING]

    def become(self, record: Cancellation, status: str, at: int) -> None:
        """Bring a record to a status."""
        record.status = status
        self.feed(record.order.shop).move(record, max(at, record.create_time))
        self.tell(record, at)

    def tell(self, record: Cancellation, at: int) -> None:
        """A record was made, or came to a status."""
        data = {
            "order_id": record.order.id,
            "cancel_id": record.id,
            "cancellations_role": record.role,
            "cancel_status": record.status,
            "create_time": record.create_time,
        }
        self._outlet.tell(record.order.shop, CANCELLATION, data, at)
