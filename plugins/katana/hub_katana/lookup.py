"""Finds sales orders by their channel order, in as few calls as still prove an absence.

Three ways, told apart by what they cost and what they prove:

- by key: two calls, ``order_no`` and ``ecommerce_order_id``, deleted ones included. Exact.
- by window: all orders created since the oldest key was ordered, deleted ones included. Exact, and cheap where the
  window is short; offset paging may lose a row, which the count of records gives away.
- by search: two calls per 100 keys. What it finds is there; whether it shows deleted orders is unknown (K-83), so a key
  it does not find is confirmed by the cheaper of: its number alone, or the window. A deleted order of ours thus never
  passes for one that never was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from math import ceil

from hub.contract import Connection, OrderKey, PlacedOrder
from hub_katana.answers import Listing, Row
from hub_katana.client import Client, Params
from hub_katana.failures import filter_ignored
from hub_katana.search import OrderSearch
from hub_katana.settings import KatanaSettings
from hub_katana.translate import instant_text, is_match, placed_order

_PATH = "/sales_orders"
_DELETED_TOO = ("include_deleted", "true")  # K-55
_FEW = 2
_WINDOW_MARGIN = timedelta(days=1)  # clocks of three systems, and time zones somebody forgot
_CLOCK_MARGIN = timedelta(minutes=10)
_LONGEST_RESCUE = 20  # pages worth reading for one key when filters do not work


class OrderLookup:
    """Finds sales orders; each result is checked against its key, since Katana may ignore a filter (K-23)."""

    def __init__(self, connection: Connection[KatanaSettings], client: Client) -> None:
        self._connection = connection
        self._client = client
        self._search = OrderSearch(connection, client)

    def find(self, keys: Sequence[OrderKey], before: datetime | None = None) -> list[PlacedOrder]:
        """Return every sales order, deleted ones too, that stands for one of the keys.

        ``before`` ends the window: what was created later (by a margin for clocks that differ) need not be found.

        Units: 2 calls for each of one or two keys; for more, 1 to ceil(keys / 50) + 1 where the window is short, else
               2 per 100 keys and at most 1 per key not found.
        """
        wanted = list({key.key: key for key in keys}.values())
        if not wanted:
            return []
        if len(wanted) <= _FEW:
            rows = [row for key in wanted for row in self._by_key(key)]
        else:
            rows = self._by_window_or_search(wanted, before)
        return _placed(rows, wanted)

    def _by_key(self, key: OrderKey) -> list[Row]:
        by_number = self._by_number(key)
        by_ref = self._filtered("ecommerce_order_id", key.ref)
        if by_number is None or by_ref is None:
            return self._rescued(key)
        return [*by_number, *by_ref]

    def _by_number(self, key: OrderKey) -> tuple[Row, ...] | None:
        return self._filtered("order_no", key.key)

    def _filtered(self, name: str, value: str) -> tuple[Row, ...] | None:
        """Return the rows with this value; None where the filter was ignored. Case may not matter there (K-26)."""

        def belongs(row: Row) -> bool:
            return str(row.get(name)).casefold() == value.casefold()

        rows = self._client.matching(_PATH, [(name, value), _DELETED_TOO], belongs)
        if rows is None:
            self._connection.log.warning("filter-ignored", path=_PATH, filter=name)
        return rows

    def _rescued(self, key: OrderKey) -> list[Row]:
        """Read the window where filters by number do not work; too long a one is an error, never an absence."""
        window = _Window(self._client, [key])
        rows = window.read() if window.pages <= _LONGEST_RESCUE else None
        if rows is None:
            raise filter_ignored("sales orders by number", where=f"{self._connection.id}, order {key.key}")
        return rows

    def _by_window_or_search(self, keys: list[OrderKey], before: datetime | None) -> list[Row]:
        window = _Window(self._client, keys, before)
        is_short = window.pages <= ceil(len(keys) / 50) + 1
        rows = window.read() if is_short else None
        if rows is not None:
            return rows
        searched = self._search.find(keys)
        if searched is None:
            rows = None if is_short or window.pages - 1 > 2 * len(keys) else window.read()
            return rows if rows is not None else [row for key in keys for row in self._by_key(key)]
        missing = _without_match(keys, searched)
        rows = None if is_short or window.pages - 1 > len(missing) else window.read()
        return [*searched, *(rows if rows is not None else self._numbers(missing))]

    def _numbers(self, keys: Iterable[OrderKey]) -> list[Row]:
        rows: list[Row] = []
        for key in keys:
            found = self._by_number(key)
            rows.extend(self._rescued(key) if found is None else found)
        return rows


class _Window:
    """All sales orders created since shortly before the oldest key was ordered; reads its first page at once."""

    def __init__(self, client: Client, keys: Sequence[OrderKey], before: datetime | None = None) -> None:
        oldest = min(key.ordered_at for key in keys) - _WINDOW_MARGIN
        self._client = client
        self._params: Params = [("created_at_min", instant_text(oldest)), _DELETED_TOO]
        if before is not None:
            self._params.append(("created_at_max", instant_text(before + _CLOCK_MARGIN)))
        self._first: Listing = client.page(_PATH, self._params)

    @property
    def pages(self) -> float:
        """How many pages there are; infinite where Katana does not say."""
        if self._first.is_last:
            return 1
        return float("inf") if self._first.total_pages is None else self._first.total_pages

    def read(self) -> list[Row] | None:
        """Read the rest; None where fewer records came than the first page promised, so one slipped through."""
        rows: dict[int, Row] = {}
        for listing in self._client.pages(_PATH, self._params, self._first):
            rows.update((int(row["id"]), row) for row in listing.rows)
        if self._first.total_records is not None and len(rows) < self._first.total_records:
            return None
        return list(rows.values())


def _without_match(keys: Sequence[OrderKey], rows: Sequence[Row]) -> list[OrderKey]:
    found = {placed.key for placed in _placed(rows, keys)}
    return [key for key in keys if key.key not in found]


def _placed(rows: Iterable[Row], keys: Sequence[OrderKey]) -> list[PlacedOrder]:
    """Return one PlacedOrder per key and order that match, in the order of the keys."""
    index: dict[str, dict[int, Row]] = {}
    for row in rows:
        for name in ("order_no", "ecommerce_order_id"):
            index.setdefault(f"{name}:{row.get(name)}", {})[int(row["id"])] = row
    placed = []
    for key in keys:
        near = index.get(f"order_no:{key.key}", {}) | index.get(f"ecommerce_order_id:{key.ref}", {})
        placed += [placed_order(row, key) for row in near.values() if is_match(row, key)]
    return placed
