"""Money to the cent: every named term, under every reading the sources leave open."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hub_tiktok.money import DOUBTFUL, FEE_NAMES, balance, read_totals
from hypothesis import given
from hypothesis import strategies as st

from hub.contract import Order, Totals
from tests.plugins.tiktok.tiktok_bench import Json, Shop
from tests.plugins.tiktok.tiktok_payloads import read, with_line

CENTS = st.integers(min_value=0, max_value=99_999).map(lambda cents: Decimal(cents).scaleb(-2))


def left_over(known: Order) -> Decimal:
    return balance(known.totals, taxes_included=known.taxes_included)


def named(known: Order) -> dict[str, str]:
    return {fee.name: str(fee.amount) for fee in known.totals.fees}


def test_the_documented_order_balances_with_tax_on_top() -> None:
    """T-65 to T-68."""
    known = read()
    assert (known.taxes_included, left_over(known)) == (False, 0)
    assert known.totals.tax == Decimal("2.81")
    assert known.totals.shipping_channel_discount == Decimal("5.00")


def _payment(**terms: str) -> Json:
    return {"currency": "GBP", "original_total_product_price": "40.00", **terms}


def test_prices_that_contain_the_tax_are_known_by_their_sum() -> None:
    """T-68: the equation decides, not the market."""
    inside = read(payment=_payment(tax="6.67", product_tax="6.67", total_amount="40.00"))
    on_top = read(payment=_payment(tax="6.67", product_tax="6.67", total_amount="46.67"))
    assert (inside.taxes_included, left_over(inside)) == (True, 0)
    assert (on_top.taxes_included, left_over(on_top)) == (False, 0)


@pytest.mark.parametrize(("region", "included"), [("US", False), ("GB", True), ("DE", True)])
def test_without_tax_the_market_says_how_prices_are_meant(region: str, included: bool) -> None:
    """T-68."""
    known = read(payment=_payment(total_amount="40.00"), recipient_address={"region_code": region})
    assert known.taxes_included is included


@pytest.mark.parametrize("name", FEE_NAMES)
def test_each_fee_is_a_term_by_its_name(name: str) -> None:
    """T-67, T-85."""
    known = read(payment=_payment(**{name: "1.50", "total_amount": "41.50"}))
    assert (named(known), left_over(known)) == ({name: "1.50"}, 0)


def test_a_fee_that_nobody_knew_is_a_term_too() -> None:
    """T-44."""
    known = read(payment=_payment(moon_delivery_fee="3.00", moon_phase="full", total_amount="43.00"))
    assert (named(known), left_over(known)) == ({"moon_delivery_fee": "3.00"}, 0)


def test_a_discount_of_the_payment_reduces_the_total() -> None:
    """T-85."""
    known = read(payment=_payment(payment_platform_discount="1.00", total_amount="39.00"))
    assert (named(known), left_over(known)) == ({"payment_platform_discount": "-1.00"}, 0)


@pytest.mark.parametrize("total", ["45.00", "43.00"])
def test_a_cofunded_discount_is_inside_the_fee_or_beside_it(total: str) -> None:
    """T-66."""
    shipping = {"original_shipping_fee": "5.00", "shipping_fee_cofunded_discount": "2.00"}
    assert left_over(read(payment=_payment(**shipping, total_amount=total))) == 0


def test_a_total_that_does_not_balance_is_passed_on_as_it_is() -> None:
    """Law 8: the hub blocks it and names the difference."""
    known = read(payment=_payment(small_order_fee="1.00", total_amount="99.00"))
    assert (known.totals.total, left_over(known)) == (Decimal("99.00"), Decimal("-58.00"))
    assert named(known) == {"small_order_fee": "1.00"}


def test_missing_amounts_are_zero_and_missing_sums_come_from_their_parts() -> None:
    """T-43."""
    known = read(payment={"currency": "USD", "shipping_fee": "3.00", "total_amount": "43.00"})
    assert (known.totals.items, known.totals.shipping, left_over(known)) == (Decimal("40.00"), Decimal("3.00"), 0)


def test_tax_on_shipping_alone_is_told_apart() -> None:
    """T-68: where the product tax is not told, it is the rest."""
    known = read(payment=_payment(tax="3.00", shipping_fee_tax="0.50", total_amount="43.00"))
    assert (known.totals.tax, known.totals.shipping_tax, left_over(known)) == (Decimal("2.50"), Decimal("0.50"), 0)


def test_tax_beyond_items_and_shipping_is_a_term_of_its_own() -> None:
    known = read(payment=_payment(tax="3.00", product_tax="2.50", shipping_fee_tax="0", total_amount="43.00"))
    assert (named(known), left_over(known)) == ({"tax_on_fees": "0.50"}, 0)


def test_a_gift_costs_nothing_and_ships() -> None:
    """T-71: whether its price is missing or discounted away."""
    absent = with_line(is_gift=True, original_price=None, sale_price=None, gift_retail_price="20.00").lines[0]
    assert (absent.is_gift, absent.price) == (True, 0)
    discounted = with_line(is_gift=True, original_price="20", seller_discount="20", platform_discount="0").lines[0]
    assert discounted.price - discounted.seller_discount - discounted.channel_discount == 0


def test_a_line_without_a_list_price_is_worth_what_it_sold_for() -> None:
    """T-65."""
    assert with_line(original_price=None).lines[0].price == Decimal("20.00")


@pytest.mark.parametrize("kind", ["is_sample_order", "is_replacement_order", "is_exchange_order"])
def test_an_order_without_money_has_lines_without_money(kind: str) -> None:
    """T-71: list prices may be told all the same; only where nothing at all was paid."""
    known = read(**{kind: True}, payment={"currency": "USD", "total_amount": "0"})
    assert ({line.price for line in known.lines}, known.totals.items, left_over(known)) == ({Decimal(0)}, 0, 0)
    paid = read(**{kind: True})
    assert ({line.price for line in paid.lines}, left_over(paid)) == ({Decimal("20.00")}, 0)


def test_an_ordinary_order_that_is_told_to_cost_nothing_keeps_its_prices() -> None:
    """A missing total is no gift: it does not balance, so the hub blocks it."""
    known = read(payment={"currency": "USD"})
    assert ({line.price for line in known.lines}, left_over(known)) == ({Decimal("20.00")}, Decimal("40.00"))


def test_currencies_without_cents_stay_whole(shop: Shop) -> None:
    """T-69."""
    shop.seed({"status": "AWAITING_SHIPMENT", "market": "VN", "lines": [{"price": "125000", "quantity": 3}]})
    (known,) = shop.orders()
    assert (known.currency, known.totals.total, left_over(known)) == ("VND", Decimal(375000), 0)
    assert known.lines[0].price.as_tuple().exponent == 0


SPECS: list[Json] = [
    {"kind": kind, "market": market, "status": status, "shipping": "7.77", "shipping_seller_discount": "1.10",
     "lines": [{"price": "19.99", "quantity": 3, "seller_discount": "1.01", "platform_discount": "0.49"},
               {"price": "5.55", "pfand_fee": "0.25"}]}
    for kind in ("normal", "gift", "sample", "bundle", "replacement", "fbt")
    for market in ("US", "GB", "DE")
    for status in ("UNPAID", "AWAITING_SHIPMENT", "CANCELLED")
]  # fmt: skip
SWITCHES: list[dict[str, str]] = [
    {},
    {"cofunded_in_fee": "yes"},
    {"pfand_in_total": "no"},
    {"gift_price": "discounted"},
    {"optional_fields": "left_out", "partial_cancel_payment": "reduced"},
]


@pytest.mark.parametrize("switches", SWITCHES, ids=lambda switches: "-".join(switches.values()) or "usual")
def test_every_order_of_the_simulator_balances_under_every_switch(shop: Shop, switches: dict[str, str]) -> None:
    """T-65 to T-68, T-71, T-79: with fees, with a co-funded discount, with one line cancelled."""
    shop.options(**switches)
    fees = {"retail_delivery_fee": "0.28", "small_order_fee": "1.50", "payment_platform_discount": "0.30"}
    ids = shop.seed(*SPECS)
    ids += shop.seed(*({**spec, "fees": fees, "shipping_cofunded_discount": "2.22"} for spec in SPECS))
    partly = [ref for ref, spec in zip(ids, SPECS, strict=False) if spec["status"] == "AWAITING_SHIPMENT"]
    for ref in partly:
        shop.act(ref, "cancel_line", sku="SIM-SKU", quantity=1)
    orders = shop.orders()
    assert len(orders) == len(SPECS) * 2
    assert {known.ref: left_over(known) for known in orders if left_over(known) != 0} == {}


terms = st.fixed_dictionaries(
    {
        "original_total_product_price": CENTS, "seller_discount": CENTS, "platform_discount": CENTS,
        "original_shipping_fee": CENTS, "shipping_fee_seller_discount": CENTS, "shipping_fee_platform_discount": CENTS,
        "product_tax": CENTS, "shipping_fee_tax": CENTS,
    },
    optional=dict.fromkeys((*FEE_NAMES, "shipping_fee_cofunded_discount", "payment_platform_discount"), CENTS),
)  # fmt: skip


@given(terms, st.booleans(), st.sets(st.sampled_from(DOUBTFUL)), st.booleans())
def test_a_total_made_of_its_terms_is_read_so_that_it_balances(
    given_terms: dict[str, Decimal], is_on_top: bool, left_out: set[str], usual: bool
) -> None:
    """Law 8: whichever of the doubtful terms TikTok counts, and however its market treats tax."""
    signs = {name: -1 for name in given_terms if "discount" in name and name != "payment_discount_service_fee"}
    counted = {name: value for name, value in given_terms.items() if name not in left_out}
    if not is_on_top:
        counted = {name: value for name, value in counted.items() if name not in ("product_tax", "shipping_fee_tax")}
    total = sum((value * signs.get(name, 1) for name, value in counted.items()), Decimal(0))
    payment: dict[str, Any] = {name: str(value) for name, value in given_terms.items()}
    totals, included = read_totals({"payment": {**payment, "total_amount": str(total)}}, (), tax_on_top=usual)
    assert balance(totals, taxes_included=included) == 0
    assert all(isinstance(fee.amount, Decimal) for fee in totals.fees)


@given(st.lists(CENTS, min_size=8, max_size=8))
def test_the_balance_is_the_contracts_equation(amounts: list[Decimal]) -> None:
    """Written out once more, term by term."""
    items, seller, channel, shipping, less, tax, shipping_tax, total = amounts
    totals = Totals(
        items=items, seller_discount=seller, channel_discount=channel, shipping=shipping,
        shipping_seller_discount=less, tax=tax, shipping_tax=shipping_tax, total=total,
    )  # fmt: skip
    assert balance(totals, taxes_included=True) == items - seller - channel + shipping - less - total
    assert (
        balance(totals, taxes_included=False) == items - seller - channel + shipping - less + tax + shipping_tax - total
    )
