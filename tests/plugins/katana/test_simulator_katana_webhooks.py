"""The simulated webhooks: who may subscribe, what is delivered for what happens, and what becomes of it."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from katana_simulator import Simulator
from pytest_httpserver import HTTPServer

from tests.plugins.katana.katana_account import Account, opened
from tests.plugins.katana.subscriber import Subscriber, signed, subscriber_on, until

ALL = [
    *(f"sales_order.{verb}" for verb in ("created", "updated", "deleted", "packed", "delivered")),
    *(f"current_inventory.{item}_{verb}" for item in ("product", "material") for verb in ("updated", "out_of_stock")),
    *(f"{item}.{verb}" for item in ("variant", "product", "material") for verb in ("created", "updated", "deleted")),
]
SHOP = "https://hub.example.com/webhooks/katana-main"


@pytest.fixture
def account() -> Iterator[Account]:
    with opened() as running:
        running.sim("options", webhook_http="on")
        yield running


@pytest.fixture(scope="module")
def server() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1", threaded=True) as running:
        yield running


@pytest.fixture
def subscriber(server: HTTPServer) -> Iterator[Subscriber]:
    made = subscriber_on(server)
    yield made
    made.gate.set()


def subscribe(account: Account, url: str, events: list[str] | None = None, **more: Any) -> dict[str, Any]:
    answer = account.post("/v1/webhooks", json={"url": url, "subscribed_events": events or ALL, **more})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def report(account: Account) -> dict[str, Any]:
    return dict(account.get("/_sim/webhooks").json())


def settled(account: Account) -> dict[str, Any]:
    until(lambda: report(account)["pending"] == 0, "the end of all deliveries")
    return report(account)


def codes(answer: httpx.Response) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    return [(each["path"], each["code"]) for each in answer.json()["error"]["details"]]


# Subscriptions


def test_a_subscription_shows_a_key_of_16_hex_digits(account: Account) -> None:
    """K-92, K-93."""
    made = subscribe(account, SHOP, ["sales_order.updated"], description="hub")
    assert re.fullmatch("[0-9a-f]{16}", made["token"])
    assert (made["enabled"], made["description"], made["subscribed_events"]) == (True, "hub", ["sales_order.updated"])
    assert account.get(f"/v1/webhooks/{made['id']}").json() == made
    assert account.get("/v1/webhooks").json()["data"] == [made]
    account.sim("options", webhook_key_shown="no")
    (row,) = account.get("/v1/webhooks").json()["data"]
    assert row == {name: value for name, value in made.items() if name != "token"}


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"url": "http://hub.example.com", "subscribed_events": ["product.created"]}, [("/url", "pattern")]),
        ({"url": SHOP, "subscribed_events": []}, [("/subscribed_events", "minItems")]),
        ({"url": SHOP, "subscribed_events": ["product.created", "product.x"]}, [("/subscribed_events/1", "enum")]),
        ({"url": SHOP, "subscribed_events": ["sales_order.invoiced"]}, [("/subscribed_events/0", "enum")]),
        ({"url": SHOP, "subscribed_events": ["product.created"], "secret": "x"}, [("", "additionalProperties")]),
        ({"enabled": "yes"}, [("", "required"), ("", "required"), ("/enabled", "type")]),
    ],
)
def test_a_subscription_must_fit_its_schema(account: Account, body: Any, wrong: list[tuple[str, str]]) -> None:
    """K-92, K-98."""
    account.sim("options", webhook_http="off")
    assert codes(account.post("/v1/webhooks", json=body)) == wrong
    assert account.get("/v1/webhooks").json()["data"] == []


def test_plain_http_is_taken_for_this_machine_only_and_only_by_a_switch(account: Account) -> None:
    body = {"url": "http://127.0.0.1:1/x", "subscribed_events": ["product.created"]}
    assert account.post("/v1/webhooks", json=body).status_code == 200
    assert account.post("/v1/webhooks", json=body | {"url": "http://hub.example.com/x"}).status_code == 422
    account.sim("options", webhook_http="off")
    assert codes(account.post("/v1/webhooks", json=body)) == [("/url", "pattern")]


def test_subscriptions_are_filtered_changed_and_deleted(account: Account) -> None:
    """K-92."""
    first, second = subscribe(account, SHOP), subscribe(account, f"{SHOP}-2", enabled=False)

    def ids(**query: Any) -> list[int]:
        return [row["id"] for row in account.get("/v1/webhooks", params=query).json()["data"]]

    assert ids() == [second["id"], first["id"]], "newest first"
    assert ids(url=SHOP) == ids(enabled="true") == ids(ids=first["id"]) == [first["id"]]
    assert ids(limit=1, page=2) == [first["id"]]
    path = f"/v1/webhooks/{second['id']}"
    change = {"enabled": True, "subscribed_events": ["product.deleted"], "url": f"{SHOP}-3", "description": "x"}
    changed = account.patch(path, json=change).json()
    assert {name: changed[name] for name in change} == change
    assert changed["token"] == second["token"]
    assert codes(account.patch(path, json={"token": "x"})) == [("", "additionalProperties")]
    assert account.delete(path).status_code == 204
    assert account.delete(path).status_code == account.get(path).status_code == 404
    assert account.patch(path, json={}).status_code == 404
    assert ids() == [first["id"]]


# What is delivered for what happens


def happened(account: Account, subscriber: Subscriber) -> list[str]:
    """The events that came since the last time."""
    settled(account)
    found = subscriber.actions()
    subscriber.got.clear()
    return found


def test_everything_that_happens_to_an_order_is_told_whoever_does_it(account: Account, subscriber: Subscriber) -> None:
    """K-95, K-97: packed and delivered come with a twin."""
    subscribe(account, subscriber.url, [name for name in ALL if name.startswith("sales_order.")])
    order = account.order(("MUG", 2), order_no="A")
    assert happened(account, subscriber) == ["sales_order.created"]
    account.patch(f"/v1/sales_orders/{order['id']}", json={"customer_ref": "x"})
    assert happened(account, subscriber) == ["sales_order.updated"]
    account.sim("do/rows", order_no="A", quantities={"MUG": 3})
    assert happened(account, subscriber) == ["sales_order.updated"]
    account.sim("do/ship", order_no="A", quantities={"MUG": 1}, status="PACKED")
    assert happened(account, subscriber) == ["sales_order.updated"]
    account.sim("do/ship", order_no="A", status="PACKED")
    assert happened(account, subscriber) == ["sales_order.packed", "sales_order.updated"]
    account.sim("do/unship", order_no="A")
    account.ship(account.read(order))
    assert happened(account, subscriber)[-3:] == ["sales_order.delivered", *["sales_order.updated"] * 2]
    account.sim("do/unship", order_no="A")
    account.sim("do/delete", order_no="A")
    assert happened(account, subscriber) == ["sales_order.deleted", "sales_order.updated"]


def test_a_partial_delivery_is_told_as_a_switch_says(account: Account, subscriber: Subscriber) -> None:
    """K-99."""
    subscribe(account, subscriber.url, ["sales_order.updated", "sales_order.delivered"])
    account.order(("MUG", 3), order_no="A")
    account.sim("do/ship", order_no="A", quantities={"MUG": 1})
    assert happened(account, subscriber) == ["sales_order.updated"]
    account.sim("options", webhook_partial="delivered")
    account.sim("do/ship", order_no="A", quantities={"MUG": 1})
    assert happened(account, subscriber) == ["sales_order.delivered", "sales_order.updated"]


def test_stock_is_told_once_a_variant_and_when_it_runs_out(account: Account, subscriber: Subscriber) -> None:
    """K-96: what is promised counts for running out; whether a promise alone is told is a switch."""
    subscribe(account, subscriber.url, [name for name in ALL if name.startswith("current_inventory.")])
    adjusted = [{"variant_id": account.variants[sku], "quantity": -1} for sku in ("MUG", "TEA", "CLAY")]
    body = {"location_id": account.locations["Main"], "stock_adjustment_rows": adjusted}
    assert account.post("/v1/stock_adjustments", json=body).status_code == 200
    told = ["current_inventory.material_updated", *["current_inventory.product_updated"] * 2]
    assert happened(account, subscriber) == told
    account.order(("TEA", 18))
    assert happened(account, subscriber) == []
    account.order(("TEA", 1))
    assert happened(account, subscriber) == ["current_inventory.product_out_of_stock"]
    account.sim("options", webhook_on_commit="yes")
    account.order(("MUG", 1))
    assert happened(account, subscriber) == ["current_inventory.product_updated"]
    account.sim("do/stock", sku="MUG", quantity=0)
    assert happened(account, subscriber) == [
        f"current_inventory.product_{verb}" for verb in ("out_of_stock", "updated")
    ]


def test_the_catalogue_is_told(account: Account, subscriber: Subscriber) -> None:
    subscribe(account, subscriber.url, [name for name in ALL if "order" not in name and "inventory" not in name])
    account.sim("seed", variants=[{"sku": "NEW"}, {"sku": "FELT", "type": "material"}])
    made = ["material.created", "product.created", "variant.created", "variant.created"]
    assert happened(account, subscriber) == made
    account.sim("do/variant", sku="NEW", new_sku="NEWER", archived=True)
    assert happened(account, subscriber) == ["product.updated", "variant.updated"]
    account.sim("do/variant", sku="NEWER", deleted=True)
    assert happened(account, subscriber) == ["variant.deleted"]


def test_nothing_is_told_before_a_subscription_or_without_one(account: Account, subscriber: Subscriber) -> None:
    account.order(("MUG", 1))
    made = subscribe(account, subscriber.url)
    other = subscribe(account, subscriber.url, ["product.created"])
    path = f"/v1/webhooks/{made['id']}"
    account.patch(path, json={"enabled": False})
    account.order(("MUG", 1))
    assert happened(account, subscriber) == []
    account.patch(path, json={"enabled": True})
    account.order(("MUG", 1))
    assert happened(account, subscriber) == ["sales_order.created"]
    for each in (made, other):
        account.delete(f"/v1/webhooks/{each['id']}")
    account.order(("MUG", 1))
    assert report(account)["made"] == 1


# How it is delivered


def test_a_delivery_is_signed_over_its_raw_body(account: Account, subscriber: Subscriber) -> None:
    """K-94, K-95."""
    made = subscribe(account, subscriber.url, ["sales_order.updated", "sales_order.deleted"])
    order = account.order(("MUG", 1))
    account.patch(f"/v1/sales_orders/{order['id']}", json={"customer_ref": "x"})
    settled(account)
    (got,) = subscriber.got
    assert got.signature == signed(made["token"], got.body)
    assert got.headers["content-type"] == "application/json"
    assert "x-katana-retry-num" not in got.headers
    assert got.json == {
        "resource_type": "sales_order",
        "action": "sales_order.updated",
        "webhook_id": made["id"],
        "object": {
            "id": str(order["id"]),
            "status": "NOT_SHIPPED",
            "href": f"{str(account.base_url).rstrip('/')}/v1/sales_orders/{order['id']}",
        },
    }
    account.sim("options", webhook_prefix="yes", webhook_object_id="number")
    account.delete(f"/v1/sales_orders/{order['id']}")
    settled(account)
    got = subscriber.got[-1]
    assert got.signature == f"sha256={signed(made['token'], got.body)}"
    assert got.json["object"] == {"id": order["id"], "status": "NOT_SHIPPED"}, "nothing to link to"


def test_stock_names_its_variant_in_one_of_two_places(account: Account, subscriber: Subscriber) -> None:
    """K-96."""
    subscribe(account, subscriber.url, ["current_inventory.product_updated"])
    account.sim("do/stock", sku="MUG", change=1)
    settled(account)
    about = subscriber.got[-1].json["object"]
    assert about["variant_id"] == str(account.variants["MUG"]) != about["id"]
    account.sim("options", webhook_inventory_object="id")
    account.sim("do/stock", sku="MUG", change=1)
    settled(account)
    assert subscriber.got[-1].json["object"] == {"id": str(account.variants["MUG"])}


def test_a_refused_delivery_is_repeated_three_times_and_then_given_up(account: Account, subscriber: Subscriber) -> None:
    """K-97: in simulated time."""
    subscribe(account, subscriber.url, ["sales_order.created"])
    subscriber.answer = 500
    account.order(("MUG", 1))
    for tries, wait_s in enumerate((30, 120, 900), start=1):
        until(lambda n=tries: report(account)["made"] == n, f"try {tries}")  # type: ignore[misc]
        account.sim("clock", advance_s=wait_s - 10)
        assert report(account)["pending"] == 1, "not yet"
        account.sim("clock", advance_s=11)
    done = settled(account)
    assert done["answers"] == {"500": 4}
    assert done["dropped"] == {"given_up": 1}
    assert [each["retry"] for each in done["deliveries"]] == [0, 1, 2, 3]
    assert [got.headers.get("x-katana-retry-num") for got in subscriber.got] == [None, "1", "2", "3"]
    assert len({(got.body, got.signature) for got in subscriber.got}) == 1


def test_a_repeat_that_is_answered_well_is_the_last(account: Account, subscriber: Subscriber) -> None:
    subscribe(account, subscriber.url, ["sales_order.created"])
    account.sim("options", webhook_timeout_s="0.2")
    subscriber.gate.clear()
    account.order(("MUG", 1))
    until(lambda: report(account)["answers"] == {"none": 1}, "the time-out")
    subscriber.gate.set()
    account.sim("clock", advance_s=31)
    assert settled(account)["answers"] == {"none": 1, "200": 1}


def test_deliveries_come_twice_late_in_another_order_or_not_at_all(account: Account, subscriber: Subscriber) -> None:
    subscribe(account, subscriber.url, ["sales_order.created"])
    account.sim("options", webhook_duplicates="1")
    account.order(("MUG", 1))
    assert happened(account, subscriber) == ["sales_order.created"] * 2
    account.sim("options", webhook_duplicates="0", webhook_reorder="0.5")
    for _ in range(20):
        account.order(("MUG", 1))
    until(lambda: 0 < report(account)["pending"] == 20 - len(subscriber.got), "what is not held back")
    account.sim("clock", advance_s=11)
    settled(account)
    came = [got.json["object"]["id"] for got in subscriber.got]
    assert len(set(came)) == 20
    assert came != sorted(came)
    account.sim("options", webhook_reorder="0", webhook_delay_s="60")
    account.order(("MUG", 1))
    account.sim("options", webhook_delay_s="0", webhooks="off")
    account.order(("MUG", 1))
    assert (report(account)["pending"], report(account)["dropped"]) == (1, {"off": 1})
    account.sim("clock", advance_s=61)
    assert settled(account)["made"] == 23


def test_nothing_is_sent_to_another_machine(account: Account) -> None:
    subscribe(account, SHOP, ["sales_order.created"])
    account.order(("MUG", 1))
    until(lambda: report(account)["made"] == 1, "the judgement")
    assert report(account)["answers"] == {"none": 1}


def test_what_waits_for_a_subscription_ends_with_it(account: Account, subscriber: Subscriber) -> None:
    made = subscribe(account, subscriber.url, ["sales_order.created"])
    account.sim("options", webhook_delay_s="60")
    account.order(("MUG", 1))
    account.delete(f"/v1/webhooks/{made['id']}")
    account.sim("clock", advance_s=61)
    assert settled(account)["dropped"] == {"ended": 1}
    assert subscriber.got == []


def test_thousands_for_a_subscriber_that_is_down_neither_pile_up_nor_hold_anybody(
    account: Account, subscriber: Subscriber
) -> None:
    subscribe(account, subscriber.url, ["current_inventory.product_updated"])
    account.sim("options", webhook_room="500")
    subscriber.gate.clear()
    skus = [f"X-{number}" for number in range(2_000)]
    begun = time.monotonic()
    account.sim("seed", variants=[{"sku": sku, "stock": 1} for sku in skus])
    assert time.monotonic() - begun < 10, "the subscriber answers nothing for 10 s"
    found = report(account)
    assert found["pending"] <= 504, "those in flight besides"
    assert found["dropped"]["full"] >= 1_490
    subscriber.gate.set()
    done = settled(account)
    assert done["made"] + done["dropped"]["full"] == 2_000
    assert len(done["deliveries"]) <= 1_000


def test_a_process_ends_though_a_delivery_is_under_way(subscriber: Subscriber) -> None:
    subscriber.gate.clear()
    script = f"""
