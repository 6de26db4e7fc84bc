"""Figures of the ledger for Prometheus, read when it asks and kept for a while: to count a million orders costs."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from hub.contract import HubError
from hub.engine import place
from hub.engine.lane import is_sent_orders
from hub.engine.outcome import parts_of, resting
from hub.engine.sync import involved
from hub.engine.world import World
from hub.store import Tx, figures, orders, outbox

KEEP_S = 30.0
KEEP_TIMES = 20  # what takes long to read is kept for longer: at most a twentieth of the time is spent on reading
STREAMS = frozenset({
    "cancellations", "catalogue", "fulfillments", "levels", "locations", "orders", "products", "returns", "stock",
})  # fmt: skip
Limits = dict[tuple[str, str], tuple[str, int]]  # (Connection, budget's key) -> what may be told of the key, calls
_PART = re.compile(r"[a-z_]{1,40}")


@dataclass(slots=True)
class _Reading:
    """What the ledger said, as instants, so that ages stay true while it is kept."""

    fates: dict[tuple[str, str, str], int] = field(default_factory=dict)
    blocked: dict[str, datetime] = field(default_factory=dict)
    due: dict[str, datetime] = field(default_factory=dict)
    pulled: dict[tuple[str, str], datetime] = field(default_factory=dict)
    paused: dict[tuple[str, str, str], int] = field(default_factory=dict)
    ends: dict[tuple[str, str], datetime] = field(default_factory=dict)
    proofs: dict[str, tuple[datetime, dict[str, Any]]] = field(default_factory=dict)
    proved: dict[str, datetime] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)


class LedgerFigures(Collector):
    """Orders by fate, lag, pauses, tokens, budgets, proofs. Where the database is away, only that it is."""

    def __init__(self, world_of: Callable[[], World], limits: Limits) -> None:
        self._world_of, self._limits, self._lock = world_of, limits, threading.Lock()
        self._reading, self._until = _Reading(), 0.0

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return every figure as it is now, or was at most a moment ago."""
        world = self._world_of()
        with self._lock:
            try:
                if time.monotonic() >= self._until:
                    began = time.monotonic()
                    self._reading = read(world)
                    took_s = time.monotonic() - began
                    self._until = time.monotonic() + max(KEEP_S, KEEP_TIMES * took_s)
                now, is_up = world.clock.now(), True
            except HubError:
                self._until, is_up = 0.0, False
        yield _gauge("hub_database_up", "Whether the ledger can be read.", (), {(): int(is_up)})
        is_writable = is_up and world.store.away is None
        yield _gauge("hub_database_writable", "Whether the ledger can be written.", (), {(): int(is_writable)})
        if is_up:
            yield from _families(self._reading, self._limits, now)


def read(world: World) -> _Reading:
    """Read every figure, in one transaction."""
    now = world.clock.now()
    with world.store.read() as tx:
        reading = _Reading(
            figures.fates(tx),
            figures.blocked_since(tx),
            dict(_due(tx, world, now)),
            _pulled(tx, world),
            {(*parts_of(name), str(reason.get("code", ""))): 1 for name, (_, reason) in resting(tx, now).items()},
            proofs=figures.last_proofs(tx),
            taken=figures.calls_taken(tx, now),
        )
    reading.proved = {**_unproved(world), **{id_: at for id_, (at, _) in reading.proofs.items()}}
    for id_, connected in world.connected.items():
        if (ends := connected.authorisation.ends()) is not None:
            reading.ends[id_, "access"] = ends[0]
            if ends[1] is not None:
                reading.ends[id_, "consent"] = ends[1]
    return reading


def _due(tx: Tx, world: World, now: datetime) -> Iterator[tuple[str, datetime]]:
    """Yield since when the work of each Connection is due that is due already."""
    for id_, connected in world.connected.items():
        routes = world.routes_from(id_)
        times = [now]
        if any(route.orders.enabled for route in routes):
            times.append(orders.next_due(tx, id_, [r.name for r in routes if not r.orders.enabled]) or now)
        if is_sent_orders(world, connected):
            times.append(outbox.next_due(tx, id_, place.patience_s(world)) or now)
        yield id_, min(times)


