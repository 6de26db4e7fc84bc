"""``hub run``: the daemon."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from functools import partial
from typing import Any

import click
import structlog

from hub.cli.database import say
from hub.cli.opening import log_for_people, opened_world, reopened
from hub.cli.options import Choices
from hub.cli.sync import do_pass
from hub.contract import Value
from hub.daemon import stopping
from hub.daemon.serving import Daemon
from hub.daemon.watchers import watchers

SHOWN = 60
NAMES = ("ref", "key", "id", "number")  # what of a value may be told: ids only


@click.command()
@click.option("--once", is_flag=True, help="Do one pass and end, like hub sync.")
@click.option("--trace", is_flag=True, help="Print each hook call and each HTTP call: ids and counts, no data.")
@click.option(
    "--lanes",
    default=8,
    show_default=True,
    type=click.IntRange(1, 64),
    help="How many connections to work for at once.",
)
@click.option(
    "--listen",
    envvar="HUB_LISTEN",
    show_envvar=True,
    metavar="HOST:PORT",
    help="Answer over HTTP there: /webhooks/ID, /healthz, /readyz, /metrics. Else no port is opened.",
)
@click.option("--log", "log_format", type=click.Choice(["console", "json"]), default="console", show_default=True)
@click.pass_obj
def run(choices: Choices, once: bool, trace: bool, lanes: int, listen: str | None, log_format: str) -> int:
    """Work until stopped by Ctrl-C or SIGTERM; ends within 10 s.

    Reads every channel about once a minute and wakes for each hold that ends. Logs to stderr. SIGHUP has it read the
    route file again. With --database postgresql://... the same command on further machines shares the work.
    """
    tracing = print_call if trace else None
    if once:
        return do_pass(choices, None, trace=tracing)
    choices.log_json = log_format == "json"
    log_for_people(debug=choices.debug, as_json=choices.log_json)  # before anything is made that logs
    with (
        stopping(say=_log_open_call if choices.log_json else say) as stop,
        watchers(os.environ, listen, tracing) as told,
        opened_world(choices, trace=told.trace) as world,
    ):
        daemon = Daemon(world, stop, partial(reopened, choices, world.store, told.trace), lanes)
        with told.front(daemon):
            daemon.serve()
    return 0


def _log_open_call(what: str) -> None:
    log = structlog.get_logger("hub")
    log.warning("call-left-open", what=what)


def print_call(hook: str, arguments: dict[str, Any]) -> None:
    """Print one call of a hook or over HTTP, on stderr, without a secret or anything about a buyer."""
    details = dict(arguments)
    connection = details.pop("connection", "")
    if hook == "http":
        answer = details["status"] or "no whole answer"
        say(f"trace  {connection}  http  {details['method']} {details['path']} -> {answer}")
    elif "error" in details:
        say(f"trace  {connection}  {hook} -> {details['error']}")
    elif "result" in details:
        say(f"trace  {connection}  {hook} -> {shape(details['result'])}")
    else:
        shown = ", ".join(f"{name}={shape(value)}" for name, value in details.items())
        say(f"trace  {connection}  {hook}({shown})")
    sys.stderr.flush()


def shape(value: Any) -> str:
    """Return what a value is, and of which order or SKU, but not what it holds."""
    if isinstance(value, Value):
        named = [f"{name}={getattr(value, name)}" for name in NAMES if isinstance(getattr(value, name, None), str)]
        return f"{type(value).__name__}({', '.join(named)})"
    if isinstance(value, Enum | bool | int | float | None):
        return str(value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, str):
        return value if len(value) <= SHOWN else value[: SHOWN - 1] + "…"
    if isinstance(value, list | tuple | set | frozenset):
        return _many(value)
    return type(value).__name__


def _many(values: Iterable[Any]) -> str:
    shown = [shape(value) for value in values]
    more = f", … {len(shown)} in all" if len(shown) > 3 else ""
    return f"[{', '.join(shown[:3])}{more}]"
