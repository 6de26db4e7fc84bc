"""Consent instead of a key: the page, the first pair, rotation, and what a person hears when it ends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hub_katana.connector import KatanaConnector
from hub_katana.settings import KatanaSettings
from pydantic import ValidationError
from pytest_httpserver import HTTPServer

from hub.contract import AuthorizationError, ConfigurationError, Token, TransientError
from hub.testing import make_connection

BACK = "http://127.0.0.1:1/back"
SECRET = {"client_id": "app", "client_secret": "app-secret-value"}


@pytest.fixture
def app(katana: Any) -> dict[str, Any]:
    """The settings of a partner app on the simulated account."""
    known = katana.control("GET", "settings")
    return {
        "client_id": known["client_id"],
        "client_secret": known["client_secret"],
        "login_url": katana.simulator.url,
        "api_url": known["api_url"],
    }


@pytest.fixture
def benches() -> Iterator[Any]:
    made: list[Any] = []

    def make(settings: dict[str, Any], **more: Any) -> Any:
        made.append(make_connection(KatanaConnector, settings, **more))
        return made[-1]

    yield make
    for each in made:
        each.http.close()


def code(katana: Any) -> str:
    return str(katana.do("consent", redirect_uri=BACK)["code"])


def first_pair(katana: Any, bench: Any) -> Token:
    pair: Token = bench.hooks.exchange_code(code=code(katana), redirect_url=BACK)
    return pair


def test_a_person_consents_on_the_page_and_the_code_becomes_a_pair_that_opens_the_account(
    katana: Any, app: dict[str, Any], benches: Any
) -> None:
    """K-87."""
    bench = benches(app)
    url = bench.hooks.authorization_url(state="s 1", redirect_url=BACK)
    form = re.search(r'action="([^"]+)"', httpx.get(url).text)
    assert form
    answer = httpx.post(katana.simulator.url + unescape(form[1]), data={"decision": "accept"})
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    assert back["state"] == ["s 1"]
    pair = bench.hooks.exchange_code(code=back["code"][0], redirect_url=BACK)
    life = (pair.access_expires_at - bench.connection.clock.now()).total_seconds()
    assert life == pytest.approx(86_400, abs=60)
    bench = benches(app | {"refresh_token": pair.refresh_token})
    assert all(finding.ok for finding in bench.hooks.check_connection()[:1])
    assert "access token opens" in bench.hooks.check_connection()[0].what


def test_an_expired_access_token_is_renewed_once_and_the_new_pair_is_kept(
    katana: Any, app: dict[str, Any], benches: Any
) -> None:
    """K-87: the old refresh token is dead from then on."""
    pair, stored = first_pair(katana, benches(app)), {}
    bench = benches(app | {"refresh_token": pair.refresh_token}, tokens=stored)
    bench.hooks.list_locations()
    katana.do("expire", access=True)
    katana.forget()
    bench.hooks.list_locations()
    assert katana.calls().count("POST /oauth/token") == 1
    again = benches(app | {"refresh_token": pair.refresh_token}, tokens=stored)
    katana.forget()
    again.hooks.list_locations()
    assert "POST /oauth/token" not in katana.calls()


def test_a_consent_that_ended_says_how_to_consent_again(katana: Any, app: dict[str, Any], benches: Any) -> None:
    """K-87: 403 or 400, by the account."""
    pair = first_pair(katana, benches(app))
    bench = benches(app | {"refresh_token": pair.refresh_token})
    for status in ("403", "400"):
        katana.options(oauth_grant_error_status=status)
        katana.do("disconnect")
        with pytest.raises(AuthorizationError) as caught:
            bench.hooks.list_locations()
        assert caught.value.code == "consent-needed"
        assert "hub connect kit" in caught.value.do
        assert pair.refresh_token not in str(caught.value)
    with pytest.raises(AuthorizationError):
        bench.hooks.exchange_code(code="used-code-of-a-consent", redirect_url=BACK)


def test_an_app_that_is_refused_is_told_apart_from_a_consent_that_ended(
    katana: Any, app: dict[str, Any], benches: Any
) -> None:
    bench = benches(app | {"client_secret": "another-secret"})
    with pytest.raises(AuthorizationError) as caught:
        bench.hooks.exchange_code(code=code(katana), redirect_url=BACK)
    assert caught.value.code == "app-refused"
    assert "invalid_client" in caught.value.what
    assert "another-secret" not in str(caught.value)


@pytest.mark.parametrize(("status", "may_have"), [(503, True), (429, False)])
def test_a_renewal_without_answer_is_never_sent_twice(
    benches: Any, httpserver: HTTPServer, status: int, may_have: bool
) -> None:
    """K-87: the replay of a spent token would end the consent."""
    wait = {"Retry-After": "3600"} if status == 429 else {}
    httpserver.expect_request("/oauth/token").respond_with_data("", status=status, headers=wait)
    url = httpserver.url_for("/").rstrip("/")
    bench = benches(SECRET | {"login_url": url, "api_url": url, "refresh_token": "the-only-one"})
    with pytest.raises(TransientError) as caught:
        bench.hooks.list_locations()
    assert caught.value.may_have_happened is may_have
    assert len(httpserver.log) == 1


@pytest.mark.parametrize(
    ("answer", "seconds", "refresh"),
    [
        ({"access_token": "fresh-access", "refresh_token": "fresh-refresh", "expires_in": 60}, 60, "fresh-refresh"),
        ({"access_token": "fresh-access", "expires_in": "60"}, 60, "the-only-one"),
        ({"access_token": "fresh-access", "refresh_token": "fresh-refresh"}, 3600, "fresh-refresh"),
    ],
)
def test_an_answer_may_leave_out_how_long_it_lasts_or_a_new_refresh_token(
    benches: Any, httpserver: HTTPServer, answer: Any, seconds: int, refresh: str
) -> None:
    """K-87: nobody shows a whole answer."""
    httpserver.expect_request("/oauth/token").respond_with_json(answer)
    url = httpserver.url_for("/").rstrip("/")
    bench = benches(SECRET | {"login_url": url, "api_url": url})
    now = bench.connection.clock.now()
    old = Token(access_token="", refresh_token="the-only-one", access_expires_at=now)
    pair = bench.hooks.refresh_token(token=old)
    assert (pair.access_expires_at - now).total_seconds() == seconds
    assert pair.refresh_token == refresh
    sent = parse_qs(httpserver.log[0][0].get_data(as_text=True))
    assert sent == {
        "client_id": ["app"], "client_secret": ["app-secret-value"],
        "grant_type": ["refresh_token"], "refresh_token": ["the-only-one"],
    }  # fmt: skip
    assert httpserver.log[0][0].content_type == "application/x-www-form-urlencoded"


def test_an_answer_without_tokens_needs_a_person(benches: Any, httpserver: HTTPServer) -> None:
    """The token that was sent is spent."""
    httpserver.expect_request("/oauth/token").respond_with_data("<html>")
    url = httpserver.url_for("/").rstrip("/")
    bench = benches(SECRET | {"login_url": url, "api_url": url, "refresh_token": "the-only-one"})
    with pytest.raises(AuthorizationError) as caught:
        bench.hooks.list_locations()
    assert caught.value.code == "consent-needed"


def test_the_account_is_named_for_a_person_to_see_that_it_is_the_right_one(
    katana: Any, app: dict[str, Any], benches: Any
) -> None:
    """K-28: one call; there is only one account behind a consent."""
    bench = benches(app | {"refresh_token": first_pair(katana, benches(app)).refresh_token})
    katana.forget()
    [account] = bench.hooks.list_accounts()
    assert account.name
    assert katana.calls() == ["POST /oauth/token", "GET /factory"]


def test_with_a_key_there_is_nothing_to_consent_to(katana: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        katana.bench().connector.authorization_url("s", None)
    assert caught.value.code == "consent-not-used"


# ---- settings


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "nothing opens the account: give api_key, or else both client_id and client_secret"),
        ({"client_id": "a"}, "client_secret is missing"),
        ({"client_secret": "b-secret"}, "client_id is missing"),
        (SECRET | {"api_key": "k"}, "api_key and client_id, client_secret are two ways"),
        ({"api_key": "k", "refresh_token": "r-secret"}, "api_key and refresh_token are two ways"),
    ],
)
def test_exactly_one_way_into_the_account_must_be_given(given: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        KatanaSettings.model_validate(given)
    assert words in str(caught.value)


def test_the_login_host_counts_as_outside_only_where_it_is_used() -> None:
    """A simulated clock is for accounts on this machine only; the hub asks every URL of the settings."""
    assert KatanaSettings.model_validate({"api_key": "k"}).login_url is None
    assert KatanaSettings.model_validate(SECRET).login_url == "https://login.katanamrp.com"
