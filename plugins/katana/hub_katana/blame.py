"""What a refused sales order was refused for, as far as Katana's words tell; pure.

Katana has no codes for its domain rules: a plain message in a 422 (K-14), whose wording nobody documents (K-36, K-45).
So these tests look for the thing's name, and each wrong guess costs at most one look-up.
"""

from __future__ import annotations

import re

from hub.contract import RejectedError, SalesOrder
from hub_katana.answers import Refusal
from hub_katana.failures import RefusedError

_VARIANT = re.compile(r"variant|sellable|archived|product|material|\bsku\b|\bitem\b", re.IGNORECASE)
_REMEMBERED = re.compile(r"customer|tax[ _]?rate", re.IGNORECASE)
_NUMBER = re.compile(r"order[ _]?(no|number)\b|order with (this|that|the same|such a) number", re.IGNORECASE)
_TAKEN = re.compile(r"already|unique|duplicate|exists|in use|taken", re.IGNORECASE)
_ROW_OF_VARIANT = re.compile(r"/sales_order_rows/(\d+)/variant_id$")


def may_be_stale(refusal: Refusal) -> bool:
    """Say whether a remembered customer or tax rate may be what Katana does not know any more."""
    return refusal.status == 404 or bool(_REMEMBERED.search(refusal.text()))


def is_number_taken(refusal: Refusal, number: str = "") -> bool:
    """Say whether Katana refuses the order's number because an order has it; ``number`` is what it may be called by."""
    if refusal.details:
        return any(
            (detail.path == "/order_no" or _NUMBER.search(detail.message))
            and _TAKEN.search(f"{detail.code} {detail.message}")
            for detail in refusal.details
        )
    is_named = _NUMBER.search(refusal.message) or refusal.status == 409 or _names(refusal.message, number)
    return bool(is_named and _TAKEN.search(refusal.message))


def refused_order(order: SalesOrder, refused: RefusedError) -> RejectedError:
    """Return the error for a sales order Katana refuses, naming the variants at fault where it is about them."""
    refs = variants_at_fault(order, refused.refusal)
    if not refs:
        return RejectedError("order-refused", refused.what, where=refused.where, do=refused.do)
    skus = ", ".join(dict.fromkeys(row.sku for row in order.rows if row.variant_ref in refs))
    what = f"Katana refuses a variant of the order, among {skus}: {refused.what}"
    do = "See in Katana that the variants exist, are not archived and are sellable; then retry."
    return RejectedError("variant-refused", what, where=refused.where, do=do, variant_refs=refs)


def variants_at_fault(order: SalesOrder, refusal: Refusal) -> tuple[str, ...]:
    """Return the variants a refusal is about: those it names by row, id or SKU, else all if it speaks of variants."""
    rows = [_ROW_OF_VARIANT.search(detail.path) for detail in refusal.details]
    by_row = [int(found[1]) for found in rows if found]
    named = [order.rows[number].variant_ref for number in by_row if number < len(order.rows)]
    if not refusal.details and (refusal.status == 404 or _VARIANT.search(refusal.message)):
        named = [row.variant_ref for row in order.rows if _names(refusal.message, row.variant_ref, row.sku)]
        named = named or [row.variant_ref for row in order.rows]
    return tuple(dict.fromkeys(named))


def _names(message: str, *words: str) -> bool:
    return any(re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-])", message) for word in words if word)
