"""Ledger -> channel: parcels, each told once; its order is read before every word, so that a repeat is recognised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hub.contract import (
    AuthorizationError,
    ConfigurationError,
    ContractError,
    FulfilledBy,
    Fulfillment,
    HubError,
    LineStatus,
    Order,
    OrderRef,
    OrderStatus,
    Package,
    PackageResult,
    RejectedError,
    TransientError,
)  # fmt: skip
from hub.engine.carriers import choose_carrier
from hub.engine.ledger import reasons, record, rules_of
from hub.engine.outcome import call, retry_in
from hub.engine.place import MOST_ATTEMPTS, patience_s
from hub.engine.trouble import set_trouble
from hub.engine.world import Connected, World
from hub.host.http import send_before
from hub.routing.fate import Problem
from hub.routing.model import Route
from hub.store import Tx, orders, shipping, timeline
from hub.store.orders import OrderRow
from hub.store.shipping import PackageState, Parcel
from hub.store.timeline import Entry

BATCH = 50
TROUBLE = "tell"
WAIT_S = 300.0  # for a request to cancel, or the channel's own hold
ANEW_S = 60.0  # for a parcel to be made anew from its shipment
BLOCKED_AGAIN_S, BLOCKED_MOST = 3600.0, 5


def routes_from(world: World, channel: str) -> dict[str, Route]:
    """Return the Routes, by name, that tell a channel of shipments."""
    return {r.name: r for r in world.routes_from(channel) if r.fulfillments.enabled}


def tell(world: World, channel: Connected) -> bool:
    """Tell the channel of parcels that are due, at most 50 orders; say whether anything was done.

    Raises:
        HubError: the Connection as a whole cannot go on; every parcel touched is safe to go on with later.
    """
    routes = routes_from(world, channel.id)
    if not routes:
        return False
    now = world.clock.now()
    with world.store.write() as tx:
        shipping.abandon(tx, channel.id, now - timedelta(seconds=patience_s(world)), now)
        states = (PackageState.READY, PackageState.UNKNOWN, PackageState.BLOCKED)
        due = shipping.due_parcels(tx, channel.id, routes, now, states, BATCH)
        rows = orders.by_ids(tx, list(due))
    if not due:
        return False
    found = read_again(world, channel, [rows[id_] for id_ in due])
    for id_, parcels in due.items():
        row = found.get(id_)
        route = routes.get(row.route or "") if row is not None else None
        if row is None or route is None:
            _later(world, parcels, now)
        else:
            _tell_one(world, channel, row, route, parcels)
    return True


def read_again(world: World, channel: Connected, rows: Sequence[OrderRow]) -> dict[int, OrderRow]:
    """Read orders once more; leaves out those the channel no longer knows."""
    refs = [OrderRef(ref=row.ref, created_at=row.created_at, updated_at=row.updated_at) for row in rows]
    found = call(world, channel, "fetch_orders", orders=refs)
    with world.store.write() as tx:
        record(tx, world, channel, found, rules_of(tx, world, channel), world.clock.now())
        fresh = orders.by_ids(tx, [row.id for row in rows])
    answered = {order.ref for order in found}
    return {id_: row for id_, row in fresh.items() if row.ref in answered}


def _later(world: World, parcels: Sequence[Parcel], now: datetime, wait_s: float = WAIT_S) -> None:
    with world.store.write() as tx:
        due = now + timedelta(seconds=wait_s)
        shipping.update_parcels(tx, [{"id": parcel.id, "due_at": due} for parcel in parcels])


def _wait_for_hold(world: World, row: OrderRow, order: Order, parcels: Sequence[Parcel], now: datetime) -> None:
    """Tell nothing while the channel forbids shipping, and say so: the goods have left already."""
    what = f"it was shipped in the ERP, while the channel has it as {order.channel_status} and lets nobody ship it"
    do = "See on the channel why. The hub asks every five minutes, and tells of the parcel once it may."
    reason = reasons([Problem("order-on-hold", what, do)])
    with world.store.write() as tx:
        due = now + timedelta(seconds=WAIT_S)
        shipping.update_parcels(tx, [{"id": parcel.id, "due_at": due, "reason": reason} for parcel in parcels])
        set_tell_trouble(tx, world, row.id, now)


def _tell_one(world: World, channel: Connected, row: OrderRow, route: Route, parcels: Sequence[Parcel]) -> None:
    order, now = Order.model_validate_json(row.document), world.clock.now()
    if order.status is OrderStatus.CANCELLED:
        with world.store.write() as tx:
            shipping.update_parcels(tx, [{"id": p.id, "state": PackageState.SUPERSEDED} for p in parcels])
        return
    if lost := _never_arrived(order, parcels):
        _make_anew(world, lost, now)
        parcels = [parcel for parcel in parcels if parcel not in lost]
    if not parcels:
        return
    if order.status in (OrderStatus.ON_HOLD, OrderStatus.UNPAID):
        _wait_for_hold(world, row, order, parcels, now)
        return
    if order.cancel_requested:
        _later(world, parcels, now)
        return
    parcels = [_as_it_stands(order, parcel) for parcel in parcels]
    if _misfits(order, parcels):
        with world.store.write() as tx:
            for parcel in parcels:
                shipping.set_due(tx, parcel.erp, [(parcel.key, now, 0)])
        _later(world, parcels, now)
        return
    results: dict[int, _Result] = {}
    ready: list[tuple[Parcel, Package]] = []
    for parcel in parcels:
        package = _package(world, channel, route, order, parcel)
        if isinstance(package, Problem):
            results[parcel.id] = _blocked(parcel, package, now)
        else:
            ready.append((parcel, package))
    if ready:
        results |= _send(world, channel, order, ready)
    _record(world, row, order, route, parcels, results)


def _never_arrived(order: Order, parcels: Sequence[Parcel]) -> list[Parcel]:
    """Return parcels whose answer was lost and of which an order, just read, shows nothing as shipped."""
    if order.shipping_by is not FulfilledBy.SELLER:
        return []  # a label may be bought, and show only later
    shipped = {line.ref for line in order.lines if line.status is LineStatus.SHIPPED}
    unsure = [parcel for parcel in parcels if parcel.state == PackageState.UNKNOWN and parcel.told_at is None]
    return [parcel for parcel in unsure if shipped.isdisjoint(parcel.lines)]


def _make_anew(world: World, parcels: Sequence[Parcel], now: datetime) -> None:
    """Let parcels that were never told follow their shipments again, before they are told once more."""
    due = now + timedelta(seconds=ANEW_S)
    with world.store.write() as tx:
        for parcel in parcels:
            shipping.update_parcels(tx, [{"id": parcel.id, "state": PackageState.READY, "due_at": due}])
            shipping.set_due(tx, parcel.erp, [(parcel.key, now, 0)])


def _as_it_stands(order: Order, parcel: Parcel) -> Parcel:
    """Return a parcel whose answer was lost without the lines that were cancelled since; any other as it is."""
    cancelled = {line.ref for line in order.lines if line.status is LineStatus.CANCELLED}
    left = {ref: units for ref, units in parcel.lines.items() if ref not in cancelled}
    return replace(parcel, lines=left) if left and parcel.state == PackageState.UNKNOWN else parcel


def _misfits(order: Order, parcels: Sequence[Parcel]) -> bool:
    """Say whether lines of a parcel were cancelled or are gone since it was made, so that it must be made anew.

    One that was told stays as it is: only its number is to be corrected.
    """
    alive = {line.ref for line in order.lines if line.status is not LineStatus.CANCELLED}
    return any(parcel.told_at is None and not set(parcel.lines) <= alive for parcel in parcels)


def _package(world: World, channel: Connected, route: Route, order: Order, parcel: Parcel) -> Package | Problem:
    carrier = None
    if order.shipping_by is FulfilledBy.SELLER:
        try:
            carrier = choose_carrier(world, channel, route, order, parcel)
        except (RejectedError, ContractError) as error:
            return _refusal(error)
        if isinstance(carrier, Problem):
            return carrier
    return Package(
        key=parcel.key,
        lines={ref: Decimal(units) for ref, units in parcel.lines.items()},
        tracking_number=parcel.tracking_number,
        carrier=parcel.carrier,
        carrier_ref=carrier,
        tracking_url=parcel.tracking_url,
        ref=parcel.package_ref,
    )


_Result = dict[str, Any]


def _send(
    world: World, channel: Connected, order: Order, ready: Sequence[tuple[Parcel, Package]]
) -> dict[int, _Result]:
    """Claim, tell, and return what becomes of each parcel as columns."""
    deadline = world.clock.now() + timedelta(seconds=world.timing.send_window_s)
    with world.store.write() as tx:
        won = set(shipping.claim_parcels(tx, [parcel for parcel, _ in ready], deadline))
    mine = [(parcel, package) for parcel, package in ready if parcel.id in won]
    results: dict[int, _Result] = {}
    for hook, batch in (
        ("push_fulfillment", [each for each in mine if not _is_told(each[0])]),
        ("update_fulfillment", [each for each in mine if _is_told(each[0])]),
    ):
        if batch:
            results |= _call(world, channel, hook, order, batch, deadline)
    return results


def _is_told(parcel: Parcel) -> bool:
    return parcel.package_ref is not None and parcel.told_at is not None


def _call(
    world: World, channel: Connected, hook: str, order: Order, batch: Sequence[tuple[Parcel, Package]],
    deadline: datetime,
) -> dict[int, _Result]:  # fmt: skip
    packages = tuple(package for _, package in batch)
    fulfillment = Fulfillment(ref=packages[0].key, order_ref=order.ref, packages=packages, delivered=True)
    try:
        with send_before(deadline):
            answers: list[PackageResult] = call(world, channel, hook, fulfillment=fulfillment, order=order)
    except TransientError as error:
        return {parcel.id: _after_transient(world, parcel, deadline, error) for parcel, _ in batch}
    except (AuthorizationError, ConfigurationError):
        with world.store.write() as tx:
            shipping.update_parcels(tx, [{"id": parcel.id, "state": PackageState.READY} for parcel, _ in batch])
        raise
    except HubError as error:
        return {parcel.id: _blocked(parcel, _refusal(error), world.clock.now()) for parcel, _ in batch}
    by_key = {answer.key: answer for answer in answers}
    return {parcel.id: _after_answer(world, parcel, package, by_key.get(parcel.key)) for parcel, package in batch}


def _refusal(error: HubError) -> Problem:
    return Problem(error.code, f"{error.what} ({error.where})", error.do)


def _after_transient(world: World, parcel: Parcel, deadline: datetime, error: TransientError) -> _Result:
    now = world.clock.now()
    if parcel.attempts >= MOST_ATTEMPTS:
        return _blocked(parcel, Problem("gave-up", f"{parcel.attempts} attempts failed: {error.what}", error.do), now)
    if error.may_have_happened:
        due = max(deadline, now) + timedelta(seconds=patience_s(world))
        return {"state": PackageState.UNKNOWN, "due_at": due, "event": "outcome-unknown"}
    return {"state": PackageState.READY, "due_at": now + retry_in(parcel.attempts + 1, error.retry_after_s)}


def _after_answer(world: World, parcel: Parcel, package: Package, answer: PackageResult | None) -> _Result:
    now = world.clock.now()
    if answer is None:
        problem = Problem(
            "connector-broke", f"no answer for parcel {parcel.key}", "Report it to the connector's author."
        )
        return _blocked(parcel, problem, now)
    if answer.error is not None and answer.code == "cancel-requested":
        return {"state": PackageState.READY, "due_at": now + timedelta(seconds=WAIT_S)}
    if answer.error is not None:
        problem = Problem(
            answer.code if answer.code else "parcel-refused", f"shipment {parcel.key}: {answer.error}", answer.do
        )
        if _is_told(parcel):  # the channel keeps the first number; nothing is lost but the correction
            return {"state": PackageState.DONE, "reason": reasons([problem]), "event": "tracking-kept"}
        return _blocked(parcel, problem, now)
    return {
        "state": PackageState.DONE,
        "package_ref": answer.package_ref or parcel.package_ref,
        "told_tracking": answer.tracking_number or package.tracking_number,
        "carrier": answer.carrier or parcel.carrier,
        "told_at": now,
        "reason": None,
        "due_at": None,
        "event": "shipped",
    }


def _blocked(parcel: Parcel, problem: Problem, now: datetime) -> _Result:
    again = BLOCKED_AGAIN_S * 2 ** min(parcel.attempts, BLOCKED_MOST)
    return {
        "state": PackageState.BLOCKED,
        "reason": reasons([problem]),
        "due_at": now + timedelta(seconds=again),
        "event": "shipment-refused",
    }


def _record(
    world: World, row: OrderRow, order: Order, route: Route, parcels: Sequence[Parcel], results: dict[int, _Result]
) -> None:
    """Write what became of an order's parcels, and what stands in its way now."""
    now = world.clock.now()
    by_id = {parcel.id: parcel for parcel in parcels}
    with world.store.write() as tx:
        for id_, result in results.items():
            event = result.pop("event", None)
            if event == "shipped" and order.shipping_by is FulfilledBy.CHANNEL:
                result |= _what_follows(route, by_id[id_], result, now)
            shipping.update_parcels(tx, [{"id": id_, **result}])
            if event is not None and (event != "shipment-refused" or result["reason"] != by_id[id_].reason):
                timeline.add(tx, [_entry(row, by_id[id_], event, result, now)])
            # Its shipment may have changed or gone while the word was on its way.
            shipping.set_due(tx, by_id[id_].erp, [(by_id[id_].key, now, 0)])
        set_tell_trouble(tx, world, row.id, now)


