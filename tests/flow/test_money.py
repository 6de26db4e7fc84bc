"""Law 8: money to the cent, on shapes of orders as channels have them, over real HTTP."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from tests.flow.conftest import SiteMaker
from tests.site import HOUR, Site

ROUTE = """\
  - name: us
    channel: shop
    erp: factory
    fulfillments: {enabled: false}
    inventory: {enabled: false}
    orders:
      start: 2026-03-01
      tax: {mode: MODE, create_rates: true}
"""
Shape = dict[str, Any]


def line(price: str, quantity: int = 1, sku: str = "MUG", **more: Any) -> Shape:
    return {"sku": sku, "price": price, "quantity": quantity, **more}


EXCLUSIVE: tuple[Shape, ...] = (
    {"lines": [line("20.00")]},
    {"lines": [line("19.99", 3)]},
    {"lines": [line("0.01", 7)]},
    {"lines": [line("7600.00")]},
    {"lines": [line("9.99"), line("19.49", sku="TEE"), line("3.33", sku="TEA")]},
    {"lines": [line("10.00", seller_discount="1.00")]},
    {"lines": [line("10.00", platform_discount="1.50")]},
    {"lines": [line("10.00", 3, seller_discount="0.33", platform_discount="0.67")]},
    {"lines": [line("10.00", seller_discount="10.00")]},
    {"lines": [line("10.00", platform_discount="10.00")]},
    {"lines": [line("10.00", seller_discount="4.00", platform_discount="6.00")]},
    {"lines": [line("20.00")], "shipping": "5.00"},
    {"lines": [line("20.00")], "shipping": "5.00", "shipping_seller_discount": "5.00"},
    {"lines": [line("20.00")], "shipping": "5.00", "shipping_platform_discount": "5.00"},
    {"lines": [line("20.00")], "shipping": "6.49", "shipping_seller_discount": "1.11",
     "shipping_platform_discount": "2.22"},
    {"lines": [line("20.00")], "shipping": "5.00", "shipping_cofunded_discount": "2.00"},
    {"lines": [line("20.00")], "shipping": "4.99", "shipping_tax_rate": "0.0825"},
    {"lines": [line("20.00")], "fees": {"retail_delivery_fee": "0.29"}},
    {"lines": [line("20.00")], "fees": {"handling_fee": "1.01", "small_order_fee": "0.50"}},
    {"lines": [line("20.00"), line("15.00", sku="TEE", gift=True)]},
    {"lines": [line("15.00", sku="TEE")], "kind": "sample"},
    {"lines": [line("15.00", sku="TEE")], "kind": "replacement"},
    {"lines": [{"sku": "SET", "price": "30.00", "quantity": 1,
                "bundle": [{"sku": "MUG", "count": 1}, {"sku": "TEE", "count": 2}]}]},
    {"lines": [{"sku": "SET", "price": "29.99", "quantity": 2, "seller_discount": "0.01",
                "bundle": [{"sku": "MUG", "count": 1}, {"sku": "TEE", "count": 2}]}]},
    {"lines": [line("20.00")], "tax_rate": "0"},
    {"lines": [line("33.33", 3)], "tax_rate": "0.1025"},
)  # fmt: skip
INCLUSIVE: tuple[Shape, ...] = (
    {"market": "GB", "lines": [line("20.00")], "tax_rate": "0.20"},
    {"market": "GB", "lines": [line("19.99", 3)], "tax_rate": "0.20"},
    {"market": "GB", "lines": [line("9.99", seller_discount="0.50", platform_discount="1.25")], "tax_rate": "0.20"},
    {"market": "GB", "lines": [line("9.99")], "shipping": "2.99", "tax_rate": "0.20"},
    {"market": "GB", "lines": [line("9.99")], "shipping": "2.99", "shipping_seller_discount": "1.00",
     "tax_rate": "0.20"},
    {"market": "GB", "lines": [line("5.00"), line("7.77", 2, sku="TEE")], "tax_rate": "0.05"},
    {"market": "GB", "lines": [line("20.00"), line("15.00", sku="TEE", gift=True)], "tax_rate": "0.20"},
    {"market": "DE", "lines": [line("24.95", 2)], "tax_rate": "0.19"},
    {"market": "DE", "lines": [line("24.95", pfand_fee="0.25")], "tax_rate": "0.19"},
    {"market": "DE", "lines": [line("0.99", 5, seller_discount="0.09")], "tax_rate": "0.07"},
    {"market": "FR", "lines": [line("14.90")], "tax_rate": "0.055"},
    {"market": "IE", "lines": [line("49.00")], "shipping": "4.50", "tax_rate": "0.23"},
    {"market": "ES", "lines": [line("1.23", 3)], "tax_rate": "0.21"},
    {"market": "IT", "lines": [line("88.88")], "tax_rate": "0.22"},
    {"market": "JP", "lines": [line("2980")], "tax_rate": "0.10"},
    {"market": "JP", "lines": [line("1501", 3, seller_discount="100")], "shipping": "550", "tax_rate": "0.10"},
    {"market": "VN", "lines": [line("199000", 2, platform_discount="19900")], "tax_rate": "0.08"},
    {"market": "TH", "lines": [line("349.00")], "fees": {"small_order_fee": "10.00"}, "tax_rate": "0.07"},
    {"market": "SG", "lines": [line("12.35")], "tax_rate": "0.09"},
    {"market": "MX", "lines": [line("499.00", seller_discount="49.90")], "tax_rate": "0.16"},
)  # fmt: skip
CENT = Decimal("0.01")


def amount(shape: Shape, name: str) -> Decimal:
    return Decimal(shape.get(name, "0"))


def owed(shape: Shape) -> Decimal:
    """Return what the seller charges for the goods: list prices less its own discounts; free orders cost nothing."""
    if shape.get("kind") in ("sample", "replacement"):
        return Decimal(0)
    return sum(
        (
            (Decimal(each["price"]) - amount(each, "seller_discount")) * each["quantity"]
            for each in shape["lines"]
            if not each.get("gift")
        ),
        Decimal(0),
    )


def shipping(shape: Shape) -> Decimal:
    """Return what the seller charges for shipping; a co-funded programme counts as the channel's discount."""
    return amount(shape, "shipping") - amount(shape, "shipping_seller_discount")


