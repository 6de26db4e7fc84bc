"""Plain, valid data in; Routes and Timing out."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from hub.config import sections
from hub.config.times import seconds, start_of
from hub.contract import FulfilledBy
from hub.routing.model import (
    AfterPlacement,
    Component,
    CustomerPer,
    DiscountRule,
    LocationRule,
    OnCancel,
    OnChange,
    OnRequest,
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


def timing(data: Data) -> Timing:
    """Return how often and how patiently the engine works."""
    return Timing(**{f"{key}_s": seconds(value) for key, value in data.items()})


def route(data: Data, folder: Path) -> Route:
    """Return one Route of a file without faults; ``folder`` is what paths in it are relative to."""
    return Route(
        name=data["name"],
        channel=data["channel"],
        erp=data["erp"],
        orders=_orders(data.get("orders", {})),
        fulfillments=sections.fulfillments(data.get("fulfillments", {}), folder),
        inventory=sections.inventory(data.get("inventory", {})),
        products=sections.products(data.get("products", {}), folder),
        returns=sections.returns(data.get("returns", {})),
    )


def _orders(data: Data) -> OrderRules:
    start = data.get("start", "now")
    return OrderRules(
        enabled=data.get("enabled", True),
        start=None if start == "now" else start_of(start),
        hold_s=seconds(data.get("hold", "60m")),
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
        done_location=_done_location(data.get("fulfilled_by_channel", "skip")),
        after=_after(data),
    )


def _done_location(data: str | Data) -> str | None:
    return None if isinstance(data, str) else str(data["record_as_done"]["location"])


def _after(data: Data) -> AfterPlacement:
    deleted = data.get("on_deleted_in_erp", "block")
    return AfterPlacement(
        on_cancel=OnCancel(data.get("on_cancel", "delete")),
        on_change=OnChange(data.get("on_change", "update")),
        on_request=OnRequest(data.get("on_cancel_request", "by_state")),
        cancel_reason=None if isinstance(deleted, str) else deleted["cancel_with"],
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
