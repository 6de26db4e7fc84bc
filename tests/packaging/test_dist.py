"""Wheels and sdists: built from this tree, installed where nothing else is, and run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from hub import __version__
from tests.docs.console import ROOT

pytestmark = pytest.mark.slow
PLUGIN = ("LICENSE", "README.md", "FACTS.md")
PROJECTS = {"channel_hub": ".", "channel_hub_katana": "plugins/katana", "channel_hub_tiktok": "plugins/tiktok"}


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``make dist`` builds, from a copy of the tree, so that nothing is left in it."""
    source, target = tmp_path_factory.mktemp("source") / "hub", tmp_path_factory.mktemp("dist")
    junk = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
    source.mkdir()
    for name in ("hub", "plugins"):
        shutil.copytree(ROOT / name, source / name, ignore=junk)
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "MANIFEST.in"):
        shutil.copy(ROOT / name, source)
    for folder in PROJECTS.values():
        command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(target), str(source / folder)]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    return target


@pytest.fixture(scope="module")
def installed(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheels, and this one's libraries behind them; returns its ``bin``."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    wheels = [str(file) for file in dist.glob("*.whl")]
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, *wheels], check=True, timeout=200)
    (site,) = folder.glob("lib/python*/site-packages")
    # Libraries only: the tree itself is known there by .pth files, which are not read from a folder that is named so.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def run(installed: Path, *words: str) -> str:
    ran = subprocess.run(
        [installed / "hub", *words], cwd=installed, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_each_project_has_one_wheel_and_one_sdist(dist: Path) -> None:
    assert sorted(file.name for file in dist.iterdir()) == sorted(
        name
        for project in PROJECTS
        for name in (f"{project}-{__version__}-py3-none-any.whl", f"{project}-{__version__}.tar.gz")
    )


@pytest.mark.parametrize(
    ("project", "files"),
    [
        (
            "channel_hub",
            ["LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "hub/py.typed", "hub/config/route.schema.json",
             "hub/store/migrations/env.py", "hub/store/migrations/script.py.mako",
             "hub/store/migrations/versions/0003_many_workers.py"],
        ),
        ("channel_hub_katana", [*PLUGIN, "hub_katana/py.typed", "katana_simulator/py.typed"]),
        ("channel_hub_tiktok", [*PLUGIN, "hub_tiktok/py.typed", "tiktok_simulator/py.typed"]),
    ],
)  # fmt: skip
def test_sdist_and_wheel_hold_what_they_must_and_nothing_of_the_tests(
    dist: Path, project: str, files: list[str]
) -> None:
    top = f"{project}-{__version__}"
    with tarfile.open(dist / f"{top}.tar.gz") as archive:
        names = set(archive.getnames())
    assert {f"{top}/{file}" for file in files} - names == set()
    assert [name for name in names if name.startswith((f"{top}/tests", f"{top}/bench"))] == []
    with zipfile.ZipFile(dist / f"{top}-py3-none-any.whl") as wheel:
        packed = set(wheel.namelist())
    at_top = ("LICENSE", "README.md", "CHANGELOG.md", "FACTS.md", "pyproject.toml")
    assert {file for file in files if file not in at_top} - packed == set()
    assert f"{top}.dist-info/licenses/LICENSE" in packed
    packages = ROOT / PROJECTS[project]
    sources = {
        str(file.relative_to(packages))
        for folder in {name.split("/")[0] for name in packed if not name.startswith(top)}
        for file in (packages / folder).rglob("*.py")
    }
    assert sources - packed == set(), "every module is in"


def test_hub_runs_from_its_wheels(installed: Path, tmp_path: Path) -> None:
    assert "Carries orders from sales channels to ERPs" in run(installed, "--help")
    where = subprocess.run(
        [installed / "python", "-c", "import hub, hub_tiktok; print(hub.__file__, hub_tiktok.__file__)"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert [Path(file).is_relative_to(installed.parent) for file in where.stdout.split()] == [True, True]
    connectors = run(installed, "connectors")
    assert "katana" in connectors
    assert "tiktok" in connectors
    assert __version__ in connectors
    assert "properties" in json.loads(run(installed, "schema"))
    made = "from hub.store import open_store; open_store('made.db').close()"
    subprocess.run([installed / "python", "-c", made], cwd=tmp_path, check=True)  # the migrations are in
    assert "no orders yet" in run(installed, "orders", "--database", str(tmp_path / "made.db")).lower()
