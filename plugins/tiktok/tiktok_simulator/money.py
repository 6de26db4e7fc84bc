"""The money of an order: discounts, shipping, tax and fees that add up to the cent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from tiktok_simulator.markets import MARKETS, Market
from tiktok_simulator.options import Options
from tiktok_simulator.order import GONE, ZERO, Order, Unit

# Fees that raise what the buyer pays (T-67); one payment discount lowers it.
FEES = (
    "retail_delivery_fee",
    "small_order_fee",
    "buyer_service_fee",
    "handling_fee",
    "shipping_insurance_fee",
    "item_insurance_fee",
    "distance_fee",
)


@dataclass(frozen=True, slots=True)
class UnitMoney:
    """What one unit costs; `retail` is the worth of a gift."""

    original: Decimal
    seller_discount: Decimal
    platform_discount: Decimal
    tax: Decimal
    retail: Decimal | None

    @property
    def sale(self) -> Decimal:
        """The price after both discounts (T-65)."""
        return self.original - self.seller_discount - self.platform_discount


@dataclass(frozen=True, slots=True)
class OrderMoney:
    """The sums of an order, each the sum of its parts."""

    units: tuple[UnitMoney, ...]
    original_total: Decimal
    seller_discount: Decimal
    platform_discount: Decimal
    shipping_fee: Decimal
    product_tax: Decimal
    shipping_tax: Decimal
    fees: Decimal

    @property
    def sub_total(self) -> Decimal:
        """Products after discounts (T-65)."""
        return self.original_total - self.seller_discount - self.platform_discount

    @property
    def tax(self) -> Decimal:
        """Product and shipping tax together (T-68)."""
        return self.product_tax + self.shipping_tax

    @property
    def total(self) -> Decimal:
        """What the buyer pays (T-67)."""
        return self.sub_total + self.shipping_fee + self.tax + self.fees


def rounded(amount: Decimal, market: Market) -> Decimal:
    """An amount in whole smallest units of the market's currency."""
    return amount.quantize(market.cent, ROUND_HALF_UP)


def text(amount: Decimal, market: Market) -> str:
    """An amount as TikTok writes it: a plain 0, else all decimals of the currency (T-43)."""
    return "0" if amount == 0 else str(rounded(amount, market))


def spread(total: Decimal, weights: Sequence[Decimal], market: Market) -> list[Decimal]:
    """Split an amount by weights so that the parts add up exactly; equal weights may differ by one cent (T-63)."""
    whole = sum(weights, ZERO)
    if not weights or whole == 0:
        return [ZERO] * len(weights)
    parts, given, seen = [], ZERO, ZERO
    for weight in weights:
        seen += weight
        upto = rounded(total * seen / whole, market)
        parts.append(upto - given)
        given = upto
    return parts


def money_of(order: Order, options: Options) -> OrderMoney:
    """The money of an order under the present switches."""
    market = MARKETS[order.market]
    priced = [_priced(order, unit, options) for unit in order.units]
    product_tax = ZERO
    if not market.tax_included:
        product_tax = rounded(sum((money.sale for money in priced), ZERO) * order.tax_rate, market)
    taxes = spread(product_tax, [money.sale for money in priced], market)
    all_units = tuple(
        UnitMoney(m.original, m.seller_discount, m.platform_discount, tax, m.retail)
        for m, tax in zip(priced, taxes, strict=True)
    )
    counted = [m for m, unit in zip(all_units, order.units, strict=True) if _counts(order, unit, options)]
    fee = shipping_fee_of(order, options)
    return OrderMoney(
        units=all_units,
        original_total=sum((m.original for m in counted), ZERO),
        seller_discount=sum((m.seller_discount for m in counted), ZERO),
        platform_discount=sum((m.platform_discount for m in counted), ZERO),
        shipping_fee=fee,
        product_tax=sum((m.tax for m in counted), ZERO),
        shipping_tax=ZERO if market.tax_included else rounded(fee * order.shipping_tax_rate, market),
        fees=_fees(order, options),
    )


def shipping_fee_of(order: Order, options: Options) -> Decimal:
    """Shipping after its discounts (T-66)."""
    if order.is_free:
        return ZERO
    fee = order.shipping - order.shipping_seller_discount - order.shipping_platform_discount
    return fee - order.shipping_cofunded_discount if options["cofunded_in_fee"] == "yes" else fee


def _priced(order: Order, unit: Unit, options: Options) -> UnitMoney:
    if order.is_free:
        return UnitMoney(ZERO, ZERO, ZERO, ZERO, None)
    if unit.is_gift:  # T-71
        listed = unit.price if options["gift_price"] == "discounted" else ZERO
        return UnitMoney(listed, listed, ZERO, ZERO, unit.price)
    return UnitMoney(unit.price, unit.seller_discount, unit.platform_discount, ZERO, None)


def _counts(order: Order, unit: Unit, options: Options) -> bool:
    """Whether a unit is still in the sums; once everything is cancelled, the old sums stand (T-79)."""
    if options["partial_cancel_payment"] == "kept" or unit.stage != GONE:
        return True
    return not order.live_units


def _fees(order: Order, options: Options) -> Decimal:
    if order.is_free:
        return ZERO
    fees = sum((order.fees.get(name, ZERO) for name in FEES), ZERO)
    fees -= order.fees.get("payment_platform_discount", ZERO)
    if options["pfand_in_total"] == "yes":
        fees += sum((unit.pfand for unit in order.units if _counts(order, unit, options)), ZERO)
    return fees
