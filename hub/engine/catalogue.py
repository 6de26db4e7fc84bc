"""ERP -> ledger: which Variants there are, by SKU, in as few calls as it takes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from hub.engine.outcome import call, pages
from hub.engine.world import Connected, World
from hub.routing.fate import Fate
from hub.store import known, orders

STREAM = "products"
HEALED_BY_VARIANTS = ("variant-unmapped", "variant-ambiguous")


def refresh(world: World, erp: Connected) -> bool:
    """Read the Variants that changed since the last time, once per catalogue period; wake the Orders they may heal."""
    now = world.clock.now()
    with world.store.read() as tx:
        cursor, at = known.cursor(tx, erp.id, STREAM)
    if at is not None and now - at < timedelta(seconds=world.timing.catalogue_every_s):
        return False
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
    missing = sorted(sku for sku in wanted - set(have) if now - world.asked.get((erp.id, sku), -period) >= period)
    if not missing:
        return
    found = call(world, erp, "find_variants", skus=missing)
    with world.store.write() as tx:
        known.remember_variants(tx, erp.id, found)
    world.asked.update({(erp.id, sku): now for sku in missing})
