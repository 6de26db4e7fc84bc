"""Webhooks: a delivery checked and read as hints, and the subscription of one URL kept as it should be."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from hub.contract import (
    ConfigurationError,
    Connection,
    Hint,
    HintKind,
    RejectedError,
    Subscription,
    Webhook,
    is_loopback,
)  # fmt: skip
from hub_katana.answers import Row
from hub_katana.client import Client
from hub_katana.failures import RefusedError, unreadable
from hub_katana.settings import KatanaSettings
from hub_katana.webhook_keys import WebhookKeys

_SIGNATURE, _PREFIX = "x-sha2-signature", "sha256="  # K-94
_PATH = "/webhooks"
_URLS = "webhook-urls"
_LONGEST_ID = 20

# K-98: those that change something the hub acts on. Left out: sales_order.created, since it echoes our own orders and
# names no variant (what others sell, out_of_stock tells); manufacturing orders and purchases, since what they change of
# stock current_inventory tells.
_KINDS: Mapping[str, HintKind] = {
    f"{resource}.{what}": kind
    for kind, resources, happenings in (
        (HintKind.FULFILLMENTS, ("sales_order",), ("updated", "deleted", "packed", "delivered")),
        (
            HintKind.INVENTORY,
            ("current_inventory",),
            ("product_updated", "product_out_of_stock", "material_updated", "material_out_of_stock"),
        ),
        (HintKind.PRODUCTS, ("variant", "product", "material"), ("created", "updated", "deleted")),
    )
    for resource in resources
    for what in happenings
}
EVENTS = tuple(_KINDS)


class Webhooks:
    """Deliveries to one Connection, and what Katana delivers to it."""

    def __init__(self, connection: Connection[KatanaSettings], client: Client) -> None:
        self._connection, self._client = connection, client
        self._keys = WebhookKeys(connection.secrets, connection.clock)

    def read(self, delivery: Webhook) -> list[Hint]:
        """Return what a delivery hints at; makes no call.

        Raises:
            RejectedError: the signature is not made with a token of ours over these very bytes (K-94).
        """
        given = delivery.headers.get(_SIGNATURE, "").removeprefix(_PREFIX).encode()
        # Each is compared, so that the time it takes does not tell which of them fits.
        fits = [hmac.compare_digest(given, _signature(token, delivery.body)) for token in self._keys.tokens()]
        if not any(fits):
            raise RejectedError(
                "webhook-signature",
                "a delivery's signature does not fit its body",
                where=self._connection.id,
                do="Where Katana itself sent it: register the webhooks again, which keeps the key of what it sends",
            )
        try:
            return _hints(json.loads(delivery.body))
        except (ValueError, RecursionError):
            return []

    def present(self) -> list[Subscription]:
        """Read what Katana delivers, and where to: one call."""
        return [each for row in self._rows() for each in _subscriptions(row)]

    def register(self, url: str) -> list[Subscription]:
        """Have every event delivered to a URL: one call to compare, and one for each difference.

        A subscription whose key is not known is made anew, before the old one ends (K-92, K-93).
        """
        self._check(url)
        there = [row for row in self._rows() if row.get("url") == url]
        kept = next((row for row in there if self._keys.token_of(row)), None)
        self._remember({*self._own_urls(), url})  # before: what a lost answer leaves behind is ours too
        made = self._make(url) if kept is None else self._mend(kept)
        # The answer to a change need not show the key again.
        self._keys.keep(int(made["id"]), url, self._keys.token_of(made) or self._keys.token_of(kept or {}))
        for row in there:
            if row is not kept:
                self._client.remove(f"{_PATH}/{row['id']}")
        return _subscriptions(made)

    def remove(self, url: str | None) -> None:
        """End the subscriptions of a URL, or of those this Connection registered: one call, and one for each."""
        urls = self._own_urls() if url is None else {url}
        for row in self._rows():
            if row.get("url") in urls:
                self._client.remove(f"{_PATH}/{row['id']}")
        left = self._own_urls() - urls
        self._keys.forget(urls)
        self._remember(left)

    def _rows(self) -> list[Row]:
        rows = [row for listing in self._client.pages(_PATH) for row in listing.rows if isinstance(row.get("id"), int)]
        return list({row["id"]: row for row in rows}.values())

    def _make(self, url: str) -> Row:
        body = {"url": url, "subscribed_events": list(EVENTS), "description": f"hub: {self._connection.id}"}
        try:
            made = self._client.create(_PATH, body)
        except RefusedError as refused:
            if not any(detail.path == "/url" for detail in refused.refusal.details):
                raise
            raise self._refused_url(refused.what) from refused
        if not self._keys.token_of(made):
            raise unreadable(where=f"{self._connection.id}, POST {_PATH}", reads=False)
        return made

    def _mend(self, row: Row) -> Row:
        if row.get("enabled") is True and set(row.get("subscribed_events") or ()) == set(EVENTS):
            return row
        wanted = {"subscribed_events": list(EVENTS), "enabled": True}
        return {**row, **self._client.change(f"{_PATH}/{row['id']}", wanted)}

    def _own_urls(self) -> set[str]:
        try:
            remembered = json.loads(self._connection.memory.get(_URLS) or "[]")
        except ValueError:
            remembered = []
        return {*remembered, *self._keys.urls()}

    def _remember(self, urls: set[str]) -> None:
        text, memory = json.dumps(sorted(urls)), self._connection.memory
        if text != (memory.get(_URLS) or "[]"):
            memory.set(_URLS, text)

    def _check(self, url: str) -> None:
        """Refuse what Katana would not deliver to (K-92); a simulator on this machine delivers to it as it is."""
        parts = urlsplit(url)
        is_here = is_loopback(self._connection.settings.api_url) and is_loopback(url)
        if not parts.hostname or not (parts.scheme == "https" or is_here):
            raise self._refused_url("it is not https")

    def _refused_url(self, why: str) -> ConfigurationError:
        return ConfigurationError(
            "webhook-url",
            f"Katana does not deliver to this URL: {why}",
            where=self._connection.id,
            do="Give an https address that Katana can reach, such as https://hub.example.com",
        )


def _signature(token: str, body: bytes) -> bytes:
    return hmac.new(token.encode(), body, hashlib.sha256).hexdigest().encode()


def _hints(body: Any) -> list[Hint]:
    """Read a payload (K-95); actions that are not subscribed hint at nothing, and neither does what has no shape."""
    given = body if isinstance(body, dict) else {}
    action, about = str(given.get("action")), given.get("object")
    kind, about = _KINDS.get(action), about if isinstance(about, dict) else {}
    if kind is HintKind.FULFILLMENTS:
        return [Hint(kind=kind, ref=_id(about, "id"))]
    if kind is HintKind.INVENTORY:  # K-96
        ref = _id(about, "variant_id", "id")
        return [Hint(kind=kind, ref=ref)] if ref else []  # without one, each would ask for the whole stock
    if kind is HintKind.PRODUCTS:  # a product's id is no variant's (K-29)
        return [Hint(kind=kind, ref=_id(about, "id") if action.startswith("variant.") else None)]
    return []


def _id(about: Mapping[str, Any], *names: str) -> str | None:
    """Return the first id there is, be it written as a number or as text."""
    for name in names:
        value = about.get(name)
        text = str(value) if isinstance(value, int | str) else ""
        if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_ID:
            return text
    return None


def _subscriptions(row: Row) -> list[Subscription]:
    events: Iterable[Any] = row.get("subscribed_events") or ()
    url, active = str(row.get("url")), row.get("enabled") is True
    return [Subscription(event=str(event), url=url, active=active) for event in events]
