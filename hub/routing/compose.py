"""Order + Route -> the sales order to create, priced net of tax, or the problems that stand in the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from hub.contract import (
    Customer,
    FulfilledBy,
    LineItem,
    LineStatus,
    Location,
    Order,
    OrderKey,
    SalesOrder,
    SalesOrderRow,
    ShippingCharge,
    Variant,
)
from hub.routing.fate import Problem
from hub.routing.match import names_of
from hub.routing.model import Component, CustomerPer, Route, ShippingAs, TaxMode

ZERO, ONE, HUNDRED = Decimal(0), Decimal(1), Decimal(100)
PRICE_PLACES = Decimal("0.0000000001")  # more than any currency needs; keeps row totals exact to the cent


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger remembers of both sides that composing needs."""

    variants: Mapping[str, Sequence[Variant]] = field(default_factory=dict)  # ERP Variants by SKU, living ones
    erp_locations: Sequence[Location] = ()
    channel_locations: Sequence[Location] = ()


@dataclass(frozen=True, slots=True)
class _Unit:
    """A quantity of one ERP SKU with its share of a line's money, still as the channel prices it."""

    sku: str
    quantity: Decimal
    amount: Decimal  # list price of all of it
    discount: Decimal
    tax_rate: Decimal | None
    location: str | None


_Shipped = tuple[LineItem, tuple[Component, ...]]  # a line that is not cancelled, and what ships for one unit of it


def order_key(order: Order, channel: str) -> OrderKey:
    """Return what the Order's sales order is recognised by; ``channel`` is the connector's name."""
    return OrderKey(key=order.key, channel=channel, shop=order.shop, ref=order.ref, ordered_at=order.created_at)


def wanted_skus(order: Order, route: Route) -> set[str]:
    """Return the ERP SKUs that composing this Order will look for."""
    skus = {component.sku for line in order.lines if _ships(line) for component in components(line, route)}
    return skus | _shipping_sku(route)


def _shipping_sku(route: Route) -> set[str]:
    rule = route.orders.shipping
    return {rule.sku} if rule.how is ShippingAs.ROW and rule.sku else set()


def components(line: LineItem, route: Route) -> tuple[Component, ...]:
    """Return what ships for one unit of a line: the route's table first, then the channel's parts, then its SKU."""
    if line.sku is not None and line.sku in route.orders.skus:
        return route.orders.skus[line.sku]
    if line.parts:
        pieces = sum((part.quantity for part in line.parts), ZERO)
        found = [(route.orders.skus.get(part.sku or ""), part) for part in line.parts]
        return tuple(
            Component(c.sku, c.quantity * part.quantity, c.price_share * part.quantity / pieces)
            for mapped, part in found
            for c in (mapped or ((Component(part.sku),) if part.sku else ()))
        )
    return (Component(line.sku),) if line.sku else ()


def _ships(line: LineItem) -> bool:
    return line.status is not LineStatus.CANCELLED


def compose(order: Order, route: Route, channel: str, known: Known) -> SalesOrder | tuple[Problem, ...]:
    """Build the sales order, all lines or none; return every problem at once where it cannot be."""
    shipped = [(line, components(line, route)) for line in order.lines if _ships(line)]
    problems = [*_line_problems(order), *_tax_problems(order, route), *_sku_problems(shipped, route, known)]
    location = _location(order, order.location_ref, route, known, problems)
    places = {
        ref: _location(order, ref, route, known, problems)
        for ref in dict.fromkeys(line.location_ref for line, _ in shipped if line.location_ref)
    }
    units = [unit for line, parts in shipped for unit in _units(line, parts, route, places)]
    units += _shipping_row(order, route)
    if not units and not problems:
        problems.append(Problem("nothing-to-ship", "no line of the order is left to ship", "Nothing to do: skip it."))
    if problems:
        return tuple(dict.fromkeys(problems))
    return SalesOrder(
        key=order_key(order, channel),
        customer=_customer(order, route, channel),
        currency=order.currency,
        ordered_at=order.created_at,
        location_ref=location,
        rows=tuple(_rows(units, order, route, known, location)),
        shipping=_fee(order, route),
        address=order.address,
        note=order.note,
        create_tax_rates=route.orders.tax.create_rates,
    )


def _line_problems(order: Order) -> list[Problem]:
    return [
        Problem(
            "sku-missing",
            f"line {line.ref} ({line.name or 'no name'}) has no SKU on the channel",
            "Give the product a seller SKU on the channel, or cancel the line there.",
        )
        for line in order.lines
        if _ships(line) and ((line.sku is None and not line.parts) or any(part.sku is None for part in line.parts))
    ]


