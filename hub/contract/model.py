"""The canonical values that cross between hub and connectors: frozen, validated, and JSON both ways.

Units everywhere: quantities are Decimal counts of the Variant, amounts are Decimal in major units of the named
currency (ISO 4217), rates are Decimal percent (20 is 20 %), instants are aware datetimes in UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field


def _as_utc(value: datetime) -> datetime:
    return value if value.tzinfo is UTC else value.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_as_utc)]
Ref = Annotated[str, Field(min_length=1, max_length=200)]
ZERO = Decimal(0)


class Value(BaseModel):
    """Base of the canonical values: immutable, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OrderStatus(StrEnum):
    """What the channel says of an Order, in the hub's words."""

    UNPAID = "unpaid"
    ON_HOLD = "on-hold"  # paid, and the channel itself forbids shipping for now
    OPEN = "open"
    PARTLY_SHIPPED = "partly-shipped"
    SHIPPED = "shipped"  # every open line has left, whatever the parcel does since
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"  # a word the connector has no row for; the hub blocks the Order and shows the word


class LineStatus(StrEnum):
    """What the channel says of a LineItem."""

    OPEN = "open"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


class FulfilledBy(StrEnum):
    """Whose stock an Order ships from."""

    SELLER = "seller"
    CHANNEL = "channel"


class Address(Value):
    """A postal address; every part may be missing. ``masked`` says that the channel blanked out parts of it."""

    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    phone: str | None = None
    line_1: str | None = None
    line_2: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    country: str | None = None  # ISO 3166-1 alpha-2
    masked: bool = False


class Buyer(Value):
    """Who bought; ``ref`` is the channel's id of the person and may be the only thing known."""

    ref: str | None = None
    name: str | None = None
    email: str | None = None


class Part(Value):
    """One component of a bundle that the channel itself defines: ``quantity`` pieces of ``sku`` per bundle."""

    sku: str | None
    quantity: Decimal = Field(gt=0)
    variant_ref: str | None = None


class LineItem(Value):
    """One Variant and its quantity inside an Order.

    Amounts: ``price`` is one unit's list price before discounts; ``seller_discount``, ``channel_discount`` and ``tax``
    are for the whole line. Whether they contain tax is said by ``Order.taxes_included``.
    """

    ref: Ref
    sku: str | None
    name: str = ""
    quantity: Decimal = Field(gt=0)
    price: Decimal = Field(ge=0)
    seller_discount: Decimal = Field(default=ZERO, ge=0)
    channel_discount: Decimal = Field(default=ZERO, ge=0)
    tax: Decimal | None = None
    tax_rate: Decimal | None = Field(default=None, ge=0)  # percent; None: the channel does not say
    status: LineStatus = LineStatus.OPEN
    is_gift: bool = False
    parts: tuple[Part, ...] = ()  # not empty: these ship instead of ``sku``
    product_ref: str | None = None
    variant_ref: str | None = None
    location_ref: str | None = None
    package_ref: str | None = None
    tracking_number: str | None = None


class Fee(Value):
    """A further named term of an Order's total, such as ``retail_delivery_fee``; negative where it reduces it."""

    name: str
    amount: Decimal


class Totals(Value):
    """The named terms of an Order's money.

    total = items - seller_discount - channel_discount + shipping - shipping_seller_discount
            - shipping_channel_discount + sum(fees) + (0 if taxes are included, else tax + shipping_tax)
    """

    items: Decimal
    seller_discount: Decimal = ZERO
    channel_discount: Decimal = ZERO
    shipping: Decimal = ZERO
    shipping_seller_discount: Decimal = ZERO
    shipping_channel_discount: Decimal = ZERO
    tax: Decimal = ZERO  # on the items
    shipping_tax: Decimal = ZERO
    fees: tuple[Fee, ...] = ()
    total: Decimal


class Order(Value):
    """A buyer's purchase as the channel tells it at ``updated_at``.

    ``ref`` is the channel's id. ``key`` is derived from the channel order alone, is unique over all shops of that kind
    of channel, never changes, has at most 64 characters, and becomes the sales order's number. ``hold_until`` is the
    earliest instant the channel's own rules let the Order leave (None: no such rule, or not known until paid).
    """

    ref: Ref
    key: Annotated[str, Field(min_length=1, max_length=64)]
    shop: Ref
    shop_name: str = ""
    status: OrderStatus
    channel_status: str
    created_at: Instant
    updated_at: Instant
    paid_at: Instant | None = None
    hold_until: Instant | None = None
    cancel_requested: bool = False
    fulfilled_by: FulfilledBy = FulfilledBy.SELLER
    shipping_by: FulfilledBy = FulfilledBy.SELLER  # who buys the label
    region: str | None = None  # ISO 3166-1 alpha-2 of the destination
    location_ref: str | None = None
    delivery_ref: str | None = None  # the delivery option the buyer chose, which says what carriers may bring it
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    taxes_included: bool = False
    lines: tuple[LineItem, ...]
    totals: Totals
    address: Address | None = None
    buyer: Buyer = Buyer()
    note: str = ""
    tags: tuple[str, ...] = ()  # e.g. sample, replacement, pre-order; an operator's route may ask for them


