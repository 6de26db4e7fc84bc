"""Plain, valid data in; Routes and Timing out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hub.contract import FulfilledBy
from hub.routing.model import (
    Component,
    CustomerPer,
    DiscountRule,
    LocationRule,
    OrderRules,
    Route,
    ShippingAs,
    ShippingRule,
    TaxMode,
    TaxRule,
    Timing,
    When,
)

Data = Mapping[str, Any]
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def duration_s(value: Any) -> float | None:
    """Return a duration in seconds; None where the value is none."""
    if value in (0, "0") and not isinstance(value, bool):
        return 0.0
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    return float(Decimal(found[1]) * _SECONDS[found[2]]) if found else None


def start_of(text: str) -> datetime | None:
    """Return a date's midnight in UTC, or an instant that has a zone; None where the text is neither."""
    try:
        instant = datetime.fromisoformat(text.strip())
        if len(text.strip()) == len("2026-01-15"):
            return instant.replace(tzinfo=UTC)
        return instant.astimezone(UTC) if instant.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def timing(data: Data) -> Timing:
    """Return how often and how patiently the engine works."""
    return Timing(**{f"{key}_s": _seconds(value) for key, value in data.items()})


def route(data: Data) -> Route:
    """Return one Route of a file without faults."""
    return Route(name=data["name"], channel=data["channel"], erp=data["erp"], orders=_orders(data.get("orders", {})))


def _orders(data: Data) -> OrderRules:
    start = data.get("start", "now")
    return OrderRules(
        enabled=data.get("enabled", True),
        start=None if start == "now" else start_of(start),
        hold_s=_seconds(data.get("hold", "60m")),
        when=_when(data.get("when", {})),
        location=LocationRule(
            default=data.get("location", {}).get("default"),
            by_channel_location=dict(data.get("location", {}).get("by_channel_location", {})),
        ),
        customer=CustomerPer(data.get("customer", "per_shop")),
        skus={sku: _components(parts) for sku, parts in data.get("skus", {}).items()},
        tax=_tax(data.get("tax", "none")),
        discounts=_discounts(data.get("discounts", {})),
        shipping=_shipping(data.get("shipping", "fee")),
    )


def _when(data: Data) -> When:
    by = data.get("fulfilled_by")
    return When(
        regions=tuple(data.get("region", ())),
        skus=tuple(data.get("skus", ())),
        fulfilled_by=FulfilledBy(by) if by is not None else None,
        locations=tuple(data.get("warehouse", ())),
        tags=tuple(data.get("tags", ())),
    )


def _components(parts: str | list[Data]) -> tuple[Component, ...]:
    if isinstance(parts, str):
        return (Component(parts),)
    return tuple(
        Component(part["sku"], Decimal(part.get("quantity", 1)), Decimal(part.get("price_share", 1))) for part in parts
    )


def _tax(data: str | Data) -> TaxRule:
    if isinstance(data, str):
        return TaxRule(mode=TaxMode(data))
    return TaxRule(
        mode=TaxMode(data["mode"]),
        rate=Decimal(data["rate"]) if "rate" in data else None,
        included=data.get("included"),
        create_rates=data.get("create_rates", False),
    )


def _discounts(data: Data) -> DiscountRule:
    return DiscountRule(
        deduct_seller=data.get("seller", "deduct") == "deduct",
        deduct_channel=data.get("channel", "ignore") == "deduct",
    )


def _shipping(data: str | Data) -> ShippingRule:
    return ShippingRule(ShippingAs(data)) if isinstance(data, str) else ShippingRule(ShippingAs.ROW, data["row"])


def _seconds(value: Any) -> float:
    seconds = duration_s(value)
    return 0.0 if seconds is None else seconds
