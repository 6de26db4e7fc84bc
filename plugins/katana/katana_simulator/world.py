"""The account the simulator plays: every table, the clock, the switches, and one lock around them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal

from katana_simulator.clock import Clock, iso
from katana_simulator.exchange import Answer, Request, Row
from katana_simulator.options import Options
from katana_simulator.stock import Stock
from katana_simulator.tables import Table
from katana_simulator.tokens import Tokens

PARENTS = ("product", "material", "service")


class World:
    """State of one Katana account. Whoever touches it holds `lock`."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self.options, self.clock = options, clock
        self.lock = threading.RLock()
        self.tokens = Tokens(options, clock)
        self.empty()

    def empty(self) -> None:
        """Forget everything but the clock and the switches; one location remains."""
        self.locations = Table("name")
        # Parents of different kinds count from the same number on purpose: their ids overlap.  # K-29
        self.parents = {kind: Table("name", first_id=501) for kind in PARENTS}
        self.variants = Table("sku", "product_id", "material_id", "service_id", first_id=10_001)
        self.customers = Table("email", "reference_id", "name", first_id=30_001)
        self.customer_addresses = Table("customer_id", first_id=40_001)
        self.tax_rates = Table("rate", "name", first_id=301)
        self.orders = Table("order_no", "order_no_folded", "ecommerce_order_id", first_id=1_700_001)
        self.order_rows = Table("sales_order_id", first_id=3_700_001)
        self.order_addresses = Table("sales_order_id", first_id=60_001)
        self.shipping_fees = Table("sales_order_id", first_id=70_001)
        self.fulfillments = Table("sales_order_id", first_id=900_001)
        self.returns = Table("sales_order_id", first_id=100_001)
        self.return_rows = Table("sales_return_id", "fulfillment_row_id", first_id=110_001)
        self.invoices = Table("sales_order_id", first_id=120_001)
        self.adjustments = Table(first_id=80_001)
        self.webhooks = Table(first_id=101)
        self.stock = Stock()
        self.rates: dict[str, Decimal] = {}
        self.last_number = 0
        self.last_fulfillment_row = 7_000_000
        self.is_seeded = False
        self.factory = _factory()
        self.user = {"id": 1, "firstName": "Simulated", "lastName": "User", "email": "user@example.test"}
        first = self.locations.add(location("Main warehouse", self.stamp(), is_primary=True))
        self.factory["default_sales_location_id"] = first["id"]
        self.options_changed()

    def options_changed(self) -> None:
        self.stock.keep_recent(float(self.options["stale_inventory_s"]) > 0)

    def stamp(self) -> str:
        return iso(self.clock.now())

    def default_location_id(self) -> int:
        return int(self.factory["default_sales_location_id"])

    def rate_of(self, currency: str) -> Decimal:
        """Units of the base currency for one unit of `currency`; 1 where the seed named none."""
        return self.rates.get(currency, Decimal(1))


Handler = Callable[[World, Request], Answer]


def location(name: str, stamp: str, *, sales_allowed: bool = True, is_primary: bool = False) -> Row:
    return {
        "name": name,
        "legal_name": None,
        "address_id": None,
        "address": None,
        "is_primary": is_primary,
        "sales_allowed": sales_allowed,
        "manufacturing_allowed": True,
        "purchase_allowed": True,
        "created_at": stamp,
        "updated_at": stamp,
        "deleted_at": None,
    }


def _factory() -> Row:
    address = {
        "line_1": "1 Simulator Street",
        "line_2": "",
        "city": "Tallinn",
        "state": "",
        "zip": "10111",
        "country": "EE",
    }
    return {
        "display_name": "Simulated factory",
        "legal_name": "Simulated factory",
        "legal_address": address,
        "base_currency_code": "USD",
        "default_sales_location_id": None,
        "default_purchases_location_id": None,
        "default_manufacturing_location_id": None,
        "default_so_delivery_time": "14",
        "default_po_lead_time": "14",
        "inventory_closing_date": None,
    }
