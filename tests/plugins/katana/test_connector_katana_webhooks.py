"""Webhooks of the Katana connector: subscriptions compared and mended, deliveries checked and read as hints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hub_katana.webhooks import EVENTS
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from hub.contract import ConfigurationError, Hint, HintKind, RejectedError, TransientError, Webhook
from tests.plugins.katana.conftest import Bench, Katana, Texts, bench
from tests.plugins.katana.subscriber import Subscriber, signed, subscriber_on, until

URL = "https://hub.example.com/webhooks/katana-main"
OTHER = "https://reports.example.com/katana"
TOKEN = "46aec160c0efe1d6"


def delivery(body: bytes, token: str = TOKEN, prefix: str = "") -> Webhook:
    return Webhook({"x-sha2-signature": prefix + signed(token, body), "content-type": "application/json"}, body)


def payload(action: str, **about: Any) -> bytes:
    resource = action.partition(".")[0]
    return json.dumps({"resource_type": resource, "action": action, "webhook_id": 7, "object": about}).encode()


def subscriptions(katana: Katana) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = katana.control("GET", "webhooks")["subscriptions"]
    return rows


def subscribe(katana: Katana, url: str, *events: str, **more: Any) -> dict[str, Any]:
    body = {"url": url, "subscribed_events": list(events) or ["product.created"], **more}
    made: dict[str, Any] = katana.api("POST", "/webhooks", body)
    return made


def is_refused(made: Bench, given_: Webhook) -> bool:
    with pytest.raises(RejectedError) as refused:
        made.connector.read_webhook(given_)
    return refused.value.code == "webhook-signature" and TOKEN not in str(refused.value)


@pytest.fixture
def reader(katana: Katana) -> Bench:
    """A connector that keeps one key."""
    made = katana.bench()
    made.secrets.set("webhook-keys", json.dumps([{"webhook": 7, "url": URL, "token": TOKEN}]))
    return made


@pytest.fixture(scope="module")
def server() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1", threaded=True) as running:
        yield running


@pytest.fixture
def subscriber(server: HTTPServer) -> Subscriber:
    return subscriber_on(server)


# Subscriptions


def test_everything_that_is_read_is_subscribed_once_and_renewed_by_one_reading(katana: Katana) -> None:
    """K-92, K-98: one subscription carries every event."""
    made = katana.bench()
    katana.forget()
    first = made.connector.register_webhooks(URL)
    assert katana.calls() == ["GET /webhooks", "POST /webhooks"]
    assert {each.event for each in first} == set(EVENTS)
    assert all(each.url == URL and each.active for each in first)
    katana.forget()
    assert made.connector.register_webhooks(URL) == first == made.connector.list_webhooks()
    assert katana.calls() == ["GET /webhooks"] * 2
    (row,) = subscriptions(katana)
    assert made.secrets.keys() == {"webhook-keys"}
    assert row["token"] in made.secrets["webhook-keys"]
    assert row["token"] not in f"{made.memory}{made.log.events}{made.connector.__dict__}"


def test_a_renewal_writes_only_what_differs(katana: Katana) -> None:
    made = katana.bench()
    made.connector.register_webhooks(URL)
    (row,) = subscriptions(katana)
    for change in ({"enabled": False}, {"subscribed_events": ["sales_order.created", *EVENTS[:3]]}):
        katana.api("PATCH", f"/webhooks/{row['id']}", change)
        katana.forget()
        assert all(each.active for each in made.connector.register_webhooks(URL))
        assert katana.calls() == ["GET /webhooks", f"PATCH /webhooks/{row['id']}"]
        (after,) = subscriptions(katana)
        assert (after["enabled"], set(after["subscribed_events"])) == (True, set(EVENTS))


def test_what_others_subscribe_is_left_alone(katana: Katana) -> None:
    """Another hub on the same account, or a tool of somebody else's."""
    theirs = [subscribe(katana, OTHER), subscribe(katana, f"{URL}-2", enabled=False)]
    made = katana.bench()
    made.connector.register_webhooks(URL)
    assert [each.url for each in made.connector.list_webhooks() if each.event == "product.created"] == [
        URL, f"{URL}-2", OTHER,
    ]  # fmt: skip
    made.connector.remove_webhooks(None)
    assert subscriptions(katana) == theirs


