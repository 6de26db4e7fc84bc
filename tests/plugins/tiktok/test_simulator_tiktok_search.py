"""The order search as a feed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.tiktok.tiktok_caller import SEARCH, Caller, calling


@pytest.fixture
def caller() -> Iterator[Caller]:
    with calling() as running:
        running.control("clock", {"now": 1768460000, "rate": 0})
        running.token = running.refresh(running.control("state")["tokens"][-1]["refresh_token"])["data"]["access_token"]
        yield running


NOW = 1768460000


@pytest.mark.parametrize("paging", ["keyset", "offset"])
@pytest.mark.parametrize("size", [1, 3, 7, 100])
@pytest.mark.parametrize("order", ["ASC", "DESC"])
def test_pages_of_any_size_give_every_order_once_and_in_order(
    caller: Caller, paging: str, size: int, order: str
) -> None:
    """T-45, T-47; several orders share each second."""
    caller.options(paging=paging)
    made = caller.seed({"count": 10, "step_s": 1}, {"count": 5, "step_s": 0})
    pages = list(caller.pages(size, sort_order=order))
    orders = [one for page in pages for one in page["orders"]]
    assert sorted(one["id"] for one in orders) == sorted(made)
    times = [one["update_time"] for one in orders]
    assert times == sorted(times, reverse=order == "DESC")
    assert {page["total_count"] for page in pages} == {15}


@pytest.mark.parametrize(("paging", "skipped"), [("keyset", 0), ("offset", 1)])
def test_an_order_that_changes_while_paging_comes_again_and_may_push_one_over_the_edge(
    caller: Caller, paging: str, skipped: int
) -> None:
    """T-50"""
    caller.options(paging=paging, hold_s="100000")
    made = caller.seed({"count": 6, "step_s": 10})
    pages = caller.pages(2)
    first = [one["id"] for one in next(pages)["orders"]]
    caller.control("clock", {"advance_s": 5})
    caller.act(first[0], "cancel")
    rest = [one["id"] for page in pages for one in page["orders"]]
    assert first[0] in rest
    assert len(set(made) - set(first) - set(rest)) == skipped


def test_lower_bounds_include_and_upper_bounds_exclude(caller: Caller) -> None:
    """T-46"""
    ids = caller.seed({"count": 3, "step_s": 10, "create_time": NOW - 100, "paid_time": None})
    times = [NOW - 120, NOW - 110, NOW - 100]
    for field in ("update_time", "create_time"):
        assert caller.ids(body={f"{field}_ge": times[1]}) == ids[1:]
        assert caller.ids(body={f"{field}_lt": times[1]}) == ids[:1]
        assert caller.ids(body={f"{field}_ge": times[1], f"{field}_lt": times[2]}) == ids[1:2]


def test_filters_pick_orders_by_status_shipping_buyer_request_and_warehouse(caller: Caller) -> None:
    """T-46"""
    unpaid, shipped_by_tiktok, asked = caller.seed(
        {"paid_time": None, "buyer": 41},
        {"shipping_type": "TIKTOK", "status": "AWAITING_SHIPMENT", "warehouse_id": "7012"},
        {"status": "AWAITING_SHIPMENT"},
    )
    caller.act(asked, "request_cancel")
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"order_status": "UNPAID"}, [unpaid]),
        ({"shipping_type": "TIKTOK"}, [shipped_by_tiktok]),
        ({"buyer_user_id": "7021000000000000041"}, [unpaid]),
        ({"is_buyer_request_cancel": True}, [asked]),
        ({"warehouse_ids": ["7012"]}, [shipped_by_tiktok]),
    ]
    for body, expected in cases:
        assert caller.ids(body=body) == expected, body


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ({"page_size": "0"}, None),
        ({"page_size": "101"}, None),
        ({"sort_field": "id"}, None),
        ({"sort_order": "asc"}, None),
        ({"page_token": "nonsense"}, None),
        ({}, {"page_size": 10}),
        ({}, {"update_time_ge": "1768460000"}),
        ({}, {"warehouse_ids": ["1"] * 101}),
        ({}, {"update_time_ge": 5, "update_time_lt": 4}),
    ],
)
def test_a_wrong_parameter_is_named_in_the_refusal(caller: Caller, query: dict[str, str], body: Any) -> None:
    answer = caller.call("POST", SEARCH, {"page_size": "10"} | query, body).json()
    name = next(iter(query or body))
    assert answer["code"] == 36009004
    assert "invalid param error" in answer["message"]
    assert name in answer["message"]


def test_without_sorting_the_newest_creation_comes_first(caller: Caller) -> None:
    """T-45: the documented defaults."""
    ids = caller.seed({"count": 3, "step_s": 10})
    found = caller.data("POST", SEARCH, {"page_size": "10"})["orders"]
    assert [order["id"] for order in found] == ids[::-1]


def test_the_last_page_has_an_empty_token_or_none(caller: Caller) -> None:
    """T-47"""
    caller.seed({"count": 2})
    assert caller.page()["next_page_token"] == ""
    caller.options(last_page="missing")
    assert "next_page_token" not in caller.page()
    assert caller.page({"page_size": "1"})["next_page_token"]


def test_a_page_token_serves_its_own_question_only_and_may_age(caller: Caller) -> None:
    """T-51"""
    caller.seed({"count": 3})
    token = caller.page({"page_size": "1"})["next_page_token"]
    other = {"page_size": "1", "sort_field": "create_time", "page_token": token}
    assert caller.code("POST", SEARCH, other) == 36009004
    caller.advance(61)
    assert caller.page({"page_size": "1", "page_token": token})["orders"]
    caller.options(page_token_life_s="60")
    same = {"page_size": "1", "sort_field": "update_time", "sort_order": "ASC", "page_token": token}
    assert caller.code("POST", SEARCH, same) == 36009004


def test_a_new_order_shows_up_late_when_the_switch_says_so(caller: Caller) -> None:
    """T-49"""
    caller.options(list_delay_s="30")
    ids = caller.seed({})
    assert caller.ids() == []
    assert caller.page()["total_count"] == 0
    caller.advance(30)
    assert caller.ids() == ids


def test_a_wide_window_is_refused_only_when_the_switch_limits_it(caller: Caller) -> None:
    """T-48"""
    assert caller.page(body={"update_time_ge": 0})["total_count"] == 0
    caller.options(window_limit_days="90")
    answer = caller.call("POST", SEARCH, {"page_size": "1"}, {"update_time_ge": 0}).json()
    assert (answer["code"], "exceeds the limit" in answer["message"]) == (36009004, True)
    assert caller.page(body={"update_time_ge": NOW - 89 * 86400})["total_count"] == 0


def test_a_feed_resumed_at_its_last_time_sees_every_change(caller: Caller) -> None:
    """The way a poll works: start again at the newest update_time seen."""
    caller.options(hold_s="3600")
    made = caller.seed({"count": 20, "step_s": 60})
    mark = 0
    seen: dict[str, str] = {}
    for _ in range(12):
        for page in caller.pages(3, {"update_time_ge": mark}):
            seen |= {order["id"]: order["status"] for order in page["orders"]}
            mark = max([mark, *(order["update_time"] for order in page["orders"])])
        caller.advance(600)
    assert seen == dict.fromkeys(made, "AWAITING_SHIPMENT")


def test_ten_thousand_orders_are_seeded_and_served_quickly(caller: Caller) -> None:
    made = caller.seed({"count": 10_000})
    assert len(made) == 10_000
    page = caller.page({"page_size": "100"})
    assert (len(page["orders"]), page["total_count"]) == (100, 10_000)


def test_orders_of_one_shop_do_not_show_up_in_another(caller: Caller) -> None:
    shops: list[dict[str, Any]] = [{"id": "74950001", "region": "US"}, {"id": "74950002", "region": "GB"}]
    shops.append({"id": "74950003", "authorised": False})
    caller.control("seed", {"shops": shops, "orders": [{"shop": "74950001"}, {"shop": "74950002"}]})
    listed = caller.data("GET", "/authorization/202309/shops", cipher=None)["shops"]
    assert [(shop["id"], shop["region"], shop["seller_type"]) for shop in listed] == [
        ("74950001", "US", "CROSS_BORDER"),
        ("74950002", "GB", "CROSS_BORDER"),
    ]
    found = []
    for shop in listed:
        caller.cipher = shop["cipher"]
        found.append(caller.ids())
    assert [len(ids) for ids in found] == [1, 1]
    assert found[0] != found[1]
