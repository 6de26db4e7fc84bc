"""Orders that the channel ships itself, recorded in the ERP as Done: their sales order gets the shipments it had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from hub.contract import (
    ContractError,
    Fulfillment,
    LineItem,
    LineStatus,
    Order,
    Package,
    PackageResult,
    RejectedError,
    TransientError,
)  # fmt: skip
from hub.engine.change import set_aside
from hub.engine.ledger import fate_columns, fate_entry
from hub.engine.outcome import call, retry_in
from hub.engine.place import patience_s
from hub.engine.trouble import set_trouble
from hub.engine.world import Connected, World
from hub.host.http import send_before
from hub.routing.compose import components
from hub.routing.fate import RECORDING, Fate, Problem, Standing
from hub.routing.model import Route
from hub.store import known, orders, timeline
from hub.store.orders import Link, OrderRow
from hub.store.timeline import Entry

BATCH = 10
TROUBLE = "record"


def record_done(world: World, erp: Connected) -> bool:
    """Record the shipments of due orders; say whether there were any."""
    now = world.clock.now()
    with world.store.read() as tx:
        due = orders.due_placed(tx, erp.id, now, (RECORDING,), BATCH)
        links = orders.links_of(tx, [row.id for row in due])
    due = set_aside(world, due, now)
    for row in due:
        _record_one(world, erp, row, links[row.id])
    return bool(due)


def _record_one(world: World, erp: Connected, row: OrderRow, link: Link) -> None:
    order = Order.model_validate_json(row.document)
    route = next((route for route in world.routes if route.name == row.route), None)
    packages = _packages(world, erp, order, route, link) if route is not None else ()
    if not packages:
        what = f"the shipments of sales order {link.number} cannot be told: its rows are not those of the order"
        _trouble(
            world,
            row,
            Problem("done-unrecorded", what, f"Mark it Done in the ERP by hand, then: hub retry --settled {row.ref}"),
        )
        return
    fulfillment = Fulfillment(ref=row.key, order_ref=link.ref, packages=packages, delivered=True)
    deadline = world.clock.now() + timedelta(seconds=world.timing.send_window_s)
    # Whoever takes over after a lost answer waits until this word can have no effect any more.
    wait = timedelta(seconds=world.timing.send_window_s + patience_s(world))
    with world.store.write() as tx:
        orders.update(tx, [{"id": row.id, "due_at": world.clock.now() + wait, "rechecks": row.rechecks + 1}])
    try:
        with send_before(deadline):
            answers: list[PackageResult] = call(world, erp, "push_fulfillment", fulfillment=fulfillment, order=None)
    except TransientError as error:
        due = deadline + timedelta(seconds=patience_s(world)) if error.may_have_happened else world.clock.now()
        with world.store.write() as tx:
            orders.update(tx, [{"id": row.id, "due_at": due + retry_in(row.rechecks + 1, error.retry_after_s)}])
        return
    except (RejectedError, ContractError) as error:
        _trouble(world, row, Problem("done-unrecorded", f"{error.what} ({error.where})", error.do))
        return
    refused = [each for each in answers if each.error]
    if refused:
        what = f"{erp.id} refuses the shipment of sales order {link.number}: {refused[0].error}"
        _trouble(
            world,
            row,
            Problem(
                "done-unrecorded",
                what,
                refused[0].do or f"Mark it Done there by hand, then: hub retry --settled {row.ref}",
            ),
        )
        return
    _recorded(world, row, packages)


def _recorded(world: World, row: OrderRow, packages: Sequence[Package]) -> None:
    now = world.clock.now()
    standing = Standing(Fate.FULFILLED)
    with world.store.write() as tx:
        numbers = [package.tracking_number for package in packages if package.tracking_number]
        timeline.add(tx, [Entry(row.id, now, "recorded-as-done", {"tracking": numbers})])
        columns = fate_columns(world, standing, None, now)
        orders.update(tx, [{"id": row.id, **columns, "route": row.route, "recorded": True}])
        timeline.add(tx, [fate_entry(row.id, standing, now, row.route)])
        set_trouble(tx, world, {row.id: []}, TROUBLE, now)


def _trouble(world: World, row: OrderRow, problem: Problem) -> None:
    with world.store.write() as tx:
        set_trouble(tx, world, {row.id: [problem]}, TROUBLE, world.clock.now())


def _packages(world: World, erp: Connected, order: Order, route: Route, link: Link) -> tuple[Package, ...]:
    """Return one Package per tracking number, its lines by sales order row; empty where the rows do not fit."""
    rows = link.rows or []
    with world.store.read() as tx:
        skus = known.skus_of(tx, erp.id, {each["variant_ref"] for each in rows})
    left = {each["ref"]: Decimal(each["quantity"]) for each in rows}
    by_sku: dict[str, list[str]] = {}
    for each in rows:
        by_sku.setdefault(skus.get(each["variant_ref"], ""), []).append(each["ref"])
    parcels: dict[str, dict[str, Decimal]] = {}
    for line in order.lines:
        if line.status is LineStatus.CANCELLED:
            continue
        parcel = parcels.setdefault(line.tracking_number or "", {})
        if not _put(line, route, by_sku, left, parcel):
            return ()
    return tuple(
        Package(key=f"{order.key}:{number or 'parcel'}", lines=lines, tracking_number=number or None)
        for number, lines in sorted(parcels.items())
    )


def _put(
    line: LineItem, route: Route, by_sku: Mapping[str, Sequence[str]], left: dict[str, Decimal],
    parcel: dict[str, Decimal],
) -> bool:  # fmt: skip
    """Take a line's pieces from the rows that still have them; say whether all were found."""
    for part in components(line, route):
        need = part.quantity * line.quantity
        for ref in by_sku.get(part.sku, ()):
            take = min(need, left[ref])
            if take > 0:
                left[ref] -= take
                parcel[ref] = parcel.get(ref, Decimal(0)) + take
                need -= take
        if need > 0:
            return False
    return True
