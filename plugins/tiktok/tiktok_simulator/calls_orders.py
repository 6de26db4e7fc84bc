"""Order calls: search, detail, price detail, external references."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

from tiktok_simulator.feed import Key, cut
from tiktok_simulator.gateway import Call
from tiktok_simulator.markets import MARKETS
from tiktok_simulator.money import money_of, text
from tiktok_simulator.order import Order
from tiktok_simulator.page_tokens import page_token, read_page_token
from tiktok_simulator.params import Params
from tiktok_simulator.wire import ApiError, Json, dumps
from tiktok_simulator.world import World

NOT_THIS_SELLERS = 21008111
REFERENCE_WRONG = 36020001
DAY_S = 86400
FILTERS: dict[str, type] = {
    "order_status": str,
    "create_time_ge": int,
    "create_time_lt": int,
    "update_time_ge": int,
    "update_time_lt": int,
    "shipping_type": str,
    "buyer_user_id": str,
    "is_buyer_request_cancel": bool,
    "warehouse_ids": list,
}


def search_orders(world: World, call: Call) -> bytes:
    """A page of orders, whole, in the order of one of their times (T-45, T-46, T-47)."""
    params, now = Params(world, call), world.clock.now()
    size = params.size(100, 20)
    sort_field = params.choice("sort_field", ("create_time", "update_time"))
    descending = params.choice("sort_order", ("DESC", "ASC")) == "DESC"
    filters = params.take(FILTERS)
    _check_window(world, params, filters, now)
    question = {"shop": call.of_shop.id, "sort": sort_field, "desc": descending, "filters": filters}
    place = read_page_token(world, params, question)
    rows = _rows(world, call.of_shop.id, sort_field, filters, now)
    by_row = world.options["paging"] == "offset"
    page = cut(rows, size, place, descending=descending, by_row=by_row, shift=world.shift)
    data = b",".join(world.renderer.order(world.orders.by_id[one], now, detail=False) for one in page.ids)
    tail: Json = {"total_count": len(rows)}
    if page.following is not None:
        tail["next_page_token"] = page_token(page.following, question, now)
    elif world.options["last_page"] == "empty":
        tail["next_page_token"] = ""
    return b'{"orders":[' + data + b"]," + dumps(tail)[1:]


def _check_window(world: World, params: Params, filters: Json, now: float) -> None:
    if len(filters.get("warehouse_ids", [])) > 100:
        raise params.wrong("warehouse_ids holds more than 100")
    widest = world.options.number("window_limit_days")
    for field in ("create_time", "update_time"):
        start, end = filters.get(f"{field}_ge", 0), filters.get(f"{field}_lt", int(now))
        if f"{field}_ge" in filters and f"{field}_lt" in filters and start > end:
            raise params.wrong(f"{field}_ge lies after {field}_lt")
        # T-48: only a window that is asked for can be too wide.
        if widest is not None and f"{field}_ge" in filters and end - start > widest * DAY_S:
            raise params.wrong(f"date range of {field} exceeds the limit of {widest} days")


def _rows(world: World, shop_id: str, sort_field: str, filters: Json, now: float) -> list[Key]:
    """The fitting orders' keys, ascending; no upper bound means now."""
    feed = world.orders.feed(shop_id)
    keys = feed.by_update if sort_field == "update_time" else feed.by_create
    start = bisect_left(keys, (int(filters.get(f"{sort_field}_ge", 0)), ""))
    end = bisect_left(keys, (int(filters.get(f"{sort_field}_lt", int(now) + 1)), ""))
    window = keys[start:end]
    tests = _tests(world, sort_field, filters, now)
    if not tests:
        return window
    by_id = world.orders.by_id
    return [key for key in window if all(test(by_id[key[1]]) for test in tests)]


