"""What a person decides about one order: hold it, release it, try it again. Touches the ledger, calls nobody.

The one exception is an order cancelled after its sales order was made: only the ERP can say whether that is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hub.contract import HubError, Order, PlacedOrder
from hub.engine.ledger import fate_entry, history_of, reasons
from hub.engine.outcome import call
from hub.engine.review import one
from hub.engine.stray import TARGET_GONE, let_go
from hub.engine.world import World
from hub.routing.compose import order_key
from hub.routing.fate import Fate, Hand, History, Standing, after_placement, lines_digest, stand
from hub.routing.model import Route
from hub.store import Store, Tx, orders, outbox, timeline
from hub.store.orders import OrderRow
from hub.store.outbox import Settled, State
from hub.store.timeline import Entry

CANCELLED_AFTER, CHANGED_AFTER = "cancelled-after-placement", "changed-after-placement"
ONE_BY_ONE = (CANCELLED_AFTER, CHANGED_AFTER, TARGET_GONE)
PAGE = 500


@dataclass(frozen=True, slots=True)
class Handled:
    """What a person's decision came to."""

    ref: str
    key: str
    fate: str
    cause: str | None
    says: str


def hold(
    store: Store, text: str, now: datetime, *, reason: str | None = None, connection: str | None = None
) -> Handled:
    """Hold an order until a person releases it; what waits to be sent is withdrawn.

    Raises:
        HubError: it has a sales order already, or one may be on its way, or it will never leave anyway.
    """
    with store.write() as tx:
        row = one(tx, text, connection)
        _refuse_hold(tx, row)
        standing = _standing(row, Hand.HELD, now)
        # Where a person's hold is not the first reason to wait, the order keeps its own and is held after it.
        held = standing if standing.fate is Fate.HELD else Standing(Fate(row.fate), row.cause, row.release_at)
        changes: dict[str, Any] = {"hand": Hand.HELD.value}
        if held is standing:
            changes |= {"due_at": None, **_fate(standing)}
        orders.update(tx, [{"id": row.id, **changes}])
        detail = {"reason": reason} if reason else {}
        timeline.add(tx, [Entry(row.id, now, "held-by-hand", detail), *_news(row, held, now)])
    says = "it stays here until: hub hold release " + row.ref
    return Handled(row.ref, row.key, held.fate.value, held.cause, says)


def release(store: Store, text: str, now: datetime, *, connection: str | None = None) -> Handled:
    """End a person's hold, and the route's own; never the channel's.

    Raises:
        HubError: the order is not held.
    """
    with store.write() as tx:
        row = one(tx, text, connection)
        if row.fate != Fate.HELD and row.hand != Hand.HELD:
            raise _refused("not-held", row, f"it is not held: it is {_where(row)}", "Nothing to release.")
        standing = _standing(row, Hand.RELEASED, now)
        changes: dict[str, Any] = {"hand": Hand.RELEASED.value, "due_at": now}
        if standing.fate is Fate.HELD:
            changes |= _fate(standing)
        orders.update(tx, [{"id": row.id, **changes}])
        timeline.add(tx, [Entry(row.id, now, "released-by-hand", {}), *_news(row, standing, now)])
    return Handled(row.ref, row.key, standing.fate.value, standing.cause, _after_release(standing, now))


def retry(store: Store, text: str, now: datetime, *, connection: str | None = None) -> Handled:
    """Look at a blocked order, or send a postponed one, at the next pass instead of later.

    Raises:
        HubError: it is neither, or its retry must ask the ERP (see needs_erp).
    """
    with store.write() as tx:
        row = one(tx, text, connection)
        if row.cause == CHANGED_AFTER:
            return _accept_change(tx, row, now)
        if row.cause == TARGET_GONE:
            return _let_go(tx, row, now)
        if row.fate == Fate.BLOCKED and row.cause != CANCELLED_AFTER:
            _look_again(tx, [row], now)
            return Handled(row.ref, row.key, row.fate, row.cause, "the next pass looks at it again")
        hurried = _hurry(tx, row, now) if row.fate == Fate.READY else 0
        if not hurried:
            raise _refused("not-blocked", row, f"it is not blocked: it is {_where(row)}", f"See hub order {row.ref}")
        return Handled(row.ref, row.key, row.fate, row.cause, "the next pass sends it")


