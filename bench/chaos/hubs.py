"""Real `hub run` processes: started, killed and paused at random, each in its own rhythm."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.starter import Run, Starter
from tests.site import Site

# What a log must never hold, whatever dies and fails.
BREAKDOWNS = frozenset({"connector-broke", "web-broke", "procrastinate"})
BEGINS_IN_S, MOST_SLOWNESS = 0.5, 10.0  # how long a process takes to begin on a machine that has nothing else to do
TOLD = 5  # lines of the log of a process that ended by itself


@dataclass(frozen=True, slots=True)
class Fortune:
    """How a process lives, in real seconds: how long after it has begun to work something happens to it, and what.

    Attributes:
        embryo: how often it is struck without regard to whether it has begun.
        pause_s: how long it is paused instead of killed; None: it is killed each time.
    """

    least_s: float
    most_s: float
    pause_s: tuple[float, float] | None = None
    embryo: float = 0.2


STEADY = Fortune(float("inf"), float("inf"))


class Hub:
    """One place for a process; whatever ends it, another begins."""

    def __init__(
        self, starter: Starter, site: Site, name: str, fortune: Fortune, dice: random.Random, listen: str | None = None
    ) -> None:
        self._starter, self._site, self._dice, self._fortune = starter, site, dice, fortune
        self._more = () if listen is None else ("--listen", listen)
        self._log = site.folder / f"{name}.log"
        self._run: Run | None = None
        self._next, self._started, self._size, self._slowness = 0.0, 0.0, 0, 1.0
        self._began = self._is_paused = False
        self.kills = self.pauses = 0
        self.ends: list[str] = []  # of processes that ended by themselves

    @property
    def pid(self) -> int:
        """The process that runs now."""
        assert self._run is not None
        return self._run.pid

    def start(self) -> None:
        """Begin a process."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith("HUB_")}
        command = ("--database", self._site.database, "run", "--log", "json", *self._more)
        with Path(os.devnull).open("rb") as nothing, self._log.open("ab") as log:
            streams = (nothing.fileno(), log.fileno(), log.fileno())
            self._run = self._starter.start(command, self._site.folder, clean | self._site.environ(), *streams)
        self._is_paused = False
        self._size = self._log.stat().st_size
        self._began, self._started = self._dice.random() < self._fortune.embryo, time.monotonic()
        self._next = self._started + self._until_next()

    def tick(self) -> None:
        """Let happen to it what is due."""
        assert self._run is not None
        if (code := self._run.poll()) is not None:
            self.ends.append(f"a hub process ended by itself with {code}: {' | '.join(self._last_lines())}")
            self.start()
        elif not self._began:
            self._began = self._log.stat().st_size > self._size
            took_s = time.monotonic() - self._started
            self._slowness = min(MOST_SLOWNESS, max(1.0, took_s / BEGINS_IN_S))
            self._next = time.monotonic() + self._until_next()
        elif time.monotonic() >= self._next:
            self._strike()

    def _strike(self) -> None:
        pause_s = self._fortune.pause_s
        if self._is_paused and self._dice.random() < 0.75:
            self._go_on()
            self._next = time.monotonic() + self._until_next()
        elif pause_s is not None and not self._is_paused:
            self._signal(signal.SIGSTOP)
            self._is_paused = True
            self.pauses += 1
            self._next = time.monotonic() + self._dice.uniform(*pause_s)
        else:
            self.kill()
            self.start()

    def kill(self) -> None:
        """End it at once."""
        assert self._run is not None
        self._signal(signal.SIGKILL)
        self._run.wait()
        self.kills += 1

    def calm(self) -> None:
        """Let it live from now on."""
        self._fortune, self._next = STEADY, float("inf")
        if self._is_paused:
            self._go_on()

    def stop(self) -> None:
        """Ask it to stop; one that does not within its time is a fault."""
        assert self._run is not None
        self.calm()
        if self._run.poll() is None:
            self._signal(signal.SIGTERM)
        try:
            if (code := self._run.wait(15)) not in (0, 143):
                self.ends.append(f"a hub process stopped with {code}: {' | '.join(self._last_lines())}")
        except subprocess.TimeoutExpired:
            self.ends.append("a hub process did not stop within 15 s")

    def end(self) -> None:
        """Leave nothing behind."""
        if self._run is not None and self._run.poll() is None:
            self._run.kill()
            self._run.wait()

    def breakdowns(self) -> list[str]:
        """Return what a log holds that it must not."""
        lines = self._log.read_text().splitlines()
        found = [line for line in lines if line.startswith("Traceback")]
        for line in lines:
            entry = _entry(line)
            if entry.get("event") in BREAKDOWNS:
                found.append(line)
        return found

    def events(self, name: str) -> int:
        """Return how often one event is in the log."""
        return sum(_entry(line).get("event") == name for line in self._log.read_text().splitlines())

    def _until_next(self) -> float:
        """Return how long until it is struck; where the machine is busy, it lives longer, so that it gets to work."""
        if self._fortune == STEADY:
            return float("inf")
        return self._dice.uniform(self._fortune.least_s, self._fortune.most_s) * self._slowness

    def _signal(self, number: int) -> None:
        assert self._run is not None
        os.kill(self._run.pid, number)

    def _go_on(self) -> None:
        self._signal(signal.SIGCONT)
        self._is_paused = False

    def _last_lines(self) -> Sequence[str]:
        return self._log.read_text().splitlines()[-TOLD:]


def _entry(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line) if line.startswith("{") else {}
    except ValueError:  # it was killed while it wrote
        return {}
    return found if isinstance(found, dict) else {}
