"""deploy/ and requirements/: linted, parsed, and held against what the hub's own sources say."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from hub.daemon import GRACE_S
from tests.docs.console import ROOT, misuse

DEPLOY, REQUIREMENTS = ROOT / "deploy", ROOT / "requirements"
BIN = Path(sys.executable).parent


def pins(name: str) -> set[str]:
    """Return what a requirements file pins, as ``name==version``."""
    return set(re.findall(r"^([^\s=]+==[^\s;]+)", (REQUIREMENTS / name).read_text(), re.MULTILINE))


def wanted(name: str) -> set[str]:
    """Return what a .in file asks for."""
    return {line for line in (REQUIREMENTS / name).read_text().splitlines() if line and not line.startswith("#")}


def bare(requirement: str) -> str:
    return re.split(r"[><=;]", requirement)[0]


def dockerfile() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions with their arguments."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]  # type: ignore[misc]


def compose() -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load((DEPLOY / "compose.yaml").read_text())
    return found


def test_dockerfile_is_linted_without_a_remark() -> None:
    hadolint = BIN / "hadolint"
    ran = subprocess.run([hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "")


def test_image_runs_as_nobody_in_particular_and_is_asked_whether_it_lives() -> None:
    steps = dockerfile()
    assert [value.split()[0] for name, value in steps if name == "FROM"] == ["python:3.13-slim"] * 3
    last = steps[max(at for at, (name, _) in enumerate(steps) if name == "FROM") :]
    of = dict(last)
    assert of["USER"] == "10001:10001"
    assert "/healthz" in of["HEALTHCHECK"]
    assert of["VOLUME"] == '["/var/lib/hub"]'
    assert misuse("hub run --log json") is None
    assert (of["ENTRYPOINT"], of["CMD"]) == ('["hub"]', '["run", "--log", "json"]')


def test_every_installation_of_the_image_is_by_hash_or_from_what_was_built() -> None:
    installed = [
        part for name, value in dockerfile() if name == "RUN" for part in value.split("&&") if "pip install" in part
    ]
    assert len(installed) == 3
    assert all("--require-hashes" in part or "--no-deps --no-index /wheels/" in part for part in installed)


def test_image_holds_no_secret_and_gets_none_to_copy() -> None:
    """What is copied is named, and of that what may be private is left out."""
    copied = [value.split()[:-1] for name, value in dockerfile() if name == "COPY" and "--from" not in value]
    sources = {source for each in copied for source in each}
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[1] == "*"
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    assert {source.split("/")[0] for source in sources} == let_in
    assert {"**/*.db", "**/*.db-*", "**/*.key", "**/.env", "**/environment"} <= set(ignored)
    assert not any(
        re.search(r"(SECRET|PASSWORD|TOKEN|KEY)\b", value) for name, value in dockerfile() if name in ("ENV", "ARG")
    )


def test_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed here")
    text = (DEPLOY / "hub.service").read_text()
    assert "ExecStart=/opt/hub/bin/hub run" in text
    file = tmp_path / "hub.service"
    file.write_text(text.replace("/opt/hub/bin/hub", str(BIN / "hub")))
    ran = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_unit_stops_reloads_and_restarts_as_the_daemon_does() -> None:
    lines = (DEPLOY / "hub.service").read_text().splitlines()
    of = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    assert misuse(of["ExecStart"].replace("/opt/hub/bin/", "")) is None
    assert of["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert int(of["TimeoutStopSec"]) > GRACE_S
    assert of["Restart"] == "always"
    assert of["StateDirectory"] == "hub"
    assert "HUB_DATABASE=/var/lib/hub/hub.db" in of["Environment"]


def test_compose_has_two_workers_a_database_and_a_proxy_for_webhooks_only() -> None:
    found = compose()
    assert set(found) == {"name", "services", "volumes"}
    hub, database, proxy = (found["services"][name] for name in ("hub", "database", "proxy"))
    known = {
        "image", "build", "restart", "depends_on", "env_file", "environment", "volumes", "deploy", "stop_grace_period",
        "read_only", "tmpfs", "cap_drop", "security_opt", "ports", "healthcheck",
    }  # fmt: skip
    assert {key for service in found["services"].values() for key in service} <= known
    assert hub["deploy"]["replicas"] == 2
    assert int(hub["stop_grace_period"].removesuffix("s")) > GRACE_S
    assert hub["environment"]["HUB_DATABASE"] == "postgresql://hub@database/hub"
    assert hub["environment"]["PGPASSWORD"].startswith("${POSTGRES_PASSWORD:?")  # in a URL it had to be encoded
    assert "HUB_KEY" in hub["environment"], "each worker would else make a key of its own"
    assert (DEPLOY / hub["build"]["context"] / hub["build"]["dockerfile"]).resolve() == DEPLOY / "Dockerfile"
    assert "ports" not in hub
    assert "ports" not in database
    assert proxy["ports"] == ["80:80", "443:443"]
    named = {volume.split(":")[0] for service in found["services"].values() for volume in service.get("volumes", ())}
    assert {name for name in named if not name.startswith("./")} == set(found["volumes"])
    files = {name for name in named if name.startswith("./")} - {"./routes.yaml"}
    assert all((DEPLOY / name).is_file() for name in files)
    assert "handle /webhooks/*" in (DEPLOY / "Caddyfile").read_text()
    text = (DEPLOY / "compose.yaml").read_text()
    assert not re.search(r"(PASSWORD|KEY): (?!\$\{)", text), "no secret is written down"


def test_commands_that_the_files_name_exist() -> None:
    text = (DEPLOY / "compose.yaml").read_text() + (DEPLOY / "Dockerfile").read_text()
    named = re.findall(r"run --rm (hub [a-z]+)|/opt/hub/bin/(hub [a-z]+)", text)
    assert len(named) == 2
    assert [each for pair in named for each in pair if each and misuse(each) is not None] == []


def test_what_runs_is_pinned_as_what_is_tested() -> None:
    assert len(pins("run.txt")) > len(wanted("run.in"))
    for name in ("run", "build"):
        assert pins(f"{name}.txt") - pins("dev.txt") == set()


def test_what_runs_is_what_the_distributions_ask_for() -> None:
    hub = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    plugins = [
        tomllib.loads((ROOT / "plugins" / name / "pyproject.toml").read_text())["project"]
        for name in ("katana", "tiktok")
    ]
    extras = [*hub["optional-dependencies"]["postgres"], *hub["optional-dependencies"]["tracing"]]
    asked = {bare(each) for project in (hub, *plugins) for each in project["dependencies"]} | {
        bare(each) for each in extras
    }
    assert wanted("run.in") == asked - {"channel-hub"}
    assert wanted("run.in") - wanted("dev.in") == set()


@pytest.mark.parametrize("name", ["dev.txt", "run.txt", "build.txt"])
def test_requirements_name_no_registry_and_hash_everything(name: str) -> None:
    text = (REQUIREMENTS / name).read_text()
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)
    packages = re.split(r"^(?=[^\s#])", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in each for each in packages)


def test_licence_of_the_plugins_is_the_hubs() -> None:
    for name in ("katana", "tiktok"):
        assert (ROOT / "plugins" / name / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


@pytest.mark.parametrize("path", ["/etc/hub/environment", "/etc/hub/routes.yaml", "/var/lib/hub", "/opt/hub"])
def test_paths_of_the_unit_are_those_of_the_page(path: str) -> None:
    assert path in (DEPLOY / "hub.service").read_text()
    assert f"`{path}`" in (ROOT / "docs" / "operating.md").read_text()
