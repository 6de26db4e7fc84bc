"""An Order has exactly one fate, and held means held (laws 2 and 3)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.contract import Address, FulfilledBy, LineStatus, OrderStatus
from hub.routing.fate import Fate, Hand, History, Problem, Standing, lines_digest, ships_the_same, stand
from hub.routing.model import AfterPlacement, OnCancel, OnChange, OrderRules, Route
from tests.conftest import NOON, OrderMaker

ROUTE = Route("us", "shop", "erp", OrderRules(hold_s=3600))
START = NOON - timedelta(days=1)
LATER = NOON + timedelta(hours=2)


def test_order_leaves_at_the_end_of_the_routes_hold(make_order: OrderMaker) -> None:
    standing = stand(make_order(), ROUTE, History(), START, NOON)
    assert (standing.fate, standing.cause) == (Fate.HELD, "hold")
    assert standing.release_at == NOON + timedelta(hours=1)


def test_channels_own_hold_wins_where_it_is_later(make_order: OrderMaker) -> None:
    order = make_order(hold_until=NOON + timedelta(hours=5))
    assert stand(order, ROUTE, History(), START, NOON).release_at == NOON + timedelta(hours=5)


def test_release_by_hand_ends_the_routes_hold_but_never_the_channels(make_order: OrderMaker) -> None:
    released = History(is_new=False, hand=Hand.RELEASED)
    assert stand(make_order(), ROUTE, released, START, NOON).release_at == NOON
    order = make_order(hold_until=NOON + timedelta(hours=1))
    assert stand(order, ROUTE, released, START, NOON).release_at == NOON + timedelta(hours=1)
    on_hold = make_order(status=OrderStatus.ON_HOLD, hold_until=NOON + timedelta(hours=1))
    assert stand(on_hold, ROUTE, released, START, LATER).cause == "channel-hold"


def test_unpaid_order_is_held_with_no_release_time(make_order: OrderMaker) -> None:
    standing = stand(make_order(status=OrderStatus.UNPAID, paid_at=None), ROUTE, History(), START, LATER)
    assert (standing.fate, standing.cause, standing.release_at) == (Fate.HELD, "unpaid", None)


def test_order_held_by_hand_has_no_release_time(make_order: OrderMaker) -> None:
    standing = stand(make_order(), ROUTE, History(is_new=False, hand=Hand.HELD), START, LATER)
    assert (standing.cause, standing.release_at) == ("by-hand", None)


def test_order_whose_buyer_asks_to_cancel_waits_for_the_answer(make_order: OrderMaker) -> None:
    assert stand(make_order(cancel_requested=True), ROUTE, History(), START, LATER).cause == "cancel-requested"


def test_order_from_before_the_start_is_skipped_by_that_rule(make_order: OrderMaker) -> None:
    standing = stand(make_order(), ROUTE, History(), NOON + timedelta(seconds=1), LATER)
    assert (standing.fate, standing.cause) == (Fate.SKIPPED, "before-start")


def test_order_first_seen_shipped_is_skipped_as_before_start(make_order: OrderMaker) -> None:
    shipped = make_order(status=OrderStatus.SHIPPED)
    assert stand(shipped, ROUTE, History(), START, LATER).cause == "before-start"
    assert stand(shipped, ROUTE, History(is_new=False), START, LATER).cause == "already-shipped"


def test_cancelled_order_never_arrives(make_order: OrderMaker) -> None:
    assert stand(make_order(status=OrderStatus.CANCELLED), ROUTE, History(), START, LATER).fate is Fate.CANCELLED


def test_order_without_a_matching_route_is_blocked_and_says_so(make_order: OrderMaker) -> None:
    standing = stand(make_order(), None, History(), START, LATER)
    assert (standing.fate, standing.cause) == (Fate.BLOCKED, "no-route")
    assert "route" in standing.problems[0].do


def test_order_fulfilled_by_the_channel_is_skipped(make_order: OrderMaker) -> None:
    """Law 6: it must never move own stock."""
    standing = stand(make_order(fulfilled_by=FulfilledBy.CHANNEL), ROUTE, History(), START, LATER)
    assert (standing.fate, standing.cause) == (Fate.SKIPPED, "fulfilled-by-channel")


def test_unknown_status_blocks_and_shows_the_channels_word(make_order: OrderMaker) -> None:
    standing = stand(make_order(status=OrderStatus.UNKNOWN, channel_status="WARPED"), ROUTE, History(), START, LATER)
    assert standing.cause == "status-unknown"
    assert "WARPED" in standing.problems[0].what


def test_switched_off_route_skips_its_orders(make_order: OrderMaker) -> None:
    off = Route("us", "shop", "erp", OrderRules(enabled=False))
    assert stand(make_order(), off, History(), START, LATER).cause == "orders-disabled"


@pytest.mark.parametrize(
    ("status", "fate"),
    [(OrderStatus.OPEN, Fate.PLACED), (OrderStatus.PARTLY_SHIPPED, Fate.PARTLY_FULFILLED),
     (OrderStatus.SHIPPED, Fate.FULFILLED)],
)  # fmt: skip
def test_placed_order_follows_the_channels_shipping(make_order: OrderMaker, status: OrderStatus, fate: Fate) -> None:
    order = make_order(status=status)
    assert stand(order, ROUTE, History(False, None, lines_digest(order)), START, LATER).fate is fate


BY_HAND = AfterPlacement(on_cancel=OnCancel.BLOCK, on_change=OnChange.BLOCK)


@pytest.mark.parametrize(
    ("after", "expected"),
    [(BY_HAND, (Fate.BLOCKED, "cancelled-after-placement")), (AfterPlacement(), (Fate.PLACED, "cancelling"))],
)
def test_order_cancelled_after_placement_is_taken_back_or_blocks(
    make_order: OrderMaker, after: AfterPlacement, expected: tuple[Fate, str]
) -> None:
    """As a whole, or line by line while its own status still says that it is open."""
    route = Route("us", "shop", "erp", OrderRules(after=after))
    lines = tuple(line.model_copy(update={"status": LineStatus.CANCELLED}) for line in make_order().lines)
    for order in (make_order(status=OrderStatus.CANCELLED), make_order(lines=lines)):
        standing = stand(order, route, History(False, None, lines_digest(make_order())), START, LATER)
        assert (standing.fate, standing.cause) == expected


@pytest.mark.parametrize(
    ("after", "expected"),
    [(BY_HAND, (Fate.BLOCKED, "changed-after-placement")), (AfterPlacement(), (Fate.PLACED, "changing"))],
)
def test_order_whose_line_is_cancelled_after_placement_is_changed_or_blocks(
    make_order: OrderMaker, after: AfterPlacement, expected: tuple[Fate, str]
) -> None:
    route = Route("us", "shop", "erp", OrderRules(after=after))
    order = make_order()
    lines = (order.lines[0], order.lines[1].model_copy(update={"status": LineStatus.CANCELLED}))
    standing = stand(make_order(lines=lines), route, History(False, None, lines_digest(order)), START, LATER)
    assert (standing.fate, standing.cause) == expected


@pytest.mark.parametrize("code", ["changed-after-placement", "cancelled-after-placement"])
def test_order_that_was_changed_back_is_compared_once_more(make_order: OrderMaker, code: str) -> None:
    """Its trouble is over; a masked address says nothing of whether that of another one is."""
    placed = make_order(address=Address(line_1="Old Road 1"))
    history = History(False, None, lines_digest(placed), trouble=(Problem(code, "what", "do"),))
    assert stand(placed, ROUTE, history, START, LATER) == Standing(Fate.PLACED, "changing")
    masked = make_order(address=Address(line_1="O***", masked=True))
    assert stand(masked, ROUTE, history, START, LATER).fate is Fate.BLOCKED


def test_trouble_blocks_a_placed_order_until_it_is_gone(make_order: OrderMaker) -> None:
    order = make_order()
    trouble = (Problem("carrier-unmapped", "what", "do"),)
    history = History(False, None, lines_digest(order), trouble=trouble)
    assert stand(order, ROUTE, history, START, LATER) == Standing(Fate.BLOCKED, "carrier-unmapped", None, trouble)


@pytest.mark.parametrize("is_whole", [True, False], ids=["cancelled", "changed"])
@pytest.mark.parametrize("is_first", [True, False])
def test_what_the_channel_took_back_names_the_cause_whatever_was_found_before(
    make_order: OrderMaker, is_first: bool, is_whole: bool
) -> None:
    """A cancelled order that was shipped: its cause does not depend on which of the two was read first."""
    code = "cancelled-after-placement" if is_whole else "changed-after-placement"
    trouble = (Problem(code, "what", "do"), Problem("shipment-unmatched", "what", "do"))
    history = History(False, None, lines_digest(make_order()), trouble=trouble if is_first else trouble[::-1])
    changes = {"status": OrderStatus.CANCELLED} if is_whole else {"lines": make_order().lines[:1]}
    standing = stand(make_order(**changes), ROUTE, history, START, LATER)
    assert standing == Standing(Fate.BLOCKED, code, None, trouble)


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        (None, Address(line_1="New Road 1"), True),
        (Address(line_1="Old Road 1"), Address(line_1="O***", masked=True), True),
        (Address(line_1="Old Road 1"), Address(line_1="New Road 1"), False),
        (Address(line_1="Old Road 1"), Address(line_1="Old Road 1"), True),
    ],
)
def test_only_an_address_shown_in_full_twice_can_be_another(
    make_order: OrderMaker, before: Address | None, after: Address | None, same: bool
) -> None:
    digests = [lines_digest(make_order(address=address)) for address in (before, after)]
    assert ships_the_same(*digests) is same


def test_channel_shipped_order_is_recorded_once_it_has_left(make_order: OrderMaker) -> None:
    """M5: left out, or recorded as Done."""
    recording = Route("us", "shop", "erp", OrderRules(done_location="TikTok FBT"))
    by_channel = {"fulfilled_by": FulfilledBy.CHANNEL}
    assert stand(make_order(**by_channel), ROUTE, History(), START, LATER).cause == "fulfilled-by-channel"
    assert stand(make_order(**by_channel), recording, History(), START, LATER).cause == "until-shipped"
    gone = make_order(status=OrderStatus.SHIPPED, **by_channel)
    assert stand(gone, recording, History(False), START, LATER) == Standing(Fate.HELD, "hold", LATER)
    placed = History(False, None, lines_digest(gone))
    assert stand(gone, recording, placed, START, LATER) == Standing(Fate.PLACED, "recording")
    assert stand(gone, recording, replace(placed, recorded=True), START, LATER).fate is Fate.FULFILLED
