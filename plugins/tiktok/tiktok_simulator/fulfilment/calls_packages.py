"""Package detail, search, tracking events, and changes of a tracking number (6.6)."""

from __future__ import annotations

from tiktok_simulator.address import mask_phase, visible_address
from tiktok_simulator.fulfilment.codes import refusal
from tiktok_simulator.fulfilment.packages import Package
from tiktok_simulator.fulfilment.rules import check_number, own_order, own_package
from tiktok_simulator.gateway import Call
from tiktok_simulator.lists import TIMES, page_of, rows_of
from tiktok_simulator.order import ARRANGED, DELIVERED
from tiktok_simulator.params import Params
from tiktok_simulator.wire import Json
from tiktok_simulator.world import World

FOUND_STATUSES = ("PROCESSING", "FULFILLING", "COMPLETED", "CANCELLED")
NUMBER: Json = {"tracking_number*": str, "shipping_provider_id*": str}
EVENTS = (
    ("rts_time", "Shipment information received"),
    ("collection_time", "Collected by the carrier"),
    ("delivery_time", "Delivered"),
)


def search_packages(world: World, call: Call) -> Json:
    """A page of packages, newest first unless asked otherwise."""
    params = Params(world, call)
    params.asked("page_size", "page_token", "sort_field", "sort_order")
    size = params.size(50, 10)
    sort_field = params.choice("sort_field", ("create_time", "update_time", "order_pay_time"))
    descending = params.choice("sort_order", ("DESC", "ASC")) == "DESC"
    filters = params.shaped({**TIMES, "package_status": FOUND_STATUSES})
    packages, status = world.orders.packages, filters.get("package_status")

    def fits(package: Package) -> bool:
        return package.status == status if status else package.status in FOUND_STATUSES

    feed = packages.feed(call.of_shop.id)
    rows = rows_of(feed, "create_time" if sort_field == "order_pay_time" else sort_field, filters, packages.by_id, fits)
    if sort_field == "order_pay_time":
        found = [packages.by_id[key[1]] for key in rows]
        rows = sorted((package.order.paid_time or 0, package.id) for package in found)
    question = {"packages": filters, "sort": sort_field}
    ids, tail = page_of(world, call, rows, size, question, descending=descending)
    return {"packages": [_short(world, packages.by_id[one]) for one in ids], **tail}


def _short(world: World, package: Package) -> Json:
    return {
        "id": package.id,
        "orders": [{"id": package.order.id}],
        "status": package.status,
        **_number(world, package),
        "order_line_item_ids": [unit.id for unit in package.units],
        "create_time": package.create_time,
        "update_time": package.update_time,
    }


def _number(world: World, package: Package) -> Json:
    if not package.tracking_number:
        return {}
    listed = world.shops.providers_of(package.order.delivery_option_id)
    name = next((str(one["name"]) for one in listed if one["id"] == package.provider_id), "")
    return {
        "tracking_number": package.tracking_number,
        "shipping_provider_id": package.provider_id,
        "shipping_provider_name": name,
    }


def package_detail(world: World, call: Call) -> Json:
    """One package with everything known about it."""
    Params(world, call).asked()
    package = own_package(world, call, call.values["package_id"])
    order = package.order
    shown: Json = {
        "package_id": package.id,
        "orders": [{"id": order.id, "skus": _skus(package)}],
        "package_status": package.status,
        "split_and_combine_tag": "SPLIT" if len(world.orders.packages.of_order(order)) > 1 else "DEFAULT",
        "shipping_type": order.shipping_type,
        "delivery_option_id": order.delivery_option_id,
        "delivery_option_name": "Standard Shipping",
        **_number(world, package),
        "order_line_item_ids": [unit.id for unit in package.units],
        "has_multi_skus": len({unit.goods.sku_id for unit in package.units}) > 1,
        "create_time": package.create_time,
        "update_time": package.update_time,
    }
    if order.market == "US":
        shown["warehouse_id"] = order.warehouse_id
    address = visible_address(order, world.options, mask_phase(order, world.clock.now()))
    optional = {
        "recipient_address": address,
        "handover_method": package.handover_method,
        "pickup_slot": package.pickup_slot,
        "weight": package.weight,
        "dimension": package.dimension,
    }
    return shown | {name: value for name, value in optional.items() if value}


def _skus(package: Package) -> list[Json]:
    counts: dict[str, Json] = {}
    for unit in package.units:
        entry = counts.setdefault(
            unit.goods.sku_id, {"id": unit.goods.sku_id, "name": unit.goods.sku_name, "quantity": 0}
        )
        entry["quantity"] += 1
    return list(counts.values())


def change_order_number(world: World, call: Call) -> Json:
    """Another tracking number for an order that went out in one package."""
    params = Params(world, call)
    params.asked()
    body = params.shaped(NUMBER)
    order = own_order(world, call)
    if order.is_fbt:
        raise refusal(21008025)
    packages = [one for one in world.orders.packages.of_order(order) if one.live_units]
    if len(packages) > 1:
        raise refusal(21011049)
    if not packages or not packages[0].tracking_number:
        raise refusal(21011030 if order.status == "CANCELLED" else 21011043)
    _change(world, packages[0], body)
    return {}


def change_package_number(world: World, call: Call) -> Json:
    """Another tracking number for one package."""
    params = Params(world, call)
    params.asked()
    body = params.shaped(NUMBER)
    package = own_package(world, call, call.values["package_id"])
    if package.order.is_fbt:
        raise refusal(21008025)
    _change(world, package, body)
    return {"package_id": package.id}


def _change(world: World, package: Package, body: Json) -> None:
    """Within 72 h of shipping, once, and not after delivery."""
    now, order = int(world.clock.now()), package.order
    if order.shipping_type != "SELLER":
        raise refusal(21011004)
    stages = [unit.stage for unit in package.live_units]
    if not stages or min(stages) >= DELIVERED:
        raise refusal(21011030)
    if package.shipped_time is None or min(stages) < ARRANGED:
        raise refusal(21011043)
    if package.changes:
        raise refusal(21011051)
    if now > package.shipped_time + world.options.seconds("tracking_update_s"):
        raise refusal(21011050)
    check_number(world, order, str(body["tracking_number"]), str(body["shipping_provider_id"]))
    package.changes += 1
    world.orders.packages.number(package, str(body["tracking_number"]), str(body["shipping_provider_id"]))
    world.orders.packages.touch(package, now)
    world.orders.changed(order, now, status_change=False)
    world.wrote = True


def tracking_events(world: World, call: Call) -> Json:
    """What the carrier told about an order, newest first, in milliseconds."""
    Params(world, call).asked()
    order = own_order(world, call)
    events = [
        {"description": text, "update_time_millis": order.times[name] * 1000}
        for name, text in EVENTS
        if name in order.times
    ]
    return {"tracking": events[::-1]}


def validate_tiktok_number(world: World, call: Call) -> Json:
    """Whether a number is one of TikTok's own (US)."""
    params = Params(world, call)
    params.asked("tracking_number")
    number = params.text("tracking_number")
    if not number:
        raise params.wrong("tracking_number is required")
    known = world.orders.packages.orders_of(call.of_shop.id, number)
    own = any(world.orders.by_id[one].shipping_type == "TIKTOK" for one in known)
    return {"is_tiktok_shipping": own, "is_tiktok_collection": False}