def gross(row: Shape, rates: dict[int, Decimal], *, included: bool) -> Decimal:
    net = Decimal(str(row["price_per_unit"])) * Decimal(str(row["quantity"])) - Decimal(str(row["total_discount"] or 0))
    rate = rates.get(row["tax_rate_id"] or 0, Decimal(0)) if included else Decimal(0)
    return net * (1 + rate / 100)


FROM_ORDER, FIXED = ROUTE.replace("MODE", "from_order"), ROUTE.replace("MODE", "fixed, rate: 20, included: true")


def site_with(make_site: SiteMaker, routes: str) -> Site:
    """Return a site whose time passes, so that many calls fit into the channel's budget."""
    made = make_site(routes=routes)
    made.both("clock", {"rate": 1})
    return made


def arrived(site: Site, shapes: tuple[Shape, ...]) -> list[tuple[Shape, Shape]]:
    """Have every shape ordered and placed; return each with its sales order."""
    refs = [site.order(**shape) for shape in shapes]
    site.advance(2 * HOUR)
    site.sync()
    fates = {ref: site.fate(ref) for ref in refs}
    assert set(fates.values()) == {("placed", None)}, [
        (shape, fates[ref], site.row(ref).reason)
        for shape, ref in zip(shapes, refs, strict=True)
        if fates[ref] != ("placed", None)
    ]
    by_ref = {one["ecommerce_order_id"]: one for one in site.sales_orders()}
    return [(shape, by_ref[ref]) for shape, ref in zip(shapes, refs, strict=True)]


@pytest.mark.parametrize(("shapes", "routes", "included"), [(EXCLUSIVE, FROM_ORDER, False), (INCLUSIVE, FIXED, True)])
def test_sales_orders_charge_what_the_seller_charges_to_the_cent(
    make_site: SiteMaker, shapes: tuple[Shape, ...], routes: str, included: bool
) -> None:
    """Prices of tax-inclusive markets go net, with the rate that brings them back to what buyers paid."""
    site = site_with(make_site, routes)
    assert len(EXCLUSIVE) + len(INCLUSIVE) >= 40
    pairs = arrived(site, shapes)
    rates = {each["id"]: Decimal(str(each["rate"])) for each in site.katana_sim("state", method="GET")["tax_rates"]}
    for shape, made in pairs:
        goods = sum((gross(row, rates, included=included) for row in made["sales_order_rows"]), Decimal(0))
        assert goods.quantize(CENT, ROUND_HALF_UP) == owed(shape), shape
        fee = made["shipping_fee"]
        rate = rates.get(fee["tax_rate_id"] or 0, Decimal(0)) if fee and included else Decimal(0)
        paid = Decimal(fee["amount"]) * (1 + rate / 100) if fee else Decimal(0)
        assert paid.quantize(CENT, ROUND_HALF_UP) == shipping(shape), shape
        if included:
            assert all(row["tax_rate_id"] for row in made["sales_order_rows"])


@pytest.mark.parametrize(
    ("field", "term"),
    [
        ("original_total_product_price", "items"),
        ("seller_discount", "seller_discount"),
        ("platform_discount", "channel_discount"),
        ("total_amount", "total"),
        ("original_shipping_fee", "total"),
        ("retail_delivery_fee", "total"),
        ("product_tax", "total"),
    ],
)
def test_a_term_that_does_not_add_up_blocks_and_is_named(make_site: SiteMaker, field: str, term: str) -> None:
    site = site_with(make_site, FROM_ORDER)
    ref = site.order(
        lines=[line("20.00", 2, seller_discount="1.00", platform_discount="0.50")], shipping="5.00",
        overrides={"payment": {field: "77.77"}},
    )  # fmt: skip
    site.advance(2 * HOUR)
    site.sync()
    assert site.fate(ref) == ("blocked", "money-unbalanced")
    assert any(
        reason["what"].startswith(f"{term} says 77.77") or term == "total" for reason in site.row(ref).reason or []
    )
    assert site.sales_orders() == []