def _pulled(tx: Tx, world: World) -> dict[tuple[str, str], datetime]:
    """Return when each stream was last read that is still in use."""
    taking = {route.channel for route in world.active()}
    return {
        (id_, stream): at
        for (id_, stream), at in figures.pulled_at(tx).items()
        if stream in STREAMS and id_ in world.connected and (stream != "orders" or id_ in taking)
    }


def _unproved(world: World) -> dict[str, datetime]:
    """Return the Connections to be proved; until the first proof they count from when this process began."""
    if world.told_from is None or not world.timing.reconcile_every_s:
        return {}
    channels, erps = involved(world)
    return dict.fromkeys([each.id for each in (*channels, *erps)], world.told_from)


def _families(reading: _Reading, limits: Limits, now: datetime) -> Iterator[GaugeMetricFamily]:
    def age(since: datetime) -> float:
        return max(0.0, (now - since) / timedelta(seconds=1))

    by_id = ("connection",)
    yield _gauge("hub_orders", "Orders by where they stand.", (*by_id, "fate", "cause"), reading.fates)
    yield _ages(
        "hub_oldest_blocked_seconds", "Since when the oldest blocked order is known.", by_id, reading.blocked, age
    )
    yield _ages("hub_lag_seconds", "How long the oldest due work waits.", by_id, reading.due, age)
    yield _ages("hub_pull_age_seconds", "Since the last pull.", (*by_id, "stream"), reading.pulled, age)
    what_rests = "Connections that rest, or one step of them, and why."
    yield _gauge("hub_connection_paused", what_rests, (*by_id, "step", "code"), reading.paused)
    left = {key: (end - now) / timedelta(seconds=1) for key, end in reading.ends.items()}
    yield _gauge("hub_token_left_seconds", "Until the access token or the consent ends.", (*by_id, "token"), left)
    used, left_of = _budgets(reading, limits.copy())
    yield _gauge("hub_budget_used_calls", "Calls taken of a request budget.", (*by_id, "endpoint"), used)
    yield _gauge("hub_budget_left_calls", "Calls left of it.", (*by_id, "endpoint"), left_of)
    yield _ages("hub_reconciliation_age_seconds", "Since the last reconciliation.", by_id, reading.proved, age)
    yield _gauge(
        "hub_reconciliation_remainder", "What it could not account for.", (*by_id, "part"), _remainders(reading)
    )


def _budgets(reading: _Reading, limits: Limits) -> tuple[dict[tuple[str, str], int], dict[tuple[str, str], int]]:
    """Return the calls taken and left of each endpoint; where budgets have one name, of the one with the least left."""
    used: dict[tuple[str, str], int] = {}
    left: dict[tuple[str, str], int] = {}
    for (id_, key), (label, calls) in limits.items():
        taken = reading.taken.get(key, 0)
        room = max(0, calls - taken)
        if room <= left.get((id_, label), room):
            used[id_, label], left[id_, label] = taken, room
    return used, left


def _remainders(reading: _Reading) -> dict[tuple[str, str], int]:
    """Return how many records each part of a proof lists; a proof lists what did not agree."""
    return {
        (id_, part): sum(len(listed) for listed in told.values() if isinstance(listed, list))
        for id_, (_, document) in reading.proofs.items()
        for part, told in document.items()
        if isinstance(told, dict) and _PART.fullmatch(part)
    }


def _ages(
    name: str, text: str, labels: tuple[str, ...], since: dict[Any, datetime], age: Callable[[datetime], float]
) -> GaugeMetricFamily:
    return _gauge(name, text, labels, {key: age(at) for key, at in since.items()})


def _gauge(name: str, text: str, labels: tuple[str, ...], values: dict[Any, Any]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric((key,) if isinstance(key, str) else key, value)
    return family
