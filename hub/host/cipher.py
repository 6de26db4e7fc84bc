"""Encrypts what the store keeps; its key is in the environment, in the system's keyring, or in a file of its owner."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.contract import ConfigurationError

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

KEY_VARIABLE, KEYRING_VARIABLE = "HUB_KEY", "HUB_KEYRING"
KEYRING_SERVICE = "channel-hub"
KEY_WRONG = "key-wrong"


class Cipher:
    """Encrypts with a key fetched at first need: HUB_KEY, else with HUB_KEYRING=1 the keyring's, else the file's."""

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
                KEY_WRONG,
                "the stored tokens were encrypted with another key",
                where=self._where,
                do="Give the key that was used before, or connect again: hub connect ID.",
            ) from error

    @property
    def _where(self) -> str:
        if KEY_VARIABLE in self._environ:
            return KEY_VARIABLE
        return f"keyring, {KEYRING_SERVICE}" if self._uses_keyring else str(self._file)

    @property
    def _uses_keyring(self) -> bool:
        return self._environ.get(KEYRING_VARIABLE, "") not in ("", "0")

    def _ready(self) -> Fernet:
        from cryptography.fernet import Fernet

        if self._fernet is None:
            try:
                self._fernet = Fernet(self._key())
            except ValueError as error:
                raise ConfigurationError(
                    "key-malformed",
                    "the encryption key is not 32 bytes in URL-safe base64",
                    where=self._where,
                    do="Unset it and the hub makes a key file of its own, or give a Fernet key.",
                ) from error
        return self._fernet

    def _key(self) -> bytes:
        if KEY_VARIABLE in self._environ:
            return self._environ[KEY_VARIABLE].encode()
        return self._from_keyring() if self._uses_keyring else self._from_file()

    def _from_keyring(self) -> bytes:
        """Return the key that the system keeps under the key file's path; a key file that exists moves in as it is."""
        try:
            keyring: Any = import_module("keyring")
        except ImportError as error:
            what, do = "keyring is not installed", f"Install channel-hub[keyring], or unset {KEYRING_VARIABLE}."
            raise ConfigurationError("keyring-away", what, where=KEYRING_VARIABLE, do=do) from error
        name = str(self._file.resolve())
        try:
            key = keyring.get_password(KEYRING_SERVICE, name)
            if key is None:
                key = (self._from_file() if self._file.exists() else _new_key()).decode()
                keyring.set_password(KEYRING_SERVICE, name, key)
        except keyring.errors.KeyringError as error:
            # What it says may name the user or the service of the desktop; the kind is enough.
            what, do = (
                f"the system's keyring failed ({type(error).__name__})",
                f"Unlock it, or unset {KEYRING_VARIABLE}.",
            )
            raise ConfigurationError("keyring-away", what, where=KEYRING_VARIABLE, do=do) from error
        return str(key).encode()

    def _from_file(self) -> bytes:
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
            key = _new_key()
            opened.write(key)
        return key


def _new_key() -> bytes:
    from cryptography.fernet import Fernet

    return Fernet.generate_key()
