"""Error codes and odd answers: each to the error that says what the hub does next."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hub_tiktok.codes import MESSAGES, TABLE, Kind, row_of
from pytest_httpserver import HTTPServer

from hub.contract import AuthorizationError, ConfigurationError, HubError, OrderRef, RejectedError, TransientError
from tests.plugins.tiktok.tiktok_bench import LONG_AGO, SETTINGS, SHOP, Bench, Shop, told

SEARCH = "/order/202309/orders/search"
SHOPS = "/authorization/202309/shops"
CODES: list[tuple[int, str, type[HubError], str]] = [
    (36009002, "Too many requests", TransientError, "channel-busy"),  # T-38
    (36009003, "internal error", TransientError, "channel-busy"),
    (36009007, "timeout", TransientError, "channel-busy"),
    (10002014, "cannot read", TransientError, "channel-busy"),
    (10037003, "cannot read", TransientError, "channel-busy"),
    (21001003, "system error", TransientError, "channel-busy"),  # T-82
    (10006402, "internal error", TransientError, "channel-busy"),  # T-39
    (10006402, "permission denied", RejectedError, "order-unreadable"),  # T-39
    (21008111, "not this seller's", RejectedError, "order-unreadable"),  # T-39
    (105005, "access denied", AuthorizationError, "scope-missing"),  # T-16
    (106001, "bad sign", ConfigurationError, "signature-refused"),  # T-29
    (36009014, "gone", ConfigurationError, "version-retired"),  # T-35
    (36009009, "no path", ConfigurationError, "endpoint-unknown"),  # T-32
    (36009010, "method", ConfigurationError, "endpoint-unknown"),  # T-34
    (36009022, "neither", ConfigurationError, "request-malformed"),  # T-34
    (36009033, "ip", ConfigurationError, "ip-not-allowed"),  # T-83
    (11050001, "parameter", RejectedError, "request-refused"),  # T-84
    (21011006, "shipped", RejectedError, "already-done"),  # T-82
    (77777777, "never heard of", RejectedError, "request-refused"),
    (36009004, "Invalid `app_key`", ConfigurationError, "app-key-refused"),  # T-37 from here on
    (36009004, "required signature is missing", ConfigurationError, "signature-refused"),
    (36009004, "Invalid timestamp, it is older than 5 minutes", ConfigurationError, "clock-skew"),
    (36009004, "`shop_cipher` is not required", ConfigurationError, "shop-cipher-unwanted"),
    (36009004, "`category_asset_cipher` is not required", ConfigurationError, "shop-cipher-unwanted"),
    (36009004, "`shop_id` is wrong", ConfigurationError, "shop-cipher-refused"),
    (36009004, "Invalid API version", ConfigurationError, "version-retired"),
    (36009004, "invalid param error", RejectedError, "request-refused"),
    (36009004, "date range exceeds the limit", RejectedError, "window-too-wide"),
]


def _knowing(bench: Bench) -> Bench:
    shop = {"id": SHOP, "name": "Bench", "region": "US", "cipher": "ROW_secret_cipher"}
    bench.memory.set(f"shop:{SHOP}", json.dumps({"shop": shop}))
    return bench


@pytest.fixture
def warm(bench: Bench) -> Bench:
    """A bench that knows its shop already."""
    return _knowing(bench)


@pytest.mark.parametrize(("code", "message", "kind", "slug"), CODES)
@pytest.mark.parametrize("data", [{"data": None}, {"data": {}}, {}], ids=["null", "empty", "missing"])
def test_each_code_becomes_the_error_that_says_what_to_do(
    warm: Bench, httpserver: HTTPServer, code: int, message: str, kind: type[HubError], slug: str, data: dict[str, Any]
) -> None:
    """T-30, T-31, T-37 and the rows beside the codes: by code, whatever the HTTP status, whatever `data` is."""
    answer = {"code": code, "message": message, "request_id": "r42", **data}
    httpserver.expect_request("/order/202507/orders").respond_with_json(answer, status=400)
    httpserver.expect_request(SHOPS).respond_with_json({"code": 0, "data": {"shops": [{"id": SHOP, "cipher": "c"}]}})
    if slug == "order-unreadable":
        return  # answered by leaving the order out; see the tests of fetch
    with pytest.raises(kind) as caught:
        warm.connector.fetch_orders([OrderRef(ref="5761", created_at=LONG_AGO, updated_at=LONG_AGO)])
    assert caught.value.code == slug
    assert caught.value.where == f"tiktok-us, GET /order/202507/orders, HTTP 400, code {code}, request r42"
    assert message in caught.value.what


def test_a_busy_answer_says_how_long_to_wait(warm: Bench, httpserver: HTTPServer) -> None:
    """T-40."""
    answer = json.dumps({"code": 36009002, "message": "Too many requests"})
    httpserver.expect_request(SEARCH).respond_with_data(answer, status=429, headers={"Retry-After": "7"})
    with pytest.raises(TransientError) as caught:
        warm.pull()
    assert caught.value.retry_after_s == 7


@pytest.mark.parametrize("body", ["<html>busy</html>", "", "[]", '{"message": "no code"}', '{"code": 0, "da'])
def test_an_answer_that_is_no_envelope_is_tried_again(warm: Bench, httpserver: HTTPServer, body: str) -> None:
    """T-42."""
    httpserver.expect_request(SEARCH).respond_with_data(body, status=503)
    with pytest.raises(TransientError, match=r"channel-unreachable.*HTTP 503"):
        warm.pull()


def test_unauthorised_without_json_is_a_matter_of_tokens(warm: Bench, httpserver: HTTPServer) -> None:
    """T-31."""
    httpserver.expect_request(SEARCH).respond_with_data("no", status=401)
    with pytest.raises(AuthorizationError, match="token-refused"):
        warm.pull()


@pytest.mark.parametrize(("date", "words"), [
    ("Thu, 15 Jan 2026 08:59:15 GMT", "our clock is 45 s ahead of theirs"),
    ("Thu, 15 Jan 2026 09:06:00 GMT", "our clock is 360 s behind theirs"),
    ("nonsense", "off by an amount that the answer does not tell"),
])  # fmt: skip
def test_a_refused_timestamp_tells_how_far_the_clock_is_off(date: str, words: str) -> None:
    """T-23."""
    answer = {"code": 36009004, "message": "timestamp is more than 30 seconds ahead"}
    bench = _knowing(told(lambda _: httpx.Response(400, json=answer, headers={"Date": date})))
    with pytest.raises(ConfigurationError, match="clock-skew") as caught:
        bench.pull()
    assert words in caught.value.what


@pytest.mark.parametrize("status", ["200", "400", "403"])
def test_a_cipher_that_was_renewed_is_read_again_once(shop: Shop, status: str) -> None:
    """T-20."""
    shop.options(cipher_http_status=status)
    known = json.loads(shop.memory[f"shop:{SHOP}"])
    shop.memory.set(f"shop:{SHOP}", json.dumps({"shop": {**known["shop"], "cipher": "ROW_old"}}))
    assert shop.pull() == []
    assert shop.paths() == [SEARCH, SHOPS, SEARCH]
    assert shop.pull() == []
    assert shop.paths() == [SEARCH]


def test_a_cipher_refused_twice_names_the_setting(warm: Bench, httpserver: HTTPServer) -> None:
    """T-20: 106013 says missing, 106011 says not this token's."""
    listed = {"shops": [{"id": SHOP, "cipher": "ROW_secret_cipher"}]}
    httpserver.expect_request(SHOPS).respond_with_json({"code": 0, "data": listed})
    httpserver.expect_request(SEARCH).respond_with_json({"code": 106011, "message": "ROW_secret_cipher is wrong"})
    with pytest.raises(ConfigurationError, match=r"shop-cipher-refused.*setting shop") as caught:
        warm.pull()
    assert warm.paths() == [SEARCH, SHOPS, SEARCH]
    assert "ROW_secret_cipher" not in str(caught.value)


