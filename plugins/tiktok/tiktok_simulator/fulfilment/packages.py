"""Packages: which units lie in them, how far they have come, which numbers they carry."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from tiktok_simulator.feed import Feed
from tiktok_simulator.order import GONE, PACKAGE_STATUS, Order, Unit
from tiktok_simulator.wire import Json


@dataclass(slots=True)
class Package:
    """One package of one order; what lies in it is what the order's units say."""

    id: str
    order: Order
    create_time: int
    update_time: int
    status: str = "TO_FULFILL"
    tracking_number: str = ""
    provider_id: str = ""
    shipped_time: int | None = None
    changes: int = 0
    is_split: bool = False
    handover_method: str = ""
    pickup_slot: Json | None = None
    weight: Json | None = None
    dimension: Json | None = None
    service: Json | None = None

    @property
    def units(self) -> list[Unit]:
        """All units in it, cancelled ones as well."""
        return [unit for unit in self.order.units if unit.package_id == self.id]

    @property
    def live_units(self) -> list[Unit]:
        """The units in it that were not cancelled."""
        return [unit for unit in self.units if unit.stage != GONE]

    def derive_status(self) -> str:
        """The least any of its units has reached (6.7)."""
        return PACKAGE_STATUS[min((unit.stage for unit in self.live_units), default=GONE)]


class Packages:
    """All packages by id and, for each shop, by time; and which orders a tracking number is on."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all packages and start ids anew."""
        self.by_id: dict[str, Package] = {}
        self.feeds: dict[str, Feed] = {}
        self.labels: list[Json] = []
        self._orders_of_number: dict[tuple[str, str], list[str]] = {}
        self._numbers = itertools.count(1)

    def feed(self, shop_id: str) -> Feed:
        """The feed of a shop."""
        return self.feeds.setdefault(shop_id, Feed())

    def make(self, order: Order, units: list[Unit], at: int) -> Package:
        """Put units into a new package; the one they leave goes when it is empty."""
        package = Package(f"115{next(self._numbers):015d}", order, at, at)
        former = {unit.package_id for unit in units if unit.package_id}
        for unit in units:
            unit.package_id = package.id
        self.by_id[package.id] = package
        self.feed(order.shop).add(package)
        for package_id in former:
            left = self.by_id[package_id]
            if not left.units:
                del self.by_id[package_id]
                self.feed(order.shop).drop(left)
        return package

    def of_order(self, order: Order) -> list[Package]:
        """The packages of an order, in the order of its units."""
        ids = dict.fromkeys(unit.package_id for unit in order.units if unit.package_id)
        return [self.by_id[package_id] for package_id in ids]

    def follow(self, order: Order, at: int) -> None:
        """Bring the packages of an order in step with its units."""
        for package in self.of_order(order):
            status = package.derive_status()
            if status != package.status:
                package.status = status
                self.touch(package, at)

    def touch(self, package: Package, at: int) -> None:
        """Note a change of a package."""
        self.feed(package.order.shop).move(package, max(at, package.create_time))

    def number(self, package: Package, tracking_number: str, provider_id: str) -> None:
        """Give a package and its units a tracking number."""
        package.tracking_number, package.provider_id = tracking_number, provider_id
        for unit in package.live_units:
            unit.tracking_number, unit.provider_id = tracking_number, provider_id
        if tracking_number:
            known = self._orders_of_number.setdefault((package.order.shop, tracking_number), [])
            if package.order.id not in known:
                known.append(package.order.id)

    def orders_of(self, shop_id: str, tracking_number: str) -> list[str]:
        """The orders a number is, or was, on."""
        return self._orders_of_number.get((shop_id, tracking_number), [])
