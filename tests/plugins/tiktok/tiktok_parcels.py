"""Orders that wait for shipment in a market, and parcels of their lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from hub.contract import Fulfillment, Order, OrderRef, Package, PackageResult
from tests.plugins.tiktok.tiktok_bench import LONG_AGO, Shop, shop_on_simulator

TWO_MUGS_AND_TEA = [{"sku": "MUG", "quantity": 2}, {"sku": "TEA", "quantity": 1}]


@contextmanager
def shop_in(region: str, **options: str) -> Iterator[Shop]:
    """A warm connector of a shop in one market."""
    with shop_on_simulator(options) as shop:
        shop.seed(shops=[{"id": shop.settings.shop, "name": "Simulated Shop", "region": region}])
        shop.memory.clear()
        shop.connector.list_locations()
        shop.calls.clear()
        yield shop


def waiting(shop: Shop, **spec: Any) -> Order:
    """An order of two mugs and a tea that awaits shipment."""
    (ref,) = shop.seed({"lines": TWO_MUGS_AND_TEA, "status": "AWAITING_SHIPMENT", **spec})
    return present(shop, ref)


def present(shop: Shop, ref: str) -> Order:
    """An order as it now stands; costs no counted call."""
    (order,) = shop.connector.fetch_orders([OrderRef(ref=ref, created_at=LONG_AGO, updated_at=LONG_AGO)])
    shop.calls.clear()
    return order


def parcel(
    order: Order, key: str, lines: Sequence[int], number: str | None = "1Z999", carrier: str | None = None
) -> Package:
    """A parcel of some of an order's lines, by their position."""
    refs = {order.lines[at].ref: Decimal(1) for at in lines}
    return Package(key=key, lines=refs, tracking_number=number, carrier_ref=carrier)


def carrier_of(shop: Shop, order: Order, at: int = 0) -> str:
    """A carrier of an order's delivery option; costs no counted call."""
    ref: str = shop.connector.list_carriers(order.delivery_ref)[at].ref
    shop.calls.clear()
    return ref


def own(shop: Shop, order: Order, *lines: Sequence[int]) -> list[Package]:
    """Parcels that the seller brings, numbered."""
    carrier = carrier_of(shop, order)
    return [parcel(order, f"K{at}", each, f"1Z99{at}", carrier) for at, each in enumerate(lines)]


def theirs(order: Order, *lines: Sequence[int]) -> list[Package]:
    """Parcels that TikTok brings: without number and carrier."""
    return [parcel(order, f"K{at}", each, None) for at, each in enumerate(lines)]


def push(shop: Shop, order: Order, packages: Sequence[Package]) -> list[PackageResult]:
    """Tell of parcels, with the order as it is given."""
    results: list[PackageResult] = shop.connector.push_fulfillment(shipment(order, packages), order)
    return results


def shipment(order: Order, packages: Sequence[Package]) -> Fulfillment:
    return Fulfillment(ref="F1", order_ref=order.ref, packages=tuple(packages), delivered=True)


def shown(order: Order) -> dict[str, list[int]]:
    """Which lines, by position, an order shows under which number."""
    found: dict[str, list[int]] = {}
    for at, line in enumerate(order.lines):
        found.setdefault(line.tracking_number or "", []).append(at)
    return found
