"""read_webhook: whose delivery it is, by its bytes, and where it says to look."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hub_tiktok.connector import TikTokConnector
from hub_tiktok.webhooks import EVENTS
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.contract import Hint, HintKind, RejectedError, Webhook
from tests.plugins.tiktok.test_sign import ABSENT, ALL, W01
from tests.plugins.tiktok.tiktok_bench import SETTINGS, SHOP, FixedClock, a_token
from tests.plugins.tiktok.tiktok_bench import Bench as AnyBench
from tests.plugins.tiktok.tiktok_receiver import signed

BIG = 1729000000000000001  # above 2^53, and odd: a float would lose its end
KEYS = (SETTINGS["app_key"], SETTINGS["app_secret"])
ORDER, PRODUCT = "576653688135258178", "1729000000000000005"


def _connector(**settings: str) -> TikTokConnector:
    return AnyBench({**SETTINGS, **settings}, FixedClock(), a_token()).connector


CONNECTOR = _connector()


def _envelope(topic: Any, data: Any, **more: Any) -> bytes:
    whole = {"type": topic, "tts_notification_id": "76", "shop_id": SHOP, "timestamp": 1718305585, "data": data, **more}
    return json.dumps({name: value for name, value in whole.items() if value is not None}).encode()


def _read(body: bytes, connector: TikTokConnector = CONNECTOR) -> list[tuple[str, str | None]]:
    hints = connector.read_webhook(Webhook({"authorization": signed(KEYS, body)}, body))
    return [(hint.kind.value, hint.ref) for hint in hints]


@pytest.mark.parametrize(("topic", "data", "hints"), [
    (1, {"order_id": ORDER, "order_status": "UNPAID", "is_on_hold_order": True}, [("orders", ORDER)]),
    (1, {"order_id": ORDER, "order_status": "CANCEL"}, [("orders", ORDER)]),
    (1, {"order_id": ORDER, "order_status": "CANCELLED"}, [("orders", ORDER)]),
    (1, {"order_id": ORDER, "order_status": "NEW_IN_NO_VERSION"}, [("orders", ORDER)]),
    (2, {"order_id": ORDER, "reverse_order_id": "4"}, [("orders", ORDER), ("returns", None)]),
    (3, {"order_id": ORDER, "update_time": 1}, [("orders", ORDER)]),
    (4, {"sc_type": "COMBINE", "package_list": [{"package_id": "1", "order_id_list": [ORDER, "5"]},
         {"package_id": "2", "order_id_list": [ORDER]}, {"package_id": "3"}]}, [("orders", ORDER), ("orders", "5")]),
    (5, {"product_id": BIG, "status": "PRODUCT_AUDIT_FAILURE"}, [("products", str(BIG))]),
    (6, {"message": "gone"}, [("authorization", None)]),
    (7, {"message": "soon", "expiration_time": "1718305585"}, [("authorization", None)]),
    (11, {"order_id": ORDER, "cancel_id": "403"}, [("orders", ORDER), ("cancellations", "403")]),
    (12, {"order_id": ORDER, "return_id": "4035"}, [("returns", "4035")]),
    (15, {"product_id": PRODUCT, "changed_fields": ["title"]}, [("products", PRODUCT)]),
    (16, {"product_id": BIG, "product_types": []}, [("products", str(BIG))]),
    (18, {"product_id": PRODUCT}, [("products", PRODUCT)]),
    (36, {"package_id": "1", "order_ids": [ORDER, "5"]}, [("orders", ORDER), ("orders", "5")]),
    (37, {"product_id": BIG, "audit": {"status": "APPROVED"}}, [("products", str(BIG))]),
    (64, {}, [("returns", None)]),
    (65, {}, [("returns", None)]),
    (67, {}, [("returns", None)]),
    ("1", {"order_id": ORDER}, [("orders", ORDER)]),
])  # fmt: skip
def test_a_delivery_says_where_to_look_and_nothing_more(
    topic: Any, data: Any, hints: list[tuple[str, str | None]]
) -> None:
    """T-129, T-130, T-89: whatever status it tells, the state is read."""
    assert _read(_envelope(topic, data)) == hints


@pytest.mark.parametrize("body", [
    *(_envelope(topic, {"goods_id": "1"}) for topic in (13, 14, 17, 19, 20, 21, 22, 23, 24, 27, 39, 51, 9999, -1)),
    _envelope(58, {"mcf_order": {}}, shop_id=None, seller_open_id="o"),
    _envelope(None, {"order_id": ORDER}),
    _envelope(1, {}), _envelope(1, None), _envelope(1, [ORDER]), _envelope(4, {"package_list": {"a": 1}}),
    b"", b"null", b"[]", b"not json", b'{"type":1', b"\xff\xfe", b'{"type": 1e400}', b"[" * 5000,
])  # fmt: skip
def test_what_the_connector_does_not_know_is_accepted_and_hints_at_nothing(body: bytes) -> None:
    """T-129: signed, so it is TikTok's, and it gets its 200."""
    assert _read(body) == []


@pytest.mark.parametrize("topic", [68, 21, 58])
def test_topics_without_a_shop_are_no_stranger_for_that(topic: int) -> None:
    """T-128."""
    body = _envelope(topic, {"sku_id": BIG, "seller_id": int(SHOP)}, shop_id=None, seller_open_id="o")
    assert _read(body) == ([("inventory", str(BIG))] if topic == 68 else [])


