"""Listings in a plan: by SKU, none made by looking, a stale plan refused; the pass then makes those and no other."""

from __future__ import annotations

import pytest

from hub.contract import HubError
from hub.engine.plan import Plan, digest_of, refuse_stale
from hub.engine.rehearse import Rehearsal
from tests.flow.conftest import SiteMaker
from tests.flow.test_plan import rehearsed, the, writes
from tests.flow.test_products import CREATE, PRICES, READY, on_channel, route, show_goods
from tests.site import Site

LIVE = READY.replace("publish: draft", "publish: listing, update: true")


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    """A site that publishes mugs as drafts, with all that a listing needs."""
    made = make_site(routes=route(READY))
    show_goods(made.folder, "MUG")
    return made


def plan_of(result: Rehearsal, text: str = "routes") -> Plan:
    """Return the plan of a rehearsed pass."""
    return Plan(result.at, None, digest_of(text), "ledger", result.writes)


def test_new_listing_is_planned_by_sku_and_the_pass_makes_that_one(site: Site) -> None:
    """M10; the route file says draft, then listing: the diff says which."""
    one = the(rehearsed(site), "list-product")
    said = one.detail
    assert (one.connection, one.goods, said["listing"], said["title"]) == ("shop", "MUG", None, "Mug")
    assert (said["publish"], said["prices"], said["pictures"]) == ("draft", {"MUG": "20"}, ["MUG.png"])
    site.write_routes(route(LIVE))
    assert the(rehearsed(site), "list-product").detail["publish"] == "listing"
    site.write_routes(route(READY))
    assert on_channel(site) == []
    before = writes(site)
    assert site.sync().errors == {}
    assert [call for call in writes(site) - before if "products" in call] == [f"tiktok {CREATE}"]
    assert rehearsed(site).writes == ()


def test_price_that_changed_in_the_erp_is_planned_as_an_update(make_site: SiteMaker) -> None:
    site = make_site(routes=route(LIVE))
    show_goods(site.folder, "MUG")
    site.sync()
    (made,) = on_channel(site)
    for _ in range(2):  # first the channel's own word of it is read, then that it is as it should be
        site.advance(3700)
        site.sync()
    site.katana_sim("do/variant", {"sku": "MUG", "price": "23.50"})
    site.advance(3700)
    one = the(rehearsed(site), "update-listing")
    assert (one.goods, one.detail["listing"], one.detail["prices"]) == ("MUG", made["id"], {"MUG": "23.5"})
    before = writes(site)
    site.sync()
    path = PRICES.replace("{product_id}", made["id"])
    assert dict(writes(site) - before) == {f"tiktok {path}": 1}


def test_listing_that_lacks_something_is_no_write(site: Site) -> None:
    site.tiktok_sim("options", {"failing_prerequisites": "SHOP_TAX"})
    assert rehearsed(site).writes == ()


def test_plan_whose_listings_differ_now_is_refused_by_sku(site: Site) -> None:
    old = plan_of(rehearsed(site))
    refuse_stale(old, plan_of(rehearsed(site)), "plan.json")
    show_goods(site.folder, "TEE")
    site.write_routes(route(READY.replace('skus: ["MUG*"]', 'skus: ["MUG*", "TEE"]')))
    site.katana_sim("do/variant", {"sku": "MUG", "price": "25"})
    with pytest.raises(HubError) as refused:
        refuse_stale(old, plan_of(rehearsed(site), "other"), "plan.json")
    assert refused.value.code == "plan-stale"
    for said in ("changed: list-product MUG (shop), prices", "added: list-product TEE (shop)"):
        assert said in refused.value.what
