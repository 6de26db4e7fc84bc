"""The scarce thing is calls; each promise about them is counted by the simulators."""

from __future__ import annotations

from tests.site import HOUR, NOON, Site


def test_placed_order_costs_one_katana_call_and_the_pull_one_per_hundred(site: Site) -> None:
    """1 to Katana per order (known variants, one customer per shop, no fee); TikTok: 100 a page, twice."""
    site.orders_made(count=300, lines=[{"sku": "MUG", "price": "20.00"}], create_time=NOON - 60)
    site.sync()
    before = site.calls("katana"), site.calls("tiktok")
    assert before[1]["POST /order/202309/orders/search"] == 3
    site.advance(HOUR)
    site.sync()
    katana, tiktok = site.calls("katana"), site.calls("tiktok")
    assert katana.pop("POST /v1/sales_orders") == 300
    overhead = sum(katana.values())  # find the SKU, the customer (look-up and make), adopt nothing
    assert overhead <= 5, katana
    # The end of the channel's hold is a change of status, so the feed itself is the re-read: no detail call.
    assert tiktok["POST /order/202309/orders/search"] == 6
    assert not any("202507" in call for call in tiktok)


def test_release_without_news_reads_a_hundred_orders_a_call(site: Site) -> None:
    site.orders_made(count=300, on_hold=False, lines=[{"sku": "MUG", "price": "20.00"}], create_time=NOON - 60)
    site.sync()
    first = site.total_calls("tiktok")
    site.advance(HOUR)
    site.sync()
    assert site.fates() == {"placed": 300}
    assert site.total_calls("tiktok") - first <= 1 + 300 / 50


def test_quiet_pass_costs_two_calls_to_the_channel_and_none_to_the_erp(site: Site) -> None:
    """Orders and cancellations are both asked for at every poll, since neither tells all of the other."""
    site.order()
    site.advance(2 * HOUR)
    site.sync()
    site.advance(600)
    before = site.total_calls("tiktok"), site.total_calls("katana")
    site.sync()
    assert (site.total_calls("tiktok") - before[0], site.total_calls("katana") - before[1]) == (2, 0)


def test_many_orders_with_an_unknown_sku_cost_one_look_up(site: Site) -> None:
    site.orders_made(count=120, lines=[{"sku": "HAT", "price": "9.00"}], create_time=NOON - 60)
    site.advance(2 * HOUR)
    site.sync()
    assert site.fates() == {"blocked": 120}
    calls = site.calls("katana")
    assert calls == {"GET /v1/variants": 1, "GET /v1/sales_orders": 1}  # and one survey of what others made
