"""Return calls: search, approve, reject (10)."""

from __future__ import annotations

from tiktok_simulator.aftersale.codes import refusal
from tiktok_simulator.aftersale.reasons import REJECT_RETURN
from tiktok_simulator.aftersale.refund import lines_of, refund_of
from tiktok_simulator.aftersale.returns import DECISIONS, STATUSES, TYPES, Return
from tiktok_simulator.gateway import Call
from tiktok_simulator.lists import TIMES, page_of, rows_of
from tiktok_simulator.params import Params
from tiktok_simulator.wire import Json
from tiktok_simulator.world import World

FILTERS: Json = {
    "return_ids": [str],
    "order_ids": [str],
    "buyer_user_ids": [str],
    "return_types": [TYPES],
    "return_status": [STATUSES],
    "arbitration_status": [str],
    "locale": str,
    **TIMES,
}
YES = tuple(name for name in DECISIONS if not name.startswith("REJECT"))
NO = tuple(name for name in DECISIONS if name.startswith("REJECT"))
APPROVE: Json = {"decision*": YES, "buyer_keep_item": bool, "partial_refund": {"currency*": str, "amount*": str}}
IMAGE: Json = {"image_id": str, "mime_type": str, "width": int, "height": int}
REJECT: Json = {"decision*": NO, "reject_reason*": str, "comment": str, "images": [IMAGE]}


def search_returns(world: World, call: Call) -> Json:
    """A page of returns, oldest first unless asked otherwise; pages hold at least ten."""
    params = Params(world, call)
    params.asked("page_size", "page_token", "sort_field", "sort_order")
    size = params.size(50, 10, least=10)
    sort_field = params.choice("sort_field", ("create_time", "update_time"))
    descending = params.choice("sort_order", ("ASC", "DESC")) == "DESC"
    filters = params.shaped(FILTERS)
    returns = world.returns

    def fits(record: Return) -> bool:
        return (
            (not filters.get("return_ids") or record.id in filters["return_ids"])
            and (not filters.get("order_ids") or record.order.id in filters["order_ids"])
            and (not filters.get("return_types") or record.kind in filters["return_types"])
            and (not filters.get("return_status") or record.status in filters["return_status"])
            and not filters.get("arbitration_status")
        )

    rows = rows_of(returns.feed(call.of_shop.id), sort_field, filters, returns.by_id, fits)
    ids, tail = page_of(world, call, rows, size, {"returns": filters, "sort": sort_field}, descending=descending)
    return {"return_orders": [_shown(world, returns.by_id[one]) for one in ids], **tail}


def _shown(world: World, record: Return) -> Json:
    shown: Json = {
        "return_id": record.id,
        "order_id": record.order.id,
        "return_type": record.kind,
        "return_status": record.status,
        "role": "BUYER",
        "return_reason": record.reason,
        "return_reason_text": record.reason.replace("_", " "),
        "shipment_type": "PLATFORM",
        "refund_amount": refund_of(world, record.order, record.units),
        "return_line_items": lines_of(world, record.order, record.units, record.id, "return"),
        "create_time": record.create_time,
        "update_time": record.update_time,
    }
    optional: Json = {
        "return_tracking_number": record.tracking_number,
        "return_provider_name": record.provider_name,
        "partial_refund": record.partial_refund,
    }
    if record.next_action:
        optional["seller_next_action_response"] = [{"action": record.next_action, "deadline": record.deadline}]
    return shown | {name: value for name, value in optional.items() if value}


def approve_return(world: World, call: Call) -> Json:
    """The seller agrees, as far as the present status asks for it."""
    params = Params(world, call)
    params.asked("idempotency_key")
    body = params.shaped(APPROVE)
    offers = body["decision"] == "OFFER_PARTIAL_REFUND"
    if offers and "partial_refund" not in body:
        raise refusal(25001001, "partial_refund is required")
    return _decide(world, call, params, body)


def reject_return(world: World, call: Call) -> Json:
    """The seller refuses, for a reason that is offered."""
    params = Params(world, call)
    params.asked("idempotency_key")
    body = params.shaped(REJECT)
    if body["reject_reason"] not in REJECT_RETURN:
        raise refusal(25001014)
    return _decide(world, call, params, body)


def _decide(world: World, call: Call, params: Params, body: Json) -> Json:
    record = world.returns.by_id.get(call.values["return_id"])
    if record is None or record.order.shop != call.of_shop.id:
        raise refusal(25020003)
    key, decision = params.text("idempotency_key"), str(body["decision"])
    if key and f"{decision} {key}" in record.keys:
        return {}
    if not record.next_action:
        raise refusal(25011011)
    wanted = DECISIONS[decision][0]
    if wanted and wanted != record.next_action:
        raise refusal(25011012)
    record.partial_refund = body.get("partial_refund", record.partial_refund)
    record.reject_reason = str(body.get("reject_reason", ""))
    world.returns.decide(record, decision, int(world.clock.now()))
    record.keys.add(f"{decision} {key}")
    world.wrote = True
    return {}
