"""Which hooks each part of a route asks of its two connectors, and what holds where a part is left out.

What the operator wrote is refused where a connector lacks a hook for it. What is on only by default falls back, so
that a connector that knows orders only can be wired.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hub.config.connections import Connectors, mapping
from hub.config.faults import Report, child, listing

CHANNEL_NEEDS = ("pull_orders", "fetch_orders")
ERP_NEEDS = ("find_orders", "push_order", "find_variants", "pull_products", "list_locations")
SIDES = ("channel", "erp")
OFF = {"enabled": False}
Hooks = tuple[str, ...]
Route = Mapping[str, Any]
Able = Mapping[str, frozenset[str] | None]
"""What the connector on each side can do; None where there is no such connector, which is told elsewhere."""


@dataclass(frozen=True, slots=True)
class Need:
    """A part of a route: where it stands, what it asks of each side, and what to write where that is not to be had."""

    section: str
    instead: str
    channel: Hooks = ()
    erp: Hooks = ()
    key: str = ""  # within the section; empty: the section as a whole

    def lacking(self, able: Able) -> dict[str, list[str]]:
        """Return the hooks that are not there, by side; an unknown connector lacks nothing."""
        wanted = {"channel": self.channel, "erp": self.erp}
        found = {side: [hook for hook in wanted[side] if hook not in (able[side] or wanted[side])] for side in SIDES}
        return {side: hooks for side, hooks in found.items() if hooks}


ORDERS = Need("orders", "orders: {enabled: false}", CHANNEL_NEEDS, ERP_NEEDS)
SECTIONS = (
    Need(
        "fulfillments",
        "fulfillments: {enabled: false}",
        channel=("push_fulfillment", "list_carriers"),
        erp=("pull_fulfillments", "fetch_fulfillments"),
    ),
    Need(
        "inventory",
        "inventory: {enabled: false}",
        channel=("pull_products", "pull_inventory", "push_inventory"),
        erp=("pull_inventory",),
    ),
    Need("returns", "returns: {enabled: false}", channel=("pull_returns",), erp=("push_return",)),
)
DONE = Need("orders", "fulfilled_by_channel: skip", erp=("push_fulfillment",), key="fulfilled_by_channel")
ON_CANCEL = Need("orders", "on_cancel: block", erp=("cancel_order",), key="on_cancel")
ON_CHANGE = Need("orders", "on_change: block", erp=("update_order",), key="on_change")
ON_REQUEST = Need(
    "orders",
    "on_cancel_request: ask",
    channel=("pull_cancellations", "decide_cancellation"),
    key="on_cancel_request",
)
ON_DELETED = Need("orders", "on_deleted_in_erp: block", channel=("cancel_order",), key="on_deleted_in_erp")
LABELS = Need("fulfillments", "no labels", channel=("fetch_label",), key="labels")
PUBLISH = Need("products", "no publish", channel=("push_products", "check_listing"), key="publish")
UPDATE = Need("products", "update: false", channel=("push_products",), key="update")
FALLBACKS = ((ON_CANCEL, "block"), (ON_CHANGE, "block"), (ON_REQUEST, "ask"))


def able_of(route: Route, data: Any, connectors: Connectors) -> Able:
    """Return what the connectors on both sides of a route can do."""
    return {side: _able(route.get(side), data, connectors) for side in SIDES}


def _able(key: Any, data: Any, connectors: Connectors) -> frozenset[str] | None:
    connections = mapping(mapping(data).get("connections"))
    name = mapping(connections.get(key)).get("connector") if isinstance(key, str) else None
    connector = connectors.get(name) if isinstance(name, str) else None
    return None if connector is None else frozenset(connector.capabilities)


def is_on(section: Any) -> bool:
    """Say whether a section, as written, is switched on."""
    return mapping(section).get("enabled", True) is not False


def settled(route: Route, able: Able) -> dict[str, Any]:
    """Return a route with what it leaves out filled in, where the default asks for more than its connectors can do."""
    result = dict(route)
    for need in SECTIONS:
        if need.section not in route and (need.lacking(able) or None in able.values()):
            result[need.section] = OFF
    orders = dict(mapping(route.get("orders")))
    for need, fallback in FALLBACKS:
        if need.key not in orders and need.lacking(able):
            orders[need.key] = fallback
    result["orders"] = orders
    return result


def check_needs(pointer: str, route: Route, able: Able, report: Report) -> None:
    """Note every part of a route, as written, that its connectors cannot do."""
    for need in _asked(route):
        for_what = child(child(pointer, need.section), need.key) if need.key else child(pointer, need.section)
        lacks = [
            f"{report.shown(child(pointer, side), route[side])} has no {listing(hooks)}"
            for side, hooks in need.lacking(able).items()
        ]
        if lacks:
            asks = f"{need.section}/{need.key}" if need.key else need.section
            what = f"{asks} cannot work: {'; '.join(lacks)}"
            do = (
                f"Name another connection on that side, or write {need.instead}; hub connectors lists what each can do."
            )
            report.wrong(for_what, "capability-missing", what, do)


def _asked(route: Route) -> Iterator[Need]:
    yield from (need for need in SECTIONS if need.section in route and is_on(route[need.section]))
    orders, shipments, products = (mapping(route.get(name)) for name in ("orders", "fulfillments", "products"))
    if is_on(orders):
        chosen = (
            (DONE, isinstance(orders.get(DONE.key), dict)),
            (ON_CANCEL, orders.get(ON_CANCEL.key) == "delete"),
            (ON_CHANGE, orders.get(ON_CHANGE.key) == "update"),
            (ON_REQUEST, orders.get(ON_REQUEST.key) in ("by_state", "accept", "refuse")),
            (ON_DELETED, isinstance(orders.get(ON_DELETED.key), dict)),
        )
        yield from (need for need, is_asked in chosen if is_asked)
    if is_on(shipments) and "labels" in shipments:
        yield LABELS
    if is_on(products) and "publish" in products:
        yield PUBLISH
    if is_on(products) and products.get("update") is True:
        yield UPDATE
