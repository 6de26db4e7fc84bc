"""Parcels in other markets, and those that the channel itself brings, over real HTTP (reference, section 6.1)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flow.conftest import SiteMaker
from tests.flow.test_shipments import later, numbers, on_channel, placed, route, ship, told
from tests.site import Site


def shipments(site: Site, ref: str) -> list[dict[str, Any]]:
    """Return an order's shipments as the ERP has them."""
    shown: dict[str, Any] = site.katana_sim(f"order?order_no=TT-{ref}", method="GET")
    return list(shown["fulfillments"])


def writes(site: Site) -> dict[str, int]:
    """Return which calls that tell of parcels were made, and how often."""
    return {call: n for call, n in site.calls("tiktok").items() if call.startswith("POST /fulfillment")}


@pytest.mark.parametrize("market", ["GB", "DE"])
def test_seller_shipping_in_europe_marks_each_parcel_once(make_site: SiteMaker, market: str) -> None:
    site = make_site(routes=route())
    ref = placed(site, market=market)
    allowed = {"GB": "EVRi", "DE": "Simulated Post"}[market]
    ship(site, ref, "H00AA1234567890", tracking_carrier=allowed, quantities={"MUG": 2})
    ship(site, ref, "H00AA1234567891", tracking_carrier=allowed, quantities={"TEE": 1})
    later(site)
    assert site.row(ref).reason is None
    assert sorted(n or "" for n in numbers(site, ref)) == ["H00AA1234567890"] * 2 + ["H00AA1234567891"]
    assert told(site) == 2


@pytest.mark.parametrize("market", ["TH", "MX"])
@pytest.mark.parametrize(("parcels", "calls"), [(1, 1), (2, 2)])
def test_seller_shipping_in_southeast_asia_and_latin_america_takes_one_call_or_two(
    make_site: SiteMaker, parcels: int, calls: int, market: str
) -> None:
    """Calls: SEA and LATAM: 1 for one parcel, else 2."""
    site = make_site(routes=route())
    site.tiktok_sim("seed", {"shops": [{"id": site.environ()["SHOP"], "region": market}]})
    ref = placed(site, market=market)
    allowed = carriers(site, ref)[0]
    if parcels == 1:
        ship(site, ref, "XX0123456789", tracking_carrier=allowed)
    else:
        ship(site, ref, "XX0123456780", tracking_carrier=allowed, quantities={"MUG": 2})
        ship(site, ref, "XX0123456781", tracking_carrier=allowed, quantities={"TEE": 1})
    later(site)
    assert site.row(ref).reason is None
    assert None not in numbers(site, ref)
    assert len(set(numbers(site, ref))) == parcels
    assert sum(writes(site).values()) == calls


def carriers(site: Site, ref: str) -> list[str]:
    """Return the names of carriers the channel allows for an order."""
    assert site.world is not None
    from hub.contract import Order  # only here a test needs the hub's own reading

    order = Order.model_validate_json(site.row(ref).document)
    found = site.world.connected["shop"].hooks.list_carriers(delivery_ref=order.delivery_ref)
    return [each.name for each in found]


def test_label_bought_from_the_channel_gives_its_number_back_to_the_erp(make_site: SiteMaker) -> None:
    """Where TikTok sells the label, packing in the ERP is the sign; the number it gives is written back."""
    site = make_site(routes=route("labels: labels"))
    ref = placed(site, shipping_type="TIKTOK", lines=[{"sku": "MUG", "quantity": 2, "price": "20.00"}])
    ship(site, ref, None, status="PACKED", tracking_carrier=None)
    later(site)
    later(site, 30)
    (number, other) = numbers(site, ref)
    assert number is not None
    assert number == other
    (made,) = shipments(site, ref)
    assert made["tracking_number"] == number
    assert len(site.tiktok_sim("state", method="GET")["labels_bought"]) == 1
    (label,) = (site.folder / "labels").iterdir()
    assert label.read_bytes().startswith(b"%PDF")
    assert label.stat().st_mode & 0o077 == 0
    assert {"shipped", "tracking-written-back", "label-saved"} <= set(site.events(ref))


def test_label_is_not_bought_twice_after_a_lost_answer(make_site: SiteMaker) -> None:
    """It costs money."""
    site = make_site(routes=route())
    ref = placed(site, shipping_type="TIKTOK")
    ship(site, ref, None, status="PACKED", tracking_carrier=None)
    fault = {"kind": "lost_reply", "match": "/fulfillment/202309/packages$", "method": "POST", "times": 1}
    site.tiktok_sim("faults", {"faults": [fault]})
    later(site)
    for _ in range(4):
        later(site, 60)
    assert len(site.tiktok_sim("state", method="GET")["labels_bought"]) == 1
    assert shipments(site, ref)[0]["tracking_number"] == numbers(site, ref)[0]


def test_order_on_hold_at_the_channel_is_never_shipped(make_site: SiteMaker) -> None:
    site = make_site(routes=route())
    ref = placed(site)
    ship(site, ref)
    site.act(ref, "set", fields={"status": "ON_HOLD"})
    later(site)
    assert told(site) == 0
    site.act(ref, "set", fields={"status": "AWAITING_SHIPMENT"})
    later(site)
    later(site)
    assert on_channel(site, ref)["status"] == "AWAITING_COLLECTION"
