"""Deeds a test asks for upon one order, now or at a later simulated time."""

from __future__ import annotations

from typing import Any

from tiktok_simulator.lifecycle import Lifecycle
from tiktok_simulator.order import COMPLETED, DELIVERED, MOVING, OPEN, Order, Unit
from tiktok_simulator.orders import Orders
from tiktok_simulator.wire import ControlError, Json

STAGES = {"collect": MOVING, "deliver": DELIVERED, "complete": COMPLETED}
ACTIONS = (
    "pay", "cancel", "cancel_line", "buyer_cancel", "edit", "edit_address", "request_cancel", "decide_cancel", "ship",
    *STAGES, "set",
)  # fmt: skip


class Actions:
    """Carries out `{"action": ..., ...}`; `at` or `after_s` puts it off."""

    def __init__(self, orders: Orders, lifecycle: Lifecycle) -> None:
        self._orders = orders
        self._lifecycle = lifecycle

    def carry_out(self, order: Order, wish: Json, now: int) -> Json:
        """Do it, or plan it; a planned deed that is no longer possible is passed over, as a late buyer would be."""
        action = wish.get("action")
        if action not in ACTIONS:
            raise ControlError(f"no action {action!r}; there are {', '.join(ACTIONS)}")
        at = int(wish.get("at", now + int(wish.get("after_s", 0))))
        if at <= now:
            return self._do(order, wish, now)
        self._orders.agenda.at(at, lambda then: self._try(order, wish, then))
        return {"planned_for": at}

    def _try(self, order: Order, wish: Json, at: int) -> None:
        try:
            self._do(order, wish, at)
        except ControlError:
            return

    def _do(self, order: Order, wish: Json, at: int) -> Json:
        life, action = self._lifecycle, wish["action"]
        by, reason = str(wish.get("by", "BUYER")), str(wish.get("reason", "No longer needed"))
        if action == "pay":
            life.pay(order, at)
        elif action == "cancel":
            return {"cancel_id": life.cancel(order, order.units, by, reason, at).id}
        elif action == "cancel_line":
            return {"cancel_id": life.cancel(order, chosen(order, wish), by, reason, at).id}
        elif action == "edit":
            life.edit(order, wish, at)
        elif action == "edit_address":
            life.edit_address(order, dict(wish["address"]), at)
        elif action == "buyer_cancel":
            return life.buyer_cancel(order, chosen(order, wish), reason, at)
        elif action == "request_cancel":
            return {"cancel_id": life.request_cancel(order, reason, at, chosen(order, wish)).id}
        elif action == "decide_cancel":
            life.decide_cancel(order, bool(wish.get("accept", True)), reason, at)
        elif action == "set":
            self._set(order, wish, at)
        else:
            return self._move(order, wish, at)
        return {}

    def _move(self, order: Order, wish: Json, at: int) -> Json:
        if wish["action"] == "ship":
            return {"package_id": self._ship(order, wish, at)}
        units = chosen(order, wish)
        if any(unit.stage == OPEN for unit in units):
            self._ship(order, {"line_ids": [unit.id for unit in units]}, at)
        self._lifecycle.advance(order, units, STAGES[wish["action"]], at)
        return {}

    def _ship(self, order: Order, wish: Json, at: int) -> str:
        units = [unit for unit in chosen(order, wish) if unit.stage == OPEN]
        tracking = str(wish.get("tracking_number", f"SIM{order.id[-10:]}"))
        providers = self._orders.shops.providers_of(order.delivery_option_id)
        return self._lifecycle.ship(order, units, tracking, str(wish.get("provider_id", providers[0]["id"])), at)

    def _set(self, order: Order, wish: Json, at: int) -> None:
        """Overlay fields of the answer; `touch` makes it count as a status change, `update_time` gives its time."""
        order.overrides = order.overrides | dict(wish.get("fields") or {})
        touched = bool(wish.get("touch", "update_time" in wish))
        self._orders.changed(order, int(wish.get("update_time", at)), status_change=touched)


def chosen(order: Order, wish: Json) -> list[Unit]:
    """The units a wish names by `line_ids`, `package_id`, or `sku` and `quantity`; all live ones by default."""
    wanted: Any = wish.get("line_ids")
    if wanted is not None:
        return [unit for unit in order.live_units if unit.id in wanted]
    if "package_id" in wish:
        return [unit for unit in order.live_units if unit.package_id == wish["package_id"]]
    if "sku" in wish:
        same = [unit for unit in order.live_units if unit.goods.seller_sku == wish["sku"]]
        return same[: int(wish.get("quantity", len(same)))]
    return order.live_units
