"""The bearer key on each request."""

from __future__ import annotations

from collections.abc import Generator

import httpx
from pydantic import SecretStr

from hub.contract import AuthorizationError

HOW_TO_RECONNECT = (
    "Make a key in Katana under Settings > API > API keys (this needs a plan with API access), and set it as api_key."
)


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
