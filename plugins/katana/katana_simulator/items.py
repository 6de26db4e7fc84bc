"""Products, materials and services: the parents of variants."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from katana_simulator import bodies
from katana_simulator.exchange import Answer, Request, Row, not_found, refused
from katana_simulator.lists import COMMON, answer_list, fields, is_true
from katana_simulator.schema import require
from katana_simulator.variants import add_variant
from katana_simulator.variants import view as variant_view
from katana_simulator.world import Handler, World

_PARAMS = (
    COMMON
    | fields("text", "name", "uom", "category_name")
    | fields(
        "flag", "is_sellable", "is_producible", "is_purchasable", "is_auto_assembly", "batch_tracked", "serial_tracked"
    )
)
_PRODUCT_DEFAULTS: Row = {
    "is_producible": False,
    "is_purchasable": True,
    "is_auto_assembly": False,
    "batch_tracked": False,
    "serial_tracked": False,
    "operations_in_sequence": False,
    "default_supplier_id": None,
    "purchase_uom": None,
    "purchase_uom_conversion_rate": None,
}
_Kinded = Callable[[str, World, Request], Answer]


def list_items(kind: str, world: World, request: Request) -> Answer:
    shows_archived = is_true(request, "include_archived")

    def is_shown(row: Row) -> bool:
        return shows_archived or not row["archived_at"]

    return answer_list(world, request, world.parents[kind], _PARAMS, partial(_view, kind), is_shown)


def read_item(kind: str, world: World, request: Request) -> Answer:
    return Answer(200, _view(kind, world, _find(kind, world, request)))


def create_item(kind: str, world: World, request: Request) -> Answer:
    body = require(bodies.NEW_ITEM[kind], request.body)
    if kind == "product" and not (body.get("is_producible", False) or body.get("is_purchasable", True)):
        raise refused("Product must be producible, purchasable or both")
    if body.get("is_auto_assembly") and (not body.get("is_producible") or body.get("batch_tracked")):
        raise refused("Auto assembly needs a producible product that is not batch tracked")
    return Answer(200, _view(kind, world, add_item(world, kind, body)), wrote=True)


def change_item(kind: str, world: World, request: Request) -> Answer:
    body = require(bodies.ITEM_CHANGE[kind], request.body)
    row = _find(kind, world, request)
    stamp, values = world.stamp(), dict(body)
    if "is_archived" in values:
        values["archived_at"] = stamp if values.pop("is_archived") else None
    if kind == "service":
        own: Row = {name: values.pop(name) for name in ("sku", "sales_price") if name in values}
        for variant in world.variants.each("service_id", row["id"]):
            world.variants.change(variant, {**own, "updated_at": stamp})
    values.pop("default_cost", None)
    edit_parent(world, kind, row, values)
    return Answer(200, _view(kind, world, row), wrote=True)


def edit_parent(world: World, kind: str, row: Row, values: Row) -> None:
    """Change a parent; whether that moves `updated_at` of its variants is a switch.  # K-86"""
    stamp = world.stamp()
    world.parents[kind].change(row, {**values, "updated_at": stamp})
    if world.options["archive_moves_variants"] == "yes":
        for variant in world.variants.each(f"{kind}_id", row["id"]):
            variant["updated_at"] = stamp


def delete_item(kind: str, world: World, request: Request) -> Answer:
    row, stamp = _find(kind, world, request), world.stamp()
    for variant in world.variants.each(f"{kind}_id", row["id"]):
        world.variants.change(variant, {"deleted_at": stamp, "updated_at": stamp})
    world.parents[kind].change(row, {"deleted_at": stamp, "updated_at": stamp})
    return Answer(int(world.options["delete_status"]), wrote=True)


def add_item(world: World, kind: str, given: Row) -> Row:
    """Create a parent and its variants. Materials are not sellable unless it is said."""
    stamp = world.stamp()
    row: Row = {
        "name": given["name"],
        "uom": given.get("uom", "pcs"),
        "category_name": given.get("category_name", ""),
        "is_sellable": given.get("is_sellable", kind != "material"),
        "type": kind,
        "additional_info": given.get("additional_info", ""),
        "custom_field_collection_id": given.get("custom_field_collection_id"),
        "created_at": stamp,
        "updated_at": stamp,
        "archived_at": None,
        "deleted_at": None,
    }
    if kind == "product":
        row |= {name: given.get(name, default) for name, default in _PRODUCT_DEFAULTS.items()}
    if kind != "service":
        row["configs"] = _configs(given)
    world.parents[kind].add(row)
    for variant in given["variants"]:
        add_variant(world, kind, row["id"], variant)
    return row


def _configs(given: Row) -> list[dict[str, Any]]:
    return [{"id": number, **config} for number, config in enumerate(given.get("configs", []), start=1)]


def _find(kind: str, world: World, request: Request) -> Row:
    row = world.parents[kind].live(request.id)
    if row is None:
        raise not_found()
    return row


def _view(kind: str, world: World, row: Row) -> Row:
    variants = world.variants.each(f"{kind}_id", row["id"])
    return row | {"variants": [variant_view(world, variant) for variant in variants]}


def _routes() -> dict[str, Handler]:
    verbs: dict[str, _Kinded] = {
        "GET /{}s": list_items,
        "POST /{}s": create_item,
        "GET /{}s/{{id}}": read_item,
        "PATCH /{}s/{{id}}": change_item,
        "DELETE /{}s/{{id}}": delete_item,
    }
    return {
        pattern.format(kind): partial(handler, kind)
        for kind in ("product", "material", "service")
        for pattern, handler in verbs.items()
    }


ROUTES: dict[str, Handler] = _routes()
