"""Law 5 on whole sites: what the channel sells is what the ERP has, less what is promised, never more."""

from __future__ import annotations

import threading

import pytest

from hub.engine import channel_stock
from hub.engine.lane import visit
from hub.engine.progress import Progress
from tests.flow.conftest import SiteMaker
from tests.flow.stock_site import (
    INVENTORY,
    PRODUCTS,
    SEARCH,
    UPDATE,
    buy,
    in_erp,
    later,
    list_products,
    made_since,
    route,
    sells,
    stock_row,
    two_shops,
    work,
)
from tests.site import HOUR, NOON, Site

HALF = HOUR / 2


@pytest.fixture
def shop(make_site: SiteMaker) -> Site:
    """A site that sells MUG, TEE and TEA, 100 of each in the ERP, and has told its channel so."""
    site = make_site(routes=route())
    list_products(site, "MUG", "TEE", "TEA", stock=7)
    work(site)
    return site


def test_channel_sells_what_the_erp_has(shop: Site) -> None:
    assert sells(shop, "MUG", "TEE", "TEA") == {"MUG": 100, "TEE": 100, "TEA": 100}


def test_stream_of_orders_keeps_no_number_from_the_channel(shop: Site) -> None:
    """Where every visit of the channel's lane lets an order go, what was lost in the ERP is told all the same."""
    shop.advance(600)
    for number in range(1, 7):  # a hold ends every minute
        shop.order(lines=[{"sku": "TEE", "price": "20.00"}], create_time=NOON + 60 * number + 30)
    in_erp(shop, "MUG", change=-30)
    shop.advance(HOUR - 570)
    world, progress, stop = shop.open(), Progress(), threading.Event()
    while not visit(world, progress, stop, "factory").due_in_s:
        pass
    for number in range(1, 7):
        shop.advance(60)
        visit(world, progress, stop, "shop")
        assert progress.released == number
    assert sells(shop, "MUG") == 70


def test_erp_change_reaches_the_channel_with_the_next_sweep_and_costs_one_call_per_product(shop: Site) -> None:
    """Both up and down; what did not change costs nothing."""
    in_erp(shop, "MUG", change=-30)
    in_erp(shop, "TEE", change=11)
    before = shop.calls("tiktok"), shop.calls("katana")
    later(shop, HALF)
    assert sells(shop, "MUG") == 100, "nobody has looked yet"
    later(shop, HALF + 1)
    assert sells(shop, "MUG", "TEE", "TEA") == {"MUG": 70, "TEE": 111, "TEA": 100}
    tiktok, katana = made_since(shop, "tiktok", before[0]), made_since(shop, "katana", before[1])
    assert tiktok[UPDATE] == 2
    assert katana[INVENTORY] == 1


def test_order_is_subtracted_once_from_the_click_to_the_parcel(shop: Site) -> None:
    """Held, placed, read by a sweep, packed, shipped: the channel lowers its own number, and nobody writes it again."""
    before = shop.calls("tiktok")
    ref = buy(shop, "MUG", 3)
    later(shop, 60)
    assert shop.fate(ref)[0] == "held"
    for _ in range(4):
        later(shop, HALF)
        assert sells(shop, "MUG") == 97
    assert shop.fate(ref)[0] == "placed"
    assert in_erp(shop, "MUG")["committed"] == 3
    shop.katana_sim("do/ship", {"order_no": shop.row(ref).key, "status": "DELIVERED"})
    shop.act(ref, "ship")
    for _ in range(3):
        later(shop, HALF)
        assert sells(shop, "MUG") == 97
    assert UPDATE not in made_since(shop, "tiktok", before)


