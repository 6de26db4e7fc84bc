"""Channel -> ledger: its catalogue, and what it says it sells of some Variants."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hub.contract import LocationKind, StockLevel
from hub.engine import catalogue
from hub.engine.outcome import pages
from hub.engine.pull import refresh_locations
from hub.engine.sellable import Side
from hub.engine.world import Connected, World
from hub.routing.model import Route
from hub.store import known
from hub.store import stock as ledger

STREAM = "catalogue"
ZERO = Decimal(0)


def refresh(
    world: World, channel: Connected, route: Route, *, resting: Collection[str] = (), anyway: bool = False
) -> bool:
    """Read what changed in a channel's catalogue, once per period of its stock; look new SKUs up in the ERP.

    One call to the channel where nothing changed.

    Args:
        anyway: read it although it was read a short while ago.
    """
    now = world.clock.now()
    with world.store.read() as tx:
        cursor, at = known.cursor(tx, channel.id, STREAM)
    if not anyway and at is not None and now - at < timedelta(seconds=route.inventory.every_s):
        return False
    refresh_locations(world, channel)
    for page in pages(world, channel, "pull_products", since=cursor, start=None):
        cursor = page.cursor or cursor
        with world.store.write() as tx:
            known.remember_variants(tx, channel.id, page.items)
    with world.store.write() as tx:
        known.set_cursor(tx, channel.id, STREAM, cursor, now)
        items = ledger.items(tx, channel.id)
    if route.erp not in resting:
        rules = route.orders.skus
        wanted = {row.sku for row in items if row.sku is not None and row.stockable}
        skus = {part.sku for sku in wanted if sku in rules for part in rules[sku]} | (wanted - set(rules))
        catalogue.look_up(world, world.connected[route.erp], skus)
    return True


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
