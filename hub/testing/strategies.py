"""Hypothesis generators of valid model values: Orders whose money balances, Routes, and what goes with them.

Every Order from here passes ``hub.routing.money.imbalances``; a property that fails on one has found a hub fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from hypothesis import strategies as st

from hub.contract import (
    Address,
    Buyer,
    Customer,
    Fee,
    FulfilledBy,
    LineItem,
    LineStatus,
    Location,
    LocationKind,
    Order,
    OrderKey,
    OrderStatus,
    Part,
    SalesOrder,
    SalesOrderRow,
    ShippingCharge,
    Totals,
    Variant,
)
from hub.routing.compose import Known, wanted_skus
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
)

CURRENCIES = {"USD": 2, "EUR": 2, "GBP": 2, "JPY": 0, "VND": 0, "KWD": 3}
"""Currency codes with their decimal places."""

SKUS = ("MUG-BLUE", "MUG-RED", "TEA-50G", "tea-50g", "POSTER/A2", "SAMPLE 1", "ÄÖÜ-9")
RATES = (None, Decimal(0), Decimal(5), Decimal("8.25"), Decimal(19), Decimal("21.5"))
FEES = ("retail_delivery_fee", "small_order_fee", "handling_fee", "deposit")
EPOCH = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
ZERO = Decimal(0)
_REFS = st.integers(576_000_000_000, 577_999_999_999).map(str)
_QUANTITIES = st.sampled_from([1, 1, 1, 2, 3, 12]).map(Decimal)
_FEW = st.integers(1, 4).map(Decimal)
_TENTHS = st.integers(0, 9)
_BOOLEANS = st.booleans()
_PRICES = st.integers(0, 50_000)
_RATES = st.sampled_from(RATES)
_SECONDS = st.integers(0, 86_400)
_NAMES = st.sampled_from(["Ann Example", "J*** D**", "Zoë O'Neil", "李雷"])
_BUYERS = st.just(Buyer()) | st.builds(Buyer, ref=st.sampled_from(["b-1", "b-2"]), name=_NAMES)
_FEES = st.lists(st.sampled_from(FEES), unique=True, max_size=2)
_NOTES = st.sampled_from(["", "Leave it with the neighbour"])
_CENTS = st.integers(-50, 500)
_CHARGES = st.just(0) | st.integers(1, 3_000)
_LINE_OF = {OrderStatus.SHIPPED: LineStatus.SHIPPED, OrderStatus.CANCELLED: LineStatus.CANCELLED}


@dataclass(frozen=True, slots=True)
class Pricing:
    """How one Order states money: its currency, and whether prices contain tax."""

    currency: str
    taxes_included: bool

    def amount(self, minor: int) -> Decimal:
        """Return so many minor units (cents) as an amount."""
        return Decimal(minor).scaleb(-CURRENCIES[self.currency])

    def rounded(self, amount: Decimal) -> Decimal:
        """Round to the currency's minor unit."""
        return amount.quantize(self.amount(1), ROUND_HALF_UP)


@cache
def pricings(currencies: tuple[str, ...] = tuple(CURRENCIES)) -> st.SearchStrategy[Pricing]:
    """Generate currencies, with tax on top or included."""
    return st.builds(Pricing, st.sampled_from(list(currencies)), st.booleans())


@cache
def instants(earliest: datetime = EPOCH, most_s: int = 86_400) -> st.SearchStrategy[datetime]:
    """Generate aware instants in UTC within some seconds after the earliest."""
    return st.integers(0, most_s).map(lambda seconds: earliest + timedelta(seconds=seconds))


@st.composite
def line_items(
    draw: st.DrawFn,
    pricing: Pricing = Pricing("USD", False),
    skus: Sequence[str] = SKUS,
    status: LineStatus = LineStatus.OPEN,
) -> LineItem:
    """Generate LineItems: plain, gifts, bundles of the channel's own; discounts never exceed the line."""
    ref, sku, quantity = draw(_REFS), draw(_one_of(tuple(skus))), draw(_QUANTITIES)
    parts = draw(_parts(tuple(skus))) if draw(_TENTHS) < 2 else []
    shown = {"ref": ref, "sku": sku, "name": sku.title(), "quantity": quantity, "status": status, "parts": parts}
    if draw(_TENTHS) == 0:
        nothing = None if pricing.taxes_included else ZERO
        return LineItem.model_validate(shown | {"price": ZERO, "is_gift": True, "tax": nothing})
    price = draw(_PRICES)
    left = price * int(quantity)
    seller = _part_of(draw, left)
    channel = _part_of(draw, left - seller)
    rate = draw(_RATES)
    taxed = pricing.amount(left - seller - channel) * (rate or ZERO) / 100
    money = {
        "price": pricing.amount(price),
        "seller_discount": pricing.amount(seller),
        "channel_discount": pricing.amount(channel),
        "tax_rate": rate,
        "tax": None if pricing.taxes_included else pricing.rounded(taxed),
    }
    return LineItem.model_validate(shown | money)


def _part_of(draw: st.DrawFn, whole: int) -> int:
    """Draw nothing, or anything up to a whole."""
    return draw(st.integers(0, whole)) if whole and draw(_BOOLEANS) else 0


