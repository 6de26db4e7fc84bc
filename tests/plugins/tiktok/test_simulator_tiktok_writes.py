"""Every call that writes, hit by every fault: what happened, and what the journal says of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.plugins.tiktok.tiktok_caller import Caller, calling

UPS = "7117859084333745966"
Wish = tuple[str, str, Any]
OWN = {"tracking_number": "W1", "shipping_provider_id": "6599500000000000001"}


@pytest.fixture
def caller() -> Iterator[Caller]:
    with calling() as running:
        running.control("seed", {"products": [{"sku": "MUG", "stock": 10}]})
        yield running


def order(caller: Caller, **spec: Any) -> dict[str, Any]:
    lines = [{"sku": "MUG", "quantity": 1}, {"sku": "B"}]
    return caller.order(caller.seed({"status": "AWAITING_SHIPMENT", "lines": lines} | spec)[0])


def mark(caller: Caller) -> Wish:
    body = {"tracking_number": "W1", "shipping_provider_id": UPS}
    return "POST", f"/fulfillment/202309/orders/{order(caller)['id']}/packages", body


def ship(caller: Caller) -> Wish:
    package_id = order(caller, market="VN")["packages"][0]["id"]
    return "POST", f"/fulfillment/202309/packages/{package_id}/ship", {"self_shipment": OWN}


def batch(caller: Caller) -> Wish:
    package_id = order(caller, market="VN")["packages"][0]["id"]
    return "POST", "/fulfillment/202309/packages/ship", {"packages": [{"id": package_id, "self_shipment": OWN}]}


def label(caller: Caller) -> Wish:
    return "POST", "/fulfillment/202309/packages", {"order_id": order(caller, shipping_type="TIKTOK")["id"]}


def split(caller: Caller) -> Wish:
    found = order(caller, market="GB")
    groups = [{"id": line["id"], "order_line_item_ids": [line["id"]]} for line in found["line_items"]]
    return "POST", f"/fulfillment/202309/orders/{found['id']}/split", {"splittable_groups": groups}


def renumber(caller: Caller) -> Wish:
    order_id = order(caller)["id"]
    caller.act(order_id, "ship", tracking_number="OLD")
    body = {"tracking_number": "NEW", "shipping_provider_id": UPS}
    return "POST", f"/fulfillment/202309/orders/{order_id}/shipping_info/update", body


def cancel(caller: Caller) -> Wish:
    body = {"order_id": order(caller)["id"], "cancel_reason": "seller_cancel_reason_out_of_stock"}
    return "POST", "/return_refund/202309/cancellations", body


def approve(caller: Caller) -> Wish:
    cancel_id = caller.act(order(caller)["id"], "request_cancel")["cancel_id"]
    return "POST", f"/return_refund/202309/cancellations/{cancel_id}/approve", None


def give_back(caller: Caller) -> Wish:
    made = caller.control("returns", {"order_id": order(caller, status="DELIVERED")["id"], "type": "REFUND"})
    return "POST", f"/return_refund/202309/returns/{made['return_id']}/approve", {"decision": "APPROVE_REFUND"}


def product_and_sku(caller: Caller) -> tuple[str, str]:
    product = caller.control("state")["products"][0]
    return product["id"], product["skus"][0]["id"]


def stock(caller: Caller) -> Wish:
    product_id, sku_id = product_and_sku(caller)
    body = {"skus": [{"id": sku_id, "inventory": [{"quantity": 3}]}]}
    return "POST", f"/product/202309/products/{product_id}/inventory/update", body


def price(caller: Caller) -> Wish:
    product_id, sku_id = product_and_sku(caller)
    body = {"skus": [{"id": sku_id, "price": {"amount": "3", "currency": "USD"}}]}
    return "POST", f"/product/202309/products/{product_id}/prices/update", body


def title(caller: Caller) -> Wish:
    product_id, _ = product_and_sku(caller)
    return "POST", f"/product/202509/products/{product_id}/partial_edit", {"title": "Cup"}


def switch_off(caller: Caller) -> Wish:
    return "POST", "/product/202309/products/deactivate", {"product_ids": [product_and_sku(caller)[0]]}


def delete(caller: Caller) -> Wish:
    return "DELETE", "/product/202309/products", {"product_ids": [product_and_sku(caller)[0]]}


WRITES = [
    mark, ship, batch, label, split, renumber, cancel, approve, give_back, stock, price, title, switch_off, delete,
]  # fmt: skip


def last(caller: Caller, path: str) -> dict[str, Any]:
    return [one for one in caller.control("journal")["calls"] if one["path"] == path][-1]


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.__name__)
def test_a_write_happens_before_a_lost_answer_and_not_before_a_refusal(
    caller: Caller, write: Callable[[Caller], Wish]
) -> None:
    for kind, happened in (("429", False), ("503", False), ("drop", False), ("lost_reply", True)):
        method, path, body = write(caller)
        caller.faults({"kind": kind, "match": f"^{path}$", "times": 1})
        with contextlib.suppress(httpx.RemoteProtocolError):
            answer = caller.call(method, path, None, body)
            assert answer.status_code == int(kind)
        assert (last(caller, path)["fault"], last(caller, path)["wrote"]) == (kind, happened)
        caller.faults()


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.__name__)
def test_a_write_marked_as_one_in_the_journal_is_refused_without_its_scope(
    caller: Caller, write: Callable[[Caller], Wish]
) -> None:
    """§2.6"""
    method, path, body = write(caller)
    whole = caller.token
    caller.options(granted_scopes="seller.shop.info")
    caller.token = caller.refresh(caller.control("settings")["refresh_token"])["data"]["access_token"]
    assert caller.code(method, path, None, body) == 105005
    caller.token = whole
    assert caller.code(method, path, None, body, cipher=None) == 106013
    assert last(caller, path)["wrote"] is False
    assert caller.code(method, path, None, body) == 0
    assert last(caller, path)["wrote"] is True
    answer = caller.call(method, path, None, b"{nonsense")
    assert answer.json()["code"] == 36009022


@pytest.mark.parametrize("kind", ["cut_body", "slow"])
def test_an_answer_may_come_late_or_in_half_after_the_write(caller: Caller, kind: str) -> None:
    method, path, body = stock(caller)
    caller.faults({"kind": kind, "match": f"^{path}$", "times": 1, "seconds": 0.05})
    with contextlib.suppress(httpx.RemoteProtocolError):
        caller.call(method, path, None, body)
    (kept,) = caller.control("state")["stock"].values()
    assert [one["available"] for one in kept["warehouses"].values()] == [3]
    assert last(caller, path)["wrote"] is True
