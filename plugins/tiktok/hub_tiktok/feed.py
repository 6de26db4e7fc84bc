"""The feed of changed orders: pages of the order search, oldest change first, nothing skipped.

A page costs one call (T-45, T-47). TikTok does not say whether paging can skip a row while orders change (T-50). Rows
never leave a window without an end, since a change only moves an order to its end. So once several pages are read, as
many different orders must have come as the search counts; where fewer did, the window is read again. Until that is
known, pages carry the cursor of the first page, which no boundary precedes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hub.contract import Log, RejectedError
from hub_tiktok.codes import TOO_WIDE
from hub_tiktok.payload import Json, text, whole

ROUNDS = 3  # readings of one window before a count that never fits is taken to be wrong
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Window:
    """Orders whose last change is at or after ``start`` and, where given, before ``end``; Unix seconds (T-46)."""

    start: int
    end: int | None = None


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of the order search; ``total`` is the search's own count, which may change while paging."""

    orders: tuple[Json, ...]
    next_token: str
    total: int


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Orders in states that this pull has not shown before, and the second from which a later pull may resume."""

    orders: tuple[Json, ...]
    resume_at: int


Search = Callable[[Window, str], SearchPage]
"""Reads one page of a window; the text is the page token, empty for the first page."""


@dataclass(slots=True)
class _Tally:
    """What was read of one window, over all readings of it."""

    ids: set[str] = field(default_factory=set)
    pages: int = 0
    counted: int = 0
    reached: int = 0  # last change on the pages of the present reading

    @property
    def is_complete(self) -> bool:
        """Whether no row can be missing; a single page has no boundary to lose one at."""
        return self.pages == 1 or len(self.ids) >= self.counted


@dataclass(slots=True)
class Feed:
    """One pull.

    Args:
        start: the first second of interest, Unix.
        now: the present, Unix seconds.
        overlap_s: what the next pull reads again, because an order may show up late (T-49).
    """

    search: Search
    log: Log
    start: int
    now: int
    overlap_s: int
    newest: int = 0
    resume_at: int | None = None
    shown: set[tuple[str, int]] = field(default_factory=set)

    def pages(self) -> Iterator[FeedPage]:
        """Yield what changed at or after ``start``; nothing where nothing did."""
        self.newest = self.start
        try:
            yield from self._window(Window(self.start))
        except RejectedError as error:
            if error.code != TOO_WIDE.slug:
                raise
            yield from self._slices()

    def _slices(self) -> Iterator[FeedPage]:
        """Read a window that TikTok finds too wide in slices, halved until it takes them (T-48)."""
        start, width = self.start, max((self.now - self.start) // 2, DAY_S)
        while start + width < self.now:
            try:
                yield from self._window(Window(start, start + width))
                start += width
            except RejectedError as error:
                if error.code != TOO_WIDE.slug or width == DAY_S:
                    raise
                width = max(width // 2, DAY_S)
        yield from self._window(Window(start))

    def _window(self, window: Window) -> Iterator[FeedPage]:
        tally = _Tally()
        for _ in range(ROUNDS):
            yield from self._reading(window, tally)
            if tally.is_complete:
                return
            self.log.warning("orders-skipped-by-paging", counted=tally.counted, seen=len(tally.ids))
        # A count that never fits would be read again for ever; the overlap and later changes still heal.
        yield FeedPage((), self._mark(after=window))

    def _reading(self, window: Window, tally: _Tally) -> Iterator[FeedPage]:
        at, token, tally.reached, floor = window.start, "", 0, 0
        while True:
            try:
                page = self.search(Window(at, window.end), token)
            except RejectedError:
                if not token or tally.reached <= at:
                    raise
                at, token, floor = tally.reached, "", tally.counted  # T-51: the token died; go on from the last change
                continue
            fresh = self._fresh(page, tally)
            tally.counted = max(floor, page.total)
            token = page.next_token
            ended = not token and tally.is_complete
            if self.shown:
                yield FeedPage(fresh, self._mark(after=window if ended else None))
            if not token:
                return

    def _fresh(self, page: SearchPage, tally: _Tally) -> tuple[Json, ...]:
        """Return the orders not shown yet (an order may come on two pages), and count all of them."""
        tally.pages += 1
        fresh = []
        for order in page.orders:
            ref, changed = text(order, "id"), whole(order, "update_time") or 0
            tally.ids.add(ref)
            tally.reached = max(tally.reached, changed)
            if (ref, changed) not in self.shown:
                self.shown.add((ref, changed))
                fresh.append(order)
        self.newest = max(self.newest, tally.reached)
        return tuple(fresh)

    def _mark(self, after: Window | None) -> int:
        """Return where to resume: moves on with the first page, and then with each window read to its end."""
        is_settled = self.newest < self.now - self.overlap_s  # nothing of that time can still show up late
        if after is not None and after.end is None:
            return self.newest + 1 if is_settled else max(self.start, self.newest - self.overlap_s)
        if self.resume_at is None or after is not None:
            self.resume_at = self.newest if is_settled else max(self.start, self.newest - self.overlap_s)
        return self.resume_at
