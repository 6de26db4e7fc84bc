"""check_connection and list_locations: what is missing is named, with what to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hub_tiktok.check import FEATURE_SCOPES, NEEDED_SCOPES
from hub_tiktok.connector import TikTokConnector
from hub_tiktok.settings import TikTokSettings
from pydantic import ValidationError
from pytest_httpserver import HTTPServer

from hub.contract import HOOK_NAMES, AuthorizationError, ConfigurationError, Finding, Location, LocationKind
from tests.plugins.tiktok.tiktok_bench import FIXED_NOW, SETTINGS, SHOP, Bench, Shop, a_token, shop_on_simulator, told

SHOPS, WAREHOUSES, FBT = "/authorization/202309/shops", "/logistics/202309/warehouses", "/fbt/202408/warehouses"
SALES = {"id": "7001", "name": "Main", "type": "SALES_WAREHOUSE", "effect_status": "ENABLED", "is_default": True}


def _faults(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if not finding.ok]


def _channel(date: str = "", *warehouses: dict[str, Any]) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        shops = [{"id": SHOP, "name": "Bench", "region": "US", "cipher": "c"}]
        data = {"shops": shops} if request.url.path == SHOPS else {"warehouses": list(warehouses or (SALES,))}
        return httpx.Response(200, json={"code": 0, "data": data}, headers={"Date": date} if date else {})

    return answer


def test_a_sound_connection_has_only_good_findings(shop: Shop) -> None:
    """T-17, T-19, T-78: two calls, and one for TikTok's own warehouses."""
    findings = shop.connector.check_connection()
    assert _faults(findings) == []
    said = " | ".join(finding.what for finding in findings)
    for words in ("Simulated Shop", "region US", "sales warehouses enabled: Main", "return warehouses: Main"):
        assert words in said
    assert shop.paths() == [SHOPS, WAREHOUSES, FBT]


@pytest.mark.parametrize("status", ["403", "200"])
def test_missing_scopes_are_named_with_what_to_do(status: str) -> None:
    """T-16, T-17."""
    options = {"granted_scopes": "seller.authorization.info,seller.logistics", "scope_http_status": status}
    with shop_on_simulator(options) as shop:
        fault, *others = _faults(shop.connector.check_connection())
        assert fault.what == "scope seller.order.info is not granted"
        assert all("orders arrive without it" in other.what for other in others)
        assert "Partner Center" in fault.do
        assert "consent" in fault.do
        with pytest.raises(AuthorizationError, match=r"scope-missing.*Partner Center.*consent"):
            shop.pull()


@pytest.mark.parametrize(("scope", "feature"), [
    ("seller.fulfillment.basic", "shipments"),
    ("seller.fulfillment.package.write", "several parcels"),
    ("seller.product.basic", "reading products"),
    ("seller.product.write", "setting stock"),
    ("seller.return_refund.basic", "cancellations and returns"),
])  # fmt: skip
def test_a_missing_scope_names_the_feature_that_it_stops(scope: str, feature: str) -> None:
    """T-94: a scope for stock does not stop orders."""
    bench = told(_channel())
    bench.tokens.stored = a_token(scopes=tuple({*NEEDED_SCOPES, *FEATURE_SCOPES} - {scope}))
    (fault,) = _faults(bench.connector.check_connection())
    assert fault.what.startswith(f"scope {scope} is not granted, which stops ")
    assert feature in fault.what
    assert "orders arrive without it" in fault.what


def test_scopes_that_are_not_told_are_not_complained_of() -> None:
    """T-11: the list may be missing."""
    assert _faults(told(_channel()).connector.check_connection()) == []


def test_a_shop_out_of_reach_names_those_in_reach(shop: Shop) -> None:
    """T-19: the likely cause is a consent by the wrong account (T-08)."""
    shop.seed(shops=[{"id": "7495000000000000007", "name": "Other", "region": "GB"}])
    with pytest.raises(ConfigurationError) as caught:
        shop.connector.check_connection()
    assert caught.value.code == "shop-not-reached"
    assert "7495000000000000007 (Other, GB)" in caught.value.what
    assert "sub account" in caught.value.do
    assert "main (owner) account" in caught.value.do


@pytest.mark.parametrize(("warehouse", "words"), [
    ({**SALES, "effect_status": "RESTRICTED"}, "no sales warehouse is enabled"),
    ({**SALES, "effect_status": "DISABLED"}, "no sales warehouse is enabled"),
    ({**SALES, "type": "RETURN_WAREHOUSE"}, "the shop has no sales warehouse"),
])  # fmt: skip
def test_a_shop_that_cannot_ship_says_why(warehouse: dict[str, Any], words: str) -> None:
    """T-78."""
    (fault,) = _faults(told(_channel("", warehouse)).connector.check_connection())
    assert fault.what == words
    assert "Seller Center" in fault.do


@pytest.mark.parametrize(("ahead_s", "is_fine", "words"), [
    (0, True, ""),
    (19, True, ""),
    (25, True, "25 s ahead of"),
    (31, False, "31 s ahead of"),
    (-250, True, "250 s behind"),
    (-301, False, "301 s behind"),
])  # fmt: skip
def test_the_clock_is_compared_with_the_channels(ahead_s: int, is_fine: bool, words: str) -> None:
    """T-23: 30 s ahead and 300 s behind are the limits."""
    theirs = FIXED_NOW - timedelta(seconds=ahead_s)
    findings = told(_channel(theirs.strftime("%a, %d %b %Y %H:%M:%S GMT"))).connector.check_connection()
    about = [finding for finding in findings if "clock" in finding.what]
    assert [finding.ok for finding in about] == ([] if not words else [is_fine])
    assert all(words in finding.what and "NTP" in finding.do for finding in about)


