"""Reads fulfillments: what changed since the last poll, or some by id.

Whether this account tells when a fulfillment changed is unknown (K-71), and so is whether a change of tracking counts
as one; the hub asks again by id for what it still waits for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from hub.contract import Connection, Cursor, Fulfillment, Page
from hub_katana.answers import Listing, Row
from hub_katana.client import Client
from hub_katana.parcels import fulfillment, gone
from hub_katana.settings import KatanaSettings
from hub_katana.translate import instant_of, instant_text
from hub_katana.window import Window

PATH = "/sales_order_fulfillments"
_DELETED_TOO = ("include_deleted", "true")
_MEMORY_KEY = "fulfillments-by-change"
_ROUNDING = timedelta(seconds=1)
_MOST_PAGES = 20  # of an account that ignores the filter and tells no dates, on the first pull
_FEW = 2


class Fulfillments:
    """Reads the fulfillments of one account; changes nothing."""

    def __init__(self, connection: Connection[KatanaSettings], client: Client) -> None:
        self._connection = connection
        self._client = client

    def changed(self, since: Cursor | None, start: datetime) -> Iterator[Page[Fulfillment]]:
        """Read what was created, changed or deleted since a cursor, or since ``start``.

        Shape: newest created first (K-10), each once; the last page carries the cursor.
        Units: 1 call where little changed, else one per 250; where Katana ignores the filter, see ``_unfiltered``.
        """
        window = Window.at(since, self._connection.clock.now(), self._connection.settings.fulfillment_overlap_s)
        if window.last is None:
            window.last = start
        asked = window.start or start
        params = [("updated_at_min", instant_text(asked)), _DELETED_TOO]
        for number, listing in enumerate(self._client.pages(PATH, params), start=1):
            if not listing.is_last and not self._is_filtered(listing, asked):
                self._connection.log.warning("filter-ignored", path=PATH, filter="updated_at_min")
                yield from self._unfiltered(window, asked, listing, number)
                return
            yield Page(_read(window, listing), window.cursor() if listing.is_last else None)

    def fetch(self, refs: Sequence[str]) -> list[Fulfillment]:
        """Read these fulfillments; one that Katana does not know comes back deleted, its order unknown.

        Units: 1 call for each; of more than two, those among the newest 250 come in one call together.
        """
        wanted = list(dict.fromkeys(refs))
        found = self._among_the_newest(set(wanted)) if len(wanted) > _FEW else {}
        return [found[ref] if ref in found else self._one(ref) for ref in wanted]

    def of_order(self, order_id: int) -> tuple[Row, ...] | None:
        """Return the living fulfillments of one order; None where the filter was ignored and proves nothing (K-23)."""

        def belongs(row: Row) -> bool:
            return row.get("sales_order_id") == order_id

        rows = self._client.matching(PATH, [("sales_order_id", str(order_id))], belongs)
        return None if rows is None else tuple(row for row in rows if not row.get("deleted_at"))

    def _one(self, ref: str) -> Fulfillment:
        row = self._client.find(f"{PATH}/{ref}", [_DELETED_TOO]) if ref.isascii() and ref.isdecimal() else None
        return gone(ref) if row is None else fulfillment(row)

    def _among_the_newest(self, missing: set[str]) -> dict[str, Fulfillment]:
        """Page through the list for as long as each page saves more calls than it costs."""
        found: dict[str, Fulfillment] = {}
        for listing in self._client.pages(PATH, [_DELETED_TOO]):
            hits = {str(row["id"]): fulfillment(row) for row in listing.rows if str(row["id"]) in missing}
            found |= hits
            missing -= hits.keys()
            if not hits or len(missing) < _FEW:
                break
        return found

    def _is_filtered(self, listing: Listing, asked: datetime) -> bool:
        """Say whether the list is only what changed; where its records tell no time, ask once a day for the future."""
        stamps = [at for row in listing.rows if (at := instant_of(row.get("updated_at"))) is not None]
        if stamps:
            return all(at >= asked - _ROUNDING for at in stamps)
        now = self._connection.clock.now()
        known = self._connection.memory.get(_MEMORY_KEY) or ""
        word, _, day = known.partition(" ")
        if day != now.date().isoformat():
            ahead = self._client.page(PATH, [("updated_at_min", instant_text(now + timedelta(days=2)))])
            word = "ignored" if ahead.rows else "works"
            self._connection.memory.set(_MEMORY_KEY, f"{word} {now.date().isoformat()}")
        return word == "works"

    def _unfiltered(
        self, window: Window, asked: datetime, listing: Listing, number: int
    ) -> Iterator[Page[Fulfillment]]:
        """Read what is new, and of the rest one page a poll, in turns: each old change shows in the end.

        Shape: the newest records down to those of the last poll, then the page whose turn it is, kept in the cursor.
        Units: one call per 250 new ones, and one more.
        """
        top = window.said.get("top")
        while not self._is_known(listing, top, asked) and not listing.is_last and number < _MOST_PAGES:
            yield Page(_read(window, listing))
            number += 1
            listing = self._client.page(PATH, [_DELETED_TOO], number)
        yield Page(_read(window, listing))
        turn = max(int(window.said.get("turn") or 0), number + 1)
        rest = self._client.page(PATH, [_DELETED_TOO], turn)
        items = _read(window, rest)
        window.promised = None  # of a list that is not read whole
        newest = max([*window.seen, *([top] if isinstance(top, int) else [])], default=None)
        yield Page(items, window.cursor(top=newest, turn=0 if rest.is_last else turn + 1))

    def _is_known(self, listing: Listing, top: object, asked: datetime) -> bool:
        if isinstance(top, int):
            return all(int(row["id"]) <= top for row in listing.rows)
        dates = [at for row in listing.rows if (at := _last_known_date(row)) is not None]
        return bool(dates) and all(at < asked for at in dates)


def _read(window: Window, listing: Listing) -> tuple[Fulfillment, ...]:
    return tuple(map(fulfillment, window.take(listing)))


def _last_known_date(row: Row) -> datetime | None:
    dates = (instant_of(row.get(name)) for name in ("updated_at", "created_at", "picked_date"))
    return max((at for at in dates if at is not None), default=None)
