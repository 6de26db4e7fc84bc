"""The search calls of the simulated account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.katana.katana_account import Account, opened


@pytest.fixture
def account() -> Iterator[Account]:
    with opened() as running:
        yield running


def found(account: Account, where: dict[str, Any], **more: Any) -> list[str]:
    answer = account.post("/v1/sales_orders/search", json={"filter": where, **more})
    assert answer.status_code == 200, answer.text
    return [row["order_no"] for row in answer.json()["data"]]


@pytest.mark.parametrize(
    ("shape", "nested", "flat"), [("both", 200, 200), ("nested", 200, 422), ("flat", 422, 200), ("none", 404, 404)]
)
def test_the_search_body_takes_the_shapes_of_its_switch(account: Account, shape: str, nested: int, flat: int) -> None:
    """K-57"""
    account.order(order_no="A")
    account.sim("options", search_shape=shape)
    bodies = [{"filter": {"where": {"order_no": "A"}, "limit": 10}}, {"filter": {"order_no": "A"}, "limit": 10}]
    answers = [account.post("/v1/sales_orders/search", json=body) for body in bodies]
    assert [answer.status_code for answer in answers] == [nested, flat]
    assert {len(answer.json()["data"]) for answer in answers if answer.status_code == 200} <= {1}


@pytest.mark.parametrize(
    ("where", "numbers"),
    [
        ({"order_no": {"inq": ["A1", "C3", "Z"]}}, ["C3", "A1"]),
        ({"order_no": {"nin": ["A1"]}}, ["C3", "b2"]),
        ({"order_no": {"neq": "A1"}}, ["C3", "b2"]),
        ({"order_no": {"like": "B%"}}, []),
        ({"order_no": {"ilike": "B_"}}, ["b2"]),
        ({"id": {"between": [1_700_001, 1_700_002]}}, ["b2", "A1"]),
        ({"id": {"gt": 1_700_001, "lt": 1_700_003}}, ["b2"]),
        ({"or": [{"order_no": "A1"}, {"and": [{"order_no": "C3"}, {"status": "NOT_SHIPPED"}]}]}, ["C3", "A1"]),
        ({"customer_ref": None}, ["C3", "b2", "A1"]),
        ({"created_at": {"gte": "2999-01-01T00:00:00Z"}}, []),
        ({}, ["C3", "b2", "A1"]),
    ],
)
def test_operators_select_orders(account: Account, where: dict[str, Any], numbers: list[str]) -> None:
    """K-58"""
    for number in ("A1", "b2", "C3"):
        account.order(order_no=number)
    assert found(account, where) == numbers
    assert found(account, {"where": where}) == numbers


def test_search_sorts_and_pages(account: Account) -> None:
    for number in "BCA":
        account.order(order_no=number)
    assert found(account, {}, order="order_no ASC", limit=2) == ["A", "B"]
    assert found(account, {}, order=["order_no DESC"], limit=2, page=2) == ["A"]


@pytest.mark.parametrize(
    "body",
    [
        {"filter": {"colour": "red"}},
        {"filter": {"order_no": {"eq": "A"}}},
        {"filter": {"order_no": {"inq": ["A"] * 101}}},
        {"filter": {"id": {"between": [1]}}},
        {"filter": {"and": [{"or": [{"and": [{"id": 1}]}]}]}},
        {"filter": {}, "limit": 201},
        {"filter": {}, "order": "colour ASC"},
        {"query": {}},
    ],
)
def test_a_search_that_does_not_fit_is_refused(account: Account, body: dict[str, Any]) -> None:
    """K-58"""
    assert account.post("/v1/sales_orders/search", json=body).status_code == 422


def test_deleted_orders_are_not_searched(account: Account) -> None:
    order = account.order(order_no="A")
    account.delete(f"/v1/sales_orders/{order['id']}")
    assert found(account, {"order_no": "A"}) == []


def test_variants_are_searched_by_many_skus_with_their_items(account: Account) -> None:
    """K-33"""
    body: dict[str, Any] = {"filter": {"sku": {"inq": ["MUG", "OLD", "NONE"]}}}
    plain = account.post("/v1/variants/search", json=body).json()["data"]
    assert [row["sku"] for row in plain] == ["MUG"]
    assert "item" not in plain[0]
    wide = account.post("/v1/variants/search", json=body | {"include": ["item", "archived"]}).json()["data"]
    assert [row["item"]["name"] for row in wide] == ["Old mug", "Mug"]


def test_customers_and_rows_are_searched(account: Account) -> None:
    account.order(("TEA", 2))
    body = {"filter": {"email": {"ilike": "ANN@%"}}}
    assert account.post("/v1/customers/search", json=body).json()["data"][0]["id"] == account.customer
    rows = account.post("/v1/sales_order_rows/search", json={"filter": {"variant_id": account.variants["TEA"]}})
    assert [row["quantity"] for row in rows.json()["data"]] == [2]
