"""The body of a product that is created or edited: its shape and the rules for its parts (8.8)."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from tiktok_simulator.catalogue.codes import refusal
from tiktok_simulator.catalogue.product import Sku, Stock
from tiktok_simulator.catalogue.taxonomy import ATTRIBUTES, CATEGORIES
from tiktok_simulator.markets import MARKETS
from tiktok_simulator.shops import SALES, Shop
from tiktok_simulator.wire import ApiError, Json
from tiktok_simulator.world import World

IMAGE: Json = {"uri*": str}
PRICE: Json = {"amount": str, "sale_price": str, "currency*": str}
SKU: Json = {
    "id": str,
    "sales_attributes": [{"id": str, "name": str, "value_id": str, "value_name": str, "sku_img": IMAGE}],
    "inventory": [{"warehouse_id*": str, "quantity": int, "backorder_quantity": int, "handling_time": int}],
    "price": PRICE,
    "list_price": {"amount*": str, "currency*": str},
    "external_list_prices": [dict],
    "seller_sku": str,
    "external_sku_id": str,
    "identifier_code": {"code*": str, "type*": ("GTIN", "EAN", "UPC", "ISBN", "JAN")},
    "combined_skus": [{"product_id*": str, "sku_id*": str, "sku_count*": int}],
}
EDIT: Json = {
    "title": str,
    "description": str,
    "category_id": str,
    "category_version": str,
    "main_images": [IMAGE],
    "skus": [SKU],
    "package_weight": {"value*": str, "unit*": ("GRAM", "KILOGRAM", "POUND")},
    "package_dimensions": {"length*": str, "width*": str, "height*": str, "unit*": ("CENTIMETER", "INCH")},
    "brand_id": str,
    "product_attributes": [{"id*": str, "values*": [{"id": str, "name": str}]}],
    "delivery_option_ids": [str],
    "size_chart": dict,
    "certifications": [dict],
    "video": {"id*": str},
    "manufacturer_ids": [str],
    "responsible_person_ids": [str],
    "is_cod_allowed": bool,
    "external_product_id": str,
    "save_mode": ("LISTING", "AS_DRAFT"),
}
REQUIRED = ("title", "description", "category_id", "main_images", "skus", "package_weight")
CREATE: Json = {(f"{name}*" if name in REQUIRED else name): shape for name, shape in EDIT.items()} | {
    "idempotency_key": str
}
# What a piece may cost on its own market, in its own currency (8.6).
RANGES = {
    "US": ("0.01", "7600"), "GB": ("0.01", "5600"), "DE": ("0.01", "6300"), "FR": ("0.01", "6300"),
    "ES": ("0.01", "6300"), "IT": ("0.01", "6300"), "IE": ("0.01", "6300"), "JP": ("1", "500000"),
    "MX": ("1", "50000"), "SG": ("0.01", "10000"), "TH": ("30", "260000"), "VN": ("1", "180000000"),
}  # fmt: skip
MANY_SKUS = frozenset({"BR", "DE", "FR", "ES", "IT", "IE", "JP", "MX", "GB", "US"})


def check(world: World, shop: Shop, body: Json) -> list[str]:
    """Refuse what breaks a rule; answers warnings about what is dropped."""
    if "title" in body and not 1 <= len(body["title"].strip()) <= 255:
        raise refusal(12052990, "title must be 1 to 255 characters")
    if "category_id" in body:
        _check_category(world, body)
    if len(body.get("main_images", [])) > 9:
        raise refusal(12019116, "at most 9 main_images")
    for image in body.get("main_images", []):
        if image["uri"] not in world.images:
            raise refusal(12019116, f"{image['uri']} was not uploaded")
    skus = body.get("skus")
    if skus is not None and not 1 <= len(skus) <= (300 if shop.region in MANY_SKUS else 100):
        raise refusal(12019015 if skus else 12052902)
    return _drop_attributes(body)


def _check_category(world: World, body: Json) -> None:
    version = body.get("category_version")
    if version is not None and version != world.options["category_version"]:
        raise refusal(12052217)
    category = CATEGORIES.get(body["category_id"])
    if category is None:
        raise refusal(12052023)
    if not category.is_leaf:
        raise refusal(12052230)


def _drop_attributes(body: Json) -> list[str]:
    """Attributes the category does not have are left out with a warning."""
    known = {one["id"] for one in ATTRIBUTES}
    given: list[Json] = body.get("product_attributes", [])
    kept = [one for one in given if one["id"] in known]
    if len(kept) < len(given):
        body["product_attributes"] = kept
    return [f"product_attributes {one['id']} was dropped" for one in given if one["id"] not in known]


def price_of(shop: Shop, price: Json) -> Decimal:
    """The amount of a price: `amount` of a local seller, `sale_price` of a global one."""
    market = MARKETS[shop.region]
    if price.get("currency") != market.currency:
        raise refusal(12052084)
    text = price.get("amount") if shop.seller_type == "LOCAL" else price.get("sale_price")
    if text is None:
        raise refusal(12052012 if shop.seller_type == "LOCAL" else 12052092)
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise refusal(12052012) from error
    if not amount.is_finite() or amount != amount.quantize(market.cent):
        raise refusal(12052012)
    low, high = RANGES[shop.region]
    if not Decimal(low) <= amount <= Decimal(high):
        raise refusal(12052073)
    return amount


def stock_of(world: World, shop: Shop, entries: list[Json], former: Sku | None) -> dict[str, Stock]:
    """The stock of a SKU as sent; warehouses that were there keep what orders hold."""
    found: dict[str, Stock] = {}
    for entry in entries:
        warehouse = world.shops.warehouses.get(entry["warehouse_id"])
        if warehouse is None or warehouse.shop != shop.id:
            raise refusal(12052097)
        if warehouse.type != SALES or warehouse.is_fbt:
            raise refusal(12052144 if warehouse.is_fbt else 12052532)
        quantity = int(entry.get("quantity", 0))
        if not 0 <= quantity <= 99_999:
            raise refusal(12052055)
        held = former.stock.get(warehouse.id) if former else None
        found[warehouse.id] = Stock(quantity, held.committed if held else 0)
    return found


def check_seller_sku(text: str) -> None:
    """1 to 50 characters without spaces, or none at all (8.1)."""
    if len(text) > 50 or " " in text:
        raise refusal(12052990, "seller_sku must be 1 to 50 characters without spaces")


def reason_of(error: ApiError) -> Json:
    """A refusal as listing_check tells it."""
    return {"code": error.code, "message": error.message}