def test_a_delivery_for_another_shop_of_the_app_hints_at_nothing_here() -> None:
    """T-124, T-128: Partner Center's one URL gets the deliveries of all shops."""
    body = _envelope(1, {"order_id": ORDER}, shop_id="7495000000000000002")
    assert _read(body) == []
    other = _connector(shop="7495000000000000002")
    assert _read(body, other) == [("orders", ORDER)]
    assert _read(_envelope(1, {"order_id": ORDER}, shop_id=int(SHOP))) == [("orders", ORDER)]


def test_a_repeat_hints_at_the_same() -> None:
    """T-127: nothing is remembered of a delivery."""
    body = _envelope(1, {"order_id": ORDER})
    assert _read(body) == _read(body)


def _refused(body: bytes, headers: dict[str, str]) -> bool:
    try:
        CONNECTOR.read_webhook(Webhook(headers, body))
    except RejectedError as error:
        return error.code == "webhook-signature"
    return False


def test_every_flipped_bit_of_body_or_signature_is_refused() -> None:
    """T-81."""
    body = _envelope(1, {"order_id": ORDER})
    sign = signed(KEYS, body)
    assert not _refused(body, {"authorization": sign})
    for at in range(len(body)):
        for bit in (1, 0x20, 0x80):
            flipped = body[:at] + bytes([body[at] ^ bit]) + body[at + 1 :]
            assert _refused(flipped, {"authorization": sign}), at
    for at in range(len(sign)):
        assert _refused(body, {"authorization": sign[:at] + ("0" if sign[at] != "0" else "1") + sign[at + 1 :]}), at


@settings(max_examples=30)
@given(st.binary(max_size=200), st.text(max_size=80))
def test_what_is_not_signed_is_refused_whatever_it_is(body: bytes, sign: str) -> None:
    """T-81: header values are any text that HTTP lets in."""
    assert _refused(body, {"authorization": sign}) == (sign != signed(KEYS, body))


@pytest.mark.parametrize("spoil", [str.upper, "Bearer {}".format, " {}".format, "{} ".format, lambda sign: sign[:-1]])
def test_the_signature_stands_alone_and_in_lower_case(spoil: Any) -> None:
    """T-81."""
    body = _envelope(1, {"order_id": ORDER})
    assert _refused(body, {"authorization": spoil(signed(KEYS, body))})


def test_a_refusal_tells_neither_the_secret_nor_what_was_in_the_body() -> None:
    body = _envelope(1, {"order_id": ORDER})
    with pytest.raises(RejectedError, match="webhook-signature") as caught:
        CONNECTOR.read_webhook(Webhook({"authorization": "0" * 64}, body))
    told = f"{caught.value.what} {caught.value.where} {caught.value.do}"
    assert not [secret for secret in (SETTINGS["app_secret"], ORDER, signed(KEYS, body)) if secret in told]


def test_a_delivery_without_a_signature_is_refused() -> None:
    body = _envelope(1, {"order_id": ORDER})
    assert _refused(body, {})
    assert _refused(body, {"authorization": ""})
    assert _refused(body, {"x-authorization": signed(KEYS, body)})


def test_a_body_written_anew_is_refused_though_it_says_the_same() -> None:
    """T-81: separators, escapes, order, and numbers that a float has rounded."""
    body = b'{"type":68,"timestamp":1718305585,"data":{"note":"Ti\\u00eau \\/ b","sku_id":1729000000000000001}}'
    headers = {"authorization": signed(KEYS, body)}
    assert not _refused(body, headers)
    assert _read(body) == [("inventory", "1729000000000000001")]
    said = json.loads(body)
    for again in (
        json.dumps(said),
        json.dumps(said, separators=(",", ":")),
        json.dumps(said, separators=(",", ":"), ensure_ascii=False),
        json.dumps(json.loads(body, parse_int=float), separators=(",", ":")),
        body.decode() + "\n",
    ):
        assert _refused(again.encode(), headers), again


def test_the_vendors_printed_example_is_read() -> None:
    """T-81."""
    connector = _connector(app_key="abcdef", app_secret="123", shop="7495540735365777507")
    sign = "5dec0f11ec2f6783b8deee53c9ffbf8d024302f7c7e7fa55a35d17629031ac05"
    expected = [Hint(kind=HintKind.ORDERS, ref=ORDER)]
    assert connector.read_webhook(Webhook({"authorization": sign}, W01)) == expected


@ABSENT
@pytest.mark.parametrize("vector", ALL["webhooks"], ids=lambda vector: vector["id"])
def test_bodies_that_other_clients_take_are_taken_and_their_copies_are_not(vector: dict[str, Any]) -> None:
    """T-81, T-130: spaces, escapes, a trailing line feed, numbers above 2^53."""
    connector = _connector(app_key=vector["app_key"], app_secret=vector["app_secret"])
    body, headers = vector["body"].encode(), {"authorization": vector["expected_signature"]}
    assert isinstance(connector.read_webhook(Webhook(headers, body)), list)
    copies = [body + b" ", body[:-1], json.dumps(json.loads(body), sort_keys=True).encode()]
    for copy in copies:
        with pytest.raises(RejectedError, match="webhook-signature"):
            connector.read_webhook(Webhook(headers, copy))


def test_reading_makes_no_call_and_every_topic_subscribed_to_can_be_read() -> None:
    """T-129: subscribed topics by the numbers they arrive under."""
    bench = AnyBench(SETTINGS, FixedClock(), a_token())
    _read(_envelope(1, {"order_id": ORDER}), bench.connector)
    assert bench.calls == []
    assert len(set(EVENTS)) == len(EVENTS) == 12
