"""The Katana connector: what the hub may ask of a Katana account, and which module answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import ClassVar

from hub.contract import Account as Reached
from hub.contract import (
    Connection,
    Cursor,
    Finding,
    Fulfillment,
    Hint,
    Location,
    Order,
    OrderKey,
    PackageResult,
    Page,
    PlacedOrder,
    SalesOrder,
    SalesReturn,
    StockLevel,
    Subscription,
    Token,
    Variant,
    Webhook,
    hookimpl,
)  # fmt: skip
from hub_katana.account import Account
from hub_katana.amend import Amendments
from hub_katana.catalogue import Catalogue
from hub_katana.client import Client
from hub_katana.fees import ShippingFees
from hub_katana.fulfillments import Fulfillments
from hub_katana.lookup import OrderLookup
from hub_katana.oauth import OAuth
from hub_katana.orders import SalesOrders
from hub_katana.returns import SalesReturns
from hub_katana.settings import KatanaSettings
from hub_katana.shipping import Shipping
from hub_katana.stock import Stock
from hub_katana.tax import TaxRates
from hub_katana.webhooks import Webhooks


class KatanaConnector:
    """Speaks to one Katana account; each hook is one module's work, which tells its calls and limits."""

    name: ClassVar[str] = "katana"
    settings_model: ClassVar[type[KatanaSettings]] = KatanaSettings
    capabilities: ClassVar[frozenset[str]] = frozenset(
        (
            "check_connection", "list_locations", "list_accounts",
            "find_orders", "push_order", "begin_order", "update_order", "cancel_order",
            "find_variants", "pull_products", "pull_inventory",
            "pull_fulfillments", "fetch_fulfillments", "push_fulfillment", "update_fulfillment", "push_return",
            "read_webhook", "list_webhooks", "register_webhooks", "remove_webhooks",
            "authorization_url", "exchange_code", "refresh_token",
        )
    )  # fmt: skip
    in_flight: ClassVar[int] = 2  # a call a second is allowed: two keep that pace up to two seconds a call

    def __init__(self, connection: Connection[KatanaSettings]) -> None:
        client = Client(connection)
        self._account = Account(connection, client)
        self._catalogue = Catalogue(connection, client)
        self._lookup = OrderLookup(connection, client)
        tax_rates, fees = TaxRates(connection, client), ShippingFees(client)
        self._orders = SalesOrders(connection, client, tax_rates, fees)
        self._amendments = Amendments(connection, client, tax_rates, fees)
        self._stock = Stock(connection, client)
        self._fulfillments = Fulfillments(connection, client)
        self._shipping = Shipping(connection, client, self._fulfillments)
        self._returns = SalesReturns(connection, client, self._fulfillments)
        self._webhooks = Webhooks(connection, client)
        self._oauth = OAuth(connection)

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
    def begin_order(self, order: SalesOrder) -> Callable[[], PlacedOrder]:
        return self._orders.begin(order)

    @hookimpl
    def find_variants(self, skus: Sequence[str]) -> list[Variant]:
        return self._catalogue.find(skus)

    @hookimpl
    def pull_products(self, since: Cursor | None, start: datetime | None) -> Iterator[Page[Variant]]:
        return self._catalogue.changed(since, start)

    @hookimpl
    def update_order(self, order: SalesOrder, existing: PlacedOrder) -> PlacedOrder:
        return self._amendments.update(order, existing)

    @hookimpl
    def cancel_order(self, order_ref: str, reason: str | None) -> bool:
        self._amendments.cancel(order_ref)
        return True

    @hookimpl
    def pull_inventory(self, variants: Sequence[str] | None, location: str | None) -> Iterator[Page[StockLevel]]:
        return self._stock.levels(variants, location)

    @hookimpl
    def pull_fulfillments(self, since: Cursor | None, start: datetime) -> Iterator[Page[Fulfillment]]:
        return self._fulfillments.changed(since, start)

    @hookimpl
    def fetch_fulfillments(self, refs: Sequence[str]) -> list[Fulfillment]:
        return self._fulfillments.fetch(refs)

    @hookimpl
    def push_fulfillment(self, fulfillment: Fulfillment, order: Order | None) -> list[PackageResult]:
        return self._shipping.record(fulfillment)

    @hookimpl
    def update_fulfillment(self, fulfillment: Fulfillment, order: Order | None) -> list[PackageResult]:
        return self._shipping.correct(fulfillment)

    @hookimpl
    def push_return(self, sales_return: SalesReturn) -> str:
        return self._returns.push(sales_return)

    @hookimpl
    def read_webhook(self, delivery: Webhook) -> list[Hint]:
        return self._webhooks.read(delivery)

    @hookimpl
    def list_webhooks(self) -> list[Subscription]:
        return self._webhooks.present()

    @hookimpl
    def register_webhooks(self, url: str) -> list[Subscription]:
        return self._webhooks.register(url)

    @hookimpl
    def remove_webhooks(self, url: str | None) -> bool:
        self._webhooks.remove(url)
        return True

    @hookimpl
    def list_accounts(self) -> list[Reached]:
        return self._account.accounts()

    @hookimpl
    def authorization_url(self, state: str, redirect_url: str | None) -> str:
        return self._oauth.consent_page(state, redirect_url)

    @hookimpl
    def exchange_code(self, code: str, redirect_url: str | None) -> Token:
        return self._oauth.exchange(code, redirect_url)

    @hookimpl
    def refresh_token(self, token: Token) -> Token:
        return self._oauth.refresh(token)
