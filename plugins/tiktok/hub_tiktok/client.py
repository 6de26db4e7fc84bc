"""Calls of the TikTok Shop API: endpoints with their versions, the envelope, and errors out of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from hub.contract import (
    AuthorizationError,
    Budget,
    Call,
    ConfigurationError,
    Connection,
    HubError,
    TransientError,
)  # fmt: skip
from hub_tiktok.auth import TOKEN_HEADER, SignedAuth
from hub_tiktok.errors import CLOCK, PATH, Refusal, row_of
from hub_tiktok.payload import Json, child, parse, text, whole
from hub_tiktok.settings import TikTokSettings


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call of the API in the version we use; versions of endpoints may be mixed (T-35)."""

    method: str
    path: str


SHOPS = Endpoint("GET", "/authorization/202309/shops")  # T-19
ORDER_SEARCH = Endpoint("POST", "/order/202309/orders/search")  # T-45
ORDER_DETAIL = {  # T-52, by the setting order_detail_version
    "202507": Endpoint("GET", "/order/202507/orders"),
    "202309": Endpoint("GET", "/order/202309/orders"),
}
WAREHOUSES = Endpoint("GET", "/logistics/202309/warehouses")  # T-78
FBT_WAREHOUSES = Endpoint("GET", "/fbt/202408/warehouses")  # T-77
TOKEN_REFRESH = Endpoint("GET", "/api/v2/token/refresh")  # T-12, on the other host

SECRET_NAMES = ("sign", "shop_cipher", "app_secret", "refresh_token", "access_token", "auth_code")


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: its data, and how far our clock is ahead of the server's in seconds (None: it did not say)."""

    data: Json
    clock_ahead_s: int | None


class Client:
    """Sends single calls for one Connection.

    Repeats: each call is a read and is said to be one, POST searches included, so the hub may send it again.
    Raises:  the errors of ``hub_tiktok.errors``; TransientError where no readable answer came.
    """

    def __init__(self, connection: Connection[TikTokSettings]) -> None:
        self._connection = connection
        self._settings = connection.settings
        self._auth = SignedAuth(connection.settings, connection.tokens, connection.clock)

    @property
    def reconsent(self) -> str:
        """What a person does when the consent is gone, in words; names where to consent (T-08)."""
        return (
            f"Let the shop's main (owner) account consent as a seller at {self._settings.consent_link}, "
            "then give the new refresh token as the setting refresh_token"
        )

    def call(
        self, endpoint: Endpoint, query: Mapping[str, str], *, body: Json | None = None, cipher: str | None = None
    ) -> Answer:
        """Make one signed call and return what it answers.

        Args:
            query: decoded; a list is one comma-joined value (T-28).
            body: sent compact, and not at all where it is empty (T-27).
            cipher: the shop's, for calls on shop level only (T-20, T-21).
        """
        params = {**query, "shop_cipher": cipher} if cipher else dict(query)
        content = json.dumps(body, separators=(",", ":")).encode() if body else None
        response = self._send(endpoint, self._settings.api_url, params, content=content, auth=self._auth, reads=True)
        return self._read(endpoint, response)

    def refresh(self, refresh_token: str) -> Json:
        """Exchange a refresh token, unsigned; return the data of the answer (T-12).

        Repeats: never, the old token may have died (T-13); a lost answer is a TransientError that may have happened.
        """
        secrets = {
            "app_key": self._settings.app_key,
            "app_secret": self._settings.app_secret.get_secret_value(),
            "refresh_token": refresh_token,
            "grant_type": "refresh_token",
        }
        response = self._send(TOKEN_REFRESH, self._settings.auth_url, secrets, content=None, auth=None, reads=False)
        return self._read(TOKEN_REFRESH, response).data

    def _send(
        self,
        endpoint: Endpoint,
        host: str,
        params: Mapping[str, str],
        *,
        content: bytes | None,
        auth: httpx.Auth | None,
        reads: bool,
    ) -> httpx.Response:
        try:
            return self._connection.http.request(
                endpoint.method,
                host + endpoint.path,
                params=dict(params),
                content=content,
                headers={"content-type": "application/json"},  # T-34: perhaps wanted on GET as well
                auth=auth,
                extensions={"hub": Call(reads=reads, budget=self._budget(endpoint))},
            )
        except httpx.TransportError as error:
            raise TransientError(
                "channel-unreachable",
                f"TikTok Shop gave no whole answer: {type(error).__name__}",
                where=f"{self._connection.id}, {endpoint.method} {endpoint.path}",
                do="Nothing to do: it is tried again",
                may_have_happened=not reads,
            ) from None  # the cause carries the URL, and with it secrets

    def _budget(self, endpoint: Endpoint) -> Budget:
        # T-40: TikTok counts per endpoint, app and shop
        key = f"tiktok:{self._settings.app_key}:{self._settings.shop}:{endpoint.method} {endpoint.path}"
        return Budget(key, self._settings.requests_per_second, 1.0)

    def _read(self, endpoint: Endpoint, response: httpx.Response) -> Answer:
        envelope = parse(response.content)
        ahead = self._clock_ahead(response)
        if envelope is None or whole(envelope, "code") is None:
            raise self._without_envelope(endpoint, response)
        code = whole(envelope, "code") or 0
        if code == 0:  # T-30
            return Answer(child(envelope, "data"), ahead)
        message = _scrubbed(text(envelope, "message"), response.request)
        if row_of(code, message) is CLOCK:
            message += f"; our clock is {_offset(ahead)}"
        request_id = text(envelope, "request_id") or "without id"
        where = f"{self._where(endpoint, response)}, code {code}, request {request_id}"
        raise Refusal(code, message, where, self.reconsent, _retry_after(response)).error()

    def _without_envelope(self, endpoint: Endpoint, response: httpx.Response) -> HubError:
        what = f"TikTok Shop answers HTTP {response.status_code} without a readable body"
        where = self._where(endpoint, response)
        if response.status_code in (401, 403):
            return AuthorizationError("token-refused", what, where=where, do=self.reconsent)
        if response.status_code in (404, 405):  # T-09: the token host answers a wrong call with plain text
            return ConfigurationError(PATH.slug, what, where=where, do=PATH.do)
        return TransientError(  # T-42
            "channel-unreachable",
            what,
            where=where,
            do="Nothing to do: it is tried again",
            retry_after_s=_retry_after(response),
            may_have_happened=endpoint is TOKEN_REFRESH,
        )

    def _where(self, endpoint: Endpoint, response: httpx.Response) -> str:
        return f"{self._connection.id}, {endpoint.method} {endpoint.path}, HTTP {response.status_code}"

    def _clock_ahead(self, response: httpx.Response) -> int | None:
        try:
            theirs = parsedate_to_datetime(response.headers.get("date", ""))
        except ValueError:
            return None
        aware: datetime = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
        return round((self._connection.clock.now() - aware).total_seconds())


def _offset(ahead_s: int | None) -> str:
    if ahead_s is None:
        return "off by an amount that the answer does not tell"
    return f"{abs(ahead_s)} s {'ahead of' if ahead_s >= 0 else 'behind'} theirs"


def _retry_after(response: httpx.Response) -> float | None:
    value: Any = response.headers.get("retry-after", "")
    return float(value) if value.isdecimal() else None


def _scrubbed(message: str, request: httpx.Request) -> str:
    """Return a vendor's message without the secrets of the request, should it repeat one."""
    secrets = [request.url.params.get(name, "") for name in SECRET_NAMES]
    for secret in (*secrets, request.headers.get(TOKEN_HEADER, "")):
        if secret:
            message = message.replace(secret, "***")
    return message[:300]
