"""Stock levels + open orders + the operator's rules -> what a channel may sell of a SKU, term by term. Law 5.

Sellable = available - unknown demand - buffer. Available counts what ERP Locations feed this channel; unknown demand is
what buyers have ordered and the ERP reading does not show yet. Units are Decimal counts; what a channel is told is int.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from enum import Enum
from fnmatch import fnmatchcase
from fractions import Fraction

from hub.routing.model import Buffer, InventoryRules

ZERO, HUNDRED = Decimal(0), Decimal(100)


class Cover(Enum):
    """Whether an ERP reading counts the sales order of some units."""

    NO = "no"
    UNSURE = "unsure"  # it was made at about that time; a later reading will tell
    YES = "yes"


@dataclass(frozen=True, slots=True)
class Ordered:
    """Units of one ERP Variant that a shop's order still has to ship.

    ``location``: the ERP Location they are or will be booked at (None: not known). ``origin``: the channel's.
    ``sent_at``: since when a sales order may exist; ``linked_at``: since when it is known to; ``gone_at``: since when
    it is known to be deleted. ``elsewhere``: they go to another ERP, so that no reading of this one shows them.
    ``shipped``: the channel shows them as shipped, so that it no longer counts them; a reading may be older than that.
    """

    quantity: Decimal
    location: str | None = None
    origin: str | None = None
    sent_at: datetime | None = None
    linked_at: datetime | None = None
    gone_at: datetime | None = None
    elsewhere: bool = False
    shipped: bool = False


@dataclass(frozen=True, slots=True)
class Level:
    """What an ERP counts of one Variant at one Location, by a reading that began at ``read_at``."""

    in_stock: Decimal
    committed: Decimal
    potential: Decimal
    read_at: datetime

    @property
    def available(self) -> Decimal:
        """Return what can still be sold; negative where more is promised than there is."""
        return self.in_stock + self.potential - self.committed


@dataclass(frozen=True, slots=True)
class Feeding:
    """An ERP Location that feeds a channel Location, with so much percent of what is available there."""

    place: str
    location: str
    share: Decimal = HUNDRED


@dataclass(frozen=True, slots=True)
class Shop:
    """One shop's orders of one Variant, and how much of it the shop says is committed (None: it is not asked)."""

    name: str
    ordered: Sequence[Ordered] = ()
    committed: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Demand:
    """One shop's units of a Variant: ``uncovered`` is U, ``covered`` is K, ``committed`` is C of law 5.

    ``shipped`` are units of U that the shop no longer counts as committed; C is held against the others only.
    ``unsure``: what the reading may show after all, of those to ship and of the shipped ones; U holds both.
    """

    shop: str
    uncovered: Decimal
    covered: Decimal
    committed: Decimal | None
    shipped: Decimal = ZERO
    unsure: tuple[Decimal, Decimal] = (ZERO, ZERO)

    @property
    def unknown(self) -> Decimal:
        """Return what is ordered and not yet counted by the ERP: max(U, C - K)."""
        return self.shipped + max(self.uncovered - self.shipped, (self.committed or ZERO) - self.covered)

    @property
    def least(self) -> Decimal:
        """Return the same, were the unsure units counted already."""
        open_, gone = self.unsure
        still = max(self.uncovered - self.shipped - open_, (self.committed or ZERO) - self.covered - open_)
        return self.shipped - gone + still


@dataclass(frozen=True, slots=True)
class Term:
    """One ERP Location's share in what is available to one channel Location."""

    place: str
    location: str
    share: Decimal
    level: Level

    @property
    def units(self) -> Decimal:
        """Return how much it feeds."""
        return self.level.available * self.share / HUNDRED


@dataclass(frozen=True, slots=True)
class Part:
    """One ERP Variant that a channel SKU consists of, ``quantity`` pieces each, with everything that limits it."""

    sku: str
    quantity: Decimal
    terms: tuple[Term, ...]
    demands: tuple[Demand, ...]
    buffer: Decimal
    weights: Mapping[str, Decimal] = field(default_factory=dict)  # channel Location -> what it could sell by itself

    @property
    def available(self) -> Decimal:
        """Return what the mapped Locations hold for this channel."""
        return sum((term.units for term in self.terms), ZERO)

    @property
    def unknown(self) -> Decimal:
        """Return the unknown demand of all shops."""
        return sum((demand.unknown for demand in self.demands), ZERO)

    @property
    def makes(self) -> int:
        """Return for how many pieces of the channel SKU it suffices."""
        return floor((self.available - self.unknown - self.buffer) / self.quantity)

    @property
    def makes_at_most(self) -> int:
        """Return the same, were all unsure units counted already."""
        least = sum((demand.least for demand in self.demands), ZERO)
        return floor((self.available - least - self.buffer) / self.quantity)


@dataclass(frozen=True, slots=True)
class Target:
    """What a channel should sell of one SKU, by Location; their sum is never above ``total``.

    ``at_most`` is the total, were all unsure units counted by the ERP already: only what sells above that is too much
    for certain. ``room`` is what the ERP Locations behind each channel Location have at all.
    """

    parts: tuple[Part, ...]
    share: Decimal
    total: int
    at_most: int
    quantities: Mapping[str, int]
    room: Mapping[str, int]

    @property
    def read_at(self) -> datetime:
        """Return when the oldest ERP reading behind it began."""
        return min(term.level.read_at for part in self.parts for term in part.terms)


def floor(units: Decimal) -> int:
    """Return the whole units, never below zero."""
    return max(0, int(units.to_integral_value(ROUND_FLOOR)))


