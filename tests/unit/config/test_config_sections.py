"""Shipments, stock, products and returns: every key of their sections reaches the Route, and a wrong one is told."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.config import compose_schema
from hub.routing.model import (
    AfterPlacement,
    Buffer,
    Feed,
    FulfillmentRules,
    InventoryRules,
    OrderRules,
    ProductRules,
    ReturnRules,
    Route,
    Timing,
)
from tests.unit.config.config_files import ABLE, PLAIN, load_text, only_fault, with_section


def _route(folder: Path, name: str, lines: str) -> Route:
    return load_text(folder, with_section(name, lines), connectors=ABLE).routes[0]


def test_every_key_of_the_fulfillments_section_reaches_the_route(tmp_path: Path) -> None:
    lines = """\
enabled: true
carriers: {UPS: UPS, "Royal Mail": Evri}
other_carrier: Other
without_tracking: wait
late: 4h
labels: printed/labels
"""
    assert _route(tmp_path, "fulfillments", lines).fulfillments == FulfillmentRules(
        carriers={"UPS": "UPS", "Royal Mail": "Evri"},
        other_carrier="Other",
        late_s=4 * 3600.0,
        labels=str(tmp_path / "printed" / "labels"),
    )


def test_every_key_of_the_inventory_section_reaches_the_route(tmp_path: Path) -> None:
    lines = """\
