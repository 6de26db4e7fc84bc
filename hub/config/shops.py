"""What several routes have in common: a shop whose stock one of them rules, an ERP whose stock several shops sell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from hub.config.connections import Connectors, mapping
from hub.config.faults import Report, child, listing, printable
from hub.config.needs import OFF, able_of, is_on, settled

Placed = tuple[str, Mapping[str, Any]]
"""A route and its pointer."""

WHOLE = Decimal(100)
SomeLocation = str | None
"""The name of an ERP location; None: the ERP's own default, whatever its name is."""


def rules_stock(route: Mapping[str, Any]) -> bool:
    """Say whether a route, as written, says something on its shop's stock or listings."""
    stock, products = route.get("inventory"), mapping(route.get("products"))
    return ("inventory" in route and is_on(stock)) or bool(
        "products" in route and (is_on(products) or products.get("disabled"))
    )


def ruling(routes: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return for each channel which of its routes (by number) rules stock and listings; the others leave both alone."""
    found: dict[str, int] = {}
    for at, route in enumerate(routes):
        channel = route.get("channel")
        if isinstance(channel, str) and (
            channel not in found or (rules_stock(route) and not rules_stock(routes[found[channel]]))
        ):
            found[channel] = at
    return found


def settled_routes(written: Sequence[Mapping[str, Any]], data: Any, connectors: Connectors) -> list[dict[str, Any]]:
    """Return the routes with everything filled in that hangs on connectors or on other routes of the same shop.

    Stock and listings are off in all but the one route of a shop that rules them. A route that switches its shop's
    stock off does so for the shop, unless another one says more.
    """
    rulers = ruling(written)
    off = [route.get("channel") for route in written if "inventory" in route and not is_on(route["inventory"])]
    result = []
    for at, route in enumerate(written):
        changed = settled(route, able_of(route, data, connectors))
        channel = route.get("channel")
        if not isinstance(channel, str) or rulers[channel] != at:
            changed |= {"inventory": OFF, "products": OFF}
        elif "inventory" not in route and channel in off:
            changed["inventory"] = OFF
        result.append(changed)
    return result


def check_rulers(routes: Sequence[Placed], report: Report) -> None:
    """Note a second route that says something on the same shop's stock or listings."""
    first: dict[str, str] = {}
    for pointer, route in routes:
        channel = route.get("channel")
        if not isinstance(channel, str) or not rules_stock(route):
            continue
        if channel in first:
            key = "inventory" if "inventory" in route and is_on(route["inventory"]) else "products"
            what = f"route {first[channel]} says already what {report.shown(child(pointer, 'channel'), channel)} sells"
            do = "Write inventory and products in one route of a shop; they hold for the whole shop."
            report.wrong(child(pointer, key), "route-conflict", what, do)
        else:
            first[channel] = _name(pointer, route, report)


def check_feeds(pointer: str, inventory: Mapping[str, Any], report: Report) -> None:
    """Note an ERP location that feeds one shop's warehouses with more than all it has."""
    for name, share in _feeds(inventory).items():
        if share > WHOLE:
            what = f"{_shown(name, report)} feeds the warehouses of this shop with {share.normalize():f} % of its stock"
            do = "Lower the shares so that they add up to at most 100."
            report.wrong(child(pointer, "locations"), "oversell", what, do)


def check_claims(routes: Sequence[Placed], report: Report) -> None:
    """Note where shops would together sell more of an ERP's stock than there is, without saying that they mean it."""
    erps: dict[str, list[Placed]] = {}
    for pointer, route in routes:
        if isinstance(route.get("erp"), str) and is_on(route.get("inventory")):
            erps.setdefault(route["erp"], []).append((pointer, route))
    for erp, sharing in erps.items():
        claims = {pointer: _claims(mapping(route.get("inventory"))) for pointer, route in sharing}
        names: list[SomeLocation] = list(dict.fromkeys(name for claimed in claims.values() for name in claimed if name))
        for name in names or [None]:
            selling = [(pointer, route) for pointer, route in sharing if _at(claims[pointer], name)]
            by_pool: dict[str, Decimal] = {}
            for pointer, route in selling:
                pool = _pool(pointer, route)
                by_pool[pool] = max(by_pool.get(pool, Decimal(0)), _at(claims[pointer], name))
            if len(by_pool) > 1 and sum(by_pool.values()) > WHOLE:
                _note_oversell(erp, name, sum(by_pool.values(), Decimal(0)), selling, report)
                break  # one report for each ERP


def _pool(pointer: str, route: Mapping[str, Any]) -> str:
    """Return the name of a shop's pool; a shop by itself is one too."""
    named = mapping(route.get("inventory")).get("pool")
    return f"pool {named}" if isinstance(named, str) else pointer


def _note_oversell(erp: str, name: SomeLocation, total: Decimal, routes: Sequence[Placed], report: Report) -> None:
    pointer, last = routes[-1]
    where = _shown(name, report) if name else "the default location"
    names = listing(_name(at, route, report) for at, route in routes)
    erp = report.shown(child(pointer, "erp"), erp)
    what = f"routes {names} would oversell: together they sell {total.normalize():f} % of the stock at {where} of {erp}"
    do = (
        "Under inventory, give each a share (together at most 100), or all the same pool, where each may sell all of "
        "it; or name locations of their own with default or locations."
    )
    report.wrong(child(pointer, "inventory") if "inventory" in last else pointer, "oversell", what, do)


def _claims(inventory: Mapping[str, Any]) -> dict[SomeLocation, Decimal]:
    """Return which part of each ERP location's stock a shop sells, in percent."""
    found: dict[SomeLocation, Decimal] = {name: min(share, WHOLE) for name, share in _feeds(inventory).items()}
    default = inventory.get("default")
    if isinstance(default, str) or not found:
        found[default if isinstance(default, str) else None] = WHOLE
    share = inventory.get("share", 100)
    part = Decimal(share) if is_number(share) else WHOLE
    return {name: fed * part / WHOLE for name, fed in found.items()}


def _at(claimed: Mapping[SomeLocation, Decimal], name: SomeLocation) -> Decimal:
    # The ERP's default location may be the very one that another shop names.
    return claimed.get(name, claimed.get(None, Decimal(0)))


def _feeds(inventory: Mapping[str, Any]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for name, share in _each_feed(mapping(inventory.get("locations"))):
        found[name] = found.get(name, Decimal(0)) + share
    return found


def _each_feed(locations: Mapping[str, Any]) -> Iterator[tuple[str, Decimal]]:
    for feeds in locations.values():
        if isinstance(feeds, str):
            yield feeds, WHOLE
        for feed in feeds if isinstance(feeds, list) else ():
            share = mapping(feed).get("share", 100)
            if isinstance(mapping(feed).get("location"), str) and is_number(share):
                yield feed["location"], Decimal(share)


def is_number(value: Any) -> bool:
    """Say whether a value of the file is a number; true and false are none."""
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def _name(pointer: str, route: Mapping[str, Any], report: Report) -> str:
    return report.shown(child(pointer, "name"), str(route.get("name")))


def _shown(location: str, report: Report) -> str:
    """Return a location's name, unless a variable's value is part of it."""
    is_hidden = any(value and value in location for value in report.hidden)
    return "a location named by a variable" if is_hidden else f"location {printable(location)}"
