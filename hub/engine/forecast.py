"""How long the queued work will take, as the ledger, the budgets and what work cost lately say; makes no call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

from hub.engine import channel_stock, listing, place, ship, stock
from hub.engine.costs import SWEEP, endpoint_of
from hub.engine.outcome import resting
from hub.engine.queueing import LONG_S, Window, emptied, finish, unhurried
from hub.engine.sellable import sources
from hub.engine.world import Connected, World
from hub.routing.fate import CANCELLING, CHANGING, RECORDING
from hub.store import Tx, backlog, known
from hub.store.budgets import Cost, costs_of, window_of
from hub.store.shipping import PackageState
from hub.store.tables import EPOCH, MILLISECOND

HORIZON_S = 3600.0
REREAD = 50  # orders that one call of a channel reads again
# What a kind of work takes where none was done yet.
ASSUMED: Mapping[str, float] = {
    "push_order": 1, "find_orders": 1, "update_order": 2, "cancel_order": 2, "push_fulfillment": 1,
    "update_fulfillment": 1, "fetch_fulfillments": 1, "push_return": 2, "fetch_orders": 1, "decide_cancellation": 1,
    "fetch_label": 2, "push_inventory": 1, "pull_orders": 1, "pull_cancellations": 1, "pull_fulfillments": 1,
    "pull_products": 1,
}  # fmt: skip
STATES = {
    PackageState.READY: ("shipments to tell", "push_fulfillment"),
    PackageState.SENDING: ("shipments to tell", "push_fulfillment"),
    PackageState.UNKNOWN: ("shipments to tell", "push_fulfillment"),
    PackageState.LABEL: ("labels", "fetch_label"),
}


@dataclass(frozen=True, slots=True)
class Load:
    """Work of one kind that waits: ``due`` now, ``coming`` within the horizon; ``calls`` None: not known yet.

    ``is_assumed``: none of this kind was done yet, so its calls are a guess. ``is_urgent``: it goes before what is not.
    """

    work: str
    due: int
    coming: int
    calls: float | None
    is_assumed: bool
    is_urgent: bool


@dataclass(frozen=True, slots=True)
class Limit:
    """A request budget: at most ``calls`` in any ``per_s``, of which ``taken`` are taken now."""

    endpoint: str
    calls: int
    per_s: float
    taken: int
    closed_until: datetime | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What waits for a Connection and how long that takes; seconds from now, None: cannot be told (see ``unknown``).

    ``orders_in_s``: until the last of the orders that are due now is placed. ``urgent_in_s``: until nothing urgent
    waits. ``drained_in_s``: until nothing at all waits. ``background_per_hour``: calls that polls take besides.
    """

    connection: str
    resting_until: datetime | None
    limits: tuple[Limit, ...]
    work: tuple[Load, ...]
    background_per_hour: float
    orders_in_s: float | None
    urgent_in_s: float | None
    drained_in_s: float | None
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forecast:
    """The outlook of every Connection at a moment; orders whose holds end until ``until`` are counted."""

    at: datetime
    until: datetime
    connections: tuple[Outlook, ...]


def forecast(world: World, horizon_s: float = HORIZON_S) -> Forecast:
    """Return how long the queued work of each Connection will take."""
    now = world.clock.now()
    until = now + timedelta(seconds=horizon_s)
    ids = [id_ for id_ in world.connected if world.routes_from(id_) or world.routes_to(id_)]
    return Forecast(now, until, tuple(_Teller(world, world.connected[id_], now, until).tell() for id_ in ids))


@dataclass(slots=True)
class _Line:
    """What goes through one request budget."""

    window: Window
    jobs: list[tuple[float, float]] = field(default_factory=list)  # (ready in s, calls), the urgent ones
    others: float = 0.0  # calls that are not urgent
    background_per_s: float = 0.0


