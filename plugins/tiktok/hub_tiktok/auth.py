"""Signs each attempt of a request anew and carries the access token."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta

import httpx

from hub.contract import Clock, Tokens
from hub_tiktok.codes import CLOCK, row_of
from hub_tiktok.errors import is_token_refusal
from hub_tiktok.payload import parse, text, whole
from hub_tiktok.settings import TikTokSettings
from hub_tiktok.sign import request_signature

SLEPT = timedelta(seconds=60)  # longer than any call takes
REFUSAL_BYTES = 16_384  # what is larger holds data, so it refuses nothing; a page of orders is not read twice
TOKEN_HEADER = "x-tts-access-token"  # noqa: S105 - the name of a header (T-22)


class SignedAuth(httpx.Auth):
    """Signature and token for every attempt; one further attempt with a fresh token where the first one is refused.

    One further attempt too where the signature grew old on its way, because this machine slept in between.

    A signature lives 300 s and a token may be replaced by another process at any time, so nothing is kept between
    attempts (T-14, T-23). The further attempt is made for every code that may mean a dead token (T-18, T-36): whether
    there is a fresher one, only the store of tokens knows.
    """

    requires_request_body = True
    requires_response_body = True

    def __init__(self, settings: TikTokSettings, tokens: Tokens, clock: Clock) -> None:
        self._settings = settings
        self._tokens = tokens
        self._clock = clock

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Yield the signed request, and once more with another token where the answer refuses the first."""
        token, began = self._tokens.access_token(), self._clock.now()
        self._sign(request, token)
        response = yield request
        answer = (parse(response.content) if len(response.content) <= REFUSAL_BYTES else None) or {}
        code, message = whole(answer, "code") or 0, text(answer, "message")
        if is_token_refusal(code, message):
            self._sign(request, self._tokens.access_token(refused=token))
            yield request
        elif row_of(code, message) is CLOCK and self._clock.now() - began > SLEPT:
            self._sign(request, token)
            yield request

    def _sign(self, request: httpx.Request, token: str) -> None:
        now = str(int(self._clock.now().timestamp()))
        url = request.url.copy_merge_params({"app_key": self._settings.app_key, "timestamp": now})
        sign = request_signature(
            self._settings.app_secret.get_secret_value(),
            path=url.raw_path.partition(b"?")[0].decode("ascii"),
            query=url.params.multi_items(),
            body=request.content,
            content_type=request.headers.get("content-type", ""),
        )
        request.url = url.copy_set_param("sign", sign)
        request.headers[TOKEN_HEADER] = token
