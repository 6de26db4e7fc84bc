"""An Order's fate: exactly one at a time, decided from what the channel says and what the route file says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from hub.contract import FulfilledBy, LineStatus, Order, OrderStatus
from hub.routing.model import Route


class Fate(StrEnum):
    """Where an Order stands."""

    HELD = "held"
    READY = "ready"
    PLACED = "placed"
    PARTLY_FULFILLED = "partly-fulfilled"
    FULFILLED = "fulfilled"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    BLOCKED = "blocked"


class Hand(StrEnum):
    """What a person said of an Order's hold."""

    HELD = "held"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an Order cannot go on, and what mends it."""

    code: str
    what: str
    do: str
    skus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """A decision: the fate, its cause, and from when on the Order may leave (None: not by time).

    ``cause``: of held: unpaid, hold, channel-hold, by-hand; of skipped: the rule; of blocked: the first problem's code.
    """

    fate: Fate
    cause: str | None = None
    release_at: datetime | None = None
    problems: tuple[Problem, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class History:
    """What the ledger knows of an Order beyond its present state."""

    is_new: bool = True
    hand: Hand | None = None
    placed_digest: str | None = None  # the placed lines' digest; set: a sales order exists
    may_exist: bool = False  # blocked in a way that leaves a sales order possible


def lines_digest(order: Order) -> str:
    """Name what a sales order would ship: open units by SKU. Two Orders with the same digest ship the same."""
    units = sorted(
        f"{line.ref}:{line.sku}:{line.quantity}" for line in order.lines if line.status != LineStatus.CANCELLED
    )
    return "|".join(units)


def stand(order: Order, route: Route | None, history: History, start: datetime | None, now: datetime) -> Standing:
    """Decide an Order's fate as far as its own state and the Route tell; HELD with a past release_at may leave.

    ``start`` is the Route's (None where no Route takes the Order).
    """
    if history.placed_digest is not None:
        return after_placement(order, history.placed_digest)
    if start is not None and order.created_at < start:
        return Standing(Fate.SKIPPED, "before-start")
    if order.status in (OrderStatus.SHIPPED, OrderStatus.PARTLY_SHIPPED):
        return Standing(Fate.SKIPPED, "before-start" if history.is_new else "already-shipped")
    if order.status == OrderStatus.CANCELLED and history.may_exist:
        return _cancelled_late()
    if order.status == OrderStatus.CANCELLED:
        return Standing(Fate.CANCELLED)
    if order.status == OrderStatus.UNKNOWN:
        return _blocked(
            "status-unknown",
            f"the channel calls its status {order.channel_status!r}, which this connector version does not know",
            "Update the connector; the order goes on by itself then.",
        )
    if route is None and order.status is OrderStatus.UNPAID:
        return Standing(Fate.HELD, "unpaid")
    if route is None and order.status is OrderStatus.ON_HOLD:
        return Standing(Fate.HELD, "channel-hold", order.hold_until)  # its address, so its region, comes with the end
    if route is None:
        return _blocked("no-route", "no route takes this order", "Add a route whose 'when' matches it, or widen one.")
    if not route.orders.enabled:
        return Standing(Fate.SKIPPED, "orders-disabled")
    if order.fulfilled_by is FulfilledBy.CHANNEL:
        return Standing(Fate.SKIPPED, "fulfilled-by-channel")
    return _held(order, route, history.hand, now)


def _blocked(code: str, what: str, do: str) -> Standing:
    return Standing(Fate.BLOCKED, code, None, (Problem(code, what, do),))


def _held(order: Order, route: Route, hand: Hand | None, now: datetime) -> Standing:
    if order.status == OrderStatus.UNPAID:
        return Standing(Fate.HELD, "unpaid")
    if hand is Hand.HELD:
        return Standing(Fate.HELD, "by-hand")
    own = (order.paid_at or order.created_at) + timedelta(seconds=route.orders.hold_s)
    release_at = own if hand is not Hand.RELEASED else now
    if order.hold_until is not None:
        release_at = max(release_at, order.hold_until)
    if order.status == OrderStatus.ON_HOLD:
        # Even past its time only a new reading ends the channel's own hold.
        return Standing(Fate.HELD, "channel-hold", release_at)
    if order.cancel_requested:
        return Standing(Fate.HELD, "cancel-requested")
    return Standing(Fate.HELD, "hold", release_at)


def _cancelled_late() -> Standing:
    return _blocked(
        "cancelled-after-placement",
        "it was cancelled on the channel after its sales order was made",
        "Delete the sales order in the ERP, then retry the order.",
    )


def after_placement(order: Order, placed_digest: str) -> Standing:
    """Decide the fate of an Order that has a sales order."""
    if order.status == OrderStatus.CANCELLED:
        return _cancelled_late()
    if lines_digest(order) != placed_digest:
        return _blocked(
            "changed-after-placement",
            "its lines changed on the channel after its sales order was made",
            "Change the sales order in the ERP to match, then retry the order.",
        )
    if order.status == OrderStatus.SHIPPED:
        return Standing(Fate.FULFILLED)
    if order.status == OrderStatus.PARTLY_SHIPPED:
        return Standing(Fate.PARTLY_FULFILLED)
    return Standing(Fate.PLACED)
