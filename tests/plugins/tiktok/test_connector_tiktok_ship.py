"""Telling TikTok Shop of parcels: the right call for each market, as few as there can be, and never twice."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from hub.contract import LineStatus, OrderStatus, TransientError
from tests.plugins.tiktok.tiktok_bench import SHOP, Bench
from tests.plugins.tiktok.tiktok_parcels import (
    carrier_of,
    own,
    parcel,
    present,
    push,
    shipment,
    shop_in,
    shown,
    theirs,
    waiting,
)  # fmt: skip

DETAIL = "/order/202507/orders"
PACKAGES, BATCH = "/fulfillment/202309/packages", "/fulfillment/202309/packages/ship"


def _mark(ref: str) -> str:
    return f"/fulfillment/202309/orders/{ref}/packages"


def _split(ref: str) -> str:
    return f"/fulfillment/202309/orders/{ref}/split"


@pytest.mark.parametrize("region", ["US", "GB", "DE", "JP"])
@pytest.mark.parametrize("lines", [[[0, 1, 2]], [[0], [1, 2]], [[0], [1], [2]]])
def test_seller_shipping_costs_one_call_a_parcel(region: str, lines: list[list[int]]) -> None:
    """T-103, T-104: k calls for k parcels, each with the units in it."""
    with shop_in(region) as shop:
        order = waiting(shop)
        results = push(shop, order, own(shop, order, *lines))
        assert shop.paths() == [_mark(order.ref)] * len(lines)
        assert [result.error for result in results] == [None] * len(lines)
        now = present(shop, order.ref)
        assert shown(now) == {f"1Z99{at}": each for at, each in enumerate(lines)}
        assert [result.package_ref for result in results] == [now.lines[each[0]].package_ref for each in lines]


@pytest.mark.parametrize("region", ["TH", "VN", "MX"])
def test_south_east_asia_and_mexico_ship_one_parcel_in_one_call(region: str) -> None:
    """T-103, T-105."""
    with shop_in(region) as shop:
        order = waiting(shop)
        (result,) = push(shop, order, own(shop, order, [0, 1, 2]))
        assert shop.paths() == [f"/fulfillment/202309/packages/{order.lines[0].package_ref}/ship"]
        assert result.package_ref == order.lines[0].package_ref
        assert shown(present(shop, order.ref)) == {"1Z990": [0, 1, 2]}


@pytest.mark.parametrize("split_groups", ["all_named", "rest_stays"])
@pytest.mark.parametrize("region", ["TH", "MX"])
def test_several_parcels_there_cost_two_calls(region: str, split_groups: str) -> None:
    """T-105, T-106: one split with every unit named, one batch."""
    with shop_in(region, split_groups=split_groups) as shop:
        order = waiting(shop)
        results = push(shop, order, own(shop, order, [0, 1], [2]))
        assert shop.paths() == [_split(order.ref), BATCH]
        assert [result.error for result in results] == [None, None]
        assert shown(present(shop, order.ref)) == {"1Z990": [0, 1], "1Z991": [2]}


def test_a_part_of_an_order_there_leaves_the_rest_for_later() -> None:
    """T-106: the rest keeps a package of its own, which a later shipment takes as it is."""
    with shop_in("TH") as shop:
        order = waiting(shop)
        push(shop, order, own(shop, order, [0, 1]))
        assert [path.rsplit("/", 1)[1] for path in shop.paths()] == ["split", "ship"]
        rest = present(shop, order.ref)
        assert rest.status is OrderStatus.PARTLY_SHIPPED
        carrier = carrier_of(shop, rest)
        (result,) = push(shop, rest, [parcel(rest, "K9", [2], "1Z999", carrier)])
        assert shop.paths() == [f"/fulfillment/202309/packages/{rest.lines[2].package_ref}/ship"]
        assert result.error is None


def test_units_of_one_sku_are_not_split_where_the_market_forbids_it() -> None:
    """T-106: refused without a call, by the SKU's name."""
    with shop_in("TH") as shop:
        order = waiting(shop)
        results = push(shop, order, own(shop, order, [0], [1, 2]))
        assert shop.paths() == []
        assert {result.code for result in results} == {"split-refused"}
        assert all("MUG" in (result.error or "") for result in results)


def test_where_only_tiktok_knows_whether_units_may_be_split_it_is_asked() -> None:
    """T-106: Mexico lets global sellers do it."""
    with shop_in("MX") as shop:
        order = waiting(shop)
        results = push(shop, order, own(shop, order, [0], [1, 2]))
        assert shop.paths() == [_split(order.ref)]
        assert {result.code for result in results} == {"split-refused"}


