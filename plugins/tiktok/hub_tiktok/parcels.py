"""What an order, as just read, says of parcels that are to be told to TikTok Shop; pure.

A repeat is never told by a key (there is none, T-104): the order's own lines say what has shipped under which number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hub.contract import FulfilledBy, LineItem, LineStatus, Order, OrderStatus, Package, PackageResult
from hub_tiktok.codes import CANCEL_REQUESTED, CARRIED, NOT_SHIPPABLE, ON_HOLD, UNSPLITTABLE

BY_PACKAGE = frozenset({"ID", "TH", "SG", "MY", "VN", "PH", "BR", "MX"})  # T-103: where packages exist and are shipped
SOUTH_EAST_ASIA = frozenset({"ID", "TH", "SG", "MY", "VN", "PH"})
BY_SKU = BY_PACKAGE - {"MX"}  # T-106: units of one SKU stay together; in Mexico it depends on the seller

ReadAgain = Callable[[Order], Order | None]
"""Returns the present state of an order; None where TikTok no longer knows it."""


@dataclass(frozen=True, slots=True)
class Group:
    """Lines that become, or are, one package on TikTok's side; ``key`` names the parcel it belongs to, if any."""

    key: str | None
    lines: tuple[str, ...]
    package_ref: str | None = None


def plain(number: str | None) -> str:
    """Return a tracking number as TikTok takes it: letters and digits only (T-111)."""
    return re.sub(r"[^A-Za-z0-9]", "", number or "")


def refused(slug: str, package: Package, what: str, do: str) -> PackageResult:
    """Return that a parcel was not told, and why."""
    return PackageResult(key=package.key, code=slug, error=what, do=do)


def lines_of(package: Package, order: Order) -> list[LineItem]:
    """Return a parcel's lines as the order has them."""
    return [line for line in order.lines if line.ref in package.lines]


def open_lines(package: Package, order: Order) -> list[str]:
    """Return a parcel's lines that have not shipped yet."""
    return [line.ref for line in lines_of(package, order) if line.status is LineStatus.OPEN]


def settled(package: Package, order: Order) -> PackageResult | None:
    """Return how a parcel stands where no call is to be made for it: done already, or impossible; else None.

    Args:
        order: its present state; what it says of numbers and packages decides.
    """
    where = f"order {order.ref}, parcel {package.key}"
    lines = lines_of(package, order)
    if not lines or len(lines) < len(package.lines):
        unknown = ", ".join(sorted(set(package.lines) - {line.ref for line in lines})) or "none given"
        what = f"{where}: these lines are not in the order: {unknown}"
        return refused("line-unknown", package, what, "Report this to the hub's authors")
    shipped = [line for line in lines if line.status is LineStatus.SHIPPED]
    if shipped:
        strange = _shipped_otherwise(package, order, shipped, where)
        if strange is not None or len(shipped) == len(lines):
            return strange or done(package, order)
    return _impossible(package, order, lines, where)


def done(package: Package, order: Order) -> PackageResult:
    """Return that a parcel is told, with what its lines say of it; the number only where TikTok gave it."""
    lines = lines_of(package, order)
    refs = [line.package_ref for line in lines if line.package_ref]
    numbers = [line.tracking_number for line in lines if line.tracking_number]
    by_channel = order.shipping_by is FulfilledBy.CHANNEL
    return PackageResult(
        key=package.key,
        package_ref=next(iter(refs), None),
        tracking_number=next(iter(numbers), None) if by_channel else None,
    )


def bought(package: Package, order: Order) -> PackageResult | None:
    """Return how a parcel stands whose label may be bought already; None where none of its units is in a package."""
    packed = {line.package_ref for line in lines_of(package, order) if line.package_ref}
    if not packed:
        return None
    mixed = any(line.package_ref in packed for line in order.lines if line.ref not in package.lines)
    bare = any(line.package_ref is None for line in lines_of(package, order))
    if len(packed) > 1 or mixed or bare:
        what = f"order {order.ref}, parcel {package.key}: its units are in other packages on TikTok Shop"
        return refused("shipped-otherwise", package, what, "Arrange the packages in Seller Center")
    return done(package, order)


