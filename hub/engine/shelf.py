"""Channel -> ledger: its catalogue, and what it says it sells of some Variants."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from hub.contract import LocationKind, StockLevel
from hub.engine import catalogue, readings
from hub.engine.outcome import pages
from hub.engine.pull import refresh_locations
from hub.engine.sellable import Side
from hub.engine.turns import turn
from hub.engine.world import Connected, World
from hub.host.clock import has_passed
from hub.routing.model import Route
from hub.store import known
from hub.store import stock as ledger

STREAM = "catalogue"
ZERO = Decimal(0)
SKUS = 100  # are looked up in a step, so that orders go between


class State(Enum):
    """How far the reading of a catalogue is."""

    READY = "ready"
    READ = "read"  # some of it came: there may be more
    WAITS = "waits"  # for a turn in the ERP's budget


def refresh(
    world: World, channel: Connected, route: Route, *, resting: Collection[str] = (), anyway: bool = False
) -> State:
    """Read some of what changed in a channel's catalogue, once per period of its stock; look new SKUs up in the ERP.

    One call to the channel where nothing changed.

    Args:
        anyway: read it although it was read a short while ago.
    """
    with world.store.read() as tx:
        cursor, at = known.cursor(tx, channel.id, STREAM)
    key = f"{STREAM}:{channel.id}"
    is_recent = at is not None and not has_passed(at, route.inventory.every_s, world.clock.now())
    if is_recent and not anyway and key not in world.readings:
        return State.READY
    refresh_locations(world, channel)
    reading = readings.take(world, key, lambda: pages(world, channel, "pull_products", since=cursor, start=None))
    if not (reading.is_whole or readings.read_on(world, channel, reading)):
        readings.keep(world, key, reading)
        return State.READ
    state = State.READY if route.erp in resting else _look_up(world, channel, route)
    if state is not State.READY:
        readings.keep(world, key, reading)
        return state
    with world.store.write() as tx:
        known.set_cursor(tx, channel.id, STREAM, reading.cursor or cursor, reading.began)
    return State.READ


def _look_up(world: World, channel: Connected, route: Route) -> State:
    """Look some SKUs up that a channel sells; READY where all are known, or known to be missing."""
    rules, erp = route.orders.skus, world.connected[route.erp]
    with world.store.read() as tx:
        items = ledger.items(tx, channel.id)
    wanted = {row.sku for row in items if row.sku is not None and row.stockable}
    skus = {part.sku for sku in wanted if sku in rules for part in rules[sku]} | (wanted - set(rules))
    with turn(world, channel, erp) as may_go:
        if not may_go:
            return State.WAITS
        return State.READY if catalogue.look_up(world, erp, skus, most=SKUS) else State.READ


def read(world: World, channel: Connected, side: Side, refs: Collection[str]) -> None:
    """Read what a channel sells of these Variants, and what its buyers have of them and nobody shipped."""
    rows = look(world, channel, side, refs)
    with world.store.write() as tx:
        ledger.put_stock(tx, channel.id, rows)


def look(world: World, channel: Connected, side: Side, refs: Collection[str]) -> list[dict[str, Any]]:
    """Return what a channel says of these Variants, as rows of the ledger; one it does not tell sells nothing."""
    ships = {place.ref for place in side.locations if place.kind is LocationKind.SHIPS}
    found: dict[str, dict[str, StockLevel]] = {ref: {} for ref in refs}
    began = world.clock.now()
    for page in pages(world, channel, "pull_inventory", variants=sorted(found), location=None):
        for level in page.items:
            if level.variant_ref in found and level.location_ref in ships:
                found[level.variant_ref][level.location_ref] = level
    return [_row(ref, levels, side, began) for ref, levels in found.items()]


def _row(ref: str, levels: dict[str, StockLevel], side: Side, began: datetime) -> dict[str, Any]:
    at = min((level.at for level in levels.values()), default=began)
    return {
        "variant_ref": ref,
        "quantities": {
            place: int(max(ZERO, level.in_stock + level.potential - level.committed)) for place, level in levels.items()
        },
        "committed": sum((level.committed for level in levels.values()), ZERO),
        "demand": sum((units.quantity for units in side.taken.open.get(ref, ()) if units.seen_at <= at), ZERO),
        "read_at": at,
    }
