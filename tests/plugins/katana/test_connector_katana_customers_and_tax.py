"""What an order needs before it can be sent: its customer and its tax rates, each made at most once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from hub.contract import Customer, RejectedError, SalesOrder, ShippingCharge, TransientError

Make = Callable[..., SalesOrder]


def taxed(order: Make, number: str, *rates: str | None, **changes: Any) -> SalesOrder:
    rows = [order().rows[0].model_copy(update={"tax_rate": None if rate is None else Decimal(rate)}) for rate in rates]
    return order(number, rows=tuple(rows), **changes)


def test_a_customer_is_found_by_reference_and_not_made_again(katana: Any, order: Make) -> None:
    """K-37."""
    known = katana.seed(customers=[{"name": "Someone", "reference_id": "tiktok:7495"}])["customers"]["Someone"]
    katana.bench().connector.push_order(order(), None)
    assert katana.calls() == ["GET /customers", "POST /sales_orders"]
    assert katana.journal()[1]["body"]["customer_id"] == known


def test_a_customer_carries_the_reference_and_no_empty_text(katana: Any, order: Make) -> None:
    """K-38."""
    buyer = Customer(reference="tiktok:7495:b1", name="Ann Example", first_name="Ann", last_name="", email=None)
    katana.bench().connector.push_order(order(customer=buyer), None)
    assert katana.journal()[1]["body"] == {
        "name": "Ann Example", "first_name": "Ann", "reference_id": "tiktok:7495:b1",
    }  # fmt: skip


def test_a_remembered_customer_outlives_the_connector_and_a_lost_memory_is_survived(katana: Any, order: Make) -> None:
    first = katana.bench()
    first.connector.push_order(order("1"), None)
    katana.forget()
    again = katana.bench(memory=first.memory)
    again.connector.push_order(order("2"), None)
    again.memory.clear()
    again.connector.push_order(order("3"), None)
    assert katana.calls() == ["POST /sales_orders", "GET /customers", "POST /sales_orders"]
    assert len({call["body"]["customer_id"] for call in katana.journal() if call["body"]}) == 1


def test_of_two_customers_with_one_reference_the_oldest_is_taken(katana: Any, order: Make) -> None:
    """K-39: nothing says that they are unique."""
    twice = [{"name": "First", "reference_id": "tiktok:7495"}, {"name": "Second", "reference_id": "tiktok:7495"}]
    ids = katana.seed(customers=twice)["customers"]
    katana.bench().connector.push_order(order(), None)
    assert katana.journal()[1]["body"]["customer_id"] == ids["First"]


def test_where_the_customer_filter_is_ignored_nobody_elses_customer_is_taken(
    odd: Callable[..., Any], httpserver: HTTPServer, order: Make
) -> None:
    """K-23."""
    pages = {"X-Pagination": '{"total_pages": "40", "total_records": "10000"}'}
    others = {"data": [{"id": 1, "reference_id": None}, {"id": 2, "reference_id": "other"}]}
    httpserver.expect_request("/customers", method="GET").respond_with_json(others, headers=pages)
    httpserver.expect_request("/customers", method="POST").respond_with_json({"id": 3})
    httpserver.expect_request("/sales_orders").respond_with_json({"id": 9})
    made = odd(httpserver.url_for(""))
    made.connector.push_order(order(), None)
    assert [f"{request.method} {request.path}" for request, _ in httpserver.log] == [
        "GET /customers", "POST /customers", "POST /sales_orders",
    ]  # fmt: skip
    assert made.log.events == [("filter-ignored", {"path": "/customers", "filter": "reference_id"})]


@pytest.mark.parametrize("kind", ["lost_reply", "cut_body", "503"])
def test_a_lost_customer_means_that_the_order_was_not_sent_and_makes_no_second_one(
    katana: Any, order: Make, kind: str
) -> None:
    """K-79, for a step before the order."""
    made = katana.bench()
    katana.fault(kind, "/customers$", "POST")
    with pytest.raises(TransientError) as caught:
        made.connector.push_order(order(), None)
    assert not caught.value.may_have_happened
    made.connector.push_order(order(), None)
    assert len(katana.api("GET", "/customers?reference_id=tiktok:7495")["data"]) == 1


def test_a_refused_customer_blocks_its_order_without_naming_the_buyer(
    odd: Callable[..., Any], httpserver: HTTPServer, order: Make
) -> None:
    httpserver.expect_request("/customers", method="GET").respond_with_json({"data": []})
    words = {"error": {"message": "ann@example.com is not an email"}}
    httpserver.expect_request("/customers", method="POST").respond_with_json(words, status=422)
    buyer = Customer(reference="b", name="Ann", email="ann@example.com")
    with pytest.raises(RejectedError, match="is not an email") as caught:
        odd(httpserver.url_for("")).connector.push_order(order(customer=buyer), None)
    assert "ann@" not in str(caught.value)


def test_orders_of_one_new_customer_at_once_make_one_customer(katana: Any, order: Make) -> None:
    """Four calls may be in flight; two orders of one buyer must not make two customers."""
    katana.options(latency_ms="30")
    made = katana.bench()
    with ThreadPoolExecutor(8) as pool:
        placed = list(pool.map(lambda number: made.connector.push_order(order(str(number)), None), range(8)))
    assert len({each.ref for each in placed}) == 8
    assert katana.calls().count("POST /customers") == 1


def test_tax_rates_are_found_by_percentage_and_remembered(katana: Any, order: Make) -> None:
    """K-78: 20 and 20.0 are one rate."""
    made = katana.bench()
    made.connector.push_order(taxed(order, "1", "20", "20.00", None), None)
    assert katana.calls().count("GET /tax_rates") == 1
    [first, second, untaxed] = katana.journal()[-1]["body"]["sales_order_rows"]
    assert first["tax_rate_id"] == second["tax_rate_id"]
    assert "tax_rate_id" not in untaxed
    katana.forget()
    made.connector.push_order(taxed(order, "2", "20.0"), None)
    assert katana.calls() == ["POST /sales_orders"]


def test_a_rate_that_katana_lacks_blocks_the_order_and_names_it(katana: Any, order: Make) -> None:
    """K-78: rates are made only where that is switched on."""
    with pytest.raises(RejectedError, match=r"no tax rate of 8\.875 %") as caught:
        katana.bench().connector.push_order(taxed(order, "1", "8.8750"), None)
    assert caught.value.code == "tax-rate-missing"
    assert "8.875 %" in caught.value.do
    assert katana.calls() == ["GET /tax_rates"]


def test_a_missing_rate_is_made_where_that_is_switched_on(katana: Any, order: Make) -> None:
    """K-78."""
    placed = katana.bench().connector.push_order(taxed(order, "1", "8.875", create_tax_rates=True), None)
    assert placed.total is not None
    assert [row["rate"] for row in katana.api("GET", "/tax_rates")["data"]] == [8.875, 20]


def test_a_rate_beyond_what_katana_takes_blocks_the_order(katana: Any, order: Make) -> None:
    """K-84."""
    with pytest.raises(RejectedError, match="1000 %"):
        katana.bench().connector.push_order(taxed(order, "1", "1000", create_tax_rates=True), None)
    assert "POST /tax_rates" not in katana.calls()


@pytest.mark.parametrize("kind", ["lost_reply", "cut_body", "503"])
def test_a_lost_rate_means_that_the_order_was_not_sent_and_makes_no_second_one(
    katana: Any, order: Make, kind: str
) -> None:
    """K-79: before it is made again the list is read again."""
    made = katana.bench()
    wanted = taxed(order, "1", "5.5", create_tax_rates=True)
    katana.fault(kind, "/tax_rates$", "POST")
    with pytest.raises(TransientError) as caught:
        made.connector.push_order(wanted, None)
    assert not caught.value.may_have_happened
    made.connector.push_order(wanted, None)
    assert len(katana.api("GET", "/tax_rates?rate=5.5")["data"]) == 1


def test_orders_with_one_new_rate_at_once_make_one_rate(katana: Any, order: Make) -> None:
    katana.options(latency_ms="30")
    made = katana.bench()
    orders = [taxed(order, str(number), "7", create_tax_rates=True) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda each: made.connector.push_order(each, None), orders))
    assert katana.calls().count("POST /tax_rates") == 1


def test_of_two_equal_rates_the_default_for_sales_is_taken(katana: Any, order: Make) -> None:
    """K-78: nothing says that rates are unique."""
    rates = [{"name": "A", "rate": 7}, {"name": "B", "rate": 7, "is_default_sales": True}]
    ids = katana.seed(tax_rates=rates)["tax_rates"]
    katana.bench().connector.push_order(taxed(order, "1", "7"), None)
    assert katana.journal()[-1]["body"]["sales_order_rows"][0]["tax_rate_id"] == ids["B"]


def test_an_untaxed_row_can_name_the_zero_rate_where_katana_would_fill_in_the_default(katana: Any, order: Make) -> None:
    """K-50: UNCERTAIN, so a setting."""
    katana.options(default_tax="default_rate")
    katana.seed(tax_rates=[{"name": "Default", "rate": 10, "is_default_sales": True}, {"name": "Zero", "rate": 0}])
    plain = katana.bench().connector.push_order(order("1"), None)
    exact = katana.bench(untaxed="zero_rate").connector.push_order(order("2"), None)
    assert (plain.total, exact.total) == (Decimal("30.514"), Decimal("27.74"))


def test_a_shipping_fee_names_its_tax_rate_and_a_missing_one_stops_the_order_before_it_is_sent(
    katana: Any, order: Make
) -> None:
    """K-67, K-78."""
    fee = ShippingCharge(amount=Decimal(5), tax_rate=Decimal(20))
    katana.bench().connector.push_order(order("1", shipping=fee), None)
    assert katana.journal()[-1]["body"]["tax_rate_id"] > 0
    katana.forget()
    with pytest.raises(RejectedError, match="no tax rate of 3 %"):
        katana.bench().connector.push_order(order("2", shipping=fee.model_copy(update={"tax_rate": Decimal(3)})), None)
    assert katana.calls() == ["GET /tax_rates"]
