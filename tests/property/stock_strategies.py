"""Generators of stock levels, shops' orders, rules and feedings, and of whole lives of orders between two systems."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from hub.routing.model import Buffer, InventoryRules
from hub.routing.stock import Feeding, Level, Ordered, Shop, evened

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SETTLE = timedelta(seconds=60)
PLACES, LOCATIONS = ("wh-1", "wh-2", "wh-3"), ("main", "west")
_UNITS = st.integers(0, 40).map(Decimal)
_SIGNED = st.integers(-20, 200).map(Decimal)
_SHARES = st.sampled_from([Decimal(n) for n in (5, 33, 50, 66, 100)])


TICK = timedelta(seconds=20)  # instants lie on a grid around the settle time, so that they often meet


def instants(most: int = 15) -> st.SearchStrategy[datetime]:
    """Generate instants within some ticks after noon."""
    return ticks(most).map(lambda after: NOON + after)


def ticks(most: int = 15) -> st.SearchStrategy[timedelta]:
    """Generate durations."""
    return st.integers(0, most).map(lambda n: n * TICK)


def levels(read_at: datetime = NOON) -> st.SearchStrategy[Level]:
    """Generate levels; stock may be negative, and more may be promised than there is."""
    return st.builds(Level, _SIGNED, _UNITS, st.just(Decimal(0)) | _UNITS, st.just(read_at))


def rules() -> st.SearchStrategy[InventoryRules]:
    """Generate buffers and shares."""
    buffers = st.builds(Buffer, st.integers(0, 9), st.integers(0, 100).map(Decimal))
    by_sku = st.dictionaries(st.sampled_from(["MUG", "M*", "*"]), buffers, max_size=2)
    return st.builds(InventoryRules, buffer=buffers, buffers=by_sku, share=_SHARES)


def feedings() -> st.SearchStrategy[tuple[Feeding, ...]]:
    """Generate feedings of one or several places, none of which gives more than all it has."""
    one = st.builds(Feeding, st.sampled_from(PLACES), st.sampled_from(LOCATIONS), _SHARES)
    return st.lists(one, min_size=1, max_size=5, unique_by=lambda f: (f.place, f.location)).map(evened)


def orders() -> st.SearchStrategy[Ordered]:
    """Generate units of orders that stand anywhere."""
    maybe = st.none() | instants()
    return st.builds(
        Ordered,
        st.integers(1, 5).map(Decimal),
        st.none() | st.sampled_from((*LOCATIONS, "far")),
        st.none() | st.sampled_from(PLACES),
        maybe,
        maybe,
        maybe,
        st.booleans(),
        st.booleans(),
    )


def shops(*names: str) -> st.SearchStrategy[list[Shop]]:
    """Generate what each of these shops has ordered."""
    each = [st.builds(Shop, st.just(n), st.lists(orders(), max_size=6), st.none() | _UNITS) for n in names]
    return st.tuples(*each).map(list)


@dataclass(frozen=True, slots=True)
class Life:
    """When what happened to one order of one shop; None: not at all. ``made`` is the instant the ERP has it."""

    shop: str
    quantity: Decimal
    seen: datetime
    sent: datetime | None = None
    made: datetime | None = None
    linked: datetime | None = None
    deleted: datetime | None = None
    shipped: datetime | None = None

    def as_ledger(self, now: datetime) -> Ordered | None:
        """Return what the ledger makes of it at an instant."""
        if self.seen > now:
            return None
        past = [at if at is not None and at <= now else None for at in (self.sent, self.linked, self.deleted)]
        shipped = self.shipped is not None and self.shipped <= now
        return Ordered(self.quantity, "main", None, *past, shipped=shipped)

    def is_committed(self, now: datetime) -> bool:
        """Say whether the shop counts it as ordered and not shipped."""
        return self.seen <= now and (self.shipped is None or self.shipped > now)

    def is_in_erp(self, now: datetime) -> bool:
        """Say whether the ERP has promised or shipped it."""
        return self.made is not None and self.made <= now and (self.deleted is None or now < self.deleted)


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """Generate lives: each step needs the one before; packing and delivery move nothing that is available."""
    steps = [draw(instants())]
    for _ in range(draw(st.integers(0, 4))):
        steps.append(steps[-1] + draw(ticks(6)))
    sent, made, linked, last = (*steps[1:], None, None, None, None)[:4]
    if linked is None:
        made, sent = None, sent if draw(st.booleans()) else None
    is_shipped = draw(st.booleans())
    return Life(
        draw(st.sampled_from(["us", "uk"])),
        draw(st.integers(1, 5).map(Decimal)),
        steps[0],
        sent,
        made,
        linked,
        deleted=None if is_shipped else last,
        shipped=last if is_shipped else None,
    )
