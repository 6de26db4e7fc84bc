"""``hub connectors`` and ``hub schema``: what is installed."""

from __future__ import annotations

from typing import Any

import click
from rich.text import Text

from hub.cli import show
from hub.cli.options import Choices
from hub.config import compose_schema
from hub.contract import HOOK_NAMES
from hub.host.discover import Found
from hub.host.discover import connectors as installed_connectors
from hub.host.discover import simulators as installed_simulators


@click.command()
@click.pass_obj
def connectors(choices: Choices) -> int:
    """List the installed connectors with their hooks, and the simulators. Exits 1 where one is down."""
    found, simulated = installed_connectors(), installed_simulators()
    is_down = any(each.plugin is None for each in (*found.values(), *simulated.values()))
    if choices.json:
        show.print_json(
            {
                "connectors": [_facts(each) | _hooks(each) for each in found.values()],
                "simulators": [
                    _facts(each) | {"role": getattr(each.plugin, "role", None)} for each in simulated.values()
                ],
            }
        )
        return int(is_down)
    console = show.console()
    rows = [(each.name, each.distribution, each.version, _state(each), _describe(each)) for each in found.values()]
    console.print(show.table(("connector", "distribution", "version", "state", "hooks"), rows))
    if not found:
        console.print("none; install one, such as channel-hub-katana")
    if simulated:
        console.print()
        rows = [(s.name, s.distribution, s.version, _state(s), _role(s)) for s in simulated.values()]
        console.print(show.table(("simulator", "distribution", "version", "state", "role, and how to run it"), rows))
    return int(is_down)


def _facts(found: Found) -> dict[str, Any]:
    return {
        "name": found.name,
        "distribution": found.distribution,
        "version": found.version,
        "state": "down" if found.plugin is None else "up",
        "reason": found.error,
    }


def _hooks(found: Found) -> dict[str, Any]:
    has = sorted(found.plugin.capabilities) if found.plugin is not None else []
    return {"hooks": has, "without": sorted(HOOK_NAMES - set(has))}


def _state(found: Found) -> Text:
    return Text("down", style="bold red") if found.plugin is None else Text("up", style="green")


def _describe(found: Found) -> str:
    return found.error or "" if found.plugin is None else ", ".join(sorted(found.plugin.capabilities))


def _role(found: Found) -> str:
    return found.error or "" if found.plugin is None else f"{found.plugin.role}; hub simulate {found.name}"


@click.command()
@click.pass_obj
def schema(choices: Choices) -> None:
    """Print the JSON Schema of a route file for the installed connectors.

    Save it beside the route file and name it in the file's first line, and your editor completes and checks it:
    '# yaml-language-server: $schema=routes.schema.json'.
    """
    found = installed_connectors()
    show.print_json(compose_schema({name: each.plugin for name, each in found.items() if each.plugin is not None}))
