"""A connector for an imaginary shop whose whole API is GET /me, GET /warehouses and GET /orders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar

import httpx
from pydantic import BaseModel, ConfigDict, Field

from hub import contract
from hub.contract import Cursor, Order, Page, hookimpl


class MinimalSettings(BaseModel):
    """What the operator sets; the route file's schema and its messages are made from this."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: contract.OutsideUrl = Field(description="Where its API answers.", examples=["https://api.shop.example"])
    api_key: contract.Secret = Field(
        description="API key, from the shop's settings page.", examples=["${SHOP_API_KEY}"]
    )


class MinimalConnector:
    """One shop, and its orders."""

    name: ClassVar[str] = "minimal"
    settings_model: ClassVar[type[BaseModel]] = MinimalSettings
    capabilities: ClassVar[frozenset[str]] = frozenset(
        {"check_connection", "list_locations", "pull_orders", "fetch_orders"}
    )
    in_flight: ClassVar[int] = 1

    def __init__(self, connection: contract.Connection[MinimalSettings]) -> None:
        self._connection = connection

    @hookimpl
    def check_connection(self) -> list[contract.Finding]:
        return [contract.Finding(ok=True, what=f"the key opens the shop {self._get('/me')['name']}")]

    @hookimpl
    def list_locations(self) -> list[contract.Location]:
        rows = self._get("/warehouses")["warehouses"]
        return [contract.Location(ref=row["id"], name=row["name"], kind=contract.LocationKind.SHIPS) for row in rows]

    @hookimpl
    def pull_orders(self, since: Cursor | None, start: datetime) -> Iterator[Page[Order]]:
        """Read orders changed at or after the latest change seen so far; the shop lists the oldest change first."""
        reached = begun = datetime.fromisoformat(since) if since else start
        after: str | None = ""
        while after is not None:
            answer = self._get("/orders", changed_since=begun.isoformat(), after=after)
            orders = tuple(order_of(row) for row in answer["orders"])
            reached = max([reached, *(order.updated_at for order in orders)])
            yield Page(orders, Cursor(reached.isoformat()))
            after = answer["next"]

    @hookimpl
    def fetch_orders(self, orders: Sequence[contract.OrderRef]) -> list[Order]:
        answer = self._get("/orders", ids=",".join(order.ref for order in orders))
        return [order_of(row) for row in answer["orders"]]

    def _get(self, path: str, **query: str) -> Any:
        """Make one call; the hub's client waits for the budget and tries again by itself before an error gets here."""
        settings, where = self._connection.settings, f"{self._connection.id}, GET {path}"
        headers = {"Authorization": f"Bearer {settings.api_key.get_secret_value()}"}
        response = self._connection.http.get(settings.url + path, params=query, headers=headers)
        if response.status_code in (401, 403):
            what = "the shop refuses the key"
            raise contract.AuthorizationError("key-refused", what, where=where, do="Make a new API key.")
        try:
            return response.raise_for_status().json()
        except (httpx.HTTPStatusError, ValueError):
            what = f"the shop answers HTTP {response.status_code} and nothing to work with"
            wait = response.headers.get("Retry-After")
            raise contract.TransientError(
                "shop-away", what, where=where, do="The hub tries again.", retry_after_s=float(wait) if wait else None
            ) from None


def order_of(row: dict[str, Any]) -> Order:
    """Translate the shop's order; the model refuses what does not fit, and money stays Decimal."""
    lines = [
        {"ref": line["id"], "sku": line["sku"], "quantity": line["quantity"], "price": line["price"]}
        for line in row["lines"]
    ]
    return Order.model_validate(
        {
            "ref": row["id"],
            "key": f"MIN-{row['id']}",
            "shop": row["shop"],
            "status": {"new": "open", "sent": "shipped", "void": "cancelled"}.get(row["state"], "unknown"),
            "channel_status": row["state"],
            "created_at": row["created"],
            "updated_at": row["changed"],
            "currency": row["currency"],
            "lines": lines,
            "totals": {"items": row["total"], "total": row["total"]},
        }
    )
