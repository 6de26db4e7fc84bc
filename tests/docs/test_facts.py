"""Every outside fact has a row, every row is relied on, and each names the test that pins it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DECISIONS = ROOT / "docs" / "decisions"
LETTERS = {"katana": "K", "tiktok": "T"}
COLUMNS = ["id", "statement", "source", "date", "strength", "test"]
NO_TEST = "-"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a FACTS.md."""

    id: str
    cells: tuple[str, ...]

    @property
    def tests(self) -> list[str]:
        """The test files it names, written out."""
        names = re.split(r",\s*", self.cells[5])
        return [re.sub(r"^sim:(\w+)$", r"test_simulator_tiktok_\1.py", name) for name in names]


def cells_of(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1])


@cache
def rows(plugin: str) -> tuple[Row, ...]:
    text = (ROOT / "plugins" / plugin / "FACTS.md").read_text(encoding="utf-8")
    lines = re.findall(rf"^\| {LETTERS[plugin]}-\d+ \|.*$", text, re.MULTILINE)
    return tuple(Row(cells_of(line)[0], cells_of(line)) for line in lines)


def ids_in(text: str, letter: str) -> set[str]:
    """Return the ids that a text cites; ``K-11 to K-14`` cites four."""
    found = set(re.findall(rf"\b{letter}-\d{{2,3}}\b", text))
    for first, last in re.findall(rf"\b{letter}-(\d+) to {letter}-(\d+)\b", text):
        found |= {f"{letter}-{number:02}" for number in range(int(first), int(last) + 1)}
    return found


@cache
def cited(plugin: str) -> dict[str, str]:
    """Return every id cited in a plugin's code and tests, with a file that does."""
    found: dict[str, str] = {}
    for folder in (ROOT / "plugins" / plugin, ROOT / "tests" / "plugins" / plugin):
        for path in folder.rglob("*.py"):
            for id_ in ids_in(path.read_text(encoding="utf-8"), LETTERS[plugin]):
                found[id_] = path.relative_to(ROOT).as_posix()
    return found


@cache
def cited_by_decisions(plugin: str) -> set[str]:
    texts = [path.read_text(encoding="utf-8") for path in DECISIONS.glob("*.md")]
    return {id_ for text in texts for id_ in ids_in(text, LETTERS[plugin])}


@pytest.mark.parametrize("plugin", LETTERS)
def test_rows_are_whole_and_their_ids_unique(plugin: str) -> None:
    text = (ROOT / "plugins" / plugin / "FACTS.md").read_text(encoding="utf-8")
    assert f"| {' | '.join(COLUMNS)} |" in text
    assert len(rows(plugin)) > 50
    ids = [row.id for row in rows(plugin)]
    assert [id_ for id_ in ids if ids.count(id_) > 1] == []
    assert ids == sorted(ids, key=lambda id_: int(id_.partition("-")[2]))
    assert [row.id for row in rows(plugin) if len(row.cells) != len(COLUMNS) or not all(row.cells)] == []


@pytest.mark.parametrize("plugin", LETTERS)
def test_every_row_is_cited(plugin: str) -> None:
    """In code or tests of the plugin; or by a decision record, where it is why the hub is built so."""
    known = {row.id for row in rows(plugin)}
    assert known - set(cited(plugin)) - cited_by_decisions(plugin) == set()


@pytest.mark.parametrize("plugin", LETTERS)
def test_every_cited_id_has_a_row(plugin: str) -> None:
    known = {row.id for row in rows(plugin)}
    assert {id_: file for id_, file in cited(plugin).items() if id_ not in known} == {}
    assert cited_by_decisions(plugin) - known == set()


@pytest.mark.parametrize("plugin", LETTERS)
def test_every_row_names_a_test_that_is_there(plugin: str) -> None:
    """A row without a test is one that only a decision record rests on."""
    folder = ROOT / "tests" / "plugins" / plugin
    named = [(row.id, test) for row in rows(plugin) for test in row.tests if test != NO_TEST]
    assert [(id_, test) for id_, test in named if not (folder / test).is_file()] == []
    untested = {row.id for row in rows(plugin) if NO_TEST in row.tests}
    assert untested <= cited_by_decisions(plugin) - set(cited(plugin))


@pytest.mark.parametrize("plugin", LETTERS)
def test_every_date_is_a_date_and_no_connector_cites_another_systems_facts(plugin: str) -> None:
    assert [row.id for row in rows(plugin) if not re.fullmatch(r"20\d\d(-\d\d){0,2}", row.cells[3])] == []
    (other,) = set(LETTERS.values()) - {LETTERS[plugin]}
    for path in (ROOT / "plugins" / plugin).rglob("*.py"):
        assert ids_in(path.read_text(encoding="utf-8"), other) == set(), path.name
