"""Invoices that people link to orders, and what they and returns forbid (fact sheet 5.6, 5.10)."""

from __future__ import annotations

from katana_simulator.exchange import Answer, Request, Row, blocked, refused
from katana_simulator.lists import DATES, answer_list, fields
from katana_simulator.world import Handler, World

_PARAMS = DATES | fields("int", "sales_order_id", "fulfillment_id")


def list_metadata(world: World, request: Request) -> Answer:
    return answer_list(world, request, world.invoices, _PARAMS, _view)


def check_deletable(world: World, order: Row) -> None:
    """Refuse to delete an order with returns, or an invoiced one; the status of the latter is a switch."""
    if world.returns.first("sales_order_id", order["id"]) is not None:
        raise blocked("Cannot delete sales orders as sales orders have return orders.")
    wanted, message = world.options["invoiced_delete"], "Cannot delete sales orders as sales orders have invoices."
    if order["invoicing_status"] == "notInvoiced" or wanted == "allow":
        return
    raise blocked(message) if wanted == "412" else refused(message)


def link_invoice(world: World, order: Row, invoice_id: str, integration: str) -> None:
    """Invoice a whole order, as a linked accounting program does."""
    stamp = world.stamp()
    shipments: list[Row | None] = [*world.fulfillments.each("sales_order_id", order["id"])]
    for shipped in shipments or [None]:
        invoice: Row = {
            "sales_order_id": order["id"],
            "fulfillment_id": None if shipped is None else shipped["id"],
            "invoice_id": invoice_id,
            "integration_type": integration,
            "created_at": stamp,
            "deleted_at": None,
        }
        world.invoices.add(invoice)
        if shipped is not None:
            shipped |= {"invoice_status": "INVOICED", "updated_at": stamp}
    world.orders.change(order, {"invoicing_status": "invoiced", "updated_at": stamp})


def unlink_invoices(world: World, order: Row) -> None:
    stamp = world.stamp()
    for invoice in world.invoices.each("sales_order_id", order["id"]):
        invoice["deleted_at"] = stamp
    for shipped in world.fulfillments.each("sales_order_id", order["id"]):
        shipped |= {"invoice_status": "NOT_INVOICED", "updated_at": stamp}
    world.orders.change(order, {"invoicing_status": "notInvoiced", "updated_at": stamp})


def _view(world: World, row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "deleted_at"}


ROUTES: dict[str, Handler] = {"GET /sales_order_accounting_metadata": list_metadata}
