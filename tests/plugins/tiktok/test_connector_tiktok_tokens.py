"""Tokens: the exchange, the retry with a fresh one, and what a person must do."""

from __future__ import annotations

import logging

import httpx
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from hub.contract import AuthorizationError, ConfigurationError, ContractError, HubError, TransientError
from tests.plugins.tiktok.tiktok_bench import FIXED_NOW, SETTINGS, SHOP, Bench, Shop, a_token, shop_on_simulator, told

REFRESH = "/api/v2/token/refresh"
SHOPS = "/authorization/202309/shops"
SECRETS = (SETTINGS["app_secret"], SETTINGS["refresh_token"], "ROW_bench_access", "ROW_secret_cipher")


def _answer(**data: object) -> dict[str, object]:
    base = {
        "access_token": "ROW_new_access",
        "access_token_expire_in": 1799999999,
        "refresh_token": "ROW_new_refresh",
        "refresh_token_expire_in": 4841467787,
        "user_type": 0,
        "granted_scopes": ["seller.order.info"],
    }
    return {"code": 0, "message": "success", "request_id": "r1", "data": {**base, **data}}


def test_both_tokens_are_new_and_expiries_are_instants(bench: Bench, httpserver: HTTPServer) -> None:
    """T-10, T-12: an expiry a century ahead is no duration."""
    httpserver.expect_request(REFRESH, method="GET").respond_with_json(_answer())
    pair = bench.connector.refresh_token(a_token())
    assert (pair.access_token, pair.refresh_token) == ("ROW_new_access", "ROW_new_refresh")
    assert int(pair.access_expires_at.timestamp()) == 1799999999
    assert pair.refresh_expires_at is not None
    assert pair.refresh_expires_at.year == 2123
    assert pair.scopes == ("seller.order.info",)


def test_the_exchange_is_unsigned_and_never_sent_twice(bench: Bench, httpserver: HTTPServer) -> None:
    """T-12, T-13: the hub is told that it is a write."""
    httpserver.expect_request(REFRESH).respond_with_json(_answer())
    bench.connector.refresh_token(a_token())
    (request,) = bench.calls
    assert dict(request.url.params) == {
        "app_key": "6benchkey",
        "app_secret": "bench-secret-0f1e2d3c",
        "refresh_token": "ROW_bench_refresh",
        "grant_type": "refresh_token",
    }
    assert "x-tts-access-token" not in request.headers
    assert not bench.hints()[0].reads


@pytest.mark.parametrize("code", [36004001, 36004004, 36004005, 105004])
def test_a_dead_consent_says_how_to_reconnect(bench: Bench, httpserver: HTTPServer, code: int) -> None:
    """T-08, T-15: errors come with HTTP 200."""
    httpserver.expect_request(REFRESH).respond_with_json({"code": code, "message": "expired", "request_id": "r9"})
    with pytest.raises(AuthorizationError) as caught:
        bench.connector.refresh_token(a_token())
    assert "main (owner) account" in caught.value.do
    assert "hub connect" in caught.value.do
    assert f"code {code}, request r9" in caught.value.where


@pytest.mark.parametrize("user_type", [1, 3, "3"])
def test_a_consent_by_anyone_but_a_seller_is_refused(bench: Bench, httpserver: HTTPServer, user_type: object) -> None:
    """T-11."""
    httpserver.expect_request(REFRESH).respond_with_json(_answer(user_type=user_type))
    with pytest.raises(AuthorizationError, match=f"user type {user_type}.*consent as a seller"):
        bench.connector.refresh_token(a_token())


def test_an_answer_without_tokens_names_what_is_missing(bench: Bench, httpserver: HTTPServer) -> None:
    httpserver.expect_request(REFRESH).respond_with_json(_answer(refresh_token=None))
    with pytest.raises(ContractError, match="lacks refresh_token"):
        bench.connector.refresh_token(a_token())


@pytest.mark.parametrize("status", [500, 503])
def test_a_lost_answer_may_have_happened(bench: Bench, httpserver: HTTPServer, status: int) -> None:
    """T-13: the old refresh token may be dead; T-42: a 503 has no JSON."""
    httpserver.expect_request(REFRESH).respond_with_data("upstream busy", status=status)
    with pytest.raises(TransientError) as caught:
        bench.connector.refresh_token(a_token())
    assert caught.value.may_have_happened


def test_a_cut_connection_may_have_happened_and_tells_no_secret() -> None:
    bench = told(_cut)
    with pytest.raises(TransientError) as caught:
        bench.connector.refresh_token(a_token())
    assert caught.value.may_have_happened
    assert caught.value.__cause__ is None
    _assert_without_secrets(caught.value)


