"""Secrets that a person types: without echo, or as lines of what is piped in."""

from __future__ import annotations

import getpass
import sys

from hub.config import ConnectionConfig
from hub.contract import HubError
from hub.engine.vault import has_secret
from hub.store import Store


def ask_for_secrets(entry: ConnectionConfig, store: Store) -> dict[str, str]:
    """Return what a person gave for each setting that the hub shall keep; an empty answer keeps the present one."""
    given = {}
    for setting in entry.stored:
        is_kept = has_secret(store, entry.id, setting)
        secret = _ask(f"{entry.id}: {setting}{' (empty keeps the present one)' if is_kept else ''}: ")
        if secret:
            given[setting] = secret
        elif not is_kept:
            what, do = f"no {setting} was given", f"Run hub connect {entry.id} again, and type or pipe it in."
            raise HubError("secret-not-given", what, where=entry.id, do=do)
    return given


def _ask(prompt: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(prompt).strip()
    return sys.stdin.readline().strip()
