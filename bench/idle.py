"""What a visit of lanes with nothing to do costs: with nothing in the ledger, and with all of it."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from bench.ledger import HERE, PLACE
from bench.shop import Shop
from hub.config import load
from hub.contract import Location, LocationKind
from hub.engine.lane import Visit, visit
from hub.engine.progress import Progress
from hub.engine.world import World, build
from hub.host.discover import connectors
from hub.store import Store, known

STEP_S = 30.0  # the longest a lane is left alone
EVERY = 100
STEPS = 40  # twenty minutes: shipments were polled four times, orders twenty times, and no sweep of stock is due


class HandClock:
    """A clock that somebody moves."""

    def __init__(self, now: float) -> None:
        self.at = now

    def now(self) -> datetime:
        """Return where it was moved to."""
        return datetime.fromtimestamp(self.at, UTC)

    def wait(self, seconds: float, until: threading.Event | None = None) -> None:
        """Wait for nothing."""

    def close(self) -> None:
        """Hold nothing."""


@dataclass(slots=True)
class Cost:
    """What the visits of one lane came to."""

    visits: int = 0
    cpu_s: float = 0.0
    statements: int = 0
    steps: int = 0  # of SQLite's machine, in hundreds


@contextmanager
def world_of(opened: Shop, folder: Path, store: Store, clock: HandClock) -> Iterator[World]:
    """Build a World on a store, with the route file of a folder."""
    found = connectors()
    usable = {name: one.plugin for name, one in found.items() if one.plugin is not None}
    config = load(folder / "routes.yaml", usable, opened.environ())
    world = build(config, found, store, environ=dict(os.environ), key_file=folder / "hub.key", time=clock)
    try:
        yield world
    finally:
        world.close_sessions()


def settle(world: World, rounds: int = 12) -> None:
    """Visit until a round of visits has nothing to do; what a first contact must read is read then."""
    for _ in range(rounds):
        ended = [_visit(world, id_) for id_ in world.connected]
        if all(each.due_in_s > 1 for each in ended):
            return
    raise RuntimeError("the lanes do not come to rest")


def _visit(world: World, id_: str) -> Visit:
    ended = visit(world, Progress(), threading.Event(), id_)
    if ended.error is not None:
        raise ended.error
    return ended


def visits(
    world: World, clock: HandClock, advance: Callable[[float], None], steps: int = STEPS
) -> dict[str, Cost]:  # fmt: skip
    """Visit each lane every half minute while nothing happens outside; return what it came to, by Connection."""
    costs = {id_: Cost() for id_ in world.connected}
    for _ in range(steps):
        clock.at += STEP_S
        advance(STEP_S)
        for id_, cost in costs.items():
            with _counted(world.store, cost):
                _visit(world, id_)
    return costs


@contextmanager
def _counted(store: Store, cost: Cost) -> Iterator[None]:
    """Count the CPU of this process, the statements, and the work of SQLite's machine."""
    watched: set[int] = set()

    def step() -> int:
        cost.steps += 1
        return 0

    def told(connection: sa.Connection, *_: object) -> None:
        cost.statements += 1
        raw = connection.connection.driver_connection
        if isinstance(raw, sqlite3.Connection) and id(raw) not in watched:
            watched.add(id(raw))
            raw.set_progress_handler(step, EVERY)

    sa.event.listen(store.engine, "before_cursor_execute", told)
    began = time.process_time()
    try:
        yield
    finally:
        cost.cpu_s += time.process_time() - began
        cost.visits += 1
        sa.event.remove(store.engine, "before_cursor_execute", told)


def in_use(world: World, now: datetime) -> None:
    """Have a filled ledger look as one does that is in use: every feed was read just now, every place is known."""
    with world.store.write() as tx:
        for route in world.routes:
            place = Location(ref=PLACE, name="Pickup", kind=LocationKind.SHIPS, is_default=True)
            known.remember_locations(tx, route.channel, [place], now)
            known.remember_locations(tx, route.erp, [place.model_copy(update={"ref": HERE})], now)
            for stream in ("orders", "cancellations", "catalogue", "returns", "stock", "open-orders"):
                known.set_cursor(tx, route.channel, stream, None, now)
            for stream in ("fulfillments", "products", "swept-skus", f"levels:{HERE}", "placed-orders", "watch"):
                known.set_cursor(tx, route.erp, stream, None, now)
