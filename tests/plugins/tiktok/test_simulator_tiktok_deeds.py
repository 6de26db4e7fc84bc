"""The demo's neutral deeds, as this channel carries them out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.tiktok.tiktok_caller import Caller, calling

NOW, HOUR = 1768460000, 3600


@pytest.fixture
def caller() -> Iterator[Caller]:
    with calling() as running:
        running.control("clock", {"now": NOW, "rate": 0})
        catalogue = [{"sku": sku, "name": sku.title(), "price": "9.00", "stock": 20} for sku in ("CUP", "POT")]
        said = running.control("demo", {"catalogue": catalogue, "locations": ["Main", "West"], "orders": 1})
        assert said["carriers"]
        assert set(said["settings"]) == {"service_id"}
        yield running


def do(caller: Caller, deed: str, **wish: Any) -> Any:
    return caller.control("deed", {"deed": deed, **wish})


def bought(caller: Caller, **wish: Any) -> str:
    """Have a buyer order, past the hold."""
    ref = do(caller, "buy", **wish)["ref"]
    caller.advance(HOUR + 1)
    return str(ref)


def order(caller: Caller, ref: str) -> dict[str, Any]:
    return next(each for each in do(caller, "orders")["orders"] if each["ref"] == ref)


def test_a_buyer_gets_what_is_there_and_nothing_else(caller: Caller) -> None:
    before = do(caller, "stock")["stock"]["CUP"]
    said = do(caller, "buy", items={"CUP": 2}, location="West")
    assert do(caller, "stock")["stock"]["CUP"] == {"Main": before["Main"], "West": before["West"] - 2}
    shown = order(caller, said["ref"])
    assert (shown["state"], shown["ships_from"], shown["by_channel"]) == ("held", "West", False)
    assert [unit["items"] for unit in shown["units"]] == [{"CUP": 1}] * 2
    refused = do(caller, "buy", items={"CUP": 1000})
    assert (refused["bought"], refused["ref"]) == (False, None)
    assert refused["available"]["CUP"] == before["Main"] + before["West"] - 2


def test_an_order_is_cancelled_whole_in_part_or_by_asking(caller: Caller) -> None:
    whole, part, asked = (bought(caller, items={"CUP": 2}) for _ in range(3))
    do(caller, "cancel", ref=whole)
    do(caller, "cancel", ref=part, items={"CUP": 1})
    do(caller, "cancel", ref=asked, asks=True)
    assert order(caller, whole)["state"] == "cancelled"
    assert sorted(unit["state"] for unit in order(caller, part)["units"]) == ["cancelled", "open"]
    assert order(caller, asked)["state"] == "open"
    assert caller.control(f"orders/{asked}")["order"]["cancel_requested"]


def test_the_channel_ships_its_own_and_takes_goods_back(caller: Caller) -> None:
    before = do(caller, "stock")["stock"]["POT"]
    ref = bought(caller, items={"POT": 1}, by_channel=True)
    assert do(caller, "stock")["stock"]["POT"] == before
    do(caller, "ship", ref=ref, number="N1")
    shown = order(caller, ref)
    assert (shown["state"], shown["by_channel"]) == ("shipped", True)
    assert [unit["number"] for unit in shown["units"]] == ["N1"]
    do(caller, "send back", ref=ref)
    caller.advance(HOUR)
    (told,) = caller.data("POST", "/return_refund/202309/returns/search", {"page_size": "10"})["return_orders"]
    assert (told["order_id"], told["return_status"]) == (ref, "RETURN_OR_REFUND_REQUEST_COMPLETE")
    assert told["return_tracking_number"]


def test_locations_and_products_are_told_by_kind_and_state(caller: Caller) -> None:
    told = [(each["name"], each["kind"]) for each in do(caller, "locations")["locations"]]
    expected = [("Main", "ships"), ("West", "ships"), ("Main", "returns"), ("Fulfilled by TikTok", "channel")]
    assert told == expected
    assert {tuple(each["skus"]): each["state"] for each in do(caller, "products")["products"]}["CUP",] == "live"


def test_staff_are_refused_and_others_are_no_sellers(caller: Caller) -> None:
    for account, logged_in, user_type in (("owner", "main", "0"), ("staff", "sub_denied", "0"), ("other", "main", "1")):
        do(caller, "consent", redirect="http://127.0.0.1:1/back", account=account)
        options = caller.control("options")
        assert (options["logged_in"], options["user_type"]) == (logged_in, user_type)
        assert options["redirect_url"] == "http://127.0.0.1:1/back"


def test_calls_are_counted_by_what_they_are_about_and_deeds_are_none(caller: Caller) -> None:
    caller.cipher = caller.data("GET", "/authorization/202309/shops", cipher=None)["shops"][0]["cipher"]
    since = do(caller, "calls")["next"]
    caller.data("POST", "/product/202502/products/search", {"page_size": "10"})
    caller.data("POST", "/return_refund/202309/returns/search", {"page_size": "10"})
    caller.data("POST", "/return_refund/202309/cancellations/search", {"page_size": "10"})
    caller.data("GET", "/logistics/202309/warehouses")
    counted = do(caller, "calls", since=since)
    assert counted["kinds"] == {"account": 1, "orders": 1, "products": 1, "returns": 1}
    assert (counted["writes"], counted["too_many"]) == (0, 0)
    assert do(caller, "calls", since=counted["next"])["kinds"] == {}


def test_an_unknown_deed_is_refused_in_words(caller: Caller) -> None:
    answer = caller.http.post(f"{caller.simulator.url}/_sim/deed", json={"deed": "dance"})
    assert answer.status_code == 400
    assert "there are buy, cancel" in answer.json()["error"]
