"""Everything a flow needs, built once per process: the store, the clock, the routes, the callable Connections."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pluggy
import structlog
from pydantic import SecretStr

from hub.config import Config, ConnectionConfig
from hub.contract import Connection, Log, Token
from hub.host.budget import Budgets
from hub.host.clock import FollowedClock, HubClock, SystemClock
from hub.host.discover import Found
from hub.host.http import Guard, Session, renewing_tokens
from hub.host.register import plug
from hub.host.tokens import Authorisation, Cipher, authorisation_key
from hub.routing.model import Route, Timing
from hub.store import Store, known

Trace = Callable[[str, dict[str, Any]], None]
MEMORY_ENTRIES = 10_000


class StoredMemory:
    """A connector's notes in the ledger, with a bounded copy in front."""

    def __init__(self, store: Store, connection: str) -> None:
        self._store, self._connection, self._lock = store, connection, threading.Lock()
        self._near: dict[str, str] = {}

    def get(self, key: str) -> str | None:
        """Return what was noted under a key, if it is still there."""
        with self._lock:
            if key in self._near:
                return self._near[key]
        with self._store.read() as tx:
            value = known.note(tx, self._connection, key)
        if value is not None:
            self._keep(key, value)
        return value

    def set(self, key: str, value: str) -> None:
        """Note a value."""
        with self._store.write() as tx:
            known.set_note(tx, self._connection, key, value)
        self._keep(key, value)

    def forget(self, key: str) -> None:
        """Drop a note."""
        with self._lock:
            self._near.pop(key, None)
        with self._store.write() as tx:
            known.set_note(tx, self._connection, key, None)

    def _keep(self, key: str, value: str) -> None:
        with self._lock:
            if len(self._near) >= MEMORY_ENTRIES:
                self._near.clear()
            self._near[key] = value


@dataclass(frozen=True, slots=True)
class Connected:
    """One Connection that can be called."""

    id: str
    connector: str
    origin: str
    in_flight: int
    capabilities: frozenset[str]
    hooks: pluggy.HookRelay
    authorisation: Authorisation


@dataclass(slots=True)
class Survey:
    """Which Orders from before the present watch were seen to have no sales order."""

    since: datetime
    last_id: int = 0
    absent: set[str] = field(default_factory=set)


@dataclass(slots=True)
class World:
    """What the flows share."""

    store: Store
    config: Config
    clock: HubClock
    guard: Guard
    log: Log
    connected: dict[str, Connected]
    sessions: list[Session] = field(default_factory=list)
    trace: Trace | None = None
    asked: dict[tuple[str, str], float] = field(default_factory=dict)  # (ERP, SKU) -> when it was last looked up
    surveys: dict[tuple[str, str], Survey] = field(default_factory=dict)  # (channel, ERP)
    call_s: dict[str, float] = field(default_factory=dict)  # ERP -> seconds a call took of late
    placed: int = 0  # sales orders made or adopted by this process
    watching: set[str] = field(default_factory=set)  # ERPs whose watch this process began
    batch: dict[str, int] = field(default_factory=dict)  # ERP -> how many effects to claim at once

    @property
    def routes(self) -> tuple[Route, ...]:
        """Every Route, in the operator's order."""
        return self.config.routes

    @property
    def timing(self) -> Timing:
        """How often and how patiently to work."""
        return self.config.timing

    def routes_from(self, channel: str) -> list[Route]:
        """Return the Routes that start at a channel Connection."""
        return [route for route in self.routes if route.channel == channel]

    def active(self) -> list[Route]:
        """Return the Routes whose orders are switched on."""
        return [route for route in self.routes if route.orders.enabled]

    def close(self) -> None:
        """Close the HTTP clients and the store."""
        for session in self.sessions:
            session.close()
        self.clock.close()
        self.store.close()


def choose_clock(config: Config) -> HubClock:
    """Return the clock the route file asks for."""
    return FollowedClock(config.clock) if config.clock else SystemClock()


def build(
    config: Config,
    plugins: Mapping[str, Found],
    store: Store,
    *,
    environ: Mapping[str, str],
    key_file: Path,
    dry: bool = False,
    token_store: Store | None = None,
    trace: Trace | None = None,
) -> World:
    """Build a World. ``token_store`` is where tokens live where ``store`` is a throw-away copy (a dry run)."""
    clock, guard = choose_clock(config), Guard(dry=dry)
    log: Log = structlog.get_logger("hub")
    world = World(store, config, clock, guard, log, {}, trace=trace)
    cipher = Cipher(environ, key_file)
    authorisations: dict[str, Authorisation] = {}
    budgets = Budgets(clock)
    for entry in config.connections.values():
        found = plugins[entry.connector]
        auth = _authorisation(entry, cipher, clock, token_store or store, authorisations)
        session = Session(
            entry.id,
            clock=clock,
            budgets=budgets,
            guard=guard,
            log=log,
            timeout_s=config.timing.timeout_s,
            trace=trace,
        )
        world.sessions.append(session)
        world.connected[entry.id] = _connect(entry, found, session, auth, world)
    return world


def _connect(entry: ConnectionConfig, found: Found, session: Session, auth: Authorisation, world: World) -> Connected:
    connection = Connection(
        id=entry.id,
        settings=entry.settings,
        http=session,
        clock=world.clock,
        log=structlog.get_logger("hub").bind(connection=entry.id),
        memory=StoredMemory(world.store, entry.id),
        tokens=auth,
    )
    assert found.plugin is not None  # noqa: S101  # the route file was refused where it is not usable
    plugin = found.plugin(connection)
    hooks = plug(plugin)
    if "refresh_token" in plugin.capabilities and auth.refresh is None:

        def refresh(token: Token) -> Token:
            with renewing_tokens():
                renewed: Token = hooks.refresh_token(token=token)
            return renewed

        auth.refresh = refresh
    origin = f"{found.distribution} {found.version}"
    return Connected(entry.id, entry.connector, origin, plugin.in_flight, plugin.capabilities, hooks, auth)


def _authorisation(
    entry: ConnectionConfig, cipher: Cipher, clock: HubClock, store: Store, made: dict[str, Authorisation]
) -> Authorisation:
    setting = getattr(entry.settings, "refresh_token", None)
    bootstrap = setting.get_secret_value() if isinstance(setting, SecretStr) else None
    key = authorisation_key(entry.connector, bootstrap, entry.id)

    def load() -> bytes | None:
        with store.read() as tx:
            return known.tokens(tx, key)

    def save(secret: bytes) -> None:
        with store.write() as tx:
            known.set_tokens(tx, key, secret, clock.now())

    @contextmanager
    def lock(wait_s: float) -> Iterator[bool]:
        with store.lock(f"refresh:{key}", wait_s) as won:
            yield won

    if key not in made:
        made[key] = Authorisation(
            bootstrap=bootstrap, cipher=cipher, clock=clock, load=load, save=save, lock=lock, where=entry.id
        )
    return made[key]
