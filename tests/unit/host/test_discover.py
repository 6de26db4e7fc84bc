"""Installed connectors are listed with their faults; none is just missing. Each test installs real entry points."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

GOOD = """
from pydantic import BaseModel
from hub.contract import Finding, hookimpl

class Good:
    name = "good"
    settings_model = BaseModel
    capabilities = frozenset({"check_connection"})
    in_flight = 1

    def __init__(self, connection): ...

    @hookimpl
    def check_connection(self):
        return [Finding(ok=True, what="fine")]
"""
LISTING = """
import json
from hub.contract import ConfigurationError
from hub.host import discover
try:
    found = discover.{call}()
except ConfigurationError as error:
    print(json.dumps({{"refused": [error.code, error.what, error.where, error.do]}}))
else:
    print(json.dumps({{name: [one.distribution, one.version, one.plugin is not None, one.error]
                      for name, one in found.items()}}))
"""
Listed = dict[str, list[object]]


def install(site: Path, distribution: str, entries: dict[str, str], group: str = "hub.connectors") -> None:
    """Lay down a distribution as an installer leaves it: its metadata, found on the path."""
    info = site / f"{distribution.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    lines = "".join(f"{name} = {target}\n" for name, target in entries.items())
    (info / "entry_points.txt").write_text(f"[{group}]\n{lines}")


def listed(site: Path, call: str = "connectors") -> Listed:
    """List what a fresh process finds with that folder on its path."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LISTING.format(call=call)],
        env={**os.environ, "PYTHONPATH": str(site), "XDG_CACHE_HOME": str(site / "cache")},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    found: Listed = json.loads(done.stdout)
    return found


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "good_connector.py").write_text(GOOD)
    return tmp_path


def test_an_installed_connector_is_found_by_its_entry_point(site: Path) -> None:
    install(site, "hub-good", {"good": "good_connector:Good"})
    assert listed(site)["good"] == ["hub-good", "1.0", True, None]


def test_our_own_connectors_come_by_the_same_way(site: Path) -> None:
    found = listed(site)
    assert [found[name][0] for name in ("katana", "tiktok")] == ["channel-hub-katana", "channel-hub-tiktok"]


def test_a_connector_that_fails_to_import_is_down_with_the_reason(site: Path) -> None:
    (site / "ill_connector.py").write_text("import a_library_nobody_installed\n")
    install(site, "hub-good", {"good": "good_connector:Good"})
    install(site, "hub-ill", {"ill": "ill_connector:Ill"})
    found = listed(site)
    assert found["ill"][:3] == ["hub-ill", "1.0", False]
    assert found["ill"][3] == "ModuleNotFoundError: No module named 'a_library_nobody_installed'"
    assert found["good"][2], "one that fails must not take the others with it"


def test_a_connector_whose_class_is_not_there_is_down_with_the_reason(site: Path) -> None:
    install(site, "hub-ill", {"ill": "good_connector:Missing"})
    distribution, _, is_up, error = listed(site)["ill"]
    assert (distribution, is_up) == ("hub-ill", False)
    assert "Missing" in str(error)


def test_a_connector_that_is_refused_is_down_with_every_fault(site: Path) -> None:
    (site / "refused_connector.py").write_text(GOOD.replace('"check_connection"}', '"check_connection", "push_order"}'))
    install(site, "hub-refused", {"refused": "refused_connector:Good"})
    distribution, _, is_up, error = listed(site)["refused"]
    assert (distribution, is_up) == ("hub-refused", False)
    assert "must equal the entry point's name 'refused'" in str(error)
    assert "push_order is declared as a capability but not implemented" in str(error)
    assert "hub-refused 1.0" in str(error)


def test_two_distributions_with_one_name_are_a_conflict(site: Path) -> None:
    """Which of them would run is nobody's choice, so none does."""
    (site / "other_connector.py").write_text(GOOD)
    install(site, "hub-good", {"good": "good_connector:Good"})
    install(site, "hub-other", {"good": "other_connector:Good"})
    code, what, where, do = listed(site)["refused"]
    assert code == "plugin-conflict"
    assert "good" in str(what)
    assert where == "entry-point group hub.connectors"
    assert do == "Uninstall one of them."


def test_simulators_are_found_by_a_group_of_their_own(site: Path) -> None:
    install(site, "hub-good", {"good": "good_connector:Good"}, group="hub.simulators")
    assert listed(site, "simulators")["good"][2]
    assert "good" not in listed(site)
