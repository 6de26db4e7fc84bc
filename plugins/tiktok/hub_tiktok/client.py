"""Single calls of the TikTok Shop API: signed and sent, the envelope read, errors made of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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
    Pace,
    RejectedError,
    TransientError,
    is_loopback,
)  # fmt: skip
from hub_tiktok.auth import TOKEN_HEADER, SignedAuth
from hub_tiktok.codes import CLOCK, PATH, row_of
from hub_tiktok.endpoints import TOKEN_GET, TOKEN_REFRESH, Endpoint
from hub_tiktok.errors import TOO_MANY, Refusal
from hub_tiktok.payload import Json, child, parse, text, whole
from hub_tiktok.settings import TikTokSettings

SECRET_NAMES = ("sign", "shop_cipher", "app_secret", "refresh_token", "access_token", "auth_code")
AT_LEAST_S = 1.0  # a window of T-40
Files = Mapping[str, tuple[str | None, bytes | str, str | None]]
"""Parts of a multipart body by name: file name (None: a plain field), content, media type."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: its data, and how far our clock is ahead of the server's in seconds (None: it did not say)."""

    data: Json
    clock_ahead_s: int | None


class Client:
    """Sends single calls for one Connection.

    Repeats: a read is said to be one, POST searches included, so the hub may send it again; a write is not.
    Raises:  the errors of ``hub_tiktok.errors``; TransientError where no readable answer came.
    """

    def __init__(self, connection: Connection[TikTokSettings]) -> None:
        self._connection = connection
        self._settings = connection.settings
        self._auth = SignedAuth(connection.settings, connection.tokens, connection.clock)

    @property
    def reconsent(self) -> str:
        """What a person does when the consent is gone, in words (T-08)."""
        return f"Let the shop's main (owner) account consent as a seller: hub connect {self._connection.id}"

    def call(
        self,
        endpoint: Endpoint,
        query: Mapping[str, str] | None = None,
        *,
        body: Json | None = None,
        cipher: str | None = None,
        ids: Mapping[str, str] | None = None,
        files: Files | None = None,
    ) -> Answer:
        """Make one signed call and return what it answers.

        Args:
            query: decoded; a list is one comma-joined value (T-28).
            body: sent compact, and not at all where it is empty (T-27).
            cipher: the shop's, for calls on shop level only (T-20, T-21).
            ids: what stands in the path's braces.
            files: parts of a multipart body, which the signature leaves out (T-26).
        """
        url = self._settings.api_url + endpoint.filled(ids or {})
        request = self._request(endpoint, url, _on_shop(query, cipher), content=_compact(body), files=files)
        return self._read(endpoint, self._send(endpoint, request, self._auth))

    def begin(
        self, endpoint: Endpoint, query: Mapping[str, str], *, body: Json, cipher: str, at_once: bool
    ) -> Callable[[], Answer]:
        """Do the first half of ``call``: return as soon as it has left; what is returned does the other, once.

        Args:
            at_once: raise a TransientError where it would have to wait before it leaves.
        """
        url = self._settings.api_url + endpoint.path
        request = self._request(endpoint, url, _on_shop(query, cipher), content=_compact(body))
        with self._reached(endpoint):
            finish = self._connection.http.begin(request, auth=self._auth, at_once=at_once)
        return lambda: self._read(endpoint, self._finished(endpoint, finish))

    def exchange(self, code: str) -> Json:
        """Exchange the code of a consent, unsigned; return the data of the answer (T-09). A code works once (T-07)."""
        return self._token(TOKEN_GET, {"auth_code": code, "grant_type": "authorized_code"})

    def refresh(self, refresh_token: str) -> Json:
        """Exchange a refresh token, unsigned; return the data of the answer (T-12).

        Repeats: never, the old token may have died (T-13); a lost answer is a TransientError that may have happened.
        """
        return self._token(TOKEN_REFRESH, {"refresh_token": refresh_token, "grant_type": "refresh_token"})

    def download(self, url: str, where: str) -> httpx.Response:
        """Fetch a document from where TikTok keeps it: unsigned and without our token, https or loopback only (T-110).

        Raises:
            RejectedError: the address is not one to fetch from.
            TransientError: it did not come; the address is told to nobody, since whoever has it has the document.
        """
        if not (url.startswith("https://") or (url.startswith("http://") and is_loopback(url))):
            raise RejectedError(
                "address-refused", "the document's address is not https", where=where, do="Report this to TikTok Shop"
            )
        budget = Budget(
            f"tiktok:{self._settings.app_key}:{self._settings.shop}:documents", self._settings.requests_per_second, 1.0
        )
        try:
            return self._connection.http.get(url, extensions={"hub": Call(reads=True, budget=budget)})
        except (httpx.TransportError, TransientError) as error:
            raise TransientError(
                "channel-unreachable",
                f"a document could not be downloaded: {type(error).__name__}",
                where=where,
                do="Nothing to do: it is tried again",
            ) from None

    def _token(self, endpoint: Endpoint, grant: Mapping[str, str]) -> Json:
        secrets = {
            "app_key": self._settings.app_key,
            "app_secret": self._settings.app_secret.get_secret_value(),
            **grant,
        }
        request = self._request(endpoint, self._settings.auth_url + endpoint.path, secrets)
        return self._read(endpoint, self._send(endpoint, request, None)).data

    def _request(
        self,
        endpoint: Endpoint,
        url: str,
        params: Mapping[str, str],
        *,
        content: bytes | None = None,
        files: Files | None = None,
    ) -> httpx.Request:
        return self._connection.http.build_request(
            endpoint.method,
            url,
            params=dict(params),
            content=content,
            files=files,
            headers=None if files else {"content-type": "application/json"},  # T-34: perhaps wanted on GET as well
            extensions={"hub": Call(reads=not endpoint.writes, budget=self._budget(endpoint), pace=read_pace)},
        )

    def _send(self, endpoint: Endpoint, request: httpx.Request, auth: httpx.Auth | None) -> httpx.Response:
        with self._reached(endpoint):
            return self._connection.http.send(request, auth=auth)

    def _finished(self, endpoint: Endpoint, finish: Callable[[], httpx.Response]) -> httpx.Response:
        with self._reached(endpoint):
            return finish()

    @contextmanager
    def _reached(self, endpoint: Endpoint) -> Iterator[None]:
        """Turn what keeps a whole answer from coming into an error of the contract."""
        try:
            yield
        except httpx.TransportError as error:
            raise TransientError(
                "channel-unreachable",
                f"TikTok Shop gave no whole answer: {type(error).__name__}",
                where=f"{self._connection.id}, {endpoint.method} {endpoint.path}",
                do="Nothing to do: it is tried again",
                may_have_happened=endpoint.writes,
            ) from None  # the cause carries the URL, and with it secrets

    def _budget(self, endpoint: Endpoint) -> Budget:
        # T-40: TikTok counts per endpoint, app and shop
        key = f"tiktok:{self._settings.app_key}:{self._settings.shop}:{endpoint.method} {endpoint.path}"
        per_s = self._settings.writes_per_second if endpoint.writes else self._settings.requests_per_second
        return Budget(key, per_s, 1.0)

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
        raise Refusal(code, message, where, self.reconsent, _retry_after(response), endpoint.writes).error()

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
            may_have_happened=endpoint.writes and response.status_code != 429,
        )

    def _where(self, endpoint: Endpoint, response: httpx.Response) -> str:
        return f"{self._connection.id}, {endpoint.method} {response.request.url.path}, HTTP {response.status_code}"

    def _clock_ahead(self, response: httpx.Response) -> int | None:
        try:
            theirs = parsedate_to_datetime(response.headers.get("date", ""))
        except ValueError:
            return None
        aware: datetime = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
        return round((self._connection.clock.now() - aware).total_seconds())


