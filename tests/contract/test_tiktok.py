"""The contract kit on the TikTok Shop connector, in front of its simulator."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from hub_tiktok.connector import TikTokConnector
from tiktok_simulator import Simulator

from hub.testing import ConnectorContract, Outside
from hub.testing.stage import Stage

PAGE = 100  # the size of a page is the connector's own choice; more than one page is wanted

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loopback only; loading certificates takes long


class TikTokShop(Outside):
    """A simulated shop on the kit's time."""

    def __init__(self, simulator: Simulator, **options: str) -> None:
        super().__init__()
        self._simulator = simulator
        self._given = dict(simulator.settings())
        self._sim = httpx.Client(base_url=f"{simulator.url}/_sim", trust_env=False, verify=NO_TLS)
        self._control("clock", {"now": self.now().timestamp()})
        self._control("options", {"rate_limit": "off", **options})

    def _control(self, name: str, wish: dict[str, Any]) -> Any:
        answer = self._sim.post(f"/{name}", json=wish)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def close(self) -> None:
        self._sim.close()

    def upstream(self) -> str:
        return self._simulator.url

    def settings(self, url: str) -> dict[str, Any]:
        own = self._simulator.url
        return {name: value.replace(own, url) for name, value in self._given.items()}

    def refuse_credentials(self) -> None:
        self._control("authorisation", {"action": "deauthorise"})

    def seed_orders(self, count: int) -> Sequence[str]:
        past = int(self.now().timestamp()) - 86_400
        shared = {"status": "DELIVERED", "on_hold": False, "shipping": "4.99"}
        mixed = [{"lines": [{"sku": "MUG", "quantity": 2, "price": "12.50"}, {"sku": "TEA", "price": "3.99"}]}, {}]
        orders = [
            {**shared, **mixed[at % 2], "create_time": past + 3 * at, "update_time": past + 3 * at}
            for at in range(count)
        ]
        refs: list[str] = self._control("seed", {"orders": orders})["orders"]
        return refs

    def touch(self, ref: str) -> None:
        self._control(f"orders/{ref}", {"action": "set", "touch": True})

    def pass_time(self, seconds: float) -> None:
        super().pass_time(seconds)
        self._control("clock", {"advance_s": max(seconds, 0)})


@contextmanager
def simulated_shop(**options: str) -> Iterator[TikTokShop]:
    """A started simulator, as the kit drives it."""
    simulator = Simulator()
    simulator.start()
    shop = TikTokShop(simulator, **options)
    try:
        yield shop
    finally:
        shop.close()
        simulator.stop()


class TestTikTok(ConnectorContract):
    """Every rule, with pages that continue after a row's key."""

    connector_class = TikTokConnector
    order_count = PAGE + 20
    pull_calls = 2
    unknown_order = "576000000099999"

    @pytest.fixture
    def outside(self) -> Iterator[Outside]:
        with simulated_shop() as shop:
            yield shop


def test_no_order_is_skipped_where_pages_continue_after_a_row_number() -> None:
    """T-50: nobody says which of the two it is; a change then pushes a row past the reader."""
    with simulated_shop(paging="offset") as shop, Stage(TestTikTok(), shop) as stage:
        TestTikTok().test_a_change_while_pages_are_read_is_seen(stage)
