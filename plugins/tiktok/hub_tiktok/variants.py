"""A product of TikTok Shop as the hub's Variants; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from hub.contract import Variant
from hub_tiktok.payload import Json, UnreadableError, child, children, instant, number, text, texts

WHY_NOT = {  # T-97: statuses in which TikTok lets nobody set stock, in words
    "DRAFT": "a draft",
    "PENDING": "under review",
    "FAILED": "refused by the review",
    "SELLER_DEACTIVATED": "deactivated by the seller",
    "PLATFORM_DEACTIVATED": "deactivated by TikTok Shop",
    "FREEZE": "frozen by TikTok Shop",
    "DELETED": "deleted",
}
DELETED = "DELETED"


def variants(product: Json, channel_run: Collection[str]) -> Iterator[Variant]:
    """Yield one Variant per SKU of a product; SKUs without an id cannot be named and are left out.

    Args:
        channel_run: ids of TikTok's own warehouses, which are no target of stock (T-77).
    """
    status = text(product, "status")
    skus = [sku for sku in children(product, "skus") if text(sku, "id")]
    for sku in skus:
        stocked = [place for item in children(sku, "inventory") if (place := text(item, "warehouse_id"))]
        places = tuple(dict.fromkeys(place for place in stocked if place not in channel_run))
        why = _why_not(product, sku, status, stocked, places)
        yield Variant(
            ref=text(sku, "id"),
            sku=text(sku, "seller_sku") or None,
            name=_name(product, sku, is_only=len(skus) == 1),
            product_ref=text(product, "id") or None,
            kind="bundle" if _is_bundle(product, sku) else "product",
            gone=status == DELETED,
            updated_at=instant(product, "update_time"),
            places=places,
            stockable=not why,
            status=why or status,
            product_name=text(product, "title"),
            **_price(sku),
        )


def _price(sku: Json) -> Json:
    """Return what a seller set as price; the answer names it by the kind of seller and market (T-95)."""
    price = child(sku, "price")
    try:
        amounts = [number(price, name) for name in ("sale_price", "tax_exclusive_price", "amount")]
    except UnreadableError:
        amounts = []
    amount = next((each for each in amounts if each is not None), None)
    return {"price": amount, "currency": text(price, "currency") or None if amount is not None else None}


def _why_not(product: Json, sku: Json, status: str, stocked: list[str], places: tuple[str, ...]) -> str:
    """Return why nobody may set the stock of a SKU; empty where one may (T-97)."""
    state = child(sku, "status_info")
    if status != "ACTIVATE":
        return f"{status or 'without status'}: {WHY_NOT.get(status, 'not on sale')}"
    if _is_bundle(product, sku):
        return "a bundle: its stock follows its parts"
    if text(state, "status") not in ("", "NORMAL"):
        by = text(state, "deactivation_source").lower() or "somebody"
        return f"{text(state, 'status')}: this SKU was deactivated by {by}"
    if text(child(sku, "global_listing_policy"), "inventory_type") == "SHARED":
        return "its stock is shared with a global product"
    if not places:
        return "kept in TikTok Shop's own warehouse" if stocked else "in no warehouse"
    return ""


def _is_bundle(product: Json, sku: Json) -> bool:
    is_combined = any("COMBINED" in kind for kind in texts(product, "product_types"))
    source = text(child(sku, "status_info"), "deactivation_source")
    return is_combined or bool(children(sku, "combined_skus")) or source == "COMBO_RELATION"


def _name(product: Json, sku: Json, *, is_only: bool) -> str:
    """Return the title, and what tells this SKU from its siblings."""
    options = [text(each, "value_name") for each in children(sku, "sales_attributes")]
    own = ", ".join(option for option in options if option) or ("" if is_only else text(sku, "seller_sku"))
    return ", ".join(part for part in (text(product, "title"), own) if part)
