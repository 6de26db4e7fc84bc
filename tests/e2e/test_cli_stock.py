"""``hub stock``: how a number came about, term by term."""

from __future__ import annotations

from tests.e2e.conftest import Hub
from tests.flow.stock_site import buy, list_products, route, sells
from tests.site import HOUR, Site


def test_stock_shows_every_term_of_a_number(site: Site, hub: Hub) -> None:
    site.write_routes(route("buffer: {units: 2}"))
    list_products(site, "MUG", "TEE", stock=7)
    assert hub("sync").code == 0
    site.advance(HOUR)
    assert hub("sync").code == 0
    buy(site, "MUG", 3)
    site.advance(60)
    assert hub("sync").code == 0
    assert sells(site, "MUG", "TEE") == {"MUG": 95, "TEE": 98}
    (mug,) = hub("--json", "stock", "MUG").json
    (part,) = mug["terms"]["parts"]
    assert (part["available"], part["unknown"], part["buffer"], part["makes"]) == ("100", "3", "2", 95)
    assert sum(mug["target"].values()) == sum(mug["sells"].values()) == 95
    shown = hub("stock", "MUG").out
    for words in ("100 in stock", "3 ordered in shop", "2 buffer", "should sell 95"):
        assert words in shown
    listed = hub("stock").out
    assert "MUG" in listed
    assert "TEE" in listed


def test_stock_of_what_no_shop_sells_says_what_to_do(site: Site, hub: Hub) -> None:
    site.write_routes(route())
    refused = hub("stock", "HAT")
    assert refused.code == 1
    assert "sku-unknown" in refused.err
    assert "hub products --refresh" in refused.err


def test_stock_that_is_off_is_said(site: Site, hub: Hub) -> None:
    site.write_routes(route("enabled: false"))
    refused = hub("stock")
    assert refused.code == 1
    assert "stock-off" in refused.err
