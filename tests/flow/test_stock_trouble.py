"""Stock when something is in the way: refusals, lost answers, systems that are away. Never more than there is."""

from __future__ import annotations

from typing import Any

import pytest

from hub.engine import shelf, write_stock
from tests.flow.conftest import SiteMaker
from tests.flow.stock_site import (
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

FIRST = "7495000000000000001"


def told_of(site: Site, sku: str) -> list[int]:
    """Return what the channel was told to sell of a SKU, in order, whatever it answered."""
    state = site.tiktok_sim("state", method="GET")
    (ref,) = [one["id"] for product in state["products"] for one in product["skus"] if one["seller_sku"] == sku]
    calls: list[dict[str, Any]] = site.tiktok_sim("journal", method="GET")["calls"]
    bodies = [call["body"]["skus"] for call in calls if call["path"].endswith("/inventory/update")]
    return [place["quantity"] for skus in bodies for one in skus if one["id"] == ref for place in one["inventory"]]


@pytest.fixture
def shop(make_site: SiteMaker) -> Site:
    """A site whose channel sells the 100 MUG and 100 TEE of the ERP."""
    site = make_site(routes=route())
    list_products(site, "MUG", "TEE", stock=7)
    work(site)
    return site


def test_refused_sku_is_told_apart_from_the_others_and_tried_again_when_its_number_changes(shop: Site) -> None:
    """A promotion keeps MUG from going below what it sells; TEE of the same sweep goes through."""
    shop.tiktok_sim("sku", {"sku": "MUG", "promotion": True})
    in_erp(shop, "MUG", change=-30)
    in_erp(shop, "TEE", change=-30)
    later(shop, HOUR + 1)
    assert sells(shop, "MUG", "TEE") == {"MUG": 100, "TEE": 70}
    row, _ = stock_row(shop, "MUG")
    assert row.reason is not None
    assert {"code", "what", "do", "lasting"} <= row.reason.keys()
    assert row.reason["lasting"]
    assert row.retry_at is not None
    tried = told_of(shop, "MUG")
    for _ in range(3):
        later(shop, HOUR + 1)
    assert told_of(shop, "MUG") == tried, "the same number would be refused again"
    in_erp(shop, "MUG", change=-1)
    later(shop, HOUR + 1)
    assert told_of(shop, "MUG") == [*tried, 69]
    shop.tiktok_sim("sku", {"sku": "MUG", "promotion": False})
    later(shop, 25 * HOUR)
    assert sells(shop, "MUG") == 69, "tried again daily"
    row, _ = stock_row(shop, "MUG")
    assert (row.reason, row.retry_at) == (None, None)


def test_refused_sku_that_sells_what_it_should_after_all_is_no_longer_told_of(shop: Site) -> None:
    shop.tiktok_sim("sku", {"sku": "MUG", "promotion": True})
    in_erp(shop, "MUG", change=-30)
    later(shop, HOUR + 1)
    assert stock_row(shop, "MUG")[0].reason is not None
    in_erp(shop, "MUG", change=30)
    later(shop, HOUR + 1)
    later(shop, HOUR + 1)
    row, _ = stock_row(shop, "MUG")
    assert (row.reason, row.retry_at) == (None, None)
    assert sells(shop, "MUG") == 100


def test_after_a_lost_answer_the_channel_is_read_before_it_is_believed(shop: Site) -> None:
    in_erp(shop, "MUG", change=-30)
    shop.tiktok_sim("faults", {"faults": [{"kind": "lost_reply", "match": "inventory/update", "times": 1}]})
    shop.advance(HOUR + 1)
    shop.sync()
    row, _ = stock_row(shop, "MUG")
    assert row.quantities is None, "nobody knows what it sells"
    before = shop.calls("tiktok")
    later(shop, 60)
    made = made_since(shop, "tiktok", before)
    assert made.get(SEARCH, 0) >= 1
    assert sells(shop, "MUG") == 70
    assert told_of(shop, "MUG").count(70) == 1, "it had arrived: no second write"
    row, _ = stock_row(shop, "MUG")
    assert (row.reason, row.retry_at) == (None, None)


def test_write_that_never_arrived_is_written_after_a_while(shop: Site) -> None:
    in_erp(shop, "MUG", change=-30)
    shop.tiktok_sim("faults", {"faults": [{"kind": "drop", "match": "inventory/update", "times": 1}]})
    shop.advance(HOUR + 1)
    shop.sync()
    assert sells(shop, "MUG") == 100
    later(shop, 60)
    assert sells(shop, "MUG") == 70


def test_hub_that_dies_while_it_writes_reads_before_it_goes_on(shop: Site) -> None:
    """The intent is stored before the call, so that the next process knows that it does not know."""
    in_erp(shop, "MUG", change=-30)
    shop.tiktok_sim("faults", {"faults": [{"kind": "lost_reply", "match": "inventory/update", "times": 1}]})
    shop.advance(HOUR + 1)
    world = shop.open()

    class KilledError(BaseException):
        """Stands for the end of the process."""

    def die(*_: object) -> dict[str, Any]:
        raise KilledError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write_stock, "_failed", die)
        with pytest.raises(KilledError):
            shop.sync(again=True)
    world.close()
    shop.world = None
    before = shop.calls("tiktok")
    later(shop, 60)
    assert sells(shop, "MUG") == 70
    assert made_since(shop, "tiktok", before).get(SEARCH, 0) >= 1
    assert told_of(shop, "MUG").count(70) == 1