enabled: true
every: 30m
decreases: with_increases
buffer: {units: 2, percent: 2.5, by_sku: {"MUG-*": {units: 5}, TEA: {percent: 10}, "X*": {}}}
locations: {"Pickup LA": [{location: West, share: 50}, {location: Main}], "Pickup NY": East}
default: Main warehouse
share: 33.3
pool: all
"""
    assert _route(tmp_path, "inventory", lines).inventory == InventoryRules(
        every_s=1800.0,
        decreases_at_once=False,
        buffer=Buffer(2, Decimal("2.5")),
        buffers={"MUG-*": Buffer(5), "TEA": Buffer(0, Decimal(10)), "X*": Buffer()},
        default="Main warehouse",
        locations={"Pickup LA": (Feed("West", Decimal(50)), Feed("Main")), "Pickup NY": (Feed("East"),)},
        share=Decimal("33.3"),
        pool="all",
    )


def test_buffers_by_sku_keep_the_order_of_the_file(tmp_path: Path) -> None:
    """The first that fits counts, so the order is part of what the operator says."""
    lines = "buffer: {units: 1, by_sku: {Z: {units: 1}, A: {units: 2}, M: {units: 3}}}"
    assert list(_route(tmp_path, "inventory", lines).inventory.buffers) == ["Z", "A", "M"]


def test_every_key_of_the_products_section_reaches_the_route(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    lines = """\
enabled: true
disabled: ["SAMPLE-*"]
publish: draft
skus: ["MUG-*"]
update: true
categories: {"MUG-*": "600001"}
attributes: {"MUG-*": {Material: Ceramic}}
brand: Acme
images: images
price_factor: 1.15
weight: 1.2kg
size_cm: [20, 15.5, 10]
"""
    text = with_section("products", lines) + "    inventory: {buffer: {units: 1}}\n"
    config = load_text(tmp_path, text, connectors=ABLE)
    assert config.routes[0].products == ProductRules(
        disabled=("SAMPLE-*",),
        publish="draft",
        skus=("MUG-*",),
        update=True,
        categories={"MUG-*": "600001"},
        attributes={"MUG-*": {"Material": "Ceramic"}},
        brand="Acme",
        images=str(tmp_path / "images"),
        price_factor=Decimal("1.15"),
        weight_g=Decimal(1200),
        size_cm=(Decimal(20), Decimal("15.5"), Decimal(10)),
    )
    assert config.warnings == ()


@pytest.mark.parametrize(("written", "grams"), [("500g", 500), ("0.5kg", 500), ("12.5g", Decimal("12.5"))])
def test_weight_is_read_in_grams(tmp_path: Path, written: str, grams: Decimal) -> None:
    assert _route(tmp_path, "products", f"weight: {written}").products.weight_g == grams


def test_every_key_of_the_returns_section_reaches_the_route(tmp_path: Path) -> None:
    lines = 'enabled: true\nlocations: {"Returns LA": Desk}\ndefault: Main\nrestock: false'
    assert _route(tmp_path, "returns", lines).returns == ReturnRules(
        enabled=True, locations={"Returns LA": "Desk"}, default="Main", restock=False
    )


def test_route_that_says_nothing_keeps_the_promises_and_lists_and_returns_nothing(tmp_path: Path) -> None:
    route = load_text(tmp_path, PLAIN, connectors=ABLE).routes[0]
    assert route.fulfillments.enabled
    assert route.inventory.enabled
    assert (route.products.publish, route.products.skus, route.products.update) == (None, (), False)
    assert not route.returns.enabled
    assert route.orders.after == AfterPlacement()


def test_defaults_the_schema_tells_are_those_that_hold(tmp_path: Path) -> None:
    """A page that tells one default while another one works would be worse than none."""
    schema = compose_schema({})["$defs"]
    sections = ("orders", "fulfillments", "inventory", "products")
    told = {name: _defaults(schema[name]) for name in sections}
    text = PLAIN + "".join(f"    {name}: {json.dumps(told[name])}\n" for name in sections)
    text += f"timing: {json.dumps(_defaults(schema['timing']))}\n"
    config = load_text(tmp_path, text, connectors=ABLE)
    assert config.routes[0] == Route("us-shop", "shop-us", "katana", OrderRules())
    assert config.timing == Timing()


def _defaults(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: each["default"] for name, each in schema["properties"].items() if "default" in each}


def test_all_timing_is_read_in_seconds(tmp_path: Path) -> None:
    line = "timing: {fulfillments_every: 2m, open_orders_every: 12h, returns_every: 15m, stock_settle: 0}\n"
    assert load_text(tmp_path, PLAIN + line).timing == Timing(
        fulfillments_every_s=120.0, open_orders_every_s=43_200.0, returns_every_s=900.0, stock_settle_s=0.0
    )


@pytest.mark.parametrize("key", ["fulfillments_every", "open_orders_every", "returns_every"])
def test_poll_that_would_spin_is_refused(tmp_path: Path, key: str) -> None:
    assert only_fault(tmp_path, PLAIN + f"timing: {{{key}: 0}}\n").what == "must be at least 1s"


@pytest.mark.parametrize(
    ("section", "lines", "pointer", "what", "do"),
    [
        ("orders", "on_cancel: delte", "/on_cancel", "must be one of: delete, block", "Did you mean delete?"),
        ("orders", "on_change: upd", "/on_change", "must be one of: update, block", None),
        ("orders", "on_cancel_request: yes", "/on_cancel_request", None, None),
        ("orders", "on_deleted_in_erp: cancel", "/on_deleted_in_erp", "must be block", None),
        ("orders", "on_deleted_in_erp: {cancel_with: ''}", "/on_deleted_in_erp/cancel_with", "is empty", None),
        ("orders", "fulfilled_by_channel: {}", "/fulfilled_by_channel", "record_as_done is missing", None),
        ("orders", "fulfilled_by_channel: {record_as_done: {}}", "/fulfilled_by_channel/record_as_done", None, None),
        (
            "orders",
            "fulfilled_by_channel: {record_as_done: {location: A}, o: 1}",
            "/fulfilled_by_channel/o",
            None,
            None,
        ),
        ("fulfillments", "carriers: [UPS]", "/carriers", "must be a mapping, not a list", None),
        ("fulfillments", "carriers: {UPS: 5}", "/carriers/UPS", "must be a text, not a number", "Put it in quotes."),
        ("fulfillments", "without_tracking: send", "/without_tracking", "must be wait", None),
        ("fulfillments", "late: 24", "/late", "must be a duration with its unit", None),
        ("fulfillments", "cariers: {}", "/cariers", "unknown key cariers", None),
        ("inventory", "every: 0", "/every", "must be at least 1s", None),
        ("inventory", "decreases: now", "/decreases", "must be one of: at_once, with_increases", None),
        ("inventory", "buffer: 2", "/buffer", "must be a mapping, not a number", None),
        ("inventory", "buffer: {units: -1}", "/buffer/units", "must be at least 0", None),
        ("inventory", "buffer: {units: 1.5}", "/buffer/units", "must be a whole number, not a number", None),
        ("inventory", "buffer: {percent: 101}", "/buffer/percent", "must be at most 100", None),
        ("inventory", "buffer: {by_sku: {A: {prcent: 1}}}", "/buffer/by_sku/A/prcent", "unknown key prcent", None),
        ("inventory", "buffer: {by_sku: {A: {percent: -1}}}", "/buffer/by_sku/A/percent", "must be at least 0", None),
        ("inventory", "share: 0", "/share", "must be more than 0", None),
        ("inventory", "share: 101", "/share", "must be at most 100", None),
        ("inventory", "locations: {P: []}", "/locations/P", "must have at least 1 in its list", None),
        ("inventory", "locations: {P: [{share: 5}]}", "/locations/P/0", "location is missing", None),
        ("inventory", "locations: {P: [{location: A, share: 0}]}", "/locations/P/0/share", "must be more than 0", None),
        ("products", "publish: live", "/publish", "must be one of: draft, listing", None),
        ("products", "categories: {A: 600001}", "/categories/A", "must be a text, not a number", "Put it in quotes."),
        ("products", "attributes: {A: {M: 5}}", "/attributes/A/M", "must be a text, not a number", "Put it in quotes."),
        ("products", "price_factor: 0", "/price_factor", "must be more than 0", None),
        ("products", "weight: 500", "/weight", "must be a text, not a number", None),
        ("products", "weight: 500lb", "/weight", "has the wrong form", None),
        ("products", "size_cm: [1, 2]", "/size_cm", "must have at least 3 in its list", None),
        ("products", "size_cm: [1, 2, 0]", "/size_cm/2", "must be more than 0", None),
        ("products", "skus: [A]", "/skus", "nothing is listed or updated, so these SKUs count for nothing", None),
        ("returns", "default: Desk", "", "enabled is missing", "Add enabled, for example enabled: true."),
        ("returns", "enabled: true\nrestok: false", "/restok", "unknown key restok", None),
    ],
)
def test_wrong_value_of_a_section_says_what_is_allowed(
    tmp_path: Path, section: str, lines: str, pointer: str, what: str | None, do: str | None
) -> None:
    fault = only_fault(tmp_path, with_section(section, lines), connectors=ABLE)
    assert fault.pointer == f"/routes/0/{section}{pointer}"
    assert what in (None, fault.what)
    assert do in (None, fault.do)


def test_folder_of_images_that_is_not_there_is_a_warning(tmp_path: Path) -> None:
    """A folder that is gone must not stop orders."""
    text = with_section("products", "images: pictures") + "    inventory: {buffer: {units: 1}}\n"
    (warning,) = load_text(tmp_path, text, connectors=ABLE).warnings
    assert (warning.code, warning.pointer) == ("file-unreadable", "/routes/0/products/images")
    assert warning.what == "there is no folder pictures"


def test_an_address_of_images_stays_as_it_is_and_says_where_the_sku_belongs(tmp_path: Path) -> None:
    address = "https://img.example/{sku}.jpg"
    text = with_section("products", f'images: "{address}"') + "    inventory: {buffer: {units: 1}}\n"
    config = load_text(tmp_path, text, connectors=ABLE)
    assert (config.routes[0].products.images, config.warnings) == (address, ())
    fault = only_fault(tmp_path, with_section("products", "images: https://img.example/mug.jpg"), connectors=ABLE)
    assert (fault.code, fault.what) == ("wrong-value", "the address of images lacks {sku}")
