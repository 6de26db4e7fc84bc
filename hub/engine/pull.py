"""Channel -> ledger: read what changed, decide each Order's fate, remember where to go on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

from hub.contract import Cursor, Page
from hub.engine.ledger import Recorded, Rules, record, rules_of
from hub.engine.outcome import call, pages
from hub.engine.world import Connected, World
from hub.host.clock import has_passed
from hub.store import known

STREAM = "orders"
LOCATIONS_LIVE_S = 86_400.0


def is_due(world: World, channel: Connected) -> bool:
    """Say whether it is time to pull this channel's Orders again."""
    with world.store.read() as tx:
        _, at = known.cursor(tx, channel.id, STREAM)
    return at is None or has_passed(at, world.timing.orders_every_s, world.clock.now())


def pull_orders(
    world: World, channel: Connected, progress: Callable[[int], None] = lambda n: None, told: set[str] | None = None
) -> Recorded:
    """Read every page since the last pull; each page is stored with its cursor in one transaction.

    Args:
        told: takes in the refs of the Orders that were told.
    """
    cursor, rules = _begin(world, channel)
    start = min(rules.starts.values())
    if _names_places(world, channel):
        refresh_locations(world, channel)
    total = Recorded()
    began = world.clock.now()
    with closing(pages(world, channel, "pull_orders", since=cursor, start=start)) as found:
        for page in found:
            total += _store(world, channel, page)
            cursor = page.cursor or cursor
            progress(len(page.items))
            if told is not None:
                told |= {order.ref for order in page.items}
    with world.store.write() as tx:
        known.set_cursor(tx, channel.id, STREAM, cursor, began)
    return total


def _begin(world: World, channel: Connected) -> tuple[Cursor | None, Rules]:
    """Return where to go on, and by which rules; writes only where a Route runs for the first time."""
    routes = [route for route in world.routes_from(channel.id) if route.orders.enabled]
    with world.store.read() as tx:
        is_known = known.have_started(tx, [route.name for route in routes if route.orders.start is None])
    with world.store.read() if is_known else world.store.write() as tx:
        return known.cursor(tx, channel.id, STREAM)[0], rules_of(tx, world, channel)


def _store(world: World, channel: Connected, page: Page) -> Recorded:  # type: ignore[type-arg]  # read through a hook
    with world.store.write() as tx:
        rules = rules_of(tx, world, channel)
        done = record(tx, world, channel, page.items, rules, world.clock.now())
        if page.cursor is not None:
            _, at = known.cursor(tx, channel.id, STREAM)
            # The time of the last whole pull stays until this one is whole, so that a broken one is soon repeated.
            known.set_cursor(tx, channel.id, STREAM, page.cursor, at or world.clock.now() - timedelta(days=1))
        return done


def _names_places(world: World, connected: Connected) -> bool:
    """Say whether a Route calls this Connection's Locations by name."""
    for route in world.active():
        rules = route.orders
        if route.channel == connected.id and (rules.when.locations or rules.location.by_channel_location):
            return True
        named = rules.location.default or rules.location.by_channel_location or rules.done_location
        if route.erp == connected.id and named:
            return True
    return False


def refresh_locations(world: World, connected: Connected, *, max_age_s: float = LOCATIONS_LIVE_S) -> None:
    """Read a Connection's Locations where a Route names them and the last reading is old."""
    now = world.clock.now()
    with world.store.read() as tx:
        _, at = known.cursor(tx, connected.id, "locations")
    if at is not None and not has_passed(at, max_age_s, now):
        return
    found = call(world, connected, "list_locations")
    with world.store.write() as tx:
        known.remember_locations(tx, connected.id, found, now)


def refresh_named_locations(world: World, connected: Connected, *, max_age_s: float = LOCATIONS_LIVE_S) -> None:
    """Read a Connection's Locations only where a Route names one of them."""
    if _names_places(world, connected):
        refresh_locations(world, connected, max_age_s=max_age_s)
