"""Since when this ledger has watched without a gap: what is older may already have a sales order.

A new ledger, one restored from a backup, or one that slept may not know what was placed before. Orders from before its
present watch are looked up on the other side, many at a time, before their first send; younger ones need no call.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic_core import from_json

from hub.contract import Cursor, OrderKey, PlacedOrder
from hub.engine import pull
from hub.engine.outcome import call
from hub.engine.world import Connected, Survey, World
from hub.host.clock import has_passed
from hub.store import Tx, known, orders, outbox
from hub.store.orders import Unplaced

STREAM = known.WATCH
GAP_S = 900.0
BEAT_S = 30.0  # to say it more often would only write: a gap is far longer
SURVEY = 1000


def beat(world: World, erp: str) -> bool:
    """Say that this ledger is in use; with a new process or after a gap, begin a new watch and doubt what is not sent.

    A process cannot know whether the database it opens is the one its predecessor left, or a backup put in its place;
    unless another worker has said since then that it watches: so that one does not withdraw what others are at.
    Returns whether anything was withdrawn, which its channel's lane takes up.
    """
    now, said_at, withdrawn = world.clock.now(), world.watching.get(erp), list[int]()
    if said_at is not None and not has_passed(said_at, BEAT_S, now):
        return False
    began = world.watches_from = world.watches_from or now
    with world.store.write() as tx:
        since, at = known.cursor(tx, erp, STREAM)
        knows = said_at is not None or (world.store.is_shared and at is not None and at > began)
        if not knows or since is None or at is None or has_passed(at, GAP_S, now):
            _distrust_the_future(tx, world, erp, at, now)
            since = Cursor(now.isoformat())
            withdrawn = outbox.doubt(tx, erp)
            _decide_anew(tx, withdrawn, now)  # what waits may be hours old
        known.set_cursor(tx, erp, STREAM, since, now)
    world.watching[erp] = now
    return bool(withdrawn)


def _decide_anew(tx: Tx, ids: Sequence[int], now: datetime) -> None:
    """Have orders read again and decided anew before they leave."""
    orders.update(tx, [{"id": id_, "fate": "held", "cause": "hold", "due_at": now} for id_ in ids])


def withdraw_unread(world: World, erp: str) -> int:
    """Withdraw what waits to be sent and may have changed since, because its channel is not read; return how many."""
    now, gap = world.clock.now(), timedelta(seconds=GAP_S)
    channels = {route.channel for route in world.routes_to(erp) if route.orders.enabled}
    with world.store.read() as tx:
        read = {id_: known.cursor(tx, id_, pull.STREAM)[1] for id_ in sorted(channels)}
    unread = [id_ for id_, at in read.items() if at is None or has_passed(at, GAP_S, now)]
    if not unread:
        return 0
    with world.store.write() as tx:
        ids = outbox.of_unread(tx, erp, unread, now - gap)
        outbox.supersede(tx, ids)
        _decide_anew(tx, ids, now)
    return len(ids)


def _distrust_the_future(tx: Tx, world: World, erp: str, said_at: datetime | None, now: datetime) -> None:
    """Have what is dated by a clock that was ahead go on soon: nobody could wait until then."""
    gap, window = timedelta(seconds=GAP_S), timedelta(seconds=world.timing.send_window_s)
    settled = timedelta(seconds=world.timing.timeout_s + world.timing.settle_s)
    outbox.bring_near(tx, erp, now + gap + window + settled, now + window, now + window + settled)
    if said_at is not None and said_at - now > gap:
        # The clock was set back. One look too early at an order that is rightly held until then costs nothing.
        orders.wake_later_than(tx, world.shops_of(erp), now + gap, now)


def begin_anew(tx: Tx, erp: str, now: datetime) -> None:
    """Begin a new watch: the ledger has lost something, so what is older may have been placed all the same."""
    known.set_cursor(tx, erp, STREAM, Cursor(now.isoformat()), now)


def since(world: World, erp: str) -> datetime | None:
    """Return when this ledger's present watch began."""
    with world.store.read() as tx:
        return known.watched_since(tx, erp)


def survey(world: World, channel: Connected, erp: Connected, due: Sequence[orders.OrderRow] | None) -> None:
    """Learn which of the Orders from before the watch have no sales order yet, many to a call.

    Asked for those that are due; with None, where many are, for all that wait: before anything is placed the other side
    still holds only what others made. Remembered by this process.
    """
    began = since(world, erp.id)
    if began is None:
        return
    survey = world.surveys.setdefault((channel.id, erp.id), Survey(began))
    if survey.since != began:
        survey = world.surveys[channel.id, erp.id] = Survey(began)
    if due is not None:
        _ask(world, channel, erp, survey, [_named(row) for row in due if _is_open(row, survey)])
        return
    while True:
        with world.store.read() as tx:
            rows = orders.unplaced(tx, channel.id, began, survey.last_id, SURVEY)
        if not rows:
            return
        _ask(world, channel, erp, survey, [row for row in rows if row.key not in survey.absent])
        survey.last_id = rows[-1].id


def _is_open(row: orders.OrderRow, survey: Survey) -> bool:
    return row.placed_digest is None and row.created_at < survey.since and row.key not in survey.absent


def _named(row: orders.OrderRow) -> Unplaced:
    # Reading the whole document through its model would cost more than the survey saves.
    return Unplaced(row.id, row.key, from_json(row.document)["shop"], row.ref, row.created_at)


def _ask(world: World, channel: Connected, erp: Connected, survey: Survey, rows: Sequence[Unplaced]) -> None:
    if not rows:
        return
    keys = [
        OrderKey(key=row.key, channel=channel.connector, shop=row.shop, ref=row.ref, ordered_at=row.created_at)
        for row in rows
    ]
    found: dict[str, list[PlacedOrder]] = {}
    for one in call(world, erp, "find_orders", orders=keys, before=survey.since):
        found.setdefault(one.key, []).append(one)
    survey.absent.update(key.key for key in keys if key.key not in found)
    survey.found = {key: ones for key, ones in survey.found.items() if key not in survey.absent} | found


def must_look_first(world: World, channel: str, erp: str, key: OrderKey) -> bool:
    """Say whether an Order may have been placed by something this ledger does not remember."""
    survey = world.surveys.get((channel, erp))
    return survey is None or (key.ordered_at < survey.since and key.key not in survey.absent)
