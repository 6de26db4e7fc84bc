"""Calls that are not urgent take turns: where their budget has no room for them, their lane goes on with other work.

A call that waited inside a step would hold up every order of that lane with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from hub.engine.world import Connected, Waiting, World
from hub.host.work import hurried

LONG_S = 10.0  # where a window is shorter, nobody waits long
LATE_S = 60.0  # a wait that nobody came back to so long after its end is over
SHORTLY_S = 5.0  # so long may an aged call hold up the lane of another Connection


@contextmanager
def turn(world: World, lane: Connected, callee: Connected) -> Iterator[bool]:
    """Yield whether a call may go out now that is not urgent; where not, the lane is due again once there is room.

    A call that has its turn is as urgent as any, since its lane waits for it. So is one that has waited for a whole
    window: nothing waits for ever behind what never ends.
    """
    budgets = [each for each in world.costs.budgets_of(callee.id) if each.per_s >= LONG_S]
    key, now = (lane.id, callee.id), world.clock.now()
    wait_s = max((world.budgets.room_in_s(each, urgent=False) for each in budgets), default=0.0)
    if wait_s <= 0:
        world.waiting.pop(key, None)
        with hurried():
            yield True
        return
    mine = world.waiting.get(key)
    since = mine.since if mine is not None and now <= mine.until + timedelta(seconds=LATE_S) else now
    if now - since > timedelta(seconds=max(each.per_s for each in budgets)):
        wait_s = max(world.budgets.room_in_s(each) for each in budgets)
        if wait_s <= SHORTLY_S or lane is callee:
            world.waiting.pop(key, None)
            with hurried():
                yield True
            return
    world.waiting[key] = Waiting(since, now + timedelta(seconds=wait_s))
    yield False


def next_turn(world: World, lane: str, now: datetime) -> datetime | None:
    """Return when a lane that gave way is to look again; None where it did not."""
    times = [each.until for (id_, _), each in list(world.waiting.items()) if id_ == lane and each.until > now]
    return min(times, default=None)
