"""Walks data beside the JSON Schema that describes it, to find the values a schema marks as special."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel

from hub.config.faults import child

SECRET, URL = "x-hub-secret", "x-hub-url"
Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Marked:
    """A value whose schema carries a mark, and the name of the setting that holds it."""

    pointer: str
    name: str
    value: Any
    may_be_null: bool


@cache
def schema_of(model: type[BaseModel]) -> Schema:
    """Return the JSON Schema of a settings model; made once, because that takes milliseconds, so not to be changed."""
    return model.model_json_schema()


def find_marked(mark: str, schema: Schema, data: Any, pointer: str = "", name: str = "") -> Iterator[Marked]:
    """Yield each value in ``data`` that ``schema`` (with its own ``$defs``) marks, references followed."""
    yield from _walk(mark, schema, schema, data, pointer, name)


def is_marked(mark: str, schema: Schema) -> bool:
    """Say whether a property carries a mark, itself or in one of its alternatives."""
    return bool(schema.get(mark)) or any(is_marked(mark, branch) for branch in _branches(schema))


def may_be_null(schema: Schema) -> bool:
    """Say whether an empty value is one of the alternatives."""
    return any(branch.get("type") == "null" for branch in _branches(schema))


def dereferenced(schema: Schema, root: Schema) -> Schema:
    """Return what a local ``$ref`` names, under the keywords that stand beside it."""
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    target: Any = root
    for part in reference.removeprefix("#/").split("/"):
        target = target[part.replace("~1", "/").replace("~0", "~")]
    beside = {key: value for key, value in schema.items() if key != "$ref"}
    return {**dereferenced(target, root), **beside}


def _walk(mark: str, schema: Schema, root: Schema, data: Any, pointer: str, name: str) -> Iterator[Marked]:
    schema = dereferenced(schema, root)
    if is_marked(mark, schema):
        yield Marked(pointer, name, data, may_be_null(schema))
        return
    for branch in _branches(schema):
        yield from _walk(mark, branch, root, data, pointer, name)
    if isinstance(data, dict):
        for key, value in data.items():
            inner = _member(schema, key)
            if inner is not None:
                yield from _walk(mark, inner, root, value, child(pointer, key), key)
    elif isinstance(data, list) and isinstance(schema.get("items"), dict):
        for at, value in enumerate(data):
            yield from _walk(mark, schema["items"], root, value, child(pointer, at), name)


def _branches(schema: Schema) -> list[Schema]:
    return [branch for keyword in ("anyOf", "oneOf", "allOf") for branch in schema.get(keyword, ())]


def _member(schema: Schema, key: str) -> Schema | None:
    """Return the schema of a mapping's member, None where there is none to follow."""
    known: Schema | None = schema.get("properties", {}).get(key)
    if known is not None:
        return known
    patterns = schema.get("patternProperties", {})
    found: Schema | None = next((inner for pattern, inner in patterns.items() if re.search(pattern, key)), None)
    others = schema.get("additionalProperties")
    return found or (others if isinstance(others, dict) else None)
