"""What the ledger says of orders, for a person: where each stands, why, and what happened. No address, no buyer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from hub.contract import HubError, LineItem, Order, Totals
from hub.engine.sequel import CancellationView, ParcelView, ReturnView, SalesOrderLink, sequel
from hub.engine.why import Why, why_of
from hub.store import Store, Tx, orders, outbox, timeline
from hub.store.orders import OrderRow


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
    recorded_at: datetime | None  # when the channel's own shipment was recorded as Done
    parcels: tuple[ParcelView, ...]
    cancellations: tuple[CancellationView, ...]
    returns: tuple[ReturnView, ...]
    effects: tuple[EffectView, ...]
    timeline: tuple[Event, ...]


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
        order = Order.model_validate_json(row.document)
        after = sequel(tx, row, order)
        effects = outbox.of_order(tx, row.id)
        entries = timeline.of_order(tx, row.id)
    recorded = [entry.at for entry in entries if entry.event == "recorded-as-done"]
    return Review(
        brief=brief(row),
        hand=row.hand,
        channel_status=order.channel_status,
        updated_at=row.updated_at,
        due_at=row.due_at,
        why=why_of(row, entries),
        lines=tuple(_line(line) for line in order.lines),
        currency=order.currency,
        taxes_included=order.taxes_included,
        totals=order.totals,
        region=order.region,
        sales_order=after.sales_order,
        recorded_at=recorded[-1] if row.recorded and recorded else None,
        parcels=after.parcels,
        cancellations=after.cancellations,
        returns=after.returns,
        effects=tuple(EffectView(e.kind, e.target, e.state, e.due_at, e.attempts, e.look_first) for e in effects),
        timeline=tuple(Event(entry.at, entry.event, entry.detail) for entry in entries),
    )


def _line(line: LineItem) -> Line:
    parts = tuple(f"{part.quantity.normalize():f} x {part.sku}" for part in line.parts)
    return Line(
        line.ref, line.sku, line.name, line.quantity, line.price, line.seller_discount, line.channel_discount,
        line.tax, line.status.value, parts,
    )  # fmt: skip
