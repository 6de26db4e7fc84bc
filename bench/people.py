"""What people do to two shops and their one factory in a month: buyers, warehouse staff, planners; all by one seed."""

from __future__ import annotations

import heapq
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.site import HOUR, Site

DAY = 24 * HOUR
Deed = Callable[[], object]
LATER_S = 1.5 * HOUR  # a sales order that is not there yet is looked for again


class People:
    """Everybody outside the hub; each deed has its simulated second and happens when the clock passes it.

    Args:
        haste: what part of the usual time everything takes beyond the least, so that a few hours see it all.
    """

    def __init__(self, site: Site, shops: tuple[str, str], skus: tuple[str, ...], seed: int, haste: float = 1) -> None:
        self._haste = haste
        self.site, self.shops, self.skus, self.random = site, shops, skus, random.Random(seed)
        self._due: list[tuple[float, int, Deed]] = []
        self._count, self.now = 0, 0.0
        self.bought: dict[str, str] = {}  # order -> shop
        self.refused = 0
        self.shipped: dict[str, Counter[str]] = defaultdict(Counter)  # order -> SKU -> units that left the ERP's stock
        self.cancelled_in_hold: set[str] = set()
        self.deeds: Counter[str] = Counter()
        self.sold: list[tuple[float, str, str, int]] = []  # when, shop, SKU, units
        self.scrapped: list[tuple[float, str, int]] = []
        self.after_sale: Callable[[str, str, int], None] = lambda shop, sku, units: None
        self.after_count: Callable[[str, int], None] = lambda sku, change: None
        self.closes_at = float("inf")  # the warehouse ships nothing new from then on
        self._numbers = 0

    # -- time

    def at(self, when: float, deed: Deed) -> None:
        """Plan a deed."""
        self._count += 1
        heapq.heappush(self._due, (when, self._count, deed))

    def next(self, until: float) -> tuple[float, Deed] | None:
        """Return the next deed that is due by then."""
        if not self._due or self._due[0][0] > until:
            return None
        when, _, deed = heapq.heappop(self._due)
        return when, deed

    def plan(self, begin: float, days: float, orders: int) -> None:
        """Plan a month: orders at random moments, goods made and lost."""
        for _ in range(orders):
            self.at(begin + self.random.uniform(0, days * DAY), self._buy)
        units = orders * 1.9 / len(self.skus)
        for sku in self.skus:
            makes = max(2, int(days * 3))
            for _ in range(makes):
                made = max(1, round(units / makes * self.random.uniform(0.4, 1.7)))
                self.at(begin + self.random.uniform(0, days * DAY), partial(self._count_stock, sku, made))
            for _ in range(max(1, int(days * 0.7))):
                lost = -self.random.choice((1, 1, 1, 2, 2, 3, 6))
                self.at(begin + self.random.uniform(0, days * DAY), partial(self._count_stock, sku, lost))

    # -- deeds

    def _hours(self, least: float, most: float) -> float:
        """Return a random time in seconds."""
        return self.random.uniform(least, least + (most - least) * self._haste) * HOUR

    def _try(self, url: str, call: str, body: Any) -> Any:
        """Do it if it is still possible; a late buyer is told no."""
        answer = self.site.http.post(f"{url}/_sim/{call}", json=body)
        said = answer.json()
        return said if answer.status_code < 300 else None

    def _count_stock(self, sku: str, change: int) -> None:
        self._try(self.site.katana.url, "do/stock", {"sku": sku, "change": change})
        self.deeds["produced" if change > 0 else "scrapped"] += 1
        if change < 0:
            self.scrapped.append((self.now, sku, -change))
        self.after_count(sku, change)

    def _buy(self, tries: int = 0) -> None:
        dice, shop = self.random, self.random.choice(self.shops)
        chosen = dice.choices(self.skus, weights=range(len(self.skus), 0, -1), k=dice.choice((1, 1, 1, 2)))
        lines: list[dict[str, Any]] = [
            {"sku": sku, "quantity": dice.choice((1, 1, 1, 2, 3)), "price": "20.00"} for sku in dict.fromkeys(chosen)
        ]
        kind = dice.random()
        spec: dict[str, Any] = {"lines": lines, "shop": shop}
        if kind < 0.04:
            made = self.site.tiktok_sim("seed", {"orders": [{"kind": "fbt", "create_time": int(self.now), **spec}]})
            (ref,) = made["orders"]
            self.bought[ref] = shop
            self.deeds["by channel"] += 1
            self._act(ref, self._hours(2, 20), "ship", tracking_number=self._number())
            return
        if kind < 0.07:
            spec["paid_time"] = None
        elif kind < 0.27:
            spec["on_hold"] = False
        said = self._try(self.site.tiktok.url, "buy", spec)
        if said is None or not said["bought"]:
            self.refused += 1
            if tries < 6:
                self.at(self.now + dice.uniform(0, 2) * HOUR, partial(self._buy, tries + 1))
            return
        ref = str(said["order_id"])
        self.bought[ref] = shop
        for line in lines:
            self.sold.append((self.now, shop, line["sku"], line["quantity"]))
            self.after_sale(shop, line["sku"], line["quantity"])
        if spec.get("paid_time", 0) is None and dice.random() < 0.7:
            self._act(ref, dice.uniform(10, 40) * 60, "pay")
        self._change_mind(ref, lines)
        self.at(self.now + self._hours(1.5, 30), partial(self._ship, ref))

    def _act(self, ref: str, after_s: float, action: str, **more: Any) -> None:
        def do() -> None:
            said = self._try(self.site.tiktok.url, f"orders/{ref}", {"action": action, **more})
            self.deeds[action if said is not None else f"{action} refused"] += 1
            if action == "buyer_cancel" and said is not None and said.get("cancelled") and not more:
                self.cancelled_in_hold.add(ref)

        self.at(self.now + after_s, do)

    def _change_mind(self, ref: str, lines: list[dict[str, Any]]) -> None:
        dice, mood = self.random, self.random.random()
        many = next((line for line in lines if line["quantity"] > 1), None)
        if mood < 0.06:
            self._act(ref, dice.uniform(1, 59) * 60, "buyer_cancel")
        elif mood < 0.12 and many is not None:
            self._act(ref, dice.uniform(1, 59) * 60, "edit", sku=many["sku"], quantity=many["quantity"] - 1)
        elif mood < 0.15:
            self._act(ref, dice.uniform(1, 59) * 60, "edit", note="Please ring twice")
        elif mood < 0.19:
            self._act(ref, self._hours(1.1, 20), "buyer_cancel")
        elif mood < 0.22:
            self._act(ref, self._hours(0.1, 20), "cancel_line", sku=lines[0]["sku"], quantity=1)
        elif mood < 0.24:
            self._act(ref, self._hours(0.1, 20), "cancel", by="SYSTEM", reason="Fraud")
        elif mood < 0.27:
            self._act(ref, self._hours(0.1, 20), "edit_address", address={"address_line1": "77 Changed Rd"})

    # -- the warehouse

    def _number(self) -> str:
        self._numbers += 1
        return f"1Z{self._numbers:016}"

    def open_rows(self, ref: str) -> dict[str, int] | None:
        """Return what an order's sales order still has to ship, by SKU; None where there is none."""
        said = self.site.http.get(f"{self.site.katana.url}/_sim/order", params={"order_no": f"TT-{ref}"})
        if said.status_code >= 300 or (order := said.json()).get("deleted_at"):
            return None
        rows = [row for row in order["sales_order_rows"] if not row.get("deleted_at")]
        left: Counter[str] = Counter()
        for row in rows:
            left[row["sku"]] += int(row["quantity"]) - int(row["fulfilled"])
        return {sku: n for sku, n in left.items() if n > 0}

    def _ship(self, ref: str, tries: int = 0) -> None:
        if self.now > self.closes_at:
            return
        left, dice = self.open_rows(ref), self.random
        if left is None:
            if tries < 12:
                self.at(self.now + LATER_S, partial(self._ship, ref, tries + 1))
            return
        if not left:
            return
        parts, how = dict(left), dice.random()
        if how < 0.25 and sum(left.values()) > 1:  # some now, the rest as another parcel
            sku = next(iter(left))
            parts = {sku: 1}
            self.at(self.now + dice.choice((0.05, 3, 26 * self._haste)) * HOUR, partial(self._ship, ref))
        body: dict[str, Any] = {"order_no": f"TT-{ref}", "quantities": parts, "tracking_carrier": "UPS"}
        if 0.25 <= how < 0.35:
            body["status"] = "PACKED"
        if not 0.35 <= how < 0.45:
            body["tracking_number"] = self._number()
        made = self._try(self.site.katana.url, "do/ship", body)
        self.deeds["shipment" if made is not None else "shipment refused"] += 1
        if made is None:
            return
        self.shipped[ref].update(parts)
        more = {"status": "DELIVERED"} if "status" in body else {}
        more |= {} if "tracking_number" in body else {"tracking_number": self._number()}
        if more:
            change = {"fulfillment_id": made["id"], **more}
            self.at(
                self.now + self._hours(0.5, 4),
                lambda: self._try(self.site.katana.url, "do/shipment", change),
            )
