"""Whatever is wrong with a file, the database or the disk: what, where, do, exit code 1, and never a traceback."""

from __future__ import annotations

import ctypes
import os
import resource
import sqlite3
import stat
from pathlib import Path

import pytest

from tests.e2e.conftest import Hub, Ran
from tests.site import HOUR, Site


def refused(ran: Ran, code: str) -> str:
    """Assert that a run was refused with this code, and return its talk."""
    assert ran.code == 1, ran
    assert f"{code}: " in ran.err or f"{code}" in ran.out
    assert "where: " in ran.err
    assert "do:    " in ran.err
    return ran.err


@pytest.mark.parametrize("command", ["check", "sync", "run", "locations"])
def test_missing_route_file_is_told(lone_hub: Hub, command: str) -> None:
    told = refused(lone_hub(command), "route-file")
    assert "there is no such file" in told
    assert "hub init" in told


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("version: 1\nconnections: [", "routes.yaml:2", "not YAML"),
        ("version: 1\nconections: {}\nroutes: []\n", "routes.yaml:2:1", "Did you mean connections?"),
        ("version: 1\nconnections: 5\nroutes: []\n", "routes.yaml:2:14", "connections"),
        (
            "version: 1\nconnections: {a: {connector: sapp}}\nroutes: []\n",
            "routes.yaml:2:30",
            "no connector called sapp is installed",
        ),
        (
            "version: 1\nroutes: []\nconnections:\n  k: {connector: katana, settings: {api_key: s3cret-literal}}\n",
            "routes.yaml:4:46",
            "a secret must not stand in the route file",
        ),
    ],
)
def test_faulty_route_file_is_told_with_line_and_column(lone_hub: Hub, text: str, place: str, what: str) -> None:
    (lone_hub.folder / "routes.yaml").write_text(text)
    ran = lone_hub("check")
    talk = refused(ran, "route-file")
    assert place in talk
    assert what in talk
    assert "s3cret-literal" not in talk
    assert lone_hub("check", "--json").json["error"]["faults"]
    assert ran.out == ""


def test_unknown_location_is_told_with_the_nearest_one(site: Site, hub: Hub) -> None:
    site.katana_sim("seed", {"locations": [{"name": "Main warehouse"}]})
    route = "  - name: us\n    channel: shop\n    erp: factory\n    orders: {location: {default: Main warehose}}\n"
    site.write_routes(route)
    assert hub("check").code == 0
    ran = hub("check", "--online")
    assert ran.code == 1
    assert "there is no location 'Main warehose' (route us, orders/location/default)" in ran.out
    assert "Did you mean Main warehouse?" in ran.out
    answers = {each["connection"]: each["ok"] for each in hub("check", "--online", "--json").json["online"]}
    assert answers == {"shop": True, "factory": False}


def test_connection_that_refuses_is_told_beside_one_that_works(site: Site, hub: Hub) -> None:
    site.katana_sim("options", {"key_revoked": "yes"})
    ran = hub("check", "--online")
    assert ran.code == 1
    assert "missing" in ran.out
    assert "shop 7495000000000000001" in ran.out


def test_sku_that_a_route_names_and_the_erp_lacks_is_told(site: Site, hub: Hub) -> None:
    site.write_routes(
        "  - name: us\n    channel: shop\n    erp: factory\n    orders: {skus: {OLD: NEW-SKU, TT: MUG}}\n"
    )
    ran = hub("check", "--online")
    assert ran.code == 1
    assert "there is no variant with SKU NEW-SKU (route us" in ran.out


@pytest.mark.parametrize("command", [("sync",), ("orders",), ("sync", "--dry-run"), ("hold", "add", "1")])
def test_damaged_database_is_told_and_left_as_it_is(site: Site, hub: Hub, command: tuple[str, ...]) -> None:
    (site.folder / "hub.db").write_bytes(b"this is no database" * 500)
    talk = refused(hub(*command), "database-corrupt")
    assert "Do not delete it" in talk
    assert (site.folder / "hub.db").read_bytes().startswith(b"this is no database")


def test_database_of_a_newer_hub_is_refused(site: Site, hub: Hub) -> None:
    hub("sync")
    connection = sqlite3.connect(site.folder / "hub.db")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    talk = refused(hub("sync"), "database-newer")
    assert "9999" in talk


