"""OAuth tokens of an Authorisation: encrypted in the store, refreshed ahead of time and never twice at once."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel

from hub.contract import AuthorizationError, Token, TransientError
from hub.host.cipher import Cipher
from hub.host.clock import HubClock

LOCK_WAIT_S = 60.0


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
        self._is_stored = True
        self.refresh: Callable[[Token], Token] | None = None

    def access_token(self, refused: str | None = None) -> str:
        """Return a living access token; see hub.contract.Tokens."""
        with self._mutex:
            if self._held is None:
                self._held = self._read()
            elif not self._is_stored:
                self._store(self._held)
            if not self._lives(self._held, refused):
                with self._alone("The hub tries again by itself."):
                    self._held = self._read()  # another process may have refreshed meanwhile
                    if not self._lives(self._held, refused):
                        self._held = self._renew(self._held)
            return self._held.access_token

    def adopt(self, token: Token) -> None:
        """Take the pair of a new consent in place of whatever there is.

        Raises: TransientError where another process refreshes and takes long; the consent is then lost.
        """
        with self._mutex, self._alone("Consent again."):
            self._held = self._keep(token)

    @contextmanager
    def _alone(self, do: str) -> Iterator[None]:
        with self._lock(LOCK_WAIT_S) as won:
            if not won:
                what = "another process is refreshing the tokens and takes long"
                raise TransientError("refresh-busy", what, where=self._where, do=do)
            yield

    def scopes(self) -> tuple[str, ...]:
        """Return the scopes granted with the present tokens."""
        self.access_token()
        return self._held.scopes if self._held is not None else ()

    def expires_at(self) -> datetime | None:
        """Return when the consent itself ends, where known."""
        return self._held.refresh_expires_at if self._held is not None else None

    def ends(self) -> tuple[datetime, datetime | None] | None:
        """Return when the stored access token and the consent end, whoever wrote them last; None: nothing is stored."""
        secret = self._load()
        if secret is None:
            return None
        stored = _Stored.model_validate_json(self._cipher.decrypt(secret))
        return stored.access_expires_at, stored.refresh_expires_at

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
                do=f"Let a person consent: hub connect {self._where}. Or give the setting refresh_token.",
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
        return self._keep(new)

    def _keep(self, token: Token) -> _Stored:
        """Hold a pair before it is stored: it may be the only one that lives, and the database may be away."""
        self._held, self._is_stored = _Stored(**token.model_dump(), issued_at=self._clock.now()), False
        self._store(self._held)
        return self._held

    def _store(self, held: _Stored) -> None:
        self._save(self._cipher.encrypt(held.model_dump_json()))
        self._is_stored = True
