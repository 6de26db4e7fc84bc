"""A simulated month: two shops share one factory, people change their minds, calls fail, the hub dies now and then.

Run as `python -m bench.month [--days D] [--orders N] [--seed S]`; prints figures, and every law that was broken.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench.books import BUFFER, SAMPLE_S, Books, moment
from bench.people import DAY, People
from hub.daemon.embedded import run
from hub.engine import idle
from hub.engine.progress import Progress
from hub.engine.world import World
from hub.store import orders
from tests.site import HOUR, NOON, Site

SHOPS = {"shop": "7495000000000000001", "shop2": "7495000000000000002"}
SKUS = 24
POLL_S = 840.0  # rarer than by default, so that a month takes minutes; a watch would end after 900
TAIL_S = 2.5 * DAY  # after the last order, for what is still on its way; the last part of it without faults
CALM_S = 30 * HOUR
CRASH, END = "crash", "end"
CONNECTION = """\
  {id}:
    connector: tiktok
    settings:
      app_key: ${{APP_KEY}}
      app_secret: ${{APP_SECRET}}
      refresh_token: ${{REFRESH_TOKEN}}
      shop: "{shop}"
      api_url: {tiktok}
      auth_url: {tiktok}
      consent_url: {tiktok}/open/authorize
"""
ROUTE = """\
  - name: {id}-route
    channel: {id}
    erp: factory
    orders: {{start: 2026-03-01, fulfilled_by_channel: {{record_as_done: {{location: TikTok FBT}}}}}}
    inventory: {{pool: all, buffer: {{units: {buffer}}}}}
"""
REST = """\
  factory:
    connector: katana
    settings: {{api_key: "${{API_KEY}}", api_url: "{katana}/v1"}}
routes:
{routes}
timing: {{orders_every: {poll}s, release_every: 60s, send_window: 30s, timeout: 2s, settle: 5s}}
"""
FAULTS = (("lost_reply", 0.012), ("429", 0.012), ("503", 0.01), ("500", 0.006), ("cut_body", 0.006), ("drop", 0.003),
          ("slow", 0.001))  # fmt: skip


class Killed(BaseException):
    """The hub's process ends here, whatever it was doing."""


class MonthSite(Site):
    """Two shops of one seller, and one ERP; everything by default but the rhythm."""

    def write_routes(self, routes: str = "") -> None:
        """Write the month's own route file."""
        ends = {"tiktok": self.tiktok.url, "katana": self.katana.url}
        shops = "".join(CONNECTION.format(id=id_, shop=shop, **ends) for id_, shop in SHOPS.items())
        text = "".join(ROUTE.format(id=id_, buffer=BUFFER) for id_ in SHOPS)
        rest = REST.format(routes=text, poll=int(POLL_S), **ends)
        (self.folder / "routes.yaml").write_text(f"version: 1\nconnections:\n{shops}{rest}")


class MonthClock:
    """Both simulators' clock: it moves while the hub sleeps or backs off, and then everybody outside acts."""

    def __init__(self, site: Site, people: People, begin: float) -> None:
        self._site, self._people, self._now = site, people, begin
        self._lock = threading.RLock()
        self.stop, self.crashes = threading.Event(), False
        people.now = begin

    def now(self) -> datetime:
        """Return the present instant of the simulators."""
        return datetime.fromtimestamp(self._now, UTC)

    def wait(self, seconds: float, until: threading.Event | None = None) -> None:
        """Let that long pass."""
        with self._lock:
            # A lazy daemon: it gets up once per poll, so that a month takes minutes.
            end = self._now + (POLL_S + 30 if seconds > POLL_S / 10 else seconds)
            while (due := self._people.next(end)) is not None:
                when, deed = due
                self._move(max(when, self._now))
                deed()
            self._move(end)
            if self.crashes:
                raise Killed

    def _move(self, now: float) -> None:
        self._now = self._people.now = now
        self._site.both("clock", {"now": now, "rate": 0})

    def close(self) -> None:
        """Hold nothing: the next process goes on with it."""


