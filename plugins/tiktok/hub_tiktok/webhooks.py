"""Webhooks: a delivery checked and read as hints, and the shop's subscriptions compared and mended.

Subscriptions are the shop's own: each shop's Connection registers its own URL. Partner Center can hold one URL for the
whole app besides (T-124); what comes there for all shops is heard for the one shop of the Connection that the URL
names, and hints at nothing for others, which are polled as ever.
"""

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
from hub_tiktok.errors import RefusedError
from hub_tiktok.payload import Json, child, children, parse, text, texts, whole
from hub_tiktok.settings import TikTokSettings
from hub_tiktok.shops import Shops
from hub_tiktok.sign import webhook_signature

EVENTS = (  # T-124, T-129: one topic a call; those that change anything the hub acts on
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


_READERS: Mapping[int, Callable[[Json], list[Hint]]] = {  # T-129; every other type is accepted, and hints at nothing
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
        # T-124, T-128: all shops of an app may deliver to one URL; some topics name no shop.
        if text(envelope, "shop_id") not in ("", self._settings.shop):
            return []
        reader = _READERS.get(whole(envelope, "type") or 0)
        return reader(child(envelope, "data")) if reader is not None else []

    def present(self) -> list[Subscription]:
        """Read what is delivered for this shop: one call."""
        rows = children(self._shops.call(SUBSCRIPTIONS), "webhooks")
        return [Subscription(event=text(row, "event_type"), url=text(row, "address")) for row in rows]

    def register(self, url: str) -> list[Subscription]:
        """Have each topic delivered to a URL: one call to compare, one for each that differs (T-124).

        A topic goes to one URL only, so ours takes the place of any other.

        Raises:
            ConfigurationError: the URL is not one that TikTok Shop delivers to, or it takes no topic at all for it.
        """
        fault = self._fault(url)
        if fault:
            raise self._url_refused(fault)
        known = {each.event: each.url for each in self.present()}
        self._connection.memory.set(_MEMORY, url)  # before: what a lost answer leaves behind is ours too
        refusals = {event: self._subscribe(event, url) for event in EVENTS if known.get(event) != url}
        made = [Subscription(event=event, url=url) for event in EVENTS if not refusals.get(event)]
        if not made:
            raise self._url_refused(next(filter(None, refusals.values())))
        return made

    def _subscribe(self, event: str, url: str) -> str:
        """Have one topic delivered; returns why it was refused, for not every market has every topic (T-132)."""
        try:
            self._shops.call(SUBSCRIBE, body={"address": url, "event_type": event})
        except RefusedError as error:
            if "address" in error.reason.replace(event, "").lower():  # a topic's own name may hold that word
                raise self._url_refused(error.reason) from None
            self._connection.log.warning("webhook-topic-refused", event_type=event, code=error.code, what=error.what)
            return error.reason or error.code
        return ""

    def remove(self, url: str | None) -> None:
        """End every subscription to a URL (None: the one that was registered): one call, and one for each topic."""
        ours = self._connection.memory.get(_MEMORY)
        unwanted = ours if url is None else url
        if not unwanted:
            return
        for each in self.present():
            if each.url == unwanted:
                self._shops.call(UNSUBSCRIBE, body={"event_type": each.event})
        if unwanted == ours:
            self._connection.memory.forget(_MEMORY)

    def _fault(self, url: str) -> str:
        """Say why TikTok would not deliver to a URL (T-125); a simulator on this machine delivers to it as it is."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return "it is no URL"
        if is_loopback(self._settings.api_url) and is_loopback(url):
            return ""
        faults = [
            (parts.scheme != "https", "it is not https"),
            (_is_no_domain(parts.hostname or ""), "its host is not a domain name"),
            (":" in parts.netloc.rpartition("@")[2], "it names a port"),
            (len(url) > _LONGEST_URL, f"it has over {_LONGEST_URL} characters"),
        ]
        return " and ".join(what for is_so, what in faults if is_so)

    def _url_refused(self, why: str) -> ConfigurationError:
        return ConfigurationError(
            "webhook-url",
            f"TikTok Shop does not deliver to this URL: {why}",
            where=self._connection.id,
            do="Give the https address of a domain, without a port, such as https://hub.example.com",
        )


def _is_no_domain(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return "." not in host
    return True
