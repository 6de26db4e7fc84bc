"""The contract kit on the TikTok Shop connector, in front of its simulator."""

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
from hub_tiktok.connector import TikTokConnector
from tiktok_simulator import Simulator

from hub.contract import Webhook
from hub.testing import ConnectorContract, Outside, SeenParcel
from hub.testing.rules_shipping import ShippingRules
from hub.testing.stage import Stage
from tests.contract.tiktok_listings import ListingDeeds
from tests.plugins.tiktok.tiktok_bench import SHOP, told

PAGE = 100  # the size of a page is the connector's own choice; more than one page is wanted

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loopback only; loading certificates takes long


class TikTokShop(ListingDeeds, Outside):
    """A simulated shop on the kit's time."""

    def __init__(self, simulator: Simulator, region: str = "US", **options: str) -> None:
        super().__init__()
        self._simulator = simulator
        self._seeded = 0
        self._given = dict(simulator.settings())
        self._sim = httpx.Client(base_url=f"{simulator.url}/_sim", trust_env=False, verify=NO_TLS)
        self._control("clock", {"now": self.now().timestamp()})
        self._control("options", {"rate_limit": "off", **options})
        if region != "US":
            self._control("seed", {"shops": [{"id": SHOP, "name": "Simulated Shop", "region": region}]})

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

    def seed_variants(self, count: int) -> Sequence[str]:
        self._seeded += count
        skus = [f"KIT-{at}" for at in range(self._seeded - count, self._seeded)]
        self._control("seed", {"products": [{"seller_sku": sku, "title": f"Product {sku}"} for sku in skus]})
        return skus

    def touch(self, ref: str) -> None:
        self._act(ref, "set", touch=True)

    def _act(self, ref: str, action: str, **wish: Any) -> Any:
        return self._control(f"orders/{ref}", {"action": action, **wish})

    def _read(self, name: str) -> Any:
        answer = self._sim.get(f"/{name}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def change_variant(self, sku: str) -> None:
        self._control("sku", {"sku": sku, "seller_sku": sku})

    def stock(self, sku: str, place: str, quantity: int) -> None:
        self._control("sku", {"sku": sku, "stock": {place: quantity}})

    def seed_product(self, count: int) -> Sequence[str]:
        self._seeded += 1
        skus = [f"SHELF-{self._seeded}-{at}" for at in range(count)]
        self._control(
            "seed", {"products": [{"title": f"Shelf {self._seeded}", "skus": [{"seller_sku": sku} for sku in skus]}]}
        )
        return skus

    def shelf(self, sku: str) -> Mapping[str, int]:
        (books,) = [each for each in self._read("state")["stock"].values() if each["seller_sku"] == sku]
        return {place: each["available"] for place, each in books["warehouses"].items()}

    def freeze_stock(self, sku: str) -> None:
        self._control("sku", {"sku": sku, "promotion": True})

    def seed_open_order(self) -> str:
        lines = [{"sku": "MUG"}, {"sku": "TEA"}]  # where TikTok keeps the units of one SKU together, two may part
        wish = {"lines": lines, "status": "AWAITING_SHIPMENT", "on_hold": False}
        (ref,) = self._control("seed", {"orders": [wish]})["orders"]
        return str(ref)

    def ship(self, order_ref: str, quantities: Mapping[str, int], tracking_number: str) -> str:
        ((sku, units),) = quantities.items()
        done = self._act(order_ref, "ship", sku=sku, quantity=units, tracking_number=tracking_number)
        return str(done["package_id"])

    def parcels(self, order_ref: str) -> Sequence[SeenParcel]:
        lines: dict[tuple[str, str], dict[str, Decimal]] = {}
        for line in self._read(f"orders/{order_ref}")["order"]["lines"]:
            if line["tracking_number"]:
                place = (line["package_id"], line["tracking_number"])
                lines.setdefault(place, {})[line["id"]] = Decimal(1)
        return [SeenParcel(ref, held, number) for (ref, number), held in lines.items()]

    def seed_label(self) -> str:
        wish = {"shipping_type": "TIKTOK", "status": "AWAITING_SHIPMENT", "on_hold": False}
        (ref,) = self._control("seed", {"orders": [wish]})["orders"]
        return str(self._act(ref, "ship")["package_id"])

    def request_cancel(self, order_ref: str) -> None:
        self._act(order_ref, "request_cancel")

    def seed_return(self) -> tuple[str, str]:
        (ref,) = self._control("seed", {"orders": [{"status": "DELIVERED", "on_hold": False}]})["orders"]
        return str(self._control("returns", {"order_id": ref})["return_id"]), str(ref)

    def send_back(self, return_ref: str) -> None:
        self._control(f"returns/{return_ref}", {"action": "set", "status": "BUYER_SHIPPED_ITEM"})

    def consent_settings(self, url: str) -> dict[str, Any]:
        given = self.settings(url)
        return {name: value for name, value in given.items() if name != "refresh_token"} | {"service_id": "7172"}

    def consent(self, state: str, redirect_url: str) -> str:
        return str(self._control("authorisation", {"action": "consent", "state": state})["code"])

    def webhook_url(self) -> str:
        return "https://hub.example.com/webhooks/kit"

    def webhook_bodies(self) -> Sequence[bytes]:
        datas: dict[int, dict[str, Any]] = {
            1: {"order_id": "576461413038785752", "order_status": "AWAITING_SHIPMENT"},
            4: {"package_list": [{"package_id": "1152", "order_id_list": ["576461413038785752"]}]},
            5: {"product_id": "1729"},
            7: {},
            11: {"order_id": "576461413038785752", "cancel_id": "4035"},
            12: {"order_id": "576461413038785752", "return_id": "4036"},
            68: {"sku_id": "1731"},
        }
        return [self._delivered(kind, data) for kind, data in datas.items()]

    def unknown_webhook(self) -> bytes:
        return self._delivered(9999, {"order_id": "576461413038785752"})

    def _delivered(self, kind: int, data: dict[str, Any]) -> bytes:
        envelope = {"type": kind, "shop_id": self._given["shop"], "timestamp": 1768460000, "data": data}
        return json.dumps(envelope, separators=(",", ":")).encode()

    def sign_webhook(self, body: bytes) -> Webhook:
        """T-81: with the app's secret, over its key and the body."""
        key, message = self._given["app_secret"].encode(), self._given["app_key"].encode() + body
        return Webhook({"authorization": hmac.new(key, message, hashlib.sha256).hexdigest()}, body)

    def pass_time(self, seconds: float) -> None:
        super().pass_time(seconds)
        self._control("clock", {"advance_s": max(seconds, 0)})


@contextmanager
def simulated_shop(region: str = "US", **options: str) -> Iterator[TikTokShop]:
    """A started simulator, as the kit drives it."""
    simulator = Simulator()
    simulator.start()
    shop = TikTokShop(simulator, region, **options)
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
    variant_count = PAGE + 20
    negative_stock = False  # what is below zero in TikTok's books is shown as none
    cancel_reason = "out_of_stock"

    @pytest.fixture
    def outside(self) -> Iterator[Outside]:
        with simulated_shop() as shop:
            yield shop

    def test_find_variants_checks_what_came_back(self, stage: Stage) -> None:
        """The kit changes the question on its way, which a signature does not survive; here the answer is too much."""
        skus = [variant.sku or "" for variant in stage.variants(stage.bench(), 4)]
        products = [{"id": sku, "title": sku, "skus": [{"id": sku, "seller_sku": sku}]} for sku in skus]

        def everything(request: httpx.Request) -> httpx.Response:
            shops = [{"id": SHOP, "cipher": "c"}]
            return httpx.Response(200, json={"code": 0, "data": {"shops": shops, "products": products}})

        for asked in ([skus[1]], [*skus[:2], "no-such-sku"], ["no-such-sku"]):
            found = told(everything).connector.find_variants(asked)
            assert sorted(variant.sku for variant in found) == sorted(set(asked) & set(skus))


def test_no_order_is_skipped_where_pages_continue_after_a_row_number() -> None:
    """T-50: nobody says which of the two it is; a change then pushes a row past the reader."""
    with simulated_shop(paging="offset") as shop, Stage(TestTikTok(), shop) as stage:
        TestTikTok().test_a_change_while_pages_are_read_is_seen(stage)


@pytest.mark.parametrize("region", ["GB", "TH"])
@pytest.mark.parametrize("rule", [name for name in vars(ShippingRules) if name.startswith("test_")])
def test_parcels_are_told_as_well_where_other_calls_do_it(rule: str, region: str) -> None:
    """T-103: by line in Europe, by whole packages after a split in South-East Asia."""
    with simulated_shop(region) as shop, Stage(TestTikTok(), shop) as stage:
        getattr(TestTikTok(), rule)(stage)
