"""Stock counters per variant and location, and the movements that explain them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from decimal import Decimal

from katana_simulator.clock import iso
from katana_simulator.exchange import Row
from katana_simulator.tables import Table

ZERO = Decimal(0)
Place = tuple[int, int]


@dataclass(slots=True)
class Level:
    """What is counted for one variant at one location.  # K-73"""

    in_stock: Decimal = ZERO
    committed: Decimal = ZERO
    expected: Decimal = ZERO
    safety: Decimal = ZERO
    average_cost: Decimal = ZERO
    went_negative_at: str = ""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why stock moved, as `/inventory_movements` names it."""

    resource_type: str
    resource_id: int
    order_no: str
    caused_by_id: int


class Stock:
    """All levels. Every change of in stock and committed goes through here, so stale readings can be rebuilt."""

    def __init__(self) -> None:
        self.levels: dict[Place, Level] = {}
        self.movements = Table("variant_id")
        self._recent: dict[Place, deque[tuple[float, Decimal, Decimal]]] = {}
        self._keeps_recent = False
        self.before: dict[Place, tuple[Decimal, Decimal, Decimal]] | None = None  # as in tables.py

    def level(self, place: Place) -> Level:
        found = self.levels.get(place)
        if found is None:
            found = self.levels[place] = Level()
        return found

    def commit(self, place: Place, quantity: Decimal, at: float) -> None:
        """Add to what open orders need; a negative quantity takes away."""
        self._note(place)
        self.level(place).committed += quantity
        self._remember(at, place, ZERO, quantity)

    def move(self, place: Place, quantity: Decimal, cause: Cause, at: float, cost: Decimal | None = None) -> None:
        """Change what is physically there and record the movement.  # K-76"""
        self._note(place)
        level = self.level(place)
        if cost is not None and quantity > 0 and level.in_stock + quantity > 0:
            held = max(level.in_stock, ZERO)
            level.average_cost = (level.average_cost * held + cost * quantity) / (held + quantity)
        level.in_stock += quantity
        if level.in_stock < 0 <= level.in_stock - quantity:
            level.went_negative_at = iso(at)
        self._remember(at, place, quantity, ZERO)
        self.movements.add(_movement(place, quantity, cause, level, iso(at)))

    def as_read(self, place: Place, now: float, stale_s: float) -> Level:
        """The level a reader sees: today's, less what happened in the last `stale_s` seconds.  # K-75"""
        level = self.levels.get(place) or Level()
        if stale_s <= 0:
            return level
        recent = self._recent.get(place, deque())
        while recent and recent[0][0] <= now - stale_s:
            recent.popleft()
        seen = Level(level.in_stock, level.committed, level.expected, level.safety, level.average_cost)
        for _, moved, committed in recent:
            seen.in_stock -= moved
            seen.committed -= committed
        return seen

    def keep_recent(self, is_kept: bool) -> None:
        """Remember changes only while somebody may ask for stale readings; a benchmark must not pay for it."""
        self._keeps_recent = is_kept
        if not is_kept:
            self._recent.clear()

    def _note(self, place: Place) -> None:
        if self.before is not None:
            level = self.level(place)
            self.before.setdefault(place, (level.in_stock, level.committed, level.average_cost))

    def _remember(self, at: float, place: Place, moved: Decimal, committed: Decimal) -> None:
        if self._keeps_recent:
            self._recent.setdefault(place, deque()).append((at, moved, committed))


def _movement(place: Place, quantity: Decimal, cause: Cause, level: Level, at: str) -> Row:
    return {
        "variant_id": place[0],
        "location_id": place[1],
        "resource_type": cause.resource_type,
        "resource_id": cause.resource_id,
        "caused_by_order_no": cause.order_no,
        "caused_by_resource_id": cause.caused_by_id,
        "movement_date": at,
        "quantity_change": quantity,
        "balance_after": level.in_stock,
        "value_per_unit": level.average_cost,
        "value_in_stock_after": level.in_stock * level.average_cost,
        "average_cost_after": level.average_cost,
        "rank": 1,
        "created_at": at,
        "updated_at": at,
    }
