"""What the ledger keeps encrypted: token pairs of consents, and secrets that a person gave to ``hub connect``."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pydantic import BaseModel, SecretStr

from hub.config import ConnectionConfig
from hub.contract import ConfigurationError
from hub.host.cipher import KEY_MISSING, KEY_WRONG, Cipher
from hub.host.clock import HubClock
from hub.host.tokens import Authorisation, authorisation_key
from hub.store import Store, Tx, known

_SAME_AS = b"same-as:"  # no encrypted value begins so
_FRESH_S = (
    1.0  # a flood of deliveries must not have the ledger read for each; another process's change is seen after it
)


class Vault:
    """Encrypted rows of the ledger; the key is asked for at first need."""

    def __init__(self, store: Store, cipher: Cipher, clock: HubClock) -> None:
        self._store, self._cipher, self._clock = store, cipher, clock
        self._made: dict[str, Authorisation] = {}

    def authorisation(self, entry: ConnectionConfig) -> Authorisation:
        """Return the Authorisation of a Connection; those that share one get the same."""
        setting = getattr(entry.settings, "refresh_token", None)
        bootstrap = setting.get_secret_value() if isinstance(setting, SecretStr) else None
        name = key_of(entry)
        with self._store.read() as tx:
            shared = _row(tx, name)

        def load() -> bytes | None:
            with self._store.read() as tx:
                return known.tokens(tx, _row(tx, name))

        def save(secret: bytes) -> None:
            # The pair before it is dead by now: if it were lost with a lane, a person would have to consent again.
            with self._store.write(whatever_lease=True) as tx:
                known.set_tokens(tx, _row(tx, name), secret, self._clock.now())

        @contextmanager
        def lock(wait_s: float) -> Iterator[bool]:
            with self._store.read() as tx:
                row = _row(tx, name)
            with self._store.lock(f"refresh:{row}", wait_s) as won:
                yield won is not None

        if shared not in self._made:
            self._made[shared] = Authorisation(
                bootstrap=bootstrap, cipher=self._cipher, clock=self._clock, load=load, save=save, lock=lock,
                where=entry.id,
            )  # fmt: skip
        return self._made[shared]

    def share(self, owner: ConnectionConfig, other: ConnectionConfig) -> bytes | None:
        """Let another Connection use the tokens of ``owner`` from now on; returns what to ``restore``."""
        with self._store.write() as tx:
            row, before = _row(tx, key_of(owner)), known.tokens(tx, key_of(other))
            if row != key_of(other):
                known.set_tokens(tx, key_of(other), _SAME_AS + row.encode(), self._clock.now())
        return before

    def restore(self, other: ConnectionConfig, before: bytes | None) -> None:
        """Take back what ``share`` did."""
        with self._store.write() as tx:
            if before is None:
                known.forget_tokens(tx, key_of(other))
            else:
                known.set_tokens(tx, key_of(other), before, self._clock.now())

    def keep_secrets(self, connection: str, given: Mapping[str, str]) -> None:
        """Keep secrets of a Connection, by setting, encrypted."""
        rows = {setting: self._cipher.encrypt(secret) for setting, secret in given.items()}
        with self._store.write() as tx:
            for setting, secret in rows.items():
                known.set_tokens(tx, _secret_row(connection, setting), secret, self._clock.now())

    def memory(self, connection: str) -> KeptSecrets:
        """Return where a connector keeps what nobody else may read."""
        return KeptSecrets(self._store, self._cipher, self._clock, connection)

    def settings(self, entry: ConnectionConfig, given: Mapping[str, str]) -> BaseModel:
        """Return a Connection's settings with the secrets that are kept here, or that ``given`` has in their place.

        Raises: ConfigurationError where one is not kept.
        """
        secrets = {setting: given.get(setting) or self._secret(entry.id, setting) for setting in entry.stored}
        return entry.settings.model_copy(update={name: SecretStr(secret) for name, secret in secrets.items()})

    def _secret(self, connection: str, setting: str) -> str:
        with self._store.read() as tx:
            kept = known.tokens(tx, _secret_row(connection, setting))
        if kept is None:
            what, do = f"no {setting} is kept for this connection", f"Run: hub connect {connection}"
            raise ConfigurationError("secret-not-kept", what, where=connection, do=do)
        return self._cipher.decrypt(kept)


class KeptSecrets:
    """A connector's own secrets, encrypted; one that the present key does not open counts as missing."""

    def __init__(self, store: Store, cipher: Cipher, clock: HubClock, connection: str) -> None:
        self._store, self._cipher, self._clock, self._connection = store, cipher, clock, connection
        self._known: dict[str, tuple[float, str | None]] = {}

    def get(self, key: str) -> str | None:
        """Return what is kept under a key, if it is still there; what another process wrote may show a second late."""
        until, value = self._known.get(key, (0.0, None))
        if time.monotonic() >= until:
            value = self._kept(key)
            self._known[key] = (time.monotonic() + _FRESH_S, value)
        return value

    def _kept(self, key: str) -> str | None:
        with self._store.read() as tx:
            kept = known.tokens(tx, self._row(key))
        if kept is None:
            return None
        try:
            return self._cipher.decrypt(kept)
        except ConfigurationError as error:
            if error.code not in (KEY_WRONG, KEY_MISSING):
                raise
            return None

    def set(self, key: str, value: str) -> None:
        """Keep a value."""
        secret = self._cipher.encrypt(value)
        with self._store.write() as tx:
            known.set_tokens(tx, self._row(key), secret, self._clock.now())
        self._known.pop(key, None)

    def forget(self, key: str) -> None:
        """Drop a value."""
        with self._store.write() as tx:
            known.forget_tokens(tx, self._row(key))
        self._known.pop(key, None)

    def _row(self, key: str) -> str:
        return f"kept:{self._connection}:{key}"


def has_secret(store: Store, connection: str, setting: str) -> bool:
    """Say whether a secret of a Connection is kept."""
    with store.read() as tx:
        return known.tokens(tx, _secret_row(connection, setting)) is not None


def key_of(entry: ConnectionConfig) -> str:
    """Name a Connection's own Authorisation: by the refresh token it began with, else by the Connection."""
    setting = getattr(entry.settings, "refresh_token", None)
    bootstrap = setting.get_secret_value() if isinstance(setting, SecretStr) else None
    return authorisation_key(entry.connector, bootstrap, entry.id)


def _row(tx: Tx, key: str) -> str:
    """Return the row that holds the tokens of a key: its own, or that of the Connection it shares with."""
    kept = known.tokens(tx, key)
    return kept.removeprefix(_SAME_AS).decode() if kept is not None and kept.startswith(_SAME_AS) else key


def _secret_row(connection: str, setting: str) -> str:
    return f"secret:{connection}:{setting}"
