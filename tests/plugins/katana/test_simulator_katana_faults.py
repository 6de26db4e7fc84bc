"""Faults on demand, journal, counters, demo and the way the simulator is run."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from katana_simulator import Simulator

from tests.plugins.katana.katana_account import Account, opened


@pytest.fixture
def account() -> Iterator[Account]:
    with opened() as running:
        yield running


def fault(account: Account, kind: str, **more: Any) -> None:
    account.sim("faults", faults=[{"kind": kind, "match": "/sales_orders", **more}])


def orders(account: Account) -> int:
    return len(account.get("/_sim/state").json()["sales_orders"])


@pytest.mark.parametrize(("kind", "written"), [("lost_reply", 1), ("drop", 0)])
def test_a_connection_closes_with_or_without_the_write(account: Account, kind: str, written: int) -> None:
    """K-79"""
    fault(account, kind, times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        account.post("/v1/sales_orders", json=account.body())
    assert orders(account) == written
    assert account.post("/v1/sales_orders", json=account.body()).status_code == 200


def test_a_cut_body_arrives_in_part_after_the_write(account: Account) -> None:
    fault(account, "cut_body", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        account.post("/v1/sales_orders", json=account.body())
    assert orders(account) == 1


@pytest.mark.parametrize(("kind", "status"), [("429", 429), ("500", 500), ("503", 503)])
def test_an_error_fault_answers_without_writing(account: Account, kind: str, status: int) -> None:
    fault(account, kind, times=1)
    answer = account.post("/v1/sales_orders", json=account.body())
    assert answer.status_code == status
    assert orders(account) == 0
    assert ("retry-after" in answer.headers) is (status == 429)
    if status == 503:
        with pytest.raises(json.JSONDecodeError):
            answer.json()
    else:
        assert answer.json()["error"]["statusCode"] == status


def test_slow_waits_in_real_time_and_then_answers(account: Account) -> None:
    fault(account, "slow", seconds=0.2)
    started = time.monotonic()
    assert account.post("/v1/sales_orders", json=account.body()).status_code == 200
    assert time.monotonic() - started >= 0.2


def test_latency_slows_every_call(account: Account) -> None:
    account.sim("options", latency_ms=100)
    started = time.monotonic()
    account.get("/v1/user_info")
    assert time.monotonic() - started >= 0.1


def test_page_shift_skips_or_repeats_a_row_of_a_later_page(account: Account) -> None:
    for number in range(6):
        account.order(order_no=str(number))
    seen = set()
    for seed in range(8):
        account.sim("faults", faults=[{"kind": "page_shift", "times": 1}], seed=seed)
        pages = [account.get(f"/v1/sales_orders?limit=2&page={page}").json()["data"] for page in (1, 2, 3)]
        seen.add("".join(row["order_no"] for rows in pages for row in rows))
    assert seen == {"542110", "544310"}


def test_faults_hit_by_method_and_times_and_can_be_cleared(account: Account) -> None:
    fault(account, "500", method="POST", times=2)
    assert account.get("/v1/sales_orders").status_code == 200
    codes = [account.post("/v1/sales_orders", json=account.body()).status_code for _ in range(3)]
    assert codes == [500, 500, 200]
    fault(account, "500")
    account.sim("faults", faults=[])
    assert account.get("/v1/sales_orders").status_code == 200
    assert account.post("/_sim/faults", json={"faults": [{"kind": "magic"}]}).status_code == 400


def test_a_probable_fault_repeats_under_the_same_seed(account: Account) -> None:
    def codes() -> list[int]:
        account.sim("faults", faults=[{"kind": "500", "probability": 0.5}], seed=7)
        return [account.get("/v1/user_info").status_code for _ in range(20)]

    first = codes()
    assert set(first) == {200, 500}
    assert codes() == first


def test_the_journal_tells_what_was_called_and_what_wrote(account: Account) -> None:
    account.order(order_no="A")
    account.get("/v1/sales_orders?ids=1&ids=2&limit=5")
    account.post("/v1/sales_orders/search", json={"filter": {}})
    account.post("/v1/sales_orders", json={})
    fault(account, "lost_reply", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        account.order(order_no="B")
    journal = account.get("/_sim/journal").json()
    calls = journal["calls"]
    assert [call["wrote"] for call in calls] == [True, False, False, False, True]
    assert [call["fault"] for call in calls][-2:] == [None, "lost_reply"]
    assert calls[0]["body"]["order_no"] == "A"
    assert calls[1]["query"] == {"ids": ["1", "2"], "limit": "5"}
    assert calls[3]["status"] == 422
    assert account.get(f"/_sim/journal?since={journal['next']}").json() == {"next": journal["next"], "calls": []}
    assert [call["n"] for call in account.get("/_sim/journal?since=1&limit=2").json()["calls"]] == [1, 2]
    account.delete("/_sim/journal")
    assert account.get("/_sim/journal").json() == {"next": journal["next"], "calls": []}


def test_the_journal_can_be_bounded_and_switched_off(account: Account) -> None:
    account.sim("options", journal_size=2)
    for _ in range(4):
        account.get("/v1/user_info")
    assert [call["n"] for call in account.get("/_sim/journal").json()["calls"]] == [2, 3]
    account.sim("options", journal="off")
    account.get("/v1/user_info")
    assert account.get("/_sim/journal").json()["next"] == 4


def test_counters_go_by_method_and_path_template(account: Account) -> None:
    order = account.order()
    account.read(order)
    account.get("/v1/sales_orders/7")
    counters = account.get("/_sim/counters").json()
    assert counters["calls"] == {"POST /v1/sales_orders": 1, "GET /v1/sales_orders/{id}": 2}
    assert counters["total"] == 3


def test_a_demo_starts_over_with_the_catalogue_at_the_first_location(account: Account) -> None:
    account.order()
    catalogue = [
        {"sku": "A", "name": "Apple", "price": "1.10", "currency": "GBP", "stock": 7, "kind": "normal"},
        {"sku": "B", "name": "Box", "price": 2, "currency": "GBP", "stock": 0, "kind": "gift"},
    ]
    account.sim("demo", catalogue=catalogue, locations=["Hall", "West"], orders=220, seed=1)
    state = account.get("/_sim/state").json()
    assert [row["name"] for row in state["locations"]] == ["Hall", "West"]
    assert [(row["sku"], row["sales_price"]) for row in state["variants"]] == [("A", 1.1), ("B", 2)]
    assert [(row["location"], row["in_stock"]) for row in state["inventory"]] == [("Hall", 7)]
    assert state["sales_orders"] == []
    assert account.get("/v1/factory").json()["base_currency_code"] == "GBP"


def test_a_seed_that_does_not_fit_is_refused_in_words(account: Account) -> None:
    answer = account.post("/_sim/seed", json={"products": []})
    assert (answer.status_code, "unknown: products" in answer.json()["error"]) == (400, True)
    assert account.post("/_sim/seed", json={"stock": [{"sku": "NONE", "quantity": 1}]}).status_code == 400
    assert account.post("/_sim/nothing").status_code == 404


def test_a_seed_places_orders_by_sku_and_large_catalogues_quickly(account: Account) -> None:
    started = time.monotonic()
    account.sim("seed", variants=[{"sku": f"S{n}", "price": 1, "stock": 3} for n in range(20_000)])
    assert time.monotonic() - started < 10
    body = {"order_no": "W", "sales_order_rows": [{"sku": "S19999", "quantity": 2}]}
    (number,) = account.sim("seed", sales_orders=[body])["sales_orders"]
    assert account.get(f"/v1/sales_orders/{number}").json()["total"] == 2


def test_it_serves_loopback_only_and_can_be_started_again() -> None:
    with pytest.raises(ValueError, match="loopback"):
        Simulator(host="0.0.0.0")
    simulator = Simulator()
    assert (simulator.role, simulator.connector) == ("erp", "katana")
    for _ in range(2):
        simulator.start()
        settings = simulator.settings()
        headers = {"Authorization": f"Bearer {settings['api_key']}"}
        assert httpx.get(f"{settings['api_url']}/user_info", headers=headers).status_code == 200
        simulator.stop()
