"""Which Katana customer a sales order is for: remembered, else found by reference, else made, once."""

from __future__ import annotations

from threading import Lock

from hub.contract import Connection, Customer
from hub_katana.answers import Row
from hub_katana.client import Client
from hub_katana.settings import KatanaSettings
from hub_katana.translate import customer_body

_STRIPES = 16


class Customers:
    """Finds or makes customers by ``Customer.reference``, which becomes Katana's ``reference_id`` (K-37 to K-39)."""

    def __init__(self, connection: Connection[KatanaSettings], client: Client) -> None:
        self._connection = connection
        self._client = client
        # Two orders of one new buyer run at once; others should not wait for them.
        self._locks = tuple(Lock() for _ in range(_STRIPES))

    def id_for(self, customer: Customer) -> tuple[int, bool]:
        """Return the customer's id, and whether it was only remembered and so may be gone by now.

        Repeats: safe; a create whose answer was lost is found by its reference the next time.
        Units:   0 calls where remembered, 1 where found, 2 where made.
        """
        remembered = self._remembered(customer)
        if remembered is not None:
            return remembered, True
        with self._locks[hash(customer.reference) % _STRIPES]:
            remembered = self._remembered(customer)
            if remembered is not None:
                return remembered, False
            found = self._find(customer)
            if found is None:
                found = self._create(customer)
            self._connection.memory.set(_memory_key(customer), str(found))
            return found, False

    def forget(self, customer: Customer) -> None:
        """Drop what is remembered, so that the next id_for asks Katana."""
        self._connection.memory.forget(_memory_key(customer))

    def _remembered(self, customer: Customer) -> int | None:
        text = self._connection.memory.get(_memory_key(customer)) or ""
        return int(text) if text.isascii() and text.isdecimal() else None

    def _find(self, customer: Customer) -> int | None:
        """Return the oldest living customer with this reference.

        A filter that was ignored (K-23) proves nothing: then a second customer of one reference may be made, which
        costs order in the customer list, where refusing would cost the order.
        """

        def belongs(row: Row) -> bool:
            return str(row.get("reference_id")) == customer.reference

        rows = self._client.matching("/customers", [("reference_id", customer.reference)], belongs)
        if rows is None:
            self._connection.log.warning("filter-ignored", path="/customers", filter="reference_id")
        return min((int(row["id"]) for row in rows or () if not row.get("deleted_at")), default=None)

    def _create(self, customer: Customer) -> int:
        body = customer_body(customer)
        private = [str(body[name]) for name in body if name != "reference_id"]
        made = self._client.create("/customers", body, subject="the order's customer", private=private)
        return int(made["id"])


def _memory_key(customer: Customer) -> str:
    return f"customer:{customer.reference}"
