"""Orders in the vendor's words to orders in ours: states, holds, kinds, lines, and what cannot be read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hub_tiktok.payload import parse
from hub_tiktok.translate import Context, order
from hypothesis import given
from hypothesis import strategies as st

from hub.contract import ContractError, FulfilledBy, LineStatus, OrderStatus, Part
from tests.plugins.tiktok.tiktok_bench import Json, Shop
from tests.plugins.tiktok.tiktok_payloads import CONTEXT, PAID, payload, read, with_line


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_a_documented_order_is_read_whole() -> None:
    """T-43, T-63: one line per unit, Unix seconds, amounts in major units."""
    known = read()
    assert (known.ref, known.key, known.shop, known.shop_name) == (
        "576460000000000001", "TT-576460000000000001", "7495", "Bench",
    )  # fmt: skip
    assert (known.created_at, known.paid_at, known.updated_at) == (at(1768460000), at(PAID), at(1768463660))
    assert [line.ref for line in known.lines] == ["577001", "577002"]
    assert [line.tax for line in known.lines] == [Decimal("1.41"), Decimal("1.40")]
    first = known.lines[0]
    assert (first.sku, first.name, first.quantity, first.price) == (
        "MUG-BLUE", "Enamel mug, Blue", Decimal(1), Decimal("20.00"),
    )  # fmt: skip
    assert (first.seller_discount, first.channel_discount) == (Decimal("2.00"), Decimal("1.00"))
    assert (known.buyer.ref, known.buyer.email, known.note) == ("7021", "v2b2V5@chat.seller.tiktok.com", "Ring twice")
    assert (known.region, known.location_ref, known.currency) == ("US", "7001", "USD")


@pytest.mark.parametrize(("word", "status"), [
    ("UNPAID", OrderStatus.UNPAID),
    ("ON_HOLD", OrderStatus.ON_HOLD),
    ("AWAITING_SHIPMENT", OrderStatus.OPEN),
    ("PARTIALLY_SHIPPING", OrderStatus.PARTLY_SHIPPED),
    ("AWAITING_COLLECTION", OrderStatus.SHIPPED),
    ("IN_TRANSIT", OrderStatus.SHIPPED),
    ("DELIVERED", OrderStatus.SHIPPED),
    ("COMPLETED", OrderStatus.SHIPPED),
    ("CANCELLED", OrderStatus.CANCELLED),
    ("CANCEL", OrderStatus.CANCELLED),
    ("QUARANTINED", OrderStatus.UNKNOWN),
])  # fmt: skip
def test_each_status_has_its_meaning_and_keeps_its_word(word: str, status: OrderStatus) -> None:
    """T-44, T-55, T-89."""
    assert (read(status=word).status, read(status=word).channel_status) == (status, word)


@pytest.mark.parametrize("missing", [{"status": None}, {"status": ""}])
def test_an_order_without_a_status_is_unknown(missing: Json) -> None:
    assert (read(**missing).status, read(**missing).channel_status) == (OrderStatus.UNKNOWN, "(none)")


@pytest.mark.parametrize(("status", "flagged", "paid", "release", "until"), [
    ("ON_HOLD", True, PAID, None, PAID + 3600),
    ("AWAITING_SHIPMENT", True, PAID, None, None),  # TikTok kept the hour itself
    ("AWAITING_SHIPMENT", False, PAID, None, PAID + 3600),  # nobody keeps it but us
    ("AWAITING_SHIPMENT", None, PAID, None, PAID + 3600),
    ("PARTIALLY_SHIPPING", False, PAID, None, PAID + 3600),
    ("UNPAID", False, None, None, None),
    ("UNPAID", True, None, None, None),
    ("ON_HOLD", True, PAID, PAID + 86400, PAID + 86400),  # a pre-order
    ("ON_HOLD", False, PAID, PAID + 60, PAID + 3600),
    ("ON_HOLD", True, None, PAID + 86400, PAID + 86400),
    ("ON_HOLD", True, None, None, None),
    ("AWAITING_SHIPMENT", True, PAID, PAID + 86400, None),
])  # fmt: skip
def test_the_free_hour_is_kept_by_whoever_does_not_show_it(
    status: str, flagged: bool | None, paid: int | None, release: int | None, until: int | None
) -> None:
    """T-58, T-59, T-60."""
    known = read(status=status, is_on_hold_order=flagged, paid_time=paid, release_date=release)
    assert known.hold_until == (None if until is None else at(until))


def test_the_length_of_the_free_hour_is_a_setting() -> None:
    context = Context(shop="7495", shop_name="", shop_region="US", hold_s=7200)
    known = order(payload(is_on_hold_order=False), context)
    assert known.hold_until == at(PAID) + timedelta(hours=2)


@pytest.mark.parametrize(("word", "status"), [
    ("UNPAID", LineStatus.OPEN),
    ("ON_HOLD", LineStatus.OPEN),
    ("TO_SHIP", LineStatus.OPEN),
    ("AWAITING_SHIPMENT", LineStatus.OPEN),
    ("AWAITING_COLLECTION", LineStatus.SHIPPED),
    ("IN_TRANSIT", LineStatus.SHIPPED),
    ("DELIVERED", LineStatus.SHIPPED),
    ("COMPLETED", LineStatus.SHIPPED),
    ("CANCELLED", LineStatus.CANCELLED),
    ("NEWLY_INVENTED", LineStatus.OPEN),
])  # fmt: skip
def test_lines_have_states_of_their_own(word: str, status: LineStatus) -> None:
    """T-55, T-56, T-86: a partly cancelled order keeps its status."""
    known = with_line(display_status=word)
    assert known.status is OrderStatus.OPEN
    assert [line.status for line in known.lines] == [status, LineStatus.OPEN]


def test_a_line_without_a_state_is_as_its_package_or_its_order() -> None:
    """T-87."""
    assert with_line(display_status=None, package_status="PROCESSING").lines[0].status is LineStatus.SHIPPED
    lines = [{**line, "display_status": None} for line in payload()["line_items"]]
    assert {line.status for line in read(line_items=lines, status="DELIVERED").lines} == {LineStatus.SHIPPED}
    assert {line.status for line in read(status="CANCELLED").lines} == {LineStatus.CANCELLED}


@pytest.mark.parametrize("sku", ["", None, "  "])
def test_a_line_may_have_no_sku(sku: str | None) -> None:
    """T-64."""
    assert with_line(seller_sku=sku).lines[0].sku is None


def test_a_bundle_ships_its_parts() -> None:
    """T-72: under one name, under the other, and once where both are given."""
    parts = [{"sku_id": "1", "sku_count": 2, "product_id": "9", "seller_sku": "TEA"}, {"sku_id": "2", "sku_count": 1}]
    expected = (
        Part(sku="TEA", quantity=Decimal(2), variant_ref="1"),
        Part(sku=None, quantity=Decimal(1), variant_ref="2"),
    )
    assert with_line(combined_listing_skus=parts).lines[0].parts == expected
    assert with_line(sub_item_info=parts).lines[0].parts == expected
    assert with_line(combined_listing_skus=parts, sub_item_info=parts).lines[0].parts == expected
    assert with_line(combined_listing_skus=[]).lines[0].parts == ()


def test_parts_listed_one_by_one_are_counted() -> None:
    """T-72: a list with an id per piece has no counts."""
    pieces = [{"id": "1", "sku_id": "5", "seller_sku": "TEA"}, {"id": "2", "sku_id": "5", "seller_sku": "TEA"}]
    assert with_line(sub_item_info=pieces).lines[0].parts == (Part(sku="TEA", quantity=Decimal(2), variant_ref="5"),)


@pytest.mark.parametrize(("rates", "percent"), [
    (["0.0825"], "8.25"),
    (["0.06", "0.0225"], "8.25"),
    (["0"], "0"),
    (["8.25"], "8.25"),
    ([None], None),
    ([], None),
])  # fmt: skip
def test_a_tax_rate_is_a_fraction_there_and_percent_here(rates: list[str | None], percent: str | None) -> None:
    """T-88."""
    line = with_line(item_tax=[{"tax_amount": "1.41", "tax_rate": rate} for rate in rates]).lines[0]
    assert line.tax_rate == (None if percent is None else Decimal(percent))
    assert line.tax == (sum((Decimal("1.41") for _ in rates), Decimal(0)) if rates else None)


@pytest.mark.parametrize(("parts", "tags"), [
    ({"is_sample_order": True}, ("sample",)),
    ({"is_replacement_order": True}, ("replacement",)),
    ({"is_exchange_order": True}, ("exchange",)),
    ({"is_cod": True, "is_subscription_order": True}, ("cod", "subscription")),
    ({"order_type": "PRE_ORDER"}, ("pre-order",)),
    ({"order_type": "MADE_TO_ORDER"}, ("made-to-order",)),
    ({"order_type": "BACK_ORDER"}, ("back-order",)),
    ({"order_type": "ZERO_LOTTERY"}, ("lottery",)),
    ({"order_type": "", "split_or_combine_tag": "COMBINED", "auto_combine_group_id": "9"}, ("combined",)),
    ({"auto_combine_group_id": "9"}, ("combined",)),
    ({"split_or_combine_tag": "SPLIT"}, ("split",)),
    ({"delivery_type": "COLLECTION_POINT", "commerce_platform": "TOKOPEDIA"}, ("collection-point", "tokopedia")),
    ({"order_type": "SOMETHING_NEW"}, ()),
])  # fmt: skip
def test_kinds_of_orders_become_tags(parts: Json, tags: tuple[str, ...]) -> None:
    """T-90."""
    assert read(**parts).tags == tags


@pytest.mark.parametrize(("fulfillment", "shipping", "stock", "label"), [
    ("FULFILLMENT_BY_SELLER", "SELLER", "seller", "seller"),
    ("FULFILLMENT_BY_SELLER", "TIKTOK", "seller", "channel"),
    ("FULFILLMENT_BY_SELLER", "TIKTOK_DIGITAL", "seller", "channel"),
    ("FULFILLMENT_BY_TIKTOK", "TIKTOK", "channel", "channel"),
    ("FULFILLMENT_BY_TIKTOK", "", "channel", "channel"),
    ("FULFILLMENT_BY_DILAYANI_TOKOPEDIA", "SELLER", "channel", "channel"),
    ("", "", "seller", "seller"),
])  # fmt: skip
def test_whose_stock_and_whose_label_are_told_apart(fulfillment: str, shipping: str, stock: str, label: str) -> None:
    """T-77, T-91."""
    known = read(fulfillment_type=fulfillment, shipping_type=shipping)
    assert (known.fulfilled_by, known.shipping_by) == (FulfilledBy(stock), FulfilledBy(label))


def test_a_request_to_cancel_is_shown() -> None:
    """T-61."""
    assert read(is_buyer_request_cancel=True).cancel_requested
    assert not read(is_buyer_request_cancel=None).cancel_requested


def test_ids_that_are_numbers_keep_all_their_digits() -> None:
    """T-43: some answers carry ids as JSON numbers above 2^53."""
    raw = json.dumps(payload()).replace('"576460000000000001"', "576460000000000001").replace('"577001"', "577001")
    known = order(parse(raw.encode()) or {}, CONTEXT)
    assert (known.ref, known.lines[0].ref) == ("576460000000000001", "577001")


@pytest.mark.parametrize(("parts", "reason"), [
    ({"line_items": []}, "the order has no lines"),
    ({"line_items": None}, "the order has no lines"),
    ({"line_items": [{"seller_sku": "A"}]}, "a line has no id"),
    ({"payment": {"total_amount": "many"}}, "total_amount is not a number"),
    ({"payment": {"total_amount": "NaN", "currency": "USD"}}, "total_amount is not a number"),
    ({"line_items": [{"id": "1"}], "payment": {}}, "no currency is told"),
    ({"line_items": [{"id": "1", "seller_discount": "-3"}]}, "seller_discount: greater_than_equal"),
])  # fmt: skip
def test_an_order_that_cannot_be_read_is_unknown_and_says_why(parts: Json, reason: str) -> None:
    """The feed goes on, and the hub blocks this one order."""
    known = read(**parts)
    assert (known.ref, known.status) == ("576460000000000001", OrderStatus.UNKNOWN)
    assert known.channel_status == f"AWAITING_SHIPMENT (unreadable: {reason})"


def test_the_reason_never_shows_a_value() -> None:
    """Law 12: the value may be a buyer's."""
    assert "Dana" not in read(payment={"total_amount": "Dana Roe"}).model_dump_json(include={"channel_status"})


