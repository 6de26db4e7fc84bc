"""What the demo found out: fates, promises and calls, each asked of both systems, and how it is printed."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.cli import demo_proof, show
from hub.cli.demo_connect import connecting
from hub.cli.demo_data import BARE_SKU, NEW_SKU
from hub.cli.demo_proof import Promise
from hub.cli.demo_story import ASKED, CONSENTED, OFF, TIGHT, Play
from hub.engine import online, products, review

SHOP, FACTORY = "shop", "factory"
SENT = ("placed", "partly-fulfilled", "fulfilled")


@dataclass(slots=True)
class Story:
    """What the demo found out."""

    folder: str = ""
    seconds: float = 0.0
    orders: int = 0
    kinds: dict[str, int] = field(default_factory=dict)  # of those that the channel drew; the rest were bought
    fates: list[dict[str, Any]] = field(default_factory=list)
    promises: list[dict[str, Any]] = field(default_factory=list)
    proof: dict[str, Any] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


def judge(play: Play, story: Story) -> None:
    """Hold every promise against what both systems say; what is broken becomes an error."""
    calls, last = play.stage.counted(), play.see("last")  # first: the questions below are calls too
    play.begin(CONSENTED)
    consent = connecting(play.stage, play.world, SHOP)
    play.begin(ASKED)
    promises = [*_promises(play), consent]
    story.errors += [*play.errors, *play.undone]
    story.errors += [str(promise) for promise in promises if not promise.kept]
    story.promises = [
        {"id": p.id, "promise": p.says, "proof": p.proof, "kept": p.kept,
         "faults": list(p.faults), "numbers": show.plain(p.numbers)}
        for p in sorted(promises, key=lambda p: int(p.id[1:]))
    ]  # fmt: skip
    _count(play, story, calls)
    story.orders = len(last.orders)


def _promises(play: Play) -> list[Promise]:
    seen, refs = play.seen, play.refs
    first, placed, last = seen["first"], seen["placed"], seen["last"]
    theirs = play.stage.channel.do("locations")["locations"]
    there = {sku: play.stage.listed(sku) for sku in (NEW_SKU, BARE_SKU)}
    return [
        demo_proof.orders_arrive(placed, play.placed_at),
        demo_proof.stock_agrees(last, (OFF, NEW_SKU), play.tries),
        demo_proof.shipped(last, refs["whole"], refs["partly"], refs["three"], refs["mapped"]),
        demo_proof.held(first, placed, last, [refs["cancelled"], refs["asks"]], refs["fewer"]),
        demo_proof.done_by_channel(seen["before done"], seen["done"], refs["left out"]),
        *demo_proof.switches(play.off, OFF, last),
        demo_proof.places(
            [_kind(each["name"], each["kind"]) for each in theirs], _told(play), _mapped(play, theirs), last,
            refs["west"], refs["whole"],
        ),
        demo_proof.product_listed(there, NEW_SKU, BARE_SKU, _lacks(play, BARE_SKU)),
        _reviewed(play),
    ]  # fmt: skip


def _reviewed(play: Play) -> Promise:
    """M11, asked of the ledger as `hub plan`, `hub orders` and `hub order` do."""
    planned = {each.ref for each in play.plan.planned} if play.plan is not None else set()
    made = play.seen["placed"].living.keys() - play.seen["planned"].living.keys()
    writes = sum(each["writes"] for each in play.marks["rehearsed"].values())
    orders = set(play.seen["last"].orders)
    fates = {each.ref: each.fate for each in review.listing(play.world.store, None, 2 * len(orders))}
    chosen = {*play.refs.values(), *{fate: ref for ref, fate in fates.items()}.values()}
    tells = {ref: bool(review.review(play.world.store, ref).timeline) for ref in chosen}
    return demo_proof.reviewed(planned, made, writes, orders, set(fates), tells)


def _lacks(play: Play, sku: str) -> list[str]:
    """Return what the hub says stands in the way of a listing."""
    rows = products.review(play.world, play.world.routes[-1]).items
    found = [row.listing for row in rows if row.sku == sku and row.listing is not None]
    return [problem["what"] for each in found for problem in each.problems]


def _kind(name: str, kind: str) -> str:
    return f"{name} ({kind})"


def _told(play: Play) -> list[str]:
    """Return the channel's locations as the hub tells them."""
    (examined,) = online.list_places(play.world, SHOP)
    return [_kind(each.name, each.kind.value) for each in examined.locations]


def _mapped(play: Play, theirs: list[dict[str, str]]) -> dict[str, str]:
    """Return which of the ERP's locations each of the channel's leads to, by the route."""
    route = play.world.routes[-1]
    feeds = {name: each[0].location for name, each in route.inventory.locations.items()}
    own = {each["name"]: route.orders.done_location or "" for each in theirs}
    by_kind: dict[str, Mapping[str, str]] = {"ships": feeds, "returns": route.returns.locations, "channel": own}
    found = {_kind(each["name"], each["kind"]): by_kind[each["kind"]].get(each["name"], "") for each in theirs}
    return {name: to for name, to in found.items() if to}


