"""What a channel is told to sell: stock, and listings; units as in hub.contract.model."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from hub.contract.model import Ref, Value


class SellableStock(Value):
    """What a channel may sell of one Variant, absolute, at every Location it sells it from."""

    product_ref: Ref
    variant_ref: Ref
    quantities: dict[str, int] = Field(min_length=1)  # Location ref -> units


class ItemResult(Value):
    """How one item of a batch fared; partial failure is normal.

    ``error`` None: done; ``made`` is then the other side's id of what was made, where it made something. ``lasting``:
    the same push would be refused again until someone mends the item there.
    """

    ref: Ref
    error: str | None = None
    code: str | None = None
    do: str = ""
    lasting: bool = False
    made: str | None = None
    warnings: tuple[str, ...] = ()


class Publish(StrEnum):
    """How a listing appears on the channel."""

    DRAFT = "draft"
    LISTING = "listing"


class Picture(Value):
    """One image of a listing."""

    content: bytes = Field(repr=False)
    name: str
    media_type: str


class ListedVariant(Value):
    """One thing to buy within a Listing. ``price`` is what buyers see, in the channel's own way (tax in or out)."""

    sku: Ref
    price: Decimal = Field(gt=0)
    options: dict[str, str] = Field(default_factory=dict)  # "Colour" -> "Blue"
    barcode: str | None = None
    quantities: dict[str, int] = Field(default_factory=dict)  # Location ref -> units; only for a new listing
    ref: str | None = None  # the channel's id, once it has one


class Listing(Value):
    """One product as a channel should list it.

    ``key`` derives from the ERP's product alone, so that a repeat is recognised. ``ref`` None: it is new. What is None
    is left as it is on the channel.
    """

    key: Ref
    ref: str | None = None
    title: str
    description: str | None = None
    category: str | None = None  # None: the channel recommends one
    brand: str | None = None
    attributes: dict[str, str] = Field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()
    currency: str
    variants: tuple[ListedVariant, ...] = Field(min_length=1)
    weight_g: Decimal | None = None
    size_cm: tuple[Decimal, Decimal, Decimal] | None = None  # length, width, height
    publish: Publish = Publish.DRAFT
