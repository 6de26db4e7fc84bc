"""One pass over all Connections, and the daemon's endless series of them."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from hub.contract import HubError, TransientError
from hub.engine import catalogue, place, pull, release, watch
from hub.engine.ledger import Recorded
from hub.engine.outcome import attempt, pause, resume
from hub.engine.world import Connected, World
from hub.store import known, orders, outbox

IDLE_S = 1.0
OPEN_QUESTION_S = 120.0  # a pass waits this long at most for one effect; what takes longer is for the next pass
MIN_IDLE_S = 0.5
STORE_RETRY_S = 5.0
MAX_IDLE_S = 30.0


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


@contextmanager
def lanes(world: World, progress: Progress, ids: Sequence[str]) -> Iterator[list[str]]:
    """Become the one worker of these Connections, as far as no other process is; yields those that were won."""
    with ExitStack() as stack:
        won = [id_ for id_ in ids if stack.enter_context(world.store.lock(f"lane:{id_}"))]
        progress.busy = [id_ for id_ in ids if id_ not in won]
        yield won


def involved(world: World, only: str | None = None) -> tuple[list[Connected], list[Connected]]:
    """Return the channel and the ERP Connections of the switched-on Routes (or of one)."""
    routes = [route for route in world.active() if only in (None, route.name)]
    channels = dict.fromkeys(route.channel for route in routes)
    erps = dict.fromkeys(route.erp for route in routes)
    return [world.connected[id_] for id_ in channels], [world.connected[id_] for id_ in erps]


def sync(world: World, progress: Progress, stop: threading.Event, only: str | None = None) -> None:
    """Work until nothing is due: pull, release, place; what fails is kept and told in ``progress.errors``."""
    world.guard.stop = stop
    _settle_memory()
    channels, erps = involved(world, only)
    with lanes(world, progress, [each.id for each in (*channels, *erps)]) as won:
        crew = Crew(world, progress, stop, _won(channels, won), _won(erps, won))
        crew.round(pull_anyway=True)
        while not stop.is_set() and (crew.round() or crew.await_outcomes()):
            pass


def run(world: World, progress: Progress, stop: threading.Event) -> None:
    """Work until told to stop, sleeping until something is due."""
    world.guard.stop = stop
    _settle_memory()
    channels, erps = involved(world)
    with lanes(world, progress, [each.id for each in (*channels, *erps)]) as won:
        crew = Crew(world, progress, stop, _won(channels, won), _won(erps, won))
        while not stop.is_set():
            try:
                _run_once(crew)
            except TransientError as error:
                _outlast(world, error, stop)


def _run_once(crew: Crew) -> None:
    crew.progress.errors.clear()
    crew.progress.errors.update(crew.paused())
    if not crew.round():
        crew.progress.step("waiting")
        crew.world.clock.wait(_idle_s(crew.world, crew.channels, crew.erps), crew.stop)


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


def _won(connected: Sequence[Connected], ids: Sequence[str]) -> list[Connected]:
    return [each for each in connected if each.id in ids]


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
        now = self.world.clock.now()
        with self.world.store.read() as tx:
            resting = known.paused(tx)
        return {
            id_: TransientError(reason["code"], reason["what"], where=reason["where"], do=reason["do"])
            for id_, (until, reason) in resting.items()
            if now < until
        }

    def await_outcomes(self) -> bool:
        """Wait a little where a sent effect still awaits its outcome; a pass does not end on an open question."""
        soon = []
        for erp in self.erps:
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
    if pull_anyway or pull.is_due(world, channel):
        progress.step(f"reading orders of {channel.id}")

        def count(n: int) -> None:
            progress.pulled += n
            progress.step(f"reading orders of {channel.id}")

        progress.recorded += pull.pull_orders(world, channel, count)
        done = True
    erps = {route.erp for route in world.routes_from(channel.id) if route.orders.enabled}
    for erp in erps:
        watch.beat(world, erp)
    while released := release.release(world, channel, resting=progress.errors):
        progress.released += released
        progress.step(f"releasing orders of {channel.id}")
        done = True
    return done


def _erp_step(world: World, progress: Progress, erp: Connected, stop: threading.Event) -> bool:
    """Send for about as long as a release may wait, then give way."""
    until = world.clock.now() + timedelta(seconds=world.timing.release_every_s)
    watch.beat(world, erp.id)
    done = catalogue.refresh(world, erp)
    if world.guard.dry:
        return place.look_up(world, erp) > 0 or done
    while not stop.is_set() and world.clock.now() < until:
        sent = place.place(world, erp)
        if not sent:
            break
        progress.sent = world.placed
        progress.step(f"placing orders in {erp.id}")
        done = True
    return done


def _idle_s(world: World, channels: Sequence[Connected], erps: Sequence[Connected]) -> float:
    """Return how long nothing is due: until the next pull, release, catalogue reading or effect."""
    now, times = world.clock.now(), [world.clock.now() + timedelta(seconds=MAX_IDLE_S)]
    with world.store.read() as tx:
        for channel in channels:
            _, at = known.cursor(tx, channel.id, pull.STREAM)
            times.append(_plus(at, world.timing.orders_every_s, now))
            due = orders.next_due(tx, channel.id)
            if due is not None:
                # Releases are gathered: one re-read serves all that come due within the period.
                times.append(due + timedelta(seconds=world.timing.release_every_s))
        for erp in erps:
            due = outbox.next_due(tx, erp.id, place.patience_s(world))
            times += [due] if due is not None else []
    return max(MIN_IDLE_S, min((time - now).total_seconds() for time in times))


def _plus(at: datetime | None, seconds: float, now: datetime) -> datetime:
    return now if at is None else at + timedelta(seconds=seconds)
