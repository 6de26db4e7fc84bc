"""The consent page in a browser: who sees what, and where the browser goes (fact sheet 2.1 to 2.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.plugins.tiktok.tiktok_caller import Caller, calling

PAGE = "/open/authorize"
TARGET = "http://127.0.0.1:9/callback"


@pytest.fixture
def caller() -> Iterator[Caller]:
    with calling(redirect_url=TARGET, seller_name="Ann & Co", app_name="Our Hub") as running:
        yield running


def press(caller: Caller, button: str, **form: str) -> dict[str, list[str]]:
    """Open the page, press a button of its form as a browser would, and read the redirect."""
    page = caller.http.get(PAGE, params={"service_id": "731", "state": "s&1"}).text
    action = re.search(r'<form method="post" action="([^"]+)"', page)
    value = re.search(rf'<button name="decision" value="(\w+)">{button}</button>', page)
    assert action, page
    assert value, page
    url = action[1].replace("&amp;", "&")
    answer = caller.http.post(url, data={"decision": value[1], **form})
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(TARGET + "?")
    return parse_qs(urlsplit(answer.headers["location"]).query)


def test_the_page_names_owner_app_shops_and_scopes(caller: Caller) -> None:
    page = caller.http.get(PAGE, params={"service_id": "731", "state": "x"})
    assert page.headers["content-type"].startswith("text/html")
    for text in ("Ann &amp; Co", "Our Hub", "main account", "Simulated Shop (US)", "seller.order.info", "731"):
        assert text in page.text
    assert "<script" not in page.text
    assert "seller.order.info" not in caller_page_with(caller, granted_scopes="seller.logistics")


def caller_page_with(caller: Caller, **switches: str) -> str:
    caller.options(**switches)
    return caller.http.get(PAGE, params={"service_id": "731"}).text


def test_pressing_authorize_leads_back_with_code_and_state(caller: Caller) -> None:
    """§2.1"""
    carried = press(caller, "Authorize")
    assert (set(carried), carried["state"]) == ({"code", "state"}, ["s&1"])
    answer = caller.token_call("get", auth_code=carried["code"][0], grant_type="authorized_code").json()
    assert (answer["code"], answer["data"]["seller_name"]) == (0, "Ann & Co")


def test_pressing_refuse_leads_back_with_the_word_null(caller: Caller) -> None:
    """§2.1"""
    assert press(caller, "Refuse") == {"code": ["null"], "error": ["auth_denied"], "state": ["s&1"]}


def test_an_install_from_the_app_store_comes_back_without_state(caller: Caller) -> None:
    """§2.1"""
    caller.options(consent_state="left_out")
    assert set(press(caller, "Authorize")) == {"code"}


def test_a_sub_account_sees_no_button_or_is_denied(caller: Caller) -> None:
    """§2.1: only the shop owner may consent."""
    page = caller_page_with(caller, logged_in="sub")
    assert "Only the shop owner" in page
    assert "Authorize</button>" not in page
    assert "sub-account" in page
    caller.options(logged_in="sub_denied")
    assert press(caller, "Authorize")["error"] == ["auth_denied"]
    assert caller.control("authorisation", {"action": "consent"})["error"] == "auth_denied"


def test_the_chosen_duration_is_the_life_of_the_authorisation_and_refreshing_does_not_extend_it(caller: Caller) -> None:
    """§2.1, §2.2: UNCERTAIN whether a refresh extends it."""
    code = press(caller, "Authorize", duration="30")["code"][0]
    data = caller.token_call("get", auth_code=code, grant_type="authorized_code").json()["data"]
    ends = data["refresh_token_expire_in"]
    assert 30 * 86400 - 5 <= ends - caller.now() <= 30 * 86400
    caller.advance(5 * 86400)
    fresh = caller.refresh(data["refresh_token"])["data"]
    assert fresh["refresh_token_expire_in"] == ends
    caller.options(refresh_extends="yes")
    assert caller.refresh(fresh["refresh_token"])["data"]["refresh_token_expire_in"] > ends


def test_a_service_nobody_offers_has_no_page(caller: Caller) -> None:
    caller.options(service_id="900")
    assert caller.http.get(PAGE, params={"service_id": "731"}).status_code == 404
    assert caller.http.get(PAGE, params={"service_id": "900"}).status_code == 200
    assert caller.http.get(PAGE).status_code == 400


def test_a_faulty_token_call_may_have_taken_effect(caller: Caller) -> None:
    """§2.3: after a lost answer the old refresh token may be gone."""
    token = caller.control("settings")["refresh_token"]
    caller.faults({"kind": "503", "match": "token/refresh", "times": 1})
    answer = caller.token_call("refresh", refresh_token=token, grant_type="refresh_token")
    assert answer.status_code == 503
    caller.faults({"kind": "36009003", "match": "token/refresh", "times": 1})
    assert caller.refresh(token)["code"] == 36009003
    assert caller.refresh(token)["code"] == 36004005
