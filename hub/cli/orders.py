"""``hub orders``: which orders there are and where they stand."""

from __future__ import annotations

import click
from rich.text import Text

from hub.cli import show
from hub.cli.database import ledger
from hub.cli.options import Choices
from hub.cli.present import now_of
from hub.engine.review import Count, counts, listing
from hub.routing.fate import Fate


@click.command()
@click.option("--fate", type=click.Choice([fate.value for fate in Fate]), help="Only orders of this fate.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=20, show_default=True)
@click.pass_obj
def orders(choices: Choices, fate: str | None, limit: int) -> None:
    """Count the orders by fate, and list them, newest first."""
    now = now_of(choices)
    with ledger(choices) as store:
        totals, found = counts(store), listing(store, fate, limit)
    now = max([now, *(each.read_at for each in found)])
    if choices.json:
        show.print_json({"counts": totals, "orders": found})
        return
    console = show.console()
    console.print(summary(totals))
    if not found:
        return
    console.print()
    rows = [
        (
            each.ref,
            show.fate_text(each.fate, each.cause),
            each.route or "",
            show.age(each.release_at, now) if each.fate == Fate.HELD else "",
            show.age(each.created_at, now),
        )
        for each in found
    ]
    console.print(show.table(("id", "fate", "route", "release", "age"), rows))
    rest = sum(count.orders for count in totals if fate in (None, count.fate)) - len(found)
    if rest > 0:
        console.print(f"and {rest} more; --limit shows more, --fate fewer", style="bright_black")


def summary(totals: list[Count]) -> Text:
    """Return how many orders have each fate, in one line."""
    sums: dict[str, int] = {}
    for count in totals:
        sums[count.fate] = sums.get(count.fate, 0) + count.orders
    everything = sum(sums.values())
    if not everything:
        return Text("no orders yet; hub sync reads them")
    text = Text(f"{everything} orders: ", style="bold")
    for fate in show.FATE_STYLE:
        if fate in sums:
            text.append(f"{sums[fate]} {fate}", style=show.FATE_STYLE[fate])
            text.append("  ")
    return text