@cache
def _one_of(skus: tuple[str, ...]) -> st.SearchStrategy[str]:
    # Making a strategy costs more than drawing from it.
    return st.sampled_from(skus)


@cache
def _parts(skus: tuple[str, ...]) -> st.SearchStrategy[list[Part]]:
    return st.lists(st.builds(Part, sku=_one_of(skus), quantity=_FEW), min_size=1, max_size=3)


@st.composite
def _totals(draw: st.DrawFn, lines: Sequence[LineItem], pricing: Pricing) -> Totals:
    """Add the lines up, with or without the cancelled ones, and put shipping and fees beside them."""
    remaining = [line for line in lines if line.status is not LineStatus.CANCELLED]
    counted = lines if draw(_BOOLEANS) else remaining
    items = sum((line.price * line.quantity for line in counted), ZERO)
    seller = sum((line.seller_discount for line in counted), ZERO)
    channel = sum((line.channel_discount for line in counted), ZERO)
    tax = sum((line.tax or ZERO for line in counted), ZERO)
    shipping = draw(_CHARGES)
    less_seller = _part_of(draw, shipping)
    less_channel = _part_of(draw, shipping - less_seller)
    has_rate = any(line.tax_rate is not None for line in lines)  # the rate of the lines is that of shipping, too
    shipping_tax = _part_of(draw, shipping // 5) if has_rate and not pricing.taxes_included else 0
    fees = tuple(Fee(name=name, amount=pricing.amount(draw(_CENTS))) for name in draw(_FEES))
    on_top = ZERO if pricing.taxes_included else tax + pricing.amount(shipping_tax)
    rest = pricing.amount(shipping - less_seller - less_channel) + sum((fee.amount for fee in fees), ZERO)
    return Totals(
        items=items,
        seller_discount=seller,
        channel_discount=channel,
        shipping=pricing.amount(shipping),
        shipping_seller_discount=pricing.amount(less_seller),
        shipping_channel_discount=pricing.amount(less_channel),
        tax=tax,
        shipping_tax=pricing.amount(shipping_tax),
        fees=fees,
        total=items - seller - channel + rest + on_top,
    )


@st.composite
def orders(
    draw: st.DrawFn,
    *,
    statuses: Sequence[OrderStatus] = tuple(status for status in OrderStatus if status is not OrderStatus.UNKNOWN),
    skus: Sequence[str] = SKUS,
    currencies: Sequence[str] = tuple(CURRENCIES),
    shop: str = "7495000000000000001",
    most_lines: int = 6,
) -> Order:
    """Generate Orders whose money balances and whose lines agree with their status."""
    status, pricing = draw(st.sampled_from(list(statuses))), draw(pricings(tuple(currencies)))
    lines = draw(_lines(status, pricing, skus, most_lines))
    created = draw(instants())
    paid = None if status is OrderStatus.UNPAID else created + timedelta(seconds=draw(_SECONDS) // 12)
    held = paid is not None and (status is OrderStatus.ON_HOLD or draw(_BOOLEANS))
    ref = draw(_REFS)
    return Order(
        ref=ref,
        key=f"TT-{ref}",
        shop=shop,
        shop_name=draw(st.sampled_from(["", "Mug shop"])),
        status=status,
        channel_status=status.name,
        created_at=created,
        updated_at=(paid or created) + timedelta(seconds=draw(_SECONDS)),
        paid_at=paid,
        hold_until=paid + timedelta(hours=1) if paid is not None and held else None,
        fulfilled_by=draw(st.sampled_from([FulfilledBy.SELLER, FulfilledBy.SELLER, FulfilledBy.CHANNEL])),
        region=draw(st.sampled_from([None, "US", "GB", "DE", "JP"])),
        location_ref=draw(st.sampled_from([None, "wh-1", "wh-2"])),
        currency=pricing.currency,
        taxes_included=pricing.taxes_included,
        lines=lines,
        totals=draw(_totals(lines, pricing)),
        address=draw(_maybe_address()),
        buyer=draw(_BUYERS),
        note=draw(_NOTES),
    )


@st.composite
def _lines(
    draw: st.DrawFn, status: OrderStatus, pricing: Pricing, skus: Sequence[str], most: int
) -> tuple[LineItem, ...]:
    usual = _LINE_OF.get(status, LineStatus.OPEN)
    least = 2 if status is OrderStatus.PARTLY_SHIPPED else 1
    lines = draw(
        st.lists(line_items(pricing, skus, usual), min_size=least, max_size=max(most, least), unique_by=_ref_of)
    )
    changed = {0: LineStatus.SHIPPED} if status is OrderStatus.PARTLY_SHIPPED else {}
    if status is not OrderStatus.CANCELLED and len(lines) > least:
        cancelled = draw(st.sets(st.integers(least, len(lines) - 1)))
        changed |= dict.fromkeys(cancelled, LineStatus.CANCELLED)
    return tuple(
        line.model_copy(update={"status": changed[at]}) if at in changed else line for at, line in enumerate(lines)
    )


@cache
def _line_lists(
    pricing: Pricing, skus: tuple[str, ...], status: LineStatus, least: int, most: int
) -> st.SearchStrategy[list[LineItem]]:
    return st.lists(line_items(pricing, skus, status), min_size=least, max_size=most, unique_by=_ref_of)


def _ref_of(line: LineItem) -> str:
    return line.ref


@cache
def _maybe_address() -> st.SearchStrategy[Address | None]:
    return st.none() | addresses()


@cache
def addresses() -> st.SearchStrategy[Address]:
    """Generate addresses: whole, partly missing, or masked."""
    word = st.none() | st.sampled_from(["Main St 1", "Tallinn", "Østergade", "12-34"])
    masked = st.just(Address(first_name="A**", line_1="***", country="US", masked=True))
    return masked | st.builds(
        Address,
        first_name=st.none() | st.sampled_from(["Ann", "Zoë"]),
        last_name=st.none() | st.sampled_from(["Example", "O'Neil"]),
        line_1=word,
        city=word,
        zip=word,
        country=st.sampled_from(["US", "GB", "EE"]),
    )


def components(skus: Sequence[str] = SKUS) -> st.SearchStrategy[tuple[Component, ...]]:
    """Generate what one channel SKU may stand for; the price shares add up to 1 exactly."""

    def shared(parts: list[tuple[str, Decimal, int]]) -> tuple[Component, ...]:
        shares = [Decimal(weight) / 100 for _, _, weight in parts[1:]]
        shares.insert(0, 1 - sum(shares, ZERO))
        return tuple(Component(sku, many, share) for (sku, many, _), share in zip(parts, shares, strict=True))

    part = st.tuples(st.sampled_from(list(skus)), _FEW, st.integers(0, 33))
    return st.lists(part, min_size=1, max_size=3, unique_by=lambda drawn: drawn[0]).map(shared)


@st.composite
def routes(draw: st.DrawFn, *, skus: Sequence[str] = SKUS) -> Route:
    """Generate Routes that take every Order, over all ways to treat SKUs, tax, discounts, shipping and customers."""
    mode = draw(st.sampled_from(TaxMode))
    how = draw(st.sampled_from(ShippingAs))
    rate = draw(st.sampled_from([rate for rate in RATES if rate is not None])) if mode is TaxMode.FIXED else None
    return Route(
        name="us-shop",
        channel="tiktok-us",
        erp="katana",
        orders=OrderRules(
            hold_s=float(draw(st.sampled_from([0, 60, 3_600, 86_400]))),
            location=LocationRule(draw(st.none() | st.just("Main")), draw(st.sampled_from([{}, {"wh-1": "West"}]))),
            customer=draw(st.sampled_from(CustomerPer)),
            skus=draw(st.dictionaries(st.sampled_from(list(skus)), components(skus), max_size=2)),
            tax=TaxRule(mode, rate, draw(st.none() | st.booleans()), draw(_BOOLEANS)),
            discounts=DiscountRule(draw(_BOOLEANS), draw(_BOOLEANS)),
            shipping=ShippingRule(how, "SHIPPING" if how is ShippingAs.ROW else None),
        ),
    )


def known_for(order: Order, route: Route) -> Known:
    """Return what the ledger would know if every SKU of an Order had its Variant: one living one each."""
    variants = {sku: (Variant(ref=f"v:{sku}", sku=sku),) for sku in wanted_skus(order, route)}
    places = tuple(Location(ref=f"l:{name}", name=name, kind=LocationKind.SHIPS) for name in ("Main", "West"))
    return Known(variants=variants, erp_locations=places)


@st.composite
def sales_orders(draw: st.DrawFn, *, skus: Sequence[str] = SKUS) -> SalesOrder:
    """Generate sales orders with one to five rows, some with tax, discount, shipping or an address."""
    pricing = Pricing(draw(st.sampled_from(list(CURRENCIES))), False)
    ref, at = draw(_REFS), draw(instants())
    rows = []
    for sku in draw(st.lists(st.sampled_from(list(skus)), min_size=1, max_size=5)):
        price, quantity = draw(st.integers(0, 50_000)), draw(_FEW)
        discount = draw(st.just(0) | st.integers(0, price * int(quantity)))
        rate = draw(st.sampled_from(RATES))
        row = {"variant_ref": f"v:{sku}", "sku": sku, "quantity": quantity, "tax_rate": rate}
        money = {"price": pricing.amount(price), "discount": pricing.amount(discount)}
        rows.append(SalesOrderRow.model_validate(row | money))
    charge = draw(st.none() | st.integers(1, 3_000))
    return SalesOrder(
        key=OrderKey(key=f"TT-{ref}", channel="tiktok", shop="7495", ref=ref, ordered_at=at),
        customer=Customer(reference="tiktok:7495", name="TikTok shop 7495"),
        currency=pricing.currency,
        ordered_at=at,
        location_ref=draw(st.none() | st.just("l:Main")),
        rows=tuple(rows),
        shipping=None if charge is None else ShippingCharge(amount=pricing.amount(charge)),
        address=draw(_maybe_address()),
    )
