"""Opening the database, its transactions, its locks, and what its failures mean to a person."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from shlex import quote
from typing import Any

import sqlalchemy as sa
from pydantic_core import PydanticSerializationError, to_json

from hub.contract import ConfigurationError, HubError, TransientError
from hub.store import address, leases
from hub.store.leases import Fence
from hub.store.locks import Lock, lock

Tx = sa.Connection
SCHEMA_VERSION = "0003"
BUSY_S = 30
SILENT_S = 10.0  # so long may a process be silent within a transaction, on a shared database; then it is rolled back
POOL, MORE = 16, 48  # connections kept, and more where many lanes hold one while they wait for another
NO_ROOM = 1024 * 1024  # bytes
WRITERS = 0x68756200  # the advisory lock that one writing transaction holds at a time


class ConflictError(Exception):
    """A law that the schema keeps would have been broken; nothing was written. The caller knows what it means."""


class Store:
    """The ledger and the outbox in one database: SQLite or PostgreSQL, the same statements.

    One transaction writes at a time, so what it reads stays true until it commits.
    """

    def __init__(self, engine: sa.Engine, label: str) -> None:
        self.engine, self.label = engine, label
        self.away: str | None = None  # why nothing could be written, as a daemon found; None: it goes on
        self.is_shared = engine.dialect.name != "sqlite"  # several machines may use it
        self._reader = engine.execution_options(isolation_level="REPEATABLE READ") if self.is_shared else engine
        self._turn: AbstractContextManager[object] = contextlib.nullcontext() if self.is_shared else threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """Open a transaction for reading: one consistent view, no lock."""
        with self._translated(), self._reader.connect() as tx, tx.begin():
            yield tx

    @contextmanager
    def write(self, *, whatever_lease: bool = False) -> Iterator[Tx]:
        """Open a transaction for writing; commits at the end, rolls back on any error.

        Args:
            whatever_lease: also where this worker's lease was taken over: for what is true whoever learnt it.

        Raises:
            LaneLostError: it rests on a lease that another worker took over.
        """
        # Threads of this process wait for each other here: SQLite's own waiting sleeps, and is not fair.
        with self._turn, self._translated(), self.engine.connect() as tx:
            writer = tx.execution_options(writes=True)
            fence = None if whatever_lease else leases.current.get()
            with writer.begin():
                if self.is_shared:
                    _wait_for_turn(writer, min(SILENT_S, fence.ttl_s) if fence else SILENT_S)
                until = fence.renew(writer) if fence else 0.0
                yield writer
            if fence:
                fence.renewed(until)

    @contextmanager
    def leased(
        self, names: list[str], *, holder: str, ttl_s: float, wait_s: float = 0.0
    ) -> Iterator[tuple[Fence, list[str]]]:
        """Speak for Connections as far as no other worker does; yields the fence of those, and the names of others.

        Every write transaction inside renews the leases, and fails where one was taken over.
        """
        with self._translated():
            fence, busy = leases.take(self.engine, names, holder, ttl_s, wait_s)
        try:
            with leases.within(fence):
                yield fence, busy
        finally:
            with contextlib.suppress(sa.exc.DBAPIError):  # they end by themselves
                leases.give_back(self.engine, fence)

    def renew(self, fence: Fence) -> None:
        """Renew leases between writes.

        Raises:
            LaneLostError: one was taken over.
        """
        with self._translated(), self.engine.begin() as tx:
            until = fence.renew(tx)
        fence.renewed(until)

    @contextmanager
    def lock(self, name: str, wait_s: float = 0.0) -> Iterator[Lock | None]:
        """Hold a lock over all processes of this database; yields None where it was not won."""
        with self._translated(), lock(self.engine, name, wait_s) as held:
            yield held

    def conninfo(self) -> str:
        """Return the address of a shared database as libpq has it, password included."""
        return self.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.IntegrityError as error:
            raise ConflictError(str(error.orig)) from error
        except sa.exc.DBAPIError as error:
            raise explain(error, self.label) from error
        except sa.exc.TimeoutError as error:
            raise TransientError(
                "database-busy",
                f"all {POOL + MORE} connections of this process to the database were in use for 30 s",
                where=f"database {self.label}",
                do="It goes on by itself. If it comes again, run fewer lanes at once: hub run --lanes 4.",
            ) from error


_FAILURES: tuple[tuple[tuple[str, ...], type[HubError], str, str, str], ...] = (
    (
        ("disk is full", "disk full", "no space left"),
        TransientError,
        "disk-full",
        "the disk is full; what was recorded is safe, nothing more is sent",
        "Free space on that disk; a running hub goes on by itself, a stopped one is run again.",
    ),
    (
        ("disk i/o error",),
        TransientError,
        "disk-failed",
        "the disk or its file system fails; what was recorded is safe, nothing more is sent",
        "See what the system says of that disk (dmesg), its quota and its limits; a running hub goes on by itself.",
    ),
    (
        ("locked", "busy", "lock timeout"),
        TransientError,
        "database-locked",
        f"another program held the database for over {BUSY_S} s",
        "Close what has it open (a database browser?), then run the command again.",
    ),
    (
        ("malformed", "not a database", "corrupt"),
        ConfigurationError,
        "database-corrupt",
        "the file is damaged or is no database",
        "Restore the last backup; the next sync reads the rest again. Do not delete it: it knows what was sent.",
    ),
    (
        ("readonly", "read-only", "permission denied", "unable to open"),
        ConfigurationError,
        "database-unwritable",
        "the database cannot be opened for writing",
        "Check that the folder exists and that this user may write to it.",
    ),
)


def explain(error: sa.exc.DBAPIError, label: str) -> HubError:
    """Turn a database failure into what happened, where, and what to do."""
    text = str(error.orig).strip()
    where = f"database {label}"
    if "disk i/o error" in text.lower() and _is_full(label):
        text = f"disk is full: {text}"
    for words, kind, code, what, do in _FAILURES:
        if any(word in text.lower() for word in words):
            return kind(code, f"{what} ({text})", where=where, do=do)
    what = text.splitlines()[0] if text else type(error).__name__
    do = "Check that the database runs and can be reached, then run the command again."
    return TransientError("database-failed", what, where=where, do=do)


def _is_full(file: str) -> bool:
    """Say whether SQLite's file has no room to grow; it says so of some writes only."""
    try:
        return shutil.disk_usage(Path(file).parent).free < NO_ROOM
    except OSError:
        return False