def test_order_placed_just_before_a_sweep_is_read_again_once_settled(shop: Site) -> None:
    """Whether the reading shows it nobody can say; for so long nothing is lowered for it, and nothing raised."""
    buy(shop, "MUG", 3)
    later(shop, HOUR - 30)  # held until then
    later(shop, 29)
    before = shop.calls("katana"), shop.calls("tiktok")
    shop.advance(1)
    shop.sync()  # placed and swept within one settle time
    later(shop, 2)
    assert sells(shop, "MUG") == 97
    later(shop, 130)
    assert UPDATE not in made_since(shop, "tiktok", before[1])
    row, _ = stock_row(shop, "MUG")
    assert row.quantities is not None
    assert sells(shop, "MUG") == 97
    assert made_since(shop, "katana", before[0])[INVENTORY] <= 2


def test_cancelled_order_is_sold_again_and_nobody_writes(shop: Site) -> None:
    before = shop.calls("tiktok")
    ref = buy(shop, "MUG", 3)
    later(shop, 60)
    shop.act(ref, "cancel")
    later(shop, 60)
    later(shop, 2 * HOUR)
    assert sells(shop, "MUG") == 100
    assert UPDATE not in made_since(shop, "tiktok", before)


def test_order_that_no_hub_placed_is_subtracted_while_it_is_open(make_site: SiteMaker) -> None:
    """Skipped by the route's start, its goods still have to leave from this stock."""
    site = make_site(routes=route().replace("2026-03-01", "2026-03-02T12:30:00Z"))
    list_products(site, "MUG", stock=50)
    old = site.order(lines=[{"sku": "MUG", "quantity": 4}])
    work(site)
    # Its creation lies before the start, so the pull may not even show it; the channel's own count does.
    assert sells(site, "MUG") == 96
    assert all(each["order_no"] != old for each in site.sales_orders())


def test_order_the_channel_ships_itself_takes_nothing_from_this_stock(make_site: SiteMaker) -> None:
    """Law 6."""
    site = make_site(routes=route())
    list_products(site, "MUG", stock=7)
    site.order(kind="fbt", lines=[{"sku": "MUG", "quantity": 5}])
    work(site)
    assert sells(site, "MUG") == 100


def test_buffer_is_kept_back_by_sku(make_site: SiteMaker) -> None:
    rules = "buffer: {units: 2, percent: 5, by_sku: {'TE*': {units: 10}}}"
    site = make_site(routes=route(rules), skus={"MUG": 50, "TEE": 50, "TEA": 3})
    list_products(site, "MUG", "TEE", "TEA", stock=7)
    work(site)
    assert sells(site, "MUG", "TEE", "TEA") == {"MUG": 45, "TEE": 40, "TEA": 0}
    row, terms = stock_row(site, "MUG")
    assert terms["parts"][0]["buffer"] == "4.5"
    assert row.target is not None
    assert sum(row.target.values()) == 45


def test_negative_stock_sells_nothing_and_kits_sell_what_can_be_built(make_site: SiteMaker) -> None:
    site = make_site(routes=route(), skus={"MUG": 9, "TEA": 5, "BOX": {"kit": [{"sku": "MUG", "quantity": 2}]}})
    list_products(site, "MUG", "TEA", "BOX", stock=7)
    in_erp(site, "TEA", quantity=-3)
    work(site)
    assert sells(site, "MUG", "TEA", "BOX") == {"MUG": 9, "TEA": 0, "BOX": 4}


def test_sku_that_stands_for_several_sells_what_its_scarcest_part_allows(make_site: SiteMaker) -> None:
    """And its orders take from all parts."""
    mapping = "skus: {GIFT: [{sku: MUG, quantity: 2, price_share: 0.5}, {sku: TEA, price_share: 0.5}], OLD: MUG}"
    site = make_site(routes=route(orders=mapping), skus={"MUG": 9, "TEA": 5})
    list_products(site, "MUG", "TEA", "GIFT", "OLD", stock=50)
    work(site)
    assert sells(site, "MUG", "TEA", "GIFT", "OLD") == {"MUG": 9, "TEA": 5, "GIFT": 4, "OLD": 9}
    buy(site, "GIFT", 2)
    later(site, 60)
    assert sells(site, "MUG", "TEA", "GIFT", "OLD") == {"MUG": 5, "TEA": 3, "GIFT": 2, "OLD": 5}


