"""Shipments from the ERP to the channel, over real HTTP (M3, law 7)."""

from __future__ import annotations

from typing import Any

import pytest

from hub.engine import retry
from hub.store import shipping
from tests.flow.conftest import SiteMaker
from tests.site import HOUR, NOON, Site

UPS = "UPS"
ROUTE = """\
  - name: us
    channel: shop
    erp: factory
    orders: {{start: 2026-03-01{orders}}}
    fulfillments: {{carriers: {{Parcel Force: UPS}}{more}}}
    inventory: {{enabled: false}}
"""
TWO_LINES = [{"sku": "MUG", "quantity": 2, "price": "20.00"}, {"sku": "TEE", "price": "15.00"}]


def route(more: str = "", orders: str = "") -> str:
    """Return the route's text with more in its sections."""
    return ROUTE.format(more=f", {more}" if more else "", orders=f", {orders}" if orders else "")


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    """A site whose shipments go to the channel."""
    return make_site(routes=route())


def placed(site: Site, **spec: Any) -> str:
    """Have an order placed in the ERP."""
    now = int(site.tiktok_sim("clock", method="GET")["now"])
    ref = site.order(**{"lines": TWO_LINES, "create_time": now - 60, **spec})
    site.sync()
    site.advance(HOUR)
    site.sync()
    assert site.fate(ref) == ("placed", None)
    return ref


def ship(site: Site, ref: str, number: str | None = "1Z999AA10123456784", **more: Any) -> dict[str, Any]:
    """Have a person in the ERP ship an order, or part of it."""
    body = {"order_no": f"TT-{ref}", "tracking_carrier": UPS, "tracking_number": number, **more}
    made: dict[str, Any] = site.katana_sim("do/ship", {k: v for k, v in body.items() if v is not None})
    return made


def later(site: Site, seconds: float = 301.0) -> None:
    """Let the next poll of shipments come."""
    site.advance(seconds)
    site.sync()


def on_channel(site: Site, ref: str) -> dict[str, Any]:
    """Return an order as the channel has it."""
    found = site.tiktok_sim("state", method="GET")["orders"]
    return next(order for order in found if order["id"] == ref)


def numbers(site: Site, ref: str) -> list[str | None]:
    """Return each unit's tracking number on the channel."""
    return [line.get("tracking_number") or None for line in on_channel(site, ref)["lines"]]


def told(site: Site) -> int:
    """Return how many times the channel was told of a parcel."""
    return sum(n for call, n in site.calls("tiktok").items() if call.startswith("POST /fulfillment"))


def test_delivered_order_with_tracking_is_fulfilled_on_the_channel(site: Site) -> None:
    ref = placed(site)
    ship(site, ref)
    later(site)
    assert on_channel(site, ref)["status"] == "AWAITING_COLLECTION"
    assert numbers(site, ref) == ["1Z999AA10123456784"] * 3
    site.advance(61)
    site.sync()
    assert site.fate(ref) == ("fulfilled", None)
    assert "shipped" in site.events(ref)


def test_partial_shipment_makes_it_partially_fulfilled(site: Site) -> None:
    ref = placed(site)
    ship(site, ref, quantities={"MUG": 1})
    later(site)
    assert on_channel(site, ref)["status"] == "PARTIALLY_SHIPPING"
    assert numbers(site, ref).count("1Z999AA10123456784") == 1
    site.advance(61)
    site.sync()
    assert site.fate(ref) == ("partly-fulfilled", None)


def test_three_parcels_arrive_as_three_with_each_unit_in_one(site: Site) -> None:
    """Law 7: tracking of k packages arrives as k packages; k calls for k parcels and one read before (item: Calls)."""
    ref = placed(site)
    for n, quantities in enumerate(({"MUG": 1}, {"TEE": 1}, {"MUG": 1})):
        ship(site, ref, f"1Z999AA1012345678{n}", quantities=quantities)
    before = site.calls("tiktok")
    later(site)
    after = site.calls("tiktok")
    assert sorted(n or "" for n in numbers(site, ref)) == [f"1Z999AA1012345678{n}" for n in range(3)]
    assert told(site) == 3
    read = "GET /order/202507/orders"
    assert after.get(read, 0) - before.get(read, 0) == 1
    site.advance(61)
    site.sync()
    assert site.fate(ref) == ("fulfilled", None)


def test_second_shipment_under_the_number_of_the_first_says_so_and_can_be_settled(site: Site) -> None:
    ref = placed(site, lines=[{"sku": "MUG", "quantity": 2, "price": "20.00"}])
    for _ in range(2):
        ship(site, ref, quantities={"MUG": 1})
        later(site)
    assert site.fate(ref) == ("blocked", "tracking-refused")
    (reason,) = site.row(ref).reason or []
    assert "another parcel of this order" in reason["what"]
    assert f"hub retry --settled {ref}" in reason["do"]
    site.act(ref, "ship")
    assert site.world is not None
    retry.settle(site.world.store, ref, site.world.clock.now())
    later(site)
    assert site.fate(ref) == ("fulfilled", None)


