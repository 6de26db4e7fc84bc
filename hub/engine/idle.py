"""How long nothing is due for a Connection: how long its lane is left alone."""

from __future__ import annotations

from datetime import datetime, timedelta

from hub.engine import place, pull, release, wake
from hub.engine.outcome import resting
from hub.engine.turns import next_turn
from hub.engine.world import Connected, World
from hub.store import Tx, known, outbox

AGAIN_S = 0.5  # what is due, but could not go on just now, is looked at again after this
MAX_IDLE_S = 30.0


def idle_s(world: World, connected: Connected) -> float:
    """Return how long it is until a Connection's next hint, pull, release or effect, or until its rest is over."""
    now = world.clock.now()
    times = [now + timedelta(seconds=MAX_IDLE_S)]
    with world.store.read() as tx:
        rests = {id_: until for id_, (until, _) in resting(tx, now).items()}
        if connected.id in rests:
            times.append(rests[connected.id])
        else:
            hint = wake.next_due(tx, connected, now)
            times += [hint] if hint is not None else []
            times += _channel_times(tx, world, connected, set(rests), now)
            times += _erp_times(tx, world, connected)
    if (again := next_turn(world, connected.id, now)) is not None:
        times.append(again)
    soonest = min(times)
    return (soonest - now).total_seconds() if soonest > now else AGAIN_S


def _channel_times(tx: Tx, world: World, channel: Connected, rests: set[str], now: datetime) -> list[datetime]:
    routes = [route for route in world.routes_from(channel.id) if route.orders.enabled]
    if not routes:
        return []
    _, at = known.cursor(tx, channel.id, pull.STREAM)
    times = [now if at is None else at + timedelta(seconds=world.timing.orders_every_s)]
    full = {erp for erp in {route.erp for route in routes} if outbox.pending(tx, erp) >= release.ROOM}
    shut = [route.name for route in routes if route.erp in rests | full]
    longest = now + timedelta(seconds=MAX_IDLE_S)
    if (at := release.gathered_at(tx, world, channel, shut, longest)) is not None:
        times.append(at)
    return times


def _erp_times(tx: Tx, world: World, erp: Connected) -> list[datetime]:
    if not any(route.orders.enabled for route in world.routes_to(erp.id)):
        return []
    due = outbox.next_due(tx, erp.id, place.patience_s(world))
    return [] if due is None else [due]
