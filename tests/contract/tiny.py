"""Connectors to the tiny system that keep every promise: what the broken ones break one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import httpx
from pydantic import BaseModel, ConfigDict, Field

from hub.contract import (
    AuthorizationError,
    Call,
    Connection,
    Cursor,
    Finding,
    Location,
    LocationKind,
    Order,
    OrderKey,
    OrderRef,
    Page,
    PlacedOrder,
    PlacedRow,
    RejectedError,
    SalesOrder,
    Secret,
    TransientError,
    Variant,
    hookimpl,
)
from hub.contract import OutsideUrl as Url
from tests.contract.tiny_system import START, Json, text


class TinySettings(BaseModel):
    """Settings of both connectors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Url = Field(description="Where the system answers.", examples=["https://tiny.example"])
    api_key: Secret = Field(description="Its key.", examples=["${TINY_API_KEY}"])


class TinyBase:
    """One call, and one error for each kind of failure."""

    settings_model: ClassVar[type[BaseModel]] = TinySettings

    def __init__(self, connection: Connection[Any]) -> None:
        self.connection = connection

    def bearer(self) -> str:
        key: str = self.connection.settings.api_key.get_secret_value()
        return key

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Json | None = None,
        reads: bool = True,
        bearer: str | None = None,
        **query: str,
    ) -> Json:
        response = self.connection.http.request(
            method,
            f"{self.connection.settings.url}/{path}",
            params=query,
            json=body,
            headers={"Authorization": f"Bearer {bearer or self.bearer()}"},
            extensions={"hub": Call(reads=reads)},
        )
        return self.read(response, reads=reads)

    def read(self, response: httpx.Response, *, reads: bool) -> Json:
        status, where = response.status_code, self.connection.id
        if status in (401, 403):
            raise AuthorizationError("key-refused", "the key is refused", where=where, do="Give another.")
        if status == 429:
            after = float(response.headers["retry-after"])
            raise TransientError("busy", "too many calls", where=where, do="Wait.", retry_after_s=after)
        try:
            answer: Json = response.json()
        except ValueError:
            raise TransientError(
                "unreadable", "an answer is no JSON", where=where, do="Wait.", may_have_happened=not reads
            ) from None
        if status >= 500:
            raise TransientError("broken", f"HTTP {status}", where=where, do="Wait.", may_have_happened=not reads)
        if status >= 400:
            raise self.refusal(answer if status == 422 else {})
        return answer

    def refusal(self, answer: Json) -> RejectedError:
        return RejectedError("refused", answer.get("message", "refused"), where=self.connection.id, do="Mend it.")

    @hookimpl
    def check_connection(self) -> list[Finding]:
        return [Finding(ok=True, what=f"reached {self.send('GET', 'me')['name']}")]

    @hookimpl
    def list_locations(self) -> list[Location]:
        rows = self.send("GET", "locations")["locations"]
        return [Location(ref=row["id"], name=row["name"], kind=LocationKind.SHIPS) for row in rows]


class TinyFeed(TinyBase):
    """Pages of what changed."""

    def feed(self, path: str, since: str | None, start: datetime | None) -> Iterator[tuple[list[Json], Cursor]]:
        """Read to the end, with the cursor of each page."""
        begun = since or (text(start) if start else "")
        reached, more = begun, Json()
        while True:
            answer = self.send("GET", path, since=begun, **more)
            reached = max([reached, *(row["changed"] for row in answer["rows"])])
            yield answer["rows"], Cursor(reached)
            if not answer["next"]:
                return
            more = {"after": answer["next"]}


class TinyWindow(TinyFeed):
    """A channel of which one order after the other is read."""

    name: ClassVar[str] = "tiny-window"
    capabilities: ClassVar[frozenset[str]] = frozenset({"check_connection", "list_locations", "fetch_orders"})
    in_flight: ClassVar[int] = 1

    @hookimpl
    def fetch_orders(self, orders: Sequence[OrderRef]) -> list[Order]:
        answer = self.send("GET", "orders", ids=",".join(order.ref for order in orders))
        return [self.order(row) for row in answer["orders"]]

    def order(self, row: Json) -> Order:
        items = sum((Decimal(line["price"]) for line in row["lines"]), Decimal(0))
        return Order.model_validate(
            {
                "ref": row["id"],
                "key": f"TINY-{row['id']}",
                "shop": "tiny",
                "status": row.get("state", "open"),
                "channel_status": "NEW",
                "created_at": START - timedelta(days=2),
                "updated_at": row["updated"],
                "currency": "USD",
                "delivery_ref": "usual",
                "lines": [self.line(line) for line in row["lines"]],
                "totals": {"items": items, "total": items},
            }
        )

    def line(self, line: Json) -> Json:
        return {"ref": line["id"], "sku": line["sku"], "quantity": 1, "price": line["price"]}


