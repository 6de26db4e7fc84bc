"""ERP -> ledger: stock levels; all of each mapped Location once per period, some Variants where news points."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal

from hub.contract import Cursor, StockLevel
from hub.engine import catalogue, readings
from hub.engine.outcome import pages
from hub.engine.pull import refresh_locations
from hub.engine.readings import Reading
from hub.engine.sellable import ruler, sources
from hub.engine.turns import turn
from hub.engine.world import Connected, World
from hub.host.clock import has_passed
from hub.store import known
from hub.store import stock as ledger

STREAM = "levels"
SKEW_S = 60.0  # by which the clocks of two machines may differ
ZERO = Decimal(0)


def every_s(world: World, erp: str) -> float | None:
    """Return how often an ERP's levels are read: the least of its Routes; None where no Route sells its stock."""
    rules = [
        route.inventory.every_s for shop in world.shops_of(erp) if (route := ruler(world, shop)) and route.erp == erp
    ]
    return min(rules, default=None)


def sweep(world: World, erp: Connected, *, early: bool = False) -> bool:
    """Read the next page of one mapped Location that is due; say whether anything was read.

    One page a call of this, so that orders go between: ceil(rows / page size) calls to the ERP for each Location.

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
    begun = [place for place in places if _key(erp, place) in world.readings]
    ahead = now + timedelta(seconds=SKEW_S)  # what was read later than that was read before the clock was set back
    due = begun + [p for p, at in swept.items() if at is None or at > ahead or has_passed(at, period, now)]
    if not due:
        return False
    with turn(world, erp, erp) as may_go:
        return may_go and _read_page(world, erp, due[0])


def _key(erp: Connected, place: str) -> str:
    return f"{STREAM}:{erp.id}:{place}"


def is_sweeping(world: World, erp: Connected) -> bool:
    """Say whether the reading of a Location is under way; at its end it tells every SKU."""
    return any(key.startswith(f"{STREAM}:{erp.id}:") for key in world.readings)


def _read_page(world: World, erp: Connected, place: str) -> bool:
    key = _key(erp, place)
    reading = readings.take(world, key, lambda: pages(world, erp, "pull_inventory", variants=None, location=place))
    page = reading.next()
    if page is None:
        _end(world, erp, place, reading)
        return True
    reading.told |= {level.variant_ref: level for level in page.items if level.location_ref == place}
    readings.keep(world, key, reading)
    return True


def _end(world: World, erp: Connected, place: str, reading: Reading) -> None:
    """Store what came, once it is known whose SKUs they are; what was read anew meanwhile stays."""
    levels: dict[str, StockLevel] = reading.told
    now = world.clock.now()
    catalogue.compare(world, erp, {ref: level.sku for ref, level in levels.items()}, reading.began)
    with world.store.write() as tx:
        before = {row.variant_ref: row.read_at for row in ledger.levels_of(tx, erp.id, [place])}
        # What a whole reading no longer tells is not there any more: archived, or deleted.
        silent = {ref: _nothing(ref, place, reading.began) for ref in before.keys() - levels.keys()}
        found = [
            each
            for ref, each in {**levels, **silent}.items()
            if ref not in before or not each.at < before[ref] <= now  # later than now: before the clock was set back
        ]
        ledger.set_levels(tx, erp.id, found)
        known.set_cursor(tx, erp.id, f"{STREAM}:{place}", Cursor(place), reading.began)


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
