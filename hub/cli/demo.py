"""``hub demo``: a shop's days against simulators of both systems, on this machine only."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from hub.cli import show
from hub.cli.database import say
from hub.cli.demo_data import (
    CHANNELS_OWN,
    LOCATIONS,
    NEW_SKU,
    RETURNS_DESK,
    goods,
    route_file,
    secret_file,
    write_goods,
)
from hub.cli.demo_stage import Stage, choose, staged
from hub.cli.demo_story import PHASES, SELLS, Play
from hub.cli.demo_verdict import FACTORY, SHOP, Story, judge, report
from hub.cli.opening import log_for_people, read_routes
from hub.cli.options import Choices
from hub.cli.simulate import secret_names
from hub.contract import HubError
from hub.daemon import Stopping, stopping
from hub.engine.world import World, build
from hub.store import open_store

ROUTES, SWITCHED_OFF = "routes.yaml", "switched-off.yaml"


@click.command()
@click.option("--orders", "number", type=click.IntRange(20, 100_000), default=220, show_default=True)
@click.option("--keep", type=click.Path(file_okay=False), help="Where to leave route file and database.")
@click.option("--serve", is_flag=True, help="Keep the simulators running at the end, until Ctrl-C.")
@click.option("--channel", help="Which channel simulator, where several are installed.")
@click.option("--erp", help="Which ERP simulator, where several are installed.")
@click.pass_obj
def demo(choices: Choices, number: int, keep: str | None, serve: bool, channel: str | None, erp: str | None) -> int:
    """Play a shop's days against simulators: no account, no network, well under a minute.

    Proves each promise by what both systems say of themselves. Leaves a route file and a database to look at, and
    prints the commands for it. Exits 1 where a promise is broken, and says which.
    """
    began = time.monotonic()
    log_for_people(debug=choices.debug)
    names = choose("channel", channel).name, choose("erp", erp).name
    folder = _folder(keep)
    story = Story(folder=str(folder))
    with stopping() as stop, _phases() as phase:
        phase(PHASES[0])
        with staged(folder, *names) as stage:
            _play(stage, folder, number, story, phase, stop.event)
            story.seconds = round(time.monotonic() - began, 1)
            if serve and not stop.event.is_set():
                phase("")
                report(story, as_json=choices.json, serving=True)
                _serve(stage, stop)
                return int(bool(story.errors))
    if stop.event.is_set():
        say(f"stopped; what there is lies in {folder}")
        return stop.exit_code
    report(story, as_json=choices.json)
    return int(bool(story.errors))


def _folder(keep: str | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="hub-demo-"))
    folder = Path(keep)
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / ROUTES).exists() or (folder / "hub.db").exists():
        raise HubError(
            "folder-in-use",
            "there is a route file or a database already",
            where=str(folder),
            do="Name an empty folder; the demo overwrites nothing.",
        )
    return folder


def _play(
    stage: Stage, folder: Path, number: int, story: Story, phase: Callable[[str], None], stop: threading.Event
) -> None:  # fmt: skip
    phase(SELLS)
    wish = {"catalogue": goods(number), "locations": LOCATIONS, "orders": number, "seed": 1}
    said = stage.channel.ask("demo", wish)
    story.kinds = {kind: each["count"] for kind, each in said["kinds"].items()}
    stage.erp.ask("demo", wish | {"locations": [*LOCATIONS, CHANNELS_OWN, RETURNS_DESK]})
    write_goods(folder, NEW_SKU)
    files = _Files(stage, folder, said["settings"], said["carriers"][0])
    play = Play(stage, files.world, phase, stop, files.carrier, files.choices().key_file)
    try:
        play.days()
        if not stop.is_set():
            judge(play, story)
    finally:
        play.world.close()


class _Files:
    """The demo's route file, and what opens a hub by it."""

    def __init__(self, stage: Stage, folder: Path, settings: dict[str, str], carrier: str) -> None:
        self._folder, self.carrier = folder, carrier
        self._clock, self._url = stage.clock, f"{stage.channel.url}/_sim/clock"
        self._start = stage.clock.now() - timedelta(days=1)
        self._connections: dict[str, Any] = {}
        (folder / "secrets").mkdir(mode=0o700, exist_ok=True)
        for id_, actor, more in ((SHOP, stage.channel, settings), (FACTORY, stage.erp, {})):
            secrets = frozenset(secret_names(actor.connector))
            self._connections[id_] = (actor.connector, {**actor.settings, **more}, secrets)
            for name in secrets & set(actor.settings):
                file = folder / secret_file(id_, name)
                file.touch(0o600)
                file.write_text(actor.settings[name])
        self._write(ROUTES, None)

    def choices(self, name: str = ROUTES) -> Choices:
        """Return the options of a command that works with one of the files."""
        return Choices(routes=str(self._folder / name), database=str(self._folder / "hub.db"))

    def world(self, off: str | None) -> World:
        """Open a hub; one section of its routes may be switched off."""
        name = ROUTES if off is None else SWITCHED_OFF
        if off is not None:
            self._write(name, off)
        choices = self.choices(name)
        config, found = read_routes(choices)
        if off is not None:
            (self._folder / name).unlink()
        store = open_store(choices.database_url)
        return build(config, found, store, environ=os.environ, key_file=choices.key_file, time=self._clock)

    def _write(self, name: str, off: str | None) -> None:
        text = route_file(self._url, self._start, self._connections, self.carrier, off)
        (self._folder / name).write_text(text)


def _serve(stage: Stage, stop: Stopping) -> None:
    stage.clock.run()
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
    columns = SpinnerColumn(), BarColumn(16), TimeElapsedColumn(), TextColumn("{task.description}")
    with Progress(*columns, console=show.console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=len(PHASES))

        def move(text: str) -> None:
            at = next((n for n, phase in enumerate(PHASES) if text.startswith(phase)), len(PHASES))
            bar.update(task, completed=at, description=text)
            if not text:
                bar.stop()

        yield move
