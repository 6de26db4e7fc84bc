"""README.md: its commands run and print what it says, its route file is one, its links lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_katana.connector import KatanaConnector
from hub_tiktok.connector import TikTokConnector

from hub import config
from tests.docs.console import ROOT, Shown, Stage, blocks, commands, missing, misuse, page, spans

README = page("README.md")
ROUTE_FILE = blocks(README, "yaml")[0]
MAKE = [shown.command for shown in commands(README) if shown.command.startswith("make ")]
HUB = [shown for shown in commands(README) if not shown.command.startswith("make ")]
PAGES = ["README.md", *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))]
_LINK = re.compile(r"\[[^\]\n]+\]\(([^)\s]+)\)")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("readme"), ROUTE_FILE)
    made.orders_come()
    yield made
    made.close()


@pytest.fixture(scope="module")
def printed(stage: Stage) -> dict[str, str]:
    """What each command printed, all run in order; the page's own route file takes the place of a new one."""
    said = {}
    for shown in HUB:
        said[shown.command] = stage.run(shown.command)
        if shown.command == "hub init":
            stage.write_route_file()
    return said


def test_the_two_commands_of_a_fresh_machine_are_targets_of_the_makefile() -> None:
    assert MAKE == ["make demo", "make test"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(re.search(rf"^{command.removeprefix('make ')}:", makefile, re.MULTILINE) for command in MAKE)


def test_it_shows_the_six_commands_in_order() -> None:
    shown = [each.command for each in HUB]
    begin = ["hub init", "hub connect tiktok-us", "hub check --online", "hub sync --dry-run", "hub sync", "hub run"]
    assert shown[:6] == begin


@pytest.mark.parametrize("shown", HUB, ids=lambda shown: shown.command)
def test_each_command_prints_what_the_page_shows(printed: dict[str, str], shown: Shown) -> None:
    assert shown.prints
    assert list(missing(shown, printed[shown.command])) == [], printed[shown.command]


def test_init_asks_for_the_variables_that_the_route_file_uses(printed: dict[str, str]) -> None:
    used = set(re.findall(r"\$\{(\w+)\}", ROUTE_FILE))
    asked = re.findall(r"Set in the environment: (.*)", printed["hub init"])[0].split(", ")
    assert used == set(asked)


def test_the_route_file_is_whole_and_valid(tmp_path: Path) -> None:
    path = tmp_path / "routes.yaml"
    path.write_text(ROUTE_FILE, encoding="utf-8")
    variables = re.findall(r"\$\{(\w+)\}", ROUTE_FILE)
    connectors = {"katana": KatanaConnector, "tiktok": TikTokConnector}
    found = config.load(path, connectors, dict.fromkeys(variables, "a value"))
    assert [route.name for route in found.routes] == ["us-shop"]
    assert found.warnings == ()


def test_commands_named_in_the_text_exist() -> None:
    assert {command: why for command in spans(README) if (why := misuse(command)) is not None} == {}


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    for target in _LINK.findall(re.sub(r"^```.*?^```$", "", page(name), flags=re.MULTILINE | re.DOTALL)):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        path = (ROOT / name).parent / file if file else ROOT / name
        assert path.exists(), f"{name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}, target


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=lambda path: path.stem)
def test_each_decision_says_context_choice_and_cost(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.fullmatch(r"\d{4}(-[a-z0-9]+)+", path.stem)
    assert text.startswith(f"# {path.stem[:4]} ")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Choice", "Cost"]
    assert len(text.splitlines()) <= 60, "a decision is one page at most"


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(path.stem[:4]) for path in sorted((ROOT / "docs" / "decisions").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))
