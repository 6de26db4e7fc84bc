"""Deeds around returns: goods that come back, and money that goes back."""

from __future__ import annotations

from katana_simulator.exchange import Row
from katana_simulator.people import Body, Deed, deed, location_of, numbers, order_of
from katana_simulator.returning import add_return, add_return_row, available, change_return_status
from katana_simulator.stock import ZERO
from katana_simulator.world import World

_STATUSES = ("NOT_RETURNED", "RETURNED_ALL", "RESTOCKED_ALL")


def take_back(world: World, body: Body) -> Row:
    """Return what was shipped of an order, or only `quantities` ({SKU: n}), up to the given status."""
    order, location_id = order_of(world, body), location_of(world, body)
    wanted = numbers(body["quantities"]) if "quantities" in body else None
    rows = []
    for fulfillment in world.fulfillments.each("sales_order_id", order["id"]):
        for shipped in fulfillment["rows"]:
            variant = world.variants.rows[world.order_rows.rows[shipped["sales_order_row_id"]]["variant_id"]]
            left = available(world, shipped)
            taken = left if wanted is None else min(wanted.get(variant["sku"], ZERO), left)
            if taken > 0:
                rows.append({"variant_id": variant["id"], "fulfillment_row_id": shipped["id"], "quantity": taken})
                if wanted is not None:
                    wanted[variant["sku"]] -= taken
    if not rows or (wanted is not None and any(wanted.values())):
        raise ValueError(f"more than was shipped of order {order['order_no']}")
    found = add_return(world, order, {"return_location_id": location_id})
    for row in rows:
        add_return_row(world, found, {**row, "restock_location_id": location_id})
    change_return_status(world, found, _status(body.get("status", "RESTOCKED_ALL")))
    return found | {"sales_return_rows": world.return_rows.each("sales_return_id", found["id"])}


def refund(world: World, body: Body) -> Row:
    """Mark a return as refunded, or only in part with `partly`."""
    found = world.returns.live(int(body["sales_return_id"]))
    if found is None:
        raise ValueError(f"no sales return {body['sales_return_id']}")
    word = "PARTIALLY_REFUNDED" if body.get("partly") else "REFUNDED"
    world.returns.change(found, {"refund_status": word, "updated_at": world.stamp()})
    return found


def _status(status: str) -> str:
    if status not in _STATUSES:
        raise ValueError(f"status takes {', '.join(_STATUSES)}, not {status}")
    return status


DEEDS: dict[str, Deed] = {
    "return": deed(take_back, "order_no", "sales_order_id", "quantities", "location", "status"),
    "refund": deed(refund, "sales_return_id", "partly"),
}
