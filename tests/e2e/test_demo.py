"""The demo: everything at once, on this machine only. A whole demo is dear, so there are two, looked at all over."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from hub.cli.demo_story import HOLD_ENDS, PHASES
from tests.docs.console import Shown, blocks, missing, page
from tests.e2e.conftest import Hub

PATIENCE_S = 400  # a machine that does much else at once; the demo itself takes a tenth of it
KINDS = {
    "normal", "multi_unit", "multi_sku", "gift", "sample", "bundle", "edited_in_hold", "cancelled_in_hold", "fbt",
    "unknown_sku", "tax_inclusive",
}  # fmt: skip
BROKEN = """
import sys
from hub.cli import demo_story as story
from hub.cli.main import main
from hub.engine import steps
gone = ("stock", "shipments", "changes")
for name in ("CHANNEL", "ERP_FIRST", "ERP"):
    setattr(steps, name, tuple(step for step in getattr(steps, name) if step[0] not in gone))
story.PASSES = 2
sys.exit(main(["demo", "--orders", "40", "--keep", "shop", "--json"]))
"""


@pytest.mark.slow
def test_demo_keeps_every_promise_though_the_erp_stalls_and_its_commands_work(tmp_path: Path) -> None:
    """A stall may last longer than any wait of simulated time; it must change nothing."""
    with _playing(tmp_path) as out:
        words = " ".join(out.split())
        assert "broken" not in words.lower()
        assert [f"M{n}" for n in range(1, 12)] == [
            line.split()[0] for line in out.splitlines() if " kept " in line[:10]
        ]
        assert words.count(" 0 refused as too many.") == 2
        (capture,) = blocks(page("README.md"), "text")
        lines = tuple(line for line in capture.splitlines() if line.strip())
        assert list(missing(Shown("hub demo", lines), out)) == [], out
        _paste(out, tmp_path / "shop")


def _paste(out: str, folder: Path) -> None:
    lines = [line.strip() for line in out[out.index("To look further") :].splitlines()[1:]]
    assert lines[0] in ("cd shop", f"cd {folder}")
    commands = [[part for part in shlex.split(line)[1:] if part not in ("-m", "hub")] for line in lines[1:]]
    assert [command[0] for command in commands] == ["orders", "order", "order", "stock", "products", "check"]
    for command in commands:
        ran = Hub(folder, {})(*command)
        assert ran.code == 0, (command, ran.out, ran.err)


@contextmanager
def _playing(folder: Path) -> Iterator[str]:
    """Play a demo whose ERP stalls four times, and tell what it printed; its simulators run until the block ends."""
    demo = Hub(folder, {}).start("demo", "--keep", "shop", "--serve", COLUMNS="80")
    end = Timer(PATIENCE_S, demo.kill)
    end.start()
    try:
        yield _played(demo, folder)
    finally:
        end.cancel()
        demo.send_signal(signal.SIGINT)
        out, err = demo.communicate(timeout=PATIENCE_S)
    assert demo.returncode == 0, out + err
    assert "Traceback" not in err


def _played(demo: subprocess.Popen[str], folder: Path) -> str:
    assert demo.stdout is not None
    assert demo.stderr is not None
    for line in demo.stderr:
        if f"{PHASES.index(HOLD_ENDS) + 1}/{len(PHASES)}" in line:
            _stall(_simulator("katana", folder))
        if "keep running" in line:
            break
    else:
        pytest.fail("the demo ended early")
    lines = []
    for line in demo.stdout:
        lines.append(line)
        if "check --online" in line:  # the last one
            break
    return "".join(lines)


def _stall(process: int) -> None:
    time.sleep(0.4)
    for _ in range(4):
        os.kill(process, signal.SIGSTOP)
        time.sleep(1.5)
        os.kill(process, signal.SIGCONT)
        time.sleep(0.4)


def _simulator(name: str, folder: Path) -> int:
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            said, where = (entry / "cmdline").read_text().split("\0"), (entry / "cwd").readlink()
        except OSError:
            continue
        if "simulate" in said and name in said and where == folder.resolve():
            return int(entry.name)
    raise AssertionError(f"no simulator {name} runs in {folder}")


@pytest.mark.slow
def test_demo_of_a_hub_that_lacks_some_steps_fails_and_tells_by_numbers_what_is_broken(tmp_path: Path) -> None:
    """What the hub then does not do, both systems say; what the missing steps leave alone is kept, and counted."""
    ran = subprocess.run(
        [sys.executable, "-c", BROKEN], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert "Traceback" not in ran.stderr, ran.stderr
    assert ran.returncode == 1
    story = json.loads(ran.stdout)
    promises: dict[str, Any] = {each["id"]: each for each in story["promises"]}
    assert list(promises) == [f"M{n}" for n in range(1, 12)]
    assert {id_ for id_, each in promises.items() if not each["kept"]} == {"M2", "M3", "M4", "M6", "M7", "M9"}
    for id_, why in (("M2", "sells"), ("M3", "lacks its tracking"), ("M4", "was cancelled later and is still there")):
        (error,) = (error for error in story["errors"] if error.startswith(f"{id_} is broken: "))
        assert why in error
    _count(story)
    _measure({id_: each["numbers"] for id_, each in promises.items()})
    _look_offline(story, Hub(tmp_path / "shop", {}))


def _count(story: Any) -> None:
    proof = story["proof"]
    assert set(story["kinds"]) >= KINDS
    assert sum(each["orders"] for each in story["fates"]) == proof["orders_of_the_channel"] >= 40
    assert proof["placed"] == proof["sales_orders_in_the_erp"] > 0
    assert proof["keys_with_more_than_one"] == []
    assert {"placed", "fulfilled", "held", "cancelled", "skipped", "blocked"} <= {f["fate"] for f in story["fates"]}


def _measure(numbers: dict[str, Any]) -> None:
    assert numbers["M1"]["sales_orders"] >= 20
    assert (numbers["M3"]["parcels"], numbers["M3"]["numbers"]) == (6, 0)
    assert numbers["M4"]["shortest_wait_s"] >= 3600
    assert numbers["M4"]["edited"] >= 1
    assert numbers["M4"]["deleted_later"] == 0
    assert numbers["M5"]["own_stock_moved"] == []
    assert min(numbers["M5"]["recorded"], numbers["M5"]["left_out"]) > 0
    assert numbers["M7"]["sections"]["fulfillments"][:2] == [0, 0]
    assert numbers["M7"]["sections"]["orders"][0] == 0 < numbers["M7"]["sections"]["orders"][1]
    assert numbers["M8"]["refused"] == {"staff": "consent-refused", "other": "wrong-user-type"}
    assert len(numbers["M9"]["mapped"]) == 4
    assert numbers["M10"]["states"] == {"MUG-ENAMEL": ["draft"], "MUG-PLAIN": []}
    assert numbers["M11"]["planned"] == numbers["M11"]["made"] == numbers["M11"]["named"] > 0


def _look_offline(story: Any, there: Hub) -> None:
    """What a demo leaves works without the simulators, and its route file is one to learn from."""
    held = next(each for each in story["fates"] if each["fate"] == "held")
    shown, checked, gone = there("order", held["example"]), there("check", "--json"), there("sync")
    assert shown.code == 0, shown.err
    assert "held" in shown.out
    assert (checked.code, checked.json["warnings"]) == (0, [])
    assert gone.code == 1
    assert "clock-unreachable" in gone.err


def test_demo_overwrites_nothing(lone_hub: Hub) -> None:
    (lone_hub.folder / "routes.yaml").write_text("mine")
    ran = lone_hub("demo", "--keep", ".")
    assert ran.code == 1
    assert "folder-in-use" in ran.err
    assert (lone_hub.folder / "routes.yaml").read_text() == "mine"
