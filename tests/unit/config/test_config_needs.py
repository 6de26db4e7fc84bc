"""What a route asks of its connectors: refused where it is written, left off in silence where it is only a default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.config.needs import ORDERS, SECTIONS
from hub.contract import HOOK_NAMES
from hub.routing.model import AfterPlacement, OnCancel, OnChange, OnRequest
from tests.unit.config.config_files import (
    ABLE,
    CONNECTORS,
    PLAIN,
    faults_of,
    load_text,
    only_fault,
    with_orders,
    with_section,
)


def _without(side: str, *hooks: str) -> dict[str, Any]:
    """Return connectors of which one lacks some hooks."""
    able = ABLE[side]
    return {**ABLE, side: type(able.__name__, (able,), {"capabilities": able.capabilities - set(hooks)})}


def test_connectors_that_know_orders_only_can_be_wired_and_are_asked_for_nothing_else(tmp_path: Path) -> None:
    config = load_text(tmp_path, PLAIN)
    route = config.routes[0]
    assert (route.fulfillments.enabled, route.inventory.enabled, route.returns.enabled) == (False, False, False)
    assert route.orders.after == AfterPlacement(OnCancel.BLOCK, OnChange.BLOCK, OnRequest.ASK)
    assert config.warnings == ()


@pytest.mark.parametrize("need", [ORDERS, *SECTIONS], ids=lambda need: need.section)
def test_needs_are_hooks_that_exist(need: Any) -> None:
    assert set(need.channel) | set(need.erp) <= HOOK_NAMES


@pytest.mark.parametrize(
    ("side", "hook", "section"),
    [(side, hook, need.section) for need in SECTIONS for side, hooks in (("shop", need.channel), ("erp", need.erp))
     for hook in hooks if hook not in ORDERS.erp],
)  # fmt: skip
def test_section_that_is_written_is_refused_where_any_one_hook_is_missing(
    tmp_path: Path, side: str, hook: str, section: str
) -> None:
    connectors = _without(side, hook)
    fault = only_fault(tmp_path, with_section(section, "enabled: true"), connectors=connectors)
    assert (fault.code, fault.pointer) == ("capability-missing", f"/routes/0/{section}")
    connection = "shop-us" if side == "shop" else "katana"
    assert fault.what == f"{section} cannot work: {connection} has no {hook}"
    assert f"write {section}: {{enabled: false}}" in fault.do
    config = load_text(tmp_path, PLAIN, connectors=connectors)
    assert not getattr(config.routes[0], section).enabled
    off = load_text(tmp_path, with_section(section, "enabled: false"), connectors=connectors)
    assert not getattr(off.routes[0], section).enabled


def test_section_that_says_anything_but_off_counts_as_written(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, with_section("inventory", "buffer: {units: 2}"))
    assert fault.what == (
        "inventory cannot work: shop-us has no pull_products, pull_inventory, push_inventory; "
        "katana has no pull_inventory"
    )


@pytest.mark.parametrize(
    ("section", "line", "side", "hook", "instead"),
    [
        ("orders", "fulfilled_by_channel: {record_as_done: {location: X}}", "erp", "push_fulfillment", "skip"),
        ("orders", "on_cancel: delete", "erp", "cancel_order", "on_cancel: block"),
        ("orders", "on_change: update", "erp", "update_order", "on_change: block"),
        ("orders", "on_cancel_request: by_state", "shop", "pull_cancellations", "on_cancel_request: ask"),
        ("orders", "on_cancel_request: refuse", "shop", "decide_cancellation", "on_cancel_request: ask"),
        ("orders", "on_deleted_in_erp: {cancel_with: sold out}", "shop", "cancel_order", "on_deleted_in_erp: block"),
        ("fulfillments", "labels: here", "shop", "fetch_label", "no labels"),
        ("products", "publish: draft", "shop", "check_listing", "no publish"),
        ("products", "publish: listing", "shop", "push_products", "no publish"),
        ("products", "update: true", "shop", "push_products", "update: false"),
    ],
)
def test_choice_that_is_written_is_refused_where_a_connector_cannot_do_it(
    tmp_path: Path, section: str, line: str, side: str, hook: str, instead: str
) -> None:
    text = with_section(section, line)
    assert faults_of(tmp_path, text, connectors=ABLE) == []
    fault = only_fault(tmp_path, text, connectors=_without(side, hook))
    assert (fault.code, fault.line) == ("capability-missing", 10)
    assert fault.what.endswith(f"has no {hook}")
    assert instead in fault.do
    off = with_section(section, f"enabled: false\n{line}")
    assert faults_of(tmp_path, off, connectors=_without(side, hook)) == []


def test_choice_that_needs_no_hook_is_free_for_all(tmp_path: Path) -> None:
    lines = "on_cancel: block\non_change: block\non_cancel_request: ask\non_deleted_in_erp: block"
    assert load_text(tmp_path, with_orders(lines), connectors=CONNECTORS).routes


def test_one_hook_less_takes_back_only_what_needs_it(tmp_path: Path) -> None:
    route = load_text(tmp_path, PLAIN, connectors=_without("erp", "cancel_order")).routes[0]
    assert route.orders.after == AfterPlacement(on_cancel=OnCancel.BLOCK)
    assert route.inventory.enabled
    assert route.fulfillments.enabled


def test_connection_is_shown_as_it_was_written(tmp_path: Path) -> None:
    text = with_section("fulfillments", "enabled: true").replace("channel: shop-us", "channel: ${SHOP}")
    environ = {"APP_KEY": "a", "SHOP_TOKEN": "b", "ERP_API_KEY": "c", "SHOP": "shop-us"}
    assert "${SHOP} has no push_fulfillment" in only_fault(tmp_path, text, environ).what
