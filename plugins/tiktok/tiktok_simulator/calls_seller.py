"""Calls about the seller: shops, permissions, warehouses, delivery, products, stock."""

from __future__ import annotations

from tiktok_simulator.feed import cut
from tiktok_simulator.gateway import Call
from tiktok_simulator.page_tokens import page_token, read_page_token
from tiktok_simulator.params import Params
from tiktok_simulator.products import Product, Sku
from tiktok_simulator.shops import STANDARD_OPTION
from tiktok_simulator.wire import ApiError, Json
from tiktok_simulator.world import World

WAREHOUSE_UNKNOWN = 12052097
OPTION_UNKNOWN = 21008116
TOO_MANY_SELLER_SKUS = 12019027
TOO_MANY_SKU_IDS = 12019087
TOO_MANY_PRODUCTS = 12019120
TOO_MANY_SKUS = 12019015
TOO_MANY_RESULTS = 12052180
PRODUCT_FILTERS: dict[str, type] = {
    "status": str,
    "seller_skus": list,
    "sku_ids": list,
    "create_time_ge": int,
    "create_time_le": int,
    "update_time_ge": int,
    "update_time_le": int,
    "category_version": str,
    "listing_quality_tiers": list,
    "listing_platforms": list,
    "audit_status": list,
    "sns_filter": str,
    "return_draft_version": bool,
}


def authorized_shops(world: World, call: Call) -> Json:
    """The shops behind the token (T-19)."""
    return {"shops": [shop.as_dict() for shop in world.shops.authorised]}


def active_shops(world: World, call: Call) -> Json:
    """The active shops of the seller."""
    return {"shops": [{"id": shop.id, "region": shop.region} for shop in world.shops.authorised]}


def permissions(world: World, call: Call) -> Json:
    """What the seller may do beyond one shop."""
    return {"permissions": ["MANAGE_GLOBAL_PRODUCT"] if len(world.shops.authorised) > 1 else []}


def warehouses(world: World, call: Call) -> Json:
    """All warehouses of the shop, unpaged (T-78); TikTok's own ones as the switch says (T-77)."""
    listed = world.options["fbt_warehouse_listed"] == "yes"
    found = [w for w in world.shops.warehouses_of(call.of_shop.id) if listed or not w.is_fbt]
    return {"warehouses": [warehouse.as_dict() for warehouse in found]}


def fbt_warehouses(world: World, call: Call) -> Json:
    """TikTok's own warehouses with the ids that orders and products show for them (T-77)."""
    found = [w for w in world.shops.warehouses_of(call.of_shop.id) if w.is_fbt]
    return {
        "warehouses": [
            {"fbt_warehouse_id": w.entity_id, "warehouse_ids": [w.id], "name": w.name, "subscribed": True}
            for w in found
        ]
    }


def delivery_options(world: World, call: Call) -> Json:
    """The delivery options of one warehouse."""
    warehouse = world.shops.warehouses.get(call.values["warehouse_id"])
    if warehouse is None or warehouse.shop != call.of_shop.id:
        raise ApiError(WAREHOUSE_UNKNOWN, "The warehouse is unknown")
    return {"delivery_options": world.shops.delivery_options(warehouse)}


def shipping_providers(world: World, call: Call) -> Json:
    """The carriers of one delivery option."""
    if not call.values["delivery_option_id"].startswith(STANDARD_OPTION[:-1]):
        raise ApiError(OPTION_UNKNOWN, "The delivery option is not subscribed")
    return {"shipping_providers": world.shops.providers(call.of_shop.region)}


