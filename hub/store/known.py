"""What the ledger remembers beside orders: cursors, Variants, Locations, pauses, route starts, connectors' notes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hub.contract import Cursor, Location, LocationKind, Variant
from hub.store.database import Tx
from hub.store.tables import authorisations, connections, cursors, locations, memory, route_starts, variants

# Asked dozens of times a round: to build it anew each time would cost more than to run it.
_CURSOR = sa.select(cursors.c.value, cursors.c.at).where(
    cursors.c.connection == sa.bindparam("of"), cursors.c.stream == sa.bindparam("named")
)
_LOCATIONS = (
    sa.select(locations.c.ref, locations.c.name, locations.c.kind, locations.c.is_default, locations.c.usable)
    .where(locations.c.connection == sa.bindparam("of"))
    .order_by(locations.c.name, locations.c.ref)
)

_PAUSED = sa.select(connections.c.id, connections.c.paused_until, connections.c.reason).where(
    connections.c.paused_until.is_not(None)
)


WATCH = "watch"


def _replace(tx: Tx, table: sa.Table, keys: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    match = [table.c[name] == sa.bindparam(f"k_{name}") for name in keys]
    tx.execute(sa.delete(table).where(*match), [{f"k_{name}": row[name] for name in keys} for row in rows])
    tx.execute(sa.insert(table), list(rows))


def cursor(tx: Tx, connection: str, stream: str) -> tuple[Cursor | None, datetime | None]:
    """Return where a pull goes on, and when it last ended."""
    row = tx.execute(_CURSOR, {"of": connection, "named": stream}).one_or_none()
    return (None, None) if row is None else (None if row[0] is None else Cursor(row[0]), row[1])


def watched_since(tx: Tx, erp: str) -> datetime | None:
    """Return when this ledger's present watch of an ERP began."""
    began, _ = cursor(tx, erp, WATCH)
    return None if began is None else datetime.fromisoformat(began)


def set_cursor(tx: Tx, connection: str, stream: str, value: Cursor | None, at: datetime) -> None:
    """Remember where a pull goes on."""
    row = {"connection": connection, "stream": stream, "value": value, "at": at}
    _replace(tx, cursors, ("connection", "stream"), [row])


def variants_by_sku(tx: Tx, connection: str, skus: Iterable[str]) -> dict[str, list[Variant]]:
    """Return the living Variants of these SKUs."""
    query = sa.select(variants.c.ref, variants.c.sku, variants.c.name, variants.c.kind).where(
        variants.c.connection == connection, variants.c.sku.in_(list(skus)), variants.c.gone.is_(False)
    )
    found: dict[str, list[Variant]] = {}
    for ref, sku, name, kind in tx.execute(query):
        found.setdefault(sku, []).append(Variant(ref=ref, sku=sku, name=name, kind=kind))
    return found


def skus_of(tx: Tx, connection: str, refs: Iterable[str]) -> dict[str, str]:
    """Return the SKUs of Variants by their refs, as far as they are known and have one."""
    query = sa.select(variants.c.ref, variants.c.sku).where(
        variants.c.connection == connection, variants.c.ref.in_(list(refs)), variants.c.sku.is_not(None)
    )
    return {row.ref: row.sku for row in tx.execute(query)}


def remember_variants(tx: Tx, connection: str, found: Iterable[Variant]) -> None:
    """Remember Variants, the present reading replacing an earlier one."""
    rows = {
        v.ref: {
            "connection": connection, "ref": v.ref, "sku": v.sku, "name": v.name, "kind": v.kind, "gone": v.gone,
            "product_ref": v.product_ref, "places": list(v.places), "stockable": v.stockable, "status": v.status,
            "product_name": v.product_name, "price": v.price, "currency": v.currency, "options": v.options,
        }
        for v in found
    }  # fmt: skip
    _replace(tx, variants, ("connection", "ref"), list(rows.values()))


def forget_skus(tx: Tx, connection: str, skus: Iterable[str]) -> None:
    """Forget what was remembered of these SKUs, so that they are looked up anew."""
    tx.execute(sa.delete(variants).where(variants.c.connection == connection, variants.c.sku.in_(list(skus))))


def locations_of(tx: Tx, connection: str) -> list[Location]:
    """Return the remembered Locations of a Connection."""
    return [
        Location(ref=ref, name=name, kind=LocationKind(kind), is_default=is_default, usable=usable)
        for ref, name, kind, is_default, usable in tx.execute(_LOCATIONS, {"of": connection})
    ]


def remember_locations(tx: Tx, connection: str, found: Iterable[Location], at: datetime) -> None:
    """Replace what is remembered of a Connection's Locations."""
    tx.execute(sa.delete(locations).where(locations.c.connection == connection))
    rows = {one.ref: {"connection": connection, **one.model_dump()} for one in found}
    if rows:
        tx.execute(sa.insert(locations), list(rows.values()))
    set_cursor(tx, connection, "locations", None, at)


def pause(tx: Tx, connection: str, until: datetime | None, reason: dict[str, Any] | None) -> None:
    """Pause a Connection until an instant, or end its pause with None."""
    _replace(tx, connections, ("id",), [{"id": connection, "paused_until": until, "reason": reason}])


def paused(tx: Tx) -> dict[str, tuple[datetime, dict[str, Any]]]:
    """Return the paused Connections, until when, and why."""
    return {id_: (until, reason or {}) for id_, until, reason in tx.execute(_PAUSED)}


def have_started(tx: Tx, routes: Collection[str]) -> bool:
    """Say whether the moment is known at which each of these Routes first ran."""
    query = sa.select(sa.func.count()).where(route_starts.c.route.in_(routes))
    return not routes or tx.execute(query).scalar() == len(set(routes))


def route_start(tx: Tx, route: str, now: datetime) -> datetime:
    """Return the moment a Route first ran, which is now where it never did."""
    found: datetime | None = tx.execute(
        sa.select(route_starts.c.start_at).where(route_starts.c.route == route)
    ).scalar_one_or_none()
    if found is None:
        tx.execute(sa.insert(route_starts), {"route": route, "start_at": now})
        return now
    return found


def note(tx: Tx, connection: str, key: str) -> str | None:
    """Return what a connector noted under a key."""
    query = sa.select(memory.c.value).where(memory.c.connection == connection, memory.c.key == key)
    found: str | None = tx.execute(query).scalar_one_or_none()
    return found


def set_note(tx: Tx, connection: str, key: str, value: str | None) -> None:
    """Remember a connector's note, or forget it with None."""
    if value is None:
        tx.execute(sa.delete(memory).where(memory.c.connection == connection, memory.c.key == key))
    else:
        _replace(tx, memory, ("connection", "key"), [{"connection": connection, "key": key, "value": value}])


def tokens(tx: Tx, key: str) -> bytes | None:
    """Return the encrypted tokens of an Authorisation."""
    found: bytes | None = tx.execute(
        sa.select(authorisations.c.secret).where(authorisations.c.key == key)
    ).scalar_one_or_none()
    return found


def has_tokens(tx: Tx) -> bool:
    """Say whether anything is kept encrypted."""
    return tx.execute(sa.select(authorisations.c.key).limit(1)).first() is not None


def set_tokens(tx: Tx, key: str, secret: bytes, at: datetime) -> None:
    """Store the encrypted tokens of an Authorisation, both in one row."""
    _replace(tx, authorisations, ("key",), [{"key": key, "secret": secret, "updated_at": at}])


def forget_tokens(tx: Tx, key: str) -> None:
    """Forget the tokens of an Authorisation."""
    tx.execute(sa.delete(authorisations).where(authorisations.c.key == key))
