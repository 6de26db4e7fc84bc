"""A copy of a SQLite ledger as it stands at one moment, made while others work on it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from hub.contract import HubError
from hub.store.database import Store, explain

CORRUPT = "the copy is damaged, and so the database may be"


def backup(store: Store, file: Path) -> int:
    """Write the whole database into a new file that only its owner may read; return its size in bytes.

    Raises:
        FileExistsError: there is a file of that name; it is left alone.
        HubError: the disk is full, or the database is damaged; no file is left.
    """
    os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        _copy(str(store.engine.url.database), file)
        with file.open("rb") as written:
            os.fsync(written.fileno())
    except sqlite3.Error as error:
        file.unlink()
        raise explain(sa.exc.DBAPIError(None, None, error), store.label) from error
    except BaseException:
        file.unlink()
        raise
    return file.stat().st_size


def _copy(database: str, file: Path) -> None:
    with closing(sqlite3.connect(database, timeout=30)) as source, closing(sqlite3.connect(file)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
        found = [str(row[0]) for row in target.execute("PRAGMA quick_check")]
    if found != ["ok"]:
        raise HubError(
            "database-corrupt",
            f"{CORRUPT}: {found[0]}",
            where=f"database {database}",
            do="Keep both, and restore the last good backup; the next sync reads the rest again.",
        )
