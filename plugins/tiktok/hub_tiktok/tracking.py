"""What happens to parcels after they were told: a corrected number, and the label."""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from hub.contract import (
    Connection,
    FulfilledBy,
    Fulfillment,
    Label,
    LineStatus,
    Order,
    Package,
    PackageResult,
    RejectedError,
    TransientError,
)  # fmt: skip
from hub_tiktok.carriers import Carriers
from hub_tiktok.client import Client
from hub_tiktok.codes import CARRIED, CARRIER, LABEL_LATER, UNSHIPPED
from hub_tiktok.endpoints import LABEL, RENUMBER_ORDER, RENUMBER_PACKAGE
from hub_tiktok.errors import RefusedError
from hub_tiktok.parcels import ReadAgain, done, lines_of, plain, refused
from hub_tiktok.payload import text
from hub_tiktok.settings import TikTokSettings
from hub_tiktok.shops import Shops

MOST_LABEL_BYTES = 10 * 1024 * 1024
MEDIA_TYPES = {"PDF": "application/pdf", "ZPL": "text/plain"}


class Tracking:
    """Corrects numbers of one shop's parcels and fetches their labels."""

    def __init__(
        self,
        connection: Connection[TikTokSettings],
        client: Client,
        shops: Shops,
        carriers: Carriers,
        read_again: ReadAgain,
    ) -> None:
        self._connection = connection
        self._client = client
        self._shops = shops
        self._carriers = carriers
        self._read_again = read_again

    def update(self, fulfillment: Fulfillment, order: Order) -> list[PackageResult]:
        """Correct the numbers of parcels that TikTok knows: one call each, none where it has the number already."""
        return [self._update(package, order) for package in fulfillment.packages]

    def _update(self, package: Package, order: Order) -> PackageResult:
        result = _settled(package, order)
        if result is not None:
            return result
        body = {
            "tracking_number": plain(package.tracking_number),
            "shipping_provider_id": package.carrier_ref or "",
        }
        try:  # T-108
            if _packages_of(order) <= {package.ref}:
                self._shops.call(RENUMBER_ORDER, body=body, ids={"order_id": order.ref})
            else:
                self._shops.call(RENUMBER_PACKAGE, body=body, ids={"package_id": package.ref or ""})
        except RefusedError as error:
            return self._refused(package, order, error)
        return PackageResult(key=package.key, package_ref=package.ref)

    def _refused(self, package: Package, order: Order, error: RefusedError) -> PackageResult:
        if error.code == CARRIER.slug and order.delivery_ref:
            self._carriers.forget(order.delivery_ref)
        if error.is_done:
            now = self._read_again(order)
            if now is not None and _has_number(package, now):
                return done(package, now)
        return refused(error.code, package, error.what, error.do)

    def label(self, package_ref: str) -> Label:
        """Ask for a parcel's label and download it at once, for its address lives a day (T-110): two calls."""
        settings = self._connection.settings
        query = {"document_type": "SHIPPING_LABEL", "document_size": settings.label_size}
        if settings.label_format != "PDF":
            query["document_format"] = settings.label_format
        data = self._shops.call(LABEL, query, ids={"package_id": package_ref})
        where = f"{self._connection.id}, label of package {package_ref}"
        url = text(data, "doc_url")
        if not url:
            raise _not_ready("TikTok Shop names no document", where)
        answer = self._client.download(url, where)
        _check(answer, where)
        stated = answer.headers.get("content-type", "").split(";")[0].strip()
        return Label(
            content=answer.content,
            media_type=stated or MEDIA_TYPES[settings.label_format],
            tracking_number=text(data, "tracking_number") or None,
        )


def _check(answer: httpx.Response, where: str) -> None:
    if answer.status_code != 200 or not answer.content:
        raise _not_ready(f"its address answers HTTP {answer.status_code}", where)
    if len(answer.content) > MOST_LABEL_BYTES:
        raise RejectedError(
            "label-too-large",
            f"the document has {len(answer.content)} bytes, more than a label can have",
            where=where,
            do="Print it in Seller Center",
        )


def _not_ready(what: str, where: str) -> TransientError:
    return TransientError(
        LABEL_LATER.slug,
        f"the label is not ready: {what}",
        where=where,
        do=LABEL_LATER.do,
        retry_after_s=LABEL_LATER.retry_after_s,
    )


def _settled(package: Package, order: Order) -> PackageResult | None:
    """Return how a correction stands where no call is to be made for it; else None."""
    where = f"order {order.ref}, parcel {package.key}"
    if FulfilledBy.CHANNEL in (order.shipping_by, order.fulfilled_by):
        return refused(CARRIED.slug, package, f"{where}: TikTok Shop gave the number itself", CARRIED.do)
    if not package.ref or not lines_of(package, order):
        return refused(UNSHIPPED.slug, package, f"{where}: TikTok Shop knows no such package", UNSHIPPED.do)
    if _has_number(package, order):
        return done(package, order)
    if not (plain(package.tracking_number) and package.carrier_ref):
        what = f"{where}: a corrected number needs its carrier as TikTok Shop calls it"
        return refused("parcel-incomplete", package, what, "Enter it in the ERP, or map the carrier")
    return None


def _has_number(package: Package, order: Order) -> bool:
    own = plain(package.tracking_number).upper()
    lines: Sequence[str] = [plain(line.tracking_number).upper() for line in lines_of(package, order)]
    return bool(own) and bool(lines) and all(number == own for number in lines)


def _packages_of(order: Order) -> set[str | None]:
    return {line.package_ref for line in order.lines if line.status is not LineStatus.CANCELLED}
