"""When proofs are made: by the daemon a page at a time beside its other work, by a person at once; and who hears of it.

A proof is a generator that gives way after each call, so orders go between any two of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.contract import Cursor
from hub.engine.proof import Proof
from hub.engine.reconcile import of_orders
from hub.engine.reconcile_erp import of_sales_orders, of_shipments
from hub.engine.reconcile_stock import of_stock
from hub.engine.turns import turn
from hub.engine.world import Connected, World
from hub.store import known
from hub.store.figures import keep_proof, last_proofs

STREAM = "proof"
AGAIN_S = 600.0  # a proof that could not be finished begins anew after this
LONGEST_S = 7 * 86_400.0
SAID = "said"


@dataclass(slots=True)
class Proving:
    """A proof that is being made."""

    proof: Proof
    steps: Iterator[bool]


def prove(world: World, connected: Connected) -> bool:
    """Make one step of the proof of a Connection that is due, where its budget has room; say whether it took a call.

    Raises:
        HubError: it could not be read; the proof begins anew after a while.
    """
    job: Proving | None = world.proving.get(connected.id) or _due(world, connected)
    if job is None:
        return False
    world.proving[connected.id] = job
    with turn(world, connected, connected) as may_go:
        if not may_go:
            return False
        del world.proving[connected.id]  # where the step fails, it is gone
        did = next(job.steps, None)
    if did is None:
        _finish(world, job.proof)
        return True
    world.proving[connected.id] = job
    return did


def prove_now(world: World, connected: Connected, since: datetime) -> Proof:
    """Make a whole proof at once, beside whoever speaks for the Connection, and keep it."""
    proof = Proof(connected.id, since, world.clock.now())
    for _ in _steps(world, connected, proof, in_lane=False):
        pass
    with world.store.write() as tx:
        _, before = last_proofs(tx).get(connected.id, (None, {}))
        keep_proof(tx, connected.id, proof.at, proof.document() | {SAID: bool(before.get(SAID))})
    return proof


def last(world: World, connection: str) -> Proof | None:
    """Return the last proof of a Connection that was kept."""
    with world.store.read() as tx:
        found = last_proofs(tx).get(connection)
    return Proof.read(connection, *found) if found is not None else None


def _steps(world: World, connected: Connected, proof: Proof, *, in_lane: bool) -> Iterator[bool]:
    if world.routes_from(connected.id):
        yield from of_orders(world, connected, proof, in_lane=in_lane)
        yield from of_stock(world, connected, proof, in_lane=in_lane)
    if world.routes_to(connected.id):
        yield from of_sales_orders(world, connected, proof)
        yield from of_shipments(world, connected, proof, in_lane=in_lane)


def _due(world: World, connected: Connected) -> Proving | None:
    """Begin a proof where one is due: a period after the last one; the first, a period after the first visit."""
    every, now = timedelta(seconds=world.timing.reconcile_every_s), world.clock.now()
    if not every:
        return None
    with world.store.read() as tx:
        proved, at = known.cursor(tx, connected.id, STREAM)  # proved: when the lane itself last finished one
        if at is not None and at <= now < at + every:
            return None
        before = last_proofs(tx).get(connected.id)
    with world.store.write() as tx:
        again = now if at is None else now - every + min(every, timedelta(seconds=AGAIN_S))
        known.set_cursor(tx, connected.id, STREAM, proved, again)
    if at is None:
        return None
    # Twice the period, so that each change is seen once it is settled; more where proofs were left out. One that a
    # person asked for may have been of less, and fills no gap.
    last_at = datetime.fromisoformat(proved) if proved else (None if before is None else before[0])
    since = min(now - 2 * every, now if last_at is None else last_at - every)
    proof = Proof(connected.id, max(since, now - timedelta(seconds=LONGEST_S)), now)
    return Proving(proof, _steps(world, connected, proof, in_lane=True))


def _finish(world: World, proof: Proof) -> None:
    with world.store.write() as tx:
        _, before = last_proofs(tx).get(proof.connection, (None, {}))
        keep_proof(tx, proof.connection, proof.at, proof.document() | {SAID: not proof.is_whole})
        known.set_cursor(tx, proof.connection, STREAM, Cursor(proof.at.isoformat()), proof.at)
    _say(world, proof, before)


def _say(world: World, proof: Proof, before: Mapping[str, Any]) -> None:
    """Say once that something remains, and once that nothing does any more."""
    if not proof.is_whole and not before.get(SAID):
        remains = {kind: len(ids) for part in proof.parts.values() for kind, ids in part.remainder.items() if ids}
        world.log.warning("reconciliation-remainder", connection=proof.connection, **remains)
    elif proof.is_whole and before.get(SAID):
        world.log.info("reconciliation-whole", connection=proof.connection)
