"""An order of TikTok Shop as the hub's Order; pure, and forgiving of what is missing or new."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from hub.contract import (
    Buyer,
    ContractError,
    FulfilledBy,
    LineItem,
    Order,
    OrderStatus,
    Totals,
)  # fmt: skip
from hub_tiktok.address import Levels, address, region
from hub_tiktok.lines import read_line
from hub_tiktok.money import balance, read_totals
from hub_tiktok.payload import ZERO, Json, UnreadableError, child, children, flag, instant, text

STATUSES = {  # T-55; webhooks and old texts say CANCEL (T-89)
    "UNPAID": OrderStatus.UNPAID,
    "ON_HOLD": OrderStatus.ON_HOLD,
    "AWAITING_SHIPMENT": OrderStatus.OPEN,
    "PARTIALLY_SHIPPING": OrderStatus.PARTLY_SHIPPED,
    "AWAITING_COLLECTION": OrderStatus.SHIPPED,
    "IN_TRANSIT": OrderStatus.SHIPPED,
    "DELIVERED": OrderStatus.SHIPPED,
    "COMPLETED": OrderStatus.SHIPPED,
    "CANCELLED": OrderStatus.CANCELLED,
    "CANCEL": OrderStatus.CANCELLED,
}
BEFORE_SHIPMENT = frozenset({OrderStatus.UNPAID, OrderStatus.ON_HOLD})
FLAG_TAGS = {  # T-71, T-90
    "is_sample_order": "sample",
    "is_replacement_order": "replacement",
    "is_exchange_order": "exchange",
    "is_cod": "cod",
    "is_subscription_order": "subscription",
}
WORD_TAGS = {  # T-90, by field
    "order_type": {
        "PRE_ORDER": "pre-order",
        "MADE_TO_ORDER": "made-to-order",
        "BACK_ORDER": "back-order",
        "ZERO_LOTTERY": "lottery",
    },
    "split_or_combine_tag": {"COMBINED": "combined", "SPLIT": "split"},
    "delivery_type": {"COLLECTION_POINT": "collection-point"},
    "commerce_platform": {"TOKOPEDIA": "tokopedia"},
}
FREE_TAGS = frozenset({"sample", "replacement", "exchange"})
NO_CURRENCY = "XXX"  # ISO 4217: no currency involved
TAX_ON_TOP = frozenset({"US"})  # T-68


@dataclass(frozen=True, slots=True)
class Context:
    """What an order's translation needs besides the order: the shop it is from and the operator's settings."""

    shop: str
    shop_name: str
    shop_region: str
    hold_s: int
    levels: Levels = field(default_factory=Levels)


def order(payload: Json, context: Context) -> Order:
    """Return an order as TikTok Shop tells it.

    Shape:  an unknown status, or an order that cannot be read in full, becomes UNKNOWN with the raw word and the
            reason in ``channel_status``, so that the hub blocks this order and no other.
    Raises: ContractError where not even id and times can be read.
    """
    try:
        return _order(payload, context)
    except (UnreadableError, ValidationError) as error:
        return _unreadable(payload, context, _reason(error))


def _order(payload: Json, context: Context) -> Order:
    word = text(payload, "status")
    status = STATUSES.get(word, OrderStatus.UNKNOWN)
    tags = _tags(payload)
    lines = tuple(read_line(item, payload, status) for item in children(payload, "line_items"))
    destination = region(payload)
    on_top = (destination or context.shop_region) in TAX_ON_TOP
    totals, taxes_included = read_totals(payload, lines, tax_on_top=on_top)
    if FREE_TAGS & set(tags) and totals.total == 0 and balance(totals, taxes_included=taxes_included) != 0:
        lines, totals = tuple(_free(line) for line in lines), Totals(items=ZERO, total=ZERO)
    elif totals.items == 0 and totals.seller_discount == totals.channel_discount == 0:
        lines = tuple(_free(line) for line in lines)  # the payment counts nothing for them, whatever the lines list
    else:
        lines = _without_gifts(lines, totals)
    if not lines and status is not OrderStatus.CANCELLED:
        raise UnreadableError("the order has no lines")
    fulfilled_by = _fulfilled_by(payload)
    return Order(
        **_identity(payload, context),
        status=status,
        channel_status=word or "(none)",
        paid_at=instant(payload, "paid_time"),
        hold_until=_hold_until(payload, status, context.hold_s),
        cancel_requested=flag(payload, "is_buyer_request_cancel"),  # T-61
        fulfilled_by=fulfilled_by,
        shipping_by=_shipping_by(payload, fulfilled_by),
        region=destination,
        location_ref=text(payload, "warehouse_id") or None,
        delivery_ref=text(payload, "delivery_option_id") or None,  # T-109
        currency=_currency(payload),
        taxes_included=taxes_included,
        lines=lines,
        totals=totals,
        address=address(payload, destination, context.levels, is_before_shipment=status in BEFORE_SHIPMENT),
        buyer=_buyer(payload),
        note=text(payload, "buyer_message"),
        tags=tags,
    )


def _without_gifts(lines: tuple[LineItem, ...], totals: Totals) -> tuple[LineItem, ...]:
    """Price gifts at nothing where the order's own sum leaves them out (T-71)."""
    if not any(line.is_gift for line in lines):
        return lines
    charged = sum((line.price for line in lines if not line.is_gift), ZERO)
    listed = sum((line.price for line in lines), ZERO)
    if listed != totals.items and charged == totals.items:
        return tuple(_free(line) if line.is_gift else line for line in lines)
    return lines


