"""A buyer's address, and how much of it a caller gets to see."""

from __future__ import annotations

from tiktok_simulator.markets import MARKETS, Place
from tiktok_simulator.options import Options
from tiktok_simulator.order import CANCELLED, ON_HOLD, UNPAID, Order
from tiktok_simulator.wire import Json

FIRST = ("Dana", "Alex", "Sam", "Robin", "Kim", "Jo", "Chris", "Toni")
LAST = ("Roe", "Doe", "Poe", "Stone", "Field", "Brook", "Hill")
LEVEL_NAMES = ("Country", "State", "County", "City")
MONTH_S = 30 * 86400
CLEAR = 9  # no district level is masked


def invent_address(region: str, buyer: int, whole_name: bool = False) -> Json:
    """A complete address made up from the buyer's number."""
    market = MARKETS[region]
    place = market.places[buyer % len(market.places)]
    first, last = FIRST[buyer % len(FIRST)], LAST[buyer % len(LAST)]
    name = f"{first} {last}"
    address: Json = {
        "name": name,
        "first_name": name if whole_name else first,  # T-73
        "last_name": "" if whole_name else last,
        "phone_number": f"({market.phone_prefix}){2130000000 + buyer % 10000000}",
        "region_code": region,
        "postal_code": place.postal_code,
        "address_line1": f"{100 + buyer % 900} {place.street}",
        "address_line2": f"Unit {1 + buyer % 20}" if buyer % 2 else "",
        "district_info": _districts(region, place),
    }
    if region == "JP":
        address |= {"first_name_local_script": "花子", "last_name_local_script": "山田"}
    if region == "GB":
        address["post_town"] = place.city
    return address


def _districts(region: str, place: Place) -> list[Json]:
    names = (MARKETS[region].country, place.state, place.county, place.city)
    districts: list[Json] = [
        {"address_level": f"L{level}", "address_level_name": LEVEL_NAMES[level], "address_name": name}
        for level, name in enumerate(names)
    ]
    districts[0]["iso_code"] = region
    return districts


def mask_phase(order: Order, now: float) -> int:
    """1 once 30 days have passed since completion, when clear data is masked again (T-75)."""
    completed = order.times.get("complete_time")
    return int(completed is not None and now >= completed + MONTH_S)


def visible_address(order: Order, options: Options, phase: int) -> Json | None:
    """The address as the caller gets it in the order's present state."""
    address: Json = dict(order.address)
    districts = [dict(district) for district in address["district_info"]]
    if options["district_levels"] == "without_county":
        districts = _without_county(districts)
    address["district_info"] = districts
    level = _masked_from(order, options, phase)
    if level < CLEAR:
        _mask(address, level)
    address["address_detail"] = " ".join(filter(None, (address["address_line1"], address["address_line2"])))
    names = [district["address_name"] for district in reversed(address["district_info"])]
    address["full_address"] = ", ".join([address["address_detail"], *names])
    if order.status in (UNPAID, ON_HOLD):  # T-74
        return _before_shipment(address, options["hold_address"])
    return address


def _without_county(districts: list[Json]) -> list[Json]:
    kept = [district for district in districts if district["address_level_name"] != "County"]
    for level, district in enumerate(kept):
        district["address_level"] = f"L{level}"
    return kept


def _before_shipment(address: Json, mode: str) -> Json | None:
    if mode == "left_out":
        return None
    if mode == "masked":
        _mask(address, 3)
        address["address_detail"] = address["full_address"] = "***"
        return address
    for name in ("address_line1", "address_line2", "address_detail", "full_address"):
        address[name] = ""
    address["district_info"] = []
    return address


def _masked_from(order: Order, options: Options, phase: int) -> int:
    """The first district level that is masked, together with names, phone and lines (T-75, T-76)."""
    early = order.status in (UNPAID, ON_HOLD)
    if order.market != "US":
        return 3 if order.is_fbt or order.shipping_type == "TIKTOK" else CLEAR
    if order.is_fbt:
        return 3 if early or order.status == CANCELLED else 4
    switch = options["masked_us_all"]
    always = switch == "yes" or (switch == "4pl" and order.shipping_type == "TIKTOK")
    return 3 if early or order.status == CANCELLED or phase or always else CLEAR


def _mask(address: Json, from_level: int) -> None:
    for name in ("name", "first_name", "last_name", "first_name_local_script", "last_name_local_script"):
        if address.get(name):
            address[name] = " ".join(word[0] + "***" for word in address[name].split())
    prefix, _, number = address["phone_number"].partition(")")
    address["phone_number"] = f"{prefix}){number[:3]}-***-**{number[-2:]}"
    address["postal_code"] = address["postal_code"][:2] + "***"
    line = address["address_line1"]
    address["address_line1"] = f"{line[:1]}*** {line.partition(' ')[2]}"
    address["address_line2"] = "***" if address["address_line2"] else ""
    if address.get("post_town"):
        address["post_town"] = address["post_town"][0] + "***"
    if "delivery_preferences" in address:
        address["delivery_preferences"] = {"drop_off_location": "***"}
    for district in address["district_info"]:
        if int(district["address_level"][1:]) >= from_level:
            district["address_name"] = district["address_name"][:1] + "***"