class TinyShop(TinyWindow):
    """A channel."""

    name: ClassVar[str] = "tiny-shop"
    capabilities: ClassVar[frozenset[str]] = frozenset(
        {"check_connection", "list_locations", "pull_orders", "fetch_orders"}
    )
    sort: ClassVar[str] = "updated"

    @hookimpl
    def pull_orders(self, since: Cursor | None, start: datetime) -> Iterator[Page[Order]]:
        reached, more = since or text(start), Json()
        begun = reached
        while True:
            answer = self.page(begun, more)
            orders = [self.order(row) for row in answer["orders"]]
            reached = max([reached, *(row["updated"] for row in answer["orders"])])
            yield Page(tuple(orders), Cursor(self.resume(reached)))
            if not answer["next"]:
                return
            more = {"after": answer["next"]}

    def page(self, since: str, more: Json) -> Json:
        return self.send("GET", "orders", since=since, sort=self.sort, **more)

    def resume(self, reached: str) -> str:
        return reached


class TinyCatalogue(TinyFeed):
    """Variants, looked up by SKU."""

    name: ClassVar[str] = "tiny-catalogue"
    capabilities: ClassVar[frozenset[str]] = frozenset({"check_connection", "list_locations", "find_variants"})
    in_flight: ClassVar[int] = 1

    @hookimpl
    def find_variants(self, skus: Sequence[str]) -> list[Variant]:
        rows = self.send("GET", "variants", sku=",".join(skus))["variants"]
        return [self.variant(row) for row in rows if row["sku"] in skus]

    def variant(self, row: Json) -> Variant:
        places = tuple(row.get("places", ()))
        return Variant(ref=row["id"], sku=row["sku"], product_ref=row.get("product"), places=places)


class TinyErp(TinyCatalogue):
    """An ERP."""

    name: ClassVar[str] = "tiny-erp"
    capabilities: ClassVar[frozenset[str]] = frozenset(
        {"check_connection", "list_locations", "find_variants", "find_orders", "push_order"}
    )
    in_flight: ClassVar[int] = 3

    @hookimpl
    def find_orders(self, orders: Sequence[OrderKey], before: datetime | None) -> list[PlacedOrder]:
        numbers = [key.key for key in orders]
        rows = self.send("GET", "sales", number=",".join(numbers), deleted="too")["sales"]
        return [self.placed(row) for row in rows if row["number"] in numbers]

    @hookimpl
    def push_order(self, order: SalesOrder, existing: PlacedOrder | None) -> PlacedOrder:
        return existing or self.placed(self.create(order))

    def create(self, order: SalesOrder) -> Json:
        return self.send("POST", "sales", body=self.body(order), reads=False)

    def begun(self, order: SalesOrder) -> Callable[[], Json]:
        http, settings = self.connection.http, self.connection.settings
        request = http.build_request(
            "POST",
            f"{settings.url}/sales",
            json=self.body(order),
            headers={"Authorization": f"Bearer {self.bearer()}"},
            extensions={"hub": Call(reads=False)},
        )
        answer = http.begin(request)
        return lambda: self.read(answer(), reads=False)

    def body(self, order: SalesOrder) -> Json:
        return {
            "number": order.key.key,
            "buyer": order.customer.name,
            "rows": [{"variant": row.variant_ref, "quantity": str(row.quantity)} for row in order.rows],
            "shipping": str(order.shipping.amount) if order.shipping else "0",
        }

    def placed(self, row: Json) -> PlacedOrder:
        return PlacedOrder(
            key=row["number"],
            ref=row["id"],
            number=row["number"],
            deleted=row["deleted"],
            rows=tuple(
                PlacedRow(ref=each["id"], variant_ref=each["variant"], quantity=Decimal(each["quantity"]))
                for each in row["rows"]
            ),
        )


class TinyQuickErp(TinyErp):
    """An ERP to which several orders are on their way at once, without threads."""

    name: ClassVar[str] = "tiny-quick-erp"
    capabilities: ClassVar[frozenset[str]] = TinyErp.capabilities | {"begin_order"}

    @hookimpl
    def begin_order(self, order: SalesOrder) -> Callable[[], PlacedOrder]:
        answer = self.begun(order)
        return lambda: self.placed(answer())
