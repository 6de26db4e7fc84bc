"""Fulfillments of the simulated account."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.plugins.katana.katana_account import Account, opened


@pytest.fixture
def account() -> Iterator[Account]:
    with opened() as running:
        yield running


def test_a_fulfillment_carries_its_tracking_and_follows_the_create_at_once(account: Account) -> None:
    """K-54, K-68"""
    order = account.order(("MUG", 2))
    answer = account.ship(order, tracking_number="1Z9", tracking_carrier="UPS", tracking_url="https://t.example/1Z9")
    shipped = answer.json()
    assert answer.status_code == 200
    assert (shipped["tracking_number"], shipped["tracking_carrier"], shipped["tracking_method"]) == ("1Z9", "UPS", None)
    assert shipped["sales_order_fulfillment_rows"][0]["quantity"] == 2
    assert account.get(f"/v1/sales_order_fulfillments/{shipped['id']}").json() == shipped


@pytest.mark.parametrize(
    ("shipments", "status"),
    [
        ([(1, "PACKED")], "PARTIALLY_PACKED"),
        ([(1, "DELIVERED")], "PARTIALLY_DELIVERED"),
        ([(1, "DELIVERED"), (1, "PACKED")], "PACKED"),
        ([(2, "PACKED")], "PACKED"),
        ([(1, "DELIVERED"), (1, "DELIVERED")], "DELIVERED"),
    ],
)
def test_the_orders_status_follows_from_its_fulfillments(
    account: Account, shipments: list[tuple[float, str]], status: str
) -> None:
    """K-62"""
    order = account.order(("MUG", 2))
    for quantity, kind in shipments:
        assert account.ship(order, quantity, status=kind).status_code == 200
    assert account.read(order)["status"] == status
    for shipped in account.get("/v1/sales_order_fulfillments").json()["data"]:
        account.delete(f"/v1/sales_order_fulfillments/{shipped['id']}")
    assert account.read(order)["status"] == "NOT_SHIPPED"


def test_more_than_is_open_is_refused_unless_switched(account: Account) -> None:
    """K-69"""
    order = account.order(("MUG", 2))
    account.ship(order, 1)
    answer = account.ship(order, 2)
    assert answer.status_code == 422
    assert "exceeds" in answer.json()["error"]["message"]
    assert account.stock("MUG") == ("49.00000", "1.00000")
    account.sim("options", over_fulfillment="allow")
    assert account.ship(order, 2).status_code == 200
    assert account.stock("MUG") == ("47.00000", "0.00000")


def test_one_row_named_twice_counts_together(account: Account) -> None:
    order = account.order(("MUG", 2))
    row = {"sales_order_row_id": order["sales_order_rows"][0]["id"], "quantity": 2}
    body = {"sales_order_id": order["id"], "status": "PACKED", "sales_order_fulfillment_rows": [row, row]}
    assert account.post("/v1/sales_order_fulfillments", json=body).status_code == 422


@pytest.mark.parametrize("quantity", [0, -1, "1", None])
def test_a_quantity_that_is_not_above_zero_is_refused(account: Account, quantity: object) -> None:
    """K-68"""
    order = account.order()
    row = {"sales_order_row_id": order["sales_order_rows"][0]["id"], "quantity": quantity}
    body = {"sales_order_id": order["id"], "status": "PACKED", "sales_order_fulfillment_rows": [row]}
    answer = account.post("/v1/sales_order_fulfillments", json=body)
    assert answer.json()["error"]["details"][0]["path"] == "/sales_order_fulfillment_rows/0/quantity"


def test_quotes_foreign_rows_and_missing_rows_are_refused(account: Account) -> None:
    """K-68"""
    first, second = account.order(), account.order(status="PENDING")
    assert account.ship(second).status_code == 422
    assert account.ship(first | {"sales_order_rows": second["sales_order_rows"]}).status_code == 422
    body = {"sales_order_id": first["id"], "status": "DELIVERED"}
    assert account.post("/v1/sales_order_fulfillments", json=body).status_code == 422


def test_fulfillments_are_filtered_by_order_status_and_dates_but_not_by_ids(account: Account) -> None:
    """K-23, K-70"""
    order = account.order(("MUG", 2))
    account.sim("clock", now=1_800_000_000)
    first = account.ship(order, 1, status="PACKED").json()
    account.sim("clock", advance_s=3600)
    second = account.ship(order, 1).json()

    def ids(query: str) -> list[int]:
        return [row["id"] for row in account.get(f"/v1/sales_order_fulfillments?{query}").json()["data"]]

    assert ids(f"sales_order_id={order['id']}") == [second["id"], first["id"]]
    assert ids("status=PACKED") == [first["id"]]
    assert ids(f"updated_at_min={second['created_at']}") == [second["id"]]
    assert ids(f"ids={first['id']}") == [second["id"], first["id"]]
    account.delete(f"/v1/sales_order_fulfillments/{first['id']}")
    assert ids("") == [second["id"]]
    assert ids("include_deleted=true") == [second["id"], first["id"]]


def test_timestamps_are_left_out_by_switch_yet_filters_go_on(account: Account) -> None:
    """K-71"""
    shipped = account.ship(account.order()).json()
    assert "updated_at" in shipped
    account.sim("options", fulfillment_timestamps="no")
    (shown,) = account.get("/v1/sales_order_fulfillments?updated_at_min=2020-01-01T00:00:00Z").json()["data"]
    assert not {"created_at", "updated_at"} & set(shown)
    assert account.get("/v1/sales_order_fulfillments?updated_at_min=2199-01-01T00:00:00Z").json()["data"] == []


def test_a_tracking_edit_moves_updated_at_or_not_by_switch(account: Account) -> None:
    """K-71"""
    shipped = account.ship(account.order()).json()
    path = f"/v1/sales_order_fulfillments/{shipped['id']}"
    account.sim("clock", advance_s=60)
    account.sim("options", tracking_edit_updates="no")
    assert account.patch(path, json={"tracking_number": "A"}).json()["updated_at"] == shipped["updated_at"]
    account.sim("options", tracking_edit_updates="yes")
    assert account.patch(path, json={"tracking_number": None}).json()["updated_at"] > shipped["updated_at"]
    assert account.patch(path, json={"tracking_number": ""}).status_code == 422


def test_rows_of_a_fulfillment_cannot_be_changed(account: Account) -> None:
    """K-68"""
    shipped = account.ship(account.order()).json()
    change = {"sales_order_fulfillment_rows": []}
    assert account.patch(f"/v1/sales_order_fulfillments/{shipped['id']}", json=change).status_code == 422


def test_a_seed_can_ship_what_is_open(account: Account) -> None:
    account.order(("MUG", 2), ("TEA", 1), order_no="WEB-1")
    account.sim("seed", fulfillments=[{"order_no": "WEB-1", "tracking_number": "1Z9"}])
    (order,) = account.get("/v1/sales_orders?order_no=WEB-1").json()["data"]
    assert order["status"] == "DELIVERED"
