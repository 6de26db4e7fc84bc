"""``hub simulate``: one simulator, found by its entry point, until it is told to stop."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import click
import httpx

from hub.cli import show
from hub.cli.database import say
from hub.cli.options import Choices
from hub.config.faults import listing, nearest
from hub.config.marks import SECRET, is_marked
from hub.contract import HubError
from hub.host.discover import Found, connectors, simulators

CONTROLS = "clock, options, faults, journal, counters, state, seed, demo"


@click.command()
@click.argument("name")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; 0 takes a free one.")
@click.option("--ready-file", type=click.Path(dir_okay=False), help="Write address and settings here once it serves.")
@click.option("--clock-rate", type=click.FloatRange(min=0, min_open=True), help="Simulated seconds per real second.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="Set one of its switches; repeatable.")
@click.option("--with-parent", is_flag=True, hidden=True, help="End when stdin closes.")
@click.pass_obj
def simulate(
    choices: Choices,
    name: str,
    port: int,
    ready_file: str | None,
    clock_rate: float | None,
    options: tuple[str, ...],
    with_parent: bool,
) -> None:
    """Run the simulator NAME on this machine until stopped; 'hub connectors' lists them."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if with_parent:
        threading.Thread(target=_wait_for_end_of_stdin, args=(stop,), daemon=True).start()
    found = find(name)
    assert found.plugin is not None  # noqa: S101  # find() refuses one that is down
    try:
        simulator = found.plugin(port=port, options=dict(_pairs(options)))
        simulator.start()
    except ValueError as error:
        raise HubError(
            "simulator-option", str(error), where=f"simulator {name}", do="Correct --option and run it again."
        ) from error
    except OSError as error:
        raise HubError(
            "port-taken",
            f"cannot serve on port {port} ({error.strerror})",
            where=f"simulator {name}",
            do="Give another --port, or 0 for a free one.",
        ) from error
    try:
        if clock_rate is not None:
            httpx.post(f"{simulator.url}/_sim/clock", json={"rate": clock_rate}, timeout=10).raise_for_status()
        facts = {
            "name": name, "role": simulator.role, "connector": simulator.connector, "url": simulator.url,
            "settings": simulator.settings(), "pid": os.getpid(),
        }  # fmt: skip
        if ready_file:
            _write_whole(Path(ready_file), json.dumps(facts))
        if not with_parent:
            _introduce(choices, facts)
        stop.wait()
    finally:
        simulator.stop()


def find(name: str) -> Found:
    """Return an installed simulator.

    Raises:
        HubError: it is not installed, or down.
    """
    installed = simulators()
    found = installed.get(name)
    if found is None:
        do = f"{nearest(name, installed)}Installed: {listing(sorted(installed))}."
        raise HubError("simulator-unknown", f"no simulator {name!r} is installed", where="hub simulate", do=do)
    if found.plugin is None:
        where = f"{found.distribution} {found.version}"
        raise HubError("simulator-down", f"it cannot be loaded: {found.error}", where=where, do="Reinstall it.")
    return found


def _wait_for_end_of_stdin(stop: threading.Event) -> None:
    # Not through sys.stdin: a thread that waits inside it would keep the interpreter from ending.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    stop.set()


def _pairs(options: tuple[str, ...]) -> list[tuple[str, str]]:
    pairs = [option.partition("=") for option in options]
    for name, equals, _ in pairs:
        if not equals:
            raise click.UsageError(f"--option {name}: write NAME=VALUE.")
    return [(name, value) for name, _, value in pairs]


def _write_whole(path: Path, text: str) -> None:
    """Write a file so that whoever waits for it never sees half of it; it holds a simulator's secrets."""
    draft = path.with_name(path.name + ".part")
    draft.touch(0o600)
    draft.write_text(text)
    draft.replace(path)


def secret_names(connector: str) -> set[str]:
    """Return which settings of a connector are secrets; none where it is not installed."""
    found = connectors().get(connector)
    if found is None or found.plugin is None:
        return set()
    properties: dict[str, Any] = found.plugin.settings_model.model_json_schema().get("properties", {})
    return {name for name, schema in properties.items() if is_marked(SECRET, schema)}


def _introduce(choices: Choices, facts: dict[str, Any]) -> None:
    if choices.json:
        show.print_json(facts)
        return
    secrets = secret_names(facts["connector"])
    variables = {name: f"{facts['connector']}_{name}".upper().replace("-", "_") for name in secrets}
    given = facts["settings"]
    click.echo(f"# {facts['name']}, a simulated {facts['role']}, serves {facts['url']}\n")
    click.echo("# for the shell that runs the hub:")
    for name in sorted(secrets & set(given)):
        click.echo(f"export {variables[name]}={given[name]}")
    click.echo("\n# for the route file:")
    click.echo(f"clock: {facts['url']}/_sim/clock\nconnections:\n  {facts['name']}-sim:")
    click.echo(f"    connector: {facts['connector']}\n    settings:")
    for name, value in given.items():
        click.echo(f"      {name}: " + (f"${{{variables[name]}}}" if name in secrets else json.dumps(value)))
    click.echo(f"\n# to control it: {facts['url']}/_sim/ followed by one of {CONTROLS}", nl=True)
    say("running; Ctrl-C stops it")
