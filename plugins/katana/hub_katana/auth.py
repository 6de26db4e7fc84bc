"""The bearer on each request: the account's API key, or an access token where a person consented (OAuth)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import httpx
from pydantic import SecretStr

from hub.contract import AuthorizationError, Connection, Tokens
from hub_katana.settings import KatanaSettings

HOW_TO_RECONNECT = (
    "Make a key in Katana under Settings > API > API keys (this needs a plan with API access), and set it as api_key."
)


@dataclass(frozen=True, slots=True)
class Reconnect:
    """What opens the account, and what a person does where Katana does not take it any more."""

    credential: str
    do: str


WITH_KEY = Reconnect("API key", HOW_TO_RECONNECT)


def reconnecting(settings: KatanaSettings, connection_id: str) -> Reconnect:
    """Return how this account is opened again."""
    if settings.api_key is not None:
        return WITH_KEY
    return Reconnect("access token", f"Let a person consent again: hub connect {connection_id}")


def authentication(connection: Connection[KatanaSettings]) -> httpx.Auth:
    """Return the one way of the two that the settings give."""
    key = connection.settings.api_key
    return TokenAuth(connection.tokens) if key is None else BearerAuth(key, connection.id)


class BearerAuth(httpx.Auth):
    """Adds ``Authorization: Bearer <key>`` (K-01).

    Raises: AuthorizationError where the key holds letters that cannot stand in a header; sent as it is, it would
            come back inside the transport's own error text.
    """

    def __init__(self, key: SecretStr, where: str) -> None:
        self._key = key
        self._where = where

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        key = self._key.get_secret_value().strip()
        if not key or not (key.isascii() and key.isprintable()):
            what = "the API key is empty or holds letters that no key has"
            raise AuthorizationError("credentials-refused", what, where=self._where, do=HOW_TO_RECONNECT)
        request.headers["Authorization"] = f"Bearer {key}"
        yield request


class TokenAuth(httpx.Auth):
    """Adds the stored access token as the bearer (K-87); once more with a fresh one where it is refused.

    A call that was answered 401 was not processed, so a write may be sent again too.
    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = self._tokens.access_token()
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return
        fresh = self._tokens.access_token(refused=token)
        if fresh != token:
            request.headers["Authorization"] = f"Bearer {fresh}"
            yield request
