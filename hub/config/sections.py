"""Plain, valid data in; what a route says of shipments, stock, products and returns out."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from hub.config.times import seconds
from hub.routing.model import Buffer, Feed, FulfillmentRules, InventoryRules, ProductRules, ReturnRules

Data = Mapping[str, Any]
_GRAMS = {"kg": 1000, "g": 1}


def fulfillments(data: Data, folder: Path) -> FulfillmentRules:
    """Return the ``fulfillments`` section; ``folder`` is what paths are relative to."""
    return FulfillmentRules(
        enabled=data.get("enabled", True),
        carriers=dict(data.get("carriers", {})),
        other_carrier=data.get("other_carrier"),
        late_s=seconds(data.get("late", "24h")),
        labels=_path(data.get("labels"), folder),
    )


def inventory(data: Data) -> InventoryRules:
    """Return the ``inventory`` section."""
    buffer = data.get("buffer", {})
    return InventoryRules(
        enabled=data.get("enabled", True),
        every_s=seconds(data.get("every", "1h")),
        decreases_at_once=data.get("decreases", "at_once") == "at_once",
        buffer=_buffer(buffer),
        buffers={pattern: _buffer(each) for pattern, each in buffer.get("by_sku", {}).items()},
        default=data.get("default"),
        locations={name: _feeds(feeds) for name, feeds in data.get("locations", {}).items()},
        share=Decimal(data.get("share", 100)),
        pool=data.get("pool"),
    )


def products(data: Data, folder: Path) -> ProductRules:
    """Return the ``products`` section; ``folder`` is what paths are relative to."""
    size = data.get("size_cm")
    return ProductRules(
        enabled=data.get("enabled", True),
        disabled=tuple(data.get("disabled", ())),
        publish=data.get("publish"),
        skus=tuple(data.get("skus", ())),
        update=data.get("update", False),
        categories=dict(data.get("categories", {})),
        attributes={pattern: dict(each) for pattern, each in data.get("attributes", {}).items()},
        brand=data.get("brand"),
        images=_images(data.get("images"), folder),
        price_factor=Decimal(data.get("price_factor", 1)),
        weight_g=_grams(data["weight"]) if "weight" in data else None,
        size_cm=None if size is None else (Decimal(size[0]), Decimal(size[1]), Decimal(size[2])),
    )


def returns(data: Data) -> ReturnRules:
    """Return the ``returns`` section."""
    return ReturnRules(
        enabled=data.get("enabled", False),
        locations=dict(data.get("locations", {})),
        default=data.get("default"),
        restock=data.get("restock", True),
    )


def _buffer(data: Data) -> Buffer:
    return Buffer(int(data.get("units", 0)), Decimal(data.get("percent", 0)))


def _feeds(data: str | list[Data]) -> tuple[Feed, ...]:
    if isinstance(data, str):
        return (Feed(data),)
    return tuple(Feed(feed["location"], Decimal(feed.get("share", 100))) for feed in data)


def is_url(written: str) -> bool:
    """Say whether images are fetched, not read from a folder."""
    return written.startswith(("https://", "http://"))


def _images(written: str | None, folder: Path) -> str | None:
    return written if written is not None and is_url(written) else _path(written, folder)


def _path(written: str | None, folder: Path) -> str | None:
    return None if written is None else str(folder / written)


def _grams(written: str) -> Decimal:
    unit = "kg" if written.endswith("kg") else "g"
    return Decimal(written.removesuffix(unit)) * _GRAMS[unit]