def _tests(world: World, sort_field: str, filters: Json, now: float) -> list[Callable[[Order], bool]]:
    tests: list[Callable[[Order], bool]] = []
    other = "create_time" if sort_field == "update_time" else "update_time"
    low, high = filters.get(f"{other}_ge"), filters.get(f"{other}_lt")
    if low is not None:
        tests.append(lambda order: getattr(order, other) >= low)
    if high is not None:
        tests.append(lambda order: getattr(order, other) < high)
    if filters.get("order_status"):
        tests.append(lambda order: order.status == filters["order_status"])
    if filters.get("shipping_type"):
        tests.append(lambda order: order.shipping_type == filters["shipping_type"])
    if filters.get("buyer_user_id"):
        tests.append(lambda order: f"7021{order.buyer:015d}" == filters["buyer_user_id"])
    if "is_buyer_request_cancel" in filters:
        tests.append(lambda order: order.cancel_requested == filters["is_buyer_request_cancel"])
    if filters.get("warehouse_ids"):
        tests.append(lambda order: order.warehouse_id in filters["warehouse_ids"])
    delay = world.options.seconds("list_delay_s")
    if delay:
        tests.append(lambda order: order.create_time + delay <= now)  # T-49
    return tests


def get_orders(world: World, call: Call) -> bytes:
    """Up to 50 orders by id (T-52); ids that are unknown are left out or spoil the call (T-53)."""
    ids = Params(world, call).ids("ids", 50)
    found = [world.orders.by_id[one] for one in dict.fromkeys(ids) if _is_of(world, call, one)]
    strict = world.options["detail_unknown_ids"] == "error"
    if not found or (strict and len(found) < len(set(ids))):
        raise ApiError(NOT_THIS_SELLERS, "The order does not belong to this seller")
    now = world.clock.now()
    return b'{"orders":[' + b",".join(world.renderer.order(one, now, detail=True) for one in found) + b"]}"


def price_detail(world: World, call: Call) -> Json:
    """The money of one order, in total and per line item."""
    order_id = call.values["order_id"]
    if not _is_of(world, call, order_id):
        raise ApiError(NOT_THIS_SELLERS, "The order does not belong to this seller")
    order = world.orders.by_id[order_id]
    money, market = money_of(order, world.options), MARKETS[order.market]
    lines = [
        {
            "id": unit.id,
            "currency": market.currency,
            "sku_list_price": text(m.original, market),
            "sku_sale_price": text(m.sale, market),
            "subtotal": text(m.sale, market),
            "subtotal_deduction_seller": text(m.seller_discount, market),
            "subtotal_deduction_platform": text(m.platform_discount, market),
            "tax_amount": text(m.tax, market),
            "total": text(m.sale + m.tax, market),
        }
        for unit, m in zip(order.units, money.units, strict=True)
    ]
    return {
        "currency": market.currency,
        "sku_list_price": text(money.original_total, market),
        "subtotal": text(money.sub_total, market),
        "subtotal_deduction_seller": text(money.seller_discount, market),
        "subtotal_deduction_platform": text(money.platform_discount, market),
        "subtotal_tax_amount": text(money.product_tax, market),
        "shipping_sale_price": text(money.shipping_fee, market),
        "tax_amount": text(money.tax, market),
        "payment": text(money.total, market),
        "total": text(money.total, market),
        "line_items": lines,
    }


def add_external_orders(world: World, call: Call) -> Json:
    """Note the numbers other systems gave to orders; each order that is unknown fails alone."""
    params = Params(world, call)
    given = params.take({"orders": list}).get("orders") or []
    if not 1 <= len(given) <= 100:
        raise params.wrong("orders must be 1 to 100")
    errors = []
    for one in given:
        order_id, external = str(one.get("id", "")), one.get("external_order")
        if not _is_of(world, call, order_id) or not isinstance(external, dict):
            errors.append(
                {"code": str(REFERENCE_WRONG), "message": "invalid order_id", "detail": {"order_id": order_id}}
            )
            continue
        order = world.orders.by_id[order_id]
        kept = [known for known in order.external_orders if known.get("platform") != external.get("platform")]
        order.external_orders = [*kept, external]
        world.wrote = True
    return {"errors": errors} if errors else {}


def _is_of(world: World, call: Call, order_id: str) -> bool:
    order = world.orders.by_id.get(order_id)
    return order is not None and order.shop == call.of_shop.id
