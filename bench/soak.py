"""A day of two shops on a fast clock, one call in ten failing: does anything grow in a daemon that runs on and on?

Run as `python -m bench.soak [--hours H] [--orders N]`; prints figures, and every law that was broken.
Exit code 1 where one was, or where something grew.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.chaos.hubs import STEADY
from bench.chaos.scene import Came, Scene, Script
from hub.engine.world import World
from tests.e2e.starter import Starter
from tests.site import HOUR

FAST = 240.0  # a day in six minutes, while the hub keeps up
EVERY_S = 900.0  # simulated seconds between two samples
MOST_MEMORY, MOST_MORE = 1.15, 4.0  # against the second quarter: times its memory; file descriptors more


@dataclass(frozen=True, slots=True)
class Sample:
    """What the hub's process holds at one moment."""

    memory_kib: int
    files: int
    sockets: int
    threads: int


def sample(pid: int) -> Sample:
    """Look at a process; Linux only."""
    process = Path("/proc") / str(pid)
    told = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    open_files = [_target(each) for each in (process / "fd").iterdir()]
    sockets = sum(target.startswith("socket:") for target in open_files)
    return Sample(int(told["VmRSS"].split()[0]), len(open_files), sockets, int(told["Threads"]))


def _target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:  # closed meanwhile
        return ""


class Watched(Scene):
    """A scene whose one process is looked at again and again while people come and go."""

    def __init__(self, folder: Path, script: Script, starter: Starter) -> None:
        super().__init__(folder, script, starter)
        self.samples: list[Sample] = []
        self._sampled = 0.0

    def _look(self) -> None:
        super()._look()
        if self.pace.now - self._sampled >= EVERY_S and self.pace.now < self.people.last_order_at:
            self._sampled = self.pace.now
            self.samples.append(sample(self.hubs[0].pid))

    def told(self, world: World) -> Came:
        """Return what it came to, growth included."""
        came = super().told(world)
        files = len(list(self.site.folder.iterdir()))
        came.figures.update(samples=len(self.samples), files_in_folder=files)
        return came


def growth(samples: Sequence[Sample], of: Callable[[Sample], float]) -> tuple[float, float]:
    """Return the median of the second quarter of a run, when it is warm, and that of the last."""
    quarter = len(samples) // 4
    return median(map(of, samples[quarter : 2 * quarter])), median(map(of, samples[-quarter:]))


def measure(hours: float = 24.0, buyers: int = 1_500, fast: float = FAST) -> tuple[dict[str, float], list[str]]:
    """Return the figures, and what broke or grew."""
    starter = Starter()
    lively_s = 3 * (hours + 3) * HOUR / fast  # at most; it ends when the day has
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "site"
            folder.mkdir()
            script = Script(
                "soak", str(folder / "hub.db"), (STEADY,), "refuse", buyers, 0, lively_s, hours=hours, fast=fast
            )
            scene = Watched(folder, script, starter)
            try:
                world = scene.play()
                scene.pace.rest()
                scene.hubs[0].stop()
                came = scene.told(world)
            finally:
                scene.close()
    finally:
        starter.close()
    return _told(scene.samples, came)


def _told(samples: Sequence[Sample], came: Came) -> tuple[dict[str, float], list[str]]:
    memory, files, sockets, threads = (
        growth(samples, of)
        for of in (lambda s: s.memory_kib, lambda s: s.files, lambda s: s.sockets, lambda s: s.threads)
    )
    figures = {
        "soak.hours": came.figures["hours"],
        "soak.orders": came.figures["orders"],
        "soak.faults": came.figures["faults"],
        # Against: 1; the hub's resident memory in the last quarter of the day, to that in the second.
        "soak.memory_growth": memory[1] / memory[0],
        "soak.memory_mb": memory[1] / 1024,
        # Against: 0; file descriptors, of them connections, and threads more in the last quarter than in the second.
        "soak.files_growth": files[1] - files[0],
        "soak.connections_growth": sockets[1] - sockets[0],
        "soak.threads_growth": threads[1] - threads[0],
        "soak.files": files[1],
        "soak.connections": sockets[1],
        # Against: 0.
        "soak.broken": len(came.broken),
    }
    broken = list(came.broken)
    if figures["soak.memory_growth"] > MOST_MEMORY:
        broken.append(f"memory grew from {memory[0]:.0f} to {memory[1]:.0f} KiB")
    for what in ("files", "connections", "threads"):
        if figures[f"soak.{what}_growth"] > MOST_MORE:
            broken.append(f"{what} grew by {figures[f'soak.{what}_growth']:.0f}")
    return figures, broken


def main() -> None:
    """Live through a day and print what it came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--orders", type=int, default=1_500)
    parser.add_argument("--fast", type=float, default=FAST, help="simulated seconds in a real one")
    wanted = parser.parse_args()
    figures, broken = measure(wanted.hours, wanted.orders, wanted.fast)
    for name, value in figures.items():
        print(f"{name}: {value:.3f}")
    for each in broken[:60]:
        print(f"BROKEN {each}")
    raise SystemExit(bool(broken))


if __name__ == "__main__":
    main()
