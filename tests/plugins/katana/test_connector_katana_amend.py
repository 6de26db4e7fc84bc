"""Changing a sales order that nobody has packed: only what differs, again and again, and never one that has left."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import simplejson
from pytest_httpserver import HTTPServer

from hub.contract import (
    Address,
    PlacedOrder,
    RejectedError,
    SalesOrder,
    SalesOrderRow,
    ShippingCharge,
    TransientError,
)  # fmt: skip

Make = Callable[..., SalesOrder]
NUMBER = "TT-5766000000000000001"
READ = "GET /sales_orders/{id}"
FEE = ShippingCharge(amount=Decimal("4.90"))


@pytest.fixture
def bench(katana: Any) -> Any:
    return katana.bench()


@pytest.fixture
def placed(katana: Any, bench: Any, order: Make) -> PlacedOrder:
    """The order as it was placed; nothing is counted yet."""
    found: PlacedOrder = bench.connector.push_order(order(), None)
    katana.forget()
    return found


def with_rows(order: SalesOrder, *rows: SalesOrderRow) -> SalesOrder:
    return order.model_copy(update={"rows": rows})


def quantity(row: SalesOrderRow, quantity: str, **more: Any) -> SalesOrderRow:
    return row.model_copy(update={"quantity": Decimal(quantity), **more})


def calls(katana: Any) -> list[str]:
    """The calls, with ids left out."""
    return ["/".join("{id}" if part.isdecimal() else part for part in call.split("/")) for call in katana.calls()]


def rows_in(katana: Any) -> dict[str, tuple[Decimal, Decimal]]:
    """Quantity and price by SKU of the living rows."""
    rows = [row for row in katana.order(NUMBER)["sales_order_rows"] if not row["deleted_at"]]
    assert len({row["sku"] for row in rows}) == len(rows)
    return {row["sku"]: (Decimal(str(row["quantity"])), Decimal(row["price_per_unit"])) for row in rows}


def content(placed: PlacedOrder) -> set[tuple[str, str, Decimal]]:
    return {(row.ref, row.variant_ref, row.quantity) for row in placed.rows}


def truth(katana: Any) -> set[tuple[str, str, Decimal]]:
    rows = [row for row in katana.order(NUMBER)["sales_order_rows"] if not row["deleted_at"]]
    return {(str(row["id"]), str(row["variant_id"]), Decimal(str(row["quantity"]))) for row in rows}


@pytest.mark.parametrize("style", ["mixed", "strings"])
def test_what_is_there_already_costs_no_write(
    katana: Any, bench: Any, placed: PlacedOrder, order: Make, style: str
) -> None:
    """K-19: "12.5000000000" is 12.50."""
    katana.options(number_style=style)
    assert bench.connector.update_order(order(), placed) == placed
    assert calls(katana) == [READ]


def test_a_price_with_ten_decimals_is_recognised(katana: Any, bench: Any, order: Make) -> None:
    """K-19: a third of a net price has no end."""
    mug = order().rows[0].model_copy(update={"price": Decimal("8.3333333333"), "discount": Decimal("0.3333333333")})
    wanted = with_rows(order(), mug)
    placed = bench.connector.push_order(wanted, None)
    katana.forget()
    bench.connector.update_order(wanted, placed)
    assert calls(katana) == [READ]


def test_a_smaller_quantity_is_one_change_of_one_row(katana: Any, bench: Any, placed: PlacedOrder, order: Make) -> None:
    """A partly cancelled order."""
    mug, tea = order().rows
    now = bench.connector.update_order(with_rows(order(), quantity(mug, "1", discount=Decimal("0.625")), tea), placed)
    assert calls(katana) == [READ, "PATCH /sales_order_rows/{id}"]
    assert katana.journal()[1]["body"] == {"quantity": 1, "total_discount": 0.625}
    assert rows_in(katana) == {"MUG-BLUE": (1, Decimal("12.5")), "TEA-50G": (1, Decimal("3.99"))}
    assert content(now) == truth(katana)
    assert (now.ref, now.untouched, now.total) == (placed.ref, True, None)


def test_a_row_that_is_cancelled_is_deleted_and_a_new_one_comes_before_that(
    katana: Any, bench: Any, placed: PlacedOrder, order: Make
) -> None:
    """The order is never without a row, which would be no order any more."""
    mug, tea = order().rows
    bench.connector.update_order(with_rows(order(), mug), placed)
    assert calls(katana) == [READ, "DELETE /sales_order_rows/{id}"]
    katana.forget()
    now = bench.connector.update_order(with_rows(order(), quantity(tea, "4")), placed)
    assert calls(katana) == [READ, "POST /sales_order_rows", "DELETE /sales_order_rows/{id}"]
    assert rows_in(katana) == {"TEA-50G": (4, Decimal("3.99"))}
    assert content(now) == truth(katana)


def test_rows_of_one_variant_are_told_apart_by_their_price(katana: Any, bench: Any, order: Make) -> None:
    """A gift beside a bought one: each keeps its row, whatever order they come in."""
    mug, tea = order().rows
    gift = mug.model_copy(update={"price": Decimal(0), "discount": Decimal(0), "quantity": Decimal(1)})
    placed = bench.connector.push_order(with_rows(order(), mug, gift, tea), None)
    katana.forget()
    bench.connector.update_order(with_rows(order(), tea, gift, quantity(mug, "1")), placed)
    assert calls(katana) == [READ, "PATCH /sales_order_rows/{id}"]
    assert katana.journal()[1]["path"].endswith(f"/{placed.rows[0].ref}")
    assert katana.journal()[1]["body"] == {"quantity": 1}


def test_rows_that_a_person_changed_are_put_right_and_where_they_leave_from_is_left(
    katana: Any, bench: Any, placed: PlacedOrder, order: Make
) -> None:
    katana.seed(locations=[{"name": "West"}])
    katana.do("order", order_no=NUMBER, location="West")
    katana.do("rows", order_no=NUMBER, prices={"MUG-BLUE": 1}, remove=["TEA-50G"])
    katana.forget()
    bench.connector.update_order(order(), placed)
    assert rows_in(katana) == {"MUG-BLUE": (2, Decimal("12.5")), "TEA-50G": (1, Decimal("3.99"))}
    assert calls(katana) == [READ, "PATCH /sales_order_rows/{id}", "POST /sales_order_rows"]
    assert all("location_id" not in (call["body"] or {}) for call in katana.journal())


def test_a_tax_rate_is_changed_where_the_percentage_differs(katana: Any, bench: Any, order: Make) -> None:
    """K-78, and K-88: a row cannot be told to be untaxed, so such a one is replaced."""
    mug, tea = (row.model_copy(update={"tax_rate": Decimal(20)}) for row in order().rows)
    placed = bench.connector.push_order(with_rows(order(), mug, tea), None)
    katana.seed(tax_rates=[{"name": "Reduced", "rate": 9}])
    lower, untaxed = mug.model_copy(update={"tax_rate": Decimal(9)}), tea.model_copy(update={"tax_rate": None})
    katana.forget()
    bench.connector.update_order(with_rows(order(), lower, untaxed), placed)
    assert calls(katana) == [
        READ, "GET /tax_rates", "PATCH /sales_order_rows/{id}", "POST /sales_order_rows",
        "DELETE /sales_order_rows/{id}",
    ]  # fmt: skip
    rates = {row["sku"]: row["tax_rate"] for row in katana.order(NUMBER)["sales_order_rows"] if not row["deleted_at"]}
    assert rates == {"MUG-BLUE": 9, "TEA-50G": None}


# ---- address and fee


MOVED = Address(first_name="Ann", last_name="Example", line_1="Elm St 2", city="Tartu", country="EE")


@pytest.mark.parametrize("inline", ["yes", "no"])
def test_a_new_address_changes_both_records_and_only_their_parts_that_differ(
    katana: Any, bench: Any, placed: PlacedOrder, order: Make, inline: str
) -> None:
    """K-53, K-88: where the answer leaves the addresses out, they are read apart."""
    katana.options(inline_addresses=inline)
    now = bench.connector.update_order(order(address=MOVED), placed)
    apart = [] if inline == "yes" else ["GET /sales_order_addresses"]
    assert calls(katana) == [READ, *apart, *["PATCH /sales_order_addresses/{id}"] * 2]
    assert katana.journal()[-1]["body"] == {"line_1": "Elm St 2", "city": "Tartu"}
    assert now.total == placed.total
    katana.forget()
    bench.connector.update_order(order(address=MOVED), placed)
    assert calls(katana) == [READ, *apart]


def test_a_part_that_the_new_address_lacks_is_cleared(katana: Any, bench: Any, order: Make) -> None:
    """K-88."""
    placed = bench.connector.push_order(order(address=MOVED.model_copy(update={"line_2": "Flat 7"})), None)
    katana.forget()
    bench.connector.update_order(order(address=MOVED), placed)
    assert katana.journal()[-1]["body"] == {"line_2": None}


def test_an_order_without_addresses_is_given_them(katana: Any, bench: Any, order: Make) -> None:
    """Buyer data may come late."""
    placed = bench.connector.push_order(order(address=None), None)
    katana.forget()
    bench.connector.update_order(order(address=MOVED), placed)
    assert calls(katana) == [READ, *["POST /sales_order_addresses"] * 2]
    bench.connector.update_order(order(address=MOVED), placed)
    assert len(calls(katana)) == 4


def test_a_masked_address_never_replaces_the_one_that_is_there(
    katana: Any, bench: Any, placed: PlacedOrder, order: Make
) -> None:
    masked = Address(first_name="A**", line_1="M***", country="EE", masked=True)
    bench.connector.update_order(order(address=masked), placed)
    assert calls(katana) == [READ]


@pytest.mark.parametrize(
    ("before", "after", "call"),
    [
        (None, FEE, "POST /sales_order_shipping_fee"),
        (FEE, FEE.model_copy(update={"amount": Decimal("2.50")}), "PATCH /sales_order_shipping_fee/{id}"),
        (FEE, None, "DELETE /sales_order_shipping_fee/{id}"),
        (FEE, FEE.model_copy(update={"amount": Decimal("4.9")}), None),
    ],
)
def test_a_shipping_fee_follows(
    katana: Any, bench: Any, order: Make, before: Any, after: Any, call: str | None
) -> None:
    """K-21, K-81."""
    placed = bench.connector.push_order(order(shipping=before), None)
    katana.forget()
    for _ in range(2):
        bench.connector.update_order(order(shipping=after), placed)
    assert calls(katana) == [READ, *([call] if call else []), READ]
    fees = katana.api("GET", "/sales_order_shipping_fee")["data"]
    assert [Decimal(fee["amount"]) for fee in fees] == ([after.amount] if after else [])


# ---- what has left


@pytest.mark.parametrize("status", ["PACKED", "DELIVERED"])
@pytest.mark.parametrize("quantities", [{"MUG-BLUE": 1}, {"MUG-BLUE": 2, "TEA-50G": 1}])
def test_an_order_of_which_anything_is_packed_is_refused_and_left(
    katana: Any, bench: Any, placed: PlacedOrder, order: Make, status: str, quantities: Any
) -> None:
    """K-65."""
    katana.do("ship", order_no=NUMBER, status=status, quantities=quantities)
    with pytest.raises(RejectedError) as caught:
        bench.connector.update_order(with_rows(order(), order().rows[0]), placed)
    assert caught.value.code == "order-packed"
    assert calls(katana) == [READ]
    assert bench.connector.update_order(order(), placed).untouched is False


def test_an_order_packed_between_reading_and_writing_is_refused_as_packed(
    katana: Any, bench: Any, placed: PlacedOrder, order: Make
) -> None:
    """K-65: Katana refuses the row; why, only another reading tells."""
    change, packed = bench.connector._amendments._client.change, []

    def pack_first(*given: Any, **more: Any) -> Any:
        packed.append(katana.do("ship", order_no=NUMBER, status="PACKED"))
        return change(*given, **more)

    bench.connector._amendments._client.change = pack_first
    with pytest.raises(RejectedError) as caught:
        bench.connector.update_order(with_rows(order(), quantity(order().rows[0], "1")), placed)
    assert caught.value.code == "order-packed"
    assert packed


def test_an_order_that_was_deleted_is_refused_and_not_made_again(
    katana: Any, bench: Any, placed: PlacedOrder, order: Make
) -> None:
    katana.do("delete", order_no=NUMBER)
    with pytest.raises(RejectedError) as caught:
        bench.connector.update_order(order(), placed)
    assert caught.value.code == "deleted-in-erp"
    assert calls(katana) == [READ]


def test_a_variant_that_katana_refuses_is_named(katana: Any, bench: Any, placed: PlacedOrder, order: Make) -> None:
    """K-36."""
    old = katana.seed(variants=[{"sku": "OLD", "name": "Old", "price": "1", "archived": True}])["variants"]["OLD"]
    row = order().rows[0].model_copy(update={"variant_ref": str(old), "sku": "OLD"})
    with pytest.raises(RejectedError) as caught:
        bench.connector.update_order(with_rows(order(), row), placed)
    assert (caught.value.code, caught.value.variant_refs) == ("variant-refused", (str(old),))
    assert "OLD" in caught.value.what


# ---- partial failure


@pytest.mark.parametrize("kind", ["lost_reply", "drop", "503", "429", "cut_body"])
@pytest.mark.parametrize("match", ["PATCH /sales_order_rows", "POST /sales_order_rows", "DELETE /sales_order_rows"])
def test_a_change_that_breaks_off_anywhere_ends_right_when_it_is_called_again(
    katana: Any, bench: Any, placed: PlacedOrder, order: Make, kind: str, match: str
) -> None:
    """Whatever was done and not heard of is found there; nothing is done twice."""
    made = katana.seed(variants=[{"sku": "CUP", "name": "Cup", "price": "1"}])["variants"]["CUP"]
    cup = order().rows[1].model_copy(update={"variant_ref": str(made), "sku": "CUP"})
    wanted = with_rows(order(), quantity(order().rows[0], "7"), cup)
    method, _, path = match.partition(" ")
    katana.fault(kind, f"{path}(/|$)", method)
    if method == "DELETE" and kind == "cut_body":
        now = bench.connector.update_order(wanted, placed)  # there is no body to miss
    else:
        with pytest.raises(TransientError) as caught:
            bench.connector.update_order(wanted, placed)
        assert caught.value.may_have_happened or (kind == "429" and method == "PATCH")
        now = bench.connector.update_order(wanted, placed)
    assert rows_in(katana) == {"MUG-BLUE": (7, Decimal("12.5")), "CUP": (1, Decimal("3.99"))}
    assert content(now) == truth(katana)
    katana.forget()
    bench.connector.update_order(wanted, placed)
    assert calls(katana) == [READ]


def test_no_buyer_is_named_when_an_address_is_refused(
    odd: Callable[..., Any], httpserver: HTTPServer, order: Make
) -> None:
    """Katana may repeat what it was sent."""
    row = {"id": 9, "order_no": NUMBER, "status": "NOT_SHIPPED", "addresses": [], "sales_order_rows": []}
    rows = [
        {
            "id": number,
            "variant_id": int(each.variant_ref),
            "quantity": each.quantity,
            "price_per_unit": str(each.price),
            "total_discount": str(each.discount),
        }
        for number, each in enumerate(order().rows, start=1)
    ]
    body = simplejson.dumps(row | {"sales_order_rows": rows}, use_decimal=True)
    httpserver.expect_request("/sales_orders/9").respond_with_data(body)
    refusal = {"error": {"message": "Ann Example of Elm St 2 is not served"}}
    httpserver.expect_request("/sales_order_addresses").respond_with_json(refusal, status=422)
    placed = PlacedOrder(key=NUMBER, ref="9", number=NUMBER)
    with pytest.raises(RejectedError) as caught:
        odd(httpserver.url_for("/")).connector.update_order(order(address=MOVED), placed)
    assert "is not served" in caught.value.what
    assert not any(word in str(caught.value) for word in ("Ann", "Example", "Elm"))
