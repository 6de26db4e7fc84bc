"""Sales orders in the simulated account: create, read, change, delete, and the switches around them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.katana.katana_account import Account, opened


@pytest.fixture
def account() -> Iterator[Account]:
    with opened() as running:
        yield running


def test_a_minimal_order_gets_its_defaults(account: Account) -> None:
    """K-15, K-44, K-49"""
    order = account.order(("MUG", 2))
    assert order["order_no"] == "SO-1"
    assert order["status"] == "NOT_SHIPPED"
    assert order["location_id"] == account.locations["Main"]
    assert order["currency"] == "EUR"
    assert order["total"] == 25
    assert order["sales_order_rows"][0]["price_per_unit"] == "12.5000000000"


def test_amounts_come_back_as_the_types_the_real_one_uses(account: Account) -> None:
    """K-19, K-51"""
    line = {
        "variant_id": account.variants["MUG"],
        "quantity": 2.5,
        "price_per_unit": 10.1,
        "total_discount": 1.25,
        "tax_rate_id": account.taxes["VAT"],
    }
    order = account.order() | {}
    body = account.body() | {"sales_order_rows": [line]}
    order = account.post("/v1/sales_orders", json=body).json()
    row = order["sales_order_rows"][0]
    assert row["quantity"] == 2.5
    assert row["price_per_unit"] == "10.1000000000"
    assert row["total_discount"] == "1.25"
    assert row["total"] == 24
    assert row["tax_rate"] == 20
    assert order["total"] == 28.8
    account.sim("options", number_style="strings")
    again = account.read(order)
    assert again["sales_order_rows"][0]["quantity"] == "2.5"
    assert float(again["total"]) == 28.8
    assert isinstance(again["total"], str)


def test_instants_come_back_in_utc_with_milliseconds(account: Account) -> None:
    """K-17"""
    order = account.order(order_created_date="2026-01-15T11:30:00+02:00")
    assert order["order_created_date"] == "2026-01-15T09:30:00.000Z"
    assert order["created_at"].endswith("Z")
    assert len(order["created_at"]) == 24


def test_ecommerce_fields_are_kept_and_cannot_be_changed(account: Account) -> None:
    """K-46"""
    order = account.order(ecommerce_order_type="TikTok", ecommerce_store_name="shop", ecommerce_order_id="57")
    assert account.read(order)["ecommerce_order_type"] == "TikTok"
    assert account.patch(f"/v1/sales_orders/{order['id']}", json={"ecommerce_order_id": "58"}).status_code == 422
    found = account.get("/v1/sales_orders?ecommerce_order_id=57&ecommerce_store_name=shop").json()["data"]
    assert [row["id"] for row in found] == [order["id"]]
    assert account.get("/v1/sales_orders?ecommerce_order_id=57&ecommerce_store_name=other").json()["data"] == []


def test_an_idempotency_key_is_ignored(account: Account) -> None:
    """K-03"""
    headers = {"Idempotency-Key": "same"}
    ids = {account.post("/v1/sales_orders", json=account.body(), headers=headers).json()["id"] for _ in range(2)}
    assert len(ids) == 2


def test_a_second_order_under_one_number_is_allowed_or_refused_by_switch(account: Account) -> None:
    """K-45"""
    first = account.order(order_no="WEB-1")
    account.order(order_no="WEB-1")
    assert len(account.get("/v1/sales_orders?order_no=WEB-1").json()["data"]) == 2
    account.sim("options", duplicate_order_no="refuse")
    assert account.post("/v1/sales_orders", json=account.body(order_no="WEB-1")).status_code == 422
    other = account.order(order_no="WEB-2")
    assert account.patch(f"/v1/sales_orders/{other['id']}", json={"order_no": "WEB-1"}).status_code == 422
    assert account.patch(f"/v1/sales_orders/{first['id']}", json={"order_no": "WEB-1"}).status_code == 200


def test_a_generated_number_never_takes_one_in_use(account: Account) -> None:
    account.order(order_no="SO-1")
    assert account.order()["order_no"] == "SO-2"


def test_order_numbers_match_exactly_or_without_case_by_switch(account: Account) -> None:
    """K-26"""
    account.order(order_no="Web-1")
    assert account.get("/v1/sales_orders?order_no=WEB-1").json()["data"] == []
    account.sim("options", order_no_match="ignore_case")
    assert len(account.get("/v1/sales_orders?order_no=WEB-1").json()["data"]) == 1


def test_source_changes_case_by_switch(account: Account) -> None:
    """K-52"""
    assert account.order()["source"] == "API"
    account.sim("options", source_case="lower")
    assert account.order()["source"] == "api"


def test_a_row_without_tax_takes_none_or_the_default_by_switch(account: Account) -> None:
    """K-50"""
    assert account.order()["sales_order_rows"][0]["tax_rate_id"] is None
    account.sim("options", default_tax="default_rate")
    assert account.order()["sales_order_rows"][0]["tax_rate_id"] == account.taxes["Standard"]


def test_a_deleted_order_is_gone_by_id_and_listed_on_request(account: Account) -> None:
    """K-16, K-55"""
    order = account.order(order_no="WEB-1")
    answer = account.delete(f"/v1/sales_orders/{order['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert account.get(f"/v1/sales_orders/{order['id']}").status_code == 404
    assert account.get("/v1/sales_orders?order_no=WEB-1").json()["data"] == []
    (tombstone,) = account.get("/v1/sales_orders?order_no=WEB-1&include_deleted=TRUE").json()["data"]
    assert tombstone["deleted_at"] == tombstone["updated_at"]


def test_deletes_answer_an_empty_200_by_switch(account: Account) -> None:
    """K-16"""
    account.sim("options", delete_status="200")
    answer = account.delete(f"/v1/sales_orders/{account.order()['id']}")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    "change",
    [
        {"order_no": "X"},
        {"location_id": 2},
        {"currency": "GBP"},
        {"delivery_date": "2026-01-01T00:00:00Z"},
        {"status": "PENDING"},
    ],
)
def test_a_shipped_order_is_locked(account: Account, change: dict[str, Any]) -> None:
    """K-59"""
    order = account.order()
    account.ship(order, status="PACKED")
    answer = account.patch(f"/v1/sales_orders/{order['id']}", json=change)
    assert answer.status_code == 422
    assert "details" not in answer.json()["error"]


def test_notes_change_at_any_time_and_conversion_only_after_packing(account: Account) -> None:
    """K-59"""
    order = account.order(additional_info="keep")
    path = f"/v1/sales_orders/{order['id']}"
    assert account.patch(path, json={"conversion_rate": 1.1}).status_code == 422
    account.ship(order)
    assert account.patch(path, json={"conversion_rate": 1.1, "customer_ref": "PO 7"}).status_code == 200
    shown = account.read(order)
    assert (shown["additional_info"], shown["customer_ref"], shown["conversion_rate"]) == ("keep", "PO 7", 1.1)


def test_picked_date_is_locked_or_copied_by_switch(account: Account) -> None:
    """K-61"""
    order = account.order()
    account.ship(order)
    change = {"picked_date": "2026-01-15T00:00:00Z"}
    assert account.patch(f"/v1/sales_orders/{order['id']}", json=change).status_code == 422
    account.sim("options", order_picked_date="copied")
    assert account.patch(f"/v1/sales_orders/{order['id']}", json=change).status_code == 200
    (shipped,) = account.get(f"/v1/sales_order_fulfillments?sales_order_id={order['id']}").json()["data"]
    assert shipped["picked_date"] == "2026-01-15T00:00:00.000Z"


def test_setting_delivered_does_nothing_unless_switched(account: Account) -> None:
    """K-60"""
    order = account.order()
    path = f"/v1/sales_orders/{order['id']}"
    assert account.patch(path, json={"status": "DELIVERED"}).json()["status"] == "NOT_SHIPPED"
    account.sim("options", patch_delivered="deliver")
    assert account.patch(path, json={"status": "DELIVERED"}).json()["status"] == "DELIVERED"
    assert account.stock("MUG") == ("49.00000", "0.00000")


def test_a_new_order_shows_in_lists_only_after_the_delay(account: Account) -> None:
    """K-75"""
    account.sim("options", order_visibility_s=30)
    order = account.order(order_no="WEB-1")
    where = {"filter": {"order_no": "WEB-1"}}
    assert account.read(order)["id"] == order["id"]
    assert account.get("/v1/sales_orders?order_no=WEB-1").json()["data"] == []
    assert account.post("/v1/sales_orders/search", json=where).json()["data"] == []
    account.sim("clock", advance_s=31)
    assert len(account.get("/v1/sales_orders?order_no=WEB-1").json()["data"]) == 1
    assert len(account.post("/v1/sales_orders/search", json=where).json()["data"]) == 1


def test_orders_are_filtered_by_availability(account: Account) -> None:
    """K-56"""
    account.order(("MUG", 1))
    short = account.order(("TEA", 21))
    found = account.get("/v1/sales_orders?product_availability=NOT_AVAILABLE").json()["data"]
    assert [row["id"] for row in found] == [short["id"]]
