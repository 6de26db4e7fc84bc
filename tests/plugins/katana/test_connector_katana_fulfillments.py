"""Reading fulfillments: one call in a quiet poll, nothing lost, and bounded where Katana ignores the filter."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from hub.contract import Cursor, Fulfillment

PATH = "GET /sales_order_fulfillments"


@pytest.fixture
def bench(katana: Any, order: Any) -> Any:
    """A connector that placed orders TT-1 to TT-3; the journal is empty."""
    made = katana.bench()
    for number in ("1", "2", "3"):
        made.connector.push_order(order(number), None)
    katana.do("stock", sku="MUG-BLUE", quantity=100)
    katana.forget()
    return made


def poll(bench: Any, since: Cursor | None = None, start: Any = None) -> tuple[dict[str, Fulfillment], Cursor]:
    pages = list(bench.connector.pull_fulfillments(since, start or bench.clock.at))
    found = [each for page in pages for each in page.items]
    assert len({each.ref for each in found}) == len(found)
    assert pages[-1].cursor is not None
    return {each.ref: each for each in found}, pages[-1].cursor


def later(katana: Any, bench: Any, **time: float) -> None:
    bench.clock.at += timedelta(**time)
    katana.control("POST", "clock", {"now": bench.clock.at.timestamp(), "rate": 0})


def test_a_quiet_poll_costs_one_call(katana: Any, bench: Any) -> None:
    found, cursor = poll(bench)
    assert found == {}
    later(katana, bench, minutes=5)
    poll(bench, cursor)
    assert katana.calls() == [PATH] * 2


def test_a_fulfillment_tells_its_order_rows_and_tracking_as_one_package(katana: Any, bench: Any) -> None:
    """K-54, K-68."""
    made = katana.do(
        "ship", order_no="TT-1", quantities={"MUG-BLUE": 1}, tracking_number=" 1Z999 ", tracking_carrier="UPS",
        tracking_url="https://t.example/1Z999",
    )  # fmt: skip
    rows = katana.order("TT-1")["sales_order_rows"]
    [found] = poll(bench)[0].values()
    [package] = found.packages
    assert (found.ref, found.order_ref) == (str(made["id"]), str(made["sales_order_id"]))
    assert (found.delivered, found.deleted) == (True, False)
    assert package.lines == {str(rows[0]["id"]): Decimal(1)}
    assert (package.key, package.tracking_number, package.carrier) == (found.ref, "1Z999", "UPS")
    assert package.tracking_url == "https://t.example/1Z999"
    assert found.at is not None


@pytest.mark.parametrize("nothing", ["", None, "null", "undefined"])
def test_tracking_that_is_empty_is_none(odd: Callable[..., Any], httpserver: HTTPServer, nothing: Any) -> None:
    """K-19: words in place of nothing were seen."""
    row = shown(7) | {"tracking_number": nothing, "tracking_carrier": nothing, "tracking_url": nothing}
    httpserver.expect_request("/sales_order_fulfillments").respond_with_json({"data": [row]})
    bench = odd(httpserver.url_for("/"))
    [package] = poll(bench)[0]["7"].packages
    assert (package.tracking_number, package.carrier, package.tracking_url) == (None, None, None)


def test_packed_is_not_delivered_and_what_follows_is_seen_each_time(katana: Any, bench: Any) -> None:
    """K-62, K-64: delivered, and taken back."""
    katana.do("ship", order_no="TT-1", status="PACKED")
    found, cursor = poll(bench)
    [ref] = found
    assert not found[ref].delivered
    later(katana, bench, hours=1)
    katana.do("shipment", order_no="TT-1", status="DELIVERED")
    found, cursor = poll(bench, cursor)
    assert found[ref].delivered
    later(katana, bench, hours=1)
    katana.do("unship", order_no="TT-1")
    found, cursor = poll(bench, cursor)
    assert found[ref].deleted


@pytest.mark.parametrize("timestamps", ["yes", "no"])
@pytest.mark.parametrize("boundary", ["inclusive", "exclusive"])
def test_nothing_slips_between_polls_whether_or_not_the_account_tells_times(
    katana: Any, bench: Any, timestamps: str, boundary: str
) -> None:
    """K-25, K-71: by Katana's own times where it tells them, else by our clock."""
    katana.options(fulfillment_timestamps=timestamps, updated_at_min=boundary)
    found, cursor = poll(bench)
    seen = set(found)
    for number in ("1", "2", "3"):
        katana.do("ship", order_no=f"TT-{number}", quantities={"MUG-BLUE": 1})
        later(katana, bench, hours=2)
        found, cursor = poll(bench, cursor)
        seen |= set(found)
        katana.do("ship", order_no=f"TT-{number}", quantities={"MUG-BLUE": 1})
        later(katana, bench, hours=2)
        found, cursor = poll(bench, cursor)
        seen |= set(found)
        assert len(found) <= 2  # the window moves on
    assert len(seen) == 6
    assert katana.calls() == [PATH] * 7


