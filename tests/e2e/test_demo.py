"""The demo: everything at once, on this machine only."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.e2e.conftest import Hub


def test_demo_places_each_order_once_and_leaves_something_to_look_at(lone_hub: Hub) -> None:
    ran = lone_hub("demo", "--orders", "40", "--keep", "shop", "--fast", "--json")
    assert ran.code == 0, ran.err
    story = ran.json
    proof = story["proof"]
    assert story["errors"] == []
    assert sum(each["orders"] for each in story["fates"]) == proof["orders_of_the_channel"] >= 40
    assert proof["placed"] == proof["sales_orders_in_the_erp"] > 0
    assert proof["keys_with_more_than_one"] == []
    assert {"placed", "held", "cancelled", "skipped", "blocked"} <= {each["fate"] for each in story["fates"]}
    # What it leaves works without the simulators.
    there = Hub(Path(lone_hub.folder, "shop"), {})
    assert there("orders").code == 0
    for each in story["fates"]:
        shown = there("order", each["example"])
        assert shown.code == 0, shown.err
        assert each["fate"] in shown.out
    gone = there("sync")
    assert gone.code == 1
    assert "clock-unreachable" in gone.err


def test_demo_prints_commands_that_work_when_pasted(lone_hub: Hub) -> None:
    ran = lone_hub("demo", "--orders", "16", "--keep", "shop", "--fast")
    assert ran.code == 0, ran.err
    lines = [line.strip() for line in ran.out.splitlines()]
    assert "cd shop" in lines or f"cd {lone_hub.folder / 'shop'}" in lines
    there = Hub(lone_hub.folder / "shop", {})
    commands = [shlex.split(line) for line in lines if " order " in line or (" orders " in line and "hub" in line)]
    pasted = [command for command in commands if command[0].endswith(("hub", "python3", "python"))]
    assert pasted
    for command in pasted:
        assert there(*[part for part in command[1:] if part not in ("-m", "hub")]).code == 0


def test_demo_overwrites_nothing(lone_hub: Hub) -> None:
    (lone_hub.folder / "routes.yaml").write_text("mine")
    ran = lone_hub("demo", "--keep", ".")
    assert ran.code == 1
    assert "folder-in-use" in ran.err
    assert (lone_hub.folder / "routes.yaml").read_text() == "mine"


def test_demo_outlasts_a_machine_that_stalls(lone_hub: Hub) -> None:
    """A second is a simulated minute there: a short stall outlasts what a pass waits for, and must not be the end."""
    command = [sys.executable, "-m", "hub", "demo", "--keep", "shop"]
    demo = subprocess.Popen(  # our own module
        command, cwd=lone_hub.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert demo.stderr is not None
    while "7/8" not in (line := demo.stderr.readline()):
        assert line, "the demo ended early"
    time.sleep(0.4)
    erp = _simulator("katana", lone_hub.folder)
    for _ in range(4):
        os.kill(erp, signal.SIGSTOP)
        time.sleep(1.5)
        os.kill(erp, signal.SIGCONT)
        time.sleep(0.4)
    out, err = demo.communicate(timeout=90)
    assert demo.returncode == 0, out + err


def _simulator(name: str, folder: Path) -> int:
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            said, where = (entry / "cmdline").read_text().split("\0"), (entry / "cwd").readlink()
        except OSError:
            continue
        if "simulate" in said and name in said and where == folder.resolve():
            return int(entry.name)
    raise AssertionError(f"no simulator {name} runs in {folder}")
