"""The demo's deeds in neutral words: `POST /_sim/deed {"deed": ...}`, the same names in every channel's simulator.

They let the demo play a shop's days, and see what there is, without knowing which channel this is; docs/simulators.md
lists them. None of them is a call of the system.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from tiktok_simulator.aftersale.buyer import ask_return, go_on
from tiktok_simulator.aftersale.returns import AWAITING_SHIP, SUCCESS
from tiktok_simulator.catalogue.till import buy as at_the_till
from tiktok_simulator.order import CANCELLED, GONE, ON_HOLD, OPEN, UNPAID, Order, Unit
from tiktok_simulator.shops import RETURN
from tiktok_simulator.wire import ControlError, Json
from tiktok_simulator.world import World

STATES = {UNPAID: "unpaid", ON_HOLD: "held", CANCELLED: "cancelled", "PARTIALLY_SHIPPING": "partly-shipped"}
# The first of these that a path begins with says what a call is about.
KINDS = (
    ("/order/", "orders"), ("/return_refund/202309/returns", "returns"), ("/return_refund/", "orders"),
    ("/fulfillment/", "shipments"), ("/logistics/202309/delivery_options", "shipments"), ("/product/", "products"),
)  # fmt: skip
READS = ("search", "listing_check", "recommend")


def deed(world: World, wish: Json) -> Json:
    """Do what is wished and answer in neutral words."""
    done = DEEDS.get(str(wish.get("deed")))
    if done is None:
        raise ControlError(f"no deed {wish.get('deed')!r}; there are {', '.join(DEEDS)}")
    return done(world, wish)


def buy(world: World, wish: Json) -> Json:
    """A buyer orders `items` ({SKU: n}) if they are there, at a `location`, or what the channel has (`by_channel`)."""
    lines = [{"sku": sku, "quantity": n} for sku, n in wish["items"].items()]
    if wish.get("by_channel"):
        return {"bought": True, "ref": world.add_orders({"kind": "fbt", "lines": lines}, int(world.clock.now()))[0]}
    named = next((w.id for w in world.shops.warehouses.values() if w.name == wish.get("location")), None)
    said = at_the_till(world, {"lines": lines} | ({"warehouse_id": named} if named else {}))
    return {"bought": said["bought"], "ref": said.get("order_id"), "available": said.get("available", {})}


def cancel(world: World, wish: Json) -> Json:
    """A buyer cancels an order (`ref`), or `items` of it; `asks`: wants to, and the seller decides."""
    order, now = world.orders.get(str(wish["ref"])), int(world.clock.now())
    action = "request_cancel" if wish.get("asks") else "cancel_line" if "items" in wish else "cancel"
    for sku, quantity in wish.get("items", {"": 0}).items():
        units = {"sku": sku, "quantity": quantity} if sku else {}
        world.actions.carry_out(order, {"action": action, **units}, now)
    return {}


def ship(world: World, wish: Json) -> Json:
    """The channel ships an order (`ref`) from its own warehouse under a `number`."""
    order = world.orders.get(str(wish["ref"]))
    doing = {"action": "ship", "tracking_number": wish["number"]}
    world.actions.carry_out(order, doing, int(world.clock.now()))
    return {}


def send_back(world: World, wish: Json) -> Json:
    """A buyer sends a shipped order (`ref`) back; it has arrived."""
    now = int(world.clock.now())
    world.actions.carry_out(world.orders.get(str(wish["ref"])), {"action": "deliver"}, now)
    record = world.returns.by_id[ask_return(world, {"order_id": wish["ref"]})["return_id"]]
    world.returns.become(record, AWAITING_SHIP, now)
    go_on(world, record.id, {"action": "ship_back"})
    world.returns.become(record, SUCCESS, now)
    return {}


def set_consent(world: World, wish: Json) -> Json:
    """The app's redirect address is `redirect`; who consents is the `owner`, `staff`, or some `other` kind of user."""
    account = wish.get("account", "owner")
    world.options.update(
        {
            "redirect_url": str(wish["redirect"]),
            "logged_in": "sub_denied" if account == "staff" else "main",
            "user_type": "1" if account == "other" else "0",
        }
    )
    return {}


def show_orders(world: World, _: Json) -> Json:
    """Every order, with its units; `items` are the pieces that a unit consists of."""
    return {"orders": [_order(world, order) for order in world.orders.by_id.values()]}


def _order(world: World, order: Order) -> Json:
    default = "open" if any(unit.stage == OPEN for unit in order.live_units) else "shipped"
    return {
        "ref": order.id,
        "state": STATES.get(order.status, default),
        "by_channel": order.is_fbt,
        "region": order.market,
        "placed_at": order.create_time,
        "paid_at": order.paid_time,
        "ships_from": world.shops.warehouses[order.warehouse_id].name,
        "address": str(order.address.get("address_line1", "")),
        "units": [_unit(unit) for unit in order.units],
    }


def _unit(unit: Unit) -> Json:
    state = "cancelled" if unit.stage == GONE else "open" if unit.stage == OPEN else "shipped"
    items = {part.goods.seller_sku: part.count for part in unit.parts} or {unit.goods.seller_sku: 1}
    return {"sku": unit.goods.seller_sku, "items": items, "state": state, "number": unit.tracking_number or None}


def show_stock(world: World, _: Json) -> Json:
    """What can still be bought of each SKU, by location; a bundle has no stock of its own."""
    places = world.shops.warehouses
    return {
        "stock": {
            sku.goods.seller_sku: {places[key].name: stock.shown for key, stock in sku.stock.items()}
            for _, sku in world.products.by_sku_id.values()
            if not sku.parts
        }
    }


def show_products(world: World, _: Json) -> Json:
    """Every product: its title, its SKUs, whether it is a `draft` or `live`."""
    return {
        "products": [
            {"title": product.title, "skus": [sku.goods.seller_sku for sku in product.skus],
             "state": {"DRAFT": "draft", "ACTIVATE": "live"}.get(product.status, "other")}
            for product in world.products.products.values()
        ]
    }  # fmt: skip


def show_locations(world: World, _: Json) -> Json:
    """Every location and its kind: `ships`, `returns`, or `channel` for the channel's own."""
    return {
        "locations": [
            {"name": w.name, "kind": "channel" if w.is_fbt else "returns" if w.type == RETURN else "ships"}
            for w in world.shops.warehouses.values()
        ]
    }


def show_calls(world: World, wish: Json) -> Json:
    """How many calls came since number `since`, by kind, how many wrote, and how many were refused as too many."""
    found = world.journal.since(int(wish.get("since", 0)))
    kinds: Counter[str] = Counter(_kind(call) for call in found["calls"])
    return {
        "next": found["next"],
        "kinds": dict(sorted(kinds.items())),
        "writes": sum(1 for call in found["calls"] if call["wrote"]),
        "too_many": sum(1 for call in found["calls"] if call["status"] == 429),
    }


def _kind(call: Json) -> str:
    path = str(call["path"])
    kind = next((kind for start, kind in KINDS if path.startswith(start)), "account")
    if kind == "products" and "inventory" in path:
        return "stock"
    is_listing = kind == "products" and call["method"] != "GET" and not path.endswith(READS)
    return "listings" if is_listing else kind


DEEDS: dict[str, Callable[[World, Json], Json]] = {
    "buy": buy, "cancel": cancel, "ship": ship, "send back": send_back, "consent": set_consent,
    "orders": show_orders, "stock": show_stock, "products": show_products, "locations": show_locations,
    "calls": show_calls,
}  # fmt: skip
