"""Law 5 as properties: what is sold is never more than what there is, and no order is subtracted twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.routing.model import InventoryRules
from hub.routing.reckon import Open, Told, reckon
from hub.routing.stock import Cover, Feeding, Level, Ordered, Shop, Target, cover, part, target
from tests.property import stock_strategies as some
from tests.property.stock_strategies import LOCATIONS, NOON, PLACES, SETTLE, Life

ZERO, HUNDRED = Decimal(0), Decimal(100)
MAIN = (Feeding("wh-1", "main"),)
Levels = dict[str, Level]
two_levels = st.fixed_dictionaries({name: some.levels() for name in LOCATIONS})


def sold(
    levels: Levels, shops: Sequence[Shop], rules: InventoryRules, feeding: Sequence[Feeding], own: str = "us"
) -> Target:
    """What a shop sells of one SKU that is one ERP Variant."""
    one = part("MUG", Decimal(1), feeding, levels, shops, rules, SETTLE, own)
    return target([one], PLACES, rules.share)


@given(two_levels, some.shops("us", "uk"), some.rules(), some.feedings())
def test_sold_is_whole_never_negative_and_never_more_than_available_less_unknown_less_buffer(
    levels: Levels, shops: list[Shop], rules: InventoryRules, feeding: tuple[Feeding, ...]
) -> None:
    found = sold(levels, shops, rules, feeding)
    one = found.parts[0]
    free = max(ZERO, one.available - one.unknown - one.buffer)
    assert set(found.quantities) == set(PLACES), "a push names every place of the SKU"
    assert all(isinstance(units, int) and units >= 0 for units in found.quantities.values())
    assert sum(found.quantities.values()) == found.total <= free * rules.share / HUNDRED
    assert found.at_most >= found.total
    assert all(not found.quantities[place] for place in set(PLACES) - {each.place for each in feeding})


@given(two_levels, some.shops("us", "uk"), some.rules(), some.feedings(), st.sampled_from(LOCATIONS), st.integers(1, 9))
def test_more_in_the_erp_never_sells_less(
    levels: Levels, shops: list[Shop], rules: InventoryRules, feeding: tuple[Feeding, ...], where: str, more: int
) -> None:
    richer = levels | {where: replace(levels[where], in_stock=levels[where].in_stock + more)}
    assert sold(richer, shops, rules, feeding).total >= sold(levels, shops, rules, feeding).total


@given(two_levels, some.shops("us", "uk"), some.feedings(), st.lists(st.integers(1, 50), min_size=1, max_size=4))
def test_shops_that_split_the_stock_never_sell_more_than_there_is(
    levels: Levels, shops: list[Shop], feeding: tuple[Feeding, ...], weights: list[int]
) -> None:
    whole = sum(weights)
    targets = [sold(levels, shops, InventoryRules(share=HUNDRED * n / whole), feeding) for n in weights]
    one = targets[0].parts[0]
    assert sum(each.total for each in targets) <= max(ZERO, one.available - one.unknown)


@given(two_levels, some.shops("us", "uk"), some.feedings(), st.integers(1, 9))
def test_order_in_one_shop_takes_from_what_every_shop_sells(
    levels: Levels, shops: list[Shop], feeding: tuple[Feeding, ...], units: int
) -> None:
    """Whoever asks: the unknown demand of all shops is subtracted."""
    more = [shops[0], replace(shops[1], ordered=[*shops[1].ordered, Ordered(Decimal(units))])]
    if shops[1].committed is not None:
        more[1] = replace(more[1], committed=shops[1].committed + units)  # the shop itself counts it at once
    before, after = (sold(levels, each, InventoryRules(), feeding) for each in (shops, more))
    assert after.parts[0].unknown == before.parts[0].unknown + units
    free = max(ZERO, after.parts[0].available - after.parts[0].unknown)
    assert after.total <= min(free, before.total)


@given(
    st.lists(st.tuples(two_levels, st.integers(1, 4)), min_size=1, max_size=3),
    some.shops("us", "uk"),
    some.rules(),
    some.feedings(),
)
def test_bundle_sells_no_more_than_its_scarcest_part_makes(
    drawn: list[tuple[Levels, int]], shops: list[Shop], rules: InventoryRules, feeding: tuple[Feeding, ...]
) -> None:
    parts = [
        part(f"P{n}", Decimal(pieces), feeding, levels, shops, rules, SETTLE, "us")
        for n, (levels, pieces) in enumerate(drawn)
    ]
    found = target(parts, PLACES, rules.share)
    for each in parts:
        assert found.total * each.quantity <= max(ZERO, each.available - each.unknown - each.buffer)
        for place, units in found.quantities.items():
            assert units == 0 or each.weights.get(place, ZERO) > 0, "all parts must lie where the bundle is sold"


# -- the lives of orders: the ERP's reading is of some moment, the ledger's knowledge of another


def at_instant(
    stock: int, orders: Sequence[Life], read_at: datetime, lag: timedelta, now: datetime, asked: bool
) -> Target:
    """What a target is, with an ERP reading that began at ``read_at`` and shows the state ``lag`` before."""
    shown = sum((life.quantity for life in orders if life.is_in_erp(read_at - lag)), ZERO)
    level = Level(Decimal(stock), shown, ZERO, read_at)
    shops = []
    for name in ("us", "uk"):
        mine = [life for life in orders if life.shop == name]
        known = [units for life in mine if (units := life.as_ledger(now)) is not None]
        committed = sum((life.quantity for life in mine if life.is_committed(now)), ZERO)
        shops.append(Shop(name, known, committed if asked else None))
    return sold({"main": level}, shops, InventoryRules(), MAIN)


@settings(max_examples=400)
@given(
    st.integers(0, 30),
    st.lists(some.lives(), max_size=6),
    some.instants(40),
    some.ticks(3),
    some.ticks(20),
    st.booleans(),
)
def test_order_is_subtracted_once_at_every_stage_of_its_life(
    stock: int, orders: list[Life], read_at: datetime, lag: timedelta, later: timedelta, asked: bool
) -> None:
    """Any interleaving of orders' steps and readings: never above what is free, and exactly that once settled."""
    now = read_at + later
    free = max(ZERO, stock - sum((life.quantity for life in orders if life.seen <= now), ZERO))
    found = at_instant(stock, orders, read_at, lag, now, asked)
    known = [units for life in orders if (units := life.as_ledger(now)) is not None]
    unsure = any(cover(units, read_at, SETTLE) is Cover.UNSURE for units in known)
    assert found.total <= free, "sells what is promised"
    assert found.at_most >= free, "a decrease would be demanded that nothing calls for"
    if not unsure:
        assert found.total == free, "an order counts twice"


