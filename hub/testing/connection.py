"""A Connection for tests, built from the hub's own parts: what is tested is what runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pluggy
from cryptography.fernet import Fernet
from pydantic import SecretStr

from hub.contract import Connection, Connector, Token
from hub.host.budget import Budgets
from hub.host.cipher import KEY_VARIABLE, Cipher
from hub.host.clock import HubClock
from hub.host.http import Guard, Session
from hub.host.register import plug
from hub.host.tokens import Authorisation

TIMEOUT_S = 5.0


class SkippingClock:
    """A clock whose waits take no time: each one moves it on."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now, self._lock = start or datetime.now(UTC), threading.Lock()

    def now(self) -> datetime:
        """Return the instant it stands at."""
        return self._now

    def wait(self, seconds: float, until: threading.Event | None = None) -> None:
        """Move on."""
        with self._lock:
            self._now += timedelta(seconds=max(seconds, 0))

    def close(self) -> None:
        """Hold nothing."""


class KeptLog:
    """A log that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def debug(self, event: str, **keys: Any) -> None:
        """Keep a line."""
        self.lines.append((event, keys))

    info = warning = debug


class KeptMemory(dict[str, str]):
    """A connector's memory in a dictionary; ``get`` is the dictionary's own."""

    def set(self, key: str, value: str) -> None:
        """Remember a value."""
        self[key] = value

    def forget(self, key: str) -> None:
        """Forget it."""
        self.pop(key, None)


@dataclass(slots=True)
class Bench:
    """A connector on its Connection, with what a test may look at."""

    connector: Any
    hooks: pluggy.HookRelay
    connection: Connection[Any]
    http: Session
    guard: Guard
    log: KeptLog
    memory: KeptMemory
    secrets: KeptMemory
    authorisation: Authorisation
    traced: list[dict[str, Any]] = field(default_factory=list)


def make_connection(
    connector: type[Connector],
    settings: Mapping[str, Any],
    *,
    clock: HubClock | None = None,
    timeout_s: float = TIMEOUT_S,
    tokens: MutableMapping[str, bytes] | None = None,
) -> Bench:
    """Build a connector with everything the hub lends it.

    Args:
        settings: as an operator would write them, secrets in plain text.
        clock: the hub's time; one that skips its waits where none is given.
        tokens: where OAuth tokens are kept; share it between benches that stand for one Connection.
    """
    read = connector.settings_model.model_validate(settings)
    lent: HubClock = clock or SkippingClock()
    guard, log, memory, secrets = Guard(), KeptLog(), KeptMemory(), KeptMemory()
    traced: list[dict[str, Any]] = []
    http = Session(
        "kit",
        clock=lent,
        budgets=Budgets(lent),
        guard=guard,
        log=log,
        timeout_s=timeout_s,
        trace=lambda _event, keys: traced.append(keys),
    )
    authorisation = _authorisation(read, lent, {} if tokens is None else tokens)
    connection = Connection("kit", read, http, lent, log, memory, authorisation, secrets)
    built = connector(connection)
    hooks = plug(built)
    if hasattr(built, "refresh_token"):

        def refresh(token: Token) -> Token:
            renewed: Token = hooks.refresh_token(token=token)
            return renewed

        authorisation.refresh = refresh
    return Bench(built, hooks, connection, http, guard, log, memory, secrets, authorisation, traced)


def _authorisation(settings: Any, clock: HubClock, stored: MutableMapping[str, bytes]) -> Authorisation:
    setting = getattr(settings, "refresh_token", None)
    key = stored.setdefault("key", Fernet.generate_key())

    def save(secret: bytes) -> None:
        stored["tokens"] = secret

    @contextmanager
    def lock(_wait_s: float) -> Iterator[bool]:
        yield True  # one bench, one process: the Authorisation's own mutex is enough

    return Authorisation(
        bootstrap=setting.get_secret_value() if isinstance(setting, SecretStr) else None,
        cipher=Cipher({KEY_VARIABLE: key.decode()}, Path("unused")),
        clock=clock,
        load=lambda: stored.get("tokens"),
        save=save,
        lock=lock,
        where="kit",
    )
