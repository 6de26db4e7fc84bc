"""Rules about webhooks: who signed is heard, nobody else, and what is said is only where to look."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial

from hub.contract import Hint, RejectedError, Webhook
from hub.testing.connection import Bench
from hub.testing.deeds import is_given
from hub.testing.stage import Stage, demand, needs, shown

SIGNED = ("webhook_bodies", "sign_webhook")
UNREADABLE = (b"", b"not json", b"null", b"[]", b"{}", b"\xff\xfe\xfd", b"[" * 50_000)
PLACES = 24


class WebhookRules:
    """Rules about read_webhook, list_webhooks, register_webhooks and remove_webhooks."""

    @needs("read_webhook", deeds=SIGNED)
    def test_a_signed_delivery_says_where_to_look(self, stage: Stage) -> None:
        """A webhook that hints at nothing wakes nobody, and the hub learns of the change an hour late."""
        bench, bodies = _ready(stage)
        for body in bodies:
            found = _read(stage, bench, stage.outside.sign_webhook(body))
            fine = isinstance(found, list) and found and all(isinstance(each, Hint) for each in found)
            demand(fine, f"a signed delivery of a known type gave {shown(found)}")

    @needs("read_webhook", deeds=SIGNED)
    def test_a_delivery_without_its_signature_is_refused(self, stage: Stage) -> None:
        """Anybody can find the address; what nobody signed must not cost a call or a look."""
        bench, bodies = _ready(stage)
        for body in bodies:
            headers = stage.outside.sign_webhook(body).headers
            for left_out in headers:
                left = {name: value for name, value in headers.items() if name != left_out}
                _refused(stage, bench, Webhook(left, body), f"a delivery without {left_out}")

    @needs("read_webhook", deeds=SIGNED)
    def test_a_tampered_delivery_is_refused(self, stage: Stage) -> None:
        """The signature is over the raw bytes: every byte of them counts, and every letter of the signature."""
        bench, bodies = _ready(stage)
        for body in bodies:
            headers = stage.outside.sign_webhook(body).headers
            for other in _others(body):
                _refused(stage, bench, Webhook(headers, other), f"the signature of {body[:80]!r} over {other[:80]!r}")
            for name, changed in _damaged(headers):
                _refused(stage, bench, Webhook(changed, body), f"a delivery whose {name} was changed by one letter")

    @needs("read_webhook", deeds=(*SIGNED, "unknown_webhook"))
    def test_a_delivery_of_an_unknown_type_gives_no_hint(self, stage: Stage) -> None:
        """The other side invents new types; an error would have each of them sent again and again."""
        bench, _ = _ready(stage)
        found = _read(stage, bench, stage.outside.sign_webhook(stage.outside.unknown_webhook()))
        demand(found == [], f"a signed delivery of an unknown type gave {shown(found)}")

    @needs("read_webhook", deeds=SIGNED)
    def test_a_signed_body_without_sense_gives_no_hint(self, stage: Stage) -> None:
        """It comes from the other side, which would send it again; there is nothing to look at."""
        bench, _ = _ready(stage)
        for body in UNREADABLE:
            found = _read(stage, bench, stage.outside.sign_webhook(body))
            demand(found == [], f"the signed body {body[:20]!r} gave {shown(found)}")

    @needs("read_webhook", deeds=SIGNED)
    def test_a_delivery_that_comes_again_gives_the_same_hints(self, stage: Stage) -> None:
        """Deliveries come twice, late and in any order; the hub looks again, and finds nothing new."""
        bench, bodies = _ready(stage)
        first = {body: _read(stage, bench, stage.outside.sign_webhook(body)) for body in bodies}
        for body in reversed(bodies):
            again = _read(stage, bench, stage.outside.sign_webhook(body))
            demand(again == first[body], f"a delivery gave {shown(first[body])}, and once more {shown(again)}")

    @needs("read_webhook", deeds=SIGNED)
    def test_reading_a_delivery_makes_no_call(self, stage: Stage) -> None:
        """The sender waits seconds for the answer, and calls are scarce: whoever floods us must not spend them."""
        bench, bodies = _ready(stage)
        for body in bodies:
            signed = stage.outside.sign_webhook(body)
            for each in (signed, Webhook({}, body)):
                calls = stage.calls_of(partial(_read, stage, bench, each))
                demand(not calls, f"reading a delivery took {calls} calls")

    @needs("register_webhooks", "list_webhooks", "remove_webhooks", deeds=("webhook_url",))
    def test_webhooks_are_registered_once_and_removed_again(self, stage: Stage) -> None:
        """Registering is the renewal as well: a second time must write nothing, and what is removed is gone."""
        bench, url = stage.bench(), stage.outside.webhook_url()
        made = bench.hooks.register_webhooks(url=url)
        demand(made, "register_webhooks subscribed nothing")
        demand(
            _active(bench, url) == sorted(each.event for each in made), "list_webhooks shows other webhooks than made"
        )
        writes = bench.guard.writes
        bench.hooks.register_webhooks(url=url)
        demand(bench.guard.writes == writes, f"registering again took {bench.guard.writes - writes} writes")
        for _ in range(2):
            demand(bench.hooks.remove_webhooks(url=url) is True, "remove_webhooks must return True, once and again")
            demand(not _active(bench, url), "remove_webhooks left something that is delivered")


def _ready(stage: Stage) -> tuple[Bench, Sequence[bytes]]:
    """Return a connector whose account delivers, and what is delivered."""
    bench, bodies = stage.bench(), list(stage.outside.webhook_bodies())
    demand(bodies, "webhook_bodies gave none, so there is nothing to check")
    if "register_webhooks" in stage.hooks and is_given(stage.outside, "webhook_url"):
        bench.hooks.register_webhooks(url=stage.outside.webhook_url())
    return bench, bodies


def _read(stage: Stage, bench: Bench, delivery: Webhook) -> object:
    return stage.attempt(partial(bench.hooks.read_webhook, delivery=delivery))


def _refused(stage: Stage, bench: Bench, delivery: Webhook, what: str) -> None:
    found = _read(stage, bench, delivery)
    fine = isinstance(found, RejectedError) and found.code == "webhook-signature"
    demand(fine, f"{what} gave {shown(found)}, not a RejectedError with code webhook-signature")


def _others(body: bytes) -> Iterator[bytes]:
    """Yield other bytes than these: single ones changed, some more, some less, the same JSON written anew."""
    for at in sorted({*range(0, len(body), max(len(body) // PLACES, 1)), len(body) - 1}):
        changed = bytearray(body)
        changed[at] ^= 1
        yield bytes(changed)
    yield from (body + b" ", body + b"\n", body[:-1])
    with suppress(ValueError):
        value = json.loads(body)
        texts = (json.dumps(value, indent=1), json.dumps(value), json.dumps(value, separators=(",", ":")))
        yield from (text.encode() for text in texts if text.encode() != body)


def _damaged(headers: Mapping[str, str]) -> Iterator[tuple[str, Mapping[str, str]]]:
    for name, value in headers.items():
        for at in {0, len(value) // 2, len(value) - 1}:
            letter = "0" if value[at] != "0" else "1"
            yield name, {**headers, name: value[:at] + letter + value[at + 1 :]}


def _active(bench: Bench, url: str) -> list[str]:
    return sorted(each.event for each in bench.hooks.list_webhooks() if each.url == url and each.active)
