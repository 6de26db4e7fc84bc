"""The catalogue: every SKU as a Variant, changes and deletions noticed, whatever the search's paging does."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hub_tiktok.endpoints import Endpoint
from hub_tiktok.variants import variants

from hub.contract import Cursor, Page, RejectedError, Variant
from tests.plugins.tiktok.tiktok_bench import SHOP, Bench, Shop, shop_on_simulator, told

SEARCH = "/product/202502/products/search"


def _pull(shop: Bench, since: Cursor | None = None) -> tuple[dict[str, Variant], Cursor | None]:
    """Variants by SKU, and where to go on."""
    pages: list[Page[Variant]] = list(shop.connector.pull_products(since, None))
    return {each.sku or each.ref: each for page in pages for each in page.items}, pages[-1].cursor


def _sku(**parts: Any) -> dict[str, Any]:
    return {"id": "1730", "seller_sku": "MUG", "inventory": [{"warehouse_id": "7001", "quantity": 2}], **parts}


def _product(*skus: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {"id": "1729", "title": "Mug", "status": "ACTIVATE", "update_time": 5, "skus": list(skus), **parts}


def _variant(product: dict[str, Any]) -> Variant:
    (variant,) = variants(product, {"7999"})
    return variant


def test_every_sku_of_a_product_is_a_variant(shop: Shop) -> None:
    """T-95."""
    skus = [{"seller_sku": "RED", "stock": 5}, {"seller_sku": "BLUE"}]
    shop.seed(products=[{"title": "Enamel mug", "skus": skus}])
    shop.calls.clear()
    found, cursor = _pull(shop)
    assert shop.paths() == [SEARCH]
    assert set(found) == {"RED", "BLUE"}
    red = found["RED"]
    assert red.name == "Enamel mug, RED"
    assert red.product_ref == found["BLUE"].product_ref
    assert red.ref != found["BLUE"].ref
    assert red.stockable
    assert not red.gone
    assert len(red.places) == 1
    assert cursor is not None


def test_a_hundred_products_cost_one_call(shop: Shop) -> None:
    """T-95: ceil(P / 100)."""
    shop.seed(products=[{"title": f"P{at}", "seller_sku": f"S{at}"} for at in range(250)])
    shop.calls.clear()
    found, _ = _pull(shop)
    assert len(found) == 250
    assert shop.paths() == [SEARCH] * 3


def test_only_changes_come_after_a_cursor(shop: Shop) -> None:
    """T-95, T-96: one call more, for deleted products."""
    shop.seed(products=[{"title": "Old", "seller_sku": "OLD"}])
    shop.control("clock", {"advance_s": 86_400})
    _, cursor = _pull(shop)
    assert _pull(shop, cursor)[0] == {}
    shop.seed(products=[{"title": "New", "seller_sku": "NEW"}])
    shop.calls.clear()
    found, _ = _pull(shop, cursor)
    assert set(found) == {"NEW"}
    assert shop.paths() == [SEARCH, SEARCH]


@pytest.mark.parametrize(
    ("action", "gone", "word"), [("delete", True, "deleted"), ("deactivate", False, "deactivated")]
)
def test_what_leaves_the_shop_is_noticed(shop: Shop, action: str, gone: bool, word: str) -> None:
    """T-96, T-97."""
    shop.seed(products=[{"title": "Mug", "seller_sku": "MUG"}])
    shop.control("clock", {"advance_s": 86_400})
    found, cursor = _pull(shop)
    _seller(shop, action, found["MUG"].product_ref or "")
    changed, _ = _pull(shop, cursor)
    assert changed["MUG"].gone is gone
    assert not changed["MUG"].stockable
    assert word in changed["MUG"].status


def _seller(shop: Shop, action: str, product: str) -> None:
    """What a seller does in Seller Center, by the simulator's own calls."""
    method, path = ("DELETE", "") if action == "delete" else ("POST", f"/{action}")
    endpoint = Endpoint(method, f"/product/202309/products{path}", writes=True)
    shop.connector._shops.call(endpoint, body={"product_ids": [product]})


def test_deleted_products_are_asked_for_only_until_the_search_shows_them() -> None:
    """T-96: nobody says whether ALL contains them."""
    asked: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content or b"{}")
        asked.append(body.get("status"))
        products = [_product(_sku(), status="DELETED")] if len(asked) == 3 else []
        return httpx.Response(200, json={"code": 0, "data": {"products": products, "total_count": len(products)}})

    bench = _warm(told(answer))
    cursor = Cursor('{"update_time_ge": 5}')
    for _ in range(3):
        _pull(bench, cursor)
    assert asked == [None, "DELETED", None, None]


def _warm(bench: Bench) -> Bench:
    bench.memory.set(f"shop:{SHOP}", json.dumps({"shop": {"id": SHOP, "name": "S", "region": "US", "cipher": "c"}}))
    return bench


