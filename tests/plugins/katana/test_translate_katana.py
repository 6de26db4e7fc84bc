"""Katana's records and the hub's values, both ways."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hub_katana import translate
from hub_katana.answers import Detail, Refusal
from hub_katana.blame import is_number_taken, variants_at_fault

from hub.contract import Address, Customer, OrderKey, SalesOrder, SalesOrderRow, ShippingCharge

AT = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
KEY = OrderKey(key="TT-1", channel="tiktok", shop="7495", ref="1", ordered_at=AT)


def sales_order(**changes: Any) -> SalesOrder:
    row = SalesOrderRow(variant_ref="10", sku="A", quantity=Decimal("2.000"), price=Decimal("0"))
    given: dict[str, Any] = {
        "key": KEY, "customer": Customer(reference="r", name="Shop"), "currency": "EUR", "ordered_at": AT,
        "location_ref": None, "rows": (row,),
    }  # fmt: skip
    return SalesOrder(**(given | changes))


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("6.7500000000", Decimal("6.75")),
        (7, Decimal(7)),
        (Decimal("7.5"), Decimal("7.5")),
        ("null", None),
        (None, None),
        ("", None),
        (True, None),
        ("NaN", None),
        ([], None),
    ],
)
def test_amounts_are_read_from_numbers_and_from_texts(value: Any, read: Decimal | None) -> None:
    """K-19 and K-21."""
    assert translate.decimal_of(value) == read


def test_instants_go_out_with_time_and_zone_and_come_back() -> None:
    """K-17."""
    assert translate.instant_text(AT) == "2026-01-15T09:30:00.000Z"
    assert translate.instant_of("2026-01-15T09:30:00.000Z") == AT
    assert translate.instant_of("2026-01-15T11:30:00+02:00") == AT
    assert translate.instant_of("14") is None
    assert translate.instant_of(None) is None


def test_a_body_holds_no_null_no_empty_text_and_a_price_of_zero() -> None:
    """K-43; K-49: a price that is left out would be Katana's own, and a gift would cost."""
    body = translate.order_body(sales_order(), 5, {None: None})
    assert body["sales_order_rows"] == [{"variant_id": 10, "quantity": Decimal(2), "price_per_unit": Decimal(0)}]
    assert not {"location_id", "additional_info", "addresses"} & body.keys()
    assert body["status"] == "NOT_SHIPPED"


def test_the_channels_order_is_kept_in_the_fields_that_can_only_be_set_on_create() -> None:
    """K-46."""
    body = translate.order_body(sales_order(), 5, {None: None})
    named = ("order_no", "ecommerce_order_type", "ecommerce_store_name", "ecommerce_order_id", "customer_ref")
    assert [body[name] for name in named] == ["TT-1", "tiktok", "7495", "1", "1"]


def test_an_address_goes_out_as_billing_and_shipping_even_when_only_partly_known() -> None:
    """K-47: some channels blank out parts; what is left is still worth having."""
    bodies = translate.address_bodies(Address(city="Tallinn", first_name="  ", zip="", masked=True))
    assert bodies == [{"entity_type": "billing", "city": "Tallinn"}, {"entity_type": "shipping", "city": "Tallinn"}]


@pytest.mark.parametrize("address", [None, Address(masked=True), Address(city=" ")])
def test_an_address_without_any_part_is_left_out(address: Address | None) -> None:
    assert translate.address_bodies(address) == []


def test_a_customer_reference_is_cut_to_what_katana_takes() -> None:
    """K-80."""
    key = KEY.model_copy(update={"ref": "9" * 300})
    body = translate.order_body(sales_order(key=key), 5, {None: None})
    assert len(body["customer_ref"]) == 255
    assert len(body["ecommerce_order_id"]) == 300


def test_a_shipping_fee_goes_out_as_text() -> None:
    """K-21."""
    body = translate.fee_body(ShippingCharge(amount=Decimal("1E+1"), description=""), 7, None)
    assert body == {"sales_order_id": 7, "amount": "10"}


@pytest.mark.parametrize("ref", ["product:7", "", "-1", "1.5", "٣"])
def test_a_reference_that_is_no_number_is_no_katana_id(ref: str) -> None:
    """K-18."""
    with pytest.raises(ValueError, match="is no Katana id"):
        translate.id_of(ref)


OURS = {"order_no": "TT-1", "ecommerce_order_type": "tiktok", "ecommerce_store_name": "7495", "ecommerce_order_id": "1"}


@pytest.mark.parametrize(
    ("changes", "matches", "ours"),
    [
        ({}, True, True),
        ({"ecommerce_order_type": None}, True, False),
        ({"order_no": "SO-9"}, True, False),
        ({"order_no": "SO-9", "ecommerce_order_type": "other", "ecommerce_store_name": "x"}, True, False),
        ({"order_no": "SO-9", "ecommerce_order_type": "other", "ecommerce_order_id": 1}, True, False),
        ({"order_no": "SO-9", "ecommerce_store_name": "another shop"}, False, False),
        ({"order_no": "tt-1", "ecommerce_order_id": None}, False, False),
        ({"order_no": None, "ecommerce_order_id": "2"}, False, False),
    ],
)  # fmt: skip
def test_an_order_is_recognised_by_our_number_or_by_the_channels_id(
    changes: dict[str, Any], matches: bool, ours: bool
) -> None:
    """K-46, K-26: the same id in another shop of our own channel is another order; case counts."""
    row = OURS | changes
    assert translate.is_match(row, KEY) is matches
    assert translate.is_ours(row, KEY) is ours


