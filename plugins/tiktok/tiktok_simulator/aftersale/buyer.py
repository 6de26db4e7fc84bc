"""What a buyer does about a return, by control call.

`POST /_sim/returns {"order_id", "type", "reason", "line_ids" | "sku" and "quantity"}` asks; `POST /_sim/returns/{id}`
with `{"action": "ship_back" | "withdraw" | "accept_offer" | "set", "status", "tracking_number"}` goes on; `GET` shows
it.
"""

from __future__ import annotations

from tiktok_simulator.actions import chosen
from tiktok_simulator.aftersale.returns import (
    AWAITING_SHIP,
    CANCELLED,
    OFFERED,
    REPLACE_CANCELLED,
    SHIPPED,
    SUCCESS,
    Return,
)
from tiktok_simulator.wire import ControlError, Json
from tiktok_simulator.world import World


def ask_return(world: World, wish: Json) -> Json:
    """A buyer asks; answers the return's id."""
    order = world.orders.get(str(wish["order_id"]))
    kind, reason = str(wish.get("type", "RETURN_AND_REFUND")), str(wish.get("reason", "ecom_order_wrong_item"))
    record = world.returns.ask(order, chosen(order, wish), kind, reason, int(world.clock.now()))
    return summary(record)


def go_on(world: World, return_id: str, wish: Json) -> Json:
    """A buyer's next step, or any status at once."""
    record = world.returns.by_id.get(return_id)
    if record is None:
        raise ControlError(f"no return {return_id}", 404)
    action, at = wish.get("action"), int(world.clock.now())
    if action is None:
        return summary(record)
    if action == "ship_back" and record.status == AWAITING_SHIP:
        record.tracking_number = str(wish.get("tracking_number", f"RET{record.id[-8:]}"))
        record.provider_name = str(wish.get("provider", "Simulated Post"))
        world.returns.become(record, SHIPPED, at)
    elif action == "withdraw" and (record.next_action or record.status == AWAITING_SHIP):
        world.returns.become(record, REPLACE_CANCELLED if record.kind == "REPLACEMENT" else CANCELLED, at)
    elif action == "accept_offer" and record.status == OFFERED:
        world.returns.become(record, SUCCESS, at)
    elif action == "set":
        world.returns.become(record, str(wish["status"]), at)
    else:
        raise ControlError(f"action {action!r} does not fit {record.status}", 409)
    return summary(record)


def summary(record: Return) -> Json:
    """A return in short."""
    return {
        "return_id": record.id,
        "order_id": record.order.id,
        "type": record.kind,
        "status": record.status,
        "next_action": record.next_action,
        "deadline": record.deadline,
        "line_ids": [unit.id for unit in record.units],
    }
