"""The laws as properties, over generated Orders and Routes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from hub.contract import LineStatus, Order, OrderStatus, SalesOrder
from hub.routing.compose import components, compose, split
from hub.routing.fate import Fate, Hand, History, lines_digest, stand
from hub.routing.model import Route, ShippingAs, TaxMode
from hub.routing.money import imbalances
from hub.testing.strategies import known_for, orders, routes

ZERO = Decimal(0)
HISTORIES = st.builds(History, is_new=st.booleans(), hand=st.sampled_from([None, *Hand]), placed_digest=st.none())


@given(orders(), routes(), HISTORIES, st.timedeltas(timedelta(days=-3), timedelta(days=3)))
def test_order_has_exactly_one_fate_and_says_why(order: Order, route: Route, history: History, at: timedelta) -> None:
    """Law 2."""
    now = order.created_at + at
    standing = stand(order, route, history, order.created_at - timedelta(days=1), now)
    assert standing.fate in (Fate.HELD, Fate.SKIPPED, Fate.CANCELLED, Fate.BLOCKED)
    assert (standing.cause is None) == (standing.fate is Fate.CANCELLED)
    assert bool(standing.problems) == (standing.fate is Fate.BLOCKED)


@given(orders(), routes(), HISTORIES)
def test_nothing_leaves_before_the_channels_hold(order: Order, route: Route, history: History) -> None:
    """Law 3: by hand or not."""
    hold_until = order.created_at + timedelta(hours=9)
    held = order.model_copy(update={"hold_until": hold_until})
    standing = stand(held, route, history, None, order.created_at)
    if standing.fate is Fate.HELD and standing.release_at is not None:
        assert standing.release_at >= hold_until


@given(orders(), routes(), HISTORIES, st.timedeltas(timedelta(0), timedelta(days=30)))
def test_cancelled_order_never_becomes_ready(order: Order, route: Route, history: History, at: timedelta) -> None:
    """Law 3."""
    gone = order.model_copy(update={"status": OrderStatus.CANCELLED})
    lines = tuple(line.model_copy(update={"status": LineStatus.CANCELLED}) for line in order.lines)
    by_line = order.model_copy(update={"status": OrderStatus.OPEN, "lines": lines})
    for each in (gone, by_line):
        assert stand(each, route, history, None, order.created_at + at).fate is Fate.CANCELLED


@given(orders(), routes())
def test_placing_changes_nothing_that_is_shipped(order: Order, route: Route) -> None:
    """A placed order whose lines are as they were placed is not blocked."""
    history = History(False, None, lines_digest(order))
    standing = stand(order, route, history, None, order.created_at)
    assert standing.fate is not Fate.BLOCKED
    is_gone = all(line.status is LineStatus.CANCELLED for line in order.lines)
    assert (standing.cause == "cancelling") == (order.status is OrderStatus.CANCELLED or is_gone)


@given(orders())
def test_generated_money_balances_and_a_changed_total_does_not(order: Order) -> None:
    """Law 8."""
    assert imbalances(order) == ()
    off = order.totals.model_copy(update={"total": order.totals.total + Decimal("0.01")})
    assert [problem.code for problem in imbalances(order.model_copy(update={"totals": off}))] == ["money-unbalanced"]


@given(st.data())
def test_all_units_ship_or_none(data: st.DataObject) -> None:
    """Laws 4 and 7: what the rows add up to is what the open lines ask for, after mapping."""
    order, route = data.draw(orders()), data.draw(routes())
    made = compose(order, route, "tiktok", known_for(order, route))
    if not isinstance(made, SalesOrder):
        assert made, "no sales order without a problem"
        return
    wanted: dict[str, Decimal] = {}
    for line in order.lines:
        if line.status is not LineStatus.CANCELLED:
            for part in components(line, route):
                wanted[part.sku] = wanted.get(part.sku, ZERO) + part.quantity * line.quantity
    if route.orders.shipping.how is ShippingAs.ROW and route.orders.shipping.sku and made.shipping is None:
        extra = sum((row.quantity for row in made.rows), ZERO) - sum(wanted.values(), ZERO)
        assert extra in (0, 1)
        wanted[route.orders.shipping.sku] = wanted.get(route.orders.shipping.sku, ZERO) + extra
    shipped: dict[str, Decimal] = {}
    for row in made.rows:
        shipped[row.sku] = shipped.get(row.sku, ZERO) + row.quantity
    assert {sku: n for sku, n in shipped.items() if n} == {sku: n for sku, n in wanted.items() if n}


@given(st.data())
def test_untaxed_rows_carry_the_lines_money_to_the_cent(data: st.DataObject) -> None:
    """Law 8: with no tax to take out, rows less their discounts are the lines less theirs."""
    order, route = data.draw(orders()), data.draw(routes())
    made = compose(order, route, "tiktok", known_for(order, route))
    if not isinstance(made, SalesOrder) or any(row.tax_rate for row in made.rows):
        return
    rules = route.orders.discounts
    lines = sum(
        (
            line.price * line.quantity
            - (line.seller_discount if rules.deduct_seller else ZERO)
            - (line.channel_discount if rules.deduct_channel else ZERO)
            for line in order.lines
            if line.status is not LineStatus.CANCELLED
        ),
        ZERO,
    )
    rows = sum((row.price * row.quantity - row.discount for row in made.rows), ZERO)
    if route.orders.shipping.how is ShippingAs.ROW:
        rows -= sum((row.price * row.quantity for row in made.rows if row.sku == route.orders.shipping.sku), ZERO)
        if any(line.sku == route.orders.shipping.sku for line in order.lines):
            return
    assert abs(rows - lines) < Decimal("0.005")


@given(st.data(), st.decimals("0", "100", places=2))
def test_tax_is_never_sent_without_a_rate_where_the_order_states_it(data: st.DataObject, more: Decimal) -> None:
    """Law 8: what states tax either carries a rate, or is blocked, or its route says what to do instead."""
    order, route = data.draw(orders()), data.draw(routes())
    totals = order.totals.model_copy(update={"tax": order.totals.tax + more})
    order = order.model_copy(update={"totals": totals})
    made = compose(order, route, "tiktok", known_for(order, route))
    unrated = order.totals.tax > 0 and all(line.tax_rate is None for line in order.lines)
    if unrated and route.orders.tax.mode is TaxMode.FROM_ORDER:
        assert not isinstance(made, SalesOrder)
        assert "tax-unstated" in [problem.code for problem in made]
    elif not isinstance(made, SalesOrder) and route.orders.tax.mode is not TaxMode.FROM_ORDER:
        assert "tax-unstated" not in [problem.code for problem in made]


@given(st.decimals("0", "100000", places=2), st.lists(st.decimals("0.01", "1", places=2), min_size=1, max_size=6))
def test_split_neither_makes_nor_loses_money(amount: Decimal, shares: list[Decimal]) -> None:
    assert sum(split(amount, shares), ZERO) == amount
