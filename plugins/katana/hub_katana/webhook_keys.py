"""The keys that Katana signs deliveries with, kept among the Connection's secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from hub.contract import Clock, Memory
from hub_katana.answers import Row

_SECRET = "webhook-keys"  # noqa: S105  the name of what is kept
_TOKEN = re.compile(r"[0-9a-f]{16,}")  # K-92; what does not look so, such as stars, is no key
_STILL_S = 86_400.0  # K-97: repeats come for some 20 minutes and more
_MOST = 8


@dataclass(frozen=True, slots=True)
class _Key:
    """The token of one subscription; ``until`` once another took its place."""

    webhook: int
    url: str
    token: str = field(repr=False)
    until: float | None = None  # Unix seconds


class WebhookKeys:
    """The present key of each URL, and for a while the ones before it, since old deliveries may be under way."""

    def __init__(self, secrets: Memory, clock: Clock) -> None:
        self._secrets, self._clock = secrets, clock

    def tokens(self) -> list[str]:
        """Return every token that a delivery may be signed with now."""
        return [key.token for key in self._living(self._read())]

    def token_of(self, row: Row) -> str | None:
        """Return the token of a subscription, as its record shows it (K-93) or as it is kept."""
        shown = row.get("token")
        if isinstance(shown, str) and _TOKEN.fullmatch(shown):
            return shown
        return next((key.token for key in self._read() if key.webhook == row.get("id")), None)

    def urls(self) -> set[str]:
        """Return the URLs that keys are kept for."""
        return {key.url for key in self._read()}

    def keep(self, webhook: int, url: str, token: str | None) -> None:
        """Make a token the present one of a URL; the one before it stays good for a day."""
        known = self._read()
        if token is None or any((key.webhook, key.token, key.until) == (webhook, token, None) for key in known):
            return
        until = self._clock.now().timestamp() + _STILL_S
        older = [replace(key, until=key.until or until) if key.url == url else key for key in known]
        self._write([_Key(webhook, url, token), *(key for key in older if key.token != token)])

    def forget(self, urls: Collection[str]) -> None:
        """Drop every key of some URLs."""
        self._write([key for key in self._read() if key.url not in urls])

    def _read(self) -> list[_Key]:
        try:
            rows: Any = json.loads(self._secrets.get(_SECRET) or "[]")
            return [_Key(**row) for row in rows]
        except (ValueError, TypeError):
            return []

    def _write(self, keys: list[_Key]) -> None:
        living = self._living(keys)[:_MOST]
        if living:
            self._secrets.set(_SECRET, json.dumps([asdict(key) for key in living]))
        else:
            self._secrets.forget(_SECRET)

    def _living(self, keys: list[_Key]) -> list[_Key]:
        now = self._clock.now().timestamp()
        return [key for key in keys if key.until is None or key.until > now]
