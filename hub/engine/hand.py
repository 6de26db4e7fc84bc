"""What a person decides about an order's hold: hold it, release it. Touches the ledger, calls nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.contract import HubError, Order
from hub.engine.ledger import fate_entry, history_of, reasons
from hub.engine.review import one
from hub.routing.fate import Fate, Hand, History, Standing, stand
from hub.routing.model import Route
from hub.store import Store, Tx, orders, outbox, timeline
from hub.store.orders import OrderRow
from hub.store.timeline import Entry


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
            changes |= {"due_at": None, **fate_changes(standing)}
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
            raise refused("not-held", row, f"it is not held: it is {where(row)}", "Nothing to release.")
        standing = _standing(row, Hand.RELEASED, now)
        changes: dict[str, Any] = {"hand": Hand.RELEASED.value, "due_at": now}
        if standing.fate is Fate.HELD:
            changes |= fate_changes(standing)
        orders.update(tx, [{"id": row.id, **changes}])
        timeline.add(tx, [Entry(row.id, now, "released-by-hand", {}), *_news(row, standing, now)])
    return Handled(row.ref, row.key, standing.fate.value, standing.cause, _after_release(standing, now))


def _refuse_hold(tx: Tx, row: OrderRow) -> None:
    if row.hand == Hand.HELD:
        raise refused("held-already", row, "a person holds it already", f"To let it go: hub hold release {row.ref}")
    if row.placed_digest is not None:
        link = orders.links_of(tx, [row.id]).get(row.id)
        number = f" {link.number} in {link.erp}" if link else ""
        what = f"it is too late to hold it: its sales order{number} exists"
        raise refused("placed-already", row, what, "Put the sales order on hold in the ERP instead.")
    outbox.supersede(tx, [row.id])
    if outbox.FLYING & outbox.states(tx, [row.id]).get(row.id, set()):
        what = "it is too late to hold it: its sales order is on its way, or there"
        do = f"See hub order {row.ref} in a minute; hold the sales order in the ERP."
        raise refused("in-flight", row, what, do)
    if row.fate in (Fate.SKIPPED, Fate.CANCELLED, Fate.FULFILLED, Fate.PARTLY_FULFILLED):
        raise refused("not-leaving", row, f"it does not leave anyway: it is {where(row)}", "Nothing to hold.")


def _standing(row: OrderRow, hand: Hand, now: datetime) -> Standing:
    """Decide the fate under a person's word; without a Route only the next pass can."""
    if row.route is None:
        return Standing(Fate(row.fate), row.cause, row.release_at)
    # Whatever a hold by hand, or its end, changes does not depend on the Route's own rules.
    stand_in = Route(row.route, row.connection, "")
    history = History(is_new=False, hand=hand, placed_digest=history_of(row).placed_digest)
    return stand(Order.model_validate_json(row.document), stand_in, history, None, now)


def fate_changes(standing: Standing) -> dict[str, Any]:
    """Return a standing as columns of the orders table, its waits forgotten."""
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


def where(row: OrderRow) -> str:
    """Return where an order stands, in a few words."""
    return f"{row.fate} ({row.cause})" if row.cause else row.fate


def refused(code: str, row: OrderRow, what: str, do: str) -> HubError:
    """Return the error for a decision that cannot be taken."""
    return HubError(code, what, where=f"order {row.ref} of {row.connection}", do=do)
