"""What a placed order shows of itself: its living rows, and whether anybody has packed of it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from hub.contract import PlacedOrder, SalesOrder

Make = Callable[..., SalesOrder]


@pytest.fixture
def bench(katana: Any) -> Any:
    return katana.bench()


def content(placed: PlacedOrder) -> dict[str, Decimal]:
    return {row.variant_ref: row.quantity for row in placed.rows}


def test_a_created_order_tells_its_rows_so_that_a_fulfillment_may_follow_at_once(
    katana: Any, bench: Any, shop: Any, order: Make
) -> None:
    """K-54."""
    placed = bench.connector.push_order(order(), None)
    shown = katana.order("TT-5766000000000000001")["sales_order_rows"]
    assert [row.ref for row in placed.rows] == [str(row["id"]) for row in shown]
    variants = shop["variants"]
    assert content(placed) == {str(variants["MUG-BLUE"]): Decimal(2), str(variants["TEA-50G"]): Decimal(1)}
    assert placed.untouched


@pytest.mark.parametrize("style", ["mixed", "strings"])
@pytest.mark.parametrize("count", [1, 3])
def test_a_found_order_tells_only_its_living_rows_by_whatever_way_it_is_found(
    katana: Any, bench: Any, order: Make, style: str, count: int
) -> None:
    """K-19, K-66: by number, or together with others."""
    wanted = [order(str(number)) for number in range(1, count + 1)]
    for each in wanted:
        bench.connector.push_order(each, None)
    katana.do("rows", order_no="TT-1", remove=["TEA-50G"], quantities={"MUG-BLUE": 5})
    katana.options(number_style=style)
    found = bench.connector.find_orders([each.key for each in wanted], None)
    (first,) = [each for each in found if each.key == "TT-1"]
    assert [row.quantity for row in first.rows] == [Decimal(5)]
    assert [len(each.rows) for each in found if each.key != "TT-1"] == [2] * (count - 1)


@pytest.mark.parametrize("status", ["NOT_SHIPPED", "PENDING", "READY_FOR_FULFILLMENT"])
def test_an_open_order_is_untouched_whatever_its_kind_of_open_is(
    katana: Any, bench: Any, order: Make, status: str
) -> None:
    """K-62."""
    bench.connector.push_order(order(), None)
    katana.do("order", order_no="TT-5766000000000000001", status=status)
    [found] = bench.connector.find_orders([order().key], None)
    assert found.untouched


@pytest.mark.parametrize(
    ("status", "quantities"),
    [("PACKED", None), ("DELIVERED", None), ("PACKED", {"MUG-BLUE": 1}), ("DELIVERED", {"MUG-BLUE": 1})],
)
def test_an_order_is_touched_as_soon_as_one_unit_of_it_is_packed(
    katana: Any, bench: Any, order: Make, status: str, quantities: Any
) -> None:
    """K-62, K-64: packed goods have left the stock."""
    bench.connector.push_order(order(), None)
    part = {} if quantities is None else {"quantities": quantities}
    katana.do("ship", order_no="TT-5766000000000000001", status=status, **part)
    [found] = bench.connector.find_orders([order().key], None)
    assert not found.untouched


def test_a_status_nobody_knows_counts_as_touched_and_rows_that_cannot_be_read_as_unknown(
    odd: Callable[..., Any], httpserver: HTTPServer, order: Make
) -> None:
    """K-62: new words come; deleting on a guess would put shipped goods back into stock."""
    rows = [{"id": 1, "variant_id": 2, "quantity": 1}, {"id": 2, "variant_id": 3, "quantity": "undefined"}]
    found = {"id": 9, "order_no": order().key.key, "status": "PARTIALLY_PICKED", "sales_order_rows": rows}
    httpserver.expect_request("/sales_orders").respond_with_json({"data": [found]})
    [placed] = odd(httpserver.url_for("/")).connector.find_orders([order().key], None)
    assert not placed.untouched
    assert placed.rows == ()
