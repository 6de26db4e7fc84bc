"""A product, its SKUs and their stock."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from tiktok_simulator.order import Goods, Part
from tiktok_simulator.wire import Json

DRAFT, IN_REVIEW, FAILED, ACTIVE = "DRAFT", "PENDING", "FAILED", "ACTIVATE"
SELLER_OFF, PLATFORM_OFF, FROZEN, DELETED = "SELLER_DEACTIVATED", "PLATFORM_DEACTIVATED", "FREEZE", "DELETED"
STATUSES = (DRAFT, IN_REVIEW, FAILED, ACTIVE, SELLER_OFF, PLATFORM_OFF, FROZEN, DELETED)


@dataclass(slots=True)
class Stock:
    """What can still be sold at one warehouse, and what orders hold.

    A seeded order may take more than there is; the books then go below zero, what is shown does not.
    """

    available: int
    committed: int = 0
    backorder: int | None = None
    handling_time: int | None = None

    @property
    def shown(self) -> int:
        """The available quantity as calls show it."""
        return max(0, self.available)


@dataclass(slots=True)
class Sku:
    """One sellable SKU of a product; parts make it a virtual bundle."""

    goods: Goods
    price: Decimal
    stock: dict[str, Stock] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    in_promotion: bool = False
    is_off: bool = False
    more: Json = field(default_factory=dict)  # sales_attributes, external_sku_id, identifier_code, list_price


@dataclass(slots=True)
class Product:
    """A product and its SKUs; `document` holds what else was sent when it was made or edited."""

    id: str
    shop: str
    title: str
    status: str
    create_time: int
    update_time: int
    skus: list[Sku]
    audit: str = "APPROVED"
    document: Json = field(default_factory=dict)
    failed_reasons: list[Json] = field(default_factory=list)
    review: Json | None = None  # an edit of a live product under audit: the old version stays live
