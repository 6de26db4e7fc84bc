"""Creates sales orders, or completes those that exist."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

from hub.contract import AuthorizationError, Connection, PlacedOrder, RejectedError, SalesOrder, TransientError
from hub_katana.answers import Row
from hub_katana.blame import is_number_taken, may_be_stale, refused_order
from hub_katana.client import Client
from hub_katana.customers import Customers
from hub_katana.failures import RefusedError, order_not_sent, transient, unreadable
from hub_katana.fees import ShippingFees
from hub_katana.settings import KatanaSettings
from hub_katana.tax import TaxRates
from hub_katana.translate import id_of, order_body, placed_order, private_texts

TaxIds = dict[Decimal | None, int | None]


class SalesOrders:
    """Writes sales orders; the hub sees to it that no two calls run for one order.

    Units: 1 call with known customer, tax rates and no shipping fee; 1 more for the fee; see Customers and TaxRates for
           what is not known yet.
    """

    def __init__(
        self, connection: Connection[KatanaSettings], client: Client, tax_rates: TaxRates, fees: ShippingFees
    ) -> None:
        self._connection = connection
        self._client = client
        self._customers = Customers(connection, client)
        self._tax_rates = tax_rates
        self._fees = fees

    def push(self, order: SalesOrder, existing: PlacedOrder | None) -> PlacedOrder:
        """Create the order, or add to ``existing`` the shipping fee it lacks.

        Repeats: a call with ``existing`` None is never safe to repeat (K-03); one with ``existing`` is, and never makes
                 a second order. One that another tool made, or that is deleted, is left as it is.
        Raises:  TransientError(may_have_happened=True) also where the order is made and only its fee is not; where the
                 fee is refused the order comes back not ``complete``, and the call with ``existing`` raises.
        """
        if existing is None:
            return self.begin(order)()
        if order.shipping is None or existing.deleted or not existing.ours:
            return existing.model_copy(update={"complete": True})
        with _order_exists(order, existing.number):
            order_id = int(existing.ref)
            if not self._fees.exists(order_id):
                self._add_fee(order, order_id, self._tax_ids(order))
        return existing.model_copy(update={"complete": True})

    def begin(self, order: SalesOrder) -> Callable[[], PlacedOrder]:
        """Send a new order; what is returned waits for the answer and does what is left, as ``push`` does both."""
        self._check_references(order)
        with order_not_sent():
            tax_ids = self._tax_ids(order)
            customer_id, is_remembered = self._customers.id_for(order.customer)
        answer = self._begin(order, customer_id, tax_ids)
        return lambda: self._made(order, answer, tax_ids, is_remembered)

    def _made(self, order: SalesOrder, answer: Callable[[], Row], tax_ids: TaxIds, is_remembered: bool) -> PlacedOrder:
        try:
            row = answer()
        except RefusedError as refused:
            if not (is_remembered and may_be_stale(refused.refusal)):
                raise self._refused(order, refused) from refused
            row, tax_ids = self._send_with_fresh_ids(order)
        placed = placed_order(row, order.key, is_new=True)
        return placed if order.shipping is None else self._with_fee(order, placed, tax_ids)

    def _send_with_fresh_ids(self, order: SalesOrder) -> tuple[Row, TaxIds]:
        """Ask Katana again for what was remembered, and send once more; the refused try made nothing."""
        self._customers.forget(order.customer)
        self._tax_rates.forget(_rates(order))
        with order_not_sent():
            tax_ids = self._tax_ids(order)
            customer_id, _ = self._customers.id_for(order.customer)
        try:
            return self._begin(order, customer_id, tax_ids)(), tax_ids
        except RefusedError as refused:
            raise self._refused(order, refused) from refused

    def _begin(self, order: SalesOrder, customer_id: int, tax_ids: TaxIds) -> Callable[[], Row]:
        body, private = order_body(order, customer_id, tax_ids), private_texts(order)
        answer = self._client.begin_create("/sales_orders", body, subject=_subject(order), private=private)
        return lambda: self._own(order, answer())

    def _own(self, order: SalesOrder, row: Row) -> Row:
        if row.get("order_no", order.key.key) != order.key.key:  # another order's answer: no link is made from it
            raise unreadable(where=f"{self._connection.id}, {_subject(order)}", reads=False)
        return row

    def _with_fee(self, order: SalesOrder, placed: PlacedOrder, tax_ids: TaxIds) -> PlacedOrder:
        try:
            with _order_exists(order, placed.number):
                self._add_fee(order, int(placed.ref), tax_ids)
        except (AuthorizationError, RejectedError):
            # The order is made and must not be forgotten over its fee, be that refused or the key revoked between two
            # calls (K-01). The hub comes back with it as existing, and then hears what is wrong.
            return placed.model_copy(update={"complete": False})
        return placed

    def _add_fee(self, order: SalesOrder, order_id: int, tax_ids: TaxIds) -> None:
        if order.shipping is not None:
            tax_id = tax_ids[order.shipping.tax_rate]
            try:
                self._fees.add(order.shipping, order_id, tax_id, subject=_subject(order))
            except RefusedError as refused:
                if may_be_stale(refused.refusal):
                    self._tax_rates.forget(_rates(order))
                raise

    def _tax_ids(self, order: SalesOrder) -> TaxIds:
        where = f"{self._connection.id}, {_subject(order)}"
        return self._tax_rates.ids_for(_rates(order), create=order.create_tax_rates, where=where)

    def _refused(self, order: SalesOrder, refused: RefusedError) -> RejectedError | TransientError:
        if is_number_taken(refused.refusal, order.key.key):
            # K-45: an order of this number exists, perhaps from a try of ours that look-ups did not show yet (K-75).
            what = f"Katana says that a sales order {order.key.key} exists already ({refused.what})"
            do = "Nothing to do: the hub looks it up."
            return TransientError("order-number-taken", what, where=refused.where, do=do, may_have_happened=True)
        return refused_order(order, refused)

    def _check_references(self, order: SalesOrder) -> None:
        """Refuse references that cannot be Katana's before anything is written."""
        for row in order.rows:
            try:
                id_of(row.variant_ref), id_of(row.location_ref), id_of(order.location_ref)
            except ValueError as wrong:
                where = f"{self._connection.id}, {_subject(order)}"
                do = "Read the catalogue and the locations again, then retry."
                refs = (row.variant_ref,)
                raise RejectedError(
                    "reference-invalid", str(wrong), where=where, do=do, variant_refs=refs, sent=False
                ) from wrong


@contextmanager
def _order_exists(order: SalesOrder, number: str) -> Iterator[None]:
    """Guard the steps after the order itself: whatever fails there, the order is made."""
    try:
        yield
    except TransientError as error:
        raise transient(error, may_have_happened=True) from error
    except RejectedError as error:
        what = f"sales order {number} is made, but without its shipping fee: {error.what}"
        do = "Mend what Katana names, or add the fee in Katana by hand; then retry."
        raise RejectedError("shipping-fee-refused", what, where=error.where, do=do) from error


def _rates(order: SalesOrder) -> list[Decimal | None]:
    return [row.tax_rate for row in order.rows] + ([order.shipping.tax_rate] if order.shipping else [])


def _subject(order: SalesOrder) -> str:
    return f"order {order.key.key}"
