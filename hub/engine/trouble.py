"""What stands in the way of orders that have a sales order: set and cleared by the flows that find it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from hub.contract import Order
from hub.engine.ledger import fate_columns, fate_entry, history_of, reasons
from hub.engine.placed import rules_after
from hub.engine.world import World
from hub.routing.fate import Problem, after_placement
from hub.store import Tx, orders, timeline
from hub.store.orders import OrderRow


def set_trouble(tx: Tx, world: World, found: Mapping[int, Sequence[Problem]], by: str, now: datetime) -> None:
    """Replace the problems that the flow ``by`` found before with those it finds now; each order's fate follows."""
    for id_, row in orders.by_ids(tx, list(found)).items():
        others = [each for each in row.trouble or () if each["by"] != by]
        mine = [{**each, "by": by} for each in reasons(dict.fromkeys(found[id_])) or ()]
        if [*others, *mine] != (row.trouble or []):
            _write(tx, world, row, [*others, *mine], now)


def _write(tx: Tx, world: World, row: OrderRow, trouble: list[dict[str, Any]], now: datetime) -> None:
    changes: dict[str, Any] = {"id": row.id, "trouble": trouble or None}
    if row.placed_digest is not None:
        problems = tuple(Problem(each["code"], each["what"], each["do"], tuple(each["skus"])) for each in trouble)
        history = replace(history_of(row), trouble=problems)
        standing = after_placement(Order.model_validate_json(row.document), history, rules_after(world, row))
        changes |= {**fate_columns(world, standing, None, now), "route": row.route}
        if (standing.fate.value, standing.cause, reasons(standing.problems)) != (row.fate, row.cause, row.reason):
            timeline.add(tx, [fate_entry(row.id, standing, now, row.route)])
    orders.update(tx, [changes])
