"""Addresses: names, districts, and what is blanked out."""

from __future__ import annotations

from typing import Any

import pytest
from hub_tiktok.address import Levels, address, region

from hub.contract import Address
from tests.plugins.tiktok.tiktok_bench import Json, Shop, shop_on_simulator


def _districts(*names: tuple[str, str, str]) -> list[Json]:
    return [{"address_level": level, "address_level_name": kind, "address_name": name} for level, kind, name in names]


US = _districts(
    ("L0", "Country", "United States"), ("L1", "State", "California"), ("L2", "County", "Santa Clara"),
    ("L3", "City", "San Jose"),
)  # fmt: skip


def read(levels: Levels | None = None, *, early: bool = False, **parts: Any) -> Address:
    recipient = {"region_code": "US", "address_line1": "1 Example Ave", "district_info": US, **parts}
    payload = {"recipient_address": recipient}
    known = address(payload, region(payload), levels or Levels(), is_before_shipment=early)
    assert known is not None
    return known


def test_city_and_state_come_from_the_districts() -> None:
    """T-73."""
    assert (read().city, read().state, read().country) == ("San Jose", "California", "US")


def test_levels_may_move_up_where_there_is_no_county() -> None:
    """T-73: the kind of district counts before its level."""
    moved = _districts(("L0", "Country", "US"), ("L1", "State", "California"), ("L2", "City", "San Jose"))
    assert (read(district_info=moved).city, read(district_info=moved).state) == ("San Jose", "California")


def test_districts_without_known_kinds_are_read_by_their_level() -> None:
    """T-73: which level holds the city differs by market."""
    thai = _districts(
        ("L0", "?", "Thailand"), ("L1", "?", "Bangkok"), ("L2", "?", "Watthana"), ("L3", "?", "Khlong Toei")
    )
    known = read(district_info=thai, region_code="TH")
    assert (known.city, known.state) == ("Watthana", "Bangkok")


def test_the_operators_choice_of_level_wins() -> None:
    """T-73: UNCERTAIN per market, so a setting."""
    chosen = Levels(city={"US": "L2"}, state={"US": "L0"})
    assert (read(chosen).city, read(chosen).state) == ("Santa Clara", "United States")
    with shop_on_simulator(city_levels={"US": "L2"}) as shop:
        shop.seed({"status": "AWAITING_SHIPMENT", "buyer": 3})
        (known,) = shop.orders()
        assert known.address is not None
        assert known.address.city == "Santa Clara"


def test_a_british_post_town_is_the_city() -> None:
    """T-93."""
    assert read(post_town="Leeds").city == "Leeds"


@pytest.mark.parametrize(("parts", "first", "last"), [
    ({"first_name": "Dana", "last_name": "Roe", "name": "Dana Roe"}, "Dana", "Roe"),
    ({"first_name": "Dana Roe", "last_name": ""}, "Dana Roe", None),
    ({"name": "Dana Roe"}, "Dana Roe", None),
    ({}, None, None),
])  # fmt: skip
def test_names_may_not_be_apart(parts: Json, first: str | None, last: str | None) -> None:
    """T-73."""
    assert (read(**parts).first_name, read(**parts).last_name) == (first, last)


def test_lines_fall_back_to_the_whole_address() -> None:
    assert read(address_line1="", address_detail="1199 Example Ave Unit 8").line_1 == "1199 Example Ave Unit 8"
    assert read(address_line2="Unit 8", address_line3="Back door").line_2 == "Unit 8, Back door"


@pytest.mark.parametrize("parts", [
    {"phone_number": "(+1)213-***-1234"},
    {"address_line1": "1*** Coleman Ave"},
    {"postal_code": "95***"},
    {"district_info": _districts(("L1", "State", "California"), ("L3", "City", "S***"))},
])  # fmt: skip
def test_asterisks_anywhere_make_it_masked(parts: Json) -> None:
    """T-75, T-76."""
    assert read(**parts).masked
    assert not read().masked


def test_an_address_withheld_before_shipment_is_masked() -> None:
    """T-74: empty in one text, masked in another, left out in a third manner."""
    assert read(early=True, address_line1="", district_info=[]).masked
    left_out = address({}, None, Levels(), is_before_shipment=True)
    assert left_out is not None
    assert left_out.masked
    assert address({}, None, Levels(), is_before_shipment=False) is None


@pytest.mark.parametrize(("recipient", "code"), [
    ({"region_code": "GB"}, "GB"),
    ({"region_code": "UK"}, "GB"),
    ({"region_code": "us"}, "US"),
    ({"region_code": "", "district_info": [{"address_level": "L0", "iso_code": "DE"}]}, "DE"),
    ({"region_code": "Elsewhere"}, None),
    ({}, None),
])  # fmt: skip
def test_the_destination_is_a_country_code_or_not_known(recipient: Json, code: str | None) -> None:
    assert region({"recipient_address": recipient}) == code


@pytest.mark.parametrize("manner", ["empty", "masked", "left_out"])
@pytest.mark.parametrize("market", ["US", "GB"])
def test_an_order_on_hold_has_no_address_to_use(shop: Shop, manner: str, market: str) -> None:
    """T-74."""
    shop.options(hold_address=manner)
    shop.seed({"market": market})
    (known,) = shop.orders()
    assert known.address is not None
    assert known.address.masked


@pytest.mark.parametrize(("switch", "shipping", "masked"), [
    ("no", "SELLER", False),
    ("no", "TIKTOK", False),
    ("4pl", "SELLER", False),
    ("4pl", "TIKTOK", True),
    ("yes", "SELLER", True),
])  # fmt: skip
def test_masking_in_the_us_is_seen_whatever_its_rule(shop: Shop, switch: str, shipping: str, masked: bool) -> None:
    """T-75."""
    shop.options(masked_us_all=switch)
    shop.seed({"status": "AWAITING_SHIPMENT", "shipping_type": shipping})
    (known,) = shop.orders()
    assert known.address is not None
    assert known.address.masked is masked


@pytest.mark.parametrize("levels", ["with_county", "without_county"])
def test_every_market_of_the_simulator_has_city_and_state(shop: Shop, levels: str) -> None:
    """T-73, T-76: clear for sellers' own shipping."""
    shop.options(district_levels=levels)
    markets = ("US", "GB", "DE", "FR", "ES", "IT", "IE", "JP", "SG", "VN")
    shop.seed(*({"status": "AWAITING_SHIPMENT", "market": market, "whole_name": True} for market in markets))
    orders = shop.orders()
    assert {known.region for known in orders} == set(markets)
    for known in orders:
        assert known.address is not None
        assert known.address.city
        assert known.address.state
        assert not known.address.masked
        assert known.address.last_name is None
