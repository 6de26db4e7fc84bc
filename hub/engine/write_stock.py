"""Writes what a channel should sell: the intent is stored first, then each Variant's result; a lost answer is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hub.contract import (
    AuthorizationError,
    ConfigurationError,
    HubError,
    ItemResult,
    RejectedError,
    SellableStock,
    TransientError,
)  # fmt: skip
from hub.engine.outcome import call, reason_of, retry_in
from hub.engine.sellable import Item
from hub.engine.world import Connected, World
from hub.host.http import send_before
from hub.routing.stock import Demand, Part, Target
from hub.store import stock as ledger

LASTING_S = 86_400.0  # a refusal that lasts is tried again daily, or with the reconciliation where the number changed
FAILURES = 3  # so many products in a row without an answer, and the channel itself is in trouble
UNSENT = ("send-window-passed", "stopping")


@dataclass(frozen=True, slots=True)
class Push:
    """What one Variant is to be told, and how the number came about."""

    item: Item
    target: Target
    quantities: Mapping[str, int]


def write(world: World, channel: Connected, pushes: Sequence[Push], until: datetime) -> list[Push]:
    """Write product by product, one call each, for a while (``until``); return what was not begun.

    Raises:
        HubError: the Connection as a whole cannot go on; what was not told is read again before it is written.
    """
    products: dict[str, list[Push]] = {}
    for each in pushes:
        products.setdefault(each.item.row.product_ref or "", []).append(each)
    failed: list[HubError] = []
    waiting = dict(products)
    for ref in products:
        if world.clock.now() >= until:
            break
        lost = _write_product(world, channel, ref, waiting.pop(ref))
        failed = [*failed, lost] if lost is not None else []
        if lost is not None and (len(failed) == FAILURES or not isinstance(lost, TransientError)):
            raise lost
        if lost is not None and lost.code in UNSENT:
            return []  # nothing was sent: the next step goes on
        if lost is not None and _is_told_to_wait(lost):
            raise lost
    return [each for mine in waiting.values() for each in mine]


def _is_told_to_wait(error: HubError) -> bool:
    return isinstance(error, TransientError) and error.retry_after_s is not None


def _write_product(world: World, channel: Connected, ref: str, pushes: Sequence[Push]) -> HubError | None:
    """Write one product; return what hinders the Connection itself."""
    # Until the outcome is stored nobody knows what it sells.
    intents = [
        {
            "variant_ref": p.item.row.ref,
            "quantities": None,
            "target": dict(p.target.quantities),
            "terms": terms(p.target),
        }
        for p in pushes
    ]
    with world.store.write() as tx:
        ledger.put_stock(tx, channel.id, intents)
    wanted = [SellableStock(product_ref=ref, variant_ref=p.item.row.ref, quantities=dict(p.quantities)) for p in pushes]
    began, hinders = world.clock.now(), None
    results: list[ItemResult] = []
    try:
        with send_before(began + timedelta(seconds=world.timing.send_window_s)):
            results = call(world, channel, "push_inventory", stock=wanted)
    except (TransientError, AuthorizationError, ConfigurationError) as error:
        hinders = error
        rows = [_failed(p, error, began) for p in pushes]
    except HubError as error:
        refused = reason_of(error) | {"lasting": isinstance(error, RejectedError)}
        rows = [_refused(p, refused, began) for p in pushes]
    else:
        by_ref = {result.ref: result for result in results}
        rows = [_outcome(p, by_ref.get(p.item.row.ref), began) for p in pushes]
    with world.store.write() as tx:
        ledger.put_stock(tx, channel.id, rows)
    return hinders


def _outcome(p: Push, result: ItemResult | None, at: datetime) -> dict[str, Any]:
    if result is None:
        what = f"the connector said nothing of variant {p.item.row.ref}"
        unsaid = {"code": "no-result", "what": what, "do": "Report it to the connector's author.", "lasting": False}
        return _refused(p, unsaid, at)
    if result.error is not None:
        reason = {"code": result.code, "what": result.error, "do": result.do, "lasting": result.lasting}
        return _refused(p, reason, at)
    return _row(p) | {
        "quantities": dict(p.quantities), "demand": p.item.open, "read_at": at, "pushed_at": at,
        "reason": None, "retry_at": None,
    }  # fmt: skip


def _refused(p: Push, reason: dict[str, Any], at: datetime) -> dict[str, Any]:
    """Return the row of a Variant that keeps what it sold before; it is read again before it is written again."""
    tries = _tries(p.item) + 1
    wait = timedelta(seconds=LASTING_S) if reason["lasting"] else retry_in(tries)
    sold = p.item.stock.quantities if p.item.stock is not None and reason["lasting"] else None
    return _row(p) | {"quantities": sold, "reason": reason | {"tries": tries}, "retry_at": at + wait}


def _failed(p: Push, error: HubError, at: datetime) -> dict[str, Any]:
    """Return the row of a Variant whose write may or may not have arrived: only a reading tells."""
    if error.code in UNSENT:
        return _row(p) | {"quantities": None}
    tries, after = _tries(p.item) + 1, error.retry_after_s if isinstance(error, TransientError) else None
    reason = reason_of(error) | {"lasting": False, "tries": tries}
    return _row(p) | {"quantities": None, "reason": reason, "retry_at": at + retry_in(tries, after)}


def _tries(item: Item) -> int:
    return int(((item.stock.reason if item.stock is not None else None) or {}).get("tries", 0))


def _row(p: Push) -> dict[str, Any]:
    row = p.item.stock
    return {
        "variant_ref": p.item.row.ref,
        "demand": row.demand if row is not None else None,
        "read_at": row.read_at if row is not None else None,
        "pushed_at": row.pushed_at if row is not None else None,
        "reason": row.reason if row is not None else None,
        "retry_at": row.retry_at if row is not None else None,
    }


def forgive(world: World, channel: Connected, items: Iterable[Item]) -> None:
    """Forget the failures of Variants that sell what they should after all."""
    rows = [{"variant_ref": item.row.ref, "reason": None, "retry_at": None} for item in items]
    if rows:
        with world.store.write() as tx:
            ledger.put_stock(tx, channel.id, rows)


# -- how a number came about, as the ledger keeps it


def terms(target: Target) -> dict[str, Any]:
    """Return every term of a target, as JSON can hold it."""
    return {"share": _plain(target.share), "total": target.total, "parts": [_part(part) for part in target.parts]}


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _part(part: Part) -> dict[str, Any]:
    return {
        "sku": part.sku,
        "quantity": _plain(part.quantity),
        "locations": [
            {
                "place": term.place, "location": term.location, "share": _plain(term.share),
                "in_stock": _plain(term.level.in_stock), "potential": _plain(term.level.potential),
                "committed": _plain(term.level.committed), "read_at": term.level.read_at.isoformat(),
                "feeds": _plain(term.units),
            }
            for term in part.terms
        ],
        "available": _plain(part.available),
        "shops": [_shop(demand) for demand in part.demands],
        "unknown": _plain(part.unknown),
        "buffer": _plain(part.buffer),
        "makes": part.makes,
    }  # fmt: skip


def _shop(demand: Demand) -> dict[str, Any]:
    return {
        "shop": demand.shop, "not_in_reading": _plain(demand.uncovered), "in_reading": _plain(demand.covered),
        "committed": None if demand.committed is None else _plain(demand.committed), "unknown": _plain(demand.unknown),
    }  # fmt: skip
