"""What a listing needs: pictures, categories, attributes, brands (fact sheet 8.9)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.plugins.tiktok.test_simulator_tiktok_products import BASE, PNG, upload
from tests.plugins.tiktok.tiktok_caller import Caller, calling


@pytest.fixture
def caller() -> Iterator[Caller]:
    with calling() as running:
        yield running


def test_a_picture_is_uploaded_without_cipher_and_its_bytes_are_not_signed(caller: Caller) -> None:
    """§3.2, §3.4"""
    answer = upload(caller, use_case="MAIN_IMAGE")
    assert answer["code"] == 0
    assert (answer["data"]["width"], answer["data"]["height"], answer["data"]["use_case"]) == (800, 800, "MAIN_IMAGE")
    assert caller.http.get(answer["data"]["url"]).content == PNG
    refused = upload(caller, query={"shop_cipher": caller.cipher})
    assert (refused["code"], "not required" in refused["message"]) == (36009004, True)
    calls = [one for one in caller.control("journal")["calls"] if one["path"].endswith("/upload")]
    assert [one["wrote"] for one in calls] == [True, False]


def test_pictures_of_the_wrong_kind_or_size_are_refused(caller: Caller) -> None:
    """§4.3, §8.9"""
    small = PNG[:16] + (200).to_bytes(4, "big") * 2
    assert upload(caller, small, use_case="MAIN_IMAGE")["code"] == 12038005
    assert upload(caller, small, use_case="DESCRIPTION_IMAGE")["code"] == 0
    assert upload(caller, b"GIF89a" + bytes(40))["code"] == 12038004
    assert upload(caller, PNG + bytes(10_000_001))["code"] == 12038002
    assert upload(caller, use_case="ICON")["code"] == 36009004
    assert caller.code("POST", f"{BASE}/images/upload", None, {"data": "x"}, cipher=None) == 36009023


def test_a_file_has_a_name_with_one_dot(caller: Caller) -> None:
    """§8.9"""
    path = f"{BASE}/files/upload"
    assert upload(caller, b"%PDF-1.4", path, name="safety.pdf")["data"]["format"] == "PDF"
    assert upload(caller, b"%PDF-1.4", path, name="my safety.pdf")["code"] == 36009004


def test_categories_form_a_tree_whose_leaves_have_attributes_and_rules(caller: Caller) -> None:
    """§8.9: `is_requried` is the field's real name."""
    tree = {one["id"]: one for one in caller.data("GET", f"{BASE}/categories")["categories"]}
    assert all(one["parent_id"] == "0" or one["parent_id"] in tree for one in tree.values())
    (mugs,) = caller.data("GET", f"{BASE}/categories", {"keyword": "mug"})["categories"]
    attributes = caller.data("GET", f"{BASE}/categories/{mugs['id']}/attributes")["attributes"]
    assert "is_requried" in attributes[0]
    assert caller.data("GET", f"{BASE}/categories/{mugs['id']}/rules")["package_dimension"]["is_required"]
    assert caller.code("GET", f"{BASE}/categories/{mugs['parent_id']}/rules") == 12052230
    assert caller.code("GET", f"{BASE}/categories", {"category_version": "v1"}) == 12052217
    asked = {"product_title": "Cotton tee"}
    assert caller.data("POST", f"{BASE}/categories/recommend", None, asked)["leaf_category_id"] == "601302"


def test_brands_are_listed_in_pages_and_made(caller: Caller) -> None:
    """§8.9: one authorized_status is misspelt in the docs."""
    found = caller.data("GET", f"{BASE}/brands", {"page_size": "100"})["brands"]
    assert {one["authorized_status"] for one in found} == {"AUTHORIZED", "UNAUTHORIEZD"}
    assert caller.code("POST", f"{BASE}/brands", None, {"name": "x"}, cipher=None) == 36009004
    made = caller.data("POST", f"{BASE}/brands", None, {"name": "Fresh"}, cipher=None)["id"]
    page = caller.data("GET", f"{BASE}/brands", {"page_size": "1", "is_authorized": "1"})
    rest = caller.data(
        "GET", f"{BASE}/brands", {"page_size": "9", "is_authorized": "1", "page_token": page["next_page_token"]}
    )
    assert made in [one["id"] for one in page["brands"] + rest["brands"]]
