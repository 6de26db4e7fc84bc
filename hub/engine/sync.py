"""One pass over all Connections, in this thread, one lane after another; ends when nothing is due."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from hub.contract import HubError, TransientError
from hub.engine import place
from hub.engine.lane import channel_step, enter, erp_step, is_sent_orders, settle_memory
from hub.engine.lanes import Lanes, lane_lost, lanes
from hub.engine.look import look
from hub.engine.outcome import attempt, pause, resting, resume
from hub.engine.progress import Progress
from hub.engine.turns import next_turn
from hub.engine.world import Connected, World
from hub.store import outbox

IDLE_S = 1.0
OTHERS_S = 10.0  # workers on a shared database give a lane back soon
OPEN_QUESTION_S = 120.0  # a pass waits this long at most for one effect; what takes longer is for the next pass


def involved(world: World, only: str | None = None) -> tuple[list[Connected], list[Connected]]:
    """Return the channel and the ERP Connections of the switched-on Routes (or of one)."""
    routes = [route for route in world.working() if only in (None, route.name)]
    channels = dict.fromkeys(route.channel for route in routes)
    erps = dict.fromkeys(route.erp for route in routes)
    return [world.connected[id_] for id_ in channels], [world.connected[id_] for id_ in erps]


def sync(world: World, progress: Progress, stop: threading.Event, only: str | None = None) -> None:
    """Work until nothing is due: pull, release, place; what fails is kept and told in ``progress.errors``."""
    world.guard.stop = stop
    settle_memory()
    channels, erps = involved(world, only)
    with _entered(world, progress, stop, channels, erps) as (crew, lane):
        crew.round(pull_anyway=True)
        while not stop.is_set():
            if not lane.still_mine():
                raise lane_lost(world, lane.won)
            if not (crew.round() or crew.await_outcomes()):
                break


@contextmanager
def _entered(
    world: World, progress: Progress, stop: threading.Event, channels: Sequence[Connected], erps: Sequence[Connected]
) -> Iterator[tuple[Crew, Lanes]]:
    with lanes(world, [each.id for each in (*channels, *erps)], wait_s=OTHERS_S) as lane:
        progress.busy = list(lane.busy)
        mine = [[each for each in connected if each.id in lane.won] for connected in (channels, erps)]
        for each in (*mine[0], *mine[1]):
            enter(world, each)
        yield Crew(world, progress, stop, *mine), lane


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
            done |= self._guarded(channel, partial(self._channel_step, channel, pull_anyway))
        for erp in self.erps:
            done |= self._guarded(erp, partial(self._erp_step, erp))
        return done

    def _channel_step(self, channel: Connected, pull_anyway: bool) -> bool:
        looked = look(self.world, channel)
        return channel_step(self.world, self.progress, channel, self.progress.errors, pull_anyway).did or looked

    def _erp_step(self, erp: Connected) -> bool:
        looked = look(self.world, erp)
        return erp_step(self.world, self.progress, erp, self.stop) or looked

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

    def _turns(self) -> list[float]:
        """Return in how many seconds what gave way is to go on."""
        now = self.world.clock.now()
        just = now - timedelta(seconds=IDLE_S)  # one that came while the round was under way
        lanes = [each.id for each in (*self.channels, *self.erps) if each.id not in self.progress.errors]
        times = [again for id_ in lanes if (again := next_turn(self.world, id_, just)) is not None]
        return [(again - now).total_seconds() for again in times]

    def await_outcomes(self) -> bool:
        """Wait a little where a sent effect still awaits its outcome, or a reading its turn: a pass ends on neither."""
        soon, sent = self._turns(), [each for each in self.erps if is_sent_orders(self.world, each)]
        for erp in () if self.world.guard.dry else sent:
            with self.world.store.read() as tx:
                due = outbox.next_due(tx, erp.id, place.patience_s(self.world))
            if due is not None and erp.id not in self.progress.errors:
                soon.append((due - self.world.clock.now()).total_seconds())
        if not soon or min(soon) > OPEN_QUESTION_S:
            return False
        self.progress.step("waiting for an answer")
        self.world.clock.wait(max(0.02, min([*soon, IDLE_S])), self.stop)
        return True