def test_database_that_is_not_there_is_not_made_by_looking(lone_hub: Hub) -> None:
    talk = refused(lone_hub("orders"), "database-missing")
    assert "Run hub sync first" in talk
    assert list(lone_hub.folder.iterdir()) == []


@pytest.mark.parametrize("folder", ["no/such/folder", "/proc"])
def test_folder_that_cannot_be_written_is_told(site: Site, hub: Hub, folder: str) -> None:
    refused(hub("sync", "--database", f"{folder}/hub.db"), "database-unwritable")


def test_database_url_that_cannot_be_used_is_told(site: Site, hub: Hub) -> None:
    refused(hub("sync", "--database", "mysterydb://host/name"), "database-url")
    assert "hunter2" not in refused(
        hub("sync", "--database", "postgresql://u:hunter2@127.0.0.1:1/x"), "database-failed"
    )
    in_query = "postgresql://u@/x?host=127.0.0.1&port=1&password=hunter2"
    told = refused(hub("sync", "--database", in_query), "database-failed")
    assert "hunter2" not in told
    assert "database postgresql://127.0.0.1:1/x" in told
    torn = refused(hub("sync", "--database", "postgresql://u:p@ss/hunter2@127.0.0.1/x"), "database-url")
    assert "hunter2" not in torn


def test_key_file_that_others_may_read_is_refused(site: Site, hub: Hub) -> None:
    site.order()
    hub("sync")
    key = site.folder / "hub.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.chmod(0o644)
    ran = hub("sync")
    assert ran.code == 1
    assert "key-readable" in ran.err
    assert f"chmod 600 {key.name}" in ran.err or "chmod 600" in ran.err


def test_lost_key_is_told_and_no_other_is_made_until_a_person_connects_again(site: Site, hub: Hub) -> None:
    assert hub("sync").code == 0
    key = site.folder / "hub.key"
    key.write_text("torn")
    assert "Restore it from the backup" in refused(hub("sync"), "key-malformed")
    key.unlink()
    assert "Restore it from the backup" in refused(hub("sync"), "key-missing")
    assert not key.exists()


def test_key_file_of_another_user_is_told_with_who_must_have_it(site: Site, hub: Hub) -> None:
    assert hub("sync").code == 0
    key = site.folder / "hub.key"
    key.chmod(0)
    told = refused(hub("sync", limit=_without_root_rights), "key-unreadable")
    assert "chown USER" in told


def _without_root_rights() -> None:
    """Give up what lets root read every file; the folder stays its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0:
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            assert libc.prctl(24, capability, 0, 0, 0) == 0  # PR_CAPBSET_DROP: gone with the exec that follows


def _no_room(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_disk_that_takes_no_more_is_told_and_loses_nothing(site: Site, hub: Hub) -> None:
    """Writes fail in the middle of a pass; the next pass, with room, goes on and every order arrives once."""
    refs = [site.order() for _ in range(5)]
    assert hub("sync").code == 0
    refs += [site.order(create_time=1_772_452_800 - 30) for _ in range(40)]
    # SQLite's write-ahead log begins empty: the first limit stops it in the middle of the pull, the second at once.
    for room in (48 * 1024, 4 * 1024):
        ran = hub("sync", limit=lambda room=room: _no_room(room))
        assert ran.code == 1, ran
        assert "disk-failed: " in ran.err  # there is room beyond the limit
    site.advance(HOUR)
    ran = hub("sync")
    assert ran.code == 0, ran.err
    found = {order["ecommerce_order_id"] for order in site.sales_orders()}
    assert found == set(refs)
    assert len(site.sales_orders()) == len(refs)


def test_closed_output_ends_quietly(site: Site, hub: Hub) -> None:
    process = hub.start("schema")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()
    process.wait(20)
    assert said == ""


def test_unexpected_failure_asks_to_be_reported_and_shows_no_traceback(lone_hub: Hub, tmp_path: Path) -> None:
    """A defect of ours: simulated by a module that fails where the hub imports it."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "jsonschema.py").write_text("raise KeyError('boom')")
    ran = lone_hub("connectors", PYTHONPATH=str(broken))
    talk = refused(ran, "internal-error")
    assert "failed unexpectedly with KeyError" in talk
    assert "--debug" in talk
