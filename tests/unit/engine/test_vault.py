"""What the ledger keeps encrypted: who shares whose tokens, and secrets of settings."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from hub.config import ConnectionConfig
from hub.contract import AuthorizationError, ConfigurationError, Secret, Token
from hub.engine.vault import Vault, has_secret
from hub.host.cipher import Cipher
from hub.host.clock import SystemClock
from hub.store import Store, known, open_store


class Settings(BaseModel):
    shop: str = "1"
    key: Secret | None = None
    refresh_token: Secret | None = None


def entry(id_: str, *, stored: tuple[str, ...] = (), **settings: str) -> ConnectionConfig:
    return ConnectionConfig(id_, "tiktok", Settings.model_validate(settings), 1, stored)


US, UK = entry("us"), entry("uk")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(str(tmp_path / "hub.db"))
    yield opened
    opened.close()


class Process:
    """A hub process of its own on the same store."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.vault = Vault(store, Cipher({}, folder / "hub.key"), SystemClock())
        self.renewed: list[str] = []

    def token_of(self, connection: ConnectionConfig, refused: str | None = None) -> str:
        authorisation = self.vault.authorisation(connection)
        authorisation.refresh = self._refresh
        return authorisation.access_token(refused)

    def _refresh(self, token: Token) -> Token:
        self.renewed.append(token.refresh_token)
        return pair(f"{token.access_token}+", f"{token.refresh_token}+")


def pair(access: str, refresh: str = "r") -> Token:
    ends = datetime.now(UTC) + timedelta(days=7)
    return Token(access_token=access, refresh_token=refresh, access_expires_at=ends)


@pytest.fixture
def process(store: Store, tmp_path: Path) -> Process:
    return Process(store, tmp_path)


def test_connections_that_share_a_consent_use_and_renew_one_pair(
    store: Store, tmp_path: Path, process: Process
) -> None:
    process.vault.authorisation(US).adopt(pair("a"))
    process.vault.share(US, UK)
    alone = Process(store, tmp_path)  # knows of UK only
    assert alone.token_of(UK) == "a"
    assert alone.token_of(UK, refused="a") == "a+"
    assert Process(store, tmp_path).token_of(US) == "a+"
    assert Process(store, tmp_path).token_of(UK) == "a+"


def test_daemon_that_runs_sees_that_its_connection_shares_now(store: Store, tmp_path: Path, process: Process) -> None:
    daemon = Process(store, tmp_path).vault.authorisation(UK)
    with pytest.raises(AuthorizationError, match="not-connected"):
        daemon.access_token()
    process.vault.authorisation(US).adopt(pair("a"))
    process.vault.share(US, UK)
    assert daemon.access_token() == "a"


def test_consent_given_to_one_that_shares_is_given_to_all(store: Store, tmp_path: Path, process: Process) -> None:
    process.vault.authorisation(US).adopt(pair("a"))
    process.vault.share(US, UK)
    Process(store, tmp_path).vault.authorisation(UK).adopt(pair("b"))
    assert Process(store, tmp_path).token_of(US) == "b"


def test_sharing_with_oneself_or_back_and_forth_loses_nothing(store: Store, tmp_path: Path, process: Process) -> None:
    process.vault.authorisation(US).adopt(pair("a"))
    for owner, other in ((US, US), (US, UK), (UK, US), (UK, UK)):
        process.vault.share(owner, other)
    assert {Process(store, tmp_path).token_of(each) for each in (US, UK)} == {"a"}


def test_sharing_taken_back_restores_what_there_was(store: Store, tmp_path: Path, process: Process) -> None:
    process.vault.authorisation(US).adopt(pair("a"))
    process.vault.authorisation(UK).adopt(pair("own"))
    before = process.vault.share(US, UK)
    assert Process(store, tmp_path).token_of(UK) == "a"
    process.vault.restore(UK, before)
    assert Process(store, tmp_path).token_of(UK) == "own"
    process.vault.restore(UK, None)
    with pytest.raises(AuthorizationError, match="hub connect uk"):
        Process(store, tmp_path).token_of(UK)


def test_consent_takes_the_place_of_a_bootstrap(store: Store, tmp_path: Path, process: Process) -> None:
    begun = entry("us", refresh_token="first")
    process.vault.authorisation(begun).adopt(pair("a"))
    later = Process(store, tmp_path)
    assert later.token_of(begun) == "a"
    assert later.renewed == []


def test_pair_is_written_whole_and_unreadable(store: Store, process: Process) -> None:
    process.vault.authorisation(US).adopt(pair("canary-a", "canary-r"))
    with store.read() as tx:
        kept = known.tokens(tx, "tiktok:us")
    assert kept is not None
    assert b"canary" not in kept


def test_kept_secret_fills_its_setting_and_no_other(store: Store, process: Process) -> None:
    keyed = entry("us", stored=("key",), shop="7", key="not-available")
    assert not has_secret(store, "us", "key")
    process.vault.keep_secrets("us", {"key": "canary"})
    assert has_secret(store, "us", "key")
    filled = process.vault.settings(keyed, {})
    assert isinstance(filled, Settings)
    assert filled.key is not None
    assert (filled.shop, filled.key.get_secret_value()) == ("7", "canary")
    assert "canary" not in repr(filled)
    with store.read() as tx:
        assert b"canary" not in (known.tokens(tx, "secret:us:key") or b"")
    given = process.vault.settings(keyed, {"key": "given"})
    assert isinstance(given, Settings)
    assert given.key is not None
    assert given.key.get_secret_value() == "given"


def test_secret_that_is_not_kept_is_told_with_the_command(process: Process) -> None:
    with pytest.raises(ConfigurationError, match="hub connect us"):
        process.vault.settings(entry("us", stored=("key",)), {})
    assert process.vault.settings(US, {}) == US.settings


class CountedStore:
    """A store that counts how often it is read."""

    def __init__(self, store: Store) -> None:
        self._store, self.reads = store, 0

    def __getattr__(self, name: str) -> Any:
        self.reads += name == "read"
        return getattr(self._store, name)


def test_a_flood_does_not_have_the_ledger_read_for_each_secret(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each delivery of a webhook asks for the key of its signature, whoever sends it."""
    monkeypatch.setattr("hub.engine.vault._FRESH_S", 60.0)
    counted = CountedStore(store)
    secrets = Vault(counted, Cipher({}, tmp_path / "hub.key"), SystemClock()).memory("us")  # type: ignore[arg-type]
    assert [secrets.get("key") for _ in range(1_000)] == [None] * 1_000
    secrets.set("key", "one")
    assert {secrets.get("key") for _ in range(1_000)} == {"one"}, "what it wrote itself shows at once"
    secrets.forget("key")
    assert {secrets.get("key") for _ in range(1_000)} == {None}
    assert counted.reads == 3


def test_what_another_process_keeps_is_seen_after_a_second(store: Store, tmp_path: Path, process: Process) -> None:
    daemon, command = Process(store, tmp_path).vault.memory("us"), process.vault.memory("us")
    assert daemon.get("key") is None
    command.set("key", "secret")
    end = time.monotonic() + 10
    while daemon.get("key") is None:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert daemon.get("key") == "secret"
