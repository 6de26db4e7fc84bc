"""Laws of a proof: its sum is what was told, for any mix; what a hand did differs, what sales did does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.contract import Order
from hub.engine.proof import Part, Proof
from hub.engine.reconcile import BEHIND, MISSING, account
from hub.engine.reconcile_stock import AGREEING, DIFFERING, judge
from hub.engine.sellable import Item, Planned
from hub.routing.fate import Fate
from hub.routing.reckon import Reckoned
from hub.routing.stock import Target
from hub.store.orders import OrderRow
from hub.store.stock import ItemRow, StockRow
from hub.testing.strategies import orders

SETTLED = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
SHIFTS = st.integers(-100, 100).map(lambda minutes: timedelta(minutes=minutes))
ONE = orders(most_lines=1)


def _row(order: Order, **columns: Any) -> OrderRow:
    values = dict.fromkeys(OrderRow._fields) | {"ref": order.ref, "updated_at": order.updated_at} | columns
    return OrderRow(**values)


@st.composite
def mixes(draw: st.DrawFn) -> tuple[list[Order], dict[str, OrderRow]]:
    """Generate what a channel tells, and a ledger that knows some of it, some of that in an earlier or later state."""
    told, rows = [], {}
    for n in range(draw(st.integers(0, 8))):
        order = draw(ONE).model_copy(update={"ref": f"5{n}", "updated_at": SETTLED + draw(SHIFTS)})
        told.append(order)
        if draw(st.booleans()):
            cause = draw(st.sampled_from([None, "before-start", "fulfilled-by-channel"]))
            known = {"updated_at": order.updated_at + draw(SHIFTS), "fate": draw(st.sampled_from([*Fate])).value}
            rows[order.ref] = _row(order, **known, cause=cause)
    return told, rows


@given(mixes())
def test_sum_over_fates_and_remainder_is_what_the_channel_told(mix: tuple[list[Order], dict[str, OrderRow]]) -> None:
    """Law 2: nothing is counted twice or left out, and what the ledger lacks is named."""
    told, rows = mix
    part = Part.of(MISSING, BEHIND)
    lacking = account(told, rows, SETTLED, part)
    assert part.is_balanced
    assert part.told == len(told)
    old = [order for order in told if order.updated_at <= SETTLED]
    assert part.remainder[MISSING] == [order.ref for order in old if order.ref not in rows]
    assert part.remainder[BEHIND] == [
        order.ref for order in old if order.ref in rows and rows[order.ref].updated_at < order.updated_at
    ]
    assert {order.ref for order in lacking} == {*part.remainder[MISSING], *part.remainder[BEHIND]}
    proof = Proof("shop", SETTLED, SETTLED, {"orders": part})
    assert Proof.read("shop", SETTLED, proof.document()) == proof


def _planned(sellable: int, committed: int, target: int, gone: int) -> Planned:
    held = Reckoned({"w": sellable + gone}, sellable + gone, Decimal(committed), Decimal(gone))
    stock = StockRow("v", {"w": sellable}, Decimal(committed), SETTLED, Decimal(0), None, None, None, None)
    row = ItemRow("v", "MUG", "Mug", "product", "p", ["w"], True, "")
    wanted = Target((), Decimal(100), target, target, {"w": target}, {"w": target})
    return Planned(Item(row, stock, {}, held), wanted)


UNITS = st.integers(0, 50)


@given(UNITS, UNITS, UNITS, st.integers(0, 5), st.integers(0, 50))
def test_sales_since_the_last_pull_are_no_difference(
    sellable: int, committed: int, target: int, gone: int, sold: int
) -> None:
    sold = min(sold, sellable)
    each = _planned(sellable, committed, target, gone)
    for left in range(gone + 1):  # of what the ledger knows to be gone, some was shipped, the rest is sold again
        word = judge(each, {"w": sellable - sold + left}, Decimal(committed + sold))
        assert word != DIFFERING


@given(UNITS, UNITS, UNITS, st.integers(-50, 50).filter(bool))
def test_units_that_come_or_go_without_a_sale_differ_unless_they_agree(
    sellable: int, committed: int, target: int, by_hand: int
) -> None:
    shown = max(0, sellable + by_hand)
    word = judge(_planned(sellable, committed, target, 0), {"w": shown}, Decimal(committed))
    assert word == (AGREEING if shown == target else DIFFERING) or shown == sellable
