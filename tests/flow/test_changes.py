"""Changes and cancellations after placement, from either side, over real HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from hub.engine import retry
from tests.flow.conftest import SiteMaker
from tests.site import HOUR, Site

ROUTE = """\
  - name: us
    channel: shop
    erp: factory
    fulfillments: {{enabled: false}}
    inventory: {{enabled: false}}
    orders: {{start: 2026-03-01{more}}}
"""
DAY = 24 * HOUR


def route(more: str = "") -> str:
    """Return the route's text with more in its orders section."""
    return ROUTE.format(more=f", {more}" if more else "")


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    """A site that takes changes over."""
    return make_site(routes=route())


def placed(site: Site, **spec: Any) -> str:
    """Have an order placed in the ERP."""
    now = int(site.tiktok_sim("clock", method="GET")["now"])
    ref = site.order(**{"lines": [{"sku": "MUG", "quantity": 2, "price": "20.00"}], "create_time": now - 60, **spec})
    later(site, 2 * HOUR)
    assert site.fate(ref) == ("placed", None)
    return ref


def later(site: Site, seconds: float = 61.0) -> None:
    """Let the next poll come."""
    site.advance(seconds)
    site.sync()


def quantities(site: Site, ref: str) -> list[float]:
    """Return the row quantities of an order's sales order."""
    (found,) = [one for one in site.sales_orders() if one["order_no"] == f"TT-{ref}"]
    return [row["quantity"] for row in found["sales_order_rows"]]


def test_cancelled_order_is_deleted_in_the_erp(site: Site) -> None:
    ref = placed(site)
    site.act(ref, "cancel")
    later(site)
    assert site.sales_orders() == []
    assert site.fate(ref) == ("cancelled", None)
    assert "sales-order-deleted" in site.events(ref)


def test_order_whose_every_line_is_cancelled_is_deleted_in_the_erp(site: Site) -> None:
    """Although the channel still has the order itself as open; what it says of it later makes nothing anew."""
    ref = placed(site)
    site.act(ref, "cancel_line", sku="MUG", quantity=2)
    site.act(ref, "set", fields={"status": "AWAITING_SHIPMENT"})
    later(site)
    assert site.sales_orders() == []
    assert site.fate(ref) == ("cancelled", None)
    now = int(site.tiktok_sim("clock", method="GET")["now"])
    site.act(ref, "set", fields={"update_time": now, "buyer_message": "hello"})
    later(site, DAY)
    later(site)
    assert site.sales_orders() == []
    assert site.fate(ref) == ("cancelled", None)


def test_cancelled_order_that_is_packed_blocks_with_the_remedy(site: Site) -> None:
    """Katana would take a delivered order back into stock: that is never asked of it."""
    ref = placed(site)
    site.katana_sim("do/ship", {"order_no": f"TT-{ref}", "status": "PACKED", "quantities": {"MUG": 1}})
    site.act(ref, "cancel")
    later(site)
    assert site.fate(ref) == ("blocked", "cancelled-after-placement")
    assert len(site.sales_orders()) == 1
    (reason,) = site.row(ref).reason or []
    assert "cannot be deleted" in reason["what"]
    assert f"then: hub retry {ref}" in reason["do"]


def test_deleting_is_repeated_after_a_lost_answer(site: Site) -> None:
    ref = placed(site)
    site.act(ref, "cancel")
    site.katana_sim("faults", {"faults": [{"kind": "lost_reply", "match": "/v1/sales_orders/", "method": "DELETE",
                                           "times": 1}]})  # fmt: skip
    later(site)
    later(site, 300)
    assert site.fate(ref) == ("cancelled", None)
    assert site.sales_orders() == []


def test_partly_cancelled_order_has_its_rows_changed(site: Site) -> None:
    ref = placed(site)
    site.act(ref, "cancel_line", sku="MUG", quantity=1)
    later(site)
    assert quantities(site, ref) == [1]
    assert site.fate(ref) == ("placed", None)
    assert "sales-order-changed" in site.events(ref)