@pytest.mark.parametrize(("parts", "words"), [
    ({"id": None}, "order \\(without id\\) has no readable id"),
    ({"create_time": None, "update_time": 0}, "order 576460000000000001 has no readable time"),
    ({"create_time": "soon", "update_time": 10**18}, "order 576460000000000001 has no readable time"),
])  # fmt: skip
def test_an_order_without_id_or_times_breaks_the_contract_by_name(parts: Json, words: str) -> None:
    with pytest.raises(ContractError, match=words):
        read(**parts)


def test_one_missing_time_is_taken_from_the_other() -> None:
    assert read(update_time=None).updated_at == at(1768460000)


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.decimals(allow_nan=True),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "payment", "status"]), inner),
    max_leaves=5,
)


@given(st.sampled_from(sorted(set(payload()) - {"id", "create_time", "update_time"})), ODD)
def test_no_odd_field_stops_the_feed(name: str, value: Any) -> None:
    """T-44: whatever one field holds, an order comes out."""
    assert read(**{name: value}).ref == "576460000000000001"


@given(st.sampled_from(["id", "display_status", "original_price", "item_tax", "combined_listing_skus", "is_gift"]), ODD)
def test_no_odd_line_stops_the_feed(name: str, value: Any) -> None:
    """T-44."""
    assert with_line(**{name: value}).ref == "576460000000000001"


