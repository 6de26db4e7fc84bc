"""What a listing needs besides what the ERP knows: pictures with TikTok, a category, its attributes, a brand."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from hub.contract import Connection, Listing, Picture, RejectedError
from hub_tiktok.client import Client, Files
from hub_tiktok.codes import REFUSED
from hub_tiktok.endpoints import BRANDS, CATEGORY_ATTRIBUTES, CATEGORY_GUESS, IMAGE_UPLOAD
from hub_tiktok.payload import Json, children, flag, text
from hub_tiktok.settings import TikTokSettings
from hub_tiktok.shops import Shops

MOST_PICTURES = 9  # T-118
MOST_BYTES = 10 * 1024 * 1024  # T-120
SHOWN_VALUES = 10


@dataclass(slots=True)
class Needs:
    """What was found for a listing, and what is missing of it, each in one clause."""

    missing: list[str] = field(default_factory=list)
    category: str = ""
    attributes: list[Json] = field(default_factory=list)
    brand: str = ""


class Finder:
    """Looks up, for one shop, what listings need; what it read once it keeps."""

    def __init__(self, connection: Connection[TikTokSettings], client: Client, shops: Shops) -> None:
        self._connection = connection
        self._client = client
        self._shops = shops
        self._attributes: dict[str, list[Json]] = {}
        self._brands: dict[str, str] = {}

    def pictures(self, pictures: tuple[Picture, ...]) -> list[Json]:
        """Return TikTok's names of some pictures: one call for each that it does not have yet (T-120)."""
        return [{"uri": self._picture(picture)} for picture in pictures[:MOST_PICTURES]]

    def _picture(self, picture: Picture) -> str:
        key = f"picture:{hashlib.sha256(picture.content).hexdigest()}"
        known = self._connection.memory.get(key)
        if known:
            return known
        files: Files = {
            "data": (picture.name, picture.content, picture.media_type),
            "use_case": (None, "MAIN_IMAGE", None),
        }
        uri = text(self._client.call(IMAGE_UPLOAD, files=files).data, "uri")
        if uri:
            self._connection.memory.set(key, uri)
        return uri

    def forget(self, pictures: tuple[Picture, ...]) -> None:
        """Have pictures uploaded anew, should TikTok no longer know them."""
        for picture in pictures:
            self._connection.memory.forget(f"picture:{hashlib.sha256(picture.content).hexdigest()}")

    def of(self, listing: Listing, *, category: str | None, is_new: bool) -> Needs:
        """Return what a listing needs: up to three calls, one each for category, attributes and brand (T-121).

        Args:
            category: the leaf category it shall be in; None: TikTok recommends one where the listing is new.
        """
        needs = Needs(category=category or "")
        if is_new and not needs.category:
            needs.category = self._recommended(listing)
            if not needs.category:
                needs.missing.append("a category: TikTok Shop recommends none")
        if needs.category and (is_new or listing.attributes):
            self._read_attributes(listing, needs, is_new=is_new)
        if listing.brand:
            needs.brand = self._brand(listing.brand, needs.category)
            if not needs.brand:
                needs.missing.append(f"the brand {listing.brand!r}: this shop has none of that name")
        return needs

    def _recommended(self, listing: Listing) -> str:
        body = {"product_title": listing.title, "category_version": self._connection.settings.category_version}
        if listing.description:
            body["description"] = listing.description
        return text(self._shops.call(CATEGORY_GUESS, body=body), "leaf_category_id")

    def _read_attributes(self, listing: Listing, needs: Needs, *, is_new: bool) -> None:
        given = {name.casefold(): value for name, value in listing.attributes.items()}
        used: set[str] = set()
        for attribute in self._attributes_of(needs.category):
            names = {text(attribute, "name").casefold(), text(attribute, "id")} & set(given)
            used |= names
            name, value = text(attribute, "name"), next((given[each] for each in names), None)
            if text(attribute, "type") == "SALES_PROPERTY":
                continue
            if value is None:
                if is_new and (flag(attribute, "is_requried") or flag(attribute, "is_required")):  # T-121: sic
                    needs.missing.append(f"the attribute {name!r}{_choice(attribute)}")
                continue
            found = _value(attribute, value)
            if found is None:
                needs.missing.append(f"a valid value of {name!r}: {value!r} is none{_choice(attribute)}")
            else:
                needs.attributes.append({"id": text(attribute, "id"), "values": [found]})
        needs.missing += [f"the category has no attribute {name!r}" for name in sorted(set(given) - used)]

    def _attributes_of(self, category: str) -> list[Json]:
        if category not in self._attributes:
            query = {"category_version": self._connection.settings.category_version, "locale": "en-US"}
            try:
                data = self._shops.call(CATEGORY_ATTRIBUTES, query, ids={"category_id": category})
            except RejectedError as error:
                if error.code != REFUSED.slug:
                    raise
                data = self._shops.call(CATEGORY_ATTRIBUTES, ids={"category_id": category})  # T-121
            self._attributes[category] = children(data, "attributes")
        return self._attributes[category]

    def _brand(self, name: str, category: str) -> str:
        if name not in self._brands:
            query = {
                "page_size": "100",
                "brand_name": name,
                "category_version": self._connection.settings.category_version,
            } | ({"category_id": category} if category else {})
            found = children(self._shops.call(BRANDS, query), "brands")
            same = (text(each, "id") for each in found if text(each, "name").casefold() == name.casefold())
            self._brands[name] = next(same, "")
        return self._brands[name]


def _value(attribute: Json, value: str) -> Json | None:
    """Return a value as TikTok takes it: one of its own by name or id, or free text where it allows that."""
    for offered in children(attribute, "values"):
        if value.casefold() in (text(offered, "name").casefold(), text(offered, "id")):
            return {"id": text(offered, "id")} if text(offered, "id") else {"name": text(offered, "name")}
    is_free = flag(attribute, "is_customizable") or not children(attribute, "values")
    return {"name": value} if is_free else None


def _choice(attribute: Json) -> str:
    names = [text(each, "name") for each in children(attribute, "values")][:SHOWN_VALUES]
    return f" (such as {', '.join(names)})" if names else ""
