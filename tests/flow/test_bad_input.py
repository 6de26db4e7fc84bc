"""Input that cannot be right ends blocked, with what, why and a remedy that works, or healed; never silent.

Beside these: an unknown carrier and a shipment deleted after it was told (test_shipments), a product in promotion and
a SKU on two variants in stock (test_stock_trouble), an unknown SKU (test_orders_arrive).
"""

from __future__ import annotations

from typing import Any

import pytest

from hub.engine import stock_review
from tests.flow.conftest import SiteMaker
from tests.flow.stock_site import list_products, sells
from tests.flow.test_shipments import later, numbers, on_channel, placed, route, ship
from tests.site import HOUR, ROUTE, Site


def the_reason(site: Site, ref: str, code: str) -> dict[str, Any]:
    """Return the one reason why an order is blocked, which has this code."""
    assert site.fate(ref) == ("blocked", code)
    (reason,) = site.row(ref).reason or []
    assert reason["do"]
    return reason


def why_not(site: Site, sku: str) -> dict[str, Any]:
    """Return why the stock of a SKU is left alone, as ``hub stock`` shows it."""
    assert site.world is not None
    (view,) = stock_review.review(site.world, sku)
    assert view.why is not None
    return view.why


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    """A site whose shipments go to the channel."""
    return make_site(routes=route())


def test_location_that_the_erp_does_not_have_blocks_until_it_does(make_site: SiteMaker) -> None:
    site = make_site(routes=ROUTE + "      location: {default: Weest}\n")
    ref = site.order()
    site.advance(2 * HOUR)
    site.sync()
    reason = the_reason(site, ref, "location-unknown")
    assert "'Weest'" in reason["what"]
    site.katana_sim("seed", {"locations": [{"name": "Weest"}]})
    site.advance(HOUR)
    site.sync()
    assert site.fate(ref) == ("placed", None)


def test_stock_of_an_unknown_location_stays_as_it_is_until_the_name_is_right(make_site: SiteMaker) -> None:
    rules = ROUTE.replace("inventory: {enabled: false}", "inventory: {default: Mian}")
    site = make_site(routes=rules)
    list_products(site, "MUG", stock=7)
    site.sync()
    assert sells(site, "MUG") == 7
    assert "'Mian'" in why_not(site, "MUG")["what"]
    (place,) = [each["name"] for each in site.katana_sim("state", method="GET")["locations"] if each["is_primary"]]
    site.write_routes(rules.replace("Mian", f'"{place}"'))
    site.advance(HOUR + 1)
    site.sync()
    assert sells(site, "MUG") == 100


def test_stock_for_a_warehouse_that_the_channel_does_not_have_is_said(make_site: SiteMaker) -> None:
    rules = ROUTE.replace("inventory: {enabled: false}", "inventory: {locations: {Pikcup: [{location: PLACE}]}}")
    site = make_site()
    (place,) = [each["name"] for each in site.katana_sim("state", method="GET")["locations"] if each["is_primary"]]
    site.write_routes(rules.replace("PLACE", f'"{place}"'))
    list_products(site, "MUG", stock=7)
    site.sync()
    assert sells(site, "MUG") == 7
    reason = why_not(site, "MUG")
    assert (reason["code"], "inventory/locations" in reason["do"]) == ("place-unfed", True)
    state = site.tiktok_sim("state", method="GET")
    pickup = next(
        each["name"] for each in state["warehouses"] if each["type"] == "SALES_WAREHOUSE" and each["is_default"]
    )
    site.write_routes(rules.replace("PLACE", f'"{place}"').replace("Pikcup", f'"{pickup}"'))
    site.advance(HOUR + 1)
    site.sync()
    assert sells(site, "MUG") == 100


def test_order_of_a_sku_on_two_variants_waits_until_it_is_on_one(site: Site) -> None:
    twin = site.katana_sim("do/twin", {"sku": "MUG"})
    ref = site.order()
    site.advance(2 * HOUR)
    site.sync()
    reason = the_reason(site, ref, "variant-ambiguous")
    assert "MUG" in reason["what"]
    assert reason["skus"] == ["MUG"]
    site.katana_sim("do/variant", {"variant_id": twin["id"], "new_sku": "MUG-OLD"})
    later(site, HOUR)
    assert site.fate(ref) == ("placed", None)


def test_label_that_is_not_ready_is_asked_for_until_it_is(make_site: SiteMaker) -> None:
    site = make_site(routes=route("labels: labels"))
    site.tiktok_sim("options", {"label_delay_s": "1800"})
    ref = placed(site, shipping_type="TIKTOK")
    ship(site, ref, None, status="PACKED", tracking_carrier=None)
    later(site)
    later(site, 60)
    assert not (site.folder / "labels").exists()
    for _ in range(4):
        later(site, 900)
    assert len(list((site.folder / "labels").iterdir())) == 1
    assert "label-saved" in site.events(ref)
    assert "label-missing" not in site.events(ref)


def test_label_that_never_comes_is_said_and_the_parcel_counts_all_the_same(make_site: SiteMaker) -> None:
    site = make_site(routes=route("labels: labels"))
    site.tiktok_sim("options", {"label_delay_s": "9000000"})
    ref = placed(site, shipping_type="TIKTOK")
    ship(site, ref, None, status="PACKED", tracking_carrier=None)
    for _ in range(24):
        later(site, 1200)
    assert "Print it on the channel" in the_reason(site, ref, "label-missing")["do"]
    assert None not in numbers(site, ref)


def test_order_shipped_while_the_channel_holds_it_says_so_and_ships_when_it_may(site: Site) -> None:
    ref = placed(site)
    ship(site, ref)
    site.act(ref, "set", fields={"status": "ON_HOLD"})
    later(site)
    assert "ON_HOLD" in the_reason(site, ref, "order-on-hold")["what"]
    site.act(ref, "set", fields={"status": "AWAITING_SHIPMENT"})
    later(site)
    later(site)
    assert on_channel(site, ref)["status"] == "AWAITING_COLLECTION"
    assert site.row(ref).trouble is None


def test_rows_edited_by_hand_heal_when_they_are_put_back(site: Site) -> None:
    """A person changed what the sales order ships; the parcel does not fit the order until the rows do."""
    ref = placed(site, lines=[{"sku": "MUG", "price": "20.00"}])
    site.katana_sim("do/rows", {"order_no": f"TT-{ref}", "replace": {"MUG": "TEE"}})
    made = ship(site, ref)
    later(site)
    assert "TEE" in the_reason(site, ref, "shipment-unmatched")["what"]
    site.katana_sim("do/unship", {"fulfillment_id": made["id"]})
    site.katana_sim("do/rows", {"order_no": f"TT-{ref}", "replace": {"TEE": "MUG"}})
    ship(site, ref)
    later(site)
    later(site, 61)
    assert numbers(site, ref) == ["1Z999AA10123456784"]
    assert site.fate(ref) == ("fulfilled", None)


def test_rows_reduced_by_hand_ship_what_is_left_and_the_order_stays_open(site: Site) -> None:
    ref = placed(site, lines=[{"sku": "MUG", "quantity": 2, "price": "20.00"}])
    site.katana_sim("do/rows", {"order_no": f"TT-{ref}", "quantities": {"MUG": 1}})
    ship(site, ref)
    later(site)
    later(site, 61)
    assert sorted(str(each) for each in numbers(site, ref)) == ["1Z999AA10123456784", "None"]
    assert site.fate(ref) == ("partly-fulfilled", None)
    assert "edited-in-erp" in site.events(ref)
