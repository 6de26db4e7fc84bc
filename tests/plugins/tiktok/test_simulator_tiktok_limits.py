"""Rate limits and latency."""

from __future__ import annotations

import time

from tests.plugins.tiktok.tiktok_caller import DETAIL, SEARCH, Caller, calling

QUERY = {"page_size": "1"}


def codes(caller: Caller, number: int, path: str = SEARCH) -> list[int]:
    return [caller.code("POST", path, QUERY) for _ in range(number)]


def test_the_limit_counts_per_endpoint_and_shop_and_recovers() -> None:
    """T-40"""
    with calling(rate_limit="5") as caller:
        caller.control("seed", {"shops": [{"id": "74950001"}, {"id": "74950002"}], "orders": [{"shop": "74950002"}]})
        shops = caller.data("GET", "/authorization/202309/shops", cipher=None)["shops"]
        caller.control("clock", {"now": 1768460000, "rate": 0.000001})
        caller.token = caller.refresh(caller.control("state")["tokens"][-1]["refresh_token"])["data"]["access_token"]
        caller.cipher = shops[0]["cipher"]
        assert codes(caller, 6) == [0] * 5 + [36009002]
        refused = caller.call("POST", SEARCH, QUERY)
        assert (refused.status_code, int(refused.headers["retry-after"])) == (429, 1)
        assert caller.code("GET", DETAIL, {"ids": "1"}) == 21008111
        caller.cipher = shops[1]["cipher"]
        assert codes(caller, 5) == [0] * 5
        caller.cipher = shops[0]["cipher"]
        caller.advance(1.1)
        assert codes(caller, 5) == [0] * 5


def test_fifty_a_second_is_the_default_and_off_is_off() -> None:
    """T-40"""
    with calling(rate_limit="50") as caller:
        caller.control("clock", {"rate": 0.000001})
        assert codes(caller, 52) == [0] * 50 + [36009002] * 2
        caller.options(rate_limit="off")
        assert codes(caller, 60) == [0] * 60


def test_a_test_shop_has_an_hourly_limit_over_all_calls() -> None:
    """T-41"""
    with calling(hourly_limit="4") as caller:
        assert codes(caller, 3) == [0] * 3
        assert caller.code("GET", DETAIL, {"ids": "1"}) == 21008111
        refused = caller.call("POST", SEARCH, QUERY)
        assert refused.status_code == 429
        assert 3500 < int(refused.headers["retry-after"]) <= 3600
        caller.advance(3601)
        assert codes(caller, 1) == [0]


def test_with_the_clock_standing_still_the_limit_follows_real_time() -> None:
    with calling(rate_limit="3") as caller:
        caller.control("clock", {"rate": 0})
        assert codes(caller, 4) == [0, 0, 0, 36009002]
        time.sleep(1.05)
        assert codes(caller, 1) == [0]


def test_latency_is_real_time_and_does_not_hold_up_control_calls() -> None:
    with calling(latency_ms="150") as caller:
        began = time.monotonic()
        codes(caller, 2)
        assert time.monotonic() - began >= 0.3
        began = time.monotonic()
        caller.now()
        assert time.monotonic() - began < 0.1
