"""Stock arithmetic of the simulated account."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.plugins.katana.katana_account import Account, opened


@pytest.fixture
def account() -> Iterator[Account]:
    with opened() as running:
        yield running


def test_an_order_commits_at_its_rows_location_and_moves_nothing(account: Account) -> None:
    """K-20, K-63"""
    body = account.body(("MUG", 2), ("MUG", 1))
    body["sales_order_rows"][1]["location_id"] = account.locations["West"]
    account.post("/v1/sales_orders", json=body)
    assert account.stock("MUG") == ("50.00000", "2.00000")
    assert account.stock("MUG", "West") == ("5.00000", "1.00000")


def test_a_quote_commits_nothing_until_it_becomes_an_order(account: Account) -> None:
    """K-42, K-63"""
    order = account.order(("MUG", 3), status="PENDING")
    path = f"/v1/sales_orders/{order['id']}"
    assert account.stock("MUG") == ("50.00000", "0.00000")
    account.patch(path, json={"status": "NOT_SHIPPED"})
    assert account.stock("MUG") == ("50.00000", "3.00000")
    account.patch(path, json={"status": "PENDING"})
    assert account.stock("MUG") == ("50.00000", "0.00000")


def test_moving_an_order_moves_its_commitment(account: Account) -> None:
    order = account.order(("MUG", 3))
    account.patch(f"/v1/sales_orders/{order['id']}", json={"location_id": account.locations["West"]})
    assert account.stock("MUG") == ("50.00000", "0.00000")
    assert account.stock("MUG", "West") == ("5.00000", "3.00000")


def test_changing_and_deleting_rows_changes_the_commitment(account: Account) -> None:
    order = account.order(("MUG", 3))
    path = f"/v1/sales_order_rows/{order['sales_order_rows'][0]['id']}"
    account.patch(path, json={"quantity": 5})
    assert account.stock("MUG")[1] == "5.00000"
    account.patch(path, json={"variant_id": account.variants["TEA"]})
    assert (account.stock("MUG")[1], account.stock("TEA")[1]) == ("0.00000", "5.00000")
    account.delete(path)
    assert account.stock("TEA")[1] == "0.00000"


def test_packing_takes_stock_and_commitment_and_delivering_moves_nothing(account: Account) -> None:
    """K-64"""
    order = account.order(("MUG", 3))
    packed = account.ship(order, 2, status="PACKED").json()
    assert account.stock("MUG") == ("48.00000", "1.00000")
    account.patch(f"/v1/sales_order_fulfillments/{packed['id']}", json={"status": "DELIVERED"})
    assert account.stock("MUG") == ("48.00000", "1.00000")
    account.delete(f"/v1/sales_order_fulfillments/{packed['id']}")
    assert account.stock("MUG") == ("50.00000", "3.00000")


def test_deleting_an_order_gives_everything_back(account: Account) -> None:
    """K-64"""
    order = account.order(("MUG", 3))
    account.ship(order, 2)
    account.delete(f"/v1/sales_orders/{order['id']}")
    assert account.stock("MUG") == ("50.00000", "0.00000")


def test_stock_may_go_below_zero(account: Account) -> None:
    """K-73"""
    account.ship(account.order(("TEA", 25)))
    level = account.level("TEA")
    assert (level["quantity_in_stock"], level["quantity_missing_or_excess"]) == ("-5.00000", "-5.00000")


def test_a_kit_can_be_made_of_what_its_parts_leave_over(account: Account) -> None:
    """K-74"""
    assert account.level("GIFT")["quantity_potential"] == "20.00000"
    account.order(("MUG", 41))
    assert account.level("GIFT")["quantity_potential"] == "4.00000"
    assert account.level("MUG")["quantity_potential"] is None


def test_shipping_a_kit_uses_up_its_parts_and_taking_it_back_returns_them(account: Account) -> None:
    """K-74"""
    order = account.order(("GIFT", 2))
    assert account.stock("GIFT") == ("0.00000", "2.00000")
    shipped = account.ship(order).json()
    assert account.stock("GIFT") == ("0.00000", "0.00000")
    assert (account.stock("MUG")[0], account.stock("TEA")[0]) == ("46.00000", "18.00000")
    account.delete(f"/v1/sales_order_fulfillments/{shipped['id']}")
    assert account.stock("GIFT") == ("0.00000", "2.00000")
    assert (account.stock("MUG")[0], account.stock("TEA")[0]) == ("50.00000", "20.00000")


def test_inventory_has_a_row_for_each_variant_and_location_even_empty_ones(account: Account) -> None:
    """K-10, K-31, K-72"""
    rows = account.get("/v1/inventory").json()["data"]
    stocked = {account.variants[sku] for sku in ("MUG", "TEA", "GIFT", "CLAY")}
    assert {row["variant_id"] for row in rows} == stocked
    assert len(rows) == len(stocked) * 3
    assert [row["location_id"] for row in rows] == sorted(row["location_id"] for row in rows)
    archived = account.get("/v1/inventory?include_archived=true").json()["data"]
    assert account.variants["OLD"] in {row["variant_id"] for row in archived}


def test_services_appear_in_inventory_only_by_switch(account: Account) -> None:
    """K-35"""
    path = f"/v1/inventory?variant_id={account.variants['WRAP']}"
    account.order(("WRAP", 1))
    assert account.get(path).json()["data"] == []
    account.sim("options", services_in_inventory="yes")
    rows = account.get(path).json()["data"]
    assert {row["quantity_committed"] for row in rows} == {"0.00000"}


def test_inventory_takes_several_variants_and_embeds_on_request(account: Account) -> None:
    """K-22, K-72"""
    query = {
        "variant_id": [account.variants["MUG"], account.variants["TEA"]],
        "location_id": account.locations["Main"],
        "extend": ["variant", "location"],
    }
    rows = account.get("/v1/inventory", params=query).json()["data"]
    assert [(row["variant"]["sku"], row["location"]["name"]) for row in rows] == [("MUG", "Main"), ("TEA", "Main")]


def test_an_adjustment_changes_stock_by_its_signed_quantity(account: Account) -> None:
    """K-77"""
    rows = [{"variant_id": account.variants["MUG"], "quantity": -1.5}]
    body = {"location_id": account.locations["Main"], "stock_adjustment_rows": rows}
    assert account.post("/v1/stock_adjustments", json=body).status_code == 200
    assert account.stock("MUG")[0] == "48.50000"


def test_movements_tell_of_stock_and_not_of_commitments(account: Account) -> None:
    """K-76"""
    path = f"/v1/inventory_movements?variant_ids={account.variants['MUG']}&resource_type=SalesOrderRow"
    order = account.order(("MUG", 3))
    assert account.get(path).json()["data"] == []
    account.ship(order)
    (movement,) = account.get(path).json()["data"]
    assert (movement["quantity_change"], movement["balance_after"]) == (-3, 47)
    assert movement["caused_by_order_no"] == order["order_no"]


def test_movements_add_up_to_the_level(account: Account) -> None:
    for quantity in (1, 2.25, 3):
        account.ship(account.order(("GIFT", quantity)))
    state = account.get("/_sim/state").json()
    for level in state["inventory"]:
        changes = [
            Decimal(str(row["quantity_change"]))
            for row in state["inventory_movements"]
            if (row["variant_id"], row["location_id"]) == (level["variant_id"], level["location_id"])
        ]
        assert sum(changes) == Decimal(str(level["in_stock"]))


def test_inventory_is_read_stale_by_switch_while_movements_are_not(account: Account) -> None:
    """K-75"""
    account.sim("options", stale_inventory_s=60)
    account.ship(account.order(("MUG", 3)))
    account.order(("MUG", 1))
    assert account.stock("MUG") == ("50.00000", "0.00000")
    movements = account.get(f"/v1/inventory_movements?variant_ids={account.variants['MUG']}").json()["data"]
    assert movements[0]["quantity_change"] == -3
    account.sim("clock", advance_s=61)
    assert account.stock("MUG") == ("47.00000", "1.00000")


def test_safety_stock_lowers_the_excess(account: Account) -> None:
    """K-73"""
    body = {"variant_id": account.variants["TEA"], "location_id": account.locations["Main"], "value": 5}
    assert account.post("/v1/inventory_safety_stock_levels", json=body).json()["value"] == "5.00000"
    account.sim("seed", stock=[{"sku": "TEA", "quantity": 8, "expected": 2}])
    assert account.level("TEA")["quantity_missing_or_excess"] == "5.00000"
