"""The contract kit on the Katana connector, in front of its simulator."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hub_katana.connector import KatanaConnector
from katana_simulator import Simulator

from hub.contract import SalesOrder
from hub.testing import ConnectorContract, Outside, SeenOrder

ZERO = Decimal(0)

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loopback only; loading certificates takes long


class KatanaAccount(Outside):
    """A simulated account on the kit's time."""

    def __init__(self, simulator: Simulator) -> None:
        super().__init__()
        self._simulator, self._made = simulator, 0
        self._http = httpx.Client(base_url=simulator.url, trust_env=False, verify=NO_TLS)
        self._sim("clock", {"now": self.now().timestamp()})
        self._sim("options", {"rate_limit": "off"})
        self._sim("seed", {"locations": [{"name": "Main"}, {"name": "West"}]})
        self._archived = self._seed([{"sku": "ARCHIVED", "name": "Old mug", "archived": True}])["ARCHIVED"]

    def close(self) -> None:
        self._http.close()

    def _sim(self, name: str, wish: dict[str, Any] | None = None) -> Any:
        answer = self._http.request("GET" if wish is None else "POST", f"/_sim/{name}", json=wish)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def _seed(self, variants: list[dict[str, Any]]) -> dict[str, int]:
        ids: dict[str, int] = self._sim("seed", {"variants": variants})["variants"]
        return ids

    def upstream(self) -> str:
        return self._simulator.url

    def settings(self, url: str) -> dict[str, Any]:
        given = dict(self._simulator.settings())
        return {name: value.replace(self._simulator.url, url) for name, value in given.items()}

    def refuse_credentials(self) -> None:
        self._sim("options", {"key_revoked": "yes"})

    def seed_variants(self, count: int) -> Sequence[str]:
        skus = [f"MUG-{self._made + at:03d}" for at in range(count)]
        self._made += count
        self._seed([{"sku": sku, "name": f"Mug {sku}", "price": "12.50"} for sku in skus])
        return skus

    def sales_orders(self) -> Sequence[SeenOrder]:
        state = self._sim("state")
        skus = {row["id"]: row["sku"] for row in state["variants"]}
        fees = [row for row in state["sales_order_shipping_fee"] if not row["deleted_at"]]
        return [
            SeenOrder(
                ref=str(order["id"]),
                rows=tuple((skus[row["variant_id"]], Decimal(row["quantity"])) for row in order["sales_order_rows"]),
                shipping=sum((Decimal(fee["amount"]) for fee in fees if fee["sales_order_id"] == order["id"]), ZERO),
            )
            for order in state["sales_orders"]
            if not order["deleted_at"]
        ]

    def delete_order(self, ref: str) -> None:
        headers = {"Authorization": f"Bearer {self._simulator.settings()['api_key']}"}
        self._http.delete(f"/v1/sales_orders/{ref}", headers=headers).raise_for_status()

    def refused(self, order: SalesOrder) -> tuple[SalesOrder, str]:
        row = order.rows[0].model_copy(update={"variant_ref": str(self._archived), "sku": "ARCHIVED"})
        return order.model_copy(update={"rows": (row,)}), "archived"

    def pass_time(self, seconds: float) -> None:
        super().pass_time(seconds)
        self._sim("clock", {"advance_s": max(seconds, 0)})


class TestKatana(ConnectorContract):
    """Every rule, with a fee beside the order: a push takes several calls, and each may fail."""

    connector_class = KatanaConnector

    @pytest.fixture
    def outside(self) -> Iterator[Outside]:
        simulator = Simulator()
        simulator.start()
        account = KatanaAccount(simulator)
        yield account
        account.close()
        simulator.stop()
