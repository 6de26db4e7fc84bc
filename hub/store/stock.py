"""Stock of the ledger: what ERPs count, what channels sell and were told, and which items take part in sync."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

import sqlalchemy as sa

from hub.contract import StockLevel
from hub.store.database import Tx
from hub.store.outbox import PLACE_ORDER, State
from hub.store.tables import levels, orders, outbox, sales_orders, stock, switches, timeline, variants

ZERO = Decimal(0)
CHUNK = 5_000  # no statement names more values than every database takes


def _chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(values)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


# -- what an ERP counts


@dataclass(frozen=True, slots=True)
class LevelRow:
    """What an ERP counts of one Variant at one Location."""

    variant_ref: str
    location_ref: str
    in_stock: Decimal
    committed: Decimal
    potential: Decimal
    read_at: datetime


def set_levels(tx: Tx, connection: str, found: Collection[StockLevel]) -> None:
    """Remember StockLevels, each in place of an older one of the same Variant and Location."""
    rows = {
        (one.variant_ref, one.location_ref): {
            "connection": connection, "variant_ref": one.variant_ref, "location_ref": one.location_ref,
            "in_stock": one.in_stock, "committed": one.committed, "potential": one.potential, "read_at": one.at,
        }
        for one in found
    }  # fmt: skip
    if not rows:
        return
    names = ("connection", "variant_ref", "location_ref")
    mine = [levels.c[name] == sa.bindparam(f"k_{name}") for name in names]
    tx.execute(sa.delete(levels).where(*mine), [{f"k_{name}": row[name] for name in names} for row in rows.values()])
    tx.execute(sa.insert(levels), list(rows.values()))


def levels_of(tx: Tx, connection: str, locations: Collection[str]) -> Iterator[LevelRow]:
    """Yield what an ERP counts at these Locations."""
    query = sa.select(*(levels.c[name] for name in LevelRow.__slots__))
    query = query.where(levels.c.connection == connection, levels.c.location_ref.in_(list(locations)))
    yield from (LevelRow(*row) for row in tx.execute(query))


def readings(tx: Tx, connection: str, locations: Collection[str]) -> tuple[datetime | None, datetime | None]:
    """Return when the oldest and the youngest reading of an ERP's levels at these Locations began."""
    kind, at = levels.c.read_at.type, levels.c.read_at
    found: list[datetime] = []
    for place in locations:  # one end of an index each: no level itself is looked at
        for end in (sa.func.min(at), sa.func.max(at)):
            query = sa.select(sa.type_coerce(end, kind)).where(levels.c.connection == connection)
            found += [each for each in tx.execute(query.where(levels.c.location_ref == place)).scalars() if each]
    return min(found, default=None), max(found, default=None)


def refs_by_sku(tx: Tx, connection: str) -> dict[str, list[str]]:
    """Return the refs of an ERP's living Variants by SKU; services are not stocked."""
    query = sa.select(variants.c.sku, variants.c.ref).where(
        variants.c.connection == connection, variants.c.gone.is_(False), variants.c.sku.is_not(None)
    )
    found: dict[str, list[str]] = {}
    for sku, ref in tx.execute(query.where(variants.c.kind != "service").order_by(variants.c.ref)):
        found.setdefault(sku, []).append(ref)
    return found


# -- what a channel sells


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One Variant of a channel as its catalogue tells it."""

    ref: str
    sku: str | None
    name: str
    kind: str
    product_ref: str | None
    places: list[str] | None
    stockable: bool
    status: str


@dataclass(frozen=True, slots=True)
class StockRow:
    """What a channel said or was told of one Variant; see the table, and ``terms_of``."""

    variant_ref: str
    quantities: dict[str, int] | None
    committed: Decimal | None
    read_at: datetime | None
    demand: Decimal | None
    target: dict[str, int] | None
    pushed_at: datetime | None
    reason: dict[str, Any] | None
    retry_at: datetime | None


def items(tx: Tx, connection: str) -> list[ItemRow]:
    """Return the living Variants of a channel's catalogue, product by product."""
    query = sa.select(*(variants.c[name] for name in ItemRow.__slots__)).where(
        variants.c.connection == connection, variants.c.gone.is_(False)
    )
    return [ItemRow(*row) for row in tx.execute(query.order_by(variants.c.product_ref, variants.c.ref))]


def stock_of(tx: Tx, connection: str) -> dict[str, StockRow]:
    """Return what is known of a channel's stock, by Variant."""
    query = sa.select(*(stock.c[name] for name in StockRow.__slots__)).where(stock.c.connection == connection)
    return {row[0]: StockRow(*row) for row in tx.execute(query)}


def terms_of(tx: Tx, connection: str, ref: str) -> dict[str, Any] | None:
    """Return how the number came about that a channel was last to be told of a Variant."""
    query = sa.select(stock.c.terms).where(stock.c.connection == connection, stock.c.variant_ref == ref)
    found: dict[str, Any] | None = tx.execute(query).scalar_one_or_none()
    return found


def retries(tx: Tx, connection: str) -> list[datetime]:
    """Return when refused or failed Variants of a channel may be tried again."""
    query = sa.select(stock.c.retry_at).where(stock.c.connection == connection, stock.c.retry_at.is_not(None))
    return list(tx.execute(query).scalars())


