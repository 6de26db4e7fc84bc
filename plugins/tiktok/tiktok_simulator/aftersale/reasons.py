"""Reasons to cancel or to reject, and when each may be given (10)."""

from __future__ import annotations

from tiktok_simulator.order import Order

UNPAID_REASONS = {
    "seller_cancel_unpaid_reason_out_of_stock": "Out of stock",
    "seller_cancel_unpaid_reason_wrong_price": "Pricing error",
    "seller_cancel_unpaid_reason_buyer_hasnt_paid_within_time_allowed": "Buyer has not paid in time",
    "seller_cancel_unpaid_reason_buyer_requested_cancellation": "Buyer asked to cancel",
}
PAID_REASONS = {
    "seller_cancel_reason_out_of_stock": "Out of stock",
    "seller_cancel_reason_wrong_price": "Pricing error",
    "seller_cancel_paid_reason_address_not_deliver": "Unable to deliver to buyer address",
    "seller_cancel_paid_reason_buyer_requested_cancellation": "Buyer asked to cancel",
}
BUYER_REASONS = {
    "No longer needed": "ecom_order_to_ship_canceled_reason_no_longer_needed",
    "Payment overdue": "ecom_order_unpaid_canceled_reason_payment_overdue",
}
REJECT_CANCEL = {
    "seller_reject_apply_product_has_been_packed": "The product has been packed",
    "reverse_reject_request_reason_1": "An agreement with the buyer was reached",
}
REJECT_RETURN = {
    "reverse_reject_request_reason_1": "An agreement with the buyer was reached",
    "seller_reject_apply_no_fault": "The product is as described",
    "seller_reject_receive_not_received": "The package did not arrive",
}


def _suffixed(reasons: dict[str, str], order: Order) -> dict[str, str]:
    return {f"{key}_uk": text for key, text in reasons.items()} if order.market == "GB" else reasons


def known_to_sellers(order: Order) -> dict[str, str]:
    """Every reason a seller may ever give in the order's market."""
    return _suffixed(UNPAID_REASONS | PAID_REASONS, order)


def fitting(order: Order) -> dict[str, str]:
    """The reasons a seller may give in the order's present status; UK keys end in `_uk`."""
    return _suffixed(UNPAID_REASONS if order.status == "UNPAID" else PAID_REASONS, order)


def key_of(text: str) -> str:
    """The key of a reason that was given as text."""
    return BUYER_REASONS.get(
        text, text if "_" in text else "ecom_order_canceled_reason_" + text.lower().replace(" ", "_")
    )
