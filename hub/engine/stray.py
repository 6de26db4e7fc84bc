"""Sales orders meant for an ERP that is no longer the one of their Order's Route, because the route file changed.

What cannot have been sent there is withdrawn, and its Order decided anew. What may have been is asked of a person: to
send it elsewhere could make two sales orders of one Order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.contract import Order
from hub.engine.ledger import fate_entry, reasons, rules_of
from hub.engine.world import Connected, World
from hub.routing.fate import Fate, Problem, Standing
from hub.store import Tx, orders, outbox, timeline
from hub.store.orders import OrderRow
from hub.store.outbox import Effect, Settled, State

TARGET_GONE = "target-gone"


@dataclass(frozen=True, slots=True)
class _Case:
    """One Order with its effects and the ERP that its Route names now (None: no Route takes it)."""

    row: OrderRow
    effects: Sequence[Effect]
    erp: str | None

    @property
    def strays(self) -> list[Effect]:
        return [effect for effect in self.effects if effect.target != self.erp]


def recall(world: World, channel: Connected) -> None:
    """Decide anew what the present route file sends to another ERP; once, when a process begins with this channel."""
    now, homes = world.clock.now(), {route.name: route.erp for route in world.routes_from(channel.id)}
    with world.store.write() as tx:
        found = outbox.astray(tx, channel.id, homes, TARGET_GONE)
        rows = orders.by_ids(tx, sorted({effect.order_id for effect in found}))
        rules = rules_of(tx, world, channel)
        for row in rows.values():
            route = rules.route(Order.model_validate_json(row.document))
            mine = [effect for effect in found if effect.order_id == row.id]
            _settle(tx, world, _Case(row, mine, route.erp if route else None), now)


def let_go(tx: Tx, row: OrderRow, now: datetime) -> Standing:
    """Take a person's word that no sales order of this Order is left where it was sent; it may go elsewhere."""
    placing = [effect for effect in outbox.of_order(tx, row.id) if effect.kind == outbox.PLACE_ORDER]
    _withdraw(tx, placing, now)
    return _hold(tx, row, now)


def _settle(tx: Tx, world: World, case: _Case, now: datetime) -> None:
    row, unsure = case.row, [effect for effect in case.strays if may_be_there(effect)]
    if unsure:
        _ask(tx, world, case, unsure, now)
    elif row.cause == TARGET_GONE and any(effect.target == case.erp for effect in case.effects):
        # The route file names that ERP again: what became of it is looked up there.
        _stand(tx, row, Standing(Fate.READY, None, row.release_at), None, now)
    elif case.strays:
        _withdraw(tx, case.strays, now)
        if outbox.in_flight(tx, [row.id]):
            return  # on its way to where it belongs
        if row.fate == Fate.BLOCKED and row.cause != TARGET_GONE:
            orders.update(tx, [{"id": row.id, "due_at": now, "rechecks": 0}])
        elif row.fate in (Fate.READY, Fate.BLOCKED):
            _hold(tx, row, now)


def may_be_there(effect: Effect) -> bool:
    """Say whether an effect may have made a sales order: what was refused or looked up in vain has not."""
    return effect.state in (State.SENDING, State.UNKNOWN) or (effect.attempts > 0 and effect.look_first)


def _ask(tx: Tx, world: World, case: _Case, unsure: Sequence[Effect], now: datetime) -> None:
    """Block the Order. Its effect stays one whose outcome is unknown, so that nothing is sent beside it."""
    patience = timedelta(seconds=world.timing.timeout_s + world.timing.settle_s)
    for effect in unsure:
        due = now if effect.deadline_at is None else max(now, effect.deadline_at + patience)
        if effect.state != State.UNKNOWN:
            outbox.settle(tx, [Settled(effect, State.UNKNOWN, due, effect.look_first)])
    if case.row.cause != TARGET_GONE:
        there = " and ".join(sorted({effect.target for effect in unsure}))
        problem = Problem(
            "target-gone",
            f"its sales order may exist in {there}, which is no longer the ERP of its route",
            f"Put {there} back as its route's ERP, and the hub looks it up; or delete {case.row.key} there, "
            f"then: hub retry {case.row.ref}",
        )
        standing = Standing(Fate.BLOCKED, TARGET_GONE, case.row.release_at, (problem,))
        _stand(tx, case.row, standing, None, now)


def _withdraw(tx: Tx, effects: Sequence[Effect], now: datetime) -> None:
    outbox.settle(tx, [Settled(effect, State.SUPERSEDED, now, attempts=0) for effect in effects])


def _hold(tx: Tx, row: OrderRow, now: datetime) -> Standing:
    standing = Standing(Fate.HELD, "hold", row.release_at or now)
    _stand(tx, row, standing, now, now)
    return standing


def _stand(tx: Tx, row: OrderRow, standing: Standing, due_at: datetime | None, now: datetime) -> None:
    columns: dict[str, Any] = {
        "fate": standing.fate.value, "cause": standing.cause, "reason": reasons(standing.problems),
        "due_at": due_at, "rechecks": 0,
    }  # fmt: skip
    orders.update(tx, [{"id": row.id, **columns}])
    timeline.add(tx, [fate_entry(row.id, standing, now, row.route)])
