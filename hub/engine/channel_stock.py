"""Ledger -> channel: what each SKU should sell, where that differs from what it sells; read first, then written.

Decreases go after every pull of orders; increases with the reconciliation, once all levels of the ERP were read anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from weakref import WeakKeyDictionary

from hub.contract import Cursor
from hub.engine import demand, pull, shelf, stock, write_stock
from hub.engine.sellable import BUNDLE, Item, Planned, Scene, Side, plan, ruler, scene, sources
from hub.engine.turns import next_turn, turn
from hub.engine.world import Connected, World
from hub.engine.write_stock import Push
from hub.host.clock import has_passed
from hub.routing.model import Route
from hub.routing.stock import Cover, Target, cover
from hub.store import Store, Tx, known
from hub.store import stock as ledger

STREAM = "stock"
NEEDS = frozenset({"pull_products", "pull_inventory", "push_inventory"})
PRODUCTS = 100  # are planned at once, which takes longer than to write some of them
STEP_S = 5.0  # so long one step writes, so that orders go between
PLAN_S = 30.0  # what was planned is written within this time, and before orders are pulled again
LEVELS = 100  # of the ERP's Variants are read in a step
READ_AT_ONCE = 600
READ_NEW = 3_000
OLD_S = 86_400.0  # what no news concerned for so long is read again, so that no drift lasts


class Way(IntEnum):
    """What is to be done about one item, most urgent first."""

    READ = 0
    LOWER = 1
    SET = 2


@dataclass(frozen=True, slots=True)
class _Quiet:
    """A state of the ledger in which nothing was left to do, until an instant."""

    version: int
    until: datetime | None


@dataclass(frozen=True, slots=True)
class _Left:
    """What was planned and is not written yet, and the readings that the plan rests on."""

    pushes: Sequence[Push]
    grounds: tuple[object, ...]
    until: datetime


_quiet: WeakKeyDictionary[Store, dict[str, _Quiet]] = WeakKeyDictionary()
_left: WeakKeyDictionary[Store, dict[str, _Left]] = WeakKeyDictionary()


def push(world: World, channel: Connected) -> bool:
    """Bring a channel's stock one step nearer to what it should sell; say whether anything was read or written.

    Costs no call where nothing differs. Does nothing before the orders were pulled.
    """
    route = ruler(world, channel.id)
    if route is None or not channel.capabilities >= NEEDS:
        return False
    resting = _resting(world)
    shown = shelf.refresh(world, channel, route, resting=resting)
    if shown is not shelf.State.READY:  # of an item that nobody looked up, nothing can be told
        return shown is shelf.State.READ
    job = _Job(world, channel, route, resting, world.clock.now())
    if not job.may_work():
        return False
    return job.write_left() or (not job.is_quiet() and job.work())


def outstanding(world: World, channel: Connected) -> int | None:
    """Return how many products a channel is to be told of, as the ledger stands; None: levels are not known yet.

    Makes no call, and writes nothing.
    """
    route = ruler(world, channel.id)
    if route is None or not channel.capabilities >= NEEDS:
        return 0
    job = _Job(world, channel, route, _resting(world), world.clock.now())
    if not job.may_work():
        return None if job.swept is None else 0
    with world.store.read() as tx:
        made = scene(tx, world, route.erp)
    return len({p.item.row.product_ref for _, p in job.wanted(plan(made, channel.id))})


def disturb(world: World, channel: str) -> None:
    """Have a channel's stock looked at, though no order and no level has changed."""
    _quiet.get(world.store, {}).pop(channel, None)


def _resting(world: World) -> set[str]:
    now = world.clock.now()
    with world.store.read() as tx:
        return {id_ for id_, (until, _) in known.paused(tx).items() if now < until}


def pulled_at(world: World, tx: Tx, shop: str, now: datetime) -> datetime | None:
    """Return when the last complete pull of a shop's orders began; of a shop that is not pulled, a while ago."""
    if not any(route.orders.enabled for route in world.routes_from(shop)):
        return now - timedelta(seconds=world.timing.orders_every_s)
    return known.cursor(tx, shop, pull.STREAM)[1]


