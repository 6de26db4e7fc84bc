"""The connector as a plugin, the check of a connection, and the locations."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

import pytest
from hub_katana.connector import KatanaConnector
from pytest_httpserver import HTTPServer

from hub.contract import AuthorizationError, ConfigurationError, LocationKind


def test_the_entry_point_loads_the_connector() -> None:
    found = {point.name: point for point in entry_points(group="hub.connectors")}
    assert found["katana"].load() is KatanaConnector
    assert KatanaConnector.name == "katana"


def test_a_good_connection_takes_three_reads_and_names_the_places_that_sell(katana: Any, shop: Any) -> None:
    """K-02, K-27, K-28."""
    findings = katana.bench().connector.check_connection()
    assert all(finding.ok for finding in findings)
    assert findings[-1].what == "orders may leave from: Main warehouse"
    assert katana.calls() == ["GET /user_info", "GET /factory", "GET /locations"]


def test_a_refused_key_stops_the_check_at_its_first_call(katana: Any, shop: Any) -> None:
    """K-01."""
    with pytest.raises(AuthorizationError, match="Settings > API > API keys"):
        katana.bench(api_key="not-the-key").connector.check_connection()
    assert katana.calls() == ["GET /user_info"]


def test_a_url_that_is_not_katanas_api_is_a_matter_of_configuration(katana: Any, shop: Any) -> None:
    wrong = f"{katana.simulator.url}/v1/nowhere"
    with pytest.raises(ConfigurationError, match=r"Set api_url to https://api\.katanamrp\.com/v1"):
        katana.bench(api_url=wrong).connector.check_connection()


def answer_account(server: HTTPServer, factory: dict[str, Any], locations: list[dict[str, Any]]) -> None:
    server.expect_request("/user_info").respond_with_json({"id": 1, "firstName": "A", "brandNew": True})
    server.expect_request("/factory").respond_with_json(factory)
    server.expect_request("/locations").respond_with_json({"data": locations})


def test_an_account_where_nothing_may_sell_is_told_so(odd: Callable[..., Any], httpserver: HTTPServer) -> None:
    """K-27, and K-23: the filter sales_allowed is checked row by row."""
    answer_account(httpserver, {"display_name": "Mill"}, [{"id": 1, "name": "Attic", "sales_allowed": False}])
    findings = odd(httpserver.url_for("")).connector.check_connection()
    assert [finding.ok for finding in findings] == [True, False]
    assert "allow sales" in findings[1].do


def test_a_default_location_that_may_not_sell_is_told(odd: Callable[..., Any], httpserver: HTTPServer) -> None:
    """K-28."""
    rows = [{"id": 1, "name": "Attic", "sales_allowed": True, "is_primary": True}]
    answer_account(httpserver, {"default_sales_location_id": 2}, rows)
    findings = odd(httpserver.url_for("")).connector.check_connection()
    assert [finding.ok for finding in findings] == [True, True, False]


def test_locations_ship_and_say_whether_orders_may_leave_from_them(katana: Any, shop: Any) -> None:
    """K-27, K-28."""
    made = katana.bench()
    katana.forget()
    found = {location.name: location for location in made.connector.list_locations()}
    assert len(katana.calls()) == 2
    assert {location.kind for location in found.values()} == {LocationKind.SHIPS}
    assert {name: (place.usable, place.is_default) for name, place in found.items()} == {
        "Main warehouse": (True, True),
        "Showroom": (False, False),
    }
    assert found["Main warehouse"].ref == str(shop["locations"]["Main warehouse"])


def test_without_a_default_in_the_factory_the_primary_location_is_it(
    odd: Callable[..., Any], httpserver: HTTPServer
) -> None:
    """K-28."""
    rows = [{"id": 1, "name": "A", "sales_allowed": True}, {"id": 2, "sales_allowed": True, "is_primary": True}]
    answer_account(httpserver, {"default_sales_location_id": None}, rows)
    places = odd(httpserver.url_for("")).connector.list_locations()
    assert [(place.name, place.is_default) for place in places] == [("A", False), ("2", True)]
