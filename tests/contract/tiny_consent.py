"""A tiny system that a person lets the hub into, and a connector that asks for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field

from hub.contract import Account, Secret, Token, hookimpl
from hub.contract import OutsideUrl as Url
from hub.testing import Reply, Request
from tests.contract.tiny import TinyBase
from tests.contract.tiny_system import Json, TinySystem, reply

FIRST = "tiny-first-refresh"


class TinyDoor(TinySystem):
    """Codes and tokens; each code and each refresh token works once."""

    def __init__(self) -> None:
        super().__init__()
        self.codes: set[str] = set()
        self.living: set[str] = set()
        self.refreshing: set[str] = {FIRST}
        self.made = 0

    def settings(self, url: str) -> Json:
        return super().settings(url) | {"refresh_token": FIRST}

    def consent_settings(self, url: str) -> Json:
        return super().settings(url)

    def consent(self, state: str, redirect_url: str) -> str:
        self.made += 1
        self.codes.add(f"tiny-code-{self.made}")
        return f"tiny-code-{self.made}"

    def refuse_credentials(self) -> None:
        super().refuse_credentials()
        self.living.clear()

    def _answer(self, request: Request) -> Reply:
        if request.path == "/tokens":
            return super()._answer(request)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.living:
            return reply({"message": "who are you?"}, 401)
        known = Request(request.method, request.path, request.query, {"authorization": f"Bearer {self.key}"}, b"{}")
        return super()._answer(known)

    def _post_tokens(self, body: Json) -> Reply:
        code, refresh = body.get("code"), body.get("refresh")
        if code not in self.codes and refresh not in self.refreshing:
            return reply({"message": "not any more"}, 403)
        self.codes.discard(str(code))
        self.refreshing.discard(str(refresh))
        self.made += 1
        pair = {"access": f"tiny-access-{self.made}", "refresh": f"tiny-refresh-{self.made}"}
        self.living.add(pair["access"])
        self.refreshing.add(pair["refresh"])
        return reply(pair)

    def _get_accounts(self, query: Json) -> Reply:
        return reply({"accounts": [{"id": "a1", "name": "Tiny shop"}, {"id": "a2", "name": "Tiny outlet"}]})


class ConsentSettings(BaseModel):
    """Settings of an app that people let in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Url = Field(description="Where the system answers.", examples=["https://tiny.example"])
    api_key: Secret = Field(description="The app's key.", examples=["${TINY_API_KEY}"])
    refresh_token: Secret | None = Field(default=None, description="In place of a consent.")


class TinyConsent(TinyBase):
    """Lets a person consent, and works with the tokens."""

    name: ClassVar[str] = "tiny-consent"
    settings_model: ClassVar[type[BaseModel]] = ConsentSettings
    capabilities: ClassVar[frozenset[str]] = frozenset(
        {
            *("check_connection", "list_locations", "list_accounts"),
            *("authorization_url", "exchange_code", "refresh_token"),
        }
    )
    in_flight: ClassVar[int] = 1
    system: ClassVar[type[TinySystem]] = TinyDoor

    def bearer(self) -> str:
        return self.connection.tokens.access_token()

    @hookimpl
    def authorization_url(self, state: str, redirect_url: str | None) -> str:
        return f"{self.connection.settings.url}/consent?{urlencode({'state': state, 'back': redirect_url or ''})}"

    @hookimpl
    def exchange_code(self, code: str, redirect_url: str | None) -> Token:
        return self.pair(code=code)

    @hookimpl
    def refresh_token(self, token: Token) -> Token:
        return self.pair(refresh=token.refresh_token)

    def pair(self, **wish: str) -> Token:
        key = self.connection.settings.api_key.get_secret_value()
        answer = self.send("POST", "tokens", body=wish, reads=False, bearer=key)
        return self.token(answer)

    def token(self, answer: Json) -> Token:
        until: Any = self.connection.clock.now() + timedelta(hours=1)
        return Token(access_token=answer["access"], refresh_token=answer["refresh"], access_expires_at=until)

    @hookimpl
    def list_accounts(self) -> list[Account]:
        rows = self.send("GET", "accounts")["accounts"]
        return [Account(ref=row["id"], name=row["name"]) for row in rows]
