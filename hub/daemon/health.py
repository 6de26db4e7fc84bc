"""Whether this process works: lanes turn, and the database is the right one and answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from hub.contract import HubError
from hub.engine.outcome import resting
from hub.engine.sync import involved
from hub.engine.world import World
from hub.store import figures

QUIET_S = 120.0  # an idle lane is visited every 30 s
STUCK_S = 1800.0  # the first reading of a large shop takes minutes; no call and no step takes this long


class Pulse:
    """When lanes were visited, and which visits go on."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._begun: dict[str, float] = {}
        self._last = clock()

    def beat(self, details: dict[str, Any]) -> None:
        """Note the beginning or the end of a visit; see ``World.trace``."""
        with self._lock:
            self._last = self._clock()
            if "seconds" in details:
                self._begun.pop(details["connection"], None)
            else:
                self._begun[details["connection"]] = self._last

    def stuck(self) -> list[str]:
        """Return the Connections whose visit goes on for too long."""
        with self._lock:
            return sorted(id_ for id_, began in self._begun.items() if self._clock() - began > STUCK_S)

    def is_quiet(self) -> bool:
        """Say whether no lane was visited for too long, and none is being visited."""
        with self._lock:
            return not self._begun and self._clock() - self._last > QUIET_S


def faults(world: World, pulse: Pulse) -> list[dict[str, str]]:
    """Return why this process should not be relied on now, as codes; empty: it may be."""
    found = [{"code": "lane-stuck", "connection": id_} for id_ in pulse.stuck()]
    try:
        figures.require_ready(world.store)
        if pulse.is_quiet() and _expects_visits(world):
            found.append({"code": "lanes-quiet"})
        if (away := world.store.away) is not None:
            found.append({"code": away})
    except HubError as error:
        found.append({"code": error.code})
    return found


def _expects_visits(world: World) -> bool:
    """Say whether a lane should be visited here: not where all rest, nor where others may do all the work."""
    channels, erps = involved(world)
    with world.store.read() as tx:
        rests = resting(tx, world.clock.now())
    return not world.store.is_shared and any(each.id not in rests for each in (*channels, *erps))
