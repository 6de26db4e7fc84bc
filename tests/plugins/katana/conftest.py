"""A connector on a bench: everything a Connection hands it, and the simulated account or odd server it speaks to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hub_katana.connector import KatanaConnector
from hub_katana.settings import KatanaSettings
from katana_simulator import Simulator

from hub.contract import (
    Address,
    Connection,
    Customer,
    OrderKey,
    SalesOrder,
    SalesOrderRow,
    TransientError,
)  # fmt: skip
from hub.contract.http import Http


class Lent(Http):
    """Stands for the hub's client: a call that got no whole answer is a TransientError; nothing is retried."""

    def __init__(self) -> None:
        super().__init__(timeout=10, trust_env=False)
        self.paces: list[Any] = []

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        call = request.extensions["hub"]
        try:
            response = super().send(request, **options)
        except httpx.TransportError as error:
            what = type(error).__name__
            raise TransientError("no-answer", what, where="test", do="", may_have_happened=not call.reads) from error
        self.paces.append(call.pace(response))
        return response

    def begin(
        self, request: httpx.Request, *, auth: httpx.Auth | None = None, at_once: bool = False
    ) -> Callable[[], httpx.Response]:
        response = self.send(request, auth=auth)
        return lambda: response


class FixedClock:
    """A clock that stands still until told otherwise."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


class Texts(dict[str, str]):
    """A memory in a dict."""

    def set(self, key: str, value: str) -> None:
        self[key] = value

    def forget(self, key: str) -> None:
        self.pop(key, None)


class Events:
    """A log that keeps its events."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def _note(self, event: str, **keys: Any) -> None:
        self.events.append((event, keys))

    debug = info = warning = _note


class NoTokens:
    """Katana's key does not expire."""

    def access_token(self, refused: str | None = None) -> str:
        raise AssertionError("the connector has no tokens")

    def scopes(self) -> tuple[str, ...]:
        return ()


@dataclass
class Bench:
    """A connector and what it was handed."""

    connector: KatanaConnector
    http: Lent
    clock: FixedClock
    memory: Texts
    log: Events
    secrets: Texts


def bench(settings: dict[str, Any], memory: Texts | None = None) -> Bench:
    http, clock, log = Lent(), FixedClock(), Events()
    memory, secrets = Texts() if memory is None else memory, Texts()
    read = KatanaSettings.model_validate(settings)
    connection = Connection("katana-main", read, http, clock, log, memory, NoTokens(), secrets)
    return Bench(KatanaConnector(connection), http, clock, memory, log, secrets)


@dataclass
class Katana:
    """The simulated account: its control calls, and connectors that reach it."""

    simulator: Simulator
    benches: list[Bench] = field(default_factory=list)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = httpx.request(method, f"{self.simulator.url}/_sim/{path}", json=body, trust_env=False)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def seed(self, **parts: Any) -> Any:
        return self.control("POST", "seed", parts)

    def do(self, deed: str, **body: Any) -> Any:
        """What a person does in Katana's own pages; not counted."""
        return self.control("POST", f"do/{deed}", body)

    def order(self, number: str) -> Any:
        """A sales order as it stands, deleted rows and fulfillments too."""
        return self.control("GET", f"order?order_no={number}")

    def options(self, **switches: str) -> None:
        self.control("POST", "options", switches)

    def fault(self, kind: str, match: str, method: str | None = None, times: int | None = 1) -> None:
        fault = {"kind": kind, "match": match} | ({"method": method} if method else {})
        self.control("POST", "faults", {"faults": [fault | ({"times": times} if times else {})], "seed": 1})

    def journal(self) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = self.control("GET", "journal")["calls"]
        return calls

    def calls(self) -> list[str]:
        """Every call since the last ``forget``, as "METHOD /path" without the version."""
        return [f"{call['method']} {call['path'].removeprefix('/v1')}" for call in self.journal()]

    def forget(self) -> None:
        self.control("DELETE", "journal")

    def state(self) -> Any:
        return self.control("GET", "state")

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Do what a person in Katana would do; not part of what is counted before a ``forget``."""
        settings = self.simulator.settings()
        headers = {"Authorization": f"Bearer {settings['api_key']}"}
        answer = httpx.request(method, f"{settings['api_url']}{path}", json=body, headers=headers, trust_env=False)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def bench(self, memory: Texts | None = None, **settings: Any) -> Bench:
        self.benches.append(bench(self.simulator.settings() | settings, memory))
        return self.benches[-1]


@pytest.fixture
def katana() -> Iterator[Katana]:
    """A simulated account without a rate limit, on the connectors' clock."""
    simulator = Simulator(options={"rate_limit": "off"})
    simulator.start()
    made = Katana(simulator)
    made.control("POST", "clock", {"now": FixedClock().at.timestamp(), "rate": 0})
    try:
        yield made
    finally:
        for each in made.benches:
            each.http.close()
        simulator.stop()


@pytest.fixture
def shop(katana: Katana) -> Any:
    """What the account holds: ids by name or SKU."""
    return katana.seed(
        locations=[{"name": "Main warehouse"}, {"name": "Showroom", "sales_allowed": False}],
        tax_rates=[{"name": "Standard", "rate": 20}],
        variants=[
            {"sku": "MUG-BLUE", "name": "Mug", "price": "12.50"},
            {"sku": "TEA-50G", "name": "Tea", "price": "4"},
        ],
    )


@pytest.fixture
def order(shop: Any) -> Callable[..., SalesOrder]:
    """Makes a sales order for both products."""

    def make(number: str = "5766000000000000001", **changes: Any) -> SalesOrder:
        at = datetime(2026, 1, 15, 8, 30, tzinfo=UTC)
        mug = {"variant_ref": str(shop["variants"]["MUG-BLUE"]), "sku": "MUG-BLUE"}
        tea = {"variant_ref": str(shop["variants"]["TEA-50G"]), "sku": "TEA-50G"}
        rows = (
            SalesOrderRow(**mug, quantity=Decimal(2), price=Decimal("12.50"), discount=Decimal("1.25")),
            SalesOrderRow(**tea, quantity=Decimal(1), price=Decimal("3.99")),
        )
        given: dict[str, Any] = {
            "key": OrderKey(key=f"TT-{number}", channel="tiktok", shop="7495", ref=number, ordered_at=at),
            "customer": Customer(reference="tiktok:7495", name="TikTok shop"),
            "currency": "EUR",
            "ordered_at": at,
            "location_ref": str(shop["locations"]["Main warehouse"]),
            "rows": rows,
            "address": Address(first_name="Ann", last_name="Example", line_1="Main St 1", city="Tallinn", country="EE"),
        }
        return SalesOrder(**(given | changes))

    return make


@pytest.fixture
def odd() -> Iterator[Callable[..., Bench]]:
    """Makes a connector for any server, such as one that gives odd answers."""
    made: list[Bench] = []

    def make(url: str, **settings: Any) -> Bench:
        given = {"api_key": "odd-secret-key", "api_url": url.rstrip("/")}
        made.append(bench(given | settings))
        return made[-1]

    yield make
    for each in made:
        each.http.close()
