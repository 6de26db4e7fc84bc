"""Hints from outside: heard where they come in, kept until the lane has looked."""

from __future__ import annotations

from collections.abc import Sequence

from hub.contract import Hint, Webhook
from hub.engine.outcome import call
from hub.engine.world import World
from hub.store import wakes


def hear(world: World, id_: str, webhook: Webhook) -> list[Hint]:
    """Return what a delivery hints at, by its connector.

    Raises:
        RejectedError: it does not come from where it says.
    """
    found: list[Hint] = call(world, world.connected[id_], "read_webhook", delivery=webhook)
    return found


def note(world: World, id_: str, hints: Sequence[Hint]) -> None:
    """Keep hints until the Connection's lane has looked."""
    with world.store.write() as tx:
        wakes.add(tx, id_, [(hint.kind.value, hint.ref or "") for hint in hints], world.clock.now())
