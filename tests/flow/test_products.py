"""Products: both catalogues side by side, switches, listings published and updated, over real HTTP (M7, M10)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.contract import HubError
from hub.engine import listing, products
from hub.engine.products import Catalogue, Row
from hub.store import products as ledger
from hub.store.products import ListingRow
from tests.flow.conftest import SiteMaker
from tests.flow.stock_site import list_products, sells, work
from tests.site import Site

ROUTE = """\
  - name: us
    channel: shop
    erp: factory
    orders:
      start: 2026-03-01
      skus:
        TT-TEE: TEE
        GIFTBOX: [{sku: MUG, quantity: 1, price_share: 0.5}, {sku: TEA, quantity: 1, price_share: 0.5}]
    fulfillments: {enabled: false}
    inventory: {INVENTORY}
    products: {PRODUCTS}
"""
READY = (
    'publish: draft, skus: ["MUG*"], images: images, weight: 420g, size_cm: [12, 10, 10], '
    'categories: {"MUG*": "600154"}'
)
CREATE = "POST /product/202309/products"
EDIT = "POST /product/202509/products/{product_id}/partial_edit"
PRICES = "POST /product/202309/products/{product_id}/prices/update"


def route(rules: str = "", inventory: str = "enabled: false") -> str:
    """Return a route with these product rules."""
    return ROUTE.replace("{PRODUCTS}", "{" + rules + "}").replace("{INVENTORY}", "{" + inventory + "}")


def png(shade: int = 200, side: int = 400) -> bytes:
    """Return a picture of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    body = zlib.compress((b"\0" + bytes([shade]) * side) * side)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def show_goods(folder: Path, *skus: str) -> None:
    """Put pictures and words of some SKUs where the route looks for them."""
    (folder / "images").mkdir(exist_ok=True)
    for sku in skus:
        (folder / "images" / f"{sku}.png").write_bytes(png())
        (folder / "images" / f"{sku}.txt").write_text(f"{sku}, of enamelled steel.")


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    """A site that publishes mugs as drafts, with all that a listing needs."""
    made = make_site(routes=route(READY))
    show_goods(made.folder, "MUG")
    return made


def step(site: Site, *, opened: bool = True) -> int:
    """Have the hub bring listings to rest; returns in how many steps."""
    world = site.world if opened and site.world is not None else site.open()
    for n in range(20):
        if not listing.publish(world, world.connected["shop"]):
            return n
    raise AssertionError("listings never come to rest")


def later(site: Site, seconds: float) -> None:
    """Let time pass; a hub that follows the simulated clock starts anew with it."""
    site.advance(seconds)
    site.open()


def review(site: Site) -> Catalogue:
    """Return what ``hub products`` would show."""
    world = site.world or site.open()
    (found,) = products.routes_of(world, None)
    return products.review(world, found)


def items(site: Site) -> dict[str | None, Row]:
    """Return the same by SKU."""
    return {row.sku: row for row in review(site).items}


def problem(site: Site, sku: str) -> dict[str, Any]:
    """Return the one thing that stands in the way of a listing."""
    found = items(site)[sku].listing
    assert found is not None
    (said,) = found.problems
    return said


def row_of(site: Site, product: str) -> ListingRow | None:
    """Return what the ledger knows of a listing."""
    world = site.world
    assert world is not None
    with world.store.read() as tx:
        return ledger.listings_of(tx, "shop").get(product)


def on_channel(site: Site) -> list[dict[str, Any]]:
    """Return the channel's products."""
    found: list[dict[str, Any]] = site.tiktok_sim("state", method="GET")["products"]
    return found


def since(site: Site, before: Mapping[str, int]) -> dict[str, int]:
    """Return the calls to the channel since a count of them."""
    return {call: n - before.get(call, 0) for call, n in site.calls("tiktok").items() if n != before.get(call, 0)}


def mug(site: Site) -> str:
    """Return what the ERP calls the product of SKU MUG."""
    (found,) = items(site)["MUG"].erp
    assert found.product is not None
    return found.product


def test_both_catalogues_are_matched_by_sku_after_the_routes_table(make_site: SiteMaker) -> None:
    site = make_site(routes=route('disabled: ["TEA*"]'), skus={"MUG": 5, "TEE": 5, "TEA": 5, "CUP": 5})
    list_products(site, "MUG", "TT-TEE", "GIFTBOX", "HAT", "CUP")
    list_products(site, "CUP", id="1729000000000000777", sku_id="1730000000000000777")
    site.katana_sim("do/twin", {"sku": "TEE"})
    world = site.open()
    products.read_both(world, world.routes[0])
    found = items(site)
    assert {sku: row.match for sku, row in found.items()} == {
        "MUG": "matched", "TEE": "duplicates", "TEA": "here", "CUP": "duplicates", "HAT": "there",
        "GIFTBOX": "matched",
    }  # fmt: skip
    assert [each.sku for each in found["TEE"].channel] == ["TT-TEE"]
    assert found["TEA"].within == ("GIFTBOX",)
    assert (found["TEA"].enabled, found["TEA"].switched_by) == (False, "TEA*")
    assert (str(found["MUG"].erp[0].price), found["MUG"].erp[0].currency) == ("20", "USD")


