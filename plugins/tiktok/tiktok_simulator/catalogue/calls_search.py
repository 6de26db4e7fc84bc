"""Product search (8.1)."""

from __future__ import annotations

from tiktok_simulator.catalogue.product import STATUSES, Product
from tiktok_simulator.catalogue.views import short
from tiktok_simulator.gateway import Call
from tiktok_simulator.lists import page_of
from tiktok_simulator.params import Params
from tiktok_simulator.wire import Json
from tiktok_simulator.world import World

TOO_MANY_SELLER_SKUS = 12019027
TOO_MANY_SKU_IDS = 12019087
TOO_MANY_RESULTS = 12052180
FILTERS: Json = {
    "status": ("ALL", *STATUSES),
    "seller_skus": [str],
    "sku_ids": [str],
    "create_time_ge": int,
    "create_time_le": int,
    "update_time_ge": int,
    "update_time_le": int,
    "category_version": str,
    "listing_quality_tiers": [str],
    "listing_platforms": [str],
    "audit_status": [("AUDITING", "FAILED", "APPROVED")],
    "sns_filter": str,
    "return_draft_version": bool,
}


def search_products(world: World, call: Call) -> Json:
    """A page of products with SKUs, prices and stock; time bounds include both ends, unlike orders."""
    params = Params(world, call)
    params.asked("page_size", "page_token")
    size = params.size(100, 20)
    filters = params.shaped(FILTERS)
    if len(filters.get("seller_skus", [])) > 10:
        raise params.wrong("at most 10 seller_skus", TOO_MANY_SELLER_SKUS)
    if len(filters.get("sku_ids", [])) > 10:
        raise params.wrong("at most 10 sku_ids", TOO_MANY_SKU_IDS)
    found = {one.id: one for one in world.products.of_shop(call.of_shop.id) if _fits(one, filters)}
    most = world.options.seconds("search_result_limit")
    if len(found) > most:
        raise params.wrong(f"more than {most} results, narrow the window", TOO_MANY_RESULTS)
    rows = [(one.create_time, one.id) for one in found.values()]
    ids, tail = page_of(world, call, rows, size, {"products": filters}, descending=False)
    return {"products": [short(world.products, found[one]) for one in ids], **tail}


def _fits(product: Product, filters: Json) -> bool:
    status, audits = filters.get("status", "ALL"), filters.get("audit_status")
    if status not in ("ALL", product.status) or (audits and product.audit not in audits):
        return False
    for name, value in (("create_time", product.create_time), ("update_time", product.update_time)):
        if not filters.get(f"{name}_ge", value) <= value <= filters.get(f"{name}_le", value):
            return False
    by_seller_sku, by_sku_id = filters.get("seller_skus"), filters.get("sku_ids")
    goods = [sku.goods for sku in product.skus]
    return (not by_seller_sku or any(one.seller_sku in by_seller_sku for one in goods)) and (
        not by_sku_id or any(one.sku_id in by_sku_id for one in goods)
    )