def test_channels_own_bundle_is_never_written_and_its_parts_are(make_site: SiteMaker) -> None:
    site = make_site(routes=route(), skus={"MUG": 9, "TEA": 5, "SET": 77})
    list_products(site, "MUG", "TEA", stock=7)
    bundle = [{"sku": "MUG", "count": 2}, {"sku": "TEA", "count": 1}]
    site.tiktok_sim("seed", {"products": [{"title": "Set", "skus": [{"seller_sku": "SET", "bundle": bundle}]}]})
    work(site)
    assert sells(site, "MUG", "TEA") == {"MUG": 9, "TEA": 5}
    before = site.calls("tiktok")
    buy(site, "SET", 2)
    later(site, 60)
    later(site, 2 * HOUR)
    assert sells(site, "MUG", "TEA") == {"MUG": 5, "TEA": 3}
    assert UPDATE not in made_since(site, "tiktok", before)


# -- several places


TWO_PLACES = [
    {"id": "7001", "name": "East", "type": "SALES_WAREHOUSE", "is_default": True},
    {"id": "7002", "name": "West", "type": "SALES_WAREHOUSE"},
    {"id": "7009", "name": "Back", "type": "RETURN_WAREHOUSE"},
]


def _by_place(site: Site, sku: str) -> dict[str, int]:
    state = site.tiktok_sim("state", method="GET")
    (ref,) = [one["id"] for product in state["products"] for one in product["skus"] if one["seller_sku"] == sku]
    return {place: each["available"] for place, each in state["stock"][ref]["warehouses"].items()}


def test_one_stock_is_not_shown_in_every_place(make_site: SiteMaker) -> None:
    site = make_site(routes=route())
    site.tiktok_sim("seed", {"warehouses": TWO_PLACES})
    list_products(site, "MUG", stock={"7001": 5, "7002": 5})
    work(site)
    assert _by_place(site, "MUG") == {"7001": 100, "7002": 0}


def test_places_are_fed_by_the_locations_that_the_route_names(make_site: SiteMaker) -> None:
    far = "[{location: Far}, {location: Main warehouse, share: 25}]"
    rules = f"locations: {{East: [{{location: Main warehouse, share: 50}}], '7002': {far}}}"
    site = make_site(routes=route(rules))
    site.katana_sim("seed", {"locations": [{"name": "Main warehouse"}, {"name": "Far"}],
                             "stock": [{"sku": "MUG", "location": "Far", "quantity": 8}]})  # fmt: skip
    site.tiktok_sim("seed", {"warehouses": TWO_PLACES})
    list_products(site, "MUG", stock={"7001": 5, "7002": 5})
    work(site)
    assert _by_place(site, "MUG") == {"7001": 50, "7002": 33}
    assert site.calls("katana")[INVENTORY] == 2, "one sweep per mapped location"
    before = site.calls("tiktok")
    buy(site, "MUG", 7)
    later(site, 60)
    assert _by_place(site, "MUG") == {"7001": 43, "7002": 33}
    assert UPDATE not in made_since(site, "tiktok", before), "the place that sold lowers its own number"


# -- two shops on one ERP


def test_order_in_one_shop_lowers_the_other_at_once_for_one_call(make_site: SiteMaker) -> None:
    """A pool: both sell the same units."""
    site = make_site(routes=route())
    other = two_shops(site, "pool: all", "pool: all")
    list_products(site, "MUG", "TEE", stock=7)
    list_products(site, "MUG", "TEE", stock=7, shop=other)
    work(site)
    assert (sells(site, "MUG", shop="7495000000000000001"), sells(site, "MUG", shop=other)) == (100, 100)
    before = site.calls("tiktok")
    buy(site, "MUG", 4)
    later(site, 60)
    assert (sells(site, "MUG", shop="7495000000000000001"), sells(site, "MUG", shop=other)) == (96, 96)
    made = made_since(site, "tiktok", before)
    assert made[UPDATE] == 1
    for _ in range(4):
        later(site, HALF)
    assert (sells(site, "MUG", shop="7495000000000000001"), sells(site, "MUG", shop=other)) == (96, 96)
    assert made_since(site, "tiktok", before)[UPDATE] == 1, "placed and read: nothing is subtracted again"


