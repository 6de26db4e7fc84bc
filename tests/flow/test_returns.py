"""Returned goods, from the channel to the ERP, over real HTTP: booked once, at the place that the route names."""

from __future__ import annotations

from typing import Any

import pytest

from hub.engine import retry
from tests.flow.conftest import SiteMaker
from tests.flow.test_shipments import ship
from tests.site import HOUR, Site

ROUTE = """\
  - name: us
    channel: shop
    erp: factory
    orders: {{start: 2026-03-01{orders}}}
    inventory: {{enabled: false}}
    returns: {{enabled: true{returns}}}
"""
BACK = "POST /v1/sales_returns"


def route(returns: str = "", orders: str = "") -> str:
    """Return a route that books returns, with more in its sections."""
    return ROUTE.format(returns=f", {returns}" if returns else "", orders=f", {orders}" if orders else "")


def shipped(site: Site, **line: Any) -> str:
    """Have an order of two mugs, or of another line, placed and shipped."""
    ref = site.order(lines=[{"sku": "MUG", "quantity": 2, "price": "20.00", **line}])
    site.sync()
    later(site, 2 * HOUR)
    ship(site, ref)
    later(site, 301)
    return ref


def later(site: Site, seconds: float = HOUR + 1) -> None:
    """Let time pass, then run the hub."""
    site.advance(seconds)
    site.sync()


def send_back(site: Site, ref: str, sku: str = "MUG", quantity: int = 1, *, arrived: bool = True) -> str:
    """Have a buyer send something back; returns the id of the return."""
    wish = {"order_id": ref, "type": "RETURN_AND_REFUND", "sku": sku, "quantity": quantity}
    id_ = str(site.tiktok_sim("returns", wish)["return_id"])
    site.tiktok_sim(f"returns/{id_}", {"action": "set", "status": "AWAITING_BUYER_SHIP"})
    site.tiktok_sim(f"returns/{id_}", {"action": "ship_back", "tracking_number": "1Z999AA10123456700"})
    if arrived:
        arrive(site, id_)
    return id_


def arrive(site: Site, id_: str) -> None:
    """Have a return arrive and be accepted."""
    site.tiktok_sim(f"returns/{id_}", {"action": "set", "status": "RETURN_OR_REFUND_REQUEST_COMPLETE"})


def booked(site: Site) -> list[tuple[str | None, dict[str, int]]]:
    """Return each living return in the ERP: where it is restocked, and its units by SKU."""
    state = site.katana_sim("state", method="GET")
    skus = {row["id"]: row["sku"] for row in state["variants"]}
    places = {place["id"]: place["name"] for place in state["locations"]}
    found = []
    for head in state["sales_returns"]:
        rows = [row for row in state["sales_return_rows"] if row["sales_return_id"] == head["id"]]
        units = {skus[row["variant_id"]]: int(float(row["quantity"])) for row in rows}
        found.append((places.get(rows[0]["restock_location_id"]) if rows else None, units))
    return found


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    """A site whose returns go to a desk of their own."""
    made = make_site(routes=route("default: Returns desk"))
    made.katana_sim("seed", {"locations": [{"name": "Main"}, {"name": "Returns desk"}]})
    return made


def test_goods_that_came_back_are_booked_once_at_the_place_of_the_route(site: Site) -> None:
    ref = shipped(site)
    send_back(site, ref)
    later(site)
    assert booked(site) == [("Returns desk", {"MUG": 1})]
    for _ in range(2):
        later(site)
    assert len(booked(site)) == 1
    assert "return-booked" in site.events(ref)
    assert site.fate(ref) == ("fulfilled", None)


def test_goods_on_their_way_back_are_not_booked_before_they_arrive(site: Site) -> None:
    ref = shipped(site)
    id_ = send_back(site, ref, arrived=False)
    later(site)
    assert booked(site) == []
    arrive(site, id_)
    later(site)
    assert booked(site) == [("Returns desk", {"MUG": 1})]


@pytest.mark.parametrize("kind", ["lost_reply", "503"])
def test_lost_answer_books_no_second_return(site: Site, kind: str) -> None:
    ref = shipped(site)
    send_back(site, ref)
    fault = {"kind": kind, "match": "sales_returns$", "method": "POST", "times": 1}
    site.katana_sim("faults", {"faults": [fault]})
    for _ in range(3):
        later(site)
    assert booked(site) == [("Returns desk", {"MUG": 1})]


def test_bundle_comes_back_as_its_parts(make_site: SiteMaker) -> None:
    skus = "skus: {GIFTBOX: [{sku: MUG, price_share: 0.6}, {sku: TEA, price_share: 0.4}]}"
    site = make_site(routes=route(orders=skus))
    ref = shipped(site, sku="GIFTBOX", quantity=1)
    send_back(site, ref, "GIFTBOX")
    later(site)
    assert [units for _, units in booked(site)] == [{"MUG": 1, "TEA": 1}]


def test_return_to_a_warehouse_that_no_line_names_blocks_and_goes_on_when_one_does(make_site: SiteMaker) -> None:
    site = make_site(routes=route("locations: {Elsewhere: Main}"))
    site.katana_sim("seed", {"locations": [{"name": "Main"}, {"name": "Returns desk"}]})
    ref = shipped(site)
    send_back(site, ref)
    later(site)
    assert booked(site) == []
    assert site.fate(ref) == ("blocked", "location-unknown")
    (reason,) = site.row(ref).reason or []
    assert "routes/us/returns" in reason["do"]
    back = [
        place["name"] for place in site.tiktok_sim("state", method="GET")["warehouses"] if "RETURN" in place["type"]
    ]
    site.write_routes(route(f"locations: {{{back[0]}: Returns desk}}"))
    assert site.world is not None
    retry.retry(site.world.store, ref, site.world.clock.now())
    later(site)
    assert booked(site) == [("Returns desk", {"MUG": 1})]
    assert site.fate(ref) == ("fulfilled", None)


def test_refund_without_goods_books_nothing(site: Site) -> None:
    ref = shipped(site)
    made = site.tiktok_sim("returns", {"order_id": ref, "type": "REFUND", "sku": "MUG", "quantity": 1})
    arrive(site, str(made["return_id"]))
    later(site)
    assert booked(site) == []
    assert site.calls("katana").get(BACK) is None
