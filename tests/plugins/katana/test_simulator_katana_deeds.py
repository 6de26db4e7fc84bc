"""The demo's neutral deeds, as this ERP carries them out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.katana.katana_account import Account, opened


@pytest.fixture
def account() -> Iterator[Account]:
    with opened() as running:
        yield running


def do(account: Account, deed: str, **wish: Any) -> Any:
    return account.sim("deed", deed=deed, **wish)


def ordered(account: Account, ref: str = "R1") -> dict[str, Any]:
    """Have an order of the channel there: two mugs and a tea."""
    account.order(("MUG", 2), ("TEA", 1), order_no=f"CH-{ref}", ecommerce_order_id=ref)
    return shown(account, ref)


def shown(account: Account, ref: str) -> dict[str, Any]:
    return next(each for each in do(account, "orders")["orders"] if each["ref"] == ref)


def test_an_order_shows_its_pieces_its_place_and_its_key(account: Account) -> None:
    found = ordered(account)
    assert (found["key"], found["state"], found["deleted"]) == ("CH-R1", "open", False)
    assert (found["location"], found["items"], found["parcels"]) == ("Main", {"MUG": 2, "TEA": 1}, [])
    assert abs(found["made_at"] - account.get("/_sim/clock").json()["now"]) < 60


def test_parcels_are_shipped_in_part_and_whole(account: Account) -> None:
    ordered(account)
    do(account, "ship", ref="R1", items={"MUG": 1}, carrier="UPS", number="N1")
    assert shown(account, "R1")["state"] == "partly-shipped"
    do(account, "ship", ref="R1", carrier="UPS", number="N2")
    found = shown(account, "R1")
    assert found["state"] == "shipped"
    assert [(each["number"], each["shipped"], each["items"]) for each in found["parcels"]] == [
        ("N1", True, {"MUG": 1}), ("N2", True, {"MUG": 1, "TEA": 1}),
    ]  # fmt: skip


def test_a_deleted_order_is_shown_as_such(account: Account) -> None:
    ordered(account)
    account.sim("do/delete", order_no="CH-R1")
    assert shown(account, "R1")["deleted"]


def test_returned_goods_tell_where_they_lie(account: Account) -> None:
    ordered(account)
    do(account, "ship", ref="R1", carrier="UPS", number="N1")
    account.sim("do/return", order_no="CH-R1", quantities={"TEA": 1}, location="West")
    assert shown(account, "R1")["returned_to"] == ["West"]


def test_stock_is_counted_and_told_by_location(account: Account) -> None:
    ordered(account)
    do(account, "count", sku="MUG", location="West", quantity=7)
    stock = do(account, "stock")["stock"]
    assert stock["MUG"] == {"Main": {"on_hand": 50, "promised": 2}, "West": {"on_hand": 7, "promised": 0}}
    assert stock["CLAY"] == {}


def test_a_new_product_has_its_stock(account: Account) -> None:
    do(account, "make", sku="JUG", name="Jug", price="9.50", stock=3)
    assert do(account, "stock")["stock"]["JUG"]["Main"]["on_hand"] == 3
    assert [each["name"] for each in do(account, "locations")["locations"]] == ["Main", "West", "Repairs"]


def test_calls_are_counted_by_what_they_are_about_and_deeds_are_none(account: Account) -> None:
    since = do(account, "calls")["next"]
    ordered(account)
    for path in ("inventory", "variants", "sales_order_fulfillments", "sales_returns", "locations"):
        account.get(f"/v1/{path}")
    counted = do(account, "calls", since=since)
    kinds = {"orders": 1, "stock": 1, "products": 1, "shipments": 1, "returns": 1, "account": 1}
    assert (counted["kinds"], counted["writes"], counted["too_many"]) == (kinds, 1, 0)
    assert do(account, "calls", since=counted["next"])["kinds"] == {}


def test_an_unknown_deed_or_order_is_refused_in_words(account: Account) -> None:
    answer = account.post("/_sim/deed", json={"deed": "dance"})
    assert answer.status_code == 400
    assert "there are ship, count" in answer.json()["error"]
    answer = account.post("/_sim/deed", json={"deed": "ship", "ref": "R9", "carrier": "UPS", "number": "N"})
    assert answer.status_code == 400
    assert "no sales order R9" in answer.json()["error"]
