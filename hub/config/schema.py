"""The route file's JSON Schema: the core's, joined with the settings of each installed connector."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from hub.config.marks import SECRET, Schema, is_marked, may_be_null, schema_of
from hub.config.references import NAME
from hub.contract import Connector

_REFERENCE = {"type": "string", "pattern": r"^\$\{" + NAME + r"\}$", "examples": ["${NAME}"]}
_SECRET_FILE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["file"],
    "properties": {
        "file": {
            "description": "File that holds the secret and nothing else; relative to the route file.",
            "type": "string",
            "minLength": 1,
            "examples": ["secrets/api_key"],
        }
    },
}
_STORED = {
    "type": "object",
    "additionalProperties": False,
    "required": ["stored"],
    "properties": {
        "stored": {"description": "Kept by the hub, encrypted; `hub connect ID` asks for it.", "const": True,
                   "examples": [True]}
    },
}  # fmt: skip


def compose_schema(connectors: Mapping[str, type[Connector]]) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a route file for these connectors, by name.

    Shape: one document without outside references; each connector's settings stand under ``$defs/settings-NAME``.
    """
    schema: dict[str, Any] = json.loads(files("hub.config").joinpath("route.schema.json").read_text("utf-8"))
    connection = schema["$defs"]["connection"]
    if connectors:
        connection["properties"]["connector"]["enum"] = sorted(connectors)
    choices = []
    for name in sorted(connectors):
        settings = _prepared(schema_of(connectors[name].settings_model), f"#/$defs/settings-{name}", name)
        schema["$defs"][f"settings-{name}"] = settings
        choices.append(_choice(name, bool(settings.get("required"))))
    if choices:
        connection["allOf"] = choices
    return schema


def _choice(name: str, settings_needed: bool) -> Schema:
    then: Schema = {"properties": {"settings": {"$ref": f"#/$defs/settings-{name}"}}}
    if settings_needed:
        then["required"] = ["settings"]
    return {"if": {"properties": {"connector": {"const": name}}, "required": ["connector"]}, "then": then}


def _prepared(schema: Any, root: str, connector: str) -> Any:
    """Return a settings schema moved below ``root``, closed to unknown keys, with secrets as references."""
    if isinstance(schema, list):
        return [_prepared(item, root, connector) for item in schema]
    if not isinstance(schema, dict):
        return schema
    moved = {key: _prepared(value, root, connector) for key, value in schema.items() if key not in _AS_WRITTEN}
    moved |= {key: schema[key] for key in _AS_WRITTEN if key in schema}
    if isinstance(moved.get("$ref"), str):
        moved["$ref"] = moved["$ref"].replace("#", root, 1)
    if isinstance(moved.get("properties"), dict):
        moved.setdefault("additionalProperties", False)
        described = {key: _described(key, inner, connector) for key, inner in moved["properties"].items()}
        moved["properties"] = described
    return moved


_AS_WRITTEN = ("default", "examples", "enum", "const", "required", "description", "title")


def _described(name: str, setting: Schema, connector: str) -> Schema:
    variable = f"${{{connector}_{name}}}".upper().replace("-", "_")
    result = _secret(setting) if is_marked(SECRET, setting) else dict(setting)
    if "description" not in result and "$ref" not in result:
        result["description"] = str(setting.get("title", name))
    if "examples" not in result:
        result["examples"] = [variable] if SECRET in result else [setting.get("default")]
    return result


def _secret(setting: Schema) -> Schema:
    kept: Schema = {key: setting[key] for key in ("description", "examples", "title", "default") if key in setting}
    nothing = [{"type": "null"}] if may_be_null(setting) else []
    return {**kept, SECRET: True, "oneOf": [_REFERENCE, _SECRET_FILE, _STORED, *nothing]}
