"""Telling TikTok Shop of parcels: which call does it depends on the shop's market and on who ships (T-103).

==========================  ====================================  ==========================================
market                      the seller ships                      TikTok ships
==========================  ====================================  ==========================================
US                          Mark Package As Shipped, one a parcel  Create Package, one a parcel: buys a label
Europe, Japan               Mark Package As Shipped, one a parcel  one call for all parcels, before it perhaps a split
South-East Asia, LATAM      one call for all parcels, before it perhaps a split, for both
==========================  ====================================  ==========================================

No call has an idempotency key (T-104). So a parcel is only sent where the order, just read, shows its units unshipped;
and an answer that says "shipped already" counts as done only after the order was read again and shows this number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from hub.contract import (
    Connection,
    FulfilledBy,
    Fulfillment,
    Order,
    Package,
    PackageResult,
    RejectedError,
    TransientError,
)
from hub_tiktok.carriers import Carriers
from hub_tiktok.codes import BUSY, CARRIER, DUPLICATE, STRANGE_PACKAGE
from hub_tiktok.endpoints import CREATE_PACKAGE, MARK_SHIPPED, SHIP, SHIP_MANY, SLOTS, SPLIT
from hub_tiktok.errors import RefusedError, package_fault
from hub_tiktok.parcels import (
    BY_PACKAGE,
    BY_SKU,
    SOUTH_EAST_ASIA,
    Group,
    ReadAgain,
    bought,
    divided_skus,
    groups,
    open_lines,
    plain,
    refused,
    settled,
    unsplittable,
)  # fmt: skip
from hub_tiktok.payload import Json, child, children, flag, text, whole
from hub_tiktok.settings import TikTokSettings
from hub_tiktok.shops import Shop, Shops

Results = dict[str, PackageResult]


def _duplicate(package: Package, order: Order) -> PackageResult:
    """Return that a number is refused as known already, and whether another parcel of the same order has it."""
    number = plain(package.tracking_number)
    what = f"order {order.ref}, parcel {package.key}: TikTok Shop says that it knows the number {number} already, "
    rest = (line for line in order.lines if line.ref not in package.lines)
    if any(line.tracking_number and plain(line.tracking_number) == number for line in rest):
        what += "for another parcel of this order, and takes it only once"
        do = "If all travel together, mark these units as shipped in Seller Center, then: "
        do += f"hub retry --settled {order.ref}. Else correct the number in the ERP"
        return refused(DUPLICATE.slug, package, what, do)
    return refused(DUPLICATE.slug, package, what + "yet the order's units are unshipped", DUPLICATE.do)


class Shipping:
    """Tells one shop of parcels."""

    def __init__(
        self, connection: Connection[TikTokSettings], shops: Shops, carriers: Carriers, read_again: ReadAgain
    ) -> None:
        self._connection = connection
        self._shops = shops
        self._carriers = carriers
        self._read_again = read_again

    def push(self, fulfillment: Fulfillment, order: Order) -> list[PackageResult]:
        """Tell of every parcel of a shipment that the order does not show yet; one result each, by its key."""
        results: Results = {}
        for package in fulfillment.packages:
            result = settled(package, order)
            if result is not None:
                results[package.key] = result
        rest = [package for package in fulfillment.packages if package.key not in results]
        if rest:
            self._tell(rest, order, results)
        return [results[package.key] for package in fulfillment.packages]

    def _tell(self, packages: Sequence[Package], order: Order, results: Results) -> None:
        shop = self._shops.current()
        by_channel = order.shipping_by is FulfilledBy.CHANNEL
        doubtful: list[Package] = []
        if shop.region == "US" and by_channel:
            self._one_by_one(packages, results, doubtful, lambda each: self._create(each, order))
        elif shop.region in BY_PACKAGE or by_channel:
            self._by_package(packages, order, shop, results, doubtful)
        else:
            self._one_by_one(packages, results, doubtful, lambda each: self._mark(each, order))
        if doubtful:
            self._verify(doubtful, order, shop, results)

    def _one_by_one(
        self,
        packages: Sequence[Package],
        results: Results,
        doubtful: list[Package],
        tell: Callable[[Package], PackageResult],
    ) -> None:
        sent = False
        for package in packages:
            try:
                results[package.key] = tell(package)
                sent = True
            except RefusedError as error:
                if error.is_done:
                    doubtful.append(package)
                else:
                    results[package.key] = refused(error.code, package, error.what, error.do)
            except TransientError as error:
                error.may_have_happened = error.may_have_happened or sent
                raise

    def _mark(self, package: Package, order: Order) -> PackageResult:
        """Mark a parcel's units as shipped; they are always named, so that no unit of another parcel goes with them."""
        body = {**self._own_number(package), "order_line_item_ids": open_lines(package, order)}
        try:
            data = self._shops.call(MARK_SHIPPED, body=body, ids={"order_id": order.ref})
        except RefusedError as error:
            self._forget_carriers(error.code, order)
            raise
        return PackageResult(
            key=package.key,
            package_ref=text(data, "package_id") or None,
            warning=text(child(data, "warning"), "message"),
        )

    def _create(self, package: Package, order: Order) -> PackageResult:
        """Buy a label for a parcel's units; only where none of them is in a package yet (T-107)."""
        known = bought(package, order)
        if known is not None:
            return known
        lines = open_lines(package, order)
        data = self._shops.call(CREATE_PACKAGE, body={"order_id": order.ref, "order_line_item_ids": lines})
        service = child(data, "shipping_service_info")
        carrier = text(service, "shipping_provider_name") or text(data, "shipping_provider_name")
        return PackageResult(
            key=package.key,
            package_ref=text(data, "package_id") or None,
            tracking_number=text(data, "tracking_number") or None,
            carrier=carrier or None,
        )

    def _by_package(
        self, packages: Sequence[Package], order: Order, shop: Shop, results: Results, doubtful: list[Package]
    ) -> None:
        made = groups(packages, order)
        sent = False
        if any(group.package_ref is None for group in made):
            if len(made) == 1:
                what = f"order {order.ref}: TikTok Shop shows no package of it yet"
                results |= {
                    each.key: refused(STRANGE_PACKAGE.slug, each, what, STRANGE_PACKAGE.do) for each in packages
                }
                return
            skus = divided_skus(made, order) if shop.region in BY_SKU else []
            if skus:
                results |= {each.key: unsplittable(each, order, skus) for each in packages}
                return
            try:
                made = self._split(made, order)
            except RejectedError as error:
                results |= {each.key: refused(error.code, each, error.what, error.do) for each in packages}
                return
            sent = True
        try:
            self._ship(packages, made, order, shop, results, doubtful)
        except TransientError as error:
            error.may_have_happened = error.may_have_happened or sent
            raise

    def _split(self, made: Sequence[Group], order: Order) -> list[Group]:
        """Split an order into these packages; every unit is named, because TikTok may want that (T-106)."""
        named = {str(at + 1): group for at, group in enumerate(made)}
        wish = [{"id": label, "order_line_item_ids": list(group.lines)} for label, group in named.items()]
        data = self._shops.call(SPLIT, body={"splittable_groups": wish}, ids={"order_id": order.ref})
        refs = {text(item, "splittable_group_id"): text(item, "id") for item in children(data, "packages")}
        missing = [label for label in named if not refs.get(label)]
        if missing:
            raise TransientError(
                BUSY.slug,
                f"the split of order {order.ref} does not tell all of its packages",
                where=f"{self._connection.id}, order {order.ref}",
                do="Nothing to do: the order is read again",
                may_have_happened=True,
            )
        return [Group(group.key, group.lines, refs[label]) for label, group in named.items()]

    def _ship(
        self,
        packages: Sequence[Package],
        made: Sequence[Group],
        order: Order,
        shop: Shop,
        results: Results,
        doubtful: list[Package],
    ) -> None:
        """Ship packages that exist: one call for one, one for up to `batch_size` (T-105)."""
        by_key = {package.key: package for package in packages}
        todo = [(by_key[group.key], group.package_ref) for group in made if group.key and group.package_ref]
        wishes = [(package, ref, self._handover(package, ref, order, shop)) for package, ref in todo]
        if len(wishes) == 1:
            package, ref, wish = wishes[0]
            self._one_by_one([package], results, doubtful, lambda each: self._ship_one(each, ref, wish, order))
            return
        size = self._connection.settings.batch_size
        for at in range(0, len(wishes), size):
            for package, ref, fault in self._ship_many(wishes[at : at + size], sent=at > 0):
                self._note(package, ref, fault, order, results, doubtful)

    def _ship_one(self, package: Package, ref: str, wish: Json, order: Order) -> PackageResult:
        try:
            self._shops.call(SHIP, body=wish, ids={"package_id": ref})
        except RefusedError as error:
            self._forget_carriers(error.code, order)
            raise
        return PackageResult(key=package.key, package_ref=ref)

    def _ship_many(
        self, wishes: Sequence[tuple[Package, str, Json]], *, sent: bool
    ) -> Iterator[tuple[Package, str, RefusedError | None]]:
        body = {"packages": [{"id": ref, **wish} for _, ref, wish in wishes]}
        try:
            faults = {
                text(child(each, "detail"), "package_id"): each
                for each in children(self._shops.call(SHIP_MANY, body=body), "errors")
            }
        except RefusedError as error:
            yield from ((package, ref, error) for package, ref, _ in wishes)
            return
        except TransientError as error:
            error.may_have_happened = error.may_have_happened or sent
            raise
        for package, ref, _ in wishes:
            fault = faults.get(ref) or faults.get("")  # one that names no package may be any of them
            yield package, ref, package_fault(fault, ref, self._connection.id) if fault is not None else None

    def _note(
        self,
        package: Package,
        ref: str,
        fault: RefusedError | None,
        order: Order,
        results: Results,
        doubtful: list[Package],
    ) -> None:
        if fault is None:
            results.setdefault(package.key, PackageResult(key=package.key, package_ref=ref))
        elif fault.is_done:
            doubtful.append(package)
        else:
            self._forget_carriers(fault.code, order)
            results[package.key] = refused(fault.code, package, fault.what, fault.do)

    def _handover(self, package: Package, ref: str, order: Order, shop: Shop) -> Json:
        """Return what a package's shipping call says besides which package it is."""
        if order.shipping_by is FulfilledBy.SELLER:
            return {"self_shipment": self._own_number(package)}
        how = self._connection.settings.handover
        if how == "default" or shop.region in SOUTH_EAST_ASIA:
            return {}
        if how == "drop_off":
            return {"handover_method": "DROP_OFF"}
        offered = children(self._shops.call(SLOTS, ids={"package_id": ref}), "pickup_slots")
        slot = next((each for each in offered if flag(each, "avaliable") or flag(each, "available")), None)
        times = {name: whole(slot, name) for name in ("start_time", "end_time")} if slot else None
        return {"handover_method": "PICKUP"} | ({"pickup_slot": times} if times else {})

    def _verify(self, packages: Sequence[Package], order: Order, shop: Shop, results: Results) -> None:
        """Read an order again for parcels that TikTok says it knows, and believe the order's lines alone."""
        now = self._read_again(order)
        for package in packages:
            found = settled(package, now) if now is not None else None
            if found is None and now is not None and order.shipping_by is FulfilledBy.CHANNEL:
                found = bought(package, now) if shop.region == "US" else None
                if found is None:
                    raise self._lagging(order)
            results[package.key] = found or _duplicate(package, now or order)

    def _lagging(self, order: Order) -> TransientError:
        return TransientError(
            BUSY.slug,
            f"TikTok Shop says that order {order.ref} is shipped, and does not show it yet",
            where=f"{self._connection.id}, order {order.ref}",
            do="Nothing to do: the order is read again",
            may_have_happened=True,
        )

    def _own_number(self, package: Package) -> Json:
        return {
            "tracking_number": plain(package.tracking_number),
            "shipping_provider_id": package.carrier_ref or "",
        }

    def _forget_carriers(self, slug: str, order: Order) -> None:
        if slug == CARRIER.slug and order.delivery_ref:
            self._carriers.forget(order.delivery_ref)
