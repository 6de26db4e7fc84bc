"""``hub reconcile``: what both sides tell, held against the ledger."""

from __future__ import annotations

from datetime import timedelta

import click
from rich.console import Console
from rich.text import Text

from hub.cli import show
from hub.cli.opening import opened_world
from hub.cli.options import Choices
from hub.config.times import duration_s
from hub.engine import reconcile as proof
from hub.engine.reconcile import ErpProof, ShopProof
from hub.engine.sync import involved
from hub.store.orders import OrderRow

SHOWN = 20


@click.command()
@click.option("--since", default="24h", show_default=True, help="How far to look back: 90m, 24h, 7d.")
@click.pass_obj
def reconcile(choices: Choices, since: str) -> int:
    """Prove that no order was lost or doubled: read both sides again and compare.

    Costs about one call per 100 orders on either side. Changes nothing; works beside hub run. Exit code 1 where
    something is unaccounted for.
    """
    with opened_world(choices) as world:
        channels, erps = involved(world)
        start = world.clock.now() - timedelta(seconds=_seconds(since))
        placed: dict[str, list[OrderRow]] = {}
        of_shops = [proof.shops(world, channel, start, placed) for channel in channels]
        of_erps = [proof.erps(world, erp, start, placed.get(erp.id, [])) for erp in erps]
    whole = all(each.is_whole for each in of_shops) and all(each.is_whole for each in of_erps)
    if choices.json:
        show.print_json({"whole": whole, "shops": of_shops, "erps": of_erps})
        return 0 if whole else 1
    console = show.console()
    for shop in of_shops:
        _tell_shop(console, shop)
    for erp in of_erps:
        _tell_erp(console, erp)
    console.print(
        Text("all accounted for" if whole else "not all accounted for", style="green" if whole else "bold red")
    )
    return 0 if whole else 1


def _seconds(text: str) -> float:
    seconds = duration_s(text)
    if seconds is None:
        raise click.BadParameter(f"{text!r} is no length of time; write 90m, 24h or 7d", param_hint="--since")
    return seconds


def _tell_shop(console: Console, shop: ShopProof) -> None:
    parts = " + ".join(f"{count} {fate}" for fate, count in shop.fates.items()) or "0"
    console.print(f"{shop.channel}: {shop.told} orders changed since {show.instant(shop.since)} = {parts}"
                  f"{f' + {len(shop.missing)} missing' if shop.missing else ''}")  # fmt: skip
    _listed(console, "the ledger does not know", shop.missing, "hub sync reads them")
    _listed(console, "the ledger holds an earlier state of", shop.behind, "hub sync reads them")


def _tell_erp(console: Console, erp: ErpProof) -> None:
    console.print(f"{erp.erp}: {erp.placed} of them have a sales order")
    _listed(console, "gone there without a word", erp.lost, "restore it there, or: hub order ID")
    _listed(console, "more than one sales order", erp.doubled, "delete all but one there")
    if erp.shipments:
        console.print("  shipments: " + ", ".join(f"{count} {word}" for word, count in erp.shipments.items()))
    _listed(console, "shipments not read", erp.unread, "hub sync reads them")


def _listed(console: Console, what: str, refs: list[str], do: str) -> None:
    if refs:
        console.print(Text(f"  {len(refs)} {what} ({do}):", style="bold red"))
        for ref in refs[:SHOWN]:
            console.print(f"    {show.clean(ref)}")
        if len(refs) > SHOWN:
            console.print(f"    and {len(refs) - SHOWN} more; --json names all")