def _count(play: Play, story: Story, calls: Mapping[str, Mapping[str, Any]]) -> None:
    """Count orders by their fate, held against the sales orders that the ERP has; and calls by what they were for."""
    totals = review.counts(play.world.store)
    everything = review.listing(play.world.store, None, sum(count.orders for count in totals))
    examples = {(each.fate, each.cause): each.ref for each in everything}
    story.fates = [
        {"fate": c.fate, "cause": c.cause, "orders": c.orders, "example": examples[c.fate, c.cause]} for c in totals
    ]
    last = play.seen["last"]
    placed = sum(count.orders for count in totals if count.fate in SENT)
    found = Counter(each["key"] for each in last.sales if not each["deleted"])
    story.proof = {
        "orders_of_the_channel": len(last.orders),
        "placed": placed,
        "sales_orders_in_the_erp": found.total(),
        "keys_with_more_than_one": sorted(key for key, n in found.items() if n > 1),
        "systems": {
            actor.name: _calls(play, role, calls[role])
            for role, actor in (("channel", play.stage.channel), ("erp", play.stage.erp))
        },
    }
    if found.total() != placed or story.proof["keys_with_more_than_one"]:
        story.errors.append("the ERP does not have exactly one sales order per placed order")


def _calls(play: Play, role: str, counted: Mapping[str, Any]) -> dict[str, Any]:
    placed = len(play.seen["placed"].living)
    refs = [play.refs[name] for name in ("whole", "partly", "three", "mapped")]
    parcels = sum(len(play.seen["last"].sale(ref).get("parcels", ())) for ref in refs)
    orders = play.marks["placed"][role]["kinds"].get("orders", 0)
    shipments = play.marks["shipped"][role]["kinds"].get("shipments", 0)
    return {
        "calls": sum(counted["kinds"].values()),
        "by_kind": counted["kinds"],
        "writes": counted["writes"],
        "too_many": counted["too_many"],
        "calls_per_placed_order": round(orders / placed, 2) if placed else None,
        "calls_per_parcel": round(shipments / parcels, 2) if parcels else None,
    }


# -- printing


def report(story: Story, *, as_json: bool, serving: bool = False) -> None:
    """Print it: the fates, the promises, the calls, and where to look further (more while the simulators run)."""
    if as_json:
        show.print_json(story)
        return
    console = show.console()
    console.print(Text(f"{story.orders} orders went through the hub in {story.seconds} s.", style="bold"))
    drawn = ", ".join(f"{n} {kind.replace('_', ' ')}" for kind, n in story.kinds.items())
    console.print(f"{sum(story.kinds.values())} were drawn ({drawn}), the others bought while it ran.\n")
    rows = [(show.fate_text(f["fate"]), f["cause"] or "", str(f["orders"]), f["example"]) for f in story.fates]
    console.print(show.table(("fate", "cause", "orders", "example"), rows, right=("orders",)))
    proof, doubled = story.proof, len(story.proof["keys_with_more_than_one"])
    console.print(
        f"\n{proof['placed']} orders are placed, the ERP has {proof['sales_orders_in_the_erp']} sales orders for them, "
        f"{doubled or 'none'} twice.\n"
    )
    console.print(_table(story))
    console.print()
    for name, each in proof["systems"].items():
        console.print(
            f"{name} got {each['calls']} calls: {each['calls_per_placed_order']} for orders per placed order, "
            f"{each['calls_per_parcel']} for shipments per parcel; {each['writes']} writes, "
            f"{each['too_many']} refused as too many."
        )
    for error in story.errors:
        console.print(Text(error, style="bold red"))
    _print_commands(console, story, serving)


def _table(story: Story) -> Table:
    """Return the promises as a table whose cells may wrap."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", expand=True)
    made.add_column("", no_wrap=True)
    made.add_column("promise", ratio=2)
    made.add_column("what proved it", ratio=5)
    for each in story.promises:
        mark = Text("kept", style="green") if each["kept"] else Text("BROKEN", style="bold red")
        texts = (show.clean(each[name]) for name in ("promise", "proof"))
        made.add_row(Text(f"{each['id']} ", style="bold") + mark, *texts)
    return made


def _print_commands(console: Console, story: Story, serving: bool) -> None:
    beside = Path(sys.executable).with_name("hub")
    hub = "hub" if shutil.which("hub") else str(beside) if beside.exists() else f"{sys.executable} -m hub"
    examples = {fate["fate"]: fate["example"] for fate in story.fates}
    chosen = [f"order {examples[fate]}" for fate in ("blocked", "partly-fulfilled") if fate in examples]
    live = [f"stock {TIGHT}", "products list", "check --online"]
    commands = ["orders --fate blocked", *chosen, *(live if serving else [])]
    until = "until Ctrl-C" if serving else "hub demo --serve keeps the simulators, for more"
    console.print(Text(f"\nTo look further ({until}):", style="bold"))
    for line in (f"cd {story.folder}", *(f"{hub} {command}" for command in commands)):
        console.print(f"  {line}", soft_wrap=True, highlight=False)
