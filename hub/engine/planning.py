"""Stands in for the other sides while a pass is rehearsed: notes every write, and answers as if it had been done.

Whatever is not a reading (hub.engine.outcome.READS) is a write, so that no flow can be forgotten. What follows only
from a real answer, such as a number that the channel gives, cannot be known before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.contract import (
    Fulfillment,
    ItemResult,
    Order,
    PackageResult,
    PlacedOrder,
    PlacedRow,
    SalesOrder,
    TransientError,
)  # fmt: skip
from hub.engine.noted import NOTES, PlannedWrite, Scene, note_other
from hub.engine.world import Connected, World
from hub.store import Store

NUMBER_COMES = "(as the channel says)"  # a tracking number that only the real answer brings
NOT_NOW_S = 3600.0


@dataclass(slots=True)
class StandIn:
    """Answers in place of the Connections of one rehearsed pass; ``real`` is the ledger that the rehearsal copied."""

    world: World
    real: Store
    writes: list[PlannedWrite] = field(default_factory=list)
    placing: list[tuple[str, SalesOrder]] = field(default_factory=list)  # ERP, sales order
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, connected: Connected, hook: str, arguments: Mapping[str, Any]) -> Any:
        """Note a write and answer it.

        Raises:
            TransientError: nobody can say what the answer would be; the flow tries again after the rehearsal's end.
        """
        note: Callable[..., list[PlannedWrite]] = NOTES.get(hook, note_other)
        with self.world.store.read() as tx:
            found = note(Scene(self.real, tx, connected, hook), **arguments)
        with self.lock:
            self.writes += found
            if hook == "push_order":
                self.placing.append((connected.id, arguments["order"]))
        if hook not in _ANSWERS:
            error = TransientError(
                "dry-run-write", f"{hook} was only noted", where=connected.id, do="Run it without --dry-run.",
                retry_after_s=NOT_NOW_S,
            )  # fmt: skip
            error.connection = connected.id
            raise error
        answer: Callable[..., Any] = _ANSWERS[hook]
        return answer(**arguments)

    def sorted(self) -> tuple[PlannedWrite, ...]:
        """Return the writes in an order that does not depend on that of the pass."""
        return tuple(sorted(self.writes, key=lambda each: (each.kind, each.connection, each.order or "", each.ref)))


# -- what is answered, as if it had been done


def _placed(order: SalesOrder, existing: PlacedOrder | None) -> PlacedOrder:
    if existing is not None:
        return existing.model_copy(update={"complete": True})
    return _made(order, f"planned-{order.key.key}", order.key.key)


def _made(order: SalesOrder, ref: str, number: str) -> PlacedOrder:
    rows = tuple(
        PlacedRow(ref=f"{ref}-{n}", variant_ref=row.variant_ref, quantity=row.quantity)
        for n, row in enumerate(order.rows)
    )
    return PlacedOrder(key=order.key.key, ref=ref, number=number, rows=rows)


def _told(fulfillment: Fulfillment, order: Order | None) -> list[PackageResult]:
    return [
        PackageResult(
            key=each.key, package_ref=each.ref or f"planned-{each.key}",
            tracking_number=each.tracking_number or NUMBER_COMES, carrier=each.carrier,
        )
        for each in fulfillment.packages
    ]  # fmt: skip


def _done(**_arguments: Any) -> bool:
    return True


_ANSWERS: Mapping[str, Callable[..., Any]] = {
    "push_order": _placed,
    "update_order": lambda order, existing: _made(order, existing.ref, existing.number),
    "cancel_order": _done,
    "decide_cancellation": _done,
    "push_fulfillment": _told,
    "update_fulfillment": _told,
    "push_return": lambda sales_return: f"planned-{sales_return.key}",
    "push_inventory": lambda stock: [ItemResult(ref=each.variant_ref) for each in stock],
    "push_products": lambda listings: [
        ItemResult(ref=each.key, made=each.ref or f"planned-{each.key}") for each in listings
    ],
}
