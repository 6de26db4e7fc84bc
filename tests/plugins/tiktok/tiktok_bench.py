"""What the connector's tests share: a Connection built by hand, tokens, a clock, and a channel that records calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from hub_tiktok.connector import TikTokConnector
from tiktok_simulator import Simulator

from hub.contract import Call, Connection, Order, OrderRef, Page, Token
from hub.contract.http import Http

Json = dict[str, Any]
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
SHOP = "7495000000000000001"
FIXED_NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
SETTINGS = {
    "app_key": "6benchkey",
    "app_secret": "bench-secret-0f1e2d3c",
    "refresh_token": "ROW_bench_refresh",
    "shop": SHOP,
}


class FixedClock:
    """A clock that a test sets."""

    def __init__(self, now: datetime = FIXED_NOW) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time


class Control:
    """The simulator's control calls; also its time."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=f"{url}/_sim/", timeout=10, verify=False)

    def call(self, name: str, wish: Json | None = None) -> Json:
        answer = self.http.get(name) if wish is None else self.http.post(name, json=wish)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.call("clock")["now"], UTC)


class DictMemory(dict[str, str]):
    """A memory in a dictionary; `get` is the dictionary's own."""

    def set(self, key: str, value: str) -> None:
        self[key] = value

    def forget(self, key: str) -> None:
        self.pop(key, None)


class ListLog:
    """A log that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, Json]] = []

    def debug(self, event: str, **keys: Any) -> None:
        self.lines.append((event, keys))

    info = warning = debug


class StoredTokens:
    """Tokens as the hub keeps them: one stored pair, refreshed through the connector when old or refused."""

    def __init__(self, stored: Token, clock: Any) -> None:
        self.stored = stored
        self.refreshes = 0
        self.refresh: Callable[[Token], Token] | None = None
        self._clock = clock

    def access_token(self, refused: str | None = None) -> str:
        if refused == self.stored.access_token or self.stored.access_expires_at <= self._clock.now():
            assert self.refresh is not None
            self.refreshes += 1
            self.stored = self.refresh(self.stored)
        return self.stored.access_token

    def scopes(self) -> tuple[str, ...]:
        return self.stored.scopes


class Lent(Http):
    """Stands for the hub's client; what is begun with it is finished at once."""

    def begin(
        self, request: httpx.Request, *, auth: httpx.Auth | None = None, at_once: bool = False
    ) -> Callable[[], httpx.Response]:
        response = self.send(request, auth=auth)
        return lambda: response


class Bench:
    """A connector on a hand-made Connection; `calls` holds each request that left, control calls excepted."""

    def __init__(self, settings: Json, clock: Any, stored: Token, transport: httpx.BaseTransport | None = None) -> None:
        self.calls: list[httpx.Request] = []
        hooks = {"request": [self.calls.append]}
        self.http = Lent(timeout=10, verify=False, transport=transport, event_hooks=hooks)
        self.memory = DictMemory()
        self.log = ListLog()
        self.clock = clock
        self.tokens = StoredTokens(stored, clock)
        self.settings = TikTokConnector.settings_model(**settings)
        self.connection = Connection(
            "tiktok-us", self.settings, self.http, self.clock, self.log, self.memory, self.tokens, DictMemory()
        )
        self.connector = TikTokConnector(self.connection)
        self.tokens.refresh = self.connector.refresh_token

    def paths(self) -> list[str]:
        """The paths called so far, in order; forgets them."""
        paths = [request.url.path for request in self.calls]
        self.calls.clear()
        return paths

    def hints(self) -> list[Call]:
        """What the hub was told about each call."""
        return [request.extensions["hub"] for request in self.calls]

    def pull(self, since: Any = None, start: datetime = LONG_AGO) -> list[Page[Order]]:
        return list(self.connector.pull_orders(since, start))

    def orders(self, since: Any = None, start: datetime = LONG_AGO) -> list[Order]:
        return [order for page in self.pull(since, start) for order in page.items]


class Shop(Bench):
    """A bench whose channel is the simulator."""

    def __init__(self, simulator: Simulator, **settings: Any) -> None:
        given: Json = {**simulator.settings(), **settings}
        first = Token(
            access_token="none yet", refresh_token=given["refresh_token"], access_expires_at=LONG_AGO
        )  # so a Connection begins: with the refresh token of its settings alone
        self._outside = Control(simulator.url)
        self.control = self._outside.call
        super().__init__(given, self._outside, first)
        self.tokens.access_token()
        self.tokens.refreshes = 0
        self.connector.list_locations()  # learns the cipher, so that counts of calls are those of a warm start
        self.calls.clear()

    def close(self) -> None:
        self.http.close()
        self._outside.http.close()

    def seed(self, *orders: Json, **more: Any) -> list[str]:
        return list(self.control("seed", {"orders": list(orders), **more})["orders"])

    def options(self, **switches: str) -> None:
        self.control("options", switches)

    def faults(self, *faults: Json) -> None:
        self.control("faults", {"faults": list(faults), "seed": 7})

    def act(self, order_id: str, action: str, **more: Any) -> Json:
        return self.control(f"orders/{order_id}", {"action": action, **more})

    def backlog(self, count: int, *, step_s: int = 60, **spec: Any) -> list[str]:
        """Seed shipped-long-ago orders whose last changes lie ``step_s`` apart and end an hour ago."""
        end = int(self.clock.now().timestamp()) - 3600
        base = {"status": "DELIVERED", "on_hold": False}
        orders = [
            {**base, "create_time": at, "update_time": at, **spec}
            for at in range(end - (count - 1) * step_s, end + 1, step_s)
        ]
        return self.seed(*orders)


@contextmanager
def shop_on_simulator(options: dict[str, str] | None = None, **settings: Any) -> Iterator[Shop]:
    """A started simulator with a warm connector in front of it."""
    simulator = Simulator(options={"rate_limit": "off", **(options or {})})
    simulator.start()
    try:
        shop = Shop(simulator, **settings)
        yield shop
        shop.close()
    finally:
        simulator.stop()


def told(answer: Callable[[httpx.Request], httpx.Response]) -> Bench:
    """A bench without any network: a function answers, headers and lost connections included."""
    return Bench(SETTINGS, FixedClock(), a_token(), httpx.MockTransport(answer))


def ref_of(order: Order) -> OrderRef:
    return OrderRef(ref=order.ref, created_at=order.created_at, updated_at=order.updated_at)


def a_token(**parts: Any) -> Token:
    """A stored pair that is good for a day after FIXED_NOW."""
    usual = {
        "access_token": "ROW_bench_access",
        "refresh_token": "ROW_bench_refresh",
        "access_expires_at": FIXED_NOW + timedelta(days=1),
    }
    return Token(**{**usual, **parts})
