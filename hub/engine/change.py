"""Ledger -> ERP, after placement: sales orders of cancelled orders are deleted, those of changed ones are changed.

Both writes may be repeated: each reads what is there first, and neither touches what is packed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from hub.contract import (
    ContractError,
    HubError,
    Order,
    OrderKey,
    PlacedOrder,
    PlacedRow,
    RejectedError,
    SalesOrder,
    TransientError,
)  # fmt: skip
from hub.engine.ledger import fate_columns, fate_entry, history_of
from hub.engine.outcome import PAUSE_S, call, reason_of, retry_in
from hub.engine.place import MOST_ATTEMPTS
from hub.engine.placed import rows_as_kept, rules_after
from hub.engine.release import compose_one
from hub.engine.trouble import set_trouble
from hub.engine.world import Connected, World
from hub.host.http import send_before
from hub.routing.compose import order_key
from hub.routing.fate import (
    CANCELLED_AFTER,
    CANCELLING,
    CHANGED_AFTER,
    CHANGING,
    REVERTED_AFTER,
    Fate,
    Problem,
    Standing,
    after_placement,
    lines_digest,
)
from hub.store import Tx, orders, outbox, shipping, timeline
from hub.store.orders import Link, OrderRow
from hub.store.outbox import Settled, State
from hub.store.timeline import Entry

BATCH = 10
TROUBLE = "change"
PACKED = "order-packed"


def change(world: World, erp: Connected) -> bool:
    """Delete and change sales orders that are due, the deletions first; say whether there were any.

    Raises:
        HubError: the Connection as a whole cannot go on.
    """
    now = world.clock.now()
    for cause, act in ((CANCELLING, _cancel), (CHANGING, _update)):
        with world.store.read() as tx:
            due = orders.due_placed(tx, erp.id, now, (cause,), BATCH)
            links = orders.links_of(tx, [row.id for row in due])
        due = set_aside(world, due, now)
        for row in due:
            if _is_still_wanted(world, row, cause):
                _guarded(world, erp, row, links[row.id], act)
        if due:
            return True
    return False


def set_aside(world: World, due: Sequence[OrderRow], now: datetime) -> list[OrderRow]:
    """Return the orders whose Route has its orders switched on; the others are looked at later."""
    found = [row for row in due if world.takes_orders(row.route)]
    if len(found) < len(due):
        kept, later = {row.id for row in found}, now + timedelta(seconds=PAUSE_S)
        with world.store.write() as tx:
            orders.update(tx, [{"id": row.id, "due_at": later} for row in due if row.id not in kept])
    return found


def _is_still_wanted(world: World, row: OrderRow, cause: str) -> bool:
    """Say whether the Route, as it stands now, still wants this change; where not, decide the order's fate anew."""
    standing, now = _standing(world, row), world.clock.now()
    if (standing.fate, standing.cause) == (Fate.PLACED, cause):
        return True
    with world.store.write() as tx:
        _put(tx, world, row, standing, now)
    return False


def _standing(world: World, row: OrderRow) -> Standing:
    return after_placement(Order.model_validate_json(row.document), history_of(row), rules_after(world, row))


def _put(tx: Tx, world: World, row: OrderRow, standing: Standing, now: datetime) -> None:
    orders.update(tx, [{"id": row.id, **fate_columns(world, standing, None, now), "route": row.route}])
    timeline.add(tx, [fate_entry(row.id, standing, now, row.route)])


def _guarded(
    world: World, erp: Connected, row: OrderRow, link: Link, act: Callable[[World, Connected, OrderRow, Link], None]
) -> None:
    deadline = world.clock.now() + timedelta(seconds=world.timing.send_window_s)
    try:
        with send_before(deadline):
            act(world, erp, row, link)
    except TransientError as error:
        _later(world, row, error)
    except (RejectedError, ContractError) as error:
        _refused(world, erp, row, link, error)


def _cancel(world: World, erp: Connected, row: OrderRow, link: Link) -> None:
    call(world, erp, "cancel_order", order_ref=link.ref, reason=None)
    now = world.clock.now()
    with world.store.write() as tx:
        timeline.add(tx, [Entry(row.id, now, "sales-order-deleted", {"number": link.number, "ref": link.ref})])
        close_cancelled(tx, row, now)


