"""The real command, as processes of their own, against a site of real simulators."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.starter import Starter
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
    """The command in one folder. No run may ever show a traceback.

    ``starter`` begins the runs that are waited for; without one, or where Python itself must begin otherwise (a limit,
    a variable that it reads), and for what ``start`` begins, Python is started anew.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str], starter: Starter | None = None) -> None:
        self.folder, self.starter = folder, starter
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("HUB_", "COLUMNS"))}
        self.environ = {**clean, **environ, "COLUMNS": "100"}

    def __call__(
        self, *arguments: str, limit: Callable[[], None] | None = None, given: str = "", **environ: str
    ) -> Ran:
        """Run the command to its end; ``given``: what comes in on its stdin."""
        if self.starter is None or limit is not None or any(name.startswith("PYTHON") for name in environ):
            assert not given, "only a forked run is given something"
            process = self.start(*arguments, limit=limit, **environ)
            out, err = process.communicate(timeout=PATIENCE_S)
            ran = Ran(process.returncode, out, err)
        else:
            ran = self._fork(self.starter, arguments, given, environ)
        assert "Traceback" not in ran.out + ran.err, ran.err
        return ran

    def _fork(self, starter: Starter, arguments: tuple[str, ...], given: str, environ: Mapping[str, str]) -> Ran:
        with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            stdin.write(given.encode())
            for stream in (stdin, out, err):
                stream.seek(0)
            streams = (stdin.fileno(), out.fileno(), err.fileno())
            run = starter.start(arguments, self.folder, self.environ | environ, *streams)
            try:
                code = run.wait(PATIENCE_S)
            finally:
                run.kill()
            out.seek(0)
            err.seek(0)
            return Ran(code, out.read().decode(), err.read().decode())

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


@pytest.fixture(scope="session")
def starter() -> Iterator[Starter]:
    """What starts commands."""
    made = Starter()
    yield made
    made.close()


@pytest.fixture
def hub(site: Site, starter: Starter) -> Hub:
    """The command, in the folder of the site."""
    return Hub(site.folder, site.environ(), starter)


@pytest.fixture
def lone_hub(tmp_path: Path, starter: Starter) -> Hub:
    """The command in an empty folder, without any site."""
    folder = tmp_path / "lone"
    folder.mkdir()
    return Hub(folder, {}, starter)
