"""Listings: what is missing is named at once; new ones are made whole; known ones change without touching stock."""

from __future__ import annotations

import json
import struct
import zlib
from decimal import Decimal
from typing import Any

import httpx
import pytest

from hub.contract import ListedVariant, Listing, Picture, Publish, TransientError
from tests.plugins.tiktok.tiktok_bench import SHOP, Bench, Shop, shop_on_simulator, told

CREATE = "/product/202309/products"
UPLOAD, GUESS = "/product/202309/images/upload", "/product/202309/categories/recommend"
MUGS = "600154"


def _png(shade: int = 200, side: int = 400) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes([shade]) * side) * side
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _listing(**parts: Any) -> Listing:
    usual = {
        "key": "erp-product-1",
        "title": "Enamel mug, 350 ml, for indoors and outdoors",
        "description": "A mug of enamelled steel.\nHolds 350 ml.",
        "category": MUGS,
        "attributes": {},
        "pictures": (Picture(content=_png(), name="mug.png", media_type="image/png"),),
        "currency": "USD",
        "variants": (ListedVariant(sku="MUG-NEW", price=Decimal("12.50")),),
        "weight_g": Decimal(420),
        "size_cm": (Decimal(12), Decimal("10.5"), Decimal(10)),
    }
    return Listing(**{**usual, **parts})


ATTRIBUTES = [
    {
        "id": "100", "name": "Material", "type": "PRODUCT_PROPERTY", "is_requried": True, "is_customizable": False,
        "values": [{"id": "1", "name": "Steel"}, {"id": "2", "name": "Glass"}],
    },
    {"id": "101", "name": "Warranty", "type": "PRODUCT_PROPERTY", "is_requried": True, "is_customizable": True},
    {"id": "102", "name": "Colour", "type": "SALES_PROPERTY", "is_requried": True},
]  # fmt: skip


def _demanding() -> Bench:
    """A shop whose category of mugs asks for a material of its own list, and for words on the warranty."""

    def answer(request: httpx.Request) -> httpx.Response:
        place = {"id": "7001", "type": "SALES_WAREHOUSE", "effect_status": "ENABLED"}
        data = {
            "shops": [{"id": SHOP, "region": "US", "cipher": "c"}], "attributes": ATTRIBUTES, "brands": [],
            "warehouses": [place], "uri": "tos/1", "product_id": "1729",
        }  # fmt: skip
        return httpx.Response(200, json={"code": 0, "data": data})

    return told(answer)


