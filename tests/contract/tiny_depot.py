"""Orders of a tiny channel that ship, and a connector that tells of their parcels."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import ClassVar

from hub.contract import Carrier, Fulfillment, Label, Order, Package, PackageResult, TransientError, hookimpl
from hub.testing import Reply, SeenParcel
from tests.contract.tiny import TinyWindow
from tests.contract.tiny_system import Json, TinySystem, reply, text


class TinyStation(TinySystem):
    """Parcels of orders; it takes whatever it is told, twice too. A line shows the last parcel it is in."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Json] = []
        self.asked: set[str] = set()

    def seed_open_order(self) -> str:
        return self.seed_orders(1)[0]

    def ship(self, order_ref: str, quantities: Mapping[str, int], tracking_number: str) -> str:
        lines = [line["id"] for line in self.orders[order_ref]["lines"] if line["sku"] in quantities]
        return str(self._leave(order_ref, lines, tracking_number)["id"])

    def _leave(self, order_ref: str, lines: Sequence[str], number: str) -> Json:
        made = {"id": f"k{len(self.sent) + 1}", "order": order_ref, "lines": list(lines), "number": number}
        self.sent.append(made)
        for line in self.orders[order_ref]["lines"]:
            if line["id"] in lines:
                line |= {"package": made["id"], "number": number}
        self.orders[order_ref]["updated"] = text(self.now())
        return made

    def parcels(self, order_ref: str) -> Sequence[SeenParcel]:
        return [
            SeenParcel(each["id"], dict.fromkeys(each["lines"], Decimal(1)), each["number"])
            for each in self.sent
            if each["order"] == order_ref
        ]

    def seed_label(self) -> str:
        return self.ship(self.seed_open_order(), {"SKU-1": 1}, "TINY1")

    def _post_parcels(self, body: Json) -> Reply:
        if not set(body["lines"]) <= {line["id"] for line in self.orders[body["order"]]["lines"]}:
            return reply({"message": "no such line"}, 422)
        return reply(self._leave(body["order"], body["lines"], body["number"]))

    def _post_numbers(self, body: Json) -> Reply:
        parcel = next(each for each in self.sent if each["id"] == body["id"])
        parcel["number"] = body["number"]
        for line in self.orders[parcel["order"]]["lines"]:
            if line.get("package") == parcel["id"]:
                line["number"] = body["number"]
        return reply({})

    def _get_carriers(self, query: Json) -> Reply:
        return reply({"carriers": [{"id": "c1", "name": "Tiny Post"}, {"id": "c2", "name": "Tiny Express"}]})

    def _get_label(self, query: Json) -> Reply:
        """The first time it is not there yet."""
        is_there = query["id"] in self.asked
        self.asked.add(query["id"])
        return reply({"label": base64.b64encode(b"%PDF-tiny").decode() if is_there else None})


class TinyDepot(TinyWindow):
    """Tells a channel of parcels."""

    name: ClassVar[str] = "tiny-depot"
    capabilities: ClassVar[frozenset[str]] = TinyWindow.capabilities | {
        *("push_fulfillment", "update_fulfillment", "list_carriers", "fetch_label"),
    }
    system: ClassVar[type[TinySystem]] = TinyStation

    def line(self, line: Json) -> Json:
        shipped = {"status": "shipped", "package_ref": line.get("package"), "tracking_number": line.get("number")}
        return super().line(line) | (shipped if line.get("package") else {})

    @hookimpl
    def push_fulfillment(self, fulfillment: Fulfillment, order: Order | None) -> list[PackageResult]:
        assert order is not None
        return [self.tell(package, order) for package in fulfillment.packages]

    def tell(self, package: Package, order: Order) -> PackageResult:
        lines = [line for line in order.lines if line.ref in package.lines]
        numbers = {line.tracking_number for line in lines}
        if len(lines) < len(package.lines):
            return PackageResult(key=package.key, code="line-unknown", error="there is no such line")
        if numbers == {package.tracking_number}:
            return PackageResult(key=package.key, package_ref=lines[0].package_ref)
        if numbers != {None}:
            return PackageResult(key=package.key, code="shipped-otherwise", error="shipped under another number")
        made = self.create(package, order, [line.ref for line in lines])
        return PackageResult(key=package.key, package_ref=made["id"])

    def create(self, package: Package, order: Order, lines: Sequence[str]) -> Json:
        body = {"order": order.ref, "lines": list(lines), "number": package.tracking_number}
        return self.send("POST", "parcels", body=body, reads=False)

    @hookimpl
    def update_fulfillment(self, fulfillment: Fulfillment, order: Order | None) -> list[PackageResult]:
        for package in fulfillment.packages:
            body = {"id": package.ref, "number": package.tracking_number}
            self.send("POST", "numbers", body=body, reads=False)
        return [PackageResult(key=package.key, package_ref=package.ref) for package in fulfillment.packages]

    @hookimpl
    def list_carriers(self, delivery_ref: str) -> list[Carrier]:
        rows = self.send("GET", "carriers", delivery=delivery_ref)["carriers"]
        return [Carrier(ref=row["id"], name=row["name"]) for row in rows]

    @hookimpl
    def fetch_label(self, package_ref: str) -> Label:
        content = self.send("GET", "label", id=package_ref)["label"]
        if content is None:
            raise TransientError("label-not-ready", "it is being made", where=self.connection.id, do="Wait.")
        return Label(content=base64.b64decode(content), media_type="application/pdf")
