"""Webhooks: a delivery checked and read as hints, and the shop's subscriptions compared and mended."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from ipaddress import ip_address
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
from hub_tiktok.endpoints import SUBSCRIBE, SUBSCRIPTIONS, UNSUBSCRIBE
from hub_tiktok.payload import Json, child, children, parse, text, texts, whole
from hub_tiktok.settings import TikTokSettings
from hub_tiktok.shops import Shops
from hub_tiktok.sign import webhook_signature

EVENTS = (  # T-123: one topic a call; those that change anything the hub acts on
    "ORDER_STATUS_CHANGE",
    "RECIPIENT_ADDRESS_UPDATE",
    "PACKAGE_UPDATE",
    "CANCELLATION_STATUS_CHANGE",
    "RETURN_STATUS_CHANGE",
    "PRODUCT_STATUS_CHANGE",
    "PRODUCT_INFORMATION_CHANGE",
    "PRODUCT_CREATION",
    "PRODUCT_AUDIT_STATUS_CHANGE",
    "INVOICE_STATUS_CHANGE",
    "SELLER_DEAUTHORIZATION",
    "UPCOMING_AUTHORIZATION_EXPIRATION",
)
_MEMORY = "webhook-url"
_LONGEST_URL = 255


def _order(data: Json) -> list[Hint]:
    return _hints(HintKind.ORDERS, text(data, "order_id"))


def _packages(data: Json) -> list[Hint]:
    refs = [ref for package in children(data, "package_list") for ref in texts(package, "order_id_list")]
    return _hints(HintKind.ORDERS, *refs)


def _cancellation(data: Json) -> list[Hint]:
    return _order(data) + _hints(HintKind.CANCELLATIONS, text(data, "cancel_id"))


def _product(data: Json) -> list[Hint]:
    return _hints(HintKind.PRODUCTS, text(data, "product_id"))


def _consent(_data: Json) -> list[Hint]:
    return [Hint(kind=HintKind.AUTHORIZATION)]


def _after_sale(_data: Json) -> list[Hint]:
    return [Hint(kind=HintKind.RETURNS)]


_READERS: Mapping[int, Callable[[Json], list[Hint]]] = {  # T-126; every other type is accepted, and hints at nothing
    1: _order,
    2: lambda data: _order(data) + _after_sale(data),
    3: _order,
    4: _packages,
    5: _product,
    6: _consent,
    7: _consent,
    11: _cancellation,
    12: lambda data: _hints(HintKind.RETURNS, text(data, "return_id")),
    15: _product,
    16: _product,
    18: _product,
    36: lambda data: _hints(HintKind.ORDERS, *texts(data, "order_ids")),
    37: _product,
    64: _after_sale,
    65: _after_sale,
    67: _after_sale,
    68: lambda data: _hints(HintKind.INVENTORY, text(data, "sku_id")),
}


def _hints(kind: HintKind, *refs: str) -> list[Hint]:
    return [Hint(kind=kind, ref=ref) for ref in dict.fromkeys(refs) if ref]


class Webhooks:
    """Deliveries to one shop, and what TikTok delivers for it."""

    def __init__(self, connection: Connection[TikTokSettings], shops: Shops) -> None:
        self._connection, self._settings, self._shops = connection, connection.settings, shops

    def read(self, delivery: Webhook) -> list[Hint]:
        """Return what a delivery hints at; makes no call.

        Raises:
            RejectedError: the signature is not that of this app over these very bytes (T-81).
        """
        secret, body = self._settings.app_secret.get_secret_value(), delivery.body
        expected = webhook_signature(secret, app_key=self._settings.app_key, body=body)
        if not hmac.compare_digest(delivery.headers.get("authorization", "").encode(), expected.encode()):
            raise RejectedError(
                "webhook-signature",
                "a delivery's signature does not fit its body",
                where=self._connection.id,
                do="Where TikTok Shop itself sent it: check the settings app_key and app_secret against Partner Center",
            )
        envelope = parse(body) or {}
        # T-125: all shops of an app may deliver to one URL; some topics name no shop.
        if text(envelope, "shop_id") not in ("", self._settings.shop):
            return []
        reader = _READERS.get(whole(envelope, "type") or 0)
        return reader(child(envelope, "data")) if reader is not None else []

    def present(self) -> list[Subscription]:
        """Read what is delivered for this shop: one call."""
        rows = children(self._shops.call(SUBSCRIPTIONS), "webhooks")
        return [Subscription(event=text(row, "event_type"), url=text(row, "address")) for row in rows]

    def register(self, url: str) -> list[Subscription]:
        """Have each topic delivered to a URL: one call to compare, one for each that differs (T-123)."""
        self._check(url)
        known = {each.event: each.url for each in self.present()}
        made = []
        for event in EVENTS:
            if known.get(event) != url:
                try:
                    self._shops.call(SUBSCRIBE, body={"address": url, "event_type": event})
                except RejectedError as error:  # not every market has every topic
                    self._connection.log.warning("webhook-refused", event_type=event, code=error.code, what=error.what)
                    continue
            made.append(Subscription(event=event, url=url))
        self._connection.memory.set(_MEMORY, url)
        return made

    def remove(self, url: str | None) -> None:
        """End every subscription to a URL, or to those this Connection registered: one call, and one for each."""
        for each in self.present():
            if each.url == url or (url is None and self._is_ours(each.url)):
                self._shops.call(UNSUBSCRIBE, body={"event_type": each.event})
        if url in (None, self._connection.memory.get(_MEMORY)):
            self._connection.memory.forget(_MEMORY)

    def _is_ours(self, url: str) -> bool:
        return url == self._connection.memory.get(_MEMORY) or url.endswith(f"/webhooks/{self._connection.id}")

    def _check(self, url: str) -> None:
        """Refuse what TikTok would not deliver to (T-124); a simulator on this machine delivers to it as it is."""
        if is_loopback(self._settings.api_url) and is_loopback(url):
            return
        parts = urlsplit(url)
        faults = [
            (parts.scheme != "https", "it is not https"),
            (_is_no_domain(parts.hostname or ""), "its host is not a domain name"),
            (":" in parts.netloc.rpartition("@")[2], "it names a port"),
            (len(url) > _LONGEST_URL, f"it has over {_LONGEST_URL} characters"),
        ]
        said = [what for is_so, what in faults if is_so]
        if said:
            raise ConfigurationError(
                "webhook-url",
                f"TikTok Shop does not deliver to this URL: {' and '.join(said)}",
                where=self._connection.id,
                do="Give the https address of a domain, without a port, such as https://hub.example.com",
            )


def _is_no_domain(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return "." not in host
    return True
