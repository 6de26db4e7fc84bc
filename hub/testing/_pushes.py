"""Pushes that go wrong, one at a time, at each of their calls, and what must be true afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from hub.contract import PlacedOrder, SalesOrder, TransientError, Variant
from hub.testing.connection import TIMEOUT_S, Bench
from hub.testing.faults import Kind
from hub.testing.outside import SeenOrder
from hub.testing.stage import Stage, demand, shown

HASTY_S = 0.25  # time-out of a bench on which an answer comes too late
LATE_S = 0.5


@dataclass(frozen=True, slots=True)
class Pushed:
    """One push under a fault: what it gave, and what stood on the other side right after."""

    order: SalesOrder
    bench: Bench
    result: PlacedOrder | Exception
    stood: tuple[SeenOrder, ...]
    where: str


def ready(stage: Stage) -> tuple[Bench, list[Variant]]:
    """Return a connector and two variants to order."""
    bench = stage.bench()
    return bench, stage.variants(bench)


def push(bench: Bench, order: SalesOrder) -> PlacedOrder:
    """Push a new order."""
    placed: PlacedOrder = bench.hooks.push_order(order=order, existing=None)
    return placed


def begin_and_finish(bench: Bench, order: SalesOrder) -> PlacedOrder:
    """Push a new order in two halves."""
    placed: PlacedOrder = bench.hooks.begin_order(order=order)()
    return placed


Way = Callable[[Bench, SalesOrder], PlacedOrder]


def ways(stage: Stage) -> tuple[Way, ...]:
    """Return how the hub may push a new order."""
    return (push, begin_and_finish) if "begin_order" in stage.hooks else (push,)


def pushes(stage: Stage, kinds: Sequence[Kind], *, times: int | None) -> Iterator[Pushed]:
    """Push one new order in each way for each kind and each call of a push, struck at that call."""
    bench, variants = ready(stage)
    for way in ways(stage):
        calls = stage.calls_of(lambda way=way: way(bench, stage.order(variants)))  # type: ignore[misc]
        demand(calls, "a push made no call")
        for kind in kinds:
            for first in range(1, min(calls, 6) + 1):
                yield _push(stage, way, kind, first, times, variants)


def _push(stage: Stage, way: Way, kind: Kind, first: int, times: int | None, variants: Sequence[Variant]) -> Pushed:
    bench = stage.bench(HASTY_S if kind is Kind.SLOW else TIMEOUT_S)
    order, before = stage.order(variants), {one.ref for one in stage.outside.sales_orders()}
    stage.channel.fail(kind, first=first, times=times, seconds=LATE_S)
    result = stage.attempt(lambda: way(bench, order))
    stage.channel.heal()
    stage.channel.wait_quiet()
    stood = tuple(one for one in stage.outside.sales_orders() if one.ref not in before)
    often = "once, at" if times else "for good, from"
    name = "a push" if way is push else "a push in two halves"
    return Pushed(order, bench, result, stood, f"{name} with {kind} {often} call {first}")


def truth_is_told(pushed: Pushed) -> bool:
    """Check one outcome against what stands on the other side; say whether the error left it open."""
    result, where = pushed.result, pushed.where
    demand(len(pushed.stood) < 2, f"{where} made {len(pushed.stood)} sales orders")
    if isinstance(result, PlacedOrder):
        demand(pushed.stood, f"{where} gave {shown(result)}, but nothing stands there")
        return False
    demand(isinstance(result, TransientError), f"{where} gave {shown(result)}")
    may = isinstance(result, TransientError) and result.may_have_happened
    demand(may or not pushed.stood, f"{where}: the order was made, the error says that it cannot have happened")
    return may


def settle(stage: Stage, pushed: Pushed) -> None:
    """Go on as the hub would: look the order up, then push it with what was found; one whole order must stand."""
    bench, key = stage.bench(), pushed.order.key.key
    found = stage.find(bench, [pushed.order])
    refs, there = [one.ref for one in found], [one.ref for one in pushed.stood]
    demand(refs == there, f"{pushed.where}: {there} stands there, find_orders finds {refs}")
    bench.hooks.push_order(order=pushed.order, existing=found[0] if found else None)
    again = stage.find(bench, [pushed.order])
    demand(len(again) == 1, f"{pushed.where}, looked up and pushed again: {len(again)} sales orders of {key}")
    stood = {one.ref: one for one in stage.outside.sales_orders()}
    is_whole(stood[again[0].ref], pushed.order)


def is_whole(seen: SeenOrder, order: SalesOrder) -> None:
    """Check that a sales order carries all that was pushed."""
    rows = sorted((row.sku, row.quantity) for row in order.rows)
    demand(sorted(seen.rows) == rows, f"order {order.key.key} has the rows {sorted(seen.rows)}, not {rows}")
    charge = order.shipping.amount if order.shipping else None
    demand(
        seen.shipping in (None, charge), f"order {order.key.key} is charged {seen.shipping} for shipping, not {charge}"
    )