def _tax_problems(order: Order, route: Route) -> list[Problem]:
    """Refuse tax that has an amount but no rate: it would silently stay inside the prices, or go missing."""
    if route.orders.tax.mode is not TaxMode.FROM_ORDER or any(line.tax_rate is not None for line in order.lines):
        return []
    is_shipping_sent = route.orders.shipping.how is not ShippingAs.NONE and _shipping_amount(order, route) > 0
    tax = order.totals.tax + (order.totals.shipping_tax if is_shipping_sent else ZERO)
    if tax <= 0:
        return []
    what = f"it states {tax} {order.currency} of tax, but no line says at which rate"
    do = (
        f"Write orders/tax of route {route.name} as {{mode: fixed, rate: ...}} for that market, or as none; then retry."
    )
    return [Problem("tax-unstated", what, do)]


def _sku_problems(shipped: Sequence[_Shipped], route: Route, known: Known) -> list[Problem]:
    problems = []
    wanted = {part.sku for _, parts in shipped for part in parts} | _shipping_sku(route)
    unclear = [sku for sku in wanted if len(known.variants.get(sku, ())) != 1]
    for sku in sorted(unclear):
        living = known.variants.get(sku, ())
        lines = ", ".join(line.ref for line, parts in shipped if sku in {part.sku for part in parts})
        where = f"line {lines}" if lines else "the shipping row"
        if not living:
            problems.append(
                Problem(
                    "variant-unmapped",
                    f"SKU {sku} ({where}) has no variant in {route.erp}",
                    f"Create the variant there, or map the SKU under orders/skus of route {route.name}; the "
                    "order goes on by itself.",
                    (sku,),
                )
            )
        else:
            refs = ", ".join(variant.ref for variant in living)
            problems.append(
                Problem(
                    "variant-ambiguous",
                    f"SKU {sku} ({where}) belongs to {len(living)} living variants in {route.erp}: {refs}",
                    "Leave the SKU on one of them; the order goes on by itself.",
                    (sku,),
                )
            )
    return problems


def _location(order: Order, ref: str | None, route: Route, known: Known, problems: list[Problem]) -> str | None:
    rule = route.orders.location
    names = names_of(ref, known.channel_locations)
    name = next((rule.by_channel_location[n] for n in names if n in rule.by_channel_location), rule.default)
    if order.fulfilled_by is FulfilledBy.CHANNEL:
        name = route.orders.done_location  # law 6: what the channel ships never moves own stock
    if name is None:
        return None
    found = [place for place in known.erp_locations if name in (place.name, place.ref)]
    if len(found) == 1 and found[0].usable:
        return found[0].ref
    if len(found) == 1:
        what, do = (
            f"location {name!r} of {route.erp} does not allow sales",
            "Allow sales there, or name another location.",
        )
    elif found:
        what, do = f"{len(found)} locations of {route.erp} are called {name!r}", "Name it by its id in the route file."
    else:
        has = ", ".join(repr(place.name) for place in known.erp_locations) or "none"
        what, do = f"{route.erp} has no location {name!r}; it has {has}", "Correct the name in the route file."
    problems.append(Problem("location-unknown", what, do))
    return None


def _units(
    line: LineItem, parts: Sequence[Component], route: Route, places: Mapping[str, str | None]
) -> list[_Unit]:  # fmt: skip
    rules = route.orders
    discount = (line.seller_discount if rules.discounts.deduct_seller else ZERO) + (
        line.channel_discount if rules.discounts.deduct_channel else ZERO
    )
    rate = line.tax_rate if rules.tax.mode is TaxMode.FROM_ORDER else _fixed_rate(route)
    place = places[line.location_ref] if line.location_ref else None
    amounts = split(line.price * line.quantity, [part.price_share for part in parts])
    discounts = _within(split(discount, [part.price_share for part in parts]), amounts)
    return [
        _Unit(part.sku, part.quantity * line.quantity, amount, cut, rate, place)
        for part, amount, cut in zip(parts, amounts, discounts, strict=True)
    ]


def _fixed_rate(route: Route) -> Decimal | None:
    return route.orders.tax.rate if route.orders.tax.mode is TaxMode.FIXED else None


def split(amount: Decimal, shares: Sequence[Decimal]) -> list[Decimal]:
    """Split an amount by shares, to the places it came with (at least two), the last taking the rest."""
    if len(shares) <= 1:
        return [amount] * len(shares)
    whole = sum(shares, ZERO)
    exponent = amount.as_tuple().exponent
    step = Decimal(1).scaleb(min(exponent, -2)) if isinstance(exponent, int) else Decimal("0.01")
    pieces = [(amount * share / whole).quantize(step, ROUND_DOWN) for share in shares[:-1]]
    return [*pieces, amount - sum(pieces, ZERO)]