def test_shops_that_split_the_stock_sell_together_what_there_is(make_site: SiteMaker) -> None:
    site = make_site(routes=route(), skus={"MUG": 101})
    other = two_shops(site, "share: 60", "share: 40")
    list_products(site, "MUG", stock=7)
    list_products(site, "MUG", stock=7, shop=other)
    work(site)
    assert (sells(site, "MUG", shop="7495000000000000001"), sells(site, "MUG", shop=other)) == (60, 40)


# -- which items take part


def test_item_that_is_switched_off_is_left_alone(make_site: SiteMaker) -> None:
    site = make_site(routes=route(products="disabled: ['TE*']"))
    list_products(site, "MUG", "TEE", "TEA", "HAT", stock=7)
    work(site)
    assert sells(site, "MUG", "TEE", "TEA", "HAT") == {"MUG": 100, "TEE": 7, "TEA": 7, "HAT": 7}


@pytest.mark.parametrize("off", ["on the channel", "by the route"])
def test_units_sold_of_an_item_that_is_off_are_counted_no_longer_once_they_shipped(
    make_site: SiteMaker, off: str
) -> None:
    """Of orders that the ledger does not see: only the channel says what its buyers have of it."""
    text = route(orders="skus: {OLD: MUG}").replace("2026-03-01", "2026-03-02T12:30:00Z")
    site = make_site(routes=text, skus={"MUG": 50})
    list_products(site, "MUG", "OLD", stock=5)
    old = site.order(lines=[{"sku": "OLD", "quantity": 4}])
    work(site)
    assert sells(site, "MUG") == 46
    if off == "on the channel":
        site.tiktok_sim("sku", {"sku": "OLD", "off": True})
    else:
        site.write_routes(text.replace("products: {", "products: {disabled: [OLD]"))
    later(site, HOUR + 1)
    assert sells(site, "MUG") == 46
    site.act(old, "ship")
    in_erp(site, "MUG", change=-4)
    for _ in range(3):
        later(site, HOUR + 1)
    assert sells(site, "MUG") == 46, "four left the shelf, and nobody waits for them any more"


def test_section_that_is_off_costs_not_one_call(make_site: SiteMaker) -> None:
    """M6, M7."""
    site = make_site(routes=route("enabled: false"))
    list_products(site, "MUG", stock=7)
    work(site)
    later(site, 2 * HOUR)
    assert sells(site, "MUG") == 7
    assert not {SEARCH, UPDATE, PRODUCTS} & site.calls("tiktok").keys()
    assert INVENTORY not in site.calls("katana")


def test_unit_made_while_another_ships_is_offered_with_the_next_reconciliation(shop: Site) -> None:
    """What left is reckoned as if it might be on sale again: just as many units that came would hide behind it."""
    ref = buy(shop, "MUG", 1)
    later(shop, HOUR)
    later(shop, HOUR + 1)
    later(shop, HOUR + 1)
    assert (shop.fate(ref)[0], sells(shop, "MUG")) == ("placed", 99)
    in_erp(shop, "MUG", change=1)
    with pytest.MonkeyPatch.context() as patch:  # the sweep sees the one before the shop is told of it ...
        patch.setattr(channel_stock._Job, "work", lambda _: False)
        later(shop, HOUR + 1)
    shop.katana_sim("do/ship", {"order_no": shop.row(ref).key, "status": "DELIVERED"})
    shop.act(ref, "ship")  # ... and the pull sees the other
    later(shop, 61)
    assert sells(shop, "MUG") == 100
