"""What request bodies of returns may hold (fact sheet 7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from katana_simulator.clock import canonical
from katana_simulator.exchange import Detail, invalid
from katana_simulator.schema import Field, Shape, anything, detail, identifier, listing, require, text, word
from katana_simulator.world import World

_TRACKING = {
    name: text(nullable=True)
    for name in ("tracking_number", "tracking_number_url", "tracking_carrier", "tracking_method")
}
_QUANTITY = Field(("number", "string"), above=0, pattern=r"^(?=.*[1-9])\d+(\.\d+)?$")  # not 0
_HEAD: dict[str, Field] = {
    "return_location_id": identifier(),
    "order_no": text(1),
    "order_created_date": text(),
    "additional_info": text(0, 255),
}
_NEW = Shape(_HEAD | _TRACKING | {"sales_order_id": identifier()}, ("sales_order_id", "return_location_id"))
_CHANGE = Shape(
    _HEAD
    | _TRACKING
    | {
        "additional_info": text(0, 255, nullable=True),
        "status": word("NOT_RETURNED", "RETURNED_ALL", "RESTOCKED_ALL"),
        "return_date": text(),
    }
)
NEW_ROW = Shape(
    {
        "sales_return_id": identifier(),
        "variant_id": identifier(),
        "fulfillment_row_id": identifier(),
        "quantity": _QUANTITY,
        "reason_id": identifier(nullable=True),
        "restock_location_id": identifier(),
    },
    ("sales_return_id", "variant_id", "fulfillment_row_id", "quantity"),
)
ROW_CHANGE = Shape(
    {
        "quantity": _QUANTITY,
        "reason_id": identifier(nullable=True),
        "restock_location_id": identifier(),
        "batch_transactions": listing(anything(), 1),
    }
)
_DATES = ("order_created_date", "return_date")


def read_new(world: World, body: Any) -> dict[str, Any]:
    return _with_dates(world, require(_NEW, body))


def read_change(world: World, body: Any) -> dict[str, Any]:
    return _with_dates(world, require(_CHANGE, body))


def _with_dates(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Dates as instants; whether a plain date, a full instant or either is taken is a switch (fact sheet 1.5)."""
    wanted = world.options["return_dates"]
    details: list[Detail] = []
    found = dict(body)
    for name in _DATES:
        if name in body:
            found[name] = _READERS[wanted](body[name])
            if found[name] is None:
                kind = "date" if wanted == "date" else "date-time"
                details.append(detail(f"/{name}", "format", f'must match format "{kind}"', {"format": kind}))
    if details:
        raise invalid(details)
    return found


def _midnight(text: str) -> str | None:
    return canonical(f"{text}T00:00:00Z")


_READERS: dict[str, Callable[[str], str | None]] = {
    "any": lambda text: canonical(text) or _midnight(text),
    "instant": canonical,
    "date": _midnight,
}
