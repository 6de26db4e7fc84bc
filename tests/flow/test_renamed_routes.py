"""A route that was renamed goes on where it was; one that is gone says which orders have no home (decision 0013)."""

from __future__ import annotations

from typing import Any

from hub.engine import retry
from tests.flow.conftest import SiteMaker
from tests.flow.test_shipments import numbers, ship
from tests.site import HOUR, NOON, Site

ROUTE = """\
  - name: NAME
    channel: shop
    erp: factory
    inventory: {enabled: false}
    orders: {ORDERS}
"""


def route(name: str = "us", orders: str = "") -> str:
    """Return a route that begins now."""
    return ROUTE.replace("NAME", name).replace("ORDERS", orders)


def order(site: Site, **spec: Any) -> str:
    """Have a buyer order at this moment."""
    now = int(site.tiktok_sim("clock", method="GET")["now"])
    return site.order(create_time=now, **spec)


def begun(make_site: SiteMaker, orders: str = "") -> Site:
    """Return a site whose route first ran a minute ago."""
    site = make_site(routes=route(orders=orders))
    site.sync()
    site.advance(60)
    return site


def later(site: Site, seconds: float) -> None:
    """Let time pass, then run the hub."""
    site.advance(seconds)
    site.sync()


def test_orders_of_a_renamed_route_go_on(make_site: SiteMaker) -> None:
    """One waits out its hold, the other was not even read when the name changed."""
    site = begun(make_site)
    held = order(site)
    site.sync()
    site.advance(30)
    unread = order(site)
    site.write_routes(route("usa"))
    later(site, 60)
    assert (site.fate(held), site.fate(unread)) == (("held", "channel-hold"), ("held", "channel-hold"))
    later(site, HOUR)
    assert (site.fate(held), site.fate(unread)) == (("placed", None), ("placed", None))


def test_a_renamed_route_still_skips_what_is_older_than_its_first_start(make_site: SiteMaker) -> None:
    site = make_site(routes=route())
    old = site.order(create_time=NOON - 60)
    site.sync()
    site.advance(61)
    site.act(old, "set", touch=True)
    later(site, 61)
    assert site.fate(old) == ("skipped", "before-start")
    order(site)
    later(site, 60)
    site.write_routes(route("usa"))
    site.act(old, "set", touch=True)
    later(site, 2 * HOUR)
    assert site.fate(old) == ("skipped", "before-start")


def test_placed_orders_of_a_renamed_route_ship_and_say_so(make_site: SiteMaker) -> None:
    site = begun(make_site)
    ref = order(site)
    later(site, HOUR + 60)
    ship(site, ref)
    site.write_routes(route("usa"))
    later(site, 301)
    assert numbers(site, ref) == ["1Z999AA10123456784"]
    assert site.row(ref).route == "usa"
    assert "route-changed" in site.events(ref)


def test_order_whose_route_is_gone_is_blocked_and_ships_when_one_takes_it_again(make_site: SiteMaker) -> None:
    site = begun(make_site)
    ref = order(site)
    later(site, HOUR + 60)
    site.write_routes(route("teas", "when: {skus: [TEA]}"))
    ship(site, ref)
    later(site, 301)
    assert site.fate(ref) == ("blocked", "route-gone")
    (problem,) = site.row(ref).reason or []
    assert problem["what"].startswith("it was placed in factory by route us, and no route takes it there any more")
    assert problem["do"].endswith(f"hub retry --settled {ref}")
    later(site, 301)
    assert (numbers(site, ref), site.events(ref).count("blocked")) == ([None], 1)
    site.write_routes(route("teas", "when: {skus: [TEA]}") + route("rest"))
    later(site, 301)
    assert numbers(site, ref) == ["1Z999AA10123456784"]
    later(site, 61)
    assert site.fate(ref) == ("fulfilled", None)


def test_order_without_a_route_that_a_person_settled_is_not_asked_about_again(make_site: SiteMaker) -> None:
    site = begun(make_site)
    ref = order(site)
    later(site, HOUR + 60)
    site.write_routes(route("teas", "when: {skus: [TEA]}"))
    later(site, 61)
    assert site.world is not None
    retry.settle(site.world.store, ref, site.world.clock.now())
    later(site, 61)
    assert site.fate(ref) == ("placed", None)


def test_order_whose_connection_was_renamed_is_blocked_until_its_name_is_back(make_site: SiteMaker) -> None:
    site = begun(make_site)
    ref = order(site)
    later(site, HOUR + 60)
    file = site.folder / "routes.yaml"
    before = file.read_text()
    file.write_text(before.replace("factory", "plant"))
    later(site, 61)
    assert site.fate(ref) == ("blocked", "route-gone")
    file.write_text(before)
    later(site, 61)
    assert site.fate(ref) == ("placed", None)


def test_a_route_added_beside_the_others_begins_now(make_site: SiteMaker) -> None:
    """What nobody wanted for a while is not sent all at once; what was in the hold goes on under the new route."""
    site = begun(make_site, "when: {skus: [MUG]}")
    unwanted, held = order(site, lines=[{"sku": "TEE", "price": "9.00"}]), order(site)
    later(site, 60)
    assert site.fate(unwanted)[1] in ("channel-hold", "no-route")
    new = route("new", "when: {skus: [MUG, TEE]}") + route(orders="when: {skus: [MUG]}")
    site.write_routes(new)
    later(site, 2 * HOUR)
    assert site.fate(unwanted) == ("skipped", "before-start")
    assert (site.fate(held), site.row(held).route) == (("placed", None), "new")
