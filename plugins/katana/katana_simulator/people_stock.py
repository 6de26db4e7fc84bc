"""Deeds around items and their stock: a count, a new SKU, an archived or a second variant."""

from __future__ import annotations

from typing import Any

from katana_simulator.exchange import Row
from katana_simulator.inventory import set_level
from katana_simulator.items import add_item, edit_parent
from katana_simulator.kits import potential
from katana_simulator.people import Body, Deed, deed, location_of, number, variant_of
from katana_simulator.stock import Place
from katana_simulator.variants import parent_of, view
from katana_simulator.world import World


def count_stock(world: World, body: Body) -> Row:
    """Set what is there (`quantity`) or move it (`change`); `expected` and `safety` are set."""
    variant = variant_of(world, body)
    place = (variant["id"], location_of(world, body))
    level = world.stock.level(place)
    if "quantity" in body:
        set_level(world, place, number(body["quantity"]), "STOCKTAKE")
    if "change" in body:
        set_level(world, place, level.in_stock + number(body["change"]), "ADJUSTMENT")
    if "expected" in body:
        level.expected = number(body["expected"])
    if "safety" in body:
        level.safety = number(body["safety"])
    return level_of(world, place)


def level_of(world: World, place: Place) -> Row:
    """What is counted at a place right now, as numbers, whatever `/inventory` shows yet."""
    level, variant = world.stock.level(place), world.variants.rows[place[0]]
    return {
        "variant_id": place[0],
        "sku": variant["sku"],
        "location_id": place[1],
        "location": world.locations.rows[place[1]]["name"],
        "in_stock": level.in_stock,
        "committed": level.committed,
        "expected": level.expected,
        "safety": level.safety,
        "potential": potential(world, variant, place[1]),
    }


def edit_variant(world: World, body: Body) -> Row:
    """Change a variant, and of its parent what people call the variant: archived, sellable, deleted, name."""
    variant, stamp = variant_of(world, body), world.stamp()
    parent = parent_of(world, variant)
    changes: Row = {}
    if "new_sku" in body:
        changes["sku"] = body["new_sku"]
    if "price" in body:
        changes["sales_price"] = None if body["price"] is None else number(body["price"])
    if body.get("deleted"):
        changes["deleted_at"] = stamp
    if changes:
        world.variants.change(variant, {**changes, "updated_at": stamp})
    parent_changes = _parent_changes(body, stamp)
    if parent_changes:
        edit_parent(world, variant["type"], parent, parent_changes)
    return _shown(world, variant)


def add_twin(world: World, body: Body) -> Row:
    """Make a second variant that carries the same SKU, under a product of its own."""
    twin = variant_of(world, body)
    name = body.get("name", f"{parent_of(world, twin)['name']} (second)")
    given: Row = {"sku": twin["sku"], "sales_price": twin["sales_price"]}
    parent = add_item(world, "product", {"name": name, "variants": [given]})
    if body.get("archived"):
        parent["archived_at"] = world.stamp()
    return _shown(world, next(world.variants.newest_first()))


def _parent_changes(body: Body, stamp: str) -> Row:
    changes: Row = {}
    if "archived" in body:
        changes["archived_at"] = stamp if body["archived"] else None
    if "sellable" in body:
        changes["is_sellable"] = bool(body["sellable"])
    if "name" in body:
        changes["name"] = str(body["name"])
    return changes


def _shown(world: World, variant: Row) -> dict[str, Any]:
    parent = parent_of(world, variant)
    return view(world, variant) | {"archived_at": parent["archived_at"], "is_sellable": parent["is_sellable"]}


DEEDS: dict[str, Deed] = {
    "stock": deed(count_stock, "sku", "variant_id", "location", "quantity", "change", "expected", "safety"),
    "variant": deed(edit_variant, "sku", "variant_id", "new_sku", "price", "deleted", "archived", "sellable", "name"),
    "twin": deed(add_twin, "sku", "variant_id", "name", "archived"),
}
