"""Topics: the number that a delivery carries, and the word that subscribes to it (T-129)."""

from __future__ import annotations

ORDER, ADDRESS, PACKAGE, PRODUCT, DEAUTHORISED, EXPIRING = 1, 3, 4, 5, 6, 7
CANCELLATION, RETURN, PRODUCT_INFO, PRODUCT_MADE, AUDIT, STOCK = 11, 12, 15, 16, 37, 68
WORDS = {
    ORDER: "ORDER_STATUS_CHANGE",
    ADDRESS: "RECIPIENT_ADDRESS_UPDATE",
    PACKAGE: "PACKAGE_UPDATE",
    PRODUCT: "PRODUCT_STATUS_CHANGE",
    DEAUTHORISED: "SELLER_DEAUTHORIZATION",
    EXPIRING: "UPCOMING_AUTHORIZATION_EXPIRATION",
    CANCELLATION: "CANCELLATION_STATUS_CHANGE",
    RETURN: "RETURN_STATUS_CHANGE",
    PRODUCT_INFO: "PRODUCT_INFORMATION_CHANGE",
    PRODUCT_MADE: "PRODUCT_CREATION",
    AUDIT: "PRODUCT_AUDIT_STATUS_CHANGE",
    STOCK: "INVENTORY_CHANGED",
}
# Taken, and never delivered: nothing of the kind happens here.
OTHERS = (
    "REVERSE_STATUS_UPDATE", "NEW_CONVERSATION", "NEW_MESSAGE", "NEW_MESSAGE_LISTENER", "PRODUCT_CATEGORY_CHANGE",
    "INVOICE_STATUS_CHANGE",
)  # fmt: skip


def as_number(id_: str) -> int | str:
    """An id as some topics carry it: a JSON number above 2^53 (T-130)."""
    return int(id_) if id_.isdecimal() else id_
