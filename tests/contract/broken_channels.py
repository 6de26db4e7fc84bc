"""Channel connectors that break one promise each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

import httpx

from hub.contract import (
    Cursor,
    Order,
    OrderRef,
    Page,
    RejectedError,
    TransientError,
    hookimpl,
)
from tests.contract.broken import breaks
from tests.contract.tiny import TinyShop
from tests.contract.tiny_system import PAGE, Json


@breaks("test_pages_are_read_lazily")
class ReadsAllBeforeThePage(TinyShop):
    @hookimpl
    def pull_orders(self, since: Cursor | None, start: datetime) -> Iterator[Page[Order]]:
        yield from list(super().pull_orders(since, start))


@breaks("test_the_last_page_carries_a_cursor")
class ForgetsTheLastCursor(TinyShop):
    @hookimpl
    def pull_orders(self, since: Cursor | None, start: datetime) -> Iterator[Page[Order]]:
        for page in super().pull_orders(since, start):
            yield Page(page.items, page.cursor if len(page.items) == PAGE else None)


@breaks("test_the_same_cursor_gives_the_same_orders_again")
class AnswersACursorOnce(TinyShop):
    last: Cursor | None = None

    @hookimpl
    def pull_orders(self, since: Cursor | None, start: datetime) -> Iterator[Page[Order]]:
        is_repeat, self.last = since is not None and since == self.last, since
        if not is_repeat:
            yield from super().pull_orders(since, start)


@breaks("test_a_change_between_two_pulls_is_seen")
class ResumesAfterTheLastSecond(TinyShop):
    def page(self, since: str, more: Json) -> Json:
        answer = super().page(since, more)
        return answer | {"orders": [row for row in answer["orders"] if row["updated"] > since]}


@breaks("test_a_change_while_pages_are_read_is_seen")
class ResumesFromTheEndOfThePull(TinyShop):
    sort = "created"

    @hookimpl
    def pull_orders(self, since: Cursor | None, start: datetime) -> Iterator[Page[Order]]:
        for page in super().pull_orders(since, start):
            is_last = len(page.items) < PAGE
            yield Page(page.items, Cursor(self.connection.clock.now().isoformat()) if is_last else None)


@breaks("test_any_cursor_is_safe_to_resume_from")
class PromisesTooMuchOnTheFirstPage(TinyShop):
    @hookimpl
    def pull_orders(self, since: Cursor | None, start: datetime) -> Iterator[Page[Order]]:
        pages, cursors = [], []
        for page in super().pull_orders(since, start):
            pages.append(page)
            cursors.append(Cursor(self.connection.clock.now().isoformat()))
            yield Page(page.items, cursors[-1] if len(page.items) == PAGE else page.cursor)


@breaks("test_a_row_that_comes_again_is_harmless")
class StopsAtAnOddPage(TinyShop):
    def page(self, since: str, more: Json) -> Json:
        answer = super().page(since, more)
        return answer if len(answer["orders"]) == PAGE else answer | {"next": None}


@breaks("test_rows_out_of_order_are_harmless")
class DropsWhatLooksStale(TinyShop):
    def page(self, since: str, more: Json) -> Json:
        answer = super().page(since, more)
        newest, kept = "", []
        for row in answer["orders"]:
            if row["updated"] >= newest:
                newest = row["updated"]
                kept.append(row)
        return answer | {"orders": kept}


@breaks("test_a_failing_page_raises_transient_error")
class EndsQuietlyOnAServerError(TinyShop):
    def page(self, since: str, more: Json) -> Json:
        try:
            return super().page(since, more)
        except TransientError as error:
            if error.code == "broken":
                return {"orders": [], "next": None}
            raise


@breaks("test_a_page_that_fails_once_is_made_good_or_transient")
class TakesOneUnreadablePageForTheEnd(TinyShop):
    def page(self, since: str, more: Json) -> Json:
        try:
            return super().page(since, more)
        except TransientError as error:
            if error.code != "unreadable":
                raise
            self.send("GET", "me")
            return {"orders": [], "next": None}


@breaks("test_the_wait_that_a_429_asks_for_is_handed_on")
class ForgetsRetryAfter(TinyShop):
    def read(self, response: httpx.Response, *, reads: bool) -> Json:
        if response.status_code == 429:
            raise TransientError("busy", "too many calls", where="tiny", do="Wait.")
        return super().read(response, reads=reads)


@breaks("test_every_order_is_a_valid_value")
class TellsLocalTime(TinyShop):
    def order(self, row: Json) -> Order:
        return super().order(row).model_copy(update={"paid_at": datetime(2026, 1, 15, 9)})  # noqa: DTZ001  # the fault


@breaks("test_money_of_every_order_balances")
class LosesACent(TinyShop):
    def order(self, row: Json) -> Order:
        order = super().order(row)
        return order.model_copy(
            update={"totals": order.totals.model_copy(update={"total": order.totals.total - Decimal("0.01")})}
        )


@breaks("test_order_keys_are_unique_short_and_stable")
class MakesKeysFromTheState(TinyShop):
    def order(self, row: Json) -> Order:
        return super().order(row).model_copy(update={"key": f"TINY-{row['id']}-{row['updated']}"})


@breaks("test_line_refs_are_unique_in_their_order")
class CallsEveryLineOne(TinyShop):
    def order(self, row: Json) -> Order:
        return super().order(row | {"lines": [line | {"id": "1"} for line in row["lines"]]})


@breaks("test_a_pull_takes_no_more_calls_than_stated")
class ReadsEachOrderOnce(TinyShop):
    def page(self, since: str, more: Json) -> Json:
        answer = super().page(since, more)
        for row in answer["orders"]:
            self.send("GET", "orders", ids=row["id"])
        return answer


@breaks("test_fetch_returns_the_orders_asked_for_and_no_other")
class FetchesTwoAtMost(TinyShop):
    @hookimpl
    def fetch_orders(self, orders: Sequence[OrderRef]) -> list[Order]:
        return super().fetch_orders(orders[:2])


@breaks("test_fetch_leaves_out_what_the_channel_does_not_know")
class RefusesAnUnknownOrder(TinyShop):
    @hookimpl
    def fetch_orders(self, orders: Sequence[OrderRef]) -> list[Order]:
        fetched = super().fetch_orders(orders)
        if len(fetched) < len(orders):
            raise RejectedError("unknown", "an order is unknown", where="tiny", do="Ask for others.")
        return fetched


@breaks("test_fetch_reads_the_present_state")
class FetchesWhatItRemembers(TinyShop):
    @hookimpl
    def fetch_orders(self, orders: Sequence[OrderRef]) -> list[Order]:
        key = ",".join(order.ref for order in orders)
        fetched = [order.model_dump_json() for order in super().fetch_orders(orders)]
        if self.connection.memory.get(key) is None:
            self.connection.memory.set(key, "\n".join(fetched))
        return [Order.model_validate_json(text) for text in (self.connection.memory.get(key) or "").splitlines()]


@breaks("test_pull_and_fetch_tell_the_same_of_an_order")
class FetchesAnotherNote(TinyShop):
    @hookimpl
    def fetch_orders(self, orders: Sequence[OrderRef]) -> list[Order]:
        return [order.model_copy(update={"note": "read again"}) for order in super().fetch_orders(orders)]
