"""Shipments as the ERPs told them, and the parcels that the channels are told of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from hub.contract import Fulfillment
from hub.store.database import Tx
from hub.store.orders import Link
from hub.store.tables import fulfillments, orders, packages, sales_orders


class PackageState(StrEnum):
    """Where a parcel stands on its way to the channel."""

    WAITING = "waiting"  # for its tracking number
    READY = "ready"
    SENDING = "sending"  # claimed; may be told until its deadline, the answer may come until the time-out
    UNKNOWN = "unknown"  # told, answer lost: the order is read before it is told again
    WRITING_BACK = "writing-back"  # the channel gave a number that the ERP does not have yet
    LABEL = "label"  # the channel's label is not saved yet
    DONE = "done"
    BLOCKED = "blocked"
    SETTLED = "settled"  # a person has settled it by hand on both sides: nothing more is told
    SUPERSEDED = "superseded"  # not to be told any more: its shipment was taken back before


CHUNK = 5_000  # no statement names more values than every database takes
TOLD = (PackageState.WRITING_BACK, PackageState.LABEL, PackageState.DONE, PackageState.SETTLED)
IN_FLIGHT = (PackageState.SENDING, PackageState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Seen:
    """One shipment as the ERP last told it."""

    connection: str
    ref: str
    order_ref: str
    document: str
    digest: str
    first_seen_at: datetime
    due_at: datetime | None
    asked: int


@dataclass(frozen=True, slots=True)
class Parcel:
    """One parcel; ``lines`` are units by the channel's line ids, as text."""

    id: int
    order_id: int
    erp: str
    key: str
    lines: dict[str, str]
    tracking_number: str | None
    carrier: str | None
    tracking_url: str | None
    state: str
    package_ref: str | None
    told_tracking: str | None
    told_at: datetime | None
    reason: list[dict[str, Any]] | None
    due_at: datetime | None
    deadline_at: datetime | None
    attempts: int


_SEEN = tuple(fulfillments.c[name] for name in Seen.__slots__)
_PARCEL = tuple(packages.c[name] for name in Parcel.__slots__)


def see(tx: Tx, connection: str, found: Mapping[str, tuple[Fulfillment, str, str]], now: datetime) -> list[str]:
    """Store shipments (ref -> value, document, digest) that are new or changed; return the sales orders they are of."""
    query = sa.select(fulfillments.c.ref, fulfillments.c.digest).where(
        fulfillments.c.connection == connection, fulfillments.c.ref.in_(list(found))
    )
    known = {row.ref: row.digest for row in tx.execute(query)}
    fresh: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for ref, (value, document, digest) in found.items():
        if ref not in known:
            row = {"connection": connection, "ref": ref, "order_ref": value.order_ref, "document": document}
            fresh.append({**row, "digest": digest, "first_seen_at": now, "due_at": now, "asked": 0})
        elif known[ref] != digest:
            changed.append({"b_ref": ref, "b_document": document, "b_digest": digest})
    if fresh:
        tx.execute(sa.insert(fulfillments), fresh)
    if changed:
        statement = sa.update(fulfillments).where(
            fulfillments.c.connection == connection, fulfillments.c.ref == sa.bindparam("b_ref")
        )
        values = {"document": sa.bindparam("b_document"), "digest": sa.bindparam("b_digest"), "due_at": now}
        tx.execute(statement.values(values), changed)
    told = [str(row["ref"]) for row in fresh] + [str(row["b_ref"]) for row in changed]
    return sorted({found[ref][0].order_ref for ref in told})


def digests_of(tx: Tx, connection: str, refs: Collection[str]) -> dict[str, str]:
    """Return the digests of those of these shipments that were read, by ref."""
    query = sa.select(fulfillments.c.ref, fulfillments.c.digest).where(fulfillments.c.connection == connection)
    found: dict[str, str] = {}
    rest = list(refs)
    for start in range(0, len(rest), CHUNK):
        rows = tx.execute(query.where(fulfillments.c.ref.in_(rest[start : start + CHUNK])))
        found |= {row.ref: row.digest for row in rows}
    return found


