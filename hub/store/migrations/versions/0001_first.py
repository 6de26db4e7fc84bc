"""The first schema: orders and their fates, links, outbox, timeline, caches, tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "orders",
        sa.Column("id", Id, primary_key=True, autoincrement=True),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("channel_status", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("first_seen_at", sa.BigInteger, nullable=False),
        sa.Column("read_at", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("route", sa.Text),
        sa.Column("fate", sa.Text, nullable=False),
        sa.Column("cause", sa.Text),
        sa.Column("reason", sa.JSON),
        sa.Column("release_at", sa.BigInteger),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("hand", sa.Text),
        sa.Column("placed_digest", sa.Text),
        sa.Column("rechecks", sa.Integer, nullable=False, server_default="0"),
        sa.UniqueConstraint("connection", "ref", name="one_row_per_channel_order"),
    )
    op.create_index("orders_due", "orders", ["connection", "due_at"])
    op.create_index("orders_fate", "orders", ["fate", "id"])
    op.create_index("orders_ref", "orders", ["ref"])
    op.create_table(
        "sales_orders",
        sa.Column("order_id", Id, sa.ForeignKey("orders.id"), primary_key=True, autoincrement=False),
        sa.Column("erp", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("adopted", sa.Boolean, nullable=False),
        sa.Column("linked_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("erp", "key", name="one_sales_order_per_key"),
        sa.UniqueConstraint("erp", "ref", name="one_channel_order_per_sales_order"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", Id, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("order_id", Id, sa.ForeignKey("orders.id"), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("look_first", sa.Boolean, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("deadline_at", sa.BigInteger),
        sa.Column("payload", sa.Text, nullable=False),
        sa.UniqueConstraint("target", "kind", "key", name="one_effect_per_key"),
    )
    op.create_index("outbox_work", "outbox", ["target", "state", "priority", "due_at"])
    op.create_index("outbox_order", "outbox", ["order_id"])
    op.create_table(
        "timeline",
        sa.Column("id", Id, primary_key=True, autoincrement=True),
        sa.Column("order_id", Id, sa.ForeignKey("orders.id"), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
    )
    op.create_index("timeline_order", "timeline", ["order_id", "id"])
    op.create_table(
        "cursors",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("value", sa.Text),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "variants",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("ref", sa.Text, primary_key=True),
        sa.Column("sku", sa.Text),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("gone", sa.Boolean, nullable=False),
    )
    op.create_index("variants_sku", "variants", ["connection", "sku"])
    op.create_table(
        "locations",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("ref", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("is_default", sa.Boolean, nullable=False),
        sa.Column("usable", sa.Boolean, nullable=False),
    )
    op.create_table(
        "memory",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "authorisations",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "connections",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("paused_until", sa.BigInteger),
        sa.Column("reason", sa.JSON),
    )
    op.create_table(
        "route_starts",
        sa.Column("route", sa.Text, primary_key=True),
        sa.Column("start_at", sa.BigInteger, nullable=False),
    )
