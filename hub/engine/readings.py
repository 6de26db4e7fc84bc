"""Long pulls, read page by page: between two pages a lane does what is more urgent.

They live in memory. One that broke, or that nobody went on with for a while, is begun anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hub.contract import Cursor, Page
from hub.engine.world import Connected, World
from hub.host.clock import has_passed
from hub.store import known

ABANDONED_S = 300.0
STEP_S = 3.0  # so long one step reads


@dataclass(slots=True)
class Reading:
    """A pull of which some pages have come; ``told``: what they told, by ref."""

    began: datetime
    found: Iterator[Page[Any]]
    read_at: datetime
    told: dict[str, Any] = field(default_factory=dict)
    cursor: Cursor | None = None
    is_whole: bool = False
    before: set[str] | None = None  # what was known when it began, where that matters

    def next(self) -> Page[Any] | None:
        """Read the next page; None at the end."""
        page = next(self.found, None)
        if page is None:
            self.is_whole = True
        else:
            self.cursor = page.cursor or self.cursor
        return page


def take(world: World, key: str, begin: Callable[[], Iterator[Page[Any]]]) -> Reading:
    """Go on with a reading, or begin it; it is kept again once a page was read, so that one that broke is gone."""
    now = world.clock.now()
    reading: Reading | None = world.readings.pop(key, None)
    if reading is None or has_passed(reading.read_at, ABANDONED_S, now):
        return Reading(now, begin(), now)
    reading.read_at = now
    return reading


def read_on(world: World, connected: Connected, reading: Reading) -> bool:
    """Read Variants for a while and remember them; say whether all have come."""
    until = world.clock.now() + timedelta(seconds=STEP_S)
    while (page := reading.next()) is not None:
        reading.told |= {variant.ref: None for variant in page.items}
        with world.store.write() as tx:
            known.remember_variants(tx, connected.id, page.items)
        if world.clock.now() >= until:
            return False
    return True


def keep(world: World, key: str, reading: Reading) -> None:
    """Keep a reading for the next step."""
    world.readings[key] = reading