@dataclass
class Month:
    """What a month came to."""

    figures: dict[str, float]
    broken: list[str]
    fates: Counter[str] = field(default_factory=Counter)
    deeds: Counter[str] = field(default_factory=Counter)


def month(
    folder: Path,
    *,
    days: float = 30,
    count: int = 5_000,
    skus: int = SKUS,
    seed: int = 1,
    tail_s: float = TAIL_S,
    calm_s: float = CALM_S,
    haste: float = 1,
) -> Month:
    """Live through a month and check every law at its end; ``haste`` as in ``People``."""
    began = time.perf_counter()
    random.seed(seed)
    names = tuple(f"SKU-{n:02}" for n in range(skus))
    site = MonthSite(folder, str(folder / "hub.db"), skus=dict.fromkeys(names, 0))
    try:
        people = _people(site, names, seed, haste)
        begin = float(NOON)
        people.plan(begin, days, count)
        books = Books(site, people, SHOPS)
        people.after_sale, people.after_count = books.sold, books.counted
        people.closes_at = begin + days * DAY + tail_s - calm_s
        clock = MonthClock(site, people, begin)
        _sample(people, books, begin, begin + days * DAY)
        end = begin + days * DAY
        starts = _live(site, people, books, clock, (begin, end, end + tail_s - calm_s, end + tail_s))
        assert site.world is not None
        return _told(site, books, people, starts, time.perf_counter() - began)
    finally:
        site.close()


def _people(site: Site, skus: tuple[str, ...], seed: int, haste: float) -> People:
    site.tiktok_sim("seed", {"shops": [{"id": id_, "name": f"Shop {id_[-1]}"} for id_ in SHOPS.values()]})
    site.katana_sim("seed", {"locations": [{"name": "Main warehouse"}, {"name": "TikTok FBT"}]})
    dice = random.Random(seed)
    for sku in skus:
        site.katana_sim("do/stock", {"sku": sku, "quantity": dice.randint(0, 12)})
    for shop in SHOPS.values():
        products = [{"title": sku, "seller_sku": sku, "stock": 0, "shop": shop} for sku in skus]
        site.tiktok_sim("seed", {"products": products})
    return People(site, (SHOPS["shop"], SHOPS["shop2"]), skus, seed, haste)


def _sample(people: People, books: Books, begin: float, end: float) -> None:
    def again() -> None:
        books.sample()
        if people.now < end:
            people.at(people.now + SAMPLE_S, again)

    people.at(begin + HOUR, again)


def _live(site: Site, people: People, books: Books, clock: MonthClock, times: tuple[float, float, float, float]) -> int:
    """Let the hub work until the end, ending it now and then, politely or not; return how often it was started."""
    (begin, last_order, calm, end), dice, done = times, random.Random(7), threading.Event()
    for at in _restarts(dice, begin, last_order):
        people.at(at, lambda: setattr(clock, "crashes", True) if dice.random() < 0.5 else clock.stop.set())
    people.at(begin + HOUR / 4, lambda: _break(site, seed=11))
    people.at(calm, lambda: site.both("faults", {"faults": []}))
    people.at(end, done.set)
    people.at(end, clock.stop.set)
    starts = 0
    while not done.is_set():
        starts += 1
        clock.stop.clear()
        clock.crashes = False
        world = site.open(clock)
        with suppress(Killed):
            run(world, Progress(partial(_at_rest, books, world)), clock.stop)
    return starts


def _at_rest(books: Books, world: World, progress: Progress) -> None:
    if progress.doing == "waiting":
        books.settle(world)


def _restarts(dice: random.Random, begin: float, end: float) -> Iterator[float]:
    at = begin
    most = min(DAY, (end - begin) / 3)
    while (at := at + dice.uniform(0.3, 1.7) * most) < end:
        yield at


