"""What a schema cannot say: names that must exist, shares that must add up, a clock that must not meet the world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from hub.config.connections import Connectors, is_local, is_on_loopback, mapping
from hub.config.faults import Report, child, listing, nearest
from hub.config.needs import CHANNEL_NEEDS, ERP_NEEDS, able_of, check_needs, is_on
from hub.config.sections import is_url
from hub.config.shops import check_claims, check_feeds, check_rulers, is_number, settled_routes
from hub.config.times import YEAR_S, duration_s, start_of

_MAY_BE_0 = ("settle", "stock_settle", "reconcile_every")


def check_all(data: Any, connectors: Connectors, models: Mapping[str, BaseModel | None], report: Report) -> None:
    """Add every Fault and warning that needs more than one place, or more than a schema, to see."""
    _check_names(data, report)
    for pointer, route in _routes(data):
        _check_sides(pointer, route, data, connectors, report)
        check_needs(pointer, route, able_of(route, data, connectors), report)
        _check_orders(child(pointer, "orders"), mapping(route.get("orders")), report)
        _check_sections(pointer, route, report)
    _check_stock(data, connectors, report)
    for key, value in mapping(mapping(data).get("timing")).items():
        _check_duration(child("/timing", key), value, 0 if key in _MAY_BE_0 else 1, report)
    _check_clock(mapping(data).get("clock"), models, report)


def _check_orders(pointer: str, orders: dict[str, Any], report: Report) -> None:
    _check_duration(child(pointer, "hold"), orders.get("hold"), 0, report)
    _check_start(child(pointer, "start"), orders.get("start"), report)
    _check_tax(child(pointer, "tax"), mapping(orders.get("tax")), report)
    for sku, parts in mapping(orders.get("skus")).items():
        _check_shares(child(child(pointer, "skus"), sku), parts, report)


def _check_sections(pointer: str, route: dict[str, Any], report: Report) -> None:
    _check_duration(f"{pointer}/fulfillments/late", mapping(route.get("fulfillments")).get("late"), 0, report)
    inventory = mapping(route.get("inventory"))
    _check_duration(f"{pointer}/inventory/every", inventory.get("every"), 1, report)
    check_feeds(f"{pointer}/inventory", inventory, report)
    products = mapping(route.get("products"))
    if products.get("skus") and "publish" not in products and products.get("update") is not True:
        what, do = "nothing is listed or updated, so these SKUs count for nothing", "Write publish or update: true."
        report.wrong(f"{pointer}/products/skus", "route-conflict", what, do)
    _check_images(f"{pointer}/products/images", products, report)


def _check_images(place: str, products: Mapping[str, Any], report: Report) -> None:
    images = products.get("images")
    if not isinstance(images, str) or not images or not is_on(products):
        return
    if is_url(images):
        if "{sku}" not in images:
            report.wrong(
                place, "wrong-value", "the address of images lacks {sku}", "Write {sku} where the SKU belongs."
            )
    elif not _is_folder(report.path.parent / images):
        what, do = f"there is no folder {report.shown(place, images)}", "Make it; its path is relative to this file."
        report.warn(place, "file-unreadable", what, do)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _check_stock(data: Any, connectors: Connectors, report: Report) -> None:
    """Look at all routes together, as the engine will see them."""
    pointers, written = [pointer for pointer, _ in _routes(data)], [route for _, route in _routes(data)]
    check_rulers(list(zip(pointers, written, strict=True)), report)
    routes = list(zip(pointers, settled_routes(written, data, connectors), strict=True))
    check_claims(routes, report)
    for pointer, route in routes:
        buffer = mapping(mapping(route.get("inventory")).get("buffer"))
        kept = [buffer.get(key, 0) for key in ("units", "percent")]
        if is_on(route.get("inventory")) and not any(not is_number(part) or part > 0 for part in kept):
            what = "stock goes out with nothing kept back: what sells between a reading and the write is oversold"
            do = "Write inventory: {buffer: {units: 2}}, and more where much sells at once."
            report.warn(f"{pointer}/inventory/buffer", "buffer-zero", what, do)


def _routes(data: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    routes = mapping(data).get("routes")
    for at, route in enumerate(routes if isinstance(routes, list) else ()):
        if isinstance(route, dict):
            yield child("/routes", at), route


def _check_names(data: Any, report: Report) -> None:
    seen: dict[str, str] = {}
    for pointer, route in _routes(data):
        name = route.get("name")
        if isinstance(name, str) and name in seen:
            what = f"another route is called {report.shown(child(pointer, 'name'), name)}"
            do = f"Give each route a name of its own; the first is on line {report.places[seen[name]].line}."
            report.wrong(child(pointer, "name"), "route-conflict", what, do)
        elif isinstance(name, str):
            seen[name] = child(pointer, "name")
    used = {str(route.get(side)) for _, route in _routes(data) for side in ("channel", "erp")}
    for key in mapping(mapping(data).get("connections")):
        if key not in used:
            what, do = "no route uses this connection", "Name it in a route, or remove it."
            report.warn(child("/connections", key), "connection-unused", what, do, at_key=True)


def _check_sides(pointer: str, route: dict[str, Any], data: Any, connectors: Connectors, report: Report) -> None:
    enabled = mapping(route.get("orders")).get("enabled", True) is not False
    connections = mapping(mapping(data).get("connections"))
    for side, needs in (("channel", CHANNEL_NEEDS), ("erp", ERP_NEEDS)):
        at, key = child(pointer, side), route.get(side)
        if not isinstance(key, str) or not key:
            continue
        if key not in connections:
            what = f"there is no connection called {report.shown(at, key)}"
            do = f"{nearest(key, connections)}Connections in this file: {listing(connections)}."
            report.wrong(at, "connection-unknown", what, do)
            continue
        name = mapping(connections[key]).get("connector")
        connector = connectors.get(name) if isinstance(name, str) else None
        lacking = [hook for hook in needs if connector is not None and hook not in connector.capabilities]
        if enabled and lacking:
            what = f"the connector {name} cannot be the {side} of orders: it has no {listing(lacking)}"
            report.wrong(
                at, "capability-missing", what, f"Name another connection as {side}, or set orders: {{enabled: false}}."
            )
    if isinstance(route.get("channel"), str) and route.get("channel") == route.get("erp"):
        what, do = "channel and erp are the same connection", "Name the connection that ships and counts."
        report.wrong(child(pointer, "erp"), "route-conflict", what, do)


def _check_duration(pointer: str, value: Any, at_least_s: int, report: Report) -> None:
    seconds = duration_s(value)
    if seconds is None:
        return
    if seconds < at_least_s:
        report.wrong(pointer, "wrong-value", f"must be at least {at_least_s}s", "Write a longer time.")
    elif seconds > YEAR_S:
        report.wrong(pointer, "wrong-value", "is longer than a year", "Write a shorter time.")


def _check_start(pointer: str, value: Any, report: Report) -> None:
    if not isinstance(value, str) or value == "now":
        return
    if start_of(value) is None:
        what, do = (
            "is not a time that exists",
            "Write now, a date such as 2026-01-15, or 2026-01-15T09:00:00Z, with its zone.",
        )
        report.wrong(pointer, "wrong-value", what, do)


def _check_tax(pointer: str, tax: dict[str, Any], report: Report) -> None:
    if "rate" in tax and tax.get("mode") in ("from_order", "none"):
        what, do = "a rate counts only with mode: fixed", "Write mode: fixed, or remove the rate."
        report.wrong(child(pointer, "rate"), "route-conflict", what, do)


def _check_shares(pointer: str, parts: Any, report: Report) -> None:
    if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
        return
    shares = [part.get("price_share") for part in parts]
    given = [share for share in shares if isinstance(share, (int, Decimal)) and not isinstance(share, bool)]
    if len(given) != sum(share is not None for share in shares):
        return
    if not given and len(parts) == 1:
        return
    if len(given) < len(parts):
        what = f"{len(parts) - len(given)} of {len(parts)} components have no price_share"
        report.wrong(pointer, "route-conflict", what, "Give each a price_share; together they must be exactly 1.")
    elif sum(given, Decimal(0)) != 1:
        what = f"the price shares add up to {sum(given, Decimal(0))}, not 1"
        report.wrong(pointer, "route-conflict", what, "Change them so that they add up to exactly 1.")


def _check_clock(clock: Any, models: Mapping[str, BaseModel | None], report: Report) -> None:
    if not isinstance(clock, str):
        return
    if not is_local(clock):
        what, do = "a clock must be on this very machine", "Write it like http://127.0.0.1:8701/_sim/clock."
        report.wrong("/clock", "clock-refused", what, do)
        return
    outside = [key for key, model in models.items() if model is not None and not is_on_loopback(model)]
    if outside:
        what = f"a simulated clock is refused beside connections that are not on this machine: {listing(outside)}"
        do = "Remove the clock, or point every URL of these connections at a simulator (defaults count)."
        report.wrong("/clock", "clock-refused", what, do)
