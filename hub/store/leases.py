"""Leases: which worker speaks for a Connection, on a database that several machines share.

Each taking of a lease has an epoch of its own. A write transaction of a lane renews its leases by their epochs, and
fails where one was taken over: what a worker decided before it was paused, or cut off, cannot be written after. Time is
the database server's; a worker's own belief ends earlier, by its monotonic clock from before it asked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

import sqlalchemy as sa

from hub.contract import TransientError
from hub.store.tables import leases

AGAIN_S = 0.1
_NOW = sa.literal_column("CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)", sa.BigInteger)


class LaneLostError(TransientError):
    """Another worker speaks for the Connection now; nothing was written."""


class Fence:
    """The leases that a stretch of work rests on: all of them, or it may not write."""

    def __init__(self, epochs: Mapping[str, int], ttl_s: float, valid_until: float) -> None:
        self.epochs, self.ttl_s = dict(epochs), ttl_s
        self._valid_until, self._lost = valid_until, False
        self._lock = threading.Lock()

    def is_valid(self) -> bool:
        """Say whether the leases are surely still held; asks nobody."""
        return not self._lost and time.monotonic() < self._valid_until

    def renew(self, tx: sa.Connection) -> float:
        """Renew the leases within a transaction; returns until when they hold, for ``renewed`` once it is committed.

        Raises:
            LaneLostError: at least one was taken over.
        """
        asked = time.monotonic()
        keys = [(name, epoch) for name, epoch in sorted(self.epochs.items())]
        mine = sa.tuple_(leases.c.connection, leases.c.epoch).in_(keys)
        renewed = tx.execute(sa.update(leases).where(mine).values(until=_NOW + round(self.ttl_s * 1000))).rowcount
        if renewed != len(keys):
            self._lost = True
            raise lane_lost(list(self.epochs))
        return asked + self.ttl_s

    def renewed(self, until: float) -> None:
        """Believe a renewal that was committed."""
        with self._lock:
            self._valid_until = max(self._valid_until, until)


current: ContextVar[Fence | None] = ContextVar("fence", default=None)


@contextmanager
def within(fence: Fence) -> Iterator[None]:
    """Let every write transaction of this context rest on a fence."""
    token = current.set(fence)
    try:
        yield
    finally:
        current.reset(token)


def take(engine: sa.Engine, names: list[str], holder: str, ttl_s: float, wait_s: float) -> tuple[Fence, list[str]]:
    """Take the leases that are free, waiting for the others up to ``wait_s``; return them, and the names not won."""
    end, until, epochs = time.monotonic() + wait_s, float("inf"), dict[str, int]()
    while True:
        for name in (each for each in names if each not in epochs):
            asked = time.monotonic()
            with engine.begin() as tx:
                epoch = tx.execute(_taking(name, holder, ttl_s)).scalar()
            if epoch is not None:
                epochs[name], until = epoch, min(until, asked + ttl_s)
        busy = [name for name in names if name not in epochs]
        if not busy or time.monotonic() >= end:
            return Fence(epochs, ttl_s, until), busy
        time.sleep(AGAIN_S)


def _taking(name: str, holder: str, ttl_s: float) -> sa.Executable:
    from sqlalchemy.dialects.postgresql import insert  # SQLite, which has no leases, does not pay for it

    until = _NOW + round(ttl_s * 1000)
    new = insert(leases).values(connection=name, epoch=1, holder=holder, until=until)
    taken = {"epoch": leases.c.epoch + 1, "holder": holder, "until": until}
    free = leases.c.until < _NOW
    return new.on_conflict_do_update(index_elements=["connection"], set_=taken, where=free).returning(leases.c.epoch)


def give_back(engine: sa.Engine, fence: Fence) -> None:
    """End the leases that are still held."""
    keys = list(fence.epochs.items())
    if keys:
        with engine.begin() as tx:
            mine = sa.tuple_(leases.c.connection, leases.c.epoch).in_(keys)
            tx.execute(sa.update(leases).where(mine).values(until=0))


def end_all(tx: sa.Connection) -> None:
    """Take every lease from its holder, who writes nothing more by it.

    The rows stay: a new one would begin again with an epoch that somebody may still believe in.
    """
    tx.execute(sa.update(leases).values(epoch=leases.c.epoch + 1, until=0))


def holders(tx: sa.Connection) -> dict[str, str]:
    """Return who holds the leases that have not ended."""
    query = sa.select(leases.c.connection, leases.c.holder).where(leases.c.until >= _NOW)
    return {row.connection: row.holder for row in tx.execute(query)}


def lane_lost(names: list[str]) -> LaneLostError:
    """Return what to say where another worker took a lane over."""
    return LaneLostError(
        "lane-lost",
        f"another worker took over the lane of {', '.join(sorted(names))}, because this one was silent for too long",
        where=", ".join(sorted(names)),
        do="Nothing is lost: that one goes on. If it repeats, see what keeps this machine or the database busy.",
    )
