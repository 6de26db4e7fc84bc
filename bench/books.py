"""The true books of a simulated month, kept beside the hub: what is really there, and what every law says of it."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from bench.people import People
from hub.engine.world import World
from hub.store import Tx, known, orders, tables
from hub.store import stock as ledger
from tests.site import HOUR, Site

SAMPLE_S = 600
SETTLE_S = 2.5 * HOUR  # two reconciliations and a half: what came since then may not be on offer yet
BUFFER = 3
ERP, FBT = "factory", "fbt"
LEFT = ("placed", "fulfilled", "partly-fulfilled", "cancelled")
MAY_BLOCK = ("cancelled-after-placement", "changed-after-placement", "shipment-taken-back")


class Books:
    """Stock in truth, sampled; ``shops`` maps the hub's names of the shops to the channel's."""

    def __init__(self, site: Site, people: People, shops: dict[str, str]) -> None:
        self.site, self.people, self.shops = site, people, shops
        self._orders = site.tiktok._world.orders.by_id  # the state itself: asked for hundreds of times a day
        self._products = site.tiktok._world.products
        world = site.katana._gateway.world
        place = world.default_location_id()
        ids = {sku: (world.variants.first("sku", sku) or {})["id"] for sku in people.skus}
        self._levels = {sku: world.stock.levels[id_, place] for sku, id_ in ids.items()}
        self._open: set[str] = set()
        self._seen = 0
        self._rises: dict[str, deque[tuple[float, int]]] = defaultdict(deque)  # by SKU: when, how much more there was
        self._last: dict[str, int] = {}
        self._blocked: set[str] = set()
        self._placed: Counter[str] = Counter()
        self._left: dict[tuple[str, int], dict[str, int]] = {}
        self.pulled = dict.fromkeys(people.skus, 0.0)  # what sold before is in every number the channel shows
        self.read = dict.fromkeys(people.skus, 0.0)  # what the ERP lost before is too
        self._live: dict[str, Counter[str]] = {}  # order -> SKU -> units that nobody cancelled
        self.put_back: Counter[tuple[str, str]] = Counter()  # by shop and SKU: what cancellations freed since then
        self.oversold: list[tuple[float, str, int, int]] = []  # when, SKU, units, how many of them nobody could know
        self.under: list[tuple[float, str, str, int]] = []  # when, shop, SKU, units beyond buffer and settle time
        self.under_units, self.ideal_units, self.samples = 0, 0, 0

    # -- stock

    def truth(self) -> dict[str, int]:
        """Return what can really be promised of each SKU: in stock, less what buyers have and nobody shipped."""
        for ref in list(self.people.bought)[self._seen :]:
            self._open.add(ref)
        self._seen = len(self.people.bought)
        left = {sku: int(level.in_stock) for sku, level in self._levels.items()}
        for ref in list(self._open):
            order = self._orders[ref]
            units = Counter(unit.goods.seller_sku for unit in order.live_units) if order.kind != FBT else Counter()
            for sku, n in (self._live.get(ref, units) - units).items():
                self.put_back[self.people.bought[ref], sku] += n
            self._live[ref] = units.copy()
            units.subtract(self.people.shipped.get(ref, Counter()))
            taken = +units
            for sku, n in taken.items():
                left[sku] -= n
            if not taken:
                self._open.discard(ref)
                self._live.pop(ref, None)
        return left

    def sold(self, shop: str, sku: str, units: int) -> None:
        """Look at the truth after a sale: was there so much?"""
        people, left = self.people, self.truth()[sku]
        self._note(sku, left, -units)
        # What a cancellation put back on offer and is sold once more leaves as much missing as there was before.
        resold = min(units, self.put_back[shop, sku])
        self.put_back[shop, sku] -= resold
        short = min(units, -left) - resold
        if short <= 0:
            return
        others = sum(n for at, where, what, n in people.sold if what == sku and where != shop and at > self.pulled[sku])
        lost = sum(n for at, what, n in people.scrapped if what == sku and at > self.read[sku])
        self.oversold.append((people.now, sku, short, others + lost))

    def counted(self, sku: str, change: int) -> None:
        """Note what was made or lost."""
        self._note(sku, self.truth()[sku], change)

    def _note(self, sku: str, left: int, change: int = 0) -> None:
        """Keep what rose lately: the change just seen, and what came before it since the last look."""
        for rise in (left - change - self._last.get(sku, left - change), change):
            if rise > 0:
                self._rises[sku].append((self.people.now, rise))
        self._last[sku] = left

    def _kept(self) -> Counter[str]:
        """Return what the ERP still promises to orders that wait for a person, beyond what their buyers have."""
        found: Counter[str] = Counter()
        for ref in self._blocked & self._orders.keys():
            key = (ref, sum(self.people.shipped[ref].values()))
            if key not in self._left:
                self._left[key] = self.people.open_rows(ref) or {}
            has = Counter(unit.goods.seller_sku for unit in self._orders[ref].live_units)
            found += Counter(self._left[key]) - (has - self.people.shipped[ref])
        return found

    def _look(self, tx: Tx, now: datetime) -> None:
        """Note which orders wait for a person, and what was placed lately: a reading may or may not count it."""
        self._blocked = {row.ref for row in orders.listing(tx, "blocked", 10_000)}
        query = sa.select(tables.orders.c.ref).join(tables.sales_orders)
        lately = query.where(tables.sales_orders.c.linked_at > now - timedelta(seconds=SETTLE_S))
        self._placed = Counter(
            unit.goods.seller_sku for ref in tx.execute(lately).scalars() for unit in self._orders[ref].units
        )

    def settle(self, world: World) -> None:
        """Note what the hub had read when it went to rest with nothing left to write."""
        with world.store.read() as tx:
            self._look(tx, world.clock.now())
            if any(until > world.clock.now() for until, _ in known.paused(tx).values()):
                return
            pulled = [known.cursor(tx, shop, "orders")[1] for shop in self.shops]
            variants = ledger.refs_by_sku(tx, ERP)
            places = [place.ref for place in known.locations_of(tx, ERP) if place.is_default]
            read = {row.variant_ref: row.read_at for row in ledger.levels_of(tx, ERP, places)}
            unsure: set[str | None] = set()
            for shop in self.shops:
                rows = ledger.stock_of(tx, shop)
                for item in ledger.items(tx, shop):
                    row = rows.get(item.ref)
                    if row is None or row.quantities is None or row.retry_at is not None:
                        unsure.add(item.sku)
        if None in pulled:
            return
        for sku in self.people.skus:
            refs = variants.get(sku, [])
            if sku not in unsure and refs and refs[0] in read:
                self.pulled[sku] = min(at.timestamp() for at in pulled if at is not None)
                self.read[sku] = read[refs[0]].timestamp()
                self.caught_up(sku)

    def caught_up(self, sku: str) -> None:
        """Note that every offer knows what was freed until now."""
        for shop in self.shops.values():
            self.put_back.pop((shop, sku), None)

    def sample(self) -> None:
        """Compare what each shop offers with the truth; the shops are one pool."""
        now, left = self.people.now, self.truth()
        offered, kept = self.offered(), self._kept()
        for sku, units in left.items():
            self._note(sku, units)
            rises = self._rises[sku]
            while rises and rises[0][0] < now - SETTLE_S:
                rises.popleft()
            sure = units - BUFFER - sum(n for _, n in rises) - self._placed[sku] - kept[sku]
            for shop in self.shops.values():
                has, ideal = offered[shop, sku], max(0, units - BUFFER)
                self.ideal_units += ideal
                self.under_units += max(0, ideal - has)
                if has < sure and self.samples * SAMPLE_S > SETTLE_S:
                    self.under.append((now, shop, sku, sure - has))
        self.samples += 1

    def offered(self) -> dict[tuple[str, str], int]:
        """Return what each shop offers of each SKU."""
        found: dict[tuple[str, str], int] = {}
        for product in self._products.products.values():
            for sku in product.skus:
                units = sum(max(0, stock.available) for stock in sku.stock.values())
                found[product.shop, sku.goods.seller_sku] = units
        return found

    # -- the laws at the end

    def laws(self, world: World) -> list[str]:
        """Return every order that breaks a law; none is what must come back."""
        channel = {order["id"]: order for order in self.site.tiktok_sim("state", method="GET")["orders"]}
        erp = self.site.katana_sim("state", method="GET")
        made: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for order in erp["sales_orders"]:
            made[str(order["order_no"])].append(order)
        rows: dict[str, orders.OrderRow] = {}
        with world.store.read() as tx:
            for shop in self.shops:
                mine = [ref for ref, order in channel.items() if order["shop"] == self.shops[shop]]
                rows |= orders.by_refs(tx, shop, mine)
            counted = sum(orders.counts(tx).values())
        wrong = [] if counted == len(channel) else [f"{counted} orders have a fate, the channel has {len(channel)}"]
        skus = {one["id"]: one["sku"] for one in erp["variants"]}
        parcels = _parcels(erp, skus)
        lines: dict[int, Counter[str]] = defaultdict(Counter)
        for line in erp["sales_order_rows"]:
            if not line.get("deleted_at"):
                lines[line["sales_order_id"]][skus[line["variant_id"]]] += int(Decimal(str(line["quantity"])))
        for ref, order in channel.items():
            row = rows.get(ref)
            if row is None:
                wrong.append(f"{ref}: has no fate")
                continue
            said = _broken(order, row, made.get(row.key, []), lines, parcels, ref in self.people.cancelled_in_hold)
            wrong += [f"{ref} ({order['status']}, {row.fate}/{row.cause}): {each}" for each in said]
        return wrong


def _parcels(erp: dict[str, Any], skus: dict[int, str]) -> dict[int, dict[str, Counter[str]]]:
    """Return what each sales order's living, delivered shipments hold, by tracking number."""
    of_row = {line["id"]: skus[line["variant_id"]] for line in erp["sales_order_rows"]}
    found: dict[int, dict[str, Counter[str]]] = defaultdict(dict)
    for shipment in erp["sales_order_fulfillments"]:
        if not shipment["deleted_at"]:
            units = found[shipment["sales_order_id"]].setdefault(shipment["tracking_number"] or "", Counter())
            for line in shipment["sales_order_fulfillment_rows"]:
                units[of_row[line["sales_order_row_id"]]] += int(Decimal(str(line["quantity"])))
    return found


