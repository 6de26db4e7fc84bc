"""Hints given to a site as webhooks give them, and its lanes visited as the daemon does."""

from __future__ import annotations

import threading

from hub.contract import Hint, HintKind
from hub.engine import wake
from hub.engine.lane import visit
from hub.engine.lanes import lanes
from hub.engine.progress import Progress
from hub.engine.world import World
from hub.store.tables import wakes
from tests.site import Site

MANY = 40  # visits in a row that did something: a lane that never rests is a loop


def hint(site: Site, connection: str, kind: HintKind, *refs: str) -> None:
    """Note hints of one kind; without a ref, one that names nothing."""
    found = [Hint(kind=kind, ref=ref) for ref in refs] or [Hint(kind=kind)]
    wake.note(site.open(), connection, found)  # one that is open already may have an old time


def world_of(site: Site) -> World:
    """Return the open hub of a site."""
    return site.world or site.open()


def work(site: Site, *ids: str) -> None:
    """Visit lanes, those that were woken too, until all of them rest; as a process that begins now."""
    world, due = site.open(), list(ids)
    for _ in range(MANY):
        if not due:
            return
        id_ = due.pop(0)
        with lanes(world, [id_]):
            ended = visit(world, Progress(), threading.Event(), id_)
        assert ended.error is None, ended.error
        due += [each for each in ended.wake if each not in due and each in ids]
        if ended.due_in_s == 0 and id_ not in due:
            due.append(id_)
    raise AssertionError(f"the lanes of {due} never rest")


def waiting(site: Site) -> list[tuple[str, str, str]]:
    """Return the hints that were not looked at yet: Connection, kind, ref."""
    world = world_of(site)
    with world.store.read() as tx:
        rows = tx.execute(wakes.select().order_by(wakes.c.ref)).all()
    return [(row.connection, row.kind, row.ref) for row in rows]
