"""A Listing as TikTok Shop takes it; pure. Sources: T-118, T-119."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from html import escape

from hub.contract import ListedVariant, Listing, Publish
from hub_tiktok.listing_needs import Needs
from hub_tiktok.payload import Json

SAVE_MODES = {Publish.DRAFT: "AS_DRAFT", Publish.LISTING: "LISTING"}
MOST_KEY = 128
GRAMS = Decimal(1000)
BARCODES = {8: "EAN", 12: "UPC", 13: "EAN", 14: "GTIN"}


def missing(listing: Listing) -> list[str]:
    """Return what a new listing lacks that no look-up could find."""
    lacks = {
        "a description": listing.description,
        "pictures": listing.pictures,
        "its weight": listing.weight_g,
        "its package's length, width and height": listing.size_cm,
    }
    wanted = [name for name, value in lacks.items() if not value]
    kinds = {tuple(sorted(variant.options)) for variant in listing.variants}
    if len(listing.variants) > 1 and (len(kinds) > 1 or () in kinds):
        wanted.append("the same options, such as a colour, on each of its variants")
    return wanted


def created(
    listing: Listing, needs: Needs, images: Sequence[Json], place: str, *, is_global: bool, version: str
) -> Json:
    """Return the body that makes a listing.

    Args:
        place: the warehouse of variants that name none; they begin without stock.
        is_global: the seller sells across borders, whose prices have another name.
    """
    skus = [
        {
            "seller_sku": variant.sku,
            "inventory": _inventory(variant, place),
            "price": price_of(variant, listing.currency, is_global=is_global),
            "sales_attributes": [{"name": name, "value_name": value} for name, value in variant.options.items()],
            **_barcode(variant),
        }
        for variant in listing.variants
    ]
    return {
        **described(listing),
        **_found(needs),
        "category_id": needs.category,
        "category_version": version,
        "main_images": list(images),
        "skus": [{name: value for name, value in sku.items() if value} for sku in skus],
        "save_mode": SAVE_MODES[listing.publish],
        "idempotency_key": _key(listing.key),
    }


def described(listing: Listing) -> Json:
    """Return a listing's own top-level properties; those it does not state are left out."""
    body: Json = {"title": listing.title}
    if listing.description:
        body["description"] = _html(listing.description)
    if listing.weight_g is not None:
        body["package_weight"] = {"value": _plain(listing.weight_g / GRAMS), "unit": "KILOGRAM"}
    if listing.size_cm is not None:
        sides = zip(("length", "width", "height"), listing.size_cm, strict=True)
        body["package_dimensions"] = {**{name: str(_whole(side)) for name, side in sides}, "unit": "CENTIMETER"}
    return body


def edited(listing: Listing, needs: Needs) -> Json:
    """Return what an edit may say besides pictures. Never SKUs: one that is left out would be deleted (T-119)."""
    return {**described(listing), **_found(needs)}


def price_of(variant: ListedVariant, currency: str, *, is_global: bool) -> Json:
    """Return a price as TikTok takes it from this kind of seller (T-119)."""
    return {"sale_price" if is_global else "amount": _plain(variant.price), "currency": currency}


def _found(needs: Needs) -> Json:
    found: Json = {"product_attributes": needs.attributes, "brand_id": needs.brand}
    return {name: value for name, value in found.items() if value}


def _inventory(variant: ListedVariant, place: str) -> list[Json]:
    quantities = variant.quantities or ({place: 0} if place else {})
    return [{"warehouse_id": ref, "quantity": max(0, min(units, 99_999))} for ref, units in quantities.items()]


def _barcode(variant: ListedVariant) -> Json:
    kind = BARCODES.get(len(variant.barcode or ""))
    return {"identifier_code": {"code": variant.barcode, "type": kind}} if kind else {}


def _key(key: str) -> str:
    return key if len(key) <= MOST_KEY else hashlib.sha256(key.encode()).hexdigest()


def _html(words: str) -> str:
    if "<" in words and ">" in words:
        return words
    return "".join(f"<p>{escape(part.strip())}</p>" for part in words.splitlines() if part.strip())


def _whole(side: Decimal) -> int:
    return max(1, int(side.to_integral_value(rounding="ROUND_CEILING")))


def _plain(amount: Decimal) -> str:
    return format(amount.normalize(), "f")