def test_partly_cancelled_order_loses_a_whole_row(site: Site) -> None:
    ref = placed(site, lines=[{"sku": "MUG", "price": "20.00"}, {"sku": "TEE", "price": "15.00"}])
    site.act(ref, "cancel_line", sku="TEE", quantity=1)
    later(site)
    assert quantities(site, ref) == [1]
    assert site.fate(ref) == ("placed", None)


def test_partial_cancellation_that_moves_no_time_is_found_by_the_search(site: Site) -> None:
    """Cancellations are searched at every poll, because update_time may not move."""
    site.tiktok_sim("options", {"edits_move_update_time": "no"})
    ref = placed(site)
    site.act(ref, "cancel_line", sku="MUG", quantity=1)
    later(site)
    assert quantities(site, ref) == [1]


def test_address_change_reaches_the_sales_order(site: Site) -> None:
    for moves in ("yes", "no"):
        site.tiktok_sim("options", {"address_moves_update_time": moves})
        ref = placed(site)
        site.act(ref, "edit_address", address={"address_line1": "77 Changed Rd"})
        later(site)
        if moves == "no":
            later(site, DAY)
        (found,) = [one for one in site.sales_orders() if one["order_no"] == f"TT-{ref}"]
        shown = site.katana_sim(f"order?order_no=TT-{ref}", method="GET")
        assert "77 Changed Rd" in str(shown), (moves, found)
        assert site.fate(ref) == ("placed", None)


@pytest.mark.parametrize("is_gone", [False, True])
def test_packed_order_that_was_changed_back_goes_on(site: Site, is_gone: bool) -> None:
    """Unless its sales order cannot be compared: that is told, and asked for once, not at every pass."""
    site.tiktok_sim("options", {"address_moves_update_time": "yes"})
    ref = placed(site)
    site.katana_sim("do/ship", {"order_no": f"TT-{ref}", "status": "PACKED"})
    before = site.tiktok_sim(f"orders/{ref}", method="GET")["order"]["address"]["address_line1"]
    site.act(ref, "edit_address", address={"address_line1": "77 Changed Rd"})
    later(site)
    assert site.fate(ref) == ("blocked", "changed-after-placement")
    if is_gone:
        site.katana_sim("do/delete", {"order_no": f"TT-{ref}"})
    site.act(ref, "edit_address", address={"address_line1": before})
    later(site)
    assert site.fate(ref) == (("blocked", "reverted-after-placement") if is_gone else ("placed", None))
    assert (site.row(ref).trouble is not None) == is_gone
    calls = site.total_calls("katana")
    later(site)
    assert site.total_calls("katana") == calls
    if is_gone:
        retry.retry_after(site.open(), ref)
        site.sync()
        assert site.fate(ref) == ("blocked", "reverted-after-placement")  # compared, and gone still


def test_changes_can_be_left_to_a_person(make_site: SiteMaker) -> None:
    site = make_site(routes=route("on_cancel: block, on_change: block"))
    cancelled, changed = placed(site), placed(site)
    site.act(cancelled, "cancel")
    site.act(changed, "cancel_line", sku="MUG", quantity=1)
    later(site)
    assert site.fate(cancelled) == ("blocked", "cancelled-after-placement")
    assert site.fate(changed) == ("blocked", "changed-after-placement")
    assert len(site.sales_orders()) == 2


@pytest.mark.parametrize("packed", [False, True])
def test_buyers_request_is_answered_by_what_the_erp_has_done(site: Site, packed: bool) -> None:
    ref = placed(site)
    if packed:
        site.katana_sim("do/ship", {"order_no": f"TT-{ref}", "status": "PACKED"})
    site.act(ref, "request_cancel")
    later(site)
    later(site)
    assert site.fate(ref) == (("placed", None) if packed else ("cancelled", None))
    assert len(site.sales_orders()) == int(packed)
    assert ("cancellation-refused" if packed else "cancellation-accepted") in site.events(ref)


