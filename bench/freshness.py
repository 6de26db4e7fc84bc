"""How soon the hub acts: from a webhook to its effect on the other side, and from the end of a hold to the sales order.

Real processes: both simulators deliver their webhooks over HTTP to a ``hub run --listen``; all by the machine's clock.
"""

from __future__ import annotations

import math
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.shop import Shop, shop

ORDERS, SHIPPED, COUNTED, HELD = 40, 15, 25, 15
HOLD_S, LEAD_S = 45, 30  # until the first hold ends: the hub has started by then
PATIENCE_S = 150.0
OWN_ECHO_S = 6.0  # what happens to a sales order so soon after the hub made it is left to the poll
LINE = [{"sku": "MUG", "price": "20.00"}]
UPDATE = "POST /product/202309/products/{product_id}/inventory/update"


def measure() -> dict[str, float]:
    """Return the figures; raise where something took no effect."""
    with tempfile.TemporaryDirectory() as folder:
        waits = sorted(_webhooks(Path(folder) / "webhooks"))
        soon = _holds(Path(folder) / "soon", "1s")
        default = _holds(Path(folder) / "default", "30s")
    return {
        # Orders without a hold to the ERP, shipments to the channel, sinking stock to the channel; one after another.
        "freshness.webhook_to_effect_p99_seconds": waits[math.ceil(0.99 * len(waits)) - 1],
        "freshness.webhook_to_effect_median_seconds": statistics.median(waits),
        # The latest of 15 orders whose holds end a second apart, by timing.release_every.
        "freshness.hold_release_error_seconds": soon,
        "freshness.hold_release_error_default_seconds": default,
    }


def _webhooks(folder: Path) -> list[float]:
    """Let buyers order, people ship and count; return how long each took to reach the other side."""
    with _opened(folder, hold="0m", release_every="30s") as opened, _hub(opened, folder, webhooks=True):
        _until(opened, lambda: opened.calls("tiktok").get(UPDATE, 0) > 0)  # the first stock is told
        waits = [_order(opened) for _ in range(ORDERS)]
        numbers = [row["order_no"] for row in _sales_orders(opened)]
        time.sleep(OWN_ECHO_S)
        waits += [_ship(opened, number, at) for at, number in enumerate(numbers[:SHIPPED])]
        waits += [_count(opened, 5_000 - 10 * at) for at in range(COUNTED)]
    return waits


def _order(opened: Shop) -> float:
    before = opened.calls("katana").get("POST /v1/sales_orders", 0)
    spec = {"lines": LINE, "create_time": int(time.time())}
    return _timed(
        opened,
        lambda: opened.control("tiktok", "seed", {"orders": [spec]}),
        lambda: opened.calls("katana").get("POST /v1/sales_orders", 0) > before,
    )


def _ship(opened: Shop, number: str, at: int) -> float:
    before = _told(opened)
    body = {"order_no": number, "tracking_carrier": "UPS", "tracking_number": f"1Z999AA1012345{at:04}"}
    return _timed(opened, lambda: opened.control("katana", "do/ship", body), lambda: _told(opened) > before)


def _told(opened: Shop) -> int:
    return sum(n for call, n in opened.calls("tiktok").items() if call.startswith("POST /fulfillment"))


def _count(opened: Shop, quantity: int) -> float:
    before = opened.calls("tiktok").get(UPDATE, 0)
    body = {"sku": "TEE", "quantity": quantity}
    return _timed(
        opened,
        lambda: opened.control("katana", "do/stock", body),
        lambda: opened.calls("tiktok").get(UPDATE, 0) > before,
    )


def _timed(opened: Shop, cause: Callable[[], Any], is_done: Callable[[], bool]) -> float:
    began = time.perf_counter()
    cause()
    _until(opened, is_done)
    return time.perf_counter() - began


def _until(_opened: Shop, is_done: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not is_done():
        if time.monotonic() > end:
            raise RuntimeError(f"nothing came of it within {PATIENCE_S:g} s")
        time.sleep(0.01)


def _holds(folder: Path, release_every: str) -> float:
    """Return how late the latest of some sales orders was, after the end of its order's hold."""
    with _opened(folder, hold=f"{HOLD_S}s", release_every=release_every) as opened:
        first = int(time.time()) + LEAD_S  # when the first hold ends
        paid = [first - HOLD_S + number for number in range(HELD)]
        orders = [{"lines": LINE, "create_time": at} for at in paid]
        opened.control("tiktok", "seed", {"orders": orders})
        ends = {
            str(o["id"]): o["create_time"] + HOLD_S for o in opened.control("tiktok", "state", method="GET")["orders"]
        }
        with _hub(opened, folder, webhooks=False):
            _until(opened, lambda: len(_sales_orders(opened)) == HELD)
        late = [_made_at(row) - ends[row["order_no"].removeprefix("TT-")] for row in _sales_orders(opened)]
    if min(late) < 0:
        raise RuntimeError(f"an order left {-min(late):.3f} s before its hold was over")
    return max(late)


def _sales_orders(opened: Shop) -> list[dict[str, Any]]:
    return list(opened.control("katana", "state", method="GET")["sales_orders"])


def _made_at(row: dict[str, Any]) -> float:
    return datetime.fromisoformat(row["created_at"]).timestamp()


@contextmanager
def _opened(folder: Path, *, hold: str, release_every: str) -> Iterator[Shop]:
    with shop(folder) as opened:
        for name in opened.urls:
            opened.control(name, "clock", {"now": time.time(), "rate": 1})
            opened.control(name, "options", {"webhook_http": "on"})
        opened.control("tiktok", "options", {"hold_s": 0})
        variants = [{"sku": sku, "name": sku, "price": 20, "stock": 5_100} for sku in ("MUG", "TEE")]
        opened.control("katana", "seed", {"variants": variants})
        products = [{"title": sku, "seller_sku": sku, "stock": 0} for sku in ("MUG", "TEE")]
        opened.control("tiktok", "seed", {"products": products})
        opened.write_routes(folder)
        file = folder / "routes.yaml"
        text = file.read_text().replace(f"clock: {opened.urls['tiktok']}/_sim/clock\n", "")
        text = text.replace("start: 2026-03-01", f"start: 2026-03-01, hold: {hold}")
        text = text.replace("fulfillments: {enabled: false}", "fulfillments: {}")
        if hold == "0m":
            text = text.replace("inventory: {enabled: false}", "inventory: {}")
        file.write_text(text.replace("release_every: 30s", f"release_every: {release_every}"))
        yield opened


@contextmanager
def _hub(opened: Shop, folder: Path, *, webhooks: bool) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    if webhooks:
        command = [sys.executable, "-m", "hub", "webhooks", "register", "--url", f"http://{address}"]
        subprocess.run(command, cwd=folder, env=opened.environ(), check=True, capture_output=True)
    command = [sys.executable, "-m", "hub", "run", "--listen", address, "--log", "json"]
    with (folder / "hub.log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=opened.environ(), stdout=log, stderr=log)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


if __name__ == "__main__":
    for figure, value in measure().items():
        print(f"{figure}: {value:.3f}", flush=True)
