"""The simulator's subscriptions, and what it tells of by itself, by whomever it was done."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from tests.plugins.tiktok.tiktok_caller import Caller, Json, calling
from tests.plugins.tiktok.tiktok_receiver import ADDRESSES, ORDERS, PACKAGES, WEBHOOKS, Receiver, settled

HOUR, DAY = 3600, 86_400
PARAMETER, SIGN, SCOPE, CIPHER = 36009004, 106001, 105005, 106013
GOOD = "https://hub.example.com/webhooks/shop"
MARK = "/fulfillment/202309/orders/{}/packages"
UPS = "7117859084333745966"
PRODUCTS = ("PRODUCT_STATUS_CHANGE", "PRODUCT_INFORMATION_CHANGE", "PRODUCT_CREATION", "PRODUCT_AUDIT_STATUS_CHANGE")


@pytest.fixture
def receiver(httpserver: HTTPServer) -> Receiver:
    return Receiver(httpserver)


@pytest.fixture
def caller() -> Iterator[Caller]:
    with calling(webhook_http="on") as made:
        made.control("clock", {"rate": 0})
        yield made


def _put(caller: Caller, address: str, word: str = ORDERS) -> Json:
    return dict(caller.call("PUT", WEBHOOKS, body={"address": address, "event_type": word}).json())


def _listed(caller: Caller) -> Json:
    return caller.data("GET", WEBHOOKS)


def test_a_topic_has_one_address_which_the_last_call_sets(caller: Caller) -> None:
    """T-124."""
    assert _listed(caller) == {"webhooks": [], "total_count": 0}
    began = caller.now()
    assert _put(caller, GOOD)["code"] == 0
    caller.advance(60)
    assert _put(caller, GOOD + "2")["code"] == 0
    assert _put(caller, GOOD, "RECIPIENT_ADDRESS_UPDATE")["code"] == 0
    first, second = _listed(caller)["webhooks"]
    assert first == {"event_type": ORDERS, "address": GOOD + "2", "create_time": began, "update_time": began + 60}
    assert second["event_type"] == ADDRESSES
    for _ in range(2):  # what is gone already is fine
        assert caller.code("DELETE", WEBHOOKS, body={"event_type": ORDERS}) == 0
    assert [each["event_type"] for each in _listed(caller)["webhooks"]] == [ADDRESSES]


@pytest.mark.parametrize("switch", ["off", "on"])
@pytest.mark.parametrize("address", [
    "http://hub.example.com/hook", "https://192.0.2.7/hook", "https://[2001:db8::1]/hook", "https://hub/hook",
    "https://hub.example.com:443/hook", "https://hub.example.com:8443/hook", "https://hub.example.com/" + "x" * 232,
    "hub.example.com", "https://hub.example.com:/hook", "https://hub.example.com:x/", "https://[x",
])  # fmt: skip
def test_an_address_that_is_not_delivered_to_is_refused(caller: Caller, address: str, switch: str) -> None:
    """T-125: also where plain http to this machine is allowed."""
    caller.options(webhook_http=switch)
    answer = _put(caller, address)
    assert answer["code"] == PARAMETER
    assert "address" in answer["message"]
    assert _listed(caller)["total_count"] == 0


def test_plain_http_to_this_machine_is_a_switch(caller: Caller) -> None:
    """T-125."""
    local = "http://127.0.0.1:8080/webhooks/shop"
    assert _put(caller, local)["code"] == 0
    assert _put(caller, "https://hub.example.com/" + "x" * 231)["code"] == 0
    caller.options(webhook_http="off")
    assert _put(caller, local)["code"] == PARAMETER


def test_a_topic_nobody_or_this_market_knows_is_refused(caller: Caller) -> None:
    """T-129, T-132."""
    assert _put(caller, GOOD, "ORDER_CHANGE")["code"] == PARAMETER
    assert _put(caller, GOOD, "INVENTORY_CHANGED")["code"] == PARAMETER
    caller.options(webhook_unknown_topics="INVOICE_STATUS_CHANGE, PACKAGE_UPDATE", webhook_inventory="on")
    assert _put(caller, GOOD, "INVOICE_STATUS_CHANGE")["code"] == PARAMETER
    assert _put(caller, GOOD, "INVENTORY_CHANGED")["code"] == 0


def test_calls_need_their_scope_a_cipher_and_a_signature_over_the_body(caller: Caller) -> None:
    """T-17, T-20, T-24: a DELETE has a body, and it is signed."""
    body = {"event_type": ORDERS}
    for method in ("PUT", "GET", "DELETE"):
        assert caller.code(method, WEBHOOKS, cipher=None) == CIPHER
        assert caller.code(method, WEBHOOKS, body=None if method == "GET" else body, sign="0" * 64) == SIGN
    caller.data("PUT", WEBHOOKS, body={"address": GOOD, **body})
    query = {"app_key": caller.settings["app_key"], "timestamp": str(caller.now()), "shop_cipher": caller.cipher}
    headers = {"x-tts-access-token": caller.token, "content-type": "application/json"}
    unsigned = caller.call("DELETE", WEBHOOKS, query, headers=headers).request.url.params["sign"]
    assert caller.code("DELETE", WEBHOOKS, body=body, sign=unsigned) == SIGN  # as if there were no body
    assert _listed(caller)["total_count"] == 1
    caller.options(granted_scopes="seller.order.info")
    caller.token = caller.refresh(caller.simulator.settings()["refresh_token"])["data"]["access_token"]
    assert {caller.code(method, WEBHOOKS) for method in ("PUT", "GET", "DELETE")} == {SCOPE}


def test_each_shop_has_its_own_subscriptions(caller: Caller, receiver: Receiver) -> None:
    """T-124; the app's own URL takes what a shop has not registered."""
    caller.seed(shops=[{"id": "7495000000000000001", "region": "GB"}, {"id": "7495000000000000002", "region": "DE"}])
    first, second = caller.data("GET", "/authorization/202309/shops", cipher=None)["shops"]
    body = {"address": receiver.url, "event_type": ORDERS}
    caller.data("PUT", WEBHOOKS, body=body, cipher=second["cipher"])
    assert caller.data("GET", WEBHOOKS, cipher=first["cipher"])["total_count"] == 0
    for shop in (first, second):
        caller.seed({"shop": shop["id"], "market": shop["region"], "paid_time": None, "status": "UNPAID"})
    settled(caller)
    assert [notice["shop_id"] for notice in receiver.notices()] == [second["id"]]
    caller.options(webhook_app_url=receiver.url)
    caller.seed({"shop": first["id"], "market": "GB", "paid_time": None, "status": "UNPAID"})
    settled(caller)
    assert [notice["shop_id"] for notice in receiver.notices()] == [second["id"], first["id"]]


