"""Products: made, audited, edited, priced, switched on and off (fact sheet 8.1 to 8.3, 8.6 to 8.8)."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.plugins.tiktok.tiktok_caller import Caller, calling, sign

START = 1768460000
BASE = "/product/202309"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", 800, 800)


@pytest.fixture
def caller() -> Iterator[Caller]:
    with calling(token_life_s="9999999") as running:
        running.control("clock", {"now": START, "rate": 0})
        running.token = running.refresh(running.control("settings")["refresh_token"])["data"]["access_token"]
        yield running


def upload(caller: Caller, content: bytes = PNG, path: str = f"{BASE}/images/upload", **extra: Any) -> dict[str, Any]:
    query = {"app_key": caller.settings["app_key"], "timestamp": str(caller.now())} | extra.pop("query", {})
    query["sign"] = sign(caller.settings["app_secret"], path, query)
    files = {"data": ("a.png", content)} | {name: (None, value) for name, value in extra.items()}
    answer = caller.http.post(path, params=query, files=files, headers={"x-tts-access-token": caller.token})
    return dict(answer.json())


def body(caller: Caller, **more: Any) -> dict[str, Any]:
    uri = upload(caller)["data"]["uri"]
    home = caller.data("GET", "/logistics/202309/warehouses")["warehouses"][0]["id"]
    skus = [
        {
            "seller_sku": f"MUG-{colour}",
            "price": {"amount": "12.50", "currency": "USD"},
            "inventory": [{"warehouse_id": home, "quantity": 5}],
            "sales_attributes": [{"name": "Color", "value_name": colour}],
        }
        for colour in ("RED", "BLUE")
    ]
    return {
        "title": "Enamel mug",
        "description": "<p>A mug</p>",
        "category_id": "600154",
        "main_images": [{"uri": uri}],
        "package_weight": {"value": "300", "unit": "GRAM"},
        "skus": skus,
    } | more


def create(caller: Caller, **more: Any) -> dict[str, Any]:
    return dict(caller.call("POST", f"{BASE}/products", None, body(caller, **more)).json())


def live(caller: Caller, **more: Any) -> dict[str, Any]:
    made = create(caller, **more)["data"]
    caller.advance(60)
    return dict(made)


def get(caller: Caller, product_id: str, **query: str) -> dict[str, Any]:
    return caller.data("GET", f"{BASE}/products/{product_id}", query)


def test_a_new_product_is_audited_and_goes_live(caller: Caller) -> None:
    """§8.3, §8.8"""
    made = create(caller)["data"]
    assert [sku["seller_sku"] for sku in made["skus"]] == ["MUG-RED", "MUG-BLUE"]
    pending = get(caller, made["product_id"])
    assert (pending["status"], pending["audit"]["status"]) == ("PENDING", "AUDITING")
    caller.advance(60)
    shown = get(caller, made["product_id"])
    assert (shown["status"], shown["audit"]["status"]) == ("ACTIVATE", "APPROVED")
    assert (shown["title"], shown["description"]) == ("Enamel mug", "<p>A mug</p>")
    assert shown["skus"][0]["sales_attributes"][0]["value_name"] == "RED"
    assert shown["skus"][0]["inventory"][0]["quantity"] == 5
    found = caller.data("POST", "/product/202502/products/search", {"page_size": "10"}, {"seller_skus": ["MUG-BLUE"]})
    assert [one["id"] for one in found["products"]] == [made["product_id"]]
    assert caller.control("buy", {"sku": "MUG-BLUE", "quantity": 5})["bought"] is True


def test_an_audit_may_fail_with_reasons_and_a_draft_waits(caller: Caller) -> None:
    """§8.3"""
    caller.options(audit_outcome="fail")
    failed = get(caller, live(caller)["product_id"])
    assert (failed["status"], failed["audit"]["status"]) == ("FAILED", "FAILED")
    assert failed["audit_failed_reasons"][0]["reasons"]
    draft = get(caller, live(caller, save_mode="AS_DRAFT")["product_id"])
    assert (draft["status"], draft["audit"]["status"]) == ("DRAFT", "NONE")


def test_the_same_key_makes_one_product(caller: Caller) -> None:
    """§8.8"""
    first = create(caller, idempotency_key="k1")["data"]
    assert create(caller, idempotency_key="k1")["data"] == first
    assert create(caller, idempotency_key="k2")["data"]["product_id"] != first["product_id"]
    assert create(caller, idempotency_key="k" * 129)["code"] == 36009004


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"category_id": "1"}, 12052023),
        ({"category_id": "600001"}, 12052230),
        ({"category_version": "v1"}, 12052217),
        ({"main_images": [{"uri": "unknown"}]}, 12019116),
        ({"skus": []}, 12052902),
        ({"title": ""}, 36009004),
        ({"weight": 1}, 36009004),
        ({"save_mode": "NOW"}, 36009004),
    ],
)
def test_a_product_that_breaks_a_rule_is_refused(caller: Caller, change: dict[str, Any], code: int) -> None:
    """§4.3, §8.8"""
    assert create(caller, **change)["code"] == code


@pytest.mark.parametrize(
    ("price", "code"),
    [
        ({"amount": "12.5", "currency": "EUR"}, 12052084),
        ({"amount": "12.505", "currency": "USD"}, 12052012),
        ({"amount": "7600.01", "currency": "USD"}, 12052073),
        ({"sale_price": "5", "currency": "USD"}, 12052012),
        ({"amount": "5", "currency": "USD"}, 0),
    ],
)
def test_prices_lie_in_the_range_of_the_market_in_its_currency(
    caller: Caller, price: dict[str, str], code: int
) -> None:
    """§8.6: at once, active products only, not in a promotion."""
    made = live(caller)
    path = f"{BASE}/products/{made['product_id']}/prices/update"
    wish = {"skus": [{"id": made["skus"][0]["id"], "price": price}]}
    assert caller.code("POST", path, None, wish) == code
    if code == 0:
        assert get(caller, made["product_id"])["skus"][0]["price"]["tax_exclusive_price"] == "5"
        caller.control("sku", {"sku": "MUG-RED", "promotion": True})
        assert caller.code("POST", path, None, wish) == 12052038
        caller.call("POST", f"{BASE}/products/deactivate", None, {"product_ids": [made["product_id"]]})
        assert caller.code("POST", path, None, wish) == 12052901


def test_a_list_of_skus_deletes_the_ones_it_leaves_out_after_the_audit(caller: Caller) -> None:
    """§8.3, §8.8: the old version stays live while the edit is audited."""
    made = live(caller)
    red, blue = (sku["id"] for sku in made["skus"])
    path = f"/product/202509/products/{made['product_id']}/partial_edit"
    assert caller.code("POST", path, None, {"title": "Better mug", "skus": [{"id": red}]}) == 0
    assert len(get(caller, made["product_id"])["skus"]) == 2
    assert get(caller, made["product_id"], return_under_review_version="true")["title"] == "Better mug"
    caller.advance(60)
    shown = get(caller, made["product_id"])
    assert ([sku["id"] for sku in shown["skus"]], shown["title"]) == ([red], "Better mug")
    assert shown["skus"][0]["inventory"][0]["quantity"] == 5
    assert shown["description"] == "<p>A mug</p>"
    assert caller.data("POST", f"{BASE}/inventory/search", None, {"sku_ids": [blue]}) == {"inventory": []}
    assert caller.code("POST", path, None, {"skus": [{"id": blue}]}) == 12052556
    code = caller.code("GET", f"{BASE}/products/{made['product_id']}", {"return_under_review_version": "true"})
    assert code == 12052547


def test_a_whole_edit_empties_what_it_does_not_send_and_a_failed_one_changes_nothing(caller: Caller) -> None:
    """§8.8"""
    made = live(caller, brand_id="7082427311584347905")
    path = f"/product/202509/products/{made['product_id']}"
    sent = {name: value for name, value in body(caller).items() if name != "skus"}
    whole = sent | {"title": "New mug", "skus": [{"id": sku["id"]} for sku in made["skus"]]}
    assert caller.code("PUT", path, None, sent) == 36009004
    caller.options(audit_outcome="fail")
    assert caller.code("PUT", path, None, whole) == 0
    caller.advance(60)
    assert (get(caller, made["product_id"])["title"], get(caller, made["product_id"])["status"]) == (
        "Enamel mug",
        "ACTIVATE",
    )
    caller.options(audit_outcome="pass")
    assert caller.code("PUT", path, None, whole) == 0
    caller.advance(60)
    shown = get(caller, made["product_id"])
    assert (shown["title"], "brand" in shown, len(shown["skus"])) == ("New mug", False, 2)


def test_products_are_switched_off_and_on_deleted_and_recovered(caller: Caller) -> None:
    """§8.7: each that fails is listed."""
    product_id = live(caller)["product_id"]
    ids = {"product_ids": [product_id]}
    seen = []
    for verb, path in (("POST", "products/deactivate"), ("DELETE", "products"), ("POST", "products/recover"),
                       ("POST", "products/activate")):  # fmt: skip
        assert caller.data(verb, f"{BASE}/{path}", None, ids) == {}
        seen.append(caller.control("state")["products"][0]["status"])
    assert seen == ["SELLER_DEACTIVATED", "DELETED", "SELLER_DEACTIVATED", "PENDING"]
    caller.advance(60)
    assert get(caller, product_id)["status"] == "ACTIVATE"
    (error,) = caller.data("POST", f"{BASE}/products/activate", None, ids)["errors"]
    assert (error["code"], error["detail"]["extra_errors"][0]["code"]) == (12052990, 12052901)
    assert caller.code("POST", f"{BASE}/products/activate", None, {"product_ids": ["1"] * 21}) == 12019120


def test_a_day_holds_so_many_listings_and_a_shop_must_be_ready(caller: Caller) -> None:
    """§8.8"""
    caller.options(daily_listing_limit="1", failing_prerequisites="SHOP_TAX")
    results = caller.data("GET", "/product/202312/prerequisites")["check_results"]
    assert [one["check_item"] for one in results if one["is_failed"]] == ["SHOP_TAX"]
    refused = create(caller)
    assert (refused["code"], "SHOP_TAX" in refused["message"]) == (12052990, True)
    caller.options(failing_prerequisites="")
    assert [create(caller)["code"], create(caller)["code"]] == [0, 12052093]
    caller.advance(86400)
    assert create(caller)["code"] == 0


def test_what_is_dropped_is_warned_of_and_a_check_creates_nothing(caller: Caller) -> None:
    """§3.3: listing_check has one object, create a list."""
    strange = {"product_attributes": [{"id": "5", "values": [{"name": "x"}]}]}
    checked = caller.data("POST", f"{BASE}/products/listing_check", None, body(caller, **strange))
    assert (checked["check_result"], "5" in checked["warnings"]["message"]) == ("PASS", True)
    wrong = caller.data("POST", f"{BASE}/products/listing_check", None, body(caller, category_id="1"))
    assert [one["code"] for one in wrong["fail_reasons"]] == [12052023]
    assert caller.control("state")["products"] == []
    assert len(create(caller, **strange)["data"]["warnings"]) == 1


@pytest.mark.parametrize(("kind", "made"), [("lost_reply", 1), ("drop", 0), ("cut_body", 1)])
def test_a_lost_answer_to_a_creation_is_mended_by_its_key(caller: Caller, kind: str, made: int) -> None:
    """§14.27"""
    wish = body(caller, idempotency_key="once")
    caller.faults({"kind": kind, "match": "/products$", "times": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        caller.call("POST", f"{BASE}/products", None, wish)
    assert len(caller.control("state")["products"]) == made
    assert caller.code("POST", f"{BASE}/products", None, wish) == 0
    assert len(caller.control("state")["products"]) == 1


def test_a_search_that_finds_too_much_is_refused(caller: Caller) -> None:
    """§8.1: 12052180; audit_status and inclusive times narrow it."""
    products = [
        {"title": f"P{n}", "sku": f"S{n}", "create_time": START + n, "update_time": START + n} for n in range(5)
    ]
    caller.control("seed", {"products": products})
    caller.options(search_result_limit="4")
    path = "/product/202502/products/search"
    assert caller.code("POST", path, {"page_size": "10"}) == 12052180
    window = {"update_time_ge": START + 1, "update_time_le": START + 3}
    assert caller.data("POST", path, {"page_size": "10"}, window)["total_count"] == 3
    assert caller.data("POST", path, {"page_size": "10"}, {"audit_status": ["FAILED"]})["total_count"] == 0
    assert caller.code("POST", path, {"page_size": "10"}, {"status": "LIVE"}) == 36009004


def test_five_thousand_products_are_searched_quickly(caller: Caller) -> None:
    caller.control("seed", {"products": [{"title": f"P{n}", "sku": f"S{n}"} for n in range(5000)]})
    began = time.monotonic()
    page = caller.data("POST", "/product/202502/products/search", {"page_size": "100"})
    assert len(page["products"]) == 100
    assert time.monotonic() - began < 1