@dataclass(slots=True)
class _Job:
    """One step for one channel."""

    world: World
    channel: Connected
    route: Route
    resting: Collection[str]
    now: datetime
    pulled: dict[str, datetime | None] = field(default_factory=dict)
    swept: datetime | None = None
    reconciles: bool = False
    version: int = 0

    def may_work(self) -> bool:
        """Say whether orders were pulled lately and levels are known; find out whether it is time to reconcile."""
        erp, rules = self.route.erp, self.route.inventory
        self.swept = stock.swept_at(self.world, erp)
        with self.world.store.read() as tx:
            self.pulled = {shop: pulled_at(self.world, tx, shop, self.now) for shop in self.world.shops_of(erp)}
            _, last = known.cursor(tx, self.channel.id, STREAM)
        if self.swept is not None:
            self.reconciles = last is None or has_passed(last, 0.9 * rules.every_s, self.swept)
        mine, bound = self.pulled[self.channel.id], self.world.timing.orders_every_s * 2 + 60
        return self.swept is not None and mine is not None and self.now - mine <= timedelta(seconds=bound)

    def is_quiet(self) -> bool:
        """Say whether nothing has changed since nothing was left to do; costs a few small queries."""
        erp = self.route.erp
        with self.world.store.read() as tx:
            read_at = ledger.readings(tx, erp, sources(self.world, tx, erp))
            facts = [
                self.reconciles, tuple(sorted(self.resting)), self._are_pulled(), read_at[1],
                known.cursor(tx, self.channel.id, shelf.STREAM)[1], known.cursor(tx, erp, "products")[1],
                demand.version(tx, self.world, erp, read_at[0]),
            ]  # fmt: skip
            facts += [tuple(ledger.switches_of(tx, shop).items()) for shop in self.pulled]
        self.version = hash(tuple(facts))
        known_quiet = _quiet.get(self.world.store, {}).get(self.channel.id)
        if known_quiet is None or known_quiet.version != self.version:
            return False
        return known_quiet.until is None or self.now < known_quiet.until

    def work(self) -> bool:
        """Read what must be known, then write some products; remember where nothing is left."""
        made, plans = self._plan()
        if self._read_levels(made, plans):
            del made, plans  # of a large catalogue, two at once are too much to hold
            made, plans = self._plan()
        did = self._read_items(made, self.wanted(plans))
        if did:
            del made, plans
            made, plans = self._plan()
        wanted = self.wanted(plans)
        pushes = self._pushes(made, wanted)
        self._write(pushes, self.now + timedelta(seconds=PLAN_S))
        write_stock.forgive(self.world, self.channel, [p.item for p in plans if _is_mended(p)])
        if not wanted:
            self._rest(made, plans)
        return did or bool(pushes)

    def write_left(self) -> bool:
        """Write some of what an earlier step planned, where it still rests on the latest readings."""
        left = _left.get(self.world.store, {}).pop(self.channel.id, None)
        if left is None or left.grounds != self._grounds() or left.until <= self.now:
            return False
        self._write(left.pushes, left.until)
        return True

    def _write(self, pushes: Sequence[Push], until: datetime) -> None:
        rest = write_stock.write(self.world, self.channel, pushes, self.world.clock.now() + timedelta(seconds=STEP_S))
        if rest:
            _left.setdefault(self.world.store, {})[self.channel.id] = _Left(rest, self._grounds(), until)

    def _grounds(self) -> tuple[object, ...]:
        return (tuple(self.pulled.items()), self.swept, tuple(sorted(self.resting)))

    def _plan(self) -> tuple[Scene, list[Planned]]:
        with self.world.store.read() as tx:
            made = scene(tx, self.world, self.route.erp)
        demand.close_shipped(self.world, self.channel.id)
        return made, [p for p in plan(made, self.channel.id) if self._matters(p)]

    def _matters(self, p: Planned) -> bool:
        """Say whether an item needs anything, or stands in the way of rest: few of a large catalogue, mostly."""
        if p.target is None:
            return bool(p.unread) or self._way(p) is not None
        is_settled = self.may_raise(p.target) and not _is_unsure(p.target)
        return not is_settled or _is_mended(p) or self._way(p) is not None

    # -- what must be known first

    def _read_levels(self, made: Scene, plans: Sequence[Planned]) -> bool:
        """Read levels that the last sweep could not tell: of new Variants, and of those it met halfway."""
        if self.route.erp in self.resting:
            return False
        refs = {ref for p in plans for ref in p.unread}
        refs |= {ref for ref, at in self._unsettled(made) if at <= self.now}
        if not refs:
            return False
        erp = self.world.connected[self.route.erp]
        with turn(self.world, self.channel, erp) as may_go:
            return may_go and stock.read_changed(self.world, erp, sorted(refs)[:LEVELS])

    def _unsettled(self, made: Scene) -> Iterator[tuple[str, datetime]]:
        """Yield ERP Variants whose reading may or may not count an order just placed, and when to read them again."""
        for side in made.sides.values():
            for ref, ordered in side.taken.ordered.items():
                for level in made.levels.get(ref, {}).values():
                    for units in ordered:
                        if units.linked_at is not None and cover(units, level.read_at, made.settle) is Cover.UNSURE:
                            # Where orders come all the time, no more than one reading per two settle times.
                            yield ref, max(units.linked_at, level.read_at + made.settle) + made.settle

    def _read_items(self, made: Scene, wanted: Sequence[tuple[Way, Planned]]) -> bool:
        """Read what the candidates sell, and what buyers have of the same Variants in every shop, where too old."""
        new = {p.item.row.ref: p.item for way, p in wanted if way is Way.READ}
        chosen = list(new.values())[:READ_NEW] or [p.item for _, p in wanted][:READ_AT_ONCE]
        if not chosen:
            return False
        index, refs = _Index(made), dict[str, set[str]]()
        for item in chosen:
            if item.row.ref in new:
                refs.setdefault(self.channel.id, set()).add(item.row.ref)
            for side, each in index.sharing(item, made, self.channel.id):
                if self._is_stale(side, each):
                    refs.setdefault(side.id, set()).add(each.row.ref)
        for shop, stale in refs.items():
            shelf.read(self.world, self.world.connected[shop], made.sides[shop], stale)
        return bool(refs)

    def _pushes(self, made: Scene, wanted: Sequence[tuple[Way, Planned]]) -> list[Push]:
        """Return what may be written now: what rests on readings younger than its orders, product by product."""
        if not wanted:
            return []
        index = _Index(made)
        ready = [
            (way, p)
            for way, p in wanted
            if way is not Way.READ
            and not any(self._is_stale(side, each) for side, each in index.sharing(p.item, made, self.channel.id))
        ]
        products = set(list(dict.fromkeys(p.item.row.product_ref for _, p in ready))[:PRODUCTS])
        return [_push_of(way, p) for way, p in ready if p.item.row.product_ref in products]

    def _is_stale(self, side: Side, item: Item) -> bool:
        """Say whether what an item sells must be read, since it was read before its shop's orders were."""
        can_tell = side.id not in self.resting and self.world.connected[side.id].capabilities >= NEEDS
        if not can_tell or item.row.kind == BUNDLE:  # its units are told with its parts
            return False
        at, read_at = self.pulled[side.id], item.stock.read_at if item.stock is not None else None
        own = side.id == self.channel.id
        return read_at is None or (own and not item.is_known) or (at is not None and read_at < at)

    # -- what differs

    def wanted(self, plans: Iterable[Planned]) -> list[tuple[Way, Planned]]:
        """Return what is to be done, decreases first."""
        found = [(way, p) for p in plans if (way := self._way(p)) is not None]
        return sorted(found, key=lambda each: each[0])

    def _way(self, p: Planned) -> Way | None:
        item, wanted = p.item, p.target
        if wanted is None:  # buyers may still have units of what is no longer sold
            return Way.READ if self._must_be_read(item) else None
        if self._is_refused(item, wanted):
            return None
        if item.reckoned is None or not item.is_known or self._must_be_read(item):
            return Way.READ
        sells, again = item.reckoned, item.stock is not None and item.stock.retry_at is not None
        if any(sells.quantities.get(place, 0) != units for place, units in wanted.quantities.items()) and (
            (self.reconciles or again)
            and self.may_raise(wanted)
            and not (_is_unsure(wanted) and wanted.total < sells.total)
        ):
            return Way.SET
        above = any(
            sells.quantities.get(at, 0) > max(units, wanted.room[at]) for at, units in wanted.quantities.items()
        )
        if (sells.total > wanted.at_most or above) and (
            self.route.inventory.decreases_at_once or self.reconciles or again
        ):
            return Way.LOWER
        return None

    def _is_refused(self, item: Item, wanted: Target) -> bool:
        """Say whether a write of it waits: after a failure for a while, after a refusal until something changes."""
        row = item.stock
        if row is None or row.retry_at is None or row.retry_at <= self.now:
            return False
        lasting = bool((row.reason or {}).get("lasting"))
        return not (lasting and self.reconciles and row.target != dict(wanted.quantities))

    def _must_be_read(self, item: Item) -> bool:
        """Say whether the reconciliation reads an item though nothing points at it."""
        row = item.stock
        if not self.reconciles or row is None or row.read_at is None or self.swept is None or row.read_at >= self.swept:
            return False
        has_more = (row.committed or 0) > (row.demand or 0)  # orders the ledger does not see: theirs may ship unseen
        pulls = any(route.orders.enabled for route in self.world.routes_from(self.channel.id))
        # What was shipped is reckoned as if it were on sale again, which could hide that it sells too little.
        is_guess = item.reckoned is not None and item.reckoned.gone > 0
        return has_more or is_guess or not pulls or self.now - row.read_at > timedelta(seconds=OLD_S)

    def may_raise(self, wanted: Target) -> bool:
        """Say whether an increase has good grounds: a fresh reading of the ERP, and of every shop's orders."""
        oldest = self.now - timedelta(seconds=2 * self.route.inventory.every_s)
        return self.route.erp not in self.resting and self._are_pulled() and wanted.read_at >= oldest

    def _are_pulled(self) -> bool:
        oldest = self.now - timedelta(seconds=2 * self.route.inventory.every_s)
        return all(at is not None and at >= oldest for at in self.pulled.values())

    def _rest(self, made: Scene, plans: Sequence[Planned]) -> None:
        """Remember that nothing is left to do in this state of the ledger; the reconciliation is done then."""
        grounded = all(p.target is None or self.may_raise(p.target) for p in plans)
        if self.reconciles and grounded and not any(p.unread or _is_unsure(p.target) for p in plans):
            with self.world.store.write() as tx:
                known.set_cursor(tx, self.channel.id, STREAM, Cursor(self.route.erp), self.swept or self.now)
        with self.world.store.read() as tx:
            retries = ledger.retries(tx, self.channel.id)
        times = [at for at in [*(at for _, at in self._unsettled(made)), *retries] if at > self.now]
        if (again := next_turn(self.world, self.channel.id, self.now)) is not None:  # levels could not be read now
            times.append(again)
        _quiet.setdefault(self.world.store, {})[self.channel.id] = _Quiet(self.version, min(times, default=None))