@pytest.mark.parametrize("fields", ["full", "left_out", "null"])
@pytest.mark.parametrize("junk", ["no", "yes"])
def test_fields_without_value_may_be_there_or_not(shop: Shop, fields: str, junk: str) -> None:
    """T-43, T-44: the same order comes out."""
    shop.options(optional_fields=fields, junk_fields=junk, unknown_status="off")
    shop.seed({"status": "AWAITING_SHIPMENT", "lines": [{"sku": "MUG", "quantity": 2, "seller_discount": "1"}]})
    (known,) = shop.orders()
    assert (known.status, known.totals.total) == (OrderStatus.OPEN, Decimal("41.14"))


def test_a_new_status_word_blocks_no_other_field(shop: Shop) -> None:
    """T-44."""
    shop.options(unknown_status="QUARANTINED")
    shop.seed({"status": "AWAITING_SHIPMENT"})
    (known,) = shop.orders()
    assert (known.status, known.channel_status, len(known.lines)) == (OrderStatus.UNKNOWN, "QUARANTINED", 1)


def test_an_order_names_its_delivery_option_and_its_lines_their_packages() -> None:
    """T-109: the option says which carriers may bring it; T-79: a line knows its package once there is one."""
    assert read().delivery_ref is None
    assert read(delivery_option_id=7091146663229654785).delivery_ref == "7091146663229654785"
    line = with_line(package_id="115", tracking_number="1Z").lines[0]
    assert (line.package_ref, line.tracking_number) == ("115", "1Z")
