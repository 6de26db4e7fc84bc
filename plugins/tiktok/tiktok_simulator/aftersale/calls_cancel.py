"""Cancellation calls: the seller cancels, searches, approves, rejects (10)."""

from __future__ import annotations

from collections import Counter

from tiktok_simulator.aftersale.cancellations import PENDING, Cancellation
from tiktok_simulator.aftersale.codes import refusal
from tiktok_simulator.aftersale.reasons import REJECT_CANCEL, REJECT_RETURN, fitting, key_of, known_to_sellers
from tiktok_simulator.aftersale.refund import lines_of, refund_of
from tiktok_simulator.gateway import Call
from tiktok_simulator.lists import TIMES, page_of, rows_of
from tiktok_simulator.order import ARRANGED, GONE, OPEN, Order, Unit
from tiktok_simulator.params import Params
from tiktok_simulator.wire import Json
from tiktok_simulator.world import World

WORDS = ("PENDING", "SUCCESS", "CANCEL", "CANCELLED", "COMPLETE")
FILTERS: Json = {
    "cancel_ids": [str],
    "order_ids": [str],
    "buyer_user_ids": [str],
    "cancel_types": [("CANCEL", "BUYER_CANCEL")],
    "cancel_status": [tuple(f"CANCELLATION_REQUEST_{word}" for word in WORDS)],
    "locale": str,
    **TIMES,
}
CANCEL: Json = {
    "order_id*": str,
    "cancel_reason*": str,
    "skus": [{"sku_id*": str, "quantity*": int}],
    "order_line_item_ids": [str],
}
REJECT: Json = {
    "reject_reason*": str,
    "comment": str,
    "images": [{"image_id": str, "mime_type": str, "width": int, "height": int}],
}


def cancel_order(world: World, call: Call) -> Json:
    """The seller cancels an order, or some items where the market allows it."""
    params = Params(world, call)
    params.asked("idempotency_key")
    body = params.shaped(CANCEL)
    order = world.orders.by_id.get(str(body["order_id"]))
    if order is None or order.shop != call.of_shop.id:
        raise refusal(25007006)
    if order.is_fbt:
        raise refusal(25011026)
    units = _chosen(order, body)
    _check_status(order, units)
    reason = str(body["cancel_reason"])
    if reason not in known_to_sellers(order):
        raise refusal(25001014)
    if reason not in fitting(order):
        raise refusal(25001021)
    now = int(world.clock.now())
    record = world.orders.cancellations.make(order, units, "SELLER", reason, fitting(order)[reason], now)
    world.lifecycle.cancel(order, units, "SELLER", reason, now, record)
    if "out_of_stock" in reason and world.options["out_of_stock_empties"] == "yes":
        _empty(world, units)
    world.wrote = True
    return {"cancel_id": record.id, "cancel_status": record.status}


def _chosen(order: Order, body: Json) -> list[Unit]:
    """The units of the call: named ones in the US and the UK, else all."""
    ids, skus = body.get("order_line_item_ids"), body.get("skus")
    if not ids and not skus:
        return order.live_units
    if ids:
        by_id = {unit.id: unit for unit in order.units}
        if any(one not in by_id for one in ids) or len(set(ids)) < len(ids):
            raise refusal(25001001, "order_line_item_ids")
        chosen = [by_id[one] for one in ids]
    else:
        chosen = _by_sku(order, Counter({str(one["sku_id"]): int(one["quantity"]) for one in skus or []}))
    if any(unit.stage == GONE for unit in chosen):
        raise refusal(25020009)
    if len(chosen) < len(order.live_units) and order.market not in ("US", "GB"):
        raise refusal(25005010)
    return chosen


def _by_sku(order: Order, wanted: Counter[str]) -> list[Unit]:
    chosen: list[Unit] = []
    for sku_id, count in wanted.items():
        same = [unit for unit in order.live_units if unit.goods.sku_id == sku_id]
        if not same or count < 1:
            raise refusal(25001001, "skus")
        if count > len(same):
            raise refusal(25005011)
        chosen += sorted(same, key=lambda unit: unit.stage)[:count]
    return chosen


def _check_status(order: Order, units: list[Unit]) -> None:
    """Shipped items can still be cancelled by the seller in the US, until they are collected (5.3)."""
    if order.status in ("CANCELLED", "COMPLETED") or not units:
        raise refusal(25001051)
    latest = ARRANGED if order.market == "US" else OPEN
    if any(unit.stage > latest for unit in units):
        raise refusal(25001045)


