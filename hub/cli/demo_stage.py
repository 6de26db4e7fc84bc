"""The demo's stage: two simulators as processes of their own, their clocks in step, and what they counted."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from hub.contract import HubError
from hub.host.clock import FOLLOW_EVERY_S
from hub.host.discover import Found, simulators

START_S = 20.0
ROLES = ("channel", "erp")
AHEAD_S = 0.03  # real seconds: two clocks are never set at one instant, and a limit that opens early does no harm


@dataclass(frozen=True, slots=True)
class Actor:
    """One running simulator."""

    name: str
    connector: str
    url: str
    settings: Mapping[str, str]
    process: subprocess.Popen[bytes]

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Make a control call: GET, or POST where there is a body."""
        with httpx.Client(base_url=self.url, timeout=30, trust_env=False) as http:
            answer = http.get(f"/_sim/{path}") if body is None else http.post(f"/_sim/{path}", json=body)
        if answer.status_code != 200:
            raise HubError(
                "simulator-refused",
                f"/_sim/{path} answered {answer.status_code}: {answer.text[:200]}",
                where=f"simulator {self.name}",
                do="Report this; the hub and the simulator do not fit together.",
            )
        return answer.json()


@dataclass(frozen=True, slots=True)
class Stage:
    """A channel and an ERP that share one time."""

    channel: Actor
    erp: Actor

    def now(self) -> datetime:
        """Return the simulated instant."""
        return datetime.fromtimestamp(self.channel.ask("clock")["now"], UTC)

    def pass_time(self, seconds: float = 0.0, *, rate: float | None = None) -> None:
        """Move both clocks forward, the channel's leading; and set their pace."""
        wish: dict[str, float] = {"advance_s": seconds} | ({"rate": rate} if rate is not None else {})
        now = self.channel.ask("clock", wish)["now"]
        pace = rate or self.channel.ask("clock")["rate"]
        self.erp.ask("clock", {"now": now + AHEAD_S * pace} | ({"rate": rate} if rate is not None else {}))
        # The hub looks at its clock so often; a call signed with the time before a jump would be refused as too old.
        time.sleep(FOLLOW_EVERY_S + 0.05)

    def counted(self) -> dict[str, dict[str, int]]:
        """Return how many calls each system got, how many of them wrote, and how many it refused as too many."""
        found = {}
        for actor in (self.channel, self.erp):
            calls = actor.ask("journal")["calls"]
            found[actor.name] = {
                "calls": actor.ask("counters")["total"],
                "writes": sum(1 for call in calls if call["wrote"]),
                "too_many": sum(1 for call in calls if call["status"] == 429),
            }
        return found


def choose(role: str, wanted: str | None) -> Found:
    """Return the one installed simulator of a role.

    Raises:
        HubError: there is none, or several and none was chosen.
    """
    found = {name: each for name, each in simulators().items() if getattr(each.plugin, "role", None) == role}
    if wanted is not None and wanted in found:
        return found[wanted]
    names = ", ".join(sorted(found)) or "none"
    if wanted is not None or len(found) != 1:
        what = f"no {role} simulator {wanted!r} is installed" if wanted else f"{len(found)} {role} simulators installed"
        do = f"Choose one with --{role}: {names}." if found else "Install a plugin with one; hub connectors lists them."
        raise HubError("simulator-choice", what, where="hub demo", do=do)
    return next(iter(found.values()))


@contextmanager
def staged(folder: Path, channel: str, erp: str) -> Iterator[Stage]:
    """Run both simulators until the end of the block."""
    processes: list[subprocess.Popen[bytes]] = []
    files = [folder / f"{role}.ready" for role in ROLES]
    try:
        for name, file in zip((channel, erp), files, strict=True):
            file.unlink(missing_ok=True)
            command = [sys.executable, "-m", "hub", "simulate", name, "--with-parent", "--ready-file", str(file)]
            # Its own session: Ctrl-C is ours to handle; with our end of the pipe gone it ends by itself.
            processes.append(
                subprocess.Popen(  # noqa: S603  # our own interpreter and module
                    command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=None, start_new_session=True
                )
            )
        actors = [_wait(*each) for each in zip((channel, erp), processes, files, strict=True)]
        yield Stage(*actors)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            _reap(process)
        for file in files:
            file.unlink(missing_ok=True)


def _wait(name: str, process: subprocess.Popen[bytes], file: Path) -> Actor:
    end = time.monotonic() + START_S
    while not file.exists():
        if process.poll() is not None or time.monotonic() > end:
            raise HubError(
                "simulator-silent",
                "a simulator did not start",
                where=f"hub simulate {name}",
                do="Run that command by itself to see why.",
            )
        time.sleep(0.02)
    said = json.loads(file.read_text())
    return Actor(said["name"], said["connector"], said["url"], said["settings"], process)


def _reap(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin is not None:
        process.stdin.close()
