"""Law 5 by examples: each term of what a channel may sell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from hub.routing.model import Buffer, InventoryRules
from hub.routing.reckon import Open, Told, reckon
from hub.routing.stock import (
    Cover,
    Feeding,
    Level,
    Ordered,
    Part,
    Shop,
    Target,
    buffer_of,
    cover,
    demand,
    evened,
    part,
    spread,
    target,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SETTLE, MINUTE = timedelta(seconds=60), timedelta(minutes=1)
ZERO, HUNDRED = Decimal(0), Decimal(100)
MAIN = (Feeding("wh-1", "main"),)


def level(in_stock: int, committed: int = 0, potential: int = 0, read_at: datetime = NOON) -> Level:
    return Level(Decimal(in_stock), Decimal(committed), Decimal(potential), read_at)


def units(quantity: int, **more: object) -> Ordered:
    return Ordered(Decimal(quantity), **{"location": "main", **more})  # type: ignore[arg-type]  # checked by the class


def made(
    levels: Mapping[str, Level], feeding: Sequence[Feeding] = MAIN, *shops: Shop, pieces: int = 1, **rules: object
) -> Part:
    given = InventoryRules(**rules)  # type: ignore[arg-type]  # checked by the class
    return part("MUG", Decimal(pieces), feeding, levels, shops, given, SETTLE, "us")


def sold(one: Part, *more: Part, places: Sequence[str] = ("wh-1",), share: int = 100) -> Target:
    return target((one, *more), places, Decimal(share))


def test_available_counts_stock_and_what_can_be_built_less_what_is_promised() -> None:
    assert sold(made({"main": level(10, 4, 3)})).quantities == {"wh-1": 9}


def test_negative_stock_sells_nothing() -> None:
    assert sold(made({"main": level(-3)})).quantities == {"wh-1": 0}


def test_deficit_of_one_location_is_covered_by_the_other() -> None:
    both = (Feeding("wh-1", "main"), Feeding("wh-1", "west"))
    assert sold(made({"main": level(10), "west": level(-4)}, both)).total == 6


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ({}, Cover.NO),  # not sent: no reading shows it
        ({"sent_at": NOON + MINUTE}, Cover.NO),  # the reading began before it was sent
        ({"sent_at": NOON - MINUTE}, Cover.UNSURE),  # sent, its answer lost
        ({"sent_at": NOON - MINUTE, "linked_at": NOON - SETTLE / 2}, Cover.UNSURE),  # just placed
        ({"sent_at": NOON - 9 * MINUTE, "linked_at": NOON - SETTLE}, Cover.YES),
        ({"linked_at": NOON + MINUTE}, Cover.UNSURE),  # adopted: made by somebody, at some time
        ({"linked_at": NOON - 9 * MINUTE, "gone_at": NOON + MINUTE}, Cover.YES),  # deleted after the reading
        ({"linked_at": NOON - 9 * MINUTE, "gone_at": NOON - SETTLE / 2}, Cover.UNSURE),
        ({"linked_at": NOON - 9 * MINUTE, "gone_at": NOON - SETTLE}, Cover.NO),
    ],
)
def test_reading_covers_a_sales_order_only_where_it_safely_shows_it(
    moment: dict[str, datetime], expected: Cover
) -> None:
    assert cover(units(1, **moment), NOON, SETTLE) is expected


def test_unknown_demand_is_the_larger_of_own_count_and_the_shops() -> None:
    """max(U, C - K): 2 not in the reading, 3 in it; the shop has 7 committed, so 2 more have come."""
    known = [units(2), units(3, linked_at=NOON - 9 * MINUTE)]
    found = demand(Shop("us", known, Decimal(7)), {"main": NOON}, SETTLE)
    assert (found.uncovered, found.covered, found.unknown) == (2, 3, 4)
    assert demand(Shop("us", known, Decimal(1)), {"main": NOON}, SETTLE).unknown == 2
    assert demand(Shop("us", known, None), {"main": NOON}, SETTLE).unknown == 2


def test_shipped_order_counts_until_a_reading_shows_what_it_took() -> None:
    """The shop no longer has it committed, so the shop's count must not swallow it."""
    shipped = units(2, sent_at=NOON + MINUTE, linked_at=NOON + MINUTE, shipped=True)
    found = demand(Shop("us", [shipped, units(1)], Decimal(1)), {"main": NOON}, SETTLE)
    assert found.unknown == 3
    later = {"main": NOON + 9 * MINUTE}
    assert demand(Shop("us", [shipped, units(1)], Decimal(1)), later, SETTLE).unknown == 1


def test_units_from_another_location_or_erp_take_nothing_here_and_the_shops_count_knows_them() -> None:
    far = [units(5, location="far"), units(2, elsewhere=True)]
    assert demand(Shop("us", far, Decimal(7)), {"main": NOON}, SETTLE).unknown == 0
    assert demand(Shop("us", far, Decimal(9)), {"main": NOON}, SETTLE).unknown == 2


def test_units_of_unknown_location_are_held_against_the_oldest_reading() -> None:
    placed = units(5, location=None, linked_at=NOON)
    readings = {"main": NOON + 9 * MINUTE, "west": NOON - MINUTE}
    assert demand(Shop("us", [placed], None), readings, SETTLE).uncovered == 5


