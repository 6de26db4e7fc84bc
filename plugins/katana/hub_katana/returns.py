"""Books returned goods in as a sales return: its head, its rows, and where wanted back into stock."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from hub.contract import Connection, RejectedError, SalesReturn, TransientError
from hub_katana.answers import Row
from hub_katana.client import Client
from hub_katana.failures import RefusedError, filter_ignored, transient
from hub_katana.fulfillments import Fulfillments
from hub_katana.settings import KatanaSettings
from hub_katana.translate import Body, decimal_of, filled, id_of, plain

_RETURNS, _ROWS = "/sales_returns", "/sales_return_rows"
_RESTOCKED = "RESTOCKED_ALL"
_LONGEST_NOTE = 255  # K-90
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class _Shipped:
    """One row of a fulfillment, of which some may still come back."""

    id: int
    order_row: str
    variant_id: int
    available: Decimal


class SalesReturns:
    """Makes sales returns; the return's number is the hub's key, by which it is found again (K-90)."""

    def __init__(self, connection: Connection[KatanaSettings], client: Client, reader: Fulfillments) -> None:
        self._connection = connection
        self._client = client
        self._reader = reader

    def push(self, given: SalesReturn) -> str:
        """Return the id of the sales return that holds these rows, made or completed.

        Units:   3 reads, then 1 call for the head, 1 for each row of a fulfillment and 1 to restock.
        Repeats: safe: what is there already, in whole or in part, is looked up first.
        Raises:  RejectedError ``not-returnable`` where less of a row was shipped, before anything is written.
        """
        try:
            order_id, location_id = id_of(given.order_ref), id_of(given.location_ref)
        except ValueError as wrong:
            do = "Read orders and locations again, then retry."
            raise RejectedError("reference-invalid", str(wrong), where=self._where(given), do=do) from wrong
        head = self._find(given)
        if head is not None and head.get("status") == _RESTOCKED:
            return str(head["id"])
        shipped = self._shipped(given, int(order_id or 0))
        booked = {} if head is None else self._booked(head, shipped)
        rows = self._rows(given, booked, shipped)
        try:
            return self._write(given, head, rows, int(location_id or 0))
        except RefusedError as refused:
            what = f"Katana refuses the sales return {given.key}: {refused.what}"
            do = "Mend what Katana names, or finish the return in Katana by hand; then retry."
            raise RejectedError("return-refused", what, where=refused.where, do=do) from refused

    def _write(self, given: SalesReturn, head: Row | None, rows: list[Body], location_id: int) -> str:
        about, has_written = f"return {given.key}", False
        try:
            if head is None:
                head = self._client.create(_RETURNS, _head(given, location_id), subject=about)
                has_written = True
            for row in rows:
                body = {"sales_return_id": head["id"], **row, "restock_location_id": location_id}
                self._client.create(_ROWS, body, subject=about)
                has_written = True
            if given.restock:
                self._restock(head, about)
        except TransientError as error:
            if has_written and not error.may_have_happened:
                raise transient(error, may_have_happened=True) from error
            raise
        return str(head["id"])

    def _restock(self, head: Row, about: str) -> None:
        """Put the goods back into stock: one call, or by way of RETURNED_ALL where Katana wants that first (K-90)."""
        path = f"{_RETURNS}/{head['id']}"
        try:
            self._client.change(path, {"status": _RESTOCKED}, subject=about)
        except RefusedError:
            if head.get("status") not in (None, "NOT_RETURNED"):
                raise
            self._client.change(path, {"status": "RETURNED_ALL"}, subject=about)
            self._client.change(path, {"status": _RESTOCKED}, subject=about)

    def _find(self, given: SalesReturn) -> Row | None:
        def belongs(row: Row) -> bool:
            return row.get("order_no") == given.key

        rows = self._client.matching(_RETURNS, [("order_no", given.key)], belongs)
        if rows is None:
            raise filter_ignored("sales returns by number", where=self._where(given))
        return min((row for row in rows if not row.get("deleted_at")), key=lambda row: int(row["id"]), default=None)

    def _shipped(self, given: SalesReturn, order_id: int) -> dict[int, _Shipped]:
        """Return the rows that were shipped, by id: which order row each is of, and what may come back of it."""
        fulfillments = self._reader.of_order(order_id)
        if fulfillments is None:
            raise filter_ignored("fulfillments of one sales order", where=self._where(given))
        order_rows: dict[int, str] = {}
        for row in (item for each in fulfillments for item in each.get("sales_order_fulfillment_rows") or ()):
            order_rows[int(row.get("id") or row.get("fulfilled_row_id") or 0)] = str(row["sales_order_row_id"])
        try:
            items = self._client.whole(f"/sales_orders/{order_id}/returnable_items")
        except RefusedError as refused:
            if refused.refusal.status != 404:
                raise
            items = ()
        available = {int(item["fulfillment_row_id"]): item for item in items}
        return {
            number: _Shipped(number, order_row, int(item.get("variant_id") or 0), _quantity(item))
            for number, order_row in order_rows.items()
            for item in [available.get(number, {})]
        }

    def _booked(self, head: Row, shipped: dict[int, _Shipped]) -> dict[str, Decimal]:
        """Return what the return holds so far, by order row."""

        def belongs(row: Row) -> bool:
            return bool(row.get("sales_return_id") == head["id"])

        rows = self._client.matching(_ROWS, [("sales_return_id", str(head["id"]))], belongs)
        if rows is None:
            raise filter_ignored("rows of one sales return", where=self._connection.id)
        booked: dict[str, Decimal] = {}
        for row in rows:
            known = shipped.get(int(row.get("fulfillment_row_id") or 0))
            ref = str(row.get("sales_order_row_id") or (known.order_row if known else ""))
            if not row.get("deleted_at"):
                booked[ref] = booked.get(ref, ZERO) + (decimal_of(row.get("quantity")) or ZERO)
        return booked

    def _rows(self, given: SalesReturn, booked: dict[str, Decimal], shipped: dict[int, _Shipped]) -> list[Body]:
        """Return the rows still to be made, one per fulfillment row that the goods came from."""
        bodies: list[Body] = []
        for ref, quantity in given.rows.items():
            left = quantity - booked.get(ref, ZERO)
            sources = [each for each in shipped.values() if each.order_row == ref]
            if left > (returnable := sum((each.available for each in sources), ZERO)):
                what = f"of row {ref} of sales order {given.order_ref}, {plain(left)} shall come back, but only "
                do = "Compare the order's fulfillments and returns in Katana with the channel's return."
                raise RejectedError("not-returnable", f"{what}{plain(returnable)} can", where=self._where(given), do=do)
            for each in sources:
                taken = min(left, each.available)
                if taken > 0:
                    ids = {"variant_id": each.variant_id, "fulfillment_row_id": each.id}
                    bodies.append(ids | {"quantity": plain(taken)})
                    left -= taken
        return bodies

    def _where(self, given: SalesReturn) -> str:
        return f"{self._connection.id}, return {given.key}"


def _head(given: SalesReturn, location_id: int) -> Body:
    return filled(
        {
            "sales_order_id": id_of(given.order_ref),
            "return_location_id": location_id,
            "order_no": given.key,
            "additional_info": given.note.strip()[:_LONGEST_NOTE],
            "tracking_number": given.tracking_number,
            "tracking_carrier": given.carrier,
        }
    )


def _quantity(item: Row) -> Decimal:
    return decimal_of(item.get("available_for_return_quantity")) or ZERO
