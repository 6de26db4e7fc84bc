"""The TikTok Shop connector: one shop, its orders."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import ClassVar

from hub.contract import (
    AuthorizationError,
    Connection,
    Cursor,
    Finding,
    Location,
    Order,
    OrderRef,
    Page,
    Token,
    hookimpl,
)  # fmt: skip
from hub_tiktok.address import Levels
from hub_tiktok.check import clock_findings, location_findings, scope_findings, shop_findings
from hub_tiktok.client import Client
from hub_tiktok.errors import SCOPE
from hub_tiktok.feed import Feed
from hub_tiktok.locations import Warehouses
from hub_tiktok.orders import Orders
from hub_tiktok.payload import parse, whole
from hub_tiktok.settings import TikTokSettings
from hub_tiktok.shops import Shops
from hub_tiktok.tokens import refreshed
from hub_tiktok.translate import Context, order


class TikTokConnector:
    """One TikTok Shop: reads its orders and warehouses and renews its tokens."""

    name: ClassVar[str] = "tiktok"
    settings_model: ClassVar[type[TikTokSettings]] = TikTokSettings
    capabilities: ClassVar[frozenset[str]] = frozenset(
        {"check_connection", "list_locations", "pull_orders", "fetch_orders", "refresh_token"}
    )
    in_flight: ClassVar[int] = 2

    def __init__(self, connection: Connection[TikTokSettings]) -> None:
        self._connection = connection
        self._client = Client(connection)
        self._shops = Shops(connection, self._client)
        self._orders = Orders(connection, self._client, self._shops)
        self._warehouses = Warehouses(connection, self._client, self._shops)

    @hookimpl
    def check_connection(self) -> list[Finding]:
        """Prove the token, the shop, the scopes, the clock and the warehouses: two calls, three with TikTok's own."""
        shop, ahead_s = self._shops.read()
        findings = [*shop_findings(shop), *clock_findings(ahead_s)]
        findings += scope_findings(self._connection.tokens.scopes(), self._client.reconsent)
        try:
            findings += location_findings(self._warehouses.locations())
        except AuthorizationError as error:
            if error.code != SCOPE.slug:
                raise
            findings.append(Finding(ok=False, what=f"the warehouses cannot be read: {error.what}", do=error.do))
        return findings

    @hookimpl
    def list_locations(self) -> list[Location]:
        """Read every warehouse of the shop: one call, two with TikTok's own."""
        return self._warehouses.locations()

    @hookimpl
    def pull_orders(self, since: Cursor | None, start: datetime) -> Iterator[Page[Order]]:
        """Read changed orders, 100 a call, oldest change first; a quiet poll costs one call (T-45)."""
        feed = Feed(
            search=self._orders.search,
            log=self._connection.log,
            start=_resume_at(since, start),
            now=int(self._connection.clock.now().timestamp()),
            overlap_s=self._connection.settings.overlap_s,
        )
        for page in feed.pages():
            context = self._context()
            orders = tuple(order(payload, context) for payload in page.orders)
            yield Page(orders, Cursor(json.dumps({"update_time_ge": page.resume_at})))

    @hookimpl
    def fetch_orders(self, orders: Sequence[OrderRef]) -> list[Order]:
        """Read known orders again: 50 a call by id, or 100 a call where their last changes lie close (T-52)."""
        payloads = self._orders.fetch(orders)
        context = self._context() if payloads else None
        return [order(payload, context) for payload in payloads if context]

    @hookimpl
    def refresh_token(self, token: Token) -> Token:
        """Exchange the refresh token once, unsigned, for a new pair (T-12, T-13)."""
        return refreshed(self._client, token, self._connection.id)

    def _context(self) -> Context:
        shop, settings = self._shops.current(), self._connection.settings
        return Context(
            shop=shop.id,
            shop_name=shop.name,
            shop_region=shop.region,
            hold_s=settings.hold_s,
            levels=Levels(settings.city_levels, settings.state_levels),
        )


def _resume_at(since: Cursor | None, start: datetime) -> int:
    """Return the first second to read; a cursor that is not ours begins at ``start`` again, which loses nothing."""
    marked = whole(parse((since or "").encode()) or {}, "update_time_ge")
    return int(start.timestamp()) if marked is None else marked
