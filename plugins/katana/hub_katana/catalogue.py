"""Reads variants: some by SKU, or all that changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from hub.contract import Connection, Cursor, Page, Variant
from hub_katana.account import BASE_CURRENCY
from hub_katana.answers import Row
from hub_katana.client import Client, Params
from hub_katana.failures import RefusedError, filter_ignored
from hub_katana.settings import KatanaSettings
from hub_katana.translate import instant_text, variant
from hub_katana.window import Window

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
        currency = self._currency()
        for chunk in _chunks(list(dict.fromkeys(sku for sku in skus if sku))):
            wanted = set(chunk)
            rows = self._filtered(chunk)
            if rows is None:
                self._connection.log.warning("filter-ignored", path=_PATH, filter="sku")
                rows = self._searched(chunk)
            found.update((str(row["id"]), variant(row, currency)) for row in rows if row.get("sku") in wanted)
        return list(found.values())

    def changed(self, since: Cursor | None, start: datetime | None = None) -> Iterator[Page[Variant]]:
        """Read variants created, changed or deleted since a cursor; with none, since ``start``, or all.

        Shape: newest created first (K-10), each once; the last page carries the cursor. Archiving a parent, or making
               it sellable, may not show here (K-86); ``find`` always sees it.
        Units: a call per 250. The currency of prices is known once the locations were read (K-28).
        """
        window = Window.at(since, self._connection.clock.now(), self._connection.settings.catalogue_overlap_s)
        if since is None:
            window.last = start
        params: Params = [_WITH_PARENT, _ARCHIVED_TOO, _DELETED_TOO]
        if window.start is not None:
            params = [("updated_at_min", instant_text(window.start)), *params]
        for listing in self._client.pages(_PATH, params):
            currency = self._currency()
            items = tuple(variant(row, currency) for row in window.take(listing))
            yield Page(items, window.cursor() if listing.is_last else None)

    def _currency(self) -> str | None:
        """Return the currency of the account's prices, as far as a reading of the factory has told it (K-28)."""
        return self._connection.memory.get(BASE_CURRENCY)

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
