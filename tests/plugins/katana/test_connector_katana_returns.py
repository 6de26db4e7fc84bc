"""Booking returned goods in: once under one key, completed where it broke off, and never more than was shipped."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from hub.contract import PlacedOrder, RejectedError, SalesOrder, SalesReturn, TransientError

Make = Callable[..., SalesOrder]
NUMBER = "TT-5766000000000000001"
FIND = ["GET /sales_returns", "GET /sales_order_fulfillments", "GET /sales_orders/{id}/returnable_items"]


@pytest.fixture
def bench(katana: Any) -> Any:
    return katana.bench()


@pytest.fixture
def placed(katana: Any, bench: Any, order: Make) -> PlacedOrder:
    """Two mugs, shipped one by one, and a tea; a place for returns; nothing is counted yet."""
    katana.seed(locations=[{"name": "Returns"}])
    found: PlacedOrder = bench.connector.push_order(order(), None)
    katana.do("stock", sku="MUG-BLUE", quantity=10)
    katana.do("ship", order_no=NUMBER, quantities={"MUG-BLUE": 1})
    katana.do("ship", order_no=NUMBER, quantities={"MUG-BLUE": 1, "TEA-50G": 1})
    katana.forget()
    return found


@pytest.fixture
def back(katana: Any, placed: PlacedOrder) -> Callable[..., SalesReturn]:
    """Makes a return of so many mugs and teas."""
    places = {row["name"]: row["id"] for row in katana.api("GET", "/locations")["data"]}
    katana.forget()

    def make(mugs: int = 2, teas: int = 0, **more: Any) -> SalesReturn:
        wanted = {placed.rows[0].ref: Decimal(mugs), placed.rows[1].ref: Decimal(teas)}
        rows = {ref: count for ref, count in wanted.items() if count}
        given = {"key": "R-1", "order_ref": placed.ref, "location_ref": str(places["Returns"]), "rows": rows}
        return SalesReturn(**(given | more))

    return make


def calls(katana: Any) -> list[str]:
    return ["/".join("{id}" if part.isdecimal() else part for part in call.split("/")) for call in katana.calls()]


def state(katana: Any) -> tuple[list[Any], list[Any]]:
    heads = katana.api("GET", "/sales_returns")["data"]
    rows = katana.api("GET", "/sales_return_rows")["data"]
    return heads, rows


def stock_of_returns(katana: Any, sku: str) -> Decimal:
    return Decimal(str(katana.do("stock", sku=sku, location="Returns", change=0)["in_stock"]))


def test_a_return_is_booked_with_its_rows_and_back_into_stock_where_it_came_in(
    katana: Any, bench: Any, back: Callable[..., SalesReturn]
) -> None:
    """K-90: the two mugs came out of two fulfillments."""
    ref = bench.connector.push_return(back(2, 1, tracking_number="RT1", carrier="UPS", note="n" * 300))
    assert calls(katana) == [
        *FIND,
        "POST /sales_returns",
        *["POST /sales_return_rows"] * 3,
        "PATCH /sales_returns/{id}",
    ]
    [head], rows = state(katana)
    assert (str(head["id"]), head["order_no"], head["status"]) == (ref, "R-1", "RESTOCKED_ALL")
    assert (head["tracking_number"], len(head["additional_info"])) == ("RT1", 255)
    assert sorted(Decimal(row["quantity"]) for row in rows) == [1, 1, 1]
    assert (stock_of_returns(katana, "MUG-BLUE"), stock_of_returns(katana, "TEA-50G")) == (2, 1)


def test_a_return_that_is_there_is_found_in_one_call_and_not_made_again(
    katana: Any, bench: Any, back: Callable[..., SalesReturn]
) -> None:
    """K-90: the filter by the return's number works."""
    ref = bench.connector.push_return(back())
    katana.forget()
    assert bench.connector.push_return(back()) == ref
    assert calls(katana) == ["GET /sales_returns"]


def test_goods_that_shall_not_be_sold_again_are_not_put_back_into_stock(
    katana: Any, bench: Any, back: Callable[..., SalesReturn]
) -> None:
    for _ in range(2):
        bench.connector.push_return(back(restock=False))
    [head], rows = state(katana)
    assert head["status"] == "NOT_RETURNED"
    assert len(rows) == 2
    assert stock_of_returns(katana, "MUG-BLUE") == 0


@pytest.mark.parametrize("kind", ["lost_reply", "drop", "503", "429", "cut_body"])
@pytest.mark.parametrize(
    ("match", "method"), [("/sales_returns$", "POST"), ("/sales_return_rows$", "POST"), ("/sales_returns/", "PATCH")]
)
def test_a_return_that_breaks_off_anywhere_is_completed_and_never_doubled(
    katana: Any, bench: Any, back: Callable[..., SalesReturn], kind: str, match: str, method: str
) -> None:
    katana.fault(kind, match, method)
    with pytest.raises(TransientError) as caught:
        bench.connector.push_return(back(2, 1))
    assert caught.value.may_have_happened is (kind != "429" or "rows" in match or method == "PATCH")
    bench.connector.push_return(back(2, 1))
    [head], rows = state(katana)
    assert head["status"] == "RESTOCKED_ALL"
    assert sum(Decimal(row["quantity"]) for row in rows) == 3
    assert (stock_of_returns(katana, "MUG-BLUE"), stock_of_returns(katana, "TEA-50G")) == (2, 1)


def test_more_than_was_shipped_is_refused_with_the_row_and_what_can_come_back(
    katana: Any, bench: Any, placed: PlacedOrder, back: Callable[..., SalesReturn]
) -> None:
    """Nothing is written then."""
    bench.connector.push_return(back(1, key="R-0"))
    katana.forget()
    with pytest.raises(RejectedError) as caught:
        bench.connector.push_return(back(2))
    assert caught.value.code == "not-returnable"
    assert f"row {placed.rows[0].ref} " in caught.value.what
    assert "2 shall come back, but only 1 can" in caught.value.what
    assert calls(katana) == FIND


def test_an_order_that_was_never_shipped_or_is_gone_gives_nothing_back(
    katana: Any, bench: Any, back: Callable[..., SalesReturn]
) -> None:
    katana.do("unship", order_no=NUMBER)
    with pytest.raises(RejectedError) as caught:
        bench.connector.push_return(back())
    assert "only 0 can" in caught.value.what
    katana.do("delete", order_no=NUMBER)
    with pytest.raises(RejectedError) as caught:
        bench.connector.push_return(back())
    assert caught.value.code == "not-returnable"


def test_what_katana_refuses_is_told_with_the_number_of_the_return(
    katana: Any, bench: Any, back: Callable[..., SalesReturn]
) -> None:
    with pytest.raises(RejectedError) as caught:
        bench.connector.push_return(back(location_ref="999999"))
    assert caught.value.code == "return-refused"
    assert "R-1" in caught.value.what
    with pytest.raises(RejectedError) as caught:
        bench.connector.push_return(back(location_ref="Returns"))
    assert caught.value.code == "reference-invalid"


def test_goods_go_back_into_stock_by_way_of_returned_where_katana_wants_each_step(
    katana: Any, bench: Any, back: Callable[..., SalesReturn]
) -> None:
    """K-90, sheet 7: three statuses, and nobody says that one may be left out."""
    katana.options(return_steps="in_turn")
    bench.connector.push_return(back(2))
    [head], _ = state(katana)
    assert (head["status"], stock_of_returns(katana, "MUG-BLUE")) == ("RESTOCKED_ALL", 2)
