"""Writes fulfillments: records what a channel shipped, and the tracking that a channel gave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from hub.contract import Connection, Fulfillment, Package, PackageResult, RejectedError, TransientError
from hub_katana.answers import Row
from hub_katana.client import Client
from hub_katana.failures import RefusedError, filter_ignored, transient
from hub_katana.fulfillments import PATH, Fulfillments
from hub_katana.parcels import fulfillment_body, lines_of, tracking_body, word
from hub_katana.settings import KatanaSettings
from hub_katana.translate import Body, decimal_of

ZERO = Decimal(0)


class Shipping:
    """Creates fulfillments, one per Package, and corrects their tracking."""

    def __init__(self, connection: Connection[KatanaSettings], client: Client, reader: Fulfillments) -> None:
        self._connection = connection
        self._client = client
        self._reader = reader

    def record(self, given: Fulfillment) -> list[PackageResult]:
        """Make the order's fulfillments hold these packages.

        Units:   1 call to see what the order has, and 1 for each package it lacks; 1 more, once, where rows of such a
                 package are in a fulfillment that is none of these.
        Repeats: safe: a package that is there, by number or by rows, is not made again, and no row ships twice,
                 whether or not Katana would refuse that (K-69).
        Raises:  TransientError(may_have_happened=True) where an answer was lost, or an earlier package was made.
        """
        there = self._reader.of_order(_id(given.order_ref, self._connection.id))
        if there is None:
            raise filter_ignored("fulfillments of one sales order", where=self._connection.id)
        found = _recognised(given.packages, there)
        matched = {match["id"] for match in found.values()}
        rows = _OpenRows(self._client, given.order_ref, there, [row for row in there if row["id"] not in matched])
        results: list[PackageResult] = []
        for package in given.packages:
            try:
                match = found.get(package.key)
                done = self._create(given, package, rows) if match is None else self._complete(given, package, match)
            except TransientError as error:
                if results and not error.may_have_happened:
                    raise transient(error, may_have_happened=True) from error
                raise
            results.append(done)
        return results

    def correct(self, given: Fulfillment) -> list[PackageResult]:
        """Write number, carrier and link of each Package to its fulfillment (``Package.ref``), one call each."""
        return [self._correct(package, tracking_body(package)) for package in given.packages]

    def _create(self, given: Fulfillment, package: Package, rows: _OpenRows) -> PackageResult:
        lacking = rows.lacking(package)
        if lacking:
            what = f"sales order {given.order_ref} has not that much left to ship: {lacking}"
            do = "Compare the order's fulfillments in Katana with the channel's packages."
            return _refused(package.key, "row-shipped-already", what, do)
        try:
            body = fulfillment_body(given, package)
            made = self._client.create(PATH, body, subject=f"package {package.key}")
        except (ValueError, RefusedError) as refused:
            what = refused.what if isinstance(refused, RefusedError) else str(refused)
            do = "Mend what Katana names, or ship the order in Katana by hand; then retry."
            return _refused(package.key, "fulfillment-refused", what, do)
        rows.ship(package)
        return PackageResult(key=package.key, package_ref=str(made["id"]))

    def _complete(self, given: Fulfillment, package: Package, match: Row) -> PackageResult:
        """Bring a fulfillment that is there up to what is known by now: its tracking, and that it is delivered."""
        shown = {name: word(match.get(name)) for name in ("tracking_number", "tracking_carrier", "tracking_url")}
        body: Body = {name: text for name, text in tracking_body(package).items() if shown[name] is None}
        if given.delivered and match.get("status") != "DELIVERED":
            body["status"] = "DELIVERED"
        done = self._correct(package.model_copy(update={"ref": str(match["id"])}), body)
        if lines_of(match) == package.lines or done.error:
            return done
        warning = f"fulfillment {match['id']} carries this tracking number, but not exactly these quantities"
        return done.model_copy(update={"warning": warning})

    def _correct(self, package: Package, body: Body) -> PackageResult:
        ref = package.ref or package.key
        do = "Nothing to do if it was deleted on purpose; else record the package in Katana by hand."
        if not (ref.isascii() and ref.isdecimal()):
            return _refused(package.key, "fulfillment-gone", f"{ref!r} is no fulfillment of Katana", do)
        try:
            if body:
                self._client.change(f"{PATH}/{ref}", body, subject=f"package {package.key}")
        except RefusedError as refused:
            if refused.refusal.status == 404:
                return _refused(package.key, "fulfillment-gone", f"fulfillment {ref} is not in Katana any more", do)
            return _refused(package.key, "fulfillment-refused", refused.what, refused.do)
        return PackageResult(key=package.key, package_ref=ref)


class _OpenRows:
    """What an order still has to ship; read once, and only where fulfillments that are not ours hold a row too."""

    def __init__(self, client: Client, order_ref: str, there: Sequence[Row], others: Sequence[Row]) -> None:
        self._client, self._order_ref = client, order_ref
        self._shipped: dict[str, Decimal] = {}
        self._doubtful = {ref for row in others for ref in lines_of(row)}
        self._ordered: dict[str, Decimal] | None = None
        for row in there:
            self._add(lines_of(row))

    def ship(self, package: Package) -> None:
        self._add(package.lines)

    def lacking(self, package: Package) -> str:
        """Return in words which rows of a package are shipped already; nothing where there is room for all."""
        touched = {ref: quantity for ref, quantity in package.lines.items() if ref in self._doubtful}
        if not touched:
            return ""
        left = {ref: self._orders().get(ref, ZERO) - self._shipped[ref] for ref in touched}
        short = [ref for ref, quantity in touched.items() if quantity > left[ref]]
        return ", ".join(f"row {ref} has {max(left[ref], ZERO)} of {touched[ref]}" for ref in short)

    def _orders(self) -> dict[str, Decimal]:
        if self._ordered is None:
            order = self._client.find(f"/sales_orders/{self._order_ref}") or {}
            rows = order.get("sales_order_rows") or ()
            self._ordered = {str(row["id"]): decimal_of(row.get("quantity")) or ZERO for row in rows}
        return self._ordered

    def _add(self, lines: dict[str, Decimal]) -> None:
        for ref, quantity in lines.items():
            self._shipped[ref] = self._shipped.get(ref, ZERO) + quantity


def _recognised(packages: Sequence[Package], there: Sequence[Row]) -> dict[str, Row]:
    """Return the fulfillment that each package already is, the surest likeness first, each one once."""
    left, found = list(there), dict[str, Row]()

    def is_same_number(package: Package, row: Row) -> bool:
        number = (package.tracking_number or "").strip()
        return bool(number) and number == word(row.get("tracking_number"))

    def is_same_rows(package: Package, row: Row) -> bool:
        is_silent = not (package.tracking_number or "").strip() or word(row.get("tracking_number")) is None
        return is_silent and package.lines == lines_of(row)

    def is_exact(package: Package, row: Row) -> bool:
        return is_same_number(package, row) and package.lines == lines_of(row)

    likenesses: tuple[Callable[[Package, Row], bool], ...] = (is_exact, is_same_number, is_same_rows)
    for is_like in likenesses:
        for package in packages:
            match = next((row for row in left if is_like(package, row)), None)
            if package.key not in found and match is not None:
                left.remove(match)
                found[package.key] = match
    return found


def _id(order_ref: str, where: str) -> int:
    if not (order_ref.isascii() and order_ref.isdecimal()):
        do = "Look the order up in Katana, then retry."
        raise RejectedError("reference-invalid", f"{order_ref!r} is no Katana id", where=where, do=do)
    return int(order_ref)


def _refused(key: str, code: str, error: str, do: str) -> PackageResult:
    return PackageResult(key=key, code=code, error=error, do=do)
