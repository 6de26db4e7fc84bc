"""``hub check``: is the route file sound, and do the connections have what it asks of them."""

from __future__ import annotations

import os
from typing import Any

import click
from rich.console import RenderableType
from rich.text import Text

from hub.cli import show
from hub.cli.database import open_database
from hub.cli.failure import facts_of
from hub.cli.opening import log_for_people, read_routes
from hub.cli.options import Choices
from hub.config import Config
from hub.engine.online import Examined, examine
from hub.engine.world import build
from hub.host.discover import Found


@click.command()
@click.option("--online", is_flag=True, help="Also ask every connection; changes nothing there.")
@click.pass_obj
def check(choices: Choices, online: bool) -> int:
    """Check the route file and name every fault at once. Exits 1 where anything is missing."""
    log_for_people(debug=choices.debug)
    config, found = read_routes(choices)
    examined = _ask(choices, config, found) if online else []
    ok = all(each.ok for each in examined)
    if choices.json:
        show.print_json(
            {"ok": ok, **_facts(config), "online": [_answer(each) for each in examined] if online else None}
        )
        return int(not ok)
    console = show.console()
    for warning in config.warnings:
        console.print(Text("warning  ", style="yellow") + Text(warning.text(config.path)))
    routes = ", ".join(f"{route.name} ({route.channel} to {route.erp})" for route in config.routes) or "no route"
    console.print(Text("ok       ", style="green") + Text(f"{config.path}: {routes}"))
    if online:
        console.print()
        console.print(_table(examined))
        if not ok:
            console.print()
            console.print(Text("Something is missing; see above what to do.", style="bold red"))
    else:
        console.print("To ask the connections as well: hub check --online")
    return int(not ok)


def _ask(choices: Choices, config: Config, found: dict[str, Found]) -> list[Examined]:
    world = build(config, found, open_database(choices), environ=os.environ, key_file=choices.key_file)
    try:
        return examine(world)
    finally:
        world.close()


def _table(examined: list[Examined]) -> RenderableType:
    rows: list[tuple[str | Text, ...]] = []
    for each in examined:
        for finding in each.findings:
            text = Text(finding.what) if finding.ok else Text(f"{finding.what}\n{finding.do}")
            rows.append((each.connection, _mark(finding.ok), text))
        if each.error is not None:
            what = f"{each.error.code}: {each.error.what} ({each.error.where})\n{each.error.do}"
            rows.append((each.connection, _mark(False), Text(what)))
    return show.table(("connection", "", "what"), rows)


def _mark(ok: bool) -> Text:
    return Text("ok", style="green") if ok else Text("missing", style="bold red")


def _facts(config: Config) -> dict[str, Any]:
    return {
        "path": str(config.path),
        "connections": {each.id: each.connector for each in config.connections.values()},
        "routes": [
            {
                "name": route.name,
                "channel": route.channel,
                "erp": route.erp,
                "orders": route.orders.enabled,
                "fulfillments": route.fulfillments.enabled,
                "inventory": route.inventory.enabled,
                "products": route.products.enabled,
                "returns": route.returns.enabled,
            }
            for route in config.routes
        ],
        "warnings": [
            {"line": w.line, "column": w.column, "pointer": w.pointer, "code": w.code, "what": w.what, "do": w.do}
            for w in config.warnings
        ],
    }


def _answer(each: Examined) -> dict[str, Any]:
    return {
        "connection": each.connection,
        "connector": each.connector,
        "ok": each.ok,
        "findings": [finding.model_dump() for finding in each.findings],
        "locations": [place.model_dump() for place in each.locations],
        "error": None if each.error is None else facts_of(each.error),
    }
