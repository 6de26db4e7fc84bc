"""The real command, as processes of their own, against a site of real simulators."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.site import Site

PATIENCE_S = 60


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run of the command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


class Hub:
    """The command in one folder. No run may ever show a traceback."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.folder = folder
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("HUB_", "COLUMNS"))}
        self.environ = {**clean, **environ, "COLUMNS": "100"}

    def __call__(self, *arguments: str, limit: Callable[[], None] | None = None, **environ: str) -> Ran:
        """Run the command to its end."""
        process = self.start(*arguments, limit=limit, **environ)
        out, err = process.communicate(timeout=PATIENCE_S)
        assert "Traceback" not in out + err, err
        return Ran(process.returncode, out, err)

    def start(self, *arguments: str, limit: Callable[[], None] | None = None, **environ: str) -> subprocess.Popen[str]:
        """Start the command."""
        return subprocess.Popen(
            [sys.executable, "-m", "hub", *arguments],
            cwd=self.folder,
            env=self.environ | environ,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=limit,
        )


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site with the plain route; its simulated time stands still unless moved."""
    folder = tmp_path / "site"
    folder.mkdir()
    made = Site(folder, str(folder / "hub.db"))
    yield made
    made.close()


@pytest.fixture
def hub(site: Site) -> Hub:
    """The command, in the folder of the site."""
    return Hub(site.folder, site.environ())


@pytest.fixture
def lone_hub(tmp_path: Path) -> Hub:
    """The command in an empty folder, without any site."""
    folder = tmp_path / "lone"
    folder.mkdir()
    return Hub(folder, {})
