"""Returns of a shop as the hub's Returns."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from hub.contract import Return, ReturnLine
from hub_tiktok.changes import changed_page
from hub_tiktok.endpoints import RETURN_SEARCH
from hub_tiktok.feed import SearchPage, Window
from hub_tiktok.payload import Json, children, text
from hub_tiktok.shops import Shops

CLOSED = frozenset({  # T-115: nothing more comes of these
    "REFUND_OR_RETURN_REQUEST_REJECT", "RETURN_OR_REFUND_REQUEST_CANCEL", "RETURN_OR_REFUND_REQUEST_COMPLETE",
    "REPLACEMENT_REQUEST_REJECT", "REPLACEMENT_REQUEST_CANCEL", "REPLACEMENT_REQUEST_COMPLETE",
})  # fmt: skip
NO_GOODS = "REFUND"  # the return_type of money back for goods that the buyer keeps


def search_returns(shops: Shops, window: Window, token: str) -> SearchPage:
    """Read one page of the returns changed in a window, oldest change first: one call."""
    return changed_page(shops, RETURN_SEARCH, "return_orders", "return_id", window, token)


def goods_return(item: Json, received: Collection[str], changed_at: datetime) -> Return | None:
    """Return what comes back; None where it has no id, order or lines.

    Args:
        received: statuses that mean that the goods have arrived. They count only where a parcel was sent back: some
            returns are completed with the buyer keeping the goods (T-115).
    """
    lines = tuple(
        ReturnLine(line_ref=text(each, "order_line_item_id"), sku=text(each, "seller_sku") or None)
        for each in children(item, "return_line_items")
        if text(each, "order_line_item_id")
    )
    if not text(item, "return_id") or not text(item, "order_id") or not lines:
        return None
    status, number = text(item, "return_status"), text(item, "return_tracking_number")
    has_goods = text(item, "return_type") != NO_GOODS and bool(number)
    return Return(
        ref=text(item, "return_id"),
        order_ref=text(item, "order_id"),
        status=status or "(none)",
        received=has_goods and status in received,
        closed=status in CLOSED,
        lines=lines,
        location_ref=text(item, "return_warehouse_id") or None,
        tracking_number=number or None,
        carrier=text(item, "return_provider_name") or None,
        reason=text(item, "return_reason_text") or text(item, "return_reason"),
        updated_at=changed_at,
    )