def prerequisites(world: World, call: Call) -> Json:
    """Whether the shop is ready to publish products."""
    items = ("SHOP_STATUS", "SHOP_TAX", "PICKUP_WAREHOUSE", "RETURN_WAREHOUSE", "DELIVERY_OPTION", "SHIPPING_TEMPLATE")
    kinds = {w.type for w in world.shops.warehouses_of(call.of_shop.id) if w.effect_status == "ENABLED"}
    missing = {"PICKUP_WAREHOUSE": "SALES_WAREHOUSE" not in kinds, "RETURN_WAREHOUSE": "RETURN_WAREHOUSE" not in kinds}
    return {
        "check_results": [
            {"check_item": item, "is_failed": missing.get(item, False),
             "fail_reasons": ["No such warehouse is set up"] if missing.get(item) else []}
            for item in items
        ]
    }  # fmt: skip


def search_products(world: World, call: Call) -> Json:
    """A page of products with SKUs, prices and stock; time bounds include both ends, unlike orders."""
    params = Params(world, call)
    size = params.size(100, 20)
    filters = params.take(PRODUCT_FILTERS)
    if len(filters.get("seller_skus", [])) > 10:
        raise params.wrong("at most 10 seller_skus", TOO_MANY_SELLER_SKUS)
    if len(filters.get("sku_ids", [])) > 10:
        raise params.wrong("at most 10 sku_ids", TOO_MANY_SKU_IDS)
    found = {p.id: p for p in world.products.of_shop(call.of_shop.id) if _fits(p, filters)}
    if len(found) > 10_000:
        raise params.wrong("more than 10000 results, narrow the window", TOO_MANY_RESULTS)
    question = {"shop": call.of_shop.id, "products": filters}
    place = read_page_token(world, params, question)
    rows = [(product.create_time, product.id) for product in found.values()]
    by_row = world.options["paging"] == "offset"
    page = cut(rows, size, place, descending=False, by_row=by_row, shift=world.shift)
    token = page_token(page.following, question, world.clock.now()) if page.following else ""
    data: Json = {"products": [world.products.as_dict(found[one]) for one in page.ids], "total_count": len(rows)}
    if token or world.options["last_page"] == "empty":
        data["next_page_token"] = token
    return data


def _fits(product: Product, filters: Json) -> bool:
    status = filters.get("status", "ALL")
    times = {"create_time": product.create_time, "update_time": product.update_time}
    in_time = all(
        filters.get(f"{name}_ge", 0) <= value <= filters.get(f"{name}_le", value) for name, value in times.items()
    )
    goods = [sku.goods for sku in product.skus]
    by_seller_sku, by_sku_id = filters.get("seller_skus"), filters.get("sku_ids")
    return (
        status in ("ALL", product.status)
        and in_time
        and (not by_seller_sku or any(one.seller_sku in by_seller_sku for one in goods))
        and (not by_sku_id or any(one.sku_id in by_sku_id for one in goods))
    )


def search_inventory(world: World, call: Call) -> Json:
    """What can still be sold and what orders hold, by product or by SKU; SKU ids win if both are given."""
    params = Params(world, call)
    body = params.take({"product_ids": list, "sku_ids": list})
    products, skus = body.get("product_ids") or [], body.get("sku_ids") or []
    if len(products) > 100:
        raise params.wrong("at most 100 product_ids", TOO_MANY_PRODUCTS)
    if len(skus) > 600:
        raise params.wrong("at most 600 sku_ids", TOO_MANY_SKUS)
    if not products and not skus:
        raise params.wrong("product_ids or sku_ids is required")
    found = []
    for product in world.products.of_shop(call.of_shop.id):
        shown = [s for s in product.skus if s.goods.sku_id in skus] if skus else product.skus
        if shown and (skus or product.id in products):
            entries = [_stock_of(one) for one in shown]
            found.append({"product_id": product.id, "skus": entries})
    return {"inventory": found}


def _stock_of(sku: Sku) -> Json:
    return {
        "id": sku.goods.sku_id,
        "seller_sku": sku.goods.seller_sku,
        "total_available_quantity": sum(one.available for one in sku.stock.values()),
        "total_committed_quantity": sum(one.committed for one in sku.stock.values()),
        "warehouse_inventory": [
            {"warehouse_id": key, "available_quantity": one.available, "committed_quantity": one.committed}
            for key, one in sku.stock.items()
        ],
    }
