"""What Prometheus is told. Labels are ids of Connections, names of hooks, fates and codes; no order, SKU or buyer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from hub import __version__
from hub.contract import Budget
from hub.daemon.figures import LedgerFigures, Limits
from hub.daemon.health import Pulse
from hub.engine.costs import endpoint_of
from hub.engine.world import World

MOST_LIMITS = 5_000
CALL_S = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
VISIT_S = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300)
WINDOW_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3)

_hook: ContextVar[str] = ContextVar("hook", default="none")  # whose calls go out in this context


class Metrics:
    """Counts what it is told, and reads the ledger when it is asked; one for each process."""

    def __init__(self) -> None:
        self.pulse = Pulse()
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no annotations
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        Gauge("hub_build_info", "The version that runs.", ["version"], registry=registry).labels(__version__).set(1)
        self._calls = Counter(
            "hub_http_requests", "Calls over HTTP, by status or 'lost'.", ["connection", "hook", "status"],
            registry=registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "hub_http_request_seconds", "How long they took, without waiting for the budget.", ["connection", "hook"],
            buckets=CALL_S, registry=registry,
        )  # fmt: skip
        self._retries = Counter("hub_http_retries", "Calls that were made again.", ["connection"], registry=registry)
        self._window = Histogram(
            "hub_send_window_seconds", "From the check of the deadline until the last byte of a write had left.",
            buckets=WINDOW_S, registry=registry,
        )  # fmt: skip
        self._hooks = Counter(
            "hub_hook_calls", "Answers of connectors, page by page, by 'ok' or the error's code.",
            ["connection", "hook", "outcome"], registry=registry,
        )  # fmt: skip
        self._visits = Counter("hub_visits", "Visits to lanes.", ["connection", "outcome"], registry=registry)
        self._visit_s = Histogram("hub_visit_seconds", "How long they took.", buckets=VISIT_S, registry=registry)
        self._webhooks = Counter(
            "hub_webhooks", "Deliveries, by what became of them.", ["connection", "outcome"], registry=registry
        )
        self._reload = Gauge(
            "hub_routes_reload_successful", "Whether the route file was taken when it was last read.", registry=registry
        )
        self._reload_at = Gauge(
            "hub_routes_reload_timestamp_seconds", "When it was last read, by this machine's clock.", registry=registry
        )
        self.reloaded(True)
        self.limits: Limits = {}

    def read_ledger(self, world_of: Callable[[], World]) -> None:
        """Tell the ledger's figures too, from now on."""
        self._registry.register(LedgerFigures(world_of, self.limits))

    def trace(self, event: str, details: dict[str, Any]) -> None:
        """Count a visit, an answer of a hook or a call over HTTP; see ``World.trace``."""
        if event == "http":
            self._count_call(details)
        elif event == "visit":
            self._count_visit(details)
        elif "seconds" not in details:
            _hook.set(event)
        else:
            _hook.set("none")
            result = details.get("result")
            if "error" in details or not (result is None or isinstance(result, Iterator)):
                self._hooks.labels(details["connection"], event, details.get("error", "ok")).inc()

    def webhook(self, connection: str, outcome: str) -> None:
        """Count a delivery; ``connection`` is "" where none of that id is here."""
        self._webhooks.labels(connection, outcome).inc()

    def reloaded(self, is_taken: bool) -> None:
        """Note whether the route file was taken that was just read."""
        self._reload.set(is_taken)
        self._reload_at.set_to_current_time()

    def text(self) -> bytes:
        """Return everything as Prometheus reads it."""
        return prometheus_client.generate_latest(self._registry)

    def _count_call(self, details: dict[str, Any]) -> None:
        connection, hook, status = details["connection"], _hook.get(), details["status"]
        self._calls.labels(connection, hook, _status(status)).inc()
        self._seconds.labels(connection, hook).observe(details["seconds"])
        if details["attempt"] > 1:
            self._retries.labels(connection).inc()
        if details.get("window_s") is not None:
            self._window.observe(details["window_s"])
        budget: Budget | None = details["budget"]
        if budget is not None and len(self.limits) < MOST_LIMITS:
            self.limits[connection, budget.key] = (endpoint_of(budget.key), budget.calls)

    def _count_visit(self, details: dict[str, Any]) -> None:
        self.pulse.beat(details)
        if "seconds" in details:
            error = getattr(details.get("result"), "error", None)
            outcome = details.get("error") or (error.code if error is not None else "ok")
            self._visits.labels(details["connection"], outcome).inc()
            self._visit_s.observe(details["seconds"])


def _status(status: int | None) -> str:
    if status is None:
        return "lost"
    return str(status) if 100 <= status <= 599 else "other"
