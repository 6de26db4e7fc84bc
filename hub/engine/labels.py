"""Parcels that the channel itself brings: their numbers go back to the ERP, their labels to a folder."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from hub.contract import (
    ConfigurationError,
    ContractError,
    Fulfillment,
    HubError,
    Label,
    Order,
    Package,
    RejectedError,
    TransientError,
)  # fmt: skip
from hub.engine.ledger import reasons
from hub.engine.outcome import BROKE, call, retry_in
from hub.engine.ship import routes_to
from hub.engine.tell import read_again, routes_from, set_tell_trouble
from hub.engine.world import Connected, World
from hub.routing.fate import Problem
from hub.store import orders, shipping, timeline
from hub.store.shipping import PackageState, Parcel
from hub.store.timeline import Entry

BATCH = 25
MOST_TRIES = 20
ENDINGS = {"application/pdf": ".pdf", "image/png": ".png", "application/zpl": ".zpl"}


def learn_numbers(world: World, channel: Connected) -> bool:
    """Read the orders of parcels that the channel brings and whose numbers it did not say at once."""
    now, routes = world.clock.now(), routes_from(world, channel.id)
    with world.store.read() as tx:
        found = shipping.due_parcels(tx, channel.id, routes, now, (PackageState.WRITING_BACK,), BATCH)
        due = {id_: [each for each in parcels if each.told_tracking is None] for id_, parcels in found.items()}
        rows = orders.by_ids(tx, [id_ for id_, parcels in due.items() if parcels])
    if not rows:
        return False
    fresh = read_again(world, channel, list(rows.values()))
    for id_ in rows:
        order = Order.model_validate_json(fresh[id_].document) if id_ in fresh else None
        numbers = {line.ref: line.tracking_number for line in order.lines} if order is not None else {}
        for parcel in due[id_]:
            _learned(world, parcel, next((numbers[ref] for ref in parcel.lines if numbers.get(ref)), None))
    return True


def _learned(world: World, parcel: Parcel, number: str | None) -> None:
    now = world.clock.now()
    if number is None and parcel.attempts >= MOST_TRIES:
        what = f"the channel does not say the number of parcel {parcel.package_ref}"
        _settle(
            world, parcel, Problem("write-back-refused", what, "Enter it in the ERP by hand, as the channel shows it.")
        )
        return
    wait = retry_in(parcel.attempts + 1) if number is None else timedelta(0)
    changes = {"told_tracking": number, "due_at": now + wait, "attempts": parcel.attempts + (number is None)}
    with world.store.write() as tx:
        shipping.update_parcels(tx, [{"id": parcel.id, **changes}])


def write_back(world: World, erp: Connected) -> bool:
    """Give the ERP the tracking numbers that a channel gave; say whether there were any."""
    now, routes = world.clock.now(), [route.name for route in routes_to(world, erp.id)]
    with world.store.read() as tx:
        due = shipping.due_at_erp(tx, erp.id, routes, now, BATCH)
    for parcel in due:
        package = Package(
            key=parcel.key, lines={}, tracking_number=parcel.told_tracking, carrier=parcel.carrier, ref=parcel.key
        )
        fulfillment = Fulfillment(ref=parcel.key, order_ref=parcel.key, packages=(package,))
        try:
            answers = call(world, erp, "update_fulfillment", fulfillment=fulfillment, order=None)
            refused = next((each for each in answers if each.error), None)
        except TransientError as error:
            _again(world, parcel, error)
            continue
        except ContractError as error:
            _settle(world, parcel, Problem(BROKE, f"{error.what} ({error.where})", error.do))
            continue
        except RejectedError as error:
            _settle(world, parcel, Problem("write-back-refused", f"{error.what} ({error.where})", error.do))
            continue
        problem = None
        if refused is not None:
            problem = Problem("write-back-refused", f"{erp.id}: {refused.error}", refused.do or "Enter it by hand.")
        _settle(world, parcel, problem)
    return bool(due)


def _settle(world: World, parcel: Parcel, problem: Problem | None) -> None:
    """Go on to the label; a refused write-back is told, and does not hold the label back."""
    now = world.clock.now()
    with world.store.write() as tx:
        row = orders.by_ids(tx, [parcel.order_id])[parcel.order_id]
        route = routes_from(world, row.connection).get(row.route or "")
        label = route is not None and route.fulfillments.labels is not None
        state = PackageState.LABEL if label else PackageState.DONE
        number = {} if problem else {"tracking_number": parcel.told_tracking}
        changes = {"state": state, "due_at": now if label else None, "attempts": 0, **number}
        shipping.update_parcels(tx, [{"id": parcel.id, **changes, "reason": reasons([problem]) if problem else None}])
        timeline.add(tx, [Entry(row.id, now, "tracking-written-back", {"shipment": parcel.key, "ok": problem is None})])
        set_tell_trouble(tx, world, row.id, now)


def _again(world: World, parcel: Parcel, error: TransientError) -> None:
    due = world.clock.now() + retry_in(parcel.attempts + 1, error.retry_after_s)
    with world.store.write() as tx:
        shipping.update_parcels(tx, [{"id": parcel.id, "due_at": due, "attempts": parcel.attempts + 1}])


def save_labels(world: World, channel: Connected) -> bool:
    """Save the labels of parcels the channel brings, where a route names a folder; say whether there were any."""
    routes = routes_from(world, channel.id)
    if not any(route.fulfillments.labels for route in routes.values()):
        return False
    now = world.clock.now()
    with world.store.read() as tx:
        due = shipping.due_parcels(tx, channel.id, routes, now, (PackageState.LABEL,), BATCH)
        rows = orders.by_ids(tx, list(due))
    for id_, parcels in due.items():
        route = routes.get(rows[id_].route or "")
        for parcel in parcels:
            if route is not None and route.fulfillments.labels is not None:
                _save(world, channel, parcel, rows[id_].key, world.config.path.parent / route.fulfillments.labels)
    return bool(due)


def _save(world: World, channel: Connected, parcel: Parcel, order_key: str, folder: Path) -> None:
    try:
        label: Label = call(world, channel, "fetch_label", package_ref=parcel.package_ref)
        file = _write(folder, f"{order_key}-{parcel.package_ref}{ENDINGS.get(label.media_type, '.bin')}", label)
    except TransientError as error:
        if parcel.attempts < MOST_TRIES:
            _again(world, parcel, error)
            return
        _done(world, parcel, Problem("label-missing", f"{error.what} ({error.where})", "Print it on the channel."))
    except HubError as error:
        _done(world, parcel, Problem("label-missing", f"{error.what} ({error.where})", "Print it on the channel."))
        if isinstance(error, ConfigurationError):
            raise
    else:
        _done(world, parcel, None, file.name)


def _write(folder: Path, name: str, label: Label) -> Path:
    """Write a file whole or not at all, for its owner alone: labels show addresses."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f".{name}.part"
        with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as opened:
            opened.write(label.content)
        return part.replace(folder / name)
    except OSError as error:
        raise TransientError(
            "label-unwritable",
            f"the label cannot be written: {error.strerror}",
            where=str(folder),
            do="Free space there, or let this user write to it; the hub tries again by itself.",
        ) from error


def _done(world: World, parcel: Parcel, problem: Problem | None, name: str | None = None) -> None:
    now = world.clock.now()
    with world.store.write() as tx:
        reason = [*(parcel.reason or ()), *(reasons([problem] if problem else []) or ())]  # of the number, of the label
        changes = {"state": PackageState.DONE, "due_at": None, "reason": reason or None}
        shipping.update_parcels(tx, [{"id": parcel.id, **changes}])
        event = "label-saved" if problem is None else "label-missing"
        timeline.add(tx, [Entry(parcel.order_id, now, event, {"package": parcel.package_ref, "file": name})])
        set_tell_trouble(tx, world, parcel.order_id, now)
