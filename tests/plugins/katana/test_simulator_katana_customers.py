"""Customers of the simulated account."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.plugins.katana.katana_account import Account, opened


@pytest.fixture
def account() -> Iterator[Account]:
    with opened() as running:
        yield running


def test_a_customer_is_read_by_list_only(account: Account) -> None:
    """K-37"""
    assert account.get(f"/v1/customers/{account.customer}").status_code == 404
    (found,) = account.get(f"/v1/customers?ids={account.customer}").json()["data"]
    assert found["email"] == "ann@example.test"
    assert account.get("/v1/customers?email=ann@example.test&name=Nobody").json()["data"] == []


def test_null_is_refused_on_create_and_clears_on_change(account: Account) -> None:
    """K-38"""
    assert account.post("/v1/customers", json={"name": "Bo", "email": None}).status_code == 422
    assert account.post("/v1/customers", json={"email": "bo@example.test"}).status_code == 422
    path = f"/v1/customers/{account.customer}"
    assert account.patch(path, json={"email": ""}).status_code == 422
    changed = account.patch(path, json={"email": None}).json()
    assert changed["email"] is None
    assert "addresses" not in changed


def test_two_customers_may_share_name_and_email(account: Account) -> None:
    """K-39"""
    body = {"name": "Ann Example", "email": "ann@example.test"}
    assert account.post("/v1/customers", json=body).status_code == 200
    assert len(account.get("/v1/customers?email=ann@example.test").json()["data"]) == 2


def test_the_first_address_of_a_kind_becomes_the_default_and_billing_is_single(account: Account) -> None:
    """K-40"""
    body = {"name": "Bo", "addresses": [{"entity_type": "billing", "city": "Bonn"}]}
    customer = account.post("/v1/customers", json=body).json()
    assert customer["default_billing_id"] == customer["addresses"][0]["id"]
    second = {"customer_id": customer["id"], "entity_type": "billing"}
    assert account.post("/v1/customer_addresses", json=second).status_code == 422
    shipping = [account.post("/v1/customer_addresses", json=second | {"entity_type": "shipping"}) for _ in range(2)]
    assert [answer.json()["default"] for answer in shipping] == [True, False]
    path = f"/v1/customer_addresses/{customer['addresses'][0]['id']}"
    assert account.patch(path, json={"city": "Berlin", "entity_type": "shipping"}).status_code == 422
    assert account.patch(path, json={"city": "Berlin"}).json()["city"] == "Berlin"
    assert account.delete(path).status_code == 204
    found = account.get(f"/v1/customer_addresses?customer_ids={customer['id']}&entity_type=billing").json()
    assert found["data"] == []


def test_a_deleted_customer_cannot_order(account: Account) -> None:
    account.delete(f"/v1/customers/{account.customer}")
    assert account.post("/v1/sales_orders", json=account.body()).status_code == 422


def test_an_order_takes_its_customers_currency(account: Account) -> None:
    """K-49"""
    account.patch(f"/v1/customers/{account.customer}", json={"currency": "GBP"})
    assert account.order()["currency"] == "GBP"
    assert account.order(currency="SEK")["currency"] == "SEK"