@pytest.mark.parametrize("lines", [[[0, 1, 2]], [[0], [1, 2]]])
def test_tiktok_shipping_in_the_us_buys_one_label_a_parcel(lines: list[list[int]]) -> None:
    """T-107: k calls; the numbers are in the next reading of the order."""
    with shop_in("US") as shop:
        order = waiting(shop, shipping_type="TIKTOK")
        results = push(shop, order, theirs(order, *lines))
        assert shop.paths() == [PACKAGES] * len(lines)
        assert all(result.package_ref and result.carrier and not result.error for result in results)
        now = present(shop, order.ref)
        again = push(shop, now, theirs(now, *lines))
        assert shop.paths() == []
        assert [result.tracking_number for result in again] == [now.lines[each[0]].tracking_number for each in lines]
        assert len(shop.control("state")["labels_bought"]) == len(lines)


def test_a_label_is_bought_once_however_stale_the_order() -> None:
    """T-107: the call refuses the repeat, and the order that is read again tells how it stands."""
    with shop_in("US") as shop:
        order = waiting(shop, shipping_type="TIKTOK")
        push(shop, order, theirs(order, [0, 1, 2]))
        shop.paths()
        (result,) = push(shop, order, theirs(order, [0, 1, 2]))
        assert shop.paths() == [PACKAGES, DETAIL]
        assert result.error is None
        assert result.tracking_number == present(shop, order.ref).lines[0].tracking_number
        assert len(shop.control("state")["labels_bought"]) == 1


def test_no_label_is_bought_for_units_that_lie_in_another_package() -> None:
    """T-107."""
    with shop_in("US") as shop:
        order = waiting(shop, shipping_type="TIKTOK")
        packed = order.model_copy(
            update={"lines": (order.lines[0].model_copy(update={"package_ref": "115"}), *order.lines[1:])}
        )
        (result,) = push(shop, packed, theirs(order, [0, 1]))
        assert result.code == "shipped-otherwise"
        assert shop.paths() == []


@pytest.mark.parametrize("region", ["GB", "TH"])
def test_tiktok_shipping_elsewhere_ships_the_packages_there_are(region: str) -> None:
    """T-103, T-105: an empty request, which is no body at all (T-27)."""
    with shop_in(region) as shop:
        order = waiting(shop, shipping_type="TIKTOK")
        (result,) = push(shop, order, theirs(order, [0, 1, 2]))
        assert result.error is None
        (call,) = shop.calls
        assert call.content == b""
        shop.paths()
        again = push(shop, present(shop, order.ref), theirs(order, [0, 1, 2]))
        assert again[0].tracking_number
        assert shop.paths() == []


@pytest.mark.parametrize(("handover", "calls"), [("drop_off", ["ship"]), ("pickup", ["handover_time_slots", "ship"])])
def test_parcels_are_handed_over_as_the_setting_says(handover: str, calls: list[str]) -> None:
    """T-105: a pick-up takes the first slot that is free."""
    with shop_in("GB") as shop:
        object.__setattr__(shop.settings, "handover", handover)
        order = waiting(shop, shipping_type="TIKTOK")
        (result,) = push(shop, order, theirs(order, [0, 1, 2]))
        assert result.error is None
        assert [call.url.path.rsplit("/", 1)[1] for call in shop.calls] == calls
        body = json.loads(shop.calls[-1].content)
        assert body["handover_method"] == handover.upper()
        assert ("pickup_slot" in body) == (handover == "pickup")


@pytest.mark.parametrize("region", ["US", "TH"])
def test_what_is_told_already_costs_no_call(region: str) -> None:
    """T-104: a repeat is recognised by the order's lines, whatever blanks the ERP's number has (T-111)."""
    with shop_in(region) as shop:
        order = waiting(shop)
        packages = own(shop, order, [0, 1], [2])
        push(shop, order, packages)
        now = present(shop, order.ref)
        spaced = [each.model_copy(update={"tracking_number": f" 1z-99 {at}"}) for at, each in enumerate(packages)]
        results = push(shop, now, spaced)
        assert shop.paths() == []
        assert [result.error for result in results] == [None, None]
        assert [result.package_ref for result in results] == [now.lines[0].package_ref, now.lines[2].package_ref]


@pytest.mark.parametrize("code", ["21011006", "21011020", "21042056", "21008099", "21011025"])
def test_already_shipped_counts_as_done_only_where_the_order_shows_our_number(code: str) -> None:
    """T-82, T-104: the order given is stale, as after a lost answer."""
    with shop_in("US", already_shipped_code=code) as shop:
        order = waiting(shop)
        ours = own(shop, order, [0, 1, 2])
        push(shop, order, ours)
        shop.paths()
        (result,) = push(shop, order, ours)
        assert shop.paths() == [_mark(order.ref), DETAIL]
        assert result.error is None
        assert result.package_ref
        others = [ours[0].model_copy(update={"tracking_number": "1ZOTHER"})]
        (result,) = push(shop, order, others)
        assert result.code == "shipped-otherwise"
        assert "1Z990" in (result.error or "")


