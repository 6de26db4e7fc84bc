"""Who subscribed to what, and the notices made of what happens."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from tiktok_simulator.clock import Clock
from tiktok_simulator.options import Options
from tiktok_simulator.webhooks.mailer import Delivery, Mailer
from tiktok_simulator.webhooks.topics import STOCK, WORDS
from tiktok_simulator.wire import Json, dumps


@dataclass(slots=True)
class Subscription:
    """Where one topic of one shop is delivered to."""

    event_type: str
    address: str
    create_time: int
    update_time: int


class Outlet:
    """Subscriptions by shop and topic; what happens is told here, by whomever it was done."""

    def __init__(self, clock: Clock, options: Options) -> None:
        self._clock, self._options = clock, options
        self._subscriptions: dict[str, dict[str, Subscription]] = {}
        self._numbers = itertools.count(1)
        self.mailer = Mailer(clock, options)

    def subscribe(self, shop: str, word: str, address: str) -> None:
        """Deliver a topic to an address; there is one address for each (T-124)."""
        now, own = int(self._clock.now()), self._subscriptions.setdefault(shop, {})
        known = own.get(word)
        own[word] = Subscription(word, address, known.create_time if known else now, now)

    def unsubscribe(self, shop: str, word: str) -> None:
        """Deliver a topic no more; one that is not delivered stays so (T-124)."""
        self._subscriptions.get(shop, {}).pop(word, None)

    def of_shop(self, shop: str) -> list[Subscription]:
        """What is subscribed to for a shop."""
        return list(self._subscriptions.get(shop, {}).values())

    def address_of(self, shop: str, topic: int) -> str:
        """Where a topic of a shop goes: as registered, else to the app's one URL, if it has one; empty: nowhere."""
        own = self._subscriptions.get(shop)
        known = own.get(WORDS[topic]) if own else None
        return known.address if known else self._options["webhook_app_url"]

    def tell(self, shop: str, topic: int, data: Json, at: int | None = None) -> None:
        """Deliver a notice to who wants it, signed when it is sent (T-81, T-128)."""
        address = self.address_of(shop, topic)
        if not address:
            return
        if self._options["webhooks"] == "off":
            self.mailer.drop("off")
            return
        number = f"7600{next(self._numbers):015d}"
        whose = {"seller_open_id": "simulatedOpenId"} if topic == STOCK else {"shop_id": shop}
        envelope: Json = {"type": topic, "tts_notification_id": number, **whose}
        envelope |= {"timestamp": int(self._clock.now()) if at is None else at, "data": data}
        self.mailer.put(Delivery(number, topic, shop, address, dumps(envelope)))
