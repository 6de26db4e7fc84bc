"""Writing what the channel says into the ledger, with the fate that follows from it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.contract import LineStatus, Location, Order, OrderStatus, SalesOrder, Value
from hub.engine.world import Connected, World
from hub.routing.fate import Fate, Hand, History, Problem, Standing, stand
from hub.routing.match import route_for
from hub.routing.model import Route
from hub.store import Tx, known, orders, outbox, timeline
from hub.store.orders import OrderRow
from hub.store.timeline import Entry

CANCEL_REQUEST_RECHECK_S = 900.0
CHANNEL_HOLD_RECHECK_S = 60.0
OPEN = (OrderStatus.UNPAID, OrderStatus.ON_HOLD, OrderStatus.OPEN, OrderStatus.PARTLY_SHIPPED, OrderStatus.UNKNOWN)
MAY_EXIST = ("shipping-fee-refused", "duplicate-in-erp", "connector-broke", "gave-up", "cancelled-after-placement")
RECHECK_CEILING = 5  # the wait between looks at a blocked order doubles up to 2 ** this times the catalogue's period


@dataclass(frozen=True, slots=True)
class Rules:
    """The Routes of one channel as they stand at this moment."""

    routes: Sequence[Route]
    starts: dict[str, datetime]
    locations: Sequence[Location]

    def route(self, order: Order) -> Route | None:
        """Return the Route that takes an Order."""
        return route_for(order, self.routes, self.locations)

    def decide(self, order: Order, history: History, now: datetime) -> tuple[Route | None, Standing]:
        """Return an Order's Route and fate; an Order that has a sales order stays with its Route."""
        placed_by = history.route if history.placed_digest is not None else None
        route = next((route for route in self.routes if route.name == placed_by), None) or self.route(order)
        start = self.starts.get(route.name) if route else min(self.starts.values(), default=None)
        if history.is_taken and route is not None and route.orders.start is None:
            start = None  # what was taken is not too old for a Route that begins now
        return route, stand(order, route, history, start, now)


def rules_of(tx: Tx, world: World, channel: Connected) -> Rules:
    """Read the Routes of a channel, noting when each first ran."""
    routes = world.routes_from(channel.id)
    now = world.clock.now()
    starts = {
        route.name: route.orders.start or known.route_start(tx, route.name, now)
        for route in routes
        if route.orders.enabled
    }
    return Rules(routes, starts, known.locations_of(tx, channel.id))


def history_of(row: OrderRow) -> History:
    """Return what the ledger knows of an order beyond its present state."""
    hand = Hand(row.hand) if row.hand else None
    may_exist = row.fate == Fate.BLOCKED and row.cause in MAY_EXIST
    return History(
        is_new=False, hand=hand, placed_digest=row.placed_digest, may_exist=may_exist, trouble=trouble_of(row),
        route=row.route, is_taken=row.route is not None and row.fate != Fate.SKIPPED, recorded=row.recorded,
        is_settled=row.fate == Fate.CANCELLED and row.placed_digest is not None,
    )  # fmt: skip


def trouble_of(row: OrderRow) -> tuple[Problem, ...]:
    """Return what stands in the way of an order that has a sales order."""
    return tuple(Problem(each["code"], each["what"], each["do"], tuple(each["skus"])) for each in row.trouble or ())


def reasons(problems: Iterable[Problem]) -> list[dict[str, Any]] | None:
    """Return problems as the ledger keeps them."""
    return [
        {"code": problem.code, "what": problem.what, "do": problem.do, "skus": list(problem.skus)}
        for problem in problems
    ] or None


