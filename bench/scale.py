"""A million orders, 100,000 SKUs, 1,000 Connections: an idle tick, a look at one order, and the daemon's memory."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from bench import idle, pairs
from bench.ledger import FIRST, Size, fill
from bench.shop import NOON, Shop, shop
from hub.cli.options import Choices
from hub.cli.order import order
from hub.store import open_store
from hub.store.tables import cursors

NAMES = ("shop", "factory", "route")
ALONE = ("shop0", "factory0", "route0")
EVERYTHING = """\
    returns: {enabled: true}"""
PATIENCE_S = 400.0
MINUTE_S = 60.0


def measure(size: Size | None = None, pairs_of: int = 500) -> dict[str, float]:
    """Return the figures of one ledger of this size, first of one shop, then of many."""
    size = size or Size()
    with tempfile.TemporaryDirectory() as name, shop(Path(name) / "shop") as opened:
        began = time.perf_counter()
        figures = _alone(opened, Path(name), size)
        figures["scale.seconds_to_fill"] = time.perf_counter() - began - figures.pop("seconds")
        return figures | _many(opened, Path(name) / "many", Size(size.orders, size.skus, pairs_of))


def _routes(opened: Shop, folder: Path, number: int, now: float, *, rate: float) -> None:
    folder.mkdir()
    for name in opened.urls:
        opened.control(name, "clock", {"now": now, "rate": rate})
    pairs.seed(opened, number, [])
    pairs.write_routes(opened, folder, number, sections=EVERYTHING, followed=False)


def _alone(opened: Shop, folder: Path, size: Size) -> dict[str, float]:
    """Visit the lanes of one shop and its ERP with nothing to do: with an empty ledger, and with a full one.

    Before both a ledger is visited that does not count, so that neither pays for what a process does once.
    """
    costs: list[list[idle.Cost]] = []
    calls: list[dict[str, int]] = []
    for name, orders in (("first", 0), ("empty", 0), ("full", size.orders)):
        _routes(opened, folder / name, 1, NOON, rate=0)
        store, clock = open_store(str(folder / name / "hub.db")), idle.HandClock(float(NOON))
        with idle.world_of(opened, folder / name, store, clock) as world:
            if orders:
                fill(store, size, clock.now(), ALONE)
            began = time.perf_counter()
            idle.in_use(world, clock.now())
            idle.settle(world)
            before = _calls(opened)
            costs.append(list(idle.visits(world, clock, opened.advance).values()))
            calls.append({call: n - before.get(call, 0) for call, n in _calls(opened).items()})
        store.close()
    made = [{call: n for call, n in each.items() if n} for each in calls]
    if made[1] != made[2]:
        raise RuntimeError(f"an idle tick made other calls with a full ledger: {made[1]} {made[2]}")
    _, empty, full = costs
    figures = {
        # Against: 1.5; CPU of the same visits of both lanes, with nothing to do, in a ledger without an order.
        "scale.idle_tick_ratio_1m_orders": sum(cost.cpu_s for cost in full) / sum(cost.cpu_s for cost in empty),
        "scale.idle_tick_cpu_ms": 1000 * sum(cost.cpu_s for cost in full) / sum(cost.visits for cost in full),
        # Against: 1.5; steps of the database's machine in the same visits, which no other program slows down.
        "scale.idle_tick_database_steps_ratio": sum(cost.steps for cost in full) / sum(cost.steps for cost in empty),
        "scale.idle_tick_statements": sum(cost.statements for cost in full) / sum(cost.visits for cost in full),
        **_look_up(folder / "full", size),
    }
    return {**figures, "seconds": time.perf_counter() - began}


def _calls(opened: Shop) -> dict[str, int]:
    return {call: n for name in opened.urls for call, n in opened.calls(name).items()}


def _look_up(folder: Path, size: Size, times: int = 15) -> dict[str, float]:
    """Look at orders all over a ledger: within a process, and by the command as a person calls it."""
    refs = [str(FIRST + 1 + n * (size.orders - 1) // times) for n in range(times)]
    choices = Choices(routes=str(folder / "routes.yaml"), database=str(folder / "hub.db"))
    command = [
        sys.executable,
        "-m",
        "hub",
        "--routes",
        str(choices.routes),
        "--database",
        str(choices.database),
        "order",
    ]

    def within(ref: str) -> None:
        with redirect_stdout(io.StringIO()) as told:
            order.main([ref], obj=choices, standalone_mode=False)
        assert ref in told.getvalue()

    def whole(ref: str) -> None:
        subprocess.run([*command, ref], check=True, capture_output=True)

    within(refs[0])  # what is imported once is imported now
    return {
        # Against: 50; a look at one order by hub order, with the database opened and closed: median of several.
        "scale.order_lookup_ms": _median_ms(within, refs),
        # Beside it: the whole command, the start of Python and its imports included.
        "scale.order_command_ms": _median_ms(whole, refs),
    }


def _median_ms(look: Callable[[str], None], refs: list[str]) -> float:
    times = []
    for ref in refs:
        began = time.perf_counter()
        look(ref)
        times.append(time.perf_counter() - began)
    return 1000 * sorted(times)[len(times) // 2]


def _many(opened: Shop, folder: Path, size: Size) -> dict[str, float]:
    """Run the daemon with that many shops, each with an ERP Connection of its own, while nothing happens."""
    now = time.time()
    _routes(opened, folder, size.shops, now, rate=1)
    file = folder / "hub.db"
    store = open_store(str(file))
    try:
        fill(store, size, datetime.fromtimestamp(now, UTC), NAMES)
        clock = idle.HandClock(time.time() - 120)  # every feed is due when the daemon starts
        with idle.world_of(opened, folder, store, clock) as world:
            idle.in_use(world, clock.now())
        began, at = time.perf_counter(), datetime.now(UTC)
        with _daemon(opened, folder) as process:
            _until_read(store.engine, size.shops, at, process)
            up_s = time.perf_counter() - began
            spent = _cpu_s(process)
            time.sleep(MINUTE_S)
            spent = _cpu_s(process) - spent
            memory = _memory_mb(process)
    finally:
        store.close()
    return {
        # Against: 300; the most that the daemon ever had resident, from its start on, and what it had in the end.
        "scale.daemon_rss_mb_1000_connections": memory["VmHWM"],
        "scale.daemon_settled_rss_mb_1000_connections": memory["VmRSS"],
        # Beside them: until the feed of every shop was read, and what a quiet minute takes of one core.
        "scale.daemon_seconds_until_all_read": up_s,
        "scale.daemon_cores_busy_when_idle": spent / MINUTE_S,
    }


@contextmanager
def _daemon(opened: Shop, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "daemon.log").open("wb") as log:
        command = [sys.executable, "-m", "hub", "run", "--log", "json"]
        process = subprocess.Popen(command, cwd=folder, env=opened.environ(), stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def _until_read(engine: sa.Engine, shops: int, since: datetime, process: subprocess.Popen[bytes]) -> None:
    query = sa.select(sa.func.count()).where(cursors.c.stream == "orders", cursors.c.at > since)
    end = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < end:
        with engine.connect() as tx:
            if tx.execute(query).scalar() == shops:
                return
        time.sleep(0.2)
    raise RuntimeError("the daemon did not read every shop")


def _cpu_s(process: subprocess.Popen[bytes]) -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(process: subprocess.Popen[bytes]) -> dict[str, float]:
    rows = (line.split() for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
    return {row[0].rstrip(":"): int(row[1]) / 1024 for row in rows if row and row[0] in ("VmHWM:", "VmRSS:")}
