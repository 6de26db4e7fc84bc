"""Stock of the tiny system, and a connector that reads and sets it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from hub.contract import Cursor, ItemResult, Page, SellableStock, StockLevel, Variant, hookimpl
from hub.testing import Reply
from tests.contract.tiny import TinyCatalogue
from tests.contract.tiny_system import Json, TinySystem, page_of, reply, text

PLACES = ("1", "2")


class TinyStockroom(TinySystem):
    """What is there of each variant in each place, as an ERP counts it and as a channel sells it."""

    def __init__(self) -> None:
        super().__init__()
        self.levels: dict[tuple[str, str], int] = {}
        self.frozen: set[str] = set()

    def _id(self, sku: str) -> str:
        return next(str(row["id"]) for row in self.variants if row["sku"] == sku)

    def change_variant(self, sku: str) -> None:
        next(row for row in self.variants if row["sku"] == sku)["changed"] = text(self.now())

    def stock(self, sku: str, place: str, quantity: int) -> None:
        self.levels[self._id(sku), place] = quantity

    def seed_product(self, count: int) -> Sequence[str]:
        skus = self.seed_variants(count)
        for row in self.variants[-count:]:
            row |= {"product": f"p{len(self.variants)}", "places": PLACES}
        return skus

    def shelf(self, sku: str) -> Mapping[str, int]:
        return {place: self.levels.get((self._id(sku), place), 0) for place in PLACES}

    def freeze_stock(self, sku: str) -> None:
        self.frozen.add(self._id(sku))

    def _get_levels(self, query: Json) -> Reply:
        rows = [
            {"id": f"{variant}@{place}", "variant": variant, "place": place, "there": there, "changed": ""}
            for (variant, place), there in self.levels.items()
            if variant in query.get("variants", variant).split(",") and place == query.get("place", place)
        ]
        return reply(page_of(rows, query))

    def _post_levels(self, body: Json) -> Reply:
        refused = {}
        known = {row["id"] for row in self.variants}
        for item in body["items"]:
            if item["variant"] not in known or item["variant"] in self.frozen:
                refused[item["variant"]] = "frozen" if item["variant"] in self.frozen else "unknown"
                continue
            for place, units in item["quantities"].items():
                self.levels[item["variant"], place] = units
        return reply({"refused": refused})

    def _get_catalogue(self, query: Json) -> Reply:
        return reply(page_of(self.variants, query))


class TinyStock(TinyCatalogue):
    """Reads and sets stock."""

    name: ClassVar[str] = "tiny-stock"
    capabilities: ClassVar[frozenset[str]] = TinyCatalogue.capabilities | {
        "pull_products",
        "pull_inventory",
        "push_inventory",
    }
    system: ClassVar[type[TinySystem]] = TinyStockroom

    @hookimpl
    def pull_products(self, since: Cursor | None, start: datetime | None) -> Iterator[Page[Variant]]:
        for rows, cursor in self.feed("catalogue", since, start):
            yield Page(tuple(self.variant(row) for row in rows), cursor)

    @hookimpl
    def pull_inventory(self, variants: Sequence[str] | None, location: str | None) -> Iterator[Page[StockLevel]]:
        if variants is not None and not variants:
            return
        asked = {} if variants is None else {"variants": ",".join(variants)}
        asked |= {} if location is None else {"place": location}
        after: str | None = ""
        while after is not None:
            answer = self.send("GET", "levels", after=after, **asked)
            yield Page(tuple(self.level(row) for row in answer["rows"]))
            after = answer["next"]

    def level(self, row: Json) -> StockLevel:
        there, now = Decimal(row["there"]), self.connection.clock.now()
        return StockLevel(variant_ref=row["variant"], location_ref=row["place"], in_stock=there, at=now)

    @hookimpl
    def push_inventory(self, stock: Sequence[SellableStock]) -> list[ItemResult]:
        items = [{"variant": item.variant_ref, "quantities": item.quantities} for item in stock]
        refused = self.send("POST", "levels", body={"items": items}, reads=False)["refused"]
        return [ItemResult(ref=item.variant_ref, error=refused.get(item.variant_ref)) for item in stock]
