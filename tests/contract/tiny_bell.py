"""A tiny system that rings when something changes, and a connector that hears it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import ClassVar

from pydantic import BaseModel, Field

from hub.contract import Hint, HintKind, RejectedError, Secret, Subscription, Webhook, hookimpl
from hub.testing import Reply
from tests.contract.tiny import TinyBase, TinySettings
from tests.contract.tiny_system import Json, TinySystem, reply

KEY = "tiny-bell-key"
TYPES = {"order": HintKind.ORDERS, "stock": HintKind.INVENTORY}


class TinyTower(TinySystem):
    """Rings at the addresses that were given to it."""

    def __init__(self) -> None:
        super().__init__()
        self.bells: list[Json] = [{"event": "order", "url": "https://others.example"}]

    def settings(self, url: str) -> Json:
        return super().settings(url) | {"bell_key": KEY}

    def webhook_url(self) -> str:
        return "https://hub.example/webhooks/tiny"

    def webhook_bodies(self) -> Sequence[bytes]:
        return [json.dumps({"type": each, "id": "17"}).encode() for each in TYPES]

    def unknown_webhook(self) -> bytes:
        return json.dumps({"type": "weather", "id": "17"}).encode()

    def sign_webhook(self, body: bytes) -> Webhook:
        return Webhook({"x-tiny": sign(body)}, body)

    def _get_bells(self, query: Json) -> Reply:
        return reply({"bells": self.bells})

    def _post_bells(self, body: Json) -> Reply:
        self.bells.append({"event": body["event"], "url": body["url"]})
        return reply(self.bells[-1], 201)

    def _post_silence(self, body: Json) -> Reply:
        self.bells = [bell for bell in self.bells if bell["url"] != body["url"]]
        return reply({})


class BellSettings(TinySettings):
    """Settings with the key of the signature."""

    bell_key: Secret = Field(description="Signs what is rung.", examples=["${TINY_BELL_KEY}"])


class TinyBell(TinyBase):
    """Hears what is signed, and says where to look."""

    name: ClassVar[str] = "tiny-bell"
    settings_model: ClassVar[type[BaseModel]] = BellSettings
    capabilities: ClassVar[frozenset[str]] = frozenset(
        {
            *("check_connection", "list_locations"),
            *("read_webhook", "list_webhooks", "register_webhooks", "remove_webhooks"),
        }
    )
    in_flight: ClassVar[int] = 1
    system: ClassVar[type[TinySystem]] = TinyTower

    def fits(self, delivery: Webhook) -> bool:
        return hmac.compare_digest(delivery.headers.get("x-tiny", "").encode(), sign(delivery.body).encode())

    @hookimpl
    def read_webhook(self, delivery: Webhook) -> list[Hint]:
        if not self.fits(delivery):
            raise RejectedError("webhook-signature", "nobody signed that", where="tiny", do="Look who rings.")
        return self.hints(delivery.body)

    def hints(self, body: bytes) -> list[Hint]:
        try:
            given = json.loads(body)
        except (ValueError, RecursionError):
            return []
        kind = TYPES.get(given.get("type")) if isinstance(given, dict) else None
        return [Hint(kind=kind, ref=given["id"])] if kind else []

    @hookimpl
    def list_webhooks(self) -> list[Subscription]:
        return [Subscription(event=row["event"], url=row["url"]) for row in self.send("GET", "bells")["bells"]]

    @hookimpl
    def register_webhooks(self, url: str) -> list[Subscription]:
        there = {each.event for each in self.list_webhooks() if each.url == url}
        for event in sorted(set(TYPES) - there):
            self.send("POST", "bells", body={"event": event, "url": url}, reads=False)
        return [Subscription(event=event, url=url) for event in TYPES]

    @hookimpl
    def remove_webhooks(self, url: str | None) -> bool:
        self.send("POST", "silence", body={"url": url}, reads=False)
        return True


def sign(body: bytes) -> str:
    return hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()
