"""``hub demo``: a shop's whole day against simulators of both systems, on this machine only."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from hub.cli import show
from hub.cli.database import say
from hub.cli.demo_data import CATALOGUE, LOCATIONS, route_file, secret_file
from hub.cli.demo_stage import Stage, choose, staged
from hub.cli.opening import log_for_people, read_routes
from hub.cli.options import Choices
from hub.cli.simulate import secret_names
from hub.contract import HubError
from hub.daemon import Stopping, stopping
from hub.engine import online, review
from hub.engine import sync as engine
from hub.engine.world import World, build
from hub.store import open_store

RATE = 60.0  # simulated seconds per real one while orders are placed: the ERP's calls per minute pass in a second
STEPS, STEP_S = 4, 17 * 60
LAST_S = 30.0  # real seconds
PHASES = (
    "starting both simulators",
    "the shop sells",
    "reading orders: all are held",
    *(f"{(n + 1) * STEP_S // 60} minutes later: buyers edit and cancel" for n in range(STEPS - 1)),
    "the hold ends: orders are read again and placed",
    "counting what arrived",
)


@dataclass(slots=True)
class Story:
    """What the demo found out."""

    folder: str = ""
    seconds: float = 0.0
    orders: int = 0
    fates: list[dict[str, Any]] = field(default_factory=list)
    proof: dict[str, Any] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


@click.command()
@click.option("--orders", "number", type=click.IntRange(1, 100_000), default=220, show_default=True)
@click.option("--keep", type=click.Path(file_okay=False), help="Where to leave route file and database.")
@click.option("--fast", is_flag=True, help="Time runs four times as fast; the rate limit stays on.")
@click.option("--serve", is_flag=True, help="Keep the simulators running at the end, until Ctrl-C.")
@click.option("--channel", help="Which channel simulator, where several are installed.")
@click.option("--erp", help="Which ERP simulator, where several are installed.")
@click.pass_obj
def demo(
    choices: Choices, number: int, keep: str | None, fast: bool, serve: bool, channel: str | None, erp: str | None
) -> int:
    """Run the whole order flow against simulators: no account, no network, about 20 seconds.

    Leaves a route file and a database to look at, and prints the commands for it.
    """
    began = time.monotonic()
    log_for_people(debug=choices.debug)
    names = choose("channel", channel).name, choose("erp", erp).name
    folder = _folder(keep)
    story = Story(folder=str(folder))
    with stopping() as stop, _phases() as phase:
        phase(PHASES[0])
        with staged(folder, *names) as stage:
            _play(stage, folder, number, RATE * (4 if fast else 1), story, phase, stop.event)
            story.seconds = round(time.monotonic() - began, 1)
            if serve and not stop.event.is_set():
                phase("")
                _report(choices, story)
                _serve(stage, stop)
                return 0
    if stop.event.is_set():
        say(f"stopped; what there is lies in {folder}")
        return stop.exit_code
    _report(choices, story)
    return int(bool(story.errors))


def _folder(keep: str | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="hub-demo-"))
    folder = Path(keep)
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "routes.yaml").exists() or (folder / "hub.db").exists():
        raise HubError(
            "folder-in-use",
            "there is a route file or a database already",
            where=str(folder),
            do="Name an empty folder; the demo overwrites nothing.",
        )
    return folder


def _play(
    stage: Stage, folder: Path, number: int, rate: float, story: Story, phase: Callable[[str], None],
    stop: threading.Event,
) -> None:  # fmt: skip
    stage.pass_time(rate=1.0)
    phase(PHASES[1])
    wish = {"catalogue": CATALOGUE, "locations": LOCATIONS, "orders": number, "seed": 1}
    for actor in (stage.channel, stage.erp):
        actor.ask("demo", wish)
    _write_files(stage, folder)
    choices = Choices(routes=str(folder / "routes.yaml"), database=str(folder / "hub.db"))
    config, found = read_routes(choices)
    store = open_store(choices.database_url)
    world = build(config, found, store, environ=os.environ, key_file=choices.key_file)
    try:
        for at, name in enumerate(PHASES[2:-1]):
            phase(name)
            if at:
                stage.pass_time(STEP_S, rate=rate if at == STEPS else None)
            _pass(world, name, story, phase, stop)
        _await_the_last(world, story, phase, stop)
        phase(PHASES[-1])
        if not stop.is_set():
            _count(stage, world, story)
    finally:
        world.close()


def _pass(world: World, name: str, story: Story, phase: Callable[[str], None], stop: threading.Event) -> None:
    progress = engine.Progress(tell=lambda progress: phase(f"{name} · {_done(progress)}"))
    engine.sync(world, progress, stop)
    story.errors = [str(error) for error in progress.errors.values()]


def _await_the_last(world: World, story: Story, phase: Callable[[str], None], stop: threading.Event) -> None:
    """Pass again while an order is on its way: where a second is a minute, a busy machine outwaits one pass's patience.

    A simulated minute later an error of the pass before may be gone too, as the daemon would find.
    """
    until = time.monotonic() + LAST_S
    while (story.errors or _on_their_way(world)) and time.monotonic() < until and not stop.is_set():
        world.clock.wait(60.0, stop)
        _pass(world, PHASES[-2], story, phase, stop)


def _on_their_way(world: World) -> int:
    return sum(count.orders for count in review.counts(world.store) if count.fate == "ready")


def _done(progress: engine.Progress) -> str:
    return f"{progress.sent} sent" if progress.sent else f"{progress.pulled} read"


def _write_files(stage: Stage, folder: Path) -> None:
    connections = {}
    (folder / "secrets").mkdir(mode=0o700, exist_ok=True)
    for id_, actor in (("shop", stage.channel), ("factory", stage.erp)):
        secrets = frozenset(secret_names(actor.connector))
        connections[id_] = (actor.connector, actor.settings, secrets)
        for name in secrets & set(actor.settings):
            file = folder / secret_file(id_, name)
            file.touch(0o600)
            file.write_text(actor.settings[name])
    start = stage.now() - timedelta(days=1)
    (folder / "routes.yaml").write_text(route_file(f"{stage.channel.url}/_sim/clock", start, connections))


def _count(stage: Stage, world: World, story: Story) -> None:
    """Compare what the ledger says with what the systems themselves have."""
    counted = stage.counted()  # first: the questions below are calls too
    totals = review.counts(world.store)
    story.orders = sum(count.orders for count in totals)
    everything = review.listing(world.store, None, story.orders)
    examples = {(each.fate, each.cause): each.ref for each in everything}
    story.fates = [
        {"fate": c.fate, "cause": c.cause, "orders": c.orders, "example": examples[c.fate, c.cause]} for c in totals
    ]
    placed = sum(count.orders for count in totals if count.fate in ("placed", "partly-fulfilled", "fulfilled"))
    found = online.sales_orders(world, "shop", "factory")
    story.proof = {
        "orders_of_the_channel": story.orders,
        "placed": placed,
        "sales_orders_in_the_erp": sum(found.values()),
        "keys_with_more_than_one": sorted(key for key, n in found.items() if n > 1),
        "systems": {
            name: {**each, "calls_per_placed_order": round(each["calls"] / placed, 2) if placed else None}
            for name, each in counted.items()
        },
    }
    if story.proof["sales_orders_in_the_erp"] != placed or story.proof["keys_with_more_than_one"]:
        story.errors.append("the ERP does not have exactly one sales order per placed order")


def _serve(stage: Stage, stop: Stopping) -> None:
    stage.pass_time(rate=1.0)
    say(f"\nBoth simulators keep running: {stage.channel.url} and {stage.erp.url}. Ctrl-C stops them.")
    stop.event.wait()


@contextmanager
def _phases() -> Iterator[Callable[[str], None]]:
    """Yield what to call with the present phase: a bar on a terminal, lines elsewhere."""
    if not sys.stderr.isatty():
        said: list[str] = []

        def line(text: str) -> None:
            if text in PHASES and text not in said:
                said.append(text)
                say(f"{len(said)}/{len(PHASES)}  {text}")

        yield line
        return
    columns = SpinnerColumn(), BarColumn(20), TimeElapsedColumn(), TextColumn("{task.description}")
    with Progress(*columns, console=show.console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=len(PHASES))

        def move(text: str) -> None:
            at = next((n for n, phase in enumerate(PHASES) if text.startswith(phase)), len(PHASES))
            bar.update(task, completed=at, description=text)
            if not text:
                bar.stop()

        yield move


def _report(choices: Choices, story: Story) -> None:
    if choices.json:
        show.print_json(story)
        return
    console = show.console()
    console.print(Text(f"{story.orders} orders went through the hub in {story.seconds} s.\n", style="bold"))
    rows = [(show.fate_text(f["fate"]), f["cause"] or "", str(f["orders"]), f["example"]) for f in story.fates]
    console.print(show.table(("fate", "cause", "orders", "example"), rows, right=("orders",)))
    proof, doubled = story.proof, len(story.proof["keys_with_more_than_one"])
    console.print(
        f"\n{proof['placed']} orders are placed, the ERP has {proof['sales_orders_in_the_erp']} sales orders for them, "
        f"{doubled or 'none'} twice."
    )
    for name, each in proof["systems"].items():
        console.print(
            f"{name} got {each['calls']} calls, {each['calls_per_placed_order']} per placed order; "
            f"{each['writes']} writes, {each['too_many']} refused as too many."
        )
    for error in story.errors:
        console.print(Text(error, style="bold red"))
    beside = Path(sys.executable).with_name("hub")
    command = "hub" if shutil.which("hub") else str(beside) if beside.exists() else f"{sys.executable} -m hub"
    blocked = next((f["example"] for f in story.fates if f["fate"] == "blocked"), None)
    console.print(Text("\nTo look further, with the simulators gone:", style="bold"))
    console.print(f"  cd {story.folder}")
    console.print(f"  {command} orders --fate blocked")
    if blocked:
        console.print(f"  {command} order {blocked}")
    console.print("With the simulators running (hub demo --serve) also hub check --online and hub sync.")
