"""Reading stock: exact whatever Katana does with the filters, and in as few calls as there are."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from hub.contract import RejectedError, StockLevel, TransientError

MAIN, WEST = "Main warehouse", "West"


@pytest.fixture
def stocked(katana: Any, shop: Any) -> Any:
    """Two locations and 120 more products with 1, 2, 3 ... in stock; ids by name or SKU."""
    katana.seed(locations=[{"name": WEST}])
    many = [{"sku": f"P-{n:03}", "name": f"Product {n}", "price": "1", "stock": {MAIN: n}} for n in range(1, 121)]
    made = katana.seed(variants=many)["variants"]
    locations = {row["name"]: row["id"] for row in katana.api("GET", "/locations")["data"]}
    katana.forget()
    return {"variants": shop["variants"] | made, "locations": {name: str(id_) for name, id_ in locations.items()}}


def levels(bench: Any, variants: Any, location: str | None) -> list[StockLevel]:
    return [level for page in bench.connector.pull_inventory(variants, location) for level in page.items]


def in_stock(found: list[StockLevel]) -> dict[str, Decimal]:
    assert len({(level.variant_ref, level.location_ref) for level in found}) == len(found)
    return {level.variant_ref: level.in_stock for level in found}


def refs(stocked: Any, *skus: str) -> list[str]:
    return [str(stocked["variants"][sku]) for sku in skus]


def test_a_sweep_of_one_location_costs_one_call_per_page_and_brings_each_variant_once(
    katana: Any, stocked: Any
) -> None:
    """K-72: 122 variants at each of three locations, 50 a page."""
    bench = katana.bench(page_size=50)
    found = levels(bench, None, stocked["locations"][MAIN])
    assert katana.calls() == ["GET /inventory"] * 3
    assert len(in_stock(found)) == 122
    assert {level.location_ref for level in found} == {stocked["locations"][MAIN]}
    assert in_stock(found)[refs(stocked, "P-017")[0]] == 17


def test_a_sweep_of_all_locations_is_one_list(katana: Any, stocked: Any) -> None:
    """K-72: 366 records, 250 a page."""
    found = levels(katana.bench(), None, None)
    assert katana.calls() == ["GET /inventory"] * 2
    assert len(found) == 366
    assert {level.location_ref for level in found} == set(stocked["locations"].values())


def test_named_variants_come_a_hundred_to_a_call(katana: Any, stocked: Any) -> None:
    """K-22, K-72."""
    wanted = refs(stocked, *(f"P-{n:03}" for n in range(1, 116)))
    found = levels(katana.bench(), [*wanted, wanted[0], "not-katana"], stocked["locations"][MAIN])
    assert katana.calls() == ["GET /inventory"] * 2
    assert in_stock(found) == {ref: Decimal(n) for n, ref in enumerate(wanted, start=1)}


def test_no_variants_are_no_call(katana: Any, stocked: Any) -> None:
    """Nothing asked is nothing read: a filter without values would bring everything."""
    assert levels(katana.bench(), [], None) == []
    assert katana.calls() == []


def test_too_many_values_at_once_are_halved_and_that_is_remembered(katana: Any, stocked: Any) -> None:
    """K-85."""
    katana.options(most_filter_values="40")
    bench = katana.bench()
    wanted = refs(stocked, *(f"P-{n:03}" for n in range(1, 61)))
    assert len(levels(bench, wanted, stocked["locations"][MAIN])) == 60
    assert katana.calls() == ["GET /inventory"] * 3  # 60 refused, then 30 and 30
    katana.forget()
    levels(bench, wanted, stocked["locations"][MAIN])
    assert katana.calls() == ["GET /inventory"] * 2


def test_quantities_are_exact_decimals_negative_ones_too_and_a_kit_tells_its_potential(
    katana: Any, stocked: Any, order: Any
) -> None:
    """K-20, K-73, K-74."""
    kit = [{"sku": "P-010", "quantity": 2}, {"sku": "P-009", "quantity": 1}]
    made = katana.seed(variants=[{"sku": "BOX", "name": "Box", "price": "9", "kit": kit}])["variants"]
    katana.do("stock", sku="TEA-50G", quantity="-3.5")
    bench = katana.bench()
    bench.connector.push_order(order(), None)
    found = {
        level.variant_ref: level
        for level in levels(
            bench, [*refs(stocked, "MUG-BLUE", "TEA-50G"), str(made["BOX"])], stocked["locations"][MAIN]
        )
    }
    mug, tea = (found[ref] for ref in refs(stocked, "MUG-BLUE", "TEA-50G"))
    assert (mug.in_stock, mug.committed, mug.potential) == (Decimal(0), Decimal(2), Decimal(0))
    assert (tea.in_stock, tea.committed) == (Decimal("-3.5"), Decimal(1))
    assert found[str(made["BOX"])].potential == Decimal(5)


def test_archived_variants_are_left_out(katana: Any, stocked: Any) -> None:
    """K-31: nobody can order them."""
    katana.do("variant", sku="P-001", archived=True)
    main = stocked["locations"][MAIN]
    assert levels(katana.bench(), refs(stocked, "P-001"), main) == []
    assert len(levels(katana.bench(), None, main)) == 121


def test_archived_variants_are_left_out_also_where_katana_shows_them(
    odd: Callable[..., Any], httpserver: HTTPServer
) -> None:
    rows = [record(1, 1), record(2, 1) | {"archived_at": "2026-01-01T00:00:00.000Z"}, record(3, 1)]
    httpserver.expect_request("/inventory").respond_with_json({"data": rows})
    assert set(in_stock(levels(odd(httpserver.url_for("/")), None, "1"))) == {"1", "3"}


def test_every_level_is_as_of_the_instant_its_page_was_asked_for(katana: Any, stocked: Any) -> None:
    """A reading may pause between its pages; an order placed after a page was asked for may be missing in it."""
    bench = katana.bench(page_size=50)
    asked, pages = bench.clock.at, 0
    for page in bench.connector.pull_inventory(None, None):
        assert {level.at for level in page.items} <= {asked}
        bench.clock.at += timedelta(minutes=1)
        asked, pages = bench.clock.at, pages + 1
    assert pages > 2


def serve(
    httpserver: HTTPServer, rows: list[dict[str, Any]], honours: Callable[[Request, dict[str, Any]], bool]
) -> Any:
    """An account of these records that filters only as ``honours`` says."""

    def answer(request: Request) -> Response:
        shown = [row for row in rows if honours(request, row)]
        limit, number = int(request.args["limit"]), int(request.args["page"])
        pages = -(-len(shown) // limit)
        said = {"total_records": str(len(shown)), "total_pages": str(pages), "last_page": str(number >= pages).lower()}
        body = {"data": shown[(number - 1) * limit : number * limit]}
        return Response(json.dumps(body), content_type="application/json", headers={"X-Pagination": json.dumps(said)})

    httpserver.expect_request("/inventory").respond_with_handler(answer)
    return httpserver.url_for("/")


def record(variant: int, location: int, quantity: str = "1.00000") -> dict[str, Any]:
    names = {"quantity_in_stock": quantity, "quantity_committed": "0.00000", "quantity_potential": None}
    return {"variant_id": variant, "location_id": location, **names}


RECORDS = [record(variant, location) for location in (1, 2) for variant in range(1, 31)]


@pytest.mark.parametrize("ignored", ["variant_id", "location_id", "both"])
def test_a_filter_that_is_ignored_is_made_up_for_in_one_reading_of_the_whole_list(
    odd: Callable[..., Any], httpserver: HTTPServer, ignored: str
) -> None:
    """K-23: 60 records, 20 a page."""

    def honours(request: Request, row: dict[str, Any]) -> bool:
        variants, location = request.args.getlist("variant_id"), request.args.get("location_id")
        is_variant = not variants or ignored in ("variant_id", "both") or str(row["variant_id"]) in variants
        return is_variant and (
            not location or ignored in ("location_id", "both") or str(row["location_id"]) == location
        )

    bench = odd(serve(httpserver, RECORDS, honours), page_size=20)
    found = levels(bench, ["5", "29"], "2")
    assert {(level.variant_ref, level.location_ref) for level in found} == {("5", "2"), ("29", "2")}
    assert len(httpserver.log) <= 4
    httpserver.clear_log()
    assert len(levels(bench, None, "2")) == 30
    assert len(httpserver.log) <= 3


def test_a_record_that_slipped_past_the_paging_is_read_after_all(
    odd: Callable[..., Any], httpserver: HTTPServer
) -> None:
    """K-82: a product was deleted between two pages, so that the next page begins one too late."""
    rows = [record(variant, 1) for variant in range(1, 41)]

    def answer(request: Request) -> Response:
        shown = [row for row in rows if row["variant_id"] != 3 or not httpserver.log]
        limit, number = int(request.args["limit"]), int(request.args["page"])
        said = {"total_records": str(len(shown)), "total_pages": "2", "last_page": str(number == 2).lower()}
        body = {"data": shown[(number - 1) * limit : number * limit]}
        return Response(json.dumps(body), content_type="application/json", headers={"X-Pagination": json.dumps(said)})

    httpserver.expect_request("/inventory").respond_with_handler(answer)
    found = levels(odd(httpserver.url_for("/"), page_size=20), None, "1")
    assert sorted(int(level.variant_ref) for level in found) == list(range(1, 41))
    assert len(httpserver.log) == 4


@pytest.mark.parametrize("wrong", [{"quantity_in_stock": None}, {"quantity_committed": "null"}, {"location_id": None}])
def test_a_record_that_cannot_be_read_is_an_error_and_never_a_zero(
    odd: Callable[..., Any], httpserver: HTTPServer, wrong: dict[str, Any]
) -> None:
    """A commitment read as 0 would sell what is promised."""
    httpserver.expect_request("/inventory").respond_with_json({"data": [record(1, 1) | wrong]})
    with pytest.raises(TransientError) as caught:
        levels(odd(httpserver.url_for("/")), None, None)
    assert caught.value.code == "answer-unreadable"


def test_a_location_that_cannot_be_katanas_is_refused_before_any_call(katana: Any, stocked: Any) -> None:
    """K-18."""
    with pytest.raises(RejectedError) as caught:
        levels(katana.bench(), None, "Main warehouse")
    assert caught.value.code == "reference-invalid"
    assert katana.calls() == []


def test_a_sweep_tells_each_sku_at_no_further_call(katana: Any, stocked: Any) -> None:
    """K-91."""
    bench = katana.bench()
    found = levels(bench, None, stocked["locations"][MAIN])
    assert katana.calls() == ["GET /inventory"]
    assert {level.sku: level.variant_ref for level in found}["P-007"] == str(stocked["variants"]["P-007"])