def _cut(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError(f"cut {request.url}", request=request)


def test_a_wrong_token_host_is_a_setting_to_mend(bench: Bench, httpserver: HTTPServer) -> None:
    """T-09: such a host answers 404 with plain text."""
    httpserver.expect_request(REFRESH).respond_with_data("404 page not found", status=404)
    with pytest.raises(ConfigurationError, match=r"endpoint-unknown.*auth_url"):
        bench.connector.refresh_token(a_token())


def test_an_expired_token_is_replaced_within_the_call(shop: Shop) -> None:
    """T-36: code 105002, by one refresh, signed anew."""
    shop.control("authorisation", {"action": "expire_access"})
    assert shop.pull() == []
    assert shop.tokens.refreshes == 1
    assert shop.paths() == ["/order/202309/orders/search", REFRESH, "/order/202309/orders/search"]


@pytest.mark.parametrize("switches", [{"token_http_status": "200"}, {"token_http_status": "401"}])
def test_the_code_tells_an_expired_token_whatever_the_status(shop: Shop, switches: dict[str, str]) -> None:
    """T-31, T-36."""
    shop.options(**switches)
    shop.control("authorisation", {"action": "expire_access"})
    assert shop.pull() == []


@pytest.mark.parametrize("rotation", ["dies", "survives"])
@pytest.mark.parametrize("access", ["lives", "dies"])
def test_a_token_replaced_by_another_process_costs_one_more_attempt_at_most(
    shop: Shop, rotation: str, access: str
) -> None:
    """T-13, T-14: whichever way TikTok treats old tokens."""
    shop.options(rotation=rotation, access_after_refresh=access)
    stale = shop.tokens.stored
    shop.tokens.stored = shop.connector.refresh_token(stale)
    fresh, shop.tokens.stored = shop.tokens.stored, stale
    shop.tokens.refresh = lambda _: fresh
    assert shop.pull() == []


@pytest.mark.parametrize("code", ["105001", "105002", "105003", "101000"])
def test_a_withdrawn_consent_asks_for_a_new_one(shop: Shop, code: str) -> None:
    """T-18: whichever code a revoked token gets."""
    shop.options(revoked_code=code)
    shop.control("authorisation", {"action": "deauthorise"})
    with pytest.raises(AuthorizationError, match="main \\(owner\\) account"):
        shop.pull()


@pytest.mark.parametrize("code", [101000, 105001, 105002, 105003])
def test_whichever_code_a_dead_token_gets_a_fresh_one_is_tried(bench: Bench, httpserver: HTTPServer, code: int) -> None:
    """T-18, T-36, sheet 4.1: all of them are of class A, refresh the token or consent again."""
    httpserver.expect_ordered_request(SHOPS).respond_with_json({"code": code, "message": "no", "request_id": "r"})
    httpserver.expect_ordered_request(REFRESH).respond_with_json(_answer())
    reached = {"shops": [{"id": SHOP, "region": "US", "cipher": "c"}]}
    httpserver.expect_ordered_request(SHOPS).respond_with_json({"code": 0, "data": reached})
    assert [each.ref for each in bench.connector.list_accounts()] == [SHOP]


def test_a_token_refused_twice_is_not_tried_a_third_time(bench: Bench, httpserver: HTTPServer) -> None:
    httpserver.expect_request(SHOPS).respond_with_json({"code": 105002, "message": "expired", "request_id": "r"})
    httpserver.expect_request(REFRESH).respond_with_json(_answer())
    with pytest.raises(AuthorizationError, match="token-refused"):
        bench.connector.list_locations()
    assert bench.paths() == [SHOPS, REFRESH, SHOPS]


def test_every_attempt_is_signed_anew(bench: Bench, httpserver: HTTPServer) -> None:
    """T-23: a signature lives seconds; old sign and timestamp must not stay in the URL."""
    signs = []

    def answer(request: Request) -> Response:
        signs.append(request.args.getlist("sign") + request.args.getlist("timestamp"))
        bench.clock.time = FIXED_NOW.replace(minute=30)
        return Response('{"code":105002,"message":"expired"}', content_type="application/json")

    httpserver.expect_request(SHOPS).respond_with_handler(answer)
    httpserver.expect_request(REFRESH).respond_with_json(_answer())
    with pytest.raises(AuthorizationError):
        bench.connector.list_locations()
    (first_sign, first_time), (second_sign, second_time) = signs
    assert int(second_time) - int(first_time) == 1800
    assert first_sign != second_sign


def test_no_secret_reaches_an_error_or_the_log(
    bench: Bench, httpserver: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Law 12: not even where TikTok's own message repeats one."""
    caplog.set_level(logging.WARNING)
    shops = {"code": 0, "data": {"shops": [{"id": SETTINGS["shop"], "cipher": "ROW_secret_cipher"}]}}
    httpserver.expect_request(SHOPS).respond_with_json(shops)
    echo = " ".join(SECRETS)
    httpserver.expect_request("/logistics/202309/warehouses").respond_with_json({"code": 11050001, "message": echo})
    httpserver.expect_request(REFRESH).respond_with_json({"code": 36004005, "message": echo})
    for call in (bench.connector.list_locations, lambda: bench.connector.refresh_token(a_token())):
        with pytest.raises(HubError) as caught:
            call()
        told = f"{caught.value!s} {caught.value!r}"
        for secret in (
            ("ROW_secret_cipher", "ROW_bench_access") if call == bench.connector.list_locations else SECRETS[:2]
        ):
            assert secret not in told
    assert not any(secret in caplog.text for secret in SECRETS)


def _assert_without_secrets(error: HubError) -> None:
    told = f"{error!s} {error!r}"
    assert not any(secret in told for secret in SECRETS)


def test_settings_begin_the_authorisation_of_a_new_connection() -> None:
    """T-01: with a refresh token and nothing stored."""
    with shop_on_simulator() as shop:
        assert shop.settings.refresh_token is not None
        assert shop.tokens.stored.scopes
