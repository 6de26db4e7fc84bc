"""An order that may ship, whichever side the connector speaks for: a channel's own, or one pushed to an ERP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hub.contract import (
    Fulfillment,
    Order,
    OrderRef,
    OrderStatus,
    Package,
    PackageResult,
    PlacedOrder,
    SalesOrder,
)
from hub.testing.connection import Bench
from hub.testing.deeds import SeenParcel
from hub.testing.stage import Stage, demand, skip_ungiven, skip_without

ERP_HOOKS = ("find_variants", "push_order", "find_orders")
CARRIER = "Kit Post"
Lines = dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class Shippable:
    """An order with its lines: SKU and quantity by ref. ``pushed`` only where it is an ERP's."""

    stage: Stage
    bench: Bench
    ref: str
    lines: Mapping[str, tuple[str, Decimal]]
    pushed: SalesOrder | None = None
    placed: PlacedOrder | None = None
    delivery_ref: str | None = None

    def parts(self, count: int = 2) -> list[Lines]:
        """Return all of it in so many parts, each of whole lines."""
        refs = list(self.lines)
        demand(len(refs) >= 2, f"order {self.ref} has {len(refs)} lines; the kit needs two or more")
        return [{ref: self.lines[ref][1] for ref in refs[at::count]} for at in range(count)]

    def present(self, bench: Bench | None = None) -> Order | None:
        """Return the channel's order as it now stands; None of an ERP's."""
        if self.pushed is not None:
            return None
        found = read_order(self.stage, bench or self.bench, self.ref)
        demand(found is not None, f"fetch_orders does not know order {self.ref} any more")
        return found

    def found(self) -> PlacedOrder:
        """Return the one living sales order as find_orders tells it."""
        assert self.pushed is not None  # noqa: S101  # the rules about it are an ERP's
        found = [one for one in self.stage.find(self.stage.bench(), [self.pushed]) if not one.deleted]
        demand(len(found) == 1, f"order {self.ref} was pushed once, find_orders finds {len(found)} living ones")
        return found[0]

    def lives(self) -> bool:
        """Say whether it can still be shipped, as the other side has it."""
        if self.pushed is not None:
            return self.ref in {one.ref for one in self.stage.outside.sales_orders()}
        order = read_order(self.stage, self.stage.bench(), self.ref)
        return order is not None and order.status is not OrderStatus.CANCELLED

    def ship(self, tracking_number: str = "KIT1SHIP", at: int = 0, units: int = 1) -> str:
        """Have a person ship some units of the line at a position, as one parcel."""
        sku, _ = list(self.lines.values())[at]
        ref = self.stage.outside.ship(self.ref, {sku: units}, tracking_number)
        demand(ref, "the deed 'ship' must return the ref of the fulfillment")
        return ref

    def package(self, key: str, lines: Mapping[str, Decimal], number: str) -> Package:
        """Return a parcel of it, with a carrier that the other side knows."""
        known = []
        if self.delivery_ref and "list_carriers" in self.stage.hooks:
            known = self.bench.hooks.list_carriers(delivery_ref=self.delivery_ref)
        carrier, carrier_ref = (known[0].name, known[0].ref) if known else (CARRIER, None)
        return Package(key=key, lines=dict(lines), tracking_number=number, carrier=carrier, carrier_ref=carrier_ref)

    def fulfillment(self, packages: Sequence[Package]) -> Fulfillment:
        """Return what left, in these parcels."""
        now = self.stage.outside.now()
        return Fulfillment(ref=packages[0].key, order_ref=self.ref, packages=tuple(packages), delivered=True, at=now)

    def push(self, packages: Sequence[Package], bench: Bench | None = None) -> list[PackageResult]:
        """Tell of parcels, with the order read just before."""
        on = bench or self.bench
        given, order = self.fulfillment(packages), self.present()
        results: list[PackageResult] = on.hooks.push_fulfillment(fulfillment=given, order=order)
        return results

    def parcels(self) -> list[SeenParcel]:
        """Return what stands on the other side, by number."""
        return sorted(self.stage.outside.parcels(self.ref), key=lambda one: (one.tracking_number or "", one.ref))


def shippable(stage: Stage, bench: Bench, *quantities: int) -> Shippable:
    """Return a new order that may ship at once.

    Args:
        quantities: how many of each line an ERP's order shall have; 1 and 2 where none is given.
    """
    if "push_order" in stage.hooks:
        return _sales_order(stage, bench, quantities or (1, 2))
    skip_without(stage.hooks, ["fetch_orders"])
    skip_ungiven(stage.outside, ["seed_open_order"])
    order = read_order(stage, bench, stage.outside.seed_open_order())
    demand(order is not None, "seed_open_order gave an order that fetch_orders does not know")
    assert order is not None  # noqa: S101  # demanded
    lines = {line.ref: (line.sku or "", line.quantity) for line in order.lines}
    return Shippable(stage, bench, order.ref, lines, delivery_ref=order.delivery_ref)


def _sales_order(stage: Stage, bench: Bench, quantities: Sequence[int]) -> Shippable:
    skip_without(stage.hooks, ERP_HOOKS)
    variants = stage.variants(bench, len(quantities))
    plain = stage.order(variants)
    counts = zip(plain.rows, quantities, strict=True)
    rows = tuple(row.model_copy(update={"quantity": Decimal(count)}) for row, count in counts)
    order = plain.model_copy(update={"rows": rows})
    placed = bench.hooks.push_order(order=order, existing=None)
    (found,) = [one for one in stage.find(bench, [order]) if not one.deleted]
    demand(found.ref == placed.ref, f"the push says {placed.ref}, find_orders says {found.ref}")
    row_of = {row.variant_ref: row for row in found.rows}
    demand(len(row_of) == len(rows), f"find_orders tells {len(row_of)} rows of an order of {len(rows)}")
    lines = {row_of[each.ref].ref: (each.sku or "", row_of[each.ref].quantity) for each in variants}
    return Shippable(stage, bench, found.ref, lines, order, found)


def read_order(stage: Stage, bench: Bench, ref: str) -> Order | None:
    """Return the present state of a channel's order; None where it is not known."""
    now = stage.outside.now()
    found = stage.fetch(bench, [OrderRef(ref=ref, created_at=now, updated_at=now)])
    return found[0] if found else None
