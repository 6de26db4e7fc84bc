"""Channel -> ledger -> channel: cancellations, and the answer to buyers who ask for one.

They are searched at every poll, because an order may not say that part of it was cancelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from hub.contract import (
    Cancellation,
    CancellationState,
    ContractError,
    Order,
    OrderRef,
    PlacedOrder,
    RejectedError,
    TransientError,
)  # fmt: skip
from hub.engine import stray
from hub.engine.ledger import reasons, record, rules_of
from hub.engine.outcome import PAUSE_S, call, pages, retry_in
from hub.engine.trouble import set_trouble
from hub.engine.world import Connected, World
from hub.host.http import send_before
from hub.routing.compose import order_key
from hub.routing.fate import Fate, Problem
from hub.routing.model import OnRequest, Route
from hub.store import cancellations as ledger
from hub.store import known, orders, outbox, timeline
from hub.store.cancellations import CancellationRow
from hub.store.orders import OrderRow
from hub.store.timeline import Entry

STREAM = "cancellations"
BATCH = 50
UNKNOWN_ORDER = timedelta(days=1)  # a cancellation may come before its order; then it is forgotten
WAIT_S = 60.0
ACCEPT, REFUSE, ASK = "accept", "refuse", "ask"
TROUBLE = "request"
GONE_ON = (Fate.CANCELLED, Fate.SKIPPED)


def is_wanted(world: World, channel: Connected) -> bool:
    """Say whether cancellations of a channel matter: it can tell them, and a Route takes its orders."""
    return "pull_cancellations" in channel.capabilities and any(
        route.orders.enabled for route in world.routes_from(channel.id)
    )


def pull(world: World, channel: Connected) -> None:
    """Read what was cancelled or asked for since the last time; re-read the orders whose own state may not tell it."""
    if not is_wanted(world, channel):
        return
    now = world.clock.now()
    with world.store.write() as tx:
        cursor, _ = known.cursor(tx, channel.id, STREAM)
        start = min(rules_of(tx, world, channel).starts.values(), default=now)
    news: list[Cancellation] = []
    for page in pages(world, channel, "pull_cancellations", since=cursor, start=start):
        cursor = page.cursor or cursor
        with world.store.write() as tx:
            news += ledger.see(tx, channel.id, page.items, now)
    _read_again(world, channel, news)
    with world.store.write() as tx:
        known.set_cursor(tx, channel.id, STREAM, cursor, now)


def _read_again(world: World, channel: Connected, news: Sequence[Cancellation]) -> None:
    refs = list(dict.fromkeys(each.order_ref for each in news))
    for start in range(0, len(refs), BATCH):
        with world.store.read() as tx:
            rows = orders.by_refs(tx, channel.id, refs[start : start + BATCH])
        stale = [row for each in news if (row := rows.get(each.order_ref)) and row.read_at < each.updated_at + _SLACK]
        if not stale:
            continue
        asked = {row.ref: OrderRef(ref=row.ref, created_at=row.created_at, updated_at=row.updated_at) for row in stale}
        found = call(world, channel, "fetch_orders", orders=list(asked.values()))
        with world.store.write() as tx:
            record(tx, world, channel, found, rules_of(tx, world, channel), world.clock.now())


_SLACK = timedelta(seconds=60)  # two clocks


def answer(world: World, channel: Connected) -> bool:
    """Answer the requests that are due; say whether there were any."""
    if not is_wanted(world, channel):
        return False
    now = world.clock.now()
    with world.store.read() as tx:
        due = ledger.due(tx, channel.id, now, BATCH)
        rows = orders.by_refs(tx, channel.id, [each.order_ref for each in due])
    for each in due:
        row = rows.get(each.order_ref)
        if each.state != CancellationState.REQUESTED:
            _write(world, each, due_at=None)
            if row is not None:
                _say(world, row, None)
        elif row is None:
            asked = Cancellation.model_validate_json(each.document).updated_at
            _write(world, each, due_at=now + timedelta(seconds=WAIT_S) if now - asked < UNKNOWN_ORDER else None)
        elif not world.takes_orders(row.route):
            _write(world, each, due_at=now + timedelta(seconds=PAUSE_S))
        else:
            _answer_one(world, channel, each, row)
    return bool(due)


def _answer_one(world: World, channel: Connected, asked: CancellationRow, row: OrderRow) -> None:
    route = next((route for route in world.routes if route.name == row.route), None)
    now = world.clock.now()
    with world.store.read() as tx:
        flying = outbox.in_flight(tx, [row.id])
    if flying:
        _write(world, asked, due_at=now + timedelta(seconds=WAIT_S))
        return
    try:
        decision, why = _decide(world, channel, row, route)
        if decision == ASK:
            _write(world, asked, decision=ASK, due_at=None)
            _say(world, row, _ask(asked, why))
            return
        value = Cancellation.model_validate_json(asked.document)
        with send_before(now + timedelta(seconds=world.timing.send_window_s)):
            call(world, channel, "decide_cancellation", cancellation=value, accept=decision == ACCEPT, reason=None)
    except TransientError as error:
        _write(world, asked, due_at=world.clock.now() + retry_in(1, error.retry_after_s))
        return
    except (RejectedError, ContractError) as error:
        problem = Problem("cancel-request-open", f"the channel does not take our answer: {error.what}", error.do)
        # An order that is only held cannot be retried by a person: what a mended connector can do is tried again.
        again = world.clock.now() + timedelta(seconds=PAUSE_S) if isinstance(error, ContractError) else None
        _write(world, asked, decision=ASK, due_at=again, reason=reasons([problem]))
        _say(world, row, problem)
        return
    _decided(world, asked, row, decision, why)


def _decide(world: World, channel: Connected, row: OrderRow, route: Route | None) -> tuple[str, str]:
    """Return the answer to a request and why."""
    policy = route.orders.after.on_request if route is not None else OnRequest.ASK
    if policy is OnRequest.ASK or route is None:
        return ASK, "the route leaves it to a person"
    if policy is not OnRequest.BY_STATE:
        return (ACCEPT, "the route accepts") if policy is OnRequest.ACCEPT else (REFUSE, "the route refuses")
    if row.fate in GONE_ON or (row.fate == Fate.FULFILLED and row.placed_digest is None):
        return ASK, f"the order is {row.fate} here"
    with world.store.read() as tx:
        may_be_there = any(map(stray.may_be_there, outbox.of_order(tx, row.id)))
    if row.placed_digest is None and not may_be_there:
        return ACCEPT, "no sales order was made yet"
    key = order_key(Order.model_validate_json(row.document), channel.connector)
    found: list[PlacedOrder] = call(world, world.connected[route.erp], "find_orders", orders=[key], before=None)
    living = [one for one in found if not one.deleted]
    if all(one.untouched for one in living):
        return ACCEPT, "nothing of its sales order is packed"
    return REFUSE, "parts of its sales order are packed"


def _decided(world: World, asked: CancellationRow, row: OrderRow, decision: str, why: str) -> None:
    now = world.clock.now()
    with world.store.write() as tx:
        ledger.update(tx, asked, {"decision": decision, "due_at": None, "reason": None})
        said = "cancellation-accepted" if decision == ACCEPT else "cancellation-refused"
        timeline.add(tx, [Entry(row.id, now, said, {"cancellation": asked.ref, "why": why})])
        # Its new state is read soon: what was held for the answer goes on, what was accepted is taken back.
        orders.update(tx, [{"id": row.id, "due_at": now}] if row.fate == Fate.HELD else [])
        set_trouble(tx, world, {row.id: []}, TROUBLE, now)


def _ask(asked: CancellationRow, why: str) -> Problem:
    by = Cancellation.model_validate_json(asked.document).decide_by
    until = f" The channel accepts it by itself at {by:%Y-%m-%d %H:%MZ}." if by else ""
    what = f"the buyer asks to cancel it, and {why}"
    return Problem("cancel-request-open", what, f"Accept or refuse it on the channel; the hub sees the answer.{until}")


def _say(world: World, row: OrderRow, problem: Problem | None) -> None:
    with world.store.write() as tx:
        set_trouble(tx, world, {row.id: [problem] if problem else []}, TROUBLE, world.clock.now())


def _write(world: World, asked: CancellationRow, **changes: str | datetime | list[dict[str, object]] | None) -> None:
    with world.store.write() as tx:
        ledger.update(tx, asked, changes)