def test_packed_but_not_delivered_is_not_told(site: Site) -> None:
    ref = placed(site)
    ship(site, ref, status="PACKED")
    later(site)
    assert told(site) == 0
    assert on_channel(site, ref)["status"] == "AWAITING_SHIPMENT"


def test_shipment_without_tracking_waits_is_asked_for_again_and_then_goes(site: Site) -> None:
    """Also where an edit of the tracking does not move the ERP's time of the last change."""
    site.katana_sim("options", {"tracking_edit_updates": False})
    ref = placed(site)
    made = ship(site, ref, None)
    later(site)
    assert told(site) == 0
    site.katana_sim("do/shipment", {"fulfillment_id": made["id"], "tracking_number": "1Z999AA10123456784"})
    later(site, 700)
    assert numbers(site, ref) == ["1Z999AA10123456784"] * 3


def test_shipment_without_tracking_for_long_is_said(site: Site) -> None:
    ref = placed(site)
    made = ship(site, ref, None)
    for _ in range(4):
        later(site, 8 * HOUR)
    assert site.fate(ref) == ("blocked", "tracking-missing")
    site.katana_sim("do/shipment", {"fulfillment_id": made["id"], "tracking_number": "1Z999AA10123456784"})
    for _ in range(3):
        later(site, 4 * HOUR)
    assert site.fate(ref) == ("fulfilled", None)


def test_unmapped_carrier_blocks_with_those_to_choose_from_and_heals(site: Site) -> None:
    ref = placed(site)
    ship(site, ref, tracking_carrier="Pigeon")
    later(site)
    assert site.fate(ref) == ("blocked", "carrier-unmapped")
    (reason,) = site.row(ref).reason or []
    assert "'Pigeon'" in reason["what"]
    assert {"UPS", "USPS"} <= set(reason["what"].replace(",", "").split())
    assert "fulfillments/carriers" in reason["do"]
    assert told(site) == 0
    site.write_routes(route().replace("Parcel Force", "Pigeon"))
    site.sync()
    later(site, 2 * HOUR)
    later(site)
    assert site.fate(ref) == ("fulfilled", None)


def test_carrier_is_mapped_to_the_channels_name(site: Site) -> None:
    ref = placed(site)
    ship(site, ref, tracking_carrier="parcel force")
    later(site)
    assert numbers(site, ref) == ["1Z999AA10123456784"] * 3


def test_lost_answer_is_read_up_and_no_parcel_is_told_twice(site: Site) -> None:
    """After a time-out: read before repeating (law 9)."""
    ref = placed(site)
    ship(site, ref)
    path = f"/fulfillment/202309/orders/{ref}/packages"
    site.tiktok_sim("faults", {"faults": [{"kind": "lost_reply", "match": path, "method": "POST", "times": 1}]})
    later(site)
    for _ in range(3):
        later(site, 30)
    assert numbers(site, ref) == ["1Z999AA10123456784"] * 3
    assert told(site) == 1
    later(site)
    assert site.fate(ref) == ("fulfilled", None)
    assert "outcome-unknown" in site.events(ref)


def lose(site: Site, ref: str, kind: str) -> None:
    """Have the channel lose the word of an order's parcel (``drop``), or its answer (``lost_reply``), once."""
    path = f"/fulfillment/202309/orders/{ref}/packages"
    site.tiktok_sim("faults", {"faults": [{"kind": kind, "match": path, "method": "POST", "times": 1}]})


@pytest.mark.parametrize("kind", ["drop", "lost_reply"])
def test_parcel_whose_answer_was_lost_goes_on_though_a_line_was_cancelled_since(site: Site, kind: str) -> None:
    ref = placed(site)
    ship(site, ref)
    lose(site, ref, kind)
    later(site)
    site.act(ref, "cancel_line", by="SELLER", sku="TEE", quantity=1)
    for _ in range(4):
        later(site)
    lines = [line for line in on_channel(site, ref)["lines"] if line["sku"] == "MUG"]
    assert [line["tracking_number"] for line in lines] == ["1Z999AA10123456784"] * 2
    assert told(site) == (2 if kind == "drop" else 1)
    assert site.events(ref).count("shipped") == 1


