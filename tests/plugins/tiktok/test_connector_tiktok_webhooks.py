"""list_, register_ and remove_webhooks against the simulator: what is compared, written and left alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hub_tiktok.endpoints import SUBSCRIBE, UNSUBSCRIBE
from hub_tiktok.webhooks import EVENTS
from pytest_httpserver import HTTPServer

from hub.contract import AuthorizationError, ConfigurationError, HintKind, Subscription, TransientError, Webhook
from tests.plugins.tiktok.tiktok_bench import SETTINGS, FixedClock, Shop, a_token, shop_on_simulator, told
from tests.plugins.tiktok.tiktok_bench import Bench as AnyBench
from tests.plugins.tiktok.tiktok_receiver import WEBHOOKS, Receiver, until

URL = "https://hub.example.com/webhooks/tiktok-us"
OLD = "https://old.example.com/webhooks/tiktok-us"
OTHER = "https://elsewhere.example.org/tiktok"
Json = dict[str, Any]


def _made(shop: Shop) -> list[str]:
    """The calls made so far, by method; forgets them."""
    methods = [call.method for call in shop.calls if call.url.path == WEBHOOKS]
    assert len(methods) == len(shop.calls)
    shop.calls.clear()
    return methods


def _put(shop: Shop, event: str, url: str) -> None:
    """Subscribe behind the connector's back."""
    shop.connector._shops.call(SUBSCRIBE, body={"address": url, "event_type": event})
    shop.calls.clear()


def _there(shop: Shop) -> dict[str, str]:
    found = {each.event: each.url for each in shop.connector.list_webhooks()}
    shop.calls.clear()
    return found


def test_the_first_registration_writes_each_topic_once(shop: Shop) -> None:
    """T-124: one topic a call."""
    assert shop.connector.list_webhooks() == []
    assert _made(shop) == ["GET"]
    made = shop.connector.register_webhooks(URL)
    assert _made(shop) == ["GET", *["PUT"] * len(EVENTS)]
    assert made == [Subscription(event=event, url=URL) for event in EVENTS]
    assert _there(shop) == dict.fromkeys(EVENTS, URL)


def test_renewal_costs_one_call_and_writes_what_differs_only(shop: Shop) -> None:
    """T-124."""
    shop.connector.register_webhooks(URL)
    shop.calls.clear()
    assert len(shop.connector.register_webhooks(URL)) == len(EVENTS)
    assert _made(shop) == ["GET"]
    _put(shop, EVENTS[3], OLD)
    shop.connector._shops.call(UNSUBSCRIBE, body={"event_type": EVENTS[5]})
    shop.calls.clear()
    assert len(shop.connector.register_webhooks(URL)) == len(EVENTS)
    assert _made(shop) == ["GET", "PUT", "PUT"]
    assert _there(shop) == dict.fromkeys(EVENTS, URL)


def test_topics_that_are_not_read_stay_where_they_are(shop: Shop) -> None:
    _put(shop, "NEW_MESSAGE", OTHER)
    shop.connector.register_webhooks(URL)
    assert _there(shop)["NEW_MESSAGE"] == OTHER
    assert shop.connector.remove_webhooks(None) is True
    assert _there(shop) == {"NEW_MESSAGE": OTHER}


def test_removal_ends_ours_and_no_other(shop: Shop) -> None:
    """T-124: a topic that somebody has led elsewhere since is not ours any more."""
    shop.connector.register_webhooks(URL)
    _put(shop, EVENTS[0], OTHER)
    assert shop.connector.remove_webhooks(None) is True
    assert _made(shop) == ["GET", *["DELETE"] * (len(EVENTS) - 1)]
    assert _there(shop) == {EVENTS[0]: OTHER}
    assert shop.connector.remove_webhooks(None) is True  # nothing is known of by now
    assert _made(shop) == []


def test_removal_of_a_url_ends_that_url_and_needs_no_memory(shop: Shop) -> None:
    shop.connector.register_webhooks(URL)
    shop.memory.clear()
    shop.connector.list_locations()
    shop.calls.clear()
    assert shop.connector.remove_webhooks(OTHER) is True
    assert _made(shop) == ["GET"]
    assert shop.connector.remove_webhooks(URL) is True
    assert _there(shop) == {}


