"""Shipments of the simulated account in their finer points: parcels, tombstones, serial numbers and batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.katana.katana_account import Account, opened

PATH = "/v1/sales_order_fulfillments"


@pytest.fixture
def account() -> Iterator[Account]:
    with opened() as running:
        running.variants |= running.sim(
            "seed",
            variants=[
                {"sku": "CAM", "price": 90, "stock": 5, "serial_tracked": True},
                {"sku": "JAM", "price": 5, "stock": 5, "batch_tracked": True},
            ],
        )["variants"]
        yield running


def ship(account: Account, order: dict[str, Any], quantity: float, **row: Any) -> Any:
    line = {"sales_order_row_id": order["sales_order_rows"][0]["id"], "quantity": quantity, **row}
    body = {"sales_order_id": order["id"], "status": "DELIVERED", "sales_order_fulfillment_rows": [line]}
    return account.post(PATH, json=body)


def test_each_parcel_is_a_fulfillment_with_its_own_tracking(account: Account) -> None:
    """Fact sheet 6"""
    order = account.order(("MUG", 3))
    for number, quantity in (("A", 1), ("B", 2)):
        account.ship(order, quantity, tracking_number=number)
    found = account.get(f"{PATH}?sales_order_id={order['id']}").json()["data"]
    shown = [(row["tracking_number"], row["sales_order_fulfillment_rows"][0]["quantity"]) for row in found]
    assert shown == [("B", 2), ("A", 1)]
    assert account.get(f"{PATH}?tracking_number=A").json()["data"] == [found[1]]
    assert account.read(order)["status"] == "DELIVERED"


def test_a_deleted_fulfillment_is_a_tombstone_with_a_later_updated_at(account: Account) -> None:
    """Fact sheet 6 and 14.5"""
    shipped = account.ship(account.order()).json()
    account.sim("clock", advance_s=3600)
    assert account.delete(f"{PATH}/{shipped['id']}").status_code == 204
    assert account.get(f"{PATH}/{shipped['id']}").status_code == 404
    (tombstone,) = account.get(f"{PATH}?updated_at_min={shipped['updated_at']}&include_deleted=true").json()["data"]
    assert tombstone["deleted_at"] == tombstone["updated_at"] > shipped["updated_at"]
    assert account.get(f"{PATH}/{shipped['id']}?include_deleted=true").json() == tombstone


def test_a_row_without_its_serial_numbers_is_refused_and_with_them_ships(account: Account) -> None:
    """Fact sheet 6: the text was seen live."""
    order = account.order(("CAM", 2))
    message = ship(account, order, 1).json()["error"]["message"]
    expected = "sum of serial number quantity (current: 0) must match fulfillment row quantity (expected: 1)"
    assert message == expected
    assert ship(account, order, 2, serial_numbers=[7]).status_code == 422
    assert ship(account, order, 1, serial_numbers=[7]).status_code == 200
    trace = [{"serial_number_id": 8, "quantity": "1"}]
    (row,) = ship(account, order, 1, traceability=trace).json()["sales_order_fulfillment_rows"]
    trace_shown = {"batch_id": None, "serial_number_id": 8, "bin_location_id": None, "quantity": "1"}
    assert row["traceability"] == [trace_shown]


def test_setting_delivered_on_the_order_never_ships_serial_numbers(account: Account) -> None:
    """Fact sheet 5.5: seen to answer 200 and to change nothing on such an order."""
    order = account.order(("CAM", 1))
    account.sim("options", patch_delivered="deliver")
    answer = account.patch(f"/v1/sales_orders/{order['id']}", json={"status": "DELIVERED"})
    assert (answer.status_code, answer.json()["status"]) == (200, "NOT_SHIPPED")


def test_a_batch_may_be_left_open_or_must_be_named_by_switch(account: Account) -> None:
    """Fact sheet 6: the rule for batches is uncertain."""
    order = account.order(("JAM", 3))
    assert ship(account, order, 1).status_code == 200
    account.sim("options", batch_allocation="required")
    assert ship(account, order, 1).status_code == 422
    batches = [{"batch_id": None, "quantity": 1}]
    (row,) = ship(account, order, 1, batch_transactions=batches).json()["sales_order_fulfillment_rows"]
    assert row["batch_transactions"] == batches


def test_a_malformed_allocation_is_a_schema_failure(account: Account) -> None:
    """Fact sheet 6"""
    order = account.order(("JAM", 3))
    for wrong in ({"traceability": [{"batch_id": 1}]}, {"batch_transactions": [{"quantity": 1}]}):
        assert ship(account, order, 1, **wrong).json()["error"]["code"] == "VALIDATION_FAILED"


def test_a_status_may_be_raised_from_packed_and_the_date_be_set(account: Account) -> None:
    """Fact sheet 5.5 and 6"""
    order = account.order()
    packed = account.ship(order, status="PACKED").json()
    change = {"status": "DELIVERED", "picked_date": "2026-01-15T10:00:00+01:00"}
    changed = account.patch(f"{PATH}/{packed['id']}", json=change).json()
    assert changed["picked_date"] == "2026-01-15T09:00:00.000Z"
    assert "id" not in changed["sales_order_fulfillment_rows"][0]
    assert account.read(order)["picked_date"] == "2026-01-15T09:00:00.000Z"


def test_faults_hit_shipments_and_the_journal_says_which_wrote(account: Account) -> None:
    order = account.order()
    account.delete("/_sim/journal")
    account.sim("faults", faults=[{"kind": "500", "match": "fulfillments", "times": 1}])
    assert account.ship(order).status_code == 500
    shipped = account.ship(order).json()
    account.patch(f"{PATH}/{shipped['id']}", json={"tracking_number": "A"})
    account.get(f"{PATH}/{shipped['id']}")
    account.delete(f"{PATH}/{shipped['id']}")
    calls = account.get("/_sim/journal").json()["calls"]
    assert [(call["fault"], call["wrote"]) for call in calls] == [
        ("500", False), (None, True), (None, True), (None, False), (None, True),
    ]  # fmt: skip