@pytest.mark.parametrize(("switch", "word"), [("CANCEL", "CANCEL"), ("CANCELLED", "CANCELLED")])
def test_every_change_of_an_orders_status_is_told(
    caller: Caller, receiver: Receiver, switch: str, word: str
) -> None:  # fmt: skip
    """T-89, T-129: from its making over the end of the hold to its end, and no change that is none."""
    caller.options(webhook_cancel_word=switch)
    receiver.subscribe(caller, ORDERS)
    (order,) = caller.seed({"on_hold": True})
    caller.act(order, "edit", note="please hurry")
    caller.advance(HOUR)
    caller.act(order, "deliver")
    (other,) = caller.seed({"paid_time": None, "status": "UNPAID"})
    caller.act(other, "cancel")
    settled(caller)
    said = receiver.data(1)
    steps = ["UNPAID", "ON_HOLD", "AWAITING_SHIPMENT", "AWAITING_COLLECTION", "DELIVERED"]
    assert [each["order_status"] for each in said if each["order_id"] == order] == steps
    assert [each["order_status"] for each in said if each["order_id"] == other] == ["UNPAID", word]
    assert {each["is_on_hold_order"] for each in said if each["order_id"] == order} == {True}
    assert [each["update_time"] for each in said][2] == caller.order(order)["paid_time"] + HOUR


def test_a_changed_address_is_told(caller: Caller, receiver: Receiver) -> None:
    receiver.subscribe(caller, ADDRESSES)
    (order,) = caller.seed({"on_hold": True})
    caller.act(order, "edit", address={"line1": "2 Side Street"})
    caller.advance(HOUR)
    caller.act(order, "edit_address", address={"line1": "3 Back Lane"})
    settled(caller)
    assert [each["order_id"] for each in receiver.data(3)] == [order, order]


