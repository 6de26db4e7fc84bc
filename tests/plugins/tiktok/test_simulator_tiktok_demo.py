"""The demo's world, and the simulator as the hub starts it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tiktok_simulator import Simulator

from tests.plugins.tiktok.tiktok_caller import Caller, calling, check_balance

CATALOGUE = [
    {"sku": f"ITEM-{n}", "name": f"Item {n}", "price": f"{9 + n}.95", "currency": "USD", "stock": 40, "kind": kind}
    for n, kind in enumerate(["normal"] * 6 + ["gift", "sample", "bundle_part", "bundle_part"])
]
KINDS = {
    "normal", "multi_unit", "multi_sku", "gift", "sample", "bundle", "edited_in_hold", "cancelled_in_hold", "fbt",
    "unknown_sku", "empty_sku", "tax_inclusive", "unpaid", "no_hold", "replacement",
}  # fmt: skip


@pytest.fixture
def caller() -> Iterator[Caller]:
    with calling() as running:
        running.control("clock", {"now": 1768460000, "rate": 0})
        running.token = running.refresh(running.control("state")["tokens"][-1]["refresh_token"])["data"]["access_token"]
        yield running


def demo(caller: Caller, orders: int = 60, seed: int = 1) -> dict[str, Any]:
    wish = {"catalogue": CATALOGUE, "locations": ["Main", "West"], "orders": orders, "seed": seed}
    answer = caller.control("demo", wish)
    caller.cipher = caller.data("GET", "/authorization/202309/shops", cipher=None)["shops"][0]["cipher"]
    return answer


def snapshot(caller: Caller) -> list[dict[str, Any]]:
    return [order for page in caller.pages() for order in page["orders"]]


def test_the_demo_holds_every_kind_and_the_asked_number_of_recent_orders(caller: Caller) -> None:
    answer = demo(caller, 60)
    assert set(answer["kinds"]) == KINDS
    assert answer["orders"] == sum(kind["count"] for kind in answer["kinds"].values()) == 60
    orders = snapshot(caller)
    assert len(orders) == 60
    assert all(0 < caller.now() - order["create_time"] <= 600 for order in orders)
    for order in orders:
        check_balance(order)


def test_the_demo_is_the_same_for_the_same_seed(caller: Caller) -> None:
    demo(caller, seed=3)
    first = snapshot(caller)
    demo(caller, seed=3)
    assert snapshot(caller) == first
    demo(caller, seed=4)
    assert snapshot(caller) != first


def test_edits_and_cancellations_of_the_demo_happen_before_the_hold_ends(caller: Caller) -> None:
    kinds = demo(caller, 100)["kinds"]
    before = {order["id"]: order for order in snapshot(caller)}
    cancelled, edited = kinds["cancelled_in_hold"]["example"], kinds["edited_in_hold"]["example"]
    assert before[cancelled]["status"] == before[edited]["status"] == "ON_HOLD"
    truth = caller.control(f"orders/{edited}")["order"]
    caller.advance(3600)
    after = {order["id"]: order for order in snapshot(caller)}
    assert after[cancelled]["status"] == "CANCELLED"
    assert after[cancelled]["cancel_time"] < after[cancelled]["paid_time"] + 3600
    assert after[edited]["status"] == "AWAITING_SHIPMENT"
    changed = caller.control(f"orders/{edited}")["order"]
    assert (changed["address"], changed["lines"]) != (truth["address"], truth["lines"])
    assert after[kinds["unpaid"]["example"]]["status"] == "UNPAID"


def test_each_kind_of_the_demo_is_what_its_name_says(caller: Caller) -> None:
    kinds = demo(caller, 60)["kinds"]
    order = {kind: caller.order(kinds[kind]["example"]) for kind in kinds}
    skus = {entry["sku"] for entry in CATALOGUE}
    seller_skus = {kind: [line["seller_sku"] for line in order[kind]["line_items"]] for kind in order}
    assert len(order["multi_unit"]["line_items"]) > 1
    assert len(set(seller_skus["multi_sku"])) > 1
    assert any(line["is_gift"] for line in order["gift"]["line_items"])
    assert order["sample"]["is_sample_order"]
    assert order["bundle"]["line_items"][0]["combined_listing_skus"]
    assert order["fbt"]["fulfillment_type"] == "FULFILLMENT_BY_TIKTOK"
    assert set(seller_skus["unknown_sku"]) - skus
    assert seller_skus["empty_sku"] == [""]
    assert order["tax_inclusive"]["payment"]["currency"] != "USD"
    assert not order["no_hold"]["is_on_hold_order"]
    assert order["replacement"]["is_replacement_order"]
    assert set(seller_skus["normal"]) <= skus


def test_locations_of_the_demo_become_warehouses_and_stock_is_split_over_them(caller: Caller) -> None:
    demo(caller)
    found = caller.data("GET", "/logistics/202309/warehouses")["warehouses"]
    sales = [one["name"] for one in found if one["type"] == "SALES_WAREHOUSE"]
    assert sales == ["Main", "West", "Fulfilled by TikTok"]
    products = caller.data("POST", "/product/202502/products/search", {"page_size": "100"})["products"]
    assert {len(sku["inventory"]) for product in products for sku in product["skus"]} == {2}


def test_settings_name_one_server_and_a_token_that_works() -> None:
    """T-01, T-02, T-03"""
    with calling() as caller:
        settings = caller.simulator.settings()
        assert set(settings) == {
            "app_key", "app_secret", "refresh_token", "shop", "api_url", "auth_url", "consent_url",
        }  # fmt: skip
        assert settings["api_url"] == settings["auth_url"] == caller.simulator.url
        assert caller.control("settings") == settings
        assert (Simulator.role, Simulator.connector) == ("channel", "tiktok")


def test_a_stopped_simulator_is_gone_and_another_host_is_refused() -> None:
    simulator = Simulator(options={"hold_s": "60"})
    simulator.start()
    url = simulator.url
    assert httpx.get(f"{url}/_sim/options").json()["hold_s"] == "60"
    simulator.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/_sim/clock")
    with pytest.raises(RuntimeError, match="not started"):
        _ = simulator.url
    with pytest.raises(ValueError, match=r"127\.0\.0\.1 only"):
        Simulator(host="0.0.0.0")


def test_unknown_control_calls_are_refused_with_a_reason(caller: Caller) -> None:
    assert caller.http.get("/_sim/nothing").status_code == 404
    assert caller.http.post("/_sim/orders/1", json={"action": "pay"}).status_code == 404
    (order_id,) = caller.seed({})
    answer = caller.http.post(f"/_sim/orders/{order_id}", json={"action": "dance"})
    assert (answer.status_code, "pay" in answer.json()["error"]) == (400, True)
    assert caller.http.post("/_sim/clock", json={"hour": 1}).status_code == 400
