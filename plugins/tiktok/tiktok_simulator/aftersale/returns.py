"""Returns and refunds after shipping: their way from request to end (10)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from tiktok_simulator.feed import Feed
from tiktok_simulator.lifecycle import Lifecycle
from tiktok_simulator.order import ARRANGED, COMPLETED, Order, Unit
from tiktok_simulator.orders import Orders
from tiktok_simulator.webhooks.topics import RETURN
from tiktok_simulator.wire import ControlError, Json

PENDING = "RETURN_OR_REFUND_REQUEST_PENDING"
REJECTED = "REFUND_OR_RETURN_REQUEST_REJECT"
AWAITING_SHIP = "AWAITING_BUYER_SHIP"
SHIPPED = "BUYER_SHIPPED_ITEM"
REFUSED_PACKAGE = "REJECT_RECEIVE_PACKAGE"
SUCCESS = "RETURN_OR_REFUND_REQUEST_SUCCESS"
CANCELLED = "RETURN_OR_REFUND_REQUEST_CANCEL"
COMPLETE = "RETURN_OR_REFUND_REQUEST_COMPLETE"
OFFERED = "AWAITING_BUYER_RESPONSE"
REPLACE_PENDING, REPLACE_REJECTED = "REPLACEMENT_REQUEST_PENDING", "REPLACEMENT_REQUEST_REJECT"
REPLACE_REFUNDED, REPLACE_CANCELLED = "REPLACEMENT_REQUEST_REFUND_SUCCESS", "REPLACEMENT_REQUEST_CANCEL"
REPLACE_DONE = "REPLACEMENT_REQUEST_COMPLETE"
STATUSES = (
    PENDING, REJECTED, AWAITING_SHIP, SHIPPED, REFUSED_PACKAGE, SUCCESS, CANCELLED, COMPLETE, OFFERED, REPLACE_PENDING,
    REPLACE_REJECTED, REPLACE_REFUNDED, REPLACE_CANCELLED, REPLACE_DONE,
)  # fmt: skip
TYPES = ("REFUND", "RETURN_AND_REFUND", "REPLACEMENT")
# What the seller is asked to do in a status, by type of return.
NEXT_ACTION = {
    (PENDING, "REFUND"): "SELLER_RESPOND_REFUND",
    (PENDING, "RETURN_AND_REFUND"): "SELLER_RESPOND_RETURN",
    (SHIPPED, "RETURN_AND_REFUND"): "SELLER_RESPOND_RECEIVE_PACKAGE",
    (REPLACE_PENDING, "REPLACEMENT"): "SELLER_RESPOND_REPLACEMENT",
}
# A decision, the action it answers, and the status it leads to.
DECISIONS = {
    "APPROVE_REFUND": ("SELLER_RESPOND_REFUND", SUCCESS),
    "APPROVE_RETURN": ("SELLER_RESPOND_RETURN", AWAITING_SHIP),
    "APPROVE_RECEIVED_PACKAGE": ("SELLER_RESPOND_RECEIVE_PACKAGE", SUCCESS),
    "APPROVE_REPLACEMENT": ("SELLER_RESPOND_REPLACEMENT", REPLACE_DONE),
    "ISSUE_REPLACEMENT_REFUND": ("SELLER_RESPOND_REPLACEMENT", REPLACE_REFUNDED),
    "OFFER_PARTIAL_REFUND": ("", OFFERED),
    "REJECT_REFUND": ("SELLER_RESPOND_REFUND", REJECTED),
    "REJECT_RETURN": ("SELLER_RESPOND_RETURN", REJECTED),
    "REJECT_RECEIVED_PACKAGE": ("SELLER_RESPOND_RECEIVE_PACKAGE", REFUSED_PACKAGE),
    "REJECT_REPLACEMENT": ("SELLER_RESPOND_REPLACEMENT", REPLACE_REJECTED),
}
BY_DEADLINE = {
    "SELLER_RESPOND_REFUND": "APPROVE_REFUND",
    "SELLER_RESPOND_RETURN": "APPROVE_RETURN",
    "SELLER_RESPOND_RECEIVE_PACKAGE": "APPROVE_RECEIVED_PACKAGE",
    "SELLER_RESPOND_REPLACEMENT": "APPROVE_REPLACEMENT",
}


@dataclass(slots=True)
class Return:
    """One return, refund or replacement of some units."""

    id: str
    order: Order
    units: list[Unit]
    kind: str
    reason: str
    create_time: int
    update_time: int
    status: str = PENDING
    deadline: int = 0
    tracking_number: str = ""
    provider_name: str = ""
    reject_reason: str = ""
    partial_refund: Json | None = None
    keys: set[str] = field(default_factory=set)

    @property
    def next_action(self) -> str:
        """What the seller is to answer now, or nothing."""
        return NEXT_ACTION.get((self.status, self.kind), "")


class Returns:
    """All returns by id and, for each shop, by time; the deeds of buyer, seller and TikTok upon them."""

    def __init__(self, orders: Orders, lifecycle: Lifecycle, replace: Callable[[Return, int], None]) -> None:
        self._orders = orders
        self._replace = replace
        self._lifecycle = lifecycle
        self.clear()

    def clear(self) -> None:
        """Forget all returns and start ids anew."""
        self.by_id: dict[str, Return] = {}
        self.feeds: dict[str, Feed] = {}
        self._numbers = itertools.count(1)

    def feed(self, shop_id: str) -> Feed:
        """The feed of a shop."""
        return self.feeds.setdefault(shop_id, Feed())

    def ask(self, order: Order, units: list[Unit], kind: str, reason: str, at: int) -> Return:
        """The buyer asks for money, for a return, or for another piece."""
        if kind not in TYPES:
            raise ControlError(f"no type {kind!r}; there are {', '.join(TYPES)}")
        if not units or any(unit.stage < ARRANGED for unit in units):
            raise ControlError(f"order {order.id} is {order.status}: only shipped units can come back", 409)
        number = f"4035{next(self._numbers):014d}"
        record = Return(number, order, units, kind, reason, at, at)
        record.status = REPLACE_PENDING if kind == "REPLACEMENT" else PENDING
        self.by_id[number] = record
        self.feed(order.shop).add(record)
        self._set_deadline(record, at)
        self._tell(record, at)
        return record

    def become(self, record: Return, status: str, at: int) -> None:
        """Bring a return to a status, with what follows from it."""
        if status not in STATUSES:
            raise ControlError(f"no return status {status!r}; there are {', '.join(STATUSES)}")
        record.status = status
        self.feed(record.order.shop).move(record, max(at, record.create_time))
        self._set_deadline(record, at)
        self._tell(record, at)
        if status in (SUCCESS, REPLACE_REFUNDED):
            self._refund(record, at)
        if status == REPLACE_DONE:
            self._replace(record, at)
        if status == SUCCESS:
            done = at + self._orders.options.seconds("refund_s")
            self._orders.agenda.at(done, lambda then: self._complete(record, then))

    def decide(self, record: Return, decision: str, at: int) -> None:
        """The seller, or the deadline, decides."""
        self.become(record, DECISIONS[decision][1], at)

    def _set_deadline(self, record: Return, at: int) -> None:
        action = record.next_action
        if not action:
            return
        record.deadline = at + self._orders.options.seconds("return_response_s")
        due = record.deadline
        self._orders.agenda.at(due, lambda then: self._run_out(record, action, due, then))

    def _tell(self, record: Return, at: int) -> None:
        data = {
            "order_id": record.order.id,
            "return_id": record.id,
            "return_role": "BUYER",
            "return_type": record.kind,
            "return_status": record.status,
            "create_time": record.create_time,
            "update_time": record.update_time,
        }
        self._orders.outlet.tell(record.order.shop, RETURN, data, at)

    def _run_out(self, record: Return, action: str, due: int, at: int) -> None:
        """Nobody answered: TikTok decides for the buyer."""
        if record.next_action == action and record.deadline == due:
            self.decide(record, BY_DEADLINE[action], at)

    def _complete(self, record: Return, at: int) -> None:
        if record.status == SUCCESS:
            self.become(record, COMPLETE, at)

    def _refund(self, record: Return, at: int) -> None:
        """With the last unit paid back the order is done (5.3)."""
        order = record.order
        for unit in record.units:
            unit.refunded = True
        if order.live_units and all(unit.refunded for unit in order.live_units):
            self._lifecycle.advance(order, order.units, COMPLETED, at)
