"""What the kit asks of a simulated shop about its listings."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hub.contract import Listing
from hub.testing import SeenOffer


class ListingDeeds:
    """Part of a simulated shop, which controls and reads the simulator."""

    def _control(self, name: str, wish: dict[str, Any]) -> Any:
        raise NotImplementedError

    def _read(self, name: str) -> Any:
        raise NotImplementedError

    def offers(self, sku: str) -> Sequence[SeenOffer]:
        return [
            SeenOffer(each["id"], each["title"], _price(row["price"]), each["status"] == "DRAFT")
            for each in self._read("state")["products"]
            if each["status"] != "DELETED"
            for row in each["skus"]
            if row["seller_sku"] == sku
        ]

    def refused_listing(self, listing: Listing) -> tuple[Listing, str]:
        return listing.model_copy(update={"weight_g": None}), "weight"

    def lack_for_listing(self) -> str:
        self._control("options", {"failing_prerequisites": "SHOP_TAX"})
        return "SHOP_TAX"


def _price(told: dict[str, str]) -> Decimal:
    return Decimal(told.get("tax_exclusive_price") or told["sale_price"])