def due_at(world: World, standing: Standing, now: datetime, rechecks: int = 0) -> datetime | None:
    """Return when the engine must look at an order again; None where only news can change its fate."""
    if standing.fate is Fate.HELD and standing.cause == "cancel-requested":
        return now + timedelta(seconds=CANCEL_REQUEST_RECHECK_S)
    if standing.fate is Fate.HELD and standing.cause == "channel-hold" and standing.release_at is not None:
        return max(standing.release_at, now + timedelta(seconds=CHANNEL_HOLD_RECHECK_S))
    if standing.fate is Fate.HELD:
        return standing.release_at
    if standing.fate is Fate.PLACED and standing.cause is not None:
        return now
    if standing.fate is Fate.BLOCKED and not (standing.cause or "").endswith("-after-placement"):
        return now + timedelta(seconds=world.timing.catalogue_every_s * 2 ** min(rechecks, RECHECK_CEILING))
    return None


def fate_entry(order_id: int, standing: Standing, now: datetime, route: str | None) -> Entry:
    """Return the timeline entry of a new fate."""
    detail: dict[str, Any] = {"cause": standing.cause, "route": route}
    if standing.release_at is not None:
        detail["release_at"] = standing.release_at.isoformat()
    if standing.problems:
        detail["problems"] = reasons(standing.problems)
    return Entry(order_id, now, standing.fate.value, {k: v for k, v in detail.items() if v is not None})


