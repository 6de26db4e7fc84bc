"""A shop at its limits: Katana at 60 calls a minute, 5,000 SKUs, 20 orders a minute, and 500 more at once.

All is new to the hub when it starts: it reads the shop's catalogue, looks every SKU up, sweeps the whole stock, and
pushes every product, while orders come out of their holds. Later 500 holds end at one moment.

Run alone as `python -m bench.budget [--rate R] [--skus N] [--backlog N]`. Time runs R times as fast as the machine's,
for the hub as for both simulators, which refuse the call that is one too many in any window of that time. What the
hub's own work takes counts R times over, so a slow machine makes these figures worse, never better.
"""

from __future__ import annotations

import argparse
import json
import signal
import tempfile
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.shop import NOON, Shop, finish, shop

RATE = 4.0
SKUS, BACKLOG = 5_000, 500
FIRST_S, EVERY_S = 60.0, 3.0  # 20 orders a minute, once the hub has started
STEADY_S, REST_S, HOLD_S = 1_380.0, 660.0, 3_600.0
FORECAST_AFTER_S = 90.0  # the orders of the backlog are released by then
LATEST_S = 3_000.0
AT_ONCE = 500  # products to one control call
LIMITS = {"katana": {"rate_limit": "60", "rate_window": "sliding"}, "tiktok": {"rate_limit": "8"}}
INVENTORY = "POST /product/202309/products/{product_id}/inventory/update"
ROUTE = """\
routes:
  - name: us
    channel: shop
    erp: factory
    orders: {start: 2026-03-01}
"""


def _open(opened: Shop, folder: Path, skus: int) -> None:
    """Fill both sides while their clocks stand still."""
    names = [f"SKU-{n:05}" for n in range(skus)]
    for name in opened.urls:
        opened.control(name, "clock", {"now": NOON, "rate": 0})
        opened.control(name, "options", LIMITS[name])
    opened.control(
        "katana", "seed", {"variants": [{"sku": sku, "name": sku, "price": 20, "stock": 40} for sku in names]}
    )
    for start in range(0, skus, AT_ONCE):
        products = [{"title": sku, "seller_sku": sku, "stock": 1} for sku in names[start : start + AT_ONCE]]
        opened.control("tiktok", "seed", {"products": products})
    folder.mkdir()
    opened.write_routes(folder)
    file = folder / "routes.yaml"
    text = file.read_text()
    text = text[: text.index("routes:\n")] + ROUTE
    text = text.replace("requests_per_second: 50", "requests_per_second: 8\n      writes_per_second: 3")
    file.write_text(text.replace("requests_per_minute: 1000000", "requests_per_minute: 60"))


def _buy(opened: Shop, first_release: float, count: int, step_s: float) -> dict[str, float]:
    """Have buyers order; return each order's id with when its hold ends."""
    lines = [{"sku": "SKU-00001", "price": "20.00"}]
    known = {order["id"] for order in opened.control("tiktok", "state", method="GET")["orders"]}
    last_bought = int(first_release - HOLD_S + step_s * (count - 1))
    spec = {"count": count, "lines": lines, "create_time": last_bought, "step_s": step_s}
    opened.control("tiktok", "seed", {"orders": [spec]})
    made = [order for order in opened.control("tiktok", "state", method="GET")["orders"] if order["id"] not in known]
    return {order["id"]: float(order["paid_time"]) + HOLD_S for order in made}


def _placed(opened: Shop) -> dict[str, float]:
    """Return when each order's sales order was made, by the order's id."""
    rows = opened.control("katana", "state", method="GET")["sales_orders"]
    return {
        str(row["order_no"]).removeprefix("TT-"): datetime.fromisoformat(row["created_at"]).timestamp() for row in rows
    }


def _refused(opened: Shop) -> int:
    """Count the calls that were answered 429, on both sides."""
    calls = [each for name in opened.urls for each in opened.control(name, "journal", method="GET")["calls"]]
    return sum(each["status"] == 429 for each in calls)


