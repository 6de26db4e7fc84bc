"""Several routes of one shop, several shops of one ERP: who rules the stock, and that it is not sold twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.config import Config, Fault
from tests.unit.config.config_files import ABLE, CANARY, ENVIRON, PLAIN, faults_of, load_text, only_fault, with_section

SECOND = "  shop-uk: {connector: shop, settings: {app_key: ${APP_KEY}, token: ${SHOP_TOKEN}}}\nroutes:"
BUFFER = "buffer: {units: 1}"


def two_shops(first: str = "", second: str = "", *, channel: str = "shop-uk", erp: str = "katana") -> str:
    """Return a file with two routes, each with these further lines."""
    text = PLAIN.replace("routes:", SECOND) if channel == "shop-uk" else PLAIN
    text += "".join(f"    {line}\n" for line in first.splitlines())
    text += f"  - name: second\n    channel: {channel}\n    erp: {erp}\n"
    return text + "".join(f"    {line}\n" for line in second.splitlines())


def inventory(text: str) -> str:
    return f"inventory: {{{BUFFER}{', ' if text else ''}{text}}}"


def refused(folder: Path, text: str) -> Fault:
    return only_fault(folder, text, connectors=ABLE)


def loaded(folder: Path, text: str) -> Config:
    return load_text(folder, text, connectors=ABLE)


# -- one ERP, several shops


def test_two_shops_that_say_nothing_would_sell_the_same_stock_twice_and_are_refused(tmp_path: Path) -> None:
    fault = refused(tmp_path, two_shops())
    assert (fault.code, fault.pointer) == ("oversell", "/routes/1")
    assert fault.what == (
        "routes us-shop, second would oversell: together they sell 200 % of the stock at the default location of katana"
    )
    assert fault.do.startswith("Under inventory, give each a share (together at most 100), or all the same pool")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("share: 50", "share: 50"),
        ("share: 33.3", "share: 66.7"),
        ("pool: all", "pool: all"),
        ("default: West", "default: East"),
        ("default: West", "locations: {P: East}"),
        ("locations: {P: [{location: West, share: 50}]}", "locations: {P: [{location: West, share: 50}]}"),
        ("locations: {P: [{location: West, share: 80}]}, share: 50", "default: West, share: 60"),
    ],
)
def test_shares_that_add_up_pools_and_locations_of_their_own_are_accepted(
    tmp_path: Path, first: str, second: str
) -> None:
    config = loaded(tmp_path, two_shops(inventory(first), inventory(second)))
    assert [route.inventory.enabled for route in config.routes] == [True, True]
    assert config.warnings == ()


@pytest.mark.parametrize(
    ("first", "second", "percent", "where"),
    [
        ("share: 50", "share: 51", "101", "the default location"),
        ("share: 50", "", "150", "the default location"),
        ("pool: all", "", "200", "the default location"),
        ("pool: all", "pool: al", "200", "the default location"),
        ("default: West", "default: West", "200", "location West"),
        ("default: West", "", "200", "location West"),
        ("locations: {P: West}", "locations: {Q: [{location: West, share: 0.5}]}", "100.5", "location West"),
    ],
)
def test_stock_that_would_be_sold_twice_is_refused_with_where_and_how_much(
    tmp_path: Path, first: str, second: str, percent: str, where: str
) -> None:
    fault = refused(tmp_path, two_shops(inventory(first), inventory(second)))
    assert (fault.code, fault.pointer) == ("oversell", "/routes/1/inventory")
    assert f"together they sell {percent} % of the stock at {where} of katana" in fault.what


def test_shop_outside_a_pool_counts_beside_it(tmp_path: Path) -> None:
    third = "  - {name: third, channel: shop-de, erp: katana, inventory: {share: 40, buffer: {units: 1}}}\n"
    text = two_shops(inventory("share: 60, pool: a"), inventory("share: 60, pool: a")) + third
    more = text.replace(
        "routes:", "  shop-de: {connector: shop, settings: {app_key: a, token: ${SHOP_TOKEN}}}\nroutes:"
    )
    assert loaded(tmp_path, more).routes
    assert "together they sell 101 %" in refused(tmp_path, more.replace("share: 40", "share: 41")).what


def test_shop_whose_stock_is_switched_off_sells_nothing(tmp_path: Path) -> None:
    config = loaded(tmp_path, two_shops(inventory(""), "inventory: {enabled: false}"))
    assert [route.inventory.enabled for route in config.routes] == [True, False]


def test_shops_of_different_erps_do_not_share_anything(tmp_path: Path) -> None:
    text = two_shops(inventory(""), inventory(""), erp="other")
    more = text.replace("routes:", "  other: {connector: erp, settings: {api_key: ${ERP_API_KEY}}}\nroutes:")
    assert loaded(tmp_path, more).routes


def test_location_that_a_variable_names_is_not_shown(tmp_path: Path) -> None:
    line = inventory("default: ${SECRET_PLACE}")
    faults = faults_of(tmp_path, two_shops(line, line), ENVIRON | {"SECRET_PLACE": CANARY}, connectors=ABLE)
    assert [fault.code for fault in faults] == ["oversell"]
    assert "a location named by a variable" in faults[0].what


# -- one shop, one ERP location, several warehouses


def test_one_location_gives_the_warehouses_of_a_shop_at_most_all_it_has(tmp_path: Path) -> None:
    lines = (
        BUFFER + "\nlocations: {A: [{location: West, share: 60}, {location: East}], B: [{location: West, share: 40}]}"
    )
    assert loaded(tmp_path, with_section("inventory", lines)).routes
    fault = refused(tmp_path, with_section("inventory", lines.replace("40", "40.5")))
    assert (fault.code, fault.pointer) == ("oversell", "/routes/0/inventory/locations")
    assert fault.what == "location West feeds the warehouses of this shop with 100.5 % of its stock"
    both = with_section("inventory", "locations: {A: West, B: West}")
    assert "200 %" in refused(tmp_path, both).what


# -- one shop, several routes


def test_first_route_of_a_shop_rules_its_stock_where_none_says_anything(tmp_path: Path) -> None:
    routes = loaded(tmp_path, two_shops(channel="shop-us")).routes
    assert [route.inventory.enabled for route in routes] == [True, False]
    assert [route.products.enabled for route in routes] == [True, False]
    assert [route.fulfillments.enabled for route in routes] == [True, True]


@pytest.mark.parametrize("line", ["inventory: {buffer: {units: 7}}", "products: {disabled: [A]}"])
def test_route_that_says_something_rules_the_stock_of_its_shop(tmp_path: Path, line: str) -> None:
    first, second = loaded(tmp_path, two_shops("", line, channel="shop-us")).routes
    assert (first.inventory.enabled, second.inventory.enabled) == (False, True)
    assert (first.products.enabled, second.products.enabled) == (False, True)
    assert second.inventory.buffer.units == (7 if line.startswith("inv") else 0)


def test_stock_switched_off_in_one_route_is_off_for_its_shop(tmp_path: Path) -> None:
    """Off means not one call; a default must not turn on what a person turned off."""
    for first, second in (("inventory: {enabled: false}", ""), ("", "inventory: {enabled: false}")):
        routes = loaded(tmp_path, two_shops(first, second, channel="shop-us")).routes
        assert [route.inventory.enabled for route in routes] == [False, False]


def test_stock_switched_off_in_one_route_and_ruled_in_another_is_ruled_there(tmp_path: Path) -> None:
    routes = loaded(tmp_path, two_shops("inventory: {enabled: false}", inventory(""), channel="shop-us")).routes
    assert [route.inventory.enabled for route in routes] == [False, True]


@pytest.mark.parametrize("second", ["inventory: {share: 5}", "products: {update: true}", "products: {disabled: [A]}"])
def test_two_routes_that_both_rule_the_stock_of_a_shop_are_refused(tmp_path: Path, second: str) -> None:
    fault = refused(tmp_path, two_shops(inventory(""), second, channel="shop-us"))
    assert (fault.code, fault.pointer) == ("route-conflict", f"/routes/1/{second.partition(':')[0]}")
    assert fault.what == "route us-shop says already what shop-us sells"


# -- nothing kept back


def test_stock_without_a_buffer_is_a_warning_once_for_each_route(tmp_path: Path) -> None:
    text = two_shops("inventory: {share: 50}", "inventory: {share: 50, buffer: {by_sku: {A: {units: 1}}}}")
    warnings = loaded(tmp_path, text).warnings
    assert [(each.code, each.pointer) for each in warnings] == [
        ("buffer-zero", "/routes/0/inventory/buffer"),
        ("buffer-zero", "/routes/1/inventory/buffer"),
    ]
    assert [each.line for each in warnings] == [10, 14]


@pytest.mark.parametrize("line", ["buffer: {units: 1}", "buffer: {percent: 0.5}", "enabled: false"])
def test_stock_with_a_buffer_or_without_sync_is_no_warning(tmp_path: Path, line: str) -> None:
    assert loaded(tmp_path, with_section("inventory", line)).warnings == ()


def test_default_stock_is_warned_of_too_at_its_route(tmp_path: Path) -> None:
    (warning,) = loaded(tmp_path, PLAIN).warnings
    assert (warning.code, warning.line) == ("buffer-zero", 6)
