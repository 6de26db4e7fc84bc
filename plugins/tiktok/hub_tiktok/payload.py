"""Defensive reading of vendor JSON: fields may be missing, null, empty or of another type (T-43, T-44).

Every function takes an object and a field name. An error names the field, never the value, which may be a buyer's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic_core import from_json

Json = dict[str, Any]
ZERO = Decimal(0)


class UnreadableError(ValueError):
    """A field holds something that cannot be read as what it should be."""


def parse(content: bytes) -> Json | None:
    """Return the JSON object in some bytes; None where there is no JSON object.

    Shape: amounts are texts (T-43); a number with a point becomes a float, whose digits ``number`` reads as they stand.
    """
    try:
        value = from_json(content)
    except ValueError:
        value = _patiently(content)
    return value if isinstance(value, dict) else None


def _patiently(content: bytes) -> Any:
    # Half of an escaped character is no text for the fast parser.
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def text(source: Mapping[str, Any], name: str) -> str:
    """Return a text without the blanks around it; empty where there is none. A number becomes its digits."""
    value = source.get(name)
    if type(value) is str:  # nearly all of them, and an order has over a hundred
        # JSON may escape half of a character, which no database and no other system takes.
        return (value if value.isascii() else value.encode("utf-8", "replace").decode()).strip()
    if value is None or isinstance(value, bool | dict | list):
        return ""
    return str(value).strip()


def flag(source: Mapping[str, Any], name: str) -> bool:
    """Return whether a field is true; missing and null are false."""
    value = source.get(name)
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")


def number(source: Mapping[str, Any], name: str) -> Decimal | None:
    """Return a finite number; None where there is none.

    Raises:
        UnreadableError: there is something, and it is no number.
    """
    given = source.get(name)
    if given is None:  # most of the amounts an order may have
        return None
    raw = given if type(given) is str else text(source, name)
    try:
        value = Decimal(raw)
    except InvalidOperation:
        if not raw.strip():
            return None
        raise UnreadableError(f"{name} is not a number") from None
    if not value.is_finite():
        raise UnreadableError(f"{name} is not a number")
    return value


def amount(source: Mapping[str, Any], name: str) -> Decimal:
    """Return an amount in major units; a missing one is zero, since values of nothing are left out (T-43)."""
    return ZERO if source.get(name) is None else number(source, name) or ZERO


def whole(source: Mapping[str, Any], name: str) -> int | None:
    """Return a whole number; None where there is none or something else."""
    plain = source.get(name)
    if type(plain) is int:
        return plain
    try:
        value = number(source, name)
    except UnreadableError:
        return None
    return int(value) if value is not None and value == value.to_integral_value() else None


def instant(source: Mapping[str, Any], name: str) -> datetime | None:
    """Return Unix seconds as an instant in UTC; None where there is none, or zero."""
    seconds = whole(source, name)
    if not seconds:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def child(source: Mapping[str, Any], name: str) -> Json:
    """Return an object; empty where there is none."""
    value = source.get(name)
    return value if isinstance(value, dict) else {}


def children(source: Mapping[str, Any], name: str) -> list[Json]:
    """Return the objects of a list; empty where there is no list."""
    value = source.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def texts(source: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return the texts of a list, numbers as their digits; empty where there is no list."""
    value = source.get(name)
    if not isinstance(value, list):
        return ()
    return tuple(str(item) for item in value if isinstance(item, str | int) and not isinstance(item, bool))
