"""Where options may stand, where things lie, and what a failure looks like."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hub.cli.failure import facts_of
from hub.cli.main import SECTIONS, hub, main
from hub.cli.options import Choices
from hub.contract import HubError


def test_listing_the_commands_imports_nothing_slow() -> None:
    """`hub --help` must answer in a quarter of a second."""
    code = (
        "import sys; from hub.cli.main import main; main(['--help']); "
        "sys.exit(any(name in sys.modules for name in ('rich', 'sqlalchemy', 'pydantic', 'httpx', 'structlog')))"
    )
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=False).returncode == 0


@pytest.mark.parametrize(("number", "codes"), [(signal.SIGHUP, (1,)), (signal.SIGINT, (-signal.SIGINT, 130))])
def test_signal_that_comes_while_modules_are_imported(
    number: signal.Signals, codes: tuple[int, ...], tmp_path: Path
) -> None:
    """A reload leaves a daemon to its start, which ends here for want of a route file; Ctrl-C shows no traceback."""
    command = [sys.executable, "-X", "importtime", "-m", "hub", "run"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "click." in line:
                process.send_signal(number)
                break
        rest = process.stderr.read()
    assert process.returncode in codes
    assert "Traceback" not in rest


def test_every_place_of_the_command_table_exists() -> None:
    context = hub.make_context("hub", ["x"], resilient_parsing=True)
    for section in SECTIONS.values():
        for name, (_, text) in section.items():
            command = hub.get_command(context, name)
            assert command is not None
            assert command.name == name
            assert text.endswith(".")


@pytest.mark.parametrize("command", [*(n for each in SECTIONS.values() for n in each), "hold add", "hold release"])
def test_every_command_has_help_with_the_common_options(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert all(option in text for option in ("--routes", "--database", "--json", "--debug"))


def test_database_and_key_lie_beside_the_route_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUB_ROUTES", raising=False)
    monkeypatch.delenv("HUB_DATABASE", raising=False)
    assert Choices(routes="a/b.yaml").database_url == "a/hub.db"
    assert Choices(routes="a/b.yaml").key_file == Path("a/hub.key")
    assert Choices(routes="a/b.yaml", database="c/d.db").key_file == Path("c/hub.key")
    assert Choices(routes="a/b.yaml", database="postgresql://h/n").key_file == Path("a/hub.key")
    assert Choices(routes="a/b.yaml", database="sqlite:///c/d.db").key_file == Path("c/hub.key")


def test_option_wins_over_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DATABASE", "from-environment.db")
    assert Choices().database_url == "from-environment.db"
    assert Choices(database="given.db").database_url == "given.db"


def test_failure_is_told_as_what_where_and_do() -> None:
    error = HubError("some-code", "it broke", where="here", do="Mend it.")
    assert facts_of(error) == {"code": "some-code", "what": "it broke", "where": "here", "do": "Mend it."}


def test_failure_of_a_file_names_it() -> None:
    facts = facts_of(PermissionError(13, "Permission denied", "x.lock"))
    assert (facts["code"], facts["what"], facts["where"]) == ("file-failed", "Permission denied", "x.lock")


def test_unexpected_failure_quotes_no_data() -> None:
    """A stray message may hold a payload."""
    assert "s3cret" not in str(facts_of(ValueError("s3cret")))
