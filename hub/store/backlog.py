"""What waits in the ledger, counted for the forecast; each question is answered by an index."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from hub.store import shipping
from hub.store.database import Tx
from hub.store.outbox import State
from hub.store.shipping import PackageState
from hub.store.tables import cancellations, fulfillments, orders, outbox, packages, returns, sales_orders

MOST = 100_000  # orders to come that are told one by one


def effects(tx: Tx, target: str) -> dict[bool, int]:
    """Return how many effects of a Connection are on their way out, by whether they are looked up first."""
    unsure = sa.or_(outbox.c.look_first.is_(True), outbox.c.state == State.UNKNOWN)
    waiting = outbox.c.state.in_((State.PENDING, State.SENDING, State.UNKNOWN))
    query = sa.select(unsure, sa.func.count()).where(outbox.c.target == target, waiting)
    query = query.where(outbox.c.order_id.in_(sa.select(orders.c.id).where(orders.c.fate == "ready")))
    return {bool(look): count for look, count in tx.execute(query.group_by(unsure))}


def releases(tx: Tx, connection: str, routes: Collection[str], until: datetime) -> list[datetime]:
    """Return when the holds of a channel's orders of these Routes end, as far as they end before an instant."""
    query = sa.select(orders.c.due_at).where(orders.c.connection == connection, orders.c.due_at <= until)
    query = query.where(orders.c.fate == "held", orders.c.route.in_(routes))
    return list(tx.execute(query.order_by(orders.c.due_at).limit(MOST)).scalars())


def after_placement(tx: Tx, erp: str, until: datetime) -> dict[str, int]:
    """Return how many sales orders are to be acted on, by cause."""
    query = sa.select(orders.c.cause, sa.func.count())
    query = query.select_from(orders.join(sales_orders, sales_orders.c.order_id == orders.c.id))
    query = query.where(sales_orders.c.erp == erp, orders.c.fate == "placed", orders.c.due_at <= until)
    return {cause or "": count for cause, count in tx.execute(query.group_by(orders.c.cause))}


def parcels(tx: Tx, until: datetime) -> dict[tuple[str, str, str], int]:
    """Return how many parcels wait, by channel, ERP and state."""
    waiting = (*shipping.IN_FLIGHT, PackageState.READY, PackageState.WRITING_BACK, PackageState.LABEL)
    query = sa.select(orders.c.connection, packages.c.erp, packages.c.state, sa.func.count())
    query = query.select_from(packages.join(orders, orders.c.id == packages.c.order_id))
    query = query.where(packages.c.state.in_(waiting), packages.c.due_at <= until)
    groups = (orders.c.connection, packages.c.erp, packages.c.state)
    return {(channel, erp, state): count for channel, erp, state, count in tx.execute(query.group_by(*groups))}


def shipments(tx: Tx, erp: str, until: datetime) -> int:
    """Return of how many sales orders shipments must be asked for again."""
    query = sa.select(sa.func.count(fulfillments.c.order_ref.distinct()))
    query = query.where(fulfillments.c.connection == erp, fulfillments.c.due_at <= until)
    return int(tx.execute(query).scalar_one())


def requests(tx: Tx, channel: str, until: datetime) -> int:
    """Return how many cancellations must be looked at."""
    query = sa.select(sa.func.count()).select_from(cancellations)
    query = query.where(cancellations.c.connection == channel, cancellations.c.due_at <= until)
    return int(tx.execute(query).scalar_one())


def returned(tx: Tx, channel: str, until: datetime) -> int:
    """Return how many returns are to be booked."""
    query = sa.select(sa.func.count()).select_from(returns)
    query = query.where(returns.c.connection == channel, returns.c.due_at <= until)
    return int(tx.execute(query.where(returns.c.state.in_(("ready", "sending", "blocked")))).scalar_one())