def _shipped_otherwise(package: Package, order: Order, shipped: Sequence[LineItem], where: str) -> PackageResult | None:
    own = plain(package.tracking_number).upper()
    others = {number for line in shipped if (number := plain(line.tracking_number).upper()) != own}
    if order.shipping_by is FulfilledBy.CHANNEL:
        # TikTok gave the number, so what counts is that no unit of another parcel lies in the same package.
        refs = {line.package_ref for line in shipped}
        mixed = [line.ref for line in order.lines if line.package_ref in refs and line.ref not in package.lines]
        if len(refs) == 1 and not mixed and len(shipped) == len(package.lines):
            return None
        what = f"{where}: its units are shipped in other packages than this one ({_listed(refs)})"
    elif not others:
        return None
    else:
        what = f"{where}: units are shipped already under another number ({_listed(others)})"
    do = "Compare the parcel with the order in Seller Center; correct the number where it is wrong"
    return refused("shipped-otherwise", package, what, do)


def _impossible(package: Package, order: Order, lines: Sequence[LineItem], where: str) -> PackageResult | None:
    cancelled = [line.ref for line in lines if line.status is LineStatus.CANCELLED]
    if order.fulfilled_by is FulfilledBy.CHANNEL:
        return refused(CARRIED.slug, package, f"{where}: the order ships from TikTok Shop's own stock", CARRIED.do)
    if order.status in (OrderStatus.ON_HOLD, OrderStatus.UNPAID):
        return refused(ON_HOLD.slug, package, f"{where}: the order is {order.channel_status}", ON_HOLD.do)
    if order.status is OrderStatus.CANCELLED or cancelled:
        what = f"{where}: cancelled on TikTok Shop: {', '.join(cancelled)}"
        return refused(NOT_SHIPPABLE.slug, package, what, NOT_SHIPPABLE.do)
    if order.cancel_requested:  # T-102
        what = f"{where}: the buyer asks to cancel the order"
        return refused(CANCEL_REQUESTED.slug, package, what, CANCEL_REQUESTED.do)
    if order.shipping_by is FulfilledBy.SELLER and not (plain(package.tracking_number) and package.carrier_ref):
        lacks = "carrier of TikTok Shop" if plain(package.tracking_number) else "tracking number"
        return refused(
            "parcel-incomplete", package, f"{where}: it has no {lacks}", "Enter it in the ERP, or map the carrier"
        )
    return None


def groups(packages: Sequence[Package], order: Order) -> list[Group]:
    """Return every open unit of an order in the package it shall be in: the given parcels, and what is left.

    Shape: where a parcel's units already are whole packages there, those; so that nothing is split without need. A
           group without ``package_ref`` has yet to be made; if there is one, TikTok wants all of them named (T-106).
    """
    living = [line for line in order.lines if line.status is LineStatus.OPEN]
    there: dict[str, list[str]] = {}
    for line in living:
        there.setdefault(line.package_ref or "", []).append(line.ref)
    made: list[Group] = []
    taken: set[str] = set()
    for package in packages:
        wanted = set(open_lines(package, order))
        taken |= wanted
        whole = [(ref, lines) for ref, lines in there.items() if ref and set(lines) <= wanted]
        if wanted == {line for _, lines in whole for line in lines}:
            made += [Group(package.key, tuple(lines), ref) for ref, lines in whole]
        else:
            made.append(Group(package.key, tuple(line.ref for line in living if line.ref in wanted)))
    for ref, lines in there.items():
        left = tuple(line for line in lines if line not in taken)
        if left:
            made.append(Group(None, left, ref if ref and len(left) == len(lines) else None))
    return made


def divided_skus(made: Sequence[Group], order: Order) -> list[str]:
    """Return the SKUs of which units lie in several groups (T-106)."""
    group_of = {line: at for at, group in enumerate(made) for line in group.lines}
    places: dict[str, set[int]] = {}
    names: dict[str, str] = {}
    for line in order.lines:
        if line.ref in group_of:
            variant = line.variant_ref or line.sku or line.ref
            places.setdefault(variant, set()).add(group_of[line.ref])
            names[variant] = line.sku or variant
    return sorted(names[variant] for variant, at in places.items() if len(at) > 1)


def unsplittable(package: Package, order: Order, skus: Sequence[str]) -> PackageResult:
    """Return that TikTok takes no such split."""
    what = f"order {order.ref}: TikTok Shop keeps the units of one SKU in one package here: {', '.join(skus)}"
    return refused(UNSPLITTABLE.slug, package, what, UNSPLITTABLE.do)


def _listed(found: set[str | None] | set[str]) -> str:
    return ", ".join(sorted(each or "none" for each in found))
