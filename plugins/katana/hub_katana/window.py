"""One pull of what changed in a list: where it starts, what it has seen, and where the next one goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import simplejson

from hub.contract import Cursor
from hub_katana.answers import Listing, Row
from hub_katana.translate import instant_of, instant_text


@dataclass(slots=True)
class Window:
    """Drops repeats and keeps the cursor (K-82).

    The cursor is the latest change seen, yet not later than the pull began: what changes while pages are read may slip
    past it. Where records tell no time (K-71) it is when the pull began, by our clock. Where fewer records came than
    the first page promised (offset paging lost one), it stays, so that the next pull reads the same window once more.

    What changed within the overlap before it may show late, and is read again, until a pull has looked there that long
    after the latest change was first seen. So a quiet poll after a busy day reads one page, however much changed then.
    """

    last: datetime | None
    begun: datetime
    overlap: timedelta = timedelta()
    is_second_look: bool = False
    said: Mapping[str, Any] = field(default_factory=dict)  # the whole cursor it started from
    latest: datetime | None = None
    promised: int | None = None
    seen: set[int] = field(default_factory=set)

    @classmethod
    def at(cls, since: Cursor | None, begun: datetime, overlap_s: float) -> Window:
        """Go on from a cursor; one that cannot be read begins anew, which loses nothing."""
        try:
            said = simplejson.loads(since or "{}")
        except ValueError:
            said = None
        if not isinstance(said, dict):
            said = {}
        last = instant_of(said.get("updated_at_min"))
        return cls(last, begun, timedelta(seconds=overlap_s), is_second_look=bool(said.get("second_look")), said=said)

    @property
    def start(self) -> datetime | None:
        """Return from which change on to read; None: all."""
        return self.last if self.last is None or self.said.get("settled") else self.last - self.overlap

    def take(self, listing: Listing) -> list[Row]:
        """Return the records of a page that have not come before."""
        if self.promised is None:
            self.promised = listing.total_records
        fresh = {int(row["id"]): row for row in listing.rows if int(row["id"]) not in self.seen}
        self.seen.update(fresh)
        changes = [at for row in fresh.values() if (at := instant_of(row.get("updated_at"))) is not None]
        self.latest = max([*changes, *([self.latest] if self.latest else [])], default=None)
        return list(fresh.values())

    def cursor(self, **more: Any) -> Cursor:
        """Return where the next pull goes on; ``more`` is kept in it."""
        if len(self.seen) < (self.promised or 0) and not self.is_second_look:
            upto, second_look = self.last, True
        else:
            upto, second_look = self._upto(), False
        body = {"updated_at_min": instant_text(upto) if upto else None, "second_look": second_look}
        if upto is not None and not second_look:
            seen_at = (instant_of(self.said.get("seen_at")) if upto == self.last else None) or self.begun
            body |= {"seen_at": instant_text(seen_at), "settled": self.begun - seen_at > self.overlap}
        return Cursor(simplejson.dumps(body | more))

    def _upto(self) -> datetime:
        seen = self.begun if self.latest is None else min(self.latest, self.begun)
        if self.last is None:
            return seen
        return max(self.last, seen) if self.seen else self.last
