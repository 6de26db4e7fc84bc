"""Bringing a ledger's tables from an earlier version to the present one, while nobody works on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from glob import escape
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock, Timeout

from hub.contract import HubError
from hub.store import leases
from hub.store.backup import backup
from hub.store.database import SCHEMA_VERSION, Store, Tx, refuse, version_of
from hub.store.locks import file_of
from hub.store.upgrade import upgrade

SILENT_S = 600  # a worker of procrastinate's that gave no sign for longer is dead


@dataclass(frozen=True, slots=True)
class Moved:
    """From which version to which the tables came; where the copy from before lies, if one was made."""

    before: str | None
    after: str
    copy: Path | None = None


def bring_forward(store: Store, *, force: bool = False, tell: Callable[[str], None] = lambda text: None) -> Moved:
    """Run the missing migrations in one transaction; nothing changes where one fails, and again is safe.

    Args:
        store: opened as it is.
        force: on a shared database, go on although workers seem to live; they lose their Connections.
        tell: hears of each step before it is done.

    Raises:
        HubError: a hub works on the database, or the tables are of a newer version.
    """
    with store.read() as tx:
        found = version_of(tx)
    if found is not None and found >= SCHEMA_VERSION:
        refuse(found, store.label)
        return Moved(found, found)
    with _alone(store), store.write() as tx:
        found = version_of(tx)
        if found is None or found == SCHEMA_VERSION:
            upgrade(tx)
            return Moved(found, SCHEMA_VERSION)
        if store.is_shared and not force:
            _refuse_others(tx, store.label)
        copy = None if store.is_shared else _copy(store, found, tell)
        tell(f"upgrading the tables from {found} to {SCHEMA_VERSION}")
        upgrade(tx)
        leases.end_all(tx)
    return Moved(found, SCHEMA_VERSION, copy)


def _copy(store: Store, found: str, tell: Callable[[str], None]) -> Path:
    """Copy a SQLite ledger beside itself, under a name that is free."""
    file = Path(str(store.engine.url.database))
    wanted = copy = file.with_name(f"{file.name}-before-{SCHEMA_VERSION}")
    number = 1
    while copy.exists():
        number += 1
        copy = wanted.with_name(f"{wanted.name}-{number}")
    tell(f"copying the database of version {found} to {copy}")
    backup(store, copy)
    return copy


@contextmanager
def _alone(store: Store) -> Iterator[None]:
    """Hold every lock of a SQLite database, so that no other process speaks for a Connection meanwhile."""
    with ExitStack() as stack:
        if not store.is_shared:
            file = file_of(store.engine)
            for path in sorted(file.parent.glob(f"{escape(file.name)}-*.lock")):
                lock = FileLock(path, thread_local=False)
                try:
                    stack.enter_context(lock.acquire(timeout=0))
                except Timeout:
                    raise _in_use("another hub process works on it", store.label) from None
        yield


def _refuse_others(tx: Tx, label: str) -> None:
    """Refuse where a worker seems to live: by its lease, its lock, or its last sign to procrastinate."""
    tables = sa.inspect(tx)
    if tables.has_table("leases") and (holders := leases.holders(tx)):
        who = ", ".join(sorted(set(holders.values())))
        raise _in_use(f"{who} works for {', '.join(sorted(holders))}", label, SHARED)
    if tx.exec_driver_sql(OTHERS_LOCKS).scalar():
        raise _in_use("another hub process holds a lock in it", label, SHARED)
    if not tx.exec_driver_sql(OTHERS_SESSIONS).scalar():
        return  # whatever is written down, nobody is there
    for schema in tables.get_schema_names():
        if schema.startswith("lanes_") and tables.has_table("procrastinate_workers", schema):
            alive = tx.exec_driver_sql(WORKERS.format(schema=schema, silent_s=SILENT_S)).scalar()
            if alive:
                raise _in_use(f"{alive} {'worker is' if alive == 1 else 'workers are'} there", label, SHARED)


OTHERS_LOCKS = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
OTHERS_SESSIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
WORKERS = """
SELECT count(*) FROM {schema}.procrastinate_workers WHERE last_heartbeat > now() - interval '{silent_s} seconds'
"""
SHARED = (
    " One that died with its machine is forgotten after a while; to go on at once, if you are sure that none lives: "
    "hub upgrade --force"
)


def _in_use(what: str, label: str, more: str = "") -> HubError:
    return HubError(
        "database-in-use",
        f"the tables are not upgraded while a hub works on them: {what}",
        where=f"database {label}",
        do=f"Stop every hub run and hub sync on this database, then run it again.{more}",
    )
