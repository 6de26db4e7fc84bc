"""ERP -> ledger: which Variants there are, by SKU, in as few calls as it takes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from hub.contract import AuthorizationError, ConfigurationError, Cursor, HubError
from hub.engine.outcome import call, pages
from hub.engine.world import Connected, World
from hub.host.clock import has_passed
from hub.routing.fate import Fate
from hub.store import known, orders

STREAM = "products"
AGAIN_S = 120.0  # a reading that failed is tried again after this long
QUIET_S = 3600.0  # the period while no order waits for what a reading may bring
NOTHING_GOES = ("no-answer", "stopping")  # failures of every call, not of this one
HEALED_BY_VARIANTS = ("variant-unmapped", "variant-ambiguous")


def refresh(world: World, erp: Connected) -> bool:
    """Read the Variants that changed, once per catalogue period; where only that fails, Orders go on without.

    While no Order waits to be placed or for a Variant, once an hour will do: what is placed next was held before.

    Raises:
        HubError: nothing can be asked of this Connection at all, or the store failed.
    """
    now, failed_at = world.clock.now(), world.unread.get(erp.id)
    routes = [route.name for route in world.active() if route.erp == erp.id]
    with world.store.read() as tx:
        cursor, at = known.cursor(tx, erp.id, STREAM)
        is_early = at is not None and not has_passed(at, world.timing.catalogue_every_s, now)
        if not is_early and at is not None and not has_passed(at, QUIET_S, now):
            is_early = not orders.waits(tx, routes, HEALED_BY_VARIANTS)
    if is_early or (failed_at is not None and not has_passed(failed_at, AGAIN_S, now)):
        return False
    try:
        done = _read_changes(world, erp, cursor, at, now)
    except HubError as error:
        if error.connection is None:
            raise  # the store, not the other side
        world.unread[erp.id] = now
        if isinstance(error, AuthorizationError | ConfigurationError) or error.code in NOTHING_GOES:
            raise
        if failed_at is None:
            world.log.warning("catalogue-unread", connection=erp.id, code=error.code, what=error.what)
        return False
    if world.unread.pop(erp.id, None) is not None:
        world.log.info("catalogue-read-again", connection=erp.id)
    return done


def _read_changes(world: World, erp: Connected, cursor: Cursor | None, at: datetime | None, now: datetime) -> bool:
    """Remember the Variants that changed; wake the Orders they may heal."""
    if cursor is None and at is None:
        # Nothing is known yet: SKUs are looked up as Orders need them; changes are followed from now on.
        with world.store.write() as tx:
            known.set_cursor(tx, erp.id, STREAM, None, now)
        return False
    seen = 0
    for page in pages(world, erp, "pull_products", since=cursor, start=at):
        cursor = page.cursor or cursor
        with world.store.write() as tx:
            known.remember_variants(tx, erp.id, page.items)
        seen += len(page.items)
    world.asked.clear()
    with world.store.write() as tx:
        known.set_cursor(tx, erp.id, STREAM, cursor, now)
        if seen:
            orders.wake(tx, now, fate=Fate.BLOCKED, causes=HEALED_BY_VARIANTS)
    return True


def look_up(world: World, erp: Connected, skus: Iterable[str]) -> None:
    """Make sure that these SKUs are known or known to be missing; asks for each at most once per catalogue period."""
    wanted = set(skus)
    with world.store.read() as tx:
        have = known.variants_by_sku(tx, erp.id, wanted)
    now = world.clock.now().timestamp()
    period = world.timing.catalogue_every_s
    missing = sorted(sku for sku in wanted - set(have) if abs(now - world.asked.get((erp.id, sku), -period)) >= period)
    if not missing:
        return
    found = call(world, erp, "find_variants", skus=missing)
    with world.store.write() as tx:
        known.remember_variants(tx, erp.id, found)
    world.asked.update({(erp.id, sku): now for sku in missing})