def _identity(payload: Json, context: Context) -> dict[str, Any]:
    """Return the fields that say which order this is, and of when.

    Raises:
        ContractError: there is no id, or no time at all.
    """
    ref = text(payload, "id")
    created, updated = instant(payload, "create_time"), instant(payload, "update_time")
    if not ref or not (created or updated):
        raise ContractError(
            "order-unreadable",
            f"order {ref or '(without id)'} has no readable {'time' if ref else 'id'}",
            where=f"shop {context.shop}",
            do="Report this to the connector's authors",
        )
    return {
        "ref": ref,
        "key": f"TT-{ref}",
        "shop": context.shop,
        "shop_name": context.shop_name,
        "created_at": created or updated,
        "updated_at": updated or created,
    }


def _unreadable(payload: Json, context: Context, reason: str) -> Order:
    return Order(
        **_identity(payload, context),
        status=OrderStatus.UNKNOWN,
        channel_status=f"{text(payload, 'status') or '(none)'} (unreadable: {reason})",
        currency=NO_CURRENCY,
        lines=(),
        totals=Totals(items=ZERO, total=ZERO),
    )


def _reason(error: UnreadableError | ValidationError) -> str:
    """Return what is wrong by field names; values may be a buyer's and stay out."""
    if isinstance(error, UnreadableError):
        return str(error)
    fault = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(map(str, fault['loc']))}: {fault['type']}"


def _hold_until(payload: Json, status: OrderStatus, hold_s: int) -> datetime | None:
    """Return until when the buyer may cancel freely (T-58 to T-60); None where it is over or not known.

    With ``is_on_hold_order`` TikTok keeps the hour itself, so a later status says that it is over. Without it the hour
    runs all the same and nothing shows it (T-59).
    """
    paid = instant(payload, "paid_time")
    released = instant(payload, "release_date") if status is OrderStatus.ON_HOLD else None
    if status is OrderStatus.UNPAID:
        return None
    if flag(payload, "is_on_hold_order") and status is not OrderStatus.ON_HOLD:
        return None
    free = paid + timedelta(seconds=hold_s) if paid else None
    return max((at for at in (free, released) if at), default=None)


def _fulfilled_by(payload: Json) -> FulfilledBy:
    """Return whose stock it is; any way that is not the seller's is the channel's (T-77, T-91)."""
    word = text(payload, "fulfillment_type")
    return FulfilledBy.SELLER if word in ("", "FULFILLMENT_BY_SELLER") else FulfilledBy.CHANNEL


def _shipping_by(payload: Json, fulfilled_by: FulfilledBy) -> FulfilledBy:
    is_own = text(payload, "shipping_type") in ("", "SELLER") and fulfilled_by is FulfilledBy.SELLER
    return FulfilledBy.SELLER if is_own else FulfilledBy.CHANNEL


def _currency(payload: Json) -> str:
    found = text(child(payload, "payment"), "currency")
    found = found or next((code for item in children(payload, "line_items") if (code := text(item, "currency"))), "")
    found = found.upper()
    if len(found) != 3 or not found.isascii() or not found.isalpha():
        raise UnreadableError("no currency is told")
    return found


def _tags(payload: Json) -> tuple[str, ...]:
    tags = [tag for name, tag in FLAG_TAGS.items() if flag(payload, name)]
    tags += [tag for name, words in WORD_TAGS.items() if (tag := words.get(text(payload, name)))]
    if text(payload, "auto_combine_group_id") not in ("", "0") and "combined" not in tags:
        tags.append("combined")
    return tuple(tags)


def _buyer(payload: Json) -> Buyer:
    return Buyer(
        ref=text(payload, "user_id") or None,
        name=text(payload, "buyer_nickname") or None,
        email=text(payload, "buyer_email") or None,
    )


def _free(line: LineItem) -> LineItem:
    """Return a line of an order without money (T-71), whatever its list price."""
    nothing = {"price": ZERO, "seller_discount": ZERO, "channel_discount": ZERO, "tax": None, "tax_rate": None}
    return line.model_copy(update=nothing)
