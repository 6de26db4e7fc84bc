"""Encrypts what the store keeps; its key is in the environment, in the system's keyring, or in a file of its owner."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.contract import ConfigurationError

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

KEY_VARIABLE, KEYRING_VARIABLE = "HUB_KEY", "HUB_KEYRING"
KEYRING_SERVICE = "channel-hub"
KEY_WRONG, KEY_MISSING = "key-wrong", "key-missing"


class Cipher:
    """Encrypts with a key fetched at first need: HUB_KEY, else with HUB_KEYRING=1 the keyring's, else the file's.

    ``may_make`` says whether a key may be made where there is none.
    """

    def __init__(self, environ: Mapping[str, str], key_file: Path, may_make: Callable[[], bool] = lambda: True) -> None:
        self._environ, self._file, self._may_make = environ, key_file, may_make
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
                    do="Unset it and the hub makes a key file of its own, or give a Fernet key."
                    if KEY_VARIABLE in self._environ
                    else "Restore it from the backup. If there is none, remove it and connect again: hub connect ID.",
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
                key = (self._from_file() if self._file.exists() else self._new()).decode()
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
            if self._file.exists():
                return self._read()
            key = self._new()
            try:
                file = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:  # another process has just made it
                return self._read()
            with os.fdopen(file, "wb") as opened:
                opened.write(key)
            return key
        except OSError as error:
            raise ConfigurationError(
                "key-unreadable",
                f"the key file can be neither read nor made ({error.strerror})",
                where=str(self._file),
                do=f"Let it belong to the user that the hub runs as: chown USER {self._file}. Where there is none "
                "yet, let that user write to the folder.",
            ) from error

    def _read(self) -> bytes:
        if self._file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigurationError(
                "key-readable",
                "the key file can be read by others",
                where=str(self._file),
                do=f"chmod 600 {self._file}",
            )
        return self._file.read_bytes().strip()

    def _new(self) -> bytes:
        """Make a key, unless something is stored that another one encrypted: that one is lost, and must be told so."""
        if not self._may_make():
            raise ConfigurationError(
                KEY_MISSING,
                "the key is gone that the stored tokens were encrypted with",
                where=self._where,
                do="Restore it from the backup. If there is none, connect again; that makes one: hub connect ID.",
            )
        return _new_key()


def _new_key() -> bytes:
    from cryptography.fernet import Fernet

    return Fernet.generate_key()
