"""The signature against published examples, against vectors made by other people's clients, and as a law."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import string
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hub_tiktok.sign import request_signature, webhook_signature
from hypothesis import given
from hypothesis import strategies as st

VECTORS = next(
    (
        path
        for parent in Path(__file__).resolve().parents
        if (path := parent / "shared" / "reference" / "tiktok-signature-vectors.json").is_file()
    ),
    None,
)
ALL: dict[str, Any] = json.loads(VECTORS.read_text()) if VECTORS else {"api": [], "webhooks": []}
ABSENT = pytest.mark.skipif(VECTORS is None, reason="the shared signature vectors are not next to this checkout")

W01 = (
    b'{"type":1,"tts_notification_id":"7380066284010030890","shop_id":"7495540735365777507","timestamp":1718305585,'
    b'"data":{"is_on_hold_order":true,"order_id":"576653688135258178","order_status":"UNPAID","update_time":1718305585}}'
)
QUERY = st.dictionaries(st.text(string.ascii_letters + "_", min_size=1), st.text(max_size=12), max_size=6)


def test_the_vendors_published_request_signs_to_the_published_value() -> None:
    """T-25."""
    sign = request_signature(
        "e59af819cc",
        path="/authorization/202309/shops",
        query=[("timestamp", "1623812664"), ("app_key", "29a39d"), ("sign", "old"), ("access_token", "t")],
    )
    assert sign == "b596b73e0cc6de07ac26f036364178ab16b0a907af13d43f0a0cd2345f582dc8"


def test_the_vendors_published_webhook_signs_to_the_published_value() -> None:
    """T-81."""
    assert (
        webhook_signature("123", app_key="abcdef", body=W01)
        == "5dec0f11ec2f6783b8deee53c9ffbf8d024302f7c7e7fa55a35d17629031ac05"
    )


@ABSENT
@pytest.mark.parametrize("vector", ALL["api"], ids=lambda vector: vector["id"])
def test_requests_sign_as_other_clients_sign_them(vector: dict[str, Any]) -> None:
    """T-24, T-26, T-28: lists, page tokens, Unicode, multipart, empty values, odd secrets."""
    sign = request_signature(
        vector["app_secret"],
        path=vector["path"],
        query=parse_qsl(vector["wire_query_without_sign"], keep_blank_values=True),
        body=(vector["body"] or "").encode(),
        content_type=vector["content_type"],
    )
    assert sign == vector["expected_sign"]


@ABSENT
@pytest.mark.parametrize("vector", ALL["webhooks"], ids=lambda vector: vector["id"])
def test_webhooks_sign_as_other_clients_check_them(vector: dict[str, Any]) -> None:
    """T-81: the raw bytes count, a trailing line feed included."""
    body = vector["body"].encode()
    assert webhook_signature(vector["app_secret"], app_key=vector["app_key"], body=body) == vector["expected_signature"]


@ABSENT
def test_the_shared_vectors_are_not_an_empty_list() -> None:
    assert len(ALL["api"]) >= 12
    assert len(ALL["webhooks"]) >= 4


@given(QUERY, st.randoms(use_true_random=False))
def test_the_order_of_the_query_does_not_matter(query: dict[str, str], shuffler: random.Random) -> None:
    """T-24."""
    pairs = list(query.items())
    mixed = shuffler.sample(pairs, len(pairs))
    assert request_signature("s", path="/p", query=pairs) == request_signature("s", path="/p", query=mixed)


@given(QUERY, st.binary(min_size=1), st.sampled_from(["multipart/form-data; boundary=x", "Multipart/Form-Data"]))
def test_a_multipart_body_takes_no_part(query: dict[str, str], body: bytes, kind: str) -> None:
    """T-26."""
    bare = request_signature("s", path="/p", query=query.items())
    assert request_signature("s", path="/p", query=query.items(), body=body, content_type=kind) == bare
    assert request_signature("s", path="/p", query=query.items(), body=body) != bare


def test_names_are_sorted_by_bytes_and_not_by_a_locale() -> None:
    """T-24: upper case before the underscore, that before lower case."""
    expected = hmac.new(b"s", b"s/pB1_2a3s", hashlib.sha256).hexdigest()
    assert request_signature("s", path="/p", query=[("a", "3"), ("_", "2"), ("B", "1")]) == expected
