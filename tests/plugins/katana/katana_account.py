"""A simulated Katana account over real HTTP, seeded with a little of everything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import httpx
from katana_simulator import API_KEY, Simulator

PAIR = {"sku": "MUG", "quantity": 2}
SEED: dict[str, Any] = {
    "locations": [{"name": "Main"}, {"name": "West"}, {"name": "Repairs", "sales_allowed": False}],
    "tax_rates": [{"name": "VAT", "rate": 20}, {"name": "Standard", "rate": 10, "is_default_sales": True}],
    "customers": [{"name": "Ann Example", "email": "ann@example.test", "currency": "EUR"}],
    "variants": [
        {"sku": "MUG", "name": "Mug", "price": 12.5, "stock": {"Main": 50, "West": 5}},
        {"sku": "TEA", "name": "Tea", "price": 4, "stock": 20},
        {"sku": "GIFT", "name": "Gift box", "price": 30, "kit": [PAIR, {"sku": "TEA", "quantity": 1}]},
        {"sku": "WRAP", "name": "Wrapping", "price": 3, "type": "service"},
        {"sku": "OLD", "name": "Old mug", "price": 9, "archived": True},
        {"sku": "CLAY", "name": "Clay", "type": "material", "sellable": False},
    ],
}


class Account(httpx.Client):
    """A client of one simulated account that also knows its control calls and the ids of what was seeded."""

    def __init__(self, url: str) -> None:
        super().__init__(base_url=url, headers={"Authorization": f"Bearer {API_KEY}"}, timeout=30)
        seeded = self.sim("seed", **SEED)
        self.variants: dict[str, int] = seeded["variants"]
        self.locations: dict[str, int] = seeded["locations"]
        self.taxes: dict[str, int] = seeded["tax_rates"]
        self.customer: int = seeded["customers"]["Ann Example"]

    def sim(self, call: str, **body: Any) -> Any:
        answer = self.post(f"/_sim/{call}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def body(self, *rows: tuple[str, float], **more: Any) -> dict[str, Any]:
        """A create body with a row per (SKU, quantity)."""
        lines = [{"variant_id": self.variants[sku], "quantity": quantity} for sku, quantity in rows or (("MUG", 1),)]
        return {"customer_id": self.customer, "sales_order_rows": lines, **more}

    def order(self, *rows: tuple[str, float], **more: Any) -> dict[str, Any]:
        answer = self.post("/v1/sales_orders", json=self.body(*rows, **more))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def read(self, order: dict[str, Any]) -> dict[str, Any]:
        return dict(self.get(f"/v1/sales_orders/{order['id']}").json())

    def ship(self, order: dict[str, Any], *quantities: float, status: str = "DELIVERED", **more: Any) -> httpx.Response:
        """Fulfil the order's first rows by these quantities; all of it when none is given."""
        rows = order["sales_order_rows"]
        wanted = quantities or tuple(row["quantity"] for row in rows)
        lines = [{"sales_order_row_id": row["id"], "quantity": n} for row, n in zip(rows, wanted, strict=False)]
        body = {"sales_order_id": order["id"], "status": status, "sales_order_fulfillment_rows": lines, **more}
        return self.post("/v1/sales_order_fulfillments", json=body)

    def level(self, sku: str, location: str = "Main") -> dict[str, Any]:
        query = {"variant_id": self.variants[sku], "location_id": self.locations[location]}
        rows = self.get("/v1/inventory", params=query).json()["data"]
        assert len(rows) == 1
        return dict(rows[0])

    def stock(self, sku: str, location: str = "Main") -> tuple[str, str]:
        """In stock and committed."""
        level = self.level(sku, location)
        return level["quantity_in_stock"], level["quantity_committed"]


@contextmanager
def opened() -> Iterator[Account]:
    """A fresh account without a rate limit, served for as long as the block lasts."""
    simulator = Simulator(options={"rate_limit": "off"})
    simulator.start()
    with closing(Account(simulator.url)) as client:
        yield client
    simulator.stop()
