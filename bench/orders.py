"""Orders a second, calls and memory per order: the hub against a bare httpx loop, in one run."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.shop import VARIANTS, Shop, finish, shop

HOUR = 3600
ROUNDS = 5


def _bare(opened: Shop) -> float:
    now = opened.control("tiktok", "clock", method="GET")["now"]
    given = {**opened.settings, "api": opened.urls["tiktok"], "erp": opened.urls["katana"], "now": str(now),
             "auth_url": opened.urls["tiktok"], "refresh_token": opened.control("tiktok", "settings", method="GET")[
                 "refresh_token"]}  # fmt: skip
    done = subprocess.run([sys.executable, "-m", "bench.bare", json.dumps(given)], capture_output=True, text=True,
                          check=True)  # fmt: skip
    return float(done.stdout)


def _hub(opened: Shop, folder: Path, orders: int) -> tuple[float, float, float, int]:
    """Pull while the orders are held, move past the hold, pull and place.

    Returns the seconds from the first call of each process to its end, those of its start before, CPU, peak memory.
    """
    folder.mkdir()
    opened.write_routes(folder)
    wall = start = cpu = 0.0
    peak = 0
    for _ in range(2):
        made, at = opened.made(), float(opened.control("tiktok", "clock", method="GET")["now"])
        began = time.perf_counter()
        used, memory = finish(opened.hub(folder, "sync"))
        wall += time.perf_counter() - began
        start += opened.first_call(made) - at  # the simulators' clocks run at the pace of real ones here
        cpu, peak = cpu + used, max(peak, memory)
        opened.advance(HOUR)
    made = sum(1 for row in opened.control("katana", "state", method="GET")["sales_orders"]
               if str(row["order_no"]).startswith("TT-"))  # fmt: skip
    if made != orders:
        raise RuntimeError(f"{made} sales orders for {orders} orders")
    return wall - start, start, cpu, peak


def _round(folder: Path, orders: int) -> tuple[float, float, float, float, int, dict[str, int]]:
    """Let both read and place the same orders, one after the other.

    Returns the bare loop's seconds, the hub's, those of its start, CPU, memory, calls.
    """
    with shop(folder / "shop") as opened:
        opened.seed(orders)
        bare = _bare(opened)  # first, so that the simulator has rendered each order before the hub is measured too
        opened.control("katana", "seed", {"reset": True, "variants": VARIANTS})
        before = opened.made()
        wall, start, cpu, peak = _hub(opened, folder / "hub", orders)
        calls = {name: n - before[name] for name, n in opened.made().items()}
    return bare, wall, start, cpu, peak, calls


def measure(orders: int = 10_000, few: int = 1_000) -> dict[str, float]:
    """Return the figures; raise where an order was lost or doubled."""
    with tempfile.TemporaryDirectory() as folder:
        *_, peak_few, _ = _round(Path(folder) / "few", few)
        rounds = [_round(Path(folder) / str(number), orders) for number in range(ROUNDS)]
    # Other programs on the machine only ever slow a round down, so the best of each counts.
    bare, wall, start, cpu, peak = (min(each[place] for each in rounds) for place in range(5))
    calls = rounds[0][5]
    return {
        # Against: the same pulls and creates by a stateless, serial httpx loop in a process of its own, in this run.
        # Both from the first call on, the hub until its process has ended.
        "orders.ratio_to_bare_loop": bare / wall,
        # The same with the start of both processes that the hub took: one while the orders are held, one after.
        "orders.ratio_to_bare_loop_with_starts": bare / (wall + start),
        "orders.start_seconds": start / 2,
        "orders.per_second": orders / wall,
        "orders.bare_loop_per_second": orders / bare,
        "orders.cpu_ms_per_order": 1000 * cpu / orders,
        # Counted by the simulators, everything included: tokens, shops, look-ups.
        "orders.katana_calls_per_order": calls["katana"] / orders,
        "orders.tiktok_calls_per_order": calls["tiktok"] / orders,
        # Peak resident memory of the hub process with ten times the orders.
        "orders.peak_memory_ratio_10k_to_1k": peak / peak_few,
        "orders.peak_memory_mb": peak / 1024,
    }
