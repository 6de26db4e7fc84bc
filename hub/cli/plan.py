"""``hub plan`` and ``hub apply``: every write of the next pass, looked at before it is made."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hub.cli import plan_view, show
from hub.cli.database import say
from hub.cli.options import Choices
from hub.cli.sync import do_pass, pass_facts, rehearsed, tell_errors
from hub.contract import HubError
from hub.engine import plan as planning
from hub.engine.plan import Plan
from hub.engine.rehearse import Rehearsal
from hub.store import address


@click.command()
@click.argument("route", required=False)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Keep the plan in this file.")
@click.pass_obj
def plan(choices: Choices, route: str | None, out: Path | None) -> int:
    """Show every write that the next pass would make, of ROUTE's connections only, or of all; send and record nothing.

    Orders placed, changed, deleted; parcels told; requests answered; stock and listings set; returns booked.
    Exits 1 where a connection could not be read; then no file is written.
    """
    if out is not None:
        _refuse_foreign(out)
    result, code = rehearsed(choices, route)
    made = _plan(choices, route, result)
    is_whole = not code and not result.progress.errors
    if out is not None and is_whole:
        _keep(out, made)
    if choices.json:
        show.print_json({"pass": pass_facts(result.progress, stopped=bool(code)), **planning.facts(made)})
        return code or int(not is_whole)
    console = show.console()
    plan_view.print_writes(console, made.writes)
    console.print(plan_view.summary(made.writes), style="bold")
    tell_errors(result.progress)
    if not is_whole:
        say("The plan is not whole." + (f" Nothing was written to {out}." if out is not None else ""))
    else:
        how = f"hub apply {out}" if out is not None else "hub sync"
        console.print(f"Nothing was sent and nothing was recorded. To do it: {how}", style="bright_black")
    return code or int(not is_whole)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def apply(choices: Choices, file: Path) -> int:
    """Do the pass that FILE planned, if it would write just that now; else write nothing and name the difference.

    The plan is made anew to compare. What comes in between the two, such as a new order, is done as well.
    """
    kept = planning.parse(_text(file), str(file))
    result, code = rehearsed(choices, kept.route)
    if code or result.progress.errors:
        if choices.json:
            show.print_json({"pass": pass_facts(result.progress, stopped=bool(code))})
        tell_errors(result.progress)
        say("Nothing was written, because the plan could not be compared.")
        return code or 1
    planning.refuse_stale(kept, _plan(choices, kept.route, result), str(file))
    say(f"As planned: {plan_view.summary(kept.writes)}")
    return do_pass(choices, kept.route, said={"planned": len(kept.writes)})


def _plan(choices: Choices, route: str | None, result: Rehearsal) -> Plan:
    text = choices.route_file.read_text("utf-8")
    return Plan(result.at, route, planning.digest_of(text), _ledger(choices), result.writes)


def _ledger(choices: Choices) -> str:
    """Name the database without any secret."""
    file = choices.database_file
    if file is not None:
        return planning.digest_of(str(file.resolve()))
    return planning.digest_of(address.parse(choices.database_url)[1])


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        what = "there is no such plan" if not file.exists() else f"the plan cannot be read ({type(error).__name__})"
        raise HubError("plan-unreadable", what, where=str(file), do="Make one: hub plan --out FILE") from error


def _refuse_foreign(file: Path) -> None:
    """Let a plan be written over an older plan, never over something else."""
    if not file.exists():
        return
    try:
        is_plan = "hub_plan" in json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, TypeError):
        is_plan = False
    if not is_plan:
        raise HubError(
            "file-exists", "there is a file already, and it is not a plan", where=str(file), do="Name another."
        )


def _keep(file: Path, made: Plan) -> None:
    try:
        file.write_text(json.dumps(planning.facts(made), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        what = f"the plan cannot be written: {error.strerror}"
        raise HubError("file-failed", what, where=str(file), do="Name a file that this user may write.") from error
