"""Sales orders of the tiny system that ship, change, end and come back, and an ERP connector for all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from hub.contract import (
    Cursor,
    Fulfillment,
    Order,
    Package,
    PackageResult,
    Page,
    PlacedOrder,
    RejectedError,
    SalesOrder,
    SalesReturn,
    hookimpl,
)
from hub.testing import Reply, SeenParcel, SeenReturn
from tests.contract.tiny import TinyErp
from tests.contract.tiny_system import Json, TinySystem, page_of, reply, text


class TinyBackOffice(TinySystem):
    """What left of which sales order, and what came back; it takes whatever it is told, twice too."""

    def __init__(self) -> None:
        super().__init__()
        self.shipments: list[Json] = []
        self.booked: list[Json] = []

    def _sale(self, ref: str) -> Json:
        return next(sale for sale in self.sales if sale["id"] == ref)

    def ship(self, order_ref: str, quantities: Mapping[str, int], tracking_number: str) -> str:
        ids = {row["sku"]: row["id"] for row in self.variants}
        rows = {row["variant"]: row["id"] for row in self._sale(order_ref)["rows"]}
        lines = {rows[ids[sku]]: str(units) for sku, units in quantities.items()}
        return str(self._leave(order_ref, lines, tracking_number)["id"])

    def _leave(self, order_ref: str, lines: Json, number: str) -> Json:
        made = {"id": f"f{len(self.shipments) + 1}", "sale": order_ref, "lines": lines, "number": number}
        self.shipments.append(made | {"changed": text(self.now()), "deleted": False})
        return self.shipments[-1]

    def _shipment(self, ref: str) -> Json:
        return next(each for each in self.shipments if each["id"] == ref)

    def retrack(self, fulfillment_ref: str, tracking_number: str) -> None:
        self._shipment(fulfillment_ref).update(number=tracking_number, changed=text(self.now()))

    def unship(self, fulfillment_ref: str) -> None:
        self._shipment(fulfillment_ref).update(deleted=True, changed=text(self.now()))

    def _living(self, order_ref: str) -> list[Json]:
        return [each for each in self.shipments if each["sale"] == order_ref and not each["deleted"]]

    def parcels(self, order_ref: str) -> Sequence[SeenParcel]:
        return [
            SeenParcel(each["id"], {ref: Decimal(units) for ref, units in each["lines"].items()}, each["number"])
            for each in self._living(order_ref)
        ]

    def returns(self, order_ref: str) -> Sequence[SeenReturn]:
        return [
            SeenReturn(each["id"], {ref: Decimal(units) for ref, units in each["rows"].items()})
            for each in self.booked
            if each["sale"] == order_ref
        ]

    def _get_sale(self, query: Json) -> Reply:
        return reply(self._sale(query["id"]) | {"left": self._living(query["id"])})

    def _get_sales(self, query: Json) -> Reply:
        for sale in self.sales:
            sale["shipped"] = bool(self._living(sale["id"]))
        return super()._get_sales(query)

    def _post_rows(self, body: Json) -> Reply:
        sale = self._sale(body["id"])
        known = {row["variant"]: row["id"] for row in sale["rows"]}
        sale["rows"] = [
            row | {"id": known.get(row["variant"], f"{sale['id']}+{row['variant']}")} for row in body["rows"]
        ]
        return reply(sale)

    def _post_deletions(self, body: Json) -> Reply:
        self.delete_order(body["id"])
        return reply({})

    def _get_shipments(self, query: Json) -> Reply:
        if "ids" in query:
            return reply({"rows": [each for each in self.shipments if each["id"] in query["ids"].split(",")]})
        return reply(page_of(self.shipments, query))

    def _post_shipments(self, body: Json) -> Reply:
        if not set(body["lines"]) <= {row["id"] for row in self._sale(body["sale"])["rows"]}:
            return reply({"message": "no such row"}, 422)
        return reply(self._leave(body["sale"], body["lines"], body["number"]))

    def _post_numbers(self, body: Json) -> Reply:
        self.retrack(body["id"], body["number"])
        return reply({})

    def _get_returns(self, query: Json) -> Reply:
        return reply({"rows": [each for each in self.booked if each["key"] == query["key"]]})

    def _post_returns(self, body: Json) -> Reply:
        self.booked.append(body | {"id": f"b{len(self.booked) + 1}"})
        return reply(self.booked[-1])


class TinyOffice(TinyErp):
    """An ERP with all that follows an order."""

    name: ClassVar[str] = "tiny-office"
    capabilities: ClassVar[frozenset[str]] = TinyErp.capabilities | {
        *("update_order", "cancel_order", "pull_fulfillments", "fetch_fulfillments"),
        *("push_fulfillment", "update_fulfillment", "push_return"),
    }
    system: ClassVar[type[TinySystem]] = TinyBackOffice

    def placed(self, row: Json) -> PlacedOrder:
        return super().placed(row).model_copy(update={"untouched": not row.get("shipped", False)})

    def packed(self) -> RejectedError:
        return RejectedError("order-packed", "parts have left", where=self.connection.id, do="Settle it by hand.")

    @hookimpl
    def update_order(self, order: SalesOrder, existing: PlacedOrder) -> PlacedOrder:
        sale, wanted = self.send("GET", "sale", id=existing.ref), self.body(order)["rows"]
        if [{"variant": row["variant"], "quantity": row["quantity"]} for row in sale["rows"]] == wanted:
            return self.placed(sale)
        if sale["left"]:
            raise self.packed()
        return self.placed(self.send("POST", "rows", body={"id": existing.ref, "rows": wanted}, reads=False))

    @hookimpl
    def cancel_order(self, order_ref: str, reason: str | None) -> bool:
        sale = self.send("GET", "sale", id=order_ref)
        if sale["left"]:
            raise self.packed()
        if not sale["deleted"]:
            self.send("POST", "deletions", body={"id": order_ref}, reads=False)
        return True

    @hookimpl
    def pull_fulfillments(self, since: Cursor | None, start: datetime) -> Iterator[Page[Fulfillment]]:
        for rows, cursor in self.feed("shipments", since, start):
            yield Page(tuple(self.fulfillment(row) for row in rows), cursor)

    @hookimpl
    def fetch_fulfillments(self, refs: Sequence[str]) -> list[Fulfillment]:
        found = {row["id"]: self.fulfillment(row) for row in self.send("GET", "shipments", ids=",".join(refs))["rows"]}
        return [found.get(ref) or Fulfillment(ref=ref, order_ref="?", packages=(), deleted=True) for ref in refs]

    def fulfillment(self, row: Json) -> Fulfillment:
        lines = {ref: Decimal(units) for ref, units in row["lines"].items()}
        package = Package(key=row["id"], lines=lines, tracking_number=row["number"])
        return Fulfillment(ref=row["id"], order_ref=row["sale"], packages=(package,), deleted=row["deleted"])

    @hookimpl
    def push_fulfillment(self, fulfillment: Fulfillment, order: Order | None) -> list[PackageResult]:
        sale = self.send("GET", "sale", id=fulfillment.order_ref)
        return self.tell_all(fulfillment, sale)

    def tell_all(self, fulfillment: Fulfillment, sale: Json) -> list[PackageResult]:
        return [self.tell(package, sale) for package in fulfillment.packages]

    def tell(self, package: Package, sale: Json) -> PackageResult:
        """Record one package that is not there; ``left`` then holds it too."""
        lines = {ref: str(units) for ref, units in package.lines.items()}
        known = [each for each in sale["left"] if each["number"] == package.tracking_number]
        if known:
            return PackageResult(key=package.key, package_ref=known[0]["id"])
        ordered = {row["id"]: Decimal(row["quantity"]) for row in sale["rows"]}
        for each in sale["left"]:
            for ref, units in each["lines"].items():
                ordered[ref] -= Decimal(units)
        if any(units > ordered.get(ref, 0) for ref, units in package.lines.items()):
            return PackageResult(key=package.key, code="shipped-already", error="not that much is left")
        body = {"sale": sale["id"], "lines": lines, "number": package.tracking_number}
        made = self.send("POST", "shipments", body=body, reads=False)
        sale["left"].append(made)
        return PackageResult(key=package.key, package_ref=made["id"])

    @hookimpl
    def update_fulfillment(self, fulfillment: Fulfillment, order: Order | None) -> list[PackageResult]:
        for package in fulfillment.packages:
            body = {"id": package.ref, "number": package.tracking_number}
            self.send("POST", "numbers", body=body, reads=False)
        return [PackageResult(key=package.key, package_ref=package.ref) for package in fulfillment.packages]

    @hookimpl
    def push_return(self, sales_return: SalesReturn) -> str:
        there = self.send("GET", "returns", key=sales_return.key)["rows"]
        return str(there[0]["id"] if there else self.book(sales_return)["id"])

    def book(self, sales_return: SalesReturn) -> Json:
        rows = {ref: str(units) for ref, units in sales_return.rows.items()}
        body = {"key": sales_return.key, "sale": sales_return.order_ref, "rows": rows}
        return self.send("POST", "returns", body=body, reads=False)
