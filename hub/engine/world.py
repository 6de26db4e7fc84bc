"""Everything a flow needs, built once per process: the store, the clock, the routes, the callable Connections."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pluggy
import structlog

from hub.config import Config, ConnectionConfig
from hub.contract import Connection, Log, PlacedOrder, Token
from hub.engine.costs import Costs
from hub.engine.vault import Vault
from hub.host.budget import Budgets
from hub.host.cipher import Cipher
from hub.host.clock import FollowedClock, HubClock, SystemClock
from hub.host.discover import Found
from hub.host.http import Guard, Session, renewing_tokens
from hub.host.register import plug
from hub.host.tokens import Authorisation
from hub.routing.model import Route, Timing
from hub.store import Store, known
from hub.store.budgets import StoredLedger

Trace = Callable[[str, dict[str, Any]], None]
MEMORY_ENTRIES = 10_000
StandIn = Callable[["Connected", str, dict[str, Any]], Any]  # Connection, hook, arguments -> answer


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
    consent_note: str = ""  # what a person must know before consenting


@dataclass(slots=True)
class Survey:
    """Which Orders from before the present watch were seen to have no sales order, and what others have."""

    since: datetime
    last_id: int = 0
    absent: set[str] = field(default_factory=set)
    found: dict[str, list[PlacedOrder]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Since when a call that is not urgent waits for room in its budget, and when to look again."""

    since: datetime
    until: datetime


@dataclass(slots=True)
class World:
    """What the flows share."""

    store: Store
    config: Config
    clock: HubClock
    guard: Guard
    log: Log
    connected: dict[str, Connected]
    budgets: Budgets
    sessions: list[Session] = field(default_factory=list)
    trace: Trace | None = None
    stand_in: StandIn | None = None  # answers every write in place of the other side, while a pass is rehearsed
    vault: Vault = field(init=False)
    costs: Costs = field(init=False)
    asked: dict[tuple[str, str], float] = field(default_factory=dict)  # (ERP, SKU) -> when it was last looked up
    surveys: dict[tuple[str, str], Survey] = field(default_factory=dict)  # (channel, ERP)
    placed: int = 0  # sales orders made or adopted by this process
    watching: dict[str, datetime] = field(default_factory=dict)  # ERPs this process watches -> when it last said so
    watches_from: datetime | None = None  # when it began to watch any, with nothing taken for granted
    unread: dict[str, datetime] = field(default_factory=dict)  # ERPs whose catalogue could not be read -> when
    batch: dict[str, int] = field(default_factory=dict)  # ERP -> how many effects to claim at once
    waiting: dict[tuple[str, str], Waiting] = field(default_factory=dict)  # (lane, whom it would call); see turns
    readings: dict[str, Any] = field(default_factory=dict)  # pulls that are not at their end; see readings
    told_from: datetime | None = None  # when this process, a daemon, told of all that rested
    entered: set[str] = field(default_factory=set)  # Connections that this process has visited
    put_off: set[str] = field(default_factory=set)  # channels whose last step only let orders go
    renewals: dict[str, datetime] = field(default_factory=dict)  # when webhooks are registered anew
    unrenewed: set[str] = field(default_factory=set)  # Connections where that failed
    proving: dict[str, Any] = field(default_factory=dict)  # Connection -> the proof it is at
    _from: dict[str, list[Route]] = field(default_factory=dict)
    _to: dict[str, list[Route]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.costs = Costs(self.store)
        for route in self.config.routes:
            self._from.setdefault(route.channel, []).append(route)
            self._to.setdefault(route.erp, []).append(route)

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
        return self._from.get(channel, [])

    def routes_to(self, erp: str) -> list[Route]:
        """Return the Routes that end at an ERP Connection."""
        return self._to.get(erp, [])

    def shops_of(self, erp: str) -> list[str]:
        """Return the channels whose Routes end at an ERP."""
        return list(dict.fromkeys(route.channel for route in self.routes_to(erp)))

    def active(self) -> list[Route]:
        """Return the Routes whose orders are switched on."""
        return [route for route in self.routes if route.orders.enabled]

    def working(self) -> list[Route]:
        """Return the Routes with any direction switched on."""
        return [route for route in self.routes if route.is_on]

    def takes_orders(self, name: str | None) -> bool:
        """Say whether the orders of a Route are not switched off; also true of a Route that is not there any more."""
        return all(route.orders.enabled for route in self.routes if route.name == name)

    def doubt(self) -> None:
        """Forget what this process takes for granted, as if it had just begun; another may have worked meanwhile."""
        self.watches_from = None
        self.watching.clear()
        self.surveys.clear()
        self.proving.clear()
        self.readings.clear()

    def close(self) -> None:
        """Close the HTTP clients and the store."""
        self.close_sessions()
        self.store.close()

    def close_sessions(self) -> None:
        """Close what this World opened itself; its store may serve the next."""
        self.costs.keep()
        for session in self.sessions:
            session.close()
        self.clock.close()


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
    given: Mapping[str, Mapping[str, str]] | None = None,
    only: Collection[str] | None = None,
    time: HubClock | None = None,
) -> World:
    """Build a World.

    Args:
        token_store: where tokens live where ``store`` is a throw-away copy (a dry run).
        given: by Connection and setting, secrets a person just gave, in place of those that are kept.
        only: the Connections to be called; None: all.
        time: the clock, in place of the one the route file asks for.
    """
    clock, guard = time or choose_clock(config), Guard(dry=dry)
    log: Log = structlog.get_logger("hub")
    budgets = Budgets(clock, StoredLedger(token_store or store))
    world = World(store, config, clock, guard, log, {}, budgets, trace=trace)
    tokens = token_store or store

    def may_make_key() -> bool:
        with tokens.read() as tx:
            return given is not None or not known.has_tokens(tx)

    vault = world.vault = Vault(tokens, Cipher(environ, key_file, may_make_key), clock)
    for entry in (each for each in config.connections.values() if only is None or each.id in only):
        found = plugins[entry.connector]
        settings = vault.settings(entry, (given or {}).get(entry.id, {}))
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
        world.connected[entry.id] = _connect(replace(entry, settings=settings), found, session, vault, world)
    return world


def _connect(entry: ConnectionConfig, found: Found, session: Session, vault: Vault, world: World) -> Connected:
    auth = vault.authorisation(entry)
    connection = Connection(
        id=entry.id,
        settings=entry.settings,
        http=session,
        clock=world.clock,
        log=structlog.get_logger("hub").bind(connection=entry.id),
        memory=StoredMemory(world.store, entry.id),
        tokens=auth,
        secrets=vault.memory(entry.id),
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
    note = str(getattr(plugin, "consent_note", ""))
    return Connected(entry.id, entry.connector, origin, plugin.in_flight, plugin.capabilities, hooks, auth, note)
