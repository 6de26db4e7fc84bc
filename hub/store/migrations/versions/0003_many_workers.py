"""Leases, shared budgets, wakes, costs and proofs: what a daemon needs that runs for months, on one machine or many."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "leases",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "budgets",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("taken", sa.JSON, nullable=False),
        sa.Column("closed_until", sa.BigInteger),
    )
    op.create_table(
        "wakes",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("ref", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("heard", sa.Integer, nullable=False),
        sa.Column("asked", sa.Integer, nullable=False),
    )
    op.create_table(
        "costs",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("work", sa.Text, primary_key=True),
        sa.Column("calls", sa.Float, nullable=False),
        sa.Column("effects", sa.Float, nullable=False),
        sa.Column("budgets", sa.JSON, nullable=False),
    )
    op.create_table(
        "proofs",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
    )
    op.create_index("orders_counted", "orders", ["connection", "fate", "cause"])
    op.create_index("sales_orders_of_erp", "sales_orders", ["erp", "linked_at"])
    op.create_index("orders_key", "orders", ["key"])
    op.create_index("orders_stale", "orders", ["connection", "is_open", "read_at"])
    op.create_index("levels_read", "levels", ["connection", "location_ref", "read_at"])
    op.create_index("fulfillments_asked", "fulfillments", ["connection", "asked"])
    op.create_index("orders_cause", "orders", ["fate", "cause", "due_at"])
    # Shipments of nobody's sales order are forgotten when they come due, 30 days after they were seen.
    op.execute(
        "UPDATE fulfillments SET due_at = first_seen_at + 2592000000 WHERE due_at IS NULL AND NOT EXISTS"
        " (SELECT 1 FROM sales_orders WHERE erp = fulfillments.connection AND ref = fulfillments.order_ref)"
    )
