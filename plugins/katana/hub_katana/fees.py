"""The shipping fee of a sales order, which Katana keeps as a record of its own (K-67)."""

from __future__ import annotations

from hub.contract import ShippingCharge
from hub_katana.answers import Row
from hub_katana.client import Client
from hub_katana.failures import RefusedError
from hub_katana.translate import fee_body

_PATH = "/sales_order_shipping_fee"


class ShippingFees:
    """Adds shipping fees and looks them up; one fee per order, since Katana shows only one (K-67)."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def add(self, charge: ShippingCharge, order_id: int, tax_rate_id: int | None, *, subject: str) -> None:
        """Add the fee. Repeats: not safe; ask ``exists`` first where an earlier try may have been answered."""
        self._client.create(_PATH, fee_body(charge, order_id, tax_rate_id), subject=subject)

    def set(
        self, charge: ShippingCharge | None, order_id: int, there: Row | None, tax_rate_id: int | None, *, subject: str
    ) -> None:
        """Make the fee that is ``there`` the one wanted: add it, change it, or remove it. Repeats: safe."""
        if charge is None:
            if there is not None:
                self._client.remove(f"{_PATH}/{there['id']}", subject=subject)
        elif there is None:
            self.add(charge, order_id, tax_rate_id, subject=subject)
        else:
            body = fee_body(charge, order_id, tax_rate_id)
            del body["sales_order_id"]
            self._client.change(f"{_PATH}/{there['id']}", body, subject=subject)

    def exists(self, order_id: int) -> bool:
        """Say whether the order carries a fee.

        Shape: each result is checked for its order; where the filter was ignored (K-23) the order itself is read,
               which shows its one fee (K-81). An order that is gone carries none.
        """

        def belongs(row: Row) -> bool:
            return row.get("sales_order_id") == order_id

        rows = self._client.matching(_PATH, [("sales_order_id", str(order_id))], belongs)
        if rows is not None:
            return any(not row.get("deleted_at") for row in rows)
        try:
            return bool(self._client.get(f"/sales_orders/{order_id}").get("shipping_fee"))
        except RefusedError as refused:
            if refused.refusal.status != 404:
                raise
            return False
