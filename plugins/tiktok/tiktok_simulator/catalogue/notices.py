"""What webhooks tell of products and their stock; most of these carry ids as JSON numbers (T-130)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime

from tiktok_simulator.catalogue.product import Product, Sku
from tiktok_simulator.webhooks.outlet import Outlet
from tiktok_simulator.webhooks.topics import AUDIT, PRODUCT, PRODUCT_INFO, PRODUCT_MADE, STOCK, as_number
from tiktok_simulator.wire import Json

LIVE, CHANGED, FAILED = "PRODUCT_FIRST_PASS_REVIEW", "PRODUCT_STATUS_CHANGED", "PRODUCT_AUDIT_FAILURE"
BY_SELLER, BY_API = "SELLER_CENTER", "OPEN_API"
_numbers = itertools.count(1)


def tell_made(outlet: Outlet, product: Product) -> None:
    """A product was made."""
    kinds = ["COMBINED_PRODUCT"] if any(sku.parts for sku in product.skus) else []
    data = {"product_id": as_number(product.id), "product_types": kinds, "update_time": product.update_time}
    outlet.tell(product.shop, PRODUCT_MADE, data, product.update_time)


def tell_status(outlet: Outlet, product: Product, word: str = CHANGED) -> None:
    """A product has come to a status, of which the notice names only the kind."""
    reasons = "; ".join(reason for one in product.failed_reasons for reason in one["reasons"])
    data = {"product_id": as_number(product.id), "status": word, "suspended_reason": reasons}
    outlet.tell(product.shop, PRODUCT, data | {"update_time": product.update_time}, product.update_time)


def tell_audit(outlet: Outlet, product: Product) -> None:
    """The audit of a product has begun, or ended."""
    data = {"product_id": as_number(product.id), "audit": {"status": product.audit}}
    outlet.tell(product.shop, AUDIT, data | {"update_time": product.update_time}, product.update_time)


def tell_edited(outlet: Outlet, product: Product, fields: Iterable[str], source: str, at: int) -> None:
    """What a product says of itself is another from now on."""
    data = {"product_id": product.id, "change_source": source, "changed_fields": sorted(fields), "update_time": at}
    outlet.tell(product.shop, PRODUCT_INFO, data, at)


def tell_stock(outlet: Outlet, product: Product, sku: Sku, available: int, committed: int, source: str) -> None:
    """A SKU's stock has moved; the words for what moved it are ours, but for orders that come and ship (T-129)."""
    if not outlet.address_of(product.shop, STOCK):
        return  # the one notice that happens with every order
    number = next(_numbers)
    change: Json = {
        "available_quantity_delta": available,
        "committed_quantity_delta": committed,
        "total_quantity_delta": available + committed,
        "trigger_source": source,
        "idempotency_key": f"{sku.goods.sku_id}-{number}",
    }
    left, held = (sum(getattr(s, name) for s in sku.stock.values()) for name in ("shown", "committed"))
    data: Json = {
        "event_id": f"{sku.goods.sku_id}:{number}",
        "occurred_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z"),
        "product_id": as_number(product.id),
        "sku_id": as_number(sku.goods.sku_id),
        "seller_id": as_number(product.shop),
        "change_detail": [change],
        "quantity_snapshot_after_change": {
            "total_available_quantity": left,
            "total_committed_quantity": held,
            "total_quantity": left + held,
        },
    }
    outlet.tell(product.shop, STOCK, data)
