"""ERP products -> listings on the channel: new ones where a route publishes, price and content where it updates."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from hub.contract import ConfigurationError, Finding, Variant
from hub.engine import catalogue, products, shelf
from hub.engine.list_product import Sender, problem, ref_of
from hub.engine.outcome import call, reason_of, resting
from hub.engine.world import Connected, World
from hub.host.pictures import UNREADABLE, Gallery
from hub.routing.listing import Draft, drafts
from hub.routing.model import ProductRules, Route
from hub.store import Store, known
from hub.store import products as ledger
from hub.store import stock as switches
from hub.store.products import BLOCKED, DONE, GONE, SENDING, SHOP, UNKNOWN, ListingRow

BATCH = 5  # a step writes no more than this, so that orders go between
FAILURES = 2  # so many in a row without an answer, and the channel itself is in trouble
LOOK_AGAIN_S = 900.0  # new pictures in a folder wake nobody
READY_S = 3600.0
SHOWN_S = 600.0  # a listing that the catalogue lacks so long after it was made was deleted there

_quiet: WeakKeyDictionary[Store, dict[str, tuple[int, datetime]]] = WeakKeyDictionary()


def publish(world: World, channel: Connected) -> bool:
    """Bring a channel's listings one step nearer to what its Route wants; say whether anything was read or written.

    Costs no call where nothing differs, and none at all where the Route neither publishes nor updates.
    """
    route = products.ruler(world, channel.id)
    if route is None or "push_products" not in channel.capabilities:
        return False
    rules = route.products
    with world.store.read() as tx:
        switched, rests = switches.switches_of(tx, channel.id), set(resting(tx, world.clock.now()))
    if not (rules.publish or rules.update) or not (rules.skus or any(switched.values())):
        return False
    shown = products.refresh(world, channel, route, rests)
    if shown is not shelf.State.READY:
        return shown is shelf.State.READ
    facts = _facts(world, channel, route, switched)
    before, until = _quiet.get(world.store, {}).get(channel.id, (None, world.clock.now()))
    if before == facts and world.clock.now() < until:
        return False
    job = _Job(world, channel, route, switched, Sender(world, channel, route, Gallery(rules.images)), world.clock.now())
    did = job.work()
    if not did:
        _quiet.setdefault(world.store, {})[channel.id] = (facts, job.next_look())
    return did


def outstanding(world: World, channel: Connected) -> int:
    """Return how many products are to be listed or updated, as the ledger stands; makes no call, and writes nothing."""
    route = products.ruler(world, channel.id)
    if (
        route is None
        or "push_products" not in channel.capabilities
        or not (route.products.publish or route.products.update)
    ):
        return 0
    with world.store.read() as tx:
        switched = switches.switches_of(tx, channel.id)
        erp, there = (ledger.catalogue(tx, id_) for id_ in (route.erp, channel.id))
        rows = ledger.listings_of(tx, channel.id)
        currency = products.currency_of(tx, channel.id, there)
    sender = Sender(world, channel, route, Gallery(route.products.images))
    job = _Job(world, channel, route, switched, sender, world.clock.now())
    whole = [draft for draft in drafts(erp, there, route, switched, currency) if not draft.lacks]
    return sum(job.due(draft, rows.get(draft.product)) is not None for draft in whole)


def _facts(world: World, channel: Connected, route: Route, switched: Mapping[str, bool]) -> int:
    """Return what changes with everything of the ledger that may make something due."""
    with world.store.read() as tx:
        streams = ((route.erp, products.WHOLE), (route.erp, catalogue.STREAM), (channel.id, shelf.STREAM))
        times = tuple(known.cursor(tx, id_, stream)[1] for id_, stream in streams)
        rows = tuple(str(row) for row in ledger.listings_of(tx, channel.id).values())
    return hash((times, tuple(switched.items()), rows))


@dataclass(slots=True)
class _Job:
    """One step for one channel."""

    world: World
    channel: Connected
    route: Route
    switched: Mapping[str, bool]
    sender: Sender
    now: datetime

    def work(self) -> bool:
        """Publish or update some products."""
        with self.world.store.read() as tx:
            erp, there = (ledger.catalogue(tx, id_) for id_ in (self.route.erp, self.channel.id))
            rows = ledger.listings_of(tx, self.channel.id)
            seen_at = known.cursor(tx, self.channel.id, shelf.STREAM)[1]
            currency = products.currency_of(tx, self.channel.id, there)
        drafted = drafts(erp, there, self.route, self.switched, currency)
        if not self._has_gallery(rows.get(SHOP)):
            return False
        gone = self._note_gone(drafted, rows, there, seen_at)
        wanted = [(draft, self.due(draft, rows.get(draft.product))) for draft in drafted if draft.product not in gone]
        due = [(draft, asked) for draft, asked in wanted if asked is not None]
        new = [each for each in due if each[0].ref is None and ref_of(rows.get(each[0].product)) is None]
        if new and not self._is_ready(rows.get(SHOP)):
            due = [each for each in due if each not in new]
        failed = 0
        for draft, asked in due[:BATCH]:
            lost = self.sender.send(draft, rows.get(draft.product), asked)
            failed = failed + 1 if lost is not None else 0
            is_away = lost is not None and lost.connection is not None  # else pictures alone cannot be had
            if lost is not None and is_away and (failed == FAILURES or lost.retry_after_s is not None):
                raise lost
        return bool(due)

    def next_look(self) -> datetime:
        """Return until when nothing can become due by itself."""
        with self.world.store.read() as tx:
            rows = ledger.listings_of(tx, self.channel.id).values()
        times = [row.due_at for row in rows if row.due_at is not None and row.due_at > self.now]
        return min([*times, self.now + timedelta(seconds=LOOK_AGAIN_S)])

    # -- what is due

    def due(self, draft: Draft, row: ListingRow | None) -> str | None:
        """Return what an attempt rests on, where one is due; notes what a product lacks."""
        rules, ref = self.route.products, draft.ref or ref_of(row)
        if row is not None and row.state == GONE and draft.ref is None:
            return None
        if (ref is None and rules.publish is None) or (ref is not None and not rules.update):
            return None
        asked = self._asked(draft)
        if draft.lacks:
            self._block(draft, row, asked, _lacking(draft, rules, self.sender.gallery))
            return None
        if row is None:
            return asked
        if row.state in (SENDING, UNKNOWN) or (row.state == BLOCKED and row.asked == asked):
            return asked if row.due_at is None or row.due_at <= self.now else None
        return None if row.state == DONE and row.told == self.sender.told(draft) else asked

    def _asked(self, draft: Draft) -> str:
        rules = self.route.products
        parts = (self.sender.told(draft), draft.ref, draft.lacks, draft.statuses, rules.publish)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    def _note_gone(
        self, drafted: Sequence[Draft], rows: Mapping[str, ListingRow], there: Sequence[Variant],
        seen_at: datetime | None,
    ) -> set[str]:  # fmt: skip
        """Note, and return, what somebody deleted on the channel: it is not made again."""
        living, gone = {each.product_ref for each in there}, set[str]()
        for draft in drafted:
            row = rows.get(draft.product)
            if row is None or row.state != DONE or row.ref in living or draft.ref is not None or row.told_at is None:
                continue
            if seen_at is not None and seen_at - row.told_at > timedelta(seconds=SHOWN_S):
                do = f"To list it again: hub products enable {draft.skus[0]}"
                what = f"its listing {row.ref} is no longer on the channel"
                self.sender.put(draft.product, state=GONE, reason=[problem("listing-gone", what, do)])
                gone.add(draft.product)
        return gone

    # -- is the shop ready

    def _has_gallery(self, row: ListingRow | None) -> bool:
        """Say whether pictures can be read; notes where not, and forgets it afterwards."""
        try:
            self.sender.gallery.check()
        except ConfigurationError as error:
            if row is None or row.reason != [reason_of(error)]:
                self.sender.put(SHOP, state=BLOCKED, reason=[reason_of(error)], due_at=self.now)
            return False
        if row is not None and any(each["code"] == UNREADABLE for each in row.reason or ()):
            self.sender.put(SHOP, state=DONE, reason=None, due_at=self.now)
        return True

    def _is_ready(self, row: ListingRow | None) -> bool:
        """Say whether the shop has all that listings need; asks it now and then, and notes everything it lacks."""
        if "check_listing" not in self.channel.capabilities:
            return True
        if row is not None and row.due_at is not None and self.now < row.due_at:
            return row.state == DONE
        findings: list[Finding] = call(self.world, self.channel, "check_listing")
        missing = [problem("shop-not-ready", each.what, each.do) for each in findings if not each.ok]
        wait = self.world.timing.catalogue_every_s if missing else READY_S
        due_at = self.now + timedelta(seconds=wait)
        self.sender.put(SHOP, state=BLOCKED if missing else DONE, reason=missing or None, due_at=due_at)
        return not missing

    def _block(self, draft: Draft, row: ListingRow | None, asked: str, reason: dict[str, Any]) -> None:
        if row is None or row.asked != asked or row.state != BLOCKED:
            self.sender.put(draft.product, state=BLOCKED, asked=asked, reason=[reason], due_at=None)


def _lacking(draft: Draft, rules: ProductRules, gallery: Gallery) -> dict[str, Any]:
    """Name all that a product lacks at once: what the hub cannot do without, and what channels usually want besides."""
    wanted = {
        "pictures": gallery.is_url or gallery.pictures(draft.skus[:1]),
        "description": gallery.words(draft.skus),
        "weight": rules.weight_g,
        "size": rules.size_cm,
    }
    bare = [name for name, value in wanted.items() if not value and draft.ref is None]
    what = f"its listing lacks {'; '.join(draft.lacks)}" + (f"; it has no {', no '.join(bare)} yet" if bare else "")
    return problem("listing-incomplete", what, "Add it in the ERP, or under products in the route file.")
