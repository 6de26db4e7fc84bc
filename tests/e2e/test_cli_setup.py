"""Setting up: init, check, schema, connectors, locations, simulate; as real processes."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import httpx
import jsonschema

from tests.e2e.conftest import Hub
from tests.site import Site

COMMANDS = (
    "init", "check", "schema", "connect", "connectors", "locations", "sync", "run", "orders", "order", "hold", "retry",
    "demo", "simulate",
)  # fmt: skip


def test_help_names_every_command_and_is_quick(lone_hub: Hub) -> None:
    anew = Hub(lone_hub.folder, {})  # its start counts
    began = time.monotonic()
    ran = anew("--help")
    assert time.monotonic() - began < 2
    assert ran.code == 0
    assert all(f"\n  {command} " in ran.out for command in COMMANDS)


def test_misuse_exits_2(lone_hub: Hub) -> None:
    typo = lone_hub("ordrs")
    assert typo.code == 2
    assert "Did you mean 'orders'?" in typo.err
    assert lone_hub("orders", "--limit", "none").code == 2
    assert lone_hub("order").code == 2
    assert lone_hub("simulate", "katana", "--option", "nonsense").code == 2


def test_version_is_told(lone_hub: Hub) -> None:
    assert lone_hub("--version").out.startswith("hub ")


def test_init_writes_a_route_file_that_passes_the_check_once_the_environment_is_set(lone_hub: Hub) -> None:
    ran = lone_hub("init", "shop", "--json")
    assert ran.code == 0
    facts = ran.json
    unset = lone_hub("check", "--routes", "shop/routes.yaml")
    assert unset.code == 1
    assert all(f"Set {name} where the hub runs" in unset.err for name in facts["environment"])
    values = dict.fromkeys(facts["environment"], "1")
    checked = lone_hub("--routes", "shop/routes.yaml", "check", **values)
    assert checked.code == 0, checked.err
    assert "all-orders" in checked.out


def test_init_never_overwrites(lone_hub: Hub) -> None:
    assert lone_hub("init").code == 0
    (lone_hub.folder / "routes.yaml").write_text("mine")
    ran = lone_hub("init")
    assert ran.code == 1
    assert "file-exists" in ran.err
    assert (lone_hub.folder / "routes.yaml").read_text() == "mine"


def test_init_refuses_a_connector_that_is_not_there_or_cannot(lone_hub: Hub) -> None:
    assert "no connector 'sap' is installed" in lone_hub("init", "--erp", "sap").err
    assert "cannot be the channel" in lone_hub("init", "--channel", "katana").err
    assert not (lone_hub.folder / "routes.yaml").exists()


def test_schema_is_a_json_schema_with_every_connectors_settings(lone_hub: Hub) -> None:
    schema = lone_hub("schema").json
    jsonschema.Draft202012Validator.check_schema(schema)
    names = {each["name"] for each in lone_hub("connectors", "--json").json["connectors"]}
    assert {f"settings-{name}" for name in names} <= set(schema["$defs"])


def test_connectors_are_listed_with_distribution_and_hooks(lone_hub: Hub) -> None:
    ran = lone_hub("connectors")
    assert ran.code == 0
    assert "push_order" in ran.out
    for each in lone_hub("connectors", "--json").json["connectors"]:
        assert each["state"] == "up"
        assert each["distribution"].startswith("channel-hub-")
        assert each["hooks"]


def test_check_online_finds_nothing_missing_on_a_sound_site(site: Site, hub: Hub) -> None:
    ran = hub("check", "--online")
    assert ran.code == 0, ran.out
    assert "missing" not in ran.out
    assert hub("check", "--online", "--json").json["ok"] is True


def test_locations_are_listed_with_the_routes_that_name_them(site: Site, hub: Hub) -> None:
    site.katana_sim("seed", {"locations": [{"name": "West"}]})
    off = "    fulfillments: {enabled: false}\n    inventory: {enabled: false}\n"
    site.write_routes(
        f"  - name: us\n    channel: shop\n    erp: factory\n{off}    orders: {{location: {{default: West}}}}\n"
    )
    found = {each["connection"]: each for each in hub("locations", "--json").json}
    named = {place["name"]: place["named_by"] for place in found["factory"]["locations"]}
    assert named["West"] == ["us"]
    assert "West" in hub("locations", "factory").out
    refused = hub("locations", "factry")
    assert refused.code == 1
    assert "Did you mean factory?" in refused.err


def test_simulator_serves_until_it_is_told_to_stop(lone_hub: Hub, tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    process = lone_hub.start("simulate", "katana", "--port", "0", "--clock-rate", "30", "--ready-file", str(ready))
    end = time.monotonic() + 20
    while not ready.exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    facts = json.loads(ready.read_text())
    assert ready.stat().st_mode & 0o077 == 0
    assert httpx.get(f"{facts['url']}/_sim/clock").json()["rate"] == 30
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "export KATANA_API_KEY=" in out
    assert "api_key: ${KATANA_API_KEY}" in out
    assert "Traceback" not in err


def test_simulator_that_is_not_there_is_refused(lone_hub: Hub) -> None:
    ran = lone_hub("simulate", "katan")
    assert ran.code == 1
    assert "Did you mean katana?" in ran.err
    assert "simulator-option" in lone_hub("simulate", "katana", "--option", "nonsense=1").err
