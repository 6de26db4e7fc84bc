"""ERP -> ledger: stock levels; all of each mapped Location once per period, some Variants where news points."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal

from hub.contract import Cursor, StockLevel
from hub.engine import catalogue
from hub.engine.outcome import pages
from hub.engine.pull import refresh_locations
from hub.engine.sellable import ruler, sources
from hub.engine.world import Connected, World
from hub.store import known
from hub.store import stock as ledger

STREAM = "levels"
ZERO = Decimal(0)


def every_s(world: World, erp: str) -> float | None:
    """Return how often an ERP's levels are read: the least of its Routes; None where no Route sells its stock."""
    rules = [
        route.inventory.every_s for shop in world.shops_of(erp) if (route := ruler(world, shop)) and route.erp == erp
    ]
    return min(rules, default=None)


def sweep(world: World, erp: Connected, *, early: bool = False) -> bool:
    """Read every level of one mapped Location that is due; say whether anything was read.

    One Location a call of this, so that orders go between: ceil(rows / page size) calls to the ERP.

    Args:
        early: a quarter of the period is long enough, because something is said to have changed.
    """
    period = every_s(world, erp.id)
    if period is None or "pull_inventory" not in erp.capabilities:
        return False
    refresh_locations(world, erp)
    with world.store.read() as tx:
        places = sources(world, tx, erp.id)
        swept = {place: known.cursor(tx, erp.id, f"{STREAM}:{place}")[1] for place in places}
    now, period = world.clock.now(), period / 4 if early else period
    due = [place for place, at in swept.items() if at is None or now - at >= timedelta(seconds=period)]
    if not due:
        return False
    _read_whole(world, erp, due[0])
    return True


def _read_whole(world: World, erp: Connected, place: str) -> None:
    began, told = world.clock.now(), dict[str, str | None]()
    for page in pages(world, erp, "pull_inventory", variants=None, location=place):
        found = [level for level in page.items if level.location_ref == place]
        told |= {level.variant_ref: level.sku for level in found}
        with world.store.write() as tx:
            ledger.set_levels(tx, erp.id, found)
    catalogue.compare(world, erp, told, began)
    with world.store.write() as tx:
        # What a whole reading no longer tells is not there any more: archived, or deleted.
        silent = {row.variant_ref for row in ledger.levels_of(tx, erp.id, [place])} - told.keys()
        ledger.set_levels(tx, erp.id, [_nothing(ref, place, began) for ref in silent])
        known.set_cursor(tx, erp.id, f"{STREAM}:{place}", Cursor(place), began)


def _nothing(ref: str, place: str, at: datetime) -> StockLevel:
    return StockLevel(variant_ref=ref, location_ref=place, in_stock=ZERO, at=at)


def swept_at(world: World, erp: str) -> datetime | None:
    """Return since when every mapped Location has been read whole; None where one never was."""
    with world.store.read() as tx:
        at = [known.cursor(tx, erp, f"{STREAM}:{place}")[1] for place in sources(world, tx, erp)]
    times = [each for each in at if each is not None]
    return min(times) if times and len(times) == len(at) else None


def read_changed(world: World, erp: Connected, variants: Collection[str]) -> bool:
    """Read the levels of some Variants at every mapped Location; what is not told there is not counted there."""
    if every_s(world, erp.id) is None or "pull_inventory" not in erp.capabilities or not variants:
        return False
    with world.store.read() as tx:
        places = sources(world, tx, erp.id)
    for place in places:
        began, wanted = world.clock.now(), set(variants)
        found: list[StockLevel] = []
        for page in pages(world, erp, "pull_inventory", variants=sorted(wanted), location=place):
            found += [level for level in page.items if level.location_ref == place and level.variant_ref in wanted]
        silent = wanted - {level.variant_ref for level in found}
        found += [_nothing(ref, place, began) for ref in sorted(silent)]
        with world.store.write() as tx:
            ledger.set_levels(tx, erp.id, found)
    return bool(places)
