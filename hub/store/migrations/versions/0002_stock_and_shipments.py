"""Stock, shipments, cancellations, returns, switches: what the second half of the promise must remember."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("orders", sa.Column("is_open", sa.Boolean, nullable=False, server_default=sa.true()))
    op.add_column("orders", sa.Column("recorded", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("orders", sa.Column("trouble", sa.JSON))
    op.create_index("orders_open", "orders", ["connection", "is_open", "id"])
    op.add_column("sales_orders", sa.Column("rows", sa.JSON))
    op.add_column("sales_orders", sa.Column("gone_at", sa.BigInteger))
    op.create_index("sales_orders_linked", "sales_orders", ["linked_at"])
    op.add_column("variants", sa.Column("product_ref", sa.Text))
    op.add_column("variants", sa.Column("places", sa.JSON))
    op.add_column("variants", sa.Column("stockable", sa.Boolean, nullable=False, server_default=sa.true()))
    op.add_column("variants", sa.Column("status", sa.Text, nullable=False, server_default=""))
    op.add_column("variants", sa.Column("product_name", sa.Text, nullable=False, server_default=""))
    op.add_column("variants", sa.Column("price", sa.Text))
    op.add_column("variants", sa.Column("currency", sa.Text))
    op.add_column("variants", sa.Column("options", sa.JSON))
    op.create_table(
        "levels",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("variant_ref", sa.Text, primary_key=True),
        sa.Column("location_ref", sa.Text, primary_key=True),
        sa.Column("in_stock", sa.Text, nullable=False),
        sa.Column("committed", sa.Text, nullable=False),
        sa.Column("potential", sa.Text, nullable=False),
        sa.Column("read_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "stock",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("variant_ref", sa.Text, primary_key=True),
        sa.Column("quantities", sa.JSON),
        sa.Column("committed", sa.Text),
        sa.Column("read_at", sa.BigInteger),
        sa.Column("demand", sa.Text),
        sa.Column("target", sa.JSON),
        sa.Column("terms", sa.JSON),
        sa.Column("pushed_at", sa.BigInteger),
        sa.Column("reason", sa.JSON),
        sa.Column("retry_at", sa.BigInteger),
    )
    op.create_table(
        "switches",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("sku", sa.Text, primary_key=True),
        sa.Column("enabled", sa.Boolean, nullable=False),
    )
    op.create_table(
        "fulfillments",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("ref", sa.Text, primary_key=True),
        sa.Column("order_ref", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("first_seen_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("asked", sa.Integer, nullable=False, server_default="0"),
    )
    op.create_table(
        "packages",
        sa.Column("id", Id, primary_key=True, autoincrement=True),
        sa.Column("order_id", Id, sa.ForeignKey("orders.id"), nullable=False),
        sa.Column("erp", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("lines", sa.JSON, nullable=False),
        sa.Column("tracking_number", sa.Text),
        sa.Column("carrier", sa.Text),
        sa.Column("tracking_url", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("package_ref", sa.Text),
        sa.Column("told_tracking", sa.Text),
        sa.Column("told_at", sa.BigInteger),
        sa.Column("reason", sa.JSON),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("deadline_at", sa.BigInteger),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.UniqueConstraint("erp", "key", name="one_package_per_key"),
    )
    op.create_table(
        "cancellations",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("ref", sa.Text, primary_key=True),
        sa.Column("order_ref", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("decision", sa.Text),
        sa.Column("reason", sa.JSON),
        sa.Column("due_at", sa.BigInteger),
    )
    op.create_table(
        "returns",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("ref", sa.Text, primary_key=True),
        sa.Column("order_ref", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("sales_return_ref", sa.Text),
        sa.Column("reason", sa.JSON),
        sa.Column("due_at", sa.BigInteger),
    )
    op.create_table(
        "listings",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("product", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("ref", sa.Text),
        sa.Column("told", sa.Text),
        sa.Column("told_at", sa.BigInteger),
        sa.Column("asked", sa.Text),
        sa.Column("reason", sa.JSON),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("round", sa.Integer, nullable=False, server_default="0"),
    )
    op.create_index("fulfillments_order", "fulfillments", ["connection", "order_ref"])
    op.create_index("fulfillments_due", "fulfillments", ["connection", "due_at"])
    op.create_index("packages_order", "packages", ["order_id"])
    op.create_index("packages_work", "packages", ["state", "due_at"])
    op.create_index("cancellations_order", "cancellations", ["connection", "order_ref"])
    op.create_index("cancellations_due", "cancellations", ["connection", "due_at"])
    op.create_index("returns_due", "returns", ["connection", "due_at"])