def test_what_a_whole_reading_no_longer_tells_is_gone(make_site: SiteMaker) -> None:
    site = make_site(routes=route())
    list_products(site, "MUG")
    world = site.open()
    products.read_both(world, world.routes[0])
    assert items(site)["MUG"].match == "matched"
    site.tiktok_sim("seed", {"reset": True})
    products.read_both(world, world.routes[0])
    assert items(site)["MUG"].match == "here"


def test_a_persons_switch_wins_over_the_pattern_and_stops_the_stock(make_site: SiteMaker) -> None:
    site = make_site(routes=route('disabled: ["TEE"]', inventory="every: 1h"))
    list_products(site, "MUG", "TEE")
    world = site.open()
    products.read_both(world, world.routes[0])
    products.switch(world.store, world.routes, ["TEE"], enabled=True)
    (off,) = products.switch(world.store, world.routes, ["MUG"], enabled=False)
    assert "orders still arrive" in off.says
    work(site)
    assert sells(site, "MUG", "TEE") == {"MUG": 0, "TEE": 100}
    assert (items(site)["MUG"].enabled, items(site)["MUG"].switched_by) == (False, "person")


def test_items_that_are_off_stay_off_where_the_whole_section_is(make_site: SiteMaker) -> None:
    """Switching listings off must not set the stock of what somebody keeps out of sync."""
    site = make_site(routes=route('disabled: ["TEE"], enabled: false', inventory="every: 1h"))
    list_products(site, "MUG", "TEE")
    world = site.open()
    products.read_both(world, world.routes[0])
    products.switch(world.store, world.routes, ["MUG"], enabled=False)
    work(site)
    assert sells(site, "MUG", "TEE") == {"MUG": 0, "TEE": 0}


def test_an_unknown_sku_is_refused_with_the_nearest_one_and_nothing_is_switched(make_site: SiteMaker) -> None:
    site = make_site(routes=route())
    world = site.open()
    products.read_both(world, world.routes[0])
    with pytest.raises(HubError, match=r"SKU 'MUGG'.*Did you mean MUG"):
        products.switch(world.store, world.routes, ["TEE", "MUGG"], enabled=False)
    assert all(row.enabled for row in items(site).values())


def test_a_product_becomes_a_draft_without_stock_and_a_quiet_step_costs_nothing(site: Site) -> None:
    """M10."""
    step(site)
    (made,) = on_channel(site)
    assert (made["title"], made["status"], [sku["seller_sku"] for sku in made["skus"]]) == ("Mug", "DRAFT", ["MUG"])
    assert sells(site, "MUG") == 0
    assert Decimal(made["skus"][0]["price"]["tax_exclusive_price"]) == 20
    row = row_of(site, mug(site))
    assert row is not None
    assert (row.state, row.ref, row.reason) == ("done", made["id"], None)
    before = site.calls("tiktok")
    assert step(site) == 0
    assert step(site, opened=False) == 0
    assert since(site, before) == {}


