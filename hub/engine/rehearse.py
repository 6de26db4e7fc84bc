"""What would be sent: one pass over a throw-away copy of the ledger, with every write noted and none let out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from hub.config import Config
from hub.contract import SalesOrder
from hub.engine.noted import PlannedWrite
from hub.engine.placed import expected_totals
from hub.engine.planning import StandIn
from hub.engine.progress import Progress
from hub.engine.review import Count, counts
from hub.engine.sync import sync
from hub.engine.world import Trace, World, build
from hub.host.clock import HubClock
from hub.host.discover import Found
from hub.routing.model import CustomerPer
from hub.store import Store, known, open_store, orders
from hub.store.copy import bring_due, copy_ledger


@dataclass(frozen=True, slots=True)
class Planned:
    """One sales order that the next real pass would make; ``customer`` is never a buyer's name."""

    ref: str
    key: str
    connection: str
    route: str | None
    erp: str
    customer: str
    location: str | None  # by name; None: the ERP's default
    sales_order: SalesOrder
    expected_total: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a rehearsed pass came to."""

    planned: tuple[Planned, ...]
    writes: tuple[PlannedWrite, ...]  # all of them, those of ``planned`` too
    at: datetime
    before: tuple[Count, ...]
    after: tuple[Count, ...]
    progress: Progress
    reads: int


def rehearse(
    config: Config,
    plugins: Mapping[str, Found],
    store: Store,
    *,
    environ: Mapping[str, str],
    key_file: Path,
    stop: threading.Event,
    only: str | None = None,
    tell: Callable[[Progress], None] = lambda progress: None,
    trace: Trace | None = None,
    time: HubClock | None = None,
) -> Rehearsal:
    """Do one pass on a copy; ``store`` keeps only what must outlive it: renewed tokens."""
    with _copied(store) as copy:
        before = tuple(counts(copy))
        world = build(
            config, plugins, copy, environ=environ, key_file=key_file, dry=True, token_store=store, trace=trace,
            time=time,
        )  # fmt: skip
        stand_in = StandIn(world, store)
        world.stand_in = stand_in
        try:
            at, progress = world.clock.now(), Progress(tell=tell)
            with copy.write() as tx:
                bring_due(tx, at)
            sync(world, progress, stop, only)
            planned, after = _planned(world, stand_in.placing), tuple(counts(copy))
            return Rehearsal(planned, stand_in.sorted(), at, before, after, progress, world.guard.reads)
        finally:
            for session in world.sessions:
                session.close()
            world.clock.close()


@contextmanager
def _copied(store: Store) -> Iterator[Store]:
    with TemporaryDirectory(prefix="hub-dry-run-") as folder:
        copy = open_store(str(Path(folder) / "copy.db"))
        try:
            copy_ledger(store, copy)
            yield copy
        finally:
            copy.close()


def _planned(world: World, placing: Sequence[tuple[str, SalesOrder]]) -> tuple[Planned, ...]:
    found: list[tuple[int, Planned]] = []
    with world.store.read() as tx:
        for erp, order in placing:
            row = next(row for row in orders.find(tx, order.key.key) if row.key == order.key.key)
            customer = _customer(world, row.route, order)
            names = {place.ref: place.name for place in known.locations_of(tx, erp)}
            planned = Planned(
                row.ref, row.key, row.connection, row.route, erp, customer,
                names.get(order.location_ref or "", order.location_ref), _without_person(order, customer),
                expected_totals(order)[0], order.currency,
            )  # fmt: skip
            found.append((row.id, planned))
    return tuple(planned for _, planned in sorted(found, key=lambda each: each[0]))


def _customer(world: World, route: str | None, order: SalesOrder) -> str:
    per_buyer = any(each.name == route and each.orders.customer is CustomerPer.BUYER for each in world.routes)
    return order.customer.reference if per_buyer else order.customer.name


def _without_person(order: SalesOrder, customer: str) -> SalesOrder:
    bare = order.customer.model_copy(
        update={"name": customer, "first_name": None, "last_name": None, "email": None, "phone": None}
    )
    return order.model_copy(update={"customer": bare, "address": None, "note": ""})
