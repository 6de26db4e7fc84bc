"""The four `/search` calls; both shapes of the body, as the switch allows (K-57)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from katana_simulator import bodies, customers, variants
from katana_simulator.exchange import Answer, Detail, Request, Row, invalid, not_found
from katana_simulator.lists import paged
from katana_simulator.order_rows import view as row_view
from katana_simulator.order_views import order_view
from katana_simulator.orders import visible_to_lists
from katana_simulator.predicates import compile_filter
from katana_simulator.schema import Shape, detail, require
from katana_simulator.tables import Table
from katana_simulator.variants import parent_of
from katana_simulator.world import Handler, World

_ORDER_FIELDS = [
    "id",
    "order_no",
    "customer_id",
    "customer_ref",
    "location_id",
    "status",
    "invoicing_status",
    "production_status",
    "product_availability",
    "ingredient_availability",
    "source",
    "currency",
    "ecommerce_order_type",
    "ecommerce_store_name",
    "ecommerce_order_id",
    "tracking_number",
    "created_at",
    "updated_at",
    "order_created_date",
    "delivery_date",
    "picked_date",
]
_ROW_FIELDS = [
    "id",
    "sales_order_id",
    "variant_id",
    "location_id",
    "tax_rate_id",
    "tax_rate",
    "price_per_unit",
    "quantity",
    "total_discount",
    "currency",
    "product_availability",
    "delivery_date",
    "shipping_date",
    "created_at",
    "updated_at",
]
_VARIANT_FIELDS = [
    "id",
    "sku",
    "item_id",
    "item_type",
    "sales_price",
    "purchase_price",
    "internal_barcode",
    "registered_barcode",
    "lead_time",
    "minimum_order_quantity",
    "supplier_item_codes",
    "abc_classification",
    "created_at",
    "updated_at",
]
_CUSTOMER_FIELDS = [
    "id",
    "name",
    "first_name",
    "last_name",
    "company",
    "email",
    "phone",
    "comment",
    "category",
    "currency",
    "reference_id",
    "default_billing_id",
    "default_shipping_id",
    "created_at",
    "updated_at",
]


@dataclass(frozen=True, slots=True)
class Search:
    """One searchable table: its fields, how a row shows, and which rows are there to be found."""

    known: list[str]
    table: Callable[[World], Table]
    view: Callable[[World, Row], Row]
    is_found: Callable[[World, set[str]], Callable[[Row], bool]]
    shape: Shape = bodies.SEARCH


def run(search: Search, world: World, request: Request) -> Answer:
    if world.options["search_shape"] == "none":
        raise not_found()
    body = require(search.shape, request.body)
    where, order, limit, number = _read_shape(world, body)
    details: list[Detail] = []
    tests = compile_filter(where, search.known, "/filter", details)
    keys = _sort_keys(order, search.known, details)
    if details:
        raise invalid(details)
    include = set(body.get("include", []))
    is_found = search.is_found(world, include)
    shown = (search.view(world, row) for row in _candidates(search.table(world), where) if is_found(row))
    found = [row for row in shown if all(test(row) for test in tests)]
    for name, descending in reversed(keys):
        found.sort(key=lambda row: (row.get(name) is not None, row.get(name) or 0), reverse=descending)
    start = (number - 1) * limit
    if number > 1:
        start = max(start + request.shift_page(), 0)
    cut = found[start : start + limit]
    if search.shape is bodies.VARIANT_SEARCH:
        cut = [_variant_shown(world, row, include) for row in cut]
    return paged(cut, len(found), limit, number)


def _read_shape(world: World, body: Row) -> tuple[Any, list[str], int, int]:
    shape = world.options["search_shape"]
    outer: Row = body
    inner = body.get("filter", {})
    is_nested = shape == "nested" or (shape == "both" and "where" in inner)
    if is_nested:
        extra = [name for name in inner if name not in ("where", "order", "limit", "page")]
        extra_outer = [name for name in body if name not in ("filter", "include")]
        _refuse_extra("/filter", extra)
        _refuse_extra("", extra_outer)
        outer = inner
        require(bodies.SEARCH, {name: value for name, value in inner.items() if name != "where"})
        inner = inner.get("where", {})
    order = outer.get("order", [])
    limit = outer.get("limit", 50) or 50
    return inner, [order] if isinstance(order, str) else order, int(limit), int(outer.get("page", 1))


def _refuse_extra(path: str, names: list[str]) -> None:
    message = "must NOT have additional properties"
    if names:
        raise invalid([detail(path, "additionalProperties", message, {"additionalProperty": name}) for name in names])


def _sort_keys(order: list[str], known: list[str], out: list[Detail]) -> list[tuple[str, bool]]:
    keys = []
    for index, entry in enumerate(order):
        name, _, direction = str(entry).partition(" ")
        if name not in known or direction.upper() not in ("", "ASC", "DESC"):
            out.append(detail(f"/order/{index}", "pattern", "must name a field and ASC or DESC", {"pattern": "field"}))
        keys.append((name, direction.upper() == "DESC"))
    return keys


def _candidates(table: Table, where: Mapping[str, Any]) -> Iterable[Row]:
    """Rows that can match: by an index where one field asks for given values, else all of them."""
    for name, condition in where.items():
        if table.is_indexed(name):
            values = condition.get("inq") if isinstance(condition, dict) else [condition]
            if values is not None:
                return table.where(name, values)
    return table.newest_first()


def _live_orders(world: World, include: set[str]) -> Callable[[Row], bool]:
    shown = visible_to_lists(world)
    return lambda row: not row["deleted_at"] and shown(row)


def _live_rows(world: World, include: set[str]) -> Callable[[Row], bool]:
    shown = visible_to_lists(world)
    return lambda row: not row["deleted_at"] and shown(world.orders.rows[row["sales_order_id"]])


def _live_variants(world: World, include: set[str]) -> Callable[[Row], bool]:
    def is_found(row: Row) -> bool:
        is_archived = bool(parent_of(world, row)["archived_at"])
        return ("deleted" in include or not row["deleted_at"]) and ("archived" in include or not is_archived)

    return is_found


def _live(world: World, include: set[str]) -> Callable[[Row], bool]:
    return lambda row: not row["deleted_at"]


def _variant_view(world: World, row: Row) -> Row:
    return variants.view(world, row) | {"item_id": parent_of(world, row)["id"], "item_type": row["type"]}


def _variant_shown(world: World, row: Row, include: set[str]) -> Row:
    shown = {name: value for name, value in row.items() if name not in ("item_id", "item_type")}
    if "item" in include:  # K-33
        shown["item"] = parent_of(world, world.variants.rows[row["id"]])
    return shown


def _handler(search: Search) -> Handler:
    return lambda world, request: run(search, world, request)


ROUTES: dict[str, Handler] = {
    "POST /sales_orders/search": _handler(Search(_ORDER_FIELDS, lambda w: w.orders, order_view, _live_orders)),
    "POST /sales_order_rows/search": _handler(Search(_ROW_FIELDS, lambda w: w.order_rows, row_view, _live_rows)),
    "POST /customers/search": _handler(Search(_CUSTOMER_FIELDS, lambda w: w.customers, customers.view, _live)),
    "POST /variants/search": _handler(
        Search(_VARIANT_FIELDS, lambda w: w.variants, _variant_view, _live_variants, bodies.VARIANT_SEARCH)
    ),
}
