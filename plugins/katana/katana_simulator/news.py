"""What one call or one deed changed, as webhook events, read off the rows it touched.

Rows tell what they were before only while somebody subscribes; nobody else pays for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import urlsplit

from katana_simulator.exchange import Row
from katana_simulator.stock import Place
from katana_simulator.tables import Table
from katana_simulator.world import World


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: its name, and what the payload says of the object."""

    action: str
    id: int
    says: Row = field(default_factory=dict)
    path: str = ""

    @property
    def resource_type(self) -> str:
        return self.action.partition(".")[0]


def is_loopback(url: str) -> bool:
    try:
        return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
    except ValueError:
        return False


def listen(world: World) -> None:
    """Have tables and stock remember what they were, or stop it, as there are subscriptions."""
    wanted = any(row["enabled"] for row in world.webhooks.rows.values())
    for table in _tables(world).values():
        table.before = (table.before or {}) if wanted else None
    world.stock.before = (world.stock.before or {}) if wanted else None


def gather(world: World) -> list[Event]:
    """What happened since the last time, in the order of first touch."""
    if world.stock.before is None:
        return []
    found = [event for kind, table in _tables(world).items() for event in _of_table(world, kind, table)]
    found += _of_stock(world, world.stock.before)
    world.stock.before = {}
    return found


def _tables(world: World) -> dict[str, Table]:
    """What there are events for: services have none."""
    parents = {kind: world.parents[kind] for kind in ("product", "material")}
    return {"sales_order": world.orders, "variant": world.variants, **parents}


def _of_table(world: World, kind: str, table: Table) -> Iterator[Event]:
    touched, table.before = table.before or {}, {}
    for number, old in touched.items():
        row = table.rows[number]
        says = {"status": row["status"]} if kind == "sales_order" else {}
        if row.get("deleted_at") and (old is None or old.get("deleted_at")):
            continue
        if row.get("deleted_at"):
            yield Event(f"{kind}.deleted", number, says)  # without a link  # K-95
            continue
        verbs = ["created"] if old is None else ["updated"]
        if kind == "sales_order":
            verbs += _shipped(world, old, row)
        for verb in verbs:
            yield Event(f"{kind}.{verb}", number, says, f"/{kind}s/{number}")


def _shipped(world: World, old: Row | None, row: Row) -> list[str]:
    """Packed and delivered come beside `updated`, as a near-identical twin.  # K-97"""
    status = row["status"]
    if status in ("PACKED", "DELIVERED") and (old is None or old["status"] != status):
        return [str(status).lower()]
    is_told = world.options["webhook_partial"] == "delivered"  # K-99
    return ["delivered"] if is_told and status == "PARTIALLY_DELIVERED" else []


def _of_stock(world: World, before: dict[Place, tuple[Decimal, Decimal, Decimal]]) -> Iterator[Event]:
    """One event a variant for its level; and one more where a place runs out, counting what is promised.  # K-96"""
    moved: dict[int, None] = {}
    ended: dict[int, None] = {}
    for place, (in_stock, committed, cost) in before.items():
        level = world.stock.level(place)
        is_moved = (level.in_stock, level.average_cost) != (in_stock, cost)
        if is_moved or (level.committed != committed and world.options["webhook_on_commit"] == "yes"):
            moved[place[0]] = None
        spare = level.expected - level.safety
        if in_stock - committed + spare > 0 >= level.in_stock - level.committed + spare:
            ended[place[0]] = None
    for verb, variants in (("updated", moved), ("out_of_stock", ended)):
        for number in variants:
            kind = world.variants.rows[number]["type"]
            yield Event(f"current_inventory.{kind}_{verb}", number)
