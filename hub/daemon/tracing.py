"""OpenTelemetry: a span for each visit to a lane, each answer of a connector in it, and each call over HTTP in that.

Attributes are ids of Connections, names of hooks, methods, endpoints and codes; nothing of an order, no URL, no secret.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import structlog

from hub import __version__
from hub.contract import ConfigurationError
from hub.engine.world import Trace

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

ASKED_BY = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
FLUSH_MS = 2_000  # the daemon ends within 10 s, whether anybody takes its spans or not
QUIET_S = 600.0
_WORD = re.compile(r"[a-z_]+|\d{6}|v\d")

_open: ContextVar[tuple[Span, ...]] = ContextVar("open_spans", default=())


def is_asked_for(environ: Mapping[str, str]) -> bool:
    """Say whether the standard environment asks for traces."""
    is_off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or environ.get("OTEL_TRACES_EXPORTER") == "none"
    return any(environ.get(name) for name in ASKED_BY) and not is_off


@contextmanager
def spans(environ: Mapping[str, str]) -> Iterator[Trace]:
    """Send spans to the collector that the environment names; yields what to tell of each event.

    Raises:
        ConfigurationError: the extra is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        name = next(name for name in ASKED_BY if environ.get(name))
        raise ConfigurationError(
            "tracing-not-installed",
            f"{name} asks for traces, but OpenTelemetry is not installed",
            where="environment",
            do="Install channel-hub[tracing], or remove the variable.",
        ) from error
    provider = make_provider(environ)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _log_of_opentelemetry()
    try:
        yield Spans(provider).trace
    finally:
        ending = threading.Thread(target=provider.shutdown, daemon=True)
        ending.start()
        ending.join(FLUSH_MS / 1000)


def make_provider(environ: Mapping[str, str]) -> TracerProvider:
    """Return where spans are made, with what the environment says of this service."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    name = environ.get("OTEL_SERVICE_NAME") or "channel-hub"
    resource = Resource.create({"service.name": name, "service.version": __version__})
    return TracerProvider(resource=resource, shutdown_on_exit=False)


class Spans:
    """Turns the events of ``World.trace`` into spans; those that are open are known by their context."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("hub", __version__)

    def trace(self, event: str, details: dict[str, Any]) -> None:
        """Begin or end a span, or record one that is over."""
        if event == "http":
            self._call(details)
        elif "seconds" not in details:
            span = self._begin(event, details["connection"])
            _open.set((*_open.get(), span))
        elif _open.get():
            *outer, span = _open.get()
            _open.set(tuple(outer))
            error = getattr(details.get("result"), "error", None)
            _end(span, details.get("error") or (error.code if error is not None else None))

    def _begin(self, event: str, connection: str, start: int | None = None) -> Span:
        from opentelemetry.trace import SpanKind, set_span_in_context

        outer = _open.get()
        return self._tracer.start_span(
            event,
            context=set_span_in_context(outer[-1]) if outer else None,
            kind=SpanKind.CLIENT if start is not None else SpanKind.INTERNAL,
            attributes={"hub.connection": connection},
            start_time=start,
        )

    def _call(self, details: dict[str, Any]) -> None:
        end = time.time_ns()
        path = endpoint(details["path"])
        span = self._begin(f"{details['method']} {path}", details["connection"], end - round(details["seconds"] * 1e9))
        span.set_attributes({
            "http.request.method": details["method"], "url.template": path, "server.address": details["host"],
            "http.request.resend_count": details["attempt"] - 1,
        })  # fmt: skip
        status = details["status"]
        if status is not None:
            span.set_attribute("http.response.status_code", status)
        _end(span, "no-answer" if status is None else str(status) if status >= 400 else None, end)


def _end(span: Span, error: str | None, at: int | None = None) -> None:
    from opentelemetry.trace import Status, StatusCode

    if error is not None:
        span.set_attribute("error.type", error)
        span.set_status(Status(StatusCode.ERROR))
    span.end(at)


def endpoint(path: str) -> str:
    """Return a path without ids: every part of it that is not a plain word is left out."""
    return "/".join(part if not part or _WORD.fullmatch(part) else "{id}" for part in path.split("/"))


def _log_of_opentelemetry() -> None:
    """Lead its troubles into the hub's log, now and then; they come with each batch and may quote an address."""
    log, said_at = structlog.get_logger("hub"), [-QUIET_S]

    class Lead(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if time.monotonic() - said_at[0] >= QUIET_S:
                said_at[0] = time.monotonic()
                log.warning("traces-undelivered", of=record.name.rpartition(".")[2])

    logger = logging.getLogger("opentelemetry")
    logger.handlers, logger.propagate = [Lead(logging.WARNING)], False
