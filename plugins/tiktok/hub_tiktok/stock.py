"""Stock of a shop: what it says it has, and what it is told to sell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from hub.contract import Connection, ItemResult, RejectedError, SellableStock, StockLevel
from hub_tiktok.catalogue import Catalogue
from hub_tiktok.codes import QUANTITY, Kind, row_of
from hub_tiktok.endpoints import STOCK_SEARCH, STOCK_UPDATE
from hub_tiktok.payload import Json, child, children, text, whole
from hub_tiktok.settings import TikTokSettings
from hub_tiktok.shops import Shops

SKUS_A_READING = 600  # T-98
PRODUCTS_A_READING = 100  # T-98
MOST = 99_999  # T-99


class Stock:
    """Reads and sets the stock of one shop."""

    def __init__(self, connection: Connection[TikTokSettings], shops: Shops, catalogue: Catalogue) -> None:
        self._connection = connection
        self._shops = shops
        self._catalogue = catalogue

    def levels(self, variants: Sequence[str] | None, location: str | None) -> Iterator[tuple[StockLevel, ...]]:
        """Yield StockLevels page by page: 600 SKUs a call, or 100 products a call where all are wanted."""
        for body in self._questions(variants):
            at = self._connection.clock.now()
            answer = self._shops.call(STOCK_SEARCH, body=body)
            found = (level for product in children(answer, "inventory") for level in _levels(product, at))
            yield tuple(level for level in found if location in (None, level.location_ref))

    def _questions(self, variants: Sequence[str] | None) -> Iterator[Json]:
        if variants is not None:
            wanted = list(dict.fromkeys(variants))
            for at in range(0, len(wanted), SKUS_A_READING):
                yield {"sku_ids": wanted[at : at + SKUS_A_READING]}
            return
        for page in self._catalogue.changed(None, also_deleted=False):
            known = [text(product, "id") for product in page if text(product, "status") != "DELETED"]
            for at in range(0, len(known), PRODUCTS_A_READING):
                yield {"product_ids": known[at : at + PRODUCTS_A_READING]}

    def push(self, stock: Sequence[SellableStock]) -> list[ItemResult]:
        """Set stock: one call per product, with every SKU of it that is given."""
        products: dict[str, list[SellableStock]] = {}
        for item in stock:
            products.setdefault(item.product_ref, []).append(item)
        return [result for ref, items in products.items() for result in self._push_product(ref, items)]

    def _push_product(self, product: str, items: list[SellableStock]) -> list[ItemResult]:
        results = {item.variant_ref: _zero_refused(item) for item in items if self._is_unsendable(item)}
        sent = [item for item in items if item.variant_ref not in results]
        if sent:
            results |= {item.variant_ref: _told(item) for item in sent}
            try:
                answer = self._shops.call(
                    STOCK_UPDATE, body={"skus": [_body(item) for item in sent]}, ids={"product_id": product}
                )
                results |= _failures(answer, [item.variant_ref for item in sent], product)
            except RejectedError as error:
                refused = [item.variant_ref for item in sent]
                results |= {ref: _refused(ref, error.code, error.what, error.do, lasting=True) for ref in refused}
        return [results[item.variant_ref] for item in items]

    def _is_unsendable(self, item: SellableStock) -> bool:
        return not self._connection.settings.zero_allowed and any(units <= 0 for units in item.quantities.values())


def _levels(product: Json, at: datetime) -> Iterator[StockLevel]:
    for sku in children(product, "skus"):
        for place in children(sku, "warehouse_inventory"):
            ref, location = text(sku, "id"), text(place, "warehouse_id")
            available = whole(place, "available_quantity") or 0
            committed = whole(place, "committed_quantity") or 0
            if ref and location:
                yield StockLevel(
                    variant_ref=ref,
                    location_ref=location,
                    in_stock=Decimal(available + committed),
                    committed=Decimal(committed),
                    at=at,
                )


def _body(item: SellableStock) -> Json:
    quantities = [
        {"warehouse_id": place, "quantity": max(0, min(units, MOST))} for place, units in item.quantities.items()
    ]
    return {"id": item.variant_ref, "inventory": quantities}


def _told(item: SellableStock) -> ItemResult:
    over = max(item.quantities.values()) > MOST
    warnings = (f"TikTok Shop takes {MOST} units at most, so it was told that",) if over else ()
    return ItemResult(ref=item.variant_ref, warnings=warnings)


def _failures(answer: Json, sent: list[str], product: str) -> dict[str, ItemResult]:
    """Return what went wrong by SKU; a fault that names none concerns every SKU of the call (T-99)."""
    failed: dict[str, ItemResult] = {}
    for fault in children(answer, "errors"):
        detail = child(fault, "detail")
        named = text(detail, "sku_id")
        inner = next(iter(children(detail, "extra_errors")), {})
        code = whole(inner, "code") or whole(fault, "code") or 0
        message = text(inner, "message") or text(fault, "message") or "no reason given"
        row = row_of(code, message)
        place = text(inner, "warehouse_id")
        where = f" at warehouse {place}" if place else ""
        for ref in [named] if named in sent else sent:
            what = f"TikTok Shop refuses the stock of SKU {ref} of product {product}{where}: {message} (code {code})"
            failed[ref] = _refused(ref, row.slug, what, row.do, lasting=row.kind is not Kind.RETRY)
    return failed


def _zero_refused(item: SellableStock) -> ItemResult:
    what = f"this account takes no stock of 0, and SKU {item.variant_ref} is sold out"
    return _refused(item.variant_ref, QUANTITY.slug, what, QUANTITY.do, lasting=True)


def _refused(ref: str, code: str, what: str, do: str, *, lasting: bool) -> ItemResult:
    return ItemResult(ref=ref, error=what, code=code, do=do, lasting=lasting)
