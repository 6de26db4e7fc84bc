"""``hub check --online``: every location that a route names must exist, and be of the right kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from hub.config import load
from hub.contract import Connection, Location, LocationKind, hookimpl
from hub.engine.online import Examined, examine
from hub.engine.world import World, build
from hub.host.discover import Found
from hub.store import open_store
from tests.unit.config.config_files import AbleErp, AbleShop

S, R, C = LocationKind.SHIPS, LocationKind.RETURNS, LocationKind.CHANNEL


class Nothing(BaseModel):
    """No settings."""


class Shop(AbleShop):
    settings_model: ClassVar[type[BaseModel]] = Nothing
    capabilities: ClassVar[frozenset[str]] = (AbleShop.capabilities - {"check_connection"}) | {"list_locations"}

    @hookimpl
    def list_locations(self) -> list[Location]:
        places = (("1", "Pickup LA", S), ("2", "Returns LA", R), ("3", "FBT", C))
        return [Location(ref=ref, name=name, kind=kind) for ref, name, kind in places]


class Erp(AbleErp):
    settings_model: ClassVar[type[BaseModel]] = Nothing
    capabilities: ClassVar[frozenset[str]] = AbleErp.capabilities - {"find_variants"}

    def __init__(self, connection: Connection[Any]) -> None: ...

    @hookimpl
    def list_locations(self) -> list[Location]:
        places = (("7", "Main", True), ("8", "West", True), ("9", "Desk", False))
        return [Location(ref=ref, name=name, kind=S, usable=usable) for ref, name, usable in places]


class Sku(Erp):
    """As a route asks for it; never called here."""

    capabilities: ClassVar[frozenset[str]] = AbleErp.capabilities


TEXT = """\
version: 1
connections: {{shop: {{connector: shop}}, erp: {{connector: erp}}}}
routes:
  - name: us
    channel: shop
    erp: erp
{lines}
"""


@pytest.fixture
def examined(tmp_path: Path) -> Iterator[Any]:
    worlds: list[World] = []

    def ask(lines: str) -> dict[str, Examined]:
        file = tmp_path / "routes.yaml"
        file.write_text(TEXT.format(lines="".join(f"    {line}\n" for line in lines.splitlines())))
        config = load(file, {"shop": Shop, "erp": Sku}, {})
        plugins = {"shop": Found("shop", "tests", "1", Shop), "erp": Found("erp", "tests", "1", Erp)}
        world = build(
            config, plugins, open_store(str(tmp_path / f"{len(worlds)}.db")), environ={}, key_file=tmp_path / "hub.key"
        )
        worlds.append(world)
        return {each.connection: each for each in examine(world)}

    yield ask
    for world in worlds:
        world.close()


def missing(found: Examined) -> list[str]:
    assert found.error is None, found.error
    return [finding.what for finding in found.findings if not finding.ok]


def test_every_location_of_every_section_is_looked_for(examined: Any) -> None:
    found = examined(
        """\
orders: {fulfilled_by_channel: {record_as_done: {location: F}}, location: {default: A, by_channel_location: {P: B}}}
inventory: {default: C, locations: {Q: [{location: D}]}, buffer: {units: 1}}
returns: {enabled: true, default: E, locations: {X: G}}"""
    )
    assert missing(found["erp"]) == [
        f"there is no location {name!r} (route us, {key})"
        for name, key in (
            ("A", "orders/location/default"), ("B", "orders/location/by_channel_location"),
            ("F", "orders/fulfilled_by_channel"), ("C", "inventory/default"), ("D", "inventory/locations"),
            ("E", "returns/default"), ("G", "returns/locations"),
        )
    ]  # fmt: skip
    assert [what.split("'")[1] for what in missing(found["shop"])] == ["P", "Q", "X"]


def test_locations_that_exist_are_told_to_with_the_routes_that_name_them(examined: Any) -> None:
    found = examined('inventory: {locations: {"Pickup LA": West, "1": Main}, buffer: {units: 1}}')
    assert missing(found["erp"]) + missing(found["shop"]) == []
    assert found["erp"].named_by == {"7": ("us",), "8": ("us",), "9": ()}


def test_stock_goes_to_warehouses_that_ship_and_returns_come_to_those_that_take_them(examined: Any) -> None:
    lines = 'inventory: {locations: {"Returns LA": West, FBT: Main}, buffer: {units: 1}}\n'
    found = examined(lines + 'returns: {enabled: true, default: Desk, locations: {"Pickup LA": Desk}}')
    assert missing(found["shop"]) == [
        "location 'Returns LA' is of the kind 'returns', not 'ships' (route us, inventory/locations)",
        "location 'FBT' is of the kind 'channel', not 'ships' (route us, inventory/locations)",
        "location 'Pickup LA' is of the kind 'ships', not 'returns' (route us, returns/locations)",
    ]
    assert missing(found["erp"]) == []  # goods may come back to a place that sells nothing


def test_sections_that_are_off_name_nothing(examined: Any) -> None:
    found = examined("inventory: {enabled: false, default: Nowhere}\nreturns: {enabled: false, default: Nowhere}")
    assert missing(found["erp"]) == []


def test_place_of_a_sales_order_must_allow_sales(examined: Any) -> None:
    found = examined("orders: {fulfilled_by_channel: {record_as_done: {location: Desk}}}\ninventory: {enabled: false}")
    assert missing(found["erp"]) == ["location 'Desk' does not allow sales (route us, orders/fulfilled_by_channel)"]
