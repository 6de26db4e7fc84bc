"""Reads variants: some by SKU, or all that changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import simplejson

from hub.contract import Connection, Cursor, Page, Variant
from hub_katana.answers import Listing, Row
from hub_katana.client import Client, Params
from hub_katana.failures import RefusedError, filter_ignored
from hub_katana.settings import KatanaSettings
from hub_katana.translate import instant_of, instant_text, variant

_PATH = "/variants"
_WITH_PARENT = ("extend", "product_or_material")  # K-31
_ARCHIVED_TOO = ("include_archived", "true")
_DELETED_TOO = ("include_deleted", "true")
_MOST_SKUS = 100  # K-33 K-85
_MOST_LETTERS = 4000  # of SKUs in one URL  # K-85


class Catalogue:
    """Reads the variants of one account."""

    def __init__(self, connection: Connection[KatanaSettings], client: Client) -> None:
        self._connection = connection
        self._client = client

    def find(self, skus: Sequence[str]) -> list[Variant]:
        """Return the variants with exactly these SKUs, archived ones as ``gone``; duplicates as they are (K-30).

        Units:  one call per 100 SKUs.
        Raises: TransientError ``filter-ignored`` where Katana answers with its whole catalogue (K-23) and its search
                does not help either: an absence is never concluded from that.
        """
        found: dict[str, Variant] = {}
        for chunk in _chunks(list(dict.fromkeys(sku for sku in skus if sku))):
            wanted = set(chunk)
            rows = self._filtered(chunk)
            if rows is None:
                self._connection.log.warning("filter-ignored", path=_PATH, filter="sku")
                rows = self._searched(chunk)
            found.update((str(row["id"]), variant(row)) for row in rows if row.get("sku") in wanted)
        return list(found.values())

    def changed(self, since: Cursor | None, start: datetime | None = None) -> Iterator[Page[Variant]]:
        """Read variants created, changed or deleted since a cursor; with none, since ``start``, or all.

        Shape: newest created first (K-10), each once; the last page carries the cursor. Archiving a parent, or making
               it sellable, may not show here (K-86); ``find`` always sees it.
        """
        window = _Window.at(since, self._connection.clock.now())
        if since is None:
            window.last = start
        overlap = timedelta(seconds=self._connection.settings.catalogue_overlap_s)
        params: Params = [_WITH_PARENT, _ARCHIVED_TOO, _DELETED_TOO]
        if window.last is not None:
            params = [("updated_at_min", instant_text(window.last - overlap)), *params]
        for listing in self._client.pages(_PATH, params):
            items = window.take(listing)
            yield Page(items, window.cursor() if listing.is_last else None)

    def _filtered(self, skus: Sequence[str]) -> tuple[Row, ...] | None:
        folded = {sku.casefold() for sku in skus}

        def belongs(row: Row) -> bool:
            return str(row.get("sku")).casefold() in folded

        params = [*(("sku", sku) for sku in skus), _WITH_PARENT, _ARCHIVED_TOO]
        return self._client.matching(_PATH, params, belongs)

    def _searched(self, skus: Sequence[str]) -> tuple[Row, ...]:
        """Ask the search instead (K-33), whose filter may not be ignored either."""
        rows: list[Row] = []
        try:
            for listing in self._client.search(f"{_PATH}/search", lambda limit, page: _search_body(skus, limit, page)):
                if not {row.get("sku") for row in listing.rows} <= set(skus):
                    break
                rows += listing.rows
            else:
                return tuple(rows)
        except RefusedError:
            pass
        raise filter_ignored("variants by SKU", where=self._connection.id)


@dataclass(slots=True)
class _Window:
    """One pull: where it starts, and what it has seen.

    Its cursor is the latest change seen, yet not later than the pull began: what changes while pages are read may slip
    past it. Where fewer records came than the first page promised (offset paging lost one), the cursor stays, so that
    the next pull reads the same window once more.
    """

    last: datetime | None
    begun: datetime
    is_second_look: bool = False
    latest: datetime | None = None
    promised: int | None = None
    seen: set[str] = field(default_factory=set)

    @classmethod
    def at(cls, since: Cursor | None, begun: datetime) -> _Window:
        try:
            said = simplejson.loads(since or "{}")
        except ValueError:
            said = None
        if not isinstance(said, dict):
            said = {}
        return cls(instant_of(said.get("updated_at_min")), begun, is_second_look=bool(said.get("second_look")))

    def take(self, listing: Listing) -> tuple[Variant, ...]:
        """Return the variants of a page that have not come before."""
        if self.promised is None:
            self.promised = listing.total_records
        fresh = {found.ref: found for found in map(variant, listing.rows) if found.ref not in self.seen}
        self.seen.update(fresh)
        changes = [found.updated_at for found in fresh.values() if found.updated_at is not None]
        self.latest = max([*changes, *([self.latest] if self.latest else [])], default=None)
        return tuple(fresh.values())

    def cursor(self) -> Cursor:
        if len(self.seen) < (self.promised or 0) and not self.is_second_look:
            upto, second_look = self.last, True
        else:
            upto, second_look = min(self.latest, self.begun) if self.latest else self.last or self.begun, False
        body = {"updated_at_min": instant_text(upto) if upto else None, "second_look": second_look}
        return Cursor(simplejson.dumps(body))


def _chunks(skus: Sequence[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    letters = 0
    for sku in skus:
        if chunk and (len(chunk) == _MOST_SKUS or letters + len(sku) > _MOST_LETTERS):
            yield chunk
            chunk, letters = [], 0
        chunk.append(sku)
        letters += len(sku)
    if chunk:
        yield chunk


def _search_body(skus: Sequence[str], limit: int, page: int) -> dict[str, object]:
    return {
        "filter": {"sku": {"inq": list(skus)}},
        "include": ["item", "archived"],
        "limit": limit,
        "page": page,
    }
