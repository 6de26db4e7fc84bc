"""The money of an order as named terms that add up; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import combinations

from hub.contract import Fee, LineItem, Totals
from hub_tiktok.payload import ZERO, Json, amount, child, children, number

# T-85: the terms beside products, shipping and tax; further ones that end in _fee are taken for such, too (T-44).
FEE_NAMES = (
    "retail_delivery_fee",
    "small_order_fee",
    "buyer_service_fee",
    "handling_fee",
    "shipping_insurance_fee",
    "item_insurance_fee",
    "item_insurance_tax",
    "distance_fee",
    "distance_shipping_fee",
    "payment_discount_service_fee",
)
REDUCTIONS = ("payment_platform_discount", "shipping_fee_cofunded_discount")
NOT_FEES = frozenset({"shipping_fee", "original_shipping_fee"})
# Whether these are inside the total is not known (T-66, T-67, T-85): where the total says so, they are left out.
DOUBTFUL = (
    "shipping_fee_cofunded_discount",
    "pfand_fee",
    "tax_on_fees",
    "payment_platform_discount",
    "payment_discount_service_fee",
    "distance_fee",
    "distance_shipping_fee",
    "item_insurance_tax",
)


def read_totals(order: Json, lines: Sequence[LineItem], *, tax_on_top: bool) -> tuple[Totals, bool]:
    """Return the named terms of an order's total, and whether the prices contain the tax.

    Of all readings that the sources leave open, the nearest to the usual one that balances is taken; where none does,
    the usual one is passed on as it is. A missing amount is zero.

    Args:
        tax_on_top: the usual way in this market (T-68); the equation decides, where there is tax at all.
    """
    usual = _terms(order, lines)
    for included, without in _readings(usual.fees, not tax_on_top):
        kept = tuple(fee for fee in usual.fees if fee.name not in without)
        totals = usual.model_copy(update={"fees": kept}) if without else usual
        if balance(totals, taxes_included=included) == 0:
            return totals, included
    return usual, not tax_on_top


def balance(totals: Totals, *, taxes_included: bool) -> Decimal:
    """Return what the terms of a total leave over; zero where they add up."""
    terms = totals.items - totals.seller_discount - totals.channel_discount
    terms += totals.shipping - totals.shipping_seller_discount - totals.shipping_channel_discount
    terms += sum((fee.amount for fee in totals.fees), ZERO)
    if not taxes_included:
        terms += totals.tax + totals.shipping_tax
    return terms - totals.total


def _readings(fees: Iterable[Fee], included: bool) -> Iterable[tuple[bool, frozenset[str]]]:
    """Yield readings, the one with the fewest departures from the usual first."""
    doubtful = [fee.name for fee in fees if fee.name in DOUBTFUL]
    for size in range(len(doubtful) + 1):
        for without in combinations(doubtful, size):
            yield included, frozenset(without)
        for without in combinations(doubtful, size):
            yield not included, frozenset(without)


def _terms(order: Json, lines: Sequence[LineItem]) -> Totals:
    payment = child(order, "payment")
    tax, shipping_tax = _taxes(payment)
    return Totals(
        items=_items(payment, lines),
        seller_discount=amount(payment, "seller_discount"),
        channel_discount=amount(payment, "platform_discount"),
        shipping=_shipping(payment),
        shipping_seller_discount=amount(payment, "shipping_fee_seller_discount"),
        shipping_channel_discount=amount(payment, "shipping_fee_platform_discount"),
        tax=tax,
        shipping_tax=shipping_tax,
        fees=tuple(Fee(name=name, amount=value) for name, value in _fees(order, tax + shipping_tax) if value),
        total=amount(payment, "total_amount"),
    )


def _items(payment: Json, lines: Sequence[LineItem]) -> Decimal:
    stated = number(payment, "original_total_product_price")
    return stated if stated is not None else sum((line.price * line.quantity for line in lines), ZERO)


def _shipping(payment: Json) -> Decimal:
    stated = number(payment, "original_shipping_fee")
    if stated is not None:
        return stated
    discounts = ("shipping_fee_seller_discount", "shipping_fee_platform_discount")
    return amount(payment, "shipping_fee") + sum((amount(payment, name) for name in discounts), ZERO)  # T-66


def _taxes(payment: Json) -> tuple[Decimal, Decimal]:
    """Return the tax on the items and on shipping; the first is the rest of the whole where it is not told (T-68)."""
    shipping = amount(payment, "shipping_fee_tax")
    items = number(payment, "product_tax")
    return (items if items is not None else max(amount(payment, "tax") - shipping, ZERO)), shipping


def _fees(order: Json, tax: Decimal) -> Iterable[tuple[str, Decimal]]:
    payment = child(order, "payment")
    for name in FEE_NAMES:
        if name in payment:
            yield name, amount(payment, name)
    for name in sorted(payment):
        if name.endswith("_fee") and name not in FEE_NAMES and name not in NOT_FEES:
            yield name, amount(payment, name)
    for name in REDUCTIONS:
        yield name, -abs(amount(payment, name))
    if "pfand_fee" not in payment:  # the German deposit stands on the lines
        yield "pfand_fee", sum((amount(line, "pfand_fee") for line in children(order, "line_items")), ZERO)
    if number(payment, "tax") is not None:
        yield "tax_on_fees", amount(payment, "tax") - tax
