"""The gateway's checks, their order, and the switches for what is not known about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.tiktok.tiktok_caller import DETAIL, SEARCH, Caller, calling

WAREHOUSES = "/logistics/202309/warehouses"
SHOPS = "/authorization/202309/shops"


@pytest.fixture
def caller() -> Iterator[Caller]:
    with calling() as running:
        yield running


def exchange(caller: Caller) -> str:
    code = caller.control("authorisation", {"action": "consent"})["code"]
    answer = caller.token_call("get", auth_code=code, grant_type="authorized_code").json()
    return str(answer["data"]["access_token"])


def faulty(caller: Caller, repaired: int, narrow: str, full: str) -> tuple[int, int, str]:
    """A request with every fault there is, of which the first ones are repaired."""
    path = WAREHOUSES if repaired > 0 else "/logistics/202309/nowhere"
    query = {"app_key": caller.settings["app_key"] if repaired > 1 else "other"}
    query["timestamp"] = str(caller.now() if repaired > 2 else caller.now() - 302)
    changes: dict[str, Any] = {}
    if repaired <= 3:
        changes["drop"] = ("sign",)
    elif repaired == 4:
        changes["sign"] = "0" * 64
    token = "unknown" if repaired <= 5 else narrow if repaired == 6 else full
    changes["headers"] = {"x-tts-access-token": token}
    cipher = None if repaired <= 7 else "own"
    answer = caller.call("POST" if repaired <= 8 else "GET", path, query, cipher=cipher, **changes)
    return answer.status_code, answer.json()["code"], answer.json()["message"]


def test_the_first_fault_in_the_gateways_order_decides_the_answer(caller: Caller) -> None:
    """T-32, T-33: each step repairs one fault and meets the next."""
    caller.options(granted_scopes="seller.order.info")
    narrow, full = exchange(caller), caller.token
    seen = [faulty(caller, repaired, narrow, full) for repaired in range(10)]
    assert [(status, code) for status, code, _ in seen] == [
        (404, 36009009),
        (400, 36009004),
        (400, 36009004),
        (401, 36009004),
        (401, 106001),
        (401, 36009004),
        (403, 105005),
        (200, 106013),
        (200, 36009010),
        (200, 0),
    ]
    marks = {1: "Invalid `app_key`", 2: "timestamp", 3: "required signature", 5: "`x-tts-access-token` header"}
    assert all(mark in seen[step][2] for step, mark in marks.items())


@pytest.mark.parametrize(("offset", "passes"), [(-301, False), (-299, True), (29, True), (32, False)])
def test_the_timestamp_may_be_300_seconds_old_and_30_ahead(caller: Caller, offset: int, passes: bool) -> None:
    """T-23, on the simulated clock, which stands years from the machine's here."""
    caller.control("clock", {"now": 1900000000, "rate": 0})
    caller.token = exchange(caller)
    query = {"timestamp": str(1900000000 + offset)}
    answer = caller.call("GET", SHOPS, query, cipher=None).json()
    assert (answer["code"] == 0) is passes
    assert passes or "timestamp" in answer["message"]


@pytest.mark.parametrize("status", ["403", "200"])
def test_a_missing_scope_is_105005_with_the_switched_status(caller: Caller, status: str) -> None:
    """T-16"""
    caller.options(granted_scopes="seller.logistics", scope_http_status=status)
    caller.token = exchange(caller)
    answer = caller.call("POST", SEARCH, {"page_size": "1"})
    assert (answer.status_code, answer.json()["code"]) == (int(status), 105005)
    assert caller.code("GET", WAREHOUSES) == 0


@pytest.mark.parametrize("status", ["200", "400", "403"])
def test_a_cipher_is_required_own_and_sometimes_forbidden(caller: Caller, status: str) -> None:
    """T-20, T-21"""
    caller.options(cipher_http_status=status)
    answers = [
        caller.call("GET", WAREHOUSES, cipher=None),
        caller.call("GET", WAREHOUSES, cipher="ROW_of_somebody_else"),
        caller.call("GET", SHOPS),
        caller.call("GET", "/seller/202309/permissions"),
    ]
    assert [one.json()["code"] for one in answers] == [106013, 106011, 36009004, 36009004]
    assert {one.status_code for one in answers} == {int(status)}
    assert "`shop_cipher` is not required" in answers[2].json()["message"]