@pytest.mark.parametrize("shown", ["yes", "no"])
def test_a_subscription_whose_key_was_lost_works_again(katana: Katana, shown: str) -> None:
    """K-93: the list shows the key; where it does not, the subscription is made anew before the old one ends."""
    katana.options(webhook_key_shown=shown)
    katana.bench().connector.register_webhooks(URL)
    (before,) = subscriptions(katana)
    made = katana.bench()
    katana.forget()
    made.connector.register_webhooks(URL)
    (after,) = subscriptions(katana)
    assert (after["token"] == before["token"]) is (shown == "yes")
    anew = ["POST /webhooks", f"DELETE /webhooks/{before['id']}"]
    assert katana.calls() == ["GET /webhooks", *(anew if shown == "no" else [])]
    body = payload("product.updated", id=1)
    assert made.connector.read_webhook(delivery(body, after["token"]))
    katana.forget()
    made.connector.register_webhooks(URL)
    assert katana.calls() == ["GET /webhooks"], "now it is known"


@pytest.mark.parametrize("shown", ["yes", "no"])
@pytest.mark.parametrize("kind", ["lost_reply", "cut_body"])
def test_a_lost_answer_leaves_no_second_subscription(katana: Katana, kind: str, shown: str) -> None:
    katana.options(webhook_key_shown=shown)
    made = katana.bench()
    katana.fault(kind, "/webhooks", "POST")
    with pytest.raises(TransientError):
        made.connector.register_webhooks(URL)
    made.connector.register_webhooks(URL)
    (row,) = subscriptions(katana)
    assert made.connector.read_webhook(delivery(payload("product.updated", id=1), row["token"]))


def test_what_a_lost_answer_left_behind_is_removed_as_ours(katana: Katana) -> None:
    made = katana.bench()
    katana.fault("lost_reply", "/webhooks", "POST")
    with pytest.raises(TransientError):
        made.connector.register_webhooks(URL)
    assert len(subscriptions(katana)) == 1
    made.connector.remove_webhooks(None)
    assert subscriptions(katana) == []


def test_the_key_before_is_good_for_a_day(katana: Katana) -> None:
    """K-97: somebody deleted the subscription; what it sent before still comes."""
    katana.options(webhook_key_shown="no")
    made = katana.bench()
    made.connector.register_webhooks(URL)
    (old,) = subscriptions(katana)
    katana.api("DELETE", f"/webhooks/{old['id']}")
    made.connector.register_webhooks(URL)
    (new,) = subscriptions(katana)
    body = payload("product.updated", id=1)
    for token in (old["token"], new["token"]):
        assert made.connector.read_webhook(delivery(body, token))
    made.clock.at += timedelta(hours=25)
    assert is_refused(made, delivery(body, old["token"]))
    assert made.connector.read_webhook(delivery(body, new["token"]))


def test_keys_do_not_pile_up(katana: Katana) -> None:
    katana.options(webhook_key_shown="no")
    made = katana.bench()
    for _ in range(12):
        made.connector.register_webhooks(URL)
        (row,) = subscriptions(katana)
        katana.api("DELETE", f"/webhooks/{row['id']}")
    assert len(json.loads(made.secrets["webhook-keys"])) == 8


