"""Shipments of an ERP -> parcels of exact channel lines; pure. Law 7: shipped is never more than ordered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from hub.contract import LineItem, LineStatus, Order
from hub.routing.compose import components
from hub.routing.fate import Problem
from hub.routing.model import Route

ZERO = Decimal(0)
Pieces = dict[str, Decimal]  # ERP SKU -> quantity


@dataclass(frozen=True, slots=True)
class Shipped:
    """One shipment as the ERP tells it, oldest first; ``told``: the lines the channel was already told for it."""

    key: str
    pieces: Mapping[str, Decimal]
    tracking_number: str | None = None
    told: Mapping[str, Decimal] | None = None


@dataclass(frozen=True, slots=True)
class Allocation:
    """Which lines each shipment completes, and what does not fit the Order.

    A unit whose parts travel apart is in the parcel of its last part; a shipment that completes none has no lines.
    """

    lines: Mapping[str, Mapping[str, Decimal]]  # shipment key -> line ref -> units
    problems: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)  # by shipment key


@dataclass(slots=True)
class _Line:
    """A line with what is still to be given to it."""

    line: LineItem
    needs: Pieces  # for one unit
    left: Decimal


def allocate(order: Order, route: Route, shipments: Sequence[Shipped]) -> Allocation:
    """Give each shipment the units it completes; the same input gives the same parcels, and told ones stay."""
    lines = [_line(line, route) for line in order.lines if line.status is not LineStatus.CANCELLED]
    by_ref = {each.line.ref: each for each in lines}
    given: dict[str, dict[str, Decimal]] = {shipment.key: {} for shipment in shipments}
    for shipment in shipments:
        for ref, units in (shipment.told or {}).items():
            given[shipment.key][ref] = units
            if ref in by_ref:
                by_ref[ref].left -= units
    pool: Pieces = {}
    owners: dict[str, list[str]] = {}
    for shipment in shipments:
        for sku, quantity in shipment.pieces.items():
            pool[sku] = pool.get(sku, ZERO) + quantity
            owners.setdefault(sku, []).append(shipment.key)
        if shipment.told is not None:
            _take_told(shipment.told, by_ref, pool)
        else:
            given[shipment.key] = _complete(shipment, lines, pool)
    return Allocation(given, _left_over(order, lines, pool, owners))


def _line(line: LineItem, route: Route) -> _Line:
    needs: Pieces = {}
    for part in components(line, route):
        needs[part.sku] = needs.get(part.sku, ZERO) + part.quantity
    return _Line(line, needs, line.quantity)


def _take_told(told: Mapping[str, Decimal], by_ref: Mapping[str, _Line], pool: Pieces) -> None:
    for ref, units in told.items():
        for sku, quantity in by_ref[ref].needs.items() if ref in by_ref else ():
            pool[sku] = pool.get(sku, ZERO) - quantity * units


def _complete(shipment: Shipped, lines: Sequence[_Line], pool: Pieces) -> dict[str, Decimal]:
    """Take from the pool every unit it completes, the closest match first."""
    given: dict[str, Decimal] = {}
    for each in sorted(lines, key=lambda each: _rank(each, shipment)):
        units = min(each.left, _whole_units(each.needs, pool))
        if units <= 0:
            continue
        given[each.line.ref] = units
        each.left -= units
        for sku, quantity in each.needs.items():
            pool[sku] -= quantity * units
    return given


def _rank(each: _Line, shipment: Shipped) -> tuple[int, int, Decimal, str]:
    """Order lines: those the channel shows under this very number, then open ones; of these, bundles before singles."""
    line = each.line
    if line.tracking_number and line.tracking_number == shipment.tracking_number:
        first = 0
    else:
        first = 1 if line.status is LineStatus.OPEN else 2
    return first, -len(each.needs), -sum(each.needs.values(), ZERO), line.ref


def _whole_units(needs: Mapping[str, Decimal], pool: Mapping[str, Decimal]) -> Decimal:
    if not needs:
        return ZERO
    return min((max(pool.get(sku, ZERO), ZERO) // quantity for sku, quantity in needs.items()), default=ZERO)


def _left_over(
    order: Order, lines: Sequence[_Line], pool: Mapping[str, Decimal], owners: Mapping[str, Sequence[str]]
) -> dict[str, tuple[Problem, ...]]:
    """Name what the ERP shipped and no line still needs; parts of a unit that is not complete yet are no problem."""
    wanted: Pieces = {}
    for each in lines:
        for sku, quantity in each.needs.items():
            wanted[sku] = wanted.get(sku, ZERO) + quantity * max(each.left, ZERO)
    found: dict[str, list[Problem]] = {}
    for sku, quantity in sorted(pool.items()):
        extra = quantity - wanted.get(sku, ZERO)
        if extra > 0:
            problem = Problem(
                "shipment-unmatched",
                f"the ERP shipped {extra.normalize():f} of {sku} more than order {order.ref} has open on the channel",
                f"Correct the shipment in the ERP, then: hub retry {order.ref}. If both sides are right as they are: "
                f"hub retry --settled {order.ref}",
                (sku,),
            )
            found.setdefault(owners[sku][-1], []).append(problem)
    return {key: tuple(problems) for key, problems in found.items()}
