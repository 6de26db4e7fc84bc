"""Creating sales orders, and completing them: one order, whatever is lost on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from hub.contract import (
    Address,
    Customer,
    RejectedError,
    SalesOrder,
    TransientError,
)  # fmt: skip

Make = Callable[..., SalesOrder]


def orders_in(katana: Any) -> list[dict[str, Any]]:
    return list(katana.api("GET", "/sales_orders?include_deleted=true")["data"])


@pytest.fixture
def made(katana: Any, order: Make) -> Any:
    """A connector that has already placed an order, so it knows the customer; nothing is counted yet."""
    bench = katana.bench()
    bench.connector.push_order(order("1"), None)
    katana.forget()
    return bench


def test_an_order_with_known_variants_and_customer_is_exactly_one_call(katana: Any, made: Any, order: Make) -> None:
    """K-41, K-47: rows and addresses go along."""
    placed = made.connector.push_order(order("2"), None)
    assert katana.calls() == ["POST /sales_orders"]
    assert (placed.key, placed.number, placed.complete, placed.ours) == ("TT-2", "TT-2", True, True)
    assert placed.total == Decimal("27.74")


def test_a_new_customer_costs_a_look_and_a_create_the_first_time_only(katana: Any, order: Make) -> None:
    """K-37."""
    katana.bench().connector.push_order(order(), None)
    assert katana.calls() == ["GET /customers", "POST /customers", "POST /sales_orders"]


def test_the_strict_gateway_takes_the_whole_body_and_keeps_it(katana: Any, order: Make) -> None:
    """K-41 to K-48: the simulator refuses nulls where the gateway does, and every unknown property."""
    katana.bench().connector.push_order(order("7", note="Leave at the door"), None)
    [row] = orders_in(katana)
    assert row["order_no"] == "TT-7"
    assert row["order_created_date"] == "2026-01-15T08:30:00.000Z"
    assert (row["status"], row["currency"], row["additional_info"]) == ("NOT_SHIPPED", "EUR", "Leave at the door")
    assert (row["ecommerce_order_type"], row["ecommerce_store_name"], row["ecommerce_order_id"]) == (
        "tiktok",
        "7495",
        "7",
    )
    assert {address["entity_type"] for address in row["addresses"]} == {"billing", "shipping"}
    assert [Decimal(line["price_per_unit"]) for line in row["sales_order_rows"]] == [Decimal("12.50"), Decimal("3.99")]


@pytest.mark.parametrize("address", [None, Address(masked=True), Address(country="US", masked=True)])
def test_an_order_is_valid_without_a_buyers_address(katana: Any, order: Make, address: Address | None) -> None:
    """K-47."""
    placed = katana.bench().connector.push_order(order(address=address), None)
    assert placed.complete


def test_the_body_says_number_where_katana_wants_one_and_never_null(
    odd: Callable[..., Any], httpserver: HTTPServer, order: Make
) -> None:
    """K-19, K-43: read off the raw bytes."""
    httpserver.expect_request("/customers", method="GET").respond_with_json(
        {"data": [{"id": 5, "reference_id": "tiktok:7495"}]}
    )
    httpserver.expect_request("/sales_orders").respond_with_json({"id": 9, "total": "27.7400000000", "brand_new": 1})
    placed = odd(httpserver.url_for("")).connector.push_order(order(address=None), None)
    raw = next(request for request, _ in httpserver.log if request.path == "/sales_orders").get_data(as_text=True)
    assert '"price_per_unit": 12.5' in raw
    assert '"total_discount": 1.25' in raw
    assert "null" not in raw
    assert (placed.total, placed.number) == (Decimal("27.74"), "9")


@pytest.mark.parametrize("kind", ["lost_reply", "cut_body", "500", "503"])
def test_an_order_whose_answer_is_lost_may_have_happened_and_is_found_once(
    katana: Any, made: Any, order: Make, kind: str
) -> None:
    """K-03, K-79: there is no idempotency key, so the hub looks before it sends again."""
    katana.fault(kind, "/sales_orders$", "POST")
    with pytest.raises(TransientError) as caught:
        made.connector.push_order(order("2"), None)
    assert caught.value.may_have_happened
    found = made.connector.find_orders([order("2").key], None)
    if kind in ("lost_reply", "cut_body"):
        [existing] = found
        assert made.connector.push_order(order("2"), existing) == existing
    else:
        assert found == []
        made.connector.push_order(order("2"), None)
    assert [row["order_no"] for row in orders_in(katana)].count("TT-2") == 1


def test_an_order_refused_for_the_limit_did_not_happen(katana: Any, made: Any, order: Make) -> None:
    """K-05."""
    katana.fault("429", "/sales_orders$", "POST")
    with pytest.raises(TransientError) as caught:
        made.connector.push_order(order("2"), None)
    assert not caught.value.may_have_happened
    assert caught.value.retry_after_s is not None


@pytest.mark.parametrize(
    "body", ["<html>ok</html>", '"ok"', "{}", '{"id": null}', "", '{"id": 7, "order_no": "TT-6", "total": 1}']
)
def test_a_success_that_does_not_name_the_order_may_have_happened(
    odd: Callable[..., Any], httpserver: HTTPServer, order: Make, body: str
) -> None:
    """K-79."""
    httpserver.expect_request("/customers").respond_with_json({"data": [{"id": 5, "reference_id": "tiktok:7495"}]})
    httpserver.expect_request("/sales_orders").respond_with_data(body)
    with pytest.raises(TransientError) as caught:
        odd(httpserver.url_for("")).connector.push_order(order(), None)
    assert caught.value.may_have_happened


@pytest.mark.parametrize("wrapper", ["wrapped", "bare"])
def test_a_refused_order_carries_katanas_words_in_either_wrapper(
    katana: Any, made: Any, order: Make, wrapper: str
) -> None:
    """K-11, K-14."""
    katana.options(error_wrapper=wrapper)
    with pytest.raises(RejectedError, match="999999 not found") as caught:
        made.connector.push_order(order("2", location_ref="999999"), None)
    assert caught.value.variant_refs == ()
    assert "order TT-2" in caught.value.where


@pytest.mark.parametrize("status", [400, 404, 412, 422])
def test_every_refusal_of_a_write_is_a_rejection(
    odd: Callable[..., Any], httpserver: HTTPServer, order: Make, status: int
) -> None:
    """K-11."""
    httpserver.expect_request("/customers").respond_with_json({"data": [{"id": 5, "reference_id": "tiktok:7495"}]})
    httpserver.expect_request("/sales_orders").respond_with_json({"error": {"message": "No."}}, status=status)
    with pytest.raises(RejectedError, match=r"No\."):
        odd(httpserver.url_for("")).connector.push_order(order(), None)


@pytest.mark.parametrize("state", [{"archived": True}, {"sellable": False}, {"deleted": True}])
def test_a_variant_that_cannot_be_sold_is_named(katana: Any, made: Any, order: Make, state: dict[str, bool]) -> None:
    """K-36."""
    gone = str(katana.seed(variants=[{"sku": "GONE", "price": "1", **state}])["variants"]["GONE"])
    rows = order().rows
    rows = (rows[0], rows[1].model_copy(update={"variant_ref": gone, "sku": "GONE"}))
    with pytest.raises(RejectedError, match="GONE") as caught:
        made.connector.push_order(order("2", rows=rows), None)
    assert caught.value.variant_refs == (gone,)


def test_a_reference_that_is_no_katana_id_is_refused_before_any_write(katana: Any, order: Make) -> None:
    """K-18."""
    rows = (order().rows[0].model_copy(update={"variant_ref": "MUG"}),)
    with pytest.raises(RejectedError, match="is no Katana id") as caught:
        katana.bench().connector.push_order(order(rows=rows), None)
    assert caught.value.variant_refs == ("MUG",)
    assert katana.calls() == []


def test_a_refusal_does_not_repeat_the_buyers_name(
    odd: Callable[..., Any], httpserver: HTTPServer, order: Make
) -> None:
    httpserver.expect_request("/customers").respond_with_json({"data": [{"id": 5, "reference_id": "tiktok:7495"}]})
    words = {"error": {"message": "address of Ann Example, Main St 1, is not served"}}
    httpserver.expect_request("/sales_orders").respond_with_json(words, status=422)
    with pytest.raises(RejectedError) as caught:
        odd(httpserver.url_for("")).connector.push_order(order(), None)
    assert "is not served" in str(caught.value)
    assert not any(word in str(caught.value) for word in ("Ann", "Example", "Main St"))


def test_a_number_that_is_taken_sends_the_hub_to_look_it_up(katana: Any, made: Any, order: Make) -> None:
    """K-45: where duplicates are refused, the refusal says that the order exists, e.g. from a try not yet visible."""
    katana.options(duplicate_order_no="refuse", order_visibility_s="60")
    made.connector.push_order(order("2"), None)
    assert made.connector.find_orders([order("2").key], None) == []
    with pytest.raises(TransientError, match="order-number-taken") as caught:
        made.connector.push_order(order("2"), None)
    assert caught.value.may_have_happened
    katana.control("POST", "clock", {"advance_s": 120})
    assert len(made.connector.find_orders([order("2").key], None)) == 1


def test_where_duplicates_are_allowed_both_are_found_for_the_hub_to_block(katana: Any, made: Any, order: Make) -> None:
    """K-45."""
    katana.options(duplicate_order_no="allow")
    first = made.connector.push_order(order("2"), None)
    second = made.connector.push_order(order("2"), None)
    assert {found.ref for found in made.connector.find_orders([order("2").key], None)} == {first.ref, second.ref}


def test_a_remembered_customer_that_is_gone_is_looked_up_and_the_order_sent_again(
    katana: Any, made: Any, order: Make
) -> None:
    """K-14: the refused try made nothing, so a second one is safe."""
    katana.api("DELETE", f"/customers/{made.memory['customer:tiktok:7495']}")
    katana.forget()
    made.connector.push_order(order("2"), None)
    assert katana.calls() == ["POST /sales_orders", "GET /customers", "POST /customers", "POST /sales_orders"]


def test_a_remembered_tax_rate_of_another_account_is_looked_up_again(katana: Any, made: Any, order: Make) -> None:
    """K-78: rates cannot be deleted, but a key may be changed to another account's."""
    made.memory.set("tax:20", "999999")
    rows = tuple(row.model_copy(update={"tax_rate": Decimal(20)}) for row in order().rows)
    made.connector.push_order(order("2", rows=rows), None)
    assert katana.calls().count("POST /sales_orders") == 2
    assert made.memory["tax:20"] != "999999"


