"""Which Route an order belongs to: what the ledger remembers of Routes that a route file may have renamed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import sqlalchemy as sa

from hub.store.database import Tx
from hub.store.tables import fulfillments, orders, route_starts, sales_orders

OFF = -1  # a shipment (``asked``) that nobody looks at before its order's Route tells shipments again


def former(tx: Tx, connection: str, names: Collection[str]) -> list[str]:
    """Return the Routes that took orders of a channel and are not among these."""
    query = sa.select(orders.c.route).where(orders.c.connection == connection, orders.c.route.not_in(names))
    return [str(name) for name in tx.execute(query.distinct()).scalars()]


def starts(tx: Tx, names: Collection[str]) -> dict[str, datetime]:
    """Return when each of these Routes first ran; those that never did are left out."""
    query = sa.select(route_starts.c.route, route_starts.c.start_at).where(route_starts.c.route.in_(names))
    return {row.route: row.start_at for row in tx.execute(query)}


def set_start(tx: Tx, name: str, start: datetime) -> None:
    """Remember when a Route, under the name it had then, first ran."""
    tx.execute(sa.insert(route_starts), {"route": name, "start_at": start})


def astray(tx: Tx, connection: str, homes: Mapping[str, str]) -> list[int]:
    """Return the open orders of a channel whose sales order is not where their Route leads (Route -> ERP)."""
    mine = sa.select(orders.c.id).join(sales_orders, sales_orders.c.order_id == orders.c.id)
    mine = mine.where(orders.c.connection == connection, orders.c.is_open.is_(True))
    at_home = [
        sa.and_(sa.func.coalesce(orders.c.route, "") == name, sales_orders.c.erp == erp) for name, erp in homes.items()
    ]
    return list(tx.execute(mine.where(sa.not_(sa.or_(sa.false(), *at_home)))).scalars())


def blocked_for(tx: Tx, connection: str, cause: str) -> list[int]:
    """Return the orders of a channel that are blocked for this cause."""
    query = sa.select(orders.c.id).where(
        orders.c.connection == connection, orders.c.fate == "blocked", orders.c.cause == cause
    )
    return list(tx.execute(query).scalars())


def wake_shipments(tx: Tx, erp: str, names: Iterable[str], now: datetime) -> None:
    """Have the shipments looked at that were left alone until their order's Route, one of these, tells them again."""
    mine = sa.select(orders.c.id).join(sales_orders, orders.c.id == sales_orders.c.order_id)
    mine = mine.where(sales_orders.c.erp == erp, sales_orders.c.ref == fulfillments.c.order_ref)
    mine = mine.where(orders.c.route.in_(list(names))).correlate(fulfillments)
    left = sa.update(fulfillments).where(fulfillments.c.connection == erp, fulfillments.c.asked == OFF)
    tx.execute(left.where(mine.exists()).values(due_at=now, asked=0))
