"""Products of the tiny system, and a connector that lists them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

from hub.contract import Finding, ItemResult, Listing, Publish, RejectedError, hookimpl
from hub.testing import Reply, SeenOffer
from tests.contract.tiny import TinyCatalogue
from tests.contract.tiny_stock import PLACES, TinyStockroom
from tests.contract.tiny_system import Json, TinySystem, reply, text


class TinyMarket(TinyStockroom):
    """What is offered, by the key under which it was made."""

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[str, str] = {}
        self.missing: list[str] = []

    def offers(self, sku: str) -> Sequence[SeenOffer]:
        rows = [row for row in self.variants if row["sku"] == sku]
        return [SeenOffer(row["product"], row["title"], Decimal(row["price"]), row["draft"]) for row in rows]

    def refused_listing(self, listing: Listing) -> tuple[Listing, str]:
        return listing.model_copy(update={"pictures": ()}), "pictures"

    def lack_for_listing(self) -> str:
        self.missing.append("a return address")
        return "return address"

    def _get_readiness(self, query: Json) -> Reply:
        return reply({"missing": self.missing})

    def _post_products(self, body: Json) -> Reply:
        if not body["pictures"]:
            return reply({"message": "it lacks pictures"}, 422)
        product = body["product"] or self.made.get(body["key"])
        if product is None:
            product = self.made[body["key"]] = f"p{len(self.made) + 1}"
            self._add(product, body)
        for row in (row for row in self.variants if row.get("product") == product):
            offer = body["offers"][row["sku"]]
            row |= {"title": body["title"], "price": offer["price"], "draft": body["draft"]}
            self.levels |= {(row["id"], place): units for place, units in offer["quantities"].items()}
        return reply({"product": product})

    def _add(self, product: str, body: Json) -> None:
        now = text(self.now())
        for sku in body["offers"]:
            row = {"id": f"v{len(self.variants) + 1}", "sku": sku, "made": now, "changed": now}
            self.variants.append(row | {"product": product, "places": PLACES})


class TinySeller(TinyCatalogue):
    """Lists products."""

    name: ClassVar[str] = "tiny-seller"
    capabilities: ClassVar[frozenset[str]] = TinyCatalogue.capabilities | {"push_products", "check_listing"}
    system: ClassVar[type[TinySystem]] = TinyMarket

    @hookimpl
    def check_listing(self) -> list[Finding]:
        missing = self.send("GET", "readiness")["missing"]
        found = [Finding(ok=False, what=f"the shop has no {what}", do="Add it in the shop.") for what in missing]
        return found or [Finding(ok=True, what="nothing is missing")]

    @hookimpl
    def push_products(self, listings: Sequence[Listing]) -> list[ItemResult]:
        return [self.publish(listing) for listing in listings]

    def publish(self, listing: Listing) -> ItemResult:
        try:
            product = self.send("POST", "products", body=self.listed(listing), reads=False)["product"]
        except RejectedError as error:
            return ItemResult(ref=listing.key, error=error.what, do=error.do, lasting=True)
        return ItemResult(ref=listing.key, made=product)

    def listed(self, listing: Listing) -> Json:
        offers: dict[str, Any] = {
            each.sku: {"price": str(each.price), "quantities": {} if listing.ref else each.quantities}
            for each in listing.variants
        }
        pictures = [picture.name for picture in listing.pictures]
        is_draft = listing.publish is Publish.DRAFT
        names = {"key": listing.key, "product": listing.ref, "title": listing.title}
        return names | {"draft": is_draft, "pictures": pictures, "offers": offers}