def test_shipment_deleted_after_its_word_was_lost_is_not_told_again(make_site: SiteMaker) -> None:
    site = make_site(routes=route(orders="on_cancel_request: ask"))
    ref = placed(site, lines=[{"sku": "MUG", "price": "20.00"}])
    made = ship(site, ref)
    lose(site, ref, "drop")
    later(site)
    site.act(ref, "request_cancel")
    later(site)
    site.katana_sim("do/unship", {"fulfillment_id": made["id"]})
    later(site)
    site.act(ref, "decide_cancel", accept=False)
    for _ in range(4):
        later(site)
    assert numbers(site, ref) == [None]
    assert told(site) == 1
    assert site.fate(ref) == ("placed", None)


def test_open_request_to_cancel_stops_the_parcel(site: Site) -> None:
    """Before shipping: is there an open cancellation request? (T: 21011007)"""
    site.write_routes(route(orders="on_cancel_request: ask"))
    ref = placed(site)
    site.act(ref, "request_cancel")
    ship(site, ref)
    later(site)
    assert told(site) == 0
    site.act(ref, "decide_cancel", accept=False)
    later(site)
    later(site)
    assert numbers(site, ref) == ["1Z999AA10123456784"] * 3


def test_shipment_deleted_before_it_was_told_is_never_told(site: Site) -> None:
    ref = placed(site)
    made = ship(site, ref, None)
    later(site)
    site.katana_sim("do/unship", {"fulfillment_id": made["id"]})
    later(site, 700)
    again = ship(site, ref, "1Z999AA10123456785")
    later(site)
    assert numbers(site, ref) == ["1Z999AA10123456785"] * 3
    assert again["id"] != made["id"]
    assert told(site) == 1


def test_shipment_deleted_after_it_was_told_blocks_until_it_is_booked_again(site: Site) -> None:
    ref = placed(site)
    made = ship(site, ref)
    later(site)
    site.katana_sim("do/unship", {"fulfillment_id": made["id"]})
    later(site)
    assert site.fate(ref) == ("blocked", "shipment-taken-back")
    ship(site, ref)
    later(site)
    assert site.fate(ref) == ("fulfilled", None)
    assert told(site) == 1


def test_corrected_tracking_goes_out_once(site: Site) -> None:
    ref = placed(site)
    made = ship(site, ref)
    later(site)
    change = {"fulfillment_id": made["id"], "tracking_number": "1Z999AA10123456799"}
    site.katana_sim("do/shipment", change)
    later(site)
    assert numbers(site, ref) == ["1Z999AA10123456799"] * 3
    site.katana_sim("do/shipment", {**change, "tracking_number": "1Z999AA10123456800"})
    later(site)
    assert numbers(site, ref) == ["1Z999AA10123456799"] * 3
    assert site.fate(ref) == ("blocked", "tracking-locked")


@pytest.fixture
def waiting(make_site: SiteMaker) -> tuple[Site, str, str]:
    """A site, its order of two units and the shipment of one, told as N1; its correction to N2 waits."""
    site = make_site(routes=route(orders="on_cancel_request: ask"))
    ref = placed(site, lines=[{"sku": "MUG", "quantity": 2, "price": "20.00"}])
    made = ship(site, ref, "N1AAAAAAAA", quantities={"MUG": 1})
    later(site)
    (other,) = [line["id"] for line in on_channel(site, ref)["lines"] if not line.get("tracking_number")]
    site.act(ref, "request_cancel", line_ids=[other])
    site.katana_sim("do/shipment", {"fulfillment_id": made["id"], "tracking_number": "N2BBBBBBBB"})
    later(site)
    return site, ref, made["id"]


def keep_all(site: Site, ref: str) -> None:
    """Have the seller refuse a request to cancel, and time pass."""
    site.act(ref, "decide_cancel", accept=False)
    for _ in range(3):
        later(site)


def test_parcel_whose_correction_waits_keeps_its_units(waiting: tuple[Site, str, str]) -> None:
    """Law 7: another unit that ships meanwhile is told in its own parcel."""
    site, ref, _ = waiting
    ship(site, ref, "N3CCCCCCCC", quantities={"MUG": 1})
    later(site)
    keep_all(site, ref)
    assert sorted(n or "" for n in numbers(site, ref)) == ["N2BBBBBBBB", "N3CCCCCCCC"]
    assert site.fate(ref) == ("fulfilled", None)


@pytest.mark.parametrize(("number", "calls"), [("N4DDDDDDDD", 2), ("N1AAAAAAAA", 1)])
def test_correction_that_waits_is_replaced_by_a_newer_one(
    waiting: tuple[Site, str, str], number: str, calls: int
) -> None:
    """Or dropped, where the first number was right after all."""
    site, ref, made = waiting
    site.katana_sim("do/shipment", {"fulfillment_id": made, "tracking_number": number})
    later(site)
    keep_all(site, ref)
    assert sorted(n or "" for n in numbers(site, ref)) == ["", number]
    assert told(site) == calls


