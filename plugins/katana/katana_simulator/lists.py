"""Lists: filters from the query, paging, and the pagination header."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from katana_simulator.clock import canonical
from katana_simulator.exchange import Answer, Detail, Request, Row, invalid
from katana_simulator.schema import detail
from katana_simulator.tables import Table
from katana_simulator.world import World

MOST = 250  # K-07
View = Callable[[World, Row], Row]
Wanted = list[tuple["Param", list[Any]]]


@dataclass(frozen=True, slots=True)
class Param:
    """One query parameter: how its text is read, and the field of the row it is compared with.

    kind: int, text, folded (text without case), number, flag, min, max (of an instant). With `many` the key may
    repeat, and any of its values matches.  # K-22
    """

    kind: str
    field: str
    many: bool = False


COMMON: dict[str, Param] = {  # K-24
    "ids": Param("int", "id", many=True),
    "created_at_min": Param("min", "created_at"),
    "created_at_max": Param("max", "created_at"),
    "updated_at_min": Param("min", "updated_at"),
    "updated_at_max": Param("max", "updated_at"),
}
DATES = {name: param for name, param in COMMON.items() if name != "ids"}


def fields(kind: str, *names: str) -> dict[str, Param]:
    """Parameters named like the field they filter."""
    return {name: Param(kind, name) for name in names}


def answer_list(
    world: World,
    request: Request,
    table: Table,
    params: Mapping[str, Param],
    view: View,
    is_shown: Callable[[Row], bool] | None = None,
) -> Answer:
    """Filter a table by the declared parameters, newest first (K-10); other names are ignored (K-23)."""
    wanted = read_params(world, request, params)
    shows_deleted = is_true(request, "include_deleted")
    rows: Iterable[Row] = table.newest_first()
    for param, values in wanted:
        if param.kind not in ("min", "max") and table.is_indexed(param.field):
            rows = table.where(param.field, values)
            break
    found = [
        row
        for row in select(world, rows, wanted)
        if (shows_deleted or not row.get("deleted_at")) and (is_shown is None or is_shown(row))
    ]
    return page(world, request, found, lambda row: view(world, row))


def select(world: World, rows: Iterable[Row], wanted: Wanted) -> Iterator[Row]:
    """The rows that every parameter of `read_params` lets through."""
    exclusive = world.options["updated_at_min"] == "exclusive"  # K-25
    return (row for row in rows if all(_matches(param, values, row, exclusive) for param, values in wanted))


def read_params(world: World, request: Request, params: Mapping[str, Param]) -> Wanted:
    """The declared parameters that are in the query, with their values; 422 where one cannot be read."""
    wanted: Wanted = []
    details: list[Detail] = []
    most = world.options["most_filter_values"]
    for name, texts in request.query.items():
        param = params.get(name)
        if param is None:
            continue
        if most != "off" and len(texts) > int(float(most)):  # fact sheet 17.11
            info = {"limit": int(float(most))}
            details.append(detail(f"/{name}", "maxItems", f"must NOT have more than {most} items", info))
        values = [_read(param.kind, text) for text in (texts if param.many else texts[-1:])]
        if None in values:
            details.append(detail(f"/{name}", "type", f"must be {param.kind}", {"type": param.kind}))
        wanted.append((param, values))
    if details:
        raise invalid(details)
    return wanted


def page(
    world: World, request: Request, found: Sequence[Any], view: Callable[[Any], Row], total: int | None = None
) -> Answer:
    """Cut one page out of what was found (by limit and page of the query)."""
    limit, number = _paging(world, request)
    start = (number - 1) * limit
    if number > 1:
        start = max(start + request.shift_page(), 0)
    data = [view(row) for row in found[start : start + limit]]
    return paged(data, len(found) if total is None else total, limit, number)


def paged(data: list[Row], total: int, limit: int, number: int) -> Answer:
    """A list answer with its header, whose values are texts.  # K-09"""
    pages = -(-total // limit) if limit else 0
    header = {
        "total_records": str(total),
        "total_pages": str(pages),
        "offset": str((number - 1) * limit),
        "page": str(number),
        "first_page": "true" if number == 1 else "false",
        "last_page": "true" if number >= pages else "false",
    }
    return Answer(200, {"data": data}, {"X-Pagination": json.dumps(header, separators=(",", ":"))})


def is_true(request: Request, name: str) -> bool:
    return request.query.get(name, [""])[-1].lower() == "true"


def _paging(world: World, request: Request) -> tuple[int, int]:
    details: list[Detail] = []
    limit, number = _positive(request, "limit", 50, details), _positive(request, "page", 1, details)
    if limit > MOST and world.options["over_limit"] == "refuse":  # K-08
        info = {"comparison": "<=", "limit": MOST}
        details.append(detail("/limit", "maximum", f"must be <= {MOST}", info))
    if details:
        raise invalid(details)
    return min(limit, MOST), number


def _positive(request: Request, name: str, default: int, details: list[Detail]) -> int:
    text = request.query.get(name, [str(default)])[-1]
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    details.append(detail(f"/{name}", "type", "must be integer", {"type": "integer"}))
    return default


def _read(kind: str, text: str) -> Any:
    if kind == "int":
        return int(text) if text.isdecimal() else None
    if kind == "number":
        try:
            return Decimal(text)
        except InvalidOperation:
            return None
    if kind == "flag":
        return {"true": True, "false": False}.get(text.lower())
    if kind in ("min", "max"):
        return canonical(text)
    return text.casefold() if kind == "folded" else text


def _matches(param: Param, values: list[Any], row: Row, exclusive: bool) -> bool:
    value = row.get(param.field)
    if param.kind == "min":
        is_later = value is not None and value > values[0]
        return is_later or (value == values[0] and not (exclusive and param.field == "updated_at"))
    if param.kind == "max":
        return value is not None and bool(value <= values[0])
    if isinstance(value, list):
        return any(item in values for item in value)
    return value in values
