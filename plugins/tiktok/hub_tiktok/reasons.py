"""The reasons that a seller may give for cancelling an order; pure. Source: T-114."""

from __future__ import annotations

import re

from hub.contract import OrderStatus

UNPAID = {
    "out_of_stock": "seller_cancel_unpaid_reason_out_of_stock",
    "wrong_price": "seller_cancel_unpaid_reason_wrong_price",
    "buyer_hasnt_paid_within_time_allowed": "seller_cancel_unpaid_reason_buyer_hasnt_paid_within_time_allowed",
    "buyer_requested_cancellation": "seller_cancel_unpaid_reason_buyer_requested_cancellation",
}
PAID = {
    "out_of_stock": "seller_cancel_reason_out_of_stock",
    "wrong_price": "seller_cancel_reason_wrong_price",
    "address_not_deliver": "seller_cancel_paid_reason_address_not_deliver",
    "buyer_requested_cancellation": "seller_cancel_paid_reason_buyer_requested_cancellation",
}
ENDINGS = {"GB": "_uk"}
_MEANING = re.compile(r"^(?:seller_cancel_(?:unpaid_|paid_)?reason_)?(?P<meaning>.+?)(?:_uk)?$")


def valid_reasons(status: OrderStatus, region: str) -> list[str]:
    """Return the reasons for an order of this status, as far as they are known, with this market's ending."""
    return [name + ENDINGS.get(region, "") for name in _names(status).values()]


def candidates(reason: str | None, status: OrderStatus, region: str) -> list[str]:
    """Return what to try for a reason, best first; empty where it has no meaning here.

    Args:
        reason: one of TikTok's names, of whatever status and market, or its last words such as ``out_of_stock``.

    Which names outside the US end in which way is not known for each, so both are tried; a refused name does nothing.
    """
    if not reason:
        return []
    match = _MEANING.match(reason.strip().lower().replace(" ", "_"))
    name = _names(status).get(match["meaning"]) if match else None
    if name is None:
        return [reason.strip()] if region != "US" else []
    ending = ENDINGS.get(region)
    return [name + ending, name] if ending else [name]


def _names(status: OrderStatus) -> dict[str, str]:
    return UNPAID if status is OrderStatus.UNPAID else PAID
