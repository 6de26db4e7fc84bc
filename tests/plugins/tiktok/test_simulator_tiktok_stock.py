"""Stock: what orders hold, what buyers can buy, what the seller may set (fact sheet 8.4, 8.5, 15)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.plugins.tiktok.tiktok_caller import Caller, calling

READ = "/product/202309/inventory/search"


@pytest.fixture
def caller() -> Iterator[Caller]:
    with calling() as running:
        yield running


def product(caller: Caller, **spec: Any) -> tuple[str, str]:
    """A product of one SKU; answers both ids."""
    (product_id,) = caller.control("seed", {"products": [{"sku": "MUG", "stock": 10} | spec]})["products"]
    found = caller.data("POST", READ, None, {"product_ids": [product_id]})["inventory"][0]
    return product_id, found["skus"][0]["id"]


def warehouses(caller: Caller) -> dict[str, str]:
    found = caller.data("GET", "/logistics/202309/warehouses")["warehouses"]
    return {one["name"] if one["type"] == "SALES_WAREHOUSE" else one["type"]: one["id"] for one in found}


def stock(caller: Caller, sku_id: str) -> tuple[int, int]:
    sku = caller.data("POST", READ, None, {"sku_ids": [sku_id]})["inventory"][0]["skus"][0]
    return sku["total_available_quantity"], sku["total_committed_quantity"]


def update(caller: Caller, ids: tuple[str, str], *entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"skus": [{"id": ids[1], "inventory": list(entries)}], **more}
    return dict(caller.call("POST", f"/product/202309/products/{ids[0]}/inventory/update", None, body).json())


def inner(answer: dict[str, Any]) -> list[int]:
    """The codes inside the errors of an answer."""
    assert answer["code"] == 0, answer
    errors = answer["data"].get("errors", [])
    assert all(error["code"] == 12052990 for error in errors)
    return [extra["code"] for error in errors for extra in error["detail"]["extra_errors"]]


def buy(caller: Caller, **wish: Any) -> dict[str, Any]:
    return caller.control("buy", {"sku": "MUG", "quantity": 1} | wish)


def test_an_update_sets_what_can_still_be_sold_and_leaves_what_orders_hold(caller: Caller) -> None:
    """§8.4: absolute available quantity; the warehouse may be left out where there is one."""
    ids = product(caller)
    assert buy(caller, quantity=4)["bought"] is True
    assert stock(caller, ids[1]) == (6, 4)
    answer = update(caller, ids, {"quantity": 20})
    assert (answer["code"], answer["data"]) == (0, {})
    assert stock(caller, ids[1]) == (20, 4)
    assert update(caller, ids, {"warehouse_id": warehouses(caller)["Main warehouse"], "quantity": 0})["data"] == {}
    assert stock(caller, ids[1]) == (0, 4)
    writes = [c["wrote"] for c in caller.control("journal")["calls"] if c["path"].endswith("/inventory/update")]
    assert writes == [True, True]


def test_a_buyer_gets_what_is_there_and_no_more(caller: Caller) -> None:
    ids = product(caller, stock=3)
    assert buy(caller, quantity=2, paid_time=None)["order"]["status"] == "UNPAID"
    refused = buy(caller, quantity=2)
    assert refused == {"bought": False, "reason": "out_of_stock", "available": {"MUG": 1}}
    assert buy(caller)["bought"] is True
    assert stock(caller, ids[1]) == (0, 3)
    assert buy(caller)["bought"] is False
    caller.options(sell_below_zero="yes")
    assert buy(caller)["bought"] is True
    assert stock(caller, ids[1]) == (0, 4)
    assert caller.control("state")["stock"][ids[1]]["warehouses"].popitem()[1] == {"available": -1, "committed": 4}


def test_what_is_not_listed_or_not_on_sale_cannot_be_bought(caller: Caller) -> None:
    assert buy(caller, sku="NONE")["reason"] == "unknown_sku"
    product(caller, status="SELLER_DEACTIVATED")
    assert buy(caller)["reason"] == "not_on_sale"


def test_shipping_takes_units_out_and_cancelling_gives_them_back(caller: Caller) -> None:
    """§15"""
    ids = product(caller)
    shipped, cancelled = (buy(caller, quantity=2, on_hold=False)["order_id"] for _ in range(2))
    caller.act(shipped, "ship")
    assert stock(caller, ids[1]) == (6, 2)
    caller.act(cancelled, "cancel_line", quantity=1, sku="MUG")
    assert stock(caller, ids[1]) == (7, 1)


def test_an_order_leaves_from_the_warehouse_that_has_it_all(caller: Caller) -> None:
    caller.control("seed", {"warehouses": [{"name": "East", "is_default": True}, {"name": "West"}]})
    home = warehouses(caller)
    product(caller, stock={home["East"]: 1, home["West"]: 5})
    order = caller.order(buy(caller, quantity=3)["order_id"])
    assert order["warehouse_id"] == home["West"]
    assert buy(caller, quantity=3)["available"] == {"MUG": 3}


def test_every_warehouse_of_a_sku_is_sent_and_none_is_added(caller: Caller) -> None:
    """§8.4, §4.3"""
    caller.control("seed", {"warehouses": [
        {"name": "East", "is_default": True}, {"name": "West"}, {"name": "Spare"},
        {"name": "Shut", "effect_status": "DISABLED"}, {"name": "Back", "type": "RETURN_WAREHOUSE"},
        {"name": "FBT", "fbt": True},
    ]})  # fmt: skip
    home = warehouses(caller)
    ids = product(caller, stock={home["East"]: 1, home["West"]: 5})
    both = [{"warehouse_id": home["East"], "quantity": 2}, {"warehouse_id": home["West"], "quantity": 3}]
    assert inner(update(caller, ids, *both)) == []
    assert stock(caller, ids[1]) == (5, 0)
    assert inner(update(caller, ids, both[0])) == [12019028]
    assert inner(update(caller, ids, {"quantity": 1})) == [12052037]
    wrong = {"Spare": 12052533, "Shut": 12052531, "RETURN_WAREHOUSE": 12052532, "FBT": 12052144}
    for name, code in wrong.items():
        assert inner(update(caller, ids, *both, {"warehouse_id": home[name], "quantity": 1})) == [code], name
    assert inner(update(caller, ids, *both, {"warehouse_id": "1", "quantity": 1})) == [12052097]
    assert stock(caller, ids[1]) == (5, 0)


@pytest.mark.parametrize(("switch", "zero"), [("allowed", []), ("refused", [12052055])])
def test_quantities_lie_within_limits(caller: Caller, switch: str, zero: list[int]) -> None:
    """§8.4: the reference page says from 1, practice says from 0."""
    caller.options(stock_zero=switch)
    ids = product(caller)
    assert inner(update(caller, ids, {"quantity": 0})) == zero
    assert inner(update(caller, ids, {"quantity": 99_999})) == []
    assert inner(update(caller, ids, {"quantity": 100_000})) == [12052055]
    assert inner(update(caller, ids, {"quantity": -1})) == [12052055]
    assert update(caller, ids, {"quantity": "5"})["code"] == 36009004
    assert update(caller, ids, {"quantity": 5, "amount": 5})["code"] == 36009004
    assert update(caller, ids, {"quantity": 5}, mode="x")["code"] == 36009004


def test_one_bad_sku_is_listed_and_the_other_is_set(caller: Caller) -> None:
    """§8.4: partial errors, outer code 12052990."""
    skus = [{"seller_sku": "A", "stock": 1}, {"seller_sku": "B", "stock": 1, "promotion": True}]
    (product_id,) = caller.control("seed", {"products": [{"title": "Pair", "skus": skus}]})["products"]
    found = caller.data("POST", READ, None, {"product_ids": [product_id]})["inventory"][0]["skus"]
    body = {"skus": [{"id": one["id"], "inventory": [{"quantity": n}]} for n, one in zip((7, 0), found, strict=True)]}
    path = f"/product/202309/products/{product_id}/inventory/update"
    errors = caller.data("POST", path, None, body)["errors"]
    assert [error["detail"]["sku_id"] for error in errors] == [found[1]["id"]]
    assert errors[0]["detail"]["extra_errors"][0]["code"] == 12052393
    assert [stock(caller, one["id"])[0] for one in found] == [7, 1]
    caller.options(stock_errors="call")
    assert caller.code("POST", path, None, body) == 12052393


def test_bundles_inactive_and_unknown_products_refuse_stock(caller: Caller) -> None:
    """§8.4, §4.3"""
    bundle = product(caller, sku="KIT", bundle=[{"sku": "MUG"}])
    assert inner(update(caller, bundle, {"quantity": 1})) == [12052850]
    off = product(caller, sku="OFF", status="SELLER_DEACTIVATED")
    assert update(caller, off, {"quantity": 1})["code"] == 12052901
    ids = product(caller)
    assert update(caller, ("1", ids[1]), {"quantity": 1})["code"] == 12052260
    assert update(caller, (ids[0], off[1]), {"quantity": 1})["code"] == 12052557
    assert update(caller, (ids[0], "1"), {"quantity": 1})["code"] == 12052556
    path = f"/product/202309/products/{ids[0]}/inventory/update"
    assert caller.code("POST", path, None, {"skus": []}) == 12052902
    twice = {"skus": [{"id": ids[1], "inventory": [{"quantity": 1}]}] * 2}
    assert caller.code("POST", path, None, twice) == 12052553
    assert caller.code("POST", path, None, {"skus": [{"inventory": [{"quantity": 1}]}]}) == 12052036


def test_the_seller_can_change_a_sku_by_hand(caller: Caller) -> None:
    ids = product(caller)
    caller.control("sku", {"sku": "MUG", "stock": 77, "promotion": True})
    assert stock(caller, ids[1]) == (77, 0)
    assert inner(update(caller, ids, {"quantity": 76})) == [12052393]
    caller.control("sku", {"sku": "MUG", "seller_sku": "CUP", "off": True})
    assert buy(caller, sku="CUP")["reason"] == "not_on_sale"
    assert buy(caller)["reason"] == "unknown_sku"


def test_of_two_parallel_buyers_of_the_last_piece_one_gets_it(caller: Caller) -> None:
    product(caller, stock=1)
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: buy(caller)["bought"], range(4)))
    assert sorted(outcomes) == [False, False, False, True]