def test_a_customer_found_just_now_is_not_asked_for_twice(
    odd: Callable[..., Any], httpserver: HTTPServer, order: Make
) -> None:
    httpserver.expect_request("/customers").respond_with_json({"data": [{"id": 5, "reference_id": "tiktok:7495"}]})
    httpserver.expect_request("/sales_orders").respond_with_json({"message": "Customer not found"}, status=422)
    with pytest.raises(RejectedError, match="Customer not found"):
        odd(httpserver.url_for("")).connector.push_order(order(), None)
    assert [request.path for request, _ in httpserver.log] == ["/customers", "/sales_orders"]


def test_an_order_with_many_rows_and_digits_balances_to_the_last(
    odd: Callable[..., Any], httpserver: HTTPServer, order: Make
) -> None:
    """K-48: amounts are Decimal from end to end."""
    seen: list[Any] = []

    def keep(request: Request) -> Response:
        seen.append(json.loads(request.get_data(), parse_float=Decimal))
        return Response('{"id": 1}')

    httpserver.expect_request("/customers").respond_with_json({"data": [{"id": 5, "reference_id": "r"}]})
    httpserver.expect_request("/sales_orders").respond_with_handler(keep)
    price = Decimal("0.123456789012345678")
    rows = tuple(order().rows[0].model_copy(update={"price": price, "quantity": Decimal("0.001")}) for _ in range(50))
    wanted = order(rows=rows, customer=Customer(reference="r", name="Shop"))
    odd(httpserver.url_for("")).connector.push_order(wanted, None)
    assert {line["price_per_unit"] for line in seen[0]["sales_order_rows"]} == {price}
