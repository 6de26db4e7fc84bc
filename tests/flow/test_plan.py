"""A plan names every write of the next pass and makes none; the pass then makes those and no other."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.config import load
from hub.contract import HubError
from hub.contract.hookspecs import HOOK_NAMES
from hub.engine.noted import NOTES, PlannedWrite
from hub.engine.outcome import READS
from hub.engine.plan import Plan, digest_of, facts, parse, refuse_stale
from hub.engine.rehearse import Rehearsal, rehearse
from hub.host.discover import connectors
from hub.store import open_store
from tests.flow.conftest import SiteMaker
from tests.flow.stock_site import in_erp, list_products, sells
from tests.flow.test_shipments import on_channel, ship
from tests.site import HOUR, Site

ROUTE = """\
  - name: us
    channel: shop
    erp: factory
    orders: {{start: 2026-03-01{orders}}}
    fulfillments: {{{fulfillments}}}
    inventory: {{{inventory}}}
    returns: {{enabled: {returns}}}
"""
_AT = datetime(2026, 3, 2, tzinfo=UTC)
MUGS = [{"sku": "MUG", "quantity": 2, "price": "20.00"}]
OFF = "enabled: false"


def route(orders: str = "", fulfillments: str = "", inventory: str = OFF, returns: str = "false") -> str:
    """Return the route's text with more in its sections."""
    orders = f", {orders}" if orders else ""
    return ROUTE.format(orders=orders, fulfillments=fulfillments, inventory=inventory, returns=returns)


def rehearsed(site: Site) -> Rehearsal:
    """Rehearse the next pass; fails if anything is written to either system, or if anything failed."""
    site.close_hub()
    plugins = connectors()
    usable = {name: found.plugin for name, found in plugins.items() if found.plugin is not None}
    config = load(site.folder / "routes.yaml", usable, site.environ())
    store = open_store(site.database)
    before = writes(site)
    try:
        result = rehearse(
            config, plugins, store, environ=dict(os.environ), key_file=site.folder / "hub.key", stop=threading.Event()
        )
    finally:
        store.close()
    assert writes(site) == before
    assert result.progress.errors == {}
    return result


def planned(site: Site) -> list[tuple[str, str]]:
    """Return kind and order (or SKU) of each planned write."""
    return [(each.kind, each.order or str(each.detail.get("sku"))) for each in rehearsed(site).writes]


def writes(site: Site) -> Counter[str]:
    """Return how many calls changed something, by system, method and path; tokens left out."""
    found: Counter[str] = Counter()
    for name in ("tiktok", "katana"):
        calls = site.sim(getattr(site, name).url, "journal", method="GET")["calls"]
        found.update(f"{name} {c['method']} {c['path']}" for c in calls if c["wrote"] and "/token" not in c["path"])
    return found


def placed(site: Site, **spec: Any) -> str:
    """Have an order placed."""
    now = int(site.tiktok_sim("clock", method="GET")["now"])
    ref = site.order(**{"lines": MUGS, "create_time": now - 60, **spec})
    site.advance(2 * HOUR)
    site.sync()
    assert site.fate(ref) == ("placed", None)
    return ref


def the(result: Rehearsal, kind: str) -> PlannedWrite:
    """Return the one planned write of a kind."""
    (found,) = [each for each in result.writes if each.kind == kind]
    return found


def test_every_hook_is_known_as_a_reading_or_noted_in_words() -> None:
    """What is neither is still stopped and noted, only less well told; consent is no part of a pass, and half an order
    is begun in none that is rehearsed.
    """
    assert HOOK_NAMES - READS - set(NOTES) == {
        "begin_order", "authorization_url", "exchange_code", "refresh_token", "register_webhooks", "remove_webhooks",
    }  # fmt: skip
    assert not READS & set(NOTES)


def test_order_that_may_go_is_planned_with_its_rows_and_placed_by_the_pass(make_site: SiteMaker) -> None:
    site = make_site(routes=route(fulfillments=OFF))
    ref = site.order(lines=MUGS)
    site.sync()
    assert planned(site) == []
    site.advance(2 * HOUR)
    result = rehearsed(site)
    one = the(result, "place-order")
    assert (one.ref, one.order, one.connection, one.route) == (f"TT-{ref}", ref, "factory", "us")
    assert [(row["sku"], row["quantity"], row["price"]) for row in one.detail["rows"]] == [("MUG", "2", "20")]
    assert [(each.ref, each.sales_order.address) for each in result.planned] == [(ref, None)]
    before = writes(site)
    site.sync()
    assert set(writes(site) - before) >= {"katana POST /v1/sales_orders"}
    assert planned(site) == []


def test_changed_hold_and_tax_of_the_route_file_show_in_the_plan(make_site: SiteMaker) -> None:
    site = make_site(routes=route(fulfillments=OFF))
    ref = site.order(lines=MUGS)
    site.sync()
    site.advance(2 * HOUR)
    first = the(rehearsed(site), "place-order")
    assert (first.order, first.detail["rows"][0]["tax_rate"], first.detail["expected_total"]) == (ref, None, "40.00")
    tax = "tax: {mode: fixed, rate: 20, included: true, create_rates: true}"
    site.write_routes(route(tax, fulfillments=OFF))
    second = the(rehearsed(site), "place-order")
    assert (second.order, second.detail["rows"][0]["tax_rate"]) == (ref, "20")
    assert first.digest != second.digest
    site.write_routes(route(f"hold: 24h, {tax}", fulfillments=OFF))
    assert planned(site) == []


