"""The simulator's own check of signatures, against published and shared vectors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tiktok_simulator.sign import is_signed, signature

from tests.plugins.tiktok.tiktok_caller import Caller, calling, sign

VECTORS = Path(__file__).parents[4] / "shared" / "reference" / "tiktok-signature-vectors.json"
ANCHOR = "b596b73e0cc6de07ac26f036364178ab16b0a907af13d43f0a0cd2345f582dc8"
ANCHOR_QUERY = {"app_key": "29a39d", "timestamp": "1623812664"}
ANCHOR_PATH = "/authorization/202309/shops"
SHOPS = "/seller/202309/shops"


def shared_vectors() -> list[Any]:
    if not VECTORS.exists():
        reason = "the shared signature vectors are not beside this repository"
        return [pytest.param({}, id="shared vectors", marks=pytest.mark.skip(reason=reason))]
    return [pytest.param(vector, id=vector["id"]) for vector in json.loads(VECTORS.read_text())["api"]]


@pytest.fixture
def caller() -> Iterator[Caller]:
    with calling() as running:
        yield running


def test_the_vendors_published_signature_is_accepted_and_no_other() -> None:
    """T-24, T-25, T-26, T-29; the anchor is a literal, so that this runs everywhere."""
    assert signature("e59af819cc", ANCHOR_PATH, ANCHOR_QUERY, b"", "application/json") == ANCHOR
    assert sign("e59af819cc", ANCHOR_PATH, ANCHOR_QUERY) == ANCHOR
    assert is_signed("e59af819cc", ANCHOR_PATH, ANCHOR_QUERY | {"sign": ANCHOR}, b"", "")
    assert is_signed("e59af819cc", ANCHOR_PATH, ANCHOR_QUERY | {"sign": ANCHOR}, b"left out", "multipart/form-data")
    assert not is_signed("e59af819cc", ANCHOR_PATH, ANCHOR_QUERY | {"sign": ANCHOR.upper()}, b"", "")
    assert not is_signed("e59af819cc", ANCHOR_PATH + "/", ANCHOR_QUERY | {"sign": ANCHOR}, b"", "")


@pytest.mark.parametrize("vector", shared_vectors())
def test_each_shared_vector_is_accepted_and_a_changed_one_refused(vector: Any) -> None:
    body = (vector["body"] or "").encode()
    query = {name: ",".join(v) if isinstance(v, list) else v for name, v in vector["query"].items()}
    media_type = vector["content_type"].split(";")[0]
    query["sign"] = vector["expected_sign"]
    assert is_signed(vector["app_secret"], vector["path"], query, body, media_type)
    assert not is_signed(vector["app_secret"], vector["path"], query | {"extra": "1"}, body, media_type)
    assert is_signed(vector["app_secret"], vector["path"], query, body + b" ", media_type) == (
        media_type == "multipart/form-data"
    )


def test_the_published_request_passes_the_signature_check_over_http() -> None:
    """The clock is set to the example's time; what is refused next is the token, not the signature."""
    with calling(app_key="29a39d", app_secret="e59af819cc") as caller:
        caller.control("clock", {"now": 1623812664, "rate": 0})
        answer = caller.http.get(ANCHOR_PATH, params=ANCHOR_QUERY | {"sign": ANCHOR}).json()
        assert (answer["code"], "x-tts-access-token" in answer["message"]) == (36009004, True)
        wrong = caller.http.get(ANCHOR_PATH, params=ANCHOR_QUERY | {"sign": ANCHOR.upper()})
        assert (wrong.json()["code"], wrong.status_code) == (106001, 401)


@pytest.mark.parametrize(
    ("switch", "signed", "unsigned"), [("both", 0, 0), ("signed", 0, 106001), ("unsigned", 106001, 0)]
)
def test_an_empty_object_as_body_is_signed_as_the_switch_says(
    caller: Caller, switch: str, signed: int, unsigned: int
) -> None:
    """T-27"""
    caller.options(empty_body_sign=switch)
    path, query = "/order/202309/orders/search", {"page_size": "10"}
    assert caller.code("POST", path, query, b"{}") == signed
    base = {"app_key": caller.settings["app_key"], "timestamp": str(caller.now()), "shop_cipher": caller.cipher}
    without_body = sign(caller.settings["app_secret"], path, base | query)
    assert caller.code("POST", path, query, b"{}", sign=without_body, timestamp=base["timestamp"]) == unsigned


def test_a_page_token_with_plus_and_slash_is_signed_decoded(caller: Caller) -> None:
    caller.seed({"count": 3})
    first = caller.page({"page_size": "2"})
    assert "+" in first["next_page_token"]
    assert "/" in first["next_page_token"]
    second = caller.page({"page_size": "2", "page_token": first["next_page_token"]})
    assert len(second["orders"]) == 1


def test_the_body_is_checked_as_it_was_sent(caller: Caller) -> None:
    spaced = b'{ "order_status" : "UNPAID" }'
    assert caller.code("POST", "/order/202309/orders/search", {"page_size": "1"}, spaced) == 0
