"""Inventory reads of the simulated account: paging, filters, lag, negative stock, and their speed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.katana.katana_account import Account, opened


@pytest.fixture
def account() -> Iterator[Account]:
    with opened() as running:
        yield running


def rows(account: Account, query: str) -> list[dict[str, Any]]:
    answer = account.get(f"/v1/{query}")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"])


def test_a_page_holds_250_rows_at_most_and_the_pages_make_up_the_whole(account: Account) -> None:
    """Fact sheet 1.3 and 8"""
    account.sim("seed", variants=[{"sku": f"S{n}", "stock": n} for n in range(600)])
    path = f"inventory?location_id={account.locations['Main']}&limit=250"
    pages = [rows(account, f"{path}&page={page}") for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [250, 250, 104]
    assert len({row["variant_id"] for page in pages for row in page}) == 604
    assert pages[0][5]["quantity_in_stock"] == "1.00000"
    assert rows(account, f"{path}&page=4") == []


def test_only_the_last_location_counts_and_unknown_filters_are_ignored(account: Account) -> None:
    """Fact sheet 1.6 and 8: one location, no dates."""
    variant, west = account.variants["MUG"], account.locations["West"]
    found = rows(account, f"inventory?variant_id={variant}&location_id={west}&updated_at_min=2199-01-01T00:00:00Z")
    assert [(row["variant_id"], row["location_id"]) for row in found] == [(variant, west)]
    assert "updated_at" not in found[0]
    assert len(rows(account, f"inventory?variant_ids={variant}")) > 3


def test_a_variant_embedded_by_inventory_carries_a_name(account: Account) -> None:
    """Fact sheet 3.1"""
    (first, *_) = rows(account, f"inventory?variant_id={account.variants['MUG']}&extend=variant")
    assert (first["variant"]["sku"], first["variant"]["product_or_material_name"]) == ("MUG", "Mug")


def test_packing_lowers_what_is_committed_and_delivering_does_not_lower_it_again(account: Account) -> None:
    """Fact sheet 8 and 14.11"""
    account.order(("MUG", 4), order_no="WEB-1")
    account.sim("do/ship", order_no="WEB-1", quantities={"MUG": 3}, status="PACKED")
    assert account.stock("MUG") == ("47.00000", "1.00000")
    account.sim("do/shipment", order_no="WEB-1", status="DELIVERED")
    assert account.stock("MUG") == ("47.00000", "1.00000")
    account.sim("do/delete", order_no="WEB-1")
    assert account.stock("MUG") == ("50.00000", "0.00000")


def test_each_write_becomes_visible_when_its_own_lag_is_over(account: Account) -> None:
    """Fact sheet 14.7: a reading stays behind writes, movements do not."""
    account.sim("options", stale_inventory_s=60)
    account.sim("clock", rate=0)
    account.order(("MUG", 1))
    account.sim("clock", advance_s=40)
    account.order(("MUG", 2))
    account.sim("do/stock", sku="TEA", change=5)
    assert (account.stock("MUG")[1], account.stock("TEA")[0]) == ("0.00000", "20.00000")
    account.sim("clock", advance_s=30)
    assert (account.stock("MUG")[1], account.stock("TEA")[0]) == ("1.00000", "20.00000")
    account.sim("clock", advance_s=40)
    assert (account.stock("MUG")[1], account.stock("TEA")[0]) == ("3.00000", "25.00000")


def test_a_kits_potential_lags_with_its_parts(account: Account) -> None:
    """Fact sheet 8 and 14.7"""
    account.sim("options", stale_inventory_s=60)
    account.sim("do/stock", sku="TEA", quantity=2)
    assert account.level("GIFT")["quantity_potential"] == "20.00000"
    account.sim("clock", advance_s=61)
    assert account.level("GIFT")["quantity_potential"] == "2.00000"


def test_movements_are_filtered_by_cause_location_and_date(account: Account) -> None:
    """Fact sheet 8"""
    order = account.order(("MUG", 2), order_no="WEB-1")
    account.sim("clock", advance_s=3600)
    account.ship(order)
    (found,) = rows(account, "inventory_movements?caused_by_order_no=WEB-1")
    assert (found["resource_id"], found["balance_after"]) == (order["sales_order_rows"][0]["id"], 48)
    assert rows(account, f"inventory_movements?created_at_min={found['created_at']}") == [found]
    main, west = account.locations["Main"], account.locations["West"]
    assert rows(account, f"inventory_movements?caused_by_order_no=WEB-1&location_id={west}") == []
    assert rows(account, f"inventory_movements?caused_by_resource_id={order['id']}&location_id={main}") == [found]
    assert rows(account, f"inventory_movements?resource_type=SalesOrderRow&ids={found['id']}") == [found]


def test_places_below_zero_are_listed_with_the_moment_they_went_there(account: Account) -> None:
    """Fact sheet 8"""
    assert rows(account, "negative_stock") == []
    account.sim("clock", now=1_800_000_000, rate=0)
    account.sim("do/stock", sku="TEA", quantity=-1)
    account.sim("do/stock", sku="MUG", location="West", quantity=-3)
    (tea,) = rows(account, "negative_stock?sku=TEA")
    assert (tea["latest_negative_stock_date"], tea["name"]) == ("2027-01-15T08:00:00.000Z", "Tea")
    west = account.locations["West"]
    assert [row["sku"] for row in rows(account, f"negative_stock?location_id={west}")] == ["MUG"]
    assert rows(account, "negative_stock?latest_negative_stock_date_min=2027-01-16T00:00:00Z") == []
    account.sim("do/stock", sku="TEA", quantity=0)
    assert rows(account, "negative_stock?sku=TEA") == []


def test_the_older_name_of_safety_stock_sets_the_same_value(account: Account) -> None:
    """Fact sheet 8"""
    body = {"variant_id": account.variants["TEA"], "location_id": account.locations["Main"], "value": 3}
    assert account.post("/v1/inventory_reorder_points", json=body).json()["value"] == "3.00000"
    level = account.level("TEA")
    assert (level["reorder_point"], level["quantity_missing_or_excess"]) == ("3.00000", "17.00000")


def test_too_many_values_of_one_filter_are_refused_by_switch(account: Account) -> None:
    """Fact sheet 17.11: how many an account takes is not known."""
    path = "inventory?" + "&".join(f"variant_id={n}" for n in range(1, 102))
    assert rows(account, path) == []
    account.sim("options", most_filter_values=100)
    answer = account.get(f"/v1/{path}")
    assert answer.json()["error"]["details"][0]["info"] == {"limit": 100}


def test_inventory_stays_quick_among_thousands_of_orders_even_while_it_lags(account: Account) -> None:
    account.sim("options", stale_inventory_s=60)
    for first in range(0, 5000, 1000):
        numbers = range(first, first + 1000)
        account.sim("seed", variants=[{"sku": f"S{n}", "price": 1, "stock": 9} for n in numbers])
        orders = [{"order_no": f"N{n}", "sales_order_rows": [{"sku": f"S{n}", "quantity": 1}]} for n in numbers]
        account.sim("seed", sales_orders=orders)
    path = f"inventory?location_id={account.locations['Main']}&limit=250"
    started = time.monotonic()
    found = [row for page in range(1, 22) for row in rows(account, f"{path}&page={page}")]
    took_s = time.monotonic() - started
    assert took_s < 8
    assert len(found) == 5004
    account.sim("clock", advance_s=61)
    assert rows(account, f"{path}&page=3")[0]["quantity_committed"] == "1.00000"
