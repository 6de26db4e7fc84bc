"""After the telling: corrected numbers, carriers, labels."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from pytest_httpserver import HTTPServer

from hub.contract import Order, Package, PackageResult, RejectedError, TransientError
from tests.plugins.tiktok.tiktok_bench import FIXED_NOW, SHOP, Bench, FixedClock, Shop, a_token
from tests.plugins.tiktok.tiktok_parcels import (
    carrier_of,
    own,
    present,
    push,
    shipment,
    shop_in,
    shown,
    theirs,
    waiting,
)  # fmt: skip

CARRIERS = "/logistics/202309/delivery_options/77/shipping_providers"
LABEL = "/fulfillment/202309/packages/115/shipping_documents"


def _told(shop: Shop, *lines: list[int]) -> tuple[Order, list[Package]]:
    """An order whose parcels were told, and those parcels with new numbers."""
    order = waiting(shop)
    packages = own(shop, order, *lines)
    results = {result.key: result for result in push(shop, order, packages)}
    now = present(shop, order.ref)
    return now, [
        each.model_copy(update={"tracking_number": f"1ZNEW{at}", "ref": results[each.key].package_ref})
        for at, each in enumerate(packages)
    ]


def _update(shop: Shop, order: Order, packages: list[Package]) -> list[PackageResult]:
    results: list[PackageResult] = shop.connector.update_fulfillment(shipment(order, packages), order)
    return results


def test_the_number_of_an_unsplit_order_is_changed_for_the_order() -> None:
    """T-108: one call; the same again costs none."""
    with shop_in("US") as shop:
        order, packages = _told(shop, [0, 1, 2])
        (result,) = _update(shop, order, packages)
        assert result.error is None
        assert shop.paths() == [f"/fulfillment/202309/orders/{order.ref}/shipping_info/update"]
        now = present(shop, order.ref)
        assert shown(now) == {"1ZNEW0": [0, 1, 2]}
        assert _update(shop, now, packages)[0].error is None
        assert shop.paths() == []


def test_the_number_of_one_package_of_several_is_changed_for_the_package() -> None:
    """T-108."""
    with shop_in("US") as shop:
        order, packages = _told(shop, [0], [1, 2])
        (result,) = _update(shop, order, packages[1:])
        assert result.error is None
        assert shop.paths() == [f"/fulfillment/202309/packages/{packages[1].ref}/shipping_info/update"]
        assert shown(present(shop, order.ref)) == {"1Z990": [0], "1ZNEW1": [1, 2]}


def test_a_second_change_and_a_late_one_are_locked() -> None:
    """T-108: once, and within 72 hours."""
    with shop_in("US") as shop:
        order, packages = _told(shop, [0], [1, 2])
        _update(shop, order, packages[:1])
        again = [packages[0].model_copy(update={"tracking_number": "1ZAGAIN"})]
        assert _update(shop, present(shop, order.ref), again)[0].code == "tracking-locked"
        shop.control("clock", {"advance_s": timedelta(hours=73).total_seconds()})
        assert _update(shop, present(shop, order.ref), packages[1:])[0].code == "tracking-locked"


def test_a_number_that_tiktok_gave_is_not_changed() -> None:
    with shop_in("US") as shop:
        order = waiting(shop, shipping_type="TIKTOK")
        push(shop, order, theirs(order, [0, 1, 2]))
        now = present(shop, order.ref)
        ref = now.lines[0].package_ref
        changed = [theirs(now, [0, 1, 2])[0].model_copy(update={"tracking_number": "1Z", "ref": ref})]
        assert _update(shop, now, changed)[0].code == "carried-by-channel"
        assert shop.paths() == []


def test_a_parcel_that_was_never_told_is_not_corrected() -> None:
    with shop_in("US") as shop:
        order = waiting(shop)
        assert _update(shop, order, own(shop, order, [0, 1, 2]))[0].code == "package-not-shipped"
        assert shop.paths() == []


def test_carriers_of_an_option_are_read_once_a_day(bench: Bench, httpserver: HTTPServer) -> None:
    """T-109: also by a connector that starts anew."""
    bench.memory.set(f"shop:{SHOP}", json.dumps({"shop": {"id": SHOP, "name": "S", "region": "US", "cipher": "c"}}))
    bench.tokens.stored = a_token(access_expires_at=FIXED_NOW + timedelta(days=9))
    listed = [{"id": "7117", "name": "UPS"}, {"name": "nameless"}, {"id": "7118"}]
    httpserver.expect_request(CARRIERS).respond_with_json({"code": 0, "data": {"shipping_providers": listed}})
    for _ in range(2):
        carriers = type(bench.connector)(bench.connection).list_carriers("77")
        assert [(each.ref, each.name) for each in carriers] == [("7117", "UPS"), ("7118", "7118")]
    assert bench.paths() == [CARRIERS]
    assert isinstance(bench.clock, FixedClock)
    bench.clock.time += timedelta(hours=24)
    bench.connector.list_carriers("77")
    assert bench.paths() == [CARRIERS]


def test_an_option_without_subscription_names_what_to_do(bench: Bench, httpserver: HTTPServer) -> None:
    """T-111: 21008116."""
    bench.memory.set(f"shop:{SHOP}", json.dumps({"shop": {"id": SHOP, "name": "S", "region": "US", "cipher": "c"}}))
    httpserver.expect_request(CARRIERS).respond_with_json({"code": 21008116, "message": "not subscribed"})
    with pytest.raises(RejectedError, match=r"delivery-option-refused.*Subscribe"):
        bench.connector.list_carriers("77")


@pytest.mark.parametrize("code", ["21042104", "11034037", "21023035"])
def test_a_label_is_asked_for_again_until_it_is_there(code: str) -> None:
    """T-110: two calls; the document is fetched without our token, signature or key."""
    with shop_in("US", label_not_ready_code=code) as shop:
        order = waiting(shop, shipping_type="TIKTOK")
        (bought,) = push(shop, order, theirs(order, [0, 1, 2]))
        shop.calls.clear()
        with pytest.raises(TransientError, match="label-not-ready") as caught:
            shop.connector.fetch_label(bought.package_ref)
        assert caught.value.retry_after_s
        assert not caught.value.may_have_happened
        shop.control("clock", {"advance_s": 10})
        shop.calls.clear()
        label = shop.connector.fetch_label(bought.package_ref)
        assert label.content.startswith(b"%PDF")
        assert label.media_type == "application/pdf"
        assert label.tracking_number == present_number(shop, order)
        _, download = shop.calls[:2]
        assert "x-tts-access-token" not in download.headers
        assert not {"sign", "app_key", "shop_cipher"} & set(download.url.params)


def present_number(shop: Shop, order: Order) -> str | None:
    calls = list(shop.calls)
    number = present(shop, order.ref).lines[0].tracking_number
    shop.calls.extend(calls)
    return number


def _label_at(bench: Bench, httpserver: HTTPServer, url: str) -> None:
    bench.memory.set(f"shop:{SHOP}", json.dumps({"shop": {"id": SHOP, "name": "S", "region": "US", "cipher": "c"}}))
    httpserver.expect_request(LABEL).respond_with_json({"code": 0, "data": {"doc_url": url}})


@pytest.mark.parametrize("url", ["http://labels.example/1", "ftp://labels.example/1", "file:///etc/passwd"])
def test_a_document_is_fetched_over_https_only(bench: Bench, httpserver: HTTPServer, url: str) -> None:
    _label_at(bench, httpserver, url)
    with pytest.raises(RejectedError, match="address-refused"):
        bench.connector.fetch_label("115")
    assert bench.paths() == [LABEL]


def test_a_document_too_large_for_a_label_is_refused(bench: Bench, httpserver: HTTPServer) -> None:
    _label_at(bench, httpserver, httpserver.url_for("/doc?secret=canary"))
    httpserver.expect_request("/doc").respond_with_data(b"x" * (10 * 1024 * 1024 + 1))
    with pytest.raises(RejectedError, match="label-too-large") as caught:
        bench.connector.fetch_label("115")
    assert "canary" not in str(caught.value)


def test_a_document_that_is_not_there_yet_is_asked_for_again(bench: Bench, httpserver: HTTPServer) -> None:
    """T-110: and its address, which anybody could use, is told to nobody."""
    _label_at(bench, httpserver, httpserver.url_for("/doc?secret=canary"))
    httpserver.expect_request("/doc").respond_with_data("no", status=404)
    with pytest.raises(TransientError, match="label-not-ready") as caught:
        bench.connector.fetch_label("115")
    assert "canary" not in str(caught.value)


def test_a_parcel_of_the_sellers_own_has_no_label_here() -> None:
    """T-111: 11034002."""
    with shop_in("US") as shop:
        order, packages = _told(shop, [0, 1, 2])
        assert carrier_of(shop, order)
        with pytest.raises(RejectedError, match="label-not-offered"):
            shop.connector.fetch_label(packages[0].ref)
