"""Cancelled orders that were placed by what this ledger does not remember: they go as if it had placed them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from hub.contract import Order, PlacedOrder
from hub.engine.ledger import fate_columns, fate_entry
from hub.engine.placed import rows_as_kept, rules_after
from hub.engine.world import Connected, World
from hub.routing.fate import CANCELLED_AFTER, Fate, History, Problem, Standing, after_placement, lines_digest
from hub.store import ConflictError, orders, timeline
from hub.store.orders import Link, OrderRow
from hub.store.timeline import Entry

WAIT_S = 60.0


def take_over(world: World, channel: Connected, erp: str, rows: Sequence[OrderRow], now: datetime) -> list[OrderRow]:
    """Link the sales orders that the survey of an ERP has just found of cancelled orders; return the other orders."""
    survey, others = world.surveys.get((channel.id, erp)), list[OrderRow]()
    for row in rows:
        ones = survey.found.get(row.key, []) if survey is not None and is_late(row) else []
        living = [one for one in ones if not one.deleted]
        if not living:
            others.append(row)
            continue
        try:
            _link(world, erp, row, living, now)
        except ConflictError:
            _write(world, row, _blocked(erp, row, living), now, {}, [])
    return others


def put_off(world: World, rows: Sequence[OrderRow], now: datetime) -> list[OrderRow]:
    """Look at cancelled orders later, because not every ERP can be asked now; return the other orders."""
    late = [row for row in rows if is_late(row)]
    if late:
        with world.store.write() as tx:
            orders.update(tx, [{"id": row.id, "due_at": now + timedelta(seconds=WAIT_S)} for row in late])
    return [row for row in rows if not is_late(row)]


def is_late(row: OrderRow) -> bool:
    """Say whether an order was cancelled without a sales order that this ledger knows."""
    return row.fate == Fate.CANCELLED and row.placed_digest is None


def _link(world: World, erp: str, row: OrderRow, living: Sequence[PlacedOrder], now: datetime) -> None:
    if len(living) > 1:
        _write(world, row, _blocked(erp, row, living), now, {}, [])
        return
    order, one = Order.model_validate_json(row.document), living[0]
    digest = lines_digest(order)
    standing = after_placement(order, History(placed_digest=digest), rules_after(world, row))
    link = Link(row.id, erp, row.key, one.ref, one.number, adopted=True, linked_at=now, rows=rows_as_kept(one))
    _write(world, row, standing, now, {"placed_digest": digest}, [link])


def _write(
    world: World, row: OrderRow, standing: Standing, now: datetime, changes: dict[str, Any], links: Sequence[Link]
) -> None:
    adopted = [Entry(row.id, now, "adopted", {"number": link.number, "ref": link.ref}) for link in links]
    with world.store.write() as tx:
        orders.link(tx, links)
        columns = {**fate_columns(world, standing, None, now), "route": row.route}
        orders.update(tx, [{"id": row.id, **columns, **changes}])
        timeline.add(tx, [*adopted, fate_entry(row.id, standing, now, row.route)])


def _blocked(erp: str, row: OrderRow, living: Sequence[PlacedOrder]) -> Standing:
    numbers = " and ".join(f"{one.number} (id {one.ref})" for one in living)
    what = f"it was cancelled on the channel, but {erp} has sales orders for it: {numbers}"
    do = f"Delete what must not stay there, then: hub retry {row.ref}"
    return Standing(Fate.BLOCKED, CANCELLED_AFTER, None, (Problem(CANCELLED_AFTER, what, do),))
