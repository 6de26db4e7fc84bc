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


class OnCancel(StrEnum):
    """What becomes of a sales order whose channel order was cancelled."""

    DELETE = "delete"  # unless something of it is packed: then it blocks
    BLOCK = "block"


class OnChange(StrEnum):
    """What becomes of a sales order whose channel order changed: lines cancelled, a new address."""

    UPDATE = "update"  # unless something of it is packed: then it blocks
    BLOCK = "block"


class OnRequest(StrEnum):
    """How a buyer's request to cancel is answered."""

    BY_STATE = "by_state"  # accepted while nothing is packed in the ERP, else refused
    ACCEPT = "accept"
    REFUSE = "refuse"
    ASK = "ask"  # a person answers on the channel


@dataclass(frozen=True, slots=True)
class AfterPlacement:
    """What happens to placed orders when either side changes its mind.

    ``cancel_reason`` set: an order whose sales order was deleted in the ERP is cancelled on the channel with it;
    None: it blocks, since a slip must not refund buyers.
    """

    on_cancel: OnCancel = OnCancel.DELETE
    on_change: OnChange = OnChange.UPDATE
    on_request: OnRequest = OnRequest.BY_STATE
    cancel_reason: str | None = None


@dataclass(frozen=True, slots=True)
class OrderRules:
    """The ``orders`` section of a Route. ``start`` None means the moment the Route first ran.

    ``done_location``: orders that the channel ships itself are recorded there as Done; None: they are skipped.
    """

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
    done_location: str | None = None
    after: AfterPlacement = field(default_factory=AfterPlacement)


@dataclass(frozen=True, slots=True)
class FulfillmentRules:
    """The ``fulfillments`` section: shipments and tracking, from ERP to channel.

    ``carriers``: what the ERP calls a carrier -> what the channel calls it (name or id); ``other_carrier`` for those
    not listed and not called the same on both sides. ``labels``: the folder for labels of parcels that the channel
    brings; None: not saved. ``late_s``: how long a delivered shipment may lack its tracking before it is said.
    """

    enabled: bool = True
    carriers: Mapping[str, str] = field(default_factory=dict)
    other_carrier: str | None = None
    late_s: float = 24 * 3600.0
    labels: str | None = None


@dataclass(frozen=True, slots=True)
class Buffer:
    """What is kept back: so many units and so much percent of what is available, together."""

    units: int = 0
    percent: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Feed:
    """One ERP Location that feeds a channel Location; ``share`` in percent of what is available there."""

    location: str
    share: Decimal = Decimal(100)


@dataclass(frozen=True, slots=True)
class InventoryRules:
    """The ``inventory`` section: stock, from ERP to channel.

    ``buffers``: SKU pattern -> Buffer, the first match instead of ``buffer``. ``locations``: the channel's Location
    (ref or name) -> what feeds it; empty: every Location the channel ships from is fed by the ERP's default one, or
    ``default``. ``share``: this shop's percent of what can be sold, where several shops split it. ``pool``: shops of
    the same pool sell the same units, each all of them.
    """

    enabled: bool = True
    every_s: float = 3600.0
    decreases_at_once: bool = True
    buffer: Buffer = field(default_factory=Buffer)
    buffers: Mapping[str, Buffer] = field(default_factory=dict)
    default: str | None = None
    locations: Mapping[str, tuple[Feed, ...]] = field(default_factory=dict)
    share: Decimal = Decimal(100)
    pool: str | None = None


@dataclass(frozen=True, slots=True)
class ProductRules:
    """The ``products`` section: which items take part in sync, and what is published.

    ``disabled``: patterns of ERP SKUs that neither stock nor listings go out for (orders of them still arrive);
    a person's switch (``hub products enable|disable``) wins over them. ``publish``: whether and how new products are
    listed: None, draft or listing. The rest describes listings: ``categories`` by SKU pattern, ``attributes`` by SKU
    pattern, ``images`` a folder with files named by SKU, ``prices`` a factor on the ERP's price.
    """

    enabled: bool = True
    disabled: tuple[str, ...] = ()
    publish: str | None = None
    skus: tuple[str, ...] = ()  # patterns of what may be listed; empty: nothing is listed by itself
    update: bool = False  # price and content of what is listed already follow the ERP
    categories: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    brand: str | None = None
    images: str | None = None
    price_factor: Decimal = Decimal(1)
    weight_g: Decimal | None = None
    size_cm: tuple[Decimal, Decimal, Decimal] | None = None

    @property
    def lists(self) -> bool:
        """Say whether listings are made or changed by themselves."""
        return self.enabled and (self.publish is not None or self.update)


@dataclass(frozen=True, slots=True)
class ReturnRules:
    """The ``returns`` section: returned goods, from channel to ERP; off unless switched on.

    ``locations``: the channel's return Location (ref or name) -> the ERP's; ``default`` for the others.
    """

    enabled: bool = False
    locations: Mapping[str, str] = field(default_factory=dict)
    default: str | None = None
    restock: bool = True


@dataclass(frozen=True, slots=True)
class Route:
    """What goes from which channel Connection to which ERP Connection, and how."""

    name: str
    channel: str
    erp: str
    orders: OrderRules = field(default_factory=OrderRules)
    fulfillments: FulfillmentRules = field(default_factory=FulfillmentRules)
    inventory: InventoryRules = field(default_factory=InventoryRules)
    products: ProductRules = field(default_factory=ProductRules)
    returns: ReturnRules = field(default_factory=ReturnRules)

    @property
    def is_on(self) -> bool:
        """Say whether any direction is switched on."""
        parts = (self.orders, self.fulfillments, self.inventory, self.returns)
        return any(part.enabled for part in parts) or self.products.lists


@dataclass(frozen=True, slots=True)
class Timing:
    """How often and how patiently the engine works; seconds."""

    orders_every_s: float = 60.0
    release_every_s: float = 30.0
    catalogue_every_s: float = 900.0
    send_window_s: float = 30.0  # a send may start this long after it was claimed
    timeout_s: float = 30.0
    settle_s: float = 10.0  # how long the other side may take to show a write it accepted
    fulfillments_every_s: float = 300.0
    open_orders_every_s: float = (
        86_400.0  # open orders are re-read this often, since a channel may not say what changed
    )
    returns_every_s: float = 3600.0
    reconcile_every_s: float = 3600.0  # 0: the daemon makes no proofs
    lease_s: float = 30.0  # how long a worker among several may be silent before another takes its Connections
    stock_settle_s: float = 60.0  # an ERP reading counts a sales order only this long after it was placed