def test_correction_goes_out_though_a_unit_of_its_parcel_was_cancelled(waiting: tuple[Site, str, str]) -> None:
    site, ref, _ = waiting
    (line,) = [line for line in on_channel(site, ref)["lines"] if line.get("tracking_number")]
    site.act(ref, "cancel_line", by="SELLER", line_ids=[line["id"]])
    keep_all(site, ref)
    assert told(site) == 2


def test_shipment_deleted_while_its_correction_waits_blocks_and_the_correction_is_dropped(
    waiting: tuple[Site, str, str],
) -> None:
    site, ref, made = waiting
    site.katana_sim("do/unship", {"fulfillment_id": made})
    later(site)
    keep_all(site, ref)
    assert site.fate(ref) == ("blocked", "shipment-taken-back")
    assert told(site) == 1
    ship(site, ref, "N1AAAAAAAA", quantities={"MUG": 1})
    later(site)
    assert site.fate(ref) == ("partly-fulfilled", None)
    assert told(site) == 1


def test_shipment_booked_again_while_its_correction_waits_keeps_its_parcel(waiting: tuple[Site, str, str]) -> None:
    site, ref, made = waiting
    site.katana_sim("do/unship", {"fulfillment_id": made})
    ship(site, ref, "N1AAAAAAAA", quantities={"MUG": 1})
    later(site)
    keep_all(site, ref)
    assert site.fate(ref) == ("partly-fulfilled", None)
    assert told(site) == 1


def test_rows_edited_by_hand_in_the_erp_are_told_where_they_do_not_fit(site: Site) -> None:
    ref = placed(site, lines=[{"sku": "MUG", "price": "20.00"}])
    site.katana_sim("do/rows", {"order_no": f"TT-{ref}", "replace": {"MUG": "TEE"}})
    ship(site, ref)
    later(site)
    assert site.fate(ref) == ("blocked", "shipment-unmatched")
    (reason,) = site.row(ref).reason or []
    assert "TEE" in reason["what"]
    assert told(site) == 0


def test_bundle_whose_parts_travel_apart_ships_with_its_last_part(make_site: SiteMaker) -> None:
    """Law 7: a unit whose parts travel apart ships when its last part has."""
    skus = "skus: {GIFTBOX: [{sku: MUG, price_share: 0.6}, {sku: TEA, price_share: 0.4}]}"
    site = make_site(routes=route(orders=skus))
    ref = placed(site, lines=[{"sku": "GIFTBOX", "price": "30.00"}])
    ship(site, ref, "1Z999AA10123456781", quantities={"MUG": 1})
    later(site)
    assert numbers(site, ref) == [None]
    assert site.fate(ref) == ("placed", None)
    ship(site, ref, "1Z999AA10123456782", quantities={"TEA": 1})
    later(site)
    assert numbers(site, ref) == ["1Z999AA10123456782"]


def test_fulfillments_switched_off_make_no_call(make_site: SiteMaker) -> None:
    """M6, M7: off means not one call."""
    site = make_site(routes=route().replace("fulfillments: {", "fulfillments: {enabled: false, "))
    ref = placed(site)
    ship(site, ref)
    later(site)
    assert not [call for call in site.calls("katana") if "fulfillments" in call]
    assert told(site) == 0


def test_quiet_poll_of_shipments_is_one_call_in_five_minutes(site: Site) -> None:
    placed(site)
    before = site.calls("katana")
    for _ in range(12):
        later(site, 300)
    after = site.calls("katana")
    polls = {call: after[call] - before.get(call, 0) for call in after if "fulfillments" in call}
    assert sum(polls.values()) == 12


def test_many_orders_are_read_fifty_to_a_call_before_they_ship(site: Site) -> None:
    """Calls: k parcels and ceil(orders/50) reads."""
    site.both("clock", {"rate": 1})  # the channel's calls a second are budgeted, also in a clock that stands still
    site.orders_made(lines=[{"sku": "MUG", "price": "20.00"}], create_time=NOON - 60, count=60)
    site.sync()
    site.advance(HOUR)
    site.sync()
    refs = [one["ecommerce_order_id"] for one in site.sales_orders()]
    assert len(refs) == 60
    for n, ref in enumerate(refs):
        ship(site, ref, f"1Z999AA10123457{n:03}")
    before = site.calls("tiktok").get("GET /order/202507/orders", 0)
    later(site)
    assert told(site) == 60
    assert site.calls("tiktok")["GET /order/202507/orders"] - before <= 2
    assert site.world is not None
    with site.world.store.read() as tx:
        assert shipping.next_due(tx, "shop") is None
