"""Law 7: units balance, whatever is shipped in whatever portions and order."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from hub.contract import LineItem, LineStatus, Order
from hub.routing.allocate import Allocation, Shipped, allocate
from hub.routing.compose import components
from hub.routing.model import Route
from hub.testing.strategies import orders, routes

Portions = list[dict[str, Decimal]]


@st.composite
def shipped_orders(draw: st.DrawFn) -> tuple[Order, Route, Portions]:
    """An Order with what its ERP ships of it, in portions: all of it, less, or more."""
    order, route = draw(orders()), draw(routes())
    needs = {sku: quantity for sku, quantity in pieces(order, route).items() if quantity == int(quantity)}
    portions: Portions = []
    for _ in range(draw(st.integers(0, 4))):
        portion = {
            sku: Decimal(draw(st.integers(0, int(quantity) + 1))) for sku, quantity in needs.items() if quantity < 50
        }
        portions.append({sku: quantity for sku, quantity in portion.items() if quantity})
    return order, route, portions


def pieces(order: Order, route: Route) -> dict[str, Decimal]:
    """Return what shipping all open lines takes."""
    found: dict[str, Decimal] = {}
    for line in alive(order):
        for part in components(line, route):
            found[part.sku] = found.get(part.sku, Decimal(0)) + part.quantity * line.quantity
    return found


def alive(order: Order) -> list[LineItem]:
    return [line for line in order.lines if line.status is not LineStatus.CANCELLED]


def shipments(portions: Portions, told: Allocation | None = None) -> list[Shipped]:
    return [
        Shipped(str(n), portion, None, dict(told.lines[str(n)]) if told is not None else None)
        for n, portion in enumerate(portions)
    ]


def units(made: Allocation) -> dict[str, Decimal]:
    """Return how many units of each line are in parcels."""
    found: dict[str, Decimal] = {}
    for lines in made.lines.values():
        for ref, quantity in lines.items():
            found[ref] = found.get(ref, Decimal(0)) + quantity
    return found


@given(shipped_orders())
def test_no_line_ships_more_than_was_ordered_and_no_cancelled_one_at_all(
    case: tuple[Order, Route, Portions],
) -> None:
    order, route, portions = case
    ordered = {line.ref: line.quantity for line in alive(order)}
    for ref, quantity in units(allocate(order, route, shipments(portions))).items():
        assert 0 < quantity <= ordered[ref]
        assert quantity == int(quantity)


@given(shipped_orders())
def test_parcels_hold_no_more_than_what_was_shipped(case: tuple[Order, Route, Portions]) -> None:
    order, route, portions = case
    made = allocate(order, route, shipments(portions))
    by_ref = {line.ref: line for line in order.lines}
    used: dict[str, Decimal] = {}
    for ref, quantity in units(made).items():
        for part in components(by_ref[ref], route):
            used[part.sku] = used.get(part.sku, Decimal(0)) + part.quantity * quantity
    sent: dict[str, Decimal] = {}
    for portion in portions:
        for sku, quantity in portion.items():
            sent[sku] = sent.get(sku, Decimal(0)) + quantity
    assert all(quantity <= sent.get(sku, Decimal(0)) for sku, quantity in used.items())


@given(shipped_orders())
def test_what_was_told_stays_whatever_comes_later(case: tuple[Order, Route, Portions]) -> None:
    order, route, portions = case
    first = allocate(order, route, shipments(portions[:1]))
    later = shipments(portions)
    later[:1] = shipments(portions[:1], first)
    again = allocate(order, route, later)
    assert all(again.lines[key] == lines for key, lines in first.lines.items())
    ordered = {line.ref: line.quantity for line in alive(order)}
    assert all(quantity <= ordered[ref] for ref, quantity in units(again).items())


@given(shipped_orders())
def test_what_is_shipped_in_excess_is_said(case: tuple[Order, Route, Portions]) -> None:
    order, route, portions = case
    made = allocate(order, route, shipments(portions))
    sent: dict[str, Decimal] = {}
    for portion in portions:
        for sku, quantity in portion.items():
            sent[sku] = sent.get(sku, Decimal(0)) + quantity
    excess = {sku for sku, quantity in sent.items() if quantity > pieces(order, route).get(sku, Decimal(0))}
    said = {sku for problems in made.problems.values() for problem in problems for sku in problem.skus}
    assert excess <= said


@given(shipped_orders())
def test_all_that_was_ordered_leaves_when_all_of_it_is_shipped_at_once(case: tuple[Order, Route, Portions]) -> None:
    order, route, _ = case
    made = allocate(order, route, [Shipped("all", pieces(order, route))])
    whole = {line.ref: line.quantity for line in alive(order) if components(line, route)}
    assert {ref: q for ref, q in whole.items() if q == int(q)} == {
        ref: q for ref, q in units(made).items() if whole[ref] == int(whole[ref])
    }
    assert not made.problems
