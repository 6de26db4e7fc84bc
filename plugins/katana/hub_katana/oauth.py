"""Consent instead of a key (OAuth): the page to consent at, and the exchange of codes and tokens.

Refresh tokens rotate: each works once, and the replay of an old one kills all that came from it (K-87). So nothing here
is ever sent twice; the hub stores the new pair before it uses it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx

from hub.contract import (
    AuthorizationError,
    Call,
    ConfigurationError,
    Connection,
    Token,
    TransientError,
)  # fmt: skip
from hub_katana.answers import decode
from hub_katana.pace import retry_after_s
from hub_katana.settings import LOGIN_URL, KatanaSettings

_SCOPE, _AUDIENCE = "offline_access", "https://api.katanamrp.com"
_PATH = "/oauth/token"
_SHORT_LIFE_S = 3600  # where the answer tells none  # K-87
_LATER = "Nothing to do: the hub tries again."


class OAuth:
    """Speaks to the login host of one Katana app."""

    def __init__(self, connection: Connection[KatanaSettings]) -> None:
        self._connection = connection
        self._settings = connection.settings

    def consent_page(self, state: str, redirect_url: str | None) -> str:
        """Return where a person consents."""
        query = {
            "response_type": "code",
            "scope": _SCOPE,
            "audience": _AUDIENCE,
            "client_id": self._client_id(),
            "redirect_uri": redirect_url,
            "state": state,
        }
        given = {name: value for name, value in query.items() if value is not None}
        return f"{self._settings.login_url or LOGIN_URL}/authorize?{urlencode(given)}"

    def exchange(self, code: str, redirect_url: str | None) -> Token:
        """Exchange the code of a consent for the first pair."""
        redirect = {} if redirect_url is None else {"redirect_uri": redirect_url}
        return self._pair({"grant_type": "authorization_code", "code": code, **redirect}, before="")

    def refresh(self, token: Token) -> Token:
        """Exchange a refresh token for the next pair."""
        given = {"grant_type": "refresh_token", "refresh_token": token.refresh_token}
        return self._pair(given, before=token.refresh_token)

    def _pair(self, given: dict[str, str], *, before: str) -> Token:
        """Ask for a pair; where the answer brings no refresh token, the one ``before`` goes on being good."""
        answer = self._ask(given)
        access, refresh = answer.get("access_token"), answer.get("refresh_token") or before
        if not (isinstance(access, str) and access and isinstance(refresh, str) and refresh):
            # The old token is spent, whatever came back: only a person can mend it.
            what = "Katana's login host answered without tokens"
            raise AuthorizationError("consent-needed", what, where=self._where, do=self._reconsent)
        now, told = self._connection.clock.now(), str(answer.get("expires_in"))
        life_s = int(told) if told.isascii() and told.isdecimal() else _SHORT_LIFE_S
        scopes = tuple(str(answer.get("scope") or "").split())
        return Token(
            access_token=access,
            refresh_token=refresh,
            access_expires_at=now + timedelta(seconds=life_s),
            scopes=scopes,
        )

    def _ask(self, given: dict[str, str]) -> dict[str, Any]:
        client_secret = self._settings.client_secret
        form = {
            "client_id": self._client_id(),
            "client_secret": client_secret.get_secret_value() if client_secret else "",
        }
        response = self._connection.http.post(
            f"{self._settings.login_url or LOGIN_URL}{_PATH}",
            content=urlencode(form | given).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            extensions={"hub": Call(reads=False)},
        )
        body = _body(response)
        if not response.is_success:
            raise self._refusal(response, body)
        return body

    def _refusal(self, response: httpx.Response, body: dict[str, Any]) -> AuthorizationError | TransientError:
        word = str(body.get("error") or f"HTTP {response.status_code}")[:60]
        is_busy = response.status_code == httpx.codes.TOO_MANY_REQUESTS
        if is_busy or response.status_code >= 500:
            what = "Katana's login host is busy" if is_busy else f"Katana's login host answered {response.status_code}"
            return TransientError(
                "rate-limited" if is_busy else "other-side-unavailable",
                what,
                where=self._where,
                do=_LATER,
                retry_after_s=retry_after_s(response),
                may_have_happened=not is_busy,
            )
        if word == "invalid_grant":
            what = "Katana does not take the consent any more: its code or token is used, unknown or expired"
            return AuthorizationError("consent-needed", what, where=self._where, do=self._reconsent)
        what = f"Katana's login host refuses the app ({word})"
        do = "Check client_id, client_secret and the redirect address with what Katana handed out for the app."
        return AuthorizationError("app-refused", what, where=self._where, do=do)

    def _client_id(self) -> str:
        if self._settings.client_id is None:
            what = "this connection opens its account with an API key, so there is nothing to consent to"
            do = "Leave it, or give client_id and client_secret in place of api_key."
            raise ConfigurationError("consent-not-used", what, where=self._connection.id, do=do)
        return self._settings.client_id

    @property
    def _where(self) -> str:
        return f"{self._connection.id}, POST {_PATH}"

    @property
    def _reconsent(self) -> str:
        return f"Let a person consent again: hub connect {self._connection.id}"


def _body(response: httpx.Response) -> dict[str, Any]:
    try:
        body = decode(response)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
