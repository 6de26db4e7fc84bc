"""The lines of an order: one per unit, as TikTok Shop lists them (T-63); pure."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from hub.contract import LineItem, LineStatus, OrderStatus, Part
from hub_tiktok.payload import ZERO, Json, UnreadableError, amount, children, flag, number, text

ONE = Decimal(1)
HUNDRED = Decimal(100)
LINE_STATUSES = {  # T-55, T-56; TO_SHIP is an old word that one sample still shows (T-86)
    "UNPAID": LineStatus.OPEN,
    "ON_HOLD": LineStatus.OPEN,
    "TO_SHIP": LineStatus.OPEN,
    "AWAITING_SHIPMENT": LineStatus.OPEN,
    "AWAITING_COLLECTION": LineStatus.SHIPPED,
    "IN_TRANSIT": LineStatus.SHIPPED,
    "DELIVERED": LineStatus.SHIPPED,
    "COMPLETED": LineStatus.SHIPPED,
    "CANCELLED": LineStatus.CANCELLED,
    "CANCEL": LineStatus.CANCELLED,
}
PACKAGE_STATUSES = {  # T-87; only asked where a line has no status of its own
    "TO_FULFILL": LineStatus.OPEN,
    "PROCESSING": LineStatus.SHIPPED,
    "FULFILLING": LineStatus.SHIPPED,
    "COMPLETED": LineStatus.SHIPPED,
    "CANCELLED": LineStatus.CANCELLED,
}


def read_line(item: Json, order: Json, status: OrderStatus) -> LineItem:
    """Return one line; its price and discounts are for the single unit that it is.

    Raises:
        UnreadableError: it has no id, or an amount is not a number.
    """
    ref = text(item, "id")
    if not ref:
        raise UnreadableError("a line has no id")
    tax, tax_rate = _tax(item)
    return LineItem(
        ref=ref,
        sku=text(item, "seller_sku") or None,  # T-64
        name=_name(item),
        quantity=ONE,
        price=_price(item),
        seller_discount=amount(item, "seller_discount"),
        channel_discount=amount(item, "platform_discount"),
        tax=tax,
        tax_rate=tax_rate,
        status=_status(item, status),
        is_gift=flag(item, "is_gift"),
        parts=_parts(item),
        product_ref=text(item, "product_id") or None,
        variant_ref=text(item, "sku_id") or None,
        location_ref=text(order, "warehouse_id") or None,
        package_ref=text(item, "package_id") or None,
        tracking_number=text(item, "tracking_number") or None,
    )


def _name(item: Json) -> str:
    return ", ".join(part for part in (text(item, "product_name"), text(item, "sku_name")) if part)


def _price(item: Json) -> Decimal:
    """Return the list price; a gift has none (T-71), and elsewhere it is the sale price before its discounts (T-65)."""
    stated = number(item, "original_price")
    if stated is not None:
        return stated
    sale = number(item, "sale_price")
    return ZERO if sale is None else sale + amount(item, "seller_discount") + amount(item, "platform_discount")


def _tax(item: Json) -> tuple[Decimal | None, Decimal | None]:
    """Return the tax's amount, and its rate in percent; None for what is not told.

    TikTok tells rates as fractions ("0.0825", T-88); one above 1 can only be percent already.
    """
    taxes = children(item, "item_tax")
    if not taxes:
        return None, None
    stated = [number(tax, "tax_rate") for tax in taxes]
    rates = [rate if rate > 1 else rate * HUNDRED for rate in stated if rate is not None]
    return sum((amount(tax, "tax_amount") for tax in taxes), ZERO), sum(rates, ZERO) if rates else None


def _status(item: Json, order_status: OrderStatus) -> LineStatus:
    if order_status is OrderStatus.CANCELLED:  # T-55: cancelled means every line is
        return LineStatus.CANCELLED
    said = LINE_STATUSES.get(text(item, "display_status")) or PACKAGE_STATUSES.get(text(item, "package_status"))
    usual = LineStatus.SHIPPED if order_status is OrderStatus.SHIPPED else LineStatus.OPEN
    return said or usual


def _parts(item: Json) -> tuple[Part, ...]:
    """Return what a virtual bundle ships, one Part per variant; empty for anything else (T-72)."""
    listed = children(item, "combined_listing_skus") or children(item, "sub_item_info")
    if not listed:
        return ()
    merged: dict[tuple[str, str], Decimal] = {}
    for part in listed:
        key = (text(part, "sku_id"), text(part, "seller_sku"))
        merged[key] = merged.get(key, ZERO) + _count(part)
    return tuple(
        Part(sku=sku or None, quantity=quantity, variant_ref=variant or None)
        for (variant, sku), quantity in merged.items()
    )


def _count(part: Json) -> Decimal:
    """Return pieces per bundle; parts without a count are listed one by one."""
    counts: Iterable[Decimal | None] = (number(part, name) for name in ("sku_count", "quantity"))
    return next((count for count in counts if count is not None and count > 0), ONE)
