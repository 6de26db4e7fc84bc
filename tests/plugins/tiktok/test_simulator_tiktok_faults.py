"""Faults on demand, and the journal that tells of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.plugins.tiktok.tiktok_caller import SEARCH, Caller, calling

REFERENCES = "/order/202406/orders/external_orders"
QUERY = {"page_size": "10"}


@pytest.fixture
def caller() -> Iterator[Caller]:
    with calling() as running:
        yield running


def note_reference(caller: Caller, order_id: str) -> httpx.Response:
    reference = {"id": "SO-1", "platform": "WAREHOUSE"}
    return caller.call("POST", REFERENCES, None, {"orders": [{"id": order_id, "external_order": reference}]})


def references(caller: Caller, order_id: str) -> list[Any]:
    return list(caller.control(f"orders/{order_id}")["order"]["external_orders"])


@pytest.mark.parametrize(("kind", "written"), [("lost_reply", 1), ("cut_body", 1), ("drop", 0)])
def test_a_broken_connection_leaves_the_write_done_or_not(caller: Caller, kind: str, written: int) -> None:
    (order_id,) = caller.seed({})
    caller.faults({"kind": kind, "match": "external_orders", "times": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        note_reference(caller, order_id)
    assert len(references(caller, order_id)) == written
    last = caller.control("journal")["calls"][-1]
    assert (last["fault"], last["wrote"]) == (kind, bool(written))
    assert note_reference(caller, order_id).json()["code"] == 0


@pytest.mark.parametrize(("kind", "status", "is_json"), [("429", 429, True), ("503", 503, False), ("500", 500, False)])
def test_a_refusal_comes_before_anything_happens(caller: Caller, kind: str, status: int, is_json: bool) -> None:
    """T-38, T-42"""
    (order_id,) = caller.seed({})
    caller.faults({"kind": kind, "match": "external_orders", "times": 1, "seconds": 4})
    answer = note_reference(caller, order_id)
    assert answer.status_code == status
    assert references(caller, order_id) == []
    if is_json:
        assert (answer.json()["code"], answer.headers["retry-after"]) == (36009002, "4")
    else:
        with pytest.raises(ValueError, match="Expecting value"):
            answer.json()


@pytest.mark.parametrize("code", [36009003, 36009007, 10006402])
def test_an_error_code_as_fault_replaces_the_answer_after_the_write(caller: Caller, code: int) -> None:
    """T-38, T-39"""
    (order_id,) = caller.seed({})
    caller.faults({"kind": str(code), "match": "external_orders", "times": 1})
    answer = note_reference(caller, order_id)
    assert (answer.status_code, answer.json()["code"]) == (200, code)
    assert len(references(caller, order_id)) == 1


def test_a_slow_answer_comes_after_the_given_real_time(caller: Caller) -> None:
    caller.faults({"kind": "slow", "match": "search", "seconds": 0.3, "times": 1})
    began = time.monotonic()
    assert caller.code("POST", SEARCH, QUERY) == 0
    assert time.monotonic() - began >= 0.3


def test_a_shifted_page_skips_or_repeats_one_row(caller: Caller) -> None:
    """T-50: both happen over enough seeds, and only after a first page."""
    made = caller.seed({"count": 9})
    outcomes = set()
    for seed in range(8):
        caller.faults({"kind": "page_shift", "match": "search", "times": 1}, seed=seed)
        found = caller.ids(3)
        outcomes.add((len(found) - len(made), len(set(made) - set(found))))
    assert outcomes == {(-1, 1), (1, 0)}
    caller.faults()
    assert caller.ids(3) == caller.ids(100)


def test_a_fault_hits_only_its_path_method_number_and_chance(caller: Caller) -> None:
    caller.faults({"kind": "500", "match": "orders/search$", "method": "POST", "times": 2})
    statuses = [caller.call("POST", SEARCH, QUERY).status_code for _ in range(3)]
    assert statuses == [500, 500, 200]
    caller.faults({"kind": "500", "method": "GET"})
    assert caller.call("POST", SEARCH, QUERY).status_code == 200
    assert caller.call("GET", "/logistics/202309/warehouses").status_code == 500
    caller.faults({"kind": "500", "probability": 0.5})
    first = [caller.call("POST", SEARCH, QUERY).status_code for _ in range(30)]
    caller.faults({"kind": "500", "probability": 0.5})
    assert first == [caller.call("POST", SEARCH, QUERY).status_code for _ in range(30)]
    assert set(first) == {200, 500}


def test_faults_reach_the_token_host_but_never_the_control_calls(caller: Caller) -> None:
    caller.faults({"kind": "503"})
    assert caller.token_call("refresh").status_code == 503
    assert caller.now() > 0
    caller.faults()
    assert caller.token_call("refresh").status_code == 200


def test_an_unknown_fault_is_refused(caller: Caller) -> None:
    assert caller.http.post("/_sim/faults", json={"faults": [{"kind": "gremlin"}]}).status_code == 400


def test_the_journal_tells_every_call_once_and_goes_on_after_it_is_forgotten(caller: Caller) -> None:
    caller.control("journal", method="DELETE")
    caller.seed({})
    caller.code("POST", SEARCH, QUERY, {"order_status": "UNPAID"})
    caller.code("GET", "/logistics/202309/nowhere")
    journal = caller.control("journal")
    first, second = journal["calls"]
    assert (first["method"], first["path"], first["status"], first["wrote"]) == ("POST", SEARCH, 200, False)
    assert first["body"] == {"order_status": "UNPAID"}
    assert first["query"]["page_size"] == "10"
    assert (second["status"], second["body"]) == (404, None)
    assert caller.control(f"journal?since={second['n']}")["calls"] == [second]
    assert caller.control(f"journal?since={first['n']}&limit=1") == {"next": second["n"], "calls": [first]}
    assert caller.control("counters")["calls"] == {"GET /logistics/202309/nowhere": 1, f"POST {SEARCH}": 1}
    caller.control("journal", method="DELETE")
    assert caller.control("counters") == {"calls": {}, "total": 0}
    caller.code("POST", SEARCH, QUERY)
    assert caller.control("journal")["calls"][0]["n"] == journal["next"]