def test_removal_is_signed_over_its_body(shop: Shop) -> None:
    """T-24, T-124: DELETE with JSON; the simulator refuses it otherwise."""
    shop.connector.register_webhooks(URL)
    shop.calls.clear()
    shop.connector.remove_webhooks(URL)
    first = next(call for call in shop.calls if call.method == "DELETE")
    assert json.loads(first.content) == {"event_type": EVENTS[0]}
    assert "shop_cipher" in first.url.params
    journal = [call for call in shop.control("journal")["calls"] if call["method"] == "DELETE"]
    assert [call["status"] for call in journal] == [200] * len(EVENTS)
    assert all(call["wrote"] for call in journal)


def test_another_url_takes_the_place_of_the_first(shop: Shop) -> None:
    shop.connector.register_webhooks(OLD)
    shop.calls.clear()
    shop.connector.register_webhooks(URL)
    assert _made(shop) == ["GET", *["PUT"] * len(EVENTS)]
    assert _there(shop) == dict.fromkeys(EVENTS, URL)


def test_a_topic_that_the_market_does_not_know_stops_no_other(shop: Shop) -> None:
    """T-132. A refusal may quote the topic, whose name may hold the word that a refusal of the URL has."""
    absent = ("RECIPIENT_ADDRESS_UPDATE", "PRODUCT_AUDIT_STATUS_CHANGE")
    shop.options(webhook_unknown_topics=",".join(absent))
    made = shop.connector.register_webhooks(URL)
    assert [each.event for each in made] == [event for event in EVENTS if event not in absent]
    assert {keys["event_type"] for name, keys in shop.log.lines if name == "webhook-topic-refused"} == set(absent)
    assert len(_there(shop)) == len(EVENTS) - 2


def test_a_market_that_takes_no_topic_at_all_is_told_by_name(shop: Shop) -> None:
    shop.options(webhook_unknown_topics=",".join(EVENTS))
    with pytest.raises(ConfigurationError, match="webhook-url"):
        shop.connector.register_webhooks(URL)


@pytest.mark.parametrize(("url", "words"), [
    ("http://hub.example.com/webhooks/x", "it is not https"),
    ("https://192.0.2.7/webhooks/x", "its host is not a domain name"),
    ("https://[2001:db8::1]/webhooks/x", "its host is not a domain name"),
    ("https://hub/webhooks/x", "its host is not a domain name"),
    ("https://hub.example.com:8443/webhooks/x", "it names a port"),
    ("https://hub.example.com/" + "x" * 232, "over 255 characters"),
    ("http://127.0.0.1:8080/webhooks/x", "it is not https and its host is not a domain name and it names a port"),
    ("https://[x", "it is no URL"),
    ("", "it is not https"),
])  # fmt: skip
def test_a_url_that_tiktok_does_not_deliver_to_is_refused_before_any_call(url: str, words: str) -> None:
    """T-125."""
    bench = AnyBench(SETTINGS, FixedClock(), a_token())
    with pytest.raises(ConfigurationError, match="webhook-url") as caught:
        bench.connector.register_webhooks(url)
    assert words in caught.value.what
    assert bench.calls == []


def test_a_url_that_tiktok_itself_refuses_stops_the_registration_at_once(shop: Shop) -> None:
    """T-125: plain http to this machine is for a simulator that allows it."""
    with pytest.raises(ConfigurationError, match=r"webhook-url.*must be https"):
        shop.connector.register_webhooks("http://127.0.0.1:8080/webhooks/tiktok-us")
    assert _made(shop) == ["GET", "PUT"]
    shop.options(webhook_http="on")
    assert len(shop.connector.register_webhooks("http://127.0.0.1:8080/webhooks/tiktok-us")) == len(EVENTS)


def test_a_missing_scope_is_told_and_nothing_is_half_done() -> None:
    """T-16, T-124."""
    scopes = "seller.order.info,seller.logistics"
    with shop_on_simulator({"granted_scopes": "seller.authorization.info," + scopes}) as shop:
        shop.options(granted_scopes=scopes)
        shop.tokens.stored = shop.tokens.stored.model_copy(
            update={"refresh_token": shop.control("settings")["refresh_token"]}
        )
        shop.tokens.access_token(refused=shop.tokens.stored.access_token)
        for ask in (shop.connector.list_webhooks, lambda: shop.connector.register_webhooks(URL)):
            with pytest.raises(AuthorizationError, match=r"scope-missing.*Partner Center"):
                ask()
        said = [f"{each.what} {each.do}" for each in shop.connector.check_connection() if not each.ok]
        assert any("seller.authorization.info is not granted, which also stops webhooks" in what for what in said)
        assert any("the shop cannot be read" in what for what in said)