def test_ciphers_are_remembered_over_restarts(shop: Shop) -> None:
    """T-20: a new connector on the same memory asks for orders at once."""
    again = type(shop.connector)(shop.connection)
    assert list(again.pull_orders(None, shop.clock.now())) == []
    assert shop.paths() == [SEARCH]


def test_a_wrong_secret_and_a_wrong_key_name_their_settings(shop: Shop) -> None:
    """T-29, T-32: by the simulator's own checks."""
    shop.options(app_secret="another")
    with pytest.raises(ConfigurationError, match=r"signature-refused.*app_secret"):
        shop.pull()
    shop.options(app_key="another")
    with pytest.raises(ConfigurationError, match=r"app-key-refused.*app_key"):
        shop.pull()


@pytest.mark.parametrize("code", ["36009014", "36009004"])
def test_a_retired_version_is_told_in_either_form(code: str) -> None:
    """T-35, T-37."""
    assert row_of(int(code), "Invalid API version").slug == "version-retired"


def test_every_row_of_the_table_says_what_to_do() -> None:
    rows = {*TABLE.values(), *(row for _, row in MESSAGES)}
    assert all(row.do and row.slug for row in rows)
    assert {row.kind for row in rows} == set(Kind)


def test_the_simulators_faults_are_transient(shop: Shop) -> None:
    """T-38, T-42."""
    for kind in ("503", "500", "429", "cut_body", "drop", "36009003", "36009007"):
        shop.faults({"kind": kind, "match": "orders/search", "times": 1})
        with pytest.raises(TransientError):
            shop.pull()
    assert shop.pull() == []
    assert SETTINGS["app_secret"] not in str(shop.log.lines)


@pytest.mark.parametrize(("slept_s", "calls"), [(900, 2), (20, 1)])
def test_a_signature_that_grew_old_while_the_machine_slept_is_made_anew(slept_s: float, calls: int) -> None:
    """T-23: a laptop closed, or a process paused, between signing and sending; a wrong clock is told at once."""
    refused = {"code": 36009004, "message": "Invalid timestamp, it is older than 5 minutes"}
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params["timestamp"])
        if len(asked) > 1:
            return httpx.Response(200, json={"code": 0, "data": {"orders": []}})
        clock.time += timedelta(seconds=slept_s)
        return httpx.Response(400, json=refused)

    bench = _knowing(told(answer))
    clock = bench.clock
    if calls == 1:
        with pytest.raises(ConfigurationError, match="clock-skew"):
            bench.pull()
    else:
        assert bench.pull() == []
    assert len(asked) == calls
    assert len(set(asked)) == calls