def retry_blocked(store: Store, now: datetime) -> tuple[list[Handled], list[Handled]]:
    """Have every blocked order looked at again; return those, and those that need a retry of their own.

    A retry of those says that a person has mended the sales order, or seen that there is none; nobody can say that of
    all at once.
    """
    again: list[OrderRow] = []
    alone: list[OrderRow] = []
    with store.write() as tx:
        before: int | None = None
        while page := orders.listing(tx, Fate.BLOCKED, PAGE, before):
            before = page[-1].id
            for row in page:
                (alone if row.cause in ONE_BY_ONE else again).append(row)
        _look_again(tx, again, now)
    return (
        [Handled(row.ref, row.key, row.fate, row.cause, "the next pass looks at it again") for row in again],
        [Handled(row.ref, row.key, row.fate, row.cause, f"needs its own: hub retry {row.ref}") for row in alone],
    )


def needs_erp(store: Store, text: str, connection: str | None = None) -> bool:
    """Say whether retrying this order must ask the ERP first."""
    with store.read() as tx:
        return one(tx, text, connection).cause == CANCELLED_AFTER


def retry_cancelled(world: World, text: str, *, connection: str | None = None) -> Handled:
    """Close an order that was cancelled after its sales order was made, if that is gone from the ERP.

    Raises:
        HubError: the sales order is still there; it names it.
    """
    with world.store.read() as tx:
        row = one(tx, text, connection)
        link = orders.links_of(tx, [row.id]).get(row.id)
    if row.cause != CANCELLED_AFTER:
        return retry(world.store, text, world.clock.now(), connection=connection)
    living: list[PlacedOrder] = []
    if link is not None:
        channel, erp = _connected(world, row.connection, row), _connected(world, link.erp, row)
        key = order_key(Order.model_validate_json(row.document), channel.connector)
        living = [each for each in call(world, erp, "find_orders", orders=[key], before=None) if not each.deleted]
    if living:
        numbers = " and ".join(f"{each.number} (id {each.ref})" for each in living)
        what = f"its sales order is still there: {numbers}"
        raise _refused("sales-order-lives", row, what, f"Delete it in {link.erp if link else 'the ERP'}, then retry.")
    now = world.clock.now()
    with world.store.write() as tx:
        orders.unlink(tx, row.id)
        # Should the order ever come back to life, it is looked up before it is sent.
        effects = outbox.of_order(tx, row.id)
        outbox.settle(tx, [Settled(effect, State.SUPERSEDED, look_first=True) for effect in effects])
        standing = Standing(Fate.CANCELLED)
        orders.update(tx, [{"id": row.id, "placed_digest": None, "due_at": None, **_fate(standing)}])
        timeline.add(tx, [Entry(row.id, now, "sales-order-gone", {}), fate_entry(row.id, standing, now, row.route)])
    return Handled(row.ref, row.key, standing.fate.value, None, "its sales order is gone; nothing is left to do")


def _connected(world: World, id_: str, row: OrderRow) -> Any:
    if id_ not in world.connected:
        what = f"the route file has no connection {id_!r} any more"
        raise _refused("connection-gone", row, what, "Put the connection back, then retry.")
    return world.connected[id_]


def _refuse_hold(tx: Tx, row: OrderRow) -> None:
    if row.hand == Hand.HELD:
        raise _refused("held-already", row, "a person holds it already", f"To let it go: hub hold release {row.ref}")
    if row.placed_digest is not None:
        link = orders.links_of(tx, [row.id]).get(row.id)
        number = f" {link.number} in {link.erp}" if link else ""
        what = f"it is too late to hold it: its sales order{number} exists"
        raise _refused("placed-already", row, what, "Put the sales order on hold in the ERP instead.")
    if row.id in outbox.supersede(tx, [row.id]):
        what = "it is too late to hold it: its sales order is on its way"
        do = f"See hub order {row.ref} in a minute; hold the sales order in the ERP."
        raise _refused("in-flight", row, what, do)
    if row.fate in (Fate.SKIPPED, Fate.CANCELLED, Fate.FULFILLED, Fate.PARTLY_FULFILLED):
        raise _refused("not-leaving", row, f"it does not leave anyway: it is {_where(row)}", "Nothing to hold.")


