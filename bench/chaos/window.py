"""Law 1's window: how long it is, and what becomes of an order whose sender is stopped within it and taken for dead."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

from bench.chaos.scene import remainder
from hub.config import load
from hub.engine.progress import Progress
from hub.engine.sync import sync
from hub.engine.world import build
from hub.store import open_store
from tests.site import HOUR, NOON, Site, installed

ORDERS = 200
PATIENCE_S = 120.0
LEASE = ("settle: 1s}", "settle: 1s, lease: 1s}")
SENT = "POST /v1/sales_orders"


@dataclass(frozen=True, slots=True)
class Provoked:
    """What became of the order.

    Attributes:
        sales_orders: how many it has.
        named: what `hub reconcile` says of it, where it has several.
        fate: what the ledger says in the end.
        refused: the second sending was refused by the ERP.
    """

    sales_orders: int
    named: tuple[str, ...]
    fate: tuple[str, str | None]
    refused: bool


def provoke(folder: Path, database: str, duplicates: str) -> Provoked:
    """Stop a worker between check and sending until another has sent its order, then let it go on."""
    folder.mkdir(parents=True, exist_ok=True)
    site = Site(folder, database)
    try:
        file = folder / "routes.yaml"
        file.write_text(file.read_text().replace(*LEASE).replace("send_window: 3s", "send_window: 1s"))
        site.both("clock", {"rate": 1})
        site.katana_sim("options", {"duplicate_order_no": duplicates})
        ref = site.order()
        site.advance(2 * HOUR)
        site.open().close()
        mark = folder / "stopped"
        with _hub(site, "first", "bench.chaos.stopped", str(mark)) as first:
            _until(mark.exists, "the first worker is stopped in the window")
            with _hub(site, "second", "hub") as second:
                _until(lambda: len(site.sales_orders()) == 1, "the second worker has sent the order")
                first.send_signal(signal.SIGCONT)
                _until(lambda: site.calls("katana").get(SENT, 0) >= 2, "the first has sent it too")
                _until(lambda: "lane-lost" in (folder / "first.log").read_text(), "the first finds its lane lost")
                _end(second)
            _end(first)
        return _found(site, ref)
    finally:
        site.close()


def _found(site: Site, ref: str) -> Provoked:
    said = _reconciled(site)
    named = tuple(text for text in remainder(said, "sales_orders", "doubled") if text.startswith(f"{ref}: "))
    made = [row for row in site.sales_orders() if row["order_no"] == f"TT-{ref}"]
    journal = site.katana_sim("journal", method="GET")["calls"]
    refused = any(call["path"] == "/v1/sales_orders" and call["status"] >= 400 for call in journal)
    site.open()
    return Provoked(len(made), named, site.fate(ref), refused)


def _reconciled(site: Site) -> dict[str, Any]:
    """Return what `hub reconcile` says; what changed within ten minutes it leaves to the next time."""
    site.advance(HOUR / 2)
    command = [sys.executable, "-m", "hub", "--database", site.database, "reconcile", "--json"]
    told = subprocess.run(
        command, cwd=site.folder, env=_environ(site), capture_output=True, text=True, timeout=PATIENCE_S
    )
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def _environ(site: Site) -> dict[str, str]:
    root = str(Path(__file__).parents[2])
    return (
        {key: value for key, value in os.environ.items() if not key.startswith("HUB_")}
        | site.environ()
        | {"PYTHONPATH": root}
    )


@contextmanager
def _hub(site: Site, name: str, module: str, *before: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", module, *before, "--database", site.database, "run", "--log", "json"]
    with (site.folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=site.folder, env=_environ(site), stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(15)


def _until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"waited in vain until {what}")
        time.sleep(0.05)


def widths_ms(folder: Path, orders: int = ORDERS) -> list[float]:
    """Return how long it was from the last check until the last byte had left, for each sales order of a pass."""
    folder.mkdir(parents=True, exist_ok=True)
    site = Site(folder, str(folder / "hub.db"))
    told: list[float] = []

    def hear(event: str, details: dict[str, Any]) -> None:
        if event == "http" and details["path"].endswith("/sales_orders") and details["window_s"] is not None:
            told.append(1000 * details["window_s"])

    try:
        site.orders_made(count=orders, lines=[{"sku": "MUG", "price": "20.00"}], create_time=NOON - 60)
        site.advance(2 * HOUR)
        plugins, store = installed(), open_store(site.database)
        usable = {name: found.plugin for name, found in plugins.items() if found.plugin is not None}
        config = load(folder / "routes.yaml", usable, site.environ())
        world = build(config, plugins, store, environ=dict(os.environ), key_file=folder / "hub.key", trace=hear)
        try:
            sync(world, Progress(), threading.Event())
        finally:
            world.close()
    finally:
        site.close()
    return told


def figures(folder: Path, databases: Callable[[str], str]) -> tuple[dict[str, float], list[str]]:
    """Return the window's figures, and what is wrong.

    Args:
        databases: makes an empty PostgreSQL database of that name.
    """
    cuts = quantiles(widths_ms(folder / "widths"), n=100)
    doubles, broken = 0, []
    for duplicates in ("allow", "refuse"):
        came = provoke(folder / duplicates, databases(f"window_{duplicates}"), duplicates)
        doubles += came.sales_orders > 1
        if came.sales_orders > 1 and not came.named:
            broken.append(f"the window made {came.sales_orders} sales orders, and reconciliation names none")
        if duplicates == "refuse" and came.fate != ("placed", None):
            broken.append(f"a refused duplicate leaves its order {came.fate}")
    return {"window_ms_p50": cuts[49], "window_ms_p99": cuts[98], "window_doubles": doubles}, broken
