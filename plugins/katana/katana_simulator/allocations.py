"""Batches and serial numbers that a row's quantity is taken from, as far as they are known (fact sheet 5.7, 6)."""

from __future__ import annotations

from decimal import Decimal

from katana_simulator.exchange import Row, refused
from katana_simulator.stock import ZERO
from katana_simulator.variants import parent_of
from katana_simulator.world import World

KINDS = ("traceability", "batch_transactions", "serial_numbers")


def is_serial_tracked(world: World, line: Row) -> bool:
    return bool(parent_of(world, world.variants.rows[line["variant_id"]]).get("serial_tracked"))


def check_allocation(world: World, line: Row, row: Row) -> None:
    """Refuse a shipped row whose serial numbers (or, by switch, batches) do not make up its quantity."""
    parent, wanted = parent_of(world, world.variants.rows[line["variant_id"]]), Decimal(row["quantity"])
    if parent.get("serial_tracked"):
        _check_sum("serial number", _serials(row), wanted)
    if parent.get("batch_tracked") and world.options["batch_allocation"] == "required":
        _check_sum("batch transaction", _batches(row), wanted)


def shown(row: Row) -> Row:
    """What answers show of an allocation; quantities of `traceability` are text (fact sheet 1.5)."""
    traces = [
        {
            **{name: trace.get(name) for name in ("batch_id", "serial_number_id", "bin_location_id")},
            "quantity": str(trace["quantity"]),
        }
        for trace in row.get("traceability", [])
    ]
    return {
        "batch_transactions": row.get("batch_transactions", []),
        "serial_numbers": row.get("serial_numbers", []),
        "traceability": traces,
    }


def allocate(line: Row, body: Row) -> None:
    """Keep what a PATCH of an order's row says; what it leaves out stays."""
    for name in ("traceability", "batch_transactions"):
        if name in body:
            line[name] = [{"quantity": 0} | item for item in body[name]]
    if "serial_number_transactions" in body:
        given = body["serial_number_transactions"]
        line["serial_numbers"] = [item["serial_number_id"] for item in given if item.get("quantity", 1)]


def _serials(row: Row) -> Decimal:
    if "traceability" in row:  # it wins over the older fields
        given = [Decimal(trace["quantity"]) for trace in row["traceability"] if trace.get("serial_number_id")]
        return sum(given, ZERO)
    return Decimal(len(row.get("serial_numbers", [])))


def _batches(row: Row) -> Decimal:
    given = row["traceability"] if "traceability" in row else row.get("batch_transactions", [])
    return sum((Decimal(item["quantity"]) for item in given), ZERO)


def _check_sum(what: str, current: Decimal, expected: Decimal) -> None:
    if current != expected:
        found = f"sum of {what} quantity (current: {current:f})"
        raise refused(f"{found} must match fulfillment row quantity (expected: {expected:f})")