def _empty(world: World, units: list[Unit]) -> None:
    """Out of stock sets the SKU's stock to 0, the vendor's questions and answers say."""
    for sku_id in {unit.goods.sku_id for unit in units}:
        known = world.products.by_sku_id.get(sku_id)
        for stock in known[1].stock.values() if known else ():
            stock.available = min(stock.available, 0)


def search_cancellations(world: World, call: Call) -> Json:
    """A page of cancellations, oldest first unless asked otherwise."""
    params = Params(world, call)
    params.asked("page_size", "page_token", "sort_field", "sort_order")
    size = params.size(50, 10)
    sort_field = params.choice("sort_field", ("create_time", "update_time"))
    descending = params.choice("sort_order", ("ASC", "DESC")) == "DESC"
    filters = params.shaped(FILTERS)
    records = world.orders.cancellations

    def fits(record: Cancellation) -> bool:
        wanted = filters.get("cancel_status")
        return (
            (not filters.get("cancel_ids") or record.id in filters["cancel_ids"])
            and (not filters.get("order_ids") or record.order.id in filters["order_ids"])
            and (not filters.get("cancel_types") or record.kind in filters["cancel_types"])
            and (not wanted or record.status in wanted or record.status.removesuffix("LED") in wanted)
        )

    rows = rows_of(records.feed(call.of_shop.id), sort_field, filters, records.by_id, fits)
    question = {"cancellations": filters, "sort": sort_field}
    ids, tail = page_of(world, call, rows, size, question, descending=descending)
    return {"cancellations": [_shown(world, records.by_id[one]) for one in ids], **tail}


def _shown(world: World, record: Cancellation) -> Json:
    shown: Json = {
        "cancel_id": record.id,
        "order_id": record.order.id,
        "cancel_type": record.kind,
        "cancel_status": record.status,
        "role": record.role,
        "cancel_reason": key_of(record.reason),
        "cancel_reason_text": record.reason_text,
        "refund_amount": refund_of(world, record.order, record.units),
        "cancel_line_items": lines_of(world, record.order, record.units, record.id, "cancel"),
        "create_time": record.create_time,
        "update_time": record.update_time,
    }
    if record.status == PENDING:
        deadline = {"action": "SELLER_RESPOND_CANCEL", "deadline": record.deadline}
        shown["seller_next_action_response"] = [deadline]
    return shown


def _own(world: World, call: Call) -> Cancellation:
    record = world.orders.cancellations.by_id.get(call.values["cancel_id"])
    if record is None or record.order.shop != call.of_shop.id:
        raise refusal(25020003)
    return record


def approve_cancellation(world: World, call: Call) -> Json:
    """The seller agrees to a buyer's request; the same idempotency_key again changes nothing and succeeds."""
    params = Params(world, call)
    params.asked("idempotency_key")
    params.shaped({})
    record, key = _own(world, call), params.text("idempotency_key")
    if key and f"approve {key}" in record.keys:
        return {}
    _check_open(record)
    world.lifecycle.decide(record, True, "", int(world.clock.now()))
    record.keys.add(f"approve {key}")
    world.wrote = True
    return {}


def reject_cancellation(world: World, call: Call) -> Json:
    """The seller refuses a buyer's request, for a reason that is offered."""
    params = Params(world, call)
    params.asked("idempotency_key")
    body = params.shaped(REJECT)
    record, key = _own(world, call), params.text("idempotency_key")
    if key and f"reject {key}" in record.keys:
        return {}
    _check_open(record)
    if body["reject_reason"] not in REJECT_CANCEL:
        raise refusal(25001014)
    world.lifecycle.decide(record, False, str(body["reject_reason"]), int(world.clock.now()))
    record.keys.add(f"reject {key}")
    world.wrote = True
    return {}


def _check_open(record: Cancellation) -> None:
    if record.status.endswith("_CANCELLED"):
        raise refusal(25020009)
    if record.status != PENDING:
        raise refusal(25020010)


def reject_reasons(world: World, call: Call) -> Json:
    """The reasons that may be given against a request or a return."""
    params = Params(world, call)
    params.asked("return_or_cancel_id", "locale")
    wanted = params.text("return_or_cancel_id")
    if not wanted:
        raise params.wrong("return_or_cancel_id is required")
    if wanted in world.orders.cancellations.by_id:
        reasons = REJECT_CANCEL
    elif wanted in world.returns.by_id:
        reasons = REJECT_RETURN
    else:
        raise refusal(25020003)
    return {"reasons": [{"name": key, "text": text} for key, text in reasons.items()]}
