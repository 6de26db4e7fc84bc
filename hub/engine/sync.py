"""One pass over all Connections, and the daemon's endless series of them."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from hub.contract import HubError, TransientError
from hub.engine import cancellations, catalogue, homes, place, pull, release, steps, stock, stray, watch
from hub.engine.idle import idle_s
from hub.engine.lanes import Lanes, lane_lost, lanes
from hub.engine.ledger import Recorded
from hub.engine.outcome import attempt, pause, resting, resume
from hub.engine.world import Connected, World
from hub.store import known, outbox

IDLE_S = 1.0
OPEN_QUESTION_S = 120.0  # a pass waits this long at most for one effect; what takes longer is for the next pass
STORE_RETRY_S = 5.0


@dataclass(slots=True)
class Progress:
    """What a pass has done so far; ``tell`` is called after each step."""

    tell: Callable[[Progress], None] = lambda progress: None
    pulled: int = 0
    recorded: Recorded = field(default_factory=Recorded)
    released: int = 0
    sent: int = 0
    doing: str = ""
    errors: dict[str, HubError] = field(default_factory=dict)
    busy: list[str] = field(default_factory=list)

    def step(self, doing: str) -> None:
        """Say what is being done now."""
        self.doing = doing
        self.tell(self)


def involved(world: World, only: str | None = None) -> tuple[list[Connected], list[Connected]]:
    """Return the channel and the ERP Connections of the switched-on Routes (or of one)."""
    routes = [route for route in world.working() if only in (None, route.name)]
    channels = dict.fromkeys(route.channel for route in routes)
    erps = dict.fromkeys(route.erp for route in routes)
    return [world.connected[id_] for id_ in channels], [world.connected[id_] for id_ in erps]


def sync(world: World, progress: Progress, stop: threading.Event, only: str | None = None) -> None:
    """Work until nothing is due: pull, release, place; what fails is kept and told in ``progress.errors``."""
    world.guard.stop = stop
    _settle_memory()
    channels, erps = involved(world, only)
    with _entered(world, progress, stop, channels, erps) as (crew, lane):
        crew.round(pull_anyway=True)
        while not stop.is_set():
            if lost := lane.lost():
                raise lane_lost(world, lost)
            if not (crew.round() or crew.await_outcomes()):
                break


def run(world: World, progress: Progress, stop: threading.Event) -> None:
    """Work until told to stop, sleeping until something is due."""
    world.guard.stop = stop
    _settle_memory()
    while not stop.is_set():
        try:
            _work(world, progress, stop)
        except TransientError as error:
            _outlast(world, error, stop)


def _work(world: World, progress: Progress, stop: threading.Event) -> None:
    """Work until told to stop or until a lane is lost; the database may go and come meanwhile."""
    channels, erps = involved(world)
    lost: list[str] = []
    with _entered(world, progress, stop, channels, erps) as (crew, lane):
        while not stop.is_set() and not (lost := lane.lost()):
            try:
                _run_once(crew)
            except TransientError as error:
                _outlast(world, error, stop)
    if lost and not stop.is_set():
        world.log.warning("lane-lost", connections=lost)
        world.doubt()


@contextmanager
def _entered(
    world: World, progress: Progress, stop: threading.Event, channels: Sequence[Connected], erps: Sequence[Connected]
) -> Iterator[tuple[Crew, Lanes]]:
    with lanes(world, [each.id for each in (*channels, *erps)]) as lane:
        progress.busy = list(lane.busy)
        mine = [[each for each in connected if each.id in lane.won] for connected in (channels, erps)]
        for channel in mine[0]:
            homes.adopt(world, channel)
            stray.recall(world, channel)
        for erp in mine[1]:
            homes.wake(world, erp)
        yield Crew(world, progress, stop, *mine), lane


def _run_once(crew: Crew) -> None:
    crew.progress.errors.clear()
    crew.progress.errors.update(crew.paused())
    if not crew.round():
        crew.progress.step("waiting")
        crew.world.clock.wait(idle_s(crew.world, crew.channels, crew.erps), crew.stop)


def _outlast(world: World, error: TransientError, stop: threading.Event) -> None:
    """Wait until the database works again (a full disk, a lock held by another program); said once when it goes."""
    world.log.warning("database-away", code=error.code, what=error.what, do=error.do)
    while not stop.is_set():
        world.clock.wait(STORE_RETRY_S, stop)
        try:
            with world.store.write() as tx:
                known.set_cursor(tx, "hub", "alive", None, world.clock.now())
        except TransientError:
            continue
        world.log.info("database-back")
        return


def _settle_memory() -> None:
    """Leave what start-up made out of garbage collection, and collect in larger steps: a twentieth of the CPU."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@dataclass(frozen=True, slots=True)
