"""What the simulated gateway refuses, and how it says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.katana.katana_account import Account, opened


@pytest.fixture
def account() -> Iterator[Account]:
    with opened() as running:
        yield running


def failures(answer: Any) -> set[tuple[str, str]]:
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["name"] == "UnprocessableEntityError"
    return {(detail["path"], detail["code"]) for detail in error.get("details", [])}


def test_an_empty_create_names_every_required_property_at_once(account: Account) -> None:
    """K-12, K-13, K-41"""
    answer = account.post("/v1/sales_orders", json={})
    details = answer.json()["error"]["details"]
    assert {detail["info"]["missingProperty"] for detail in details} == {"customer_id", "sales_order_rows"}
    assert {detail["path"] for detail in details} == {""}


@pytest.mark.parametrize("name", ["source", "picked_date", "shipping_fee", "conversion_rate", "conversion_date"])
def test_a_property_the_gateway_does_not_know_is_refused(account: Account, name: str) -> None:
    """K-41"""
    answer = account.post("/v1/sales_orders", json=account.body(**{name: "x"}))
    assert failures(answer) == {("", "additionalProperties")}
    assert answer.json()["error"]["details"][0]["info"] == {"additionalProperty": name}


def test_sku_in_a_row_is_refused_with_its_path(account: Account) -> None:
    body = account.body()
    body["sales_order_rows"][0]["sku"] = "MUG"
    assert failures(account.post("/v1/sales_orders", json=body)) == {("/sales_order_rows/0", "additionalProperties")}


@pytest.mark.parametrize(
    ("row", "failure"),
    [
        ({"quantity": "2"}, ("/sales_order_rows/0/quantity", "type")),
        ({"quantity": -1}, ("/sales_order_rows/0/quantity", "minimum")),
        ({"quantity": 10**18}, ("/sales_order_rows/0/quantity", "maximum")),
        ({"price_per_unit": None}, ("/sales_order_rows/0/price_per_unit", "type")),
        ({"total_discount": -0.01}, ("/sales_order_rows/0/total_discount", "minimum")),
        ({"tax_rate_id": None}, ("/sales_order_rows/0/tax_rate_id", "type")),
        ({"location_id": None}, ("/sales_order_rows/0/location_id", "type")),
        ({"variant_id": 1.5}, ("/sales_order_rows/0/variant_id", "type")),
        ({"variant_id": 2147483648}, ("/sales_order_rows/0/variant_id", "maximum")),
        ({"variant_id": True}, ("/sales_order_rows/0/variant_id", "type")),
        ({"attributes": [{"key": "a"}]}, ("/sales_order_rows/0/attributes/0", "required")),
    ],
)
def test_a_row_value_out_of_bounds_is_refused(account: Account, row: dict[str, Any], failure: tuple[str, str]) -> None:
    """K-18, K-43, K-48"""
    body = account.body()
    body["sales_order_rows"][0] |= row
    assert failures(account.post("/v1/sales_orders", json=body)) == {failure}


@pytest.mark.parametrize(
    ("more", "failure"),
    [
        ({"order_no": None}, ("/order_no", "type")),
        ({"order_no": ""}, ("/order_no", "minLength")),
        ({"location_id": None}, ("/location_id", "type")),
        ({"currency": None}, ("/currency", "type")),
        ({"status": "PACKED"}, ("/status", "enum")),
        ({"delivery_date": None}, ("/delivery_date", "type")),
        ({"order_created_date": "2026-01-15"}, ("/order_created_date", "format")),
        ({"order_created_date": "2026-01-15T09:30:00"}, ("/order_created_date", "format")),
        ({"customer_ref": "x" * 256}, ("/customer_ref", "maxLength")),
        ({"sales_order_rows": []}, ("/sales_order_rows", "minItems")),
        ({"sales_order_rows": {}}, ("/sales_order_rows", "type")),
        ({"addresses": [{"entity_type": "home"}]}, ("/addresses/0/entity_type", "enum")),
        ({"addresses": [{"entity_type": "billing", "id": 1}]}, ("/addresses/0", "additionalProperties")),
        ({"ecommerce_order_id": ""}, ("/ecommerce_order_id", "minLength")),
    ],
)
def test_an_order_value_out_of_bounds_is_refused(
    account: Account, more: dict[str, Any], failure: tuple[str, str]
) -> None:
    """K-17, K-42, K-43, K-47"""
    assert failures(account.post("/v1/sales_orders", json=account.body(**more))) == {failure}


def test_all_failures_come_together_and_before_ids_are_looked_up(account: Account) -> None:
    """K-12, K-13"""
    body = account.body(status="DONE", nonsense=1) | {"customer_id": 999}
    body["sales_order_rows"][0]["quantity"] = None
    assert failures(account.post("/v1/sales_orders", json=body)) == {
        ("/status", "enum"),
        ("", "additionalProperties"),
        ("/sales_order_rows/0/quantity", "type"),
    }
    assert account.get("/_sim/state").json()["sales_orders"] == []


@pytest.mark.parametrize(
    "name", ["additional_info", "customer_ref", "ecommerce_order_id", "tracking_number", "custom_fields"]
)
def test_free_texts_may_be_null_on_create(account: Account, name: str) -> None:
    """K-43"""
    assert account.order(**{name: None})[name] is None


def test_unknown_ids_are_refused_in_words_and_nothing_is_written(account: Account) -> None:
    """K-14"""
    bad_rows = [
        {"variant_id": 999, "quantity": 1},
        {"variant_id": account.variants["MUG"], "quantity": 1, "tax_rate_id": 999},
        {"variant_id": account.variants["MUG"], "quantity": 1, "location_id": 999},
    ]
    bodies = [account.body() | {"customer_id": 999}, account.body(location_id=999)]
    bodies += [account.body() | {"sales_order_rows": [*account.body()["sales_order_rows"], row]} for row in bad_rows]
    for body in bodies:
        answer = account.post("/v1/sales_orders", json=body)
        assert failures(answer) == set()
        assert "not found" in answer.json()["error"]["message"]
    assert account.stock("MUG") == ("50.00000", "0.00000")


def test_an_unknown_id_in_the_path_is_not_found(account: Account) -> None:
    """K-14"""
    for method, path in [
        ("GET", "sales_orders/5"),
        ("PATCH", "sales_orders/5"),
        ("DELETE", "customers/5"),
        ("GET", "nothing"),
    ]:
        answer = account.request(method, f"/v1/{path}", json={} if method == "PATCH" else None)
        assert answer.status_code == 404
        assert answer.json()["error"]["name"] == "NotFoundError"


def test_a_location_that_does_not_sell_is_refused(account: Account) -> None:
    """K-27"""
    answer = account.post("/v1/sales_orders", json=account.body(location_id=account.locations["Repairs"]))
    assert "not allowed" in answer.json()["error"]["message"]


@pytest.mark.parametrize(("switch", "sku"), [("non_sellable_variant", "CLAY"), ("archived_variant", "OLD")])
def test_unsellable_and_archived_variants_are_refused_unless_switched(account: Account, switch: str, sku: str) -> None:
    """K-36"""
    assert failures(account.post("/v1/sales_orders", json=account.body((sku, 1)))) == set()
    account.sim("options", **{switch: "allow"})
    account.order((sku, 1))


def test_a_deleted_variant_is_always_refused(account: Account) -> None:
    account.delete(f"/v1/variants/{account.variants['TEA']}")
    assert failures(account.post("/v1/sales_orders", json=account.body(("TEA", 1)))) == set()


def test_errors_are_bare_where_the_switch_says_so(account: Account) -> None:
    """K-11"""
    account.sim("options", error_wrapper="bare")
    assert account.post("/v1/sales_orders", json={}).json()["code"] == "VALIDATION_FAILED"


def test_a_body_that_is_not_json_is_a_bad_request(account: Account) -> None:
    for content in (b"{", b'{"a": NaN}'):
        answer = account.post("/v1/sales_orders", content=content)
        assert (answer.status_code, answer.json()["error"]["name"]) == (400, "BadRequestError")
    assert failures(account.post("/v1/sales_orders", content=b"[]")) == {("", "type")}


def test_a_query_value_of_the_wrong_type_is_refused(account: Account) -> None:
    assert failures(account.get("/v1/sales_orders?ids=1,2")) == {("/ids", "type")}
    assert failures(account.get("/v1/sales_orders?page=0")) == {("/page", "type")}
