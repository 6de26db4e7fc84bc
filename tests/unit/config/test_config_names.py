"""Routes and connections that do not fit together, and settings their connector refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.config.config_files import ENVIRON, PLAIN, faults_of, only_fault


def test_route_that_names_an_unknown_connection_hears_of_the_nearest(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, PLAIN.replace("erp: katana", "erp: katanna"))
    assert (fault.code, fault.line, fault.column) == ("connection-unknown", 8, 10)
    assert fault.do == "Did you mean katana? Connections in this file: shop-us, katana."


def test_connector_that_lacks_a_hook_is_refused_by_the_hooks_name(tmp_path: Path) -> None:
    first, second = faults_of(
        tmp_path, PLAIN.replace("channel: shop-us", "channel: katana").replace("erp: katana", "erp: shop-us")
    )
    assert (first.code, second.code) == ("capability-missing", "capability-missing")
    assert first.what.endswith("it has no pull_orders, fetch_orders")
    assert second.what.endswith("it has no find_orders, push_order, find_variants, pull_products, list_locations")


def test_channel_and_erp_must_differ(tmp_path: Path) -> None:
    faults = faults_of(tmp_path, PLAIN.replace("erp: katana", "erp: shop-us"))
    assert (faults[0].pointer, faults[0].code) == ("/routes/0/erp", "capability-missing")
    fault = only_fault(tmp_path, PLAIN.replace("erp: katana", "erp: shop-us") + "    orders: {enabled: false}\n")
    assert (fault.code, fault.what) == ("route-conflict", "channel and erp are the same connection")


def test_two_routes_of_one_name_are_a_fault_at_the_second(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, PLAIN + "  - {name: us-shop, channel: shop-us, erp: katana}\n")
    assert (fault.pointer, fault.what) == ("/routes/1/name", "another route is called us-shop")
    assert fault.do.endswith("the first is on line 6.")


@pytest.mark.parametrize(
    ("settings", "pointer", "what"),
    [
        ("shop: 7495", "/shop", "must be a text, not a number"),
        ("overlap_s: -1", "/overlap_s", "must be at least 0"),
        ("limits: {burst: 0}", "/limits/burst", "must be at least 1"),
        ("limits: {brst: 1}", "/limits/brst", "unknown key brst"),
        ("limits: {password: abc}", "/limits/password", "a secret must not stand in the route file"),
        ("by_region: {US: [1, x]}", "/by_region/US/1", "must be a whole number, not a text"),
        ("api_url: ftp://a", "/api_url", "must be an https URL; plain http is for this very machine only"),
        ("api_url: 'http://[a'", "/api_url", "must be an https URL; plain http is for this very machine only"),
        ("api_url: http://a.example", "/api_url", "must be an https URL; plain http is for this very machine only"),
    ],
)
def test_settings_are_checked_by_their_connectors_schema(
    tmp_path: Path, settings: str, pointer: str, what: str
) -> None:
    fault = only_fault(tmp_path, PLAIN.replace("{app_key:", f"{{{settings}, app_key:"))
    assert (fault.pointer, fault.what) == ("/connections/shop-us/settings" + pointer, what)
    assert fault.line == 3


@pytest.mark.parametrize(
    ("settings", "pointer", "what"),
    [
        ("api_ur: a", "/api_ur", "unknown key api_ur"),
        ("pace: {calls: 5, per_s: x}", "/pace/per_s", "must be a whole number, not a text"),
        ("pace: {every_s: x}", "/pace/every_s", "must be a whole number, not a text"),
        ("pace: 5", "/pace", "must be a mapping, not a number"),
        ("login_url: http://a.example", "/login_url", "must be an https URL; plain http is for this very machine only"),
    ],
)
def test_settings_of_several_forms_are_explained_by_the_nearest(
    tmp_path: Path, settings: str, pointer: str, what: str
) -> None:
    fault = only_fault(tmp_path, PLAIN.replace("{api_key:", f"{{{settings}, api_key:"))
    assert (fault.pointer, fault.what) == ("/connections/katana/settings" + pointer, what)


def test_what_a_connectors_own_rule_refuses_is_a_fault_at_its_setting(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, PLAIN.replace("${APP_KEY}", '"a b"'))
    assert (fault.pointer, fault.what) == ("/connections/shop-us/settings/app_key", "a b holds a space")


def test_a_connectors_own_words_are_withheld_where_they_tell_a_variable_or_secret(tmp_path: Path) -> None:
    told = only_fault(tmp_path, PLAIN, ENVIRON | {"APP_KEY": "canary-7c1f x"})
    assert told.what == "the connector refuses this value"
    both = only_fault(tmp_path, PLAIN.replace("token:", "spare_token: ${SHOP_TOKEN}, token:"))
    assert (both.pointer, both.what) == ("/connections/shop-us/settings", "the connector refuses this value")
    (tmp_path / "token").write_text("canary-7c1f-file")
    twice = PLAIN.replace("token: ${SHOP_TOKEN}", "token: {file: token}, spare_token: {file: token}")
    assert only_fault(tmp_path, twice).what == "the connector refuses this value"


def test_settings_left_out_are_missing_where_the_connector_needs_them(tmp_path: Path) -> None:
    text = PLAIN.replace(", settings: {api_key: ${ERP_API_KEY}}", "")
    fault = only_fault(tmp_path, text)
    assert (fault.pointer, fault.what) == ("/connections/katana", "settings is missing")


@pytest.mark.parametrize(
    ("clock", "what"),
    [
        ("http://sim.example/clock", "a clock must be on this very machine"),
        ("localhost:1", "a clock must be on this very machine"),
        (
            "http://127.0.0.1:1/",
            "a simulated clock is refused beside connections that are not on this machine: shop-us",
        ),
    ],
)
def test_clock_beside_the_outside_world_is_refused(tmp_path: Path, clock: str, what: str) -> None:
    """Real systems must see real time; a default URL counts as outside too."""
    text = PLAIN.replace("api_key:", "api_url: http://localhost:2, api_key:") + f"clock: {clock}\n"
    fault = only_fault(tmp_path, text)
    assert (fault.code, fault.pointer, fault.what) == ("clock-refused", "/clock", what)


def test_one_outside_url_of_a_connection_is_enough_to_refuse_the_clock(tmp_path: Path) -> None:
    near = "api_url: http://localhost:2"
    text = PLAIN.replace("token:", f"{near}, token:").replace(
        "api_key:", f"{near}, login_url: https://a.example, api_key:"
    )
    fault = only_fault(tmp_path, text + "clock: http://localhost:1\n")
    assert fault.what.endswith("not on this machine: katana")