@pytest.mark.parametrize("total", [Decimal("31.74"), "31.7400000000"])
def test_a_placed_order_reads_its_total_either_way_and_ignores_what_it_does_not_know(total: Any) -> None:
    """K-19; new fields and words appear without notice."""
    row = OURS | {"id": 7, "total": total, "status": "READY_FOR_FULFILLMENT", "brand_new": {}, "created_at": None}
    placed = translate.placed_order(row, KEY)
    assert (placed.ref, placed.number, placed.total, placed.deleted, placed.complete) == (
        "7", "TT-1", Decimal("31.74"), False, True,
    )  # fmt: skip


PARENT = {"name": "Mug", "is_sellable": True, "archived_at": None}


@pytest.mark.parametrize(
    ("row", "gone"),
    [
        ({"product_or_material": PARENT}, False),
        ({"product_or_material": PARENT | {"archived_at": "2026-01-01T00:00:00.000Z"}}, True),
        ({"product_or_material": PARENT | {"is_sellable": False}}, True),
        ({"product_or_material": PARENT, "deleted_at": "2026-01-01T00:00:00.000Z"}, True),
        ({"item": PARENT | {"is_sellable": False}}, True),
        ({}, False),
    ],
)
def test_a_variant_is_gone_when_deleted_archived_or_not_sellable(row: dict[str, Any], gone: bool) -> None:
    """K-31, K-36."""
    assert translate.variant({"id": 1, "sku": "A"} | row).gone is gone


def test_a_variants_parents_ids_are_told_apart_by_kind() -> None:
    """K-29: ids of products and materials overlap; K-35: a service has neither."""
    assert translate.variant({"id": 1, "product_id": 7, "material_id": None}).product_ref == "product:7"
    assert translate.variant({"id": 1, "product_id": None, "material_id": 7}).product_ref == "material:7"
    service = translate.variant({"id": 1, "type": "service", "product_id": None, "material_id": None})
    assert (service.product_ref, service.kind) == (None, "service")


def test_a_variants_name_is_its_parents_with_its_own_words() -> None:
    """K-31."""
    configs = [{"config_name": "Colour", "config_value": "Blue"}, {"config_name": "Size", "config_value": None}]
    row = {"id": 1, "sku": None, "product_or_material": PARENT, "config_attributes": configs}
    assert translate.variant(row).name == "Mug / Blue"


@pytest.mark.parametrize(
    ("refusal", "refs"),
    [
        (Refusal(422, "Invalid", (Detail("/sales_order_rows/1/variant_id", "type", "must be integer"),)), ("20",)),
        (Refusal(422, "Invalid", (Detail("/sales_order_rows/1/quantity", "type", "must be number"),)), ()),
        (Refusal(422, "Variant 10 is not sellable"), ("10",)),
        (Refusal(422, "SKU B is archived"), ("20",)),
        (Refusal(422, "Some product is archived"), ("10", "20")),
        (Refusal(404, "Not found"), ("10", "20")),
        (Refusal(422, "Location 10 may not sell"), ()),
    ],
)
def test_the_variants_at_fault_are_those_katana_names(refusal: Refusal, refs: tuple[str, ...]) -> None:
    """K-36: the wording is not documented."""
    rows = [SalesOrderRow(variant_ref=ref, sku=sku, quantity=Decimal(1), price=Decimal(1)) for ref, sku in
            [("10", "A"), ("20", "B")]]  # fmt: skip
    assert variants_at_fault(sales_order(rows=tuple(rows)), refusal) == refs


@pytest.mark.parametrize(
    ("refusal", "is_taken"),
    [
        (Refusal(422, "Sales order with order number TT-1 already exists"), True),
        (Refusal(422, "order_no must be unique"), True),
        (Refusal(409, "already exists"), True),
        (Refusal(422, "Invalid", (Detail("/order_no", "unique", "must be unique"),)), True),
        (Refusal(422, "Invalid", (Detail("/order_no", "minLength", "must NOT have fewer than 1 characters"),)), False),
        (Refusal(422, "Sales order TT-1 already exists."), True),
        (Refusal(422, "Sales order TT-12 already exists."), False),
        (Refusal(422, "A sales order with this number already exists"), True),
        (Refusal(422, "Invalid", (Detail("", "unique", "order_no must be unique"),)), True),
        (Refusal(422, "Customer with this name already exists"), False),
    ],
)
def test_a_taken_number_is_told_from_a_bad_one(refusal: Refusal, is_taken: bool) -> None:
    """K-45: nobody documents the words."""
    assert is_number_taken(refusal, "TT-1") is is_taken


def test_private_texts_hold_what_the_body_says_of_the_buyer() -> None:
    buyer = Customer(reference="r", name="Ann Example", email="ann@example.com")
    texts = translate.private_texts(sales_order(customer=buyer, address=Address(line_1="Main St 1", country="EE")))
    assert set(texts) == {"Ann Example", "ann@example.com", "Main St 1"}


def test_any_order_survives_the_way_out(order: Callable[..., SalesOrder]) -> None:
    body = translate.order_body(order(), 5, {None: None})
    total = sum(
        row["quantity"] * row["price_per_unit"] - row.get("total_discount", 0) for row in body["sales_order_rows"]
    )
    assert total == Decimal("27.74")
