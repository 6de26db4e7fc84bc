"""The contract kit on the Katana connector, in front of its simulator."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hub_katana.connector import KatanaConnector
from katana_simulator import Simulator

from hub.contract import SalesOrder, Webhook
from hub.testing import ConnectorContract, Outside, SeenOrder, SeenParcel, SeenReturn
from hub.testing.rules_shipping import ShippingRules
from hub.testing.stage import Stage

ZERO = Decimal(0)
PAGE = 250  # the size of a page is Katana's own

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loopback only; loading certificates takes long


class KatanaAccount(Outside):
    """A simulated account on the kit's time."""

    def __init__(self, simulator: Simulator, **options: str) -> None:
        super().__init__()
        self._simulator, self._made = simulator, 0
        self._http = httpx.Client(base_url=simulator.url, trust_env=False, verify=NO_TLS)
        self._sim("clock", {"now": self.now().timestamp()})
        self._sim("options", {"rate_limit": "off", **options})
        places = self._sim("seed", {"locations": [{"name": "Main"}, {"name": "West"}]})["locations"]
        self._places = {str(number): name for name, number in places.items()}
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

    def _do(self, deed: str, **wish: Any) -> Any:
        return self._sim(f"do/{deed}", wish)

    def change_variant(self, sku: str) -> None:
        self._do("variant", sku=sku, price="13.75")

    def stock(self, sku: str, place: str, quantity: int) -> None:
        self._do("stock", sku=sku, location=self._places[place], quantity=quantity)

    def ship(self, order_ref: str, quantities: Mapping[str, int], tracking_number: str) -> str:
        made = self._do(
            "ship", sales_order_id=int(order_ref), quantities=dict(quantities), tracking_number=tracking_number
        )
        return str(made["id"])

    def retrack(self, fulfillment_ref: str, tracking_number: str) -> None:
        self._do("shipment", fulfillment_id=int(fulfillment_ref), tracking_number=tracking_number)

    def unship(self, fulfillment_ref: str) -> None:
        self._do("unship", fulfillment_id=int(fulfillment_ref))

    def parcels(self, order_ref: str) -> Sequence[SeenParcel]:
        order = self._sim(f"order?sales_order_id={order_ref}")
        return [
            SeenParcel(
                ref=str(each["id"]),
                lines={
                    str(row["sales_order_row_id"]): Decimal(row["quantity"])
                    for row in each["sales_order_fulfillment_rows"]
                },
                tracking_number=each["tracking_number"],
            )
            for each in order["fulfillments"]
            if not each["deleted_at"]
        ]

    def returns(self, order_ref: str) -> Sequence[SeenReturn]:
        state = self._sim("state")
        booked: dict[str, dict[str, Decimal]] = {
            str(head["id"]): {}
            for head in state["sales_returns"]
            if str(head["sales_order_id"]) == order_ref and not head["deleted_at"]
        }
        for row in state["sales_return_rows"]:
            rows = booked.get(str(row["sales_return_id"]), {})
            ref = str(row["sales_order_row_id"])
            rows[ref] = rows.get(ref, ZERO) + Decimal(row["quantity"])
        return [SeenReturn(ref, rows) for ref, rows in booked.items()]

    def consent_settings(self, url: str) -> dict[str, Any]:
        app = self._sim("settings")
        here = {name: str(app[name]).replace(self._simulator.url, url) for name in ("api_url",)}
        return {**here, "login_url": url, "client_id": app["client_id"], "client_secret": app["client_secret"]}

    def consent(self, state: str, redirect_url: str) -> str:
        return str(self._do("consent", redirect_uri=redirect_url, state=state)["code"])

    def webhook_url(self) -> str:
        return "https://hub.example.com/webhooks/kit"

    def webhook_bodies(self) -> Sequence[bytes]:
        abouts: dict[str, dict[str, Any]] = {
            "sales_order.updated": {"id": "12345", "status": "NOT_SHIPPED"},
            "sales_order.deleted": {"id": 12345},
            "current_inventory.product_updated": {"id": "7", "variant_id": "10001"},
            "variant.updated": {"id": 10001},
            "product.updated": {"id": "501"},
        }
        return [self._body(action, about) for action, about in abouts.items()]

    def unknown_webhook(self) -> bytes:
        return self._body("sales_order.invoiced", {"id": "12345"})

    def _body(self, action: str, about: dict[str, Any]) -> bytes:
        payload = {"resource_type": action.partition(".")[0], "action": action, "webhook_id": 101, "object": about}
        return json.dumps(payload, separators=(",", ":")).encode()

    def sign_webhook(self, body: bytes) -> Webhook:
        """K-94: with the key that came with the subscription."""
        keys = [row["token"] for row in self._sim("webhooks")["subscriptions"] if row["url"] == self.webhook_url()]
        signature = hmac.new(keys[-1].encode(), body, hashlib.sha256).hexdigest()
        return Webhook({"x-sha2-signature": signature}, body)

    def pass_time(self, seconds: float) -> None:
        super().pass_time(seconds)
        self._sim("clock", {"advance_s": max(seconds, 0)})


@contextmanager
def simulated_account(**options: str) -> Iterator[KatanaAccount]:
    """A started simulator, as the kit drives it."""
    simulator = Simulator()
    simulator.start()
    account = KatanaAccount(simulator, **options)
    try:
        yield account
    finally:
        account.close()
        simulator.stop()


class TestKatana(ConnectorContract):
    """Every rule, with a fee beside the order: a push takes several calls, and each may fail."""

    connector_class = KatanaConnector
    variant_count = PAGE // 2 + 5  # each has a level in both places
    fulfillment_count = PAGE + 5

    @pytest.fixture
    def outside(self) -> Iterator[Outside]:
        with simulated_account() as account:
            yield account


@pytest.mark.parametrize("rule", [name for name in vars(ShippingRules) if "parcel" in name or "shipped" in name])
def test_nothing_ships_twice_where_katana_lets_it(rule: str) -> None:
    """K-69: whether it refuses to ship more than is open is not known."""
    with simulated_account(over_fulfillment="allow") as account, Stage(TestKatana(), account) as stage:
        getattr(TestKatana(), rule)(stage)
