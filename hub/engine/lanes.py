"""Being the one worker of Connections: by locks that die with the process, or by leases on a shared database."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from hub.contract import TransientError
from hub.engine.world import World
from hub.host.http import send_while
from hub.store import Fence, LaneLostError

HOLDER = f"{socket.gethostname()}:{os.getpid()}"


@dataclass(frozen=True, slots=True)
class Lanes:
    """The lanes that were won, those that another process holds, and how to ask whether they still are this one's."""

    won: Sequence[str]
    busy: Sequence[str]
    still_mine: Callable[[], bool] = lambda: True


@contextmanager
def lanes(world: World, ids: Sequence[str], *, wait_s: float = 0.0) -> Iterator[Lanes]:
    """Become the one worker of these Connections, as far as no other is.

    On a shared database every write transaction inside, and every write to the outside, rests on the leases: after one
    was taken over they fail with ``lane-lost``.

    Args:
        wait_s: on a shared database, how long to wait for workers that are there now.
    """
    if world.store.is_shared:
        with _leased(world, ids, wait_s) as held:
            yield held
        return
    with ExitStack() as stack:
        found = {id_: stack.enter_context(world.store.lock(f"lane:{id_}")) for id_ in ids}
        won = [id_ for id_, lock in found.items() if lock is not None]
        yield Lanes(won, [id_ for id_ in ids if id_ not in won])


@contextmanager
def _leased(world: World, ids: Sequence[str], wait_s: float) -> Iterator[Lanes]:
    store, ttl_s = world.store, world.timing.lease_s
    with (
        store.leased(list(ids), holder=HOLDER, ttl_s=ttl_s, wait_s=wait_s) as (fence, busy),
        send_while(fence.is_valid),
        _renewing(world, fence),
    ):

        def still_mine() -> bool:
            try:
                if not fence.is_valid():
                    store.renew(fence)
            except LaneLostError:
                return False
            return True

        yield Lanes(list(fence.epochs), busy, still_mine)


@contextmanager
def _renewing(world: World, fence: Fence) -> Iterator[None]:
    """Renew leases while a long call, or a long thought, writes nothing."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(fence.ttl_s / 3):
            try:
                world.store.renew(fence)
            except LaneLostError:
                return
            except TransientError:
                continue  # the next write says what is wrong with the database

    thread = threading.Thread(target=renew, name="leases", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def lane_lost(world: World, connections: Sequence[str]) -> TransientError:
    """Return what to say where a pass lost its lanes: another process may work for these Connections now."""
    return TransientError(
        "lane-lost",
        f"this process was silent for too long: another may speak for {', '.join(connections)} by now",
        where=f"database {world.store.label}",
        do="Nothing is lost: run the command again. If it repeats, see what keeps this machine or the database busy.",
    )
