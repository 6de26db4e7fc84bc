"""The money of every kind of order balances to the cent."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.plugins.tiktok.tiktok_caller import Caller, calling, check_balance


@pytest.fixture(scope="module")
def shared() -> Iterator[Caller]:
    with calling() as running:
        yield running


@pytest.fixture
def caller() -> Iterator[Caller]:
    with calling() as running:
        yield running


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    market = draw(st.sampled_from(["US", "GB", "JP", "DE", "VN"]))
    whole = market in ("JP", "VN")
    price = (
        st.integers(1, 90_000).map(str) if whole else st.decimals(min_value="0.01", max_value=900, places=2).map(str)
    )
    lines = []
    for number in range(draw(st.integers(1, 3))):
        cost = Decimal(draw(price))
        cut = Decimal(draw(st.integers(0, 50))) / 100
        discount = (cost * cut).quantize(Decimal(1 if whole else "0.01"))
        line = {"sku": f"S{number}", "quantity": draw(st.integers(1, 4)), "price": str(cost)}
        line["seller_discount"] = str(discount)
        lines.append(line | ({"gift": True} if draw(st.booleans()) and number else {}))
    if market == "DE":
        lines[0]["pfand_fee"] = "0.25"
    shipping = Decimal(draw(st.integers(0, 20)))
    spec = {
        "market": market,
        "kind": draw(st.sampled_from(["normal", "gift", "sample", "bundle", "replacement", "fbt", "preorder"])),
        "lines": lines,
        "shipping": str(shipping),
        "shipping_seller_discount": str(shipping // 3),
        "shipping_platform_discount": str(shipping // 4),
        "tax_rate": draw(st.sampled_from(["0", "0.0825", "0.07375"])),
    }
    return spec | ({"fees": {"retail_delivery_fee": "0.29"}} if market == "US" and draw(st.booleans()) else {})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spec=specs(), gift_price=st.sampled_from(["zero", "discounted"]))
def test_any_order_balances_in_search_and_detail(shared: Caller, spec: dict[str, Any], gift_price: str) -> None:
    shared.options(gift_price=gift_price)
    (order_id,) = shared.seed(spec)
    check_balance(shared.order(order_id))
    found = next(one for one in shared.page({"sort_order": "DESC"})["orders"] if one["id"] == order_id)
    check_balance(found)


def test_the_us_example_comes_out_to_the_cent(caller: Caller) -> None:
    """T-63, T-68: one half of an odd cent goes to each of two equal units."""
    line = {"sku": "MUG", "quantity": 2, "price": "20", "seller_discount": "2", "platform_discount": "1"}
    (order_id,) = caller.seed({"lines": [line], "shipping": "5", "shipping_platform_discount": "5"})
    order = caller.order(order_id)
    pay = order["payment"]
    assert (pay["sub_total"], pay["shipping_fee"], pay["tax"], pay["total_amount"]) == ("34.00", "0", "2.81", "36.81")
    assert sorted(one["item_tax"][0]["tax_amount"] for one in order["line_items"]) == ["1.40", "1.41"]


@pytest.mark.parametrize(
    ("market", "currency", "total"), [("GB", "GBP", "13.50"), ("DE", "EUR", "13.50"), ("JP", "JPY", "1400")]
)
def test_elsewhere_prices_hold_the_tax_and_none_is_added(
    caller: Caller, market: str, currency: str, total: str
) -> None:
    """T-68, T-69"""
    price, shipping = ("1200", "200") if market == "JP" else ("10", "3.50")
    (order_id,) = caller.seed({"market": market, "lines": [{"price": price}], "shipping": shipping})
    order = caller.order(order_id)
    pay = order["payment"]
    assert (pay["currency"], pay["tax"], pay["total_amount"]) == (currency, "0", total)
    assert "product_tax" not in pay
    assert "item_tax" not in order["line_items"][0]


@pytest.mark.parametrize(("switch", "original", "discount"), [("zero", "0", "0"), ("discounted", "7.00", "7.00")])
def test_a_gift_costs_nothing_and_tells_its_worth(caller: Caller, switch: str, original: str, discount: str) -> None:
    """T-71"""
    caller.options(gift_price=switch)
    (order_id,) = caller.seed({"lines": [{"price": "10"}, {"sku": "G", "price": "7", "gift": True}]})
    gift = caller.order(order_id)["line_items"][1]
    assert (gift["is_gift"], gift["sale_price"], gift["gift_retail_price"]) == (True, "0", "7.00")
    assert (gift["original_price"], gift["seller_discount"]) == (original, discount)
    check_balance(caller.order(order_id))


@pytest.mark.parametrize("kind", ["sample", "replacement"])
def test_samples_and_replacements_cost_nothing_at_all(caller: Caller, kind: str) -> None:
    """T-71"""
    (order_id,) = caller.seed({"kind": kind, "lines": [{"price": "10"}], "shipping": "5"})
    order = caller.order(order_id)
    money = {name: value for name, value in order["payment"].items() if name != "currency"}
    assert set(money.values()) == {"0"}
    assert order[f"is_{kind}_order"] is True
    assert ("replaced_order_id" in order) is (kind == "replacement")


@pytest.mark.parametrize(("switch", "total"), [("yes", "10.50"), ("no", "10.00")])
def test_the_deposit_is_in_the_total_as_the_switch_says(caller: Caller, switch: str, total: str) -> None:
    """T-67"""
    caller.options(pfand_in_total=switch)
    (order_id,) = caller.seed({"market": "DE", "lines": [{"price": "5", "quantity": 2, "pfand_fee": "0.25"}]})
    assert caller.order(order_id)["payment"]["total_amount"] == total


@pytest.mark.parametrize(("switch", "fee"), [("no", "5.00"), ("yes", "2.00")])
def test_a_cofunded_discount_replaces_the_sellers_and_may_lower_the_fee(caller: Caller, switch: str, fee: str) -> None:
    """T-66"""
    caller.options(cofunded_in_fee=switch)
    (order_id,) = caller.seed({"shipping": "5", "shipping_seller_discount": "1", "shipping_cofunded_discount": "3"})
    pay = caller.order(order_id)["payment"]
    assert (pay["shipping_fee_seller_discount"], pay["shipping_fee"]) == ("0", fee)


def test_the_price_detail_agrees_with_the_order(caller: Caller) -> None:
    line = {"price": "9.99", "quantity": 3, "seller_discount": "0.50"}
    (order_id,) = caller.seed({"lines": [line], "shipping": "4"})
    order = caller.order(order_id)
    detail = caller.data("GET", f"/order/202407/orders/{order_id}/price_detail")
    assert detail["total"] == order["payment"]["total_amount"]
    assert [one["id"] for one in detail["line_items"]] == [one["id"] for one in order["line_items"]]
    assert sum(Decimal(one["tax_amount"]) for one in detail["line_items"]) == Decimal(detail["subtotal_tax_amount"])
    assert caller.code("GET", "/order/202407/orders/1/price_detail") == 21008111
