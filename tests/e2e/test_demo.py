"""The demo: everything at once, on this machine only."""

from __future__ import annotations

import shlex
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
