"""What may change on a simulated order, when, and what its status says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.plugins.katana.katana_account import Account, opened


@pytest.fixture
def account() -> Iterator[Account]:
    with opened() as running:
        yield running


def test_ready_for_fulfillment_is_an_open_status_that_commits(account: Account) -> None:
    """Fact sheet 0.1: the seventh status; to be treated as open and unshipped."""
    order = account.order(("MUG", 2))
    path = f"/v1/sales_orders/{order['id']}"
    assert account.patch(path, json={"status": "READY_FOR_FULFILLMENT"}).json()["status"] == "READY_FOR_FULFILLMENT"
    assert account.stock("MUG")[1] == "2.00000"
    line = f"/v1/sales_order_rows/{order['sales_order_rows'][0]['id']}"
    assert account.patch(line, json={"quantity": 3}).status_code == 200
    shipped = account.ship(order, 3).json()
    assert account.read(order)["status"] == "DELIVERED"
    account.delete(f"/v1/sales_order_fulfillments/{shipped['id']}")
    assert account.read(order)["status"] == "READY_FOR_FULFILLMENT"


@pytest.mark.parametrize("status", ["PARTIALLY_PACKED", "PARTIALLY_DELIVERED", "CANCELLED"])
def test_partial_and_unknown_statuses_can_never_be_set(account: Account, status: str) -> None:
    """Fact sheet 5.5"""
    answer = account.patch(f"/v1/sales_orders/{account.order()['id']}", json={"status": status})
    assert answer.json()["error"]["details"][0]["code"] == "enum"


def test_an_order_partly_shipped_is_locked_as_well(account: Account) -> None:
    """Fact sheet 5.4 and 14.13: only while NOT_SHIPPED or PENDING."""
    order = account.order(("MUG", 2))
    shipped = account.ship(order, 1, status="PACKED").json()
    path, customer = f"/v1/sales_orders/{order['id']}", account.customer
    for change in ({"customer_id": customer}, {"status": "PENDING"}, {"picked_date": "2026-01-15T00:00:00Z"}):
        assert account.patch(path, json=change).status_code == 422
    assert account.patch(path, json={"additional_info": "late note"}).status_code == 200
    account.delete(f"/v1/sales_order_fulfillments/{shipped['id']}")
    assert account.patch(path, json={"customer_id": customer}).status_code == 200


def test_custom_fields_merge_by_key_and_null_clears_all(account: Account) -> None:
    """Fact sheet 5.4 and 5.7"""
    order = account.order(custom_fields={"a": 1})
    paths = [f"/v1/sales_orders/{order['id']}", f"/v1/sales_order_rows/{order['sales_order_rows'][0]['id']}"]
    account.patch(paths[1], json={"custom_fields": {"a": 1}})
    for path in paths:
        assert account.patch(path, json={"custom_fields": {"b": 2}}).json()["custom_fields"] == {"a": 1, "b": 2}
        assert account.patch(path, json={"custom_fields": None}).json()["custom_fields"] is None


def test_a_rows_allocation_is_kept_when_left_out_and_cleared_by_an_empty_list(account: Account) -> None:
    """Fact sheet 5.7"""
    order = account.order(("MUG", 2))
    path = f"/v1/sales_order_rows/{order['sales_order_rows'][0]['id']}"
    trace = [{"batch_id": 5, "quantity": "1.5"}]
    assert account.patch(path, json={"traceability": trace}).json()["traceability"][0]["quantity"] == "1.5"
    assert account.patch(path, json={"quantity": 3}).json()["traceability"][0]["batch_id"] == 5
    assert account.patch(path, json={"traceability": []}).json()["traceability"] == []
    batches = account.patch(path, json={"batch_transactions": [{"batch_id": 5}]}).json()["batch_transactions"]
    assert batches == [{"batch_id": 5, "quantity": 0}]
    serials = [{"serial_number_id": 8, "quantity": 1}, {"serial_number_id": 9, "quantity": 0}]
    assert account.patch(path, json={"serial_number_transactions": serials}).json()["serial_numbers"] == [8]


def test_a_deleted_order_leaves_tombstones_of_its_shipments_and_rows(account: Account) -> None:
    """Fact sheet 5.6 and 14.5"""
    order = account.order(("MUG", 2))
    account.ship(order, 1)
    account.sim("clock", advance_s=60)
    account.delete(f"/v1/sales_orders/{order['id']}")
    (gone,) = account.get("/v1/sales_orders?include_deleted=true").json()["data"]
    assert gone["sales_order_rows"] == []
    for path in ("sales_order_rows?", "sales_order_fulfillments?"):
        assert account.get(f"/v1/{path}").json()["data"] == []
        (row,) = account.get(f"/v1/{path}include_deleted=true").json()["data"]
        assert row["deleted_at"] == gone["deleted_at"]


def test_an_order_address_changes_at_any_time_and_moves_the_order(account: Account) -> None:
    """Fact sheet 5.8"""
    order = account.order(addresses=[{"entity_type": "shipping", "city": "Riga"}])
    account.ship(order)
    account.sim("clock", advance_s=60)
    path = f"/v1/sales_order_addresses/{order['shipping_address_id']}"
    assert account.patch(path, json={"city": "Oslo"}).json()["city"] == "Oslo"
    shown = account.read(order)
    assert shown["addresses"][0]["city"] == "Oslo"
    assert shown["updated_at"] > order["updated_at"]


def test_a_shipment_moves_the_orders_updated_at(account: Account) -> None:
    """Assumed: the order's status is part of the order."""
    order = account.order()
    account.sim("clock", advance_s=60)
    account.ship(order)
    found = account.get(f"/v1/sales_orders?updated_at_min={order['updated_at']}&status=DELIVERED").json()["data"]
    assert found[0]["updated_at"] > order["updated_at"]


def test_what_a_shipment_does_to_the_orders_updated_at_can_be_switched_off(account: Account) -> None:
    """Nobody says; the fulfillments themselves are what to poll (fact sheet 15 d)."""
    order = account.order()
    account.sim("clock", advance_s=60)
    account.sim("options", shipment_moves_order="no")
    account.ship(order)
    shown = account.read(order)
    assert (shown["status"], shown["updated_at"]) == ("DELIVERED", order["updated_at"])


def test_an_order_shipped_whole_but_in_mixed_states_reads_by_switch(account: Account) -> None:
    """Fact sheet 5.5: mixed cases are uncertain."""
    order = account.order(("MUG", 2))
    account.sim("options", mixed_status="PARTIALLY_DELIVERED")
    account.ship(order, 1, status="DELIVERED")
    packed = account.ship(order, 1, status="PACKED").json()
    assert account.read(order)["status"] == "PARTIALLY_DELIVERED"
    account.patch(f"/v1/sales_order_fulfillments/{packed['id']}", json={"status": "DELIVERED"})
    assert account.read(order)["status"] == "DELIVERED"


def test_archiving_moves_updated_at_of_the_variant_by_switch(account: Account) -> None:
    """K-86"""
    path = f"/v1/variants/{account.variants['TEA']}"
    before = account.get(path).json()["updated_at"]
    account.sim("clock", advance_s=60)
    account.sim("do/variant", sku="TEA", archived=True)
    assert account.get(path).json()["updated_at"] == before
    account.sim("options", archive_moves_variants="yes")
    account.sim("do/variant", sku="TEA", archived=False)
    assert account.get(path).json()["updated_at"] > before
