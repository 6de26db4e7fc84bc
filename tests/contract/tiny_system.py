"""A tiny system behind the kit, a shop and an ERP in one function."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

from hub.contract import SalesOrder
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
            self.orders[str(number)] = {"id": str(number), "created": number, "updated": text(at), "lines": lines}
        return [str(number) for number in range(first, first + count)]

    def touch(self, ref: str) -> None:
        self.orders[ref]["updated"] = text(self.now())

    def seed_variants(self, count: int) -> Sequence[str]:
        first = len(self.variants) + 1
        now = text(self.now())
        numbers = range(first, first + count)
        made = [{"id": f"v{n}", "sku": f"SKU-{n}", "made": now, "changed": now} for n in numbers]
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
            return reply({"message": "who are you?"}, 401)
        query = {name: values[0] for name, values in parse_qs(request.query).items()}
        with self._lock:
            return getattr(self, f"_{request.method}_{request.path.strip('/')}".lower())(
                query if request.method == "GET" else json.loads(request.body)
            )

    def _get_me(self, query: Json) -> Reply:
        return reply({"name": "Tiny"})

    def _get_locations(self, query: Json) -> Reply:
        return reply({"locations": [{"id": "1", "name": "Main"}, {"id": "2", "name": "West"}]})

    _post_locations = _get_locations

    def _get_orders(self, query: Json) -> Reply:
        """Orders by id, or pages of orders changed since an instant; sorted by change, or by age."""
        if "ids" in query:
            return reply({"orders": [self.orders[ref] for ref in query["ids"].split(",") if ref in self.orders]})
        by = query.get("sort", "updated")
        rows = sorted(self.orders.values(), key=lambda row: (row[by], int(row["id"])))
        rows = [row for row in rows if row["updated"] >= query.get("since", "")]
        if "after" in query:
            value, _, ref = query["after"].partition("|")
            rows = [row for row in rows if (str(row[by]), int(row["id"])) > (value, int(ref))]
        page, more = rows[:PAGE], len(rows) > PAGE
        return reply({"orders": page, "next": f"{page[-1][by]}|{page[-1]['id']}" if more else None})

    def _get_variants(self, query: Json) -> Reply:
        wanted = query["sku"].split(",") if "sku" in query else None
        return reply({"variants": [row for row in self.variants if wanted is None or row["sku"] in wanted]})

    def _get_sales(self, query: Json) -> Reply:
        wanted = query["number"].split(",") if "number" in query else None
        rows = [row for row in self.sales if wanted is None or row["number"] in wanted]
        return reply({"sales": [row for row in rows if "deleted" in query or not row["deleted"]]})

    def _post_sales(self, body: Json) -> Reply:
        if any(row["variant"] == "v-discontinued" for row in body["rows"]):
            return reply({"message": "a variant of it is discontinued"}, 422)
        number = f"s{len(self.sales) + 1}"
        rows = [row | {"id": f"{number}-{at}"} for at, row in enumerate(body["rows"])]
        self.sales.append(body | {"id": number, "deleted": False, "rows": rows})
        return reply(self.sales[-1], 201)


def page_of(rows: Iterable[Json], query: Json, by: str = "changed") -> Json:
    """Rows changed since an instant, or after a place in the list: one page, and where the next one begins."""

    def place(row: Json) -> str:
        return f"{row[by]}|{row['id']:>9}"

    left = sorted((row for row in rows if row[by] >= query.get("since", "")), key=place)
    left = [row for row in left if place(row) > query.get("after", "")]
    return {"rows": left[:PAGE], "next": place(left[PAGE - 1]) if len(left) > PAGE else None}


def text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds")


def reply(value: Json, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value).encode())
