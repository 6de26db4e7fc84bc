"""A recipient address of TikTok Shop as the hub's Address; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hub.contract import Address
from hub_tiktok.payload import Json, child, children, text

# T-73: there are no city and state fields, only district levels, and their meaning differs by market.
CITY_LEVELS = {"US": "L3", "ID": "L2", "TH": "L2", "VN": "L2", "MY": "L2", "PH": "L2", "BR": "L2", "MX": "L2"}
STATE_LEVEL = "L1"
CITY_NAMES = frozenset({"city", "town", "post town", "municipality", "city/town"})
STATE_NAMES = frozenset({"state", "province", "region", "prefecture", "state/province"})
REGION_CODES = {"UK": "GB"}

_District = tuple[str, str, str]  # its level, what that level is called, its name


@dataclass(frozen=True, slots=True)
class Levels:
    """The operator's own choice of district levels, by region; wins over names and the built-in table."""

    city: Mapping[str, str] = field(default_factory=dict)
    state: Mapping[str, str] = field(default_factory=dict)


def region(order: Json) -> str | None:
    """Return the destination, ISO 3166-1 alpha-2; None where the order does not tell yet."""
    recipient = child(order, "recipient_address")
    return _country_code(text(recipient, "region_code")) or next(
        (_country_code(text(d, "iso_code")) for d in children(recipient, "district_info") if _is_country(d)), None
    )


def _is_country(district: Json) -> bool:
    return text(district, "address_level") == "L0"


def _country_code(word: str) -> str | None:
    code = word.upper()
    return REGION_CODES.get(code, code) if len(code) == 2 and code.isascii() and code.isalpha() else None


def address(order: Json, country: str | None, levels: Levels, *, is_before_shipment: bool) -> Address | None:
    """Return where in a country an order goes; None where there is nothing to know.

    Shape: ``masked`` where any part holds asterisks, or where the street is withheld before shipment (T-74 to T-76).
    """
    recipient = child(order, "recipient_address")
    parts = _parts(recipient, country or "", levels)
    given = [value for value in parts.values() if value]
    if not given and not is_before_shipment:
        return None
    masked = any("*" in value for value in given) or (is_before_shipment and not parts["line_1"])
    return Address(**{name: value or None for name, value in parts.items()}, country=country, masked=masked)


def _parts(recipient: Json, country: str, levels: Levels) -> dict[str, str]:
    more = (text(recipient, f"address_line{n}") for n in (2, 3, 4))
    districts = [
        (text(each, "address_level"), text(each, "address_level_name").lower(), text(each, "address_name"))
        for each in children(recipient, "district_info")
    ]
    first = text(recipient, "first_name") or text(recipient, "name")  # T-73
    return {
        "first_name": first,
        "last_name": text(recipient, "last_name"),
        "phone": text(recipient, "phone_number"),
        "line_1": text(recipient, "address_line1")
        or text(recipient, "address_detail")
        or text(recipient, "full_address"),
        "line_2": ", ".join(line for line in more if line),
        "city": _city(recipient, districts, country, levels),
        "state": _district(districts, levels.state.get(country), STATE_NAMES, STATE_LEVEL),
        "zip": text(recipient, "postal_code"),
    }


def _city(recipient: Json, districts: Sequence[_District], country: str, levels: Levels) -> str:
    chosen = levels.city.get(country)
    if not chosen and (town := text(recipient, "post_town")):  # T-93
        return town
    return _district(districts, chosen, CITY_NAMES, CITY_LEVELS.get(country, "L3"))


def _district(districts: Sequence[_District], chosen: str | None, names: frozenset[str], usual: str) -> str:
    """Return a district: of the level the operator chose, else of the kind it is called, else of the usual level."""
    at = {level: name for level, _, name in districts}
    if chosen:
        return at.get(chosen, "")
    called = [name for _, kind, name in districts if kind in names and name]
    return called[-1] if called else at.get(usual, "")