def test_changed_and_cancelled_orders_are_planned_as_before_and_after(make_site: SiteMaker) -> None:
    site = make_site(routes=route(fulfillments=OFF))
    changed, cancelled = placed(site), placed(site)
    site.act(changed, "cancel_line", sku="MUG", quantity=1)
    site.act(cancelled, "cancel")
    site.advance(61)
    result = rehearsed(site)
    change, delete = the(result, "change-order"), the(result, "delete-order")
    assert (change.order, change.detail["before"], change.detail["after"]) == (changed, {"MUG": "2"}, {"MUG": "1"})
    assert (delete.order, delete.detail["number"]) == (cancelled, f"TT-{cancelled}")
    assert len(result.writes) == 2
    before = writes(site)
    site.sync()
    made = writes(site) - before
    assert sum(n for call, n in made.items() if "DELETE" in call) == 1
    assert sum(n for call, n in made.items() if "PATCH" in call) == 1
    assert sum(made.values()) == 2
    assert planned(site) == []


def test_parcels_are_planned_with_lines_tracking_and_carrier_and_a_mapping_brings_them(make_site: SiteMaker) -> None:
    """The changed route file: a carrier that was not mapped."""
    site = make_site(routes=route())
    ref = placed(site)
    ship(site, ref, tracking_carrier="Pigeon")
    site.advance(301)
    assert planned(site) == []
    site.write_routes(route(fulfillments="carriers: {Pigeon: UPS}"))
    one = the(rehearsed(site), "tell-parcel")
    said = one.detail
    assert (one.order, one.connection, said["units"]) == (ref, "shop", {"MUG": "2"})
    assert (said["tracking"], said["carrier"]) == ("1Z999AA10123456784", "Pigeon")
    assert set(said["lines"]) == {line["id"] for line in on_channel(site, ref)["lines"]}
    before = writes(site)
    site.sync()
    assert writes(site) - before == Counter({f"tiktok POST /fulfillment/202309/orders/{ref}/packages": 1})
    assert planned(site) == []


def test_request_to_cancel_is_planned_with_its_answer(make_site: SiteMaker) -> None:
    site = make_site(routes=route(fulfillments=OFF))
    ref = placed(site)
    site.katana_sim("do/ship", {"order_no": f"TT-{ref}", "status": "PACKED"})
    site.act(ref, "request_cancel")
    site.advance(61)
    one = the(rehearsed(site), "answer-cancellation")
    assert (one.order, one.detail["accept"]) == (ref, False)
    before = writes(site)
    site.sync()
    assert [call.rsplit("/", 1)[1] for call in writes(site) - before] == ["reject"]


def test_order_of_the_channels_own_stock_is_planned_to_be_placed_and_done(make_site: SiteMaker) -> None:
    """Two writes that follow from each other in one pass are both planned."""
    rule = "fulfilled_by_channel: {record_as_done: {location: TikTok FBT}}"
    site = make_site(routes=route(rule, fulfillments=OFF))
    site.katana_sim("seed", {"locations": [{"name": "Main"}, {"name": "TikTok FBT"}]})
    now = int(site.tiktok_sim("clock", method="GET")["now"])
    ref = site.order(kind="fbt", create_time=now - 60, lines=MUGS)
    site.advance(2 * HOUR)
    site.sync()
    site.act(ref, "ship")
    site.advance(61)
    result = rehearsed(site)
    assert sorted(each.kind for each in result.writes) == ["place-order", "record-done"]
    assert the(result, "record-done").detail["units"] == {"MUG": "2"}
    site.sync()
    assert site.fate(ref) == ("fulfilled", None)


def test_stock_is_planned_per_sku_and_warehouse_and_a_buffer_changes_it(make_site: SiteMaker) -> None:
    site = make_site(routes=route(fulfillments=OFF, inventory="every: 1h"))
    list_products(site, "MUG", "TEE", stock=7)
    first = rehearsed(site)
    assert sorted((each.detail["sku"], *each.detail["quantities"].values()) for each in first.writes) == [
        ("MUG", 100), ("TEE", 100),
    ]  # fmt: skip
    before = writes(site)
    site.sync()
    assert sum((writes(site) - before).values()) == 2
    assert planned(site) == []
    in_erp(site, "MUG", change=-40)
    site.write_routes(route(fulfillments=OFF, inventory="every: 1h, buffer: {units: 5}"))
    site.advance(HOUR + 1)
    result = rehearsed(site)
    found = {each.detail["sku"]: each for each in result.writes}
    assert {sku: list(each.detail["quantities"].values()) for sku, each in found.items()} == {"MUG": [55], "TEE": [95]}
    assert list(found["MUG"].about["before"].values()) == [100]
    assert found["MUG"].about["terms"] == [{"sku": "MUG", "available": "60", "unknown": "0", "buffer": "5"}]
    before = writes(site)
    site.sync()
    # A decrease goes at once; what the sweep then finds, page by page, goes in a write of its own.
    assert sum((writes(site) - before).values()) in (2, 3)
    assert sells(site, "MUG", "TEE") == {"MUG": 55, "TEE": 95}
    assert planned(site) == []


