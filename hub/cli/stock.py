"""``hub stock``: what each channel sells of each SKU, and how that number came about."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from hub.cli import show
from hub.cli.opening import opened_world
from hub.cli.options import Choices
from hub.engine import stock_review
from hub.engine.stock_review import StockView


@click.command()
@click.argument("sku", required=False)
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=100, show_default=True)
@click.pass_obj
def stock(choices: Choices, sku: str | None, limit: int) -> None:
    """Show what each channel sells of each SKU; of one SKU, every term of its number.

    Looks at the ledger only and makes no call. The numbers move with the next pass (hub sync) or by themselves (hub
    run).
    """
    with opened_world(choices) as world:
        found, now = stock_review.review(world, sku), world.clock.now()
    if choices.json:
        show.print_json(found)
        return
    console = show.console()
    if sku is None:
        headings = ("sku", "channel", "should sell", "sells", "ERP read", "")
        rows = [_cells(each, now) for each in found[:limit]]
        console.print(show.table(headings, rows, right=("should sell", "sells")))
        if len(found) > limit:
            console.print(f"{len(found) - limit} more; show them with --limit.")
        return
    for each in found:
        _explain(console, each, now)


def _sum(quantities: dict[str, int] | None) -> str:
    return "?" if quantities is None else str(sum(quantities.values()))


def _cells(each: StockView, now: datetime) -> tuple[str | Text, ...]:
    note = each.refused or each.why
    said = Text(show.clean(f"{note['code']}: {note['what']}"), style="yellow") if note else Text("")
    read = show.age(each.levels_read_at, now) if each.levels_read_at else "never"
    return each.sku or each.ref, each.channel, _sum(each.target), _sum(each.sells), read, said


def _explain(console: Console, each: StockView, now: datetime) -> None:
    console.print(Text(f"{each.sku or each.ref} on {each.channel}: {show.clean(each.name)}", style="bold"))
    if each.why is not None:
        console.print(Text(f"  left alone: {each.why['what']}. {each.why['do']}", style="yellow"))
    for part in (each.terms or {}).get("parts", ()):
        _explain_part(console, part, now)
    if each.terms is not None:
        if each.terms["share"] != "100":
            console.print(f"  this shop's share: {each.terms['share']} %")
        places = ", ".join(f"{place}: {units}" for place, units in (each.target or {}).items())
        console.print(f"  should sell {each.terms['total']} ({places})")
    told = f", told {show.age(each.told_at, now)}" if each.told_at else ""
    console.print(f"  sells {_sum(each.sells)} by the last reading, less what was ordered since{told}")
    if each.refused is not None:
        again = f" Tried again {show.instant(each.retry_at)}." if each.retry_at else ""
        console.print(Text(f"  refused: {each.refused['what']}. {each.refused['do']}{again}", style="yellow"))
    console.print("  What sells between a reading of orders and a write may still be too much; the buffer is for it.\n")


def _explain_part(console: Console, part: dict[str, Any], now: datetime) -> None:
    console.print(f"  {part['quantity']} x {part['sku']} of the ERP:")
    for term in part["locations"]:
        kits = f" + {term['potential']} to be built" if term["potential"] != "0" else ""
        read = show.age(datetime.fromisoformat(term["read_at"]), now)
        console.print(
            f"    location {term['location']}: {term['in_stock']} in stock{kits} - {term['committed']} committed, "
            f"{term['share']} % for {term['place']}: {term['feeds']}   (read {read})"
        )
    for shop in part["shops"]:
        seen = "not asked" if shop["committed"] is None else shop["committed"]
        console.print(
            f"    - {shop['unknown']} ordered in {shop['shop']} and not counted yet: the larger of "
            f"{shop['not_in_reading']} in the ledger, and {seen} committed there - {shop['in_reading']} counted"
        )
    console.print(f"    - {part['buffer']} buffer")
    console.print(f"    makes {part['makes']}")
