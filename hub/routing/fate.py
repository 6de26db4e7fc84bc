"""An Order's fate: exactly one at a time, decided from what the channel says and what the route file says."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from hub.contract import FulfilledBy, LineStatus, Order, OrderStatus
from hub.routing.model import AfterPlacement, OnCancel, OnChange, Route

CANCELLED_AFTER, CHANGED_AFTER = "cancelled-after-placement", "changed-after-placement"
REVERTED_AFTER = "reverted-after-placement"
CANCELLING, CHANGING, RECORDING = "cancelling", "changing", "recording"  # why a placed order is acted on


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

    ``cause``: of held: unpaid, hold, channel-hold, by-hand, until-shipped; of skipped: the rule; of blocked: the first
    problem's code; of placed: cancelling, changing, recording, where the engine still has to act on it.
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
    trouble: tuple[Problem, ...] = ()  # what stands in the way of an order that has a sales order
    route: str | None = None  # the Route that placed it; a cancelled Order may show too little to match one anew
    is_taken: bool = False  # a Route took it, and did not leave it out
    recorded: bool = False  # shipped by the channel, and its sales order is Done
    is_settled: bool = False  # cancelled, and a person has settled by hand what becomes of its sales order


def is_cancelled(order: Order) -> bool:
    """Say whether an Order is cancelled: as a whole, or every line of it, whatever its own status still says."""
    lines = [line.status is LineStatus.CANCELLED for line in order.lines]
    return order.status is OrderStatus.CANCELLED or (bool(lines) and all(lines))


def lines_digest(order: Order) -> str:
    """Name what a sales order would ship and whereto: open units by SKU, and the address where it is shown in full."""
    units = sorted(
        f"{line.ref}:{line.sku}:{line.quantity}" for line in order.lines if line.status != LineStatus.CANCELLED
    )
    shown = order.address is not None and not order.address.masked
    place = order.address.model_dump_json(exclude_defaults=True) if order.address is not None and shown else ""
    return "|".join(units) + (f"#{hashlib.sha256(place.encode()).hexdigest()[:16]}" if place else "")


def ships_the_same(digest: str, other: str) -> bool:
    """Say whether two digests ship the same; an address that one of them does not show is no difference."""
    (units, _, place), (other_units, _, other_place) = digest.partition("#"), other.partition("#")
    return units == other_units and (place == other_place or not place or not other_place)


def stand(order: Order, route: Route | None, history: History, start: datetime | None, now: datetime) -> Standing:
    """Decide an Order's fate as far as its own state and the Route tell; HELD with a past release_at may leave.

    ``start`` is the Route's (None where no Route takes the Order).
    """
    if history.placed_digest is not None:
        return after_placement(order, history, route.orders.after if route else None)
    if start is not None and order.created_at < start:
        return Standing(Fate.SKIPPED, "before-start")
    is_recorded = order.fulfilled_by is FulfilledBy.CHANNEL and route is not None and route.orders.done_location
    if order.status in (OrderStatus.SHIPPED, OrderStatus.PARTLY_SHIPPED) and not is_recorded:
        return Standing(Fate.SKIPPED, "before-start" if history.is_new else "already-shipped")
    if is_cancelled(order):
        return _cancelled_late(order) if history.may_exist else Standing(Fate.CANCELLED)
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
        return _to_be_recorded(order, route, history.hand, now)
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


def _to_be_recorded(order: Order, route: Route, hand: Hand | None, now: datetime) -> Standing:
    """Decide the fate of an Order that the channel ships from its own stock: left out, or placed once it has left."""
    if route.orders.done_location is None:
        return Standing(Fate.SKIPPED, "fulfilled-by-channel")
    if hand is Hand.HELD:
        return Standing(Fate.HELD, "by-hand")
    if order.status is OrderStatus.SHIPPED:
        return Standing(Fate.HELD, "hold", now)
    return Standing(Fate.HELD, "until-shipped")


def _cancelled_late(order: Order) -> Standing:
    return _blocked(
        CANCELLED_AFTER,
        "it was cancelled on the channel after its sales order was made",
        f"Delete the sales order in the ERP, then: hub retry {order.ref}",
    )


def _changed_late(order: Order) -> Standing:
    return _blocked(
        CHANGED_AFTER,
        "its lines or its address changed on the channel after its sales order was made",
        f"Change the sales order in the ERP to match, then: hub retry {order.ref}",
    )


def _troubled(trouble: Sequence[Problem], first: str | None = None) -> Standing:
    """Return a blocked standing; problems of the code ``first`` name its cause, whichever was found before."""
    told = tuple(sorted(trouble, key=lambda problem: problem.code != first))
    return Standing(Fate.BLOCKED, told[0].code, None, told)


def after_placement(order: Order, history: History, rules: AfterPlacement | None) -> Standing:
    """Decide the fate of an Order that has a sales order; PLACED with a cause where the engine must act on it."""
    trouble, codes = history.trouble, {problem.code for problem in history.trouble}
    if is_cancelled(order) and history.is_settled:
        return Standing(Fate.CANCELLED)
    if is_cancelled(order):
        if rules is None or rules.on_cancel is OnCancel.BLOCK:
            return _cancelled_late(order)
        return _troubled(trouble, CANCELLED_AFTER) if CANCELLED_AFTER in codes else Standing(Fate.PLACED, CANCELLING)
    digest, placed = lines_digest(order), history.placed_digest or ""
    if not ships_the_same(digest, placed):
        if rules is None or rules.on_change is OnChange.BLOCK:
            return _changed_late(order)
        return _troubled(trouble, CHANGED_AFTER) if CHANGED_AFTER in codes else Standing(Fate.PLACED, CHANGING)
    if codes & {CANCELLED_AFTER, CHANGED_AFTER} and digest == placed and rules and rules.on_change is OnChange.UPDATE:
        return Standing(Fate.PLACED, CHANGING)  # taken back; the sales order may hold a part of the change
    if trouble:
        return _troubled(trouble)
    if order.status == OrderStatus.SHIPPED and order.fulfilled_by is FulfilledBy.CHANNEL and not history.recorded:
        return Standing(Fate.PLACED, RECORDING)
    if order.status == OrderStatus.SHIPPED:
        return Standing(Fate.FULFILLED)
    if order.status == OrderStatus.PARTLY_SHIPPED:
        return Standing(Fate.PARTLY_FULFILLED)
    return Standing(Fate.PLACED)
