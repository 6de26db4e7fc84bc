"""Sales returns of the simulated account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.katana.katana_account import Account, opened

Row = dict[str, Any]


@pytest.fixture
def account() -> Iterator[Account]:
    with opened() as running:
        yield running


@pytest.fixture
def order(account: Account) -> Row:
    """Three mugs and a tea, all delivered."""
    made = account.order(("MUG", 3), ("TEA", 1), order_no="WEB-1")
    assert account.ship(made).status_code == 200
    return made


def returnable(account: Account, order: Row) -> list[Row]:
    answer = account.get(f"/v1/sales_orders/{order['id']}/returnable_items").json()
    assert isinstance(answer, list)
    return answer


def announce(account: Account, order: Row, **more: Any) -> Row:
    body = {"sales_order_id": order["id"], "return_location_id": account.locations["Main"], **more}
    answer = account.post("/v1/sales_returns", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def add(account: Account, found: Row, item: Row, quantity: Any, **more: Any) -> Any:
    body = {name: item[name] for name in ("variant_id", "fulfillment_row_id")}
    return account.post(
        "/v1/sales_return_rows", json={"sales_return_id": found["id"], **body, "quantity": quantity, **more}
    )


def move(account: Account, found: Row, status: str) -> Any:
    return account.patch(f"/v1/sales_returns/{found['id']}", json={"status": status})


def test_returnable_items_are_a_bare_array_with_amounts_as_text(account: Account, order: Row) -> None:
    """Fact sheet 1.3 and 7"""
    mug, tea = returnable(account, order)
    assert (mug["quantity_sold"], mug["available_for_return_quantity"]) == ("3", "3")
    assert (tea["variant_id"], float(tea["net_price_per_unit"])) == (account.variants["TEA"], 4)
    assert mug["location_id"] == account.locations["Main"]
    assert returnable(account, account.order()) == []
    assert account.get("/v1/sales_orders/7/returnable_items").status_code == 404


def test_a_return_goes_from_announced_to_restocked_and_only_then_moves_stock(account: Account, order: Row) -> None:
    """Fact sheet 7"""
    found = announce(account, order)
    assert (found["order_no"], found["status"], found["refund_status"]) == ("RO-1", "NOT_RETURNED", "NOT_REFUNDED")
    row = add(account, found, returnable(account, order)[0], "2").json()
    assert (row["quantity"], row["restock_location_id"]) == ("2", account.locations["Main"])
    assert returnable(account, order)[0]["available_for_return_quantity"] == "1"
    assert move(account, found, "RETURNED_ALL").json()["return_date"]
    assert account.stock("MUG")[0] == "47.00000"
    assert move(account, found, "RESTOCKED_ALL").json()["status"] == "RESTOCKED_ALL"
    assert account.stock("MUG") == ("49.00000", "0.00000")
    move(account, found, "RETURNED_ALL")
    assert account.stock("MUG")[0] == "47.00000"


@pytest.mark.parametrize(("switch", "levels"), [("returned", ("49", "49")), ("never", ("47", "47"))])
def test_goods_enter_stock_at_another_step_by_switch(
    account: Account, order: Row, switch: str, levels: tuple[str, str]
) -> None:
    """Fact sheet 7: what restocking does in detail is uncertain."""
    account.sim("options", return_restocks=switch)
    found = announce(account, order)
    add(account, found, returnable(account, order)[0], 2)
    seen = []
    for status in ("RETURNED_ALL", "RESTOCKED_ALL"):
        move(account, found, status)
        seen.append(account.stock("MUG")[0].removesuffix(".00000"))
    assert tuple(seen) == levels


def test_goods_are_restocked_where_the_row_says(account: Account, order: Row) -> None:
    """Fact sheet 7"""
    found, west = announce(account, order), account.locations["West"]
    row = add(account, found, returnable(account, order)[0], 1).json()
    path = f"/v1/sales_return_rows/{row['id']}"
    assert account.patch(path, json={"restock_location_id": west}).json()["restock_location_id"] == west
    move(account, found, "RESTOCKED_ALL")
    assert (account.stock("MUG")[0], account.stock("MUG", "West")[0]) == ("47.00000", "6.00000")


def test_rows_and_header_are_locked_step_by_step(account: Account, order: Row) -> None:
    """Fact sheet 7: quantity and reason until returned, the restock location and the header until restocked."""
    found = announce(account, order)
    row = add(account, found, returnable(account, order)[0], 1).json()
    path, west = f"/v1/sales_return_rows/{row['id']}", account.locations["West"]
    assert account.patch(path, json={"quantity": 3}).json()["quantity"] == "3"
    assert account.patch(path, json={"quantity": 4}).status_code == 422
    move(account, found, "RETURNED_ALL")
    assert account.patch(path, json={"quantity": 1}).status_code == 422
    assert account.delete(path).status_code == 422
    assert account.patch(path, json={"restock_location_id": west}).status_code == 200
    assert account.patch(f"/v1/sales_returns/{found['id']}", json={"tracking_number": "R1"}).status_code == 200
    move(account, found, "RESTOCKED_ALL")
    assert account.patch(path, json={"restock_location_id": west}).status_code == 422
    assert account.patch(f"/v1/sales_returns/{found['id']}", json={"tracking_number": "R2"}).status_code == 422


@pytest.mark.parametrize("quantity", [0, "0", "0.00", "many", None, -1, "1.2.3"])
def test_a_quantity_of_zero_or_no_number_is_a_schema_failure(account: Account, order: Row, quantity: Any) -> None:
    """Fact sheet 7: a number or a decimal text, not 0."""
    answer = add(account, announce(account, order), returnable(account, order)[0], quantity)
    assert answer.json()["error"]["details"][0]["path"] == "/quantity"


def test_more_than_was_shipped_foreign_rows_and_unknown_reasons_are_refused(account: Account, order: Row) -> None:
    """Fact sheet 7"""
    mug, tea = returnable(account, order)
    found = announce(account, order)
    assert add(account, found, mug, 4).status_code == 422
    assert add(account, found, mug | {"variant_id": tea["variant_id"]}, 1).status_code == 422
    assert add(account, found, mug | {"fulfillment_row_id": 7}, 1).status_code == 422
    assert add(account, found, mug, 1, reason_id=7).status_code == 422
    reasons = account.get("/v1/sales_returns/return_reasons").json()
    assert {"Warranty", "Wrong item", "Other"} < {reason["name"] for reason in reasons}
    assert add(account, found, mug, 1, reason_id=reasons[0]["id"]).json()["reason_id"] == reasons[0]["id"]


def test_list_filters_that_work_and_those_that_are_ignored(account: Account, order: Row) -> None:
    """Fact sheet 7: `sales_order_id`, `sales_order_no`, `return_order_no`, `return_date_min` are ignored silently."""
    other = account.order(("TEA", 1))
    account.ship(other)
    first = announce(account, order, order_no="R-1", order_created_date="2026-01-15T00:00:00Z")
    second = announce(account, other, return_location_id=account.locations["West"])
    move(account, second, "RETURNED_ALL")

    def ids(query: str) -> list[int]:
        return [row["id"] for row in account.get(f"/v1/sales_returns?{query}").json()["data"]]

    both = [second["id"], first["id"]]
    assert ids("order_no=R-1") == [first["id"]]
    assert ids("order_no=WEB-1") == []
    assert ids("status=RETURNED_ALL") == [second["id"]]
    assert ids("refund_status=NOT_REFUNDED") == both
    assert ids(f"return_location_id={account.locations['West']}") == [second["id"]]
    assert ids("order_created_date_max=2026-01-16T00:00:00Z") == [first["id"]]
    assert ids("order_return_date_min=2020-01-01T00:00:00Z") == [second["id"]]
    for trap in (f"sales_order_id={order['id']}", "sales_order_no=WEB-1", "return_order_no=R-1"):
        assert ids(trap) == both
    assert ids("return_date_min=2199-01-01T00:00:00Z") == both


def test_dates_are_taken_as_days_or_instants_by_switch(account: Account, order: Row) -> None:
    """Fact sheet 1.5: declared as a date, described as ISO 8601."""
    day, instant = "2026-01-15", "2026-01-15T09:30:00Z"
    assert announce(account, order, order_created_date=day)["order_created_date"] == "2026-01-15T00:00:00.000Z"
    assert announce(account, order, order_created_date=instant)["order_created_date"] == "2026-01-15T09:30:00.000Z"
    for switch, refused in (("date", instant), ("instant", day)):
        account.sim("options", return_dates=switch)
        body = {"sales_order_id": order["id"], "return_location_id": 1, "order_created_date": refused}
        answer = account.post("/v1/sales_returns", json=body)
        assert answer.json()["error"]["details"][0]["path"] == "/order_created_date"


def test_an_order_with_returns_cannot_be_deleted_until_they_are(account: Account, order: Row) -> None:
    """Fact sheet 1.4 and 5.6: 412, the text was seen live."""
    found = announce(account, order)
    answer = account.delete(f"/v1/sales_orders/{order['id']}")
    assert answer.status_code == 412
    message = "Cannot delete sales orders as sales orders have return orders."
    assert answer.json()["error"] | {"message": message, "name": "PreconditionFailedError"} == answer.json()["error"]
    assert account.delete(f"/v1/sales_returns/{found['id']}").status_code == 204
    assert account.get(f"/v1/sales_returns/{found['id']}").status_code == 404
    assert account.delete(f"/v1/sales_orders/{order['id']}").status_code == 204


def test_a_shipment_with_returned_goods_stays(account: Account, order: Row) -> None:
    (shipped,) = account.get(f"/v1/sales_order_fulfillments?sales_order_id={order['id']}").json()["data"]
    add(account, announce(account, order), returnable(account, order)[0], 1)
    assert account.delete(f"/v1/sales_order_fulfillments/{shipped['id']}").status_code == 412


def test_deleting_a_return_takes_its_goods_out_of_stock_again(account: Account, order: Row) -> None:
    found = account.sim("do/return", order_no="WEB-1", quantities={"MUG": 2})
    assert account.stock("MUG")[0] == "49.00000"
    account.delete(f"/v1/sales_returns/{found['id']}")
    assert account.stock("MUG")[0] == "47.00000"
    (tombstone,) = account.get("/v1/sales_returns?include_deleted=true").json()["data"]
    assert tombstone["deleted_at"]
    path = f"/v1/sales_return_rows?sales_return_id={found['id']}"
    assert account.get(path).json()["data"] == []
    assert account.get(f"{path}&include_deleted=true").json()["data"][0]["deleted_at"]


def test_a_person_takes_goods_back_and_refunds(account: Account, order: Row) -> None:
    """Fact sheet 7: the word for a full refund differs between sources."""
    found = account.sim("do/return", order_no="WEB-1", status="RETURNED_ALL", location="West")
    assert [row["quantity"] for row in found["sales_return_rows"]] == [3, 1]
    assert returnable(account, order) == []
    account.sim("do/refund", sales_return_id=found["id"])
    path = f"/v1/sales_returns/{found['id']}"
    assert account.get(path).json()["refund_status"] == "REFUNDED"
    account.sim("options", refunded_word="REFUNDED_ALL")
    assert account.get(path).json()["refund_status"] == "REFUNDED_ALL"
    assert account.post("/_sim/do/return", json={"order_no": "WEB-1", "quantities": {"MUG": 1}}).status_code == 400


def test_faults_hit_returns_and_the_journal_says_which_wrote(account: Account, order: Row) -> None:
    account.delete("/_sim/journal")
    account.sim("faults", faults=[{"kind": "503", "match": "/sales_return", "times": 1}])
    assert account.get("/v1/sales_returns").status_code == 503
    found = announce(account, order)
    add(account, found, returnable(account, order)[0], 1)
    move(account, found, "RETURNED_ALL")
    calls = account.get("/_sim/journal").json()["calls"]
    assert [(call["fault"], call["wrote"]) for call in calls] == [
        ("503", False), (None, True), (None, False), (None, True), (None, True),
    ]  # fmt: skip
    counted = account.get("/_sim/counters").json()["calls"]
    assert counted["GET /v1/sales_orders/{id}/returnable_items"] == 1
