"""``hub forecast``: how long the queued work will take."""

from __future__ import annotations

from datetime import timedelta

import click
from rich.console import Console
from rich.text import Text

from hub.cli import show
from hub.cli.opening import opened_world
from hub.cli.options import Choices
from hub.config.times import span_s
from hub.engine.forecast import Forecast, Limit, Load, Outlook
from hub.engine.forecast import forecast as look_ahead

SHOWN = 3


@click.command()
@click.option("--within", default="1h", show_default=True, help="Count orders whose holds end within: 30m, 1h, 1d.")
@click.pass_obj
def forecast(choices: Choices, within: str) -> None:
    """Say how long the queued work will take: what waits for each connection, the calls it takes, when it is done.

    Rests on what such work took lately, and on the request budgets. Makes no call; works beside hub run.
    """
    horizon_s = span_s(within)
    if horizon_s is None:
        raise click.BadParameter(
            f"{within!r} is no length of time up to a year; write 30m, 1h or 1d", param_hint="--within"
        )
    with opened_world(choices) as world:
        told = look_ahead(world, horizon_s)
    if choices.json:
        show.print_json(told)
        return
    console = show.console()
    for outlook in told.connections:
        _tell(console, told, outlook)


def _tell(console: Console, told: Forecast, outlook: Outlook) -> None:
    console.print(Text(outlook.connection, style="bold") + Text(f": {_limits(outlook)}"))
    if outlook.resting_until is not None:
        console.print(
            f"  rests until {show.instant(outlook.resting_until)}; hub check --online says why", style="yellow"
        )
    if outlook.work:
        rows = [(f"  {load.work}", load.due, load.coming or None, _calls(load), _remark(load)) for load in outlook.work]
        headings = ("  waiting", "now", "coming", "calls", "")
        console.print(show.table(headings, rows, right=("now", "coming", "calls")))
    else:
        console.print("  nothing waits")
    for line in outlook.unknown:
        console.print(f"  not known yet: {line}", style="yellow")
    for what, seconds in _ends(outlook):
        console.print(f"  {what} in {_span(seconds)}, at {show.instant(told.at + timedelta(seconds=seconds))}")
    console.print(
        f"  besides: about {outlook.background_per_hour:.0f} calls an hour to look for news\n", style="bright_black"
    )


def _ends(outlook: Outlook) -> list[tuple[str, float]]:
    sells = any(load.work == "sales orders" for load in outlook.work)
    ends = [
        ("the orders that are due now are placed", outlook.orders_in_s if sells else None),
        ("nothing urgent waits", outlook.urgent_in_s if any(load.is_urgent for load in outlook.work) else None),
        ("nothing waits", outlook.drained_in_s if outlook.work else None),
    ]
    return [(what, seconds) for what, seconds in ends if seconds is not None]


def _limits(outlook: Outlook) -> str:
    if not outlook.limits:
        return "no call was made yet, so its limits are not known"
    used = [each for each in outlook.limits if each.taken or each.closed_until is not None]
    fullest = sorted(used or outlook.limits[:1], key=_is_full, reverse=True)[:SHOWN]
    rest = len(outlook.limits) - len(fullest)
    more = f"; {rest} more limit{'s' * (rest > 1)}" if rest else ""
    return "; ".join(map(_limit, fullest)) + more


def _is_full(limit: Limit) -> tuple[bool, float]:
    return limit.closed_until is not None, limit.taken / limit.calls


def _limit(limit: Limit) -> str:
    name = f"{limit.endpoint} " if "/" in limit.endpoint else ""
    closed = f", closed until {show.instant(limit.closed_until)}" if limit.closed_until is not None else ""
    return f"{name}{limit.taken} of {limit.calls} calls in {limit.per_s:g} s taken{closed}"


def _calls(load: Load) -> str:
    return "?" if load.calls is None else f"{load.calls:.0f}"


def _remark(load: Load) -> str:
    remarks = (["a guess: none was done yet"] if load.is_assumed else []) + ([] if load.is_urgent else ["gives way"])
    return ", ".join(remarks)


def _span(seconds: float) -> str:
    whole = round(seconds)
    parts = [(whole // 3600, "h"), (whole % 3600 // 60, "m"), (whole % 60, "s")]
    return " ".join(f"{count}{unit}" for count, unit in parts if count) or "0s"
