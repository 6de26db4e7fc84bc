"""Codes and tokens of partner apps: refresh tokens rotate, and replaying an old one ends its chain (fact sheet 1.1)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from katana_simulator.clock import Clock
from katana_simulator.options import Options


@dataclass(slots=True)
class Token:
    """A code, an access token or a refresh token; `chain` counts the consents."""

    chain: int
    ends: float
    redirect_uri: str = ""
    is_used: bool = False


class Tokens:
    """What was given out. It outlives a reset of the account, as a login server would."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self._options, self._clock = options, clock
        self._chains = 0
        self._ended: set[int] = set()
        self._codes: dict[str, Token] = {}
        self._access: dict[str, Token] = {}
        self._refresh: dict[str, Token] = {}

    def consent(self, redirect_uri: str) -> str:
        """A code for one exchange."""
        self._chains += 1
        code = secrets.token_urlsafe(24)
        self._codes[code] = Token(self._chains, self._ends("oauth_code_s"), redirect_uri)
        return code

    def exchange(self, code: str, redirect_uri: str) -> tuple[str, str] | None:
        """A first pair for a code; None when it is unknown, used, too old or meant for another address."""
        found = self._codes.get(code)
        if found is None or found.is_used or not self._lives(found) or found.redirect_uri != redirect_uri:
            return None
        found.is_used = True
        return self._pair(found.chain)

    def rotate(self, refresh: str) -> tuple[str, str] | None:
        """The next pair; a token that was used before ends its whole chain."""
        found = self._refresh.get(refresh)
        if found is None or not self._lives(found):
            return None
        if found.is_used:
            self._ended.add(found.chain)
            if self._options["replay_ends_access"] == "yes":
                self._drop_access(found.chain)
            return None
        found.is_used = True
        return self._pair(found.chain)

    def accepts(self, access: str) -> bool:
        found = self._access.get(access)
        return found is not None and found.ends > self._clock.now()

    def revoke(self) -> None:
        """A user disconnects the app: nothing given out so far works any more."""
        self._ended |= set(range(1, self._chains + 1))
        self._access.clear()

    def expire(self, *, access: bool, refresh: bool) -> None:
        """Let what is out run out now."""
        for token in (*(self._access.values() if access else ()), *(self._refresh.values() if refresh else ())):
            token.ends = min(token.ends, self._clock.now())

    def _pair(self, chain: int) -> tuple[str, str]:
        access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self._access[access] = Token(chain, self._ends("access_token_s"))
        self._refresh[refresh] = Token(chain, self._ends("refresh_token_s"))
        return access, refresh

    def _drop_access(self, chain: int) -> None:
        self._access = {text: token for text, token in self._access.items() if token.chain != chain}

    def _lives(self, token: Token) -> bool:
        return token.chain not in self._ended and token.ends > self._clock.now()

    def _ends(self, option: str) -> float:
        lasts = self._options[option]
        return float("inf") if lasts == "off" else self._clock.now() + float(lasts)
