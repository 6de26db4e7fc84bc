"""One visit to the lane of a Connection: what is due, most urgent first, for a bounded time.

Whoever visits (a pass, the embedded scheduler, a worker among several machines) must be the only one there; visits of
different Connections may run at the same time.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from hub.contract import HubError
from hub.engine import cancellations, catalogue, homes, place, pull, release, steps, stock, stray, subscribe, watch
from hub.engine.idle import idle_s
from hub.engine.look import look
from hub.engine.outcome import attempt, pause, resting, resume, traced
from hub.engine.progress import Progress
from hub.engine.world import Connected, World
from hub.store import outbox, require_schema


@dataclass(frozen=True, slots=True)
class Did:
    """What a step came to: whether the feed was read and told anything, whether anything else was done, or proved."""

    read: bool = False
    news: bool = False
    worked: bool = False
    proved: bool = False

    @property
    def did(self) -> bool:
        """Say whether anything was done at all."""
        return self.read or self.worked or self.proved


@dataclass(frozen=True, slots=True)
class Visit:
    """How a visit ended: when the next one is due (on the hub's clock), and whose lanes have new work by it."""

    due_in_s: float
    wake: frozenset[str] = frozenset()
    error: HubError | None = None


def visit(world: World, progress: Progress, stop: threading.Event, id_: str) -> Visit:
    """Do what is due for one Connection, in one step of its lane; a Connection that fails rests, its work is kept.

    Raises:
        HubError: the database itself is away or of another version by now, or this worker lost the lane.
    """
    return traced(world, id_, "visit", {}, lambda: _visit(world, progress, stop, id_))


def _visit(world: World, progress: Progress, stop: threading.Event, id_: str) -> Visit:
    connected, now = world.connected[id_], world.clock.now()
    with world.store.read() as tx:
        require_schema(tx, world.store.label)
        rests = resting(tx, now)
    if id_ in rests:
        return Visit((rests[id_][0] - now).total_seconds())
    if id_ not in world.entered:
        enter(world, connected)
        world.entered.add(id_)
    done = Did()

    def step() -> bool:
        nonlocal done
        done = _step(world, progress, connected, rests, stop)
        return done.did

    try:
        attempt(world, connected, step)
    except HubError as error:
        if stop.is_set():
            return Visit(0.0)
        if error.connection is None:
            raise
        # A channel's step also asks the ERP; the one whose call failed is the one that rests.
        pause(world, world.connected.get(error.connection, connected), error)
        return Visit(idle_s(world, connected), _near(world, connected), error)
    if done.did:
        resume(world, connected)
    wake = _near(world, connected) if done.news or done.worked else frozenset[str]()
    return Visit(0.0 if done.worked or done.proved else idle_s(world, connected), wake)


def _step(world: World, progress: Progress, connected: Connected, rests: Collection[str], stop: threading.Event) -> Did:
    looked = look(world, connected)
    done = channel_step(world, progress, connected, rests, gathers=True) if world.routes_from(connected.id) else Did()
    sent = bool(world.routes_to(connected.id)) and erp_step(world, progress, connected, stop)
    subscribe.renew(world, connected)
    proved = steps.run_steps(world, connected, steps.PROOF)
    return replace(done, worked=done.worked or sent or looked, proved=proved)


def _near(world: World, connected: Connected) -> frozenset[str]:
    """Return the Connections at the other end of its Routes."""
    ends = {route.erp for route in world.routes_from(connected.id)}
    return frozenset(ends | {route.channel for route in world.routes_to(connected.id)})


def enter(world: World, connected: Connected) -> None:
    """Look at what a changed route file means here; once, when a process begins with this Connection."""
    if world.routes_from(connected.id):
        homes.adopt(world, connected)
        stray.recall(world, connected)
    if world.routes_to(connected.id):
        homes.wake(world, connected)


def settle_memory() -> None:
    """Leave what start-up made out of garbage collection, and collect in larger steps: a twentieth of the CPU."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def channel_step(
    world: World, progress: Progress, channel: Connected, rests: Collection[str], pull_anyway: bool = False, *,
    gathers: bool = False,
) -> Did:  # fmt: skip
    """Read the feed where it is due, let go what is due, and do one step of everything else.

    ``gathers``: what must be read again before it goes waits a little for others, however often this is called.
    """
    read = news = False
    erps = {route.erp for route in world.routes_from(channel.id) if route.orders.enabled}
    for erp in erps:
        watch.beat(world, erp)
    if erps and (pull_anyway or pull.is_due(world, channel)):
        progress.step(f"reading orders of {channel.id}")

        def count(n: int) -> None:
            progress.pulled += n
            progress.step(f"reading orders of {channel.id}")

        recorded = pull.pull_orders(world, channel, count)
        progress.recorded += recorded
        cancellations.pull(world, channel)
        read, news = True, bool(recorded.new or recorded.changed)
    goes = bool(erps) and (not gathers or release.is_time(world, channel, rests))
    released = release.release(world, channel, resting=rests) if goes else 0
    if released:
        progress.released += released
        progress.step(f"releasing orders of {channel.id}")
        if channel.id not in world.put_off:
            # The ERP's lane is woken now, and not after everything else; which must not wait for ever, though.
            world.put_off.add(channel.id)
            return Did(read, news, worked=True)
    world.put_off.discard(channel.id)
    return Did(read, news, steps.run_steps(world, channel, steps.CHANNEL) or released > 0)


def erp_step(world: World, progress: Progress, erp: Connected, stop: threading.Event) -> bool:
    """Send for about as long as a release may wait, then give way."""
    until = world.clock.now() + timedelta(seconds=world.timing.release_every_s)
    done = is_sent_orders(world, erp) and watch.beat(world, erp.id)
    done |= steps.run_steps(world, erp, steps.ERP_FIRST)
    is_due = partial(_is_work_due, world, erp)
    while not stop.is_set() and world.clock.now() < until and is_due() and place.place(world, erp, until):
        progress.sent = 0 if world.guard.dry else world.placed
        progress.step(f"placing orders in {erp.id}")
        done = True
    done |= steps.run_steps(world, erp, steps.ERP)
    # The catalogue comes last: an Order that can go waits for no other's.
    sells = stock.every_s(world, erp.id) is not None or any(route.products.lists for route in world.routes_to(erp.id))
    return catalogue.refresh(world, erp, for_stock=sells and not stock.is_sweeping(world, erp)) or done


def is_sent_orders(world: World, erp: Connected) -> bool:
    """Say whether any Route sends its orders to an ERP; else what waits to be sent there waits on."""
    return any(route.orders.enabled for route in world.routes_to(erp.id))


def _is_work_due(world: World, erp: Connected) -> bool:
    """Say whether any effect can go on; a look that writes nothing."""
    if not is_sent_orders(world, erp):
        return False
    with world.store.read() as tx:
        due = outbox.next_due(tx, erp.id, place.patience_s(world))
    return due is not None and due <= world.clock.now()
