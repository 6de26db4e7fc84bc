"""References to the environment, and secrets that never stand in the file nor in a message."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.config.config_files import (
    CANARY,
    ENVIRON,
    PLAIN,
    ErpSettings,
    faults_of,
    load_text,
    only_fault,
    with_orders,
)


def _key(folder: Path, text: str) -> str:
    settings = load_text(folder, text).connections["katana"].settings
    assert isinstance(settings, ErpSettings)
    return settings.api_key.get_secret_value()


def test_missing_variable_is_named_at_its_place(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, PLAIN, {"SHOP_TOKEN": "a", "ERP_API_KEY": "b"})
    assert (fault.code, fault.line, fault.column) == ("reference-missing", 3, 50)
    assert fault.what == "the environment has no APP_KEY"


def test_reference_inside_a_longer_text_is_filled_in(tmp_path: Path) -> None:
    for written in ('"${PLACE} of ${PLACE}"', "'${PLACE} of ${PLACE}'", "${PLACE} of ${PLACE}"):
        config = load_text(tmp_path, with_orders(f"location: {{default: {written}}}"))
        assert config.routes[0].orders.location.default == "West of West"


def test_columns_behind_an_unquoted_reference_stay_true(tmp_path: Path) -> None:
    text = PLAIN.replace("token: ${SHOP_TOKEN}", "token: ${SHOP_TOKEN}, shp: 1")
    fault = only_fault(tmp_path, text)
    assert text.splitlines()[fault.line - 1][fault.column - 1 :].startswith("shp: 1")


@pytest.mark.parametrize("written", ['"${}"', '"${A B}"', "'${1A}'", '"x${"'])
def test_what_looks_like_a_reference_and_is_none_is_refused(tmp_path: Path, written: str) -> None:
    fault = only_fault(tmp_path, with_orders(f"location: {{default: {written}}}"))
    assert (fault.code, fault.what) == ("reference-malformed", "${ does not begin a reference")


def test_connector_cannot_be_a_reference(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, PLAIN.replace("connector: shop", "connector: ${PLACE}"))
    assert (fault.code, fault.what) == ("reference-malformed", "a connector cannot be a reference")


def test_value_of_a_variable_is_always_a_text(tmp_path: Path) -> None:
    text = PLAIN.replace("{api_key:", "{requests_per_minute: ${RATE}, api_key:")
    assert only_fault(tmp_path, text, ENVIRON | {"RATE": "60"}).what == "must be a whole number, not a text"


def test_variable_that_holds_no_text_is_refused(tmp_path: Path) -> None:
    """A byte that is not UTF-8 comes out of the environment as half a character."""
    fault = only_fault(tmp_path, PLAIN, ENVIRON | {"APP_KEY": "a\udcff"})
    assert (fault.code, fault.what) == ("reference-missing", "the variable APP_KEY holds bytes that are no text")


@pytest.mark.parametrize(
    "written",
    [
        CANARY,
        f'"{CANARY}"',
        f"{CANARY}${{ERP_API_KEY}}",
        f"'x ${{ERP_API_KEY}} {CANARY}'",
        "12345678",
        f"|\n     {CANARY}",
    ],
)
def test_secret_in_the_file_is_refused_with_the_way_to_move_it(tmp_path: Path, written: str) -> None:
    text = PLAIN.replace(
        "{connector: erp, settings: {api_key: ${ERP_API_KEY}}}",
        f"\n   connector: erp\n   settings:\n    api_key: {written}",
    )
    fault = only_fault(tmp_path, text)
    assert (fault.code, fault.line, fault.column) == ("secret-literal", 7, 14)
    assert fault.do == (
        "Set ERP_API_KEY where the hub runs and write ${ERP_API_KEY} here, or write {file: PATH}; "
        "or {stored: true}, and give it to the hub: hub connect ID."
    )
    assert "12345678" not in fault.text("file")


def test_variable_to_move_to_is_named_after_the_connection_where_a_connector_serves_two(tmp_path: Path) -> None:
    second = "  shop-uk: {connector: shop, settings: {app_key: a, token: abc}}\nroutes:"
    faults = faults_of(tmp_path, PLAIN.replace("routes:", second))
    assert faults[0].do.startswith("Set SHOP_UK_TOKEN where the hub runs")


@pytest.mark.parametrize(
    "settings",
    [
        f"{{api_key: [{CANARY}]}}",
        f"{{api_key: {{value: {CANARY}}}}}",
        f"{{api_key: ${{ERP_API_KEY}}, api_kye: {CANARY}}}",
        f"{{api_key: ${{ERP_API_KEY}}, api_url: {CANARY}}}",
        "{api_key: ${ERP_API_KEY}, api_url: ${ERP_API_KEY}}",
        f"{{api_key: ${{ERP_API_KEY}}, requests_per_minute: {CANARY}}}",
        f"{{api_key {CANARY}}}",
        f"{{{CANARY}}}",
        f"api_key={CANARY}",
        f"{{api_key: *{CANARY}}}",
        f"{{api_key: !{CANARY} x}}",
        f"{{api_key: %{CANARY}}}",
        f"{{api_key: '{CANARY}}}",
        f"{{api_key: {CANARY}: {CANARY}: b}}",
        f"{{api_key: {{file: {CANARY[:-3]}${{ERP_API_KEY}}}}}}",
        f"[{CANARY}]",
    ],
)
def test_no_message_shows_a_secret_however_it_is_misplaced(tmp_path: Path, settings: str) -> None:
    assert faults_of(tmp_path, PLAIN.replace("{api_key: ${ERP_API_KEY}}", settings))


def test_variable_in_a_name_is_shown_as_it_was_written(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, PLAIN.replace("channel: shop-us", "channel: ${SHOP_TOKEN}"))
    assert fault.what == "there is no connection called ${SHOP_TOKEN}"


def test_empty_variable_is_no_secret(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, PLAIN, ENVIRON | {"ERP_API_KEY": ""})
    assert (fault.code, fault.what) == ("secret-unreadable", "the variable ERP_API_KEY is empty")


def test_optional_secret_may_be_left_empty(tmp_path: Path) -> None:
    assert load_text(tmp_path, PLAIN.replace("token:", "spare_token: null, token:")).routes


def test_secret_that_the_hub_keeps_is_named_and_not_looked_for(tmp_path: Path) -> None:
    config = load_text(tmp_path, PLAIN.replace("api_key: ${ERP_API_KEY}", "api_key: {stored: true}"))
    assert config.connections["katana"].stored == ("api_key",)
    assert config.connections["shop-us"].stored == ()
    assert config.warnings == ()


@pytest.mark.parametrize("written", ["{stored: false}", "{stored: yes}", "{stored: true, file: a}", "{stored: 1}"])
def test_what_is_not_quite_stored_is_a_fault(tmp_path: Path, written: str) -> None:
    text = PLAIN.replace("api_key: ${ERP_API_KEY}", f"api_key: {written}")
    assert faults_of(tmp_path, text)[0].pointer.startswith("/connections/katana/settings/api_key")


def test_secret_inside_another_setting_cannot_be_kept(tmp_path: Path) -> None:
    text = PLAIN.replace("{app_key:", "{limits: {password: {stored: true}}, app_key:")
    assert only_fault(tmp_path, text).what == "must point at a secret"


def _in_file(folder: Path, content: bytes, mode: int = 0o600) -> str:
    (folder / "secrets").mkdir()
    (folder / "secrets" / "key").write_bytes(content)
    (folder / "secrets" / "key").chmod(mode)
    return PLAIN.replace("api_key: ${ERP_API_KEY}", "api_key: {file: secrets/key}")


def test_secret_is_read_from_a_file_beside_the_route_file(tmp_path: Path) -> None:
    text = _in_file(tmp_path, b"key \n")
    assert _key(tmp_path, text) == "key "
    assert load_text(tmp_path, text).warnings == ()


def test_name_of_a_secrets_file_may_hold_a_reference(tmp_path: Path) -> None:
    text = _in_file(tmp_path, b"key\r\n").replace("secrets/key", "${FOLDER}/key")
    config = load_text(tmp_path, text, ENVIRON | {"FOLDER": str(tmp_path / "secrets")})
    assert "key" not in repr(config.connections["katana"].settings).replace("api_key", "")


def test_secrets_file_that_others_can_read_is_a_warning(tmp_path: Path) -> None:
    (warning,) = load_text(tmp_path, _in_file(tmp_path, b"key", 0o640)).warnings
    assert (warning.code, warning.line) == ("secret-exposed", 4)
    assert warning.do == "Run: chmod 600 secrets/key"


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff", b"a\x00b", b"x" * 100_000])
def test_file_that_holds_no_secret_is_a_fault(tmp_path: Path, content: bytes) -> None:
    fault = only_fault(tmp_path, _in_file(tmp_path, content))
    assert (fault.code, fault.pointer) == ("secret-unreadable", "/connections/katana/settings/api_key/file")


@pytest.mark.parametrize("name", ["no/such", ".", "'a\\0b'", "${NONE}"])
def test_secrets_file_that_cannot_be_read_is_one_fault(tmp_path: Path, name: str) -> None:
    text = PLAIN.replace("api_key: ${ERP_API_KEY}", f"api_key: {{file: {name}}}")
    assert only_fault(tmp_path, text).pointer == "/connections/katana/settings/api_key/file"
