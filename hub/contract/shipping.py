"""What follows an Order: parcels, carriers, labels, cancellations and returns; units as in hub.contract.model."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from hub.contract.model import Instant, Ref, Value


class Package(Value):
    """One parcel, one tracking number.

    ``key`` names the parcel on both sides: the ref of the Fulfillment it comes from. ``lines`` holds unit counts by row
    ref (from an ERP) or by LineItem ref (towards a channel). ``carrier`` is what the sender calls it; ``carrier_ref``
    the receiver's id of it. ``ref`` is the receiver's own id of the parcel, once it has one.
    """

    key: Ref
    lines: dict[str, Decimal]
    tracking_number: str | None = None
    carrier: str | None = None
    carrier_ref: str | None = None
    tracking_url: str | None = None
    ref: str | None = None


class Fulfillment(Value):
    """The record that given quantities left one Location.

    ``order_ref`` is the id of the sales order (from or towards an ERP) or of the Order (towards a channel). Until
    ``delivered`` it is packed only: the ERP may still take it back.
    """

    ref: Ref
    order_ref: Ref
    packages: tuple[Package, ...]
    delivered: bool = False
    deleted: bool = False
    at: Instant | None = None


class PackageResult(Value):
    """How one Package of a Fulfillment fared.

    ``error`` None: done, and ``package_ref`` is the other side's id of it. Where the other side itself brings the
    parcel, it also says ``tracking_number`` and ``carrier``. ``warning``: done all the same, but look.
    """

    key: Ref
    package_ref: str | None = None
    tracking_number: str | None = None
    carrier: str | None = None
    code: str | None = None
    error: str | None = None
    do: str = ""
    warning: str = ""


class Carrier(Value):
    """Who may bring a parcel of one delivery option."""

    ref: Ref
    name: str


class Label(Value):
    """A shipping label as it is to be printed."""

    content: bytes = Field(repr=False)
    media_type: str
    tracking_number: str | None = None


class CancellationState(StrEnum):
    """Where a cancellation stands."""

    REQUESTED = "requested"  # the buyer asks; the seller must accept or refuse
    DONE = "done"
    WITHDRAWN = "withdrawn"  # refused, or taken back


class Cancellation(Value):
    """That an Order, or some LineItems of it (``lines``; empty: all), is or shall be cancelled.

    ``decide_by``: when the channel accepts it by itself.
    """

    ref: Ref
    order_ref: Ref
    state: CancellationState
    by_buyer: bool = True
    lines: tuple[str, ...] = ()
    reason: str = ""
    decide_by: Instant | None = None
    updated_at: Instant


class ReturnLine(Value):
    """One LineItem, or part of it, that comes back."""

    line_ref: Ref
    sku: str | None = None
    quantity: Decimal = Field(default=Decimal(1), gt=0)


class Return(Value):
    """Goods that come back. ``received``: they are in the seller's hands, so they may be booked in."""

    ref: Ref
    order_ref: Ref
    status: str
    received: bool = False
    closed: bool = False  # nothing more will come of it
    lines: tuple[ReturnLine, ...]
    location_ref: str | None = None
    tracking_number: str | None = None
    carrier: str | None = None
    reason: str = ""
    updated_at: Instant


class SalesReturn(Value):
    """What an ERP is asked to book: rows of one of its sales orders, back at one of its Locations.

    ``key`` names it on the other side, so that it is found before it would be made again.
    """

    key: Ref
    order_ref: Ref
    location_ref: Ref
    rows: dict[str, Decimal] = Field(min_length=1)  # sales order row ref -> quantity
    tracking_number: str | None = None
    carrier: str | None = None
    note: str = ""
    restock: bool = True