class Crew:
    """The Connections this process works for, and one round over them."""

    world: World
    progress: Progress
    stop: threading.Event
    channels: Sequence[Connected]
    erps: Sequence[Connected]

    def round(self, *, pull_anyway: bool = False) -> bool:
        """Do one step of everything that is due; say whether anything was done."""
        done = False
        for channel in self.channels:
            done |= self._guarded(channel, partial(_channel_step, self.world, self.progress, channel, pull_anyway))
        for erp in self.erps:
            done |= self._guarded(erp, partial(_erp_step, self.world, self.progress, erp, self.stop))
        return done

    def _guarded(self, connected: Connected, step: Callable[[], bool]) -> bool:
        if self.stop.is_set() or connected.id in self.progress.errors:
            return False
        try:
            done = attempt(self.world, connected, step)
            if done:
                resume(self.world, connected)
            return done
        except HubError as error:
            if self.stop.is_set():
                return False
            if error.connection is None:
                raise  # the store itself: no pause could be written, no other connection could work either
            # A channel's step also asks the ERP; the one whose call failed is the one that rests.
            culprit = self.world.connected.get(error.connection or "", connected)
            self.progress.errors[culprit.id] = error
            pause(self.world, culprit, error)
            return False

    def paused(self) -> dict[str, HubError]:
        """Return the Connections to leave alone for now, with why."""
        with self.world.store.read() as tx:
            found = resting(tx, self.world.clock.now())
        return {
            id_: TransientError(reason["code"], reason["what"], where=reason["where"], do=reason["do"])
            for id_, (_, reason) in found.items()
        }

    def await_outcomes(self) -> bool:
        """Wait a little where a sent effect still awaits its outcome; a pass does not end on an open question."""
        soon = []
        for erp in (each for each in self.erps if _is_sent_orders(self.world, each)):
            with self.world.store.read() as tx:
                due = outbox.next_due(tx, erp.id, place.patience_s(self.world))
            if due is not None and erp.id not in self.progress.errors:
                soon.append((due - self.world.clock.now()).total_seconds())
        if not soon or min(soon) > OPEN_QUESTION_S or self.world.guard.dry:
            return False
        self.progress.step("waiting for an answer")
        self.world.clock.wait(max(0.02, min([*soon, IDLE_S])), self.stop)
        return True


def _channel_step(world: World, progress: Progress, channel: Connected, pull_anyway: bool) -> bool:
    done = False
    erps = {route.erp for route in world.routes_from(channel.id) if route.orders.enabled}
    if erps and (pull_anyway or pull.is_due(world, channel)):
        progress.step(f"reading orders of {channel.id}")

        def count(n: int) -> None:
            progress.pulled += n
            progress.step(f"reading orders of {channel.id}")

        progress.recorded += pull.pull_orders(world, channel, count)
        cancellations.pull(world, channel)
        done = True
    for erp in erps:
        watch.beat(world, erp)
    while erps and (released := release.release(world, channel, resting=progress.errors)):
        progress.released += released
        progress.step(f"releasing orders of {channel.id}")
        done = True
    return steps.run_steps(world, channel, steps.CHANNEL) or done


def _erp_step(world: World, progress: Progress, erp: Connected, stop: threading.Event) -> bool:
    """Send for about as long as a release may wait, then give way."""
    until = world.clock.now() + timedelta(seconds=world.timing.release_every_s)
    if _is_sent_orders(world, erp):
        watch.beat(world, erp.id)
    done = steps.run_steps(world, erp, steps.ERP_FIRST)
    while not stop.is_set() and world.clock.now() < until and _is_work_due(world, erp) and place.place(world, erp):
        progress.sent = 0 if world.guard.dry else world.placed
        progress.step(f"placing orders in {erp.id}")
        done = True
    done |= steps.run_steps(world, erp, steps.ERP)
    # The catalogue comes last: an Order that can go waits for no other's.
    sells = stock.every_s(world, erp.id) is not None or any(r.erp == erp.id and r.products.lists for r in world.routes)
    return catalogue.refresh(world, erp, for_stock=sells) or done


def _is_sent_orders(world: World, erp: Connected) -> bool:
    """Say whether any Route sends its orders to an ERP; else what waits to be sent there waits on."""
    return any(route.erp == erp.id for route in world.active())


def _is_work_due(world: World, erp: Connected) -> bool:
    """Say whether any effect can go on; a look that writes nothing."""
    if not _is_sent_orders(world, erp):
        return False
    with world.store.read() as tx:
        due = outbox.next_due(tx, erp.id, place.patience_s(world))
    return due is not None and due <= world.clock.now()