@pytest.mark.parametrize(
    ("switch", "values", "query", "extra"),
    [
        ("timestamp_http_status", ["400", "200", "401"], {"timestamp": "1"}, {}),
        ("sign_http_status", ["401", "200"], {}, {"sign": "00"}),
        ("token_http_status", ["401", "200"], {}, {"headers": {"x-tts-access-token": "x"}}),
        ("parameter_http_status", ["200", "400"], {"page_size": "0"}, {}),
    ],
)
def test_the_http_status_of_a_refusal_follows_its_switch(
    caller: Caller, switch: str, values: list[str], query: dict[str, str], extra: dict[str, Any]
) -> None:
    for value in values:
        caller.options(**{switch: value})
        answer = caller.call("POST", SEARCH, {"page_size": "1"} | query, **extra)
        assert answer.status_code == int(value)
        assert answer.json()["code"] != 0


@pytest.mark.parametrize(("switch", "expected"), [("null", [None]), ("empty", [{}]), ("missing", [])])
def test_an_error_carries_data_as_the_switch_says(caller: Caller, switch: str, expected: list[Any]) -> None:
    """T-30"""
    caller.options(error_data=switch)
    answer = caller.call("POST", SEARCH, {"page_size": "0"}).json()
    assert [answer[name] for name in ("data",) if name in answer] == expected
    assert answer["request_id"]


@pytest.mark.parametrize("code", ["36009014", "36009004"])
def test_an_unknown_version_of_a_known_path_says_so(caller: Caller, code: str) -> None:
    """T-35"""
    caller.options(version_code=code)
    answer = caller.call("GET", "/order/202001/orders", {"ids": "1"}).json()
    assert (answer["code"], "Invalid API version" in answer["message"]) == (int(code), True)


def test_a_body_that_is_no_json_and_a_wrong_content_type_are_refused(caller: Caller) -> None:
    """T-34"""
    assert caller.code("POST", SEARCH, {"page_size": "1"}, b"nonsense") == 36009022
    text = {"content-type": "text/plain"}
    assert caller.code("POST", SEARCH, {"page_size": "1"}, {"order_status": "UNPAID"}, headers=text) == 36009022
    assert caller.code("GET", WAREHOUSES, headers=text) == 0
    caller.options(content_type="always")
    assert caller.code("GET", WAREHOUSES, headers=text) == 36009022
    assert caller.code("GET", WAREHOUSES) == 0


def test_a_repeated_query_name_is_refused(caller: Caller) -> None:
    """T-28"""
    query = {"app_key": caller.settings["app_key"], "timestamp": str(caller.now()), "shop_cipher": caller.cipher}
    text = "&".join(f"{name}={value}" for name, value in query.items()).replace("+", "%2B")
    answer = caller.http.get(f"{DETAIL}?{text}&ids=1&ids=2&sign=00").json()
    assert "repeated" in answer["message"]


def test_tokens_expire_on_the_simulated_clock_and_may_belong_to_others(caller: Caller) -> None:
    """T-10, T-36"""
    caller.advance(604800 - 60)
    assert caller.code("GET", WAREHOUSES) == 0
    caller.advance(61)
    answer = caller.call("GET", WAREHOUSES)
    assert (answer.status_code, answer.json()["code"]) == (401, 105002)
    caller.options(user_type="1")
    caller.token = exchange(caller)
    assert caller.code("GET", WAREHOUSES) == 101000
    caller.options(user_type="0")
    caller.token = exchange(caller)
    assert caller.code("GET", WAREHOUSES) == 0


def test_an_option_that_does_not_exist_or_fit_is_refused_whole(caller: Caller) -> None:
    before = caller.control("options")
    for wrong in ({"no_such": "1"}, {"rotation": "perhaps"}, {"latency_ms": "fast", "rotation": "survives"}):
        assert caller.http.post("/_sim/options", json=wrong).status_code == 400
    assert caller.control("options") == before
