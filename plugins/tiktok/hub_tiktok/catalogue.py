"""The products of a shop as Variants, and the readings of the product search that bring them.

The search has no sort order, so a reading counts as complete when as many different products came as the search
counts; where fewer did, it is read again (T-95). Only a complete reading moves the cursor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hub.contract import Connection, RejectedError
from hub_tiktok.codes import TOO_WIDE
from hub_tiktok.endpoints import PRODUCT_SEARCH
from hub_tiktok.payload import Json, children, text, whole
from hub_tiktok.settings import TikTokSettings
from hub_tiktok.shops import Shops

PAGE_SIZE = 100  # T-95
SKU_BATCH = 10  # T-95
ROUNDS = 3
FIRST_SECOND = 1_483_228_800  # 2017: no shop is older
TELLS_DELETED = "product-search-tells-deleted"


@dataclass(frozen=True, slots=True)
class Span:
    """Products whose last change lies in these seconds, both included (T-95); None: no bound."""

    start: int | None = None
    end: int | None = None

    def body(self) -> Json:
        """Return the search's filter for it."""
        bounds = {"update_time_ge": self.start, "update_time_le": self.end}
        return {name: value for name, value in bounds.items() if value is not None}

    def halves(self, now: int) -> tuple[Span, Span]:
        """Return two spans that together are this one."""
        start, end = self.start or FIRST_SECOND, self.end or now
        middle = (start + end) // 2
        return Span(self.start, middle), Span(middle + 1, self.end)


@dataclass(slots=True)
class _Tally:
    """What was read of one span, over all readings of it."""

    ids: set[str] = field(default_factory=set)
    pages: int = 0
    counted: int = 0

    @property
    def is_complete(self) -> bool:
        return self.pages == 1 or len(self.ids) >= self.counted


class Catalogue:
    """Reads products of one shop as TikTok tells them: 100 a call."""

    def __init__(self, connection: Connection[TikTokSettings], shops: Shops) -> None:
        self._connection = connection
        self._shops = shops

    def changed(self, start: int | None, *, also_deleted: bool) -> Iterator[tuple[Json, ...]]:
        """Yield pages of the products changed at or after a second, or of all.

        Deleted ones come too. Whether the plain search shows them is not known (T-96): until it has shown one, they are
        asked for besides.
        """
        yield from self._span(Span(start), {})
        if also_deleted and self._connection.memory.get(TELLS_DELETED) is None:
            yield from self._span(Span(start), {"status": "DELETED"})

    def of_skus(self, skus: Sequence[str]) -> Iterator[Json]:
        """Yield the products that a search by seller_sku brings: 10 SKUs a call."""
        for at in range(0, len(skus), SKU_BATCH):
            for page in self._reading({"seller_skus": list(skus[at : at + SKU_BATCH])}, _Tally()):
                yield from page

    def _span(self, span: Span, more: Json) -> Iterator[tuple[Json, ...]]:
        try:
            yield from self._whole(span, more)
        except RejectedError as error:
            now = int(self._connection.clock.now().timestamp())
            early, late = span.halves(now)
            if error.code != TOO_WIDE.slug or (early.end or 0) <= (span.start or FIRST_SECOND):
                raise
            yield from self._span(early, more)
            yield from self._span(late, more)

    def _whole(self, span: Span, more: Json) -> Iterator[tuple[Json, ...]]:
        tally = _Tally()
        for _ in range(ROUNDS):
            yield from self._reading({**more, **span.body()}, tally, learns="status" not in more)
            if tally.is_complete:
                return
            self._connection.log.warning("products-skipped-by-paging", counted=tally.counted, seen=len(tally.ids))

    def _reading(self, body: Json, tally: _Tally, *, learns: bool = False) -> Iterator[tuple[Json, ...]]:
        token = ""
        while True:
            query = {"page_size": str(PAGE_SIZE)} | ({"page_token": token} if token else {})
            data = self._shops.call(PRODUCT_SEARCH, query, body=body)
            products = tuple(children(data, "products"))
            tally.pages += 1
            tally.counted = whole(data, "total_count") or 0
            tally.ids |= {text(product, "id") for product in products}
            if learns and any(text(product, "status") == "DELETED" for product in products):
                self._connection.memory.set(TELLS_DELETED, "yes")
            yield products
            token = text(data, "next_page_token")
            if not token:
                return
