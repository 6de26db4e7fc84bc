"""``hub sync``: one pass over all connections, or a rehearsal of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import click
from rich.console import RenderableType
from rich.text import Text

from hub.cli import rehearsal, show
from hub.cli.database import open_database, say
from hub.cli.failure import facts_of
from hub.cli.failure import show as show_failure
from hub.cli.opening import log_for_people, opened_world, read_routes, warn
from hub.cli.options import Choices
from hub.cli.progress import describe, progress_line
from hub.config import Config
from hub.config.faults import listing, nearest
from hub.contract import HubError
from hub.daemon import busy, stopping
from hub.engine.progress import Progress
from hub.engine.rehearse import Rehearsal, rehearse
from hub.engine.review import Count, counts
from hub.engine.sync import sync as one_pass
from hub.engine.world import Trace


@click.command()
@click.argument("route", required=False)
@click.option("--dry-run", is_flag=True, help="Show what would be sent; send and record nothing.")
@click.pass_obj
def sync(choices: Choices, route: str | None, dry_run: bool) -> int:
    """Read what changed, release what is due, place what may go; for ROUTE only, or for all.

    Exits 1 where a connection failed or another hub process is working for it.
    """
    return _rehearse(choices, route) if dry_run else do_pass(choices, route)


def do_pass(
    choices: Choices, route: str | None, *, trace: Trace | None = None, said: Mapping[str, object] | None = None
) -> int:
    """Do one pass and print what changed; ``said`` is added to what is printed as JSON."""
    with stopping() as stop, opened_world(choices, trace=trace) as world:
        _known_route(world.config, route)
        before = counts(world.store)
        with progress_line() as tell:
            progress = Progress(tell=tell)
            one_pass(world, progress, stop.event, route)
        after = counts(world.store)
    code = stop.exit_code or int(bool(progress.errors or progress.busy))
    if choices.json:
        facts = pass_facts(progress, stopped=stop.event.is_set())
        show.print_json({**(said or {}), "pass": facts, "orders": _changes(before, after)})
    else:
        console = show.console()
        console.print(fates(before, after))
        say(describe_end(progress, stopped=stop.event.is_set()))
        tell_errors(progress)
    return code


def _rehearse(choices: Choices, route: str | None) -> int:
    result, code = rehearsed(choices, route)
    if choices.json:
        changes = _changes(result.before, result.after)
        facts = pass_facts(result.progress, stopped=bool(code))
        show.print_json({"pass": facts, "orders": changes, **rehearsal.facts(result)})
    else:
        rehearsal.print_planned(result)
        tell_errors(result.progress)
    return code or int(bool(result.progress.errors))


def rehearsed(choices: Choices, route: str | None) -> tuple[Rehearsal, int]:
    """Rehearse a pass; return what it came to, and the exit code where it was told to stop (0: it was not)."""
    log_for_people(debug=choices.debug)
    config, found = read_routes(choices)
    _known_route(config, route)
    warn(choices, config)
    store = open_database(choices)
    try:
        with stopping() as stop, progress_line() as tell:
            result = rehearse(
                config,
                found,
                store,
                environ=os.environ,
                key_file=choices.key_file,
                stop=stop.event,
                only=route,
                tell=tell,
            )
    finally:
        store.close()
    return result, stop.exit_code or 0


def _known_route(config: Config, route: str | None) -> None:
    names = [each.name for each in config.routes]
    if route is not None and route not in names:
        do = f"{nearest(route, names)}Routes: {listing(names)}."
        raise HubError("route-unknown", f"there is no route {route!r}", where=str(config.path), do=do)
    if not any(each.is_on for each in config.routes if route in (None, each.name)):
        say("note: everything is switched off in every route asked for; there is nothing to do")


def pass_facts(progress: Progress, *, stopped: bool) -> dict[str, object]:
    """Return what a pass did, for programs."""
    return {
        "read": progress.pulled,
        "new": progress.recorded.new,
        "changed": progress.recorded.changed,
        "looked_at": progress.released,
        "sent": progress.sent,
        "stopped": stopped,
        "busy": progress.busy,
        "errors": {id_: facts_of(error) for id_, error in progress.errors.items()},
    }


def _changes(before: Sequence[Count], after: Sequence[Count]) -> list[dict[str, object]]:
    was = {(each.connection, each.fate, each.cause): each.orders for each in before}
    now = {(each.connection, each.fate, each.cause): each.orders for each in after}
    return [
        {
            "connection": key[0],
            "fate": key[1],
            "cause": key[2],
            "orders": now.get(key, 0),
            "change": now.get(key, 0) - was.get(key, 0),
        }
        for key in sorted({*was, *now}, key=lambda key: (key[0], _RANK.get(key[1], 99), key[2] or ""))
    ]


_RANK = {fate: at for at, fate in enumerate(show.FATE_STYLE)}


def fates(before: Sequence[Count], after: Sequence[Count]) -> RenderableType:
    """Return how many orders stand where, and what this pass changed."""
    rows: list[tuple[show.Cell, ...]] = []
    for each in _changes(before, after):
        change = int(str(each["change"]))
        moved = Text(f"{change:+d}" if change else "", style="green" if change > 0 else "yellow")
        fate = show.fate_text(str(each["fate"]))
        rows.append((str(each["connection"]), fate, str(each["cause"] or ""), str(each["orders"]), moved))
    if not rows:
        rows = [("", "no orders yet", "", "0", "")]
    return show.table(("connection", "fate", "cause", "orders", "this pass"), rows, right=("orders", "this pass"))


def describe_end(progress: Progress, *, stopped: bool) -> str:
    """Return how a pass ended, in one line."""
    progress.doing = "stopped as asked; the next pass goes on" if stopped else "done"
    return describe(progress)


def tell_errors(progress: Progress) -> None:
    """Print what failed, connection by connection, and what to do."""
    for id_, error in progress.errors.items():
        say("")
        say(f"connection {id_} failed; its work is kept:")
        show_failure(facts_of(error))
    if progress.busy:
        say("")
        show_failure(facts_of(busy(progress.busy)))
