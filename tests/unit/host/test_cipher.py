"""The key that everything secret in the store is encrypted with: from the environment, the keyring, or a file."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hub.contract import ConfigurationError
from hub.host.cipher import KEYRING_SERVICE, Cipher

KEYRING = """\
import json, pathlib
class errors:
    class KeyringError(Exception): ...
FILE = pathlib.Path(__file__).with_name("passwords.json")
def _all():
    return json.loads(FILE.read_text()) if FILE.exists() else {}
def get_password(service, name):
    if FILE.with_name("locked").exists():
        raise errors.KeyringError("canary of the desktop")
    return _all().get(service + " " + name)
def set_password(service, name, value):
    FILE.write_text(json.dumps({**_all(), service + " " + name: value}))
"""
WITH_KEYRING = {"HUB_KEYRING": "1"}


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A keyring written by hand, in the place of the system's."""
    folder = tmp_path / "library"
    folder.mkdir()
    (folder / "keyring.py").write_text(KEYRING)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "keyring", raising=False)
    return folder


def test_key_of_the_keyring_is_made_once_and_no_file_with_it(keyring: Path, tmp_path: Path) -> None:
    secret = Cipher(WITH_KEYRING, tmp_path / "hub.key").encrypt("canary")
    assert b"canary" not in secret
    assert Cipher(WITH_KEYRING, tmp_path / "hub.key").decrypt(secret) == "canary"
    assert not (tmp_path / "hub.key").exists()
    assert KEYRING_SERVICE in (keyring / "passwords.json").read_text()


def test_each_hub_has_a_key_of_its_own_in_the_keyring(keyring: Path, tmp_path: Path) -> None:
    secret = Cipher(WITH_KEYRING, tmp_path / "hub.key").encrypt("canary")
    with pytest.raises(ConfigurationError, match="key-wrong") as caught:
        Cipher(WITH_KEYRING, tmp_path / "other.key").decrypt(secret)
    assert caught.value.where == f"keyring, {KEYRING_SERVICE}"


def test_key_file_that_exists_moves_into_the_keyring(keyring: Path, tmp_path: Path) -> None:
    secret = Cipher({}, tmp_path / "hub.key").encrypt("canary")
    assert Cipher(WITH_KEYRING, tmp_path / "hub.key").decrypt(secret) == "canary"
    (tmp_path / "hub.key").unlink()
    assert Cipher(WITH_KEYRING, tmp_path / "hub.key").decrypt(secret) == "canary"


def test_environment_wins_over_the_keyring(keyring: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="key-malformed"):
        Cipher({**WITH_KEYRING, "HUB_KEY": "short"}, tmp_path / "hub.key").encrypt("x")
    assert not (keyring / "passwords.json").exists()


@pytest.mark.parametrize("value", ["", "0"])
def test_keyring_is_asked_only_where_it_is_switched_on(keyring: Path, tmp_path: Path, value: str) -> None:
    Cipher({"HUB_KEYRING": value}, tmp_path / "hub.key").encrypt("x")
    assert (tmp_path / "hub.key").exists()
    assert not (keyring / "passwords.json").exists()


def test_keyring_that_is_locked_is_told_without_its_own_words(keyring: Path, tmp_path: Path) -> None:
    (keyring / "locked").touch()
    with pytest.raises(ConfigurationError, match="keyring-away") as caught:
        Cipher(WITH_KEYRING, tmp_path / "hub.key").encrypt("x")
    assert "canary" not in str(caught.value)


def test_keyring_that_is_not_installed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigurationError, match=r"channel-hub\[keyring\]"):
        Cipher(WITH_KEYRING, tmp_path / "hub.key").encrypt("x")
