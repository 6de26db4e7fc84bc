"""The orders of the ledger: their last state, their fate, and which the engine must look at next."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from hub.store.bulk import many
from hub.store.database import Tx
from hub.store.tables import orders, sales_orders

PLACED = "placed"
_INSERT, _LINK = sa.insert(orders).inline(), sa.insert(sales_orders).inline()

SNAPSHOT = (
    orders.c.id,
    orders.c.connection,
    orders.c.ref,
    orders.c.key,
    orders.c.created_at,
    orders.c.updated_at,
    orders.c.first_seen_at,
    orders.c.read_at,
    orders.c.digest,
    orders.c.document,
    orders.c.fate,
    orders.c.cause,
    orders.c.reason,
    orders.c.route,
    orders.c.release_at,
    orders.c.due_at,
    orders.c.hand,
    orders.c.placed_digest,
    orders.c.rechecks,
    orders.c.trouble,
    orders.c.recorded,
)


class OrderRow(NamedTuple):
    """One row of the ledger's orders; ``document`` is the Order as JSON."""

    id: int
    connection: str
    ref: str
    key: str
    created_at: datetime
    updated_at: datetime
    first_seen_at: datetime
    read_at: datetime
    digest: str
    document: str
    fate: str
    cause: str | None
    reason: list[dict[str, Any]] | None
    route: str | None
    release_at: datetime | None
    due_at: datetime | None
    hand: str | None
    placed_digest: str | None
    rechecks: int
    trouble: list[dict[str, Any]] | None
    recorded: bool


def _rows(result: sa.Result[Any]) -> list[OrderRow]:
    # All at once: one row after another takes twice as long.
    return [OrderRow._make(row) for row in result.all()]


def by_refs(tx: Tx, connection: str, refs: Sequence[str]) -> dict[str, OrderRow]:
    """Return the known orders among these channel refs."""
    if not refs:
        return {}
    query = sa.select(*SNAPSHOT).where(orders.c.connection == connection, orders.c.ref.in_(refs))
    return {row.ref: row for row in _rows(tx.execute(query))}


def by_ids(tx: Tx, ids: Sequence[int]) -> dict[int, OrderRow]:
    """Return orders by the ledger's own ids."""
    query = sa.select(*SNAPSHOT).where(orders.c.id.in_(ids))
    return {row.id: row for row in _rows(tx.execute(query))} if ids else {}


def versions(tx: Tx, ids: Sequence[int]) -> dict[int, tuple[str, str | None]]:
    """Return the digest and the hand of orders, which nobody else changes before this transaction ends."""
    query = sa.select(orders.c.id, orders.c.digest, orders.c.hand).where(orders.c.id.in_(ids)).with_for_update()
    return {row.id: (row.digest, row.hand) for row in tx.execute(query).all()}


def find(tx: Tx, text: str) -> list[OrderRow]:
    """Return the orders that a person may mean by this text: a channel ref or a key."""
    query = sa.select(*SNAPSHOT).where(sa.or_(orders.c.ref == text, orders.c.key == text))
    return _rows(tx.execute(query.order_by(orders.c.id)))


def due(tx: Tx, connection: str, now: datetime, limit: int, but_routes: Sequence[str] = ()) -> list[OrderRow]:
    """Return orders the engine must look at, the longest waiting first, but for those of some Routes."""
    query = sa.select(*SNAPSHOT).where(
        orders.c.connection == connection, orders.c.due_at <= now, orders.c.fate != PLACED
    )
    if but_routes:
        query = query.where(sa.or_(orders.c.route.is_(None), orders.c.route.not_in(but_routes)))
    return _rows(tx.execute(query.order_by(orders.c.due_at, orders.c.id).limit(limit)))


def nth_due(
    tx: Tx, connection: str, nth: int, until: datetime, but_routes: Sequence[str] = ()
) -> datetime | None:  # fmt: skip
    """Return when that many orders of a Connection must be looked at, if before an instant; but for some Routes."""
    query = sa.select(orders.c.due_at).where(
        orders.c.connection == connection, orders.c.due_at <= until, orders.c.fate != PLACED
    )
    if but_routes:
        query = query.where(sa.or_(orders.c.route.is_(None), orders.c.route.not_in(but_routes)))
    found: datetime | None = tx.execute(query.order_by(orders.c.due_at).offset(nth - 1).limit(1)).scalar()
    return found


def is_any_fresh(tx: Tx, connection: str, now: datetime, but_routes: Sequence[str] = ()) -> bool:
    """Say whether an order is due that was read since its hold ended."""
    query = sa.select(orders.c.id).where(
        orders.c.connection == connection, orders.c.due_at <= now, orders.c.fate != PLACED
    )
    query = query.where(orders.c.release_at <= orders.c.read_at)
    if but_routes:
        query = query.where(sa.or_(orders.c.route.is_(None), orders.c.route.not_in(but_routes)))
    return tx.execute(query.limit(1)).first() is not None


