"""The direction of imports, as pyproject.toml says it: kept by the tree, and refused where it is broken on purpose."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (
    ROOT / "hub",
    *(ROOT / "plugins" / "katana" / name for name in ("hub_katana", "katana_simulator")),
    *(ROOT / "plugins" / "tiktok" / name for name in ("hub_tiktok", "tiktok_simulator")),
)
# By contract: the file that gets one line more, and the line.
OFFENCES: Mapping[str, tuple[str, str]] = {
    "Each room imports only rooms below it": ("hub/routing/match.py", "import hub.store.known"),
    "No cycles, in any room": ("hub/store/tables.py", "import hub.store.timeline"),
    "Connectors see the contract and nothing else of the hub": ("hub_katana/pace.py", "import hub.host.clock"),
    "Connectors do not know each other": ("hub_katana/pace.py", "import hub_tiktok.sign"),
    "The hub knows no connector by name": ("hub/engine/outcome.py", "import hub_katana.pace"),
    "Simulators share no code with what they test": ("katana_simulator/state.py", "import hub_katana.pace"),
    "Pure rooms do no input or output": ("hub/routing/match.py", "import socket"),
    "Only the store speaks SQL, only the host loads plugins": ("hub/engine/outcome.py", "import sqlalchemy"),
}
HIDING = {
    "in the open": "{}\n",
    "in a function": "def hidden() -> None:\n    {}\n",
    "for types only": "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    {}\n",
}


def contracts() -> list[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]]


def lint(folder: Path, *paths: Path) -> dict[str, str]:
    """Run import-linter; return what became of each contract."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), "COLUMNS": "200"}
    ran = subprocess.run(
        [*command, "--no-cache", "--no-logo"],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = dict(re.findall(r"^(.+) (KEPT|BROKEN)$", ran.stdout, re.MULTILINE))
    assert said, ran.stdout + ran.stderr
    assert ran.returncode == int("BROKEN" in said.values()), ran.stdout
    return said


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the tree, to be broken."""
    for package in PACKAGES:
        shutil.copytree(package, tmp_path / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def broken(folder: Path) -> set[str]:
    return {name for name, verdict in lint(folder, folder).items() if verdict == "BROKEN"}


def append(path: Path, text: str) -> None:
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{text}", encoding="utf-8")


def test_the_tree_keeps_every_contract() -> None:
    assert lint(ROOT) == dict.fromkeys(contracts(), "KEPT")


def test_the_copy_that_the_others_break_is_whole(copied: Path) -> None:
    assert broken(copied) == set()


def test_each_contract_is_broken_by_a_test() -> None:
    assert sorted(OFFENCES) == sorted(contracts())


@pytest.mark.parametrize("contract", OFFENCES)
def test_one_offending_import_breaks_its_contract_and_no_other(copied: Path, contract: str) -> None:
    file, line = OFFENCES[contract]
    append(copied / file, f"{line}\n")
    assert broken(copied) == {contract}


@pytest.mark.parametrize("way", HIDING)
def test_an_import_is_seen_wherever_it_hides(copied: Path, way: str) -> None:
    append(copied / "hub" / "routing" / "match.py", HIDING[way].format("import hub.engine.sync"))
    assert "Each room imports only rooms below it" in broken(copied)


def test_a_new_room_does_not_slip_in(copied: Path) -> None:
    (copied / "hub" / "utils").mkdir()
    (copied / "hub" / "utils" / "__init__.py").write_text("")
    assert broken(copied) == {"Each room imports only rooms below it"}


def test_the_page_of_the_architecture_shows_the_layers() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = [each["layers"] for each in settings["tool"]["importlinter"]["contracts"] if each["type"] == "layers"]
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert "\n".join(["```text", *layers, "```"]) in text
    rooms = {room for layer in layers for room in layer.split(" | ")}
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == rooms


def test_no_contract_has_an_exception() -> None:
    """An ``ignore_imports`` line needs a decision record first."""
    assert "ignore_imports" not in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
