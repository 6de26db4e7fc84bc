"""Order + Route -> sales order: all lines or none, priced to the cent."""

from decimal import Decimal
from typing import Any

import pytest

from hub.contract import (
    Buyer,
    FulfilledBy,
    LineItem,
    LineStatus,
    Location,
    LocationKind,
    Part,
    SalesOrder,
    Totals,
    Variant,
)  # fmt: skip
from hub.routing.compose import Known, compose, split, wanted_skus
from hub.routing.fate import Problem
from hub.routing.model import (
    Component,
    CustomerPer,
    DiscountRule,
    LocationRule,
    OrderRules,
    Route,
    ShippingAs,
    ShippingRule,
    TaxMode,
    TaxRule,
)  # fmt: skip
from tests.conftest import OrderMaker

D = Decimal
VARIANTS = {sku: [Variant(ref=f"v-{sku}", sku=sku)] for sku in ("MUG", "TEE", "TEA", "SHIPPING")}
PLACES = [
    Location(ref="1", name="Main", kind=LocationKind.SHIPS, is_default=True),
    Location(ref="2", name="West", kind=LocationKind.SHIPS),
    Location(ref="3", name="Closed", kind=LocationKind.SHIPS, usable=False),
]
KNOWN = Known(VARIANTS, PLACES, [Location(ref="W1", name="Pickup LA", kind=LocationKind.SHIPS)])


def _route(**rules: Any) -> Route:
    return Route("us", "shop", "erp", OrderRules(**rules))


def _made(order: Any, known: Known = KNOWN, **rules: Any) -> SalesOrder:
    made = compose(order, _route(**rules), "tiktok", known)
    assert isinstance(made, SalesOrder), made
    return made


def _problems(order: Any, known: Known = KNOWN, **rules: Any) -> tuple[Problem, ...]:
    made = compose(order, _route(**rules), "tiktok", known)
    assert isinstance(made, tuple)
    return made


def test_units_of_one_sku_and_price_become_one_row(make_order: OrderMaker) -> None:
    (row,) = _made(make_order(skus=("MUG", "MUG", "MUG"))).rows
    assert (row.sku, row.quantity, row.price, row.discount) == ("MUG", 3, D("20.00"), 0)


def test_units_at_different_prices_stay_apart(make_order: OrderMaker) -> None:
    order = make_order()
    lines = (order.lines[0], order.lines[1].model_copy(update={"price": D("15.00")}))
    assert [row.price for row in _made(make_order(lines=lines)).rows] == [D("20"), D("15")]


def test_cancelled_units_do_not_ship(make_order: OrderMaker) -> None:
    order = make_order()
    lines = (order.lines[0], order.lines[1].model_copy(update={"status": LineStatus.CANCELLED}))
    assert [row.quantity for row in _made(make_order(lines=lines)).rows] == [1]


def test_every_unknown_sku_is_named_with_its_lines_and_the_remedy(make_order: OrderMaker) -> None:
    """Law 4: all lines or none, and one report for all of them."""
    problems = _problems(make_order(skus=("MUG", "HAT", "CAP")))
    assert [problem.skus for problem in problems] == [("CAP",), ("HAT",)]
    assert "5001-1" in problems[1].what
    assert "Create the variant" in problems[1].do


def test_sku_with_two_living_variants_is_refused_rather_than_guessed(make_order: OrderMaker) -> None:
    known = Known({"MUG": [Variant(ref="a", sku="MUG"), Variant(ref="b", sku="MUG")]})
    (problem,) = _problems(make_order(), known)
    assert problem.code == "variant-ambiguous"
    assert "a, b" in problem.what


def test_line_without_a_sku_is_named(make_order: OrderMaker) -> None:
    line = LineItem(ref="7", sku=None, name="Mug", quantity=D(1), price=D("20"))
    problems = _problems(make_order(lines=(line,)))
    assert problems[0].code == "sku-missing"
    assert "7 (Mug)" in problems[0].what


