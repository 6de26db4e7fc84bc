"""What the tests of pages share: the commands a page shows, whether they are understood, and a site to run them on."""

from __future__ import annotations

import gc
import io
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import click

from hub.cli.main import hub, main
from hub.cli.options import Choices
from tests.browser import decide, follow
from tests.site import NOON, Site

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30
_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`(hub [^`]+)`")
DAEMON, CONNECT = "hub run", "hub connect"


@dataclass(frozen=True, slots=True)
class Shown:
    """A command as a page shows it, and the lines the page says it prints."""

    command: str
    prints: tuple[str, ...] = ()


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str, kind: str) -> list[str]:
    """Return the fenced blocks of one kind."""
    return [body for fence, body in _BLOCK.findall(text) if fence == kind]


def commands(text: str) -> list[Shown]:
    """Return the commands of every ``console`` and ``sh`` block, in order."""
    found: list[Shown] = []
    for kind, body in _BLOCK.findall(text):
        if kind == "sh":
            found += [Shown(line) for line in body.splitlines() if line.strip() and not line.startswith("#")]
        elif kind == "console":
            for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
                command, *prints = part.splitlines()
                found.append(Shown(command, tuple(line for line in prints if line.strip())))
    return found


def spans(text: str) -> list[str]:
    """Return every ``hub ...`` that the text itself names, blocks left out."""
    return [" ".join(span.split()) for span in _SPAN.findall(_BLOCK.sub("", text))]


def misuse(command: str) -> str | None:
    """Return why the command line refuses a command, without running it; None where it would run."""
    words = shlex.split(command)[1:]
    choices = Choices()
    try:
        with hub.make_context("hub", [], obj=choices, resilient_parsing=True) as top:
            below: click.Command = hub
            while isinstance(below, click.Group) and words and not words[0].startswith("-"):
                found = below.get_command(top, words[0])
                if found is None:
                    return f"no command {words[0]}"
                below, words = found, words[1:]
            if not words:
                return None  # it only names a command
            below.make_context(below.name, words, obj=choices)
    except click.exceptions.Exit:
        return None  # --help, --version
    except click.ClickException as error:
        return error.format_message()
    return None


class Stage:
    """A folder with a route file and both systems simulated, and a shell in it."""

    def __init__(self, folder: Path, route_file: str) -> None:
        self.folder = folder / "shop"
        self.folder.mkdir()
        (folder / "site").mkdir()
        self.site = Site(folder / "site", str(folder / "site" / "hub.db"), skus={"MUG-BLUE": 100, "TEA-50G": 100})
        self.route_file = route_file
        given = {**self.site.tiktok.settings(), **self.site.katana.settings()}
        given["service_id"] = "7172000000000000001"
        names = ("app_key", "app_secret", "service_id", "shop")
        secrets = {f"TIKTOK_{name}".upper(): given[name] for name in names} | {"KATANA_API_KEY": given["api_key"]}
        screens = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("HUB_", *screens))}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environ: Mapping[str, str] = {**clean, **secrets, "COLUMNS": "100", "PATH": path}

    def orders_come(self) -> None:
        """Have three orders: one that may go, one with a SKU the ERP lacks, one that the channel still holds."""
        lines = [{"sku": "MUG-BLUE", "quantity": 2, "price": "14.90"}, {"sku": "TEA-50G", "price": "7.20"}]
        self.site.order(lines=lines, shipping="4.50", on_hold=False, create_time=NOON - 4000)
        self.site.order(lines=[{"sku": "HAT", "price": "9.00"}], on_hold=False, create_time=NOON - 4000)
        self.site.order(lines=lines[:1])

    def write_route_file(self) -> None:
        """Write the page's route file, pointed at the simulators and at their clock."""
        tiktok, katana = self.site.tiktok.url, self.site.katana.url
        hosts = {
            "tiktok": {"api_url": tiktok, "auth_url": tiktok, "consent_url": f"{tiktok}/open/authorize"},
            "katana": {"api_url": f"{katana}/v1"},
        }
        text = self.route_file.replace("version: 1\n", f"version: 1\nclock: {tiktok}/_sim/clock\n")
        for connector, urls in hosts.items():
            head = f"    connector: {connector}\n    settings:\n"
            assert head in text, f"the page's route file has no connection of {connector}"
            text = text.replace(head, head + "".join(f"      {name}: {url}\n" for name, url in urls.items()))
        (self.folder / "routes.yaml").write_text(text, encoding="utf-8")

    def run(self, command: str) -> str:
        """Run a command of the page; a daemon until it has started. Other commands of the hub run in this process."""
        if command.startswith(DAEMON):
            return self._run_daemon(command)
        if command.startswith(CONNECT):
            return self._run_connect(command)
        if command.startswith("hub "):
            return self._run_here(command)
        ran = subprocess.run(
            ["sh", "-e", "-c", command],
            cwd=self.folder,
            env=dict(self.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert ran.returncode == 0, f"$ {command}\n{ran.stdout}"
        return ran.stdout

    def _run_here(self, command: str) -> str:
        said = io.StringIO()
        with (
            chdir(self.folder),
            patch.dict(os.environ, self.environ, clear=True),
            redirect_stdout(said),
            redirect_stderr(said),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore", ResourceWarning)  # a process of its own would end here, with its sockets
            code = main(shlex.split(command)[1:])
            gc.collect()
        assert code == 0, f"$ {command}\n{said.getvalue()}"
        return said.getvalue()

    def _run_connect(self, command: str) -> str:
        """Run a command that waits for a person, who consents on the page that it prints."""
        process = subprocess.Popen(
            [*shlex.split(command), "--port", "0"], cwd=self.folder, env=dict(self.environ), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        watchdog = threading.Timer(PATIENCE_S, process.kill)
        watchdog.start()
        said = ""
        assert process.stderr is not None
        for line in process.stderr:
            said += line
            if answer := re.search(r"The answer goes to (\S+?);", line):
                self.site.tiktok_sim("options", {"redirect_url": answer[1]})
            if shown := re.match(r"  (http\S+)", line):
                follow(decide(shown[1], "authorise"))
        watchdog.cancel()
        assert process.stdout is not None
        with process.stdout as out:
            said += out.read()
        process.stderr.close()
        assert process.wait(PATIENCE_S) == 0, said
        return said

    def _run_daemon(self, command: str) -> str:
        process = subprocess.Popen(
            shlex.split(command), cwd=self.folder, env=dict(self.environ), stderr=subprocess.PIPE, text=True
        )
        watchdog = threading.Timer(PATIENCE_S, process.kill)
        watchdog.start()
        said = ""
        assert process.stderr is not None
        for line in process.stderr:
            said += line
            if "hub-started" in line:
                process.send_signal(signal.SIGTERM)
        watchdog.cancel()
        process.stderr.close()
        assert process.wait(PATIENCE_S) == 0, said
        return said

    def close(self) -> None:
        self.site.close()


def missing(shown: Shown, printed: str) -> Iterator[str]:
    """Yield the lines that a page shows and the command does not print, whatever the numbers and the spaces.

    What follows a ``…`` is left open.
    """
    real = [_alike(line) for line in printed.splitlines()]
    for line in shown.prints:
        wanted, more, _ = line.partition("…")
        alike = _alike(wanted)
        if not any(each.startswith(alike) if more else each == alike for each in real):
            yield line


def _alike(line: str) -> str:
    return re.sub(r"\d+", "0", " ".join(line.split()))
