"""What hints make the hub look at, at once and in how few calls; counted by the simulators."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from hub.contract import AuthorizationError, Hint, HintKind
from hub.engine import look, recheck, steps, wake
from hub.engine.lane import visit
from hub.engine.outcome import call, resting
from hub.engine.progress import Progress
from tests.flow.conftest import SiteMaker
from tests.flow.hinting import hint, waiting, work
from tests.flow.stock_site import PRODUCTS, in_erp, list_products, sells
from tests.flow.stock_site import route as stock_route
from tests.site import ROUTE, Site
from tests.stepped import SteppedClock

DETAIL, SEARCH = "GET /order/202507/orders", "POST /order/202309/orders/search"
SHIPMENTS, SALES_ORDERS, LEVELS = "GET /v1/sales_order_fulfillments", "GET /v1/sales_orders", "GET /v1/inventory"
SHIPPING = """\
  - name: us
    channel: shop
    erp: factory
    orders: {start: 2026-03-01, hold: 0m}
    fulfillments: {}
    inventory: {enabled: false}
"""
NO_HOLD = ROUTE + "      hold: 0m\n"
Counted = Callable[[], dict[str, int]]


def since(site: Site, simulator: str) -> Counted:
    """Return what counts the calls to a system from now on."""
    before = site.calls(simulator)

    def now() -> dict[str, int]:
        return {call: n - before.get(call, 0) for call, n in site.calls(simulator).items() if n != before.get(call, 0)}

    return now


def quiet(site: Site, seconds: float = 5.0) -> None:
    """Do all that is due without a hint, then let a moment pass in which nothing else comes due."""
    site.sync()
    site.advance(1)
    work(site, "shop", "factory")
    site.advance(seconds)


def buy(site: Site, n: int = 1, **more: Any) -> list[str]:
    site.tiktok_sim("options", {"hold_s": 0})  # the channel itself holds nothing
    now = int(site.tiktok_sim("clock", method="GET")["now"])
    lines = [{"sku": "MUG", "price": "20.00"}]
    return site.orders_made(count=n, lines=lines, create_time=now - 5, **more)


# -- orders of a channel


def test_order_is_placed_at_once_where_a_hint_names_it(make_site: SiteMaker) -> None:
    site = make_site(routes=NO_HOLD)
    quiet(site)
    (ref,) = buy(site)
    shop, factory = since(site, "tiktok"), since(site, "katana")
    hint(site, "shop", HintKind.ORDERS, ref)
    work(site, "shop", "factory")
    assert site.fate(ref) == ("placed", None)
    assert shop() == {DETAIL: 1}
    assert factory()["POST /v1/sales_orders"] == 1
    assert waiting(site) == []


def test_fifty_orders_are_read_in_one_call_and_more_by_one_pull(make_site: SiteMaker) -> None:
    site = make_site(routes=ROUTE)
    quiet(site)
    shop = since(site, "tiktok")
    hint(site, "shop", HintKind.ORDERS, *buy(site, 50))
    work(site, "shop")
    assert shop() == {DETAIL: 1}
    assert site.fates() == {"held": 50}
    site.advance(5)
    shop = since(site, "tiktok")
    hint(site, "shop", HintKind.ORDERS, *buy(site, 90))
    work(site, "shop")
    calls = shop()
    assert DETAIL not in calls
    assert calls.pop(SEARCH) <= 2  # 90 new ones, and those of before in the overlap
    assert list(calls.values()) == [1]  # cancellations, as with every pull
    assert site.fates() == {"held": 140}


def test_hint_that_names_no_order_pulls_at_once(make_site: SiteMaker) -> None:
    site = make_site(routes=NO_HOLD)
    quiet(site)
    (ref,) = buy(site)
    hint(site, "shop", HintKind.ORDERS)
    work(site, "shop", "factory")
    assert site.fate(ref) == ("placed", None)


def test_burst_of_hints_costs_one_reading_and_a_flood_one_per_gap(make_site: SiteMaker) -> None:
    site = make_site(routes=ROUTE)
    quiet(site)
    refs, shop = buy(site, 3), since(site, "tiktok")
    for _ in range(5):
        for ref in refs:
            hint(site, "shop", HintKind.ORDERS, ref)
    work(site, "shop")
    assert shop() == {DETAIL: 1}
    for _ in range(4):  # within the gap
        hint(site, "shop", HintKind.ORDERS, *refs)
        work(site, "shop")
    assert shop() == {DETAIL: 1}
    assert len(waiting(site)) == 3
    site.advance(1)
    work(site, "shop")
    assert shop() == {DETAIL: 2}
    assert waiting(site) == []


def test_order_that_cannot_be_read_yet_is_asked_for_twice_more_then_left_to_polls(site: Site) -> None:
    quiet(site)
    shop = since(site, "tiktok")
    hint(site, "shop", HintKind.ORDERS, "577000000000000001")
    seen = []
    for seconds in (0, 3, 3, 20, 11, 60):
        site.advance(seconds)
        work(site, "shop")
        seen.append(shop()[DETAIL])
    assert seen == [1, 1, 2, 2, 3, 3]
    assert waiting(site) == []


def test_unknown_order_costs_a_call_of_its_own_and_no_other_waits_for_it(make_site: SiteMaker) -> None:
    site = make_site(routes=NO_HOLD)
    quiet(site)
    refs = buy(site, 2)
    hint(site, "shop", HintKind.ORDERS, refs[0])
    work(site, "shop", "factory")
    site.advance(2)
    shop = since(site, "tiktok")
    hint(site, "shop", HintKind.ORDERS, refs[0], "577000000000000001")
    work(site, "shop", "factory")
    assert shop() == {DETAIL: 2}


def test_hint_heard_again_while_it_is_looked_at_is_not_forgotten(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet(site)
    (ref,) = buy(site)
    real = look.LOOKS[HintKind.ORDERS]

    def meanwhile(world: Any, channel: Any, heard: Any) -> Any:
        later = real(world, channel, heard)
        monkeypatch.setitem(look.LOOKS, HintKind.ORDERS, real)  # type: ignore[arg-type]
        wake.note(world, "shop", [Hint(kind=HintKind.ORDERS, ref=ref)])
        return later

    hint(site, "shop", HintKind.ORDERS, ref)
    monkeypatch.setitem(look.LOOKS, HintKind.ORDERS, meanwhile)  # type: ignore[arg-type]
    work(site, "shop")
    assert waiting(site) == [("shop", "orders", ref)]


class Killed(BaseException):
    """What a killed process does not live to see."""


def test_hint_is_kept_where_the_process_dies_in_its_look(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the reading, and before it was noted that it was made: the next process reads once more."""
    quiet(site)
    (ref,) = buy(site)
    hint(site, "shop", HintKind.ORDERS, ref)
    with monkeypatch.context() as patch:
        patch.setattr(wake, "looked", _die)
        with pytest.raises(Killed):
            work(site, "shop")
    assert waiting(site) == [("shop", "orders", ref)]
    shop = since(site, "tiktok")
    work(site, "shop")
    assert shop() == {DETAIL: 1}
    assert waiting(site) == []


