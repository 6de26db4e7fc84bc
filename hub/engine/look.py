"""What each kind of hint makes a lane look at. Nothing of a hint is believed, and each is forgotten only afterwards.

A hint about what the hub itself has just done costs no call, or waits until the reading will be of use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from hub.contract import (
    AuthorizationError,
    Finding,
    HintKind,
    HubError,
    OrderRef,
    TransientError,
)  # fmt: skip
from hub.engine import cancellations, catalogue, pull, recheck, returns, shelf, ship, stock, wake
from hub.engine.ledger import record, rules_of
from hub.engine.outcome import call, resting
from hub.engine.sellable import ruler, scene
from hub.engine.steps import is_of_one_step
from hub.engine.turns import turn
from hub.engine.world import Connected, World
from hub.host.work import Work, counted, unhurried
from hub.store import orders, shipping, wakes
from hub.store.wakes import Heard

MOST = 1_000  # hints of one kind that one look takes in
MOST_OF_STOCK = 100  # Variants whose stock one look reads: a call for each Location
BATCH = 50
UNREADABLE_S = (5.0, 30.0)  # an order that cannot be read yet is asked for again after this long; then polls find it
PLACED_ECHO = timedelta(seconds=5)  # the ERP hints at a sales order that the hub has just made
TOLD_ECHO = timedelta(seconds=120)  # a channel hints at products whose stock the hub has just set

Later = Sequence[tuple[Heard, datetime]]
"""What nothing was to be seen of yet, and when it is looked at again."""


def look(world: World, connected: Connected) -> bool:
    """Look where hints point that are due, the most urgent first; say whether that took any call.

    Raises:
        HubError: the Connection as a whole cannot go on; what was not looked at is kept.
    """
    now = world.clock.now()
    with world.store.read() as tx:
        due = [kind for kind, at in wake.waiting(tx, connected, now).items() if at <= now]
    calls = [_look(world, connected, kind) for kind in due]
    return any(calls)


def _look(world: World, connected: Connected, kind: HintKind) -> bool:
    """Look where hints of one kind point; say whether that took any call."""
    now, work = world.clock.now(), Work()
    with world.store.read() as tx:
        heard = wakes.due(tx, connected.id, kind, now, MOST_OF_STOCK if kind is HintKind.INVENTORY else MOST)
    later: Later = ()
    try:
        with counted(work), _turn(world, connected, kind) as may_go:
            if not may_go:
                return False  # what hurries more needs the room there is
            later = LOOKS[kind](world, connected, heard)
    except HubError as error:
        if error.connection is None:
            raise  # the store, not the other side
        _failed(world, connected, kind, heard, work, error)
        return True
    with world.store.write() as tx:
        wake.looked(tx, connected, kind, now, work)
        kept = {each.ref for each, _ in later}
        wakes.drop(tx, connected.id, [each for each in heard if each.ref not in kept])
        wakes.postpone(tx, connected.id, later)
    return bool(work.calls)


@contextmanager
def _turn(world: World, connected: Connected, kind: HintKind) -> Iterator[bool]:
    """Yield whether a kind of hints may be looked at now; what does not hurry takes turns."""
    if kind not in wake.UNHURRIED:
        yield True
        return
    with unhurried(), turn(world, connected, connected) as may_go:
        yield may_go


def _failed(
    world: World, connected: Connected, kind: HintKind, heard: Sequence[Heard], work: Work, error: HubError
) -> None:
    """Keep hints whose look failed; what was refused would be again, and is left to polls."""
    is_kept = isinstance(error, TransientError | AuthorizationError) and error.code != "scope-missing"
    with world.store.write() as tx:
        wake.looked(tx, connected, kind, world.clock.now(), work, failed=True)
        wakes.drop(tx, connected.id, () if is_kept else heard)
    if not is_of_one_step(error):
        raise error
    world.log.warning("look-failed", connection=connected.id, kind=kind.value, code=error.code, what=error.what)


# -- orders of a channel


def _orders(world: World, channel: Connected, heard: Sequence[Heard]) -> Later:
    """Read the orders by id, as many as go in a call; where that takes several calls, or one names none, pull first."""
    if not any(route.orders.enabled for route in world.routes_from(channel.id)):
        return ()
    refs, told = {each.ref: each for each in heard if each.ref}, set[str]()
    if len(refs) > BATCH or len(refs) < len(heard):
        pull.pull_orders(world, channel, told=told)
        cancellations.pull(world, channel)
    wanted = [ref for ref in refs if ref not in told]
    with world.store.read() as tx:
        rows = orders.by_refs(tx, channel.id, wanted)
    # Those that the hub does not know go by themselves: one that cannot be read yet may spoil a whole call.
    _read(world, channel, {ref: (row.created_at, row.updated_at) for ref, row in rows.items()})
    new = {ref: (refs[ref].at, refs[ref].at) for ref in wanted if ref not in rows}
    missing = _read(world, channel, new)
    return [(refs[ref], _again_at(world, refs[ref])) for ref in missing if refs[ref].asked < len(UNREADABLE_S)]


def _read(world: World, channel: Connected, wanted: Mapping[str, tuple[datetime, datetime]]) -> list[str]:
    """Read orders by id; return those that the channel does not tell."""
    found: set[str] = set()
    refs = [OrderRef(ref=ref, created_at=created, updated_at=updated) for ref, (created, updated) in wanted.items()]
    for start in range(0, len(refs), BATCH):
        answer = call(world, channel, "fetch_orders", orders=refs[start : start + BATCH])
        with world.store.write() as tx:
            record(tx, world, channel, answer, rules_of(tx, world, channel), world.clock.now())
        found |= {order.ref for order in answer}
    return [ref for ref in wanted if ref not in found]


def _again_at(world: World, each: Heard) -> datetime:
    return world.clock.now() + timedelta(seconds=UNREADABLE_S[each.asked])


def _cancellations(world: World, channel: Connected, _heard: Sequence[Heard]) -> Later:
    cancellations.pull(world, channel)
    return ()


def _returns(world: World, channel: Connected, _heard: Sequence[Heard]) -> Later:
    if returns.routes_of(world, channel.id):
        returns.read(world, channel)
    return ()


# -- sales orders of an ERP


def _fulfillments(world: World, erp: Connected, heard: Sequence[Heard]) -> Later:
    """Read what was shipped; sales orders of which that tells nothing new were edited or deleted, and are looked up."""
    if not ship.routes_to(world, erp.id):
        return ()
    with world.store.read() as tx:
        links = shipping.links_by_ref(tx, erp.id, [each.ref for each in heard if each.ref])
    mine = [each.ref for each in heard if (link := links.get(each.ref)) and each.at > link.linked_at + PLACED_ECHO]
    if mine or not all(each.ref for each in heard):
        told = ship.read(world, erp)
        rest = [ref for ref in mine if ref not in told]
        if rest:
            recheck.recheck_named(world, erp, rest)
        left, now = set(rest[recheck.ERP_BATCH :]), world.clock.now()
        return [(each, now) for each in heard if each.ref in left]
    return ()


# -- stock and catalogues of both


def _inventory(world: World, connected: Connected, heard: Sequence[Heard]) -> Later:
    if world.routes_from(connected.id):
        _read_shelf(world, connected, {each.ref for each in heard if each.ref})
    if not world.routes_to(connected.id) or stock.every_s(world, connected.id) is None:
        return ()
    # A reading made just after a sales order may or may not count it, and would only have to be made again.
    settle, now = timedelta(seconds=world.timing.stock_settle_s), world.clock.now()
    with world.store.read() as tx:
        placed = wakes.just_placed(tx, connected.id, now - settle)
    echoes = [each for each in heard if each.ref in placed and each.at <= placed[each.ref] + PLACED_ECHO]
    later = [(each, placed[each.ref] + settle) for each in echoes if not each.asked]
    kept = {each.ref for each, _ in later}
    refs = {each.ref for each in heard} - kept
    stock.read_changed(world, connected, refs - {""})
    if "" in refs:
        stock.sweep(world, connected, early=True)
    return later


def _read_shelf(world: World, channel: Connected, refs: set[str]) -> None:
    """Read what a channel sells of Variants, but for those whose stock the hub has just set."""
    route = ruler(world, channel.id)
    if route is None or "pull_inventory" not in channel.capabilities:
        return
    with world.store.read() as tx:
        own, _ = wakes.just_told(tx, channel.id, world.clock.now() - TOLD_ECHO)
        side = scene(tx, world, route.erp).sides[channel.id] if refs - own else None
    if side is not None and (wanted := (refs - own) & side.items.keys()):
        shelf.read(world, channel, side, wanted)


def _products(world: World, connected: Connected, heard: Sequence[Heard]) -> Later:
    now, route = world.clock.now(), ruler(world, connected.id)
    with world.store.read() as tx:
        _, own = wakes.just_told(tx, connected.id, now - TOLD_ECHO)
        rests = set(resting(tx, now))
    if route is not None and "pull_products" in connected.capabilities and {each.ref for each in heard} - own:
        shelf.refresh(world, connected, route, resting=rests, anyway=True)
    if world.routes_to(connected.id) and "pull_products" in connected.capabilities:
        catalogue.read(world, connected)
    return ()


# -- the consent


def _authorization(world: World, connected: Connected, _heard: Sequence[Heard]) -> Later:
    """Ask whether the consent still holds: one that was withdrawn rests the Connection, as any call would find."""
    findings: list[Finding] = []
    if "check_connection" in connected.capabilities:
        findings = call(world, connected, "check_connection")
    for each in findings:
        if not each.ok:
            world.log.warning("connection-lacks", connection=connected.id, what=each.what, do=each.do)
    return ()


Look = Callable[[World, Connected, Sequence[Heard]], Later]
LOOKS: Mapping[HintKind, Look] = {
    HintKind.ORDERS: _orders,
    HintKind.CANCELLATIONS: _cancellations,
    HintKind.RETURNS: _returns,
    HintKind.FULFILLMENTS: _fulfillments,
    HintKind.INVENTORY: _inventory,
    HintKind.PRODUCTS: _products,
    HintKind.AUTHORIZATION: _authorization,
}
