"""Connecting a partner app to the simulated account: consent, tokens, rotation (fact sheet 1.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.plugins.katana.katana_account import Account, opened

BACK = "http://127.0.0.1:1/back?from=katana"


@pytest.fixture
def account() -> Iterator[Account]:
    with opened() as running:
        yield running


@pytest.fixture
def app(account: Account) -> dict[str, str]:
    return dict(account.get("/_sim/settings").json())


def question(app: dict[str, str], **changes: str) -> dict[str, str]:
    asked = {name: app[name] for name in ("client_id", "scope", "audience")}
    return asked | {"response_type": "code", "redirect_uri": BACK, "state": "s 1"} | changes


def outcome(answer: httpx.Response) -> dict[str, str]:
    """What the redirect carries."""
    assert answer.status_code == 302, answer.text
    target = answer.headers["location"]
    assert target.startswith(BACK)
    return {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}


def decide(app: dict[str, str], decision: str, **changes: str) -> dict[str, str]:
    """Read the page and press a button, as a browser without scripts would."""
    page = httpx.get(app["authorize_url"], params=question(app, **changes))
    assert page.headers["content-type"].startswith("text/html")
    found = re.search(r'<form method="post" action="([^"]+)">', page.text)
    assert found
    assert f'name="decision" value="{decision}"' in page.text
    host = app["authorize_url"].removesuffix("/authorize")
    return outcome(httpx.post(host + unescape(found[1]), data={"decision": decision}))


def token(app: dict[str, str], **form: str) -> httpx.Response:
    who = {name: app[name] for name in ("client_id", "client_secret")}
    return httpx.post(app["token_url"], data=who | form)


def first_pair(app: dict[str, str]) -> dict[str, Any]:
    code = decide(app, "accept")["code"]
    answer = token(app, grant_type="authorization_code", code=code, redirect_uri=BACK)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def reads(account: Account, pair: dict[str, Any]) -> int:
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    return account.get("/v1/user_info", headers=headers).status_code


def test_consent_leads_to_a_code_and_the_code_to_a_bearer(account: Account, app: dict[str, str]) -> None:
    assert decide(app, "accept").items() >= {"state": "s 1", "from": "katana"}.items()
    pair = first_pair(app)
    assert (pair["token_type"], pair["expires_in"], pair["scope"]) == ("Bearer", 86400, "offline_access")
    assert reads(account, pair) == 200
    assert reads(account, {"access_token": "made-up"}) == 401
    assert account.get("/v1/user_info").status_code == 200


def test_declined_consent_comes_back_as_access_denied(app: dict[str, str]) -> None:
    carried = decide(app, "decline")
    assert (carried["error"], carried["state"]) == ("access_denied", "s 1")
    assert "code" not in carried


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"audience": "https://example.test"}, "invalid_request"),
    ],
)
def test_a_wrong_question_comes_back_as_an_error(app: dict[str, str], change: dict[str, str], error: str) -> None:
    assert outcome(httpx.get(app["authorize_url"], params=question(app, **change)))["error"] == error


@pytest.mark.parametrize(
    "change", [{"client_id": "other"}, {"redirect_uri": "http://example.test/"}, {"redirect_uri": ""}]
)
def test_strangers_and_foreign_addresses_are_never_redirected_to(app: dict[str, str], change: dict[str, str]) -> None:
    answer = httpx.get(app["authorize_url"], params=question(app, **change))
    assert (answer.status_code, "location" in answer.headers) == (400, False)


def test_only_the_registered_address_is_redirected_to_by_switch(account: Account, app: dict[str, str]) -> None:
    account.sim("options", oauth_redirect_uri="https://hub.example.test/back")
    assert httpx.get(app["authorize_url"], params=question(app)).status_code == 400


def test_a_code_works_once_in_time_and_for_its_own_address(account: Account, app: dict[str, str]) -> None:
    codes = [decide(app, "accept")["code"] for _ in range(3)]

    def exchange(code: str, back: str = BACK) -> int:
        return token(app, grant_type="authorization_code", code=code, redirect_uri=back).status_code

    assert [exchange(codes[0]), exchange(codes[0])] == [200, 403]
    assert [exchange(codes[1], "https://other.test/"), exchange(codes[1])] == [403, 200]
    account.sim("clock", advance_s=601)
    assert exchange(codes[2]) == 403


def test_refresh_tokens_rotate_and_replaying_an_old_one_ends_the_chain(account: Account, app: dict[str, str]) -> None:
    first = first_pair(app)
    second = token(app, grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    third = token(app, grant_type="refresh_token", refresh_token=second["refresh_token"]).json()
    replay = token(app, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert (replay.status_code, replay.json()["error"]) == (403, "invalid_grant")
    assert token(app, grant_type="refresh_token", refresh_token=third["refresh_token"]).status_code == 403
    assert reads(account, third) == 200
    assert token(app, grant_type="refresh_token", refresh_token=first_pair(app)["refresh_token"]).status_code == 200


def test_a_replay_ends_the_access_tokens_too_by_switch(account: Account, app: dict[str, str]) -> None:
    account.sim("options", replay_ends_access="yes", oauth_grant_error_status=400)
    first, other = first_pair(app), first_pair(app)
    second = token(app, grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    assert token(app, grant_type="refresh_token", refresh_token=first["refresh_token"]).status_code == 400
    assert (reads(account, second), reads(account, other)) == (401, 200)


def test_tokens_run_out_by_the_clock(account: Account, app: dict[str, str]) -> None:
    account.sim("options", access_token_s=3600, refresh_token_s=7200)
    pair = first_pair(app)
    account.sim("clock", advance_s=3601)
    assert reads(account, pair) == 401
    renewed = token(app, grant_type="refresh_token", refresh_token=pair["refresh_token"]).json()
    assert reads(account, renewed) == 200
    account.sim("clock", advance_s=7201)
    assert token(app, grant_type="refresh_token", refresh_token=renewed["refresh_token"]).status_code == 403


def test_a_person_consents_disconnects_and_lets_tokens_run_out(account: Account, app: dict[str, str]) -> None:
    def connect() -> dict[str, Any]:
        code = account.sim("do/consent", redirect_uri=BACK, state="x")["code"]
        return dict(token(app, grant_type="authorization_code", code=code, redirect_uri=BACK).json())

    pair = connect()
    account.sim("do/expire", access=True)
    assert reads(account, pair) == 401
    renewed = token(app, grant_type="refresh_token", refresh_token=pair["refresh_token"]).json()
    account.sim("do/disconnect")
    assert reads(account, renewed) == 401
    assert token(app, grant_type="refresh_token", refresh_token=renewed["refresh_token"]).status_code == 403
    account.sim("seed", reset=True)
    assert reads(account, connect()) == 200


def test_the_client_and_the_form_are_checked(app: dict[str, str]) -> None:
    """Form-encoded, with the id and the secret that Katana handed out."""
    wrong = token(app | {"client_secret": "guess"}, grant_type="refresh_token", refresh_token="x")
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert token(app, grant_type="password").json()["error"] == "unsupported_grant_type"
    as_json = httpx.post(app["token_url"], json={"grant_type": "refresh_token"})
    assert (as_json.status_code, as_json.json()["error"]) == (400, "invalid_request")
    assert httpx.get(app["token_url"]).status_code == 404


def test_the_login_host_has_no_quota_but_suffers_faults_and_is_journaled(account: Account, app: dict[str, str]) -> None:
    account.sim("options", rate_limit=1)
    pair = first_pair(app)
    account.delete("/_sim/journal")
    account.sim("faults", faults=[{"kind": "lost_reply", "match": "/oauth/token", "times": 1}])
    with pytest.raises(httpx.RemoteProtocolError):
        token(app, grant_type="refresh_token", refresh_token=pair["refresh_token"])
    lost = token(app, grant_type="refresh_token", refresh_token=pair["refresh_token"])
    assert (lost.status_code, "x-ratelimit-limit" in lost.headers) == (403, False)
    calls = account.get("/_sim/journal").json()["calls"]
    assert [(call["status"], call["fault"], call["wrote"]) for call in calls] == [
        (200, "lost_reply", True),
        (403, None, False),
    ]
    assert calls[0]["body"]["grant_type"] == "refresh_token"
    account.sim("faults", faults=[{"kind": "503", "match": "/authorize"}])
    assert httpx.get(app["authorize_url"], params=question(app)).status_code == 503
