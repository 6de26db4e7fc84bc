"""Traces: a visit holds its connectors' answers, those hold their calls; nothing of an order, no URL, no secret."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pytest_httpserver import HTTPServer

from hub.daemon.tracing import Spans, endpoint, is_asked_for, make_provider
from hub.engine.world import World
from tests.daemon.conftest import Start, until
from tests.daemon.watched import ROUTE, busy, go_round, private, work
from tests.site import Site

ATTRIBUTES = {
    "hub.connection", "http.request.method", "url.template", "server.address", "http.request.resend_count",
    "http.response.status_code", "error.type",
}  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, str(tmp_path / "hub.db"), routes=ROUTE)
    yield made
    made.close()


@pytest.fixture
def ended() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def world(site: Site, ended: InMemorySpanExporter) -> World:
    provider = make_provider({})
    provider.add_span_processor(SimpleSpanProcessor(ended))
    return site.open(trace=Spans(provider).trace)


def parents(spans: tuple[ReadableSpan, ...]) -> Mapping[str, set[str]]:
    """Return the names of spans, each with the names of those that hold it."""
    names = {span.context.span_id: span.name for span in spans if span.context is not None}
    found: dict[str, set[str]] = {}
    for span in spans:
        found.setdefault(span.name, set()).add(names[span.parent.span_id] if span.parent is not None else "")
    return found


def test_visit_holds_answers_and_those_hold_calls(site: Site, world: World, ended: InMemorySpanExporter) -> None:
    refs = busy(site)
    work(site, world, refs)
    held = parents(ended.get_finished_spans())
    assert held["visit"] == {""}
    assert held["pull_orders"] == held["push_order"] == {"visit"}
    assert held["POST /order/202309/orders/search"] == {"pull_orders"}
    assert held["POST /v1/sales_orders"] == {"push_order"}
    calls = [span for span in ended.get_finished_spans() if " /" in span.name]
    assert len(calls) == site.total_calls("tiktok") + site.total_calls("katana")

    told = "\n".join(span.to_json() for span in ended.get_finished_spans())
    assert {key for span in ended.get_finished_spans() for key in span.attributes or {}} <= ATTRIBUTES
    assert "?" not in told
    digits = re.sub(r'"(trace_id|span_id|parent_id)": "[^"]*"', "", told)
    assert [each for each in private(site, world, refs) if re.search(rf"(?<!\d){re.escape(each)}(?!\d)", digits)] == []


def test_call_that_fails_marks_its_span_and_those_around_it(
    site: Site, ended: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = site.environ()
    monkeypatch.setattr(site, "environ", lambda: right | {"API_KEY": "wrong"})
    provider = make_provider({})
    provider.add_span_processor(SimpleSpanProcessor(ended))
    world = site.open(trace=Spans(provider).trace)
    go_round(world)
    failed = {(span.name, (span.attributes or {}).get("error.type")) for span in ended.get_finished_spans()}
    assert ("visit", "credentials-refused") in failed
    assert "401" in {error for name, error in failed if name.startswith("GET /v1/")}
    assert {name for name, error in failed if error == "credentials-refused"} > {"visit"}


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/order/202309/orders/search", "/order/202309/orders/search"),
        ("/fulfillment/202309/orders/576000000000000001/packages", "/fulfillment/202309/orders/{id}/packages"),
        ("/v1/sales_orders/70001", "/v1/sales_orders/{id}"),
        ("/v1/customers/Wilhelmina", "/v1/customers/{id}"),
        ("/v1/x/a@b.example", "/v1/x/{id}"),
        ("/", "/"),
    ],
)
def test_path_is_told_without_ids(path: str, told: str) -> None:
    assert endpoint(path) == told


@pytest.mark.parametrize(
    ("environ", "asked"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_traces_are_asked_for_by_the_standard_environment(environ: dict[str, str], asked: bool) -> None:
    assert is_asked_for(environ) is asked


def test_daemon_sends_its_spans_to_the_collector_and_ends_in_time(
    site: Site, start: Start, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/v1/traces", method="POST").respond_with_data(b"", content_type="application/x-protobuf")
    refs = busy(site)
    site.both("clock", {"rate": 1})
    daemon = start(site, OTEL_EXPORTER_OTLP_ENDPOINT=httpserver.url_for("").rstrip("/"),
                   OTEL_EXPORTER_OTLP_HEADERS="api-key=collectors-own-key", OTEL_BSP_SCHEDULE_DELAY="300")  # fmt: skip
    until(lambda: site.total_calls("katana") > 2 and len(httpserver.log) > 0)
    assert daemon.stop() == 0
    bodies = [request.get_data() for request, _ in httpserver.log]
    assert all(request.headers["api-key"] == "collectors-own-key" for request, _ in httpserver.log)
    scopes = [scope for body in bodies for each in ExportTraceServiceRequest.FromString(body).resource_spans
              for scope in each.scope_spans]  # fmt: skip
    spans = [span for scope in scopes for span in scope.spans]
    assert {"visit", "pull_orders", "POST /order/202309/orders/search"} <= {span.name for span in spans}
    assert {pair.key for span in spans for pair in span.attributes} <= ATTRIBUTES
    whole = b"".join(bodies)
    world = site.open()
    assert [each for each in private(site, world, refs) if len(each) > 4 and each.encode() in whole] == []
    assert "collectors-own-key" not in daemon.file.read_text()


def test_collector_that_is_away_is_told_once_and_hinders_nothing(site: Site, start: Start) -> None:
    site.order()
    site.both("clock", {"rate": 1})
    daemon = start(site, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9/?key=hush", OTEL_BSP_SCHEDULE_DELAY="100")
    until(lambda: bool(daemon.events("traces-undelivered")))
    until(lambda: site.total_calls("katana") > 2)
    assert daemon.stop() == 0
    assert len(daemon.events("traces-undelivered")) == 1
    assert "hush" not in daemon.file.read_text()


WITHOUT = """\
import sys
for name in ("opentelemetry", "procrastinate", "psycopg", "keyring"):
    sys.modules[name] = None
from hub.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def without_extras(site: Site, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the hub as where none of its extras is installed."""
    command = [sys.executable, "-c", WITHOUT, *words]
    env = site.whole_environ() | environ
    return subprocess.run(command, cwd=site.folder, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_traces_without_their_extra_are_refused_with_what_to_install(site: Site) -> None:
    ran = without_extras(site, "run", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:4318")
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-3].startswith("tracing-not-installed: OTEL_EXPORTER_OTLP_ENDPOINT asks for traces")
    assert "Install channel-hub[tracing], or remove the variable." in ran.stderr


def test_postgresql_without_its_extra_is_refused_with_what_to_install(site: Site) -> None:
    ran = without_extras(site, "run", "--database", "postgresql://hub@127.0.0.1/hub")
    assert ran.returncode == 1
    assert "database-url" in ran.stderr
    assert "channel-hub[postgres]" in ran.stderr


def test_everything_else_works_without_extras(site: Site) -> None:
    ran = without_extras(site, "run", "--once")
    assert ran.returncode == 0, ran.stderr
