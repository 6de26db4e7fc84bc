"""The order feed against the simulator: calls counted, nothing lost, nothing twice."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hub_tiktok.feed import Feed, SearchPage, Window
from hub_tiktok.orders import Ahead
from pytest_httpserver import HTTPServer

from hub.contract import ContractError, OrderStatus, RejectedError
from tests.plugins.tiktok.tiktok_bench import LONG_AGO, SHOP, Bench, ListLog, Shop, ref_of

SEARCH = "/order/202309/orders/search"


def test_a_quiet_poll_costs_one_call_and_yields_no_page(shop: Shop) -> None:
    assert shop.pull() == []
    assert shop.paths() == [SEARCH]


def test_ten_pages_cost_ten_calls(shop: Shop) -> None:
    """T-45: 100 whole orders a call, no detail call."""
    ids = shop.backlog(1000)
    assert [order.ref for order in shop.orders()] == ids
    assert shop.paths() == [SEARCH] * 10


def test_the_poll_after_a_pull_costs_one_call_and_repeats_the_overlap_only(shop: Shop) -> None:
    """T-49: until nothing of that time can show up late any more."""
    shop.backlog(150, step_s=60)
    late = shop.seed(*({"create_time": int(shop.clock.now().timestamp()) - age} for age in (500, 240, 120)))
    cursor = shop.pull()[-1].cursor
    shop.paths()
    assert [order.ref for order in shop.orders(cursor)] == late[1:]  # within 300 s of the last
    assert shop.paths() == [SEARCH]


def test_a_quiet_poll_costs_one_call_however_much_changed_at_once_before(shop: Shop) -> None:
    """T-49: what changed in one busy second is read again for as long as something of it may show up late."""
    busy = shop.backlog(250, step_s=1, update_time=int(shop.clock.now().timestamp()) - 10)
    cursor = shop.pull()[-1].cursor
    assert len(shop.orders(cursor)) == len(busy)
    shop.control("clock", {"advance_s": 301})
    cursor = shop.pull(cursor)[-1].cursor
    shop.paths()
    assert shop.orders(cursor) == []
    assert shop.paths() == [SEARCH]


def test_the_search_is_asked_as_documented(shop: Shop) -> None:
    """T-20, T-22, T-45, T-46: sorting and paging in the query, the window in a compact body, no body of {}."""
    shop.pull(start=datetime(2026, 1, 1, tzinfo=UTC))
    request = shop.calls[0]
    query = dict(request.url.params)
    assert (query["page_size"], query["sort_field"], query["sort_order"]) == ("100", "update_time", "ASC")
    assert {"app_key", "timestamp", "sign", "shop_cipher"} <= set(query)
    assert request.content == b'{"update_time_ge":1767225600}'
    assert request.headers["content-type"] == "application/json"


def test_the_hub_is_told_that_a_search_reads_and_whose_budget_it_takes(shop: Shop) -> None:
    """T-40: a POST that changes nothing may be sent again; the budget is per endpoint, app and shop."""
    shop.pull()
    (hint,) = shop.hints()
    assert hint.reads
    assert hint.budget.key == f"tiktok:6simapp1key:{SHOP}:POST {SEARCH}"
    assert (hint.budget.calls, hint.budget.per_s) == (8, 1.0)


def test_an_order_that_shows_up_late_is_still_brought(shop: Shop) -> None:
    """T-49: it is older than the newest one seen."""
    shop.options(list_delay_s="30")
    now = int(shop.clock.now().timestamp())
    late, prompt = shop.seed(
        {"create_time": now - 25, "paid_time": None},
        {"status": "DELIVERED", "create_time": now - 900, "update_time": now - 5},
    )
    first = shop.pull()
    assert [order.ref for page in first for order in page.items] == [prompt]
    shop.control("clock", {"advance_s": 30})
    assert late in [order.ref for order in shop.orders(first[-1].cursor)]


@pytest.mark.parametrize("paging", ["keyset", "offset"])
def test_an_order_that_changes_while_paging_hides_no_other(shop: Shop, paging: str) -> None:
    """T-50: with paging by row number, a row slips over the page boundary when one before it moves to the end."""
    shop.options(paging=paging)
    ids = shop.backlog(250)
    pages = shop.connector.pull_orders(None, LONG_AGO)
    seen = [order.ref for order in next(pages).items]
    shop.act(ids[3], "cancel")
    rest = list(pages)
    seen += [order.ref for page in rest for order in page.items]
    assert set(seen) == set(ids)
    assert len(seen) == 251  # the changed one twice, in two states
    calls = shop.paths()
    assert calls == [SEARCH] * (3 if paging == "keyset" else 6)


def test_a_row_lost_between_pages_is_read_again(shop: Shop) -> None:
    """T-50: whatever shifted the page, the count tells."""
    ids = shop.backlog(300)
    shop.faults({"kind": "page_shift", "match": "orders/search", "times": 2})
    assert {order.ref for order in shop.orders()} == set(ids)


def test_a_pull_that_dies_midway_resumes_without_a_loss(shop: Shop) -> None:
    """T-50: until the end is reached, pages carry the first page's cursor."""
    shop.options(paging="offset")
    ids = shop.backlog(350)
    pages = shop.connector.pull_orders(None, LONG_AGO)
    seen = {order.ref for order in next(pages).items}
    end = time.monotonic() + 10
    while shop.control("counters")["calls"][f"POST {SEARCH}"] < 2:  # one page is read ahead
        assert time.monotonic() < end
    shop.act(ids[3], "cancel")
    second, third = next(pages), next(pages)
    seen |= {order.ref for order in (*second.items, *third.items)}
    assert seen != set(ids[:300])  # one has slipped through
    seen |= {order.ref for order in shop.orders(third.cursor)}
    assert seen == set(ids)


