"""The demo's stage: two simulators as processes of their own, the time that all share, and what both have."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from hub.cli.demo_data import BUFFER, LOCATIONS, TEA
from hub.contract import HubError
from hub.host.discover import Found, simulators

START_S, ANSWER_S = 60.0, 60.0
ROLES = ("channel", "erp")
HOLD_S, SLACK_S = 3600.0, 120.0
Pieces = Counter[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Actor:
    """One running simulator."""

    name: str
    connector: str
    url: str
    settings: Mapping[str, str]
    process: subprocess.Popen[bytes]
    http: httpx.Client

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Make a control call: GET, or POST where there is a body."""
        answer = self.http.get(f"/_sim/{path}") if body is None else self.http.post(f"/_sim/{path}", json=body)
        if answer.status_code != 200:
            raise HubError(
                "simulator-refused",
                f"/_sim/{path} answered {answer.status_code}: {answer.text[:200]}",
                where=f"simulator {self.name}",
                do="Report this; the hub and the simulator do not fit together.",
            )
        return answer.json()

    def do(self, deed: str, **wish: Any) -> Any:
        """Have a deed done, in words that name no system; docs/simulators.md lists them."""
        return self.ask("deed", {"deed": deed, **wish})


class StageClock:
    """The time that the hub and both simulators share: it passes where somebody waits, and stands still otherwise.

    So nothing depends on how fast the machine is: an hour's wait takes no time, and a slow answer comes no later.
    """

    def __init__(self, *actors: Actor) -> None:
        self._actors, self._lock = actors, threading.Lock()
        self._now = 0.0
        self._pass_to(time.time(), rate=0)

    def now(self) -> datetime:
        """Return the simulated instant."""
        return datetime.fromtimestamp(self._now, UTC)

    def wait(self, seconds: float, until: threading.Event | None = None) -> None:
        """Let that long pass at once, unless the event is set."""
        if until is None or not until.is_set():
            self._pass_to(self._now + seconds)

    def run(self) -> None:
        """Let it go on as real time does, without the demo."""
        self._pass_to(self._now + 1, rate=1)

    def close(self) -> None:
        """Hold nothing; the simulators outlive each hub that is opened."""

    def _pass_to(self, instant: float, **pace: float) -> None:
        with self._lock:
            if instant > self._now:
                to = math.ceil(instant * 1000) / 1000  # upwards: a wait for the rest of a microsecond must end
                for actor in self._actors:
                    actor.ask("clock", {"now": to, **pace})
                self._now = to


@dataclass(frozen=True, slots=True)
class Stage:
    """A channel and an ERP, and their time."""

    channel: Actor
    erp: Actor
    clock: StageClock

    def seen(self) -> Seen:
        """Ask both for everything they have."""
        return Seen(
            orders={each["ref"]: each for each in self.channel.do("orders")["orders"]},
            sales=self.erp.do("orders")["orders"],
            sells=self.channel.do("stock")["stock"],
            stock=self.erp.do("stock")["stock"],
        )

    def listed(self, sku: str) -> list[str]:
        """Return the states of a SKU's listings on the channel."""
        return [each["state"] for each in self.channel.do("products")["products"] if sku in each["skus"]]

    def counted(self, since: Mapping[str, int] | None = None) -> dict[str, dict[str, Any]]:
        """Return by role what was called: by kind, how many wrote, how many were refused as too many, ``next``."""
        actors = {"channel": self.channel, "erp": self.erp}
        return {role: each.do("calls", since=(since or {}).get(role, 0)) for role, each in actors.items()}


