"""Connectors that break one promise each about webhooks."""

from __future__ import annotations

import json
from contextlib import suppress

from hub.contract import Hint, RejectedError, Subscription, Webhook, hookimpl
from tests.contract.broken import breaks
from tests.contract.tiny_bell import TinyBell, sign


@breaks("test_a_signed_delivery_says_where_to_look")
class HearsOnlyOrders(TinyBell):
    @hookimpl
    def read_webhook(self, delivery: Webhook) -> list[Hint]:
        return [hint for hint in super().read_webhook(delivery) if hint.kind == "orders"]


@breaks("test_a_delivery_without_its_signature_is_refused")
class HearsWhoSignsNothing(TinyBell):
    def fits(self, delivery: Webhook) -> bool:
        return "x-tiny" not in delivery.headers or super().fits(delivery)


@breaks("test_a_tampered_delivery_is_refused")
class ChecksWhatItWroteAnew(TinyBell):
    def fits(self, delivery: Webhook) -> bool:
        body = delivery.body
        with suppress(ValueError, RecursionError):
            body = json.dumps(json.loads(body)).encode()
        return super().fits(delivery) or super().fits(Webhook(delivery.headers, body))


@breaks("test_a_tampered_delivery_is_refused")
class ComparesTheBeginningOnly(TinyBell):
    def fits(self, delivery: Webhook) -> bool:
        return bool(delivery.headers.get("x-tiny")) and sign(delivery.body)[:60] == delivery.headers["x-tiny"][:60]


@breaks("test_a_delivery_of_an_unknown_type_gives_no_hint")
class RefusesNewTypes(TinyBell):
    def hints(self, body: bytes) -> list[Hint]:
        found = super().hints(body)
        if b'"type"' in body and not found:
            raise RejectedError("unknown-type", "a type of delivery is not known", where="tiny", do="Tell somebody.")
        return found


@breaks("test_a_signed_body_without_sense_gives_no_hint")
class TripsOverNonsense(TinyBell):
    def hints(self, body: bytes) -> list[Hint]:
        json.loads(body)
        return super().hints(body)


@breaks("test_a_delivery_that_comes_again_gives_the_same_hints")
class HearsEverythingOnce(TinyBell):
    @hookimpl
    def read_webhook(self, delivery: Webhook) -> list[Hint]:
        found = super().read_webhook(delivery)
        heard = self.__dict__.setdefault("heard", set())
        if delivery.body in heard:
            return []
        heard.add(delivery.body)
        return found


@breaks("test_reading_a_delivery_makes_no_call")
class AsksWhoRings(TinyBell):
    @hookimpl
    def read_webhook(self, delivery: Webhook) -> list[Hint]:
        self.send("GET", "me")
        return super().read_webhook(delivery)


@breaks("test_webhooks_are_registered_once_and_removed_again")
class SubscribesEachTime(TinyBell):
    @hookimpl
    def register_webhooks(self, url: str) -> list[Subscription]:
        self.remove_webhooks(url)
        return super().register_webhooks(url)


@breaks("test_webhooks_are_registered_once_and_removed_again")
class RemovesNothing(TinyBell):
    @hookimpl
    def remove_webhooks(self, url: str | None) -> bool:
        return True