def _wait_for_turn(writer: sa.Connection, silent_s: float) -> None:
    # A process that is paused, or whose machine is gone, must not keep all others from writing.
    limit = f"set_config('idle_in_transaction_session_timeout', '{round(silent_s * 1000)}', true)"
    writer.exec_driver_sql(f"SELECT {limit}, pg_advisory_xact_lock({WRITERS})")


def silence_ends(given: Mapping[str, Any]) -> dict[str, int]:
    """Return what ends a connection within a minute whose server is gone without a word; what an address says stays."""
    wanted = {
        "keepalives_idle": 20, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 30_000,
        "connect_timeout": 10,
    }  # fmt: skip
    return {name: value for name, value in wanted.items() if name not in given}


def _shared_settings(url: sa.URL) -> dict[str, Any]:
    """Return what sessions of a shared database begin with: whoever is gone lets go of its locks within a minute."""
    settings = {
        "idle_in_transaction_session_timeout": round(SILENT_S * 1000),
        "tcp_keepalives_idle": 20, "tcp_keepalives_interval": 10, "tcp_keepalives_count": 3,
    }  # fmt: skip
    given = url.query.get("options", "")
    options = " ".join([*(f"-c {name}={value}" for name, value in settings.items()), *_texts(given)])
    return {"options": options, **silence_ends(url.query)}


