"""Which Katana tax rate a percentage is: remembered, else found by its rate, else made where that is switched on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from threading import Lock

from hub.contract import Connection, RejectedError
from hub_katana.answers import Row
from hub_katana.client import Client
from hub_katana.settings import KatanaSettings
from hub_katana.translate import decimal_of, plain

_HIGHEST = Decimal("999.999")  # K-84
_MISS_S = 60.0  # a batch asks once for a rate that is not there; a person who made it waits no longer than this


class TaxRates:
    """Finds or makes tax rates by their percentage (K-78)."""

    def __init__(self, connection: Connection[KatanaSettings], client: Client) -> None:
        self._connection = connection
        self._client = client
        self._lock = Lock()
        self._missed: dict[Decimal, datetime] = {}  # rates that a reading did not show, and when
        self._made: dict[Decimal, int] = {}  # a rate made here is never made again, even where a list lags behind

    def ids_for(self, rates: Iterable[Decimal | None], *, create: bool, where: str) -> dict[Decimal | None, int | None]:
        """Return the tax rate's id for each percentage; None for a row that carries no tax (K-50).

        Units:   0 calls where all are remembered, else 1, and 1 more for each that is made. That there is none is
                 remembered for a minute.
        Repeats: safe; the list is read before anything is made.
        Raises:  RejectedError ``tax-rate-missing`` where Katana has no such rate and none may be made.
        """
        untaxed = Decimal(0) if self._connection.settings.untaxed == "zero_rate" else None
        wanted = {rate: untaxed if rate is None else rate for rate in rates}
        numbers = {rate for rate in wanted.values() if rate is not None}
        known = {rate: found for rate in numbers if (found := self._remembered(rate)) is not None}
        if len(known) < len(numbers):
            with self._lock:
                known |= self._found_or_made(numbers - known.keys(), create=create, where=where)
        return {rate: None if number is None else known[number] for rate, number in wanted.items()}

    def forget(self, rates: Iterable[Decimal | None]) -> None:
        """Drop what is remembered, so that the next ids_for asks Katana."""
        for rate in {Decimal(0), *(rate for rate in rates if rate is not None)}:
            self._made.pop(rate, None)
            self._connection.memory.forget(_memory_key(rate))

    def _remembered(self, rate: Decimal) -> int | None:
        text = self._connection.memory.get(_memory_key(rate)) or ""
        return int(text) if text.isascii() and text.isdecimal() else self._made.get(rate)

    def _found_or_made(self, rates: Iterable[Decimal], *, create: bool, where: str) -> dict[Decimal, int]:
        ids = {rate: found for rate in rates if (found := self._remembered(rate)) is not None}
        missing = [rate for rate in rates if rate not in ids]
        if missing:
            if not create:
                self._refuse_missed(missing, where=where)
            rows = [row for listing in self._client.pages("/tax_rates") for row in listing.rows]
            for rate in missing:
                found = _best(rows, rate)
                self._note(rate, missed=found is None)
                ids[rate] = self._make(rate, create=create, where=where) if found is None else found
                self._connection.memory.set(_memory_key(rate), str(ids[rate]))
        return ids

    def _refuse_missed(self, rates: Iterable[Decimal], *, where: str) -> None:
        """Refuse at once what the list did not have a moment ago."""
        now = self._connection.clock.now()
        for rate in rates:
            missed_at = self._missed.get(rate)
            if missed_at is not None and abs((now - missed_at).total_seconds()) < _MISS_S:
                raise _missing(rate, where=where)

    def _note(self, rate: Decimal, *, missed: bool) -> None:
        if missed:
            self._missed[rate] = self._connection.clock.now()
        else:
            self._missed.pop(rate, None)

    def _make(self, rate: Decimal, *, create: bool, where: str) -> int:
        shown = plain(rate)
        if not create or rate > _HIGHEST:
            raise _missing(rate, where=where)
        made = self._client.create("/tax_rates", {"rate": shown, "name": f"{shown} %"}, subject=where)
        self._made[rate] = int(made["id"])
        self._connection.log.info("tax-rate-made", rate=str(shown))
        return self._made[rate]


def _missing(rate: Decimal, *, where: str) -> RejectedError:
    shown = plain(rate)
    what = f"Katana has no tax rate of {shown} %"
    do = f"Make a tax rate of {shown} % in Katana, or let the route create missing tax rates; then retry."
    return RejectedError("tax-rate-missing", what, where=where, do=do, sent=False)


def _best(rows: Iterable[Row], rate: Decimal) -> int | None:
    """Return the id of the rate with this percentage: the default for sales first, then the oldest."""
    same = [row for row in rows if decimal_of(row.get("rate")) == rate]
    best = min(same, key=lambda row: (not row.get("is_default_sales"), int(row["id"])), default=None)
    return None if best is None else int(best["id"])


def _memory_key(rate: Decimal) -> str:
    return f"tax:{plain(rate)}"
