"""Rows, addresses and shipping fees of simulated orders."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.plugins.katana.katana_account import Account, opened


@pytest.fixture
def account() -> Iterator[Account]:
    with opened() as running:
        yield running


ADDRESSES = [{"entity_type": "billing", "city": "Bonn"}, {"entity_type": "shipping", "city": "Riga", "zip": None}]


def test_addresses_are_copied_onto_the_order(account: Account) -> None:
    """K-47"""
    order = account.order(addresses=ADDRESSES)
    assert [row["city"] for row in order["addresses"]] == ["Bonn", "Riga"]
    assert order["shipping_address_id"] == order["addresses"][1]["id"]
    two = account.post("/v1/sales_orders", json=account.body(addresses=[ADDRESSES[0], ADDRESSES[0]]))
    assert two.status_code == 422


def test_addresses_are_left_out_of_one_orders_read_by_switch(account: Account) -> None:
    """K-53, K-66"""
    order = account.order(addresses=ADDRESSES)
    account.order(addresses=ADDRESSES[:1])
    account.sim("options", inline_addresses="no")
    assert "addresses" not in account.read(order)
    assert len(account.get(f"/v1/sales_orders?ids={order['id']}").json()["data"][0]["addresses"]) == 2
    path = "/v1/sales_order_addresses"
    assert len(account.get(f"{path}?sales_order_ids={order['id']}").json()["data"]) == 2
    assert len(account.get(f"{path}?sales_order_id={order['id']}").json()["data"]) == 3


def test_addresses_are_added_changed_and_deleted_on_their_own(account: Account) -> None:
    order = account.order()
    body = {"sales_order_id": order["id"], "entity_type": "shipping", "city": "Oslo"}
    address = account.post("/v1/sales_order_addresses", json=body).json()
    path = f"/v1/sales_order_addresses/{address['id']}"
    assert account.post("/v1/sales_order_addresses", json=body).status_code == 422
    assert account.patch(path, json={"entity_type": "billing"}).status_code == 422
    assert account.patch(path, json={"city": None}).json()["city"] is None
    assert account.read(order)["shipping_address_id"] == address["id"]
    account.delete(path)
    assert account.read(order)["shipping_address_id"] is None
    assert account.get(path).status_code == 404


def test_rows_are_locked_once_packed(account: Account) -> None:
    """K-65"""
    order = account.order(("MUG", 2))
    line = {"variant_id": account.variants["TEA"], "quantity": 1}
    added = account.post("/v1/sales_order_rows", json={"sales_order_id": order["id"], **line})
    assert added.status_code == 200
    account.ship(order, 1, status="PACKED")
    path = f"/v1/sales_order_rows/{added.json()['id']}"
    assert account.post("/v1/sales_order_rows", json={"sales_order_id": order["id"], **line}).status_code == 422
    assert account.patch(path, json={"quantity": 3}).status_code == 422
    assert account.delete(path).status_code == 422
    assert account.patch(path, json={"attributes": [{"key": "a", "value": "b"}]}).status_code == 200


def test_deleted_rows_never_show_inside_an_order(account: Account) -> None:
    """K-66"""
    order = account.order(("MUG", 2), ("TEA", 1))
    account.delete(f"/v1/sales_order_rows/{order['sales_order_rows'][1]['id']}")
    (shown,) = account.get("/v1/sales_orders?include_deleted=true").json()["data"]
    assert len(shown["sales_order_rows"]) == 1
    query = f"sales_order_ids={order['id']}&include_deleted=true&extend=variant"
    rows = account.get(f"/v1/sales_order_rows?{query}").json()["data"]
    assert [row["variant"]["sku"] for row in rows] == ["TEA", "MUG"]


def test_rows_by_a_singular_order_id_come_unfiltered(account: Account) -> None:
    """K-66"""
    first, _ = account.order(), account.order()
    assert len(account.get(f"/v1/sales_order_rows?sales_order_id={first['id']}").json()["data"]) == 2
    assert len(account.get(f"/v1/sales_order_rows?sales_order_ids={first['id']}").json()["data"]) == 1


def test_a_shipping_fee_is_text_with_ten_decimals_and_single(account: Account) -> None:
    """K-21, K-67"""
    order = account.order()
    body = {"sales_order_id": order["id"], "amount": "6.75"}
    fee = account.post("/v1/sales_order_shipping_fee", json=body).json()
    assert fee["amount"] == "6.7500000000"
    assert account.read(order)["shipping_fee"] == fee
    assert account.post("/v1/sales_order_shipping_fee", json=body | {"amount": 6.75}).status_code == 422
    assert account.post("/v1/sales_order_shipping_fee", json=body).status_code == 422
    account.sim("options", second_shipping_fee="allow")
    assert account.post("/v1/sales_order_shipping_fee", json=body).status_code == 200
    path = f"/v1/sales_order_shipping_fee/{fee['id']}"
    assert account.patch(path, json={"amount": "7"}).json()["amount"] == "7.0000000000"
    assert account.delete(path).status_code == 204
    assert account.get(path).status_code == 404


def test_the_total_counts_the_shipping_fee_by_switch(account: Account) -> None:
    """K-51"""
    order = account.order(("MUG", 2))
    fee = {"sales_order_id": order["id"], "amount": "10", "tax_rate_id": account.taxes["VAT"]}
    account.post("/v1/sales_order_shipping_fee", json=fee)
    assert account.read(order)["total"] == 25
    account.sim("options", total_includes_shipping="yes")
    assert account.read(order)["total"] == 37
