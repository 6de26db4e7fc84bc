"""The demo's days: what buyers and the people at the ERP do, and the hub's passes between."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.cli.demo_data import BARE_SKU, BUFFER, COURIER, LOCATIONS, NEW_SKU, SECTIONS
from hub.cli.demo_stage import Actor, Seen, Stage
from hub.contract import HubError
from hub.engine import review
from hub.engine import sync as engine
from hub.engine.progress import Progress
from hub.engine.rehearse import Rehearsal, rehearse
from hub.engine.world import World
from hub.host.discover import connectors

MINUTE, HOUR = 60, 3600
PASSES = 25  # a minute apart: the hub goes on with what it could not finish at once
STEPS, STEP_S = 4, 17 * MINUTE
TIGHT, OFF = "KETTLE-08", "SAMPLE-TEA"
NUMBER = "92055901755477{:06d}"
SELLS, HOLD_ENDS = "the shop sells", "the hold ends: orders go to the ERP"
SHIPPED, COUNTED = "the ERP ships, buyers cancel late", "stock is counted while orders are held"
SWITCHED, CONSENTED = "sections are switched off, one at a time", "the shop's owner consents"
ASKED = "asking both systems what they have"
PHASES = (
    "starting both simulators",
    SELLS,
    "reading orders: all are held",
    *(f"{(n + 1) * STEP_S // MINUTE} minutes later: buyers edit and cancel" for n in range(STEPS - 1)),
    HOLD_ENDS,
    SHIPPED,
    COUNTED,
    SWITCHED,
    CONSENTED,
    ASKED,
)
# Bought at the till beside the drawn orders, so that the demo knows which is which.
BASKETS: Mapping[str, Mapping[str, Any]] = {
    "whole": {"items": {"MUG-BLUE": 1, "TEA-MINT-50": 2}},
    "partly": {"items": {"MUG-GREEN": 3}},
    "three": {"items": {"POT-GLASS-1L": 1, "STRAINER": 2}},
    "mapped": {"items": {"HONEY-250": 1}},
    "cancelled": {"items": {"TIN-100": 2}},
    "asks": {"items": {"TIN-100": 1}},
    "fewer": {"items": {"CUP": 3}},
    "west": {"items": {"MUG-TRAVEL": 1}, "location": LOCATIONS[1]},
    "later": {"items": {"SAUCER": 1}},
    "recorded": {"items": {"MUG-BLUE": 2}, "by_channel": True},
    "left out": {"items": {"TEA-ASSAM-50": 1}, "by_channel": True},
    "left out, unshipped": {"items": {"TEA-MINT-50": 1}, "by_channel": True},
}
PARCELS: Sequence[tuple[str, Mapping[str, int]]] = (
    ("whole", {"MUG-BLUE": 1, "TEA-MINT-50": 2}), ("partly", {"MUG-GREEN": 1}), ("three", {"POT-GLASS-1L": 1}),
    ("three", {"STRAINER": 1}), ("three", {"STRAINER": 1}), ("mapped", {"HONEY-250": 1}),
)  # fmt: skip


@dataclass(slots=True)
class Play:
    """The days of a shop, and what was seen in them."""

    stage: Stage
    open_world: Callable[[str | None], World]
    phase: Callable[[str], None]
    stop: threading.Event
    carrier: str
    key_file: Path
    world: World = field(init=False)
    name: str = ""
    errors: list[str] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)
    refs: dict[str, str] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    marks: dict[str, dict[str, Any]] = field(default_factory=dict)
    tries: dict[str, Any] = field(default_factory=dict)
    off: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    plan: Rehearsal | None = None
    placed_at: float = 0.0

    def days(self) -> None:
        """Play them all; ends early where it is told to stop."""
        self.world = self.open_world(None)
        for act in (self.orders, self.channel_ships, self.parcels_and_changes, self.stock, self.switches):
            if not self.stop.is_set():
                act()

    # -- passes

    def begin(self, name: str) -> None:
        """Enter a phase."""
        self.name = name
        self.phase(name)

    def run_pass(self, world: World | None = None) -> None:
        """Have the hub do one pass; an error of the pass before may be gone, as the daemon would find."""
        progress = Progress(tell=lambda progress: self.phase(f"{self.name} · {_done(progress)}"))
        engine.sync(world or self.world, progress, self.stop)
        self.errors = [str(error) for error in progress.errors.values()]

    def until(self, done: Callable[[], bool]) -> None:
        """Pass, and pass again a minute later while something is still under way; proofs judge what came of it."""
        for _ in range(PASSES):
            self.run_pass()
            if self.stop.is_set() or (not self.errors and done()):
                return
            self.pass_time(MINUTE + 1)

    def act(self, actor: Actor, deed: str, **wish: Any) -> None:
        """Have somebody do something; where that cannot be done, the demo goes on, and says so at the end."""
        try:
            actor.do(deed, **wish)
        except HubError as error:
            self.undone.append(f"{error.where}: {error.what}")

    def pass_time(self, seconds: float) -> None:
        """Let so much time pass."""
        self.stage.clock.wait(seconds)

    def now(self) -> float:
        """Return the simulated instant."""
        return self.stage.clock.now().timestamp()

    def see(self, name: str) -> Seen:
        """Keep what both systems have now."""
        self.seen[name] = self.stage.seen()
        return self.seen[name]

    def marked(self) -> dict[str, int]:
        """Return up to which call each system's count goes by now."""
        return {role: each["next"] for role, each in self.stage.counted().items()}

    # -- the acts

    def orders(self) -> None:
        """Buyers buy, edit and cancel; the hold ends, and what the hub plans it then does."""
        self.stage.erp.do("count", sku="MUG-TRAVEL", location=LOCATIONS[1], quantity=40)
        for name, basket in BASKETS.items():
            self.refs[name] = self.stage.channel.do("buy", **basket)["ref"]
        self.see("first")
        for at, name in enumerate(PHASES[2 : 2 + STEPS]):
            self.begin(name)
            if at:
                self.pass_time(STEP_S)
            self.run_pass()
        self.begin(HOLD_ENDS)
        self.pass_time(STEP_S)
        self.see("planned")
        self.plan = self._rehearsed()
        self.pass_time(MINUTE + 1)  # the ERP counts the plan's calls with the pass's, which knows nothing of them
        self.until(self._all_placed)
        self.placed_at = self.now()
        self.see("placed")
        self.marks["placed"] = self.stage.counted()

    def _rehearsed(self) -> Rehearsal:
        since, world = self.marked(), self.world
        plan = rehearse(
            world.config, connectors(), world.store, environ=os.environ, key_file=self.key_file, stop=self.stop,
            time=self.stage.clock,
        )  # fmt: skip
        self.marks["rehearsed"] = self.stage.counted(since)
        return plan

    def _all_placed(self) -> bool:
        waiting = sum(count.orders for count in review.counts(self.world.store) if count.fate == "ready")
        return not waiting and not self.stage.seen().missing(self.now())

    def channel_ships(self) -> None:
        """The channel ships what lies in its own warehouse; nothing else moves."""
        self.begin(SHIPPED)
        before = self.see("before done")
        mine = [
            ref for ref, order in before.orders.items()
            if order["by_channel"] and order["state"] == "open"
            and (ref == self.refs["left out"] or not before.is_tea(ref))
        ]  # fmt: skip
        for n, ref in enumerate(mine):
            self.act(self.stage.channel, "ship", ref=ref, number=NUMBER.format(n + 100))
        self.pass_time(2 * MINUTE)
        expected = {ref for ref in mine if not before.is_tea(ref)}
        self.until(lambda: all(_is_shipped(self.stage.seen(), ref) for ref in expected))
        self.see("done")

    def parcels_and_changes(self) -> None:
        """People at the ERP ship in all ways; buyers change their minds after placement."""
        calls, refs, channel = self.marked(), self.refs, self.stage.channel
        for n, (name, items) in enumerate(PARCELS, 1):
            self._ship(name, items, NUMBER.format(n), COURIER if name == "mapped" else self.carrier)
        self.act(channel, "cancel", ref=refs["cancelled"])
        self.act(channel, "cancel", ref=refs["asks"], asks=True)
        self.act(channel, "cancel", ref=refs["fewer"], items={"CUP": 1})
        self.pass_time(6 * MINUTE)
        self.until(self._all_told)
        self.marks["shipped"] = self.stage.counted(calls)
        if self.stage.seen().orders[refs["whole"]]["state"] == "shipped":
            self.act(channel, "send back", ref=refs["whole"])

    def _ship(self, name: str, items: Mapping[str, int], number: str, carrier: str) -> None:
        self.act(self.stage.erp, "ship", ref=self.refs[name], items=items, carrier=carrier, number=number)

    def _all_told(self) -> bool:
        seen = self.stage.seen()
        told = all(sent == told for sent, told in (seen.pieces(self.refs[name]) for name, _ in PARCELS))
        gone = not any(self.refs[name] in seen.living for name in ("cancelled", "asks"))
        fewer = self.refs["fewer"]
        return told and gone and seen.sale(fewer).get("items") == dict(seen.wanted(fewer))

    def stock(self) -> None:
        """Somebody counts less than there seemed to be, while held orders wait; then buyers want more than is left."""
        self.begin(COUNTED)
        self.pass_time(HOUR + 5 * MINUTE)  # with this pass all levels are read; the next time in an hour
        self.until(self._is_back)
        self.pass_time(50 * MINUTE)
        buy, count = self.stage.channel.do, self.stage.erp.do
        buy("buy", items={TIGHT: 3})
        seen, home = self.stage.seen(), LOCATIONS[0]
        free = seen.unknown(TIGHT) + BUFFER + 2
        count("count", sku=TIGHT, location=home, quantity=seen.promised(TIGHT) + free)
        count("count", sku=OFF, location=home, quantity=seen.promised(OFF) + seen.unknown(OFF))
        count("count", sku="TIN-100", location=LOCATIONS[1], quantity=25)
        counted = self.now()
        self.pass_time(15 * MINUTE)
        self.until(lambda: not self.stage.seen().unequal([OFF]))
        minutes = round((self.now() - counted) / MINUTE)
        seen = self.see("tight")
        held, sells = seen.unknown(TIGHT), sum(seen.sells[TIGHT].values())
        offers = [(n, bool(buy("buy", items={TIGHT: n})["bought"])) for n in (free, sells + 1, sells, 1)]
        self.tries = {
            "sku": TIGHT, "free": free, "held": held, "sells": sells, "offers": offers, "minutes": minutes
        }  # fmt: skip

    def _is_back(self) -> bool:
        return bool(self.stage.seen().sale(self.refs["whole"]).get("returned_to"))

    def switches(self) -> None:
        """Give each section something to do while it is off: nothing may be asked or said; then switch it on."""
        self.begin(SWITCHED)
        done = {}
        for section in SECTIONS:
            since = self.marked()
            self._give_work(section)
            self.pass_time(HOUR + 5 * MINUTE)
            world = self.open_world(section)
            try:
                self.run_pass(world)
            finally:
                world.close()
            found = self.stage.counted(since)
            self.off[section] = {"off": _calls(found, section), "others": _others(found, section)}
            done[section] = self.marked()
        self.pass_time(HOUR + 5 * MINUTE)
        self.until(self._is_all_done)
        for section in SECTIONS:
            self.off[section]["on"] = _calls(self.stage.counted(done[section]), section)

    def _give_work(self, section: str) -> None:
        if section == "orders":
            self.stage.channel.do("buy", items={"CUP": 1})
        elif section == "fulfillments":
            self._ship("later", BASKETS["later"]["items"], NUMBER.format(900), self.carrier)
        elif section == "inventory":
            self.stage.erp.do("count", sku="GIFT-CARD", location=LOCATIONS[0], quantity=700)
        else:
            self.stage.erp.do("make", sku=NEW_SKU, name="Enamel mug", price="12.50", stock=30)
            self.stage.erp.do("make", sku=BARE_SKU, name="Plain mug", price="8.50", stock=30)

    def _is_all_done(self) -> bool:
        seen = self.stage.seen()
        sent, told = seen.pieces(self.refs["later"])
        if sent != told or not self.stage.listed(NEW_SKU):
            return False
        return not seen.unequal([OFF, NEW_SKU]) and not seen.missing(self.now())


KINDS = {"orders": "orders", "fulfillments": "shipments", "inventory": "stock", "products": "listings"}


def _calls(counted: Mapping[str, Mapping[str, Any]], section: str) -> dict[str, int]:
    return {role: each["kinds"].get(KINDS[section], 0) for role, each in counted.items()}


def _others(counted: Mapping[str, Mapping[str, Any]], section: str) -> dict[str, int]:
    own = _calls(counted, section)
    return {role: sum(each["kinds"].values()) - own[role] for role, each in counted.items()}


def _is_shipped(seen: Seen, ref: str) -> bool:
    return bool(seen.sale(ref).get("state") == "shipped")


def _done(progress: Progress) -> str:
    return f"{progress.sent} sent" if progress.sent else f"{progress.pulled} read"
