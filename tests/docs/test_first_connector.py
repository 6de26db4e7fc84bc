"""docs/first-connector.md, followed to the letter: every block is written or run, in order, in one empty folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "first-connector.md"
EXAMPLE = ROOT / "examples" / "minimal_connector"
_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r'(?:python|toml) title="([\w.]+)"')


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language with title, and its text."""

    kind: str
    text: str

    @property
    def file(self) -> str | None:
        """The file it is, where it is one."""
        found = _TITLE.fullmatch(self.kind)
        return found[1] if found else None


def blocks() -> list[Block]:
    return [Block(kind, text) for kind, text in _BLOCK.findall(PAGE.read_text(encoding="utf-8"))]


def run(script: str, folder: Path) -> str:
    """Run a shell block as the reader would, but install into a folder of its own and download nothing."""
    site = folder / "site"
    own = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "PIP_TARGET": str(site),
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONPATH": str(site),
        "COLUMNS": "200",
    }
    done = subprocess.run(
        ["sh", "-e", "-c", script],
        cwd=folder / "work",
        env=own,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the page's commands say, all together."""
    folder = tmp_path_factory.mktemp("first")
    (folder / "work").mkdir()
    output = []
    for block in blocks():
        if block.file is not None:
            (folder / "work" / block.file).write_text(block.text, encoding="utf-8")
        else:
            output.append(run(block.text, folder))
    return "\n".join(output)


def test_every_block_is_a_file_or_a_command() -> None:
    kinds = [block.kind for block in blocks()]
    assert kinds
    assert [kind for kind in kinds if kind != "sh" and not _TITLE.fullmatch(kind)] == []


def test_its_connector_is_the_example() -> None:
    written = {block.file: block.text for block in blocks()}
    for file in EXAMPLE.iterdir():
        if file.is_file():
            assert written[file.name] == file.read_text(encoding="utf-8"), f"{file.name} differs"


def test_the_example_is_two_files() -> None:
    tracked = sorted(file.name for file in EXAMPLE.iterdir() if file.is_file())
    assert tracked == ["hub_minimal.py", "pyproject.toml"]


def test_the_installed_connector_is_listed_as_up(said: str) -> None:
    assert re.search(r"^minimal +hub-minimal +0\.1\.0 +up ", said, re.MULTILINE), said


def test_the_kit_passes_on_it(said: str) -> None:
    found = re.search(r"(\d+) passed", said)
    assert found is not None, said
    assert int(found[1]) > 25
    assert "failed" not in said


def test_the_example_is_found_by_the_hub_when_installed(tmp_path: Path) -> None:
    """As `examples/minimal_connector` stands, without the page."""
    shutil.copytree(EXAMPLE, tmp_path / "work", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "build"))
    run("pip install --no-deps --no-build-isolation .", tmp_path)
    code = "from hub.host.discover import connectors; found = connectors()['minimal']; print(found.error, found.plugin)"
    assert run(f'python -c "{code}"', tmp_path).strip() == "None <class 'hub_minimal.MinimalConnector'>"
