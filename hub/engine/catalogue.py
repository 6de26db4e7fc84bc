"""ERP -> ledger: which Variants there are, by SKU, in as few calls as it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from hub.contract import AuthorizationError, ConfigurationError, Cursor, HubError
from hub.engine.outcome import call, pages
from hub.engine.turns import turn
from hub.engine.world import Connected, World
from hub.host.clock import has_passed
from hub.routing.fate import Fate
from hub.store import known, orders
from hub.store.stock import refs_by_sku

STREAM, SWEPT = "products", "swept-skus"  # when the catalogue was read; since when a sweep of stock told every SKU
AGAIN_S = 120.0  # a reading that failed is tried again after this long
QUIET_S = 3600.0  # an ERP whose readings of stock tell no SKUs is asked this often, for the sake of stock alone
NOTHING_GOES = ("no-answer", "stopping")  # failures of every call, not of this one
HEALED_BY_VARIANTS = ("variant-unmapped", "variant-ambiguous")


def refresh(world: World, erp: Connected, *, for_stock: bool) -> bool:
    """Read the Variants that changed where an Order waits for one, or stock would go by old SKUs (``for_stock``).

    What may be placed looks by itself, just before (``look_up``): a quiet ERP is not asked.

    Raises:
        HubError: nothing can be asked of this Connection at all, or the store failed.
    """
    now = world.clock.now()
    routes = [route.name for route in world.active() if route.erp == erp.id]
    with world.store.read() as tx:
        _, at = known.cursor(tx, erp.id, STREAM)
        if at is not None and not has_passed(at, world.timing.catalogue_every_s, now):
            return False
        seen = [time for time in (at, known.cursor(tx, erp.id, SWEPT)[1]) if time is not None]
        is_needed = at is None or orders.wait_for(tx, routes, HEALED_BY_VARIANTS)
    if not (is_needed or (for_stock and has_passed(max(seen), QUIET_S, now))):
        return False
    with turn(world, erp, erp) as may_go:
        return may_go and read(world, erp)


def read(world: World, erp: Connected) -> bool:
    """Read the Variants that changed; where only that fails, say so once, and Orders go on without."""
    now, failed_at = world.clock.now(), world.unread.get(erp.id)
    with world.store.read() as tx:
        cursor, at = known.cursor(tx, erp.id, STREAM)
    if failed_at is not None and not has_passed(failed_at, AGAIN_S, now):
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


def look_up(
    world: World, erp: Connected, skus: Iterable[str], *, to_place: bool = False, most: int | None = None
) -> bool:
    """Make sure that these SKUs are known or known to be missing; asks for each at most once per catalogue period.

    Returns whether all are; False only where more than ``most`` would have to be asked for.

    ``to_place``: a sales order will name their Variants, so none of them may be known by a reading older than that.
    """
    wanted = set(skus)
    now, period = world.clock.now(), world.timing.catalogue_every_s
    with world.store.read() as tx:
        have = known.variants_by_sku(tx, erp.id, wanted)
        _, at = known.cursor(tx, erp.id, STREAM)
    if to_place and have and (at is None or has_passed(at, period, now)) and read(world, erp):
        with world.store.read() as tx:
            have = known.variants_by_sku(tx, erp.id, wanted)
    asked = now.timestamp()
    missing = sorted(
        sku for sku in wanted - set(have) if abs(asked - world.asked.get((erp.id, sku), -period)) >= period
    )
    if missing[:most]:
        found = call(world, erp, "find_variants", skus=missing[:most])
        with world.store.write() as tx:
            known.remember_variants(tx, erp.id, found)
        world.asked.update({(erp.id, sku): asked for sku in missing[:most]})
    return most is None or len(missing) <= most


def compare(world: World, erp: Connected, told: Mapping[str, str | None], at: datetime) -> None:
    """Look up the SKUs that a sweep of stock found on other Variants than the ledger has: renamed, or given twice.

    Args:
        told: Variant -> its SKU; where no Variant has one, the connector does not tell them.
        at: when the sweep began.
    """
    if not any(told.values()):
        return
    with world.store.read() as tx:
        mine = {ref: sku for sku, refs in refs_by_sku(tx, erp.id).items() for ref in refs}
    skus = set(mine.values())
    differing = {(ref, sku) for ref, sku in told.items() if mine.get(ref) != sku and (ref in mine or sku in skus)}
    moved = {sku for ref, new in differing for sku in (new, mine.get(ref)) if sku is not None}
    found = call(world, erp, "find_variants", skus=sorted(moved)) if moved else []
    with world.store.write() as tx:
        known.forget_skus(tx, erp.id, moved)
        known.remember_variants(tx, erp.id, found)
        known.set_cursor(tx, erp.id, SWEPT, None, at)
        if moved:
            orders.wake(tx, world.clock.now(), fate=Fate.BLOCKED, causes=HEALED_BY_VARIANTS)