import json, sys, urllib.request
from katana_simulator import API_KEY, Simulator
simulator = Simulator(options={{"webhook_http": "on"}})
simulator.start()
def post(path, body):
    headers = {{"Authorization": f"Bearer {{API_KEY}}", "Content-Type": "application/json"}}
    request = urllib.request.Request(simulator.url + path, json.dumps(body).encode(), headers)
    urllib.request.urlopen(request).read()
post("/v1/webhooks", {{"url": {subscriber.url!r}, "subscribed_events": ["variant.created"]}})
post("/_sim/seed", {{"variants": [{{"sku": str(number)}} for number in range(50)]}})
sys.stdin.readline()
"""
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as process:
        until(lambda: len(subscriber.got) >= 4, "the first deliveries")
        process.communicate(b"\n", timeout=8)
        assert process.returncode == 0


def test_what_waits_is_sent_when_the_simulator_starts_again(subscriber: Subscriber) -> None:
    simulator = Simulator(options={"rate_limit": "off", "webhook_http": "on", "webhook_delay_s": "60"})
    simulator.start()
    with closing(Account(simulator.url)) as account:
        subscribe(account, subscriber.url, ["sales_order.created"])
        account.order(("MUG", 1))
    simulator.stop()
    simulator.start()
    with httpx.Client(base_url=simulator.url) as again:
        again.post("/_sim/clock", json={"advance_s": 61})
        until(lambda: len(subscriber.got) == 1, "the delivery")
    simulator.stop()
