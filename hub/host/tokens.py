"""OAuth tokens of an Authorisation: encrypted in the store, refreshed ahead of time and never twice at once."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, BaseModel

from hub.contract import AuthorizationError, ConfigurationError, Token, TransientError
from hub.host.clock import HubClock

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

KEY_VARIABLE = "HUB_KEY"
LOCK_WAIT_S = 60.0


class Cipher:
    """Encrypts what the store keeps; the key comes from the environment or a file that only its owner may read."""

    def __init__(self, environ: Mapping[str, str], key_file: Path) -> None:
        self._environ, self._file = environ, key_file
        self._fernet: Fernet | None = None

    def encrypt(self, text: str) -> bytes:
        """Return a text encrypted."""
        return self._ready().encrypt(text.encode())

    def decrypt(self, secret: bytes) -> str:
        """Return an encrypted text in plain; ConfigurationError where the key is another."""
        from cryptography.fernet import InvalidToken  # cryptography takes long to import; most commands need none

        try:
            return self._ready().decrypt(secret).decode()
        except InvalidToken as error:
            raise ConfigurationError(
                "key-wrong",
                "the stored tokens were encrypted with another key",
                where=KEY_VARIABLE if KEY_VARIABLE in self._environ else str(self._file),
                do="Give the key that was used before, or consent again and give the new refresh_token.",
            ) from error

    def _ready(self) -> Fernet:
        from cryptography.fernet import Fernet

        if self._fernet is None:
            try:
                self._fernet = Fernet(self._key())
            except ValueError as error:
                raise ConfigurationError(
                    "key-malformed",
                    "the encryption key is not 32 bytes in URL-safe base64",
                    where=KEY_VARIABLE if KEY_VARIABLE in self._environ else str(self._file),
                    do="Unset it and the hub makes a key file of its own, or give a Fernet key.",
                ) from error
        return self._fernet

    def _key(self) -> bytes:
        from cryptography.fernet import Fernet

        if KEY_VARIABLE in self._environ:
            return self._environ[KEY_VARIABLE].encode()
        try:
            file = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            if self._file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise ConfigurationError(
                    "key-readable",
                    "the key file can be read by others",
                    where=str(self._file),
                    do=f"chmod 600 {self._file}",
                ) from None
            return self._file.read_bytes().strip()
        with os.fdopen(file, "wb") as opened:
            key = Fernet.generate_key()
            opened.write(key)
        return key


class _Stored(BaseModel):
    access_token: str
    refresh_token: str
    access_expires_at: AwareDatetime
    refresh_expires_at: AwareDatetime | None
    scopes: tuple[str, ...]
    issued_at: AwareDatetime


def authorisation_key(connector: str, bootstrap: str | None, connection: str) -> str:
    """Name an Authorisation: Connections that start from the same refresh token share one."""
    if bootstrap is None:
        return f"{connector}:{connection}"
    return f"{connector}:{hashlib.sha256(bootstrap.encode()).hexdigest()[:32]}"


class Authorisation:
    """The token pair of one consent, with its refresh lock.

    Args:
        bootstrap: the refresh token to begin with where nothing is stored yet.
        load, save: the encrypted pair in the store.
        lock: one refresh at a time over all processes.
        refresh: the connector's refresh_token hook.
    """

    def __init__(
        self,
        *,
        bootstrap: str | None,
        cipher: Cipher,
        clock: HubClock,
        load: Callable[[], bytes | None],
        save: Callable[[bytes], None],
        lock: Callable[[float], AbstractContextManager[bool]],
        where: str,
    ) -> None:
        self._bootstrap, self._cipher, self._clock = bootstrap, cipher, clock
        self._load, self._save, self._lock, self._where = load, save, lock, where
        self._mutex = threading.Lock()
        self._held: _Stored | None = None
        self.refresh: Callable[[Token], Token] | None = None

    def access_token(self, refused: str | None = None) -> str:
        """Return a living access token; see hub.contract.Tokens."""
        with self._mutex:
            if self._held is None:
                self._held = self._read()
            if not self._lives(self._held, refused):
                with self._lock(LOCK_WAIT_S) as won:
                    if not won:
                        raise TransientError(
                            "refresh-busy",
                            "another process is refreshing the tokens and takes long",
                            where=self._where,
                            do="The hub tries again by itself.",
                        )
                    self._held = self._read()  # another process may have refreshed meanwhile
                    if not self._lives(self._held, refused):
                        self._held = self._renew(self._held)
            return self._held.access_token

    def scopes(self) -> tuple[str, ...]:
        """Return the scopes granted with the present tokens."""
        self.access_token()
        return self._held.scopes if self._held is not None else ()

    def expires_at(self) -> datetime | None:
        """Return when the consent itself ends, where known."""
        return self._held.refresh_expires_at if self._held is not None else None

    def _lives(self, held: _Stored, refused: str | None) -> bool:
        life = held.access_expires_at - held.issued_at
        ahead = max(life / 7, timedelta(seconds=1))
        return held.access_token not in ("", refused) and self._clock.now() < held.access_expires_at - ahead

    def _read(self) -> _Stored:
        secret = self._load()
        if secret is not None:
            return _Stored.model_validate_json(self._cipher.decrypt(secret))
        if self._bootstrap is None:
            raise AuthorizationError(
                "not-connected",
                "there is no token yet",
                where=self._where,
                do="Give the setting refresh_token, from the environment or a secret file.",
            )
        now = self._clock.now()
        return _Stored(
            access_token="",
            refresh_token=self._bootstrap,
            access_expires_at=now,
            refresh_expires_at=None,
            scopes=(),
            issued_at=now,
        )

    def _renew(self, held: _Stored) -> _Stored:
        assert self.refresh is not None  # noqa: S101  # set when the Connection is built
        new = self.refresh(
            Token(
                access_token=held.access_token,
                refresh_token=held.refresh_token,
                access_expires_at=held.access_expires_at,
                refresh_expires_at=held.refresh_expires_at,
                scopes=held.scopes,
            )
        )
        stored = _Stored(**new.model_dump(), issued_at=self._clock.now())
        self._save(self._cipher.encrypt(stored.model_dump_json()))
        return stored