class OrderRef(Value):
    """An Order the hub already knows, for a re-read: its id and its last state's instants."""

    ref: Ref
    created_at: Instant
    updated_at: Instant


class OrderKey(Value):
    """What a sales order is recognised by on the other side."""

    key: Annotated[str, Field(min_length=1, max_length=64)]
    channel: str  # the channel connector's name
    shop: Ref
    ref: Ref
    ordered_at: Instant


class LocationKind(StrEnum):
    """What a Location is for."""

    SHIPS = "ships"
    RETURNS = "returns"
    CHANNEL = "channel"  # run by the channel; never a target of stock


class Location(Value):
    """A place that holds stock. ``name`` need not be unique; ``usable`` is false where orders may not leave from it."""

    ref: Ref
    name: str
    kind: LocationKind
    is_default: bool = False
    usable: bool = True


class Variant(Value):
    """The one thing that is counted, priced and has a SKU. ``gone``: deleted, archived or not for sale there.

    Of a channel: ``places`` are the Locations it sells from, each of which a stock push must name; ``stockable`` is
    false where it lets nobody set its stock (a bundle, a draft, a frozen product), and ``status`` says why.
    ``price`` is its list price in ``currency``; ``options`` tell it from its siblings ("Colour" -> "Blue"), and
    ``product_name`` is what they have in common.
    """

    ref: Ref
    sku: str | None
    name: str = ""
    product_ref: str | None = None
    kind: str = "product"
    gone: bool = False
    updated_at: Instant | None = None
    places: tuple[str, ...] = ()
    stockable: bool = True
    status: str = ""
    product_name: str = ""
    price: Decimal | None = None
    currency: str | None = None  # None: not told
    options: dict[str, str] = Field(default_factory=dict)


class Customer(Value):
    """Who a sales order is for; ``reference`` finds it again on the other side."""

    reference: Annotated[str, Field(min_length=1, max_length=100)]
    name: Annotated[str, Field(min_length=1)]
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None


class SalesOrderRow(Value):
    """One row for the ERP: ``price`` is one unit net of tax, ``discount`` is for the whole row, net of tax."""

    variant_ref: Ref
    sku: str
    quantity: Decimal = Field(gt=0)
    price: Decimal = Field(ge=0)
    discount: Decimal = Field(default=ZERO, ge=0)
    tax_rate: Decimal | None = Field(default=None, ge=0)  # percent; None: no tax on this row
    location_ref: str | None = None  # None: the order's


class ShippingCharge(Value):
    """What the buyer pays for shipping, net of tax, as a fee beside the rows."""

    amount: Decimal = Field(gt=0)
    description: str = "Shipping"
    tax_rate: Decimal | None = None


class SalesOrder(Value):
    """What an ERP is asked to create: complete, priced net of tax, in ERP references only."""

    key: OrderKey
    customer: Customer
    currency: str
    ordered_at: Instant
    location_ref: str | None
    rows: Annotated[tuple[SalesOrderRow, ...], Field(min_length=1)]
    shipping: ShippingCharge | None = None
    address: Address | None = None
    note: str = ""
    create_tax_rates: bool = False


class PlacedRow(Value):
    """One row of a sales order that exists; ``ref`` is the other side's id of it."""

    ref: Ref
    variant_ref: Ref
    quantity: Decimal


class PlacedOrder(Value):
    """A sales order that exists on the other side.

    ``rows`` are its living rows, empty where the answer did not show them. ``untouched`` is false once anything of it
    is packed or delivered: it can then neither be changed nor deleted. ``complete`` is false where it exists but
    something it should carry (a shipping fee) is missing; the hub then calls push_order again with it as ``existing``.
    ``ours`` is false where another tool made it.
    """

    key: str
    ref: Ref
    number: str
    total: Decimal | None = None
    created_at: Instant | None = None
    deleted: bool = False
    complete: bool = True
    ours: bool = True
    rows: tuple[PlacedRow, ...] = ()
    untouched: bool = True


class StockLevel(Value):
    """Quantity of one Variant at one Location at one instant.

    ``in_stock`` may be negative; ``committed`` is promised to orders and not yet packed; ``potential`` is what could
    still be built from parts (kits). Of a channel: ``committed`` is what buyers have ordered and nobody shipped yet,
    ``in_stock`` is that and what it still sells. Either way in_stock + potential - committed can still be sold.
    ``sku`` is the Variant's present one, where the reading tells it at no extra cost: so the hub sees that one was
    renamed without reading the catalogue.
    """

    variant_ref: Ref
    location_ref: Ref
    in_stock: Decimal
    committed: Decimal = ZERO
    potential: Decimal = ZERO
    at: Instant
    sku: str | None = None


class Finding(Value):
    """One thing that check_connection saw: fine, or missing with what to do about it."""

    ok: bool
    what: str
    do: str = ""


class Account(Value):
    """One account behind a consent, such as a shop; ``setting`` is what the route file calls it."""

    ref: Ref
    name: str
    region: str = ""
    setting: str = "shop"


class Token(Value):
    """A pair of OAuth tokens; both values of an answer are stored together. Expiries are instants, not durations."""

    access_token: str = Field(repr=False)
    refresh_token: str = Field(repr=False)
    access_expires_at: Instant
    refresh_expires_at: Instant | None = None
    scopes: tuple[str, ...] = ()
