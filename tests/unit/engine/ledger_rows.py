"""Orders put into a ledger by hand, as a pull would have left them."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from hub.contract import Order
from hub.routing.fate import lines_digest
from hub.store import Store, orders, outbox
from hub.store.orders import Link, OrderRow
from tests.conftest import NOON


def put(store: Store, order: Order, fate: str, cause: str | None = None, **columns: Any) -> int:
    """Insert one order with a fate; returns the ledger's id."""
    document = order.model_dump_json(exclude_defaults=True)
    row: dict[str, Any] = {
        "connection": "shop", "ref": order.ref, "key": order.key, "channel_status": order.channel_status,
        "created_at": order.created_at, "updated_at": order.updated_at, "first_seen_at": NOON, "read_at": NOON,
        "digest": hashlib.sha256(document.encode()).hexdigest(), "document": document, "route": "us", "fate": fate,
        "cause": cause, "reason": None, "release_at": None, "due_at": None, "hand": None, "placed_digest": None,
        "rechecks": 0,
    }  # fmt: skip
    with store.write() as tx:
        return orders.insert(tx, [row | columns])[order.ref]


def put_effect(store: Store, id_: int, key: str, state: str = "pending", due_at: datetime = NOON) -> None:
    """Give an order its effect in the outbox."""
    effect = {
        "kind": outbox.PLACE_ORDER, "target": "erp", "key": key, "order_id": id_, "priority": 20, "due_at": due_at,
        "look_first": False, "payload": "{}", "state": state,
    }  # fmt: skip
    with store.write() as tx:
        outbox.intend(tx, [effect])


def put_placed(store: Store, order: Order, fate: str, cause: str | None = None, digest: str | None = None) -> int:
    """Insert an order that has a sales order."""
    id_ = put(store, order, fate, cause, placed_digest=digest or lines_digest(order))
    with store.write() as tx:
        orders.link(tx, [Link(id_, "erp", order.key, "s-1", order.key, False, NOON)])
    return id_


def row_of(store: Store, ref: str = "5001") -> OrderRow:
    """Return the order's row."""
    with store.read() as tx:
        return orders.find(tx, ref)[0]


def effects_of(store: Store, ref: str = "5001") -> list[outbox.Effect]:
    """Return the order's effects."""
    with store.read() as tx:
        return outbox.of_order(tx, row_of(store, ref).id)
