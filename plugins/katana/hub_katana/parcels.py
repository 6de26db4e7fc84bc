"""Katana's fulfillments <-> the hub's; pure. One fulfillment has one tracking number, so it is one Package."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hub.contract import Fulfillment, Package
from hub_katana.answers import Row
from hub_katana.translate import Body, decimal_of, filled, id_of, instant_of, instant_text, plain

UNKNOWN = "unknown"
_NOTHING = ("", "null", "undefined", "none")  # K-19 and live notes: words in place of nothing
_LONGEST = {"tracking_number": 256, "tracking_url": 2048}  # K-68


def fulfillment(row: Row) -> Fulfillment:
    """Read a fulfillment, deleted ones too (K-54, K-68, K-70)."""
    ref = str(row["id"])
    package = Package(
        key=ref,
        lines=lines_of(row),
        tracking_number=word(row.get("tracking_number")),
        carrier=word(row.get("tracking_carrier")),
        tracking_url=word(row.get("tracking_url")),
    )
    return Fulfillment(
        ref=ref,
        order_ref=str(row["sales_order_id"]),
        packages=(package,),
        delivered=row.get("status") == "DELIVERED",
        deleted=bool(row.get("deleted_at")),
        at=instant_of(row.get("picked_date")),
    )


def gone(ref: str) -> Fulfillment:
    """Return what is left of a fulfillment that Katana does not know any more, nor whose it was."""
    return Fulfillment(ref=ref, order_ref=UNKNOWN, packages=(), deleted=True)


def lines_of(row: Row) -> dict[str, Decimal]:
    """Return what a fulfillment holds, by sales order row."""
    lines: dict[str, Decimal] = {}
    for item in row.get("sales_order_fulfillment_rows") or ():
        quantity = decimal_of(item.get("quantity"))
        if quantity is not None:
            ref = str(item["sales_order_row_id"])
            lines[ref] = lines.get(ref, Decimal(0)) + quantity
    return lines


def word(value: Any) -> str | None:
    """Return a text; None where it holds nothing, or only a word that stands for nothing."""
    text = str(value).strip() if value is not None else ""
    return None if text.casefold() in _NOTHING else text


def fulfillment_body(given: Fulfillment, package: Package) -> Body:
    """Build the body that creates one package's fulfillment (K-68). ValueError where a ref is no Katana id."""
    body = {
        "sales_order_id": id_of(given.order_ref),
        "status": "DELIVERED" if given.delivered else "PACKED",
        "sales_order_fulfillment_rows": [
            {"sales_order_row_id": id_of(ref), "quantity": plain(quantity)} for ref, quantity in package.lines.items()
        ],
        "picked_date": instant_text(given.at) if given.at else None,
    }
    return filled(body | tracking_body(package))


def tracking_body(package: Package) -> Body:
    """Build the part of a body that says who brings a package; what is unknown is left as it is."""
    said = {
        "tracking_number": package.tracking_number,
        "tracking_carrier": package.carrier,
        "tracking_url": package.tracking_url,
    }
    known = {name: text.strip() for name, text in said.items() if text and text.strip()}
    if len(known.get("tracking_url", "")) > _LONGEST["tracking_url"]:
        del known["tracking_url"]  # a number without its link still tracks
    return dict(known)
