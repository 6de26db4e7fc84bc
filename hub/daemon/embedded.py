"""The embedded scheduler: decides when each lane runs, in this one process; holds no order.

Each Connection has an instant of its next visit. Those that are due are visited on a few threads, never two visits of
one Connection at once; a visit that did something is due again behind the others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field

from hub.contract import TransientError
from hub.engine.lane import Visit, settle_memory, visit
from hub.engine.lanes import lanes
from hub.engine.progress import Progress
from hub.engine.sync import involved
from hub.engine.world import World
from hub.host.clock import FollowedClock, SystemClock, real_s
from hub.store import LaneLostError, known

STORE_RETRY_S = 5.0
LOOK_S = 1.0  # how long it takes at most to notice that it shall stop

Observe = Callable[[str, float, Visit], None]  # Connection, seconds, how the visit ended


@dataclass(slots=True)
class Orders:
    """What a scheduler is told from outside; it may be told from any thread."""

    stop: threading.Event
    reload: threading.Event = field(default_factory=threading.Event)
    wake: Callable[[str], None] = lambda connection: None  # set by the scheduler while it runs
    has_begun: bool = False  # it was the one worker of all its Connections once

    @property
    def must_end(self) -> bool:
        """Say whether visits shall end."""
        return self.stop.is_set() or self.reload.is_set()


def run(
    world: World, progress: Progress, stop: threading.Event, *, threads: int = 1, orders: Orders | None = None,
    observe: Observe = lambda connection, seconds, ended: None,
) -> None:  # fmt: skip
    """Visit lanes until told to stop; the database may go and come meanwhile.

    Args:
        threads: how many Connections are visited at once; with 1 and a clock that moves only while somebody waits, in
            this very thread, so that it stands still while somebody works.
    """
    world.guard.stop = stop
    settle_memory()
    orders, is_said = orders or Orders(stop), False
    while not orders.must_end:
        try:
            if (taken := _work(world, progress, orders, threads, observe)) and not is_said:
                world.log.warning("lanes-busy", connections=taken)
            is_said = bool(taken)
            stop.wait(STORE_RETRY_S if taken else 0)
        except LaneLostError as error:
            world.log.warning("lane-lost", connections=error.where)
            world.doubt()
        except TransientError as error:
            outlast(world, error, stop)


def _work(world: World, progress: Progress, orders: Orders, threads: int, observe: Observe) -> Sequence[str]:
    """Visit lanes until told to stop; where another process has some of them that were this one's, return those."""
    channels, erps = involved(world)
    with lanes(world, list(dict.fromkeys(each.id for each in (*channels, *erps)))) as lane:
        if lane.busy and orders.has_begun:  # a command slipped in while the database was away, or during a reload
            return lane.busy
        progress.busy = list(lane.busy)
        progress.step("starting")
        orders.has_begun = not lane.busy
        scheduler = _Scheduler(world, progress, orders, lane.won, observe)
        orders.wake = scheduler.wake
        if threads == 1 and not isinstance(world.clock, SystemClock | FollowedClock):
            scheduler.work_alone()
        else:
            scheduler.work(threads)
    return ()


def outlast(world: World, error: TransientError, stop: threading.Event) -> None:
    """Wait until the database works again (a full disk, a lock held by another program); said once when it goes."""
    world.log.warning("database-away", code=error.code, what=error.what, do=error.do)
    world.store.away = error.code
    while not stop.is_set():
        world.clock.wait(STORE_RETRY_S, stop)
        with suppress(TransientError):
            with world.store.write() as tx:
                known.set_cursor(tx, "hub", "alive", None, world.clock.now())
            world.store.away = None
            world.log.info("database-back")
            return


class _Scheduler:
    """When each Connection is due, and who is being visited."""

    def __init__(self, world: World, progress: Progress, orders: Orders, ids: Sequence[str], observe: Observe) -> None:
        self._world, self._progress, self._orders, self._observe = world, progress, orders, observe
        self._due = dict.fromkeys(ids, 0.0)
        self._running: set[str] = set()
        self._woken: set[str] = set()
        self._failure: BaseException | None = None
        self._last = 0.0
        self._lock, self._bell = threading.Lock(), threading.Event()

    def wake(self, id_: str) -> None:
        """Have a Connection visited at once, or again where it is being visited."""
        with self._lock:
            if id_ in self._running:
                self._woken.add(id_)
            elif id_ in self._due:  # behind those that are due already
                self._due[id_] = min(self._due[id_], self._now_safely())
        self._bell.set()

    def work_alone(self) -> None:
        """Visit one after another in this thread."""
        while not self._orders.must_end:
            due = self._take(self._now())
            for id_ in due:
                self._visit(id_)
            if self._failure is not None:
                raise self._failure
            if not due and not self._orders.must_end:
                self._progress.step("waiting")
                self._world.clock.wait(self._until_next(), self._orders.stop)

    def work(self, threads: int) -> None:
        """Visit several at once; ends when every visit has ended."""
        with ThreadPoolExecutor(threads, thread_name_prefix="lane") as pool:
            while not self._orders.must_end and self._failure is None:
                self._bell.clear()
                for id_ in self._take(self._now(), threads):
                    pool.submit(copy_context().run, self._visit, id_)
                if not self._running:
                    self._progress.step("waiting")
                # In real time: a followed clock may stand still, and to be told to stop rings no bell.
                is_full = len(self._running) >= threads
                self._bell.wait(LOOK_S if is_full else min(LOOK_S, real_s(self._world.clock, self._until_next())))
        if self._failure is not None:
            raise self._failure

    def _now(self) -> float:
        return self._world.clock.now().timestamp()

    def _take(self, now: float, most: int | None = None) -> Iterable[str]:
        """Return the Connections to visit now, those that wait longest first."""
        with self._lock:
            if (back_s := self._last - now) > LOOK_S:  # the clock was set back: what was due soon still is
                self._due = {id_: due - back_s for id_, due in self._due.items()}
            self._last = now
            room = None if most is None else most - len(self._running)
            found = sorted((due, id_) for id_, due in self._due.items() if due <= now and id_ not in self._running)
            ids = [id_ for _, id_ in found[:room]]
            self._running.update(ids)
        return ids

    def _until_next(self) -> float:
        with self._lock:
            waiting = [due for id_, due in self._due.items() if id_ not in self._running]
        return max(0.0, min(waiting) - self._now()) if waiting else LOOK_S

    def _visit(self, id_: str) -> None:
        began, ended = time.monotonic(), Visit(LOOK_S)
        try:
            if not self._orders.must_end:
                ended = visit(self._world, self._progress, self._orders.stop, id_)
                self._observe(id_, time.monotonic() - began, ended)
        except BaseException as error:  # whatever it is, the scheduler's own thread must hear of it
            self._failure = error
        with self._lock:
            self._running.discard(id_)
            due_in_s = 0.0 if id_ in self._woken else ended.due_in_s
            self._woken.discard(id_)
            self._due[id_] = self._now_safely() + due_in_s
        for other in ended.wake:
            self.wake(other)
        self._bell.set()

    def _now_safely(self) -> float:
        try:
            return self._now()
        except Exception:  # a followed clock may be gone; the scheduler asks it next, and says so
            return 0.0