def close_cancelled(tx: Tx, row: OrderRow, now: datetime) -> Standing:
    """Close an order that was cancelled and has no sales order any more."""
    orders.unlink(tx, row.id)
    # Should the order ever come back to life, it is looked up before it is sent.
    effects = outbox.of_order(tx, row.id)
    outbox.settle(tx, [Settled(effect, State.SUPERSEDED, look_first=True) for effect in effects])
    standing = Standing(Fate.CANCELLED)
    orders.update(
        tx,
        [
            {
                "id": row.id, "placed_digest": None, "due_at": None, "trouble": None, "fate": standing.fate.value,
                "cause": None, "reason": None, "release_at": None, "rechecks": 0,
            }
        ],
    )  # fmt: skip
    timeline.add(tx, [fate_entry(row.id, standing, now, row.route)])
    return standing


def _update(world: World, erp: Connected, row: OrderRow, link: Link) -> None:
    order = Order.model_validate_json(row.document)
    channel = world.connected[row.connection]
    route = next(route for route in world.routes if route.name == row.route)
    made = compose_one(world, channel, row, order, route)
    if not isinstance(made, SalesOrder):
        _tell(world, row, list(made))
        return
    existing = as_placed(link, order_key(order, channel.connector))
    changed: PlacedOrder = call(world, erp, "update_order", order=made, existing=existing)
    now = world.clock.now()
    with world.store.write() as tx:
        digest = lines_digest(order)
        orders.update(tx, [{"id": row.id, "placed_digest": digest}])
        rows = rows_as_kept(changed)
        if rows is not None:
            shipping.set_rows(tx, row.id, rows)
        detail = {"number": link.number, "rows": [f"{each.quantity.normalize():f} x {each.sku}" for each in made.rows]}
        timeline.add(tx, [Entry(row.id, now, "sales-order-changed", detail)])
        _settled(tx, world, row.id, now)


def as_placed(link: Link, key: OrderKey) -> PlacedOrder:
    """Return a sales order as the ledger remembers it."""
    rows = tuple(PlacedRow.model_validate(each) for each in link.rows or ())
    return PlacedOrder(key=key.key, ref=link.ref, number=link.number, rows=rows, ours=not link.adopted)


def _settled(tx: Tx, world: World, order_id: int, now: datetime) -> None:
    """Decide the fate anew; where the order changed again meanwhile, it is acted on again."""
    set_trouble(tx, world, {order_id: []}, TROUBLE, now)
    row = orders.by_ids(tx, [order_id])[order_id]
    standing = _standing(world, row)
    if (standing.fate, standing.cause) != (row.fate, row.cause):
        _put(tx, world, row, standing, now)


def _later(world: World, row: OrderRow, error: TransientError) -> None:
    now = world.clock.now()
    if row.rechecks >= MOST_ATTEMPTS:
        what = f"{row.rechecks} attempts failed, the last with {error.code}: {error.what}"
        _tell(world, row, [_problem(row, what, f"Mend what it names, then: hub retry {row.ref}")])
        return
    due = now + retry_in(row.rechecks + 1, error.retry_after_s)
    with world.store.write() as tx:
        orders.update(tx, [{"id": row.id, "due_at": due, "rechecks": row.rechecks + 1}])
        timeline.add(tx, [Entry(row.id, now, "postponed", {**reason_of(error), "until": due.isoformat()})])


def _refused(world: World, erp: Connected, row: OrderRow, link: Link, error: HubError) -> None:
    said = f"sales order {link.number} in {erp.id}"
    if row.cause == CANCELLING:
        what = f"it was cancelled on the channel, but {said} cannot be deleted: {error.what} ({error.where})"
        do = (
            f"Stop the parcel and take its shipment back in the ERP, then: hub retry {row.ref}. If it has left: book a "
        )
        do += f"return there, then: hub retry --settled {row.ref}"
    else:
        how = "changed on the channel and back" if _is_as_placed(row) else "changed on the channel"
        what = f"it {how}, but {said} cannot be changed: {error.what} ({error.where})"
        do = f"Settle the difference by hand on either side, then: hub retry --settled {row.ref}"
    _tell(world, row, [_problem(row, what, do if error.code == PACKED else error.do)])


def _problem(row: OrderRow, what: str, do: str) -> Problem:
    """Return a problem whose code says which change it is about, so that a later one of another kind is tried again."""
    if row.cause == CANCELLING:
        return Problem(CANCELLED_AFTER, what, do)
    return Problem(REVERTED_AFTER if _is_as_placed(row) else CHANGED_AFTER, what, do)


def _is_as_placed(row: OrderRow) -> bool:
    return lines_digest(Order.model_validate_json(row.document)) == row.placed_digest


def _tell(world: World, row: OrderRow, problems: list[Problem]) -> None:
    told = [_problem(row, problem.what, problem.do) for problem in problems]
    with world.store.write() as tx:
        set_trouble(tx, world, {row.id: told}, TROUBLE, world.clock.now())
