"""The TikTok Shop connector: one shop, and what each hook does for it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import ClassVar

from hub.contract import (
    Account,
    AuthorizationError,
    Cancellation,
    Carrier,
    Connection,
    Cursor,
    Finding,
    Fulfillment,
    Hint,
    ItemResult,
    Label,
    Listing,
    Location,
    Order,
    OrderRef,
    PackageResult,
    Page,
    RejectedError,
    Return,
    SellableStock,
    StockLevel,
    Subscription,
    Token,
    Variant,
    Webhook,
    hookimpl,
)  # fmt: skip
from hub_tiktok.address import Levels
from hub_tiktok.cancellations import Cancellations, cancellation
from hub_tiktok.carriers import Carriers
from hub_tiktok.catalogue import Catalogue
from hub_tiktok.changes import changed_at
from hub_tiktok.check import clock_findings, location_findings, scope_findings, shop_findings
from hub_tiktok.client import Client
from hub_tiktok.codes import SCOPE, UNREADABLE
from hub_tiktok.feed import Feed, Search
from hub_tiktok.listing import Listings
from hub_tiktok.locations import Warehouses
from hub_tiktok.orders import Ahead, Orders
from hub_tiktok.payload import Json, parse, text, whole
from hub_tiktok.returns import goods_return, search_returns
from hub_tiktok.settings import TikTokSettings
from hub_tiktok.shipping import Shipping
from hub_tiktok.shops import Shops
from hub_tiktok.stock import Stock
from hub_tiktok.tokens import CONSENT_NOTE, consent_url, exchanged, refreshed
from hub_tiktok.tracking import Tracking
from hub_tiktok.translate import Context
from hub_tiktok.translate import order as translated
from hub_tiktok.variants import variants
from hub_tiktok.webhooks import Webhooks


class TikTokConnector:
    """One TikTok Shop; each hook says how many calls it takes."""

    name: ClassVar[str] = "tiktok"
    settings_model: ClassVar[type[TikTokSettings]] = TikTokSettings
    capabilities: ClassVar[frozenset[str]] = frozenset({
        "check_connection", "list_locations", "pull_orders", "fetch_orders", "refresh_token",
        "pull_products", "find_variants", "pull_inventory", "push_inventory",
        "push_fulfillment", "update_fulfillment", "list_carriers", "fetch_label",
        "pull_cancellations", "decide_cancellation", "cancel_order", "pull_returns",
        "authorization_url", "exchange_code", "list_accounts", "check_listing", "push_products",
        "read_webhook", "list_webhooks", "register_webhooks", "remove_webhooks",
    })  # fmt: skip
    in_flight: ClassVar[int] = 2
    consent_note: ClassVar[str] = CONSENT_NOTE

    def __init__(self, connection: Connection[TikTokSettings]) -> None:
        self._connection = connection
        self._client = Client(connection)
        self._shops = Shops(connection, self._client)
        self._orders = Orders(connection, self._shops)
        self._warehouses = Warehouses(connection, self._client, self._shops)
        self._catalogue = Catalogue(connection, self._shops)
        self._stock = Stock(connection, self._shops, self._catalogue)
        self._carriers = Carriers(connection, self._shops)
        self._shipping = Shipping(connection, self._shops, self._carriers, self._read_again)
        self._webhooks = Webhooks(connection, self._shops)
        self._listings = Listings(connection, self._client, self._shops, self._warehouses)
        self._cancellations = Cancellations(connection, self._shops, self._read)
        self._tracking = Tracking(connection, self._client, self._shops, self._carriers, self._read_again)

    @hookimpl
    def check_connection(self) -> list[Finding]:
        """Prove the token, the shop, the scopes, the clock and the warehouses: two calls, three with TikTok's own."""
        scopes = scope_findings(self._connection.tokens.scopes(), self._client.reconsent)
        try:
            shop, ahead_s = self._shops.read()
        except AuthorizationError as error:
            return [*scopes, _unread("the shop", error)]
        findings = [*shop_findings(shop), *clock_findings(ahead_s), *scopes]
        try:
            findings += location_findings(self._warehouses.locations())
        except AuthorizationError as error:
            findings.append(_unread("the warehouses", error))
        return findings

    @hookimpl
    def list_locations(self) -> list[Location]:
        """Read every warehouse of the shop: one call, two with TikTok's own."""
        return self._warehouses.locations()

    @hookimpl
    def pull_orders(self, since: Cursor | None, start: datetime) -> Iterator[Page[Order]]:
        """Read changed orders, 100 a call, oldest change first; a quiet poll costs one call (T-45)."""
        for page in self._feed(Ahead(self._orders.begin_search), since, start).pages():
            context = self._context()
            yield Page(tuple(translated(payload, context) for payload in page.orders), _cursor(page.resume_at))

    @hookimpl
    def fetch_orders(self, orders: Sequence[OrderRef]) -> list[Order]:
        """Read known orders again: 50 a call by id, or 100 a call where their last changes lie close (T-52)."""
        payloads = self._orders.fetch(orders)
        context = self._context() if payloads else None
        return [translated(payload, context) for payload in payloads if context]

    @hookimpl
    def pull_products(self, since: Cursor | None, start: datetime | None) -> Iterator[Page[Variant]]:
        """Read changed products, 100 a call; with a cursor perhaps one call more for the deleted ones (T-96)."""
        begun = int(self._connection.clock.now().timestamp())
        begin = _marked(since)
        if begin is None and start is not None:
            begin = int(start.timestamp())
        own = self._warehouses.channel_run()
        seen: set[tuple[str, int | None]] = set()
        for page in self._catalogue.changed(begin, also_deleted=since is not None):
            fresh = [each for each in page if (text(each, "id"), whole(each, "update_time")) not in seen]
            seen |= {(text(each, "id"), whole(each, "update_time")) for each in page}
            yield Page(tuple(each for product in fresh for each in variants(product, own)))
        mark = begun - self._connection.settings.overlap_s
        yield Page((), _cursor(max(mark, begin or 0)))

    @hookimpl
    def find_variants(self, skus: Sequence[str]) -> list[Variant]:
        """Look SKUs up: 10 a call (T-95). What comes back is compared, for a filter may be ignored."""
        wanted = dict.fromkeys(sku for sku in skus if sku)
        if not wanted:
            return []
        own = self._warehouses.channel_run()
        found = {
            each.ref: each
            for product in self._catalogue.of_skus(list(wanted))
            for each in variants(product, own)
            if each.sku in wanted
        }
        return list(found.values())

    @hookimpl
    def pull_inventory(self, variants: Sequence[str] | None, location: str | None) -> Iterator[Page[StockLevel]]:
        """Read stock, with what buyers ordered and nobody shipped: 600 SKUs a call (T-98)."""
        for levels in self._stock.levels(variants, location):
            yield Page(levels)

    @hookimpl
    def push_inventory(self, stock: Sequence[SellableStock]) -> list[ItemResult]:
        """Set stock: one call per product, every warehouse of each SKU in it (T-99)."""
        return self._stock.push(stock)

    @hookimpl
    def push_fulfillment(self, fulfillment: Fulfillment, order: Order | None) -> list[PackageResult]:
        """Tell of parcels by the call that market and shipping type ask for (T-103)."""
        return self._shipping.push(fulfillment, self._present(fulfillment, order))

    @hookimpl
    def update_fulfillment(self, fulfillment: Fulfillment, order: Order | None) -> list[PackageResult]:
        """Correct tracking numbers: one call each; TikTok takes one correction within 72 hours (T-108)."""
        return self._tracking.update(fulfillment, self._present(fulfillment, order))

    @hookimpl
    def list_carriers(self, delivery_ref: str) -> list[Carrier]:
        """Read who may bring parcels of a delivery option: one call a day (T-109)."""
        return self._carriers.of(delivery_ref)

    @hookimpl
    def fetch_label(self, package_ref: str) -> Label:
        """Download the label of a parcel that TikTok carries (T-110)."""
        return self._tracking.label(package_ref)

    @hookimpl
    def pull_cancellations(self, since: Cursor | None, start: datetime) -> Iterator[Page[Cancellation]]:
        """Read changed cancellations, 50 a call, oldest change first (T-112)."""
        for page in self._feed(self._cancellations.search, since, start).pages():
            read = [(item, cancellation(item, self._changed_at(item, "cancel_status"))) for item in page.orders]
            for item in (item for item, value in read if value is None):
                self._connection.log.warning("cancellation-unreadable", status=text(item, "cancel_status"))
            yield Page(tuple(value for _, value in read if value is not None), _cursor(page.resume_at))

    @hookimpl
    def decide_cancellation(self, cancellation: Cancellation, accept: bool, reason: str | None) -> bool:
        """Accept or refuse a buyer's request: one call, two for a refusal (T-113)."""
        self._cancellations.decide(cancellation, accept=accept, reason=reason)
        return True

    @hookimpl
    def cancel_order(self, order_ref: str, reason: str | None) -> bool:
        """Cancel an order as its seller, for a reason of TikTok's that fits its status: two calls (T-114)."""
        self._cancellations.cancel(order_ref, reason)
        return True

    @hookimpl
    def pull_returns(self, since: Cursor | None, start: datetime) -> Iterator[Page[Return]]:
        """Read changed returns, 50 a call, oldest change first (T-115)."""
        received = self._connection.settings.received_statuses
        search = partial(search_returns, self._shops)
        for page in self._feed(search, since, start).pages():
            read = (goods_return(item, received, self._changed_at(item, "return_status")) for item in page.orders)
            yield Page(tuple(value for value in read if value is not None), _cursor(page.resume_at))

    @hookimpl
    def check_listing(self) -> list[Finding]:
        """Say what a listing would fail for: prerequisites, warehouses, delivery options (T-117)."""
        return self._listings.check()

    @hookimpl
    def push_products(self, listings: Sequence[Listing]) -> list[ItemResult]:
        """Publish new listings, or edit what changed of known ones (T-118, T-119)."""
        return self._listings.push(listings)

    @hookimpl
    def read_webhook(self, delivery: Webhook) -> list[Hint]:
        """Check a delivery's signature and say where to look: no call (T-81, T-129)."""
        return self._webhooks.read(delivery)

    @hookimpl
    def list_webhooks(self) -> list[Subscription]:
        """Read what TikTok delivers for this shop: one call (T-124)."""
        return self._webhooks.present()

    @hookimpl
    def register_webhooks(self, url: str) -> list[Subscription]:
        """Subscribe to each topic that matters: one call, and one for each that is missing (T-124)."""
        return self._webhooks.register(url)

    @hookimpl
    def remove_webhooks(self, url: str | None) -> bool:
        """Unsubscribe: one call, and one for each topic (T-124)."""
        self._webhooks.remove(url)
        return True

    @hookimpl
    def authorization_url(self, state: str, redirect_url: str | None) -> str:
        """Return the page of consent; where it leads back to is fixed in Partner Center (T-04)."""
        return consent_url(self._connection.settings, state, self._connection.id)

    @hookimpl
    def exchange_code(self, code: str, redirect_url: str | None) -> Token:
        """Exchange the code of a consent once, unsigned, for the first pair of tokens (T-09)."""
        return exchanged(self._client, code, self._connection)

    @hookimpl
    def list_accounts(self) -> list[Account]:
        """Read the shops that the token reaches: one call (T-19)."""
        return [Account(ref=shop.id, name=shop.name or shop.id, region=shop.region) for shop in self._shops.all()]

    @hookimpl
    def refresh_token(self, token: Token) -> Token:
        """Exchange the refresh token once, unsigned, for a new pair (T-12, T-13)."""
        return refreshed(self._client, token, self._connection.id)

    def _changed_at(self, record: Json, status_name: str) -> datetime:
        return changed_at(self._connection, record, status_name)

    def _feed(self, search: Search, since: Cursor | None, start: datetime) -> Feed:
        return Feed(
            search=search,
            log=self._connection.log,
            start=_resume_at(since, start),
            now=int(self._connection.clock.now().timestamp()),
            overlap_s=self._connection.settings.overlap_s,
        )

    def _present(self, fulfillment: Fulfillment, order: Order | None) -> Order:
        """Return the order a shipment belongs to, as it now stands; it is read where it was not given."""
        if order is not None:
            return order
        found = self._read(fulfillment.order_ref)
        if found is None:
            raise RejectedError(
                UNREADABLE.slug,
                f"TikTok Shop does not know order {fulfillment.order_ref}",
                where=self._connection.id,
                do=UNREADABLE.do,
            )
        return found

    def _read(self, order_ref: str) -> Order | None:
        found = self._orders.by_id([order_ref])
        return translated(found[0], self._context()) if found else None

    def _read_again(self, known: Order) -> Order | None:
        return self._read(known.ref)

    def _context(self) -> Context:
        shop, settings = self._shops.current(), self._connection.settings
        return Context(
            shop=shop.id,
            shop_name=shop.name,
            shop_region=shop.region,
            hold_s=settings.hold_s,
            levels=Levels(settings.city_levels, settings.state_levels),
        )


def _unread(what: str, error: AuthorizationError) -> Finding:
    """Return what a missing scope keeps from being read; whatever else is refused is raised."""
    if error.code != SCOPE.slug:
        raise error
    return Finding(ok=False, what=f"{what} cannot be read: {error.what}", do=error.do)


def _resume_at(since: Cursor | None, start: datetime) -> int:
    """Return the first second to read; a cursor that is not ours begins at ``start`` again, which loses nothing."""
    marked = _marked(since)
    return int(start.timestamp()) if marked is None else marked


def _cursor(resume_at: int) -> Cursor:
    return Cursor(json.dumps({"update_time_ge": resume_at}))


def _marked(since: Cursor | None) -> int | None:
    return whole(parse((since or "").encode()) or {}, "update_time_ge")