def _break(site: Site, seed: int) -> None:
    """Have one call in twenty fail, on either side; tokens are left alone."""
    rules = [
        {"kind": kind, "match": "^/(?!api/v2/token|oauth)", "probability": share, "seconds": 0.05}
        for kind, share in FAULTS
    ]
    site.tiktok_sim("faults", {"faults": rules, "seed": seed})
    site.katana_sim("faults", {"faults": rules, "seed": seed + 1})


def _told(site: Site, books: Books, people: People, starts: int, seconds: float) -> Month:
    world = site.world
    assert world is not None
    broken = books.laws(world)
    unexcused = [each for each in books.oversold if each[3] <= BUFFER]
    broken += [f"{moment(at)} {sku}: {n} sold that were not there; {free} unknown" for at, sku, n, free in unexcused]
    broken += [f"{moment(at)} {shop} {sku}: {n} not offered" for at, shop, sku, n in books.under]
    with world.store.read() as tx:
        counts = orders.counts(tx)
    fates: Counter[str] = Counter()
    for (_, fate, cause), n in counts.items():
        fates[f"{fate} ({cause})" if fate in ("blocked", "skipped", "held") else fate] += n
    figures = {
        "month.orders": float(len(people.bought)),
        # Against: month.orders; each has exactly one fate.
        "month.fates": float(sum(fates.values())),
        # Against: 0; orders with two sales orders, deleted ones included.
        "month.doubled": float(sum("sales orders, deleted" in each for each in broken)),
        # Against: 0; paid and live orders without a sales order, or without a fate.
        "month.lost": float(sum("no sales order" in each or "has no fate" in each for each in broken)),
        # Against: 0; sold without being there while no more than the buffer was unknown to the hub.
        "month.oversold_units": float(sum(each[2] for each in unexcused)),
        # Beside it: sold without being there, after more than the buffer had sold elsewhere or was lost since the pull.
        "month.oversold_units_beyond_the_bound": float(sum(each[2] for each in books.oversold) - sum(
            each[2] for each in unexcused)),
        # Against: the unit hours that truth less buffer would have offered; what was offered less, of those.
        "month.undersold_unit_hours_ratio": books.under_units / max(1, books.ideal_units),
        # Against: 0; samples that offered less than the truth, less buffer and what was unsettled: what
        # came or was placed in the last 2.5 hours, and what the ERP keeps for orders that wait for a person.
        "month.undersold_beyond_settling": float(len(books.under)),
        # Beside it: buyers who found it sold out, so that the stock was really scarce.
        "month.sold_out": float(people.refused),
        "month.katana_calls": float(site.total_calls("katana")),
        "month.tiktok_calls": float(site.total_calls("tiktok")),
        "month.starts": float(starts),
        "month.seconds": seconds,
    }  # fmt: skip
    return Month(figures, broken, fates, people.deeds)


@contextmanager
def seldom_idle(seconds: float = POLL_S) -> Iterator[None]:
    """Have the daemon look around once per poll instead of every half minute, so that a month takes minutes."""
    before, idle.MAX_IDLE_S = idle.MAX_IDLE_S, seconds
    try:
        yield
    finally:
        idle.MAX_IDLE_S = before


def main() -> None:
    """Live through a month and print what it came to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, default=30)
    parser.add_argument("--orders", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, seldom_idle():
        came = month(Path(folder), days=wanted.days, count=wanted.orders, seed=wanted.seed)
    for name, value in came.figures.items():
        print(f"{name}: {value:.3f}")
    for fate, n in came.fates.most_common():
        print(f"  {n:6} {fate}")
    for deed, n in came.deeds.most_common():
        print(f"  {n:6} {deed}")
    for each in came.broken[:100]:
        print(f"BROKEN {each}")
    raise SystemExit(bool(came.broken))


if __name__ == "__main__":
    main()
