"""The stock side: levels, movements, adjustments and safety stock."""

from __future__ import annotations

from decimal import Decimal

from katana_simulator import bodies
from katana_simulator.clock import canonical
from katana_simulator.exchange import Answer, Request, Row, refused
from katana_simulator.kits import potential
from katana_simulator.lists import COMMON, Param, answer_list, fields, is_true, page, read_params, select
from katana_simulator.schema import require
from katana_simulator.stock import Cause, Place
from katana_simulator.variants import parent_of
from katana_simulator.variants import view as variant_view
from katana_simulator.world import Handler, World

_PARAMS = {"variant_id": Param("int", "id", many=True), "location_id": Param("int", "location_id")}  # K-72
_MOVEMENT_PARAMS = (
    COMMON
    | {"variant_ids": Param("int", "variant_id", many=True)}
    | fields("int", "location_id", "resource_id", "caused_by_resource_id")
    | fields("text", "resource_type", "caused_by_order_no")
)

_NEGATIVE_PARAMS = (
    fields("int", "location_id", "variant_id")
    | fields("text", "name", "sku", "category")
    | {f"latest_negative_stock_date_{kind}": Param(kind, "latest_negative_stock_date") for kind in ("min", "max")}
)


def list_inventory(world: World, request: Request) -> Answer:
    """One row per variant and location, oldest location first; rows are made for the asked page only."""
    wanted = {param.field: values for param, values in read_params(world, request, _PARAMS)}
    shows_archived = is_true(request, "include_archived")
    places = [
        (variant_id, location_id)
        for location_id in _locations(world, wanted.get("location_id"))
        for variant_id in _variants(world, wanted.get("id"), shows_archived)
    ]
    extends = set(request.query.get("extend", []))
    return page(world, request, places, lambda place: _level_view(world, place, extends))


def list_movements(world: World, request: Request) -> Answer:
    return answer_list(world, request, world.stock.movements, _MOVEMENT_PARAMS, lambda _, row: row)


def list_negative(world: World, request: Request) -> Answer:
    """Places that are below zero now, with the moment they went there (fact sheet 8)."""
    rows = [_negative_view(world, place) for place, level in world.stock.levels.items() if level.in_stock < 0]
    found = list(select(world, rows, read_params(world, request, _NEGATIVE_PARAMS)))
    return page(world, request, found, lambda row: row)


def list_adjustments(world: World, request: Request) -> Answer:
    return answer_list(world, request, world.adjustments, COMMON | fields("int", "location_id"), lambda _, row: row)


def create_adjustment(world: World, request: Request) -> Answer:
    """Signed changes of stock, not levels.  # K-77"""
    body = require(bodies.NEW_ADJUSTMENT, request.body)
    _check_location(world, body["location_id"])
    for row in body["stock_adjustment_rows"]:
        _check_stocked(world, row["variant_id"])
    stamp = world.stamp()
    date = body.get("stock_adjustment_date")
    adjustment: Row = {
        "stock_adjustment_number": body.get("stock_adjustment_number") or f"SA-{len(world.adjustments.rows) + 1}",
        "location_id": body["location_id"],
        "stock_adjustment_date": stamp if date is None else canonical(date),
        "reason": body.get("reason"),
        "additional_info": body.get("additional_info"),
        "stock_adjustment_rows": [],
        "created_at": stamp,
        "updated_at": stamp,
        "deleted_at": None,
    }
    world.adjustments.add(adjustment)
    for number, row in enumerate(body["stock_adjustment_rows"], start=1):
        adjustment["stock_adjustment_rows"].append(_adjust(world, adjustment, row, number))
    return Answer(200, adjustment, wrote=True)


def set_safety_stock(world: World, request: Request) -> Answer:
    body = require(bodies.NEW_SAFETY_STOCK, request.body)
    _check_location(world, body["location_id"])
    _check_stocked(world, body["variant_id"])
    value = Decimal(body["value"])
    world.stock.level((body["variant_id"], body["location_id"])).safety = value
    return Answer(200, {**body, "value": f"{value:.5f}"}, wrote=True)


