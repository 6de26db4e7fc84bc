"""Tokens: encrypted at rest, refreshed ahead of time, never twice at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.contract import AuthorizationError, ConfigurationError, Token, TransientError
from hub.host.cipher import Cipher
from hub.host.tokens import Authorisation, authorisation_key

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Clock:
    """A clock the test sets."""

    at = NOON

    def now(self) -> datetime:
        return self.at

    def wait(self, seconds: float, until: threading.Event | None = None) -> None:
        raise AssertionError("nothing waits here")

    def close(self) -> None:
        pass


class Vault:
    """Where an Authorisation keeps its pair, as the store does; several Authorisations may share it."""

    def __init__(self, folder: Path) -> None:
        self.cipher = Cipher({}, folder / "hub.key")
        self.secret: bytes | None = None
        self.mutex = threading.Lock()
        self.refreshed: list[str] = []
        self.clock = Clock()
        self.is_away = False

    def open(self, bootstrap: str | None = "first") -> Authorisation:
        made = Authorisation(bootstrap=bootstrap, cipher=self.cipher, clock=self.clock, load=lambda: self.secret,
                             save=self._save, lock=self._lock, where="shop")  # fmt: skip
        made.refresh = self._refresh
        return made

    def _save(self, secret: bytes) -> None:
        if self.is_away:
            raise TransientError("database-failed", "it is away", where="here", do="Wait.")
        self.secret = secret

    @contextmanager
    def _lock(self, wait_s: float) -> Iterator[bool]:
        with self.mutex:
            yield True

    def _refresh(self, token: Token) -> Token:
        self.refreshed.append(token.refresh_token)
        number = len(self.refreshed)
        return Token(access_token=f"access-{number}", refresh_token=f"refresh-{number}", scopes=("a",),
                     access_expires_at=self.clock.at + timedelta(days=7))  # fmt: skip


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path)


def test_bootstrap_is_used_once_and_then_the_stored_pair_counts(vault: Vault) -> None:
    assert vault.open().access_token() == "access-1"
    assert vault.open().access_token() == "access-1"
    vault.clock.at = NOON + timedelta(days=8)
    assert vault.open().access_token() == "access-2"
    assert vault.refreshed == ["first", "refresh-1"]


def test_token_is_refreshed_ahead_of_its_end(vault: Vault) -> None:
    """6 of 7 days."""
    opened = vault.open()
    opened.access_token()
    vault.clock.at = NOON + timedelta(days=5, hours=23)
    assert opened.access_token() == "access-1"
    vault.clock.at = NOON + timedelta(days=6, hours=1)
    assert opened.access_token() == "access-2"


def test_pair_that_could_not_be_stored_is_kept_and_stored_later(vault: Vault) -> None:
    """T-13: the old refresh token may be dead, so the new one must not be lost with the database."""
    opened = vault.open()
    opened.access_token()
    vault.clock.at, vault.is_away = NOON + timedelta(days=7), True
    for _ in range(2):
        with pytest.raises(TransientError):
            opened.access_token()
    vault.is_away = False
    assert opened.access_token() == vault.open().access_token() == "access-2"
    assert vault.refreshed == ["first", "refresh-1"]


def test_refused_token_is_refreshed_once_however_many_ask(vault: Vault) -> None:
    """Two processes and several threads meet the same refusal."""
    workers = [vault.open(), vault.open()]
    refused = workers[0].access_token()
    got: list[str] = []
    threads = [threading.Thread(target=lambda w=w: got.append(w.access_token(refused))) for w in workers * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(got) == {"access-2"}
    assert len(vault.refreshed) == 2


def test_stored_tokens_are_unreadable_without_the_key(vault: Vault, tmp_path: Path) -> None:
    vault.open().access_token()
    assert vault.secret is not None
    assert b"access-1" not in vault.secret
    vault.cipher = Cipher({}, tmp_path / "other.key")
    with pytest.raises(ConfigurationError, match="key-wrong"):
        vault.open().access_token()


def test_key_file_is_for_its_owner_alone(vault: Vault, tmp_path: Path) -> None:
    vault.open().access_token()
    file = tmp_path / "hub.key"
    assert file.stat().st_mode & 0o077 == 0
    file.chmod(0o644)
    vault.cipher = Cipher({}, file)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        vault.open().access_token()


def test_key_may_come_from_the_environment_and_must_be_a_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="key-malformed"):
        Cipher({"HUB_KEY": "short"}, tmp_path / "hub.key").encrypt("x")
    assert not (tmp_path / "hub.key").exists()


def test_without_any_token_the_message_says_what_to_set(vault: Vault) -> None:
    with pytest.raises(AuthorizationError, match="refresh_token"):
        vault.open(bootstrap=None).access_token()


def test_new_consent_takes_the_place_of_whatever_there_was(vault: Vault) -> None:
    for opened in (vault.open(bootstrap=None), vault.open()):
        opened.adopt(_token("adopted"))
        assert opened.access_token() == "adopted"
        assert vault.open(bootstrap=None).access_token() == "adopted"
    assert vault.refreshed == []


def test_process_that_still_holds_the_old_pair_takes_up_the_new_one(vault: Vault) -> None:
    """A daemon that runs while a person consents anew."""
    daemon = vault.open()
    old = daemon.access_token()
    vault.open().adopt(_token("adopted"))
    assert daemon.access_token(refused=old) == "adopted"
    assert vault.refreshed == ["first"]


def test_new_consent_waits_for_a_renewal_that_runs(vault: Vault) -> None:
    opened = vault.open()
    with vault.mutex:
        thread = threading.Thread(target=opened.adopt, args=(_token("adopted"),))
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
        vault.secret = b"what the renewal wrote"
    thread.join()
    assert vault.open().access_token() == "adopted"


def _token(access: str) -> Token:
    return Token(access_token=access, refresh_token="r", access_expires_at=NOON + timedelta(days=7))


def test_connections_that_begin_with_one_consent_share_it() -> None:
    assert authorisation_key("tiktok", "same", "us") == authorisation_key("tiktok", "same", "gb")
    assert authorisation_key("tiktok", "same", "us") != authorisation_key("tiktok", "other", "us")
    assert "same" not in authorisation_key("tiktok", "same", "us")