def _texts(given: str | tuple[str, ...]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else given


def _prepare_sqlite(engine: sa.Engine, busy_s: int) -> None:
    @sa.event.listens_for(engine, "connect")
    def connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy's begin event below speaks BEGIN itself
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={busy_s * 1000}"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A deferred transaction that later writes can fail at once where another writer came between; so say it first.
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def open_store(url: str, *, busy_s: int = BUSY_S, as_it_is: bool = False) -> Store:
    """Open a database by SQLAlchemy URL or by the path of a SQLite file, making its tables where there are none.

    Args:
        as_it_is: leave the tables alone, whatever version they have: for an upgrade, or a backup.

    Raises:
        ConfigurationError: unusable, damaged, or its tables are of another version of the hub.
    """
    parsed, label = address.parse(url)
    try:
        session = {} if parsed.drivername.startswith("sqlite") else _shared_settings(parsed)
        pool = {"pool_size": POOL, "max_overflow": MORE}
        engine = sa.create_engine(parsed, connect_args=session, json_serializer=_json, **pool)
    except (sa.exc.ArgumentError, ModuleNotFoundError) as error:
        raise ConfigurationError(
            "database-url",
            f"cannot use this database: {error}",
            where=f"database {label}",
            do="Give a file path, or postgresql://user@host/name with channel-hub[postgres] installed.",
        ) from error
    if engine.dialect.name == "sqlite":
        _refuse_root(parsed.database)
        _for_owner_alone(parsed.database)
        _prepare_sqlite(engine, busy_s)
    store = Store(engine, label)
    try:
        if not as_it_is:
            _ensure_schema(store)
    except BaseException:
        store.close()
        raise
    return store


def _json(value: Any) -> str:
    try:
        return to_json(value).decode()  # takes a fifth of the time
    except PydanticSerializationError:  # half of an escaped character, from a system's own words
        return json.dumps(value)


def _refuse_root(file: str | None) -> None:
    """Refuse to work as root on what is another user's alone: files made here would keep that user's daemon out."""
    if not file or file == ":memory:" or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return
    with contextlib.suppress(OSError):  # neither is there: opening it tells what is wrong
        place = Path(file) if Path(file).exists() else Path(file).parent
        found = place.stat()
        is_theirs = place == Path(file) or not found.st_mode & 0o077
        if found.st_uid != 0 and is_theirs:
            owner = _name_of(found.st_uid)
            raise ConfigurationError(
                "database-owner",
                f"root would leave files beside the database that its owner, {owner}, cannot open",
                where=f"database {file}",
                do=f"Run it as that user: sudo -u {quote(owner)} hub ...; docs/operating.md says how with systemd.",
            )


def _name_of(uid: int) -> str:
    import pwd  # there on no Windows, and nor is root

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"


def _for_owner_alone(file: str | None) -> None:
    """Make a new database file that only its owner may read: it holds buyers' addresses."""
    if file and file != ":memory:":
        with contextlib.suppress(OSError):  # there already, or not to be made: opening it tells which
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def schema_version(store: Store) -> str | None:
    """Return the schema version of the open database; None where it has no tables yet."""
    with store.read() as tx:
        return version_of(tx)


def version_of(tx: Tx) -> str | None:
    """Return the schema version; None where there are no tables yet."""
    if not sa.inspect(tx).has_table("alembic_version"):
        return None
    found = tx.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)


def require_schema(tx: Tx, label: str) -> None:
    """Refuse tables that another version of the hub has made or upgraded; one small query, for every visit of a lane.

    Args:
        label: the database's name for people.

    Raises:
        ConfigurationError: the tables have another version than this hub.
    """
    refuse(str(tx.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()), label)


def refuse(found: str, label: str) -> None:
    """Raise unless this hub works with tables of the version found."""
    if found > SCHEMA_VERSION:
        raise ConfigurationError(
            "database-newer",
            f"the tables have version {found}, this hub knows up to {SCHEMA_VERSION}",
            where=f"database {label}",
            do="Install the newer hub again, or restore the backup made before its upgrade.",
        )
    if found < SCHEMA_VERSION:
        raise ConfigurationError(
            "database-older",
            f"the tables have version {found}, this hub needs {SCHEMA_VERSION}",
            where=f"database {label}",
            do="Stop every hub that works on it, then run: hub upgrade",
        )


def _ensure_schema(store: Store) -> None:
    found = schema_version(store)
    if found is not None:
        refuse(found, store.label)
        return
    from hub.store.upgrade import upgrade  # Alembic takes longer to import than most commands to run

    with store.lock("schema", wait_s=60), store.write() as tx:
        upgrade(tx)