@pytest.mark.parametrize("listed", ["yes", "no"])
def test_tiktoks_own_warehouse_is_the_channels_whether_listed_or_not(shop: Shop, listed: str) -> None:
    """T-77."""
    shop.options(fbt_warehouse_listed=listed)
    kinds = {place.name: place.kind for place in shop.connector.list_locations() if place.name != "Main warehouse"}
    assert kinds == {"Fulfilled by TikTok": LocationKind.CHANNEL}


def test_one_place_is_two_locations_when_it_ships_and_takes_returns(shop: Shop) -> None:
    """T-78: names are not unique, ids are."""
    places = [place for place in shop.connector.list_locations() if place.name == "Main warehouse"]
    assert {place.kind for place in places} == {LocationKind.SHIPS, LocationKind.RETURNS}
    assert len({place.ref for place in places}) == 2


def _answers(httpserver: HTTPServer, fbt: dict[str, Any]) -> None:
    shops = [{"id": SHOP, "cipher": "c"}]
    httpserver.expect_request(SHOPS).respond_with_json({"code": 0, "data": {"shops": shops}})
    httpserver.expect_request(WAREHOUSES).respond_with_json({"code": 0, "data": {"warehouses": [SALES, {"id": ""}]}})
    httpserver.expect_request(FBT).respond_with_json(fbt)


def test_a_shop_not_on_board_of_fbt_still_has_its_locations(bench: Bench, httpserver: HTTPServer) -> None:
    """T-92."""
    bench.tokens.stored = a_token(scopes=("seller.fbt.info",))
    _answers(httpserver, {"code": 11050001, "message": "not on board"})
    assert [place.ref for place in bench.connector.list_locations()] == ["7001"]


@pytest.mark.parametrize(
    "words", ["`shop_cipher` is not required", "Unexpected identifier", "Unexpected identifier `shop_cipher`"]
)
def test_the_fbt_call_is_made_without_a_cipher_where_none_is_wanted(
    bench: Bench, httpserver: HTTPServer, words: str
) -> None:
    """T-92, T-21, sheet 3.4: both texts; refused without one too, the shop has its locations all the same."""
    bench.tokens.stored = a_token(scopes=("seller.fbt.info",))
    _answers(httpserver, {"code": 36009004, "message": words})
    assert [place.ref for place in bench.connector.list_locations()] == ["7001"]
    assert [("shop_cipher" in call.url.params) for call in bench.calls if call.url.path == FBT] == [True, False]


def test_a_market_without_fbt_calls_still_has_its_locations(bench: Bench, httpserver: HTTPServer) -> None:
    """T-32, sheet 2.6, 11: a scope may be granted where nothing stands behind it."""
    bench.tokens.stored = a_token(scopes=("seller.fbt.info",))
    _answers(httpserver, {"code": 36009009, "message": "unknown path"})
    assert [place.ref for place in bench.connector.list_locations()] == ["7001"]
    assert [name for name, _ in bench.log.lines] == ["fbt-warehouses-refused"]


def test_without_the_fbt_scope_its_call_is_not_made(bench: Bench, httpserver: HTTPServer) -> None:
    """T-17: a call without its scope only fails."""
    _answers(httpserver, {"code": 105005, "message": "no"})
    (place,) = bench.connector.list_locations()
    assert place == Location(ref="7001", name="Main", kind=LocationKind.SHIPS, is_default=True)
    assert FBT not in bench.paths()


def test_calls_outside_a_shop_carry_no_cipher(shop: Shop) -> None:
    """T-21."""
    shop.connector.check_connection()
    carrying = {call.url.path: "shop_cipher" in call.url.params for call in shop.calls}
    assert carrying == {SHOPS: False, WAREHOUSES: True, FBT: True}


def test_every_capability_is_a_marked_hook() -> None:
    assert TikTokConnector.capabilities <= HOOK_NAMES
    assert all(hasattr(getattr(TikTokConnector, name), "hub_impl") for name in TikTokConnector.capabilities)


def test_the_usual_hosts_are_the_vendors() -> None:
    """T-01 to T-03."""
    settings = TikTokSettings(**SETTINGS)
    assert settings.api_url == "https://open-api.tiktokglobalshop.com"
    assert settings.auth_url == "https://auth.tiktok-shops.com"
    assert settings.consent_url == "https://services.tiktokshop.com/open/authorize"
    assert settings.requests_per_second in range(3, 11)  # T-80


def test_the_consent_link_takes_nothing_but_the_service_id() -> None:
    """T-04: no redirect address, no scopes."""
    settings = TikTokSettings(**SETTINGS, service_id="7172")
    assert settings.consent_link == "https://services.tiktokshop.com/open/authorize?service_id=7172"


def test_every_setting_has_a_description_and_an_example() -> None:
    for name, field in TikTokSettings.model_fields.items():
        assert field.description, name
        assert field.examples, name


def test_a_setting_nobody_knows_is_refused() -> None:
    with pytest.raises(ValidationError, match="shop_code"):
        TikTokSettings(**SETTINGS, shop_code="USLC1")
    with pytest.raises(ValidationError, match="must be https"):
        TikTokSettings(**SETTINGS, api_url="http://example.com")