def open_before(tx: Tx, connection: str, read_before: datetime, limit: int) -> list[OrderRow]:
    """Return orders with units still to ship that were last read before an instant, the longest unread first."""
    query = sa.select(*SNAPSHOT).where(
        orders.c.connection == connection,
        orders.c.is_open.is_(True),
        orders.c.read_at < read_before,
        orders.c.fate != "cancelled",
    )
    return _rows(tx.execute(query.order_by(orders.c.read_at, orders.c.id).limit(limit)))


def open_placed(tx: Tx, erp: str, channels: Collection[str], after_id: int, limit: int) -> list[OrderRow]:
    """Return channels' orders with a sales order in an ERP that still have units to ship, by ascending id."""
    query = sa.select(*SNAPSHOT).join(sales_orders, sales_orders.c.order_id == orders.c.id)
    query = query.where(*_open_in(erp, channels), orders.c.id > after_id)
    return _rows(tx.execute(query.order_by(orders.c.id).limit(limit)))


def open_named(tx: Tx, erp: str, refs: Sequence[str]) -> list[OrderRow]:
    """Return those with units still to ship of the orders that have these sales orders in an ERP."""
    query = sa.select(*SNAPSHOT).join(sales_orders, sales_orders.c.order_id == orders.c.id)
    query = query.where(sales_orders.c.erp == erp, sales_orders.c.ref.in_(refs), orders.c.is_open.is_(True))
    return _rows(tx.execute(query.order_by(orders.c.id)))


def count_open_placed(tx: Tx, erp: str, channels: Collection[str]) -> int:
    """Return how many orders of channels have a sales order in an ERP and units still to ship."""
    query = sa.select(sa.func.count()).select_from(orders.join(sales_orders, sales_orders.c.order_id == orders.c.id))
    return int(tx.execute(query.where(*_open_in(erp, channels))).scalar_one())


def _open_in(erp: str, channels: Collection[str]) -> tuple[sa.ColumnElement[bool], ...]:
    # The ERP's name is hidden from the index, which would lead to all that was ever placed there.
    mine = sa.func.coalesce(sales_orders.c.erp, "") == erp
    return orders.c.connection.in_(sorted(channels)), orders.c.is_open.is_(True), mine


def due_placed(tx: Tx, erp: str, now: datetime, causes: Sequence[str], limit: int) -> list[OrderRow]:
    """Return orders that have a sales order in an ERP and must be acted on for one of these causes."""
    query = sa.select(*SNAPSHOT).join(sales_orders, sales_orders.c.order_id == orders.c.id)
    query = query.where(sales_orders.c.erp == erp, orders.c.fate == PLACED, orders.c.cause.in_(causes))
    return _rows(tx.execute(query.where(orders.c.due_at <= now).order_by(orders.c.due_at, orders.c.id).limit(limit)))


class Unplaced(NamedTuple):
    """What an order without a sales order is recognised by; ``shop`` is from its document."""

    id: int
    key: str
    shop: str
    ref: str
    created_at: datetime


def unplaced(tx: Tx, connection: str, before: datetime, after_id: int, limit: int) -> list[Unplaced]:
    """Return orders made before an instant that may still be placed, by ascending id."""
    is_sqlite = tx.dialect.name == "sqlite"
    document = orders.c.document
    shop = sa.func.json_extract(document, "$.shop") if is_sqlite else sa.cast(document, sa.JSON)["shop"].as_string()
    query = sa.select(orders.c.id, orders.c.key, shop, orders.c.ref, orders.c.created_at).where(
        orders.c.id > after_id,
        orders.c.connection == connection,
        orders.c.fate.in_(("held", "ready", "blocked")),
        orders.c.placed_digest.is_(None),
        orders.c.created_at < before,
    )
    return [Unplaced._make(row) for row in tx.execute(query.order_by(orders.c.id).limit(limit)).all()]


def wait_for(tx: Tx, routes: Sequence[str], causes: Sequence[str]) -> bool:
    """Say whether any order of these Routes is blocked for one of these causes."""
    query = sa.select(orders.c.id).where(
        orders.c.fate == "blocked", orders.c.cause.in_(causes), orders.c.route.in_(routes)
    )
    return tx.execute(query.limit(1)).first() is not None


def next_due(tx: Tx, connection: str, but_routes: Sequence[str] = ()) -> datetime | None:
    """Return when the next order of a Connection must be looked at, but for those of some Routes."""
    query = sa.select(sa.type_coerce(sa.func.min(orders.c.due_at), orders.c.due_at.type)).where(
        orders.c.connection == connection, orders.c.due_at.is_not(None), orders.c.fate != PLACED
    )
    if but_routes:
        query = query.where(sa.or_(orders.c.route.is_(None), orders.c.route.not_in(but_routes)))
    found: datetime | None = tx.execute(query).scalar()
    return found