def test_what_is_removed_is_refused_from_then_on(katana: Katana) -> None:
    made = katana.bench()
    for url in (URL, f"{URL}/second"):
        made.connector.register_webhooks(url)
    second, first = sorted(subscriptions(katana), key=lambda row: len(row["url"]), reverse=True)
    body = payload("product.updated", id=1)
    assert made.connector.remove_webhooks(URL) is True
    assert made.connector.remove_webhooks(URL) is True, "a repeat is fine"
    assert subscriptions(katana) == [second]
    assert is_refused(made, delivery(body, first["token"]))
    assert made.connector.read_webhook(delivery(body, second["token"]))
    assert made.connector.remove_webhooks(None) is True
    assert (subscriptions(katana), dict(made.secrets), made.memory["webhook-urls"]) == ([], {}, "[]")


@pytest.mark.parametrize("kept", ["secrets", "memory"])
def test_what_was_registered_is_removed_though_one_of_two_memories_is_lost(katana: Katana, kept: str) -> None:
    memory = Texts()
    made = katana.bench(memory)
    made.connector.register_webhooks(URL)
    (memory if kept == "secrets" else made.secrets).clear()
    made.connector.remove_webhooks(None)
    assert subscriptions(katana) == []


@pytest.mark.parametrize("url", ["http://hub.example.com/x", "ftp://hub.example.com", "https://", "hub.example.com"])
def test_only_https_is_asked_for(katana: Katana, url: str) -> None:
    """K-92: it would be refused; plain http to this machine is for simulators on this machine."""
    made = katana.bench()
    katana.forget()
    with pytest.raises(ConfigurationError, match="https") as refused:
        made.connector.register_webhooks(url)
    assert (refused.value.code, katana.calls()) == ("webhook-url", [])


def test_a_url_that_katana_itself_refuses_is_a_matter_of_configuration(katana: Katana) -> None:
    with pytest.raises(ConfigurationError, match="must match pattern") as refused:
        katana.bench().connector.register_webhooks("http://127.0.0.1:8080/webhooks/katana-main")
    assert refused.value.code == "webhook-url"


# Deliveries


@pytest.mark.parametrize("number", [str, int])
@pytest.mark.parametrize("prefix", ["", "sha256="])
def test_a_signed_delivery_says_where_to_look(reader: Bench, katana: Katana, number: Any, prefix: str) -> None:
    """K-94, K-95, K-96: an id may be a number or text, the signature may have a prefix."""

    def hints(action: str, **about: Any) -> list[Hint]:
        return reader.connector.read_webhook(delivery(payload(action, **about), prefix=prefix))

    katana.forget()
    for verb in ("updated", "deleted", "packed", "delivered"):
        assert hints(f"sales_order.{verb}", id=number(12345)) == [Hint(kind=HintKind.FULFILLMENTS, ref="12345")]
    for what in ("product_updated", "material_updated", "product_out_of_stock", "material_out_of_stock"):
        found = [Hint(kind=HintKind.INVENTORY, ref="77")]
        assert hints(f"current_inventory.{what}", id=number(1), variant_id=number(77)) == found
        assert hints(f"current_inventory.{what}", id=number(77)) == found
    for verb in ("created", "updated", "deleted"):
        assert hints(f"variant.{verb}", id=number(5)) == [Hint(kind=HintKind.PRODUCTS, ref="5")]
        assert hints(f"product.{verb}", id=number(5)) == [Hint(kind=HintKind.PRODUCTS)]
        assert hints(f"material.{verb}", id=number(5)) == [Hint(kind=HintKind.PRODUCTS)]
    assert katana.calls() == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b"not json", b"[]", b"null", b"7", b"{}", b"[" * 100_000, b"\xff\xfe\x00", b'{"action": ["x"]}',
        payload("sales_order.created", id=1), payload("sales_order.exploded", id=1), payload("unknown", id=1),
        payload("current_inventory.product_updated"), payload("current_inventory.product_updated", id="abc"),
        b'{"action": "current_inventory.product_updated", "object": 7}', payload("purchase_order.created", id=1),
    ],
)  # fmt: skip
def test_what_cannot_be_read_or_is_of_no_known_kind_hints_at_nothing(reader: Bench, body: bytes) -> None:
    """Stock without a variant neither: it would have the whole stock read."""
    assert reader.connector.read_webhook(delivery(body)) == []