def _broken(
    order: dict[str, Any], row: orders.OrderRow, made: list[dict[str, Any]], lines: dict[int, Counter[str]],
    parcels: dict[int, dict[str, Counter[str]]], is_cancelled_in_hold: bool,
) -> list[str]:  # fmt: skip
    """Return what is wrong with one order."""
    living = [one for one in made if not one.get("deleted_at")]
    alive = Counter(unit["sku"] for unit in order["lines"] if unit["status"] != "CANCELLED")
    wrong = []
    if len(made) > 1:
        wrong.append(f"{len(made)} sales orders, deleted ones included")
    if is_cancelled_in_hold and made:
        wrong.append("cancelled in the hold, and it arrived")
    if row.fate == "blocked" and row.cause not in MAY_BLOCK:
        wrong.append(f"blocked: {(row.reason or [{}])[0].get('what')}")
    waits = (order["status"], row.cause) in (("UNPAID", "unpaid"), ("AWAITING_SHIPMENT", "until-shipped"))
    if row.fate not in (*LEFT, "blocked") and not waits:
        wrong.append("has not come to its end")
    if alive and not living and row.fate != "blocked" and not waits:
        wrong.append("has no sales order")
    if not living or row.fate == "blocked":
        return wrong
    if not alive:
        return [*wrong, "is cancelled, and its sales order lives"]
    id_ = living[0]["id"]
    if lines[id_] != alive:
        wrong.append(f"the ERP books {dict(lines[id_])}, the buyer has {dict(alive)}")
    told: dict[str, Counter[str]] = {}
    for unit in order["lines"]:
        if unit["tracking_number"] and unit["status"] != "CANCELLED":
            told.setdefault(unit["tracking_number"], Counter())[unit["sku"]] += 1
    if told != parcels[id_]:
        wrong.append(f"parcels: the channel has {told}, the ERP {parcels[id_]}")
    return wrong


def moment(seconds: float) -> str:
    """Return a simulated second as a date."""
    return f"{datetime.fromtimestamp(seconds, UTC):%m-%d %H:%M}"
