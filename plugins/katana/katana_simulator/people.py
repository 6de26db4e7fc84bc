"""What a person does in Katana's own screens, without a key: `POST /_sim/do/<deed>`.

A deed names an order by `order_no` (the newest live one of that number) or `sales_order_id`, a variant by `sku` (the
oldest live one) or `variant_id`, a location by its name. It follows the rules the API follows; what they forbid is
answered 400 in words. Deeds are no calls of the system: they are neither counted nor noted in the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from katana_simulator.exchange import Row
from katana_simulator.world import World

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing a person can do, and the names its body may hold."""

    run: Callable[[World, Body], Any]
    takes: frozenset[str]


def deed(run: Callable[[World, Body], Any], *takes: str) -> Deed:
    return Deed(run, frozenset(takes))


def refuse_unknown(body: Body, known: Iterable[str]) -> None:
    unknown = sorted(set(body) - set(known))
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(known))}")


def order_of(world: World, body: Body) -> Row:
    if "sales_order_id" in body:
        found = world.orders.live(int(body["sales_order_id"]))
    else:
        named = world.orders.each("order_no", str(body["order_no"]))
        found = named[-1] if named else None
    if found is None:
        raise ValueError(f"no sales order {body.get('order_no', body.get('sales_order_id'))}")
    return found


def variant_of(world: World, body: Body) -> Row:
    if "variant_id" in body:
        found = world.variants.live(int(body["variant_id"]))
    else:
        found = world.variants.first("sku", body["sku"])
    if found is None:
        raise ValueError(f"no variant {body.get('variant_id', body.get('sku'))}")
    return found


def location_of(world: World, body: Body, name: str = "location") -> int:
    """The id of the location that is named, else of the default one."""
    if body.get(name) is None:
        return world.default_location_id()
    found = world.locations.first("name", body[name])
    if found is None:
        raise ValueError(f"no location named {body[name]}")
    return int(found["id"])


def number(value: Any) -> Decimal:
    """A quantity from a body; 2, 2.5 and "2.5" all do."""
    return Decimal(str(value))


def numbers(given: Any) -> dict[str, Decimal]:
    """Quantities by SKU."""
    if not isinstance(given, dict):
        raise ValueError('quantities go by SKU: {"MUG": 2}')
    return {sku: number(value) for sku, value in given.items()}