def test_fields_that_nobody_knows_do_no_harm(reader: Bench) -> None:
    body = json.dumps({"new": [1], **json.loads(payload("sales_order.updated", id=1, more={"x": None}))}).encode()
    assert reader.connector.read_webhook(delivery(body)) == [Hint(kind=HintKind.FULFILLMENTS, ref="1")]
    strange = payload("sales_order.updated", id=[True])
    assert reader.connector.read_webhook(delivery(strange)) == [Hint(kind=HintKind.FULFILLMENTS)]


SAMPLE = payload("sales_order.delivered", id="12345", status="DELIVERED")


def keeping(*tokens: str) -> Bench:
    made = bench({"api_key": "katana-test-key", "api_url": "http://127.0.0.1:1"})
    rows = [{"webhook": number, "url": URL, "token": token} for number, token in enumerate(tokens)]
    made.secrets.set("webhook-keys", json.dumps(rows))
    made.http.close()
    return made


KEEPER = keeping(TOKEN, "0" * 16)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(SAMPLE) - 1), st.integers(1, 255))
def test_any_flipped_byte_of_the_body_is_refused(at: int, bits: int) -> None:
    broken = bytearray(SAMPLE)
    broken[at] ^= bits
    assert is_refused(KEEPER, Webhook(delivery(SAMPLE).headers, bytes(broken)))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 63), st.integers(1, 127))
def test_any_flipped_byte_of_the_signature_is_refused(at: int, bits: int) -> None:
    broken = bytearray(signed(TOKEN, SAMPLE).encode())
    broken[at] ^= bits
    assert is_refused(KEEPER, Webhook({"x-sha2-signature": broken.decode()}, SAMPLE))


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(max_codepoint=255), max_size=80))
def test_no_made_up_signature_fits(text: str) -> None:
    assert is_refused(KEEPER, Webhook({"x-sha2-signature": text}, SAMPLE))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([TOKEN, "0" * 16]))
def test_whatever_was_signed_with_a_key_of_ours_is_taken(body: bytes, token: str) -> None:
    assert KEEPER.connector.read_webhook(delivery(body, token)) == []


def test_a_body_that_is_written_anew_is_refused(reader: Bench) -> None:
    """K-94: the signature is over the raw bytes; the same JSON in other bytes is another body."""
    compact = json.dumps(json.loads(SAMPLE), separators=(",", ":")).encode()
    assert json.loads(compact) == json.loads(SAMPLE)
    assert is_refused(reader, Webhook(delivery(SAMPLE).headers, compact))
    assert is_refused(reader, Webhook(delivery(SAMPLE).headers, SAMPLE + b"\n"))


def test_without_a_signature_or_a_key_of_ours_everything_is_refused(reader: Bench) -> None:
    assert is_refused(reader, Webhook({}, SAMPLE))
    assert is_refused(reader, delivery(SAMPLE, "ffffffffffffffff"))
    assert is_refused(keeping(), Webhook({"x-sha2-signature": signed("", SAMPLE)}, SAMPLE))
    reader.secrets.set("webhook-keys", "garbage")
    assert is_refused(reader, delivery(SAMPLE))


def test_what_the_simulator_delivers_is_read(katana: Katana, shop: Any, subscriber: Subscriber) -> None:
    """K-94, K-95: from the change of stock by hand to the hint, over two real connections."""
    katana.options(webhook_http="on")
    made = katana.bench()
    made.connector.register_webhooks(subscriber.url)
    katana.do("stock", sku="MUG-BLUE", quantity=5)
    until(lambda: subscriber.got, "the delivery")
    (got,) = subscriber.got
    hints = made.connector.read_webhook(Webhook(got.headers, got.body))
    assert hints == [Hint(kind=HintKind.INVENTORY, ref=str(shop["variants"]["MUG-BLUE"]))]
