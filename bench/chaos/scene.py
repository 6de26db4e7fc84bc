"""One scene: a shop's day on a fast clock, with hub processes that die all the time, and what came of it."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.books import BUFFER, Books, moment
from bench.chaos.hubs import STEADY, Fortune, Hub
from bench.chaos.pace import Pace
from bench.month import CONNECTION, FAULTS, ROUTE, SHOPS
from bench.people import People
from hub.engine.world import World
from hub.store import orders, outbox, tables
from tests.e2e.starter import Starter
from tests.site import HOUR, NOON, Site

LEASE_S = 3  # real ones: leases run by the machines' own time
HASTE = 0.02  # people take the least time for everything
LOOK_S, SECOND_S = 0.1, 1.0
OPEN_S = 30.0
KNOWN_S = HOUR  # what is older than this the hub must know, whoever died
FAULTY = 0.1  # of all calls
NAMES = tuple(f"SKU-{n:02}" for n in range(12))
REST = """\
  factory:
    connector: katana
    settings: {{api_key: "${{API_KEY}}", api_url: "{katana}/v1"}}
routes:
{routes}
timing:
  {{orders_every: 300s, release_every: 60s, fulfillments_every: 300s, send_window: {window}s, timeout: {timeout}s,
   settle: {settle}s, lease: {lease}s}}
"""


@dataclass(frozen=True, slots=True)
class Script:
    """What shall happen.

    Attributes:
        fortunes: of each process.
        duplicates: what Katana does with a second order of one number: ``allow`` or ``refuse``.
        buyers: who order within ``hours``, and then watch what becomes of it.
        kills: go on with kills and faults until there were so many.
        lively_s: but at most so many real seconds.
        hours: simulated ones of buying.
        tail_hours: from the last order until the warehouse ships nothing new.
        calm_s: most real seconds after them, until every law must hold.
        fast: simulated seconds in a real one, while the hub keeps up.
        timeout_s: of a call; real seconds, as everything else in the route file is not.
    """

    name: str
    database: str
    fortunes: Sequence[Fortune]
    duplicates: str
    buyers: int
    kills: int
    lively_s: float
    hours: float = 2.2
    tail_hours: float = 2.3
    calm_s: float = 60
    fast: float = 150.0
    timeout_s: int = 2
    seed: int = 1


@dataclass(slots=True)
class Came:
    """What a scene came to."""

    figures: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    fates: Counter[str] = field(default_factory=Counter)
    deeds: Counter[str] = field(default_factory=Counter)


class ChaosSite(Site):
    """Two shops of one seller and one ERP, on the simulators' own fast clock."""

    def __init__(self, folder: Path, script: Script) -> None:
        self._script = script
        super().__init__(folder, script.database, skus=dict.fromkeys(NAMES, 0))

    def write_routes(self, routes: str = "") -> None:
        """Write the scene's own route file."""
        ends = {"tiktok": self.tiktok.url, "katana": self.katana.url}
        shops = "".join(CONNECTION.format(id=id_, shop=shop, **ends) for id_, shop in SHOPS.items())
        text = "".join(ROUTE.format(id=id_, buffer=BUFFER) for id_ in SHOPS)
        fast, timeout_s = self._script.fast, self._script.timeout_s
        # A call may be on its way for its time-out in real seconds, so the clock's pace lengthens what waits for it.
        settle_s, window_s = round(1.4 * timeout_s * fast), round(0.8 * fast)
        times = {"window": window_s, "timeout": timeout_s, "settle": settle_s, "lease": LEASE_S}
        rest = REST.format(routes=text, **times, **ends)
        head = f"version: 1\nclock: {self.tiktok.url}/_sim/clock\nconnections:\n"
        (self.folder / "routes.yaml").write_text(head + shops + rest)


class Crowd(People):
    """People who buy nothing more after a while, so that everything comes to its end."""

    last_order_at = float("inf")

    def _buy(self, tries: int = 0) -> None:
        if self.now <= self.last_order_at:
            super()._buy(tries)


