"""docs/routes.md is what the schema says, and every example route file loads."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hub_katana.connector import KatanaConnector
from hub_tiktok.connector import TikTokConnector

from hub.cli.simulate import secret_names
from hub.config import CODES, compose_schema, load
from hub.config.describe import describe
from hub.host.discover import simulators

ROOT = Path(__file__).parents[2]
CONNECTORS: Mapping[str, Any] = {"katana": KatanaConnector, "tiktok": TikTokConnector}
EXAMPLES = sorted((ROOT / "examples" / "routes").glob("*.yaml"))


def test_page_is_what_the_schema_says() -> None:
    page = (ROOT / "docs" / "routes.md").read_text("utf-8")
    assert page == describe(compose_schema({})), "run: make docs"
    command = [sys.executable, "-m", "hub.config.describe"]
    assert subprocess.run(command, capture_output=True, check=True).stdout.decode() == page


def test_page_shows_every_key_of_the_schema() -> None:
    page = describe(compose_schema({}))
    schema = compose_schema({})
    for name, part in {"": schema, **schema["$defs"]}.items():
        for key in part.get("properties", {}):
            assert f"| `{key}` |" in page, (name, key)


def test_page_with_connectors_shows_their_settings() -> None:
    page = describe(compose_schema(CONNECTORS))
    assert "## `connections.ID.settings (katana)`" in page
    assert "| `app_secret` | secret | required |" in page


def test_example_of_simulators_asks_only_for_what_they_print() -> None:
    """Its head says how they are started; what they print to export, and what stands in the file, is enough."""
    text = (ROOT / "examples" / "routes" / "simulators.yaml").read_text("utf-8")
    ports = dict(re.findall(r"hub simulate (\w+) --port (\d+)", text))
    printed = set()
    for name, found in simulators().items():
        assert found.plugin is not None
        simulator = found.plugin(port=0, options={})
        simulator.start()
        settings, secrets = simulator.settings(), secret_names(simulator.connector)
        simulator.stop()
        assert f"http://127.0.0.1:{ports[name]}" in text
        printed |= {f"{simulator.connector}_{each}".upper() for each in secrets & settings.keys()}
        for key in settings.keys() - secrets:
            if not key.endswith("url"):
                assert re.search(rf'^ +{key}: "?{settings[key]}\b', text, re.MULTILINE), key
    assert set(re.findall(r"\$\{(\w+)\}", text)) == printed


def test_there_are_examples_to_copy() -> None:
    names = {path.stem for path in EXAMPLES}
    assert names >= {"us-shop", "two-shops", "uk-tax-inclusive", "bundles", "simulators"}
    assert names >= {"everything", "shared-stock", "warehouses"}


def test_one_example_shows_every_key_of_a_route() -> None:
    text = (ROOT / "examples" / "routes" / "everything.yaml").read_text("utf-8")
    schema = compose_schema({})["$defs"]
    for section in ("route", "orders", "fulfillments", "inventory", "products", "returns", "buffer"):
        for key in set(schema[section]["properties"]) - {"pool"}:  # one shop by itself has no use for a pool
            assert re.search(rf"\b{key}:", text), (section, key)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_loads_with_the_real_connectors(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / path.name
    copy.write_text(path.read_text("utf-8"), "utf-8")
    secret = tmp_path / "secrets" / "tiktok-app-secret"
    secret.parent.mkdir()
    secret.write_text("x\n")
    secret.chmod(0o600)
    (tmp_path / "images").mkdir()
    variables = re.findall(r"\$\{([A-Z_]+)\}", copy.read_text("utf-8"))
    config = load(copy, CONNECTORS, {name: f"value of {name}" for name in variables})
    assert config.routes
    assert config.warnings == ()


def test_codes_are_slugs() -> None:
    assert all(code == code.lower() and " " not in code for code in CODES)
