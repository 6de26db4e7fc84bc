"""Listings: new ones are made whole or not at all; known ones are edited property by property, never their stock."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from hub.contract import Connection, Finding, ItemResult, Listing, LocationKind, RejectedError
from hub_tiktok.check import location_findings
from hub_tiktok.client import Client
from hub_tiktok.codes import IMAGE
from hub_tiktok.endpoints import CREATE_PRODUCT, DELIVERY_OPTIONS, EDIT_PRODUCT, PREREQUISITES, PRICE_UPDATE
from hub_tiktok.listing_body import created, edited, missing, price_of
from hub_tiktok.listing_needs import Finder
from hub_tiktok.locations import Warehouses
from hub_tiktok.payload import Json, children, flag, parse, text, texts
from hub_tiktok.settings import TikTokSettings
from hub_tiktok.shops import Shops

ADD = "Add it in the ERP, or under products in the route file"


class Listings:
    """Publishes and edits listings of one shop."""

    def __init__(
        self, connection: Connection[TikTokSettings], client: Client, shops: Shops, warehouses: Warehouses
    ) -> None:
        self._connection = connection
        self._shops = shops
        self._warehouses = warehouses
        self._finder = Finder(connection, client, shops)

    def check(self) -> list[Finding]:
        """Say what a listing would fail for: a call, one or two for the warehouses, one for each sales warehouse."""
        results = children(self._shops.call(PREREQUISITES), "check_results")
        findings = [
            Finding(
                ok=False,
                what=f"{text(each, 'check_item') or 'a prerequisite'} is not ready: {_reasons(each)}",
                do="Complete it in Seller Center",
            )
            for each in results
            if flag(each, "is_failed")
        ]
        findings = findings or [Finding(ok=True, what=f"{len(results)} prerequisites of TikTok Shop are met")]
        places = self._warehouses.locations()
        findings += location_findings(places)
        for place in places:
            if place.kind is LocationKind.SHIPS and place.usable:
                findings.append(self._delivery(place.ref, place.name))
        return findings

    def _delivery(self, ref: str, name: str) -> Finding:
        data = self._shops.call(DELIVERY_OPTIONS, {"scope": "WAREHOUSE"}, ids={"warehouse_id": ref})
        options = [text(each, "name") or text(each, "id") for each in children(data, "delivery_options")]
        if options:
            return Finding(ok=True, what=f"delivery options of {name}: {', '.join(options)}")
        do = "Set up shipping for this warehouse in Seller Center"
        return Finding(ok=False, what=f"warehouse {name} has no delivery option", do=do)

    def push(self, listings: Sequence[Listing]) -> list[ItemResult]:
        """Publish new listings and edit known ones; one result each, by its key."""
        return [self._push(listing) for listing in listings]

    def _push(self, listing: Listing) -> ItemResult:
        try:
            return self._edit(listing, listing.ref) if listing.ref else self._create(listing)
        except RejectedError as error:
            if error.code == IMAGE.slug:
                self._finder.forget(listing.pictures)
            return _refused(error.code, listing, error.what, error.do)

    def _create(self, listing: Listing) -> ItemResult:
        """Make a listing: one call, and one for each new picture; before them what it needs is looked up."""
        needs = self._finder.of(listing, category=listing.category, is_new=True)
        place = self._place(listing)
        lacks = [*missing(listing), *needs.missing, *([] if place else ["a sales warehouse that is enabled"])]
        if lacks:
            what = f"the listing of {listing.title!r} lacks: {'; '.join(lacks)}"
            return _refused(
                "listing-incomplete", listing, what, "Add it in the ERP or under products in the route file"
            )
        settings = self._connection.settings
        body = created(
            listing,
            needs,
            self._finder.pictures(listing.pictures),
            place,
            is_global=self._is_global(),
            version=settings.category_version,
        )
        answer = self._shops.call(CREATE_PRODUCT, body=body)
        ref = text(answer, "product_id")
        if ref:
            self._remember(ref, _stated(listing), needs.category)
        return ItemResult(ref=listing.key, made=ref or None, warnings=_warnings(answer))

    def _edit(self, listing: Listing, ref: str) -> ItemResult:
        """Send what differs from what was last sent: one call for content, one for prices, none where nothing does.

        What TikTok shows is not read for this: it may be an older version than the one under review (T-119).
        """
        told = parse((self._connection.memory.get(_memory(ref)) or "").encode()) or {}
        stated = _stated(listing)
        changed = {name for name, digest in stated.items() if told.get(name) != digest}
        category = listing.category or text(told, "category") or None
        warnings: list[str] = []
        if changed - {"price"}:
            warnings += self._edit_content(listing, ref, changed, category)
        if "price" in changed:
            warnings += self._edit_prices(listing, ref)
        if changed:
            self._remember(ref, stated, category or "")
        return ItemResult(ref=listing.key, made=ref, warnings=tuple(warnings))

    def _edit_content(self, listing: Listing, ref: str, changed: set[str], category: str | None) -> list[str]:
        needs = self._finder.of(listing, category=category, is_new=False)
        if needs.missing:
            where = f"{self._connection.id}, product {ref}"
            what = f"the listing of {listing.title!r} lacks: {'; '.join(needs.missing)}"
            raise RejectedError(
                "listing-incomplete", what, where=where, do="Correct it under products in the route file"
            )
        body = {name: value for name, value in edited(listing, needs).items() if name in changed}
        if "main_images" in changed:
            body["main_images"] = self._finder.pictures(listing.pictures)
        warnings = []
        if listing.attributes and not category:
            warnings.append("its attributes were left as they are, since its category is not known here")
        if body:
            warnings += _warnings(self._shops.call(EDIT_PRODUCT, body=body, ids={"product_id": ref}))
        return warnings

    def _edit_prices(self, listing: Listing, ref: str) -> list[str]:
        is_global = self._is_global()
        skus = [
            {"id": variant.ref, "price": price_of(variant, listing.currency, is_global=is_global)}
            for variant in listing.variants
            if variant.ref
        ]
        if skus:
            self._shops.call(PRICE_UPDATE, body={"skus": skus}, ids={"product_id": ref})
        new = [variant.sku for variant in listing.variants if not variant.ref]
        return [f"not added to the listing, which would replace its SKUs: {', '.join(new)}"] if new else []

    def _place(self, listing: Listing) -> str:
        """Return the warehouse of variants that name none; no call is made where each names its own."""
        if all(variant.quantities for variant in listing.variants):
            return next(iter(listing.variants[0].quantities))
        places = [each for each in self._warehouses.locations() if each.kind is LocationKind.SHIPS and each.usable]
        first = sorted(places, key=lambda each: not each.is_default)
        return first[0].ref if first else ""

    def _is_global(self) -> bool:
        return self._shops.current().seller_type == "CROSS_BORDER"

    def _remember(self, ref: str, stated: dict[str, str], category: str) -> None:
        self._connection.memory.set(_memory(ref), json.dumps({**stated, "category": category}))


def _stated(listing: Listing) -> dict[str, str]:
    """Return a digest of each property that a listing states, by TikTok's name of it."""
    values: Json = {
        "title": listing.title,
        "description": listing.description,
        "package_weight": str(listing.weight_g) if listing.weight_g is not None else None,
        "package_dimensions": [str(side) for side in listing.size_cm] if listing.size_cm else None,
        "product_attributes": sorted(listing.attributes.items()),
        "brand_id": listing.brand,
        "main_images": [hashlib.sha256(picture.content).hexdigest() for picture in listing.pictures],
        "price": [(variant.sku, str(variant.price), listing.currency) for variant in listing.variants],
    }
    given = {name: value for name, value in values.items() if value}
    return {name: hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16] for name, value in given.items()}


def _warnings(answer: Json) -> tuple[str, ...]:
    return tuple(text(each, "message") for each in children(answer, "warnings") if text(each, "message"))


def _reasons(check: Json) -> str:
    listed = [*texts(check, "fail_reasons"), *(text(each, "message") for each in children(check, "fail_reasons"))]
    return "; ".join(reason for reason in listed if reason) or "no reason given"


def _refused(slug: str, listing: Listing, what: str, do: str) -> ItemResult:
    return ItemResult(ref=listing.key, error=what, code=slug, do=do, lasting=True)


def _memory(ref: str) -> str:
    return f"listing:{ref}"
