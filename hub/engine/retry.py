"""What a person may say of an order that stands still: try it again, or that it is settled by hand.

Of an order that was cancelled or changed after its sales order was made, the route file says what a retry means; where
it leaves the sales order to a person, only the ERP can tell whether that is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from hub.contract import CancellationState, FulfilledBy, Fulfillment, Order, OrderStatus, PlacedOrder
from hub.engine import recheck
from hub.engine.change import close_cancelled
from hub.engine.hand import Handled, fate_changes, refused, where
from hub.engine.ledger import fate_entry, history_of
from hub.engine.outcome import BROKE, call
from hub.engine.placed import rules_after
from hub.engine.review import one
from hub.engine.stray import TARGET_GONE, let_go
from hub.engine.world import World
from hub.routing.compose import order_key
from hub.routing.fate import (
    CANCELLED_AFTER,
    CHANGED_AFTER,
    REVERTED_AFTER,
    Fate,
    Standing,
    after_placement,
    is_cancelled,
    lines_digest,
)  # fmt: skip
from hub.routing.model import OnCancel, OnChange
from hub.store import Store, Tx, cancellations, orders, outbox, returns, shipping, timeline
from hub.store.orders import Link, OrderRow
from hub.store.outbox import Settled, State
from hub.store.shipping import PackageState, Parcel
from hub.store.timeline import Entry

AFTER = (CANCELLED_AFTER, CHANGED_AFTER)
PAGE = 500


def retry(store: Store, text: str, now: datetime, *, connection: str | None = None) -> Handled:
    """Look at a blocked order, or send a postponed one, at the next pass instead of later.

    Raises:
        HubError: it is neither, or its retry must ask the ERP (see needs_routes).
    """
    with store.write() as tx:
        row = one(tx, text, connection)
        if row.cause == TARGET_GONE:
            return _let_go(tx, row, now)
        if row.cause == CHANGED_AFTER and not row.trouble:
            return _accept_change(tx, row, now)
        if row.fate == Fate.BLOCKED and (row.cause != CANCELLED_AFTER or row.trouble):
            return _look_again(tx, row, now)
        hurried = _hurry(tx, row, now) if row.fate == Fate.READY else 0
        if not hurried:
            raise refused("not-blocked", row, f"it is not blocked: it is {where(row)}", f"See hub order {row.ref}")
        return Handled(row.ref, row.key, row.fate, row.cause, "the next pass sends it")


def retry_blocked(store: Store, now: datetime) -> tuple[list[Handled], list[Handled]]:
    """Have every blocked order looked at again; return those, and those that need a retry of their own.

    A retry of those says that a person has mended the sales order, or seen that there is none; nobody can say that of
    all at once.
    """
    again: list[Handled] = []
    alone: list[Handled] = []
    with store.write() as tx:
        before: int | None = None
        while page := orders.listing(tx, Fate.BLOCKED, PAGE, before):
            before = page[-1].id
            for row in page:
                if row.cause == TARGET_GONE or (row.cause in AFTER and not row.trouble):
                    says = f"needs its own: hub retry {row.ref}"
                    alone.append(Handled(row.ref, row.key, row.fate, row.cause, says))
                else:
                    again.append(_look_again(tx, row, now))
    return again, alone


def needs_routes(store: Store, text: str, connection: str | None = None) -> bool:
    """Say whether only the route file, and perhaps the ERP, can tell what retrying this order means."""
    with store.read() as tx:
        return one(tx, text, connection).cause in AFTER


def retry_after(world: World, text: str, *, connection: str | None = None) -> Handled:
    """Retry an order that was cancelled or changed after its sales order was made.

    Where its route has the hub delete or change the sales order, the next pass tries again. Where it leaves that to a
    person, a change counts as handled, and a cancelled order is closed if its sales order is gone from the ERP.

    Raises:
        HubError: the sales order of a cancelled order is still there; it names it.
    """
    now = world.clock.now()
    with world.store.write() as tx:
        row = one(tx, text, connection)
        rules = rules_after(world, row)
        ours = {CANCELLED_AFTER} if rules is not None and rules.on_cancel is OnCancel.DELETE else set()
        ours |= {CHANGED_AFTER} if rules is not None and rules.on_change is OnChange.UPDATE else set()
        if row.cause in ours and row.placed_digest is not None:
            return _look_again(tx, row, now)
        if row.cause == CHANGED_AFTER:
            return _accept_change(tx, row, now)
        link = orders.links_of(tx, [row.id]).get(row.id)
    if row.cause != CANCELLED_AFTER:
        return retry(world.store, text, now, connection=connection)
    _refuse_living(world, row, link)
    with world.store.write() as tx:
        timeline.add(tx, [Entry(row.id, now, "sales-order-gone", {})])
        standing = close_cancelled(tx, row, now)
    return Handled(row.ref, row.key, standing.fate.value, None, "its sales order is gone; nothing is left to do")


def settle(store: Store, text: str, now: datetime, *, connection: str | None = None) -> Handled:
    """Take a person's word that all is settled by hand on both sides; the hub does nothing more about what it found.

    A parcel that was refused is not told any more, a change of the order counts as handled, a cancelled one is closed.

    Raises:
        HubError: it is not blocked, or has no sales order.
    """
    with store.write() as tx:
        row = one(tx, text, connection)
        if row.fate != Fate.BLOCKED or row.placed_digest is None:
            what = f"only a blocked order that has a sales order can be settled by hand: it is {where(row)}"
            raise refused("not-blocked", row, what, f"See hub order {row.ref}")
        order = Order.model_validate_json(row.document)
        _settle_parcels(tx, row)
        for each in returns.of_order(tx, row.connection, row.ref):
            if each.state == returns.BLOCKED:
                returns.update(tx, each, {"state": returns.DONE, "due_at": None, "reason": None})
        recorded = row.recorded or (order.status is OrderStatus.SHIPPED and order.fulfilled_by is FulfilledBy.CHANNEL)
        history = replace(history_of(row), placed_digest=lines_digest(order), trouble=(), recorded=recorded)
        standing = Standing(Fate.CANCELLED)
        if not is_cancelled(order):
            standing = after_placement(order, history, None)
        changes = {"placed_digest": history.placed_digest, "recorded": recorded, "trouble": None, "due_at": None}
        orders.update(tx, [{"id": row.id, **changes, **fate_changes(standing)}])
        timeline.add(tx, [Entry(row.id, now, "settled-by-hand", {}), fate_entry(row.id, standing, now, row.route)])
    says = "it counts as settled by hand; the hub does nothing more about it"
    return Handled(row.ref, row.key, standing.fate.value, standing.cause, says)


def _refuse_living(world: World, row: OrderRow, link: Link | None) -> None:
    route = next((route for route in world.routes if route.name == row.route), None)
    place = link.erp if link is not None else route.erp if route is not None else None
    if place is None:
        return
    channel, erp = _connected(world, row.connection, row), _connected(world, place, row)
    key = order_key(Order.model_validate_json(row.document), channel.connector)
    found: list[PlacedOrder] = call(world, erp, "find_orders", orders=[key], before=None)
    living = [each for each in found if not each.deleted]
    if living:
        numbers = " and ".join(f"{each.number} (id {each.ref})" for each in living)
        what = f"its sales order is still there: {numbers}"
        do = f"Delete it in {erp.id}, then: hub retry {row.ref}. If it must stay: hub retry --settled {row.ref}"
        raise refused("sales-order-lives", row, what, do)


def _connected(world: World, id_: str, row: OrderRow) -> Any:
    if id_ not in world.connected:
        what = f"the route file has no connection {id_!r} any more"
        raise refused("connection-gone", row, what, "Put the connection back, then retry.")
    return world.connected[id_]


def _accept_change(tx: Tx, row: OrderRow, now: datetime) -> Handled:
    order = Order.model_validate_json(row.document)
    digest = lines_digest(order)
    history = replace(history_of(row), placed_digest=digest, trouble=())
    standing = after_placement(order, history, None)
    changes = {"placed_digest": digest, "due_at": None, "trouble": None, **fate_changes(standing)}
    orders.update(tx, [{"id": row.id, **changes}])
    entry = Entry(row.id, now, "change-accepted-by-hand", {})
    timeline.add(tx, [entry, fate_entry(row.id, standing, now, row.route)])
    says = "its present lines count as handled in the ERP"
    return Handled(row.ref, row.key, standing.fate.value, standing.cause, says)


def _let_go(tx: Tx, row: OrderRow, now: datetime) -> Handled:
    timeline.add(tx, [Entry(row.id, now, "retried-by-hand", {})])
    standing = let_go(tx, row, now)
    says = "it counts as not sent there; the next pass decides it by the present routes"
    return Handled(row.ref, row.key, standing.fate.value, standing.cause, says)


def _look_again(tx: Tx, row: OrderRow, now: datetime) -> Handled:
    """Have the next pass look at an order; what stood in the way is forgotten, and found anew where it still does."""
    changes: dict[str, Any] = {"due_at": now, "rechecks": 0}
    says = "the next pass looks at it again"
    if row.placed_digest is not None:
        _wake_flows(tx, row, now)
        # Of an order that was changed back, only another comparison tells whether its sales order is as it was.
        back = [each for each in row.trouble or () if each["code"] == REVERTED_AFTER]
        changes["trouble"] = [{**each, "code": CHANGED_AFTER} for each in back] or None
        says = "the next pass tries again"
    orders.update(tx, [{"id": row.id, **changes}])
    timeline.add(tx, [Entry(row.id, now, "retried-by-hand", {})])
    return Handled(row.ref, row.key, row.fate, row.cause, says)


def _wake_flows(tx: Tx, row: OrderRow, now: datetime) -> None:
    """Make due what each flow has of an order: shipments, parcels, requests, returns, the look into the ERP."""
    link = orders.links_of(tx, [row.id]).get(row.id)
    if link is not None:
        seen = shipping.of_sales_orders(tx, link.erp, [link.ref]).get(link.ref, [])
        # Counted as asked for, so that each is read anew: an edit of it may not show in the ERP's feed.
        shipping.set_due(tx, link.erp, [(each.ref, now, max(1, each.asked)) for each in seen])
        recheck.look_from(tx, link.erp, row.id)  # a person waits
    for parcel in _parcels(tx, row):
        if parcel.state == PackageState.BLOCKED:
            again = {"state": PackageState.READY, "due_at": now, "attempts": 0, "reason": None}
            shipping.update_parcels(tx, [{"id": parcel.id, **again}])
        elif parcel.reason and parcel.state == PackageState.DONE:
            # A person may have entered a number that was refused; one that a connector broke over is tried again.
            is_broke = any(each["code"] == BROKE for each in parcel.reason)
            rest = {"state": PackageState.WRITING_BACK, "due_at": now, "attempts": 0} if is_broke else {}
            shipping.update_parcels(tx, [{"id": parcel.id, "reason": None, **rest}])
    for asked in cancellations.of_order(tx, row.connection, row.ref):
        if asked.state == CancellationState.REQUESTED:
            cancellations.update(tx, asked, {"due_at": now})
    for each in returns.of_order(tx, row.connection, row.ref):
        if each.state == returns.BLOCKED:
            returns.update(tx, each, {"due_at": now})


def _settle_parcels(tx: Tx, row: OrderRow) -> None:
    """Leave alone what was refused, or taken back in the ERP after it was told; stop asking for shipments."""
    link = orders.links_of(tx, [row.id]).get(row.id)
    seen = shipping.of_sales_orders(tx, link.erp, [link.ref]).get(link.ref, []) if link is not None else []
    values = [Fulfillment.model_validate_json(each.document) for each in seen]
    gone = {package.key for value in values if value.deleted for package in value.packages}
    if link is not None:
        shipping.set_due(tx, link.erp, [(each.ref, None, 0) for each in seen])
    for parcel in _parcels(tx, row):
        taken_back = parcel.state == PackageState.DONE and parcel.key in gone
        if parcel.state == PackageState.BLOCKED or taken_back:
            changes = {"state": PackageState.SETTLED, "due_at": None, "reason": None}
            shipping.update_parcels(tx, [{"id": parcel.id, **changes}])
        elif parcel.reason:
            shipping.update_parcels(tx, [{"id": parcel.id, "reason": None}])


def _parcels(tx: Tx, row: OrderRow) -> Sequence[Parcel]:
    return shipping.parcels_of(tx, [row.id]).get(row.id, [])


def _hurry(tx: Tx, row: OrderRow, now: datetime) -> int:
    """Make effects that wait for their next attempt due; those whose outcome is open must keep their wait."""
    waiting = [effect for effect in outbox.of_order(tx, row.id) if effect.state == State.PENDING]
    outbox.settle(tx, [Settled(effect, State.PENDING, now, effect.look_first) for effect in waiting])
    timeline.add(tx, [Entry(row.id, now, "retried-by-hand", {})] if waiting else [])
    return len(waiting)