def test_seller_discount_lowers_the_row_and_the_channels_does_not(make_order: OrderMaker) -> None:
    line = LineItem(ref="1", sku="MUG", quantity=D(1), price=D("20.00"), seller_discount=D("2.00"),
                    channel_discount=D("1.00"))  # fmt: skip
    order = make_order(lines=(line,))
    assert _made(order).rows[0].discount == D("2.00")
    both = DiscountRule(deduct_seller=True, deduct_channel=True)
    assert _made(order, discounts=both).rows[0].discount == D("3.00")
    none = DiscountRule(deduct_seller=False, deduct_channel=False)
    assert _made(order, discounts=none).rows[0].discount == 0


def test_price_that_contains_tax_becomes_net_with_its_discount_inside(make_order: OrderMaker) -> None:
    """net = (gross - discount) / (1 + rate), as Katana's own channel links do it (K: pitfall on tax)."""
    line = LineItem(ref="1", sku="MUG", quantity=D(1), price=D("24.00"), seller_discount=D("2.40"))
    made = _made(make_order(lines=(line,), taxes_included=True), tax=TaxRule(TaxMode.FIXED, D(20)))
    assert (made.rows[0].price, made.rows[0].discount, made.rows[0].tax_rate) == (D("18"), 0, D(20))


def test_tax_on_top_leaves_prices_alone(make_order: OrderMaker) -> None:
    line = LineItem(ref="1", sku="MUG", quantity=D(1), price=D("17.00"), tax=D("1.40"), tax_rate=D("8.25"))
    made = _made(make_order(lines=(line,)), tax=TaxRule(TaxMode.FROM_ORDER))
    assert (made.rows[0].price, made.rows[0].tax_rate) == (D("17"), D("8.25"))
    assert _made(make_order(lines=(line,))).rows[0].tax_rate is None


def test_operator_may_say_that_prices_contain_tax(make_order: OrderMaker) -> None:
    rule = TaxRule(TaxMode.FIXED, D(25), included=True)
    assert _made(make_order(price="10.00"), tax=rule).rows[0].price == D("8")


def test_shipping_is_a_fee_a_row_or_nothing(make_order: OrderMaker) -> None:
    totals = Totals(items=D(40), shipping=D("5"), shipping_seller_discount=D(1), shipping_channel_discount=D(1),
                    total=D(43))  # fmt: skip
    order = make_order(totals=totals)
    fee = _made(order).shipping
    assert fee is not None
    assert fee.amount == D(4)
    made = _made(order, shipping=ShippingRule(ShippingAs.ROW, "SHIPPING"))
    assert made.shipping is None
    assert (made.rows[-1].sku, made.rows[-1].price) == ("SHIPPING", D(4))
    assert _made(order, shipping=ShippingRule(ShippingAs.NONE)).shipping is None


def test_free_shipping_costs_no_fee(make_order: OrderMaker) -> None:
    assert _made(make_order()).shipping is None


def test_mapped_bundle_ships_its_parts_and_keeps_its_price(make_order: OrderMaker) -> None:
    table = {"MUG": (Component("TEE", D(2), D("0.6")), Component("TEA", D(1), D("0.4")))}
    made = _made(make_order(skus=("MUG",)), skus=table)
    assert [(row.sku, row.quantity, row.price) for row in made.rows] == [("TEE", 2, D(6)), ("TEA", 1, D(8))]


def test_channels_bundle_ships_its_parts(make_order: OrderMaker) -> None:
    parts = (Part(sku="TEE", quantity=D(2)), Part(sku="TEA", quantity=D(1)))
    line = LineItem(ref="1", sku="SET", quantity=D(1), price=D("30.00"), parts=parts)
    made = _made(make_order(lines=(line,)))
    assert [(row.sku, row.quantity, row.price) for row in made.rows] == [("TEE", 2, D(10)), ("TEA", 1, D(10))]


def test_gift_ships_at_nothing(make_order: OrderMaker) -> None:
    line = LineItem(ref="1", sku="TEA", quantity=D(1), price=D(0), is_gift=True)
    assert _made(make_order(lines=(line,))).rows[0].price == 0


def test_location_follows_the_channels_location_by_name_or_id(make_order: OrderMaker) -> None:
    rule = LocationRule("Main", {"Pickup LA": "West"})
    assert _made(make_order(location_ref="W1"), location=rule).location_ref == "2"
    assert _made(make_order(location_ref="W2"), location=rule).location_ref == "1"
    assert _made(make_order(), location=LocationRule()).location_ref is None


