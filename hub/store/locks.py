"""Locks over all processes of one database: a file beside it, or a session of its server."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock, Timeout

AGAIN_S = 0.1


class Lock:
    """A lock that was won; it dies with its process."""


@contextmanager
def lock(engine: sa.Engine, name: str, wait_s: float) -> Iterator[Lock | None]:
    """Hold a lock of that name; yields None where another process holds it for longer than ``wait_s``."""
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    if engine.dialect.name == "sqlite":
        with _file_lock(f"{file_of(engine)}-{digest}.lock", wait_s) as found:
            yield found
    else:
        with _session_lock(engine, int(digest, 16) - 2**63, wait_s) as found:
            yield found


def file_of(engine: sa.Engine) -> Path:
    """Return the file of a SQLite database, by the one name it has however it is reached."""
    return Path(str(engine.url.database)).resolve()


@contextmanager
def _file_lock(path: str, wait_s: float) -> Iterator[Lock | None]:
    file = FileLock(path, thread_local=False)
    try:
        file.acquire(timeout=wait_s)
    except Timeout:
        yield None
        return
    try:
        yield Lock()
    finally:
        file.release()


@contextmanager
def _session_lock(engine: sa.Engine, key: int, wait_s: float) -> Iterator[Lock | None]:
    with engine.connect() as raw:
        session = raw.execution_options(isolation_level="AUTOCOMMIT")
        end = time.monotonic() + wait_s
        query = f"SELECT pg_try_advisory_lock({key})"
        while not (won := bool(session.exec_driver_sql(query).scalar())) and time.monotonic() < end:
            time.sleep(AGAIN_S)
        if not won:
            yield None
            return
        try:
            yield Lock()
        finally:
            with contextlib.suppress(sa.exc.DBAPIError):  # a session that broke took its lock with it
                session.exec_driver_sql(f"SELECT pg_advisory_unlock({key})")