def _die(*_: object, **__: object) -> None:
    raise Killed


def test_hint_is_kept_where_the_look_failed(site: Site) -> None:
    quiet(site)
    (ref,) = buy(site)
    hint(site, "shop", HintKind.ORDERS, ref)
    site.both("clock", {"rate": 50})  # a call that fails is repeated after a while
    site.tiktok_sim("faults", {"faults": [{"kind": "503", "match": "202507/orders"}]})
    with capture_logs() as logs:
        work(site, "shop")  # and goes on with all else
    assert "look-failed" in {entry["event"] for entry in logs}
    assert waiting(site) == [("shop", "orders", ref)]
    site.tiktok_sim("faults", {"faults": []})
    site.advance(15)
    work(site, "shop")
    assert waiting(site) == []


def test_hint_that_spoils_its_look_is_dropped_and_said(site: Site) -> None:
    """One that is refused would be refused again; the orders themselves are found by the next poll."""
    quiet(site)
    (ref,) = buy(site)
    hint(site, "shop", HintKind.ORDERS, ref)
    site.tiktok_sim("faults", {"faults": [{"kind": "98001004", "match": "202507/orders"}]})
    with capture_logs() as logs:
        work(site, "shop")
    assert [entry["event"] for entry in logs if entry["event"] == "look-failed"] == ["look-failed"]
    assert waiting(site) == []
    site.advance(61)
    site.sync()
    assert site.fate(ref)[0] == "held"


# -- cancellations and returns


def test_hint_of_a_cancellation_reads_them_at_once(make_site: SiteMaker) -> None:
    site = make_site(routes=ROUTE)
    (ref,) = buy(site)
    quiet(site)
    site.act(ref, "cancel")
    shop = since(site, "tiktok")
    hint(site, "shop", HintKind.CANCELLATIONS, "4035")
    work(site, "shop")
    assert site.fate(ref) == ("cancelled", None)
    assert sum(shop().values()) <= 2