@dataclass(frozen=True, slots=True)
class Seen:
    """What both systems have at one moment, by their own account; docs/simulators.md has the shapes."""

    orders: Mapping[str, Any]  # the channel's, by ref
    sales: list[Any]  # the ERP's, deleted ones too
    sells: Mapping[str, Mapping[str, int]]  # the channel's stock: SKU -> location -> units
    stock: Mapping[str, Mapping[str, Mapping[str, int]]]  # the ERP's: SKU -> location -> on_hand, promised

    @property
    def living(self) -> dict[str, Any]:
        """Return the ERP's living sales orders by the channel's ref; of two, the later one."""
        return {each["ref"]: each for each in self.sales if not each["deleted"]}

    def sale(self, ref: str) -> Mapping[str, Any]:
        """Return the ERP's living sales order of an order; empty where there is none."""
        found: Mapping[str, Any] = self.living.get(ref, {})
        return found

    @property
    def ever(self) -> set[str]:
        """Return the refs that the ERP has, or had, a sales order for."""
        return {each["ref"] for each in self.sales}

    def wanted(self, ref: str) -> Counter[str]:
        """Return what a buyer still wants: pieces by SKU."""
        units = [unit for unit in self.orders[ref]["units"] if unit["state"] != "cancelled"]
        return sum((Counter(unit["items"]) for unit in units), Counter())

    def unknown(self, sku: str) -> int:
        """Return how many pieces buyers were promised that the ERP has no sales order for."""
        living = self.living
        return sum(
            unit["items"].get(sku, 0)
            for ref, order in self.orders.items() if ref not in living and not order["by_channel"]
            for unit in order["units"] if unit["state"] == "open"
        )  # fmt: skip

    def on_hand(self, sku: str) -> int:
        """Return how many pieces the ERP has in its own warehouses."""
        return sum(level["on_hand"] for place, level in self.stock.get(sku, {}).items() if place in LOCATIONS)

    def promised(self, sku: str) -> int:
        """Return how many of them its sales orders take."""
        return sum(level["promised"] for place, level in self.stock.get(sku, {}).items() if place in LOCATIONS)

    def spare(self, sku: str) -> int:
        """Return what the ERP can spare: on hand, less what it has promised, less the unknown."""
        return self.on_hand(sku) - self.promised(sku) - self.unknown(sku)

    def is_tea(self, ref: str) -> bool:
        """Say whether an order fits the route that leaves the channel's tea out."""
        return any(sku.startswith(TEA) for sku in self.wanted(ref))

    def missing(self, now: float) -> list[str]:
        """Return the orders that should be in the ERP by now and are not: their hold is over, all SKUs exist."""
        living = self.living
        return [
            ref
            for ref, order in self.orders.items()
            if order["state"] == "open" and not order["by_channel"] and ref not in living
            and now >= (order["paid_at"] or now) + HOLD_S + SLACK_S
            and all(sku in self.stock for sku in self.wanted(ref))
        ]  # fmt: skip

    def pieces(self, ref: str) -> tuple[Pieces, Pieces]:
        """Return which piece travels under which number, by the ERP's account and by the channel's."""
        sent, told = Pieces(), Pieces()
        for parcel in self.sale(ref).get("parcels", ()):
            for sku, quantity in parcel["items"].items():
                sent[sku, parcel["number"]] += quantity
        for unit in self.orders[ref]["units"]:
            if unit["state"] == "shipped":
                for sku, quantity in unit["items"].items():
                    told[sku, unit["number"]] += quantity
        return sent, told

    def compared(self, off: Collection[str]) -> dict[str, tuple[int, int]]:
        """Return what the channel sells of each SKU that takes part, and what the ERP can spare."""
        return {
            sku: (sum(places.values()), self.spare(sku))
            for sku, places in self.sells.items()
            if sku in self.stock and sku not in off
        }

    def unequal(self, off: Collection[str]) -> dict[str, tuple[int, int]]:
        """Return those of them that do not sell what the ERP can spare, less the buffer."""
        return {sku: both for sku, both in self.compared(off).items() if both[0] != max(0, both[1] - BUFFER)}


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
    actors: list[Actor] = []
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
        actors += [_wait(*each) for each in zip((channel, erp), processes, files, strict=True)]
        yield Stage(actors[0], actors[1], StageClock(*actors))
    finally:
        for actor in actors:
            actor.http.close()
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
    http = httpx.Client(base_url=said["url"], timeout=ANSWER_S, trust_env=False)
    return Actor(said["name"], said["connector"], said["url"], said["settings"], process, http)


def _reap(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin is not None:
        process.stdin.close()