def test_each_page_lets_a_later_pull_resume_and_move_on(shop: Shop) -> None:
    """A lane that stops after every page still gets to the end."""
    ids = shop.backlog(350)
    cursor, seen, calls = None, set(), 0
    while seen != set(ids):
        page = next(shop.connector.pull_orders(cursor, LONG_AGO))
        cursor = page.cursor
        seen |= {order.ref for order in page.items}
        calls += 1
        assert calls <= 4


def test_a_dead_page_token_restarts_the_window_where_it_stood(shop: Shop) -> None:
    """T-51: the token is dead when the next page is asked for, however soon that is."""
    shop.options(page_token_life_s="0")
    ids = shop.backlog(250)
    assert [order.ref for order in shop.orders()] == ids
    # three pages; the second and third begin with a refused token and the window anew
    assert len(shop.paths()) == 5


def test_a_window_that_is_too_wide_is_read_in_slices(shop: Shop) -> None:
    """T-48."""
    shop.options(window_limit_days="30")
    now = int(shop.clock.now().timestamp())
    days = (300, 200, 100, 40, 2)
    ids = [
        shop.seed({"status": "DELIVERED", "create_time": now - day * 86400, "update_time": now - day * 86400})[0]
        for day in days
    ]
    start = datetime.fromtimestamp(now - 365 * 86400, UTC)
    assert [order.ref for order in shop.orders(start=start)] == ids


@pytest.mark.parametrize("last", ["empty", "missing"])
def test_the_last_page_is_known_by_its_token_in_either_form(shop: Shop, last: str) -> None:
    """T-47."""
    shop.options(last_page_token=last) if "last_page_token" in shop.control("options") else shop.options(last_page=last)
    ids = shop.backlog(200)
    assert [order.ref for order in shop.orders()] == ids
    assert shop.paths() == [SEARCH] * 2


def test_page_tokens_with_plus_and_slash_survive(shop: Shop) -> None:
    """T-47: sent percent-encoded, signed decoded."""
    shop.backlog(101)
    shop.pull()
    assert "+" in shop.calls[1].url.params["page_token"]
    assert b"%2B" in shop.calls[1].url.query


def test_a_cursor_that_is_not_ours_begins_at_the_start(shop: Shop) -> None:
    ids = shop.backlog(3)
    assert [order.ref for order in shop.orders("garbage")] == ids


def test_the_whole_state_is_in_one_pull_from_payment_to_cancellation(shop: Shop) -> None:
    """T-55, T-58."""
    (ref,) = shop.seed({"lines": [{"sku": "MUG", "quantity": 2}]})
    (held,) = shop.orders()
    assert held.status is OrderStatus.ON_HOLD
    shop.control("clock", {"advance_s": 3601})
    (ready,) = shop.orders()
    assert (ready.status, ready.hold_until) == (OrderStatus.OPEN, None)
    shop.act(ref, "cancel")
    (cancelled,) = shop.orders()
    assert (cancelled.status, cancelled.channel_status) == (OrderStatus.CANCELLED, "CANCELLED")
    assert {line.status.value for line in cancelled.lines} == {"cancelled"}
    assert [order.ref for order in shop.connector.fetch_orders([ref_of(held)])] == [ref]


