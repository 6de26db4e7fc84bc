"""Products as the search and the detail call show them (8.1, 8.2)."""

from __future__ import annotations

from decimal import Decimal

from tiktok_simulator.catalogue.product import Product, Sku
from tiktok_simulator.markets import MARKETS, Market
from tiktok_simulator.products import Products
from tiktok_simulator.wire import Json


def short(products: Products, product: Product) -> Json:
    """A product in the search."""
    market = MARKETS[products.shops.shop(product.shop).region]
    return {
        "id": product.id,
        "title": product.title,
        "status": product.status,
        "create_time": product.create_time,
        "update_time": product.update_time,
        "sales_regions": [market.region],
        "audit": {"status": product.audit},
        "is_not_for_sale": False,
        "has_draft": product.review is not None,
        "skus": [_sku(sku, market) for sku in product.skus],
    }


def whole(products: Products, product: Product, document: Json | None = None) -> Json:
    """A product with everything that was sent for it; a version under review replaces the live document."""
    market = MARKETS[products.shops.shop(product.shop).region]
    shown = {**product.document, **(document or {})}
    brand_id = shown.pop("brand_id", None)
    category_id = shown.pop("category_id", None)
    images = [_image(one) for one in shown.pop("main_images", [])]
    for name in ("skus", "save_mode", "idempotency_key", "category_version", "title"):
        shown.pop(name, None)
    return {
        **shown,
        "id": product.id,
        "title": (document or {}).get("title", product.title),
        "status": product.status,
        "product_status": product.status,
        "create_time": product.create_time,
        "update_time": product.update_time,
        "audit": {"status": product.audit},
        "main_images": images,
        "category_chains": [{"id": category_id, "parent_id": "0", "is_leaf": True}] if category_id else [],
        **({"brand": {"id": brand_id, "name": f"Brand {brand_id}"}} if brand_id else {}),
        **({"audit_failed_reasons": product.failed_reasons} if product.failed_reasons else {}),
        "skus": [
            _sku(sku, market) | {name: value for name, value in sku.more.items() if value} | _parts(sku)
            for sku in product.skus
        ],
    }


def _image(one: Json) -> Json:
    url = f"https://p16.tiktok.example/{one['uri']}"
    return {"uri": one["uri"], "urls": [url], "thumb_urls": [url], "width": 800, "height": 800}


def _sku(sku: Sku, market: Market) -> Json:
    status: Json = {"status": "DEACTIVATED", "deactivation_source": "SELLER"} if sku.is_off else {"status": "NORMAL"}
    stock = []
    for key, one in sku.stock.items():
        more = {"backorder_quantity": one.backorder, "handling_time": one.handling_time}
        stock.append(
            {"warehouse_id": key, "quantity": one.shown} | {n: value for n, value in more.items() if value is not None}
        )
    price = _amount(sku.price, market)
    return {
        "id": sku.goods.sku_id,
        "seller_sku": sku.goods.seller_sku,
        "price": {"currency": market.currency, "tax_exclusive_price": price}
        | ({"sale_price": price} if market.tax_included else {}),
        "inventory": stock,
        "status_info": status,
    }


def _amount(price: Decimal, market: Market) -> str:
    return str(price if price == price.quantize(market.cent) else price.quantize(market.cent))


def _parts(sku: Sku) -> Json:
    if not sku.parts:
        return {}
    return {
        "combined_skus": [
            {"product_id": part.goods.product_id, "sku_id": part.goods.sku_id, "sku_count": part.count}
            for part in sku.parts
        ]
    }
