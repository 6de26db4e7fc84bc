"""The bare loop: the same calls as the hub makes, with httpx and no state, one after another.

Run as a program: reads URLs and keys from its arguments, prints the seconds its calls took.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
import time
from collections import Counter
from typing import Any

import httpx


class _Channel:
    def __init__(self, http: httpx.Client, given: dict[str, str]) -> None:
        self.http, self.given, self.token, self.cipher = http, given, "", ""

    def open(self) -> None:
        """Refresh the token and find the shop."""
        given = self.given
        query = {"app_key": given["app_key"], "app_secret": given["app_secret"], "grant_type": "refresh_token",
                 "refresh_token": given["refresh_token"]}  # fmt: skip
        url = f"{given['auth_url']}/api/v2/token/refresh"
        self.token = self.http.get(url, params=query).json()["data"]["access_token"]
        shops = self.call("GET", "/authorization/202309/shops", {})["data"]["shops"]
        self.cipher = next(shop["cipher"] for shop in shops if shop["id"] == given["shop"])

    def call(self, method: str, path: str, query: dict[str, str], body: bytes = b"") -> Any:
        given = self.given
        query = {**query, "app_key": given["app_key"], "timestamp": str(int(float(given["now"])))}
        if self.cipher:
            query["shop_cipher"] = self.cipher
        text = path + "".join(name + query[name] for name in sorted(query)) + body.decode()
        wrapped = given["app_secret"] + text + given["app_secret"]
        query["sign"] = hmac.new(given["app_secret"].encode(), wrapped.encode(), hashlib.sha256).hexdigest()
        headers = {"x-tts-access-token": self.token, "content-type": "application/json"}
        answer = self.http.request(method, given["api"] + path, params=query, content=body or None, headers=headers)
        return answer.raise_for_status().json()

    def orders(self) -> list[Any]:
        """Read every order, a hundred a call."""
        found: list[Any] = []
        token = ""
        body = json.dumps({"update_time_ge": 1_772_323_200}, separators=(",", ":")).encode()
        while True:
            query = {"page_size": "100", "sort_field": "update_time", "sort_order": "ASC"}
            if token:
                query["page_token"] = token
            data = self.call("POST", "/order/202309/orders/search", query, body)["data"]
            found += data.get("orders", [])
            token = data.get("next_page_token") or ""
            if not token:
                return found


def _sales_order(order: Any, variants: dict[str, int], customer: int) -> dict[str, Any]:
    units = Counter((line["seller_sku"], line["original_price"]) for line in order["line_items"])
    rows = [
        {"variant_id": variants[sku], "quantity": count, "price_per_unit": float(price)}
        for (sku, price), count in units.items()
    ]
    return {"customer_id": customer, "order_no": f"BARE-{order['id']}", "currency": "USD", "sales_order_rows": rows,
            "customer_ref": order["id"]}  # fmt: skip


def main(given: dict[str, str]) -> None:
    """Read everything twice, as a pull and a re-read do, then create each sales order."""
    erp = f"{given['erp']}/v1"
    key = {"authorization": f"Bearer {given['api_key']}"}
    with httpx.Client(timeout=60, trust_env=False) as http:
        channel = _Channel(http, given)
        channel.open()
        variants = {row["sku"]: row["id"] for row in http.get(f"{erp}/variants", headers=key).json()["data"]}
        customer = http.post(f"{erp}/customers", headers=key, json={"name": "Bare"}).json()["id"]
        began = time.perf_counter()
        channel.orders()
        for order in channel.orders():
            body = _sales_order(order, variants, customer)
            http.post(f"{erp}/sales_orders", headers=key, json=body).raise_for_status()
        print(time.perf_counter() - began)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