@given(st.integers(5, 30), some.lives(), st.lists(some.instants(40), min_size=2, max_size=12))
def test_one_order_never_lowers_what_is_sold_twice(stock: int, life: Life, readings: list[datetime]) -> None:
    """From one settled reading to the next it stays what it was: less by the order's units, once."""
    totals = []
    for read_at in sorted(readings):
        now = read_at + timedelta(seconds=1)
        known = life.as_ledger(now)
        if known is None or cover(known, read_at, SETTLE) is not Cover.UNSURE:
            totals.append(at_instant(stock, [life], read_at, timedelta(0), now, True).total)
    assert set(totals) <= {stock, stock - life.quantity}
    assert totals == sorted(totals, reverse=True)


@given(st.integers(0, 30), st.integers(0, 9), st.lists(some.lives(), max_size=4), some.instants())
def test_what_only_the_shop_knows_is_subtracted_too(stock: int, unseen: int, orders: list[Life], now: datetime) -> None:
    """C beyond what the ledger knows: orders that came after the pull."""
    known = [units for life in orders if life.shop == "us" and (units := life.as_ledger(now)) is not None]
    committed = sum((life.quantity for life in orders if life.shop == "us" and life.is_committed(now)), ZERO)
    level = {"main": Level(Decimal(stock), ZERO, ZERO, NOON - SETTLE)}
    without = sold(level, [Shop("us", known, committed)], InventoryRules(), MAIN)
    found = sold(level, [Shop("us", known, committed + unseen)], InventoryRules(), MAIN)
    assert found.parts[0].unknown == without.parts[0].unknown + unseen


# -- what a channel is reckoned to sell


@settings(max_examples=300)
@given(st.lists(some.lives(), max_size=6), some.instants(), some.ticks(20), some.ticks(3))
def test_channel_is_never_reckoned_to_sell_less_than_it_does(
    orders: list[Life], read_at: datetime, later: timedelta, late: timedelta
) -> None:
    """Orders lower its number, cancellations raise it (``deleted`` stands for them here), shipping changes nothing.

    The ledger hears of each order ``late``: one that the reading knew and the ledger did not must not count again.
    """
    now = read_at + later
    orders = [life if not late else replace(life, deleted=None) for life in orders]

    def lives(at: datetime) -> list[Life]:
        return [life for life in orders if life.seen <= at and (life.deleted is None or life.deleted > at)]

    def open_units(at: datetime) -> list[Open]:
        still = [life for life in lives(at) if life.is_committed(at)]
        known = [life for life in still if life.seen + late <= at]
        return [Open(life.quantity, "wh-1", life.seen, life.seen + late) for life in known]

    def sells(at: datetime) -> Decimal:
        return 100 - sum((life.quantity for life in lives(at)), ZERO)

    committed = sum((life.quantity for life in lives(read_at) if life.is_committed(read_at)), ZERO)
    counted = sum((each.quantity for each in open_units(read_at)), ZERO)
    told = Told({"wh-1": int(sells(read_at))}, committed, counted, read_at)
    found = reckon(told, open_units(now))
    shipped = [life for life in orders if life.shipped is not None and life.shipped <= now]
    assert found.total >= sells(now)
    if not shipped and not late:
        assert found.total == sells(now)
        assert found.committed == sum((each.quantity for each in open_units(now)), ZERO)
    if not shipped and now >= read_at + late and all(life.seen <= read_at for life in orders):
        assert found.total == sells(now), "an order that the reading knew counts again"
