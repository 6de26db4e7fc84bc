"""``hub reconcile``: what both sides tell, held against the ledger, as equations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

import click
from rich.console import Console
from rich.text import Text

from hub.cli import show
from hub.cli.opening import opened_world
from hub.cli.options import Choices
from hub.config.times import span_s
from hub.contract import HubError
from hub.engine.proof import Part, Proof
from hub.engine.proving import last, prove_now
from hub.engine.sync import involved
from hub.engine.world import Connected, World

SHOWN = 20
TOLD: Mapping[str, str] = MappingProxyType(
    {
        "orders": "orders changed",
        "parcels": "parcels shown as shipped",
        "stock": "SKUs",
        "sales_orders": "sales orders looked up",
        "shipments": "shipments delivered",
    }
)
MEANS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "missing": ("the ledger does not know", "the daemon takes them up; if they stay, report it"),
        "behind": ("the ledger holds an earlier state of", "the daemon takes them up; if they stay, report it"),
        "unknown": ("the channel shows, and the hub never told", "see who shipped them on the channel"),
        "differing": ("were changed on the channel by hand", "the daemon puts them right"),
        "lost": ("gone there without a word", "restore it there, or: hub order ID"),
        "doubled": ("have more than one sales order", "delete all but one there; the order is blocked until then"),
        "unread": ("shipments that were not read", "they are taken up now; if they stay, report it"),
    }
)


@click.command()
@click.option("--since", default="24h", show_default=True, help="How far to look back: 90m, 24h, 7d.")
@click.option("--last", "is_last", is_flag=True, help="Show the last proof that was made; no call.")
@click.pass_obj
def reconcile(choices: Choices, since: str, is_last: bool) -> int:
    """Prove that nothing was lost or doubled: read both sides again and compare.

    Costs about one call per 100 orders on either side. Works beside hub run, which does the same by itself once an
    hour. An order with two sales orders is blocked, and a shipment that was not read is taken up; nothing else is
    changed. Exit code 1 where something is unaccounted for.
    """
    with opened_world(choices) as world:
        start = world.clock.now() - timedelta(seconds=_seconds(since))
        shops, erps = (
            [_last(world, each) if is_last else prove_now(world, each, start) for each in side]
            for side in involved(world)
        )
    whole = all(each.is_whole for each in (*shops, *erps))
    if choices.json:
        kept = [[_shown(each) for each in side] for side in (shops, erps)]
        show.print_json({"whole": whole, "shops": kept[0], "erps": kept[1]})
        return 0 if whole else 1
    console = show.console()
    for each in (*shops, *erps):
        _tell(console, each)
    says, style = ("all accounted for", "green") if whole else ("not all accounted for", "bold red")
    console.print(Text(says, style=style))
    return 0 if whole else 1


def _last(world: World, connected: Connected) -> Proof:
    found = last(world, connected.id)
    if found is None:
        what = f"no proof of {connected.id} was made yet"
        do = "Make one now: hub reconcile; hub run makes one every hour."
        raise HubError("no-proof", what, where=f"database {world.store.label}", do=do)
    return found


def _seconds(text: str) -> float:
    seconds = span_s(text)
    if seconds is None:
        raise click.BadParameter(
            f"{text!r} is no length of time up to a year; write 90m, 24h or 7d", param_hint="--since"
        )
    return seconds


def _shown(proof: Proof) -> dict[str, object]:
    return {"connection": proof.connection, "at": proof.at, **proof.document()}


def _tell(console: Console, proof: Proof) -> None:
    console.print(f"{proof.connection}, {show.instant(proof.since)} to {show.instant(proof.at)}:")
    for name, part in proof.parts.items():
        console.print(f"  {_equation(name, part)}")
        for kind, ids in part.remainder.items():
            _listed(console, kind, ids)


def _equation(name: str, part: Part) -> str:
    """Return a part as one line: what was told = what became of it + what remains."""
    terms = []
    for word, count in part.fates.items():
        fate, _, detail = word.partition(": ")
        terms.append(f"{count} {fate}" + (f" ({detail})" if detail else ""))
    terms += [f"{len(ids)} {kind}" for kind, ids in part.remainder.items() if ids]
    return show.clean(f"{part.told} {TOLD.get(name, name)} = {' + '.join(terms) or '0'}")


def _listed(console: Console, kind: str, ids: list[str]) -> None:
    if ids:
        what, do = MEANS.get(kind, (kind, "see docs/operating.md"))
        console.print(Text(f"    {len(ids)} {what} ({do}):", style="bold red"))
        for each in ids[:SHOWN]:
            console.print(f"      {show.clean(each)}")
        if len(ids) > SHOWN:
            console.print(f"      and {len(ids) - SHOWN} more; --json names all")
