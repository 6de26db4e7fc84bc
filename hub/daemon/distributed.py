"""Lanes over several machines: procrastinate decides which worker visits which lane, and when; it holds no order.

One job per Connection waits for the instant of its next visit; ``lock`` keeps two of one Connection from running at
once, ``queueing_lock`` keeps two from waiting. Whoever runs one takes the lane's lease too, which fences what a worker
writes that was paused and taken for dead.

The jobs lie beside the ledger, in a schema of their own that is named after procrastinate's version: workers with
different versions work side by side, since the leases are common to them, and one that nobody uses may be dropped.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

import procrastinate
import psycopg
from procrastinate import JobContext, exceptions
from procrastinate.jobs import Job, Status
from psycopg.conninfo import conninfo_to_dict

from hub.contract import HubError, TransientError
from hub.daemon.embedded import STORE_RETRY_S, Observe, Orders
from hub.engine.lane import Visit, settle_memory, visit
from hub.engine.lanes import HOLDER, lanes
from hub.engine.progress import Progress
from hub.engine.sync import involved
from hub.engine.world import World
from hub.host.clock import real_s
from hub.store import LaneLostError, silence_ends

SCHEMA = "lanes_" + version("procrastinate").replace(".", "_")
TURN_S = 2.0  # a lane with work goes on this long before it gives way to others
POLL_S = 0.5  # how late a visit may be that was not called for
BUSY_S = 1.0
SEED_S = 30.0
STOP_S = 0.2
PLAN_ATTEMPTS = 10
STRANGE_S = 600.0  # so long does a visit wait for a worker whose route file names its Connection
AWAY = (exceptions.ConnectorException, psycopg.Error, OSError)
AWAY_DO = "Check that the database runs and can be reached; the hub goes on by itself."
NOBODYS = (*AWAY, exceptions.AppNotOpen)


def run(world: World, progress: Progress, orders: Orders, *, threads: int, observe: Observe) -> None:
    """Be one of the workers, until told to stop; the database may go and come meanwhile."""
    world.guard.stop = orders.stop
    settle_memory()
    _log_of_procrastinate(world)
    asyncio.run(_outlasting(world, progress, orders, threads, observe))


async def _outlasting(world: World, progress: Progress, orders: Orders, threads: int, observe: Observe) -> None:
    asyncio.get_running_loop().set_exception_handler(_of_nobody)
    server = _Server(world)
    while not orders.must_end:
        worker = _Worker(world, progress, orders, threads, observe, server)
        try:
            async with worker.app.open_async():
                await prepare(worker.app)
                server.answers()
                await worker.work()
        except AWAY as error:
            server.is_away("database-failed", text_of(error), AWAY_DO)
            await asyncio.sleep(0 if orders.must_end else STORE_RETRY_S)


def text_of(error: BaseException) -> str:
    """Return what a failure of the database says of itself, in one line; procrastinate wraps it in words of its own."""
    while error.__cause__ is not None:
        error = error.__cause__
    return next(iter(str(error).strip().splitlines()), "") or type(error).__name__


class _Server:
    """Whether the database answers, as visits and procrastinate find it; told once when it goes and when it is back."""

    def __init__(self, world: World) -> None:
        self._world, self._lock, self._is_away = world, threading.Lock(), False

    def is_away(self, code: str, what: str, do: str) -> None:
        """Note that it did not answer."""
        with self._lock:
            if not self._is_away:
                self._world.log.warning("database-away", code=code, what=what, do=do)
            self._is_away, self._world.store.away = True, code

    def answers(self) -> None:
        """Note that it did."""
        if self._is_away:
            with self._lock:
                if self._is_away:
                    self._world.log.info("database-back")
                self._is_away, self._world.store.away = False, None


def app_of(url: str, *, connections: int = 4) -> procrastinate.App:
    """Return procrastinate on a ledger's database.

    Args:
        url: as libpq has it.
    """
    pool: dict[str, Any] = {"conninfo": url, "min_size": 1, "max_size": connections, "timeout": 10.0}
    session = {"options": f"-c search_path={SCHEMA}", **silence_ends(conninfo_to_dict(url))}
    return procrastinate.App(connector=procrastinate.PsycopgConnector(**pool, kwargs=session))


async def prepare(app: procrastinate.App) -> None:
    """Make procrastinate's tables where they are not there; several workers may come at once."""
    if await app.check_connection_async():
        return
    connector = app.connector
    try:
        await connector.execute_query_async(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        await app.schema_manager.apply_schema_async()
    except exceptions.ConnectorException:
        for _ in range(50):  # another worker may be making them just now
            await asyncio.sleep(STOP_S)
            if await app.check_connection_async():
                return
        raise


class _Worker:
    """One process among several: runs visits that procrastinate gives it, and sees that each lane has its next one."""

    def __init__(
        self, world: World, progress: Progress, orders: Orders, threads: int, observe: Observe, server: _Server
    ) -> None:
        self._world, self._progress, self._orders, self._observe = world, progress, orders, observe
        self._threads, self._server = threads, server
        self._failure: HubError | None = None
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="lane")
        channels, erps = involved(world)
        self._mine = list(dict.fromkeys(each.id for each in (*channels, *erps)))
        self.app = app_of(world.store.conninfo())
        self._task = self.app.task(name="visit", queue="lanes", pass_context=True)(self._run_job)
        # Jobs of which nothing is left but to take them off the table, with the worker that had them; since when.
        self._ended: dict[tuple[int, int | None], float] = {}
        self._ahead = timedelta()  # how far the server's clock, by which jobs fall due, is ahead of this machine's

    async def work(self) -> None:
        """Work until told to stop."""
        loop = asyncio.get_running_loop()
        self._orders.wake = lambda id_: _call_from_outside(loop, self._plan(id_, 0.0))
        ttl_s = self._world.timing.lease_s
        await self._compare_clocks()
        worker = asyncio.create_task(
            self.app.run_worker_async(
                queues=["lanes"], name=HOLDER, concurrency=self._threads, install_signal_handlers=False,
                fetch_job_polling_interval=POLL_S, delete_jobs="always", listen_notify=True,
                update_heartbeat_interval=ttl_s / 3, stalled_worker_timeout=ttl_s,
            )
        )  # fmt: skip
        tasks = (worker, asyncio.create_task(self._seed()), asyncio.create_task(self._recover(ttl_s)))
        try:
            while not (self._orders.must_end or self._failure or any(task.done() for task in tasks)):
                await asyncio.sleep(STOP_S)
        finally:
            self._orders.wake = lambda id_: None
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            self._pool.shutdown()
        for result in (self._failure, *ended):
            if isinstance(result, Exception):
                raise result

    async def _run_job(self, job: JobContext, connection: str, strange_since: float | None = None) -> None:
        try:
            await self._do_job(connection, strange_since)
        finally:
            if job.job.id is not None:
                self._ended[job.job.id, job.job.worker_id] = time.monotonic()

    async def _do_job(self, connection: str, strange_since: float | None) -> None:
        if connection not in self._mine:  # a route file of other workers names it, or one of the past did
            await self._hand_on(connection, strange_since or time.time())
            return
        context, loop = copy_context(), asyncio.get_running_loop()
        ended = await loop.run_in_executor(self._pool, context.run, self._visit, connection)
        if ended.error is not None and ended.error.connection is None:
            # This worker may have been taken for dead; then it ends a job that another took up, which may still wait.
            self._plan_later(connection)
        if not self._orders.stop.is_set() or ended.due_in_s > 0:
            await self._plan(connection, real_s(self._world.clock, ended.due_in_s))
        for other in ended.wake:
            await self._plan(other, 0.0)

    def _visit(self, id_: str) -> Visit:
        """Visit a lane, again and again for a short while where there is much to do."""
        world, began, wake = self._world, time.monotonic(), frozenset[str]()
        try:
            with lanes(world, [id_]) as lane:
                if lane.busy:
                    return Visit(BUSY_S)
                while True:
                    ended = visit(world, self._progress, self._orders.stop, id_)
                    wake |= ended.wake
                    if ended.due_in_s > 0 or time.monotonic() - began > TURN_S or self._orders.must_end:
                        break
        except LaneLostError as error:
            world.log.warning("lane-lost", connections=[id_])
            world.doubt()
            return Visit(BUSY_S, wake, error)
        except TransientError as error:
            self._server.is_away(error.code, error.what, error.do)
            return Visit(STORE_RETRY_S, wake, error)
        except HubError as error:  # the tables are of another version by now, or damaged: nobody here can go on
            self._failure = error
            return Visit(STORE_RETRY_S, wake)
        self._server.answers()
        self._observe(id_, time.monotonic() - began, ended)
        return Visit(ended.due_in_s, wake, ended.error)

    async def _plan(self, id_: str, in_s: float) -> None:
        """Have a lane visited at an instant, or sooner where it waits for one already."""
        if id_ not in self._mine:
            return
        at = datetime.now(UTC) + self._ahead + timedelta(seconds=in_s) if in_s > 0 else None
        job = self._task.configure(lock=id_, queueing_lock=id_, schedule_at=at)
        for _ in range(PLAN_ATTEMPTS):  # another worker may have it wait anew, for later, just when it waits no more
            with suppress(exceptions.AlreadyEnqueued):
                await job.defer_async(connection=id_)
                return
            waiting = await self.app.job_manager.list_jobs_async(queueing_lock=id_, status=Status.TODO.value)
            later = [each.id for each in waiting if each.id is not None and _is_later(each, at)]
            if waiting and not later:
                return
            for number in later:
                await self.app.job_manager.cancel_job_by_id_async(number, delete_job=True)

    async def _hand_on(self, id_: str, since: float) -> None:
        """Leave a visit to workers that know its Connection; what nobody knows for long is of the past."""
        if time.time() - since > STRANGE_S:
            return
        at = datetime.now(UTC) + self._ahead + timedelta(seconds=BUSY_S)
        with suppress(exceptions.AlreadyEnqueued):
            job = self._task.configure(lock=id_, queueing_lock=id_, schedule_at=at)
            await job.defer_async(connection=id_, strange_since=since)

    async def _compare_clocks(self) -> None:
        before = datetime.now(UTC)
        row = await self.app.connector.execute_query_one_async("SELECT clock_timestamp() AS now")
        self._ahead = row["now"] - (before + (datetime.now(UTC) - before) / 2)

    def _plan_later(self, id_: str) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(BUSY_S, lambda: loop.create_task(self._plan(id_, 0.0), name=f"plan {id_}"))

    async def _seed(self) -> None:
        """See again and again that every lane has a visit that runs or waits."""
        while True:
            known: set[str] = set()
            for status in (Status.TODO, Status.DOING):
                found: Iterable[Job] = await self.app.job_manager.list_jobs_async(queue="lanes", status=status.value)
                known.update(job.lock for job in found if job.lock)
            for id_ in self._mine:
                if id_ not in known:
                    await self._plan(id_, 0.0)
            await asyncio.sleep(SEED_S)
            await self._compare_clocks()

    async def _recover(self, ttl_s: float) -> None:
        """Have visits run again whose worker died or was silent for too long."""
        jobs = self.app.job_manager
        while True:
            await self._take_off_ended(ttl_s / 3)
            for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=ttl_s):
                self._world.log.warning("worker-lost", connection=job.lock)
                try:
                    await jobs.retry_job(job)
                except (exceptions.AlreadyEnqueued, exceptions.ConnectorException):
                    # Its next visit waits already; the one that stalled only stands in its way.
                    with suppress(exceptions.ConnectorException):
                        assert job.id is not None  # noqa: S101  # it came from the table
                        await jobs.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)
            await asyncio.sleep(ttl_s / 3)

    async def _take_off_ended(self, after_s: float) -> None:
        """Take off the table what is done but is there yet, since the database failed just then: it blocks its lane."""
        jobs = self.app.job_manager
        found: Iterable[Job] = await jobs.list_jobs_async(queue="lanes", status=Status.DOING.value)
        there = {(job.id, job.worker_id) for job in found}
        self._ended = {key: at for key, at in self._ended.items() if key in there}
        for key, at in list(self._ended.items()):
            if time.monotonic() - at >= after_s:
                with suppress(exceptions.ConnectorException):  # it is gone just now, or the database is: the next look
                    await jobs.finish_job_by_id_async(key[0], Status.FAILED, delete_job=True)


def _is_later(job: Job, at: datetime | None) -> bool:
    if job.scheduled_at is None:
        return False
    return at is None or job.scheduled_at > at + timedelta(seconds=POLL_S / 2)


def _of_nobody(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Hear of what went wrong where nobody waits for the outcome.

    A job that cannot be finished was taken up by another worker, or the database is away, which whoever needs it says;
    a visit to be planned once that is over finds its worker ended, and the next one plans it.
    """
    if not isinstance(context.get("exception"), NOBODYS):
        loop.default_exception_handler(context)


def _call_from_outside(loop: asyncio.AbstractEventLoop, work: Any) -> None:
    try:
        asyncio.run_coroutine_threadsafe(work, loop)
    except RuntimeError:  # the loop has just ended; the next worker finds what is due by itself
        work.close()


def _log_of_procrastinate(world: World) -> None:
    """Lead its warnings into the hub's log; its own records quote arguments, which here are Connection ids."""

    class Lead(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            world.log.warning("procrastinate", what=record.getMessage(), action=getattr(record, "action", None))

    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # warns at each try to connect; the hub says it once
    logger = logging.getLogger("procrastinate")
    logger.handlers, logger.propagate = [Lead(logging.WARNING)], False
    logger.setLevel(logging.WARNING)
