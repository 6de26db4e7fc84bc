"""The Katana connector: what the hub may ask of a Katana account, and which module answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import ClassVar

from hub.contract import (
    Connection,
    Cursor,
    Finding,
    Location,
    OrderKey,
    Page,
    PlacedOrder,
    SalesOrder,
    Variant,
    hookimpl,
)  # fmt: skip
from hub_katana.account import Account
from hub_katana.catalogue import Catalogue
from hub_katana.client import Client
from hub_katana.lookup import OrderLookup
from hub_katana.orders import SalesOrders
from hub_katana.settings import KatanaSettings


class KatanaConnector:
    """Speaks to one Katana account: places, catalogue, and sales orders; see each module for calls and limits."""

    name: ClassVar[str] = "katana"
    settings_model: ClassVar[type[KatanaSettings]] = KatanaSettings
    capabilities: ClassVar[frozenset[str]] = frozenset(
        {"check_connection", "list_locations", "find_orders", "push_order", "find_variants", "pull_products"}
    )
    in_flight: ClassVar[int] = 4

    def __init__(self, connection: Connection[KatanaSettings]) -> None:
        client = Client(connection)
        self._account = Account(connection, client)
        self._catalogue = Catalogue(connection, client)
        self._lookup = OrderLookup(connection, client)
        self._orders = SalesOrders(connection, client)

    @hookimpl
    def check_connection(self) -> list[Finding]:
        return self._account.check()

    @hookimpl
    def list_locations(self) -> list[Location]:
        return self._account.locations()

    @hookimpl
    def find_orders(self, orders: Sequence[OrderKey], before: datetime | None) -> list[PlacedOrder]:
        return self._lookup.find(orders, before)

    @hookimpl
    def push_order(self, order: SalesOrder, existing: PlacedOrder | None) -> PlacedOrder:
        return self._orders.push(order, existing)

    @hookimpl
    def find_variants(self, skus: Sequence[str]) -> list[Variant]:
        return self._catalogue.find(skus)

    @hookimpl
    def pull_products(self, since: Cursor | None, start: datetime | None) -> Iterator[Page[Variant]]:
        return self._catalogue.changed(since, start)