@pytest.mark.parametrize(("product", "why"), [
    (_product(_sku(), status="DRAFT"), "draft"),
    (_product(_sku(), status="PLATFORM_DEACTIVATED"), "by TikTok Shop"),
    (_product(_sku(), status="NEW_WORD"), "NEW_WORD"),
    (_product(_sku(status_info={"status": "DEACTIVATED", "deactivation_source": "SELLER"})), "by seller"),
    (_product(_sku(combined_skus=[{"sku_id": "1"}])), "bundle"),
    (_product(_sku(), product_types=["COMBINED_PRODUCT"]), "bundle"),
    (_product(_sku(global_listing_policy={"inventory_type": "SHARED"})), "global"),
    (_product(_sku(inventory=[{"warehouse_id": "7999", "quantity": 1}])), "own warehouse"),
    (_product(_sku(inventory=[])), "no warehouse"),
])  # fmt: skip
def test_a_variant_whose_stock_nobody_may_set_says_why(product: dict[str, Any], why: str) -> None:
    """T-77, T-97."""
    variant = _variant(product)
    assert not variant.stockable
    assert why in variant.status


def test_tiktoks_own_warehouse_is_no_place_of_a_sku() -> None:
    """T-77: a push must name the seller's places only."""
    both = [{"warehouse_id": "7001", "quantity": 1}, {"warehouse_id": "7999", "quantity": 1}]
    variant = _variant(_product(_sku(inventory=both)))
    assert variant.places == ("7001",)
    assert variant.stockable


def test_a_sku_without_seller_sku_is_known_by_its_id() -> None:
    """T-64."""
    variant = _variant(_product(_sku(seller_sku=None)))
    assert (variant.ref, variant.sku, variant.name) == ("1730", None, "Mug")


def test_skus_are_looked_up_ten_a_call_and_exactly(shop: Shop) -> None:
    """T-95."""
    shop.seed(products=[{"title": f"P{at}", "seller_sku": f"S{at}"} for at in range(12)])
    shop.calls.clear()
    found = shop.connector.find_variants([f"S{at}" for at in range(12)])
    assert {variant.sku for variant in found} == {f"S{at}" for at in range(12)}
    assert shop.paths() == [SEARCH, SEARCH]
    assert shop.connector.find_variants(["s1", "nothing"]) == []
    assert shop.connector.find_variants([]) == []


def test_a_search_with_too_many_results_is_cut_by_time() -> None:
    """T-95: 12052180, until each part is taken."""
    with shop_on_simulator({"search_result_limit": "10"}) as shop:
        now = int(shop.clock.now().timestamp())
        shop.seed(
            products=[
                {
                    "title": f"P{at}",
                    "seller_sku": f"S{at}",
                    "create_time": now - at * 3600,
                    "update_time": now - at * 3600,
                }
                for at in range(40)
            ]
        )
        found, _ = _pull(shop)
        assert set(found) == {f"S{at}" for at in range(40)}


def test_a_search_that_nothing_can_cut_is_an_error() -> None:
    bench = _warm(told(lambda _: httpx.Response(200, json={"code": 12052180, "message": "too many"})))
    with pytest.raises(RejectedError, match="window-too-wide"):
        _pull(bench)
    assert len(bench.calls) < 60


def test_a_product_that_paging_skipped_is_read_again() -> None:
    """T-95: no sort order is promised, so the count decides."""
    rounds: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        token = request.url.params.get("page_token", "")
        rounds.append(token)
        first, second = _product(_sku()), _product(_sku(id="1731", seller_sku="TEA"), id="1728")
        shown = [first] if not token else [first if len(rounds) < 3 else second]
        data = {"products": shown, "total_count": 2, "next_page_token": "" if token else "t"}
        return httpx.Response(200, json={"code": 0, "data": data})

    bench = _warm(told(answer))
    found, cursor = _pull(bench)
    assert set(found) == {"MUG", "TEA"}
    assert cursor is not None
    assert len(rounds) == 4


def test_a_pull_that_fails_gives_no_cursor() -> None:
    """Only a complete reading moves on."""

    def answer(request: httpx.Request) -> httpx.Response:
        if "page_token" in request.url.params:
            return httpx.Response(503)
        data = {"products": [_product(_sku())], "total_count": 200, "next_page_token": "t"}
        return httpx.Response(200, json={"code": 0, "data": data})

    pages = []
    with pytest.raises(Exception, match="channel-unreachable"):
        pages.extend(_warm(told(answer)).connector.pull_products(None, None))
    assert all(page.cursor is None for page in pages)


def test_reading_the_catalogue_is_no_write(shop: Shop) -> None:
    _pull(shop)
    assert all(hint.reads for hint in shop.hints())
