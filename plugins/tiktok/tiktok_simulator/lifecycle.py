"""What happens to an order: payment, hold, cancellation, shipping, in the order TikTok Shop knows."""

from __future__ import annotations

from collections.abc import Iterable

from tiktok_simulator.aftersale.cancellations import CANCELLED as WITHDRAWN
from tiktok_simulator.aftersale.cancellations import COMPLETE, PENDING, SUCCESS, Cancellation
from tiktok_simulator.carrier import Carrier
from tiktok_simulator.fulfilment.packages import Package
from tiktok_simulator.markets import MARKETS
from tiktok_simulator.order import (
    ARRANGED,
    COMPLETED,
    DELIVERED,
    GONE,
    MOVING,
    ON_HOLD,
    OPEN,
    UNPAID,
    Order,
    Unit,
)
from tiktok_simulator.orders import Orders
from tiktok_simulator.webhooks.topics import ADDRESS
from tiktok_simulator.wire import ControlError, Json

STAGE_TIMES = {ARRANGED: "rts_time", MOVING: "collection_time", DELIVERED: "delivery_time", COMPLETED: "complete_time"}


class Lifecycle:
    """The deeds of buyer, seller and TikTok upon orders."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._carrier = Carrier(orders, self.advance, self.cancel)

    def place(self, order: Order) -> None:
        """A buyer places an order; unpaid for too long, it is cancelled (T-57)."""
        self._orders.add(order)
        time_out = order.create_time + self._orders.options.seconds("unpaid_timeout_s")
        self._orders.agenda.at(time_out, lambda at: self._time_out(order, at))

    def pay(self, order: Order, at: int) -> None:
        """The buyer pays: the hold begins, or the order goes straight on (T-58, T-59, T-60)."""
        if order.status != UNPAID:
            raise ControlError(f"order {order.id} is {order.status}, not {UNPAID}", 409)
        order.paid_time = at
        if not order.is_on_hold_order and order.release_date is None:
            self._release(order, at)
            return
        order.phase = ON_HOLD
        self._pack(order, at)
        self._orders.changed(order, at, status_change=True)
        ends = at + self._orders.options.seconds("hold_s") if order.is_on_hold_order else at
        self._orders.agenda.at(max(ends, order.release_date or 0), lambda then: self._end_hold(order, then))

    def cancel(
        self, order: Order, units: Iterable[Unit], by: str, reason: str, at: int, record: Cancellation | None = None
    ) -> Cancellation:
        """Cancel some or all units; the order is cancelled once none is left (T-55)."""
        chosen = [unit for unit in units if unit.stage != GONE]
        if not chosen:
            raise ControlError(f"order {order.id} has no such unit left to cancel", 409)
        self._orders.products.hold(order, [unit for unit in chosen if unit.stage == OPEN], sign=-1)
        record = record or self._orders.cancellations.make(order, chosen, by, reason, reason, at)
        for unit in chosen:
            unit.stage, unit.cancel_user, unit.cancel_reason = GONE, by, record.reason_text
        if not order.live_units:
            order.times["cancel_time"] = at
            order.cancel_initiator, order.cancel_reason = by, record.reason_text
        self._close(record, SUCCESS, at)
        for other in self._orders.cancellations.open_of(order):
            if all(unit.stage == GONE for unit in other.units):
                self._close(other, SUCCESS, at)
        self._orders.changed(order, at, status_change=True)
        return record

    def request_cancel(self, order: Order, reason: str, at: int, units: Iterable[Unit] | None = None) -> Cancellation:
        """The buyer asks to cancel after the hold; unanswered, the request wins (T-61)."""
        wanted = order.live_units if units is None else units
        chosen = [unit for unit in wanted if unit.stage in (OPEN, ARRANGED) and not unit.request]
        if order.phase or not chosen:
            raise ControlError(f"order {order.id} is {order.status}: nothing to ask for", 409)
        record = self._orders.cancellations.make(order, chosen, "BUYER", reason, reason, at)
        record.deadline = at + self._orders.options.seconds("cancel_request_s")
        for unit in chosen:
            unit.request = record.id
        order.cancel_requested = True
        order.times["request_cancel_time"] = at
        self._orders.cancellations.tell(record, at)
        self._orders.changed(order, at, status_change=False)
        self._orders.agenda.at(record.deadline, lambda then: self._grant(record, then))
        return record

    def buyer_cancel(self, order: Order, units: list[Unit], reason: str, at: int) -> Json:
        """What TikTok does when the buyer presses cancel: free within the hour from payment, a request after it."""
        if order.phase or at < (order.paid_time or at) + self._orders.options.seconds("hold_s"):
            return {"cancelled": True, "cancel_id": self.cancel(order, units, "BUYER", reason, at).id}
        return {"cancelled": False, "cancel_id": self.request_cancel(order, reason, at, units).id}

    def edit_address(self, order: Order, address: Json, at: int) -> None:
        """The address changes as long as nothing has left; whether update_time moves is a switch (14)."""
        if not any(unit.stage == OPEN for unit in order.live_units):
            raise ControlError(f"order {order.id} is {order.status}: its address stands", 409)
        self._readdress(order, address, at)
        self._orders.changed(order, at, status_change=self._orders.options["address_moves_update_time"] == "yes")

    def decide_cancel(self, order: Order, accept: bool, reason: str, at: int) -> None:
        """The seller answers what is open."""
        waiting = self._orders.cancellations.open_of(order)
        if not waiting:
            raise ControlError(f"order {order.id} has no open request", 409)
        for record in waiting:
            self.decide(record, accept, reason, at)

    def decide(self, record: Cancellation, accept: bool, reason: str, at: int) -> None:
        """The seller answers one request."""
        if accept:
            self._grant(record, at)
            return
        record.reject_reason = reason
        self._close(record, WITHDRAWN, at)
        self._orders.changed(record.order, at, status_change=False)

    def ship(self, order: Order, units: list[Unit], tracking_number: str, provider_id: str, at: int) -> str:
        """The seller arranges a package for some units; answers its id."""
        if order.phase or not units or any(unit.stage != OPEN for unit in units):
            raise ControlError(f"order {order.id} is {order.status}: these units cannot ship", 409)
        package = self._package(order, units, at)
        package.shipped_time = at
        self._orders.packages.number(package, tracking_number, provider_id)
        self._orders.products.ship(order, units)
        self.advance(order, units, ARRANGED, at)
        self._carrier.take(order, units, at)
        return package.id

    def advance(self, order: Order, units: Iterable[Unit], stage: int, at: int) -> None:
        """Units reach a further stage; those past it or cancelled stay where they are."""
        for unit in units:
            if GONE < unit.stage < stage:
                unit.stage = stage
                unit.rts_time = unit.rts_time or at
        order.times.setdefault("rts_time", at)
        if all(unit.stage >= stage for unit in order.live_units):
            order.times[STAGE_TIMES[stage]] = at
        self._orders.changed(order, at, status_change=True)

    def edit(self, order: Order, change: Json, at: int) -> None:
        """The buyer edits within the hold: `quantity` of a `sku`, whole `lines`, `address`, `note` (T-58)."""
        if order.status not in (UNPAID, ON_HOLD) and not change.get("force"):
            raise ControlError(f"order {order.id} is {order.status}: it can no longer be edited", 409)
        before = order.units
        if "lines" in change:
            order.units = self._orders.builder.units(change["lines"], order.shop, order.kind)
        if "quantity" in change:
            order.units = self._requantified(order, str(change["sku"]), int(change["quantity"]))
        if order.units is not before:
            self._orders.products.hold(order, [unit for unit in before if unit.stage == OPEN], sign=-1)
            self._orders.products.hold(order, [unit for unit in order.units if unit.stage == OPEN])
            for unit in order.units:
                unit.package_id = unit.package_id or before[0].package_id
        if "address" in change:
            self._readdress(order, change["address"], at)
        order.message = str(change.get("note", order.message))
        self._orders.changed(order, at, status_change=False)

    def force(self, order: Order, status: str, at: int) -> None:
        """Bring a fresh order to a known status at once, by the same steps as ever."""
        stages = {"PARTIALLY_SHIPPING": ARRANGED, "AWAITING_COLLECTION": ARRANGED, "IN_TRANSIT": MOVING}
        stages |= {"DELIVERED": DELIVERED, "COMPLETED": COMPLETED}
        if status == "CANCELLED":
            self.cancel(order, order.units, "BUYER", "No longer needed", at)
        if status == "AWAITING_SHIPMENT" or status in stages:
            self._release(order, at)
        if status in stages:
            units = order.units[:1] if status == "PARTIALLY_SHIPPING" else order.units
            self.ship(order, units, f"SIM{order.id[-10:]}", "", at)
            if stages[status] > ARRANGED:
                self.advance(order, units, stages[status], at)

    def _readdress(self, order: Order, address: Json, at: int) -> None:
        order.address = order.address | address
        order.address_updated = True
        self._orders.outlet.tell(order.shop, ADDRESS, {"order_id": order.id, "update_time": at}, at)

    def _time_out(self, order: Order, at: int) -> None:
        if order.status == UNPAID:
            self.cancel(order, order.units, "SYSTEM", "Payment overdue", at)

    def _end_hold(self, order: Order, at: int) -> None:
        if order.status == ON_HOLD:
            self._release(order, at)

    def _release(self, order: Order, at: int) -> None:
        order.phase = ""
        self._pack(order, at)
        self._orders.changed(order, at, status_change=True)

    def _grant(self, record: Cancellation, at: int) -> None:
        """An open request is fulfilled as far as its units have not left; if all have, it comes to nothing."""
        if record.status != PENDING:
            return
        order = record.order
        units = [unit for unit in record.units if unit.stage in (OPEN, ARRANGED)]
        if units:
            self.cancel(order, units, "BUYER", record.reason_text, at, record)
        else:
            self._close(record, WITHDRAWN, at)
            self._orders.changed(order, at, status_change=False)

    def _close(self, record: Cancellation, status: str, at: int) -> None:
        """A request ends; what was cancelled is complete once the money is back (`refund_s`)."""
        records, order = self._orders.cancellations, record.order
        for unit in record.units:
            unit.request = ""
        order.cancel_requested = any(unit.request for unit in order.live_units)
        unpaid = status == SUCCESS and order.paid_time is None
        records.become(record, COMPLETE if unpaid else status, at)
        if status == SUCCESS and not unpaid:
            done = at + self._orders.options.seconds("refund_s")
            self._orders.agenda.at(done, lambda then: records.become(record, COMPLETE, then))

    def _pack(self, order: Order, at: int) -> None:
        """Outside the US all units lie in one package from payment on (T-79)."""
        if not MARKETS[order.market].packages_at_payment or order.paid_time is None:
            return
        loose = [unit for unit in order.units if not unit.package_id]
        if loose:
            self._orders.packages.make(order, loose, at)

    def _package(self, order: Order, units: list[Unit], at: int) -> Package:
        """The package these units ship in: the one that holds just them, or a new one."""
        held = self._orders.packages.by_id.get(units[0].package_id)
        if held is not None and {unit.id for unit in held.live_units} == {unit.id for unit in units}:
            return held
        made = self._orders.packages.make(order, units, at)
        if held is not None:
            self._orders.tell_split(order, [held, made], at)
        return made

    def _requantified(self, order: Order, sku: str, quantity: int) -> list[Unit]:
        same = [unit for unit in order.units if unit.goods.seller_sku == sku and unit.stage == OPEN]
        if not same:
            raise ControlError(f"order {order.id} has no open unit of {sku!r}", 409)
        line: Json = {
            "sku": sku,
            "quantity": max(0, quantity - len(same)),
            "price": same[0].price,
            "seller_discount": same[0].seller_discount,
            "platform_discount": same[0].platform_discount,
            "gift": same[0].is_gift,
        }
        if same[0].parts:
            line["bundle"] = [{"sku": part.goods.seller_sku, "count": part.count} for part in same[0].parts]
        surplus = {unit.id for unit in same[quantity:]}
        kept = [unit for unit in order.units if unit.id not in surplus]
        return kept + self._orders.builder.units([line], order.shop)
