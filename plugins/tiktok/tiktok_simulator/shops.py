"""The seller's shops and their warehouses, delivery options and carriers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from tiktok_simulator.markets import MARKETS
from tiktok_simulator.wire import ControlError, Json

SALES, RETURN = "SALES_WAREHOUSE", "RETURN_WAREHOUSE"

PROVIDERS: dict[str, tuple[tuple[str, str], ...]] = {
    "US": (
        ("7117858858072016686", "USPS"),
        ("7117859084333745966", "UPS"),
        ("7352739623900022544", "Gofo Express"),
        ("7352738314622863120", "UniUni"),
        ("7325327335806403082", "SpeedX"),
    ),
    "GB": (("6639580521074524161", "DHL_UK"), ("6599541761693270018", "EVRi")),
}
# A delivery option of the seller's own takes a carrier more; its id is made up.
BY_SELLER = {"US": (("7117859000000000001", "Simulated Courier"),)}
ANYWHERE = (("6599500000000000001", "Simulated Post"), ("6599500000000000002", "Simulated Parcel"))
STANDARD_OPTION = "7091146663229654785"
SELLER_OPTION = "7091146663229654786"


def option_id(region: str, kind: str = "STANDARD") -> str:
    """The id of a delivery option; each region has its own, and its own carriers."""
    if region == "US":
        return STANDARD_OPTION if kind == "STANDARD" else SELLER_OPTION
    return stable_id("7091", region, kind)


def stable_id(prefix: str, *names: str, digits: int = 19) -> str:
    """A decimal id that depends on the names alone (T-43)."""
    room = digits - len(prefix)
    number = int(hashlib.sha256("\0".join(names).encode()).hexdigest()[:16], 16) % 10**room
    return f"{prefix}{number:0{room}d}"


OPTIONS_BY_ID = {
    option_id(region, kind): (region, kind) for region in MARKETS for kind in ("STANDARD", "SEND_BY_SELLER")
}


@dataclass(slots=True)
class Shop:
    """A shop; one that is not authorised exists, but not for this token (T-19, T-20)."""

    id: str
    name: str
    region: str
    seller_type: str
    cipher: str
    code: str
    authorised: bool

    def as_dict(self) -> Json:
        """The shop as Get Authorized Shops lists it."""
        return {
            "id": self.id,
            "name": self.name,
            "region": self.region,
            "seller_type": self.seller_type,
            "cipher": self.cipher,
            "code": self.code,
        }


@dataclass(slots=True)
class Warehouse:
    """A place under one of its ids; the same place may have another id for returns (T-78)."""

    id: str
    shop: str
    name: str
    type: str
    is_default: bool
    entity_id: str
    effect_status: str
    is_fbt: bool
    region: str

    def as_dict(self) -> Json:
        """The warehouse as Get Warehouse List shows it; `distict` is the field's real name."""
        market = MARKETS[self.region]
        place = market.places[0]
        return {
            "id": self.id,
            "entity_id": self.entity_id,
            "name": self.name,
            "effect_status": self.effect_status,
            "type": self.type,
            "sub_type": "DOMESTIC_WAREHOUSE",
            "is_default": self.is_default,
            "address": {
                "region": market.country,
                "region_code": self.region,
                "state": place.state,
                "city": place.city,
                "distict": place.county,
                "postal_code": place.postal_code,
                "contact_person": "Warehouse Desk",
                "phone_number": f"({market.phone_prefix})2130000000",
                "address_line1": f"1 {place.street}",
                "full_address": f"1 {place.street}, {place.city}, {place.state}, {market.country}",
            },
        }


