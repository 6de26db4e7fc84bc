"""ERP connectors that break one promise each about what follows an order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from hub.contract import (
    Cursor,
    Fulfillment,
    Order,
    OrderKey,
    PackageResult,
    Page,
    PlacedOrder,
    RejectedError,
    SalesOrder,
    SalesReturn,
    TransientError,
    hookimpl,
)
from tests.contract.broken import breaks
from tests.contract.tiny import TinyErp
from tests.contract.tiny_office import TinyBackOffice, TinyOffice
from tests.contract.tiny_system import Json

Fulfillments = Iterator[Page[Fulfillment]]


@breaks("test_a_found_order_tells_its_rows")
class TellsNoRows(TinyErp):
    @hookimpl
    def find_orders(self, orders: Sequence[OrderKey], before: datetime | None) -> list[PlacedOrder]:
        return [one.model_copy(update={"rows": ()}) for one in super().find_orders(orders, before)]


class _Erp(TinyErp):
    """Places orders, and tells which of them have left."""

    system = TinyBackOffice

    def placed(self, row: Json) -> PlacedOrder:
        return super().placed(row).model_copy(update={"untouched": not row.get("shipped", False)})


@breaks("test_an_order_is_untouched_until_something_of_it_ships")
class CallsEveryOrderUntouched(_Erp):
    def placed(self, row: Json) -> PlacedOrder:
        return super().placed(row).model_copy(update={"untouched": True})


@breaks("test_an_updated_order_has_exactly_the_rows_asked_for")
class AddsRowsAndDropsNone(TinyOffice):
    @hookimpl
    def update_order(self, order: SalesOrder, existing: PlacedOrder) -> PlacedOrder:
        wanted = {row.variant_ref for row in order.rows}
        kept = [row for row in existing.rows if row.variant_ref not in wanted]
        more = [
            order.rows[0].model_copy(update={"variant_ref": row.variant_ref, "quantity": row.quantity}) for row in kept
        ]
        return super().update_order(order.model_copy(update={"rows": (*order.rows, *more)}), existing)


@breaks("test_an_update_that_changes_nothing_writes_nothing")
class WritesWithoutComparing(TinyOffice):
    @hookimpl
    def update_order(self, order: SalesOrder, existing: PlacedOrder) -> PlacedOrder:
        if not existing.untouched:
            raise self.packed()
        body = {"id": existing.ref, "rows": self.body(order)["rows"]}
        return self.placed(self.send("POST", "rows", body=body, reads=False))


@breaks("test_an_order_of_which_parts_have_left_is_not_updated")
class RefusesAnUpdateWithoutItsCode(TinyOffice):
    @hookimpl
    def update_order(self, order: SalesOrder, existing: PlacedOrder) -> PlacedOrder:
        try:
            return super().update_order(order, existing)
        except RejectedError as error:
            raise RejectedError("refused", error.what, where=error.where, do=error.do) from error


@breaks("test_a_cancelled_order_is_gone")
class ForgetsToSayThatItIsSo(TinyOffice):
    @hookimpl
    def cancel_order(self, order_ref: str, reason: str | None) -> bool:
        is_repeat = bool(self.connection.memory.get(order_ref))
        self.connection.memory.set(order_ref, "cancelled")
        return super().cancel_order(order_ref, reason) and is_repeat


@breaks("test_an_order_cancelled_again_is_fine")
class RefusesToCancelTwice(TinyOffice):
    @hookimpl
    def cancel_order(self, order_ref: str, reason: str | None) -> bool:
        if self.send("GET", "sale", id=order_ref)["deleted"]:
            raise RejectedError("gone", "it is gone", where="tiny", do="Nothing.")
        return super().cancel_order(order_ref, reason)


@breaks("test_an_order_of_which_parts_have_left_is_not_cancelled")
class CancelsWhatHasLeft(TinyOffice):
    @hookimpl
    def cancel_order(self, order_ref: str, reason: str | None) -> bool:
        try:
            return super().cancel_order(order_ref, reason)
        except RejectedError:
            self.send("POST", "deletions", body={"id": order_ref}, reads=False)
            raise


# Fulfillments


@breaks("test_a_fulfillment_tells_order_rows_and_tracking")
class TellsWholeRows(TinyOffice):
    @hookimpl
    def pull_fulfillments(self, since: Cursor | None, start: datetime) -> Fulfillments:
        for page in super().pull_fulfillments(since, start):
            yield Page(tuple(self.rounded_up(one) for one in page.items), page.cursor)

    def rounded_up(self, one: Fulfillment) -> Fulfillment:
        (package,) = one.packages
        lines = dict.fromkeys(package.lines, Decimal(2))
        return one.model_copy(update={"packages": (package.model_copy(update={"lines": lines}),)})


@breaks("test_pages_of_fulfillments_are_read_lazily")
class ReadsAllFulfillmentsBeforeThePage(TinyOffice):
    @hookimpl
    def pull_fulfillments(self, since: Cursor | None, start: datetime) -> Fulfillments:
        yield from list(super().pull_fulfillments(since, start))


@breaks("test_what_ships_after_a_pull_is_in_the_next_one")
class ResumesPastTheLastSecond(TinyOffice):
    """Only what is new is lost: what people change or delete later has a later instant."""

    def feed(self, path: str, since: str | None, start: datetime | None) -> Iterator[tuple[list[Json], Cursor]]:
        for rows, cursor in super().feed(path, since, start):
            yield [row for row in rows if since is None or row["changed"] > since], cursor


@breaks("test_a_number_entered_after_a_pull_is_told")
class TellsTheFirstNumberForEver(TinyOffice):
    def fulfillment(self, row: Json) -> Fulfillment:
        known = self.connection.memory.get(row["id"]) or row["number"]
        self.connection.memory.set(row["id"], known)
        return super().fulfillment(row | {"number": known})


@breaks("test_a_fulfillment_deleted_after_a_pull_is_told")
class LeavesOutWhatIsDeleted(TinyOffice):
    @hookimpl
    def pull_fulfillments(self, since: Cursor | None, start: datetime) -> Fulfillments:
        for page in super().pull_fulfillments(since, start):
            yield Page(tuple(one for one in page.items if not one.deleted), page.cursor)


@breaks("test_packages_have_keys_of_their_own")
class CallsPackagesByTheirOrder(TinyOffice):
    def fulfillment(self, row: Json) -> Fulfillment:
        told = super().fulfillment(row)
        package = told.packages[0].model_copy(update={"key": row["sale"]})
        return told.model_copy(update={"packages": (package,)})


@breaks("test_fetch_tells_each_fulfillment_as_it_now_stands")
class FetchesFulfillmentsTwice(TinyOffice):
    @hookimpl
    def fetch_fulfillments(self, refs: Sequence[str]) -> list[Fulfillment]:
        return 2 * super().fetch_fulfillments(refs)


@breaks("test_a_fulfillment_that_is_gone_comes_back_deleted")
class LeavesOutWhatIsUnknown(TinyOffice):
    @hookimpl
    def fetch_fulfillments(self, refs: Sequence[str]) -> list[Fulfillment]:
        return [one for one in super().fetch_fulfillments(refs) if one.order_ref != "?"]


# Returns


@breaks("test_a_return_books_exactly_its_rows")
class SaysTheKeyInPlaceOfTheId(TinyOffice):
    @hookimpl
    def push_return(self, sales_return: SalesReturn) -> str:
        super().push_return(sales_return)
        return sales_return.key


@breaks("test_a_return_that_is_there_is_not_booked_again")
class BooksAgainWhatItBookedItself(TinyOffice):
    @hookimpl
    def push_return(self, sales_return: SalesReturn) -> str:
        if self.connection.memory.get(sales_return.key):
            return str(self.book(sales_return)["id"])
        made = super().push_return(sales_return)
        self.connection.memory.set(sales_return.key, made)
        return made


@breaks("test_a_return_whose_answer_was_lost_is_not_booked_twice")
class IsSureThatALostReturnFailed(TinyOffice):
    def book(self, sales_return: SalesReturn) -> Json:
        try:
            return super().book(sales_return)
        except TransientError as error:
            raise TransientError(error.code, error.what, where=error.where, do=error.do) from error


# Recorded parcels: broken as a channel's are, seen by the same rules


@breaks(
    "test_a_parcel_that_is_there_is_done_without_a_second_one",
    "test_a_parcel_whose_answer_was_lost_does_not_ship_twice",
    "test_lines_shipped_under_another_number_are_refused",
)
class RecordsEachParcelAnew(TinyOffice):
    @hookimpl
    def push_fulfillment(self, fulfillment: Fulfillment, order: Order | None) -> list[PackageResult]:
        sale = self.send("GET", "sale", id=fulfillment.order_ref)
        return self.tell_all(fulfillment, sale | {"left": []})
