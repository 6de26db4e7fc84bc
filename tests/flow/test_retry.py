"""What a person says of orders that stand still after placement, over real HTTP."""

from __future__ import annotations

import pytest

from hub.contract import HubError
from hub.engine import retry
from hub.engine.review import review
from tests.flow import test_changes as changes
from tests.flow import test_shipments as shipments
from tests.flow.conftest import SiteMaker
from tests.flow.test_shipments import later, numbers, on_channel, placed, ship, told
from tests.site import Site


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    """A site whose shipments go to the channel."""
    return make_site(routes=shipments.route())


def again(site: Site, ref: str) -> None:
    """Retry an order as a person does, and let the next pass work at the same instant."""
    world = site.open()
    retry.retry_after(world, ref)
    site.sync()


def settle(site: Site, ref: str) -> str:
    """Say that an order is settled by hand; returns its fate."""
    world = site.open()
    return retry.settle(world.store, ref, world.clock.now()).fate


def test_mapped_carrier_is_told_at_once_after_a_retry(site: Site) -> None:
    """Without it the parcel waits for an hour."""
    ref = placed(site)
    ship(site, ref, tracking_carrier="Pigeon")
    later(site)
    assert site.world is not None
    found = review(site.world.store, ref)
    (parcel,) = found.parcels
    assert (parcel.state, parcel.why[0].code) == ("blocked", "carrier-unmapped")
    assert sorted((units.sku, int(units.quantity)) for units in parcel.lines) == [("MUG", 1), ("MUG", 1), ("TEE", 1)]
    assert found.sales_order is not None
    assert [(units.sku, int(units.quantity)) for units in found.sales_order.rows] == [("MUG", 2), ("TEE", 1)]
    site.write_routes(shipments.route().replace("Parcel Force", "Pigeon"))
    site.sync()
    assert told(site) == 0
    again(site, ref)
    assert numbers(site, ref) == ["1Z999AA10123456784"] * 3
    assert review(site.open().store, ref).parcels[0].told_tracking == "1Z999AA10123456784"


def test_parcel_settled_by_hand_is_never_told(site: Site) -> None:
    ref = placed(site)
    made = ship(site, ref, tracking_carrier="Pigeon")
    later(site)
    assert settle(site, ref) == "placed"
    site.katana_sim("do/shipment", {"fulfillment_id": made["id"], "tracking_url": "https://track.example/1"})
    site.write_routes(shipments.route().replace("Parcel Force", "Pigeon"))
    later(site, 26 * 3600)
    later(site)
    assert told(site) == 0
    assert site.fate(ref) == ("placed", None)


def test_shipment_taken_back_and_settled_does_not_block_again(site: Site) -> None:
    ref = placed(site)
    made = ship(site, ref)
    later(site)
    site.katana_sim("do/unship", {"fulfillment_id": made["id"]})
    later(site)
    assert site.fate(ref) == ("blocked", "shipment-taken-back")
    again(site, ref)
    assert site.fate(ref) == ("blocked", "shipment-taken-back")  # it is so still
    assert settle(site, ref) == "fulfilled"
    for _ in range(3):
        later(site, 26 * 3600)
    assert site.fate(ref) == ("fulfilled", None)
    assert told(site) == 1
    assert on_channel(site, ref)["status"] == "AWAITING_COLLECTION"


def test_tracking_entered_without_news_is_read_at_once_after_a_retry(site: Site) -> None:
    site.katana_sim("options", {"tracking_edit_updates": False})
    ref = placed(site)
    made = ship(site, ref, None)
    for _ in range(4):
        later(site, 8 * 3600)
    assert site.fate(ref) == ("blocked", "tracking-missing")
    site.katana_sim("do/shipment", {"fulfillment_id": made["id"], "tracking_number": "1Z999AA10123456784"})
    again(site, ref)
    assert numbers(site, ref) == ["1Z999AA10123456784"] * 3


def test_deleting_is_tried_again_once_the_shipment_is_taken_back(make_site: SiteMaker) -> None:
    site = make_site(routes=changes.route())
    ref = changes.placed(site)
    made = ship(site, ref, status="PACKED")
    site.act(ref, "cancel")
    changes.later(site)
    assert site.fate(ref) == ("blocked", "cancelled-after-placement")
    again(site, ref)
    assert site.fate(ref) == ("blocked", "cancelled-after-placement")  # it is packed still
    site.katana_sim("do/unship", {"fulfillment_id": made["id"]})
    again(site, ref)
    assert site.fate(ref) == ("cancelled", None)
    assert site.sales_orders() == []


def test_cancelled_order_that_has_left_can_be_settled(make_site: SiteMaker) -> None:
    site = make_site(routes=changes.route())
    ref = changes.placed(site)
    ship(site, ref)
    site.act(ref, "cancel")
    changes.later(site)
    assert site.fate(ref)[0] == "blocked"
    assert settle(site, ref) == "cancelled"
    changes.later(site, 26 * 3600)
    assert site.fate(ref) == ("cancelled", None)
    assert len(site.sales_orders()) == 1


def test_cancelled_order_that_was_settled_stays_so_whatever_the_channel_or_the_erp_says_of_it(
    make_site: SiteMaker,
) -> None:
    site = make_site(routes=changes.route())
    ref = changes.placed(site)
    made = ship(site, ref, status="PACKED")
    site.act(ref, "cancel")
    changes.later(site)
    assert settle(site, ref) == "cancelled"
    site.katana_sim("do/unship", {"fulfillment_id": made["id"]})
    site.act(ref, "set", fields={"update_time": int(site.tiktok_sim("clock", method="GET")["now"]) + 30})
    changes.later(site)
    assert site.events(ref)[-1] == "changed"
    assert site.fate(ref) == ("cancelled", None)
    assert len(site.sales_orders()) == 1


def test_where_the_route_leaves_deleting_to_a_person_the_erp_is_asked(make_site: SiteMaker) -> None:
    site = make_site(routes=changes.route("on_cancel: block"))
    ref = changes.placed(site)
    site.act(ref, "cancel")
    changes.later(site)
    with pytest.raises(HubError, match="sales-order-lives"):
        again(site, ref)
    assert len(site.sales_orders()) == 1
    site.katana_sim("do/delete", {"order_no": f"TT-{ref}"})
    again(site, ref)
    assert site.fate(ref) == ("cancelled", None)


def test_change_is_tried_again_where_the_route_has_the_hub_change_it(make_site: SiteMaker) -> None:
    site = make_site(routes=changes.route("on_change: block"))
    ref = changes.placed(site)
    site.act(ref, "cancel_line", sku="MUG", quantity=1)
    changes.later(site)
    assert site.fate(ref) == ("blocked", "changed-after-placement")
    site.write_routes(changes.route())
    again(site, ref)
    assert changes.quantities(site, ref) == [1]
    assert site.fate(ref) == ("placed", None)


def test_deleted_sales_order_that_was_restored_is_looked_at_again(site: Site) -> None:
    ref = placed(site)
    site.katana_sim("do/delete", {"order_no": f"TT-{ref}"})
    later(site, 24 * 3600 + 60)
    assert site.fate(ref) == ("blocked", "deleted-in-erp")
    again(site, ref)
    assert site.fate(ref) == ("blocked", "deleted-in-erp")  # looked up, and gone still
