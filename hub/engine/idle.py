"""How long nothing is due: what the daemon sleeps between two rounds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from hub.engine import place, pull, release
from hub.engine.outcome import resting
from hub.engine.world import Connected, World
from hub.store import Tx, known, orders, outbox

MIN_IDLE_S = 0.5
MAX_IDLE_S = 30.0


def idle_s(world: World, channels: Sequence[Connected], erps: Sequence[Connected]) -> float:
    """Return how long it is until the next pull, release or effect; a Connection that rests has none until its end."""
    now = world.clock.now()
    times = [now + timedelta(seconds=MAX_IDLE_S)]
    with world.store.read() as tx:
        rests = {id_: until for id_, (until, _) in resting(tx, now).items()}
        times += [until for id_, until in rests.items() if id_ in {each.id for each in (*channels, *erps)}]
        for channel in channels:
            if channel.id not in rests:
                times += _channel_times(tx, world, channel, set(rests), now)
        sent_orders = {route.erp for route in world.active()}
        for erp in (each for each in erps if each.id in sent_orders):
            due = outbox.next_due(tx, erp.id, place.patience_s(world))
            times += [due] if due is not None and erp.id not in rests else []
    return max(MIN_IDLE_S, min((time - now).total_seconds() for time in times))


def _channel_times(tx: Tx, world: World, channel: Connected, rests: set[str], now: datetime) -> list[datetime]:
    routes = [route for route in world.routes_from(channel.id) if route.orders.enabled]
    if not routes:
        return []
    _, at = known.cursor(tx, channel.id, pull.STREAM)
    times = [now if at is None else at + timedelta(seconds=world.timing.orders_every_s)]
    full = {erp for erp in {route.erp for route in routes} if outbox.pending(tx, erp) >= release.ROOM}
    due = orders.next_due(tx, channel.id, [route.name for route in routes if route.erp in rests | full])
    if due is not None:
        # Releases are gathered: one re-read serves all that come due within the period.
        times.append(due + timedelta(seconds=world.timing.release_every_s))
    return times
