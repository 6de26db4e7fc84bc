"""``hub products``: what both sides sell, what belongs together, what takes part in sync, and a person's switches."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import click
from rich.text import Text

from hub.cli import show
from hub.cli.database import say
from hub.cli.lazy import Listing
from hub.cli.opening import opened_world
from hub.cli.options import Choices
from hub.cli.progress import EVERY_S
from hub.config.faults import listing
from hub.contract import HubError
from hub.engine import products as engine
from hub.engine.products import Catalogue, Row, There
from hub.engine.world import World
from hub.routing.listing import PERSON, Match
from hub.routing.model import Route

WORDS = {
    Match.MATCHED: "matched",
    Match.HERE: "only in {erp}",
    Match.THERE: "only on {channel}",
    Match.DUPLICATE: "twice",
}
STYLES = {Match.MATCHED: "green", Match.HERE: "cyan", Match.THERE: "yellow", Match.DUPLICATE: "bold red"}
OFF = "off"
CENT = Decimal("0.01")


@click.group(cls=Listing)
def products() -> None:
    """List the products of both sides, matched by SKU: hub products [ROUTE] [--only ...] [--refresh].

    Shows what is on both sides, on one only, or twice; what takes part in sync; and what became of listings.
    """


@products.command("list")
@click.argument("route", required=False)
@click.option("--only", type=click.Choice([*(each.value for each in Match), OFF]), help="Only these.")
@click.option("--refresh", is_flag=True, help="Read both catalogues anew first.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=100, show_default=True)
@click.pass_obj
def list_(choices: Choices, route: str | None, only: str | None, refresh: bool, limit: int) -> None:
    """List the products of ROUTE's two sides, or of every shop's; here is the ERP, there the channel."""
    with opened_world(choices) as world:
        routes = engine.routes_of(world, route)
        _read(world, [each for each in routes if refresh or not engine.is_known(world, each)])
        found = [engine.review(world, each) for each in routes]
        now = world.clock.now()
    shown = [(each, [row for row in each.items if _is_wanted(row, only)]) for each in found]
    if choices.json:
        show.print_json([{**show.plain(each), "items": rows} for each, rows in shown])
        return
    console = show.console()
    for number, (each, rows) in enumerate(shown):
        console.print(*([""] if number else []), _summary(each), sep="\n")
        for problem in each.shop.problems if each.shop is not None else ():
            console.print(Text(f"nothing can be listed: {problem['what']}. {problem['do']}", style="bold red"))
        if rows:
            headings = ("sku", "where", "sync", each.erp, each.channel, "")
            console.print(show.table(headings, (_cells(row, each) for row in rows[:limit])))
        if len(rows) > limit:
            console.print(f"and {len(rows) - limit} more; --limit shows more, --only fewer", style="bright_black")
        if each.read_at is not None:
            console.print(f"as read {show.age(each.read_at, now)} ago", style="bright_black")


def _read(world: World, routes: list[Route]) -> None:
    with _telling() as tell:
        for route in routes:
            engine.read_both(world, route, tell)


@contextmanager
def _telling() -> Iterator[engine.Tell]:
    """Yield what to call with how much was read: one line that changes on a terminal, a line now and then elsewhere."""
    if sys.stderr.isatty():
        with show.console(stderr=True).status("reading products") as status:
            yield lambda id_, n: status.update(f"reading products of {id_}: {n}")
        return
    last = time.monotonic()

    def tell(id_: str, n: int) -> None:
        nonlocal last
        if time.monotonic() - last >= EVERY_S:
            last = time.monotonic()
            say(f"reading products of {id_}: {n}")

    yield tell


def _is_wanted(row: Row, only: str | None) -> bool:
    return only is None or (not row.enabled if only == OFF else row.match == only)


def _summary(each: Catalogue) -> Text:
    text = Text(f"{each.route}: {len(each.items)} products: ", style="bold")
    for match, words in WORDS.items():
        count = sum(row.match == match for row in each.items)
        if count:
            text.append(f"{count} {words.format(erp=each.erp, channel=each.channel)}", style=STYLES[match]).append("  ")
    off = sum(not row.enabled for row in each.items)
    return text.append(f"{off} switched off", style="bright_black") if off else text


def _cells(row: Row, each: Catalogue) -> tuple[show.Cell, ...]:
    match = Match(row.match)
    where = Text(WORDS[match].format(erp=each.erp, channel=each.channel), style=STYLES[match])
    by = "you" if row.switched_by == PERSON else row.switched_by
    sync = ("on" if row.enabled else "off") + (f" (by {by})" if by else "")
    return row.sku or "no SKU", where, sync, _side(row.erp), _side(row.channel) or _within(row), _note(row)


def _side(variants: tuple[There, ...]) -> str:
    return ", ".join(" ".join(part for part in (_price(each), each.status) if part) or "yes" for each in variants)


def _within(row: Row) -> str:
    return f"in {', '.join(row.within)}" if row.within else ""


def _price(each: There) -> str:
    if each.price is None:
        return ""
    return f"{each.price.quantize(CENT)} {each.currency or ''}".strip()


def _note(row: Row) -> str:
    said = [f"{each['what']}. {each['do']}" for each in row.listing.problems] if row.listing is not None else []
    if row.listing is not None and not said:
        said = [f"listing {row.listing.state}" if row.listing.state != "done" else f"listed as {row.listing.ref}"]
    if row.match == Match.DUPLICATE:
        said.insert(0, f"ids {', '.join(each.ref for each in (*row.erp, *row.channel))}")
    return "; ".join(said)


_route = click.option("--route", help="The route whose shop is meant; needed where there are several shops.")


@products.command()
@click.argument("skus", nargs=-1, required=True, metavar="SKU...")
@_route
@click.pass_obj
def enable(choices: Choices, skus: tuple[str, ...], route: str | None) -> None:
    """Have SKUs take part in sync, whatever the route file's patterns say."""
    _switch(choices, skus, route, enabled=True)


@products.command()
@click.argument("skus", nargs=-1, required=True, metavar="SKU...")
@_route
@click.pass_obj
def disable(choices: Choices, skus: tuple[str, ...], route: str | None) -> None:
    """Keep SKUs out of sync: neither stock nor listings go out; their orders still arrive."""
    _switch(choices, skus, route, enabled=False)


def _switch(choices: Choices, skus: tuple[str, ...], name: str | None, *, enabled: bool) -> None:
    with opened_world(choices) as world:
        routes = engine.routes_of(world, name)
        if len(routes) > 1:
            do = f"Say which with --route, one of: {listing(each.name for each in routes)}."
            what = f"there are {len(routes)} shops"
            raise HubError("route-choice", what, where=str(world.config.path), do=do)
        for each in routes:
            if not engine.is_known(world, each):
                _read(world, [each])
        done = engine.switch(world.store, routes, list(dict.fromkeys(skus)), enabled=enabled)
    if choices.json:
        show.print_json(done)
        return
    rows = [(each.sku, "on" if each.enabled else "off", each.channel, each.says) for each in done]
    show.console().print(show.table(("sku", "sync", "shop", ""), rows))