@pytest.mark.parametrize(("name", "words"), [("Mian", "it has 'Main'"), ("Closed", "does not allow sales")])
def test_unusable_location_blocks_with_what_there_is(make_order: OrderMaker, name: str, words: str) -> None:
    (problem,) = _problems(make_order(), location=LocationRule(name))
    assert problem.code == "location-unknown"
    assert words in problem.what


def test_customer_is_the_shop_or_the_buyer(make_order: OrderMaker) -> None:
    order = make_order(buyer=Buyer(ref="77", name="(+1)213-***-1234", email="relay@example.com"), shop_name="Mugs")
    assert _made(order).customer.reference == "tiktok:shop-1"
    assert _made(order).customer.name == "Mugs"
    buyer = _made(order, customer=CustomerPer.BUYER).customer
    assert buyer.reference == "tiktok:shop-1:77"
    assert "*" not in buyer.name


def test_key_is_derived_from_the_channel_order_alone(make_order: OrderMaker) -> None:
    """Law 1: another route, another name of it, another connection id: the same key."""
    one = compose(make_order(), _route(), "tiktok", KNOWN)
    other = compose(make_order(), Route("eu", "other", "erp2", OrderRules()), "tiktok", KNOWN)
    assert isinstance(one, SalesOrder)
    assert isinstance(other, SalesOrder)
    assert one.key == other.key


def test_wanted_skus_are_those_after_mapping(make_order: OrderMaker) -> None:
    route = _route(skus={"MUG": (Component("TEA"),)}, shipping=ShippingRule(ShippingAs.ROW, "SHIPPING"))
    assert wanted_skus(make_order(fulfilled_by=FulfilledBy.SELLER), route) == {"TEA", "SHIPPING"}


def test_discount_never_exceeds_the_price_of_a_part(make_order: OrderMaker) -> None:
    """A whole-number price and a discount to the cent, split by shares that round."""
    line = LineItem(ref="1", sku="BOX", quantity=D(1), price=D("5"), seller_discount=D("4.8"))
    thirds = tuple(Component(sku, D(1), D(1) / 3) for sku in ("MUG", "TEE", "TEA"))
    made = _made(
        make_order(lines=(line,), taxes_included=True), skus={"BOX": thirds}, tax=TaxRule(TaxMode.FIXED, D(20))
    )
    assert sum(row.price * row.quantity * D("1.2") for row in made.rows).quantize(D("0.01")) == D("0.20")


def test_split_keeps_every_cent() -> None:
    assert split(D("10.00"), [D(1), D(1), D(1)]) == [D("3.33"), D("3.33"), D("3.34")]
    assert split(D("1000"), [D("0.5"), D("0.5")]) == [D(500), D(500)]
    assert split(D("0.00"), [D(1)]) == [D(0)]


@pytest.mark.parametrize("included", [True, False])
def test_tax_without_a_rate_blocks_where_the_route_takes_rates_from_the_order(
    make_order: OrderMaker, included: bool
) -> None:
    """Else gross prices would go out as net ones, or the tax would be lost, without a word."""
    totals = Totals(items=D(40), tax=D("6.67"), total=D(40) if included else D("46.67"))
    order = make_order(taxes_included=included, totals=totals)
    (problem,) = _problems(order, tax=TaxRule(TaxMode.FROM_ORDER))
    assert problem.code == "tax-unstated"
    assert problem.what == "it states 6.67 USD of tax, but no line says at which rate"
    assert "route us" in problem.do
    for rule in (TaxRule(TaxMode.FIXED, D(20)), TaxRule(TaxMode.NONE)):
        _made(order, tax=rule)


def test_tax_of_shipping_alone_blocks_only_where_shipping_is_sent(make_order: OrderMaker) -> None:
    totals = Totals(items=D(40), shipping=D(5), shipping_tax=D(1), total=D(46))
    order = make_order(totals=totals)
    assert [one.code for one in _problems(order, tax=TaxRule(TaxMode.FROM_ORDER))] == ["tax-unstated"]
    _made(order, tax=TaxRule(TaxMode.FROM_ORDER), shipping=ShippingRule(ShippingAs.NONE))
