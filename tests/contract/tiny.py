"""A tiny system behind the kit, a shop and an ERP in one function, and two connectors that keep every promise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import parse_qs

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
    RejectedError,
    SalesOrder,
    Secret,
    TransientError,
    Variant,
    hookimpl,
)
from hub.contract import OutsideUrl as Url
from hub.testing import Answer, Outside, Reply, Request, SeenOrder

START = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
KEY = "tiny-secret-key"
PAGE = 2
Json = dict[str, Any]


class TinySystem(Outside):
    """Shop and ERP; its clock stands still but for what the kit lets pass."""

    def __init__(self) -> None:
        super().__init__()
        self._passed = timedelta()
        self.key = KEY
        self.orders: dict[str, Json] = {}
        self.variants: list[Json] = []
        self.sales: list[Json] = []

    def now(self) -> datetime:
        return START + self._passed

    def pass_time(self, seconds: float) -> None:
        with self._lock:
            self._passed += timedelta(seconds=seconds)

    def upstream(self) -> Answer:
        return self._answer

    def settings(self, url: str) -> Json:
        return {"url": url, "api_key": KEY}

    def refuse_credentials(self) -> None:
        self.key = "another"

    def seed_orders(self, count: int) -> Sequence[str]:
        first = len(self.orders) + 1
        for number in range(first, first + count):
            at = START - timedelta(days=1) + timedelta(seconds=3 * number)
            lines = [{"id": f"{number}-{line}", "sku": f"SKU-{line}", "price": "9.99"} for line in (1, 2)]
            self.orders[str(number)] = {"id": str(number), "created": number, "updated": _text(at), "lines": lines}
        return [str(number) for number in range(first, first + count)]

    def touch(self, ref: str) -> None:
        self.orders[ref]["updated"] = _text(self.now())

    def seed_variants(self, count: int) -> Sequence[str]:
        first = len(self.variants) + 1
        made = [{"id": f"v{n}", "sku": f"SKU-{n}"} for n in range(first, first + count)]
        self.variants += made
        return [variant["sku"] for variant in made]

    def sales_orders(self) -> Sequence[SeenOrder]:
        skus = {variant["id"]: variant["sku"] for variant in self.variants}
        return [
            SeenOrder(
                sale["id"],
                tuple((skus[row["variant"]], Decimal(row["quantity"])) for row in sale["rows"]),
                Decimal(sale["shipping"]),
            )
            for sale in self.sales
            if not sale["deleted"]
        ]

    def delete_order(self, ref: str) -> None:
        next(sale for sale in self.sales if sale["id"] == ref)["deleted"] = True

    def refused(self, order: SalesOrder) -> tuple[SalesOrder, str]:
        row = order.rows[0].model_copy(update={"variant_ref": "v-discontinued"})
        return order.model_copy(update={"rows": (row,)}), "discontinued"

    def _answer(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return _reply({"message": "who are you?"}, 401)
        query = {name: values[0] for name, values in parse_qs(request.query).items()}
        with self._lock:
            return getattr(self, f"_{request.method}_{request.path.strip('/')}".lower())(
                query if request.method == "GET" else json.loads(request.body)
            )

    def _get_me(self, query: Json) -> Reply:
        return _reply({"name": "Tiny"})

    def _get_locations(self, query: Json) -> Reply:
        return _reply({"locations": [{"id": "1", "name": "Main"}, {"id": "2", "name": "West"}]})

    _post_locations = _get_locations

    def _get_orders(self, query: Json) -> Reply:
        """Orders by id, or pages of orders changed since an instant; sorted by change, or by age."""
        if "ids" in query:
            return _reply({"orders": [self.orders[ref] for ref in query["ids"].split(",") if ref in self.orders]})
        by = query.get("sort", "updated")
        rows = sorted(self.orders.values(), key=lambda row: (row[by], int(row["id"])))
        rows = [row for row in rows if row["updated"] >= query.get("since", "")]
        if "after" in query:
            value, _, ref = query["after"].partition("|")
            rows = [row for row in rows if (str(row[by]), int(row["id"])) > (value, int(ref))]
        page, more = rows[:PAGE], len(rows) > PAGE
        return _reply({"orders": page, "next": f"{page[-1][by]}|{page[-1]['id']}" if more else None})

    def _get_variants(self, query: Json) -> Reply:
        wanted = query["sku"].split(",") if "sku" in query else None
        return _reply({"variants": [row for row in self.variants if wanted is None or row["sku"] in wanted]})

    def _get_sales(self, query: Json) -> Reply:
        wanted = query["number"].split(",") if "number" in query else None
        rows = [row for row in self.sales if wanted is None or row["number"] in wanted]
        return _reply({"sales": [row for row in rows if "deleted" in query or not row["deleted"]]})

    def _post_sales(self, body: Json) -> Reply:
        if any(row["variant"] == "v-discontinued" for row in body["rows"]):
            return _reply({"message": "a variant of it is discontinued"}, 422)
        self.sales.append(body | {"id": f"s{len(self.sales) + 1}", "deleted": False})
        return _reply(self.sales[-1], 201)


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

    def send(self, method: str, path: str, *, body: Json | None = None, reads: bool = True, **query: str) -> Json:
        response = self.connection.http.request(
            method,
            f"{self.connection.settings.url}/{path}",
            params=query,
            json=body,
            headers={"Authorization": f"Bearer {self.connection.settings.api_key.get_secret_value()}"},
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


class TinyShop(TinyBase):
    """A channel."""

    name: ClassVar[str] = "tiny-shop"
    capabilities: ClassVar[frozenset[str]] = frozenset(
        {"check_connection", "list_locations", "pull_orders", "fetch_orders"}
    )
    in_flight: ClassVar[int] = 1
    sort: ClassVar[str] = "updated"

    @hookimpl
    def pull_orders(self, since: Cursor | None, start: datetime) -> Iterator[Page[Order]]:
        reached, more = since or _text(start), {}
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

    @hookimpl
    def fetch_orders(self, orders: Sequence[OrderRef]) -> list[Order]:
        answer = self.send("GET", "orders", ids=",".join(order.ref for order in orders))
        return [self.order(row) for row in answer["orders"]]

    def order(self, row: Json) -> Order:
        items = sum((Decimal(line["price"]) for line in row["lines"]), Decimal(0))
        lines = [
            {"ref": line["id"], "sku": line["sku"], "quantity": 1, "price": line["price"]} for line in row["lines"]
        ]
        return Order.model_validate(
            {
                "ref": row["id"],
                "key": f"TINY-{row['id']}",
                "shop": "tiny",
                "status": "open",
                "channel_status": "NEW",
                "created_at": START - timedelta(days=2),
                "updated_at": row["updated"],
                "currency": "USD",
                "lines": lines,
                "totals": {"items": items, "total": items},
            }
        )


class TinyErp(TinyBase):
    """An ERP."""

    name: ClassVar[str] = "tiny-erp"
    capabilities: ClassVar[frozenset[str]] = frozenset(
        {"check_connection", "list_locations", "find_variants", "find_orders", "push_order"}
    )
    in_flight: ClassVar[int] = 3

    @hookimpl
    def find_variants(self, skus: Sequence[str]) -> list[Variant]:
        rows = self.send("GET", "variants", sku=",".join(skus))["variants"]
        return [Variant(ref=row["id"], sku=row["sku"]) for row in rows if row["sku"] in skus]

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

    def body(self, order: SalesOrder) -> Json:
        return {
            "number": order.key.key,
            "buyer": order.customer.name,
            "rows": [{"variant": row.variant_ref, "quantity": str(row.quantity)} for row in order.rows],
            "shipping": str(order.shipping.amount) if order.shipping else "0",
        }

    def placed(self, row: Json) -> PlacedOrder:
        return PlacedOrder(key=row["number"], ref=row["id"], number=row["number"], deleted=row["deleted"])


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds")


def _reply(value: Json, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value).encode())
