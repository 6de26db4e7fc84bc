"""Rate limit, key and clock of the simulated gateway."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.plugins.katana.katana_account import Account, opened


@pytest.fixture
def account() -> Iterator[Account]:
    with opened() as running:
        yield running


def test_the_sixty_first_call_of_a_minute_is_refused_with_retry_after(account: Account) -> None:
    """K-04, K-05"""
    account.sim("clock", now=1_800_000_000, rate=0)
    account.sim("options", rate_limit=60)
    first = account.get("/v1/user_info")
    assert (first.headers["x-ratelimit-limit"], first.headers["x-ratelimit-remaining"]) == ("60", "59")
    assert first.headers["x-ratelimit-reset"] == "1800000060000"
    for _ in range(59):
        assert account.get("/v1/user_info").status_code == 200
    account.sim("clock", advance_s=20.5)
    refused = account.post("/v1/sales_orders", json=account.body())
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "40")
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert refused.json()["error"]["name"] == "TooManyRequests"
    account.sim("clock", advance_s=40)
    assert account.get("/v1/user_info").status_code == 200
    assert account.get("/v1/sales_orders").json()["data"] == []


def test_a_sliding_window_frees_one_call_at_a_time(account: Account) -> None:
    """K-04"""
    account.sim("clock", now=1_800_000_000, rate=0)
    account.sim("options", rate_limit=2, rate_window="sliding")
    for expected in (200, 200, 429):
        assert account.get("/v1/user_info").status_code == expected
        account.sim("clock", advance_s=20)
    for expected in (200, 429):
        assert account.get("/v1/user_info").status_code == expected


def test_reset_comes_in_seconds_by_switch(account: Account) -> None:
    """K-06"""
    account.sim("clock", now=1_800_000_000, rate=0)
    account.sim("options", rate_limit=60, ratelimit_reset_unit="s")
    assert account.get("/v1/user_info").headers["x-ratelimit-reset"] == "1800000060"


def test_control_calls_are_never_counted(account: Account) -> None:
    account.sim("options", rate_limit=1)
    for _ in range(5):
        account.sim("clock")
    assert account.get("/v1/user_info").status_code == 200


def test_a_wrong_missing_or_revoked_key_is_unauthorized(account: Account) -> None:
    """K-01"""
    assert account.get("/v1/user_info", headers={"Authorization": "Bearer other"}).status_code == 401
    assert account.get("/v1/user_info", headers={"Authorization": ""}).status_code == 401
    account.sim("options", key_revoked="yes")
    refused = account.get("/v1/user_info")
    assert (refused.status_code, refused.json()["error"]["name"]) == (401, "UnauthorizedError")
    account.sim("options", key_revoked="no", api_key="second")
    assert account.get("/v1/user_info", headers={"Authorization": "Bearer second"}).status_code == 200


def test_the_clock_is_set_pushed_and_sped_up(account: Account) -> None:
    assert account.sim("clock", now=1_800_000_000, rate=0) == {"now": 1_800_000_000, "rate": 0}
    assert account.sim("clock", advance_s=90)["now"] == 1_800_000_090
    assert account.order()["created_at"] == "2027-01-15T08:01:30.000Z"
    account.sim("clock", rate=10_000)
    before = account.get("/_sim/clock").json()["now"]
    account.get("/v1/user_info")
    assert account.get("/_sim/clock").json()["now"] > before + 1


def test_an_unknown_option_or_value_is_refused_and_changes_nothing(account: Account) -> None:
    for body in ({"nonsense": "1"}, {"source_case": "lower", "over_limit": "perhaps"}, {"rate_limit": "many"}):
        assert account.post("/_sim/options", json=body).status_code == 400
    assert account.get("/_sim/options").json()["source_case"] == "upper"
