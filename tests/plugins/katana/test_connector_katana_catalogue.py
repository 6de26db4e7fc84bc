"""Variants by SKU, and all that changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from hub.contract import Cursor, Page, TransientError, Variant

LONG = {"X-Pagination": '{"total_pages": "80", "total_records": "20000"}'}


def pulled(pages: list[Page[Variant]]) -> list[Variant]:
    return [variant for page in pages for variant in page.items]


def test_a_hundred_skus_are_one_call(katana: Any, shop: Any) -> None:
    """K-22, K-32."""
    many = [f"SKU-{number}" for number in range(250)]
    katana.seed(variants=[{"sku": sku} for sku in many])
    made = katana.bench()
    katana.forget()
    assert {variant.sku for variant in made.connector.find_variants([*many, many[0], ""])} == set(many)
    assert katana.calls() == ["GET /variants"] * 3


def test_no_sku_costs_no_call(katana: Any, shop: Any) -> None:
    assert katana.bench().connector.find_variants(["", ""]) == []
    assert katana.calls() == []


def test_long_skus_are_asked_for_in_shorter_urls(katana: Any, shop: Any) -> None:
    """K-85: 100 long SKUs would be tens of thousands of letters."""
    many = [f"{number:03}-{'x' * 190}" for number in range(100)]
    katana.seed(variants=[{"sku": sku} for sku in many])
    katana.forget()
    assert len(katana.bench().connector.find_variants(many)) == 100
    assert 2 <= len(katana.calls()) <= 10


@pytest.mark.parametrize("sku", ["A&B=C", "50% off", "Tee/Größe M", "a+b", "x,y", "q?#"])
def test_a_sku_of_any_letters_is_found(katana: Any, shop: Any, sku: str) -> None:
    katana.seed(variants=[{"sku": sku}])
    assert [variant.sku for variant in katana.bench().connector.find_variants([sku])] == [sku]


def test_only_the_exact_sku_counts(odd: Callable[..., Any], httpserver: HTTPServer) -> None:
    """K-26, K-30: whether Katana minds case is unknown; null SKUs exist."""
    rows = [{"id": 1, "sku": "mug"}, {"id": 2, "sku": "MUG"}, {"id": 3, "sku": None}, {"id": 4}]
    httpserver.expect_request("/variants").respond_with_json({"data": rows})
    assert [variant.ref for variant in odd(httpserver.url_for("")).connector.find_variants(["MUG"])] == ["2"]


def test_duplicates_come_back_as_they_are(katana: Any, shop: Any) -> None:
    """K-30: the hub refuses them, rather than pick one."""
    katana.seed(variants=[{"sku": "TWICE"}, {"sku": "TWICE"}, {"sku": "TWICE", "deleted": True}, {"sku": None}])
    found = katana.bench().connector.find_variants(["TWICE"])
    assert [variant.gone for variant in found] == [False, False]


@pytest.mark.parametrize("state", [{"archived": True}, {"sellable": False}])
def test_what_cannot_be_sold_comes_back_as_gone(katana: Any, shop: Any, state: dict[str, bool]) -> None:
    """K-31, K-36: at no extra call."""
    katana.seed(variants=[{"sku": "GONE", "name": "Old mug", **state}])
    katana.forget()
    [found] = katana.bench().connector.find_variants(["GONE"])
    assert (found.gone, found.name) == (True, "Old mug")
    assert katana.calls() == ["GET /variants"]


def test_a_service_is_a_variant_too(katana: Any, shop: Any) -> None:
    """K-35."""
    katana.seed(variants=[{"sku": "WRAP", "type": "service"}])
    [found] = katana.bench().connector.find_variants(["WRAP"])
    assert (found.kind, found.product_ref, found.gone) == ("service", None, False)


def test_more_than_a_page_of_duplicates_is_read_whole(katana: Any, shop: Any) -> None:
    """K-09."""
    katana.seed(variants=[{"sku": "MANY"}] * 25)
    assert len(katana.bench(page_size=10).connector.find_variants(["MANY"])) == 25


def test_an_ignored_filter_turns_to_the_search_instead_of_20000_variants(
    odd: Callable[..., Any], httpserver: HTTPServer
) -> None:
    """K-23, K-33."""
    everything = {"data": [{"id": number, "sku": f"OTHER-{number}"} for number in range(250)]}
    answer = {"data": [{"id": 999, "sku": "MUG", "item": {"name": "Mug", "is_sellable": True}}]}
    httpserver.expect_request("/variants").respond_with_json(everything, headers=LONG)
    httpserver.expect_request("/variants/search").respond_with_json(answer)
    made = odd(httpserver.url_for(""))
    [found] = made.connector.find_variants(["MUG"])
    assert (found.ref, found.name) == ("999", "Mug")
    assert len(httpserver.log) == 2
    assert made.log.events == [("filter-ignored", {"path": "/variants", "filter": "sku"})]


@pytest.mark.parametrize("status", [200, 404, 422])
def test_an_ignored_filter_without_a_search_that_helps_is_an_error_not_an_absence(
    odd: Callable[..., Any], httpserver: HTTPServer, status: int
) -> None:
    """K-23: the hub must not block an order for a SKU that may well exist."""
    everything = {"data": [{"id": number, "sku": f"OTHER-{number}"} for number in range(250)]}
    httpserver.expect_request("/variants").respond_with_json(everything, headers=LONG)
    httpserver.expect_request("/variants/search").respond_with_json(everything, status=status, headers=LONG)
    with pytest.raises(TransientError, match="filter-ignored"):
        odd(httpserver.url_for("")).connector.find_variants(["MUG"])
    assert len(httpserver.log) == 2


def test_the_simulators_search_gives_what_its_list_gives(katana: Any, shop: Any) -> None:
    """K-33: the fallback asks in a way that the search understands."""
    katana.seed(variants=[{"sku": "OLD", "archived": True}])
    made = katana.bench()
    catalogue = made.connector._catalogue
    searched = catalogue._searched(["OLD", "MUG-BLUE"])
    assert {row["sku"] for row in searched} == {"OLD", "MUG-BLUE"}
    assert {row["sku"] for row in searched if row["item"]["archived_at"]} == {"OLD"}


def test_the_first_pull_reads_the_whole_catalogue_the_dead_included(katana: Any, shop: Any) -> None:
    """K-31, K-55: a null SKU is in it, too."""
    katana.seed(variants=[{"sku": "DEAD", "deleted": True}, {"sku": "OLD", "archived": True}, {"sku": None}])
    pages = list(katana.bench(page_size=2).connector.pull_products(None, None))
    found = {variant.sku: variant.gone for variant in pulled(pages)}
    assert found == {"MUG-BLUE": False, "TEA-50G": False, "DEAD": True, "OLD": True, None: False}
    assert [page.cursor is not None for page in pages] == [False, False, True]


def test_a_later_pull_reads_what_changed_since_with_an_overlap(katana: Any, shop: Any) -> None:
    """K-25: whether the bound itself is included is unknown."""
    katana.options(updated_at_min="exclusive")
    made = katana.bench()
    cursor = list(made.connector.pull_products(None, None))[-1].cursor
    katana.control("POST", "clock", {"advance_s": 3600})
    made.clock.at += timedelta(hours=1)
    katana.api("PATCH", f"/variants/{shop['variants']['TEA-50G']}", {"sales_price": 5})
    katana.api("DELETE", f"/variants/{shop['variants']['MUG-BLUE']}")
    pages = list(made.connector.pull_products(cursor, None))
    assert {variant.sku: variant.gone for variant in pulled(pages)} == {"TEA-50G": False, "MUG-BLUE": True}
    katana.control("POST", "clock", {"advance_s": 3600})
    made.clock.at += timedelta(hours=1)
    again = list(made.connector.pull_products(pages[-1].cursor, None))
    assert len(pulled(again)) == 2  # within the overlap
    katana.forget()
    quiet = list(
        katana.bench(memory=made.memory, catalogue_overlap_s=0).connector.pull_products(again[-1].cursor, None)
    )
    assert (pulled(quiet), len(quiet), len(katana.calls())) == ([], 1, 1)
    assert json.loads(quiet[0].cursor or "")["updated_at_min"] == json.loads(again[-1].cursor or "")["updated_at_min"]


def test_a_pull_asks_from_five_minutes_before_its_cursor(odd: Callable[..., Any], httpserver: HTTPServer) -> None:
    """K-25, K-82."""
    httpserver.expect_request("/variants").respond_with_json({"data": []})
    cursor = Cursor('{"updated_at_min": "2026-01-15T08:00:00.000Z"}')
    list(odd(httpserver.url_for("")).connector.pull_products(cursor, None))
    asked = httpserver.log[0][0].args
    assert asked["updated_at_min"] == "2026-01-15T07:55:00.000Z"
    assert (asked["include_deleted"], asked["include_archived"], asked["extend"]) == (
        "true", "true", "product_or_material",
    )  # fmt: skip


def test_an_empty_catalogue_gives_a_page_and_a_cursor(katana: Any) -> None:
    pages = list(katana.bench().connector.pull_products(None, None))
    assert [page.items for page in pages] == [()]
    assert json.loads(pages[0].cursor or "")["updated_at_min"] == "2026-01-15T09:00:00.000Z"


def test_a_cursor_never_passes_the_moment_the_pull_began(katana: Any, shop: Any) -> None:
    """K-82: what changes while pages are read may land on a page already read."""
    made = katana.bench()
    katana.control("POST", "clock", {"advance_s": 3600})
    katana.api("PATCH", f"/variants/{shop['variants']['TEA-50G']}", {"sales_price": 5})
    cursor = list(made.connector.pull_products(None, None))[-1].cursor
    assert json.loads(cursor or "")["updated_at_min"] == "2026-01-15T09:00:00.000Z"


@pytest.mark.parametrize("cursor", ["", "nonsense", "[]", '{"updated_at_min": 7}'])
def test_a_cursor_that_cannot_be_read_means_the_whole_catalogue(katana: Any, shop: Any, cursor: str) -> None:
    assert len(pulled(list(katana.bench().connector.pull_products(Cursor(cursor), None)))) == 2


def test_a_variant_that_comes_twice_is_given_once(odd: Callable[..., Any], httpserver: HTTPServer) -> None:
    """K-82."""

    def answer(request: Request) -> Response:
        rows = {"1": [3, 2], "2": [2, 1]}[request.args["page"]]
        header = '{"total_records":"3","total_pages":"2"}'
        return Response(json.dumps({"data": [{"id": row} for row in rows]}), headers={"X-Pagination": header})

    httpserver.expect_request("/variants").respond_with_handler(answer)
    pages = list(odd(httpserver.url_for(""), page_size=2).connector.pull_products(None, None))
    assert [variant.ref for variant in pulled(pages)] == ["3", "2", "1"]
    assert not json.loads(pages[-1].cursor or "")["second_look"]


def test_a_variant_lost_between_pages_is_looked_for_once_more(odd: Callable[..., Any], httpserver: HTTPServer) -> None:
    """K-82: fewer came than were promised, so the window is read again, but not for ever."""
    header = {"X-Pagination": '{"total_records":"3","total_pages":"1"}'}
    rows = [{"id": 1, "updated_at": "2026-01-15T08:00:00.000Z"}]
    httpserver.expect_request("/variants").respond_with_json({"data": rows}, headers=header)
    made = odd(httpserver.url_for(""))
    [first] = made.connector.pull_products(None, None)
    assert json.loads(first.cursor or "") == {"updated_at_min": None, "second_look": True}
    [second] = made.connector.pull_products(first.cursor, None)
    cursor = json.loads(second.cursor or "")
    assert (cursor["updated_at_min"], cursor["second_look"]) == ("2026-01-15T08:00:00.000Z", False)


def test_an_archived_parent_is_seen_by_look_up_even_where_the_pull_misses_it(katana: Any, shop: Any) -> None:
    """K-86."""
    made = katana.bench()
    [known] = made.connector.find_variants(["TEA-50G"])
    katana.api("PATCH", f"/products/{(known.product_ref or '').removeprefix('product:')}", {"is_archived": True})
    assert made.connector.find_variants(["TEA-50G"])[0].gone


def test_a_pull_breaks_off_where_it_is_read_and_gives_no_cursor(katana: Any, shop: Any) -> None:
    katana.fault("503", "/variants", times=None)
    pages = katana.bench().connector.pull_products(None, None)
    with pytest.raises(TransientError):
        next(pages)


def test_a_variant_has_its_list_price_its_options_and_the_currency_once_locations_were_read(katana: Any) -> None:
    """K-34, K-28: prices are in the factory's currency, which costs no call of its own."""
    katana.seed(variants=[{"sku": "MUG", "name": "Mug", "price": "12.50"}, {"sku": "BARE"}])
    made = katana.bench()
    before = {variant.sku: variant for variant in made.connector.find_variants(["MUG", "BARE"])}
    assert (before["MUG"].price, before["MUG"].currency, before["MUG"].product_name) == (Decimal("12.5"), None, "Mug")
    made.connector.list_locations()
    katana.forget()
    after = {variant.sku: variant for variant in made.connector.find_variants(["MUG", "BARE"])}
    assert (after["MUG"].currency, after["BARE"].price, after["BARE"].currency) == ("USD", None, None)
    assert katana.calls() == ["GET /variants"]


def test_options_tell_siblings_apart(odd: Callable[..., Any], httpserver: HTTPServer) -> None:
    configs = [{"config_name": "Colour", "config_value": "Blue"}, {"config_name": "Size", "config_value": None}]
    row = {"id": 1, "sku": "MUG", "config_attributes": configs, "product_or_material": {"name": "Mug"}}
    httpserver.expect_request("/variants").respond_with_json({"data": [row]})
    (found,) = odd(httpserver.url_for("")).connector.find_variants(["MUG"])
    assert (found.name, found.product_name, found.options) == ("Mug / Blue", "Mug", {"Colour": "Blue"})