@dataclass(slots=True)
class _Teller:
    """Puts one Connection's outlook together."""

    world: World
    connected: Connected
    now: datetime
    until: datetime
    costs: Mapping[str, Cost] = field(default_factory=dict)
    lines: dict[str, _Line] = field(default_factory=dict)
    limits: list[Limit] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    background_per_hour: float = 0.0

    def tell(self) -> Outlook:
        """Return the outlook."""
        id_, world = self.connected.id, self.world
        with world.store.read() as tx:
            self.costs = costs_of(tx, [id_])[id_]
            rests = resting(tx, self.now).get(id_)
            self._read_limits(tx)
            if world.routes_to(id_):
                self._erp(tx)
            if world.routes_from(id_):
                self._channel(tx)
        self._read_background()
        rest_s = 0.0 if rests is None else (rests[0] - self.now).total_seconds()
        times = (None, None, None) if self.unknown else self._times(rest_s)
        until = rests[0] if rests is not None else None
        loads, limits = tuple(self.loads), tuple(self.limits)
        return Outlook(id_, until, limits, loads, self.background_per_hour, *times, tuple(self.unknown))

    # -- what there is

    def _read_limits(self, tx: Tx) -> None:
        known_limits = {key: limit for cost in self.costs.values() for key, (_, *limit) in cost.budgets.items()}
        for key, (calls, per_s) in sorted(known_limits.items()):
            taken, closed = window_of(tx, key)
            at = (self.now - EPOCH) // MILLISECOND
            frees = [(until - at) / 1000 for _, until, count in taken if until > at for _ in range(count)]
            window = Window(int(calls), per_s, frees, max(0.0, (closed - at) / 1000))
            self.lines[key] = _Line(window)
            closed_until = self.now + timedelta(seconds=window.closed_s) if window.closed_s else None
            self.limits.append(Limit(endpoint_of(key), window.calls, per_s, len(frees), closed_until))

    def _erp(self, tx: Tx) -> None:
        id_, world = self.connected.id, self.world
        waiting, ends = backlog.effects(tx, id_), list[float]()
        for route in (each for each in world.routes_to(id_) if each.orders.enabled):
            held = backlog.releases(tx, route.channel, [route.name], self.until)
            ends += [(end - self.now).total_seconds() for end in held]
        if waiting.get(True):
            self._add("look-ups of orders", "find_orders", ceil(waiting[True] / place.LOOK_UP_BATCH))
        # A release is gathered: on average it waits half of the period.
        gather_s = world.timing.release_every_s / 2
        ready = [0.0] * sum(waiting.values()) + [max(0.0, end) + gather_s * (end > 0) for end in sorted(ends)]
        self._add("sales orders", "push_order", ready=ready)
        causes = backlog.after_placement(tx, id_, self.now)
        self._add("cancellations", "cancel_order", causes.get(CANCELLING, 0))
        self._add("changes", "update_order", causes.get(CHANGING, 0))
        self._add("orders to record as done", "push_fulfillment", causes.get(RECORDING, 0))
        self._add("shipments to ask for", "fetch_fulfillments", ceil(backlog.shipments(tx, id_, self.now) / ship.BATCH))
        numbers = [n for (_, erp, state), n in backlog.parcels(tx, self.now).items()
                   if erp == id_ and state == PackageState.WRITING_BACK]  # fmt: skip
        self._add("tracking numbers", "update_fulfillment", sum(numbers))
        returned = sum(backlog.returned(tx, each.channel, self.now) for each in world.routes_to(id_))
        self._add("returns", "push_return", returned, is_urgent=False)
        self._sweeps(tx)

    def _sweeps(self, tx: Tx) -> None:
        period = stock.every_s(self.world, self.connected.id)
        if period is None or "pull_inventory" not in self.connected.capabilities:
            return
        due = coming = 0
        for location in sources(self.world, tx, self.connected.id):
            _, at = known.cursor(tx, self.connected.id, f"{stock.STREAM}:{location}")
            following = self.now if at is None else at + timedelta(seconds=period)
            due, coming = due + (following <= self.now), coming + (self.now < following <= self.until)
        self._add("locations to sweep", SWEEP, due, coming, is_urgent=False)

    def _channel(self, tx: Tx) -> None:
        channel, world = self.connected, self.world
        routes = [route.name for route in world.routes_from(channel.id) if route.orders.enabled]
        due = len(backlog.releases(tx, channel.id, routes, self.now))
        self._add("orders to read again", "fetch_orders", ceil(due / REREAD))
        self._add("requests to cancel", "decide_cancellation", backlog.requests(tx, channel.id, self.now))
        parcels: dict[tuple[str, str], int] = {}
        for (shop, _, state), count in backlog.parcels(tx, self.now).items():
            if shop == channel.id and (kind := STATES.get(PackageState(state))) is not None:
                parcels[kind] = parcels.get(kind, 0) + count
        for (work, hook), count in parcels.items():
            self._add(work, hook, count)
        pushes = channel_stock.outstanding(world, channel)
        if pushes is None:
            self.unknown.append("stock to push: the ERP's levels were not read whole yet")
        self._add("products whose stock is to be pushed", "push_inventory", pushes or 0, is_urgent=False)
        self._add("listings", "push_products", listing.outstanding(world, channel), is_urgent=False)

    def _read_background(self) -> None:
        id_, timing = self.connected.id, self.world.timing
        polls: list[tuple[str, float]] = []
        if any(route.orders.enabled for route in self.world.routes_from(id_)):
            polls += [("pull_orders", timing.orders_every_s), ("pull_cancellations", timing.orders_every_s)]
        if any(route.orders.enabled for route in self.world.routes_to(id_)):
            polls.append(("pull_products", timing.catalogue_every_s))
        if ship.routes_to(self.world, id_):
            polls.append(("pull_fulfillments", timing.fulfillments_every_s))
        for hook, every_s in (each for each in polls if each[0] in self.connected.capabilities):
            shares, _ = self._shares(hook)
            self.background_per_hour += sum((shares or {}).values()) * 3600 / every_s
            for key, calls in (shares or {}).items():
                self.lines[key].background_per_s += calls / every_s
        sells = stock.every_s(self.world, id_) is not None
        for line in self.lines.values():
            if sells and line.window.per_s >= LONG_S:  # what waited for a whole window goes like an urgent call
                line.background_per_s += 1 / line.window.per_s

    # -- what it takes

    def _add(
        self, work: str, hook: str, due: int = 0, coming: int = 0, *, ready: Sequence[float] = (),
        is_urgent: bool = True,
    ) -> None:  # fmt: skip
        """Note work of one kind; ``ready``: in how many seconds each piece is due, in place of counts."""
        ready = ready or [0.0] * due
        due, coming = sum(at <= 0 for at in ready), coming + sum(at > 0 for at in ready)
        if not due + coming:
            return
        shares, is_assumed = self._shares(hook)
        if shares is None:
            self.unknown.append(
                f"{work}: the calls that takes, and how many may be made, are known once some were made"
            )
        calls = None if shares is None else sum(shares.values()) * (due + coming)
        self.loads.append(Load(work, due, coming, calls, is_assumed, is_urgent))
        for key, each in (shares or {}).items():
            if is_urgent:
                self.lines[key].jobs += [(at, each) for at in ready]
            else:
                self.lines[key].others += each * due

    def _shares(self, hook: str) -> tuple[dict[str, float] | None, bool]:
        """Return the calls one piece of such work takes, by budget (None: not known), and whether that is a guess."""
        cost = self.costs.get(hook)
        if cost is not None and cost.effects and cost.budgets:
            return {key: calls / cost.effects for key, (calls, *_) in cost.budgets.items()}, False
        if hook not in ASSUMED or len(self.lines) != 1:
            return None, True
        return dict.fromkeys(self.lines, ASSUMED[hook]), True

    # -- how long it takes

    def _times(self, rest_s: float) -> tuple[float | None, float | None, float | None]:
        """Return until when the orders due now are placed, nothing urgent waits, and nothing at all does."""
        placing, _ = self._shares("push_order")
        orders_s, urgent_s, drained_s = 0.0, 0.0, 0.0
        for key, line in self.lines.items():
            jobs = sorted((max(rest_s, at), calls) for at, calls in line.jobs)
            done = list(finish(line.window, jobs, line.background_per_s))
            present = [end for (at, _), end in zip(jobs, done, strict=True) if at <= rest_s]
            if key in (placing or {}):
                orders_s = max([orders_s, *present])
            empty_s = emptied(jobs, done) if present else 0.0
            urgent_s = max(urgent_s, empty_s)
            following = sum(calls for at, calls in jobs if at > empty_s)
            per_s = line.background_per_s + following / max(1.0, (self.until - self.now).total_seconds())
            others_s = unhurried(line.window, line.others, max(empty_s, rest_s), per_s)
            drained_s = max(drained_s, empty_s, others_s)
        return orders_s, urgent_s, drained_s
