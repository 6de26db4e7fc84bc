"""``hub init``: a route file to start from, made from what is installed."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import click

from hub.cli import show
from hub.cli.database import say
from hub.cli.options import Choices
from hub.config.faults import listing, nearest
from hub.config.marks import SECRET, is_marked
from hub.config.needs import CHANNEL_NEEDS, ERP_NEEDS, SECTIONS
from hub.contract import HubError
from hub.host.discover import connectors

NEEDS = {"channel": CHANNEL_NEEDS, "erp": ERP_NEEDS}
FILE = "routes.yaml"
HEAD = """\
# What goes from which channel to which ERP. 'hub check' checks this file and 'hub check --online' the connections.
# Your editor completes it once you run: hub schema > routes.schema.json
# yaml-language-server: $schema=routes.schema.json
version: 1

# The accounts the hub speaks to, each under an id you choose; the id appears in every message.
# ${NAME} is taken from the environment; a secret may also be {file: PATH}, but never stands here.
connections:
"""
ROUTE = """
routes:
  - name: all-orders
    channel: {channel}
    erp: {erp}
    orders:
      enabled: true
      start: now                  # older orders are left alone; or a date such as 2026-01-15
      hold: 60m                   # how long a paid order waits, because the buyer may still change or cancel it
      # when: {{region: [US]}}      # the first route that fits an order takes it
      # location: {{default: Main warehouse}}    # left out: the ERP's own default
      # skus: {{OLD-SKU: NEW-SKU}}  # SKUs that are called otherwise in the ERP
      # tax: from_order           # or none, or {{mode: fixed, rate: 20}}
      # discounts: {{channel: ignore}}           # the channel's discounts are usually paid back to you
"""
SECTIONS_TEXT = {
    "fulfillments": """\
    fulfillments:                 # what the ERP marks as delivered becomes shipped on the channel
      carriers: {}                # carriers that the channel calls otherwise, as in {Royal Mail: Evri}
""",
    "inventory": """\
    inventory:                    # the ERP's stock becomes what the channel sells; enabled: false is off
      buffer: {units: 2}          # kept back of each SKU: it covers what sells between two looks
""",
    "returns": """\
    # returns: {enabled: true}    # returned goods are booked in the ERP; off unless switched on
""",
}


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.option("--channel", help="The connector that sells, where several are installed.")
@click.option("--erp", help="The connector that ships and counts, where several are installed.")
@click.pass_obj
def init(choices: Choices, directory: Path, channel: str | None, erp: str | None) -> None:
    """Write a commented routes.yaml into DIRECTORY; never overwrites one."""
    installed = {name: found.plugin for name, found in connectors().items() if found.plugin is not None}
    sides = {side: _choose(side, name, installed) for side, name in (("channel", channel), ("erp", erp))}
    texts = [_connection(installed[name]) for name in dict.fromkeys(sides.values())]
    path = directory / FILE
    variables = sorted({variable for name in sides.values() for variable in _variables(installed[name])})
    directory.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(HEAD + "".join(texts) + ROUTE.format(**sides) + _sections(installed, sides))
    except FileExistsError:
        do = "Edit it, or name another folder: hub init DIR."
        raise HubError("file-exists", "there is a route file already", where=str(path), do=do) from None
    if choices.json:
        show.print_json({"path": str(path), "environment": variables, **sides})
        return
    click.echo(f"Wrote {path}. Next:")
    click.echo("  1. Set in the environment: " + ", ".join(variables))
    consents = [name for name in sides.values() if getattr(installed[name], "consent_note", "")]
    steps = [f"hub connect {name} --routes {path}    asks the account's owner for consent" for name in consents]
    steps += [
        f"hub check --online --routes {path}",
        f"hub sync --dry-run --routes {path}    shows what would be sent, sends nothing",
        f"hub run --routes {path}",
    ]
    for number, step in enumerate(steps, 2):
        click.echo(f"  {number}. {step}")
    say("Database and key file (hub.db, hub.key) will lie beside the route file; back them up together.")


def _sections(installed: dict[str, Any], sides: dict[str, str]) -> str:
    """Return the further sections that both connectors can do."""
    able = {side: frozenset(installed[name].capabilities) for side, name in sides.items()}
    return "".join(SECTIONS_TEXT[need.section] for need in SECTIONS if not need.lacking(able))


def _choose(side: str, wanted: str | None, installed: dict[str, Any]) -> str:
    able = [name for name, plugin in installed.items() if set(NEEDS[side]) <= plugin.capabilities]
    if wanted is not None and wanted in able:
        return wanted
    if wanted is None and len(able) == 1:
        return able[0]
    if wanted is not None and wanted in installed:
        lacks = listing(sorted(set(NEEDS[side]) - installed[wanted].capabilities))
        what = f"connector {wanted} cannot be the {side}: it lacks {lacks}"
    elif wanted is not None:
        what = f"no connector {wanted!r} is installed"
    else:
        what = f"{len(able) or 'no'} installed connectors can be the {side}"
    do = f"{nearest(wanted or '', able)}Choose with --{side}: {listing(able)}. hub connectors shows all."
    raise HubError("connector-choice", what, where="hub init", do=do)


def _settings(plugin: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return the settings worth writing down: those that are required, and every secret of the usual way in."""
    schema: dict[str, Any] = plugin.settings_model.model_json_schema()
    required = set(schema.get("required", ()))
    return [
        (name, described)
        for name, described in schema.get("properties", {}).items()
        if described.get("x-hub-init", name in required or is_marked(SECRET, described))
    ]


def _variable(plugin: Any, setting: str) -> str:
    return f"{plugin.name}_{setting}".upper().replace("-", "_")


def _variables(plugin: Any) -> list[str]:
    return [_variable(plugin, name) for name, _ in _settings(plugin)]


def _connection(plugin: Any) -> str:
    text = f"  {plugin.name}:\n    connector: {plugin.name}\n    settings:\n"
    for name, described in _settings(plugin):
        for line in textwrap.wrap(str(described.get("description", name)), 100):
            text += f"      # {line}\n"
        text += f"      {name}: ${{{_variable(plugin, name)}}}\n"
    return text + f"      # more settings: hub schema, under settings-{plugin.name}\n"
