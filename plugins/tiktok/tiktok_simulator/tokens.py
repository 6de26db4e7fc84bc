"""Authorisation codes and tokens: issuing, refreshing, expiring, revoking."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass

from tiktok_simulator.clock import Clock
from tiktok_simulator.options import Options
from tiktok_simulator.wire import ApiError, Json

SCOPES = (
    "seller.authorization.info",
    "seller.shop.info",
    "seller.order.info",
    "seller.order.ext_ref.read",
    "seller.order.ext_ref.write",
    "seller.fulfillment.basic",
    "seller.fulfillment.package.write",
    "seller.logistics",
    "seller.product.basic",
    "seller.product.write",
    "seller.product.delete",
    "seller.return_refund.basic",
    "seller.finance.info",
    "seller.fbt.info",
)

CODE_BAD = 36004004
REFRESH_UNKNOWN = 36004005
REFRESH_EXPIRED = 36004001
PARAMETER_BAD = 36009004
TOKEN_EXPIRED = 105002
TOKEN_INVALID = 101000


@dataclass(slots=True)
class Pair:
    """An access token and its refresh token; both ends are instants (T-10)."""

    access: str
    access_ends: int
    refresh: str
    refresh_ends: int
    scopes: tuple[str, ...]
    user_type: int
    access_revoked: bool = False
    refresh_revoked: bool = False


class Tokens:
    """All codes and tokens of the one app and the one seller."""

    def __init__(self, clock: Clock, options: Options) -> None:
        self._clock = clock
        self._options = options
        self._numbers = itertools.count(1)
        self._codes: dict[str, tuple[int, int | None]] = {}
        self._by_access: dict[str, Pair] = {}
        self._by_refresh: dict[str, Pair] = {}
        self._standing: Pair | None = None

    def scopes(self) -> tuple[str, ...]:
        """The scopes a consent grants now."""
        chosen = self._options["granted_scopes"]
        return SCOPES if chosen == "all" else tuple(filter(None, chosen.replace(" ", "").split(",")))

    def consent(self, life_s: int | None = None) -> str:
        """A fresh authorisation code, as the consent page hands it out; the seller may choose how long it is for."""
        code = f"ROW_code{_opaque('code', next(self._numbers))}"
        self._codes[code] = (int(self._clock.now()) + self._options.seconds("code_life_s"), life_s)
        return code

    def issue(self, life_s: int | None = None, ends: int | None = None) -> Pair:
        """A new pair under the options as they stand; `ends` is the end of an authorisation that goes on."""
        number, now = next(self._numbers), int(self._clock.now())
        life_s = self._options.seconds("refresh_life_s") if life_s is None else life_s
        pair = Pair(
            access=f"ROW_{_opaque('access', number)}",
            access_ends=now + self._options.seconds("token_life_s"),
            refresh=f"ROW_{_opaque('refresh', number)}",
            refresh_ends=now + life_s if ends is None else ends,
            scopes=self.scopes(),
            user_type=int(self._options["user_type"]),
        )
        self._by_access[pair.access] = pair
        self._by_refresh[pair.refresh] = pair
        return pair

    def standing(self) -> Pair:
        """The pair that settings hand out: the same one until its refresh token is used up."""
        if self._standing is None:
            self._standing = self.issue()
        return self._standing

    def exchange(self, code: str) -> Pair:
        """Turn a code into tokens, once (T-07)."""
        ends, life_s = self._codes.pop(code, (0, None))
        if ends < self._clock.now():
            raise ApiError(CODE_BAD, "Authorization code is invalid, used or expired")
        return self.issue(life_s)

    def refresh(self, token: str) -> Pair:
        """Turn a refresh token into a new pair; what becomes of the old one is a switch (T-12, T-13, T-14)."""
        old = self._by_refresh.get(token)
        if old is None or old.refresh_revoked:
            raise ApiError(REFRESH_UNKNOWN, "Authorization record not found")
        if old.refresh_ends < self._clock.now():
            raise ApiError(REFRESH_EXPIRED, "Refresh token has expired")
        if self._options["rotation"] == "dies":
            old.refresh_revoked = True
            if old is self._standing:
                self._standing = None
        if self._options["access_after_refresh"] == "dies":
            old.access_ends = int(self._clock.now()) - 1
        return self.issue(ends=None if self._options["refresh_extends"] == "yes" else old.refresh_ends)

    def check(self, token: str) -> Pair:
        """The pair of an access token that may be used now (T-36)."""
        status = int(self._options["token_http_status"])
        pair = self._by_access.get(token)
        if pair is None:
            text = "The `x-tts-access-token` header is missing or invalid"
            raise ApiError(PARAMETER_BAD, text, status)
        if pair.access_revoked:
            raise ApiError(int(self._options["revoked_code"]), "Access token is invalid", status)
        if pair.access_ends <= self._clock.now():
            raise ApiError(TOKEN_EXPIRED, "Expired credentials, access token has expired", status)
        if pair.user_type != 0:
            raise ApiError(TOKEN_INVALID, "Access token is invalid for this kind of user", status)
        return pair

    def revoke(self) -> None:
        """The seller withdraws: every token and code dies (T-18)."""
        self._codes.clear()
        for pair in self._by_access.values():
            pair.access_revoked = pair.refresh_revoked = True

    def authorisation_ends(self) -> int | None:
        """When what the seller consented to ends; None once it is withdrawn, or before any consent."""
        return max((pair.refresh_ends for pair in self._by_access.values() if not pair.refresh_revoked), default=None)

    def expire(self, *, access: bool, refresh: bool) -> None:
        """Let the life of all present tokens end now."""
        ended = int(self._clock.now()) - 1
        for pair in self._by_access.values():
            pair.access_ends = ended if access else pair.access_ends
            pair.refresh_ends = ended if refresh else pair.refresh_ends

    def as_list(self) -> list[Json]:
        """All pairs, for assertions."""
        return [
            {
                "access_token": pair.access,
                "access_token_expire_in": pair.access_ends,
                "access_revoked": pair.access_revoked,
                "refresh_token": pair.refresh,
                "refresh_token_expire_in": pair.refresh_ends,
                "refresh_revoked": pair.refresh_revoked,
                "scopes": list(pair.scopes),
            }
            for pair in self._by_access.values()
        ]


def _opaque(kind: str, number: int) -> str:
    return hashlib.sha256(f"{kind} {number}".encode()).hexdigest()[:48]
