"""Raw orders from the API: the search, the detail call, and the cheapest way to a known set of orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from hub.contract import Connection, HubError, OrderRef, RejectedError
from hub_tiktok.codes import UNREADABLE
from hub_tiktok.endpoints import ORDER_DETAIL, ORDER_SEARCH
from hub_tiktok.feed import SearchPage, Window
from hub_tiktok.payload import Json, children, text, whole
from hub_tiktok.settings import TikTokSettings
from hub_tiktok.shops import Shops

PAGE_SIZE = 100  # T-45
DETAIL_SIZE = 50  # T-52


class BeginSearch(Protocol):
    """``Orders.begin_search``."""

    def __call__(self, window: Window, token: str, *, at_once: bool) -> Callable[[], SearchPage]: ...


@dataclass(slots=True)
class _Spare:
    """Calls that one fetch may still spend on finding the orders that spoil a batch (T-53)."""

    calls: int = 200


class Orders:
    """Reads orders of one shop as TikTok tells them."""

    def __init__(self, connection: Connection[TikTokSettings], shops: Shops) -> None:
        self._shops = shops
        self._detail = ORDER_DETAIL[connection.settings.order_detail_version]

    def search(self, window: Window, token: str) -> SearchPage:
        """Read one page of the orders changed in a window, oldest change first: one call."""
        return self.begin_search(window, token)()

    def begin_search(self, window: Window, token: str, *, at_once: bool = False) -> Callable[[], SearchPage]:
        """Do the first half of ``search``, as ``Client.begin`` does; what is returned does the other, once."""
        query = {"page_size": str(PAGE_SIZE), "sort_field": "update_time", "sort_order": "ASC"}
        if token:
            query["page_token"] = token
        body = {"update_time_ge": window.start}
        if window.end is not None:
            body["update_time_lt"] = window.end
        finish = self._shops.begin(ORDER_SEARCH, query, body=body, at_once=at_once)
        return lambda: _page(finish())

    def fetch(self, refs: Sequence[OrderRef]) -> list[Json]:
        """Return the known ones of some orders, in any order.

        More than 50 are first looked for in the search, which brings 100 a call; the rest comes by id, 50 a call.
        """
        wanted = {order.ref: order for order in refs}
        found = self._fetch_by_time(list(wanted.values())) if len(wanted) > DETAIL_SIZE else {}
        rest = [ref for ref in wanted if ref not in found]
        spare = _Spare()
        for at in range(0, len(rest), DETAIL_SIZE):
            found |= self._fetch_by_id(rest[at : at + DETAIL_SIZE], spare)
        return [order for ref, order in found.items() if ref in wanted]

    def by_id(self, ids: Sequence[str]) -> list[Json]:
        """Return the known ones of at most 50 orders: one call."""
        return list(self._fetch_by_id(ids, _Spare()).values())

    def _fetch_by_time(self, refs: Sequence[OrderRef]) -> dict[str, Json]:
        """Search the span of the orders' last changes, as long as that promises fewer calls than asking by id."""
        changes = [int(order.updated_at.timestamp()) for order in refs]
        window = Window(min(changes), max(changes) + 1)
        by_id = -(-len(refs) // DETAIL_SIZE)
        found: dict[str, Json] = {}
        token, calls = "", 0
        try:
            while True:
                page = self.search(window, token)
                calls += 1
                found |= {text(order, "id"): order for order in page.orders}
                token = page.next_token
                is_worth_it = -(-page.total // PAGE_SIZE) <= by_id // 2 + 1
                if not token or not is_worth_it or calls > by_id:
                    return found
        except RejectedError:  # a window too wide or a dead page token: the ids will do
            return found

    def _fetch_by_id(self, ids: Sequence[str], spare: _Spare) -> dict[str, Json]:
        """Read at most 50 orders; where unknown ones spoil the call, halve it to get at the others (T-53)."""
        try:
            data = self._shops.call(self._detail, {"ids": ",".join(ids)})
        except RejectedError as error:
            if error.code != UNREADABLE.slug:
                raise
            if len(ids) == 1:
                return {}
            if spare.calls < 2:
                raise
            spare.calls -= 2
            middle = len(ids) // 2
            return self._fetch_by_id(ids[:middle], spare) | self._fetch_by_id(ids[middle:], spare)
        return {text(order, "id"): order for order in children(data, "orders")}


def _page(data: Json) -> SearchPage:
    return SearchPage(tuple(children(data, "orders")), text(data, "next_page_token"), whole(data, "total_count") or 0)


class Ahead:
    """A search whose next page is on its way while the last one is used, where it can leave at once."""

    def __init__(self, begin: BeginSearch) -> None:
        self._begin = begin
        self._coming: tuple[Window, str, Callable[[], SearchPage]] | None = None

    def __call__(self, window: Window, token: str) -> SearchPage:
        """See Search."""
        coming, self._coming = self._coming, None
        if coming is not None and coming[:2] == (window, token):
            page = coming[2]()
        else:
            page = self._begin(window, token, at_once=False)()
        if page.next_token:
            with suppress(HubError):  # it is said when that page is wanted
                self._coming = window, page.next_token, self._begin(window, page.next_token, at_once=True)
        return page