class _Watch:
    """The simulated clock, and a hub process beside it."""

    def __init__(self, opened: Shop, folder: Path) -> None:
        self.opened, self.folder = opened, folder
        command = ["run", "--log", "json"]
        self.process = opened.hub(folder, *command)

    def now(self) -> float:
        return float(self.opened.control("tiktok", "clock", method="GET")["now"])

    def wait_until(self, instant: float) -> None:
        while self.now() < instant:
            if self.process.poll() is not None:
                raise RuntimeError("the hub ended")
            time.sleep(0.2)

    def wait_for(self, orders: Mapping[str, float]) -> None:
        while orders.keys() - _placed(self.opened).keys():
            if self.now() > NOON + LATEST_S or self.process.poll() is not None:
                raise RuntimeError(f"{len(orders.keys() - _placed(self.opened).keys())} orders were not placed")
            time.sleep(0.5)

    def forecast(self) -> Any:
        """Ask, as a person would, in a process of its own beside the daemon."""
        asking = self.opened.hub(self.folder, "forecast")
        told, errors = asking.communicate(timeout=120)
        if asking.returncode != 0:
            raise RuntimeError(f"hub forecast failed: {errors}")
        return json.loads(told)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        finish(self.process)


def _share(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def _error(forecast: Any, due: Mapping[str, float], placed: Mapping[str, float]) -> tuple[float, float]:
    """Return how many seconds it took until the orders were placed that were due then, and how many were told."""
    told_at = datetime.fromisoformat(forecast["at"]).timestamp()
    factory = next(each for each in forecast["connections"] if each["connection"] == "factory")
    if factory["orders_in_s"] is None:
        raise RuntimeError(f"no forecast: {factory['unknown']}")
    last = max(placed[id_] for id_, at in due.items() if at <= told_at and id_ in placed)
    return last - told_at, float(factory["orders_in_s"])


def measure(
    rate: float = RATE, skus: int = SKUS, backlog: int = BACKLOG, steady_s: float = STEADY_S
) -> dict[str, float]:
    """Return the figures; raise where an order did not arrive."""
    with tempfile.TemporaryDirectory() as folder, shop(Path(folder) / "shop") as opened:
        _open(opened, Path(folder) / "hub", skus)
        steady = _buy(opened, NOON + FIRST_S, int((steady_s - FIRST_S) / EVERY_S), EVERY_S)
        burst_at = NOON + steady_s
        burst = _buy(opened, burst_at, backlog, 0)
        rest = _buy(opened, burst_at + EVERY_S, int(REST_S / EVERY_S), EVERY_S)
        for name in opened.urls:
            opened.control(name, "clock", {"now": NOON, "rate": rate})
        watch = _Watch(opened, Path(folder) / "hub")
        watch.wait_until(burst_at + FORECAST_AFTER_S)
        forecast = watch.forecast()
        watch.wait_for({**steady, **burst})
        placed = _placed(opened)
        watch.stop()
        refused, pushed = _refused(opened), opened.calls("tiktok").get(INVENTORY, 0)
    waits = [placed[id_] - due for id_, due in steady.items()]
    last = max(placed[id_] for id_ in burst)
    took_s, told_s = _error(forecast, {**steady, **burst, **rest}, placed)
    return {
        # Against: 90; from the end of an order's hold to its sales order, while stock is swept and pushed.
        "budget.order_p99_seconds": _share(waits, 0.99),
        "budget.order_median_seconds": _share(waits, 0.5),
        # Against: 0; both simulators refuse the call that is one too many in any window.
        "budget.http_429": refused,
        # Against: 50; orders of the backlog, from the end of their holds to the last one's sales order, beside 20 more.
        "budget.backlog_per_minute": 60 * backlog / (last - burst_at),
        # Against: 10; of the time until every order was placed that was due when the forecast was made.
        "budget.forecast_error_percent": 100 * abs(told_s - took_s) / took_s,
        "budget.forecast_seconds": told_s,
        "budget.forecast_came_true_in_seconds": took_s,
        "budget.products_pushed": pushed,
        "budget.clock_rate": rate,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--skus", type=int, default=SKUS)
    parser.add_argument("--backlog", type=int, default=BACKLOG)
    parser.add_argument("--steady", type=float, default=STEADY_S, help="Seconds of simulated time before the backlog.")
    wanted = parser.parse_args()
    for name, value in measure(wanted.rate, wanted.skus, wanted.backlog, wanted.steady).items():
        print(f"{name}: {value:.3f}")


if __name__ == "__main__":
    main()
