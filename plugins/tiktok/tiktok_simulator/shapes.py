"""What a body may hold, written much as the fact sheet writes it.

A shape is a type, a tuple of allowed words, `[shape]` for a list, or a dict of names; a name that ends in `*` must be
given. Names that a dict does not hold are refused.
"""

from __future__ import annotations

from typing import Any

NUMBER_NAMES = {int: "an integer", str: "a string", bool: "a boolean", dict: "an object", list: "a list"}


def fault(value: Any, shape: Any, where: str = "") -> str | None:
    """What is wrong with a value, in words, or None."""
    if isinstance(shape, dict):
        return _object_fault(value, shape, where)
    if isinstance(shape, list):
        return _list_fault(value, shape[0], where)
    if isinstance(shape, tuple):
        return None if value in shape else f"{where} must be one of {', '.join(shape)}"
    if not isinstance(value, shape) or (shape is int and isinstance(value, bool)):
        return f"{where} must be {NUMBER_NAMES[shape]}"
    return None


def _object_fault(value: Any, shape: dict[str, Any], where: str) -> str | None:
    if not isinstance(value, dict):
        return f"{where or 'body'} must be an object"
    known = {name.rstrip("*"): inner for name, inner in shape.items()}
    inside = f"{where}." if where else ""
    for name in value:
        if name not in known:
            return f"unknown property {inside}{name}"
    for name in shape:
        if name.endswith("*") and value.get(name[:-1]) in (None, ""):
            return f"{inside}{name[:-1]} is required"
    for name, one in value.items():
        found = fault(one, known[name], f"{inside}{name}")
        if found:
            return found
    return None


def _list_fault(value: Any, inner: Any, where: str) -> str | None:
    if not isinstance(value, list):
        return f"{where} must be a list"
    for number, one in enumerate(value):
        found = fault(one, inner, f"{where}[{number}]")
        if found:
            return found
    return None