def test_attributes_are_read_also_where_the_call_takes_no_query() -> None:
    """T-121, sheet 8.9: the page of this call names no query, those of its siblings do."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/attributes") and "locale" in request.url.params:
            return httpx.Response(200, json={"code": 36009004, "message": "Unexpected identifier: locale"})
        data = {
            "shops": [{"id": SHOP, "region": "US", "cipher": "c"}], "attributes": ATTRIBUTES,
            "warehouses": [{"id": "7001", "type": "SALES_WAREHOUSE", "effect_status": "ENABLED"}],
        }  # fmt: skip
        return httpx.Response(200, json={"code": 0, "data": data})

    (result,) = told(answer).connector.push_products([_listing(category="600001")])
    assert result.code == "listing-incomplete"
    assert "Material" in str(result.error)


def _published(shop: Shop, **parts: Any) -> Listing:
    """A listing that the shop now has."""
    listing = _listing(**parts)
    (result,) = shop.connector.push_products([listing])
    assert result.error is None, result
    shop.calls.clear()
    return listing.model_copy(update={"ref": result.made})


def _steps(shop: Shop) -> list[str]:
    return [path.split("/")[-1] for path in shop.paths()]


def test_a_shop_that_is_ready_says_so(shop: Shop) -> None:
    """T-117, T-109."""
    findings = shop.connector.check_listing()
    assert [finding for finding in findings if not finding.ok] == []
    assert any("delivery options of Main warehouse" in finding.what for finding in findings)
    assert _steps(shop) == ["prerequisites", "warehouses", "warehouses", "delivery_options"]


def test_every_prerequisite_that_fails_is_named() -> None:
    """T-117."""
    with shop_on_simulator({"failing_prerequisites": "SHOP_TAX,RETURN_WAREHOUSE"}) as shop:
        faults = [finding for finding in shop.connector.check_listing() if not finding.ok]
        assert [fault.what.split()[0] for fault in faults] == ["SHOP_TAX", "RETURN_WAREHOUSE"]
        assert all("Seller Center" in fault.do for fault in faults)


def test_a_new_listing_is_made_whole(shop: Shop) -> None:
    """T-118, T-120, T-121: attributes, one picture, the listing."""
    listing = _listing()
    (result,) = shop.connector.push_products([listing])
    assert (result.ref, result.error) == ("erp-product-1", None)
    assert result.made
    *_, upload, create = shop.calls
    assert [upload.url.path, create.url.path] == [UPLOAD, CREATE]
    assert "shop_cipher" not in upload.url.params
    body = json.loads(create.content)
    assert body["idempotency_key"] == "erp-product-1"
    assert body["save_mode"] == "AS_DRAFT"
    assert body["package_weight"] == {"value": "0.42", "unit": "KILOGRAM"}
    assert body["package_dimensions"]["width"] == "11"
    assert body["description"] == "<p>A mug of enamelled steel.</p><p>Holds 350 ml.</p>"
    assert body["skus"][0]["price"] == {"amount": "12.5", "currency": "USD"}
    assert body["skus"][0]["inventory"][0]["quantity"] == 0


def test_a_repeat_makes_no_second_listing(shop: Shop) -> None:
    """T-118: the key tells; the picture is not uploaded again (T-120)."""
    listing = _listing()
    (first,) = shop.connector.push_products([listing])
    shop.calls.clear()
    (second,) = shop.connector.push_products([listing])
    assert second.made == first.made
    assert UPLOAD not in shop.paths()


def test_all_that_a_listing_lacks_is_named_in_one_refusal() -> None:
    """T-118, T-121: nothing is uploaded or made."""
    bench = _demanding()
    bare = _listing(description=None, pictures=(), weight_g=None, size_cm=None, brand="No Such Brand")
    (result,) = bench.connector.push_products([bare])
    assert (result.code, result.lasting) == ("listing-incomplete", True)
    for word in ("description", "pictures", "weight", "length", "No Such Brand", "'Material'", "Steel", "'Warranty'"):
        assert word in (result.error or "")
    assert "Colour" not in (result.error or "")
    assert not {UPLOAD, CREATE} & set(bench.paths())


def test_attributes_are_sent_as_the_category_takes_them() -> None:
    """T-121: a value of its list by id, free words where it allows them."""
    bench = _demanding()
    given = {"material": "steel", "101": "Two years"}
    (result,) = bench.connector.push_products([_listing(attributes=given)])
    assert result.made == "1729"
    assert json.loads(bench.calls[-1].content)["product_attributes"] == [
        {"id": "100", "values": [{"id": "1"}]},
        {"id": "101", "values": [{"name": "Two years"}]},
    ]


def test_a_value_that_the_category_does_not_offer_names_some_that_it_does() -> None:
    """T-121."""
    given = {"Material": "Wood", "Warranty": "none", "Fuel": "coal"}
    (result,) = _demanding().connector.push_products([_listing(attributes=given)])
    assert result.code == "listing-incomplete"
    for word in ("'Wood' is none (such as Steel, Glass)", "no attribute 'fuel'"):
        assert word in (result.error or "")


def test_a_category_is_recommended_where_none_is_given(shop: Shop) -> None:
    """T-121."""
    (result,) = shop.connector.push_products([_listing(category=None, publish=Publish.LISTING)])
    assert result.error is None
    assert json.loads(shop.calls[-1].content)["save_mode"] == "LISTING"
    assert shop.paths()[0] == GUESS


def test_content_is_edited_by_what_changed_alone(shop: Shop) -> None:
    """T-119: no SKUs, no stock; the same again costs no call."""
    listing = _published(shop)
    (result,) = shop.connector.push_products([listing])
    assert result.error is None
    assert shop.paths() == []
    renamed = listing.model_copy(update={"title": "Enamel mug, 350 ml, blue, for the garden"})
    (result,) = shop.connector.push_products([renamed])
    assert result.error is None
    (call,) = shop.calls
    assert call.url.path == f"/product/202509/products/{listing.ref}/partial_edit"
    assert json.loads(call.content) == {"title": renamed.title}


def test_prices_are_changed_by_a_call_of_their_own(shop: Shop) -> None:
    """T-119: at once, and never with content."""
    shop.seed(products=[{"title": "Mug", "seller_sku": "MUG", "price": "9"}])
    (known,) = shop.connector.find_variants(["MUG"])
    listing = _listing(
        ref=known.product_ref, title="Mug", description=None, pictures=(), weight_g=None, size_cm=None,
        variants=(ListedVariant(sku="MUG", price=Decimal("10.50"), ref=known.ref),),
    )  # fmt: skip
    shop.connector.push_products([listing])
    shop.calls.clear()
    dearer = listing.model_copy(update={"variants": (listing.variants[0].model_copy(update={"price": Decimal(11)}),)})
    (result,) = shop.connector.push_products([dearer])
    assert result.error is None
    (call,) = shop.calls
    assert call.url.path == f"/product/202309/products/{known.product_ref}/prices/update"
    assert json.loads(call.content) == {"skus": [{"id": known.ref, "price": {"amount": "11", "currency": "USD"}}]}


def test_a_new_variant_of_a_known_listing_is_said_and_not_sent(shop: Shop) -> None:
    """T-119: a list of SKUs would delete those it leaves out."""
    listing = _published(shop)
    more = (*listing.variants, ListedVariant(sku="MUG-XL", price=Decimal(15)))
    (result,) = shop.connector.push_products([listing.model_copy(update={"variants": more})])
    assert result.error is None
    assert "MUG-XL" in " ".join(result.warnings)


def test_variants_carry_their_options_barcode_and_stock(shop: Shop) -> None:
    """T-118."""
    place = next(each.ref for each in shop.connector.list_locations() if each.kind.value == "ships")
    both = tuple(
        ListedVariant(
            sku=f"MUG-{colour}", price=Decimal("12.5"), options={"Color": colour}, barcode="4006381333931",
            quantities={place: 7},
        )
        for colour in ("Red", "Blue")
    )  # fmt: skip
    listing = _listing(variants=both)
    (result,) = shop.connector.push_products([listing])
    assert result.error is None
    red, _ = json.loads(shop.calls[-1].content)["skus"]
    assert red["sales_attributes"] == [{"name": "Color", "value_name": "Red"}]
    assert red["identifier_code"] == {"code": "4006381333931", "type": "EAN"}
    assert red["inventory"] == [{"warehouse_id": place, "quantity": 7}]


def test_variants_that_cannot_be_told_apart_are_refused(shop: Shop) -> None:
    both = tuple(ListedVariant(sku=sku, price=Decimal(5)) for sku in ("A", "B"))
    (result,) = shop.connector.push_products([_listing(variants=both)])
    assert result.code == "listing-incomplete"
    assert "options" in (result.error or "")


def test_a_refusal_of_one_listing_does_not_hold_back_the_next(shop: Shop) -> None:
    wrong, right = _listing(key="a", category="1"), _listing(key="b")
    first, second = shop.connector.push_products([wrong, right])
    assert first.error is not None
    assert first.lasting
    assert second.error is None


def test_a_lost_answer_may_have_made_the_listing(shop: Shop) -> None:
    """T-118: the repeat finds it by its key."""
    listing = _listing()
    shop.faults({"kind": "36009003", "match": "202309/products$", "times": 1})
    with pytest.raises(TransientError) as caught:
        shop.connector.push_products([listing])
    assert caught.value.may_have_happened
    (result,) = shop.connector.push_products([listing])
    assert result.error is None
    found = shop.connector.find_variants(["MUG-NEW"])
    assert len({variant.product_ref for variant in found}) == 1
