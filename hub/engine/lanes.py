"""The lanes of Connections: this process is their one worker for as long as it holds their locks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from hub.contract import TransientError
from hub.engine.world import World
from hub.store import Lock


@dataclass(frozen=True, slots=True)
class Lanes:
    """The lanes that were won, by Connection, and those that another process holds."""

    won: Mapping[str, Lock]
    busy: Sequence[str]

    def lost(self) -> list[str]:
        """Ask each lock whether it is still held; return the Connections whose lane is lost."""
        return [id_ for id_, lock in self.won.items() if not lock.is_held()]


@contextmanager
def lanes(world: World, ids: Sequence[str]) -> Iterator[Lanes]:
    """Become the one worker of these Connections, as far as no other process is."""
    with ExitStack() as stack:
        found = {id_: stack.enter_context(world.store.lock(f"lane:{id_}")) for id_ in ids}
        won = {id_: lock for id_, lock in found.items() if lock is not None}
        yield Lanes(won, [id_ for id_ in ids if id_ not in won])


def lane_lost(world: World, connections: Sequence[str]) -> TransientError:
    """Return what to say where a pass lost its lanes: another process may work for these Connections now."""
    return TransientError(
        "lane-lost",
        f"the database session that holds the lock for {', '.join(connections)} has ended",
        where=f"database {world.store.label}",
        do="Nothing is lost: run the command again. If it repeats, see whether the database is restarted.",
    )