def test_unsure_units_are_subtracted_and_yet_no_reason_to_lower() -> None:
    one = made({"main": level(10)}, MAIN, Shop("us", [units(3, sent_at=NOON, linked_at=NOON)], Decimal(3)))
    found = sold(one)
    assert (found.total, found.at_most) == (7, 10)


def test_buffer_is_units_and_percent_together_and_the_first_pattern_wins() -> None:
    rules = InventoryRules(
        buffer=Buffer(2, Decimal(5)), buffers={"MUG-*": Buffer(7), "MUG-BLUE": Buffer(9), "TEA": Buffer(0, Decimal(50))}
    )
    assert buffer_of(rules, "HAT", Decimal(50)) == Decimal("4.5")
    assert buffer_of(rules, "MUG-BLUE", Decimal(50)) == 7
    assert buffer_of(rules, "TEA", Decimal(-4)) == 0
    assert sold(made({"main": level(50)}, buffer=Buffer(2, Decimal(5)))).total == 45, "4.5 are kept back: rounded up"


def test_bundle_sells_what_its_scarcest_part_makes() -> None:
    mugs, tea = made({"main": level(9)}, pieces=2), made({"main": level(7)})
    assert sold(mugs, tea).total == 4


def test_parts_of_a_bundle_must_lie_in_the_same_place() -> None:
    feeding = (Feeding("wh-1", "main"), Feeding("wh-2", "west"))
    mugs = made({"main": level(5), "west": level(0)}, feeding)
    tea = made({"main": level(1), "west": level(9)}, feeding)
    assert sold(mugs, tea, places=("wh-1", "wh-2")).quantities == {"wh-1": 1, "wh-2": 0}


def test_share_of_a_shop_is_rounded_down() -> None:
    assert sold(made({"main": level(101)}), share=60).total == 60


def test_places_get_what_feeds_them_and_the_others_nothing() -> None:
    feeding = (Feeding("wh-1", "main", Decimal(50)), Feeding("wh-2", "main", Decimal(25)), Feeding("wh-2", "west"))
    found = sold(made({"main": level(100), "west": level(8)}, feeding), places=("wh-1", "wh-2", "wh-3"))
    assert found.quantities == {"wh-1": 50, "wh-2": 33, "wh-3": 0}
    assert found.room == {"wh-1": 100, "wh-2": 108, "wh-3": 0}


def test_what_buyers_ordered_from_a_place_leaves_that_place() -> None:
    """So that the place that sold, which lowered its number itself, need not be written."""
    feeding = (Feeding("wh-1", "main", Decimal(50)), Feeding("wh-2", "main", Decimal(50)))
    shop = Shop("us", [units(6, origin="wh-1")], Decimal(6))
    found = sold(made({"main": level(20)}, feeding, shop), places=("wh-1", "wh-2"))
    assert found.quantities == {"wh-1": 4, "wh-2": 10}


def test_split_leaves_no_unit_over_and_is_the_same_each_time() -> None:
    thirds = dict.fromkeys(("c", "a", "b"), Fraction(1, 3))
    assert spread(5, thirds) == {"a": 2, "b": 2, "c": 1}
    assert spread(5, {"a": Fraction(0), "b": Fraction(1)}) == {"a": 0, "b": 5}
    assert spread(5, {"a": Fraction(0)}) == {"a": 0}


def test_location_never_feeds_more_than_all_it_has() -> None:
    given = (Feeding("wh-1", "main"), Feeding("wh-2", "main"), Feeding("wh-2", "west", Decimal(70)))
    assert [each.share for each in evened(given)] == [50, 50, 70]


def test_oldest_reading_behind_a_number_is_told() -> None:
    feeding = (Feeding("wh-1", "main"), Feeding("wh-1", "west"))
    levels = {"main": level(1), "west": level(1, read_at=NOON - MINUTE)}
    assert sold(made(levels, feeding)).read_at == NOON - MINUTE


# -- what a channel is reckoned to sell by now

TOLD = Told({"wh-1": 10, "wh-2": 5}, Decimal(4), Decimal(4), NOON)
OLD = Open(Decimal(4), "wh-1", NOON - MINUTE, NOON - MINUTE)


def test_order_since_the_reading_lowers_the_place_it_came_from() -> None:
    found = reckon(TOLD, [OLD, Open(Decimal(2), "wh-1", NOON + MINUTE, NOON + MINUTE)])
    assert (found.quantities, found.total, found.committed) == ({"wh-1": 8, "wh-2": 5}, 13, 6)


def test_order_that_the_channel_had_counted_already_is_not_counted_again() -> None:
    """It was made before the reading, and only then pulled."""
    found = reckon(TOLD, [OLD, Open(Decimal(2), "wh-1", NOON - MINUTE, NOON + MINUTE)])
    assert (found.total, found.committed) == (15, 4)


def test_order_that_left_the_ledgers_sight_may_be_sold_again() -> None:
    """Cancelled, or shipped: only a reading can tell, so it is reckoned as sold again."""
    found = reckon(TOLD, [])
    assert (found.quantities, found.total, found.committed) == ({"wh-1": 14, "wh-2": 9}, 19, 0)


def test_bundle_of_the_channels_own_is_committed_but_not_reckoned_as_sold() -> None:
    """Whether its order lowers the parts is the channel's business; a reading tells."""
    found = reckon(TOLD, [OLD, Open(Decimal(2), "wh-1", NOON + MINUTE, NOON + MINUTE, direct=False)])
    assert (found.total, found.committed) == (15, 6)
