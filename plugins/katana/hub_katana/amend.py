"""Changes sales orders that nobody has packed yet, and deletes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hub.contract import Connection, PlacedOrder, RejectedError, SalesOrder, TransientError
from hub_katana.answers import Row
from hub_katana.blame import may_be_stale, refused_order
from hub_katana.client import Client
from hub_katana.failures import RefusedError, filter_ignored, order_not_sent, transient
from hub_katana.fees import ShippingFees
from hub_katana.rows import RowPlan, fee_difference, plan_addresses, plan_rows, shown_addresses
from hub_katana.settings import KatanaSettings
from hub_katana.tax import TaxRates
from hub_katana.translate import (
    Body,
    TaxIds,
    id_of,
    is_untouched,
    placed_order,
    placed_rows,
    private_texts,
    row_body,
)  # fmt: skip

_ORDERS, _ROWS, _ADDRESSES = "/sales_orders", "/sales_order_rows", "/sales_order_addresses"


@dataclass(slots=True)
class _Plan:
    """All that an order lacks to be as wanted."""

    rows: RowPlan
    addresses: list[tuple[Row | None, Body]] = field(default_factory=list)
    is_fee_wrong: bool = False

    @property
    def is_empty(self) -> bool:
        return self.rows.is_empty and not self.addresses and not self.is_fee_wrong


class Amendments:
    """Changes and deletes sales orders; the hub sees to it that no two calls run for one order.

    Katana would take the deletion of a delivered order and put its goods back into stock (K-64): each begins with a
    reading of the order, and goes on only where nothing of it is packed.
    """

    def __init__(
        self, connection: Connection[KatanaSettings], client: Client, tax_rates: TaxRates, fees: ShippingFees
    ) -> None:
        self._connection = connection
        self._client = client
        self._tax_rates = tax_rates
        self._fees = fees

    def update(self, order: SalesOrder, existing: PlacedOrder) -> PlacedOrder:
        """Give a sales order the rows, the shipping fee and, where it has one that is not masked, the address.

        Units:   1 call where all is well, and 1 for each row, address or fee that differs; 1 more where Katana keeps
                 the addresses apart (K-53).
        Repeats: safe: it compares with what is there. New rows come before old ones go, so it is never without rows.
        Raises:  RejectedError ``order-packed``, or ``deleted-in-erp``.
        """
        order_id = self._id(existing.ref)
        row = self._client.find(f"{_ORDERS}/{order_id}")
        if row is None or row.get("deleted_at"):
            raise self._gone(existing.number)
        with order_not_sent():
            tax_ids = self._tax_ids(order)
        plan = self._plan(order, row, tax_ids)
        if not plan.is_empty:
            if not is_untouched(row):
                raise self._packed(existing.number, row)
            try:
                with _partly() as written:
                    self._apply(plan, order, row, tax_ids, written)
            except RefusedError as refused:
                raise self._refused(order, order_id, refused) from refused
        placed = placed_order(row, order.key).model_copy(update={"ours": existing.ours})
        if plan.is_empty:
            return placed
        rows = placed_rows([*plan.rows.kept])
        is_money_other = plan.is_fee_wrong or not plan.rows.is_empty
        return placed.model_copy(update={"rows": rows, "total": None if is_money_other else placed.total})

    def cancel(self, order_ref: str) -> None:
        """Delete a sales order of which nothing is packed; one that is gone is fine.

        Units:  2 calls.
        Raises: RejectedError ``order-packed``, or ``cancel-refused`` where returns or an invoice hang on it (K-89).
        """
        order_id = self._id(order_ref)
        row = self._client.find(f"{_ORDERS}/{order_id}")
        if row is None or row.get("deleted_at"):
            return
        number = str(row.get("order_no") or order_id)
        if not is_untouched(row):
            raise self._packed(number, row)
        try:
            self._client.remove(f"{_ORDERS}/{order_id}", subject=f"sales order {number}")
        except RefusedError as refused:
            what = f"Katana refuses to delete sales order {number}: {refused.what}"
            do = "Remove in Katana what it names, such as an invoice, and delete the order there; then retry."
            raise RejectedError("cancel-refused", what, where=refused.where, do=do) from refused

    def _plan(self, order: SalesOrder, row: Row, tax_ids: TaxIds) -> _Plan:
        plan = _Plan(plan_rows(order.rows, row.get("sales_order_rows") or (), tax_ids))
        fee, charge = row.get("shipping_fee") or None, order.shipping
        if charge is None or fee is None:
            plan.is_fee_wrong = (charge is None) != (fee is None)
        else:
            plan.is_fee_wrong = fee_difference(charge, fee, tax_ids[charge.tax_rate])
        if order.address is not None and not order.address.masked:
            shown = shown_addresses(row)
            plan.addresses = plan_addresses(order.address, row, self._addresses(row) if shown is None else shown)
        return plan

    def _addresses(self, order: Row) -> list[Row]:
        def belongs(row: Row) -> bool:
            return bool(row.get("sales_order_id") == order["id"])

        rows = self._client.matching(_ADDRESSES, [("sales_order_ids", str(order["id"]))], belongs)  # K-66
        if rows is None:
            raise filter_ignored("addresses of one sales order", where=self._connection.id)
        return list(rows)

    def _apply(self, plan: _Plan, order: SalesOrder, row: Row, tax_ids: TaxIds, written: list[str]) -> None:
        """Write what differs; ``plan.rows.kept`` then holds the rows as they stand."""
        about, private = f"order {order.key.key}", private_texts(order)
        for there, change, want in plan.rows.changed:
            self._client.change(f"{_ROWS}/{there['id']}", change, subject=about, private=private)
            written.append("row")
            plan.rows.kept.append({**there, "quantity": want.quantity})
        for want in plan.rows.added:
            body = {"sales_order_id": row["id"], **row_body(want, tax_ids)}
            made = self._client.create(_ROWS, body, subject=about, private=private)
            written.append("row")
            plan.rows.kept.append({**body, "id": made["id"]})
        for there in plan.rows.dropped:
            self._client.remove(f"{_ROWS}/{there['id']}", subject=about)
            written.append("row")
        if plan.is_fee_wrong:
            tax_id = tax_ids[order.shipping.tax_rate] if order.shipping else None
            self._fees.set(order.shipping, row["id"], row.get("shipping_fee") or None, tax_id, subject=about)
            written.append("fee")
        for current, body in plan.addresses:
            self._write_address(current, body, row["id"], about, private)
            written.append("address")

    def _write_address(
        self, current: Row | None, body: Body, order_id: int, about: str, private: tuple[str, ...]
    ) -> None:
        if current is None:
            self._client.create(_ADDRESSES, {"sales_order_id": order_id, **body}, subject=about, private=private)
        else:
            self._client.change(f"{_ADDRESSES}/{current['id']}", body, subject=about, private=private)

    def _tax_ids(self, order: SalesOrder) -> TaxIds:
        rates = [row.tax_rate for row in order.rows] + ([order.shipping.tax_rate] if order.shipping else [])
        where = f"{self._connection.id}, order {order.key.key}"
        return self._tax_rates.ids_for(rates, create=order.create_tax_rates, where=where)

    def _refused(self, order: SalesOrder, order_id: int, refused: RefusedError) -> RejectedError:
        """Say why a change was refused: somebody may have packed the order since it was read (K-65)."""
        row = self._client.find(f"{_ORDERS}/{order_id}")
        if row is not None and not is_untouched(row):
            return self._packed(str(row.get("order_no") or order_id), row)
        if may_be_stale(refused.refusal):
            self._tax_rates.forget([row.tax_rate for row in order.rows])
        return refused_order(order, refused)

    def _packed(self, number: str, row: Row) -> RejectedError:
        what = f"sales order {number} is {_status(row)}, so it can neither be changed nor deleted"
        do = "Delete its fulfillments in Katana, or settle it by hand on both sides; then retry."
        return RejectedError("order-packed", what, where=self._connection.id, do=do)

    def _gone(self, number: str) -> RejectedError:
        what = f"sales order {number} was deleted in Katana"
        do = "Restore it in Katana, or settle the order by hand; then retry."
        return RejectedError("deleted-in-erp", what, where=self._connection.id, do=do)

    def _id(self, ref: str) -> int:
        try:
            number = id_of(ref)
        except ValueError as wrong:
            do = "Look the order up in Katana, then retry."
            raise RejectedError("reference-invalid", str(wrong), where=self._connection.id, do=do) from wrong
        return number or 0


@contextmanager
def _partly() -> Iterator[list[str]]:
    """Guard several writes: once one of them is made, whatever stops the rest, something has happened."""
    written: list[str] = []
    try:
        yield written
    except TransientError as error:
        if not written or error.may_have_happened:
            raise
        raise transient(error, may_have_happened=True) from error


def _status(row: Row) -> str:
    word = str(row.get("status") or "of a status that Katana does not tell")
    return word.lower().replace("_", " ") if word.isupper() else word