def test_product_that_always_fails_does_not_keep_the_others_from_theirs(shop: Site) -> None:
    in_erp(shop, "MUG", change=-30)
    in_erp(shop, "TEE", change=-30)
    state = shop.tiktok_sim("state", method="GET")
    (product,) = [one["id"] for one in state["products"] if one["skus"][0]["seller_sku"] == "MUG"]
    shop.tiktok_sim("faults", {"faults": [{"kind": "500", "match": f"{product}/inventory/update"}]})
    later(shop, HOUR + 1)
    for _ in range(3):
        later(shop, 30)
    assert sells(shop, "MUG", "TEE") == {"MUG": 100, "TEE": 70}
    assert len(told_of(shop, "MUG")) <= 8, "it waits longer each time"
    shop.tiktok_sim("faults", {"faults": []})
    later(shop, HOUR)
    assert sells(shop, "MUG") == 70


def test_nothing_is_raised_on_a_reading_that_is_too_old(make_site: SiteMaker) -> None:
    """The ERP is away for hours: what sells elsewhere still lowers this shop, nothing raises it."""
    site = make_site(routes=route())
    other = two_shops(site, "pool: all", "pool: all")
    list_products(site, "MUG", stock=7)
    list_products(site, "MUG", stock=7, shop=other)
    work(site)
    buy(site, "MUG", 4, shop=other)
    later(site, 60)
    site.both("clock", {"rate": 60})  # a failed reading is repeated after a while
    site.katana_sim("faults", {"faults": [{"kind": "503", "match": "/"}]})
    in_erp(site, "MUG", change=50)
    later(site, 3 * HOUR)
    buy(site, "MUG", 3, shop=other)
    later(site, 60)
    assert sells(site, "MUG", shop=FIRST) == 93
    site.katana_sim("faults", {"faults": []})
    later(site, HOUR)
    for _ in range(2):
        later(site, 150)  # the orders are placed by now, and the levels read again that long after
    assert (sells(site, "MUG", shop=FIRST), sells(site, "MUG", shop=other)) == (143, 143)


def test_no_stock_is_written_while_orders_cannot_be_read(shop: Site) -> None:
    """Law 5: orders are pulled before stock is pushed."""
    in_erp(shop, "MUG", change=-30)
    in_erp(shop, "TEE", change=30)
    shop.both("clock", {"rate": 60})  # a failed reading is repeated after a while
    shop.tiktok_sim("faults", {"faults": [{"kind": "503", "match": "orders/search"}]})
    before = shop.calls("tiktok")
    later(shop, HOUR + 1)
    assert sells(shop, "MUG", "TEE") == {"MUG": 100, "TEE": 100}
    assert UPDATE not in made_since(shop, "tiktok", before)
    shop.tiktok_sim("faults", {"faults": []})
    later(shop, 60)
    assert sells(shop, "MUG", "TEE") == {"MUG": 70, "TEE": 130}


def test_order_that_came_between_the_pull_and_the_write_is_not_sold_again(shop: Site) -> None:
    """C: what the channel has committed is read after the pull and before the write."""
    in_erp(shop, "MUG", quantity=10)
    shop.advance(HOUR + 1)
    read = shelf.read

    def bought_first(*arguments: Any) -> None:
        buy(shop, "MUG", 4)
        read(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shelf, "read", bought_first)
        shop.sync()
    assert told_of(shop, "MUG")[-1] == 6
    assert sells(shop, "MUG") == 6


def test_sku_on_two_variants_is_left_alone_and_heals(shop: Site) -> None:
    shop.katana_sim("do/twin", {"sku": "MUG"})
    in_erp(shop, "TEE", change=-30)
    before = told_of(shop, "MUG")
    for _ in range(2):
        later(shop, HOUR + 1)
    assert sells(shop, "TEE") == 70
    assert told_of(shop, "MUG") == before


def test_lagging_reading_of_the_erp_sells_nothing_twice(make_site: SiteMaker) -> None:
    """The ERP's levels lag behind its orders by up to the settle time."""
    site = make_site(routes=route(), skus={"MUG": 10})
    site.katana_sim("options", {"stale_inventory_s": 50})
    list_products(site, "MUG", stock=0)
    site.advance(60)
    work(site)
    lowest = 10
    for _ in range(6):
        buy(site, "MUG", 1)
        lowest -= 1
        for seconds in (60, 1740, 1741):
            later(site, seconds)
            assert sells(site, "MUG") == lowest
    assert min(told_of(site, "MUG"), default=10) >= lowest


def test_more_products_than_one_step_writes_arrive_all(make_site: SiteMaker) -> None:
    """A step gives way after some products; each costs one call, and many are read with one."""
    skus = {f"SKU-{n:02}": 40 + n for n in range(60)}
    site = make_site(routes=route(), skus=skus)
    list_products(site, *skus, stock=3)
    site.both("clock", {"rate": 20})  # calls are budgeted by the second
    work(site)
    assert sells(site, *skus) == skus
    calls = site.calls("tiktok")
    assert calls[UPDATE] == 60
    assert calls[SEARCH] <= 3, "once more only where orders were pulled between two steps"


@pytest.mark.parametrize("hours", [0.5, 3, 30])
def test_clock_that_is_set_back_does_not_keep_stock_waiting_until_it_catches_up(
    make_site: SiteMaker, hours: float
) -> None:
    """Law 5: what was read in a wrong future is read anew at once, and what comes later counts."""
    site = make_site(routes=route())
    site.tiktok_sim("options", {"rotation": "survives"})
    list_products(site, "MUG", stock=0)
    site.advance(hours * HOUR)
    work(site)
    assert sells(site, "MUG") == 100
    site.both("clock", {"now": NOON + 60})
    in_erp(site, "MUG", quantity=10)
    later(site, 61)
    later(site, 61)
    assert sells(site, "MUG") == 10
    buy(site, "MUG", 4)
    later(site, HOUR + 1)
    assert sells(site, "MUG") == 6
