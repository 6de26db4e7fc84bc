"""Reads, checks and builds one route file; every fault is told in one report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from hub.config import explain, values
from hub.config.checks import check_all
from hub.config.connections import (
    Connectors,
    check_connectors,
    check_urls,
    entries,
    read_secrets,
    secret_pointers,
    validated,
)
from hub.config.document import parse, read_text
from hub.config.faults import Fault, Report, child
from hub.config.references import resolve
from hub.config.schema import compose_schema
from hub.config.secrets import is_stored
from hub.config.shops import settled_routes
from hub.contract import Connector
from hub.routing.model import Route, Timing


@dataclass(frozen=True, slots=True)
class ConnectionConfig:
    """One connection, its settings validated, secrets filled in; ``line`` is where it begins in the file.

    ``stored``: settings whose secret is kept by the hub; here they hold a stand-in.
    """

    id: str
    connector: str
    settings: BaseModel
    line: int
    stored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """A route file without faults. ``clock`` is the URL of a simulator's clock, None for the real one."""

    path: Path
    connections: Mapping[str, ConnectionConfig]
    routes: tuple[Route, ...]
    timing: Timing
    clock: str | None = None
    warnings: tuple[Fault, ...] = ()


def load(path: Path, connectors: Mapping[str, type[Connector]], environ: Mapping[str, str]) -> Config:
    """Return what a route file says.

    Args:
        connectors: the installed ones, by the name the file uses.
        environ: where ``${NAME}`` is looked up.

    Raises: RouteFileError, with every fault of the file; its text never holds the value of a secret or a variable.
    """
    report = Report(Path(path))
    written = parse(read_text(report), report)
    check_connectors(written, connectors, report)
    data = resolve(written, secret_pointers(written, connectors), environ, report)
    secrets = read_secrets(data, connectors, environ, report)
    known = list(entries(data, connectors))
    for entry in known:
        check_urls(entry, report)
    explain.check(compose_schema(connectors), data, report)
    models = {entry.id: validated(entry, secrets, report) for entry in known}
    check_all(data, connectors, models, report)
    report.raise_faults()
    return _build(data, connectors, models, report)


def _build(
    data: dict[str, Any], connectors: Connectors, models: Mapping[str, BaseModel | None], report: Report
) -> Config:
    connections = {}
    for key, model in models.items():
        if model is not None:
            line = report.places[child("/connections", key)].key_line
            entry = data["connections"][key]
            kept = tuple(name for name, value in entry.get("settings", {}).items() if is_stored(value))
            connections[key] = ConnectionConfig(key, entry["connector"], model, line, kept)
    return Config(
        path=report.path,
        connections=connections,
        routes=tuple(
            values.route(route, report.path.parent) for route in settled_routes(data["routes"], data, connectors)
        ),
        timing=values.timing(data.get("timing", {})),
        clock=data.get("clock"),
        warnings=tuple(sorted(report.warnings)),
    )