def _on_shop(query: Mapping[str, str] | None, cipher: str | None) -> dict[str, str]:
    return {**(query or {}), "shop_cipher": cipher} if cipher else dict(query or {})


def _compact(body: Json | None) -> bytes | None:
    return json.dumps(body, separators=(",", ":")).encode() if body else None


def _offset(ahead_s: int | None) -> str:
    if ahead_s is None:
        return "off by an amount that the answer does not tell"
    return f"{abs(ahead_s)} s {'ahead of' if ahead_s >= 0 else 'behind'} theirs"


def read_pace(response: httpx.Response) -> Pace | None:
    """Say whether a call came too soon, by status or by code; no answer tells how many are left (T-123)."""
    told = response.status_code == httpx.codes.TOO_MANY_REQUESTS
    if not told and str(TOO_MANY).encode() in response.content:
        told = whole(parse(response.content) or {}, "code") == TOO_MANY
    return Pace(0, _retry_after(response) or AT_LEAST_S, slower=True) if told else None


def _retry_after(response: httpx.Response) -> float | None:
    value: Any = response.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdecimal() else None


def _scrubbed(message: str, request: httpx.Request) -> str:
    """Return a vendor's message without the secrets of the request, should it repeat one."""
    secrets = [request.url.params.get(name, "") for name in SECRET_NAMES]
    for secret in (*secrets, request.headers.get(TOKEN_HEADER, "")):
        if secret:
            message = message.replace(secret, "***")
    return message[:300]
