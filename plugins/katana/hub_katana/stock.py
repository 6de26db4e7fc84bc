"""Reads stock levels: all of a location or of the account, or those of some variants."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from hub.contract import Connection, Page, RejectedError, StockLevel
from hub_katana.answers import Listing, Refusal, Row
from hub_katana.client import Client, Params
from hub_katana.failures import RefusedError, unreadable
from hub_katana.settings import KatanaSettings
from hub_katana.translate import decimal_of, id_of

_PATH = "/inventory"
_MOST_VARIANTS = 100  # K-72 K-85
_WITH_VARIANT = ("extend", "variant")  # K-91
_TOO_LONG = (413, 414, 431)
ZERO = Decimal(0)


class Stock:
    """Reads ``/inventory``, which takes no dates and tells none (K-24): a level counts as of its page's request."""

    def __init__(self, connection: Connection[KatanaSettings], client: Client) -> None:
        self._connection = connection
        self._client = client
        self._most = _MOST_VARIANTS

    def levels(self, variants: Sequence[str] | None, location: str | None) -> Iterator[Page[StockLevel]]:
        """Read the levels of these variants, or of all, at one location, or at all.

        Shape: each variant and location once; archived variants and what is not stocked are left out. Every record is
               checked: where a filter was ignored (K-23) the whole list is read, once, and sorted out here.
        Units: ceil(records / 250) calls for all, which also tell each variant's SKU (K-91); for named variants one call
               per 100 of them and 250 records.
        """
        reading = _Reading(self._connection.clock.now(), self._id_of(location))
        if variants is None:
            yield from self._all(reading)
            return
        wanted = [number for ref in dict.fromkeys(variants) if (number := _number(ref)) is not None]
        start = 0
        while start < len(wanted) and not reading.is_unfiltered:
            chunk = wanted[start : start + self._most]
            try:
                yield from self._some(chunk, reading)
            except RefusedError as refused:
                if len(chunk) == 1 or not _is_too_much(refused.refusal):
                    raise
                self._most = len(chunk) // 2  # K-85
                continue
            start += len(chunk)
        if reading.is_unfiltered:
            reading.wanted = frozenset(wanted)
            yield from self._all(reading)

    def _all(self, reading: _Reading) -> Iterator[Page[StockLevel]]:
        """Read the list to its end; once more where offset paging lost a record on the way (K-82)."""
        for _ in range(2):
            first: Listing | None = None
            listings = self._client.pages(_PATH, [_WITH_VARIANT, *reading.params])
            while (listing := self._next(listings, reading)) is not None:
                first = first or listing
                yield self._page(reading, listing.rows)
            if first is None or first.total_records is None or len(reading.passed) >= first.total_records:
                return

    def _next(self, listings: Iterator[Listing], reading: _Reading) -> Listing | None:
        """Read the next page, which tells levels of this moment: orders may be placed between two pages."""
        reading.at = self._connection.clock.now()
        return next(listings, None)

    def _some(self, chunk: list[int], reading: _Reading) -> Iterator[Page[StockLevel]]:
        """Read the levels of up to 100 variants; marks the reading where the filter was ignored, and yields nothing."""
        wanted = frozenset(chunk)
        params: Params = [*(("variant_id", str(number)) for number in chunk), *reading.params]
        first = self._client.page(_PATH, params)
        if not first.is_last and not all(row.get("variant_id") in wanted for row in first.rows):
            self._connection.log.warning("filter-ignored", path=_PATH, filter="variant_id")
            reading.is_unfiltered = True
            return
        for listing in self._client.pages(_PATH, params, first):
            yield self._page(reading, [row for row in listing.rows if row.get("variant_id") in wanted])

    def _page(self, reading: _Reading, rows: Collection[Row]) -> Page[StockLevel]:
        try:
            return Page(tuple(reading.take(rows)))
        except (KeyError, TypeError, ValueError):
            raise unreadable(where=f"{self._connection.id}, GET {_PATH}", reads=True) from None

    def _id_of(self, location: str | None) -> int | None:
        try:
            return id_of(location)
        except ValueError as wrong:
            do = "Read the locations again: hub locations."
            raise RejectedError("reference-invalid", str(wrong), where=self._connection.id, do=do) from wrong


@dataclass(slots=True)
class _Reading:
    """What has come so far of one reading."""

    at: datetime
    location: int | None
    wanted: frozenset[int] | None = None
    is_unfiltered: bool = False
    passed: set[tuple[int, int]] = field(default_factory=set)

    @property
    def params(self) -> Params:
        return [] if self.location is None else [("location_id", str(self.location))]

    def take(self, rows: Collection[Row]) -> Iterator[StockLevel]:
        """Yield the levels among some records that are wanted and have not come before."""
        for row in rows:
            place = (int(row["variant_id"]), int(row["location_id"]))
            is_new = place not in self.passed
            self.passed.add(place)
            if is_new and self._is_wanted(*place) and not row.get("archived_at"):
                yield _level(row, self.at)

    def _is_wanted(self, variant: int, location: int) -> bool:
        return self.location in (None, location) and (self.wanted is None or variant in self.wanted)


def _level(row: Row, at: datetime) -> StockLevel:
    """Read one record; its quantities are texts with decimals (K-20), the potential null where it is no kit (K-74).

    Raises: ValueError where stock or commitment cannot be read: a zero in their place would sell what is not there.
    """
    in_stock, committed = decimal_of(row.get("quantity_in_stock")), decimal_of(row.get("quantity_committed"))
    if in_stock is None or committed is None:
        raise ValueError("a quantity cannot be read")
    extended = row.get("variant")
    return StockLevel(
        variant_ref=str(row["variant_id"]),
        location_ref=str(row["location_id"]),
        in_stock=in_stock,
        committed=committed,
        potential=decimal_of(row.get("quantity_potential")) or ZERO,
        at=at,
        sku=(extended.get("sku") or None) if isinstance(extended, dict) else None,
    )


def _number(ref: str) -> int | None:
    """Return a variant's id; None for a ref that is none of Katana's, which is not counted here."""
    try:
        return id_of(ref)
    except ValueError:
        return None


def _is_too_much(refusal: Refusal) -> bool:
    return refusal.status in _TOO_LONG or any(detail.code == "maxItems" for detail in refusal.details)
