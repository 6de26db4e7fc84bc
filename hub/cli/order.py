"""``hub order``: one order, why it stands where it stands, and all that happened."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from hub.cli import show
from hub.cli.database import ledger
from hub.cli.options import Choices
from hub.cli.present import now_of
from hub.cli.sequel import print_sequel, units
from hub.engine.review import EffectView, Event, Line, Review, review

TERMS = (
    ("items", ""), ("seller_discount", "-"), ("channel_discount", "-"), ("shipping", ""),
    ("shipping_seller_discount", "-"), ("shipping_channel_discount", "-"), ("tax", ""), ("shipping_tax", ""),
)  # fmt: skip


@click.command()
@click.argument("ref")
@click.option("--connection", help="The channel connection, where several have an order of this id.")
@click.pass_obj
def order(choices: Choices, ref: str, connection: str | None) -> None:
    """Show the order with the channel's id, or the key, REF. Neither the buyer nor the address is shown."""
    now = now_of(choices)
    with ledger(choices) as store:
        found = review(store, ref, connection)
    if choices.json:
        show.print_json(found)
        return
    console = show.console()
    _print_standing(console, found, max(now, found.brief.read_at))
    console.print()
    console.print(_lines(found))
    console.print(Text(_terms(found)))
    print_sequel(console, found)
    console.print()
    events = [_event(event, found.brief.route) for event in found.timeline]
    console.print(show.table(("when", "what happened", ""), events))


def _print_standing(console: Console, found: Review, now: datetime) -> None:
    brief, link = found.brief, found.sales_order
    heading = Text(f"order {brief.ref}", style="bold")
    if brief.key != brief.ref:
        heading.append(f"  key {brief.key}", style="not bold")
    console.print(heading)
    fate = show.fate_text(brief.fate, brief.cause)
    if brief.release_at is not None and brief.fate == "held":
        fate.append(f", release {show.instant(brief.release_at)} ({show.age(brief.release_at, now)})", style="default")
    said = f"{found.channel_status}, changed {show.instant(found.updated_at)}, read {show.age(brief.read_at, now)} ago"
    facts: list[tuple[str, show.Cell]] = [("fate", fate)]
    for why in found.why:
        facts += [("why", why.what), ("do", why.do)]
    facts += [
        ("channel", f"{brief.connection}: {said}"),
        ("route", (brief.route or "none") + (f", to {found.region}" if found.region else "")),
    ]
    if found.hand:
        facts.append(("by hand", found.hand))
    if link is not None:
        made = f"{'found there' if link.adopted else 'made'} {show.instant(link.linked_at)}"
        facts.append(("sales", Text(f"{link.number} in {link.erp} (id {link.ref}), {made}", style="green")))
        facts += [("rows", units(link.rows))] if link.rows else []
    if found.recorded_at is not None:
        facts.append(("done", f"recorded as Done {show.instant(found.recorded_at)}"))
    facts += [("outbox", _effect(effect)) for effect in found.effects if effect.state not in ("done", "superseded")]
    console.print(show.table(("  ", ""), [(f"  {name}", value) for name, value in facts], headed=False))


def _effect(effect: EffectView) -> str:
    text = f"{effect.kind} to {effect.target}: {effect.state}, due {show.instant(effect.due_at)}"
    text += f", {effect.attempts} attempts" if effect.attempts else ""
    return text + (", looked up there first" if effect.look_first else "")


def _lines(found: Review) -> Any:
    rows = [_line(line) for line in found.lines]
    headings = ("  SKU", "quantity", "price", "discounts", "tax", "", "name")
    return show.table(headings, rows, right=("quantity", "price", "discounts", "tax"))


def _line(line: Line) -> tuple[show.Cell, ...]:
    cut = line.seller_discount + line.channel_discount
    parts = f" = {', '.join(line.parts)}" if line.parts else ""
    return (
        f"  {line.sku or '(no SKU)'}",
        show.number(line.quantity),
        show.money(line.price),
        show.money(cut) if cut else "",
        show.money(line.tax) if line.tax else "",
        "" if line.status == "open" else line.status,
        line.name + parts,
    )


def _terms(found: Review) -> str:
    values = found.totals
    said = [
        f"{name.replace('_', ' ')} {sign}{show.money(amount)}"
        for name, sign in TERMS
        if (amount := getattr(values, name))
    ]
    said += [f"{fee.name.replace('_', ' ')} {show.money(fee.amount)}" for fee in values.fees]
    terms = f"{', '.join(said)}: " if said else ""
    tax = " (taxes included)" if found.taxes_included else ""
    return f"  {terms}total {show.money(values.total)} {found.currency}{tax}"


def _event(event: Event, route: str | None) -> tuple[show.Cell, ...]:
    detail = dict(event.detail)
    if detail.get("route") == route:
        del detail["route"]
    cause = detail.pop("cause", None)
    if event.event in show.FATE_STYLE:
        return (show.instant(event.at), show.fate_text(event.event, cause), detail_text(detail))
    return (show.instant(event.at), event.event, detail_text(detail))


def detail_text(detail: dict[str, Any]) -> str:
    """Return what is known of an event, in one line."""
    said = []
    for name, value in detail.items():
        if name == "problems":
            said += [str(problem["what"]) for problem in value]
        elif name.endswith("_at") or name == "until":
            said.append(f"{name.removesuffix('_at')} {show.instant(datetime.fromisoformat(value))}")
        elif not isinstance(value, dict | list):
            said.append(f"{name.replace('_', ' ')} {value}")
    return "; ".join(said)