def test_a_lost_answer_is_made_up_for_by_the_next_registration(shop: Shop) -> None:
    """T-124: an upsert may be repeated, and what it left behind is known as ours."""
    shop.faults({"kind": "lost_reply", "match": "webhooks", "method": "PUT", "times": 1})
    with pytest.raises(TransientError) as caught:
        shop.connector.register_webhooks(URL)
    assert caught.value.may_have_happened
    assert len(_there(shop)) == 1
    shop.connector.register_webhooks(URL)
    assert _made(shop) == ["GET", *["PUT"] * (len(EVENTS) - 1)]


def test_a_half_made_registration_can_be_removed(shop: Shop) -> None:
    shop.faults({"kind": "36009003", "match": "webhooks", "method": "PUT", "times": 1})
    with pytest.raises(TransientError):
        shop.connector.register_webhooks(URL)
    shop.connector.remove_webhooks(None)
    assert _there(shop) == {}


def test_a_list_with_gaps_is_read_as_far_as_it_goes() -> None:
    """T-43."""
    rows: list[Any] = [{"event_type": "ORDER_STATUS_CHANGE", "address": URL}, None, {"event_type": "NEW"}]

    def answer(request: httpx.Request) -> httpx.Response:
        data: Json = {"webhooks": rows} if request.url.path == WEBHOOKS else {"shops": [_shop_row()]}
        return httpx.Response(200, json={"code": 0, "data": data})

    found = told(answer).connector.list_webhooks()
    assert [(each.event, each.url) for each in found] == [("ORDER_STATUS_CHANGE", URL), ("NEW", "")]


def _shop_row() -> Json:
    return {"id": SETTINGS["shop"], "cipher": "c", "region": "US", "name": "Bench"}


@pytest.fixture
def receiving(httpserver: HTTPServer) -> Iterator[tuple[Shop, Receiver]]:
    """A registered shop, whose deliveries come to a real server."""
    receiver = Receiver(httpserver)
    with shop_on_simulator({"webhook_http": "on"}) as shop:
        shop.control("clock", {"rate": 0})
        shop.connector.register_webhooks(receiver.url)
        shop.calls.clear()
        yield shop, receiver


def test_what_the_simulator_delivers_the_connector_reads(receiving: tuple[Shop, Receiver]) -> None:
    """T-81, T-129: from a real socket to a hint, topic by topic."""
    shop, receiver = receiving
    shop.seed(products=[{"title": "Mug", "skus": [{"seller_sku": "MUG"}]}])
    (order,) = shop.seed({"on_hold": False, "lines": [{"sku": "MUG"}]})
    cancel = shop.act(order, "request_cancel")["cancel_id"]
    shop.act(order, "decide_cancel", accept=False)
    shop.act(order, "edit_address", address={"line1": "2 Side Street"})
    shop.act(order, "deliver")
    back = shop.control("returns", {"order_id": order, "type": "RETURN_AND_REFUND"})["return_id"]
    shop.control("authorisation", {"action": "deauthorise"})
    until(lambda: shop.control("webhooks")["pending"] == 0)
    hints = [hint for headers, body in receiver.got for hint in shop.connector.read_webhook(Webhook(headers, body))]
    product = shop.control("state")["products"][0]["id"]
    assert {(hint.kind, hint.ref) for hint in hints} == {
        (HintKind.PRODUCTS, product),
        (HintKind.ORDERS, order),
        (HintKind.CANCELLATIONS, cancel),
        (HintKind.RETURNS, back),
        (HintKind.AUTHORIZATION, None),
    }
    assert shop.calls == []
    flipped = bytes([receiver.got[0][1][0] ^ 1]) + receiver.got[0][1][1:]
    with pytest.raises(Exception, match="webhook-signature"):
        shop.connector.read_webhook(Webhook(receiver.got[0][0], flipped))


def test_simulator_and_connector_share_no_code() -> None:
    root = Path(__file__).parents[3] / "plugins" / "tiktok"
    for folder, other in (("hub_tiktok", "tiktok_simulator"), ("tiktok_simulator", "hub_tiktok")):
        for path in (root / folder).rglob("*.py"):
            assert other not in path.read_text(), path
