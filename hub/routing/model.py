"""What the operator's rules look like once the route file is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from hub.contract import FulfilledBy


@dataclass(frozen=True, slots=True)
class When:
    """Which Orders a Route takes; an empty part matches all. All parts must match."""

    regions: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()  # shell patterns; one line matching is enough
    fulfilled_by: FulfilledBy | None = None
    locations: tuple[str, ...] = ()  # the channel's Locations, by ref or name
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Component:
    """One ERP SKU that a channel SKU stands for; ``price_share`` of its price, the shares of one SKU add up to 1."""

    sku: str
    quantity: Decimal = Decimal(1)
    price_share: Decimal = Decimal(1)


class TaxMode(StrEnum):
    """Where a row's tax rate comes from."""

    FROM_ORDER = "from_order"
    FIXED = "fixed"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class TaxRule:
    """How tax reaches the sales order. ``included``: prices contain tax (None: as the Order says)."""

    mode: TaxMode = TaxMode.NONE
    rate: Decimal | None = None  # percent, for FIXED
    included: bool | None = None
    create_rates: bool = False


@dataclass(frozen=True, slots=True)
class DiscountRule:
    """Which discounts lower the sales order's prices; the channel's own are usually paid back to the seller."""

    deduct_seller: bool = True
    deduct_channel: bool = False


class ShippingAs(StrEnum):
    """How shipping that the buyer pays reaches the sales order."""

    FEE = "fee"
    ROW = "row"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ShippingRule:
    """Shipping as a fee beside the rows, as a row of a service SKU, or not at all."""

    how: ShippingAs = ShippingAs.FEE
    sku: str | None = None


class CustomerPer(StrEnum):
    """Whom sales orders are booked on: one customer for the shop, or one per buyer."""

    SHOP = "per_shop"
    BUYER = "per_buyer"


@dataclass(frozen=True, slots=True)
class LocationRule:
    """ERP Location names: the default, and by the channel's Location (ref or name)."""

    default: str | None = None
    by_channel_location: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrderRules:
    """The ``orders`` section of a Route. ``start`` None means the moment the Route first ran."""

    enabled: bool = True
    start: datetime | None = None
    hold_s: float = 3600.0
    when: When = field(default_factory=When)
    location: LocationRule = field(default_factory=LocationRule)
    customer: CustomerPer = CustomerPer.SHOP
    skus: Mapping[str, tuple[Component, ...]] = field(default_factory=dict)
    tax: TaxRule = field(default_factory=TaxRule)
    discounts: DiscountRule = field(default_factory=DiscountRule)
    shipping: ShippingRule = field(default_factory=ShippingRule)


@dataclass(frozen=True, slots=True)
class Route:
    """What goes from which channel Connection to which ERP Connection, and how."""

    name: str
    channel: str
    erp: str
    orders: OrderRules = field(default_factory=OrderRules)


@dataclass(frozen=True, slots=True)
class Timing:
    """How often and how patiently the engine works; seconds."""

    orders_every_s: float = 60.0
    release_every_s: float = 30.0
    catalogue_every_s: float = 900.0
    send_window_s: float = 30.0  # a send may start this long after it was claimed
    timeout_s: float = 30.0
    settle_s: float = 10.0  # how long the other side may take to show a write it accepted
