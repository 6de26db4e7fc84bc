"""Finding sales orders by their channel order: what is there is found, and an absence is proven."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from hub.contract import OrderKey, TransientError

AT = datetime(2026, 1, 15, 8, 30, tzinfo=UTC)
BY_KEY = ["GET /sales_orders", "GET /sales_orders"]
LONG = {"X-Pagination": '{"total_pages": "400", "total_records": "100000"}'}


def keys(*refs: int) -> list[OrderKey]:
    return [OrderKey(key=f"TT-{ref}", channel="tiktok", shop="7495", ref=str(ref), ordered_at=AT) for ref in refs]


def place(katana: Any, refs: Sequence[int], **changes: Any) -> list[int]:
    """Put orders into the account as this connector would have."""
    rows = [{"sku": "TEA-50G", "quantity": 1}]
    orders = [
        {"order_no": f"TT-{ref}", "ecommerce_order_type": "tiktok", "ecommerce_store_name": "7495",
         "ecommerce_order_id": str(ref), "sales_order_rows": rows} | changes
        for ref in refs
    ]  # fmt: skip
    return list(katana.seed(sales_orders=orders)["sales_orders"])


def test_no_keys_cost_no_call(katana: Any, shop: Any) -> None:
    assert katana.bench().connector.find_orders([], None) == []
    assert katana.calls() == []


def test_one_key_is_two_calls_deleted_orders_included(katana: Any, shop: Any) -> None:
    """K-55, K-56."""
    [ref] = place(katana, [1])
    katana.api("DELETE", f"/sales_orders/{ref}")
    katana.forget()
    [found] = katana.bench().connector.find_orders(keys(1), None)
    assert (found.ref, found.deleted, found.ours, found.complete) == (str(ref), True, True, True)
    assert katana.calls() == BY_KEY


def test_an_order_that_another_tool_made_is_found_by_the_channels_id(katana: Any, shop: Any) -> None:
    """K-46: so that it is adopted, not made again."""
    place(katana, [1], order_no="SO-77", ecommerce_order_type="other tool", ecommerce_store_name="My shop")
    [found] = katana.bench().connector.find_orders(keys(1), None)
    assert (found.number, found.ours) == ("SO-77", False)


def test_the_same_id_in_another_shop_of_our_channel_is_another_order(katana: Any, shop: Any) -> None:
    """K-46."""
    place(katana, [1], order_no="TT-other", ecommerce_store_name="another shop")
    assert katana.bench().connector.find_orders(keys(1), None) == []


def test_a_number_in_other_letters_is_another_order(katana: Any, shop: Any) -> None:
    """K-26: whether Katana minds case is unknown; we do."""
    katana.options(order_no_match="ignore_case")
    place(katana, [1], order_no="tt-1", ecommerce_order_id="x")
    assert katana.bench().connector.find_orders(keys(1), None) == []


@pytest.mark.parametrize("style", ["mixed", "strings"])
def test_totals_are_read_in_either_style(katana: Any, shop: Any, style: str) -> None:
    """K-19."""
    katana.options(number_style=style)
    place(katana, [1])
    [found] = katana.bench().connector.find_orders(keys(1), None)
    assert found.total == 4


def test_many_keys_in_a_short_window_are_one_call(katana: Any, shop: Any) -> None:
    """K-24: all orders created since the oldest key, deleted ones included."""
    refs = place(katana, range(1, 101))
    katana.api("DELETE", f"/sales_orders/{refs[0]}")
    katana.forget()
    found = katana.bench().connector.find_orders(keys(*range(1, 201)), None)
    assert len(katana.calls()) == 1
    assert len(found) == 100
    assert [each.key for each in found if each.deleted] == ["TT-1"]


def test_a_window_of_several_pages_is_read_whole(katana: Any, shop: Any) -> None:
    """K-09: pages are counted from header values that are texts."""
    place(katana, range(1, 26))
    found = katana.bench(page_size=10).connector.find_orders(keys(*range(1, 101)), None)
    assert len(found) == 25
    assert len(katana.calls()) == 3


@pytest.mark.parametrize("seed", range(4))
def test_a_row_that_paging_lost_is_found_all_the_same(katana: Any, shop: Any, seed: int) -> None:
    """K-82: offset paging skips a row while data changes; a lost row would become a second order."""
    place(katana, range(1, 26))
    fault = {"kind": "page_shift", "match": "/sales_orders$", "times": 2}
    katana.control("POST", "faults", {"faults": [fault], "seed": seed})
    found = katana.bench(page_size=10).connector.find_orders(keys(*range(1, 101)), None)
    assert {each.key for each in found} == {f"TT-{ref}" for ref in range(1, 26)}
    assert len(found) == 25


@pytest.mark.parametrize("shape", ["both", "nested", "flat"])
def test_a_long_window_is_searched_in_whichever_shape_the_account_takes(katana: Any, shop: Any, shape: str) -> None:
    """K-57; two calls per 100 keys once the shape is known."""
    katana.options(search_shape=shape)
    place(katana, range(1, 61))
    made = katana.bench(page_size=10)
    assert len(made.connector.find_orders(keys(*range(1, 11)), None)) == 10
    katana.forget()
    assert len(made.connector.find_orders(keys(*range(1, 11)), None)) == 10
    assert katana.calls() == ["GET /sales_orders", "POST /sales_orders/search", "POST /sales_orders/search"]
    assert made.memory["order-search"] == ("nested" if shape == "nested" else "flat")


def test_a_deleted_order_that_the_search_hides_is_confirmed_by_its_number(katana: Any, shop: Any) -> None:
    """K-83: whether the search shows deleted ones is unknown; the simulator's does not."""
    refs = place(katana, range(1, 101))
    katana.api("DELETE", f"/sales_orders/{refs[2]}")
    katana.forget()
    found = katana.bench(page_size=10).connector.find_orders(keys(1, 2, 3), None)
    assert {each.key: each.deleted for each in found} == {"TT-1": False, "TT-2": False, "TT-3": True}
    assert katana.calls() == [
        "GET /sales_orders", "POST /sales_orders/search", "POST /sales_orders/search", "GET /sales_orders",
    ]  # fmt: skip


