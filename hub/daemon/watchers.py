"""Who is told what a daemon does: a person, Prometheus, a collector of traces; imports only what is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub.daemon.serving import Daemon
from hub.engine.world import Trace

if TYPE_CHECKING:
    from hub.daemon.metrics import Metrics

OTEL = "OTEL_EXPORTER_OTLP_"


@dataclass(frozen=True, slots=True)
class Watchers:
    """What to tell of each call (None: nobody listens), and the HTTP side of a daemon, where one is wanted."""

    trace: Trace | None
    listen: str | None
    metrics: Metrics | None

    def front(self, daemon: Daemon) -> AbstractContextManager[object]:
        """Open the HTTP side."""
        if self.listen is None or self.metrics is None:
            return nullcontext()
        from hub.daemon.web import serve_web

        daemon.on_reload = self.metrics.reloaded
        return serve_web(lambda: daemon.world, self.listen, daemon.wake, self.metrics)


@contextmanager
def watchers(environ: Mapping[str, str], listen: str | None, person: Trace | None = None) -> Iterator[Watchers]:
    """Set up everybody who is to be told.

    Raises:
        ConfigurationError: the environment asks for traces, and what makes them is not installed.
    """
    traces, metrics = [person] if person is not None else [], None
    with ExitStack() as stack:
        if any(name.startswith(OTEL) for name in environ):
            from hub.daemon import tracing

            if tracing.is_asked_for(environ):
                traces.append(stack.enter_context(tracing.spans(environ)))
        if listen:
            from hub.daemon.metrics import Metrics

            metrics = Metrics()
            traces.append(metrics.trace)
        yield Watchers(together(traces), listen, metrics)


def together(traces: Sequence[Trace]) -> Trace | None:
    """Return what tells all of them; None where there is nobody to tell."""
    if len(traces) < 2:
        return traces[0] if traces else None

    def tell(event: str, details: dict[str, Any]) -> None:
        for trace in traces:
            trace(event, details)

    return tell