class Shops:
    """All shops of the simulated seller and what belongs to them."""

    def __init__(self) -> None:
        self.shops: dict[str, Shop] = {}
        self.warehouses: dict[str, Warehouse] = {}
        self.replace([{"id": "7495000000000000001", "name": "Simulated Shop", "region": "US"}])

    def replace(self, specs: list[Json]) -> None:
        """Set the shops, each with its usual warehouses: one that sells, its return side, one of TikTok's own."""
        self.shops.clear()
        self.warehouses.clear()
        for number, spec in enumerate(specs, 1):
            region = str(spec.get("region", "US"))
            if region not in MARKETS:
                raise ControlError(f"no market {region!r}; there are {', '.join(MARKETS)}")
            shop_id = str(spec.get("id") or stable_id("7495", f"shop {number}"))
            self.shops[shop_id] = Shop(
                id=shop_id,
                name=str(spec.get("name", f"Simulated Shop {number}")),
                region=region,
                seller_type=str(spec.get("seller_type", "LOCAL" if len(specs) == 1 else "CROSS_BORDER")),
                cipher=str(spec.get("cipher") or f"ROW_{stable_id('', shop_id, 'cipher', digits=16)}AAAA/cipher+=="),
                code=str(spec.get("code", f"{region}LC{shop_id[-6:]}")),
                authorised=bool(spec.get("authorised", True)),
            )
            self.set_warehouses(shop_id, ["Main warehouse"])

    def set_warehouses(self, shop_id: str, names: list[str]) -> None:
        """Give a shop one sales warehouse per name, a return side for the first, and TikTok's own warehouse."""
        specs: list[Json] = [{"name": name, "is_default": not n} for n, name in enumerate(names)]
        specs.append({"name": names[0], "type": RETURN, "entity_of": names[0]})
        specs.append({"name": "Fulfilled by TikTok", "fbt": True})
        self.replace_warehouses([{"shop": shop_id, **spec} for spec in specs])

    def replace_warehouses(self, specs: list[Json]) -> None:
        """Set the warehouses of the shops named in the specs; other shops keep theirs."""
        first = next(iter(self.shops))
        named = {str(spec.get("shop") or first) for spec in specs}
        self.warehouses = {key: w for key, w in self.warehouses.items() if w.shop not in named}
        for spec in specs:
            shop = self.shop(str(spec.get("shop") or first))
            kind, name = str(spec.get("type", SALES)), str(spec["name"])
            prefix = {SALES: "70", RETURN: "71"}.get(kind, "72")
            warehouse_id = str(spec.get("id") or stable_id(prefix, shop.id, kind, name))
            self.warehouses[warehouse_id] = Warehouse(
                id=warehouse_id,
                shop=shop.id,
                name=name,
                type=kind,
                is_default=bool(spec.get("is_default", False)),
                entity_id=str(spec.get("entity_id") or stable_id("73", shop.id, str(spec.get("entity_of", name)))),
                effect_status=str(spec.get("effect_status", "ENABLED")),
                is_fbt=bool(spec.get("fbt", False)),
                region=shop.region,
            )

    @property
    def first(self) -> Shop:
        """The shop that settings name."""
        return next(iter(self.shops.values()))

    @property
    def authorised(self) -> list[Shop]:
        """The shops the token reaches."""
        return [shop for shop in self.shops.values() if shop.authorised]

    def shop(self, shop_id: str | None) -> Shop:
        """A shop by id, the first one by default."""
        if not shop_id:
            return self.first
        if shop_id not in self.shops:
            raise ControlError(f"no shop {shop_id!r}; there are {', '.join(self.shops)}")
        return self.shops[shop_id]

    def warehouses_of(self, shop_id: str) -> list[Warehouse]:
        """The warehouses of one shop."""
        return [warehouse for warehouse in self.warehouses.values() if warehouse.shop == shop_id]

    def ships_from(self, shop_id: str, fbt: bool) -> str:
        """The warehouse an order of a shop leaves from unless it says otherwise."""
        fitting = [w for w in self.warehouses_of(shop_id) if w.type == SALES and w.is_fbt == fbt]
        return next((w.id for w in fitting if w.is_default), fitting[0].id if fitting else "")

    def delivery_options(self, warehouse: Warehouse) -> list[Json]:
        """The delivery options of a warehouse."""
        market = MARKETS[warehouse.region]
        limits: Json = {"max_length": 300, "max_width": 300, "max_height": 300, "unit": "CM"}
        weights: Json = {"min_weight": 1, "max_weight": 30000, "unit": "GRAM"}
        return [
            {"id": option, "name": name, "type": kind, "description": f"{name} in {market.country}",
             "dimension_limit": limits, "weight_limit": weights, "platform": ["TIKTOK_SHOP"]}
            for option, name, kind in (
                (option_id(warehouse.region), "Standard Shipping", "STANDARD"),
                (option_id(warehouse.region, "SEND_BY_SELLER"), "Shipped by seller", "SEND_BY_SELLER"),
            )
        ]  # fmt: skip

    def providers(self, region: str) -> list[Json]:
        """The carriers of a region's usual delivery option."""
        return [{"id": number, "name": name} for number, name in PROVIDERS.get(region, ANYWHERE)]

    def providers_of(self, option: str) -> list[Json]:
        """The carriers of one delivery option; none for an option nobody has."""
        region, kind = OPTIONS_BY_ID.get(option, ("", ""))
        if not region:
            return []
        more = BY_SELLER.get(region, ()) if kind != "STANDARD" else ()
        return self.providers(region) + [{"id": number, "name": name} for number, name in more]
