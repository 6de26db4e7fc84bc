"""What the generators make is valid, and covers what Orders are made of."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, find, given, settings

from hub.contract import LineStatus, Order, OrderStatus, SalesOrder
from hub.routing.compose import compose
from hub.routing.model import Route
from hub.routing.money import imbalances
from hub.testing.strategies import known_for, orders, routes, sales_orders

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(orders())
def test_money_of_a_generated_order_balances(order: Order) -> None:
    assert imbalances(order) == ()


@QUICK
@given(orders())
def test_a_generated_order_survives_json(order: Order) -> None:
    assert Order.model_validate_json(order.model_dump_json()) == order


@QUICK
@given(orders(statuses=[OrderStatus.OPEN]), routes())
def test_a_generated_order_composes_on_any_generated_route(order: Order, route: Route) -> None:
    known = known_for(order, route)
    assert isinstance(compose(order, route, "tiktok", known), SalesOrder)


@QUICK
@given(routes())
def test_price_shares_of_a_generated_route_add_up_to_one(route: Route) -> None:
    for parts in route.orders.skus.values():
        assert sum(part.price_share for part in parts) == 1


@QUICK
@given(orders(statuses=[OrderStatus.SHIPPED, OrderStatus.PARTLY_SHIPPED, OrderStatus.CANCELLED]))
def test_lines_agree_with_the_status_of_their_order(order: Order) -> None:
    states = {line.status for line in order.lines}
    if order.status is OrderStatus.CANCELLED:
        assert states == {LineStatus.CANCELLED}
    elif order.status is OrderStatus.SHIPPED:
        assert states <= {LineStatus.SHIPPED, LineStatus.CANCELLED}
    else:
        assert {LineStatus.SHIPPED, LineStatus.OPEN} <= states


@QUICK
@given(sales_orders())
def test_a_generated_sales_order_survives_json(order: SalesOrder) -> None:
    assert SalesOrder.model_validate_json(order.model_dump_json()) == order


def test_the_generators_reach_the_odd_cases() -> None:
    quiet = settings(
        max_examples=500, database=None, deadline=None, phases=[Phase.generate]
    )  # the least one is no matter
    for is_odd in (
        lambda order: any(line.is_gift for line in order.lines),
        lambda order: any(line.parts for line in order.lines),
        lambda order: order.taxes_included,
        lambda order: order.totals.fees != (),
        lambda order: order.currency == "JPY" and order.totals.total > 0,
        lambda order: (
            LineStatus.CANCELLED in {line.status for line in order.lines} and order.status is OrderStatus.OPEN
        ),
    ):
        find(orders(), is_odd, settings=quiet)
