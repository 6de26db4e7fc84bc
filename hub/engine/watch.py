"""Since when this ledger has watched without a gap: what is older may already have a sales order.

A new ledger, one restored from a backup, or one that slept may not know what was placed before. Orders from before its
present watch are looked up on the other side, many at a time, before their first send; younger ones need no call.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from hub.contract import Cursor
from hub.engine.world import World
from hub.store import Tx, known, outbox

STREAM = "watch"
GAP_S = 900.0


def beat(world: World, erp: str) -> None:
    """Say that this ledger is in use; after a gap, begin a new watch and doubt everything not yet sent."""
    now = world.clock.now()
    with world.store.write() as tx:
        since, at = known.cursor(tx, erp, STREAM)
        if since is None or at is None or now - at > timedelta(seconds=GAP_S):
            since = Cursor(now.isoformat())
            outbox.doubt(tx, erp)
        known.set_cursor(tx, erp, STREAM, since, now)


def must_look_first(tx: Tx, world: World, erp: str, ordered_at: datetime) -> bool:
    """Say whether an Order may have been placed by something this ledger does not remember."""
    since, _ = known.cursor(tx, erp, STREAM)
    return since is None or ordered_at < datetime.fromisoformat(since)
