"""Account, locations, catalogue and tax rates of the simulated account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.katana.katana_account import Account, opened


@pytest.fixture
def account() -> Iterator[Account]:
    with opened() as running:
        yield running


def skus(account: Account, query: str) -> list[Any]:
    return [row["sku"] for row in account.get(f"/v1/variants?{query}").json()["data"]]


def test_user_and_factory_come_without_a_wrapper(account: Account) -> None:
    """K-02, K-28"""
    assert set(account.get("/v1/user_info").json()) == {"id", "firstName", "lastName", "email"}
    factory = account.get("/v1/factory").json()
    assert factory["default_sales_location_id"] == account.locations["Main"]
    assert factory["base_currency_code"] == "USD"


def test_locations_are_read_only_and_filtered(account: Account) -> None:
    """K-27"""
    selling = account.get("/v1/locations?sales_allowed=True").json()["data"]
    assert {row["name"] for row in selling} == {"Main", "West"}
    assert len(account.get("/v1/locations?purchase_allowed=false").json()["data"]) == 3
    assert account.get("/v1/locations?purchases_allowed=false").json()["data"] == []
    assert account.get(f"/v1/locations/{account.locations['West']}").json()["name"] == "West"
    assert account.post("/v1/locations", json={"name": "New"}).status_code == 404


def test_variants_are_found_by_several_skus_exactly(account: Account) -> None:
    """K-22, K-32"""
    assert skus(account, "sku=MUG&sku=TEA&sku=mug") == ["TEA", "MUG"]


def test_archived_and_deleted_variants_are_hidden_until_asked_for(account: Account) -> None:
    """K-31"""
    account.delete(f"/v1/variants/{account.variants['TEA']}")
    assert skus(account, "sku=OLD&sku=TEA") == []
    assert skus(account, "sku=OLD&sku=TEA&include_archived=true") == ["OLD"]
    assert skus(account, "sku=OLD&sku=TEA&include_deleted=true") == ["TEA"]


def test_names_and_marks_live_on_the_parent(account: Account) -> None:
    """K-29, K-31, K-34"""
    path = f"/v1/variants/{account.variants['CLAY']}"
    plain = account.get(path).json()
    assert "name" not in plain
    assert (plain["type"], plain["product_id"], plain["sales_price"]) == ("material", None, None)
    parent = account.get(path + "?extend=product_or_material").json()["product_or_material"]
    assert (parent["name"], parent["is_sellable"], parent["archived_at"]) == ("Clay", False, None)


def test_a_services_variant_has_no_parent_ids(account: Account) -> None:
    """K-35"""
    variant = account.get(f"/v1/variants/{account.variants['WRAP']}").json()
    assert (variant["type"], variant["product_id"], variant["material_id"]) == ("service", None, None)


def test_parents_of_different_kinds_share_ids(account: Account) -> None:
    """K-29"""
    ids = [
        {row["id"] for row in account.get(f"/v1/{kind}").json()["data"]}
        for kind in ("products", "materials", "services")
    ]
    assert set.intersection(*ids)


def test_skus_may_repeat_and_be_missing(account: Account) -> None:
    """K-30"""
    twins = [{"sku": "TWIN"}, {"sku": "TWIN"}, {"sku": "TWIN", "archived": True}, {"sku": "TWIN", "deleted": True}]
    account.sim("seed", variants=[*twins, {"sku": None, "name": "Nameless"}])
    assert skus(account, "sku=TWIN") == ["TWIN"] * 2
    assert skus(account, "sku=TWIN&include_archived=true&include_deleted=true") == ["TWIN"] * 4
    assert None in skus(account, "")


def test_a_product_is_created_changed_archived_and_deleted(account: Account) -> None:
    body = {"name": "Bowl", "variants": [{"sku": "BOWL-S", "sales_price": 8.5}, {"sku": "BOWL-L"}]}
    product = account.post("/v1/products", json=body).json()
    assert [variant["sku"] for variant in product["variants"]] == ["BOWL-S", "BOWL-L"]
    path = f"/v1/products/{product['id']}"
    account.patch(path, json={"is_archived": True})
    assert skus(account, "sku=BOWL-S") == []
    account.patch(path, json={"is_archived": False})
    assert skus(account, f"product_id={product['id']}") == ["BOWL-L", "BOWL-S"]
    account.patch(f"/v1/variants/{product['variants'][0]['id']}", json={"sku": "BOWL-XS"})
    assert skus(account, "sku=BOWL-S&sku=BOWL-XS") == ["BOWL-XS"]
    account.delete(path)
    assert skus(account, "sku=BOWL-XS&sku=BOWL-L") == []


def test_a_variant_needs_exactly_one_parent(account: Account) -> None:
    assert account.post("/v1/variants", json={"sku": "X"}).status_code == 422
    assert account.post("/v1/variants", json={"sku": "X", "product_id": 501, "material_id": 501}).status_code == 422
    assert account.post("/v1/variants", json={"sku": "X", "product_id": 501}).status_code == 200


def test_materials_refuse_a_sales_price(account: Account) -> None:
    body = {"name": "Sand", "variants": [{"sku": "SAND", "sales_price": 1}]}
    assert account.post("/v1/materials", json=body).json()["error"]["details"][0]["path"] == "/variants/0"


def test_tax_rates_are_found_by_rate_or_created(account: Account) -> None:
    """K-78"""
    assert [row["name"] for row in account.get("/v1/tax_rates?rate=20").json()["data"]] == ["VAT"]
    assert account.get("/v1/tax_rates?rate=7.25").json()["data"] == []
    assert account.post("/v1/tax_rates", json={"rate": 7.25, "name": "Low"}).json()["rate"] == 7.25
    assert len(account.get("/v1/tax_rates?rate=7.250").json()["data"]) == 1
    assert account.post("/v1/tax_rates", json={"rate": 1000}).status_code == 422
    assert account.get(f"/v1/tax_rates/{account.taxes['VAT']}").status_code == 404
