"""Order -> the Route that takes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from hub.contract import Location, Order
from hub.routing.model import Route, When


def route_for(order: Order, routes: Iterable[Route], locations: Sequence[Location] = ()) -> Route | None:
    """Return the first Route whose ``when`` matches; None where none does.

    ``locations`` are the channel's, so that a Route may say a name where the Order says an id.
    """
    return next((route for route in routes if _matches(order, route.orders.when, locations)), None)


def _matches(order: Order, when: When, locations: Sequence[Location]) -> bool:
    return (
        (not when.regions or order.region in when.regions)
        and (not when.skus or any(fnmatchcase(sku, p) for sku in _skus(order) for p in when.skus))
        and (when.fulfilled_by is None or order.fulfilled_by is when.fulfilled_by)
        and (not when.locations or not set(when.locations).isdisjoint(names_of(order.location_ref, locations)))
        and (not when.tags or not set(when.tags).isdisjoint(order.tags))
    )


def _skus(order: Order) -> list[str]:
    return [line.sku for line in order.lines if line.sku is not None]


def names_of(ref: str | None, locations: Sequence[Location]) -> tuple[str, ...]:
    """Return what an operator may call a Location: its ref and its name."""
    if ref is None:
        return ()
    return (ref, *(location.name for location in locations if location.ref == ref))