# -- sales orders of the ERP


def placed(site: Site) -> str:
    """Have an order placed in the ERP a while ago."""
    (ref,) = buy(site)
    site.advance(1)
    quiet(site)
    assert site.fate(ref) == ("placed", None)
    return ref


def sales_order(site: Site, ref: str) -> str:
    (found,) = [row for row in site.sales_orders(deleted=True) if row["order_no"] == f"TT-{ref}"]
    return str(found["id"])


def test_delivered_order_ships_on_the_channel_at_once(make_site: SiteMaker) -> None:
    site = make_site(routes=SHIPPING)
    ref = placed(site)
    site.advance(60)
    number = {"tracking_carrier": "UPS", "tracking_number": "1Z999AA10123456784"}
    site.katana_sim("do/ship", {"order_no": f"TT-{ref}", **number})
    factory = since(site, "katana")
    hint(site, "factory", HintKind.FULFILLMENTS, sales_order(site, ref))
    work(site, "shop", "factory")
    shipped = [order for order in site.tiktok_sim("state", method="GET")["orders"] if order["id"] == ref]
    assert shipped[0]["status"] == "AWAITING_COLLECTION"
    assert factory() == {SHIPMENTS: 1, SALES_ORDERS: 4}  # its rows, before and after the channel was told


def test_deleted_sales_order_is_found_at_once(make_site: SiteMaker) -> None:
    site = make_site(routes=SHIPPING)
    ref = placed(site)
    site.advance(60)
    id_ = sales_order(site, ref)
    site.katana_sim("do/delete", {"order_no": f"TT-{ref}"})
    factory = since(site, "katana")
    hint(site, "factory", HintKind.FULFILLMENTS, id_)
    work(site, "factory")
    assert site.fate(ref) == ("blocked", "deleted-in-erp")
    assert factory() == {SHIPMENTS: 1, SALES_ORDERS: 2}  # living ones first, then deleted ones


def test_hint_about_a_sales_order_that_is_not_ours_or_was_just_made_costs_no_call(make_site: SiteMaker) -> None:
    """The ERP fires for every sales order, also for those that the hub has just made."""
    site = make_site(routes=SHIPPING)
    quiet(site)
    refs = buy(site, 5)
    hint(site, "shop", HintKind.ORDERS, *refs)
    work(site, "shop", "factory")
    assert site.fates() == {"placed": 5}
    factory = since(site, "katana")
    hint(site, "factory", HintKind.FULFILLMENTS, *[sales_order(site, ref) for ref in refs], "99999999")
    work(site, "shop", "factory")
    assert factory() == {}
    assert waiting(site) == []


# -- stock and catalogues


@pytest.fixture
def stock_site(make_site: SiteMaker) -> Site:
    """A shop that sells 100 mugs of the ERP's 100."""
    site = make_site(routes=stock_route(orders="hold: 0m"))
    list_products(site, "MUG", stock=0)
    site.sync()
    site.advance(120)
    site.sync()
    site.advance(120)
    quiet(site)
    assert sells(site, "MUG") == 100
    return site


def test_stock_that_sinks_in_the_erp_sinks_on_the_channel_at_once(stock_site: Site) -> None:
    level = in_erp(stock_site, "MUG", quantity=7)
    shop, factory = since(stock_site, "tiktok"), since(stock_site, "katana")
    hint(stock_site, "factory", HintKind.INVENTORY, str(level["variant_id"]))
    work(stock_site, "shop", "factory")
    assert sells(stock_site, "MUG") == 7
    assert factory() == {LEVELS: 1}
    assert sum(shop().values()) <= 2


def test_hint_about_stock_that_an_own_order_took_waits_until_a_reading_counts_it(stock_site: Site) -> None:
    """Read earlier, it might count the order or not, and would have to be read once more."""
    site = stock_site
    variant = str(in_erp(site, "MUG")["variant_id"])
    (ref,) = buy(site)
    hint(site, "shop", HintKind.ORDERS, ref)
    work(site, "shop", "factory")
    assert site.fate(ref) == ("placed", None)
    factory = since(site, "katana")
    for _ in range(4):
        hint(site, "factory", HintKind.INVENTORY, variant)
        work(site, "factory")
        site.advance(5)
    assert factory() == {}
    site.advance(60)
    work(site, "factory")
    assert factory() == {LEVELS: 1}
    assert waiting(site) == []


