"""Fixtures of the TikTok Shop connector's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from tests.plugins.tiktok.tiktok_bench import SETTINGS, Bench, FixedClock, Shop, a_token, shop_on_simulator


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A connector in front of a fresh simulator."""
    with shop_on_simulator() as made:
        yield made


@pytest.fixture
def bench(httpserver: HTTPServer) -> Iterator[Bench]:
    """A connector in front of a server that answers what the test says; no call has been made."""
    url = f"http://127.0.0.1:{httpserver.port}"
    made = Bench({**SETTINGS, "api_url": url, "auth_url": url}, FixedClock(), a_token())
    yield made
    made.http.close()
