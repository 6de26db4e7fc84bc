"""Every table of the ledger and the outbox, and why it exists.

The migrations make these tables; this module names their columns for statements. A test compares the two.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware instant kept as integer milliseconds, so that order and equality are the same on every database."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - EPOCH) // timedelta(milliseconds=1)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else EPOCH + timedelta(milliseconds=value)


metadata = sa.MetaData()
Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Text = sa.Text

orders = sa.Table(
    "orders",
    metadata,
    # One row per channel order ever seen: its last state, its one fate, and when the engine must look again.
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("connection", Text, nullable=False),
    sa.Column("ref", Text, nullable=False),
    sa.Column("key", Text, nullable=False),
    sa.Column("channel_status", Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
    sa.Column("first_seen_at", Instant, nullable=False),
    sa.Column("read_at", Instant, nullable=False),
    sa.Column("digest", Text, nullable=False),
    sa.Column("document", Text, nullable=False),
    sa.Column("route", Text),
    sa.Column("fate", Text, nullable=False),
    sa.Column("cause", Text),
    sa.Column("reason", sa.JSON),
    sa.Column("release_at", Instant),
    sa.Column("due_at", Instant),
    sa.Column("hand", Text),
    sa.Column("placed_digest", Text),
    sa.Column("rechecks", sa.Integer, nullable=False, server_default="0"),
    sa.UniqueConstraint("connection", "ref", name="one_row_per_channel_order"),
    sa.Index("orders_due", "connection", "due_at"),
    sa.Index("orders_fate", "fate", "id"),
    sa.Index("orders_ref", "ref"),
)

sales_orders = sa.Table(
    "sales_orders",
    metadata,
    # The link from a channel order to its one sales order. Its constraints are law 1.
    sa.Column("order_id", Id, sa.ForeignKey("orders.id"), primary_key=True, autoincrement=False),
    sa.Column("erp", Text, nullable=False),
    sa.Column("key", Text, nullable=False),
    sa.Column("ref", Text, nullable=False),
    sa.Column("number", Text, nullable=False),
    sa.Column("adopted", sa.Boolean, nullable=False),
    sa.Column("linked_at", Instant, nullable=False),
    sa.UniqueConstraint("erp", "key", name="one_sales_order_per_key"),
    sa.UniqueConstraint("erp", "ref", name="one_channel_order_per_sales_order"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    # The effects we intend on the other side; written in the transaction that decides them.
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("kind", Text, nullable=False),
    sa.Column("target", Text, nullable=False),
    sa.Column("key", Text, nullable=False),
    sa.Column("order_id", Id, sa.ForeignKey("orders.id"), nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("state", Text, nullable=False),  # pending, sending, unknown, done, blocked, superseded
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("look_first", sa.Boolean, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("deadline_at", Instant),
    sa.Column("payload", Text, nullable=False),
    sa.UniqueConstraint("target", "kind", "key", name="one_effect_per_key"),
    sa.Index("outbox_work", "target", "state", "priority", "due_at"),
    sa.Index("outbox_order", "order_id"),
)

timeline = sa.Table(
    "timeline",
    metadata,
    # Everything that happened to an order, in order.
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("order_id", Id, sa.ForeignKey("orders.id"), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("event", Text, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Index("timeline_order", "order_id", "id"),
)

cursors = sa.Table(
    "cursors",
    metadata,
    # Where each pull goes on, and when it last ran.
    sa.Column("connection", Text, primary_key=True),
    sa.Column("stream", Text, primary_key=True),
    sa.Column("value", Text),
    sa.Column("at", Instant, nullable=False),
)

variants = sa.Table(
    "variants",
    metadata,
    # What an ERP sells, by SKU; a cache that pulls and look-ups keep fresh.
    sa.Column("connection", Text, primary_key=True),
    sa.Column("ref", Text, primary_key=True),
    sa.Column("sku", Text),
    sa.Column("name", Text, nullable=False),
    sa.Column("kind", Text, nullable=False),
    sa.Column("gone", sa.Boolean, nullable=False),
    sa.Index("variants_sku", "connection", "sku"),
)

locations = sa.Table(
    "locations",
    metadata,
    # The places of each Connection, so that the route file may name them.
    sa.Column("connection", Text, primary_key=True),
    sa.Column("ref", Text, primary_key=True),
    sa.Column("name", Text, nullable=False),
    sa.Column("kind", Text, nullable=False),
    sa.Column("is_default", sa.Boolean, nullable=False),
    sa.Column("usable", sa.Boolean, nullable=False),
)

memory = sa.Table(
    "memory",
    metadata,
    # What connectors remember between runs; each entry may be lost.
    sa.Column("connection", Text, primary_key=True),
    sa.Column("key", Text, primary_key=True),
    sa.Column("value", Text, nullable=False),
)

authorisations = sa.Table(
    "authorisations",
    metadata,
    # OAuth tokens, encrypted; one row may serve several Connections.
    sa.Column("key", Text, primary_key=True),
    sa.Column("secret", sa.LargeBinary, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
)

connections = sa.Table(
    "connections",
    metadata,
    # Which Connections are paused, why, and until when.
    sa.Column("id", Text, primary_key=True),
    sa.Column("paused_until", Instant),
    sa.Column("reason", sa.JSON),
)

route_starts = sa.Table(
    "route_starts",
    metadata,
    # The moment a Route with ``start: now`` first ran.
    sa.Column("route", Text, primary_key=True),
    sa.Column("start_at", Instant, nullable=False),
)