def test_where_many_keys_are_missing_the_window_is_the_cheaper_proof(katana: Any, shop: Any) -> None:
    place(katana, range(1, 46))
    found = katana.bench(page_size=10).connector.find_orders(keys(*range(100, 120)), None)
    assert found == []
    assert katana.calls().count("GET /sales_orders") == 5


def test_an_account_without_search_is_asked_key_by_key_and_not_tried_again_that_day(katana: Any, shop: Any) -> None:
    """K-57."""
    katana.options(search_shape="none")
    place(katana, range(1, 101))
    made = katana.bench(page_size=10)
    assert len(made.connector.find_orders(keys(1, 2, 3), None)) == 3
    katana.forget()
    assert len(made.connector.find_orders(keys(1, 2, 200), None)) == 2
    assert katana.calls() == ["GET /sales_orders", *BY_KEY, *BY_KEY, *BY_KEY]
    made.clock.at = datetime(2026, 1, 16, tzinfo=UTC)
    made.connector.find_orders(keys(1, 2, 3), None)
    assert "POST /sales_orders/search" in katana.calls()


def test_more_than_100_keys_are_searched_in_chunks(katana: Any, shop: Any) -> None:
    """K-58."""
    place(katana, range(1, 151))
    made = katana.bench(page_size=1)
    assert len(made.connector.find_orders(keys(*range(1, 151)), None)) == 150
    assert katana.calls().count("POST /sales_orders/search") == 4


def test_a_key_asked_for_twice_is_answered_once(katana: Any, shop: Any) -> None:
    place(katana, [1])
    assert len(katana.bench().connector.find_orders([*keys(1), *keys(1)], None)) == 1


def strangers(start: int, size: int = 250) -> dict[str, Any]:
    return {"data": [{"id": start + index, "order_no": f"SO-{start + index}"} for index in range(size)]}


def test_an_ignored_filter_never_passes_for_an_absence(odd: Callable[..., Any], httpserver: HTTPServer) -> None:
    """K-23: the answer is everything, and too long to read whole."""
    httpserver.expect_request("/sales_orders").respond_with_json(strangers(1), headers=LONG)
    with pytest.raises(TransientError, match="filter-ignored"):
        odd(httpserver.url_for("")).connector.find_orders(keys(1), None)
    assert len(httpserver.log) == 3


def test_an_ignored_filter_over_a_short_window_is_read_whole(odd: Callable[..., Any], httpserver: HTTPServer) -> None:
    """K-23."""
    header = {"X-Pagination": '{"total_pages": "2", "total_records": "251"}'}
    pages = {"1": strangers(100), "2": {"data": [{"id": 9, "order_no": "TT-1"}]}}

    def answer(request: Request) -> Response:
        return Response(json.dumps(pages[request.args["page"]]), headers=header)

    httpserver.expect_request("/sales_orders").respond_with_handler(answer)
    [found] = odd(httpserver.url_for("")).connector.find_orders(keys(1), None)
    assert (found.ref, found.ours) == ("9", False)


def test_an_ignored_filter_whose_whole_answer_fits_one_page_is_exact(
    odd: Callable[..., Any], httpserver: HTTPServer
) -> None:
    """K-23."""
    rows = {"data": [{"id": 9, "order_no": "TT-1"}, {"id": 8, "order_no": "SO-8"}]}
    httpserver.expect_request("/sales_orders").respond_with_json(rows)
    assert [found.ref for found in odd(httpserver.url_for("")).connector.find_orders(keys(1), None)] == ["9"]
    assert odd(httpserver.url_for("")).connector.find_orders(keys(2), None) == []


def test_a_search_that_ignores_its_filter_is_not_believed(odd: Callable[..., Any], httpserver: HTTPServer) -> None:
    """K-23, K-57."""
    empty = {"data": []}
    httpserver.expect_request("/sales_orders/search").respond_with_json(strangers(1, 200), headers=LONG)
    httpserver.expect_oneshot_request("/sales_orders").respond_with_json(strangers(1), headers=LONG)
    httpserver.expect_request("/sales_orders").respond_with_json(empty)
    assert odd(httpserver.url_for("")).connector.find_orders(keys(1, 2, 3), None) == []
    paths = [f"{request.method} {request.path}" for request, _ in httpserver.log]
    assert paths.count("POST /sales_orders/search") == 2
    assert paths.count("GET /sales_orders") == 7


def test_a_look_up_of_what_others_made_before_reads_no_further(katana: Any, shop: Any) -> None:
    """What was created after ``before`` (and a margin for clocks that differ) does not lengthen the window."""
    place(katana, list(range(300)))  # now, which is long after
    found = katana.bench().connector.find_orders(keys(*range(60)), AT - timedelta(days=400))
    assert found == []
    assert len(katana.calls()) == 1