def set_level(world: World, place: Place, wanted: Decimal, reason: str) -> None:
    """Bring in stock to a count, as a stocktake does; for seeds."""
    change = wanted - world.stock.level(place).in_stock
    if change:
        world.stock.move(place, change, Cause("StockAdjustmentRow", 0, reason, 0), world.clock.now())


def _adjust(world: World, adjustment: Row, row: Row, number: int) -> Row:
    place = (row["variant_id"], adjustment["location_id"])
    quantity, cost = Decimal(row["quantity"]), row.get("cost_per_unit")
    row_id = adjustment["id"] * 100 + number
    cause = Cause("StockAdjustmentRow", row_id, adjustment["stock_adjustment_number"], adjustment["id"])
    world.stock.move(place, quantity, cause, world.clock.now(), None if cost is None else Decimal(cost))
    return {"id": row_id, "variant_id": row["variant_id"], "quantity": quantity, "cost_per_unit": cost}


def _locations(world: World, wanted: list[int] | None) -> list[int]:
    return [number for number in world.locations.rows if not wanted or number in wanted]


def _variants(world: World, wanted: list[int] | None, shows_archived: bool) -> list[int]:
    numbers = world.variants.rows if wanted is None else sorted(set(wanted))
    return [number for number in numbers if _is_listed(world, number, shows_archived)]


def _is_listed(world: World, number: int, shows_archived: bool) -> bool:
    variant = world.variants.live(number)
    if variant is None or (variant["type"] == "service" and world.options["services_in_inventory"] == "no"):
        return False
    return shows_archived or not parent_of(world, variant)["archived_at"]


def _level_view(world: World, place: Place, extends: set[str]) -> Row:
    """One row, its quantities as text (K-20), as old as the switch says (K-75)."""
    variant = world.variants.rows[place[0]]
    level = world.stock.as_read(place, world.clock.now(), float(world.options["stale_inventory_s"]))
    buildable = potential(world, variant, place[1])
    excess = level.in_stock - level.committed + level.expected - level.safety  # K-73
    shown: Row = {
        "variant_id": place[0],
        "location_id": place[1],
        "safety_stock_level": f"{level.safety:.5f}",
        "reorder_point": f"{level.safety:.5f}",
        "average_cost": f"{level.average_cost:.10f}",
        "value_in_stock": f"{level.average_cost * level.in_stock:.10f}",
        "quantity_in_stock": f"{level.in_stock:.5f}",
        "quantity_committed": f"{level.committed:.5f}",
        "quantity_expected": f"{level.expected:.5f}",
        "quantity_missing_or_excess": f"{excess:.5f}",
        "quantity_potential": None if buildable is None else f"{buildable:.5f}",
        "archived_at": parent_of(world, variant)["archived_at"],
    }
    if "variant" in extends:
        name = parent_of(world, variant)["name"]
        shown["variant"] = variant_view(world, variant) | {"product_or_material_name": name}  # fact sheet 3.1
    if "location" in extends:
        shown["location"] = world.locations.rows[place[1]]
    return shown


def _negative_view(world: World, place: Place) -> Row:
    variant = world.variants.rows[place[0]]
    parent = parent_of(world, variant)
    return {
        "variant_id": place[0],
        "location_id": place[1],
        "latest_negative_stock_date": world.stock.levels[place].went_negative_at,
        "name": parent["name"],
        "sku": variant["sku"],
        "category": parent["category_name"],
    }


def _check_location(world: World, location_id: int) -> None:
    if world.locations.live(location_id) is None:
        raise refused(f"Location with id {location_id} not found")


def _check_stocked(world: World, variant_id: int) -> None:
    variant = world.variants.live(variant_id)
    if variant is None or variant["type"] == "service":
        raise refused(f"Variant with id {variant_id} not found")


ROUTES: dict[str, Handler] = {
    "GET /inventory": list_inventory,
    "GET /inventory_movements": list_movements,
    "GET /stock_adjustments": list_adjustments,
    "POST /stock_adjustments": create_adjustment,
    "POST /inventory_safety_stock_levels": set_safety_stock,
    "POST /inventory_reorder_points": set_safety_stock,  # the deprecated twin
    "GET /negative_stock": list_negative,
}
