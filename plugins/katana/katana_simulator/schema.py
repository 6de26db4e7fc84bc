"""A small validator that fails the way the gateway's Ajv does: all failures together, keyword by keyword (K-12)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from katana_simulator.clock import canonical
from katana_simulator.exchange import Detail, invalid

INT32 = 2147483647
_KINDS = {str: "string", bool: "boolean", int: "integer", list: "array", dict: "object"}


@dataclass(frozen=True, slots=True)
class Field:
    """What one value may be. `kinds` are JSON types; limits apply to the kind they make sense for."""

    kinds: tuple[str, ...]
    nullable: bool = False
    low: Decimal | int | None = None
    above: Decimal | int | None = None
    high: Decimal | int | None = None
    shortest: int = 0
    longest: int | None = None
    one_of: tuple[str, ...] = ()
    pattern: str = ""
    is_instant: bool = False
    items: Field | None = None
    fewest: int = 0
    most: int | None = None
    shape: Shape | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """An object: its properties, which of them must be there; any other is refused."""

    properties: Mapping[str, Field]
    required: tuple[str, ...] = ()


def identifier(*, nullable: bool = False) -> Field:
    return Field(("integer",), nullable=nullable, low=1, high=INT32)  # K-18


def text(shortest: int = 0, longest: int | None = None, *, nullable: bool = False) -> Field:
    return Field(("string",), nullable=nullable, shortest=shortest, longest=longest)


def word(*allowed: str) -> Field:
    return Field(("string",), one_of=allowed)


def number(
    low: int | None = None, high: int | None = None, *, above: int | None = None, nullable: bool = False
) -> Field:
    return Field(("number",), nullable=nullable, low=low, high=high, above=above)


def instant(*, nullable: bool = False) -> Field:
    return Field(("string",), nullable=nullable, is_instant=True)


def flag() -> Field:
    return Field(("boolean",))


def listing(items: Field, fewest: int = 0, most: int | None = None) -> Field:
    return Field(("array",), items=items, fewest=fewest, most=most)


def part(properties: Mapping[str, Field], required: tuple[str, ...] = ()) -> Field:
    return Field(("object",), shape=Shape(properties, required))


def anything(*, nullable: bool = False) -> Field:
    """An object whose inside is not looked at, such as custom fields keyed by definition."""
    return Field(("object",), nullable=nullable)


def require(shape: Shape, body: Any) -> dict[str, Any]:
    """Give the body back when it fits, else raise 422 with every failure; handlers call it before all else.  # K-13"""
    details: list[Detail] = []
    if not isinstance(body, dict):
        raise invalid([_wrong_type("", ("object",))])
    _check_object(shape, body, "", details)
    if details:
        raise invalid(details)
    return body


def detail(path: str, code: str, message: str, info: Mapping[str, Any]) -> Detail:
    return {"path": path, "code": code, "message": message, "info": dict(info)}


def _check_object(shape: Shape, body: dict[str, Any], path: str, out: list[Detail]) -> None:
    for name in shape.required:
        if name not in body:
            out.append(detail(path, "required", f"must have required property '{name}'", {"missingProperty": name}))
    known = shape.properties
    for name, value in body.items():
        field = known.get(name)
        if field is None:
            info = {"additionalProperty": name}
            out.append(detail(path, "additionalProperties", "must NOT have additional properties", info))
        else:
            check_value(field, value, f"{path}/{name}", out)


def check_value(field: Field, value: Any, path: str, out: list[Detail]) -> None:
    """Append what is wrong with one value; a wrong type hides its other faults, as in Ajv."""
    if value is None:
        if not field.nullable:
            out.append(_wrong_type(path, field.kinds))
        return
    kind = _kind(value)
    if kind not in field.kinds and not (kind == "integer" and "number" in field.kinds):
        out.append(_wrong_type(path, field.kinds))
    elif kind == "string":
        _check_text(field, value, path, out)
    elif kind in ("integer", "number"):
        _check_number(field, value, path, out)
    elif kind == "array":
        _check_list(field, value, path, out)
    elif kind == "object" and field.shape is not None:
        _check_object(field.shape, value, path, out)


def _kind(value: Any) -> str:
    kind = _KINDS.get(type(value))
    if kind is not None:
        return kind
    return "integer" if value == value.to_integral_value() else "number"


def _check_text(field: Field, value: str, path: str, out: list[Detail]) -> None:
    if len(value) < field.shortest:
        message = f"must NOT have fewer than {field.shortest} characters"
        out.append(detail(path, "minLength", message, {"limit": field.shortest}))
    if field.longest is not None and len(value) > field.longest:
        message = f"must NOT have more than {field.longest} characters"
        out.append(detail(path, "maxLength", message, {"limit": field.longest}))
    if field.one_of and value not in field.one_of:
        info = {"allowedValues": list(field.one_of)}
        out.append(detail(path, "enum", "must be equal to one of the allowed values", info))
    if field.pattern and not re.search(field.pattern, value):
        out.append(detail(path, "pattern", f'must match pattern "{field.pattern}"', {"pattern": field.pattern}))
    if field.is_instant and canonical(value) is None:
        out.append(detail(path, "format", 'must match format "date-time"', {"format": "date-time"}))


def _check_number(field: Field, value: Decimal | int, path: str, out: list[Detail]) -> None:
    if field.low is not None and value < field.low:
        out.append(_limit(path, "minimum", ">=", field.low))
    if field.above is not None and value <= field.above:
        out.append(_limit(path, "exclusiveMinimum", ">", field.above))
    if field.high is not None and value > field.high:
        out.append(_limit(path, "maximum", "<=", field.high))


def _check_list(field: Field, value: list[Any], path: str, out: list[Detail]) -> None:
    if len(value) < field.fewest:
        out.append(detail(path, "minItems", f"must NOT have fewer than {field.fewest} items", {"limit": field.fewest}))
    if field.most is not None and len(value) > field.most:
        out.append(detail(path, "maxItems", f"must NOT have more than {field.most} items", {"limit": field.most}))
    if field.items is not None:
        for index, item in enumerate(value):
            check_value(field.items, item, f"{path}/{index}", out)


def _limit(path: str, code: str, comparison: str, limit: Decimal | int) -> Detail:
    return detail(path, code, f"must be {comparison} {limit}", {"comparison": comparison, "limit": limit})


def _wrong_type(path: str, kinds: tuple[str, ...]) -> Detail:
    names = ",".join(kinds)
    return detail(path, "type", f"must be {names}", {"type": kinds[0] if len(kinds) == 1 else list(kinds)})
