"""A good file becomes Routes, Connections and Timing."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from hub.config import load
from hub.contract import FulfilledBy
from hub.routing.model import (
    AfterPlacement,
    Buffer,
    Component,
    CustomerPer,
    DiscountRule,
    InventoryRules,
    LocationRule,
    OnCancel,
    OnChange,
    OnRequest,
    OrderRules,
    Route,
    ShippingAs,
    ShippingRule,
    TaxMode,
    TaxRule,
    Timing,
    When,
)
from tests.unit.config.config_files import (
    ABLE,
    CANARY,
    CONNECTORS,
    PLAIN,
    ErpSettings,
    ShopSettings,
    load_text,
    with_orders,
)


def test_plain_file_gives_one_route_with_every_default(tmp_path: Path) -> None:
    buffer = "inventory: {buffer: {units: 1}}"
    rules = InventoryRules(buffer=Buffer(units=1))
    config = load_text(tmp_path, PLAIN + f"    {buffer}\n", connectors=ABLE)
    assert config.routes == (Route("us-shop", "shop-us", "katana", inventory=rules),)
    assert config.timing == Timing()
    assert config.clock is None
    assert config.warnings == ()
    assert config.path == tmp_path / "route.yaml"


def test_connections_carry_validated_settings_and_their_line(tmp_path: Path) -> None:
    shop = load_text(tmp_path, PLAIN).connections["shop-us"]
    assert isinstance(shop.settings, ShopSettings)
    assert (shop.connector, shop.line, shop.settings.app_key) == ("shop", 3, "key-of-app")
    assert shop.settings.token.get_secret_value() == CANARY + "-token"


def test_config_shows_no_secret_and_cannot_be_changed(tmp_path: Path) -> None:
    config = load_text(tmp_path, PLAIN)
    assert CANARY not in repr(config)
    with pytest.raises(FrozenInstanceError):
        config.clock = "x"  # type: ignore[misc]  # that it is refused is the test


def test_every_key_of_the_orders_section_reaches_the_route(tmp_path: Path) -> None:
    text = with_orders(
        """\