def _is_unsure(wanted: Target | None) -> bool:
    """Say whether a reading may count an order that is subtracted too; it is read again before anything is lowered."""
    return wanted is not None and wanted.at_most > wanted.total


def _is_mended(p: Planned) -> bool:
    """Say whether an item that failed sells what it should after all."""
    row, sells = p.item.stock, p.item.reckoned
    if row is None or row.retry_at is None or sells is None or p.target is None or not p.item.is_known:
        return False
    return all(sells.quantities.get(place, 0) == units for place, units in p.target.quantities.items())


class _Index:
    """Which items of which shops sell the same ERP Variants."""

    def __init__(self, made: Scene) -> None:
        self._by_sku: dict[str, list[tuple[Side, Item]]] = {}
        for side in made.sides.values():
            for item in side.items.values():
                for sku in item.parts:
                    self._by_sku.setdefault(sku, []).append((side, item))

    def sharing(self, item: Item, made: Scene, channel: str) -> list[tuple[Side, Item]]:
        """Return an item and all others that take from one of its ERP Variants."""
        found = {(channel, item.row.ref): (made.sides[channel], item)}
        for sku in item.parts:
            found |= {(side.id, each.row.ref): (side, each) for side, each in self._by_sku.get(sku, ())}
        return list(found.values())


def _push_of(way: Way, p: Planned) -> Push:
    assert p.target is not None  # noqa: S101  # only what has one is wanted
    quantities = dict(p.target.quantities)
    if way is Way.LOWER and p.item.reckoned is not None:
        sells = p.item.reckoned.quantities
        quantities = {place: min(units, sells.get(place, 0)) for place, units in quantities.items()}
    return Push(p.item, p.target, quantities)