def _what_follows(route: Route, parcel: Parcel, result: _Result, now: datetime) -> _Result:
    if result["told_tracking"] is None or result["told_tracking"] != parcel.tracking_number:
        return {"state": PackageState.WRITING_BACK, "due_at": now}
    return {"state": PackageState.LABEL, "due_at": now} if route.fulfillments.labels else {}


def set_tell_trouble(tx: Tx, world: World, order_id: int, now: datetime) -> None:
    """Have an order's fate say what its parcels suffer from."""
    problems = [
        Problem(each["code"], each["what"], each["do"], tuple(each["skus"]))
        for parcel in shipping.parcels_of(tx, [order_id]).get(order_id, [])
        if parcel.state != PackageState.SUPERSEDED
        for each in parcel.reason or ()
    ]
    set_trouble(tx, world, {order_id: problems}, TROUBLE, now)


def _entry(row: OrderRow, parcel: Parcel, event: str, result: _Result, now: datetime) -> Entry:
    detail = {
        "shipment": parcel.key,
        "lines": parcel.lines,
        "tracking": result.get("told_tracking") or parcel.tracking_number,
        "package": result.get("package_ref") or parcel.package_ref,
        "problems": result.get("reason"),
    }
    return Entry(row.id, now, event, {name: value for name, value in detail.items() if value is not None})