def test_a_split_is_told_with_its_packages(caller: Caller, receiver: Receiver) -> None:
    caller.seed(shops=[{"id": "7495000000000000005", "region": "GB"}])
    caller.cipher = caller.data("GET", "/authorization/202309/shops", cipher=None)["shops"][0]["cipher"]
    receiver.subscribe(caller, PACKAGES)
    (order,) = caller.seed({"market": "GB", "on_hold": False, "lines": [{"sku": "A"}, {"sku": "B"}]})
    groups = [
        {"id": line["id"][-3:], "order_line_item_ids": [line["id"]]} for line in caller.order(order)["line_items"]
    ]
    made = caller.data("POST", f"/fulfillment/202309/orders/{order}/split", body={"splittable_groups": groups})
    settled(caller)
    (told,) = receiver.data(4)
    assert (told["sc_type"], told["role_type"]) == ("SPLIT", "ROLE_SELLER")
    assert {each["package_id"] for each in told["package_list"]} == {each["id"] for each in made["packages"]}
    assert all(each["order_id_list"] == [order] for each in told["package_list"])
    (other,) = caller.seed({"market": "GB", "on_hold": False, "lines": [{"sku": "A"}, {"sku": "B"}]})
    caller.act(other, "ship", sku="A")  # who ships a part has split the rest off
    settled(caller)
    packages = {line["package_id"] for line in caller.order(other)["line_items"]}
    assert {each["package_id"] for each in receiver.data(4)[1]["package_list"]} == packages
    assert len(packages) == 2


def test_requests_and_cancellations_are_told_step_by_step(caller: Caller, receiver: Receiver) -> None:
    receiver.subscribe(caller, "CANCELLATION_STATUS_CHANGE")
    asked, cancelled = caller.seed({"on_hold": False}, {"paid_time": None, "status": "UNPAID"})
    id_ = caller.act(asked, "request_cancel")["cancel_id"]
    caller.act(asked, "decide_cancel", accept=True)
    caller.advance(120)
    caller.act(cancelled, "cancel", by="SYSTEM")
    settled(caller)
    said = [(each["order_id"], each["cancellations_role"], each["cancel_status"]) for each in receiver.data(11)]
    word = "CANCELLATION_REQUEST_{}".format
    assert said == [
        (asked, "BUYER", word("PENDING")), (asked, "BUYER", word("SUCCESS")), (asked, "BUYER", word("COMPLETE")),
        (cancelled, "SYSTEM", word("COMPLETE")),
    ]  # fmt: skip
    assert {each["cancel_id"] for each in receiver.data(11)[:3]} == {id_}


def test_a_return_is_told_step_by_step(caller: Caller, receiver: Receiver) -> None:
    receiver.subscribe(caller, "RETURN_STATUS_CHANGE")
    (order,) = caller.seed({"status": "DELIVERED", "on_hold": False})
    made = caller.control("returns", {"order_id": order, "type": "RETURN_AND_REFUND"})
    caller.data(
        "POST", f"/return_refund/202309/returns/{made['return_id']}/approve", body={"decision": "APPROVE_RETURN"}
    )
    settled(caller)
    first, second = receiver.data(12)
    assert first["return_id"] == second["return_id"] == made["return_id"]
    assert [first["return_status"], second["return_status"]] == [
        "RETURN_OR_REFUND_REQUEST_PENDING", "AWAITING_BUYER_SHIP",
    ]  # fmt: skip


def test_products_are_told_of_with_ids_as_numbers(caller: Caller, receiver: Receiver) -> None:
    """T-130: a JSON number above 2^53 in all but topic 15."""
    receiver.subscribe(caller, *PRODUCTS)
    caller.seed(products=[{"title": "Mug", "skus": [{"seller_sku": "MUG"}]}])
    product = caller.control("state")["products"][0]["id"]
    caller.data("POST", "/product/202309/products/deactivate", body={"product_ids": [product]})
    caller.data("POST", "/product/202309/products/activate", body={"product_ids": [product]})
    caller.advance(120)
    caller.control("sku", {"sku": "MUG", "seller_sku": "MUG-2"})
    settled(caller)
    assert [each["product_id"] for each in receiver.data(16)] == [int(product)]
    assert [each["status"] for each in receiver.data(5)] == [
        "PRODUCT_STATUS_CHANGED", "PRODUCT_STATUS_CHANGED", "PRODUCT_FIRST_PASS_REVIEW",
    ]  # fmt: skip
    assert {each["product_id"] for each in (*receiver.data(5), *receiver.data(37))} == {int(product)}
    assert [each["audit"]["status"] for each in receiver.data(37)] == ["AUDITING", "APPROVED"]
    (edited,) = receiver.data(15)
    assert (edited["product_id"], edited["change_source"]) == (product, "SELLER_CENTER")
    assert int(product) > 2**53


