"""Consent, tokens, and losing both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.plugins.tiktok.tiktok_caller import Caller, calling

SHOPS = "/authorization/202309/shops"
TARGET = "http://127.0.0.1:9/callback?own=1"


@pytest.fixture
def caller() -> Iterator[Caller]:
    with calling(redirect_url=TARGET) as running:
        yield running


def redirect(caller: Caller, decision: str, **query: str) -> dict[str, list[str]]:
    """What the redirect carries after a button on the consent page was pressed."""
    asked = {"service_id": "731"} | query
    page = caller.http.get("/open/authorize", params=asked)
    assert (page.status_code, "Authorize" in page.text, "Refuse" in page.text) == (200, True, True)
    answer = caller.http.post("/open/authorize", params=asked, data={"decision": decision})
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(TARGET + "&")
    return parse_qs(urlsplit(answer.headers["location"]).query)


def test_consent_brings_a_code_and_the_state_back(caller: Caller) -> None:
    """T-05, T-07, T-09"""
    carried = redirect(caller, "authorise", state="s+1/&")
    assert carried["state"] == ["s+1/&"]
    assert set(carried) == {"own", "code", "state"}
    answer = caller.token_call("get", auth_code=carried["code"][0], grant_type="authorized_code").json()
    assert (answer["code"], answer["message"], answer["data"]["user_type"]) == (0, "success", 0)
    again = caller.token_call("get", auth_code=carried["code"][0], grant_type="authorized_code")
    assert (again.status_code, again.json()["code"]) == (200, 36004004)


def test_refusal_brings_the_word_null_and_an_error(caller: Caller) -> None:
    """T-06"""
    carried = redirect(caller, "refuse", state="x")
    assert (carried["code"], carried["error"]) == (["null"], ["auth_denied"])


def test_an_install_without_state_comes_back_without_state(caller: Caller) -> None:
    assert set(redirect(caller, "authorise")) == {"own", "code"}


def test_more_parameters_ride_along_when_the_switch_says_so(caller: Caller) -> None:
    caller.options(consent_extra="yes")
    assert {"app_key", "locale", "shop_region"} < set(redirect(caller, "authorise", state="x"))


def test_a_code_dies_after_half_an_hour(caller: Caller) -> None:
    code = caller.control("authorisation", {"action": "consent"})["code"]
    caller.advance(1801)
    assert caller.token_call("get", auth_code=code, grant_type="authorized_code").json()["code"] == 36004004


def test_token_ends_are_instants_and_their_life_an_option(caller: Caller) -> None:
    """T-10"""
    with calling(token_life_s="90", refresh_life_s="300") as short:
        data = short.refresh(short.control("state")["tokens"][-1]["refresh_token"])["data"]
        assert 88 <= data["access_token_expire_in"] - short.now() <= 90
        assert 298 <= data["refresh_token_expire_in"] - short.now() <= 300
        short.advance(301)
        assert short.refresh(data["refresh_token"])["code"] == 36004001


@pytest.mark.parametrize(("rotation", "code"), [("dies", 36004005), ("survives", 0)])
def test_an_old_refresh_token_dies_or_survives(rotation: str, code: int) -> None:
    """T-12, T-13"""
    with calling(rotation=rotation) as caller:
        again = caller.refresh(caller.settings["refresh_token"])
        assert again["code"] == code
        newest = caller.control("state")["tokens"][-1]["refresh_token"]
        assert caller.refresh(newest)["code"] == 0


@pytest.mark.parametrize(("switch", "code"), [("lives", 0), ("dies", 105002)])
def test_an_old_access_token_lives_on_or_dies_after_a_refresh(caller: Caller, switch: str, code: int) -> None:
    """T-14"""
    caller.options(access_after_refresh=switch)
    caller.refresh(caller.control("state")["tokens"][-1]["refresh_token"])
    assert caller.code("GET", SHOPS, cipher=None) == code


def test_the_token_host_answers_get_only_and_refuses_with_status_200(caller: Caller) -> None:
    """T-09, T-15"""
    posted = caller.token_call("refresh", "POST", refresh_token="x", grant_type="refresh_token")
    assert (posted.status_code, posted.text) == (404, "404 page not found")
    wrong: list[dict[str, Any]] = [
        {"app_key": "x", "grant_type": "refresh_token"},
        {"app_secret": "x", "grant_type": "refresh_token"},
        {"grant_type": "authorization_code"},
    ]
    for query in wrong:
        answer = caller.token_call("refresh", refresh_token="x", **query)
        assert (answer.status_code, answer.json()["code"]) == (200, 36009004)
    assert caller.refresh("unknown")["code"] == 36004005


@pytest.mark.parametrize("code", ["105001", "105002", "105003", "101000"])
def test_after_the_seller_withdraws_only_new_consent_helps(caller: Caller, code: str) -> None:
    """T-18"""
    refresh_token = caller.control("state")["tokens"][-1]["refresh_token"]
    caller.options(revoked_code=code)
    caller.control("authorisation", {"action": "deauthorise"})
    assert caller.code("GET", SHOPS, cipher=None) == int(code)
    assert caller.refresh(refresh_token)["code"] == 36004005
    fresh = caller.control("authorisation", {"action": "consent"})["code"]
    answer = caller.token_call("get", auth_code=fresh, grant_type="authorized_code").json()
    caller.token = answer["data"]["access_token"]
    assert caller.code("GET", SHOPS, cipher=None) == 0


def test_the_token_message_scopes_and_kind_of_user_are_options(caller: Caller) -> None:
    """T-11"""
    caller.options(token_message="Success", granted_scopes="seller.order.info, seller.logistics", user_type="3")
    answer = caller.refresh(caller.control("state")["tokens"][-1]["refresh_token"])
    assert answer["message"] == "Success"
    assert answer["data"]["granted_scopes"] == ["seller.order.info", "seller.logistics"]
    assert answer["data"]["user_type"] == 3


def test_the_app_can_end_the_authorisation_itself(caller: Caller) -> None:
    assert caller.code("DELETE", "/authorization/202403/shops", cipher=None) == 0
    assert caller.code("GET", SHOPS, cipher=None) == 105001
