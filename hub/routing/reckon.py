"""A channel's last word on its stock, carried forward by the orders seen since. Units are counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from hub.routing.stock import floor

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Open:
    """Units of one channel Variant that an order still has to ship; not ``direct``: as a part of a channel's bundle."""

    quantity: Decimal
    place: str | None
    created_at: datetime
    seen_at: datetime
    direct: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """What a channel said, or was told, that it sells of a Variant; ``known`` are the ledger's open units then."""

    quantities: Mapping[str, int]
    committed: Decimal
    known: Decimal
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Reckoned:
    """What a channel should be selling and holding by now, from its last word and the orders since.

    Never less than it sells: what left the ledger's sight (``gone``) was shipped, or cancelled and is sold again.
    """

    quantities: Mapping[str, int]
    total: int
    committed: Decimal
    gone: Decimal = ZERO


def reckon(told: Told, orders: Iterable[Open]) -> Reckoned:
    """Carry a channel's last word forward by what the ledger has seen of its orders since."""
    still, sold, fresh = ZERO, ZERO, ZERO
    by_place: dict[str | None, Decimal] = {}
    for units in orders:
        if units.seen_at <= told.read_at:
            still += units.quantity
        elif units.created_at > told.read_at:
            fresh += units.quantity
            if units.direct:
                sold += units.quantity
                by_place[units.place] = by_place.get(units.place, ZERO) + units.quantity
    gone = max(ZERO, told.known - still)
    quantities = {place: floor(units - by_place.get(place, ZERO) + gone) for place, units in told.quantities.items()}
    total = floor(sum(told.quantities.values()) - sold + gone)
    return Reckoned(quantities, total, max(ZERO, told.committed - gone + fresh), gone)
