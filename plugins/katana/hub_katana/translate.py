"""Katana's records <-> the hub's values; pure.

Units: amounts and quantities are Decimal on the hub's side. Katana takes JSON numbers for a row's numbers and text for
       a shipping fee (K-21), and answers with numbers or texts by endpoint and age (K-19); both are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from hub.contract import (
    Address,
    Customer,
    Location,
    LocationKind,
    OrderKey,
    PlacedOrder,
    PlacedRow,
    SalesOrder,
    SalesOrderRow,
    ShippingCharge,
    Variant,
)  # fmt: skip
from hub_katana.answers import Row

Body = dict[str, Any]
TaxIds = Mapping[Decimal | None, int | None]
_CUSTOMER_REF_MOST = 255  # K-80
_UNTOUCHED = frozenset({"NOT_SHIPPED", "PENDING", "READY_FOR_FULFILLMENT"})  # K-62
ADDRESS_KINDS = ("billing", "shipping")
ADDRESS_PARTS = (
    "first_name", "last_name", "company", "phone", "line_1", "line_2", "city", "state", "zip", "country",
)  # fmt: skip


def decimal_of(value: Any) -> Decimal | None:
    """Read a number or a text as Decimal; None for anything else, such as null or "null" (K-19)."""
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def instant_of(value: Any) -> datetime | None:
    """Read an ISO 8601 text as an instant in UTC; None where it is none (K-17)."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def instant_text(instant: datetime) -> str:
    """Write an instant with time and zone (K-17)."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def plain(value: Decimal) -> Decimal:
    """Return the same number without exponent and needless zeros, as it should stand in a body."""
    text = format(value, "f")
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)


def id_of(ref: str | None) -> int | None:
    """Read one of our references as a Katana id (K-18). ValueError where it cannot be one."""
    if ref is None:
        return None
    if not (ref.isascii() and ref.isdecimal()):
        raise ValueError(f"{ref!r} is no Katana id")
    return int(ref)


def filled(body: Body) -> Body:
    """Return a body without what is None or empty: most properties may be left out but not null (K-43, K-38)."""
    return {name: value for name, value in body.items() if value or isinstance(value, int | Decimal)}


def order_body(order: SalesOrder, customer_id: int, tax_ids: TaxIds) -> Body:
    """Build the one body that creates a sales order with rows and addresses (K-41 to K-48, K-80)."""
    key = order.key
    return filled(
        {
            "order_no": key.key,
            "customer_id": customer_id,
            "status": "NOT_SHIPPED",
            "currency": order.currency,
            "order_created_date": instant_text(order.ordered_at),
            "location_id": id_of(order.location_ref),
            "additional_info": order.note.strip(),
            "customer_ref": key.ref[:_CUSTOMER_REF_MOST],
            "ecommerce_order_type": key.channel,
            "ecommerce_store_name": key.shop,
            "ecommerce_order_id": key.ref,
            "addresses": address_bodies(order.address),
            "sales_order_rows": [row_body(row, tax_ids) for row in order.rows],
        }
    )


def row_body(row: SalesOrderRow, tax_ids: TaxIds) -> Body:
    """Build one row of a sales order, as its create and the row's own create take it (K-41, K-43)."""
    return filled(
        {
            "variant_id": id_of(row.variant_ref),
            "quantity": plain(row.quantity),
            "price_per_unit": plain(row.price),  # always: else a price list may step in (K-49)
            "total_discount": plain(row.discount) if row.discount else None,
            "tax_rate_id": tax_ids.get(row.tax_rate),
            "location_id": id_of(row.location_ref),
        }
    )


def address_bodies(address: Address | None) -> list[Body]:
    """Return the address as billing and as shipping (K-47); nothing where no part of it is known."""
    known = filled({part: (getattr(address, part) or "").strip() for part in ADDRESS_PARTS}) if address else {}
    return [{"entity_type": kind, **known} for kind in ADDRESS_KINDS] if known else []


def customer_body(customer: Customer) -> Body:
    """Build the body that creates a customer (K-38)."""
    return filled(
        {
            "name": customer.name,
            "first_name": customer.first_name,
            "last_name": customer.last_name,
            "email": customer.email,
            "phone": customer.phone,
            "reference_id": customer.reference,
        }
    )


def fee_body(charge: ShippingCharge, order_id: int, tax_rate_id: int | None) -> Body:
    """Build the body that adds a shipping fee; its amount is text (K-21, K-67)."""
    return filled(
        {
            "sales_order_id": order_id,
            "amount": format(charge.amount, "f"),
            "description": charge.description,
            "tax_rate_id": tax_rate_id,
        }
    )


def private_texts(order: SalesOrder) -> tuple[str, ...]:
    """Return what an order's body says of the buyer, so that no message repeats it."""
    of_address = address_texts(order.address)
    customer = order.customer
    of_customer = [customer.name, customer.first_name, customer.last_name, customer.email, customer.phone]
    return tuple(text for text in (*of_address, *of_customer, order.note) if text)