def of_sales_orders(tx: Tx, connection: str, order_refs: Sequence[str]) -> dict[str, list[Seen]]:
    """Return the shipments of sales orders, oldest first."""
    query = sa.select(*_SEEN).where(fulfillments.c.connection == connection, fulfillments.c.order_ref.in_(order_refs))
    found: dict[str, list[Seen]] = {}
    for row in tx.execute(query.order_by(fulfillments.c.first_seen_at, fulfillments.c.ref)):
        found.setdefault(row.order_ref, []).append(Seen(*row))
    return found


def due_fulfillments(tx: Tx, connection: str, now: datetime, limit: int) -> list[Seen]:
    """Return shipments that must be looked at, of so many sales orders at most; the longest waiting first."""
    mine = sa.and_(fulfillments.c.connection == connection, fulfillments.c.due_at <= now)
    refs = sa.select(fulfillments.c.order_ref).where(mine).group_by(fulfillments.c.order_ref)
    refs = refs.order_by(sa.func.min(fulfillments.c.due_at), fulfillments.c.order_ref).limit(limit)
    if not (due := list(tx.execute(refs).scalars())):
        return []
    query = sa.select(*_SEEN).where(mine, fulfillments.c.order_ref.in_(due))
    return [Seen(*row) for row in tx.execute(query.order_by(fulfillments.c.due_at, fulfillments.c.ref))]


def set_due(tx: Tx, connection: str, rows: Iterable[tuple[str, datetime | None, int]]) -> None:
    """Say when shipments (ref, when, how often asked) must be looked at again."""
    values = [{"b_ref": ref, "b_due": due, "b_asked": asked} for ref, due, asked in rows]
    if values:
        statement = sa.update(fulfillments).where(
            fulfillments.c.connection == connection, fulfillments.c.ref == sa.bindparam("b_ref")
        )
        tx.execute(statement.values(due_at=sa.bindparam("b_due"), asked=sa.bindparam("b_asked")), values)


def forget(tx: Tx, connection: str, refs: Collection[str]) -> None:
    """Forget shipments."""
    if refs:
        mine = (fulfillments.c.connection == connection, fulfillments.c.ref.in_(refs))
        tx.execute(sa.delete(fulfillments).where(*mine))


def links_by_ref(tx: Tx, erp: str, refs: Sequence[str]) -> dict[str, Link]:
    """Return the links of these sales orders."""
    if not refs:
        return {}
    query = sa.select(*(sales_orders.c[name] for name in Link.__slots__)).where(
        sales_orders.c.erp == erp, sales_orders.c.ref.in_(refs)
    )
    return {row.ref: Link(*row) for row in tx.execute(query)}


def rows_of(tx: Tx, order_id: int) -> list[dict[str, str]] | None:
    """Return the rows of an order's sales order as last seen: ref, variant_ref, quantity."""
    found: list[dict[str, str]] | None = tx.execute(
        sa.select(sales_orders.c.rows).where(sales_orders.c.order_id == order_id)
    ).scalar_one_or_none()
    return found


def set_rows(tx: Tx, order_id: int, rows: Sequence[Mapping[str, str]]) -> None:
    """Remember the rows of an order's sales order."""
    tx.execute(sa.update(sales_orders).where(sales_orders.c.order_id == order_id).values(rows=list(rows)))


def parcels_of(tx: Tx, order_ids: Sequence[int]) -> dict[int, list[Parcel]]:
    """Return the parcels of orders, in the order they were made."""
    found: dict[int, list[Parcel]] = {}
    if not order_ids:
        return found
    query = sa.select(*_PARCEL).where(packages.c.order_id.in_(order_ids)).order_by(packages.c.id)
    for row in tx.execute(query):
        found.setdefault(row.order_id, []).append(Parcel(*row))
    return found