def test_request_left_to_a_person_blocks_until_it_is_answered(make_site: SiteMaker) -> None:
    site = make_site(routes=route("on_cancel_request: ask"))
    ref = placed(site)
    site.act(ref, "request_cancel")
    later(site)
    assert site.fate(ref) == ("blocked", "cancel-request-open")
    site.act(ref, "decide_cancel", accept=False)
    later(site)
    assert site.fate(ref) == ("placed", None)


def test_request_before_placement_is_accepted_and_the_order_never_arrives(site: Site) -> None:
    now = int(site.tiktok_sim("clock", method="GET")["now"])
    ref = site.order(create_time=now - 60, on_hold=False)
    site.sync()
    site.advance(HOUR)
    site.act(ref, "request_cancel")
    site.sync()
    later(site)
    later(site, 900)
    assert site.fate(ref) == ("cancelled", None)
    assert site.sales_orders(deleted=True) == []


def test_order_deleted_in_the_erp_blocks_within_a_day(site: Site) -> None:
    """A slip must not refund a buyer."""
    ref = placed(site)
    site.katana_sim("do/delete", {"order_no": f"TT-{ref}"})
    later(site, DAY + 60)
    assert site.fate(ref) == ("blocked", "deleted-in-erp")
    assert not [call for call in site.calls("tiktok") if "cancellations" in call and "search" not in call]


def test_order_deleted_in_the_erp_is_cancelled_where_the_route_says_so(make_site: SiteMaker) -> None:
    reason = "seller_cancel_reason_out_of_stock"
    site = make_site(routes=route(f"on_deleted_in_erp: {{cancel_with: {reason}}}"))
    ref = placed(site)
    site.katana_sim("do/delete", {"order_no": f"TT-{ref}"})
    later(site, DAY + 60)
    later(site)
    later(site)
    assert site.fate(ref) == ("cancelled", None)
    assert "cancelled-on-channel" in site.events(ref)


def test_open_orders_are_read_again_daily_fifty_a_call(site: Site) -> None:
    """On both sides: ceil(orders/50) at the channel."""
    site.both("clock", {"rate": 1})
    site.orders_made(lines=[{"sku": "MUG", "price": "20.00"}], create_time=1_772_452_740, count=60)
    later(site, 2 * HOUR)
    later(site, 6 * HOUR)
    site.order(create_time=int(site.tiktok_sim("clock", method="GET")["now"]) - 60)
    later(site, HOUR)  # the feed has moved on and no longer tells the first sixty again
    before = site.calls("tiktok").get("GET /order/202507/orders", 0)
    later(site, DAY + 60)
    assert site.calls("tiktok")["GET /order/202507/orders"] - before == 2


FBT = "fulfilled_by_channel: {record_as_done: {location: TikTok FBT}}"


def test_order_shipped_by_the_channel_is_recorded_as_done(make_site: SiteMaker) -> None:
    """M5, law 6: at its own location, with its tracking, never touching own stock."""
    site = make_site(routes=route(FBT))
    site.katana_sim("seed", {"locations": [{"name": "Main"}, {"name": "TikTok FBT"}]})
    before = site.katana_sim("do/stock", {"sku": "MUG"})
    now = int(site.tiktok_sim("clock", method="GET")["now"])
    ref = site.order(kind="fbt", create_time=now - 60, lines=[{"sku": "MUG", "quantity": 2, "price": "20.00"}])
    later(site, 2 * HOUR)
    assert site.fate(ref) == ("held", "until-shipped")
    site.act(ref, "ship")
    later(site)
    later(site)
    (found,) = site.sales_orders()
    shown = site.katana_sim(f"order?order_no=TT-{ref}", method="GET")
    assert found["status"] == "DELIVERED"
    assert len(shown["fulfillments"]) == 1
    assert site.fate(ref) == ("fulfilled", None)
    after = site.katana_sim("do/stock", {"sku": "MUG"})
    assert (after["in_stock"], after["committed"]) == (before["in_stock"], before["committed"])
    assert site.katana_sim("do/stock", {"sku": "MUG", "location": "TikTok FBT"})["in_stock"] == -2
