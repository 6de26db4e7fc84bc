"""A simulated shop and factory in processes of their own, and a hub process between them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

NOON = 1_772_452_800
VARIANTS = [{"sku": sku, "name": sku, "price": 20, "stock": 10**6} for sku in ("MUG", "TEE")]
ROUTES = """\
version: 1
clock: {channel}/_sim/clock
connections:
  shop:
    connector: tiktok
    settings:
      app_key: ${{APP_KEY}}
      app_secret: ${{APP_SECRET}}
      refresh_token: ${{REFRESH_TOKEN}}
      shop: ${{SHOP}}
      api_url: {channel}
      auth_url: {channel}
      consent_url: {channel}/open/authorize
      requests_per_second: 50
  factory:
    connector: katana
    settings: {{api_key: "${{API_KEY}}", api_url: "{erp}", requests_per_minute: 1000000}}
routes:
  - name: us
    channel: shop
    erp: factory
    orders: {{start: 2026-03-01}}
    fulfillments: {{enabled: false}}
    inventory: {{enabled: false}}
timing: {{orders_every: 60s, release_every: 30s, send_window: {send_window}, timeout: {timeout}, settle: {settle}}}
"""


def _told(file: Path) -> Any:
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError):
        return None


class Shop:
    """Both simulators, reached by their control calls; time stands still unless it is moved."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self.http = httpx.Client(timeout=120, trust_env=False)
        self.settings: dict[str, str] = {}
        self.urls = {name: self._start(name) for name in ("tiktok", "katana")}
        for name in self.urls:
            self.control(name, "clock", {"now": NOON, "rate": 1})
            self.control(name, "options", {"rate_limit": "off"})
        self.control("tiktok", "options", {"rotation": "survives"})  # the bare loop and the hub start from one consent

    def _start(self, name: str) -> str:
        ready = self.folder / f"{name}.json"
        command = [sys.executable, "-m", "hub", "simulate", name, "--port", "0", "--ready-file", str(ready)]
        self._processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        deadline = time.monotonic() + 120
        while (told := _told(ready)) is None:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the simulator {name} did not start")
            time.sleep(0.02)
        self.settings |= told["settings"]
        return str(told["url"])

    def control(self, name: str, call: str, body: Any = None, method: str = "POST") -> Any:
        """Make one control call."""
        answer = self.http.request(method, f"{self.urls[name]}/_sim/{call}", json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def seed(self, orders: int) -> None:
        """Have ``orders`` buyers order one or two units, all paid and on the channel's hold."""
        self.control("katana", "seed", {"variants": VARIANTS})
        lines = [{"sku": "MUG", "price": "20.00", "quantity": 2}, {"sku": "TEE", "price": "15.00"}]
        spec = {"count": orders, "lines": lines, "create_time": NOON - 60, "step_s": 0}
        self.control("tiktok", "seed", {"orders": [spec]})

    def advance(self, seconds: float) -> None:
        """Move both clocks."""
        for name in self.urls:
            self.control(name, "clock", {"advance_s": seconds})

    def calls(self, name: str) -> dict[str, int]:
        """Return how often each call was made."""
        return dict(self.control(name, "counters", method="GET")["calls"])

    def made(self) -> dict[str, int]:
        """Return how many calls each system has answered."""
        return {name: sum(self.calls(name).values()) for name in self.urls}

    def first_call(self, since: dict[str, int]) -> float:
        """Return the simulated instant of the first call beyond so many."""
        told = [self.control(name, f"journal?since={n}&limit=1", method="GET") for name, n in since.items()]
        return min(float(call["at"]) for each in told for call in each["calls"])

    def write_routes(self, folder: Path, *, send_window: str = "30s", timeout: str = "30s", settle: str = "2s") -> None:
        """Write the route file of a hub in this folder."""
        told = {"channel": self.urls["tiktok"], "erp": f"{self.urls['katana']}/v1"}
        text = ROUTES.format(**told, send_window=send_window, timeout=timeout, settle=settle)
        (folder / "routes.yaml").write_text(text)

    def environ(self) -> dict[str, str]:
        """Return the environment of a hub process."""
        names = ("app_key", "app_secret", "api_key", "refresh_token", "shop")
        return {**os.environ, **{name.upper(): self.settings[name] for name in names}}

    def hub(self, folder: Path, *arguments: str) -> subprocess.Popen[str]:
        """Start a hub command in a folder."""
        command = [sys.executable, "-m", "hub", *arguments, "--json"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, cwd=folder, env=self.environ(), text=True, **pipes)  # type: ignore[call-overload,no-any-return]

    def close(self) -> None:
        """Stop the simulators."""
        self.http.close()
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(60)


@contextmanager
def shop(folder: Path) -> Iterator[Shop]:
    """Open a shop in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    opened = Shop(folder)
    try:
        yield opened
    finally:
        opened.close()


def finish(process: subprocess.Popen[str]) -> tuple[float, int]:
    """Wait for a process; return its seconds of CPU and its peak memory in KiB."""
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout as out, process.stderr as err:
        text, errors = out.read(), err.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"hub failed: {errors or text}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss
