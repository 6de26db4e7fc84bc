"""Categories, attributes, rules, brands, recommendation (8.9)."""

from __future__ import annotations

from tiktok_simulator.catalogue.codes import refusal
from tiktok_simulator.catalogue.taxonomy import ATTRIBUTES, BRANDS, CATEGORIES, Category, chain, listed, recommended
from tiktok_simulator.gateway import Call
from tiktok_simulator.lists import page_of
from tiktok_simulator.params import Params
from tiktok_simulator.shops import stable_id
from tiktok_simulator.wire import Json
from tiktok_simulator.world import World

RECOMMEND: Json = {"product_title*": str, "description": str, "images": [{"uri*": str}], "category_version": str,
                   "listing_platform": str}  # fmt: skip


def _check_version(world: World, version: str) -> None:
    if version and version != world.options["category_version"]:
        raise refusal(12052217)


def _leaf(world: World, call: Call, params: Params) -> Category:
    _check_version(world, params.text("category_version"))
    category = CATEGORIES.get(call.values["category_id"])
    if category is None:
        raise refusal(12052023)
    if not category.is_leaf:
        raise refusal(12052230)
    return category


def categories(world: World, call: Call) -> Json:
    """The whole tree, or what fits a keyword."""
    params = Params(world, call)
    params.asked("locale", "keyword", "category_version", "listing_platform", "include_prohibited_categories")
    _check_version(world, params.text("category_version"))
    return {"categories": listed(params.text("keyword"))}


def attributes(world: World, call: Call) -> Json:
    """The attributes of a leaf; `is_requried` is the field's real name."""
    params = Params(world, call)
    params.asked("locale", "category_version")
    _leaf(world, call, params)
    return {"attributes": list(ATTRIBUTES)}


def rules(world: World, call: Call) -> Json:
    """What products of a leaf must bring."""
    params = Params(world, call)
    params.asked("locale", "category_version")
    category = _leaf(world, call, params)
    in_eu = call.of_shop.region in ("DE", "FR", "ES", "IT", "IE")
    return {
        "product_certifications": [
            {"id": "7182427311584347905", "name": "Safety", "is_required": category.needs_certificate}
        ],
        "size_chart": {"is_supported": category.id == "601302", "is_required": False},
        "cod": {"is_supported": False},
        "package_dimension": {"is_required": True},
        "epr": {"is_required": False},
        "responsible_person": {"is_required": in_eu},
        "manufacturer": {"is_required": in_eu},
        "allowed_special_product_types": ["COMBINED_PRODUCT"],
        "fees": [],
    }  # fmt: skip


def brands(world: World, call: Call) -> Json:
    """A page of brands; the docs misspell one authorized_status, and so does this."""
    params = Params(world, call)
    params.asked("page_size", "page_token", "category_id", "is_authorized", "brand_name", "category_version")
    size = params.size(100, 20)
    wanted, name = params.text("is_authorized"), params.text("brand_name").lower()
    known = BRANDS | {key: {"name": text, "authorized_status": "AUTHORIZED"} for key, text in world.brands.items()}
    rows = sorted(
        (0, key)
        for key, one in known.items()
        if name in one["name"].lower() and (not wanted or (one["authorized_status"] == "AUTHORIZED") == (wanted == "1"))
    )
    ids, tail = page_of(world, call, rows, size, {"brands": name, "authorized": wanted}, descending=False)
    found = [{"id": one, **known[one], "is_t1_brand": False, "brand_status": "ONLINE"} for one in ids]
    return {"brands": found, **tail}


def create_brand(world: World, call: Call) -> Json:
    """A brand of the seller's own."""
    params = Params(world, call)
    params.asked()
    name = str(params.shaped({"name*": str})["name"])
    if not 2 <= len(name) <= 30:
        raise params.wrong("name must be 2 to 30 characters")
    brand_id = stable_id("7082", "brand", name)
    world.brands[brand_id] = name
    world.wrote = True
    return {"id": brand_id}


def recommend(world: World, call: Call) -> Json:
    """The leaf that fits a title."""
    params = Params(world, call)
    params.asked()
    body = params.shaped(RECOMMEND)
    _check_version(world, str(body.get("category_version", "")))
    leaf = recommended(str(body["product_title"]))
    return {"leaf_category_id": leaf.id, "categories": chain(leaf)}
