"""Connecting: the page of consent, the exchange of its code, the shops behind it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hub_tiktok.connector import TikTokConnector
from hub_tiktok.settings import TikTokSettings
from pytest_httpserver import HTTPServer

from hub.contract import AuthorizationError, ConfigurationError, TransientError
from tests.plugins.tiktok.tiktok_bench import SETTINGS, Bench, FixedClock, Shop, a_token, told

GET = "/api/v2/token/get"
SHOPS = "/authorization/202309/shops"
MASTER = "main (owner) account"


def _connector(**settings: Any) -> TikTokConnector:
    return Bench({**SETTINGS, **settings}, FixedClock(), a_token()).connector


@pytest.mark.parametrize(("settings", "page"), [
    ({}, "https://services.tiktokshop.com/open/authorize"),
    ({"market": "row"}, "https://services.tiktokshop.com/open/authorize"),
    ({"market": "us"}, "https://services.us.tiktokshop.com/open/authorize"),
    ({"market": "us", "consent_url": "https://services.tiktokshops.us/open/authorize"},
     "https://services.tiktokshops.us/open/authorize"),
])  # fmt: skip
def test_the_page_of_consent_is_the_markets_own(settings: dict[str, str], page: str) -> None:
    """T-03: unless the operator gives another."""
    url = _connector(service_id="7172", **settings).authorization_url("s t&te", "http://127.0.0.1:1/back")
    parts = urlsplit(url)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == page
    assert parse_qs(parts.query) == {"service_id": ["7172"], "state": ["s t&te"]}  # T-04
    assert page in TikTokSettings(**SETTINGS, **settings).consent_link


def test_without_a_service_id_there_is_no_page_to_open() -> None:
    """T-04."""
    with pytest.raises(ConfigurationError, match=r"service-id-missing.*Partner Center"):
        _connector().authorization_url("state", None)


def _code(shop: Shop) -> str:
    shop.options(redirect_url="http://127.0.0.1:9/back")
    shop.control("authorisation", {"action": "consent", "state": "s"})
    return str(shop.control("authorisation", {"action": "consent", "state": "s"})["code"])


def test_a_code_is_exchanged_once(shop: Shop) -> None:
    """T-07, T-09: GET, unsigned; a second try is refused and says why."""
    code = _code(shop)
    pair = shop.connector.exchange_code(code, None)
    (request,) = shop.calls
    assert request.method == "GET"
    assert dict(request.url.params) == {
        "app_key": shop.settings.app_key,
        "app_secret": shop.settings.app_secret.get_secret_value(),
        "auth_code": code,
        "grant_type": "authorized_code",
    }
    assert "x-tts-access-token" not in request.headers
    assert not shop.hints()[0].reads
    assert pair.access_token
    assert pair.refresh_token
    assert "seller.order.info" in pair.scopes
    with pytest.raises(AuthorizationError, match=r"consent-needed.*works once"):
        shop.connector.exchange_code(code, None)


@pytest.mark.parametrize("code", ["null", "", " "])
def test_a_refused_consent_names_the_sub_account_as_the_likely_cause(shop: Shop, code: str) -> None:
    """T-06, T-08: no call is made."""
    with pytest.raises(AuthorizationError, match="consent-refused") as caught:
        shop.connector.exchange_code(code, None)
    assert MASTER in caught.value.do
    assert "sub account" in caught.value.do
    assert shop.paths() == []


@pytest.mark.parametrize("user_type", ["1", "3"])
def test_anyone_but_a_seller_is_refused_with_the_likely_cause(shop: Shop, user_type: str) -> None:
    """T-08, T-11."""
    shop.options(user_type=user_type)
    with pytest.raises(AuthorizationError, match=f"wrong-user-type.*user type {user_type}") as caught:
        shop.connector.exchange_code(_code(shop), None)
    assert MASTER in caught.value.do


def test_scopes_that_the_consent_lacks_are_logged_and_the_tokens_kept(shop: Shop) -> None:
    """T-94: the code is used up by then; check_connection names them."""
    shop.options(granted_scopes="seller.order.info,seller.logistics,seller.authorization.info")
    pair = shop.connector.exchange_code(_code(shop), None)
    assert pair.refresh_token
    ((_, keys),) = [line for line in shop.log.lines if line[0] == "scopes-missing"]
    assert "seller.product.write" in keys["missing"]


def test_a_lost_answer_to_a_code_may_have_used_it(bench: Bench, httpserver: HTTPServer) -> None:
    httpserver.expect_request(GET).respond_with_data("busy", status=503)
    with pytest.raises(TransientError) as caught:
        bench.connector.exchange_code("canary-code", None)
    assert caught.value.may_have_happened
    assert "canary-code" not in str(caught.value)


def test_shops_behind_a_consent_are_listed_to_choose_from(shop: Shop) -> None:
    """T-19: also where none of them is the configured one."""
    shop.seed(shops=[
        {"id": "7495000000000000007", "name": "Isle", "region": "GB"},
        {"id": "7495000000000000008", "name": "Mainland", "region": "DE"},
    ])  # fmt: skip
    accounts = shop.connector.list_accounts()
    assert [(each.ref, each.name, each.region, each.setting) for each in accounts] == [
        ("7495000000000000007", "Isle", "GB", "shop"),
        ("7495000000000000008", "Mainland", "DE", "shop"),
    ]
    assert shop.paths() == [SHOPS]


def test_the_code_is_in_no_error() -> None:
    bench = told(lambda request: (_ for _ in ()).throw(RuntimeError(str(request.url))))
    with pytest.raises(AuthorizationError):
        bench.connector.exchange_code("null", None)
