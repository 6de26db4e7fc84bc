"""What people do in the simulated account without a key: the deeds under /_sim/do/."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.katana.katana_account import Account, opened


@pytest.fixture
def account() -> Iterator[Account]:
    with opened() as running:
        yield running


def refused(account: Account, deed: str, **body: Any) -> str:
    answer = account.post(f"/_sim/do/{deed}", json=body)
    assert answer.status_code == 400, answer.text
    return str(answer.json()["error"])


def test_a_person_counts_stock_or_moves_it_by_an_amount(account: Account) -> None:
    level = account.sim("do/stock", sku="MUG", location="West", quantity=7, safety=1)
    assert (level["in_stock"], level["safety"]) == (7, 1)
    assert account.sim("do/stock", sku="MUG", location="West", change=-9)["in_stock"] == -2
    assert account.stock("MUG", "West")[0] == "-2.00000"
    assert account.sim("do/stock", sku="TEA", expected=4)["expected"] == 4


def test_a_person_packs_part_of_an_order_with_tracking_and_delivers_the_rest(account: Account) -> None:
    """Fact sheet 5.5: the status follows from what was shipped."""
    account.order(("MUG", 3), ("TEA", 1), order_no="WEB-1")
    first = account.sim("do/ship", order_no="WEB-1", status="PACKED", quantities={"MUG": 2}, tracking_number="1Z9")
    assert (first["status"], first["tracking_number"]) == ("PACKED", "1Z9")
    assert account.sim("do/order", order_no="WEB-1")["status"] == "PARTIALLY_PACKED"
    account.sim("do/ship", order_no="WEB-1")
    shown = account.get("/_sim/order?order_no=WEB-1").json()
    assert shown["status"] == "PACKED"
    assert [(row["sku"], row["fulfilled"]) for row in shown["sales_order_rows"]] == [("MUG", 3), ("TEA", 1)]
    assert len(shown["fulfillments"]) == 2
    account.sim("do/shipment", fulfillment_id=first["id"], status="DELIVERED")
    assert account.get("/_sim/order?order_no=WEB-1").json()["status"] == "DELIVERED"


def test_quantities_spread_over_rows_of_the_same_sku(account: Account) -> None:
    order = account.order(("MUG", 2), ("MUG", 2), order_no="WEB-1")
    shipped = account.sim("do/ship", order_no="WEB-1", quantities={"MUG": 3})
    rows = [(row["sales_order_row_id"], row["quantity"]) for row in shipped["sales_order_fulfillment_rows"]]
    assert rows == [(order["sales_order_rows"][0]["id"], 2), (order["sales_order_rows"][1]["id"], 1)]
    assert "more than is open" in refused(account, "ship", order_no="WEB-1", quantities={"MUG": 2})


def test_a_person_edits_tracking_of_the_newest_shipment(account: Account) -> None:
    """Fact sheet 17.7: whether such an edit moves `updated_at` is a switch."""
    account.order(order_no="WEB-1")
    shipped = account.sim("do/ship", order_no="WEB-1")
    account.sim("clock", advance_s=60)
    account.sim("options", tracking_edit_updates="no")
    quiet = account.sim("do/shipment", order_no="WEB-1", tracking_number="A", tracking_carrier="DHL")
    assert (quiet["tracking_carrier"], quiet["updated_at"]) == ("DHL", shipped["updated_at"])
    account.sim("options", tracking_edit_updates="yes")
    assert account.sim("do/shipment", order_no="WEB-1", tracking_number="B")["updated_at"] > shipped["updated_at"]


def test_a_person_deletes_shipments_and_the_stock_returns(account: Account) -> None:
    """Fact sheet 5.5: deleting the fulfillments takes the order back to NOT_SHIPPED."""
    order = account.order(("MUG", 2), order_no="WEB-1")
    first = account.sim("do/ship", order_no="WEB-1", quantities={"MUG": 1})
    account.sim("do/ship", order_no="WEB-1")
    assert account.sim("do/unship", fulfillment_id=first["id"]) == [first["id"]]
    assert account.read(order)["status"] == "PARTIALLY_DELIVERED"
    assert len(account.sim("do/unship", order_no="WEB-1")) == 1
    assert account.read(order)["status"] == "NOT_SHIPPED"
    assert account.stock("MUG") == ("50.00000", "2.00000")
    shown = account.get("/_sim/order?order_no=WEB-1").json()
    assert all(row["deleted_at"] for row in shown["fulfillments"])


def test_a_person_edits_rows_by_hand_while_the_order_is_open(account: Account) -> None:
    """Fact sheet 5.7"""
    account.order(("MUG", 2), ("TEA", 1), order_no="WEB-1")
    change = {"quantities": {"MUG": 5}, "prices": {"MUG": "9.90"}, "add": [{"sku": "GIFT"}], "remove": ["TEA"]}
    shown = account.sim("do/rows", order_no="WEB-1", **change)
    rows = [(row["sku"], row["quantity"], bool(row["deleted_at"])) for row in shown["sales_order_rows"]]
    assert rows == [("MUG", 5, False), ("TEA", 1, True), ("GIFT", 1, False)]
    assert account.stock("MUG")[1] == "5.00000"
    account.sim("do/rows", order_no="WEB-1", replace={"MUG": "TEA"})
    assert account.stock("TEA")[1] == "5.00000"
    account.sim("do/ship", order_no="WEB-1")
    assert "status DELIVERED" in refused(account, "rows", order_no="WEB-1", quantities={"TEA": 1})


def test_a_person_moves_an_order_to_another_location_or_makes_it_a_quote(account: Account) -> None:
    """Fact sheet 5.5"""
    account.order(("MUG", 2), order_no="WEB-1")
    account.sim("do/order", order_no="WEB-1", location="West", additional_info="by hand")
    assert account.stock("MUG", "West")[1] == "2.00000"
    assert account.sim("do/order", order_no="WEB-1", status="PENDING")["status"] == "PENDING"
    assert account.stock("MUG", "West")[1] == "0.00000"
    assert account.sim("do/order", order_no="WEB-1", new_order_no="WEB-2")["order_no"] == "WEB-2"
    assert "no sales order WEB-1" in refused(account, "order", order_no="WEB-1")


def test_a_deleted_order_can_still_be_looked_at(account: Account) -> None:
    """Fact sheet 5.6"""
    order = account.order(order_no="WEB-1")
    account.sim("do/delete", order_no="WEB-1")
    assert account.get(f"/v1/sales_orders/{order['id']}").status_code == 404
    assert account.get("/_sim/order?order_no=WEB-1").json()["deleted_at"]


def test_an_invoiced_order_is_not_deleted_unless_switched(account: Account) -> None:
    """Fact sheet 5.6: blocked when an invoice is linked; the status code is uncertain."""
    order = account.order(order_no="WEB-1")
    shipped = account.ship(order).json()
    assert account.sim("do/invoice", order_no="WEB-1")["invoicing_status"] == "invoiced"
    path = f"/v1/sales_orders/{order['id']}"
    assert account.get(f"/v1/sales_order_fulfillments/{shipped['id']}").json()["invoice_status"] == "INVOICED"
    (linked,) = account.get(f"/v1/sales_order_accounting_metadata?sales_order_id={order['id']}").json()["data"]
    assert (linked["fulfillment_id"], linked["integration_type"]) == (shipped["id"], "xero")
    assert account.delete(path).json()["error"]["name"] == "PreconditionFailedError"
    account.sim("options", invoiced_delete="422")
    assert account.delete(path).status_code == 422
    account.sim("do/invoice", order_no="WEB-1", linked=False)
    assert account.delete(path).status_code == 204


def test_a_person_archives_renames_and_doubles_a_variant(account: Account) -> None:
    """Fact sheet 3.1: archived ones are hidden, and SKUs are not guaranteed unique."""
    account.sim("do/variant", sku="TEA", archived=True)
    assert account.get("/v1/variants?sku=TEA").json()["data"] == []
    account.sim("do/variant", sku="TEA", archived=False, new_sku="TEA-2")
    assert len(account.get("/v1/variants?sku=TEA-2").json()["data"]) == 1
    twin = account.sim("do/twin", sku="MUG")
    found = account.get("/v1/variants?sku=MUG").json()["data"]
    assert [row["id"] for row in found] == [twin["id"], account.variants["MUG"]]
    account.sim("do/variant", variant_id=twin["id"], deleted=True)
    assert len(account.get("/v1/variants?sku=MUG").json()["data"]) == 1


def test_deeds_are_no_calls_of_the_system_and_refuse_what_they_do_not_know(account: Account) -> None:
    account.sim("do/stock", sku="MUG", quantity=1)
    assert account.get("/_sim/journal").json()["calls"] == []
    assert "unknown: colour" in refused(account, "stock", sku="MUG", colour="red")
    assert "no variant NONE" in refused(account, "stock", sku="NONE", quantity=1)
    assert "no location named Moon" in refused(account, "stock", sku="MUG", location="Moon", quantity=1)
    assert account.post("/_sim/do/nothing", json={}).status_code == 404
    account.order(order_no="Q", status="PENDING")
    assert "quote" in refused(account, "ship", order_no="Q")
