"""Subscriptions: what the other sides deliver to the hub, kept as a person once asked for it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.contract import Cursor, HubError, Subscription
from hub.engine.outcome import call
from hub.engine.world import Connected, World
from hub.store import Tx, known

STREAM = "webhooks"
NEEDS = frozenset({"read_webhook", "list_webhooks", "register_webhooks", "remove_webhooks"})
DAY_S = 86_400.0
AGAIN_S = 3_600.0  # after a failure, and between looks whether somebody has registered meanwhile
FRESH_S = 600.0  # a process that begins so soon after a registration leaves it alone


@dataclass(frozen=True, slots=True)
class Wish:
    """Where a Connection's webhooks shall arrive, the events that were registered, and when."""

    url: str
    events: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one Connection delivers and where to, beside what was asked for; ``error`` where it did not say."""

    connection: str
    can: bool
    wish: Wish | None = None
    subscriptions: tuple[Subscription, ...] = ()
    error: HubError | None = None

    @property
    def ours(self) -> list[str]:
        """The events that arrive where they shall."""
        return sorted(
            each.event for each in self.subscriptions if each.active and self.wish and each.url == self.wish.url
        )

    @property
    def missing(self) -> list[str]:
        """The events that were registered and do not arrive any more."""
        return sorted(set(self.wish.events) - set(self.ours)) if self.wish else []

    @property
    def elsewhere(self) -> dict[str, list[str]]:
        """What is delivered to other URLs."""
        found: dict[str, list[str]] = {}
        for each in self.subscriptions:
            if self.wish is None or each.url != self.wish.url:
                found.setdefault(each.url, []).append(each.event)
        return found


def url_at(base: str, id_: str) -> str:
    """Return where a Connection's webhooks arrive, at the hub's public address."""
    return f"{base.rstrip('/')}/webhooks/{id_}"


def wish_of(tx: Tx, id_: str) -> Wish | None:
    """Return what was asked for; None where nothing was."""
    kept, at = known.cursor(tx, id_, STREAM)
    if kept is None or at is None:
        return None
    found = json.loads(kept)
    return Wish(found["url"], tuple(found["events"]), at)


def survey(world: World, ids: Iterable[str]) -> list[Delivered]:
    """Ask Connections what they deliver, and where to: one call each, or as many as the connector needs."""
    return [_survey(world, world.connected[id_]) for id_ in ids]


def _survey(world: World, connected: Connected) -> Delivered:
    if not connected.capabilities >= NEEDS:
        return Delivered(connected.id, can=False)
    with world.store.read() as tx:
        wish = wish_of(tx, connected.id)
    try:
        found: list[Subscription] = call(world, connected, "list_webhooks")
    except HubError as error:
        return Delivered(connected.id, True, wish, error=error)
    return Delivered(connected.id, True, wish, tuple(found))


def register(world: World, connected: Connected, url: str) -> list[Subscription]:
    """Have a Connection's events delivered to a URL, and remember that; again, it renews what is missing."""
    found: list[Subscription] = call(world, connected, "register_webhooks", url=url)
    events = sorted({each.event for each in found if each.url == url})
    with world.store.write() as tx:
        kept = Cursor(json.dumps({"url": url, "events": events}))
        known.set_cursor(tx, connected.id, STREAM, kept, world.clock.now())
    return found


def remove(world: World, connected: Connected) -> None:
    """Have nothing delivered any more, and forget that it was asked for; else a daemon would renew it."""
    with world.store.read() as tx:
        wish = wish_of(tx, connected.id)
    call(world, connected, "remove_webhooks", url=wish.url if wish is not None else None)
    with world.store.write() as tx:
        known.set_cursor(tx, connected.id, STREAM, None, world.clock.now())


def renew(world: World, connected: Connected) -> None:
    """Register anew once a day and when a process begins, where that was asked for; its failure stops nothing else."""
    now, due = world.clock.now(), world.renewals.get(connected.id)
    if (due is not None and now < due <= now + timedelta(seconds=DAY_S)) or not connected.capabilities >= NEEDS:
        return
    with world.store.read() as tx:
        wish = wish_of(tx, connected.id)
    wait_s = AGAIN_S
    if wish is not None:
        age_s = (now - wish.at).total_seconds()
        wait_s = DAY_S * random.uniform(0.9, 1.0)  # noqa: S311  # spreads calls, protects nothing
        if not (0 <= age_s < FRESH_S) and not _renewed(world, connected, wish):
            wait_s = AGAIN_S
    world.renewals[connected.id] = now + timedelta(seconds=wait_s)


def _renewed(world: World, connected: Connected, wish: Wish) -> bool:
    try:
        register(world, connected, wish.url)
    except HubError as error:
        if error.connection is None:
            raise  # the store, not the other side
        if connected.id not in world.unrenewed:
            world.log.warning("webhooks-unrenewed", connection=connected.id, code=error.code, what=error.what)
        world.unrenewed.add(connected.id)
        return False
    if connected.id in world.unrenewed:
        world.unrenewed.discard(connected.id)
        world.log.info("webhooks-renewed", connection=connected.id)
    return True
