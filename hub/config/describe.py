"""The route file's schema as a page for the operator: ``python -m hub.config.describe > docs/routes.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from hub.config.faults import as_written
from hub.config.marks import Schema, dereferenced
from hub.config.schema import compose_schema

_INTRODUCTION = """\
# The route file

<!-- Generated from hub/config/route.schema.json by `make docs`. Change the schema, not this page. -->

One YAML file says which accounts the hub speaks to and what goes from where to where. `examples/routes/` has files to
copy. `hub check FILE` tells every fault at once, each with its line, its column and what to do. `hub schema` prints the
JSON Schema, so that an editor can complete keys, with the settings of every installed connector.

- A **mapping** is keys with values, `{a: 1, b: 2}` or one to a line; a **list** is `[a, b]` or one to a line after `-`.
- **Durations** carry their unit: `90s`, `60m`, `1h`, `2d`. Only a plain `0` needs none.
- **References**: `${NAME}`, anywhere in a text, stands for that environment variable. Its value is always a text.
- **Secrets** (keys, tokens) never stand in the file. Write `api_key: ${KATANA_API_KEY}`, or `api_key: {file: PATH}`
  with a file that holds the secret alone; the path is relative to the route file.
- **Texts that look like numbers**, such as the SKU `"007"`, need quotes. `NO` is a text, and so is `2026-01-15`.
- A key that does not exist is a fault, never ignored. So is a key that stands twice.
"""

_KINDS = {
    "string": "text",
    "integer": "whole number",
    "object": "mapping",
    "array": "list",
    "boolean": "true or false",
}


def describe(schema: dict[str, Any]) -> str:
    """Return a page in Markdown with every key of the schema: type, default, meaning, example."""
    return "\n".join([_INTRODUCTION, *_sections("", schema, schema)])


def _sections(path: str, schema: Schema, root: Schema) -> Iterator[str]:
    """Yield one section per mapping with keys of its own, in the order of the file."""
    title = f"`{path}`" if path else "The whole file"
    yield f"## {title}\n"
    if path and schema.get("description"):
        yield f"{schema['description']}\n"
    yield "| Key | Type | Default | Meaning | Example |\n| --- | --- | --- | --- | --- |"
    required = schema.get("required", ())
    inner = {name: dereferenced(value, root) for name, value in schema["properties"].items()}
    for name, value in inner.items():
        yield _row(name, value, name in required)
    yield ""
    for name, value in inner.items():
        for path_of, mapping in _mappings(f"{path}.{name}".lstrip("."), value, root):
            yield from _sections(path_of, mapping, root)


def _mappings(path: str, schema: Schema, root: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield the mappings with known keys that a value may be or may hold."""
    schema = dereferenced(schema, root)
    if "x-hub-secret" in schema or "x-hub-refused" in schema:
        return
    if "properties" in schema:
        yield path, schema
    if isinstance(schema.get("items"), dict):
        yield from _mappings(f"{path}[]", schema["items"], root)
    if isinstance(schema.get("additionalProperties"), dict):
        member = schema.get("propertyNames", {}).get("title", "KEY")
        yield from _mappings(f"{path}.{member}", schema["additionalProperties"], root)
    for branch in [*schema.get("anyOf", ()), *schema.get("oneOf", ())]:
        yield from _mappings(path, branch, root)
    for choice in schema.get("allOf", ()):
        for name, value in choice.get("then", {}).get("properties", {}).items():
            connector = choice["if"]["properties"]["connector"]["const"]
            yield from _mappings(f"{path}.{name} ({connector})", value, root)


def _row(name: str, schema: Schema, is_required: bool) -> str:
    default = "required" if is_required else _code(schema["default"]) if "default" in schema else "none"
    examples = " or ".join(_code(example) for example in schema.get("examples", ()))
    cells = (f"`{name}`", _kind(schema), default, schema.get("description", ""), examples)
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _kind(schema: Schema) -> str:
    if "x-hub-secret" in schema:
        return "secret"
    if str(schema.get("title")) == "duration":
        return "duration"
    if "const" in schema or "enum" in schema:
        return " or ".join(_code(value) for value in schema.get("enum", [schema.get("const")]))
    branches = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if branches:
        return " or ".join(dict.fromkeys(_kind(branch) for branch in branches if branch.get("type") != "null"))
    return _KINDS.get(str(schema.get("type", "object")), "number")


def _code(value: Any) -> str:
    return f"`{as_written(value)}`"


if __name__ == "__main__":
    sys.stdout.write(describe(compose_schema({})))
