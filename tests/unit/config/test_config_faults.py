"""Each kind of fault: its place, its code, what it says and what it tells to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.config import CODES, RouteFileError, load
from hub.contract import ConfigurationError
from tests.unit.config.config_files import CONNECTORS, PLAIN, faults_of, load_text, only_fault, with_orders

SEVERAL = """\
version: "1"
connections:
  shop-us: {connector: shop, settings: {app_key: ${APP_KEY}, token: ${NOT_SET}, shp: "7"}}
  katana:
    connector: erp
    settings:
      api_key: ${ERP_API_KEY}
      requests_per_minute: 0
routes:
  - name: us-shop
    channel: shop-uk
    erp: katana
    ordrs: {}
    orders:
      hold: 60
      skus:
        BOX: [{sku: A, price_share: 0.5}, {sku: B, price_share: 0.4}]
"""


def test_all_faults_of_a_file_come_in_one_report_sorted_by_place(tmp_path: Path) -> None:
    with pytest.raises(RouteFileError) as caught:
        load_text(tmp_path, SEVERAL)
    file = tmp_path / "route.yaml"
    assert str(caught.value).splitlines() == [
        f"{file}:1:10: /version: must be 1. Write 1, without quotes.",
        (
            f"{file}:3:69: /connections/shop-us/settings/token: the environment has no NOT_SET. "
            "Set NOT_SET where the hub runs."
        ),
        (
            f"{file}:3:81: /connections/shop-us/settings/shp: unknown key shp. Did you mean shop? "
            "Allowed here: app_key, token, shop, api_url, overlap_s, spare_token, limits, by_region."
        ),
        f"{file}:8:28: /connections/katana/settings/requests_per_minute: must be at least 1. Write it like 60.",
        (
            f"{file}:11:14: /routes/0/channel: there is no connection called shop-uk. Did you mean shop-us? "
            "Connections in this file: shop-us, katana."
        ),
        (
            f"{file}:13:5: /routes/0/ordrs: unknown key ordrs. Did you mean orders? Allowed here: name, channel, erp, "
            "orders, fulfillments, inventory, products, returns."
        ),
        (
            f"{file}:15:13: /routes/0/orders/hold: must be a duration with its unit. Write it like 90s, 60m, 1h or 2d; "
            "only a plain 0 needs no unit."
        ),
        (
            f"{file}:17:14: /routes/0/orders/skus/BOX: the price shares add up to 0.9, not 1. "
            "Change them so that they add up to exactly 1."
        ),
    ]
    for fault in caught.value.faults:
        line = SEVERAL.splitlines()[fault.line - 1]
        assert line[fault.column - 1 :].startswith(('"1"', "${NOT_SET}", "shp:", "0", "shop-uk", "ordrs", "60", "[{"))


def test_error_is_a_configuration_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_text(tmp_path, "version: 2\n")
    assert caught.value.where == str(tmp_path / "route.yaml")
    assert caught.value.code == "route-file"


@pytest.mark.parametrize(
    ("text", "code", "what"),
    [
        (b"", "file-unreadable", "the file is empty"),
        (b" \n\t\n", "file-unreadable", "the file is empty"),
        (b"version: 1\nname: \xff\n", "file-unreadable", "the file is not UTF-8 from here on"),
        (b"a: " + b"x" * 1024 * 1024, "file-unreadable", "the file is larger than 1 MiB"),
        (b"- a\n- b\n", "wrong-value", "must be a mapping, not a list"),
        (b"just words\n", "wrong-value", "must be a mapping, not a text"),
        (b"# only a comment\n", "wrong-value", "must be a mapping, and is empty"),
    ],
)
def test_what_is_no_route_file_at_all_is_said_so(tmp_path: Path, text: bytes, code: str, what: str) -> None:
    fault = only_fault(tmp_path, text)
    assert (fault.code, fault.what) == (code, what)


def test_missing_file_and_directory_are_told_apart(tmp_path: Path) -> None:
    for path, what in ((tmp_path / "no.yaml", "there is no such file"), (tmp_path, "this is a directory")):
        with pytest.raises(RouteFileError) as caught:
            load(path, CONNECTORS, {})
        assert caught.value.faults[0].what == what
        assert str(caught.value).startswith(f"{path}: {what}. ")


def test_place_of_a_bad_byte_counts_characters(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, "version: 1\näö: ".encode() + b"\xff\n")
    assert (fault.line, fault.column) == (2, 5)


@pytest.mark.parametrize(
    ("text", "line", "column", "what"),
    [
        ("version: 1\nroutes: [a\n", 3, 1, "this is not YAML: expected ',' or ']', but got '<stream end>'"),
        ("a: b: c\n", 1, 5, "this is not YAML: mapping values are not allowed here"),
        ("a: 1\n\tb: 2\n", 2, 1, None),
        ("a: \x01\n", 1, 4, "a control character stands here"),
        ("a: *nothing\n", 1, 4, "this alias has no anchor before it"),
        ("a: &a [*a]\n", 1, 8, "this alias has no anchor before it"),
        ("a: !secret b\n", 1, 4, "route files have no tags"),
        ("a: 1\n---\nb: 2\n", 2, 1, "a second document begins here"),
        ("a: {<<: 1}\n", 1, 5, "route files have no merge keys"),
        ("? [a]\n: 1\n", 1, 3, "a key must be a plain word"),
        ("${APP_KEY}: 1\n", 1, 1, "a key cannot be a reference"),
        ('a: "\\ud800"\n', 1, 4, "this text holds a character that is no text"),
        ("a: " + "[" * 40 + "]" * 40, 1, 27, "nested deeper than 24 levels"),
        ("ab: \ue000\n", 1, 5, "this character is from Unicode's private area"),
    ],
)
def test_yaml_that_cannot_be_read_is_one_fault_at_its_place(
    tmp_path: Path, text: str, line: int, column: int, what: str | None
) -> None:
    fault = only_fault(tmp_path, text)
    assert (fault.code, fault.line, fault.column) == ("yaml-syntax", line, column)
    assert what in (None, fault.what)


def test_aliases_cannot_blow_a_file_up(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "aliases counted each time" in only_fault(tmp_path, "\n".join(lines)).what


def test_key_that_stands_twice_is_a_fault_at_the_second(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, PLAIN + "    erp: katana\n")
    assert (fault.line, fault.column, fault.pointer) == (9, 5, "/routes/0/erp")
    assert (fault.code, fault.do) == ("duplicate-key", "Keep one; the first is on line 8.")


@pytest.mark.parametrize(
    ("lines", "pointer", "what", "do"),
    [
        ("enabled: yes", "/enabled", "must be true or false, not a text", "Write it like false."),
        ("hold: 60x", "/hold", "must be a duration with its unit", None),
        ("hold: false", "/hold", "must be a duration with its unit", None),
        ("hold: 5000d", "/hold", "is longer than a year", None),
        ("start: 2026-01-15T09:00:00", "/start", "has the wrong form", None),
        ("start: 2026-02-31", "/start", "is not a time that exists", None),
        ("start: 2026", "/start", "must be a text, not a number", "Put it in quotes."),
        ("when: {region: [us]}", "/when/region/0", "has the wrong form", "Write two capital letters such as US or GB."),
        ("when: {region: US}", "/when/region", "must be a list, not a text", "Write it like [US, CA]."),
        (
            "when: {fulfilled_by: sellr}",
            "/when/fulfilled_by",
            "must be one of: seller, channel",
            "Did you mean seller?",
        ),
        ("when:", "/when", "must be a mapping, and is empty", "Write keys with their values, indented below it."),
        ("customer: per_person", "/customer", "must be one of: per_shop, per_buyer", None),
        ("fulfilled_by_channel: skp", "/fulfilled_by_channel", "must be skip", "Did you mean skip?"),
        ("location: {default: ''}", "/location/default", "is empty", "Write it like Main warehouse."),
        ("skus: {A: 5}", "/skus/A", "must be a text or a list, not a number", "Put it in quotes."),
        ("skus: {A: []}", "/skus/A", "must have at least 1 in its list", None),
        ("skus: {A: [{quantity: 2}]}", "/skus/A/0", "sku is missing", "Add sku, for example sku: MUG-BLUE."),
        ("skus: {A: [{sku: B, quantity: 0}]}", "/skus/A/0/quantity", "must be more than 0", None),
        ("skus: {A: [{sku: B, price_share: 0.5}]}", "/skus/A", "the price shares add up to 0.5, not 1", None),
        ("skus: {A: [{sku: B}, {sku: C}]}", "/skus/A", "2 of 2 components have no price_share", None),
        ("tax: fixed", "/tax", "fixed needs a rate", "Write tax: {mode: fixed, rate: 20}."),
        ("tax: {mode: fixed}", "/tax", "rate is missing", None),
        ("tax: {mode: none, rate: 5}", "/tax/rate", "a rate counts only with mode: fixed", None),
        ("tax: from_orders", "/tax", "must be one of: from_order, none", "Did you mean from_order?"),
        ("tax: [a]", "/tax", "must be a text or a mapping, not a list", "Write it like from_order."),
        ("tax: {mode: fixed, rate: 101}", "/tax/rate", "must be at most 100", None),
        ("shipping: {rwo: A, row: B}", "/shipping/rwo", "unknown key rwo", "Did you mean row? Allowed here: row."),
        ("discounts: {seller: none}", "/discounts/seller", "must be one of: deduct, ignore", None),
    ],
)
def test_wrong_value_says_what_is_allowed(tmp_path: Path, lines: str, pointer: str, what: str, do: str | None) -> None:
    fault = only_fault(tmp_path, with_orders(lines))
    assert (fault.pointer, fault.what, fault.line) == ("/routes/0/orders" + pointer, what, 10)
    assert do in (None, fault.do)


@pytest.mark.parametrize(("old", "missing"), [("version: 1\n", "version"), ("    erp: katana\n", "erp")])
def test_missing_key_is_named_with_an_example(tmp_path: Path, old: str, missing: str) -> None:
    fault = only_fault(tmp_path, PLAIN.replace(old, ""))
    assert (fault.code, fault.what) == ("missing-key", f"{missing} is missing")
    assert f"for example {missing}: " in fault.do


def test_connection_id_of_the_wrong_form_is_a_fault_at_its_key(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, PLAIN.replace("shop-us", "Shop_US"))
    assert (fault.line, fault.column, fault.pointer) == (3, 3, "/connections/Shop_US")
    assert fault.what == "this key has the wrong form"


def test_key_that_does_not_exist_is_answered_with_those_that_do(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, PLAIN + "tming: {orders_every: 5s}\n")
    assert (fault.code, fault.line, fault.column) == ("unknown-key", 9, 1)
    assert fault.do == "Did you mean timing? Allowed here: version, connections, routes, timing, clock."


def test_duration_that_would_spin_is_refused(tmp_path: Path) -> None:
    assert only_fault(tmp_path, PLAIN + "timing: {orders_every: 0}\n").what == "must be at least 1s"


def test_every_code_used_is_listed_and_has_a_test_that_meets_it() -> None:
    """Codes head sections in the docs; one that no longer exists must leave the list."""
    sources = " ".join(path.read_text() for path in (Path(__file__).parents[3] / "hub" / "config").glob("*.py"))
    tests = " ".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    for code in CODES:
        assert sources.count(f'"{code}"') >= 2, code
        assert f'"{code}"' in tests, code


def test_faults_of_an_unknown_connector_do_not_hide_the_rest(tmp_path: Path) -> None:
    text = PLAIN.replace("connector: shop", "connector: shp").replace("name: us-shop", "name: ''")
    first, second = faults_of(tmp_path, text)
    assert (first.code, first.pointer) == ("connector-unknown", "/connections/shop-us/connector")
    assert first.do == "Did you mean shop? Installed: erp, shop. Install it, or write one of these."
    assert second.pointer == "/routes/0/name"