def _standing(row: OrderRow, hand: Hand, now: datetime) -> Standing:
    """Decide the fate under a person's word; without a Route only the next pass can."""
    if row.route is None:
        return Standing(Fate(row.fate), row.cause, row.release_at)
    # Whatever a hold by hand, or its end, changes does not depend on the Route's own rules.
    stand_in = Route(row.route, row.connection, "")
    history = History(is_new=False, hand=hand, placed_digest=history_of(row).placed_digest)
    return stand(Order.model_validate_json(row.document), stand_in, history, None, now)


def _fate(standing: Standing) -> dict[str, Any]:
    return {
        "fate": standing.fate.value,
        "cause": standing.cause,
        "reason": reasons(standing.problems),
        "release_at": standing.release_at,
        "rechecks": 0,
    }


def _news(row: OrderRow, standing: Standing, now: datetime) -> Sequence[Entry]:
    same = (standing.fate.value, standing.cause, standing.release_at) == (row.fate, row.cause, row.release_at)
    return [] if same else [fate_entry(row.id, standing, now, row.route)]


def _after_release(standing: Standing, now: datetime) -> str:
    if standing.cause == "channel-hold":
        until = f" until {standing.release_at:%Y-%m-%d %H:%M:%SZ}" if standing.release_at else ""
        return f"the channel's own hold lasts{until}; only the channel can end it, then the order goes on"
    if standing.release_at is not None and standing.release_at > now:
        return f"the channel's own hold lasts until {standing.release_at:%Y-%m-%d %H:%M:%SZ}; then it goes on"
    if standing.cause == "unpaid":
        return "it is unpaid; once paid it goes on without the route's hold"
    if standing.cause == "cancel-requested":
        return "the buyer asks to cancel it; it goes on if the request is refused on the channel"
    return "the next pass sends it on"


def _accept_change(tx: Tx, row: OrderRow, now: datetime) -> Handled:
    order = Order.model_validate_json(row.document)
    digest = lines_digest(order)
    history = replace(history_of(row), placed_digest=digest, trouble=())
    standing = after_placement(order, history, None)
    orders.update(tx, [{"id": row.id, "placed_digest": digest, "due_at": None, "trouble": None, **_fate(standing)}])
    entry = Entry(row.id, now, "change-accepted-by-hand", {})
    timeline.add(tx, [entry, fate_entry(row.id, standing, now, row.route)])
    says = "its present lines count as handled in the ERP"
    return Handled(row.ref, row.key, standing.fate.value, standing.cause, says)


def _let_go(tx: Tx, row: OrderRow, now: datetime) -> Handled:
    timeline.add(tx, [Entry(row.id, now, "retried-by-hand", {})])
    standing = let_go(tx, row, now)
    says = "it counts as not sent there; the next pass decides it by the present routes"
    return Handled(row.ref, row.key, standing.fate.value, standing.cause, says)


def _look_again(tx: Tx, rows: Sequence[OrderRow], now: datetime) -> None:
    orders.update(tx, [{"id": row.id, "due_at": now, "rechecks": 0} for row in rows])
    timeline.add(tx, [Entry(row.id, now, "retried-by-hand", {}) for row in rows])


def _hurry(tx: Tx, row: OrderRow, now: datetime) -> int:
    """Make effects that wait for their next attempt due; those whose outcome is open must keep their wait."""
    waiting = [effect for effect in outbox.of_order(tx, row.id) if effect.state == State.PENDING]
    outbox.settle(tx, [Settled(effect, State.PENDING, now, effect.look_first) for effect in waiting])
    timeline.add(tx, [Entry(row.id, now, "retried-by-hand", {})] if waiting else [])
    return len(waiting)


def _where(row: OrderRow) -> str:
    return f"{row.fate} ({row.cause})" if row.cause else row.fate


def _refused(code: str, row: OrderRow, what: str, do: str) -> HubError:
    return HubError(code, what, where=f"order {row.ref} of {row.connection}", do=do)
