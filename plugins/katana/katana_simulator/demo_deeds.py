"""The demo's deeds in neutral words: `POST /_sim/deed {"deed": ...}`, the same names in every ERP's simulator.

They let the demo play a factory's days, and see what there is, without knowing which ERP this is; docs/simulators.md
lists them. None of them is a call of the system.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from katana_simulator import fulfillments, people_orders, people_stock
from katana_simulator.exchange import Row
from katana_simulator.gateway import BASE, Gateway
from katana_simulator.order_lines import lines_of
from katana_simulator.people import order_of, refuse_unknown
from katana_simulator.seed import seed
from katana_simulator.world import World

Body = dict[str, Any]
STATES = {"NOT_SHIPPED": "open", "DELIVERED": "shipped", "PARTIALLY_DELIVERED": "partly-shipped"}
KINDS = {
    "sales_orders": "orders", "sales_order_rows": "orders", "sales_order_addresses": "orders",
    "sales_order_shipping_fee": "orders", "sales_order_fulfillments": "shipments", "inventory": "stock",
    "inventory_movements": "stock", "variants": "products", "products": "products", "materials": "products",
    "services": "products", "sales_returns": "returns", "sales_return_rows": "returns",
}  # fmt: skip


def deed(gateway: Gateway, body: Body) -> Body:
    """Do what is wished and answer in neutral words."""
    done = DEEDS.get(str(body.get("deed")))
    if done is None:
        raise ValueError(f"no deed {body.get('deed')!r}; there are {', '.join(DEEDS)}")
    return done(gateway, {name: value for name, value in body.items() if name != "deed"})


def ship(gateway: Gateway, body: Body) -> Body:
    """Somebody ships an order of the channel (`ref`), or `items` of it ({SKU: n}), by `carrier` under a `number`."""
    refuse_unknown(body, {"ref", "items", "carrier", "number"})
    given = {"sales_order_id": _order(gateway.world, str(body["ref"]))["id"]}
    given |= {"tracking_carrier": body["carrier"], "tracking_number": body["number"]}
    people_orders.ship(gateway.world, given | ({"quantities": body["items"]} if "items" in body else {}))
    return {}


def count(gateway: Gateway, body: Body) -> Body:
    """Somebody counts a `sku`: there are so many (`quantity`) at a `location`."""
    refuse_unknown(body, {"sku", "location", "quantity"})
    people_stock.count_stock(gateway.world, body)
    return {}


def make(gateway: Gateway, body: Body) -> Body:
    """Somebody enters a new product: `sku`, `name`, `price`, `stock`."""
    seed(gateway.world, {"variants": [body]})
    return {}


def show_orders(gateway: Gateway, _: Body) -> Body:
    """Every sales order, deleted ones too, with its pieces and its parcels."""
    world = gateway.world
    return {"orders": [_shown(world, order) for order in world.orders.rows.values()]}


def _shown(world: World, order: Row) -> Body:
    address = world.order_addresses.each("sales_order_id", order["id"])
    return {
        "ref": order["ecommerce_order_id"],
        "key": order["order_no"],
        "deleted": order["deleted_at"] is not None,
        "made_at": datetime.fromisoformat(order["created_at"]).timestamp(),
        "state": STATES.get(order["status"], "other"),
        "location": world.locations.rows[order["location_id"]]["name"],
        "address": next((str(each["line_1"]) for each in address if each["line_1"]), ""),
        "items": _pieces(world, [(line["variant_id"], line["quantity"]) for line in lines_of(world, order)]),
        "parcels": [_parcel(world, each) for each in world.fulfillments.each("sales_order_id", order["id"])],
        "returned_to": [
            world.locations.rows[row["restock_location_id"]]["name"]
            for made in world.returns.each("sales_order_id", order["id"])
            for row in world.return_rows.each("sales_return_id", made["id"])
        ],
    }


def _parcel(world: World, fulfillment: Row) -> Body:
    shown = fulfillments.view(world, fulfillment)
    rows = shown["sales_order_fulfillment_rows"]
    pieces = [(world.order_rows.rows[row["sales_order_row_id"]]["variant_id"], row["quantity"]) for row in rows]
    return {
        "number": shown["tracking_number"],
        "carrier": shown["tracking_carrier"],
        "shipped": shown["status"] == "DELIVERED",
        "items": _pieces(world, pieces),
    }


def _pieces(world: World, pairs: list[tuple[int, Any]]) -> Body:
    found: Counter[str] = Counter()
    for variant, quantity in pairs:
        found[world.variants.rows[variant]["sku"]] += int(quantity)
    return dict(found)


def show_stock(gateway: Gateway, _: Body) -> Body:
    """Of each living SKU, by location: how many are on hand, how many of them are promised."""
    world = gateway.world
    found: dict[str, Body] = {row["sku"]: {} for row in world.variants.rows.values() if not row["deleted_at"]}
    for (variant, place), level in world.stock.levels.items():
        shown = {"on_hand": int(level.in_stock), "promised": int(level.committed)}
        found.setdefault(world.variants.rows[variant]["sku"], {})[world.locations.rows[place]["name"]] = shown
    return {"stock": found}


def show_locations(gateway: Gateway, _: Body) -> Body:
    """Every location by name."""
    return {"locations": [{"name": row["name"]} for row in gateway.world.locations.rows.values()]}


def show_calls(gateway: Gateway, body: Body) -> Body:
    """How many calls came since number `since`, by kind, how many wrote, and how many were refused as too many."""
    found = gateway.journal.since(int(body.get("since", 0)), None)
    kinds = Counter(_kind(call["path"]) for call in found["calls"])
    return {
        "next": found["next"],
        "kinds": dict(sorted(kinds.items())),
        "writes": sum(1 for call in found["calls"] if call["wrote"]),
        "too_many": sum(1 for call in found["calls"] if call["status"] == 429),
    }


def _kind(path: str) -> str:
    return KINDS.get(path.removeprefix(f"{BASE}/").split("/")[0], "account")


def _order(world: World, ref: str) -> Row:
    named = world.orders.each("ecommerce_order_id", ref)
    return named[-1] if named else order_of(world, {"order_no": ref})


DEEDS: dict[str, Callable[[Gateway, Body], Body]] = {
    "ship": ship, "count": count, "make": make, "orders": show_orders, "stock": show_stock,
    "locations": show_locations, "calls": show_calls,
}  # fmt: skip
