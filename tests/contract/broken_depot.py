"""Channel connectors that break one promise each about parcels."""

from __future__ import annotations

from collections.abc import Sequence

from hub.contract import (
    Carrier,
    Fulfillment,
    Label,
    Order,
    Package,
    PackageResult,
    RejectedError,
    TransientError,
    hookimpl,
)
from tests.contract.broken import breaks
from tests.contract.tiny_depot import TinyDepot
from tests.contract.tiny_system import Json


@breaks("test_each_package_is_told_once_with_exactly_its_lines")
class TellsTheFirstLineOfAParcel(TinyDepot):
    def create(self, package: Package, order: Order, lines: Sequence[str]) -> Json:
        return super().create(package, order, lines[:1])


@breaks("test_parcels_told_one_after_another_stay_apart")
class GivesLaterParcelsTheFirstNumber(TinyDepot):
    @hookimpl
    def push_fulfillment(self, fulfillment: Fulfillment, order: Order | None) -> list[PackageResult]:
        results = super().push_fulfillment(fulfillment, order)
        self.connection.memory.set(fulfillment.order_ref, fulfillment.packages[0].tracking_number or "")
        return results

    def create(self, package: Package, order: Order, lines: Sequence[str]) -> Json:
        number = self.connection.memory.get(order.ref) or package.tracking_number
        return super().create(package.model_copy(update={"tracking_number": number}), order, lines)


@breaks("test_every_package_has_one_result_by_its_key")
class TellsEachResultTwice(TinyDepot):
    @hookimpl
    def push_fulfillment(self, fulfillment: Fulfillment, order: Order | None) -> list[PackageResult]:
        results = super().push_fulfillment(fulfillment, order)
        return results * 2 if len(results) > 1 else results


@breaks("test_a_parcel_that_is_there_is_done_without_a_second_one")
class RefusesWhatItToldItself(TinyDepot):
    def tell(self, package: Package, order: Order) -> PackageResult:
        if self.connection.memory.get(package.key):
            return PackageResult(key=package.key, error="it was told already")
        result = super().tell(package, order)
        self.connection.memory.set(package.key, "told")
        return result


@breaks("test_a_parcel_whose_answer_was_lost_does_not_ship_twice")
class IsSureThatALostParcelFailed(TinyDepot):
    def create(self, package: Package, order: Order, lines: Sequence[str]) -> Json:
        try:
            return super().create(package, order, lines)
        except TransientError as error:
            raise TransientError(error.code, error.what, where=error.where, do=error.do) from error


@breaks("test_lines_shipped_under_another_number_are_refused")
class ShipsWhatIsShippedOtherwise(TinyDepot):
    def tell(self, package: Package, order: Order) -> PackageResult:
        result = super().tell(package, order)
        return result.model_copy(update={"error": None}) if result.code == "shipped-otherwise" else result


@breaks("test_a_parcel_that_cannot_go_does_not_hold_the_others")
class RaisesForOneBadParcel(TinyDepot):
    def tell(self, package: Package, order: Order) -> PackageResult:
        result = super().tell(package, order)
        if result.code == "line-unknown":
            raise RejectedError("line-unknown", "there is no such line", where="tiny", do="Mend it.")
        return result


@breaks("test_a_corrected_number_takes_the_place_of_the_first")
class CorrectsOnceAndThenRefuses(TinyDepot):
    @hookimpl
    def update_fulfillment(self, fulfillment: Fulfillment, order: Order | None) -> list[PackageResult]:
        shown = {line.tracking_number for line in order.lines} if order else set()
        if any(package.tracking_number in shown for package in fulfillment.packages):
            return [PackageResult(key=package.key, error="corrected already") for package in fulfillment.packages]
        return super().update_fulfillment(fulfillment, order)


@breaks("test_carriers_are_there_and_have_refs_of_their_own")
class KnowsNobody(TinyDepot):
    """It ships with the one carrier that it has in mind."""

    @hookimpl
    def list_carriers(self, delivery_ref: str) -> list[Carrier]:
        return super().list_carriers(delivery_ref)[:0]


@breaks("test_a_label_is_a_document")
class PrintsTheWaitingPage(TinyDepot):
    @hookimpl
    def fetch_label(self, package_ref: str) -> Label:
        try:
            return super().fetch_label(package_ref)
        except TransientError:
            return Label(content=b"<html>come back later</html>", media_type="text/html")