def test_units_shipped_under_another_number_are_told_apart_without_a_call() -> None:
    with shop_in("US") as shop:
        order = waiting(shop)
        push(shop, order, own(shop, order, [0, 1]))
        shop.paths()
        now = present(shop, order.ref)
        (result,) = push(shop, now, [parcel(now, "K5", [1, 2], "1ZNEW", "7117")])
        assert result.code == "shipped-otherwise"
        assert shop.paths() == []


def _know_the_shop(bench: Bench) -> None:
    bench.memory.set(f"shop:{SHOP}", json.dumps({"shop": {"id": SHOP, "name": "S", "region": "US", "cipher": "c"}}))


def _impossible() -> list[tuple[dict[str, Any], str]]:
    return [
        ({"status": OrderStatus.ON_HOLD}, "order-on-hold"),
        ({"status": OrderStatus.UNPAID}, "order-on-hold"),
        ({"status": OrderStatus.CANCELLED}, "order-not-shippable"),
        ({"cancel_requested": True}, "cancel-requested"),
        ({"fulfilled_by": "channel"}, "carried-by-channel"),
    ]


def test_what_cannot_ship_is_refused_without_a_call() -> None:
    """T-77, T-102."""
    with shop_in("US") as shop:
        order = waiting(shop)
        packages = own(shop, order, [0, 1, 2])
        for changes, code in _impossible():
            changed = order.model_validate(order.model_dump() | changes)
            (result,) = push(shop, changed, packages)
            assert result.code == code
            assert result.do
        cancelled = order.lines[0].model_copy(update={"status": LineStatus.CANCELLED})
        (result,) = push(shop, order.model_copy(update={"lines": (cancelled, *order.lines[1:])}), packages)
        assert result.code == "order-not-shippable"
        assert order.lines[0].ref in (result.error or "")
        assert shop.paths() == []


@pytest.mark.parametrize(("number", "carrier", "word"), [(None, "7117", "tracking number"), ("1Z9", None, "carrier")])
def test_a_parcel_without_number_or_carrier_is_not_told(number: str | None, carrier: str | None, word: str) -> None:
    with shop_in("US") as shop:
        order = waiting(shop)
        (result,) = push(shop, order, [parcel(order, "K", [0], number, carrier)])
        assert result.code == "parcel-incomplete"
        assert word in (result.error or "")
        assert shop.paths() == []


def test_a_line_that_is_not_in_the_order_is_named() -> None:
    with shop_in("US") as shop:
        order = waiting(shop)
        other = order.model_copy(update={"lines": order.lines[:2]})
        (result,) = push(shop, other, [parcel(order, "K", [1, 2], "1Z9", "7117")])
        assert result.code == "line-unknown"
        assert order.lines[2].ref in (result.error or "")


def test_a_request_that_comes_between_reading_and_telling_is_a_refusal_to_come_back_to() -> None:
    """T-102: 21011007."""
    with shop_in("US") as shop:
        order = waiting(shop)
        packages = own(shop, order, [0], [1, 2])
        shop.act(order.ref, "request_cancel", line_ids=[order.lines[0].ref])
        first, second = push(shop, order, packages)
        assert (first.code, second.error) == ("cancel-requested", None)


def test_an_order_put_on_hold_meanwhile_is_refused_by_its_name() -> None:
    """T-111: 21011044."""
    with shop_in("US") as shop:
        (ref,) = shop.seed({"status": "ON_HOLD"})
        order = present(shop, ref)
        open_order = order.model_copy(update={"status": OrderStatus.OPEN})
        (result,) = push(shop, open_order, own(shop, order, [0]))
        assert result.code == "order-on-hold"


def test_a_carrier_that_is_none_of_the_options_is_refused_and_the_list_read_again() -> None:
    """T-109, T-111: 21011022."""
    with shop_in("US") as shop:
        order = waiting(shop)
        carrier_of(shop, order)
        (result,) = push(shop, order, [parcel(order, "K", [0, 1, 2], "1Z9", "7000000000000000000")])
        assert result.code == "carrier-refused"
        shop.paths()
        shop.connector.list_carriers(order.delivery_ref)
        assert len(shop.paths()) == 1


