"""Every table of the ledger and the outbox, and why it exists.

The migrations make these tables; this module names their columns for statements. A test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
RECENT = 4096


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware instant kept as integer milliseconds, so that order and equality are the same on every database."""

    impl = sa.BigInteger
    cache_ok = True

    # These two instead of process_bind_param and process_result_value, which cost two calls more for each value.
    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], int | None]:
        return _milliseconds

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[int | None], datetime | None]:
        return _instant


def _milliseconds(value: datetime | None) -> int | None:
    return None if value is None else (value - EPOCH) // MILLISECOND


@lru_cache(maxsize=RECENT)  # rows that were read or written together share theirs
def _instant(value: int | None) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(value / 1000, UTC)


class Number(sa.types.TypeDecorator[Decimal]):
    """A Decimal kept as text: exact on every database."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], Decimal | None]:
        return _number


@lru_cache(maxsize=RECENT)  # a hundred thousand SKUs have few different numbers
def _number(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


metadata = sa.MetaData()
Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Text = sa.Text
Json = sa.JSON(none_as_null=True)  # an absent value is a NULL, which no JSON parser has to look at


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
    sa.Column("reason", Json),
    sa.Column("release_at", Instant),
    sa.Column("due_at", Instant),
    sa.Column("hand", Text),
    sa.Column("placed_digest", Text),
    sa.Column("rechecks", sa.Integer, nullable=False, server_default="0"),
    sa.Column("is_open", sa.Boolean, nullable=False, server_default=sa.true()),  # units are still to ship
    sa.Column("recorded", sa.Boolean, nullable=False, server_default=sa.false()),  # shipped by the channel, and Done
    sa.Column("trouble", Json),  # what stands in the way after placement: shipments, cancellations, returns
    sa.UniqueConstraint("connection", "ref", name="one_row_per_channel_order"),
    sa.Index("orders_due", "connection", "due_at"),
    sa.Index("orders_fate", "fate", "id"),
    sa.Index("orders_ref", "ref"),
    sa.Index("orders_key", "key"),
    sa.Index("orders_open", "connection", "is_open", "id"),
    sa.Index("orders_stale", "connection", "is_open", "read_at"),
    sa.Index("orders_counted", "connection", "fate", "cause"),
    sa.Index("orders_cause", "fate", "cause", "due_at"),
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
    sa.Column("rows", Json),  # as the ERP last showed them: [{ref, variant_ref, quantity}]
    sa.Column("gone_at", Instant),  # since when it is known to be deleted there
    sa.UniqueConstraint("erp", "key", name="one_sales_order_per_key"),
    sa.UniqueConstraint("erp", "ref", name="one_channel_order_per_sales_order"),
    sa.Index("sales_orders_linked", "linked_at"),
    sa.Index("sales_orders_of_erp", "erp", "linked_at"),
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
    sa.Column("detail", Json, nullable=False),
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
    sa.Column("product_ref", Text),
    sa.Column("places", Json),  # of a channel: the Locations it sells this from
    sa.Column("stockable", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("status", Text, nullable=False, server_default=""),
    sa.Column("product_name", Text, nullable=False, server_default=""),
    sa.Column("price", Number),  # its list price
    sa.Column("currency", Text),
    sa.Column("options", Json),  # what tells it from its siblings
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
    sa.Column("reason", Json),
)

route_starts = sa.Table(
    "route_starts",
    metadata,
    # The moment a Route with ``start: now`` first ran.
    sa.Column("route", Text, primary_key=True),
    sa.Column("start_at", Instant, nullable=False),
)

levels = sa.Table(
    "levels",
    metadata,
    # Stock as an ERP told it, and when that reading began.
    sa.Column("connection", Text, primary_key=True),
    sa.Column("variant_ref", Text, primary_key=True),
    sa.Column("location_ref", Text, primary_key=True),
    sa.Column("in_stock", Number, nullable=False),
    sa.Column("committed", Number, nullable=False),
    sa.Column("potential", Number, nullable=False),
    sa.Column("read_at", Instant, nullable=False),
    sa.Index("levels_read", "connection", "location_ref", "read_at"),
)

stock = sa.Table(
    "stock",
    metadata,
    # What each channel sells of each of its variants: what it said last, what it was told, how the number came about.
    sa.Column("connection", Text, primary_key=True),
    sa.Column("variant_ref", Text, primary_key=True),
    sa.Column("quantities", Json),  # Location -> units it sells, by our last reading or write; null: a write is open
    sa.Column("committed", Number),  # what its buyers have ordered and nobody shipped, by our last reading
    sa.Column("read_at", Instant),
    sa.Column("demand", Number),  # the units of our orders that were open there at that moment
    sa.Column("target", Json),  # Location -> units it should sell
    sa.Column("terms", Json),  # how the target came about, term by term
    sa.Column("pushed_at", Instant),
    sa.Column("reason", Json),  # why the channel refused the last push
    sa.Column("retry_at", Instant),
)

switches = sa.Table(
    "switches",
    metadata,
    # Items that a person has switched on or off for sync, against what the route file's patterns say.
    sa.Column("connection", Text, primary_key=True),
    sa.Column("sku", Text, primary_key=True),
    sa.Column("enabled", sa.Boolean, nullable=False),
)

fulfillments = sa.Table(
    "fulfillments",
    metadata,
    # Shipments as an ERP told them; each is asked for again until it is tracked.
    sa.Column("connection", Text, primary_key=True),
    sa.Column("ref", Text, primary_key=True),
    sa.Column("order_ref", Text, nullable=False),
    sa.Column("document", Text, nullable=False),
    sa.Column("digest", Text, nullable=False),
    sa.Column("first_seen_at", Instant, nullable=False),
    sa.Column("due_at", Instant),  # when it must be looked at again; null: only news can change it
    sa.Column("asked", sa.Integer, nullable=False, server_default="0"),
    sa.Index("fulfillments_order", "connection", "order_ref"),
    sa.Index("fulfillments_due", "connection", "due_at"),
    sa.Index("fulfillments_asked", "connection", "asked"),
)

packages = sa.Table(
    "packages",
    metadata,
    # Parcels that the channel is or was told of. Its constraint keeps one parcel from being told twice (law 7).
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("order_id", Id, sa.ForeignKey("orders.id"), nullable=False),
    sa.Column("erp", Text, nullable=False),
    sa.Column("key", Text, nullable=False),
    sa.Column("lines", Json, nullable=False),  # the channel's line ids -> units
    sa.Column("tracking_number", Text),
    sa.Column("carrier", Text),
    sa.Column("tracking_url", Text),
    sa.Column("state", Text, nullable=False),  # see shipping.PackageState
    sa.Column("package_ref", Text),
    sa.Column("told_tracking", Text),  # the number the channel was last told
    sa.Column("told_at", Instant),
    sa.Column("reason", Json),
    sa.Column("due_at", Instant),
    sa.Column("deadline_at", Instant),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.UniqueConstraint("erp", "key", name="one_package_per_key"),
    sa.Index("packages_order", "order_id"),
    sa.Index("packages_work", "state", "due_at"),
)

cancellations = sa.Table(
    "cancellations",
    metadata,
    # Cancellations as a channel told them, and what became of our answer.
    sa.Column("connection", Text, primary_key=True),
    sa.Column("ref", Text, primary_key=True),
    sa.Column("order_ref", Text, nullable=False),
    sa.Column("state", Text, nullable=False),
    sa.Column("document", Text, nullable=False),
    sa.Column("decision", Text),  # accept, refuse, ask
    sa.Column("reason", Json),
    sa.Column("due_at", Instant),
    sa.Index("cancellations_order", "connection", "order_ref"),
    sa.Index("cancellations_due", "connection", "due_at"),
)

returns = sa.Table(
    "returns",
    metadata,
    # Returned goods as a channel told them, and the sales return they became.
    sa.Column("connection", Text, primary_key=True),
    sa.Column("ref", Text, primary_key=True),
    sa.Column("order_ref", Text, nullable=False),
    sa.Column("document", Text, nullable=False),
    sa.Column("state", Text, nullable=False),  # waiting, ready, sending, done, blocked
    sa.Column("sales_return_ref", Text),
    sa.Column("reason", Json),
    sa.Column("due_at", Instant),
    sa.Index("returns_due", "connection", "due_at"),
)

listings = sa.Table(
    "listings",
    metadata,
    # What was published of each ERP product on a channel, and what came of it; product "" is the shop's own readiness.
    sa.Column("connection", Text, primary_key=True),
    sa.Column("product", Text, primary_key=True),
    sa.Column("state", Text, nullable=False),  # sending, unknown, done, blocked, gone
    sa.Column("ref", Text),  # the channel's product, once it is known
    sa.Column("told", Text),  # digest of what the channel was last told
    sa.Column("told_at", Instant),
    sa.Column("asked", Text),  # digest of what the last attempt rested on
    sa.Column("reason", Json),  # why it is blocked, or what was said beside
    sa.Column("due_at", Instant),  # when it is tried again; null: when something changed
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("round", sa.Integer, nullable=False, server_default="0"),  # how often a person had it listed anew
)

leases = sa.Table(
    "leases",
    metadata,
    # Which worker speaks for a Connection now, on a database that several machines share. Each taking has its epoch.
    sa.Column("connection", Text, primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("holder", Text, nullable=False),  # who, for a person to read
    sa.Column("until", sa.BigInteger, nullable=False),  # by the clock of the database's server, in milliseconds
)

budgets = sa.Table(
    "budgets",
    metadata,
    # The calls that were taken out of each request budget, by all processes together.
    sa.Column("key", Text, primary_key=True),
    sa.Column("taken", Json, nullable=False),  # [[from, until, calls], ...], in milliseconds since 1970
    sa.Column("closed_until", Instant),  # the other side's word
)

wakes = sa.Table(
    "wakes",
    metadata,
    # What a webhook or a person hinted at; the lane looks there at once. Losing one costs time, never data.
    sa.Column("connection", Text, primary_key=True),
    sa.Column("kind", Text, primary_key=True),
    sa.Column("ref", Text, primary_key=True),  # "" where the hint names nothing
    sa.Column("at", Instant, nullable=False),  # when it was heard last
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("heard", sa.Integer, nullable=False),  # how often; one heard again during a look is not forgotten by it
    sa.Column("asked", sa.Integer, nullable=False),  # how often nothing was to be seen yet
)

costs = sa.Table(
    "costs",
    metadata,
    # How many calls each kind of work took lately, for the forecast.
    sa.Column("connection", Text, primary_key=True),
    sa.Column("work", Text, primary_key=True),
    sa.Column("calls", sa.Float, nullable=False),
    sa.Column("effects", sa.Float, nullable=False),
    sa.Column("budgets", Json, nullable=False),  # key -> [its calls, how many that lets out, in how many s]
)

proofs = sa.Table(
    "proofs",
    metadata,
    # The last reconciliation of each shop: what was compared, and what did not agree.
    sa.Column("connection", Text, primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("document", Json, nullable=False),
)
