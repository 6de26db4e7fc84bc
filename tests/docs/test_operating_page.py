"""docs/operating.md: its commands run, and its tables say what the source says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from hub_katana.settings import KatanaSettings
from hub_tiktok.check import MOST_AHEAD_S, MOST_BEHIND_S, NEEDED_SCOPES, NOTICEABLE_S
from hub_tiktok.settings import US_CONSENT, TikTokSettings

from hub.contract import TransientError
from hub.daemon import GRACE_S
from hub.engine import ledger, outcome, watch
from hub.routing.fate import Fate
from hub.routing.model import Timing
from hub.store import SCHEMA_VERSION, known, open_store
from tests.docs.console import ROOT, Stage, blocks, commands, misuse, page, spans

PAGE = page("docs/operating.md")
SOURCES = (ROOT / "hub", ROOT / "plugins" / "katana" / "hub_katana", ROOT / "plugins" / "tiktok" / "hub_tiktok")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A shop that has run for a while: one order placed, one blocked, one held."""
    made = Stage(tmp_path_factory.mktemp("operating"), blocks(page("README.md"), "yaml")[0])
    made.orders_come()
    made.write_route_file()
    made.run("hub connect tiktok-us")
    made.run("hub sync")
    made.site.both("clock", {"rate": 1})  # a shop takes eight calls of one kind a second, and there are more topics
    yield made
    made.close()


def section(heading: str) -> str:
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def table(heading: str) -> list[list[str]]:
    """Return the rows of a section's table, its head left out."""
    lines = [line for line in section(heading).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]


def coded(cells: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cells)


def trees() -> Iterator[ast.AST]:
    for path in (file for source in SOURCES for file in source.rglob("*.py")):
        yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def test_every_command_runs_in_the_order_of_the_page(stage: Stage) -> None:
    shown = [each.command for each in commands(PAGE)]
    assert len(shown) > 12
    for command in shown:
        stage.run(command)
    assert len(stage.site.sales_orders()) == 1  # after backup, restore and all


def test_backup_is_whole_although_the_database_is_being_written_to(stage: Stage) -> None:
    (backup,) = [each.command for each in commands(PAGE) if each.command.startswith("hub backup ")]
    store = open_store(str(stage.folder / "hub.db"))
    with store.write() as tx:
        known.set_note(tx, "tiktok-us", "half", "written")
        stage.run(backup.replace("backup.db", "while-written.db"))
    store.close()
    assert stage.run("hub orders --database while-written.db") == stage.run("hub orders")


def test_commands_named_in_the_text_exist() -> None:
    assert {command: why for command in spans(PAGE) if (why := misuse(command)) is not None} == {}


def test_the_log_table_has_every_event_and_no_other() -> None:
    logged = {
        node.args[0].value
        for node in trees()
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and (
            (node.func.attr in ("debug", "info", "warning", "error") and ast.unparse(node.func.value).endswith("log"))
            or (node.func.attr == "_say" and len(node.args) == 3)  # what may come as often as somebody outside likes
        )
        and isinstance(node.args[0], ast.Constant)
    }
    assert {event for row in table("The log") for event in coded(row[0])} == logged


def test_the_table_of_fates_has_every_fate_and_every_cause() -> None:
    rows = [(coded(row[0])[0], *coded(row[1])) for row in table("What to watch")]
    assert {row[0] for row in rows} == {fate.value for fate in Fate}
    said = {row[-1] for row in rows}
    tables = {
        node.targets[0].id: node.value
        for node in trees()
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    why = tables["_WHY"]
    assert isinstance(why, ast.Dict)
    causes = {key.value for key in why.keys if isinstance(key, ast.Constant)}
    assert causes <= said
    assert {row[1] for row in rows if len(row) > 1} <= causes


def test_numbers_of_the_page_are_those_of_the_source() -> None:
    timing = Timing()
    assert (timing.orders_every_s, timing.release_every_s, timing.catalogue_every_s) == (60, 30, 900)
    assert "every minute, looks for ended holds every 30 seconds" in PAGE
    assert watch.GAP_S == 15 * 60
    assert "slept for over 15 minutes" in PAGE
    assert timing.catalogue_every_s * 2**ledger.RECHECK_CEILING == 8 * 3600
    assert "at most 8 hours" in PAGE
    assert (outcome.PAUSE_S, outcome.RESTS[TransientError][1]) == (300, 60)
    assert "within a minute where the other side was away, within 5 minutes where a person must act" in PAGE
    assert GRACE_S < 10
    assert "ends within 10 seconds" in PAGE
    assert (MOST_AHEAD_S, MOST_BEHIND_S, NOTICEABLE_S) == (30, 300, 20)
    assert "more than 30 seconds ahead or 5 minutes behind" in PAGE
    assert f"`{SCHEMA_VERSION}`" in section("Upgrading")


def test_limits_are_the_defaults_of_the_settings() -> None:
    rows = {coded(row[0])[0]: int(row[1]) for row in table("Limits")}
    fields = {**KatanaSettings.model_fields, **TikTokSettings.model_fields}
    assert rows == {name: fields[name].default for name in rows}
    assert len(rows) == 3


def test_the_way_to_a_first_token_names_the_hosts_and_scopes_of_the_connector() -> None:
    first = section("What it needs from outside") + section("Connecting")
    assert all(f"`{scope}`" in first for scope in NEEDED_SCOPES)
    assert US_CONSENT in first
    assert str(TikTokSettings.model_fields["consent_url"].default) in first
    assert f"{TikTokSettings.model_fields['auth_url'].default}/api/v2/token/get" in first


def test_every_code_it_names_has_a_section_among_the_errors() -> None:
    errors = page("docs/errors.md")
    named = re.findall(r"\(`([a-z-]+)`\)|(?:with|says) `([a-z]+-[a-z]+)`", PAGE)
    codes = {one or other for one, other in named} - {event for row in table("The log") for event in coded(row[0])}
    assert len(codes) >= 5
    assert [code for code in codes if f"\n### {code}\n" not in errors] == []
