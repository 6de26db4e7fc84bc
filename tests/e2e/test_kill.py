"""Kill -9 at random moments: one sales order per order, none missing, none doubled (law 1)."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bench.shop import Shop, finish, shop
from tests.e2e.starter import Starter

ORDERS = 500
KILLS = 50
LIMIT_S = 900.0  # a busy machine takes long to be killed so often


def _numbers(opened: Shop) -> Counter[str]:
    state: Any = opened.control("katana", "state", method="GET")
    return Counter(row["order_no"] for row in state["sales_orders"] if not row.get("deleted_at"))


def _calls(opened: Shop, *, creates_only: bool) -> int:
    if creates_only:
        return opened.calls("katana").get("POST /v1/sales_orders", 0)
    return sum(sum(opened.calls(name).values()) for name in opened.urls)


def _kill_often(opened: Shop, starter: Starter, folder: Path, chance: random.Random, times: int) -> int:
    """Start the hub, let it begin to speak (mostly: to place), kill it a random moment later; again and again."""
    kills, end = 0, time.monotonic() + LIMIT_S
    while kills < times and time.monotonic() < end:
        creates_only = chance.random() < 0.8
        before = _calls(opened, creates_only=creates_only)
        with Path(os.devnull).open("r+") as nothing:
            process = starter.start(("sync",), folder, opened.environ(), *[nothing.fileno()] * 3)
        while process.poll() is None and _calls(opened, creates_only=creates_only) == before:
            time.sleep(0.01)
        time.sleep(chance.uniform(0.0, 0.3))
        if process.poll() is None:
            process.kill()
            kills += process.wait() == -signal.SIGKILL
    return kills


@pytest.mark.slow
@pytest.mark.parametrize(("duplicates", "times"), [("allow", KILLS), ("refuse", 10)])
def test_killed_at_random_moments_it_neither_loses_nor_doubles(
    tmp_path: Path, starter: Starter, duplicates: str, times: int
) -> None:
    """500 orders, 5 % of the answers lost, a real process killed; Katana takes a second order of one number, or not."""
    with shop(tmp_path / "shop") as opened:
        opened.seed(ORDERS)
        opened.advance(7200)
        for name in opened.urls:
            opened.control(name, "clock", {"rate": 1})
        # Slow answers stretch the run over all the kills, and put most kills between a send and its answer.
        opened.control("katana", "options", {"latency_ms": "100", "duplicate_order_no": duplicates})
        lost = {"kind": "lost_reply", "match": "/v1/sales_orders$", "method": "POST", "probability": 0.05}
        opened.control("katana", "faults", {"faults": [lost], "seed": 11})
        folder = tmp_path / "hub"
        folder.mkdir()
        opened.write_routes(folder, send_window="1s", timeout="1s", settle="1s")
        kills = _kill_often(opened, starter, folder, random.Random(5), times)
        placed_under_fire = sum(_numbers(opened).values())
        opened.control("katana", "options", {"latency_ms": "0"})
        opened.control("katana", "faults", {"faults": []})
        opened.advance(900)  # the longest that an effect rests which was tried again and again
        finish(opened.hub(folder, "sync"))
        numbers = _numbers(opened)
    assert kills == times
    assert placed_under_fire > times  # the kills met a working hub
    assert len(numbers) == ORDERS
    assert [number for number, count in numbers.items() if count > 1] == []