def address_texts(address: Address | None) -> tuple[str, ...]:
    """Return what an address says of the buyer, so that no message repeats it."""
    parts = ("first_name", "last_name", "company", "phone", "line_1", "line_2", "city", "zip")
    texts = [getattr(address, part) for part in parts] if address else []
    return tuple(text for text in texts if text)


def is_match(row: Row, key: OrderKey) -> bool:
    """Say whether a sales order stands for a channel order: by our number, or by the channel's id.

    The channel's id counts under our shop's name, or where another kind of tool stored it (K-46).
    """
    if row.get("order_no") == key.key:
        return True
    if _text(row.get("ecommerce_order_id")) != key.ref:
        return False
    return row.get("ecommerce_store_name") == key.shop or row.get("ecommerce_order_type") != key.channel


def is_ours(row: Row, key: OrderKey) -> bool:
    """Say whether a sales order carries all that this connector writes on its own."""
    ours = (key.key, key.channel, key.shop, key.ref)
    names = ("order_no", "ecommerce_order_type", "ecommerce_store_name", "ecommerce_order_id")
    return tuple(_text(row.get(name)) for name in names) == ours


def placed_order(row: Row, key: OrderKey, *, is_new: bool = False) -> PlacedOrder:
    """Read a sales order as PlacedOrder; ``complete``, since its own record cannot tell that a fee is wanted.

    Args:
        is_new: it was made this moment: ours and untouched, whatever the answer leaves out (K-54).
    """
    return PlacedOrder(
        key=key.key,
        ref=str(row["id"]),
        number=_text(row.get("order_no")) or str(row["id"]),
        total=decimal_of(row.get("total")),
        created_at=instant_of(row.get("created_at")),
        deleted=bool(row.get("deleted_at")),
        ours=is_new or is_ours(row, key),
        rows=placed_rows(row.get("sales_order_rows")),
        untouched=is_new or is_untouched(row),
    )


def placed_rows(rows: Any) -> tuple[PlacedRow, ...]:
    """Read the living rows of a sales order; none at all where one of them cannot be read (K-54)."""
    placed = []
    for row in rows if isinstance(rows, list) else ():
        quantity = decimal_of(row.get("quantity"))
        if quantity is None:
            return ()
        if not row.get("deleted_at"):
            placed.append(PlacedRow(ref=str(row["id"]), variant_ref=str(row["variant_id"]), quantity=quantity))
    return tuple(placed)


def is_untouched(row: Row) -> bool:
    """Say whether nothing of a sales order is packed or delivered; a status nobody knows may be either (K-62)."""
    return row.get("status") in _UNTOUCHED


def variant(row: Row, currency: str | None = None) -> Variant:
    """Read a variant, with its parent where ``extend`` brought it (K-29 to K-31, K-34, K-35).

    Name, archived mark and is_sellable live on the parent; without a parent a living variant counts as sellable.

    Args:
        currency: the account's base currency, which prices are in; None: not known.
    """
    parent = row.get("product_or_material") or row.get("item")
    parent = parent if isinstance(parent, dict) else {}
    configs = [each for each in row.get("config_attributes") or () if isinstance(each, dict)]
    words = [parent.get("name"), *(config.get("config_value") for config in configs)]
    is_gone = row.get("deleted_at") or parent.get("archived_at") or parent.get("deleted_at")
    price = decimal_of(row.get("sales_price"))
    return Variant(
        ref=str(row["id"]),
        sku=_text(row.get("sku")) or None,
        name=" / ".join(str(word) for word in words if word),
        product_ref=_parent_ref(row),
        kind=str(row.get("type") or "product"),
        gone=bool(is_gone) or parent.get("is_sellable") is False,
        updated_at=instant_of(row.get("updated_at")),
        product_name=_text(parent.get("name")),
        price=price,
        currency=currency if price is not None else None,
        options={
            _text(config.get("config_name")): _text(config["config_value"])
            for config in configs
            if config.get("config_name") and config.get("config_value")
        },
    )


def location(row: Row, default_id: int | None) -> Location:
    """Read a location; orders may leave only from one with ``sales_allowed`` (K-27)."""
    is_default = row["id"] == default_id if default_id is not None else bool(row.get("is_primary"))
    return Location(
        ref=str(row["id"]),
        name=_text(row.get("name")) or str(row["id"]),
        kind=LocationKind.SHIPS,
        is_default=is_default,
        usable=bool(row.get("sales_allowed")) and not row.get("deleted_at"),
    )


def _parent_ref(row: Row) -> str | None:
    """Return kind and id: ids of products and materials overlap (K-29)."""
    for kind in ("product", "material"):
        if row.get(f"{kind}_id"):
            return f"{kind}:{row[f'{kind}_id']}"
    return None


def _text(value: Any) -> str:
    return "" if value is None else str(value)
