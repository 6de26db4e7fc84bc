"""ERP connectors that break one promise each, and two that break several at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from hub.contract import (
    ConfigurationError,
    OrderKey,
    PlacedOrder,
    RejectedError,
    SalesOrder,
    TransientError,
    Variant,
    hookimpl,
)
from tests.contract.broken import breaks
from tests.contract.tiny import TinyErp, TinyQuickErp
from tests.contract.tiny_system import Json


@breaks("test_find_variants_finds_every_sku_and_no_other")
class FindsWhatBeginsAlike(TinyErp):
    @hookimpl
    def find_variants(self, skus: Sequence[str]) -> list[Variant]:
        rows = self.send("GET", "variants")["variants"]
        return [Variant(ref=row["id"], sku=row["sku"]) for row in rows if row["sku"].startswith((*skus,))]


@breaks("test_find_variants_checks_what_came_back")
class TrustsTheSkuFilter(TinyErp):
    @hookimpl
    def find_variants(self, skus: Sequence[str]) -> list[Variant]:
        rows = self.send("GET", "variants", sku=",".join(skus))["variants"] if skus else []
        return [Variant(ref=row["id"], sku=row["sku"]) for row in rows]


@breaks("test_a_push_makes_exactly_one_sales_order_with_all_its_rows")
class SendsTwoRowsAtMost(TinyErp):
    def body(self, order: SalesOrder) -> Json:
        whole = super().body(order)
        return whole | {"rows": whole["rows"][:2]}


@breaks("test_a_pushed_order_is_found_and_no_other")
class FindsThreeAtMost(TinyErp):
    @hookimpl
    def find_orders(self, orders: Sequence[OrderKey], before: datetime | None) -> list[PlacedOrder]:
        return super().find_orders(orders, before)[:3]


@breaks("test_orders_made_before_the_asked_instant_are_found")
class TakesBeforeForAfter(TinyErp):
    @hookimpl
    def find_orders(self, orders: Sequence[OrderKey], before: datetime | None) -> list[PlacedOrder]:
        return [] if before else super().find_orders(orders, before)


@breaks("test_find_orders_checks_what_came_back")
class TrustsTheNumberFilter(TinyErp):
    @hookimpl
    def find_orders(self, orders: Sequence[OrderKey], before: datetime | None) -> list[PlacedOrder]:
        numbers = ",".join(key.key for key in orders)
        return [self.placed(row) for row in self.send("GET", "sales", number=numbers, deleted="too")["sales"]]


@breaks("test_a_deleted_order_is_found_as_deleted")
class FindsLivingOrdersOnly(TinyErp):
    @hookimpl
    def find_orders(self, orders: Sequence[OrderKey], before: datetime | None) -> list[PlacedOrder]:
        return [one for one in super().find_orders(orders, before) if not one.deleted]


@breaks("test_a_push_whose_answer_is_lost_may_have_happened_and_is_found")
class TakesALostAnswerForNothing(TinyErp):
    def create(self, order: SalesOrder) -> Json:
        try:
            return super().create(order)
        except TransientError as error:
            if error.code != "no-answer":
                raise
            raise TransientError(error.code, error.what, where=error.where, do=error.do) from error


@breaks("test_a_push_that_never_arrived_leaves_nothing_to_find")
class FindsWhatItMeantToSend(TinyErp):
    def create(self, order: SalesOrder) -> Json:
        self.connection.memory.set(order.key.key, "sent")
        return super().create(order)

    @hookimpl
    def find_orders(self, orders: Sequence[OrderKey], before: datetime | None) -> list[PlacedOrder]:
        found = super().find_orders(orders, before)
        lost = {key.key for key in orders if self.connection.memory.get(key.key)} - {one.key for one in found}
        return found + [PlacedOrder(key=key, ref=f"?{key}", number=key) for key in lost]


@breaks("test_a_push_refused_by_429_is_known_not_to_have_happened")
class DoubtsARefusedPush(TinyErp):
    def create(self, order: SalesOrder) -> Json:
        try:
            return super().create(order)
        except TransientError as error:
            if error.code != "busy":
                raise
            raise TransientError(
                error.code, error.what, where=error.where, do=error.do, retry_after_s=7, may_have_happened=True
            ) from error


@breaks("test_a_push_answered_by_a_server_error_is_not_sent_twice")
class SendsAgainAfterAServerError(TinyErp):
    def create(self, order: SalesOrder) -> Json:
        try:
            return super().create(order)
        except TransientError as error:
            if error.code != "broken":
                raise
            return super().create(order)


@breaks("test_a_push_with_existing_makes_nothing_new")
class LeavesTheExistingIncomplete(TinyErp):
    @hookimpl
    def push_order(self, order: SalesOrder, existing: PlacedOrder | None) -> PlacedOrder:
        placed = super().push_order(order, existing)
        return placed if existing is None else placed.model_copy(update={"complete": False})


@breaks("test_a_rejected_order_says_the_other_sides_reason")
class RejectsWithoutAReason(TinyErp):
    def refusal(self, answer: Json) -> RejectedError:
        return RejectedError("refused", "something went wrong", where="tiny", do="Try another order.")


@breaks("test_nothing_is_written_after_the_send_deadline")
class DoubtsAnOrderThatWasNotSent(TinyErp):
    def create(self, order: SalesOrder) -> Json:
        try:
            return super().create(order)
        except TransientError as error:
            if error.code != "send-window-passed":
                raise
            raise TransientError(
                error.code, error.what, where=error.where, do=error.do, may_have_happened=True
            ) from error


@breaks("test_nothing_is_written_in_a_dry_run")
class TakesADryRunForARejection(TinyErp):
    def create(self, order: SalesOrder) -> Json:
        try:
            return super().create(order)
        except ConfigurationError as error:
            raise RejectedError(error.code, error.what, where=error.where, do=error.do) from error


@breaks("test_orders_pushed_at_the_same_time_do_not_mix")
class KeepsThePresentOrderAside(TinyErp):
    @hookimpl
    def push_order(self, order: SalesOrder, existing: PlacedOrder | None) -> PlacedOrder:
        self.present = order
        self.send("GET", "me")
        return super().push_order(self.present, existing)


@breaks("test_no_buyer_appears_in_errors_or_logs")
class NamesTheBuyer(TinyErp):
    @hookimpl
    def push_order(self, order: SalesOrder, existing: PlacedOrder | None) -> PlacedOrder:
        try:
            return super().push_order(order, existing)
        except RejectedError as error:
            what = f"{error.what}, for {order.customer.name}"
            raise RejectedError(error.code, what, where=error.where, do=error.do) from error


# Orders that are pushed in two halves


@breaks("test_begun_orders_leave_at_once_and_do_not_mix")
class SendsWithTheSecondHalf(TinyQuickErp):
    @hookimpl
    def begin_order(self, order: SalesOrder) -> Callable[[], PlacedOrder]:
        return lambda: self.placed(self.create(order))


@breaks("test_a_push_whose_answer_is_lost_may_have_happened_and_is_found")
class TakesALostSecondHalfForNothing(TinyQuickErp):
    def begun(self, order: SalesOrder) -> Callable[[], Json]:
        answer = super().begun(order)

        def given() -> Json:
            try:
                return answer()
            except TransientError as error:
                if error.code != "no-answer":
                    raise
                raise TransientError(error.code, error.what, where=error.where, do=error.do) from error

        return given


@breaks(
    "test_a_push_makes_exactly_one_sales_order_with_all_its_rows",
    "test_begun_orders_leave_at_once_and_do_not_mix",
    "test_a_push_whose_answer_is_lost_may_have_happened_and_is_found",
    "test_a_push_answered_by_a_server_error_is_not_sent_twice",
)
class ForgetsTheShippingOfWhatItBegins(TinyQuickErp):
    def begun(self, order: SalesOrder) -> Callable[[], Json]:
        return super().begun(order.model_copy(update={"shipping": None}))


# Faults that no one rule sees alone


@breaks(
    "test_a_push_with_existing_makes_nothing_new",
    "test_a_push_whose_answer_is_lost_may_have_happened_and_is_found",
    "test_a_push_answered_by_a_server_error_is_not_sent_twice",
)
class IgnoresWhatExists(TinyErp):
    @hookimpl
    def push_order(self, order: SalesOrder, existing: PlacedOrder | None) -> PlacedOrder:
        return super().push_order(order, None)


@breaks(
    "test_a_push_whose_answer_is_lost_may_have_happened_and_is_found",
    "test_a_push_answered_by_a_server_error_is_not_sent_twice",
    "test_nothing_is_written_after_the_send_deadline",
    "test_nothing_is_written_in_a_dry_run",
)
class CallsAWriteARead(TinyErp):
    def create(self, order: SalesOrder) -> Json:
        return self.send("POST", "sales", body=self.body(order), reads=True)