def test_new_variant_heals_the_order_that_waits_for_it(make_site: SiteMaker) -> None:
    site = make_site(routes=NO_HOLD)
    site.tiktok_sim("options", {"hold_s": 0})
    site.order(lines=[{"sku": "HAT", "price": "9.00"}])
    quiet(site)
    assert site.fates() == {"blocked": 1}
    site.seed_variants({"HAT": 5})
    factory = since(site, "katana")
    hint(site, "factory", HintKind.PRODUCTS, "1")
    work(site, "shop", "factory")
    assert site.fates() == {"placed": 1}
    assert factory()["GET /v1/variants"] <= 2


def test_hints_about_stock_that_the_hub_has_just_set_cost_no_call(stock_site: Site) -> None:
    site = stock_site
    level = in_erp(site, "MUG", quantity=7)
    hint(site, "factory", HintKind.INVENTORY, str(level["variant_id"]))
    work(site, "shop", "factory")
    product = site.tiktok_sim("state", method="GET")["products"][0]
    shop = since(site, "tiktok")
    hint(site, "shop", HintKind.PRODUCTS, product["id"])
    hint(site, "shop", HintKind.INVENTORY, product["skus"][0]["id"])
    work(site, "shop", "factory")
    assert shop() == {}
    assert waiting(site) == []


def test_product_listed_on_the_channel_is_read_at_once(stock_site: Site) -> None:
    site = stock_site
    list_products(site, "TEE", stock=3)
    shop = since(site, "tiktok")
    hint(site, "shop", HintKind.PRODUCTS, "170000000000000001")
    work(site, "shop", "factory")
    assert 1 <= shop()[PRODUCTS] <= 2


# -- the consent


def test_withdrawn_consent_rests_the_connection_at_once(site: Site) -> None:
    quiet(site)
    site.tiktok_sim("authorisation", {"action": "deauthorise"})
    hint(site, "shop", HintKind.AUTHORIZATION)
    world = site.open()
    ended = visit(world, Progress(), threading.Event(), "shop")
    assert isinstance(ended.error, AuthorizationError)
    with world.store.read() as tx:
        assert set(resting(tx, world.clock.now())) == {"shop"}


# -- room for what hurries more


@pytest.mark.parametrize(
    ("kind", "call_of_it"), [(HintKind.INVENTORY, LEVELS), (HintKind.PRODUCTS, "GET /v1/variants")]
)
def test_look_that_does_not_hurry_waits_for_room_without_holding_its_lane_up(
    make_site: SiteMaker, kind: HintKind, call_of_it: str
) -> None:
    """Three quarters of a minute's calls are taken: the rest is for orders, and time does not pass within the visit."""
    site = make_site(routes=stock_route(orders="hold: 0m"))
    list_products(site, "MUG", stock=100)
    file = site.folder / "routes.yaml"
    file.write_text(file.read_text().replace("requests_per_minute: 6000", "requests_per_minute: 60"))
    quiet(site)
    site.advance(120)
    clock = SteppedClock(site, threading.Event(), end_s=1e9)
    world = site.open(time=clock)
    for _ in range(23):  # of two calls each
        call(world, world.connected["factory"], "list_locations")
    (variant,) = (row["id"] for row in site.katana_sim("state", method="GET")["variants"] if row["sku"] == "MUG")
    wake.note(world, "factory", [Hint(kind=kind, ref=str(variant))])
    made, began = since(site, "katana"), clock.now()
    ended = visit(world, Progress(), threading.Event(), "factory")
    assert (ended.error, clock.now()) == (None, began)
    assert call_of_it not in made()
    assert [each[:2] for each in waiting(site)] == [("factory", kind.value)]
    clock.wait(61)
    visit(world, Progress(), threading.Event(), "factory")
    assert waiting(site) == []
    assert call_of_it in made()


def test_more_deletions_than_one_reading_takes_are_all_found(
    make_site: SiteMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recheck, "ERP_BATCH", 2)
    monkeypatch.setattr(steps, "ERP", [each for each in steps.ERP if each[0] != "placed orders"])  # no daily look
    site = make_site(routes=SHIPPING)
    refs = buy(site, 5)
    quiet(site, 60)
    orders = site.sales_orders()
    assert len(orders) == 5
    headers = {"Authorization": f"Bearer {site.environ()['API_KEY']}"}
    for each in orders:
        site.http.delete(f"{site.katana.url}/v1/sales_orders/{each['id']}", headers=headers).raise_for_status()
    hint(site, "factory", HintKind.FULFILLMENTS, *(str(each["id"]) for each in orders))
    for _ in range(3):
        work(site, "factory")
        site.advance(1)
    assert {site.fate(ref) for ref in refs} == {("blocked", "deleted-in-erp")}
    assert waiting(site) == []
