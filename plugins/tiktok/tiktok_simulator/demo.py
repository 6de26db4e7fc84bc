"""The demo's world: a shop, its products and a mix of orders from a neutral catalogue."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

from tiktok_simulator.chance import repeatable
from tiktok_simulator.markets import MARKETS
from tiktok_simulator.wire import ControlError, Json
from tiktok_simulator.world import World

SHOP_ID = "7495000000000000001"
BUNDLE_SKU = "TT-BUNDLE"
SERVICE_ID = "7172000000000000001"  # of the demo's app; any other opens the page of consent as well
# How often each kind comes among the orders beyond the first of each.
WEIGHTS = {
    "normal": 40,
    "multi_unit": 14,
    "multi_sku": 14,
    "gift": 6,
    "sample": 4,
    "bundle": 6,
    "edited_in_hold": 5,
    "cancelled_in_hold": 5,
    "fbt": 5,
    "tax_inclusive": 8,
    "no_hold": 5,
    "unknown_sku": 2,
    "unpaid": 2,
    "replacement": 1,
    "empty_sku": 1,
}
RECENT_S = 600
NOTE = "All orders stand in one shop; a real shop sells in one region, here `market` mixes them for one connection."


def seed_demo(world: World, wish: Json) -> Json:
    """Seed everything anew; the same wish gives the same orders at the same times before now."""
    catalogue: list[Json] = wish.get("catalogue") or []
    if not catalogue:
        raise ControlError("the demo needs a catalogue")
    names = [str(name) for name in wish.get("locations") or ["Main warehouse"]]
    number, seed = int(wish.get("orders", 220)), int(wish.get("seed", 1))
    world.reset()
    world.shops.replace([{"id": SHOP_ID, "name": "Demo Shop", "region": "US"}])
    world.shops.set_warehouses(SHOP_ID, names)
    now = int(world.clock.now())
    mix = DemoMix(catalogue, repeatable(seed), now)
    for product in mix.products(world.products.sales_warehouses(SHOP_ID)):
        world.products.add(product, now - 86400)
    kinds = mix.kinds(number)
    made: dict[str, list[str]] = {}
    for kind in kinds:
        made.setdefault(kind, []).extend(world.add_orders(mix.order(kind), now))
    world.settle()
    return {
        "shops": [SHOP_ID],
        "orders": sum(len(ids) for ids in made.values()),
        "kinds": {kind: {"count": len(ids), "example": ids[0]} for kind, ids in sorted(made.items())},
        "note": NOTE,
        "carriers": [each["name"] for each in world.shops.providers("US")],
        "settings": {"service_id": world.options["service_id"] or SERVICE_ID},
    }


class DemoMix:
    """Draws products and orders from the catalogue, the same ones for the same random seed."""

    def __init__(self, catalogue: list[Json], chance: random.Random, now: int) -> None:
        self._catalogue = catalogue
        self._chance = chance
        self._now = now
        self._normal = self._of("normal") or catalogue
        self._makers: dict[str, Callable[[], Json]] = {
            "normal": lambda: {"lines": [self._line()]},
            "multi_unit": lambda: {"lines": [self._line(quantity=chance.randint(2, 5))]},
            "multi_sku": lambda: {"lines": self._lines(3)},
            "gift": lambda: {"lines": [self._line(), self._line(self._of("gift"), gift=True)]},
            "sample": lambda: {"kind": "sample", "lines": [self._line(self._of("sample"))]},
            "bundle": lambda: {"kind": "bundle", "lines": [self._bundle()]},
            "edited_in_hold": self._edited,
            "cancelled_in_hold": self._cancelled,
            "fbt": lambda: {"kind": "fbt", "lines": [self._line(quantity=chance.randint(1, 2))]},
            "tax_inclusive": self._tax_inclusive,
            "no_hold": lambda: {"on_hold": False, "lines": [self._line()]},
            "unknown_sku": lambda: {"lines": [self._line(), self._line() | {"sku": "TT-UNLISTED"}]},
            "unpaid": lambda: {"lines": [self._line()], "paid_time": None},
            "replacement": lambda: {"kind": "replacement", "lines": [self._line()]},
            "empty_sku": lambda: {"lines": [self._line() | {"sku": ""}]},
        }

    def products(self, warehouses: list[str]) -> list[Json]:
        """The catalogue as products, stock split over the warehouses, and one virtual bundle."""
        products = []
        for entry in self._catalogue:
            share, rest = divmod(int(entry.get("stock", 0)), len(warehouses))
            stock = {key: share + (rest if n == 0 else 0) for n, key in enumerate(warehouses)}
            products.append({"title": entry["name"], "sku": entry["sku"], "price": entry["price"], "stock": stock})
        empty = dict.fromkeys(warehouses, 0)
        bundle = {"title": "Bundle", "sku": BUNDLE_SKU, "price": "30", "stock": empty, "bundle": self._parts()}
        return [*products, bundle]

    def kinds(self, number: int) -> list[str]:
        """Which kinds the orders are: each at least once where the number allows, in a drawn order."""
        kinds = list(WEIGHTS)[:number]
        names, weights = list(WEIGHTS), list(WEIGHTS.values())
        kinds += self._chance.choices(names, weights, k=max(0, number - len(kinds)))
        self._chance.shuffle(kinds)
        return kinds

    def order(self, kind: str) -> Json:
        """The spec of one order of a kind, created within the last minutes."""
        created = self._now - self._chance.randint(30, RECENT_S)
        spec: Json = {"create_time": created, "paid_time": created + self._chance.randint(0, 25)}
        spec |= self._makers[kind]()
        if spec.get("market", "US") == "US" and "shipping" not in spec and spec.get("kind") != "sample":
            spec |= self._chance.choice(
                ({}, {"shipping": "5.00", "shipping_platform_discount": "5.00"}, {"shipping": "4.99"},
                 {"shipping": "6.50", "shipping_seller_discount": "1.25", "shipping_platform_discount": "2.00"},
                 {"shipping": "3.99", "fees": {"retail_delivery_fee": "0.29"}})
            )  # fmt: skip
        return spec

    def _of(self, kind: str) -> list[Json]:
        return [entry for entry in self._catalogue if entry.get("kind", "normal") == kind]

    def _parts(self) -> list[Json]:
        parts = (self._of("bundle_part") or self._normal)[:2]
        return [{"sku": entry["sku"], "count": 2 - n} for n, entry in enumerate(parts)]

    def _line(self, entries: list[Json] | None = None, quantity: int = 1, gift: bool = False) -> Json:
        entry = self._chance.choice(entries or self._normal)
        price = Decimal(str(entry["price"])).quantize(Decimal("0.01"), ROUND_HALF_UP)
        line: Json = {"sku": entry["sku"], "quantity": quantity, "price": str(price)}
        if gift:
            return line | {"gift": True}
        seller, platform = self._chance.choice(((0, 0), (0, 0), (10, 0), (0, 15), (5, 10)))
        return line | {
            "seller_discount": str((price * seller / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)),
            "platform_discount": str((price * platform / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)),
        }

    def _lines(self, most: int) -> list[Json]:
        entries = self._chance.sample(self._normal, min(most, len(self._normal)))
        return [self._line([entry], quantity=self._chance.randint(1, 2)) for entry in entries]

    def _bundle(self) -> Json:
        return {"sku": BUNDLE_SKU, "quantity": 1, "price": "30.00", "bundle": self._parts()}

    def _edited(self) -> Json:
        """The buyer changes the order before the hold ends: a quantity, the address, or both."""
        line = self._line(quantity=2)
        street: Json = {"address": {"address_line1": f"{self._chance.randint(1, 99)} Changed Way"}}
        amount: Json = {"sku": line["sku"], "quantity": self._chance.choice((1, 3))}
        change = self._chance.choice((street, amount, street | amount))
        return {"lines": [line], "plan": [{"action": "edit", "after_s": self._in_hold(), **change}]}

    def _cancelled(self) -> Json:
        wish: Json = {"action": "cancel", "by": "BUYER", "after_s": self._in_hold()}
        return {"lines": [self._line()], "plan": [wish]}

    def _in_hold(self) -> int:
        """Seconds after creation that lie ahead of now and before the hold's end."""
        return self._chance.randint(RECENT_S + 60, 3300)

    def _tax_inclusive(self) -> Json:
        region = self._chance.choice(("GB", "GB", "DE", "JP"))
        market, line = MARKETS[region], self._line(quantity=self._chance.randint(1, 2))
        for name in ("price", "seller_discount", "platform_discount"):
            line[name] = str((Decimal(line[name]) * market.rate_to_usd).quantize(market.cent, ROUND_HALF_UP))
        shipping = (Decimal("3.5") * market.rate_to_usd).quantize(market.cent, ROUND_HALF_UP)
        return {"market": region, "lines": [line], "shipping": str(shipping)}