@pytest.mark.parametrize("code", ["10007014", "own"])
def test_one_package_of_a_batch_may_fail_alone(code: str) -> None:
    """T-105, T-111: code 0 is no success; the text of 10007014 tells the true code."""
    with shop_in("TH", batch_error_code=code) as shop:
        order = waiting(shop)
        first, second = own(shop, order, [0, 1], [2])
        results = push(shop, order, [first, second.model_copy(update={"carrier_ref": "7000000000000000000"})])
        assert [result.code for result in results] == [None, "carrier-refused"]
        assert shown(present(shop, order.ref)) == {"1Z990": [0, 1], "": [2]}


def test_a_big_order_is_shipped_in_batches_of_the_set_size() -> None:
    """T-105."""
    with shop_in("TH") as shop:
        object.__setattr__(shop.settings, "batch_size", 2)
        order = waiting(shop, lines=[{"sku": f"S{at}"} for at in range(5)])
        results = push(shop, order, own(shop, order, *[[at] for at in range(5)]))
        assert [result.error for result in results] == [None] * 5
        assert shop.paths() == [_split(order.ref), BATCH, BATCH, BATCH]


@pytest.mark.parametrize(("kind", "unknown"), [("36009007", True), ("503", True), ("drop", True), ("429", False)])
def test_a_lost_answer_says_whether_it_may_have_happened(kind: str, unknown: bool) -> None:
    """T-38: a call turned away for its pace did nothing."""
    with shop_in("US") as shop:
        order = waiting(shop)
        packages = own(shop, order, [0, 1, 2])
        shop.faults({"kind": kind, "match": "packages", "times": 1})
        with pytest.raises(TransientError) as caught:
            push(shop, order, packages)
        assert caught.value.may_have_happened is unknown


def test_a_failure_after_a_parcel_was_told_may_have_happened(bench: Bench, httpserver: HTTPServer) -> None:
    """The order must be read again then, even where the failed call itself did nothing."""
    with shop_in("US") as shop:
        order = waiting(shop)
    _know_the_shop(bench)
    httpserver.expect_ordered_request(_mark(order.ref)).respond_with_json({"code": 0, "data": {"package_id": "115"}})
    httpserver.expect_ordered_request(_mark(order.ref)).respond_with_json({"code": 36009002}, status=429)
    packages = [parcel(order, "K0", [0], "1Z990", "7117"), parcel(order, "K1", [1, 2], "1Z991", "7117")]
    with pytest.raises(TransientError) as caught:
        bench.connector.push_fulfillment(shipment(order, packages), order)
    assert caught.value.may_have_happened


def test_a_split_whose_answer_was_lost_is_not_split_again() -> None:
    """T-106: the order that is read again shows the packages."""
    with shop_in("TH") as shop:
        order = waiting(shop)
        packages = own(shop, order, [0, 1], [2])
        shop.faults({"kind": "36009003", "match": "split", "times": 1})
        with pytest.raises(TransientError) as caught:
            push(shop, order, packages)
        assert caught.value.may_have_happened
        now = present(shop, order.ref)
        assert shop.paths() == []
        assert [result.error for result in push(shop, now, packages)] == [None, None]
        assert shop.paths() == [BATCH]


def test_shipping_calls_are_writes_with_a_budget_of_their_own() -> None:
    """T-40, T-101: counted per endpoint, so ids are no part of the key."""
    with shop_in("US") as shop:
        order = waiting(shop)
        push(shop, order, own(shop, order, [0], [1, 2]))
        hints = shop.hints()
        assert [hint.reads for hint in hints] == [False, False]
        assert len({hint.budget.key for hint in hints if hint.budget}) == 1
        assert all(hint.budget and hint.budget.calls == shop.settings.writes_per_second for hint in hints)


def test_an_order_that_was_not_handed_over_is_read_first() -> None:
    with shop_in("US") as shop:
        order = waiting(shop)
        packages = own(shop, order, [0, 1, 2])
        (result,) = shop.connector.push_fulfillment(shipment(order, packages), None)
        assert result.error is None
        assert shop.paths() == [DETAIL, _mark(order.ref)]


def test_a_warning_of_tiktok_is_handed_on(bench: Bench, httpserver: HTTPServer) -> None:
    """T-104: done all the same."""
    with shop_in("US") as shop:
        order = waiting(shop)
    _know_the_shop(bench)
    data = {"package_id": "115", "warning": {"message": "fits several carriers"}}
    httpserver.expect_request(_mark(order.ref)).respond_with_json({"code": 0, "data": data})
    packages = [parcel(order, "K", [0, 1, 2], "1Z9", "7117")]
    (result,) = bench.connector.push_fulfillment(shipment(order, packages), order)
    assert (result.package_ref, result.warning, result.error) == ("115", "fits several carriers", None)
    sent = json.loads(bench.calls[0].content)
    assert sent["order_line_item_ids"] == [line.ref for line in order.lines]
