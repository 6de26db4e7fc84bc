"""Variants: the one thing orders and stock refer to (K-29)."""

from __future__ import annotations

from typing import Any

from katana_simulator import bodies
from katana_simulator.exchange import Answer, Request, Row, not_found, refused
from katana_simulator.lists import COMMON, Param, answer_list, fields, is_true
from katana_simulator.schema import require
from katana_simulator.world import Handler, World

_PARAMS = (  # K-32; `type` filters product and material only, yet a service's variant says service
    COMMON
    | {"sku": Param("text", "sku", many=True), "supplier_item_codes": Param("text", "supplier_item_codes", many=True)}
    | fields("int", "product_id", "material_id")
    | fields("text", "type", "internal_barcode", "registered_barcode", "abc_classification")
    | fields("number", "sales_price", "purchase_price")
)
_HIDDEN = ("service_id", "kit")
_DEFAULTS: Row = {
    "sku": None,
    "sales_price": None,  # K-34: not set, which is not 0
    "purchase_price": 0,
    "internal_barcode": None,
    "registered_barcode": None,
    "supplier_item_codes": [],
    "lead_time": None,
    "minimum_order_quantity": None,
    "config_attributes": [],
    "custom_fields": [],
}


def list_variants(world: World, request: Request) -> Answer:
    shows_archived = is_true(request, "include_archived")

    def is_shown(row: Row) -> bool:
        return shows_archived or not parent_of(world, row)["archived_at"]  # K-31

    extends = "product_or_material" in request.query.get("extend", [])
    return answer_list(world, request, world.variants, _PARAMS, _extended if extends else view, is_shown)


def read_variant(world: World, request: Request) -> Answer:
    row = world.variants.live(request.id)
    if row is None:
        raise not_found()
    extends = "product_or_material" in request.query.get("extend", [])
    return Answer(200, (_extended if extends else view)(world, row))


def create_variant(world: World, request: Request) -> Answer:
    body = require(bodies.NEW_VARIANT, request.body)
    kinds = [kind for kind in ("product", "material") if f"{kind}_id" in body]
    if len(kinds) != 1:
        raise refused("Exactly one of product_id and material_id must be given")
    parent = world.parents[kinds[0]].live(body[f"{kinds[0]}_id"])
    if parent is None:
        raise refused(f"{kinds[0].capitalize()} with id {body[f'{kinds[0]}_id']} not found")
    return Answer(200, view(world, add_variant(world, kinds[0], parent["id"], body)), wrote=True)


def change_variant(world: World, request: Request) -> Answer:
    body = require(bodies.VARIANT_CHANGE, request.body)
    row = world.variants.live(request.id)
    if row is None:
        raise not_found()
    if row["type"] == "service":
        raise refused("Service variants are changed through the service")
    world.variants.change(row, {**body, "updated_at": world.stamp()})
    return Answer(200, view(world, row), wrote=True)


def delete_variant(world: World, request: Request) -> Answer:
    row = world.variants.live(request.id)
    if row is None:
        raise not_found()
    world.variants.change(row, {"deleted_at": world.stamp(), "updated_at": world.stamp()})
    return Answer(int(world.options["delete_status"]), wrote=True)


def add_variant(world: World, kind: str, parent_id: int, given: Row) -> Row:
    """Put a variant under its parent; an SKU may repeat or be missing.  # K-30"""
    stamp = world.stamp()
    row = _DEFAULTS | {name: value for name, value in given.items() if name in _DEFAULTS}
    row |= {
        "product_id": parent_id if kind == "product" else None,
        "material_id": parent_id if kind == "material" else None,
        "service_id": parent_id if kind == "service" else None,
        "type": kind,
        "abc_classification": None,
        "kit": [],
        "created_at": stamp,
        "updated_at": stamp,
        "deleted_at": None,
    }
    return world.variants.add(row)


def parent_of(world: World, variant: Row) -> Row:
    """The product, material or service a variant belongs to."""
    kind: str = variant["type"]
    return world.parents[kind].rows[variant[f"{kind}_id"]]


def view(world: World, row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in _HIDDEN}  # K-35: no service_id


def _extended(world: World, row: Row) -> Row:
    parent: dict[str, Any] = dict(parent_of(world, row)) | {"type": row["type"]}
    return view(world, row) | {"product_or_material": parent}


ROUTES: dict[str, Handler] = {
    "GET /variants": list_variants,
    "GET /variants/{id}": read_variant,
    "POST /variants": create_variant,
    "PATCH /variants/{id}": change_variant,
    "DELETE /variants/{id}": delete_variant,
}
