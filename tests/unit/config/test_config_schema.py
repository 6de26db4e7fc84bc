"""The composed schema: closed, described, and fit for an editor."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hub.config import compose_schema
from hub.config.marks import schema_of
from tests.unit.config.config_files import CONNECTORS

GOOD = {
    "version": 1,
    "connections": {
        "s": {
            "connector": "shop",
            "settings": {"app_key": "a", "token": "${T}", "limits": {"password": {"file": "p"}}},
        },
        "e": {"connector": "erp", "settings": {"api_key": {"file": "secrets/key"}}},
    },
    "routes": [{"name": "r", "channel": "s", "erp": "e"}],
}


def _properties(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Yield every property with its path, and whether a condition mentions it rather than defines it."""
    if isinstance(schema, list):
        for item in schema:
            yield from _properties(item, path)
    elif isinstance(schema, dict):
        for name, value in schema.get("properties", {}).items():
            yield f"{path}/{name}", value, path.rpartition("/")[2] in ("if", "then")
        for key, value in schema.items():
            if key not in ("examples", "default"):
                yield from _properties(value, f"{path}/{key}")


def test_schema_is_valid_and_accepts_a_good_file() -> None:
    schema = compose_schema(CONNECTORS)
    Draft202012Validator.check_schema(schema)
    assert list(Draft202012Validator(schema).iter_errors(GOOD)) == []


def test_every_property_has_a_description_and_an_example() -> None:
    for path, value, is_condition in _properties(compose_schema(CONNECTORS)):
        if not is_condition:
            assert value.get("description") or "$ref" in value, path
            assert value.get("examples"), path


def test_every_mapping_is_closed_to_unknown_keys() -> None:
    def walk(schema: Any, path: str) -> None:
        if isinstance(schema, list):
            for item in schema:
                walk(item, path)
        elif isinstance(schema, dict):
            if schema.get("type") == "object" and "properties" in schema:
                assert schema.get("additionalProperties") is False, path
            for key, value in schema.items():
                if key not in ("examples", "default"):
                    walk(value, f"{path}/{key}")

    walk(compose_schema(CONNECTORS), "")


def test_examples_and_defaults_of_the_core_are_valid_themselves() -> None:
    schema = compose_schema({})
    for path, value, is_condition in _properties(schema):
        if is_condition or path == "/properties/connections":
            continue
        shown = [*value.get("examples", ()), *([value["default"]] if "default" in value else [])]
        inner = Draft202012Validator({**value, "$defs": schema["$defs"]})
        for example in shown:
            if "settings" not in path:
                assert [error.message for error in inner.iter_errors(example)] == [], path


@pytest.mark.parametrize("secret", ["literal", "${A} and more", {"file": ""}, {"path": "x"}, 5])
def test_editor_refuses_a_secret_in_the_file(secret: Any) -> None:
    bad = {**GOOD, "connections": {"e": {"connector": "erp", "settings": {"api_key": secret}}}}
    assert not Draft202012Validator(compose_schema(CONNECTORS)).is_valid(bad)


def test_settings_belong_to_their_connector() -> None:
    bad = {**GOOD, "connections": {"e": {"connector": "erp", "settings": {"app_key": "a", "token": "${T}"}}}}
    assert not Draft202012Validator(compose_schema(CONNECTORS)).is_valid(bad)


def test_composing_changes_no_connectors_own_schema() -> None:
    own = {name: schema_of(connector.settings_model) for name, connector in CONNECTORS.items()}
    before = deepcopy(own)
    compose_schema(CONNECTORS)
    assert own == before


def test_importing_the_room_loads_no_database_or_plugin_library() -> None:
    code = "import hub.config, sys; print(*[name for name in ('sqlalchemy', 'stevedore') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
