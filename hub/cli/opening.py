"""Opens what a command needs to speak to the Connections: the route file, the World, the log."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from hub.cli.database import open_database, say
from hub.cli.options import Choices
from hub.config import Config, RouteFileError, load
from hub.engine.world import Trace, World, build
from hub.host.discover import Found, connectors
from hub.store import Store


def read_routes(choices: Choices) -> tuple[Config, dict[str, Found]]:
    """Read the route file; its warnings, and connectors that are down, are told on stderr."""
    found = connectors()
    usable = {name: one.plugin for name, one in found.items() if one.plugin is not None}
    try:
        config = load(choices.route_file, usable, os.environ)
    except RouteFileError:
        for one in found.values():
            if one.plugin is None:
                _note(choices, f"note: connector {one.name} is installed, but down: {one.error}")
        raise
    return config, found


def warn(choices: Choices, config: Config) -> None:
    """Tell the route file's warnings on stderr."""
    for warning in config.warnings:
        _note(choices, f"warning: {warning.text(config.path)}")


def _note(choices: Choices, text: str) -> None:
    if choices.log_json:
        log = structlog.get_logger("hub")
        log.warning("routes-warning", what=text)
    else:
        say(text)


@contextmanager
def opened_world(choices: Choices, *, trace: Trace | None = None) -> Iterator[World]:
    """Open everything, for commands that speak to the Connections."""
    log_for_people(debug=choices.debug, as_json=choices.log_json)
    config, found = read_routes(choices)
    warn(choices, config)
    store = open_database(choices)
    try:
        world = build(config, found, store, environ=os.environ, key_file=choices.key_file, trace=trace)
    except BaseException:
        store.close()
        raise
    try:
        yield world
    finally:
        world.close()


def reopened(choices: Choices, store: Store, trace: Trace | None = None) -> World:
    """Build everything anew on an open store, from the route file and the environment as they are now."""
    config, found = read_routes(choices)
    warn(choices, config)
    return build(config, found, store, environ=os.environ, key_file=choices.key_file, trace=trace)


class _Stderr:
    """Whatever stderr is at the moment of writing, so that a progress line can make room."""

    def msg(self, message: str) -> None:
        """Write one line."""
        sys.stderr.write(message + "\n")
        sys.stderr.flush()

    log = debug = info = warning = error = critical = exception = failure = fatal = msg


class _Lead(logging.Handler):
    """Leads what libraries warn of into the hub's log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record; a traceback, which may quote data, only by its error's name."""
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        log = structlog.get_logger("hub")
        log.warning("library", of=record.name, what=record.getMessage(), error=error)


_LEAD = _Lead(logging.WARNING)


def log_for_people(*, debug: bool = False, as_json: bool = False) -> None:
    """Send the log to stderr, as lines for people or as JSON."""
    level = 10 if debug else 20
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso" if as_json else "%Y-%m-%d %H:%M:%S", utc=as_json),
    ]
    last: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=24)
    )
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _Stderr(),
        cache_logger_on_first_use=False,
    )
    logging.getLogger().addHandler(_LEAD)  # the same one again changes nothing
