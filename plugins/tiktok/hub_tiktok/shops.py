"""The configured shop and its cipher, remembered between runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TypeVar

from hub.contract import ConfigurationError, Connection
from hub_tiktok.client import Answer, Client
from hub_tiktok.endpoints import SHOPS, Endpoint
from hub_tiktok.errors import CipherRefusedError
from hub_tiktok.payload import Json, child, children, parse, text
from hub_tiktok.settings import TikTokSettings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop that the token reaches (T-19); ``region`` is ISO 3166-1 alpha-2."""

    id: str
    name: str
    region: str
    cipher: str
    seller_type: str = ""  # LOCAL or CROSS_BORDER


class Shops:
    """Finds the configured shop; the first use of a connection costs one call, later ones none."""

    def __init__(self, connection: Connection[TikTokSettings], client: Client) -> None:
        self._connection = connection
        self._client = client
        self._wanted = connection.settings.shop
        self._key = f"shop:{self._wanted}"

    def current(self) -> Shop:
        """Return the configured shop, from memory where possible."""
        remembered = parse((self._connection.memory.get(self._key) or "").encode())
        if remembered and text(child(remembered, "shop"), "cipher"):
            return _shop(child(remembered, "shop"))
        return self.read()[0]

    def read(self) -> tuple[Shop, int | None]:
        """Read the configured shop from outside, with how far our clock is ahead, and remember it.

        Raises:
            ConfigurationError: the token does not reach the configured shop; names those that it reaches.
        """
        answer = self._client.call(SHOPS)
        reached = [_shop(item) for item in children(answer.data, "shops")]
        shop = next((shop for shop in reached if shop.id == self._wanted), None)
        if shop is None:
            raise self._absent(reached)
        self._connection.memory.set(self._key, json.dumps({"shop": asdict(shop)}))
        return shop, answer.clock_ahead_s

    def all(self) -> list[Shop]:
        """Read every shop that the token reaches: one call."""
        return [_shop(item) for item in children(self._client.call(SHOPS).data, "shops")]

    def call(
        self,
        endpoint: Endpoint,
        query: Mapping[str, str] | None = None,
        *,
        body: Json | None = None,
        ids: Mapping[str, str] | None = None,
    ) -> Json:
        """Make one call on shop level and return its data."""
        return self.with_cipher(
            lambda shop: self._client.call(endpoint, query, body=body, ids=ids, cipher=shop.cipher)
        ).data

    def begin(self, endpoint: Endpoint, query: Mapping[str, str], *, body: Json, at_once: bool) -> Callable[[], Json]:
        """Do the first half of ``call``, as ``Client.begin`` does; what is returned does the other, once."""
        begun = [self._client.begin(endpoint, query, body=body, cipher=self.current().cipher, at_once=at_once)]

        def answer(shop: Shop) -> Answer:
            return begun.pop()() if begun else self._client.call(endpoint, query, body=body, cipher=shop.cipher)

        return lambda: self.with_cipher(answer).data

    def with_cipher(self, use: Callable[[Shop], T]) -> T:
        """Return what ``use`` returns; a refused cipher is read anew and used once more (T-20)."""
        try:
            return use(self.current())
        except CipherRefusedError:
            self._connection.memory.forget(self._key)
            self._connection.log.info("shop-cipher-refused", shop=self._wanted)
            return use(self.current())

    def _absent(self, reached: list[Shop]) -> ConfigurationError:
        listed = "; ".join(f"{shop.id} ({shop.name}, {shop.region})" for shop in reached) or "none"
        return ConfigurationError(
            "shop-not-reached",
            f"the consent does not reach shop {self._wanted}; it reaches: {listed}",
            where=f"{self._connection.id}, setting shop",
            do="Set shop to one of these ids. If the right one is missing, the likely cause is a consent given by a "
            f"sub account or for another shop. {self._client.reconsent}",
        )


def _shop(item: Json) -> Shop:
    return Shop(
        id=text(item, "id"),
        name=text(item, "name"),
        region=text(item, "region"),
        cipher=text(item, "cipher"),
        seller_type=text(item, "seller_type"),
    )