def cover(units: Ordered, read_at: datetime, settle: timedelta) -> Cover:
    """Say whether a reading that began at an instant counts the sales order of these units."""
    if units.gone_at is not None and read_at >= units.gone_at:
        return Cover.NO if read_at >= units.gone_at + settle else Cover.UNSURE
    if units.linked_at is not None and read_at >= units.linked_at + settle:
        return Cover.YES
    if units.sent_at is None:
        return Cover.NO if units.linked_at is None else Cover.UNSURE
    return Cover.NO if read_at < units.sent_at else Cover.UNSURE


def cover_of(units: Ordered, readings: Mapping[str, datetime], settle: timedelta) -> Cover:
    """Say the same of readings by ERP Location; units of another Location take nothing from these."""
    if units.elsewhere or (units.location is not None and units.location not in readings):
        return Cover.YES
    read_at = readings[units.location] if units.location is not None else min(readings.values())
    return cover(units, read_at, settle)


def demand(shop: Shop, readings: Mapping[str, datetime], settle: timedelta) -> Demand:
    """Add up one shop's units of a Variant by what the readings of the ERP Locations cover."""
    to_ship, shipped = dict.fromkeys(Cover, ZERO), dict.fromkeys(Cover, ZERO)
    for units in shop.ordered:
        (shipped if units.shipped else to_ship)[cover_of(units, readings, settle)] += units.quantity
    left, gone = to_ship[Cover.NO] + to_ship[Cover.UNSURE], shipped[Cover.NO] + shipped[Cover.UNSURE]
    unsure = (to_ship[Cover.UNSURE], shipped[Cover.UNSURE])
    return Demand(shop.name, left + gone, to_ship[Cover.YES], shop.committed, gone, unsure)


def buffer_of(rules: InventoryRules, sku: str, available: Decimal) -> Decimal:
    """Return what is kept back of an ERP SKU; the whole is rounded once, so a percentage may leave a fraction here."""
    found: Buffer = next((each for pattern, each in rules.buffers.items() if fnmatchcase(sku, pattern)), rules.buffer)
    return found.units + max(ZERO, available) * found.percent / HUNDRED


def part(
    sku: str,
    quantity: Decimal,
    feeding: Sequence[Feeding],
    levels: Mapping[str, Level],
    shops: Iterable[Shop],
    rules: InventoryRules,
    settle: timedelta,
    own: str,
) -> Part:
    """Work out one ERP Variant; ``levels`` by ERP Location, ``own`` is the shop whose SKU it is for."""
    terms = tuple(Term(each.place, each.location, each.share, levels[each.location]) for each in feeding)
    readings = {term.location: term.level.read_at for term in terms}
    asked = list(shops)
    demands = tuple(demand(shop, readings, settle) for shop in asked if shop.ordered or shop.committed)
    weights = {term.place: ZERO for term in terms}
    for term in terms:
        weights[term.place] += term.units
    # What its own buyers ordered from a channel Location has left that one, not its share in all.
    for units in (each for shop in asked if shop.name == own for each in shop.ordered):
        if units.origin in weights and cover_of(units, readings, settle) is not Cover.YES:
            weights[units.origin] -= units.quantity
    available = sum((term.units for term in terms), ZERO)
    return Part(sku, quantity, terms, demands, buffer_of(rules, sku, available), weights)


def target(parts: Sequence[Part], places: Sequence[str], share: Decimal) -> Target:
    """Return what to sell where: the least over the parts, this shop's share of it, split by what feeds each place."""
    if len(places) == 1:  # nearly always, and Fractions are slow
        holds = min(floor(each.weights.get(places[0], ZERO) / each.quantity) for each in parts)
        weights = {places[0]: Fraction(holds)}
    else:
        weights = {place: min(_weight(each, place) for each in parts) for place in places}
        holds = int(sum(weights.values(), Fraction(0)))  # the parts of a bundle must lie together
    total = min(floor(Decimal(min(each.makes for each in parts)) * share / HUNDRED), holds)
    at_most = floor(Decimal(min(each.makes_at_most for each in parts)) * share / HUNDRED)
    room = {place: min(_room(each, place) for each in parts) for place in places}
    return Target(tuple(parts), share, total, max(total, at_most), spread(total, weights), room)


def _weight(each: Part, place: str) -> Fraction:
    return Fraction(max(ZERO, each.weights.get(place, ZERO))) / Fraction(each.quantity)


def _room(each: Part, place: str) -> int:
    held = {term.location: term.level.available for term in each.terms if term.place == place}
    return floor(sum(held.values(), ZERO) / each.quantity)


def spread(total: int, weights: Mapping[str, Fraction]) -> dict[str, int]:
    """Split whole units in proportion to weights, to the last one; what weighs nothing gets nothing."""
    if len(weights) == 1:
        return {place: total if weight > 0 else 0 for place, weight in weights.items()}
    whole = sum(weights.values(), Fraction(0))
    if whole <= 0:
        return dict.fromkeys(weights, 0)
    exact = {place: total * weight / whole for place, weight in weights.items()}
    pieces = {place: int(units) for place, units in exact.items()}
    # The largest remainder first; equal ones by name, so that the same numbers always split the same way.
    order = sorted(exact, key=lambda place: (pieces[place] - exact[place], place))
    for place in order[: total - sum(pieces.values())]:
        pieces[place] += 1
    return pieces


def evened(feeding: Sequence[Feeding]) -> tuple[Feeding, ...]:
    """Return feedings of which no ERP Location gives more than all it has."""
    given: dict[str, Decimal] = {}
    for each in feeding:
        given[each.location] = given.get(each.location, ZERO) + each.share
    return tuple(
        replace(each, share=each.share * HUNDRED / given[each.location]) if given[each.location] > HUNDRED else each
        for each in feeding
    )