def test_a_change_while_pages_are_read_is_seen_next_time(katana: Any, bench: Any) -> None:
    """K-82: a record of a page that was read changes, then one of a page to come; the cursor is not the later one."""
    for number in ("1", "2"):
        katana.do("ship", order_no=f"TT-{number}", status="PACKED")
    small = katana.bench(page_size=1)
    pages = small.connector.pull_fulfillments(None, small.clock.at)
    [first] = next(pages).items
    for number in ("2", "1"):
        later(katana, small, hours=1)
        katana.do("shipment", order_no=f"TT-{number}", status="DELIVERED")
    [last] = pages
    assert last.items[0].delivered
    assert last.cursor
    assert poll(small, last.cursor)[0][first.ref].delivered


def test_a_cursor_that_is_none_of_ours_begins_at_start_again(katana: Any, bench: Any) -> None:
    katana.do("ship", order_no="TT-1")
    assert len(poll(bench, Cursor("not json"))[0]) == 1


def test_many_that_changed_are_read_page_by_page(katana: Any, bench: Any) -> None:
    for number in ("1", "2", "3"):
        for _ in range(2):
            katana.do("ship", order_no=f"TT-{number}", quantities={"MUG-BLUE": 1})
    found, _ = poll(katana.bench(page_size=2))
    assert len(found) == 6
    assert katana.calls() == [PATH] * 3


# ---- an account that ignores updated_at_min


def shown(number: int, at: str | None = None) -> dict[str, Any]:
    row = {"id": number, "sales_order_id": 1, "status": "PACKED", "sales_order_fulfillment_rows": []}
    return row | ({"updated_at": at, "created_at": at} if at else {})


