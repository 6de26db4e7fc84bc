"""A whole site for one test: both simulators as real servers, a route file, a ledger, and the engine between them."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from katana_simulator import Simulator as Katana
from tiktok_simulator import Simulator as TikTok

from hub.config import load
from hub.engine.progress import Progress
from hub.engine.sync import sync
from hub.engine.world import Trace, World, build
from hub.host.clock import FollowedClock, HubClock
from hub.host.discover import connectors
from hub.store import open_store, orders, outbox, timeline
from hub.store.orders import OrderRow

NOON = 1_772_452_800  # 2026-03-02T12:00:00Z
HOUR = 3600

ROUTES = """\
version: 1
clock: {tiktok}/_sim/clock
connections:
  shop:
    connector: tiktok
    settings:
      app_key: ${{APP_KEY}}
      app_secret: ${{APP_SECRET}}
      refresh_token: ${{REFRESH_TOKEN}}
      shop: ${{SHOP}}
      api_url: {tiktok}
      auth_url: {tiktok}
      consent_url: {tiktok}/open/authorize
      requests_per_second: 50
      writes_per_second: 50
  factory:
    connector: katana
    settings: {{api_key: "${{API_KEY}}", api_url: "{katana}/v1", requests_per_minute: 6000}}
routes:
{routes}
timing: {{orders_every: 60s, release_every: 30s, catalogue_every: 15m, send_window: 3s, timeout: 2s, settle: 1s}}
"""
ROUTE = """\
  - name: us
    channel: shop
    erp: factory
    fulfillments: {enabled: false}
    inventory: {enabled: false}
    orders:
      start: 2026-03-01