def test_stock_is_told_of_where_that_topic_is_switched_on(caller: Caller, receiver: Receiver) -> None:
    """T-128 to T-130: no shop_id, all ids numbers."""
    caller.options(webhook_inventory="on")
    receiver.subscribe(caller, "INVENTORY_CHANGED")
    caller.seed(products=[{"title": "Mug", "skus": [{"seller_sku": "MUG", "stock": 10}]}])
    order = caller.control("buy", {"sku": "MUG", "quantity": 2})["order_id"]
    caller.advance(HOUR)
    caller.act(order, "ship")
    settled(caller)
    assert all("shop_id" not in notice and "seller_open_id" in notice for notice in receiver.notices())
    moves = [(c["trigger_source"], c["available_quantity_delta"], c["committed_quantity_delta"])
             for each in receiver.data(68) for c in each["change_detail"]]  # fmt: skip
    assert moves == [("order_created", -1, 1)] * 2 + [("order_shipped", 0, -1)] * 2
    last = receiver.data(68)[-1]
    assert last["quantity_snapshot_after_change"]["total_quantity"] == 8
    assert last["seller_id"] == int(caller.settings["shop"])
    assert last["sku_id"] > 2**53


def test_a_seller_who_leaves_is_told_of(caller: Caller, receiver: Receiver) -> None:
    """T-131: by the seller's own deed; in words, and nothing else."""
    receiver.subscribe(caller, "SELLER_DEAUTHORIZATION")
    caller.control("authorisation", {"action": "deauthorise"})
    settled(caller)
    (notice,) = receiver.notices()
    assert (notice["type"], set(notice["data"])) == (6, {"message"})


def test_an_app_that_gives_the_authorisation_back_is_told_of_too(caller: Caller, receiver: Receiver) -> None:
    receiver.subscribe(caller, "SELLER_DEAUTHORIZATION")
    caller.data("DELETE", "/authorization/202403/shops", cipher=None)
    settled(caller)
    assert [notice["type"] for notice in receiver.notices()] == [6]


def test_an_authorisation_near_its_end_is_told_of_every_midnight(receiver: Receiver) -> None:
    """T-131: from thirty days before, until it is renewed."""
    with calling(webhook_http="on", refresh_life_s=str(32 * DAY)) as caller:
        caller.control("clock", {"rate": 0})
        receiver.subscribe(caller, "UPCOMING_AUTHORIZATION_EXPIRATION")
        caller.advance(DAY)
        assert settled(caller)["made"] == 0
        caller.advance(4 * DAY)
        made = settled(caller)["made"]
        assert made in (3, 4)  # as midnight lies
        notices = receiver.notices()
        assert {notice["timestamp"] % DAY for notice in notices} == {0}
        ends = {int(notice["data"]["expiration_time"]) for notice in notices}
        assert max(ends) - min(notice["timestamp"] for notice in notices) <= 30 * DAY
        caller.options(refresh_life_s=str(365 * DAY))
        code = caller.control("authorisation", {"action": "consent"})["code"]
        caller.token_call("get", auth_code=code, grant_type="authorized_code")
        caller.advance(3 * DAY)
        assert settled(caller)["made"] == made


def test_a_clock_set_back_tells_no_midnight_twice_at_once(receiver: Receiver) -> None:
    with calling(webhook_http="on", refresh_life_s=str(10 * DAY)) as caller:
        caller.control("clock", {"rate": 0})
        receiver.subscribe(caller, "UPCOMING_AUTHORIZATION_EXPIRATION")
        caller.advance(-400 * DAY)
        caller.advance(0)
        assert settled(caller)["made"] == 0


def test_a_switch_that_is_a_probability_takes_nothing_else(caller: Caller) -> None:
    for wrong in ("2", "-0.1", "often", ""):
        answer = caller.http.post("/_sim/options", json={"webhook_duplicates": wrong})
        assert answer.status_code == 400
        assert "0 to 1" in answer.text
