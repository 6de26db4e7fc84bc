"""The shipping fee beside an order: a call of its own, added once whatever is lost."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from hub.contract import PlacedOrder, RejectedError, SalesOrder, ShippingCharge, TransientError

Make = Callable[..., SalesOrder]
FEE = ShippingCharge(amount=Decimal("4.90"), description="Standard shipping")


def orders_in(katana: Any) -> list[dict[str, Any]]:
    return list(katana.api("GET", "/sales_orders?include_deleted=true")["data"])


def fees_in(katana: Any) -> list[dict[str, Any]]:
    return list(katana.api("GET", "/sales_order_shipping_fee")["data"])


@pytest.fixture
def made(katana: Any, order: Make) -> Any:
    """A connector that has already placed an order, so it knows the customer; nothing is counted yet."""
    bench = katana.bench()
    bench.connector.push_order(order("1"), None)
    katana.forget()
    return bench


def test_a_shipping_fee_is_one_call_more_and_goes_as_text(katana: Any, made: Any, order: Make) -> None:
    """K-21, K-67."""
    placed = made.connector.push_order(order("2", shipping=FEE), None)
    assert katana.calls() == ["POST /sales_orders", "POST /sales_order_shipping_fee"]
    assert katana.journal()[1]["body"] == {
        "sales_order_id": int(placed.ref), "amount": "4.90", "description": "Standard shipping",
    }  # fmt: skip
    assert placed.complete


@pytest.mark.parametrize("kind", ["lost_reply", "drop", "429", "503", "cut_body"])
def test_a_lost_fee_says_that_the_order_may_exist_and_is_added_once(
    katana: Any, made: Any, order: Make, kind: str
) -> None:
    """K-67: an order of its own is never made for a fee, and no second fee either."""
    katana.options(second_shipping_fee="allow")
    katana.fault(kind, "/sales_order_shipping_fee$", "POST")
    wanted = order("2", shipping=FEE)
    with pytest.raises(TransientError) as caught:
        made.connector.push_order(wanted, None)
    assert caught.value.may_have_happened
    [existing] = made.connector.find_orders([wanted.key], None)
    katana.forget()
    assert made.connector.push_order(wanted, existing).complete
    assert "POST /sales_orders" not in katana.calls()
    assert [Decimal(fee["amount"]) for fee in fees_in(katana)] == [Decimal("4.90")]
    assert [row["order_no"] for row in orders_in(katana)].count("TT-2") == 1


def test_a_fee_that_is_there_already_is_looked_up_and_not_added_again(katana: Any, made: Any, order: Make) -> None:
    """K-67."""
    wanted = order("2", shipping=FEE)
    placed = made.connector.push_order(wanted, None)
    katana.forget()
    assert made.connector.push_order(wanted, placed) == placed
    assert katana.calls() == ["GET /sales_order_shipping_fee"]


def test_a_refused_fee_leaves_the_order_incomplete_and_says_why_when_it_is_completed(
    odd: Callable[..., Any], httpserver: HTTPServer, order: Make
) -> None:
    """K-67: the order is made, so refusing it as a whole would hide that its fee is missing."""
    httpserver.expect_request("/customers").respond_with_json({"data": [{"id": 5, "reference_id": "tiktok:7495"}]})
    httpserver.expect_request("/sales_orders").respond_with_json({"id": 9, "order_no": "TT-2"})
    httpserver.expect_request("/sales_order_shipping_fee", method="GET").respond_with_json({"data": []})
    httpserver.expect_request("/sales_order_shipping_fee").respond_with_json({"message": "No fees here"}, status=422)
    made, wanted = odd(httpserver.url_for("")), order("2", shipping=FEE)
    placed = made.connector.push_order(wanted, None)
    assert (placed.ref, placed.complete) == ("9", False)
    with pytest.raises(RejectedError, match="sales order TT-2 is made, but without its shipping fee: No fees here"):
        made.connector.push_order(wanted, placed)


def test_a_fee_refused_for_a_tax_rate_of_another_account_mends_itself(katana: Any, made: Any, order: Make) -> None:
    """K-78: rates cannot be deleted, but a key may be changed to another account's."""
    made.memory.set("tax:20", "999999")
    wanted = order("2", shipping=FEE.model_copy(update={"tax_rate": Decimal(20)}))
    placed = made.connector.push_order(wanted, None)
    assert not placed.complete
    assert made.connector.push_order(wanted, placed).complete
    assert len(fees_in(katana)) == 1


def test_a_key_revoked_before_the_fee_does_not_lose_the_order(
    odd: Callable[..., Any], httpserver: HTTPServer, order: Make
) -> None:
    """K-01: the hub gets the order back as incomplete and comes again for the fee."""
    httpserver.expect_request("/customers").respond_with_json({"data": [{"id": 5, "reference_id": "tiktok:7495"}]})
    httpserver.expect_request("/sales_orders").respond_with_json({"id": 9})
    httpserver.expect_request("/sales_order_shipping_fee").respond_with_json({}, status=401)
    placed = odd(httpserver.url_for("")).connector.push_order(order(shipping=FEE), None)
    assert (placed.ref, placed.complete) == ("9", False)


@pytest.mark.parametrize("shown", [None, {"id": 3, "amount": "4.9000000000"}])
def test_where_the_fees_filter_is_ignored_the_order_itself_is_asked(
    odd: Callable[..., Any], httpserver: HTTPServer, order: Make, shown: Any
) -> None:
    """K-23, K-81: fees of other orders prove nothing."""
    others = {"data": [{"id": 1, "sales_order_id": 1, "amount": "1"}]}
    pages = {"X-Pagination": '{"total_pages": "40", "total_records": "10000"}'}
    httpserver.expect_request("/sales_order_shipping_fee", method="GET").respond_with_json(others, headers=pages)
    httpserver.expect_request("/sales_order_shipping_fee", method="POST").respond_with_json({"id": 8, "amount": 4.9})
    httpserver.expect_request("/sales_orders/9").respond_with_json({"id": 9, "shipping_fee": shown})
    wanted = order(shipping=FEE)
    existing = PlacedOrder(key=wanted.key.key, ref="9", number="TT")
    assert odd(httpserver.url_for("")).connector.push_order(wanted, existing).complete
    posts = [request for request, _ in httpserver.log if request.method == "POST"]
    assert len(posts) == (0 if shown else 1)


@pytest.mark.parametrize("changes", [{"ours": False}, {"deleted": True}])
def test_an_order_that_another_tool_made_or_that_is_deleted_is_left_as_it_is(
    katana: Any, made: Any, order: Make, changes: dict[str, bool]
) -> None:
    existing = PlacedOrder(key="TT-2", ref="77", number="SO-1", complete=False, **changes)
    returned = made.connector.push_order(order("2", shipping=FEE), existing)
    assert returned == existing.model_copy(update={"complete": True})
    assert katana.calls() == []
