"""The markets orders come from: currency, tax, packages, places."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

CENTS = {0: Decimal(1), 2: Decimal("0.01")}


@dataclass(frozen=True, slots=True)
class Place:
    """A town with the districts above it."""

    street: str
    city: str
    county: str
    state: str
    postal_code: str


@dataclass(frozen=True, slots=True)
class Market:
    """One country, as far as its orders differ from others."""

    region: str
    country: str
    currency: str
    decimals: int
    tax_included: bool
    phone_prefix: str
    rate_to_usd: Decimal  # for prices made up from a catalogue in dollars
    places: tuple[Place, ...]

    @property
    def cent(self) -> Decimal:
        """The smallest amount of the currency (T-69)."""
        return CENTS[self.decimals]

    @property
    def packages_at_payment(self) -> bool:
        """Everywhere but in the US an order has its package from payment on (T-79)."""
        return self.region != "US"


EURO = Decimal("0.90")

MARKETS: dict[str, Market] = {
    market.region: market
    for market in (
        Market("US", "United States", "USD", 2, False, "+1", Decimal(1), (
            Place("Example Ave", "San Jose", "Santa Clara", "California", "95110"),
            Place("Sample St", "Austin", "Travis", "Texas", "78701"),
            Place("Invented Rd", "Denver", "Denver", "Colorado", "80202"),
        )),
        Market("GB", "United Kingdom", "GBP", 2, True, "+44", Decimal("0.80"), (
            Place("High Street", "Leeds", "West Yorkshire", "England", "LS1 4AP"),
            Place("Mill Lane", "Cardiff", "South Glamorgan", "Wales", "CF10 1EP"),
        )),
        Market("JP", "Japan", "JPY", 0, True, "+81", Decimal(150), (
            Place("Chuo 1-2-3", "Shibuya", "Shibuya-ku", "Tokyo", "150-0002"),
        )),
        Market("DE", "Germany", "EUR", 2, True, "+49", EURO, (
            Place("Musterstrasse", "Kassel", "Kassel", "Hessen", "34117"),
        )),
        Market("FR", "France", "EUR", 2, True, "+33", EURO, (
            Place("Rue du Moulin", "Nantes", "Loire-Atlantique", "Pays de la Loire", "44000"),
        )),
        Market("ES", "Spain", "EUR", 2, True, "+34", EURO, (
            Place("Calle Mayor", "Gijon", "Asturias", "Asturias", "33201"),
        )),
        Market("IT", "Italy", "EUR", 2, True, "+39", EURO, (Place("Via Roma", "Lucca", "Lucca", "Toscana", "55100"),)),
        Market("IE", "Ireland", "EUR", 2, True, "+353", EURO, (
            Place("Main Street", "Galway", "Galway", "Connacht", "H91 E9W1"),
        )),
        Market("SG", "Singapore", "SGD", 2, True, "+65", Decimal("1.35"), (
            Place("Orchard Link", "Singapore", "Central", "Singapore", "238823"),
        )),
        Market("VN", "Vietnam", "VND", 0, True, "+84", Decimal(25000), (
            Place("Le Loi", "Ben Thanh", "District 1", "Ho Chi Minh City", "700000"),
        )),
        Market("TH", "Thailand", "THB", 2, True, "+66", Decimal(34), (
            Place("Charoen Krung", "Bang Rak", "Bang Rak", "Bangkok", "10500"),
        )),
        Market("MX", "Mexico", "MXN", 2, True, "+52", Decimal(17), (
            Place("Calle Hidalgo", "Puebla", "Puebla", "Puebla", "72000"),
        )),
    )
}  # fmt: skip

LATIN_AMERICA = frozenset({"BR", "MX"})
SOUTH_EAST_ASIA = frozenset({"ID", "TH", "SG", "MY", "VN", "PH"})
