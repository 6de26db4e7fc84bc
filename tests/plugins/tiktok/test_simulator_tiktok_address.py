"""What of the buyer can be seen, by market, shipping and status."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.tiktok.tiktok_caller import Caller, calling


@pytest.fixture
def caller() -> Iterator[Caller]:
    with calling(token_life_s="99999999") as running:
        yield running


def is_masked(address: dict[str, Any]) -> bool:
    stars = ["*" in address[name] for name in ("name", "first_name", "phone_number", "postal_code")]
    assert len(set(stars)) == 1
    return stars[0]


@pytest.mark.parametrize(
    ("spec", "masked"),
    [
        ({"market": "US", "status": "UNPAID"}, True),
        ({"market": "US", "status": "ON_HOLD"}, True),
        ({"market": "US", "status": "CANCELLED"}, True),
        ({"market": "US", "status": "AWAITING_SHIPMENT"}, False),
        ({"market": "US", "status": "DELIVERED", "shipping_type": "TIKTOK"}, False),
        ({"market": "US", "status": "AWAITING_SHIPMENT", "kind": "fbt"}, True),
        ({"market": "GB", "status": "AWAITING_SHIPMENT"}, False),
        ({"market": "GB", "status": "CANCELLED"}, False),
        ({"market": "GB", "status": "AWAITING_SHIPMENT", "shipping_type": "TIKTOK"}, True),
        ({"market": "JP", "status": "AWAITING_SHIPMENT", "kind": "fbt"}, True),
    ],
)
def test_buyer_data_is_masked_by_market_shipping_and_status(caller: Caller, spec: dict[str, Any], masked: bool) -> None:
    """T-75, T-76"""
    (order_id,) = caller.seed(spec)
    assert is_masked(caller.order(order_id)["recipient_address"]) is masked


def test_us_data_is_masked_again_thirty_days_after_completion(caller: Caller) -> None:
    """T-75; the rendered order must not outlive its time."""
    (order_id,) = caller.seed({"status": "COMPLETED"})
    assert not is_masked(caller.order(order_id)["recipient_address"])
    caller.advance(31 * 86400)
    assert is_masked(caller.order(order_id)["recipient_address"])


@pytest.mark.parametrize(
    ("switch", "tiktok", "seller"), [("no", False, False), ("4pl", True, False), ("yes", True, True)]
)
def test_the_switch_masks_us_orders_in_every_status(caller: Caller, switch: str, tiktok: bool, seller: bool) -> None:
    """T-75"""
    caller.options(masked_us_all=switch)
    ids = caller.seed({"status": "AWAITING_SHIPMENT", "shipping_type": "TIKTOK"}, {"status": "AWAITING_SHIPMENT"})
    assert [is_masked(caller.order(one)["recipient_address"]) for one in ids] == [tiktok, seller]


def test_an_fbt_order_shows_its_city_from_awaiting_shipment_on(caller: Caller) -> None:
    """T-75"""
    held, waiting = caller.seed({"kind": "fbt"}, {"kind": "fbt", "status": "AWAITING_SHIPMENT"})
    caller.options(hold_address="masked")
    levels = [
        {d["address_level"]: "*" in d["address_name"] for d in caller.order(one)["recipient_address"]["district_info"]}
        for one in (held, waiting)
    ]
    assert levels[0] == {"L0": False, "L1": False, "L2": False, "L3": True}
    assert not any(levels[1].values())


def test_the_address_of_a_held_order_follows_its_switch(caller: Caller) -> None:
    """T-74"""
    (order_id,) = caller.seed({"market": "GB"})
    empty = caller.order(order_id)["recipient_address"]
    assert (empty["address_line1"], empty["full_address"], empty["district_info"]) == ("", "", [])
    caller.options(hold_address="masked")
    assert "*" in caller.order(order_id)["recipient_address"]["address_line1"]
    caller.options(hold_address="left_out")
    assert "recipient_address" not in caller.order(order_id)


def test_districts_hold_state_and_city_at_levels_a_switch_moves(caller: Caller) -> None:
    """T-73"""
    (order_id,) = caller.seed({"status": "AWAITING_SHIPMENT"})

    def levels() -> list[tuple[str, str]]:
        found = caller.order(order_id)["recipient_address"]["district_info"]
        return [(one["address_level"], one["address_level_name"]) for one in found]

    assert levels() == [("L0", "Country"), ("L1", "State"), ("L2", "County"), ("L3", "City")]
    caller.options(district_levels="without_county")
    assert levels() == [("L0", "Country"), ("L1", "State"), ("L2", "City")]
    assert not {"city", "state"} & set(caller.order(order_id)["recipient_address"])


def test_a_name_may_stand_whole_in_the_first_name(caller: Caller) -> None:
    """T-73"""
    (order_id,) = caller.seed({"status": "AWAITING_SHIPMENT", "whole_name": True})
    address = caller.order(order_id)["recipient_address"]
    assert (address["first_name"], address["last_name"]) == (address["name"], "")


def test_masked_values_keep_their_type_and_the_truth_stays_in_the_state(caller: Caller) -> None:
    (order_id,) = caller.seed({"kind": "fbt", "status": "AWAITING_SHIPMENT"})
    address = caller.order(order_id)["recipient_address"]
    truth = caller.control(f"orders/{order_id}")["order"]["address"]
    assert {type(value) for name, value in address.items() if name != "district_info"} == {str}
    assert truth["name"] not in str(address)
    assert truth["phone_number"] not in str(address)
    assert truth["address_line1"] not in str(address)
