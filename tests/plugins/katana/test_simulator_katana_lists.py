"""Filters and paging of the simulated lists."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.katana.katana_account import Account, opened


@pytest.fixture
def account() -> Iterator[Account]:
    with opened() as running:
        yield running


def head(answer: Any) -> dict[str, str]:
    return dict(json.loads(answer.headers["x-pagination"]))


def numbers(account: Account, query: str) -> list[str]:
    return [row["order_no"] for row in account.get(f"/v1/sales_orders?{query}").json()["data"]]


def test_the_pagination_header_holds_texts_only(account: Account) -> None:
    """K-07, K-09"""
    for _ in range(5):
        account.order()
    assert head(account.get("/v1/sales_orders?limit=2&page=2")) == {
        "total_records": "5",
        "total_pages": "3",
        "offset": "2",
        "page": "2",
        "first_page": "false",
        "last_page": "false",
    }


def test_an_empty_list_still_has_its_header(account: Account) -> None:
    """K-09"""
    answer = account.get("/v1/sales_orders")
    assert answer.json() == {"data": []}
    assert head(answer)["total_records"] == "0"
    assert (head(answer)["first_page"], head(answer)["last_page"]) == ("true", "true")


def test_lists_come_newest_first_and_end_empty(account: Account) -> None:
    """K-10"""
    for number in "ABC":
        account.order(order_no=number)
    assert numbers(account, "limit=2") == ["C", "B"]
    assert numbers(account, "limit=2&page=2") == ["A"]
    assert numbers(account, "limit=2&page=9") == []


def test_fifty_come_by_default_and_a_limit_over_250_is_lowered_or_refused(account: Account) -> None:
    """K-07, K-08"""
    account.sim("seed", customers=[{"name": f"C{n}"} for n in range(300)])
    assert len(account.get("/v1/customers").json()["data"]) == 50
    assert len(account.get("/v1/customers?limit=1000").json()["data"]) == 250
    account.sim("options", over_limit="refuse")
    assert account.get("/v1/customers?limit=251").status_code == 422
    assert len(account.get("/v1/customers?limit=250").json()["data"]) == 250


def test_an_unknown_parameter_gives_the_whole_list(account: Account) -> None:
    """K-23"""
    account.order(order_no="A")
    account.order(order_no="B")
    assert numbers(account, "order_number=A") == ["B", "A"]
    assert numbers(account, "order_no=A&sort=x") == ["A"]


def test_repeated_values_mean_or(account: Account) -> None:
    """K-22"""
    ids = [account.order(order_no=number)["id"] for number in "ABC"]
    assert numbers(account, f"ids={ids[0]}&ids={ids[2]}&ids=99") == ["C", "A"]


def test_dates_filter_and_the_lower_bound_is_inclusive_or_not_by_switch(account: Account) -> None:
    """K-24, K-25"""
    account.sim("clock", now=1_800_000_000, rate=0)
    order = account.order(order_no="A")
    account.sim("clock", advance_s=10)
    account.order(order_no="B")
    since = f"updated_at_min={order['updated_at']}"
    assert numbers(account, since) == ["B", "A"]
    assert numbers(account, f"created_at_max={order['created_at']}") == ["A"]
    account.sim("options", updated_at_min="exclusive")
    assert numbers(account, since) == ["B"]


def test_a_change_and_a_deletion_move_updated_at(account: Account) -> None:
    """K-55"""
    order = account.order(order_no="A")
    account.sim("clock", advance_s=100)
    edge = account.order(order_no="B")["created_at"]
    assert numbers(account, f"updated_at_min={edge}") == ["B"]
    account.delete(f"/v1/sales_orders/{order['id']}")
    assert numbers(account, f"updated_at_min={edge}&include_deleted=true") == ["B", "A"]
