"""The conditions of a search body, turned into functions of a row (K-58)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

from katana_simulator.clock import canonical
from katana_simulator.exchange import Detail, Row
from katana_simulator.schema import detail

Test = Callable[[Row], bool]
DEEPEST = 2
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "neq": lambda value, other: bool(value != other),
    "gt": lambda value, other: bool(value > other),
    "gte": lambda value, other: bool(value >= other),
    "lt": lambda value, other: bool(value < other),
    "lte": lambda value, other: bool(value <= other),
    "inq": lambda value, other: value in other,
    "nin": lambda value, other: value not in other,
    "between": lambda value, other: bool(other[0] <= value <= other[1]),
}
_NULL_PASSES = ("neq", "nin")


def compile_filter(where: Any, known: Collection[str], path: str, out: list[Detail], depth: int = 0) -> list[Test]:
    """Tests that must all hold; whatever is unknown or malformed is added to `out`."""
    if not isinstance(where, dict):
        out.append(detail(path, "type", "must be object", {"type": "object"}))
        return []
    tests: list[Test] = []
    for name, condition in where.items():
        place = f"{path}/{name}"
        if name in ("and", "or"):
            tests += _combine(name, condition, known, place, out, depth)
        elif name in known or name.startswith("custom_fields."):
            tests += _field_tests(name, condition, place, out)
        else:
            message = "must NOT have additional properties"
            out.append(detail(path, "additionalProperties", message, {"additionalProperty": name}))
    return tests


def _combine(name: str, parts: Any, known: Collection[str], path: str, out: list[Detail], depth: int) -> list[Test]:
    if not isinstance(parts, list) or depth >= DEEPEST:
        out.append(detail(path, "type", "must be array, nested two deep at most", {"type": "array"}))
        return []
    groups = [compile_filter(part, known, f"{path}/{n}", out, depth + 1) for n, part in enumerate(parts)]
    if name == "and":
        return [test for group in groups for test in group]
    return [lambda row: any(all(test(row) for test in group) for group in groups)]


def _field_tests(name: str, condition: Any, path: str, out: list[Detail]) -> list[Test]:
    if not isinstance(condition, dict):
        wanted = _value(name, condition)
        return [lambda row: bool(_of(row, name) == wanted)]
    tests: list[Test] = []
    for operator, operand in condition.items():
        place = f"{path}/{operator}"
        if not _fits(operator, operand, place, path, out):
            continue
        if operator in ("like", "ilike"):
            tests.append(_pattern_test(name, operator, operand))
        else:
            tests.append(_compare_test(name, operator, _value(name, operand)))
    return tests


def _fits(operator: str, operand: Any, place: str, path: str, out: list[Detail]) -> bool:
    before = len(out)
    if operator in ("inq", "nin", "between"):
        sizes = (2, 2) if operator == "between" else (0, 100)
        if not isinstance(operand, list):
            out.append(detail(place, "type", "must be array", {"type": "array"}))
        elif len(operand) > sizes[1]:
            message = f"must NOT have more than {sizes[1]} items"
            out.append(detail(place, "maxItems", message, {"limit": sizes[1]}))
        elif len(operand) < sizes[0]:
            message = f"must NOT have fewer than {sizes[0]} items"
            out.append(detail(place, "minItems", message, {"limit": sizes[0]}))
    elif operator in ("like", "ilike"):
        if not isinstance(operand, str):
            out.append(detail(place, "type", "must be string", {"type": "string"}))
    elif operator not in _COMPARE:
        message = "must NOT have additional properties"
        out.append(detail(path, "additionalProperties", message, {"additionalProperty": operator}))
    return len(out) == before


def _compare_test(name: str, operator: str, operand: Any) -> Test:
    compare = _COMPARE[operator]

    def test(row: Row) -> bool:
        value = _of(row, name)
        if value is None:
            return operator in _NULL_PASSES and compare(value, operand)
        try:
            return compare(value, operand)
        except TypeError:
            return False

    return test


def _pattern_test(name: str, operator: str, pattern: str) -> Test:
    parts = {"%": ".*", "_": "."}
    expression = "".join(parts.get(letter, re.escape(letter)) for letter in pattern)
    matcher = re.compile(expression, re.DOTALL | (re.IGNORECASE if operator == "ilike" else 0))
    return lambda row: isinstance(_of(row, name), str) and matcher.fullmatch(_of(row, name)) is not None


def _value(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_value(name, item) for item in value]
    if isinstance(value, str) and name.endswith(("_at", "_date")):
        return canonical(value) or value
    return value


def _of(row: Row, name: str) -> Any:
    group, _, key = name.partition(".")
    return (row.get(group) or {}).get(key) if key else row.get(name)
