"""What must be done to a sales order's rows, addresses and fee so that they are as wanted; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from hub.contract import Address, SalesOrderRow, ShippingCharge
from hub_katana.answers import Row
from hub_katana.translate import ADDRESS_KINDS, ADDRESS_PARTS, Body, TaxIds, address_bodies, decimal_of, plain

_PLACES = Decimal("1e-10")  # what Katana shows of a price  # K-19
ZERO = Decimal(0)


@dataclass(slots=True)
class RowPlan:
    """Which rows stay, change, come and go."""

    kept: list[Row] = field(default_factory=list)
    changed: list[tuple[Row, Body, SalesOrderRow]] = field(default_factory=list)
    added: list[SalesOrderRow] = field(default_factory=list)
    dropped: list[Row] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.changed or self.added or self.dropped)


def plan_rows(wanted: Iterable[SalesOrderRow], there: Iterable[Row], tax_ids: TaxIds) -> RowPlan:
    """Match wanted rows with those that are there, the likest first, so that the fewest calls make them equal.

    A row keeps its variant and its location: what is allocated to it, and where a person sends it from, stays.
    """
    plan, open_rows, left = RowPlan(), list(wanted), [row for row in there if not row.get("deleted_at")]
    for is_like in _likeness(tax_ids):
        for want in tuple(open_rows):
            found = next((row for row in left if is_like(want, row)), None)
            if found is None:
                continue
            left.remove(found)
            open_rows.remove(want)
            difference = row_difference(want, found, tax_ids)
            if difference:
                plan.changed.append((found, difference, want))
            else:
                plan.kept.append(found)
    plan.added, plan.dropped = open_rows, left
    return plan


def row_difference(want: SalesOrderRow, row: Row, tax_ids: TaxIds) -> Body:
    """Return what a row must be told to be as wanted; numbers are compared as decimals, whatever their writing."""
    body: Body = {}
    if decimal_of(row.get("quantity")) != want.quantity:
        body["quantity"] = plain(want.quantity)
    if not _same(decimal_of(row.get("price_per_unit")), want.price):
        body["price_per_unit"] = plain(want.price)
    if not _same(decimal_of(row.get("total_discount")) or ZERO, want.discount):
        body["total_discount"] = plain(want.discount)
    tax_id = tax_ids.get(want.tax_rate)
    if tax_id is not None and tax_id != row.get("tax_rate_id") and not _same_rate(want, row):
        body["tax_rate_id"] = tax_id
    return body


def fee_difference(charge: ShippingCharge, fee: Row, tax_id: int | None) -> bool:
    """Say whether a shipping fee must be changed; a description alone is not worth a call."""
    has_other_tax = tax_id is not None and tax_id != fee.get("tax_rate_id")
    return has_other_tax or not _same(decimal_of(fee.get("amount")), charge.amount)


def plan_addresses(address: Address, order: Row, there: Sequence[Row]) -> list[tuple[Row | None, Body]]:
    """Return for each kind of address that differs: the record to change (None: one to make), and its body.

    Parts that the new address lacks are cleared; null clears (K-88).
    """
    plan: list[tuple[Row | None, Body]] = []
    for body in address_bodies(address):
        kind = body["entity_type"]
        same_kind = [row for row in there if row.get("entity_type") == kind and not row.get("deleted_at")]
        current = next((row for row in same_kind if row.get("id") == order.get(f"{kind}_address_id")), None)
        current = current or (same_kind[-1] if same_kind else None)
        if current is None:
            plan.append((None, body))
            continue
        changed = {part: body.get(part) for part in ADDRESS_PARTS if (current.get(part) or "") != body.get(part, "")}
        if changed:
            plan.append((current, changed))
    return plan


def shown_addresses(order: Row) -> list[Row] | None:
    """Return the addresses inside an order; None where the answer left them out (K-53)."""
    shown = order.get("addresses")
    if isinstance(shown, list) and (shown or not any(order.get(f"{kind}_address_id") for kind in ADDRESS_KINDS)):
        return shown
    return None


def _likeness(tax_ids: TaxIds) -> tuple[Callable[[SalesOrderRow, Row], bool], ...]:
    def fits(want: SalesOrderRow, row: Row) -> bool:
        """An untaxed row cannot be told so later (K-50, K-88): it is replaced."""
        is_taxed = bool(decimal_of(row.get("tax_rate")))
        is_same = str(row.get("variant_id")) == want.variant_ref
        return is_same and not (is_taxed and tax_ids.get(want.tax_rate) is None)

    def is_equal(want: SalesOrderRow, row: Row) -> bool:
        return is_there(want, row) and not row_difference(want, row, tax_ids)

    def is_there(want: SalesOrderRow, row: Row) -> bool:
        return fits(want, row) and want.location_ref in (None, str(row.get("location_id")))

    def is_priced(want: SalesOrderRow, row: Row) -> bool:
        return is_there(want, row) and _same(decimal_of(row.get("price_per_unit")), want.price)

    return is_equal, is_priced, is_there, fits


def _same(shown: Decimal | None, wanted: Decimal) -> bool:
    return shown is not None and abs(shown - wanted) < _PLACES


def _same_rate(want: SalesOrderRow, row: Row) -> bool:
    return want.tax_rate is not None and decimal_of(row.get("tax_rate")) == want.tax_rate