class Ignoring:
    """A list of fulfillments, newest first, that knows no filter."""

    def __init__(self, httpserver: HTTPServer, count: int, at: str | None) -> None:
        self.rows = [shown(number, at) for number in range(count, 0, -1)]
        self._server = httpserver
        httpserver.expect_request("/sales_order_fulfillments").respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        limit, number = int(request.args["limit"]), int(request.args["page"])
        pages = -(-len(self.rows) // limit)
        said = {"total_records": str(len(self.rows)), "total_pages": str(pages)}
        body = {"data": self.rows[(number - 1) * limit : number * limit]}
        return Response(json.dumps(body), content_type="application/json", headers={"X-Pagination": json.dumps(said)})

    def calls(self) -> int:
        count = len(self._server.log)
        self._server.clear_log()
        return count


@pytest.mark.parametrize("at", ["2025-01-01T00:00:00.000Z", None])
def test_an_account_that_ignores_the_filter_costs_few_calls_a_poll_and_shows_every_change_in_the_end(
    odd: Callable[..., Any], httpserver: HTTPServer, at: str | None
) -> None:
    """K-23, K-71: 100 old ones, 5 a page; the newest at once, and one more page in turns for changes of old ones."""
    account, bench = Ignoring(httpserver, 100, at), odd(httpserver.url_for("/"), page_size=5)
    _, cursor = poll(bench)
    account.calls()
    account.rows.insert(0, shown(101, "2026-01-15T09:00:00.000Z" if at else None))
    account.rows[60] |= {"status": "DELIVERED"}
    bench.clock.at += timedelta(minutes=5)
    found, cursor = poll(bench, cursor)
    assert "101" in found
    seen = dict(found)
    for _ in range(25):
        assert account.calls() <= 4
        bench.clock.at += timedelta(minutes=5)
        found, cursor = poll(bench, cursor)
        seen |= found
    assert seen[str(account.rows[60]["id"])].delivered
    assert len(seen) == 101


def test_whether_the_filter_works_is_asked_once_a_day_where_no_times_are_told(katana: Any, bench: Any) -> None:
    """K-71: many that changed and a filter that is ignored look alike."""
    katana.options(fulfillment_timestamps="no")
    for number in ("1", "2", "3"):
        katana.do("ship", order_no=f"TT-{number}")
    small = katana.bench(page_size=2)
    assert len(poll(small)[0]) == 3
    assert katana.calls() == [PATH] * 3
    katana.forget()
    assert len(poll(small)[0]) == 3
    assert katana.calls() == [PATH] * 2


# ---- by id


def test_known_fulfillments_are_read_by_id_deleted_ones_and_unknown_ones_as_deleted(katana: Any, bench: Any) -> None:
    """K-70."""
    kept = str(katana.do("ship", order_no="TT-1")["id"])
    taken = str(katana.do("ship", order_no="TT-2")["id"])
    katana.do("unship", order_no="TT-2")
    for refs, calls in (([kept, taken], 2), ([taken, "999999"], 2), (["no-id"], 0)):
        katana.forget()
        found = bench.connector.fetch_fulfillments(refs)
        assert [each.ref for each in found] == refs
        assert [each.deleted for each in found] == [ref != kept for ref in refs]
        assert len(katana.calls()) == calls


def test_several_recent_ones_come_in_one_call_together(katana: Any, bench: Any) -> None:
    refs = [str(katana.do("ship", order_no=f"TT-{n}", quantities={"MUG-BLUE": 1})["id"]) for n in (1, 2, 3)]
    katana.do("shipment", fulfillment_id=int(refs[1]), tracking_number="1Z1")
    katana.forget()
    found = bench.connector.fetch_fulfillments([*refs, refs[0]])
    assert katana.calls() == [PATH]
    assert [each.ref for each in found] == refs
    assert found[1].packages[0].tracking_number == "1Z1"


def test_old_ones_among_many_cost_at_most_one_call_more_than_one_each(
    odd: Callable[..., Any], httpserver: HTTPServer
) -> None:
    account, bench = Ignoring(httpserver, 100, None), odd(httpserver.url_for("/"), page_size=5)
    for number in (2, 3, 4):
        httpserver.expect_request(f"/sales_order_fulfillments/{number}").respond_with_json(shown(number))
    found = bench.connector.fetch_fulfillments(["2", "3", "4"])
    assert [each.ref for each in found] == ["2", "3", "4"]
    assert account.calls() == 4


def test_a_quiet_poll_reads_one_page_however_much_was_shipped_at_once_before(katana: Any, bench: Any) -> None:
    """K-71, K-82: a busy minute is read again for as long as something of it may show late."""
    bench = katana.bench(page_size=2)
    for number in ("1", "2", "3"):
        katana.do("ship", order_no=f"TT-{number}", quantities={"MUG-BLUE": 1})
    later(katana, bench, minutes=1)
    _, cursor = poll(bench)
    counts = []
    for _ in range(5):
        later(katana, bench, minutes=5)
        katana.forget()
        found, cursor = poll(bench, cursor)
        counts.append((len(found), len(katana.calls())))
    assert (counts[:3], counts[-1]) == ([(3, 2)] * 3, (0, 1))
