"""What the ledger says of orders, for a person: where each stands, why, and what happened. No address, no buyer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from hub.contract import HubError, LineItem, Order, Totals
from hub.store import Store, Tx, orders, outbox, timeline
from hub.store.orders import Link, OrderRow


@dataclass(frozen=True, slots=True)
class Count:
    """How many orders of a Connection have one fate for one cause."""

    connection: str
    fate: str
    cause: str | None
    orders: int


@dataclass(frozen=True, slots=True)
class Brief:
    """One order in a list."""

    ref: str
    key: str
    connection: str
    route: str | None
    fate: str
    cause: str | None
    created_at: datetime
    release_at: datetime | None
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Why:
    """Why an order stands where it stands, and what moves it on."""

    what: str
    do: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the channel's order."""

    ref: str
    sku: str | None
    name: str
    quantity: Decimal
    price: Decimal
    seller_discount: Decimal
    channel_discount: Decimal
    tax: Decimal | None
    status: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SalesOrderLink:
    """The sales order that exists for it."""

    erp: str
    number: str
    ref: str
    adopted: bool
    linked_at: datetime


@dataclass(frozen=True, slots=True)
class EffectView:
    """One effect of the outbox."""

    kind: str
    target: str
    state: str
    due_at: datetime
    attempts: int
    look_first: bool


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the timeline."""

    at: datetime
    event: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Review:
    """Everything about one order that is no one's private matter."""

    brief: Brief
    hand: str | None
    channel_status: str
    updated_at: datetime
    due_at: datetime | None
    why: tuple[Why, ...]
    lines: tuple[Line, ...]
    currency: str
    taxes_included: bool
    totals: Totals
    region: str | None
    sales_order: SalesOrderLink | None
    effects: tuple[EffectView, ...]
    timeline: tuple[Event, ...]


_WHY = {
    "unpaid": ("the buyer has not paid yet", "Nothing to do: it goes on by itself once it is paid."),
    "hold": (
        "the buyer may still change or cancel it, so the route holds it for a while",
        "Nothing to do: it goes on by itself. To send it now: hub hold release {ref}",
    ),
    "channel-hold": (
        "the channel itself holds it and forbids shipping",
        "Nothing to do: it goes on by itself when the channel lets it go. The hub cannot shorten this.",
    ),
    "by-hand": ("a person holds it", "To let it go on: hub hold release {ref}"),
    "cancel-requested": (
        "the buyer has asked to cancel it",
        "Accept or refuse the request on the channel; the hub sees the answer by itself.",
    ),
    "before-start": (
        "it is older than the route's start, or was shipped before the hub first saw it",
        "Nothing to do. To include older orders, set an earlier 'start' in the route file.",
    ),
    "already-shipped": ("it was shipped on the channel before the hub placed it", "Nothing to do."),
    "orders-disabled": ("its route has orders switched off", "To take orders, set orders: {{enabled: true}}."),
    "fulfilled-by-channel": ("the channel ships it from its own warehouse", "Nothing to do: own stock is not touched."),
    "cancelled": ("it was cancelled on the channel before it was placed", "Nothing to do."),
    "ready": ("its hold is over and its sales order waits to be sent", "Nothing to do: a running hub sends it."),
}


def counts(store: Store) -> list[Count]:
    """Return how many orders stand where."""
    with store.read() as tx:
        found = orders.counts(tx)
    return sorted(
        (Count(connection, fate, cause, n) for (connection, fate, cause), n in found.items()),
        key=lambda count: (count.connection, count.fate, count.cause or ""),
    )


def listing(store: Store, fate: str | None, limit: int) -> list[Brief]:
    """Return orders, newest first, of one fate or of all."""
    with store.read() as tx:
        return [brief(row) for row in orders.listing(tx, fate, limit)]


def brief(row: OrderRow) -> Brief:
    """Return one order as lists show it."""
    return Brief(
        row.ref, row.key, row.connection, row.route, row.fate, row.cause, row.created_at, row.release_at, row.read_at
    )


def one(tx: Tx, text: str, connection: str | None = None) -> OrderRow:
    """Return the one order that a person means by a channel ref or a key.

    Raises:
        HubError: there is none, or several; it names them.
    """
    found = [row for row in orders.find(tx, text) if connection in (None, row.connection)]
    if not found:
        raise HubError(
            "order-unknown",
            f"no order has the id or key {text!r}",
            where="the ledger",
            do="hub orders lists those that are known; hub sync reads new ones. Give the whole id, as the channel "
            "shows it.",
        )
    if len(found) > 1:
        named = ", ".join(f"{row.key} in {row.connection} ({row.fate})" for row in found)
        raise HubError(
            "order-ambiguous",
            f"{len(found)} orders have the id {text!r}: {named}",
            where="the ledger",
            do="Give the key instead, or say which with --connection.",
        )
    return found[0]


def review(store: Store, text: str, connection: str | None = None) -> Review:
    """Return everything about one order, by channel ref or key."""
    with store.read() as tx:
        row = one(tx, text, connection)
        link = orders.links_of(tx, [row.id]).get(row.id)
        effects = outbox.of_order(tx, row.id)
        entries = timeline.of_order(tx, row.id)
    order = Order.model_validate_json(row.document)
    return Review(
        brief=brief(row),
        hand=row.hand,
        channel_status=order.channel_status,
        updated_at=row.updated_at,
        due_at=row.due_at,
        why=_why(row, entries),
        lines=tuple(_line(line) for line in order.lines),
        currency=order.currency,
        taxes_included=order.taxes_included,
        totals=order.totals,
        region=order.region,
        sales_order=_sales_order(link),
        effects=tuple(EffectView(e.kind, e.target, e.state, e.due_at, e.attempts, e.look_first) for e in effects),
        timeline=tuple(Event(entry.at, entry.event, entry.detail) for entry in entries),
    )


def _sales_order(link: Link | None) -> SalesOrderLink | None:
    if link is None:
        return None
    return SalesOrderLink(link.erp, link.number, link.ref, link.adopted, link.linked_at)


def _line(line: LineItem) -> Line:
    parts = tuple(f"{part.quantity.normalize():f} x {part.sku}" for part in line.parts)
    return Line(
        line.ref, line.sku, line.name, line.quantity, line.price, line.seller_discount, line.channel_discount,
        line.tax, line.status.value, parts,
    )  # fmt: skip


def _why(row: OrderRow, entries: Sequence[timeline.Entry]) -> tuple[Why, ...]:
    if row.reason:
        return tuple(Why(each["what"], each["do"], each["code"]) for each in row.reason)
    causes = [row.cause or row.fate]
    if row.hand == "held" and row.cause != "by-hand":
        causes.append("by-hand")  # it waits for something else first, and then for the person
    said = [entry.detail.get("reason") for entry in entries if entry.event == "held-by-hand"]
    found = []
    for cause in causes:
        what, do = _WHY.get(cause, ("", ""))
        what += f": {said[-1]}" if cause == "by-hand" and said and said[-1] else ""
        found += [Why(what, do.format(ref=row.ref), cause)] if what else []
    return tuple(found)
