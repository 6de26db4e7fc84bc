"""An order and its units, kept small; how it looks to a caller is made when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from tiktok_simulator.wire import Json

UNPAID = "UNPAID"
ON_HOLD = "ON_HOLD"
AWAITING_SHIPMENT = "AWAITING_SHIPMENT"
CANCELLED = "CANCELLED"

# How far a unit has come; an order's status follows from its units (T-55).
GONE, OPEN, ARRANGED, MOVING, DELIVERED, COMPLETED = -1, 0, 1, 2, 3, 4
UNIT_STATUS = {
    GONE: CANCELLED,
    OPEN: AWAITING_SHIPMENT,
    ARRANGED: "AWAITING_COLLECTION",
    MOVING: "IN_TRANSIT",
    DELIVERED: "DELIVERED",
    COMPLETED: "COMPLETED",
}
STATUSES = (UNPAID, ON_HOLD, *UNIT_STATUS.values(), "PARTIALLY_SHIPPING")
PACKAGE_STATUS = {
    GONE: CANCELLED,
    OPEN: "TO_FULFILL",
    ARRANGED: "PROCESSING",
    MOVING: "FULFILLING",
    DELIVERED: "COMPLETED",
    COMPLETED: "COMPLETED",
}

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Goods:
    """What a unit is a unit of, as TikTok names it; seller_sku may be empty or unknown to the seller (T-64)."""

    sku_id: str
    seller_sku: str
    product_id: str
    product_name: str
    sku_name: str


@dataclass(frozen=True, slots=True)
class Part:
    """A component of a virtual bundle and how many of it one bundle holds (T-72)."""

    goods: Goods
    count: int


@dataclass(slots=True)
class Unit:
    """One line item, which is one piece (T-63)."""

    id: str
    goods: Goods
    price: Decimal
    seller_discount: Decimal
    platform_discount: Decimal
    is_gift: bool
    parts: tuple[Part, ...]
    pfand: Decimal
    stage: int = OPEN
    package_id: str = ""
    tracking_number: str = ""
    provider_id: str = ""
    rts_time: int | None = None
    cancel_reason: str = ""
    cancel_user: str = ""
    request: str = ""  # the open request to cancel it
    refunded: bool = False


@dataclass(slots=True)
class Order:
    """One order; `phase` is UNPAID or ON_HOLD until the units' own stages decide."""

    id: str
    shop: str
    market: str
    kind: str
    buyer: int
    units: list[Unit]
    create_time: int
    update_time: int
    address: Json
    is_on_hold_order: bool
    shipping_type: str
    fulfillment_type: str
    warehouse_id: str
    delivery_option_id: str
    shipping: Decimal = ZERO
    shipping_seller_discount: Decimal = ZERO
    shipping_platform_discount: Decimal = ZERO
    shipping_cofunded_discount: Decimal = ZERO
    tax_rate: Decimal = ZERO
    shipping_tax_rate: Decimal = ZERO
    fees: dict[str, Decimal] = field(default_factory=dict)
    message: str = ""
    seller_note: str = ""
    phase: str = UNPAID
    status: str = UNPAID
    paid_time: int | None = None
    release_date: int | None = None
    times: dict[str, int] = field(default_factory=dict)
    cancel_initiator: str = ""
    cancel_reason: str = ""
    cancel_requested: bool = False
    address_updated: bool = False
    replaced_order_id: str = ""
    external_orders: list[Json] = field(default_factory=list)
    overrides: Json = field(default_factory=dict)
    rendered: dict[tuple[str, int, int], bytes] = field(default_factory=dict)

    @property
    def is_free(self) -> bool:
        """Samples and replacements move goods but no money (T-71)."""
        return self.kind in ("sample", "replacement")

    @property
    def is_fbt(self) -> bool:
        """Whether TikTok ships it from its own warehouse (T-77)."""
        return self.fulfillment_type != "FULFILLMENT_BY_SELLER"

    @property
    def live_units(self) -> list[Unit]:
        """The units that were not cancelled."""
        return [unit for unit in self.units if unit.stage != GONE]

    def derive_status(self) -> str:
        """The status that follows from phase and units."""
        stages = [unit.stage for unit in self.units if unit.stage != GONE]
        if not stages:
            return CANCELLED
        if self.phase:
            return self.phase
        if min(stages) == OPEN:
            return AWAITING_SHIPMENT if max(stages) == OPEN else "PARTIALLY_SHIPPING"
        return UNIT_STATUS[min(stages)]