class Scene:
    """The simulators, the people, the processes, and the books that are kept beside them."""

    def __init__(self, folder: Path, script: Script, starter: Starter) -> None:
        self.script, self._dice = script, random.Random(script.seed)
        self.site = ChaosSite(folder, script)
        self.people = self._people()
        self.books = Books(self.site, self.people, SHOPS)
        self.people.after_sale, self.people.after_count = self.books.sold, self.books.counted
        self.address = f"127.0.0.1:{free_port()}"  # webhooks go to the first process, whether it lives or not
        self.hubs = [
            Hub(starter, self.site, f"hub-{n}", fortune, self._dice, None if n else self.address)
            for n, fortune in enumerate(script.fortunes)
        ]
        self.pace, self._looked = Pace(self.site, script.fast), 0.0

    def _people(self) -> Crowd:
        site = self.site
        site.tiktok_sim("seed", {"shops": [{"id": id_, "name": f"Shop {id_[-1]}"} for id_ in SHOPS.values()]})
        site.katana_sim("seed", {"locations": [{"name": "Main warehouse"}, {"name": "TikTok FBT"}]})
        site.katana_sim("options", {"duplicate_order_no": self.script.duplicates})
        for sku in NAMES:
            site.katana_sim("do/stock", {"sku": sku, "quantity": self._dice.randint(4, 20)})
        for shop in SHOPS.values():
            products = [{"title": sku, "seller_sku": sku, "stock": 0, "shop": shop} for sku in NAMES]
            site.tiktok_sim("seed", {"products": products})
        return Crowd(site, (SHOPS["shop"], SHOPS["shop2"]), NAMES, self.script.seed, HASTE)

    def play(self) -> World:
        """Live through it; return a World that looks at the ledger as it is at the end."""
        script, people = self.script, self.people
        self.site.open().close()  # the tables are there before several processes begin at once
        for hub in self.hubs:
            hub.start()
        self._open()
        end = time.monotonic() + script.lively_s
        while time.monotonic() < end and (self.kills < script.kills or self.pace.now < people.closes_at):
            self._live()
        for hub in self.hubs:
            hub.calm()
        self.site.both("faults", {"faults": []})
        people.last_order_at = min(people.last_order_at, self.pace.now)
        people.closes_at = max(self.pace.now, people.last_order_at + script.tail_hours * HOUR)
        world, end, looked = self.site.open(), time.monotonic() + script.calm_s, 0.0
        while (now := time.monotonic()) < end:
            self._live()
            if now - looked > SECOND_S and self.pace.now > people.closes_at:
                looked = now
                if not self.unsettled(world) and not self.books.laws(world):
                    break
        return world

    def _open(self) -> None:
        """Let the hub offer something, then let people in, and trouble."""
        end = time.monotonic() + OPEN_S
        while not any(self.books.offered().values()) and time.monotonic() < end:
            self.pace.look()
            time.sleep(LOOK_S)
        self._subscribe()
        opens_at, script, people = self.pace.now, self.script, self.people
        people.last_order_at = opens_at + script.hours * HOUR
        people.closes_at = people.last_order_at + script.tail_hours * HOUR
        people.plan(opens_at, script.hours / 24, script.buyers)
        self._break()

    def _subscribe(self) -> None:
        """Have both systems tell the hub of everything, some of it twice and out of order."""
        self.site.tiktok_sim("options", {"webhook_http": "on", "webhook_duplicates": "0.3", "webhook_reorder": "on"})
        self.site.katana_sim("options", {"webhook_http": "on", "webhook_duplicates": "0.3", "webhook_reorder": "0.3"})
        told = self._hub("webhooks", "register", "--url", f"http://{self.address}")
        if told.returncode:
            raise RuntimeError(f"webhooks were not registered: {told.stderr}")

    @property
    def kills(self) -> int:
        """How often a process was killed."""
        return sum(hub.kills for hub in self.hubs)

    def _live(self) -> None:
        self.pace.look()
        while (due := self.people.next(self.pace.now)) is not None:
            self.people.now = self.pace.now
            due[1]()
        self.people.now = self.pace.now
        for hub in self.hubs:
            hub.tick()
        if time.monotonic() - self._looked > LOOK_S:
            self._looked = time.monotonic()
            self._look()
        time.sleep(0.01)

    def _break(self) -> None:
        """Have one call in ten fail, on either side; tokens are left alone: a lost pair needs a person."""
        scale = FAULTY / sum(share for _, share in FAULTS)
        rules = [
            {"kind": kind, "match": "^/(?!api/v2/token|oauth)", "probability": share * scale,
             "seconds": self.script.timeout_s + 0.5 if self._dice.random() < 0.5 else 0.1}
            for kind, share in FAULTS
        ]  # fmt: skip
        self.site.tiktok_sim("faults", {"faults": rules, "seed": self.script.seed})
        self.site.katana_sim("faults", {"faults": rules, "seed": self.script.seed + 1})

    def _look(self) -> None:
        """Note for each SKU whether nobody offers more than there is, less the buffer: what comes then is news."""
        truth, offered, now = self.books.truth(), self.books.offered(), self.pace.now
        for sku, units in truth.items():
            most = max(offered[shop, sku] for shop in SHOPS.values())
            if most <= max(0, units - BUFFER):
                since = now
                self.books.caught_up(sku)
            else:
                since = max(self.books.read[sku], now - KNOWN_S)
            self.books.read[sku] = self.books.pulled[sku] = since

    # -- the end

    def unsettled(self, world: World) -> list[str]:
        """Return effects that have not come to an end."""
        open_states = (outbox.State.PENDING, outbox.State.SENDING, outbox.State.UNKNOWN)
        with world.store.read() as tx:
            rows = tx.execute(
                tables.outbox.select().where(tables.outbox.c.state.in_(open_states)).order_by(tables.outbox.c.id)
            ).all()
        return [f"{row.key}: its {row.kind} is still {row.state}" for row in rows]

    def reconciled(self) -> dict[str, Any]:
        """Return what `hub reconcile` says of the whole time."""
        told = self._hub("reconcile", "--since", "7d", "--json")
        found: dict[str, Any] = json.loads(told.stdout) if told.stdout else {"erps": [], "shops": [], "whole": False}
        return found

    def _hub(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the hub to its end."""
        line = [sys.executable, "-m", "hub", "--database", self.script.database, *command]
        environ = {**os.environ, **self.site.environ()}
        return subprocess.run(line, cwd=self.site.folder, env=environ, capture_output=True, text=True, timeout=120)

    def deliveries(self) -> int:
        """Return how many webhooks a hub took."""
        urls = (self.site.tiktok.url, self.site.katana.url)
        return sum(self.site.sim(url, "webhooks", method="GET")["answers"].get("200", 0) for url in urls)

    def faults(self) -> int:
        """Return how many calls went wrong on purpose."""
        journals = [self.site.sim(url, "journal", method="GET") for url in (self.site.tiktok.url, self.site.katana.url)]
        return sum(call["fault"] is not None for told in journals for call in told["calls"])

    def told(self, world: World) -> Came:
        """Return what it came to, and everything that is wrong."""
        came, said = Came(deeds=self.people.deeds), self.reconciled()
        named = {each.split(":")[0] for each in remainder(said, "sales_orders", "doubled")}
        laws = [each for each in self.books.laws(world) if "blocked: " not in each or each.split(" ")[0] not in named]
        doubled = [each for each in laws if "sales orders, deleted" in each]
        unnamed = [each for each in doubled if each.split(" ")[0] not in named]
        lost = [each for each in laws if "no sales order" in each or "has no fate" in each]
        short = oversold(self.books)
        came.broken = [each for each in laws if each not in doubled] + unnamed + short + self.unsettled(world)
        came.broken += [f"reconciliation misses {ref}" for ref in remainder(said, "orders", "missing")]
        came.broken += [f"reconciliation: lost {each}" for each in remainder(said, "sales_orders", "lost")]
        for hub in self.hubs:
            came.broken += hub.ends + hub.breakdowns()
        came.figures.update(
            kills=self.kills,
            pauses=sum(hub.pauses for hub in self.hubs),
            faults=self.faults(),
            webhooks=self.deliveries(),
            orders=len(self.people.bought),
            lost=len(lost),
            doubled=len(unnamed),
            doubled_and_named=len(doubled) - len(unnamed),
            oversold=len(short),
            beyond_the_bound=len(self.books.oversold) - len(short),
            hours=round((self.pace.now - NOON) / HOUR),
            slow_seconds=round(self.pace.slow_s),
            sold_out=self.people.refused,
            lanes_lost=sum(hub.events("lane-lost") for hub in self.hubs),
        )
        with world.store.read() as tx:
            for (_, fate, cause), n in orders.counts(tx).items():
                came.fates[f"{fate} ({cause})" if fate in ("blocked", "skipped", "held") else fate] += n
        return came

    def close(self) -> None:
        """End everything."""
        for hub in self.hubs:
            hub.end()
        self.site.close()


def free_port() -> int:
    """Return a port of this machine that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def remainder(said: Mapping[str, Any], part: str, kind: str) -> list[str]:
    """Return what `hub reconcile --json` names of one kind."""
    proofs = [*said["shops"], *said["erps"]]
    return [each for proof in proofs for each in proof.get(part, {}).get(kind, ())]


def oversold(books: Books) -> list[str]:
    """Return the sales that nothing excuses: not there, though no more than the buffer was unknown to the hub."""
    return [
        f"{moment(at)} {sku}: {units} sold that were not there; {unknown} unknown"
        for at, sku, units, unknown in books.oversold
        if unknown <= BUFFER
    ]


def play(folder: Path, script: Script, starter: Starter) -> Came:
    """Play a scene in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    scene = Scene(folder, script, starter)
    try:
        world = scene.play()
        scene.pace.rest()
        for hub in scene.hubs:
            hub.stop()
        return scene.told(world)
    finally:
        scene.close()


__all__ = ["STEADY", "Came", "Fortune", "Script", "play"]