def put_stock(tx: Tx, connection: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert or update rows by ``variant_ref``; every row must name the same columns, the others stay as they are."""
    if not rows:
        return
    refs = [row["variant_ref"] for row in rows]
    known: set[str] = set()
    for chunk in _chunks(refs):
        query = sa.select(stock.c.variant_ref).where(stock.c.connection == connection, stock.c.variant_ref.in_(chunk))
        known |= set(tx.execute(query).scalars())
    new = [{"connection": connection, **row} for row in rows if row["variant_ref"] not in known]
    old = [{("row_ref" if k == "variant_ref" else k): v for k, v in row.items()} for row in rows
           if row["variant_ref"] in known]  # fmt: skip
    if new:
        tx.execute(sa.insert(stock), new)
    if old:
        columns = [name for name in old[0] if name != "row_ref"]
        mine = sa.update(stock).where(stock.c.connection == connection, stock.c.variant_ref == sa.bindparam("row_ref"))
        tx.execute(mine.values({name: sa.bindparam(name) for name in columns}), old)


# -- which items take part


def switches_of(tx: Tx, connection: str) -> dict[str, bool]:
    """Return what a person has switched, by SKU."""
    query = sa.select(switches.c.sku, switches.c.enabled).where(switches.c.connection == connection)
    return {row.sku: row.enabled for row in tx.execute(query)}


def set_switch(tx: Tx, connection: str, sku: str, enabled: bool | None) -> None:
    """Switch an item of a channel on or off for sync; None leaves it to the route file again."""
    mine = (switches.c.connection == connection, switches.c.sku == sku)
    tx.execute(sa.delete(switches).where(*mine))
    if enabled is not None:
        tx.execute(sa.insert(switches), {"connection": connection, "sku": sku, "enabled": enabled})


# -- orders that still have units to ship


@dataclass(frozen=True, slots=True)
class OpenRow:
    """An order that still takes stock, with what is known of its sales order; without its document."""

    id: int
    digest: str
    route: str | None
    created_at: datetime
    first_seen_at: datetime
    is_open: bool
    linked_erp: str | None
    linked_at: datetime | None
    gone_at: datetime | None


_OF_SHOP = (
    sa.select(
        orders.c.id, orders.c.digest, orders.c.route, orders.c.created_at, orders.c.first_seen_at, orders.c.is_open,
        sales_orders.c.erp, sales_orders.c.linked_at, sales_orders.c.gone_at,
    )
    .select_from(orders.outerjoin(sales_orders, sales_orders.c.order_id == orders.c.id))
    .where(orders.c.connection == sa.bindparam("shop"))
    .order_by(orders.c.id)
)  # fmt: skip
_YOUNG = sa.select(sales_orders.c.order_id).where(sales_orders.c.linked_at > sa.bindparam("after"))
# Asked several times a round: to build them anew each time would cost more than to run them.
_OPEN = _OF_SHOP.where(orders.c.is_open.is_(True))
_SHIPPED_YOUNG = _OF_SHOP.where(orders.c.is_open.is_(False), orders.c.id.in_(_YOUNG))
# Which ERP and which kind is told by the rows: asked for here, they would lead to all that was ever sent.
_SENT = sa.select(outbox.c.order_id, outbox.c.deadline_at, outbox.c.target, outbox.c.kind).where(
    outbox.c.attempts > 0,
    outbox.c.state.in_((State.SENDING, State.UNKNOWN, State.DONE)) | outbox.c.look_first.is_(True),
    outbox.c.deadline_at.is_not(None),
    outbox.c.order_id.in_(sa.bindparam("ids", expanding=True)),
)


def open_orders(tx: Tx, connection: str, linked_after: datetime | None) -> list[OpenRow]:
    """Return a channel's orders with units to ship, and those whose sales order is younger than an instant; by id."""
    found = [OpenRow(*row) for row in tx.execute(_OPEN, {"shop": connection})]
    if linked_after is not None:
        young = tx.execute(_SHIPPED_YOUNG, {"shop": connection, "after": linked_after}).all()
        found = sorted([*found, *(OpenRow(*row) for row in young)], key=lambda row: row.id) if young else found
    return found


_NOTED = sa.select(sa.func.max(timeline.c.id))
_FLYING = sa.select(sa.func.count(), sa.func.max(outbox.c.deadline_at)).where(
    outbox.c.target == sa.bindparam("erp"), outbox.c.state.in_((State.SENDING, State.UNKNOWN))
)


def noted(tx: Tx, erp: str) -> tuple[int | None, int, datetime | None]:
    """Return what has changed whenever an order that takes stock of an ERP may have.

    All that happens to orders gets an entry of the timeline, but for a send, which has a deadline of its own.
    """
    flying, deadline = tx.execute(_FLYING, {"erp": erp}).one()
    return tx.execute(_NOTED).scalar(), flying, deadline


def sent(tx: Tx, erp: str, ids: Collection[int]) -> dict[int, datetime]:
    """Return when the last send ran out, of each of these orders whose sales order exists, or may exist, in an ERP."""
    found: dict[int, datetime] = {}
    for chunk in _chunks(ids):
        rows = tx.execute(_SENT, {"ids": chunk})
        found |= {row.order_id: row.deadline_at for row in rows if (row.target, row.kind) == (erp, PLACE_ORDER)}
    return found


def documents(tx: Tx, ids: Collection[int]) -> dict[int, str]:
    """Return orders as JSON, by id."""
    found: dict[int, str] = {}
    for chunk in _chunks(ids):
        query = sa.select(orders.c.id, orders.c.document).where(orders.c.id.in_(chunk))
        found |= {row.id: row.document for row in tx.execute(query)}
    return found


def close(tx: Tx, ids: Collection[int]) -> None:
    """Mark orders that have nothing left to ship."""
    for chunk in _chunks(ids):
        tx.execute(sa.update(orders).where(orders.c.id.in_(chunk)).values(is_open=False))