class Intent(Value):
    """What an outbox row carries: the sales order, and the digests of the channel's lines and document it came from."""

    sales_order: SalesOrder
    digest: str
    document: str
    is_done: bool = False  # the channel has shipped it itself: it is recorded as Done


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many Orders of a page were new, changed, or as known."""

    new: int = 0
    changed: int = 0
    same: int = 0

    def __add__(self, other: Recorded) -> Recorded:
        return Recorded(self.new + other.new, self.changed + other.changed, self.same + other.same)


def record(
    tx: Tx, world: World, channel: Connected, found: Sequence[Order], rules: Rules, read_at: datetime
) -> Recorded:
    """Store the latest states of Orders and their fates; the same page twice changes nothing."""
    latest: dict[str, Order] = {}
    for order in found:
        held = latest.get(order.ref)
        if held is None or held.updated_at <= order.updated_at:
            latest[order.ref] = order
    prior = orders.by_refs(tx, channel.id, list(latest))
    fresh, changes, same, entries = [], [], [], []
    for order in latest.values():
        document = order.model_dump_json(exclude_defaults=True)
        digest = hashlib.sha256(document.encode()).hexdigest()
        row = prior.get(order.ref)
        if row is None:
            fresh.append((order, document, digest))
        elif row.digest == digest:
            same.append({"id": row.id, "read_at": read_at})
        elif order.updated_at >= row.updated_at:
            changes.append((row, order, document, digest))
    entries += _insert(tx, world, channel, fresh, rules, read_at)
    entries += _change(tx, world, changes, rules, read_at)
    orders.update(tx, same)
    timeline.add(tx, entries)
    _doubt_cancelled(tx, world, channel, fresh, changes, read_at)
    return Recorded(len(fresh), len(changes), len(same))


def _doubt_cancelled(
    tx: Tx, world: World, channel: Connected, fresh: Sequence[tuple[Order, str, str]],
    changes: Sequence[tuple[OrderRow, Order, str, str]], now: datetime,
) -> None:  # fmt: skip
    """Have cancelled orders looked up that may have been placed by what this ledger does not remember."""
    new = [order for order, *_ in fresh if order.status is OrderStatus.CANCELLED]
    known_before = [order for row, order, *_ in changes if _is_late(row, order)]
    if not new and not known_before:
        return
    erps = {route.erp for route in world.routes_from(channel.id) if route.orders.enabled}
    begun = max((at for erp in erps if (at := known.watched_since(tx, erp)) is not None), default=None)
    _, pulled_at = known.cursor(tx, channel.id, "orders")
    # An order that is new here, but made before the last whole pull, is of a time when this ledger placed nothing.
    recent = [order for order in new if pulled_at is not None and order.created_at >= pulled_at]
    refs = [order.ref for order in (*known_before, *recent) if begun is not None and order.created_at < begun]
    if refs:
        orders.wake_cancelled(tx, channel.id, refs, now)


def _is_late(row: OrderRow, order: Order) -> bool:
    """Say whether an order is newly cancelled that could have been placed: it was paid, or need not be."""
    is_unpaid = row.cause == "unpaid" and order.paid_at is None
    return order.status is OrderStatus.CANCELLED and row.fate != Fate.CANCELLED and not is_unpaid


def _columns(order: Order, document: str, digest: str, read_at: datetime) -> dict[str, Any]:
    return {
        "channel_status": order.channel_status,
        "updated_at": order.updated_at,
        "read_at": read_at,
        "digest": digest,
        "document": document,
        "is_open": order.status in OPEN and any(line.status is LineStatus.OPEN for line in order.lines),
    }


def fate_columns(
    world: World, standing: Standing, route: Route | None, now: datetime, rechecks: int = 0
) -> dict[str, Any]:
    """Return a standing as columns of the orders table."""
    return {
        "route": route.name if route else None,
        "fate": standing.fate.value,
        "cause": standing.cause,
        "reason": reasons(standing.problems),
        "release_at": standing.release_at,
        "due_at": due_at(world, standing, now, rechecks),
        "rechecks": rechecks,
    }


def _insert(
    tx: Tx, world: World, channel: Connected, fresh: Sequence[tuple[Order, str, str]], rules: Rules, read_at: datetime
) -> list[Entry]:
    rows, decided = [], []
    for order, document, digest in fresh:
        route, standing = rules.decide(order, History(), read_at)
        decided.append((order, route, standing))
        rows.append(
            {
                "connection": channel.id,
                "ref": order.ref,
                "key": order.key,
                "created_at": order.created_at,
                "first_seen_at": read_at,
                **_columns(order, document, digest, read_at),
                **_first_due(fate_columns(world, standing, route, read_at), standing),
            }
        )
    ids = orders.insert(tx, rows)
    entries = []
    for order, route, standing in decided:
        seen = {
            "status": order.channel_status,
            "lines": len(order.lines),
            "total": str(order.totals.total),
            "currency": order.currency,
        }
        entries.append(Entry(ids[order.ref], read_at, "pulled", seen))
        entries.append(fate_entry(ids[order.ref], standing, read_at, route.name if route else None))
    return entries


def _first_due(columns: dict[str, Any], standing: Standing) -> dict[str, Any]:
    # The first look at a channel's hold needs no extra minute: its end is known.
    if standing.fate is Fate.HELD and standing.cause == "channel-hold":
        columns["due_at"] = standing.release_at
    return columns


def _change(
    tx: Tx, world: World, changes: Sequence[tuple[OrderRow, Order, str, str]], rules: Rules, read_at: datetime
) -> list[Entry]:
    effects = outbox.states(tx, [row.id for row, *_ in changes])
    rows, documents, entries, withdrawn = [], [], [], []
    for row, order, document, digest in changes:
        entries.append(
            Entry(row.id, read_at, "changed", {"status": order.channel_status, "total": str(order.totals.total)})
        )
        if outbox.FLYING & effects.get(row.id, set()):
            # Its sales order may be on its way, or there: the fate is decided when the outcome is known.
            documents.append({"id": row.id, **_columns(order, document, digest, read_at)})
            continue
        route, standing = rules.decide(order, history_of(row), read_at)
        if row.id in effects:
            withdrawn.append(row.id)
        rows.append(
            {
                "id": row.id,
                **_columns(order, document, digest, read_at),
                **fate_columns(world, standing, route, read_at),
            }
        )
        if (standing.fate.value, standing.cause, standing.release_at) != (row.fate, row.cause, row.release_at):
            entries.append(fate_entry(row.id, standing, read_at, route.name if route else None))
    orders.update(tx, rows)
    orders.update(tx, documents)
    outbox.look_up_sent(tx, [each["id"] for each in documents], read_at)
    outbox.supersede(tx, withdrawn)
    return entries