class Pages:
    """A search that answers a script: page by page, refusals included."""

    def __init__(self, *script: SearchPage | Exception) -> None:
        self.script = list(script)
        self.asked: list[tuple[Window, str]] = []

    def __call__(self, window: Window, token: str) -> SearchPage:
        self.asked.append((window, token))
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


def _page(*orders: tuple[str, int], token: str = "", total: int = 0) -> SearchPage:
    return SearchPage(tuple({"id": ref, "update_time": at} for ref, at in orders), token, total)


def _refusal() -> RejectedError:
    return RejectedError("request-refused", "page_token has expired", where="here", do="nothing")


class Begun(Pages):
    """The same in two halves; keeps what was done, in order."""

    def __init__(self, *script: SearchPage | Exception, at_once: tuple[int, ...] = ()) -> None:
        super().__init__(*script)
        self.done: list[str] = []
        self.at_once = at_once  # which refusals come as the call is begun

    def begin(self, window: Window, token: str, *, at_once: bool) -> Callable[[], SearchPage]:
        self.done.append(f"begin {window.start}{token}{' if at once' if at_once else ''}")
        if len(self.asked) in self.at_once:
            page = self(window, token)
            return lambda: page

        def finish() -> SearchPage:
            self.done.append(f"finish {window.start}{token}")
            return self(window, token)

        return finish


def test_the_next_page_is_on_its_way_before_one_is_used() -> None:
    begun = Begun(_page(("a", 10), token="t", total=2), _page(("b", 11), total=2))
    search = Ahead(begun.begin)
    for token in ("", "t"):
        search(Window(5), token)
        begun.done.append("used")
    assert begun.done == ["begin 5", "finish 5", "begin 5t if at once", "used", "finish 5t", "used"]


@pytest.mark.parametrize("at_once", [(), (1,)])
def test_a_page_that_fails_ahead_fails_when_it_is_wanted(at_once: tuple[int, ...]) -> None:
    begun = Begun(_page(("a", 10), token="t", total=2), _refusal(), _refusal(), at_once=at_once)
    search = Ahead(begun.begin)
    assert search(Window(5), "").total == 2
    with pytest.raises(RejectedError):
        search(Window(5), "t")


def test_a_page_that_was_begun_and_is_not_wanted_is_let_go() -> None:
    """T-51: the token died, so the feed goes on from the last change."""
    begun = Begun(_page(("a", 10), token="t", total=2), _page(("b", 11), total=2))
    search = Ahead(begun.begin)
    search(Window(5), "")
    assert search(Window(10), "").orders[0]["id"] == "b"
    assert begun.done == ["begin 5", "finish 5", "begin 5t if at once", "begin 10", "finish 10"]


def test_the_same_state_is_shown_once_and_a_newer_one_again() -> None:
    """T-50: de-duplicated by id and update_time."""
    pages = Pages(_page(("a", 10), ("b", 11), token="t", total=2), _page(("b", 11), ("a", 12), total=2))
    feed = Feed(pages, ListLog(), start=5, now=1000, overlap_s=300)
    assert [[order["id"] for order in page.orders] for page in feed.pages()] == [["a", "b"], ["a"]]


def test_a_count_that_never_fits_is_not_read_for_ever() -> None:
    """T-47: the count may be wrong; after three readings the cursor moves on and the log says so."""
    reading = [_page(("a", 10), token="t", total=9), _page(("b", 11), total=9)]
    log = ListLog()
    feed = Feed(Pages(*reading * 3), log, start=5, now=12, overlap_s=3)
    assert list(feed.pages())[-1].resume_at == 8
    assert [event for event, _ in log.lines] == ["orders-skipped-by-paging"] * 3


def test_a_token_refused_before_anything_new_came_is_an_error() -> None:
    """T-51: a window that cannot advance must not be asked again and again."""
    pages = Pages(_page(("a", 5), token="t", total=9), _refusal())
    with pytest.raises(RejectedError):
        list(Feed(pages, ListLog(), start=5, now=1000, overlap_s=300).pages())


def test_an_order_without_an_id_names_what_is_wrong(bench: Bench, httpserver: HTTPServer) -> None:
    bench.memory.set(f"shop:{SHOP}", json.dumps({"shop": {"id": SHOP, "name": "S", "region": "US", "cipher": "c"}}))
    httpserver.expect_request(SEARCH).respond_with_json({"code": 0, "data": {"orders": [{"status": "UNPAID"}]}})
    with pytest.raises(ContractError, match="order \\(without id\\) has no readable id"):
        bench.pull()