def test_returned_goods_are_planned_to_be_booked(make_site: SiteMaker) -> None:
    site = make_site(routes=route(returns="true"))
    ref = placed(site)
    ship(site, ref)
    site.advance(301)
    site.sync()
    made = site.tiktok_sim("returns", {"order_id": ref, "type": "RETURN_AND_REFUND", "sku": "MUG", "quantity": 1})
    back = f"returns/{made['return_id']}"
    site.tiktok_sim(back, {"action": "set", "status": "AWAITING_BUYER_SHIP"})
    site.tiktok_sim(back, {"action": "ship_back", "tracking_number": "1Z999AA10123456700"})
    site.tiktok_sim(back, {"action": "set", "status": "RETURN_OR_REFUND_REQUEST_COMPLETE"})
    site.advance(HOUR)
    one = the(rehearsed(site), "book-return")
    assert (one.order, one.detail["units"]) == (ref, {"MUG": "1"})


def test_plan_is_the_same_twice_and_shows_no_buyer(make_site: SiteMaker) -> None:
    """Law 12; and what does not change makes no plan stale."""
    site = make_site(routes=route(inventory="every: 1h"))
    list_products(site, "MUG", "TEE", stock=7)
    for _ in range(3):
        ref = site.order(lines=MUGS, address={"address_line1": "77 Hidden Rd"})
    site.advance(2 * HOUR)
    plans = [_plan(rehearsed(site)) for _ in range(2)]
    assert [each.digest for each in plans[0].writes] == [each.digest for each in plans[1].writes]
    text = json.dumps(facts(plans[0]))
    recipient = site.tiktok_sim(f"orders/{ref}", method="GET")
    for secret in ("Hidden", "recipient", *site.environ().values()):
        assert secret not in text or secret == site.environ()["SHOP"]
    assert "77 Hidden Rd" in str(recipient)
    assert parse(text, "plan.json") == plans[0]


def _plan(result: Rehearsal, route_file: str = "text") -> Plan:
    return Plan(result.at, None, digest_of(route_file), "ledger", result.writes)


def test_stale_plan_is_refused_with_what_was_added_removed_and_changed(make_site: SiteMaker) -> None:
    site = make_site(routes=route(fulfillments=OFF))
    gone, changed = site.order(lines=MUGS), site.order(lines=MUGS)
    site.advance(2 * HOUR)
    old = _plan(rehearsed(site))
    refuse_stale(old, _plan(rehearsed(site)), "plan.json")
    site.act(gone, "cancel")
    site.write_routes(route("skus: {MUG: [{sku: TEE}]}", fulfillments=OFF))
    added = site.order(lines=[{"sku": "TEA", "price": "5.00"}], on_hold=False, create_time=1_772_452_800 - HOUR)
    site.advance(61)
    with pytest.raises(HubError) as refused:
        refuse_stale(old, _plan(rehearsed(site), "other"), "plan.json")
    assert refused.value.code == "plan-stale"
    for said in (
        "the route file was changed", f"added: place-order TT-{added}", f"removed: place-order TT-{gone}",
        f"changed: place-order TT-{changed} (factory), rows",
    ):  # fmt: skip
        assert said in refused.value.what


def test_edited_plan_is_refused() -> None:
    write = PlannedWrite("place-order", "factory", "TT-1", "1", "us", {"rows": []})
    text = json.dumps(facts(Plan(_AT, None, "a", "b", (write,))))
    assert parse(text, "plan.json").writes == (write,)
    for bad in (text.replace("TT-1", "TT-2"), "{}", "[]", "no json", text.replace('"hub_plan": 1', '"hub_plan": 2')):
        with pytest.raises(HubError, match="plan-unreadable"):
            parse(bad, "plan.json")


def test_parcel_that_the_channel_brings_is_planned_with_all_that_follows(make_site: SiteMaker) -> None:
    """Its number comes only with the real answer; that it goes back to the ERP is known before."""
    site = make_site(routes=route(fulfillments="labels: labels"))
    ref = placed(site, shipping_type="TIKTOK")
    ship(site, ref, None, status="PACKED")
    site.advance(301)
    result = rehearsed(site)
    assert sorted((each.kind, each.order) for each in result.writes if each.kind != "save-label") == [
        ("tell-parcel", ref), ("write-back", ref),
    ]  # fmt: skip
    assert [each.kind for each in result.writes].count("save-label") == 1
    assert (the(result, "tell-parcel").detail["tracking"], the(result, "write-back").detail["tracking"]) == (
        None, "(as the channel says)",
    )  # fmt: skip
    assert not (site.folder / "labels").exists()
    before = writes(site)
    site.sync()
    assert sorted(call.split()[0] for call in writes(site) - before) == ["katana", "tiktok"]