def _within(discounts: Sequence[Decimal], amounts: Sequence[Decimal]) -> list[Decimal]:
    """Move what rounding put on a part beyond its price to the parts that have room."""
    capped = [min(cut, amount) for cut, amount in zip(discounts, amounts, strict=True)]
    if len(capped) <= 1:
        return capped
    rest = sum(discounts, ZERO) - sum(capped, ZERO)
    for place, amount in enumerate(amounts):
        more = min(rest, amount - capped[place])
        capped[place], rest = capped[place] + more, rest - more
    return capped


def _contains_tax(order: Order, route: Route) -> bool:
    included = route.orders.tax.included
    return order.taxes_included if included is None else included


def _net(amount: Decimal, rate: Decimal | None, contains_tax: bool) -> Decimal:
    return amount / (ONE + rate / HUNDRED) if contains_tax and rate else amount


def _rows(
    units: Sequence[_Unit], order: Order, route: Route, known: Known, location: str | None
) -> list[SalesOrderRow]:
    contains_tax = _contains_tax(order, route)
    grouped: dict[tuple[object, ...], list[_Unit]] = {}
    for unit in units:
        each = (unit.amount / unit.quantity, unit.discount / unit.quantity)
        grouped.setdefault((unit.sku, each, unit.tax_rate, unit.location), []).append(unit)
    rows = []
    for same in grouped.values():
        first, quantity = same[0], sum((unit.quantity for unit in same), ZERO)
        amount, discount = sum((u.amount for u in same), ZERO), sum((u.discount for u in same), ZERO)
        if contains_tax and first.tax_rate:
            # A net discount would be rounded a second time on the other side; so it goes into the price.
            amount, discount = _net(amount - discount, first.tax_rate, True), ZERO
        place = first.location if first.location != location else None
        rows.append(
            SalesOrderRow(
                variant_ref=known.variants[first.sku][0].ref,
                sku=first.sku,
                quantity=quantity,
                price=(amount / quantity).quantize(PRICE_PLACES, ROUND_HALF_UP).normalize() + ZERO,
                discount=discount,
                tax_rate=first.tax_rate,
                location_ref=place,
            )
        )
    return rows


def _shipping_amount(order: Order, route: Route) -> Decimal:
    totals, rules = order.totals, route.orders.discounts
    amount = totals.shipping
    if rules.deduct_seller:
        amount -= totals.shipping_seller_discount
    if rules.deduct_channel:
        amount -= totals.shipping_channel_discount
    return amount


def _shipping_rate(order: Order, route: Route) -> Decimal | None:
    if route.orders.tax.mode is not TaxMode.FROM_ORDER:
        return _fixed_rate(route)
    rates = {line.tax_rate for line in order.lines if line.tax_rate is not None}
    taxed = order.totals.shipping_tax > 0 or order.taxes_included
    return rates.pop() if taxed and len(rates) == 1 else None


def _shipping_row(order: Order, route: Route) -> list[_Unit]:
    rule, amount = route.orders.shipping, _shipping_amount(order, route)
    if rule.how is not ShippingAs.ROW or rule.sku is None or amount <= 0:
        return []
    return [_Unit(rule.sku, ONE, amount, ZERO, _shipping_rate(order, route), None)]


def _fee(order: Order, route: Route) -> ShippingCharge | None:
    amount = _shipping_amount(order, route)
    if route.orders.shipping.how is not ShippingAs.FEE or amount <= 0:
        return None
    rate = _shipping_rate(order, route)
    net = _net(amount, rate, _contains_tax(order, route)).quantize(PRICE_PLACES, ROUND_HALF_UP).normalize() + ZERO
    return ShippingCharge(amount=net, tax_rate=rate)


def _customer(order: Order, route: Route, channel: str) -> Customer:
    shop = f"{channel}:{order.shop}"
    if route.orders.customer is CustomerPer.BUYER and order.buyer.ref:
        address = order.address
        masked = address is None or address.masked
        name = order.buyer.name if order.buyer.name and "*" not in order.buyer.name else None
        return Customer(
            reference=f"{shop}:{order.buyer.ref}"[:100],
            name=name or f"{channel} buyer {order.buyer.ref}",
            first_name=None if address is None or masked else address.first_name,
            last_name=None if address is None or masked else address.last_name,
            email=order.buyer.email,
        )
    return Customer(reference=shop[:100], name=order.shop_name or f"{channel} shop {order.shop}")
