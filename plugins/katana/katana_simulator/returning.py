"""What returns do to stock and to what may still be returned (fact sheet 7)."""

from __future__ import annotations

from decimal import Decimal

from katana_simulator.exchange import Row, refused
from katana_simulator.order_lines import lines_of, net_total
from katana_simulator.stock import ZERO, Cause
from katana_simulator.world import World

REASONS = ("Defective or damaged", "Incorrect spec", "Warranty", "Wrong item", "Dissatisfied", "Other")
REASON_IDS = dict(enumerate(REASONS, start=41))
_STEPS = ("NOT_RETURNED", "RETURNED_ALL", "RESTOCKED_ALL")


def add_return(world: World, order: Row, given: Row) -> Row:
    stamp = world.stamp()
    tracking = ("tracking_number", "tracking_number_url", "tracking_carrier", "tracking_method")
    row: Row = {
        "customer_id": order["customer_id"],
        "sales_order_id": order["id"],
        "order_no": given.get("order_no") or _next_number(world),
        "return_location_id": given["return_location_id"],
        "status": "NOT_RETURNED",
        "currency": order["currency"],
        "return_date": None,
        "order_created_date": given.get("order_created_date", stamp),
        "additional_info": given.get("additional_info"),
        "refund_status": "NOT_REFUNDED",
        **{name: given.get(name) for name in tracking},
        "created_at": stamp,
        "updated_at": stamp,
        "deleted_at": None,
    }
    return world.returns.add(row)


def add_return_row(world: World, found: Row, given: Row) -> Row:
    """Announce that some of what was shipped comes back; refuse more than was shipped."""
    shipped = shipped_row(world, found, given["fulfillment_row_id"])
    line = world.order_rows.rows[shipped["sales_order_row_id"]]
    if line["variant_id"] != given["variant_id"]:
        raise refused(f"Variant with id {given['variant_id']} is not on fulfillment row {shipped['id']}")
    check_quantity(world, shipped, Decimal(given["quantity"]))
    order, stamp = world.orders.rows[found["sales_order_id"]], world.stamp()
    row: Row = {
        "sales_return_id": found["id"],
        "variant_id": line["variant_id"],
        "fulfillment_row_id": shipped["id"],
        "sales_order_row_id": line["id"],
        "quantity": Decimal(given["quantity"]),
        "net_price_per_unit": unit_price(line),
        "reason_id": given.get("reason_id"),
        "restock_location_id": given.get("restock_location_id", line["location_id"] or order["location_id"]),
        "batch_transactions": [],
        "restocked": None,
        "created_at": stamp,
        "updated_at": stamp,
        "deleted_at": None,
    }
    world.return_rows.add(row)
    found["updated_at"] = stamp
    return row


def change_return_status(world: World, found: Row, status: str) -> None:
    """Move on or back; the goods enter stock at the step that the switch `return_restocks` names."""
    stamp = world.stamp()
    found |= {"status": status, "updated_at": stamp}
    if status == "NOT_RETURNED":
        found["return_date"] = None
    elif found["return_date"] is None:
        found["return_date"] = stamp
    settle_return(world, found)


def settle_return(world: World, found: Row) -> None:
    for row in world.return_rows.each("sales_return_id", found["id"]):
        settle_return_row(world, found, row)


def settle_return_row(world: World, found: Row, row: Row) -> None:
    """Bring the stock that one row put back to what it should be now."""
    place = (row["variant_id"], row["restock_location_id"])
    step = {"restocked": "RESTOCKED_ALL", "returned": "RETURNED_ALL"}.get(world.options["return_restocks"])
    is_back = step is not None and _STEPS.index(found["status"]) >= _STEPS.index(step) and not row["deleted_at"]
    wanted = (place, row["quantity"]) if is_back and world.variants.rows[place[0]]["type"] != "service" else None
    if row["restocked"] == wanted:
        return
    cause = Cause("SystemGenerated", row["id"], found["order_no"], found["id"])
    for moved, sign in ((row["restocked"], -1), (wanted, 1)):
        if moved is not None:
            world.stock.move(moved[0], sign * moved[1], cause, world.clock.now())
    row["restocked"] = wanted


def remove_return(world: World, found: Row) -> None:
    """Assumed: what was put back into stock leaves it again."""
    stamp = world.stamp()
    for row in world.return_rows.each("sales_return_id", found["id"]):
        row |= {"deleted_at": stamp, "updated_at": stamp}
        settle_return_row(world, found, row)
    found |= {"deleted_at": stamp, "updated_at": stamp}


def shipped_row(world: World, found: Row, row_id: int) -> Row:
    """The fulfillment row of this id, on the return's order."""
    for fulfillment in world.fulfillments.each("sales_order_id", found["sales_order_id"]):
        for shipped in fulfillment["rows"]:
            if shipped["id"] == row_id:
                found_row: Row = shipped
                return found_row
    raise refused(f"Fulfillment row with id {row_id} not found")


def check_quantity(world: World, shipped: Row, quantity: Decimal, besides: Row | None = None) -> None:
    left = available(world, shipped, besides)
    if quantity > left:
        raise refused(f"Return quantity {quantity:f} exceeds the quantity available for return {left:f}")


def available(world: World, shipped: Row, besides: Row | None = None) -> Decimal:
    rows = world.return_rows.each("fulfillment_row_id", shipped["id"])
    returned = sum((row["quantity"] for row in rows if row is not besides), ZERO)
    left: Decimal = shipped["quantity"] - returned
    return left


def returnable(world: World, order: Row) -> list[Row]:
    """What was shipped and has not come back, fulfillment row by fulfillment row."""
    lines = {line["id"]: line for line in lines_of(world, order)}
    found = []
    for fulfillment in world.fulfillments.each("sales_order_id", order["id"]):
        for shipped in fulfillment["rows"]:
            line, left = lines[shipped["sales_order_row_id"]], available(world, shipped)
            if left > 0:
                found.append(
                    {
                        "variant_id": line["variant_id"],
                        "fulfillment_row_id": shipped["id"],
                        "available_for_return_quantity": f"{left:f}",
                        "net_price_per_unit": f"{unit_price(line):.10f}",
                        "location_id": line["location_id"] or order["location_id"],
                        "quantity_sold": f"{shipped['quantity']:f}",
                    }
                )
    return found


def unit_price(line: Row) -> Decimal:
    """What one unit came to, without tax and less its share of the row's discount."""
    price: Decimal = net_total(line) / line["quantity"] if line["quantity"] else line["price"]
    return price


def _next_number(world: World) -> str:
    return f"RO-{len(world.returns.rows) + 1}"
