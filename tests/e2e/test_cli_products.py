"""``hub products``: the list, its filters, and a person's switches, as real processes."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Hub
from tests.flow.stock_site import list_products
from tests.site import ROUTE, Site


@pytest.fixture
def goods(site: Site) -> Site:
    """A shop and an ERP with some products in common; tea is switched off."""
    site.write_routes(ROUTE + '    products: {disabled: ["TEA"]}\n')
    list_products(site, "MUG", "HAT")
    return site


def test_products_shows_both_sides_and_reads_them_where_nothing_is_known(goods: Site, hub: Hub) -> None:
    ran = hub("products")
    assert ran.code == 0, ran.err
    assert "us: 4 products: 1 matched  2 only in factory  1 only on shop  1 switched off" in ran.out
    (tea,) = [line for line in ran.out.splitlines() if line.startswith("TEA")]
    assert "only in factory" in tea
    assert "off (by TEA)" in tea
    calls = goods.total_calls("tiktok"), goods.total_calls("katana")
    assert hub("products", "us", "--only", "there", "--json").json[0]["items"][0]["sku"] == "HAT"
    assert (goods.total_calls("tiktok"), goods.total_calls("katana")) == calls
    list_products(goods, "CAP")
    assert "CAP" in hub("products", "--refresh").out


def test_a_person_switches_items(goods: Site, hub: Hub) -> None:
    ran = hub("products", "disable", "MUG", "HAT")
    assert ran.code == 0, ran.err
    assert "orders still arrive" in " ".join(ran.out.split())
    assert hub("products", "enable", "TEA", "--json").json[0]["enabled"] is True
    off = hub("products", "--only", "off", "--json").json[0]["items"]
    assert {(row["sku"], row["switched_by"]) for row in off} == {("MUG", "person"), ("HAT", "person")}


def test_misuse_is_told(goods: Site, hub: Hub) -> None:
    ran = hub("products", "disable", "MUGS")
    assert (ran.code, "Did you mean MUG?" in ran.err) == (1, True)
    ran = hub("products", "uss")
    assert (ran.code, "Did you mean us?" in ran.err) == (1, True)
    assert hub("products", "disable").code == 2
    assert "enable" in hub("products", "--help").out