def parcel_of(tx: Tx, erp: str, key: str) -> Parcel | None:
    """Return the parcel that a shipment of an ERP became."""
    row = tx.execute(sa.select(*_PARCEL).where(packages.c.erp == erp, packages.c.key == key)).one_or_none()
    return Parcel(*row) if row is not None else None


def add_parcels(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert parcels; the database refuses a second one under a key."""
    if rows:
        tx.execute(sa.insert(packages), [dict(row) for row in rows])


def update_parcels(tx: Tx, rows: Iterable[Mapping[str, Any]]) -> None:
    """Update parcels by ``id``; rows may name different columns."""
    for row in rows:
        values = {name: value for name, value in row.items() if name != "id"}
        tx.execute(sa.update(packages).where(packages.c.id == row["id"]).values(**values))


def due_parcels(
    tx: Tx, channel: str, routes: Collection[str], now: datetime, states: Sequence[PackageState], limit: int
) -> dict[int, list[Parcel]]:
    """Return parcels of a channel's orders of these Routes that are due in these states, by order; so many orders."""
    mine = sa.select(packages.c.order_id).join(orders, orders.c.id == packages.c.order_id)
    mine = mine.where(orders.c.connection == channel, orders.c.route.in_(routes))
    mine = mine.where(packages.c.state.in_(states), packages.c.due_at <= now)
    ids = sorted(set(tx.execute(mine.order_by(packages.c.due_at).limit(limit * 4)).scalars()))[:limit]
    return {
        id_: [each for each in found if each.state in states and each.due_at is not None and each.due_at <= now]
        for id_, found in parcels_of(tx, ids).items()
    }


def due_at_erp(tx: Tx, erp: str, routes: Collection[str], now: datetime, limit: int) -> list[Parcel]:
    """Return parcels of these Routes' orders whose number an ERP does not have yet, and that are due."""
    mine = sa.select(*_PARCEL).join(orders, orders.c.id == packages.c.order_id).where(orders.c.route.in_(routes))
    query = mine.where(
        packages.c.erp == erp, packages.c.state == PackageState.WRITING_BACK, packages.c.told_tracking.is_not(None)
    )
    query = query.where(packages.c.due_at <= now).order_by(packages.c.due_at, packages.c.id)
    return [Parcel(*row) for row in tx.execute(query.limit(limit))]


def next_due(tx: Tx, channel: str) -> datetime | None:
    """Return when the next parcel of a channel can go on."""
    kind = packages.c.due_at.type
    query = sa.select(sa.type_coerce(sa.func.min(packages.c.due_at), kind)).join(
        orders, orders.c.id == packages.c.order_id
    )
    working = (PackageState.READY, PackageState.UNKNOWN, PackageState.WRITING_BACK, PackageState.LABEL)
    found: datetime | None = tx.execute(
        query.where(orders.c.connection == channel, packages.c.state.in_(working))
    ).scalar()
    return found


def claim_parcels(tx: Tx, parcels: Sequence[Parcel], deadline: datetime) -> list[int]:
    """Take parcels for telling, until ``deadline``, by this caller only; return the ids that were still to be had."""
    ids = [parcel.id for parcel in parcels]
    free = (PackageState.READY, PackageState.UNKNOWN, PackageState.BLOCKED)
    query = sa.select(packages.c.id).where(packages.c.id.in_(ids), packages.c.state.in_(free)).with_for_update()
    won = list(tx.execute(query).scalars())
    if won:
        statement = sa.update(packages).where(packages.c.id.in_(won))
        tx.execute(statement.values(state=PackageState.SENDING, deadline_at=deadline, attempts=packages.c.attempts + 1))
    return won


def abandon(tx: Tx, channel: str, before: datetime, now: datetime) -> int:
    """Have parcels read up whose claim ran out before an instant, without an outcome; return how many."""
    mine = sa.exists().where(orders.c.id == packages.c.order_id, orders.c.connection == channel)
    lost = sa.and_(packages.c.state == PackageState.SENDING, packages.c.deadline_at <= before, mine)
    return tx.execute(sa.update(packages).where(lost).values(state=PackageState.UNKNOWN, due_at=now)).rowcount
