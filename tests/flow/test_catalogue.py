"""The ERP's catalogue is read where it can matter, and never too late: before an order is placed, and for stock."""

from __future__ import annotations

import pytest

from hub.engine import catalogue, recheck
from tests.flow.conftest import SiteMaker
from tests.flow.stock_site import INVENTORY, in_erp, later, list_products, made_since, route, sells, work
from tests.site import HOUR, NOON, Site

VARIANTS, FIND = "GET /v1/variants", "GET /v1/sales_orders"


def _placed(site: Site) -> list[str]:
    return [order["order_no"] for order in site.sales_orders()]


@pytest.mark.parametrize("change", [{"new_sku": "OLD-MUG"}, {"deleted": True}])
def test_order_is_not_placed_by_a_sku_that_changed_meanwhile(site: Site, change: dict[str, object]) -> None:
    """The SKU was known, and nobody read the catalogue since: it is read just before the order is composed."""
    site.order(create_time=NOON - 2 * HOUR)
    ref = site.order(create_time=NOON - 50 * 60)
    site.sync()
    assert len(_placed(site)) == 1
    site.katana_sim("do/variant", {"sku": "MUG", **change})
    site.advance(16 * 60)
    site.sync()
    assert site.fate(ref) == ("blocked", "variant-unmapped")
    assert len(_placed(site)) == 1


def test_order_that_waits_for_no_variant_has_nothing_read(site: Site) -> None:
    """Held, or unpaid: no reading of the catalogue before it goes, and then one."""
    site.order(create_time=NOON - 2 * HOUR)
    site.sync()
    site.order(paid_time=None)
    site.order(create_time=NOON - 30)
    site.sync()
    before = site.calls("katana")
    for _ in range(3):
        site.advance(16 * 60)
        site.sync()
    assert made_since(site, "katana", before) == {}
    site.advance(16 * 60)
    site.sync()
    assert made_since(site, "katana", before)[VARIANTS] == 1
    assert len(_placed(site)) == 2


def test_renamed_variant_is_seen_by_the_sweep_of_stock(make_site: SiteMaker) -> None:
    """No call beside those of the sweep; what was found to differ is looked up, both SKUs at once."""
    site = make_site(routes=route())
    list_products(site, "MUG", "TEE", stock=7)
    work(site)
    assert sells(site, "MUG", "TEE") == {"MUG": 100, "TEE": 100}
    before = site.calls("katana")
    later(site, HOUR + 1)
    assert made_since(site, "katana", before) == {INVENTORY: 1}
    site.katana_sim("do/variant", {"sku": "TEE", "new_sku": "OLD-TEE"})
    site.katana_sim("do/variant", {"sku": "MUG", "new_sku": "TEE"})
    in_erp(site, "TEE", change=-60)
    before = site.calls("katana")
    later(site, HOUR + 1)
    assert sells(site, "MUG", "TEE") == {"MUG": 100, "TEE": 40}, "TEE is another now; MUG is none, and left alone"
    assert made_since(site, "katana", before)[VARIANTS] <= 2


def test_second_variant_of_a_sku_is_seen_by_the_sweep(make_site: SiteMaker) -> None:
    site = make_site(routes=route())
    list_products(site, "MUG", stock=7)
    work(site)
    site.katana_sim("do/twin", {"sku": "MUG"})
    in_erp(site, "MUG", change=-60)
    later(site, HOUR + 1)
    assert sells(site, "MUG") == 100, "which of the two is meant, nobody can say"


def test_erp_whose_levels_tell_no_skus_is_asked_for_changes_once_an_hour(
    make_site: SiteMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(routes=route())
    list_products(site, "MUG", "TEE", stock=7)
    work(site)
    monkeypatch.setattr(catalogue, "compare", lambda *_: None)
    site.katana_sim("do/variant", {"sku": "TEE", "new_sku": "OLD-TEE"})
    before = site.calls("katana")
    for _ in range(5):
        later(site, HOUR / 2)
    assert 2 <= made_since(site, "katana", before)[VARIANTS] <= 4, "two readings, and looks for what is missing since"
    in_erp(site, "OLD-TEE", change=-60)
    later(site, HOUR + 1)
    assert sells(site, "MUG", "TEE") == {"MUG": 100, "TEE": 100}, "it is no TEE any more"


def test_daily_look_at_open_sales_orders_costs_one_batch_an_hour(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quiet hour has hardly a call to spare for the ERP; the channel's orders are read again at once."""
    refs = [site.order(create_time=NOON - 2 * HOUR + n) for n in range(5)]
    site.sync()
    monkeypatch.setattr(recheck, "ERP_BATCH", 2)
    asked: list[int] = []
    for step in range(18):
        site.advance(24 * HOUR + 600 if step == 0 else 600)
        before = site.calls("katana").get(FIND, 0)
        site.sync()
        asked += [step] if site.calls("katana").get(FIND, 0) > before else []
    assert {site.fate(ref)[0] for ref in refs} == {"placed"}
    assert asked == [0, 6, 12]