"""


installed = cache(connectors)


class Site:
    """Two simulators and a hub between them. Time stands still unless ``advance`` moves it (both clocks alike)."""

    def __init__(
        self, folder: Path, database: str, *, routes: str = ROUTE, skus: Mapping[str, Any] | None = None
    ) -> None:
        self.folder, self.database = folder, database
        self.tiktok, self.katana = TikTok(), Katana()
        for simulator in (self.tiktok, self.katana):
            simulator.start()
        self.http = httpx.Client(timeout=30)
        self.both("clock", {"now": NOON, "rate": 0})
        self.katana_sim("options", {"rate_limit": "off"})
        self.tiktok_sim("options", {"rate_limit": "off"})
        self.seed_variants(skus or {"MUG": 100, "TEE": 100, "TEA": 100})
        self.write_routes(routes)
        self.world: World | None = None
        # As a real setting: the refresh token of the first consent, whatever has been rotated since.
        self._settings = {**self.tiktok.settings(), **self.katana.settings()}

    # -- the outside

    def sim(self, url: str, call: str, body: Any = None, method: str = "POST") -> Any:
        """Make one control call."""
        answer = self.http.request(method, f"{url}/_sim/{call}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def tiktok_sim(self, call: str, body: Any = None, method: str = "POST") -> Any:
        """Control the channel."""
        return self.sim(self.tiktok.url, call, body, method)

    def katana_sim(self, call: str, body: Any = None, method: str = "POST") -> Any:
        """Control the ERP."""
        return self.sim(self.katana.url, call, body, method)

    def both(self, call: str, body: Any) -> None:
        """Control both."""
        self.tiktok_sim(call, body)
        self.katana_sim(call, body)

    def advance(self, seconds: float) -> None:
        """Move both clocks on; a hub in this process, which reckons its clock on between looks, looks again at once."""
        clock = self.world.clock if self.world is not None else None
        if not isinstance(clock, FollowedClock):
            self.both("clock", {"advance_s": seconds})
            return
        with clock._lock:  # what a daemon signs while this goes on would be too old, and its clock would not show why
            self.both("clock", {"advance_s": seconds})
            clock._asked = float("-inf")

    def seed_variants(self, skus: Mapping[str, Any]) -> None:
        """Have the ERP sell these SKUs; a value is its stock or a whole spec."""
        rows = [{"sku": sku, "name": sku.title(), "price": 20, **(v if isinstance(v, dict) else {"stock": v})}
                for sku, v in skus.items()]  # fmt: skip
        self.katana_sim("seed", {"variants": rows})

    def order(self, **spec: Any) -> str:
        """Have a buyer order; returns the order's id."""
        spec = {"lines": [{"sku": "MUG", "price": "20.00"}], "create_time": NOON - 60, **spec}
        return str(self.orders_made(**spec)[0])

    def orders_made(self, **spec: Any) -> list[str]:
        """Have buyers order; returns the orders' ids."""
        before = self._order_ids()
        self.tiktok_sim("seed", {"orders": [spec]})
        return [ref for ref in self._order_ids() if ref not in before]

    def _order_ids(self) -> list[str]:
        state = self.tiktok_sim("state", method="GET")
        return [order["id"] for order in state["orders"]]

    def act(self, ref: str, action: str, **more: Any) -> None:
        """Have something happen to a channel order."""
        self.tiktok_sim(f"orders/{ref}", {"action": action, **more})

    def sales_orders(self, *, deleted: bool = False) -> list[dict[str, Any]]:
        """Return the ERP's sales orders with their rows."""
        state = self.katana_sim("state", method="GET")
        rows = state["sales_orders"]
        return [row for row in rows if deleted or not row.get("deleted_at")]

    def calls(self, simulator: str) -> dict[str, int]:
        """Return how often each call of a system was made."""
        counted = self.sim(getattr(self, simulator).url, "counters", method="GET")["calls"]
        return dict(counted)

    def total_calls(self, simulator: str) -> int:
        """Return how many calls a system got."""
        return sum(self.calls(simulator).values())

    # -- the hub

    def write_routes(self, routes: str = ROUTE) -> None:
        """Write the route file."""
        text = ROUTES.format(tiktok=self.tiktok.url, katana=self.katana.url, routes=routes)
        (self.folder / "routes.yaml").write_text(text)

    def environ(self) -> dict[str, str]:
        """Return the environment the route file needs."""
        names = ("app_key", "app_secret", "api_key", "refresh_token", "shop")
        return {name.upper(): self._settings[name] for name in names}

    def whole_environ(self) -> dict[str, str]:
        """Return the environment of a process of the hub's."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("HUB_", "OTEL_"))}
        return clean | self.environ()

    def open(self, time: HubClock | None = None, trace: Trace | None = None) -> World:
        """Start a hub on this site's route file and database (``time``: by this clock)."""
        self.close_hub()
        plugins = installed()
        usable = {name: found.plugin for name, found in plugins.items() if found.plugin is not None}
        config = load(self.folder / "routes.yaml", usable, self.environ())
        store = open_store(self.database)
        key_file = self.folder / "hub.key"
        environ = dict(os.environ)
        self.world = build(config, plugins, store, environ=environ, key_file=key_file, time=time, trace=trace)
        return self.world

    def sync(self, *, again: bool = False) -> Progress:
        """Run one pass of the hub, as a process of its own would (``again``: within the one that is open)."""
        world = self.world if again and self.world is not None else self.open()
        progress = Progress()
        sync(world, progress, threading.Event())
        return progress

    def row(self, ref: str) -> OrderRow:
        """Return an order's row of the ledger."""
        assert self.world is not None
        with self.world.store.read() as tx:
            return orders.by_refs(tx, "shop", [ref])[ref]

    def fate(self, ref: str) -> tuple[str, str | None]:
        """Return an order's fate and cause."""
        row = self.row(ref)
        return row.fate, row.cause

    def fates(self) -> dict[str, int]:
        """Return how many orders met which fate."""
        assert self.world is not None
        with self.world.store.read() as tx:
            found: dict[str, int] = {}
            for (_, fate, _), n in orders.counts(tx).items():
                found[fate] = found.get(fate, 0) + n
            return found

    def events(self, ref: str) -> list[str]:
        """Return what happened to an order, by name."""
        assert self.world is not None
        id_ = self.row(ref).id
        with self.world.store.read() as tx:
            return [entry.event for entry in timeline.of_order(tx, id_)]

    def effects(self, ref: str) -> list[outbox.Effect]:
        """Return an order's rows of the outbox."""
        assert self.world is not None
        id_ = self.row(ref).id
        with self.world.store.read() as tx:
            return outbox.of_order(tx, id_)

    def close_hub(self) -> None:
        """End the hub's process, so to speak."""
        if self.world is not None:
            self.world.close()
            self.world = None

    def close(self) -> None:
        """End everything."""
        self.close_hub()
        self.http.close()
        self.tiktok.stop()
        self.katana.stop()
