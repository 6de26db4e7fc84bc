"""Kits: what their parts allow, and what building one takes from them (K-74)."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

from katana_simulator.exchange import Row
from katana_simulator.stock import ZERO, Cause, Level, Place
from katana_simulator.world import World


def potential(world: World, variant: Row, location_id: int) -> Decimal | None:
    """How many kits the parts at a location allow after their own commitments; None for what is not a kit."""
    if not variant["kit"]:
        return None
    stale_s, now = float(world.options["stale_inventory_s"]), world.clock.now()
    counts: list[Decimal] = []
    for part_id, quantity in variant["kit"]:
        level = world.stock.as_read((part_id, location_id), now, stale_s)
        counts.append(((level.in_stock - level.committed) / quantity).to_integral_value(ROUND_FLOOR))
    return max(min(counts), ZERO)


def build_missing(world: World, variant: Row, place: Place, wanted: Decimal, cause: Cause) -> Decimal:
    """Make the kits that a fulfillment needs and stock lacks, out of the parts; answer how many."""
    if not variant["kit"]:
        return ZERO
    missing = wanted - max(world.stock.level(place).in_stock, ZERO)
    if missing > 0:
        build(world, variant, place, missing, cause)
    return max(missing, ZERO)


def build(world: World, variant: Row, place: Place, count: Decimal, cause: Cause) -> None:
    """Turn parts into kits; a negative count turns them back."""
    now = world.clock.now()
    consumed = Cause("ProductionIngredient", cause.resource_id, cause.order_no, cause.caused_by_id)
    for part_id, quantity in variant["kit"]:
        world.stock.move((part_id, place[1]), -count * quantity, consumed, now)
    world.stock.move(place, count, Cause("Production", cause.resource_id, cause.order_no, cause.caused_by_id), now)


def availability(world: World, variant: Row, place: Place) -> str:
    """Whether stock, expected stock or nothing covers all that is committed at a place."""
    level = world.stock.levels.get(place) or Level()
    free = level.in_stock + (potential(world, variant, place[1]) or ZERO) - level.committed
    if free >= 0:
        return "IN_STOCK"
    return "EXPECTED" if free + level.expected >= 0 else "NOT_AVAILABLE"
