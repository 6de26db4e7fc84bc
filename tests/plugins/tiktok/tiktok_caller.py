"""A small caller for the simulator's own tests: signs by itself, shares no code with connector or simulator."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import httpx
from tiktok_simulator import Simulator

Json = dict[str, Any]
SEARCH = "/order/202309/orders/search"
DETAIL = "/order/202507/orders"

FEES = (
    "retail_delivery_fee",
    "small_order_fee",
    "buyer_service_fee",
    "handling_fee",
    "shipping_insurance_fee",
    "item_insurance_fee",
    "distance_fee",
)


def sign(secret: str, path: str, query: dict[str, str], body: bytes = b"") -> str:
    """The signature of a request, in plain steps."""
    parts = [secret, path]
    for name in sorted(query):
        if name not in ("sign", "access_token"):
            parts += [name, query[name]]
    return hmac.new(secret.encode(), "".join(parts).encode() + body + secret.encode(), hashlib.sha256).hexdigest()


class Caller:
    """Speaks to one simulator as an app would."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.settings = simulator.settings()
        self.http = httpx.Client(base_url=self.settings["api_url"], timeout=60)
        self.token = self.refresh(self.settings["refresh_token"])["data"]["access_token"]
        self.cipher = self.data("GET", "/authorization/202309/shops", cipher=None)["shops"][0]["cipher"]

    def refresh(self, token: str) -> Json:
        """The whole answer to a refresh."""
        return dict(self.token_call("refresh", refresh_token=token, grant_type="refresh_token").json())

    def token_call(self, name: str, method: str = "GET", **query: str) -> httpx.Response:
        """A call of the token host."""
        base = {"app_key": self.settings["app_key"], "app_secret": self.settings["app_secret"]}
        return self.http.request(method, f"/api/v2/token/{name}", params=base | query)

    def now(self) -> int:
        return int(self.control("clock")["now"])

    def call(
        self,
        method: str,
        path: str,
        query: Json | None = None,
        body: Any = None,
        *,
        cipher: str | None = "own",
        drop: tuple[str, ...] = (),
        headers: Json | None = None,
        **wire: str,
    ) -> httpx.Response:
        """A signed call; `wire` replaces query values after signing, `drop` removes them."""
        asked = {"app_key": self.settings["app_key"], "timestamp": str(self.now())} | (query or {})
        if cipher is not None:
            asked["shop_cipher"] = self.cipher if cipher == "own" else cipher
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        asked["sign"] = sign(self.settings["app_secret"], path, asked, content)
        asked = {name: value for name, value in (asked | wire).items() if name not in drop}
        sent = {"x-tts-access-token": self.token, "content-type": "application/json"} | (headers or {})
        return self.http.request(method, path, params=asked, content=content or None, headers=sent)

    def data(self, method: str, path: str, query: Json | None = None, body: Any = None, **more: Any) -> Json:
        """The data of a call that must succeed."""
        answer = self.call(method, path, query, body, **more).json()
        assert answer["code"] == 0, answer
        return dict(answer["data"])

    def code(self, method: str, path: str, query: Json | None = None, body: Any = None, **more: Any) -> int:
        """The code of a call, success or not."""
        return int(self.call(method, path, query, body, **more).json()["code"])

    def control(self, name: str, wish: Json | None = None, method: str | None = None) -> Json:
        """A control call that must succeed."""
        verb = method or ("GET" if wish is None else "POST")
        answer = self.http.request(verb, f"/_sim/{name}", json=wish)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def options(self, **switches: str) -> Json:
        return self.control("options", switches)

    def faults(self, *faults: Json, seed: int = 7) -> None:
        self.control("faults", {"faults": list(faults), "seed": seed})

    def advance(self, seconds: float) -> None:
        self.control("clock", {"advance_s": seconds})

    def seed(self, *orders: Json, **more: Any) -> list[str]:
        """Seed orders; answers their ids."""
        return list(self.control("seed", {"orders": list(orders), **more})["orders"])

    def act(self, order_id: str, action: str, **more: Any) -> Json:
        return self.control(f"orders/{order_id}", {"action": action, **more})

    def order(self, order_id: str) -> Json:
        """One order by id."""
        return dict(self.data("GET", DETAIL, {"ids": order_id})["orders"][0])

    def page(self, query: Json | None = None, body: Any = None) -> Json:
        """One page of the search, oldest change first."""
        base = {"page_size": "100", "sort_field": "update_time", "sort_order": "ASC"}
        return self.data("POST", SEARCH, base | (query or {}), body)

    def pages(self, size: int = 100, body: Any = None, **query: str) -> Iterator[Json]:
        """All pages of a search."""
        token = ""
        while True:
            page = self.page({"page_size": str(size), **query} | ({"page_token": token} if token else {}), body)
            yield page
            following = page.get("next_page_token", "")
            if not following:
                return
            assert following != token, "the feed stands still"
            token = following

    def ids(self, size: int = 100, body: Any = None, **query: str) -> list[str]:
        """The ids of all orders a search finds."""
        return [order["id"] for page in self.pages(size, body, **query) for order in page["orders"]]


@contextmanager
def calling(**options: str) -> Iterator[Caller]:
    """A started simulator with a caller; the rate limit is off unless a test asks for it."""
    simulator = Simulator(options={"rate_limit": "off"} | options)
    simulator.start()
    caller = Caller(simulator)
    try:
        yield caller
    finally:
        caller.http.close()
        simulator.stop()


def amount(payment: dict[str, Any], name: str) -> Decimal:
    text = payment.get(name, "0")
    assert isinstance(text, str)
    return Decimal(text)


def check_balance(order: dict[str, Any]) -> None:
    """Every sum of an order against its parts (T-65, T-66, T-67, T-68)."""
    pay, lines = order["payment"], order["line_items"]
    for total, part in (
        ("original_total_product_price", "original_price"),
        ("seller_discount", "seller_discount"),
        ("platform_discount", "platform_discount"),
        ("sub_total", "sale_price"),
    ):
        assert amount(pay, total) == sum(Decimal(line[part]) for line in lines), total
    assert amount(pay, "sub_total") == (
        amount(pay, "original_total_product_price") - amount(pay, "seller_discount") - amount(pay, "platform_discount")
    )
    assert amount(pay, "shipping_fee") == (
        amount(pay, "original_shipping_fee")
        - amount(pay, "shipping_fee_seller_discount")
        - amount(pay, "shipping_fee_platform_discount")
    )
    taxes = sum((Decimal(t["tax_amount"]) for line in lines for t in line.get("item_tax", [])), Decimal(0))
    assert amount(pay, "product_tax") == taxes
    assert amount(pay, "tax") == amount(pay, "product_tax") + amount(pay, "shipping_fee_tax")
    assert amount(pay, "total_amount") == (
        amount(pay, "sub_total")
        + amount(pay, "shipping_fee")
        + amount(pay, "tax")
        + sum(amount(pay, fee) for fee in FEES)
        + sum(Decimal(line.get("pfand_fee", "0")) for line in lines)
    )