enabled: true
start: 2026-01-15T09:00:00-08:00
hold: 90s
when: {region: [US, NO], skus: ["MUG-*"], fulfilled_by: seller, warehouse: [Pickup LA], tags: [sample]}
fulfilled_by_channel: {record_as_done: {location: FBT}}
location: {default: Main warehouse, by_channel_location: {"Pickup LA": "${PLACE}"}}
customer: per_buyer
skus: {OLD: MUG-BLUE, 007: "008", BOX: [{sku: MUG, quantity: 2, price_share: 0.6}, {sku: TEA, price_share: 0.4}]}
tax: {mode: fixed, rate: 20, included: true, create_rates: true}
discounts: {seller: ignore, channel: deduct}
shipping: {row: SHIP}
on_cancel: block
on_change: block
on_cancel_request: refuse
on_deleted_in_erp: {cancel_with: out of stock}
"""
    )
    assert load_text(tmp_path, text, connectors=ABLE).routes[0].orders == OrderRules(
        enabled=True,
        start=datetime(2026, 1, 15, 17, tzinfo=UTC),
        hold_s=90.0,
        when=When(("US", "NO"), ("MUG-*",), FulfilledBy.SELLER, ("Pickup LA",), ("sample",)),
        location=LocationRule("Main warehouse", {"Pickup LA": "West"}),
        customer=CustomerPer.BUYER,
        skus={
            "OLD": (Component("MUG-BLUE"),),
            "007": (Component("008"),),
            "BOX": (Component("MUG", Decimal(2), Decimal("0.6")), Component("TEA", Decimal(1), Decimal("0.4"))),
        },
        tax=TaxRule(TaxMode.FIXED, Decimal(20), included=True, create_rates=True),
        discounts=DiscountRule(deduct_seller=False, deduct_channel=True),
        shipping=ShippingRule(ShippingAs.ROW, "SHIP"),
        done_location="FBT",
        after=AfterPlacement(OnCancel.BLOCK, OnChange.BLOCK, OnRequest.REFUSE, "out of stock"),
    )


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("60m", 3600), ("1h", 3600), ("90s", 90), ("2d", 172_800), ("0", 0), ("1.5h", 5400), ('"0"', 0), ("0m", 0)],
)
def test_durations_are_read_in_seconds(tmp_path: Path, written: str, seconds: int) -> None:
    assert load_text(tmp_path, with_orders(f"hold: {written}")).routes[0].orders.hold_s == seconds


@pytest.mark.parametrize(
    ("written", "start"),
    [
        ("now", None),
        ("2026-01-15", datetime(2026, 1, 15, tzinfo=UTC)),
        ("2026-01-15T09:00:00Z", datetime(2026, 1, 15, 9, tzinfo=UTC)),
        ("2026-01-15 09:00+01:00", datetime(2026, 1, 15, 8, tzinfo=UTC)),
    ],
)
def test_start_is_an_instant_in_utc(tmp_path: Path, written: str, start: datetime | None) -> None:
    assert load_text(tmp_path, with_orders(f"start: {written}")).routes[0].orders.start == start


def test_timing_is_read_in_seconds_and_keeps_its_defaults(tmp_path: Path) -> None:
    timing = load_text(tmp_path, PLAIN + "timing: {orders_every: 5s, settle: 0}\n").timing
    assert timing == Timing(orders_every_s=5.0, settle_s=0.0)


def test_country_code_no_stays_a_text(tmp_path: Path) -> None:
    """YAML 1.1 reads it as false, and Norway is lost."""
    when = load_text(tmp_path, "%YAML 1.1\n---\n" + with_orders("when: {region: [NO, US]}")).routes[0].orders.when
    assert when.regions == ("NO", "US")


def test_numbers_with_a_point_are_exact_decimals(tmp_path: Path) -> None:
    parts = "skus: {BOX: [{sku: A, price_share: 0.1}, {sku: B, price_share: 0.2}, {sku: C, price_share: 0.7}]}"
    shares = [part.price_share for part in load_text(tmp_path, with_orders(parts)).routes[0].orders.skus["BOX"]]
    assert shares == [Decimal("0.1"), Decimal("0.2"), Decimal("0.7")]


def test_anchors_and_aliases_are_spread(tmp_path: Path) -> None:
    text = PLAIN.replace("name: us-shop", "name: us-shop\n    orders: &rules {hold: 2h}")
    text += "  - {name: second, channel: shop-us, erp: katana, orders: *rules}\n"
    assert [route.orders.hold_s for route in load_text(tmp_path, text).routes] == [7200, 7200]


def test_standard_tag_makes_a_text_of_a_number(tmp_path: Path) -> None:
    assert load_text(tmp_path, PLAIN.replace("name: us-shop", "name: !!str 5")).routes[0].name == "5"


def test_disabled_orders_ask_nothing_of_the_connectors(tmp_path: Path) -> None:
    text = PLAIN.replace("channel: shop-us", "channel: katana").replace("erp: katana", "erp: shop-us")
    assert not load_text(tmp_path, text + "    orders: {enabled: false}\n").routes[0].orders.enabled


def test_clock_is_accepted_where_everything_is_on_this_machine(tmp_path: Path) -> None:
    text = PLAIN.replace("token:", "api_url: http://127.0.0.1:1, token:")
    text = text.replace("api_key:", 'api_url: "http://[::1]:2/v1", api_key:') + "clock: http://localhost:1/clock\n"
    assert load_text(tmp_path, text).clock == "http://localhost:1/clock"


def test_connection_that_no_route_names_is_a_warning(tmp_path: Path) -> None:
    spare = "  spare: {connector: erp, settings: {api_key: ${ERP_API_KEY}}}\nroutes:"
    (warning,) = load_text(tmp_path, PLAIN.replace("routes:", spare)).warnings
    assert (warning.line, warning.column, warning.pointer) == (5, 3, "/connections/spare")
    assert warning.code == "connection-unused"


def test_byte_order_mark_and_windows_line_ends_are_no_fault(tmp_path: Path) -> None:
    config = load_text(tmp_path, "\ufeff" + PLAIN.replace("\n", "\r\n"))
    assert isinstance(config.connections["katana"].settings, ErpSettings)
    assert config.connections["katana"].line == 4


def test_no_connector_is_needed_to_be_told_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(PLAIN)
    with pytest.raises(Exception, match="Installed: nothing"):
        load(tmp_path / "r.yaml", {}, {})
    assert load(_with_text(tmp_path), CONNECTORS, {"X": "1"}).routes == ()


def _with_text(folder: Path) -> Path:
    path = folder / "bare.yaml"
    path.write_text("version: 1\nconnections: {e: {connector: erp, settings: {api_key: '${X}'}}}\nroutes: []\n")
    return path
