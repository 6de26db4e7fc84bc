"""Deleting a sales order: only one that nobody has packed, since Katana would take any and put its goods back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.contract import RejectedError, SalesOrder, TransientError

Make = Callable[..., SalesOrder]
NUMBER = "TT-5766000000000000001"


@pytest.fixture
def bench(katana: Any) -> Any:
    return katana.bench()


@pytest.fixture
def ref(katana: Any, bench: Any, order: Make) -> str:
    """The id of the order as it was placed; nothing is counted yet."""
    placed = bench.connector.push_order(order(), None)
    katana.forget()
    return str(placed.ref)


def is_deleted(katana: Any) -> bool:
    return bool(katana.order(NUMBER)["deleted_at"])


@pytest.mark.parametrize("status", ["NOT_SHIPPED", "PENDING", "READY_FOR_FULFILLMENT"])
@pytest.mark.parametrize("answer", ["204", "200"])
def test_an_open_order_is_deleted_in_two_calls(katana: Any, bench: Any, ref: str, status: str, answer: str) -> None:
    """K-16, K-62."""
    katana.options(delete_status=answer)
    katana.do("order", order_no=NUMBER, status=status)
    bench.connector.cancel_order(ref, None)
    assert katana.calls() == [f"GET /sales_orders/{ref}", f"DELETE /sales_orders/{ref}"]
    assert is_deleted(katana)


def test_an_order_that_is_gone_is_fine_and_not_deleted_again(katana: Any, bench: Any, ref: str) -> None:
    """K-55."""
    katana.do("delete", order_no=NUMBER)
    bench.connector.cancel_order(ref, "buyer")
    bench.connector.cancel_order("999999", "buyer")
    assert katana.calls() == [f"GET /sales_orders/{ref}", "GET /sales_orders/999999"]


@pytest.mark.parametrize("status", ["PACKED", "DELIVERED"])
@pytest.mark.parametrize("part", [{}, {"quantities": {"MUG-BLUE": 1}}])
def test_an_order_of_which_anything_is_packed_is_never_deleted(
    katana: Any, bench: Any, ref: str, status: str, part: Any
) -> None:
    """K-64: the goods are on their way; Katana would count them as in stock again."""
    katana.do("ship", order_no=NUMBER, status=status, **part)
    with pytest.raises(RejectedError) as caught:
        bench.connector.cancel_order(ref, None)
    assert caught.value.code == "order-packed"
    assert status.lower() in caught.value.what
    assert NUMBER in caught.value.what
    assert katana.calls() == [f"GET /sales_orders/{ref}"]
    assert not is_deleted(katana)


@pytest.mark.parametrize("status", ["412", "422"])
def test_an_order_that_katana_will_not_delete_says_why(katana: Any, bench: Any, ref: str, status: str) -> None:
    """K-89: an invoice hangs on it."""
    katana.options(invoiced_delete=status)
    katana.do("invoice", order_no=NUMBER)
    with pytest.raises(RejectedError) as caught:
        bench.connector.cancel_order(ref, None)
    assert caught.value.code == "cancel-refused"
    assert "invoice" in caught.value.what
    assert not is_deleted(katana)


@pytest.mark.parametrize("kind", ["lost_reply", "drop", "503", "429"])
def test_a_deletion_whose_answer_is_lost_may_be_called_again(katana: Any, bench: Any, ref: str, kind: str) -> None:
    katana.fault(kind, "/sales_orders/", "DELETE")
    with pytest.raises(TransientError) as caught:
        bench.connector.cancel_order(ref, None)
    assert caught.value.may_have_happened is (kind != "429")
    bench.connector.cancel_order(ref, None)
    assert is_deleted(katana)


def test_a_reference_that_is_none_of_katanas_is_refused_before_any_call(katana: Any, bench: Any) -> None:
    """K-18."""
    with pytest.raises(RejectedError) as caught:
        bench.connector.cancel_order("TT-1", None)
    assert caught.value.code == "reference-invalid"
    assert katana.calls() == []