def insert(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Insert new orders; return the ledger's id by channel ref."""
    if not rows:
        return {}
    many(tx, _INSERT, rows)
    refs = [row["ref"] for row in rows]
    query = sa.select(orders.c.ref, orders.c.id).where(
        orders.c.connection == rows[0]["connection"], orders.c.ref.in_(refs)
    )
    return {row.ref: row.id for row in tx.execute(query).all()}


def update(tx: Tx, rows: Iterable[Mapping[str, Any]]) -> None:
    """Update orders by ``id``; every row must name the same columns."""
    values = [{("row_id" if name == "id" else name): value for name, value in row.items()} for row in rows]
    if values:
        many(tx, _update(tuple(name for name in values[0] if name != "row_id")), values)


@cache
def _update(columns: tuple[str, ...]) -> sa.Update:
    statement = sa.update(orders).where(orders.c.id == sa.bindparam("row_id"))
    return statement.values({name: sa.bindparam(name) for name in columns})


def wake(tx: Tx, now: datetime, *, fate: str, causes: Sequence[str] | None = None) -> None:
    """Make orders of one fate (and some causes) due at once, because the world changed for them."""
    statement = sa.update(orders).where(orders.c.fate == fate)
    if causes is not None:
        statement = statement.where(orders.c.cause.in_(causes))
    tx.execute(statement.values(due_at=now))


def wake_later_than(tx: Tx, connections: Sequence[str], far: datetime, now: datetime) -> None:
    """Make orders of Connections due at once that are due later than ``far``."""
    mine = sa.update(orders).where(orders.c.connection.in_(connections), orders.c.due_at > far)
    tx.execute(mine.values(due_at=now))


def wake_cancelled(tx: Tx, connection: str, refs: Sequence[str], now: datetime) -> None:
    """Make those of these orders due that were cancelled and have no sales order that is known."""
    mine = sa.update(orders).where(orders.c.connection == connection, orders.c.ref.in_(refs))
    tx.execute(mine.where(orders.c.fate == "cancelled", orders.c.placed_digest.is_(None)).values(due_at=now))


def counts(tx: Tx, connection: str | None = None) -> dict[tuple[str, str, str | None], int]:
    """Return how many orders stand where: by (connection, fate, cause)."""
    query = sa.select(orders.c.connection, orders.c.fate, orders.c.cause, sa.func.count())
    if connection is not None:
        query = query.where(orders.c.connection == connection)
    query = query.group_by(orders.c.connection, orders.c.fate, orders.c.cause)
    return {(c, fate, cause): n for c, fate, cause, n in tx.execute(query).all()}


def listing(tx: Tx, fate: str | None, limit: int, before_id: int | None = None) -> list[OrderRow]:
    """Return orders, newest first, of one fate or of all."""
    query = sa.select(*SNAPSHOT)
    if fate is not None:
        query = query.where(orders.c.fate == fate)
    if before_id is not None:
        query = query.where(orders.c.id < before_id)
    return _rows(tx.execute(query.order_by(orders.c.id.desc()).limit(limit)))


@dataclass(frozen=True, slots=True)
class Link:
    """A channel order's one sales order."""

    order_id: int
    erp: str
    key: str
    ref: str
    number: str
    adopted: bool
    linked_at: datetime
    rows: list[dict[str, str]] | None = None  # as the ERP showed them: ref, variant_ref, quantity
    gone_at: datetime | None = None


def link(tx: Tx, links: Sequence[Link]) -> None:
    """Record sales orders; the database refuses a second one for an order or a key."""
    many(tx, _LINK, [{name: getattr(one, name) for name in Link.__slots__} for one in links])


def relink(tx: Tx, one: Link, *, ref: str, number: str, adopted: bool) -> Link:
    """Let another sales order of the same ERP stand for an order, as long as the present one still does."""
    mine = (sales_orders.c.order_id == one.order_id, sales_orders.c.ref == one.ref)
    tx.execute(sa.update(sales_orders).where(*mine).values(ref=ref, number=number, adopted=adopted, rows=None))
    return replace(one, ref=ref, number=number, adopted=adopted, rows=None)


def linked_since(tx: Tx, erp: str, since: datetime, limit: int | None = None) -> list[int]:
    """Return the orders whose sales order in an ERP is younger than an instant and not known to be gone; newest first.

    Args:
        limit: so many of the newest at most.
    """
    query = sa.select(sales_orders.c.order_id).where(
        sales_orders.c.erp == erp, sales_orders.c.linked_at >= since, sales_orders.c.gone_at.is_(None)
    )
    query = query.order_by(sales_orders.c.linked_at.desc(), sales_orders.c.order_id.desc())
    return list(tx.execute(query.limit(limit)).scalars())


def unlink(tx: Tx, order_id: int) -> None:
    """Forget the sales order of an order, because the ERP no longer has it."""
    tx.execute(sa.delete(sales_orders).where(sales_orders.c.order_id == order_id))


def links_of(tx: Tx, order_ids: Sequence[int]) -> dict[int, Link]:
    """Return the sales orders of these orders."""
    if not order_ids:
        return {}
    query = sa.select(*(sales_orders.c[name] for name in Link.__slots__)).where(sales_orders.c.order_id.in_(order_ids))
    return {row.order_id: Link(*row) for row in tx.execute(query).all()}