def test_variants_of_one_product_become_one_listing(site: Site) -> None:
    variants = [
        {
            "sku": f"MUG-{colour}",
            "sales_price": 12,
            "config_attributes": [{"config_name": "Colour", "config_value": colour}],
        }
        for colour in ("RED", "BLUE")
    ]
    body = {"name": "Enamel mug", "configs": [{"name": "Colour", "values": ["RED", "BLUE"]}], "variants": variants}
    headers = {"Authorization": f"Bearer {site.environ()['API_KEY']}"}
    answer = site.http.post(f"{site.katana.url}/v1/products", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    show_goods(site.folder, "MUG-RED")
    step(site)
    made = next(each for each in on_channel(site) if each["title"] == "Enamel mug")
    assert sorted(sku["seller_sku"] for sku in made["skus"]) == ["MUG-BLUE", "MUG-RED"]
    assert len(on_channel(site)) == 2


def test_nothing_is_pushed_while_the_shop_lacks_something_and_all_of_it_is_named(site: Site) -> None:
    site.tiktok_sim("options", {"failing_prerequisites": "SHOP_TAX,RETURN_WAREHOUSE"})
    step(site)
    assert on_channel(site) == []
    shop = review(site).shop
    assert shop is not None
    assert [each["what"].split()[0] for each in shop.problems] == ["SHOP_TAX", "RETURN_WAREHOUSE"]
    before = site.calls("tiktok")
    assert step(site) == 0
    assert since(site, before) == {}
    site.tiktok_sim("options", {"failing_prerequisites": ""})
    later(site, 901)
    step(site)
    assert len(on_channel(site)) == 1
    assert review(site).shop is None


def test_all_that_a_product_lacks_is_named_and_it_heals(site: Site) -> None:
    site.katana_sim("seed", {"variants": [{"sku": "MUG-FREE", "name": "Free", "price": 0}]})
    step(site)
    said = problem(site, "MUG-FREE")
    assert said["code"] == "listing-incomplete"
    assert said["what"] == ("its listing lacks a price of MUG-FREE above zero; it has no pictures, no description yet")
    site.katana_sim("do/variant", {"sku": "MUG-FREE", "price": 9})
    show_goods(site.folder, "MUG-FREE")
    world = site.world
    assert world is not None
    products.read_both(world, world.routes[0])
    step(site)
    assert {each["title"] for each in on_channel(site)} == {"Mug", "Free"}


def test_a_refusal_blocks_that_listing_with_its_reason_and_is_tried_when_the_file_changes(make_site: SiteMaker) -> None:
    site = make_site(routes=route(READY.replace("weight: 420g, ", "")))
    show_goods(site.folder, "MUG")
    step(site)
    assert on_channel(site) == []
    said = problem(site, "MUG")
    assert "weight" in said["what"]
    before = site.calls("tiktok")
    assert step(site) == 0
    assert since(site, before) == {}
    site.close_hub()
    site.write_routes(route(READY))
    step(site, opened=False)
    assert len(on_channel(site)) == 1


def test_a_price_that_changed_is_updated_without_touching_stock(make_site: SiteMaker) -> None:
    site = make_site(routes=route(READY.replace("publish: draft", "publish: listing, update: true")))
    show_goods(site.folder, "MUG")
    step(site)
    (made,) = on_channel(site)
    later(site, 3700)
    step(site)
    site.tiktok_sim("sku", {"sku": "MUG", "stock": 7})
    site.katana_sim("do/variant", {"sku": "MUG", "price": "23.50"})
    world = site.world
    assert world is not None
    products.read_both(world, world.routes[0])
    before = site.calls("tiktok")
    step(site)
    assert since(site, before) == {PRICES: 1}
    (now,) = on_channel(site)
    assert (now["id"], now["skus"][0]["price"]["tax_exclusive_price"]) == (made["id"], "23.5")
    assert sells(site, "MUG") == 7


def test_words_that_changed_are_updated_and_nothing_else(make_site: SiteMaker) -> None:
    site = make_site(routes=route(READY + ", update: true"))
    show_goods(site.folder, "MUG")
    step(site)
    later(site, 3700)
    step(site)
    before = site.calls("tiktok")
    (site.folder / "images" / "MUG.txt").write_text("Holds 350 ml.")
    later(site, 901)
    step(site)
    assert since(site, before) == {EDIT: 1}
    row = row_of(site, mug(site))
    assert row is not None
    assert (row.state, row.reason) == ("done", None)


@pytest.mark.parametrize("kind", ["lost_reply", "503", "cut_body"])
def test_a_lost_answer_makes_no_second_listing(site: Site, kind: str) -> None:
    """What went through is found by its SKU; were it not shown, the same key would tell."""
    fault = {"kind": kind, "match": "202309/products$", "method": "POST", "times": 1}
    site.tiktok_sim("faults", {"faults": [fault]})
    step(site)
    row = row_of(site, mug(site))
    assert row is not None
    assert row.state == "unknown"
    later(site, 60)
    step(site)
    (made,) = on_channel(site)
    after = row_of(site, mug(site))
    assert after is not None
    assert (after.state, after.ref) == ("done", made["id"])
    assert site.calls("tiktok")[CREATE] == (2 if kind == "503" else 1)


def test_off_means_not_one_call(make_site: SiteMaker) -> None:
    for rules in ("enabled: false", "", "publish: draft", 'publish: draft, skus: ["MUG*"], enabled: false'):
        site = make_site(routes=route(rules))
        assert step(site) == 0
        assert site.total_calls("tiktok") + site.total_calls("katana") == 0, rules


def test_a_listing_that_somebody_deleted_comes_back_only_when_a_person_says_so(site: Site) -> None:
    step(site)
    (made,) = on_channel(site)
    site.tiktok_sim("seed", {"reset": True})
    later(site, 3700)
    assert site.world is not None
    products.read_both(site.world, site.world.routes[0])
    step(site)
    assert on_channel(site) == []
    said = problem(site, "MUG")
    assert said["what"] == f"its listing {made['id']} is no longer on the channel"
    (done,) = products.switch(site.world.store, site.world.routes, ["MUG"], enabled=True)
    assert "published as a draft" in done.says
    step(site)
    (again,) = on_channel(site)
    assert again["id"] != made["id"]


def test_a_shop_in_another_currency_asks_for_a_factor(make_site: SiteMaker) -> None:
    site = make_site(routes=route(READY))
    show_goods(site.folder, "MUG")
    site.katana_sim("seed", {"base_currency": "EUR"})
    list_products(site, "HAT")
    step(site)
    said = problem(site, "MUG")
    assert "price_factor that makes USD" in said["what"]
    assert [each["title"] for each in on_channel(site)] == ["HAT"]
