"""Products of the ledger: whole catalogues, and what was published of each ERP product on a channel."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hub.contract import Variant
from hub.store.database import Tx
from hub.store.tables import listings, orders, variants

SENDING, UNKNOWN, DONE, BLOCKED, GONE = "sending", "unknown", "done", "blocked", "gone"
SHOP = ""  # the row of the shop itself: whether anything can be listed there
_NAMES = (
    "ref", "sku", "name", "product_ref", "kind", "places", "stockable", "status", "product_name", "price", "currency",
    "options",
)  # fmt: skip


def catalogue(tx: Tx, connection: str) -> list[Variant]:
    """Return the living Variants of a Connection, product by product."""
    query = sa.select(*(variants.c[name] for name in _NAMES)).where(
        variants.c.connection == connection, variants.c.gone.is_(False)
    )
    rows = tx.execute(query.order_by(variants.c.product_ref, variants.c.ref)).mappings()
    return [Variant(**{**row, "places": tuple(row["places"] or ()), "options": row["options"] or {}}) for row in rows]


def refs(tx: Tx, connection: str) -> set[str]:
    """Return every Variant of a Connection that is remembered as living."""
    query = sa.select(variants.c.ref).where(variants.c.connection == connection, variants.c.gone.is_(False))
    return set(tx.execute(query).scalars())


def bury(tx: Tx, connection: str, gone: Collection[str]) -> None:
    """Mark Variants as gone."""
    mine = sa.update(variants).where(variants.c.connection == connection, variants.c.ref == sa.bindparam("row_ref"))
    if gone:
        tx.execute(mine.values(gone=True), [{"row_ref": ref} for ref in sorted(gone)])


def newest_order(tx: Tx, connection: str) -> str | None:
    """Return a channel's newest order as JSON; None where there is none."""
    query = sa.select(orders.c.document).where(orders.c.connection == connection).order_by(orders.c.id.desc()).limit(1)
    found: str | None = tx.execute(query).scalar_one_or_none()
    return found


@dataclass(frozen=True, slots=True)
class ListingRow:
    """What was published of one ERP product; see the table."""

    product: str
    state: str
    ref: str | None
    told: str | None
    told_at: datetime | None
    asked: str | None
    reason: list[dict[str, Any]] | None
    due_at: datetime | None
    attempts: int
    round: int


def listings_of(tx: Tx, connection: str) -> dict[str, ListingRow]:
    """Return what was published on a channel, by the ERP's product; the shop's own row too."""
    query = sa.select(*(listings.c[name] for name in ListingRow.__slots__)).where(listings.c.connection == connection)
    return {row[0]: ListingRow(*row) for row in tx.execute(query)}


def put_listing(tx: Tx, connection: str, product: str, changes: dict[str, Any]) -> None:
    """Insert or update one row; columns not named stay as they are."""
    mine = (listings.c.connection == connection, listings.c.product == product)
    if tx.execute(sa.update(listings).where(*mine).values(**changes)).rowcount == 0:
        tx.execute(sa.insert(listings), {"connection": connection, "product": product, **changes})
