"""The simulator's deliveries on the wire: signed, repeated by schedule, doubled, late, out of turn, and bounded."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer
from tiktok_simulator import Simulator
from tiktok_simulator.webhooks import mailer, post

from tests.plugins.tiktok.tiktok_caller import Caller, calling
from tests.plugins.tiktok.tiktok_receiver import ORDERS, WEBHOOKS, Receiver, settled, signed, until

MINUTE, HOUR = 60, 3600


@pytest.fixture
def receiver(httpserver: HTTPServer) -> Receiver:
    return Receiver(httpserver)


@pytest.fixture
def caller(receiver: Receiver) -> Iterator[Caller]:
    """A simulator whose time stands still, and whose orders are told."""
    with calling(webhook_http="on", unpaid_timeout_s="99999999") as made:
        made.control("clock", {"rate": 0})
        receiver.subscribe(made, ORDERS)
        yield made


def _order(caller: Caller) -> str:
    """An order that stays unpaid, so that one notice tells of it."""
    return caller.seed({"paid_time": None, "status": "UNPAID"})[0]


def test_delivery_is_signed_over_the_very_bytes_that_arrive(caller: Caller, receiver: Receiver) -> None:
    """T-81, T-126, T-128."""
    order = _order(caller)
    assert settled(caller)["answers"] == {"200": 1}
    ((headers, body),) = receiver.got
    assert headers["authorization"] == signed((caller.settings["app_key"], caller.settings["app_secret"]), body)
    assert headers["content-type"] == "application/json"
    (notice,) = receiver.notices()
    assert set(notice) == {"type", "tts_notification_id", "shop_id", "timestamp", "data"}
    assert (notice["type"], notice["shop_id"], notice["data"]["order_id"]) == (1, caller.settings["shop"], order)


@pytest.mark.parametrize("status", [204, 301, 404, 503])
def test_what_is_not_taken_comes_again_by_schedule_and_then_no_more(
    caller: Caller, receiver: Receiver, status: int
) -> None:
    """T-126: 2 min, 30 min, 3 h and 12 h, each after the try before; always the same notice."""
    receiver.answers = [status] * 5
    _order(caller)
    for number, wait_s in enumerate((2 * MINUTE, 30 * MINUTE, 3 * HOUR, 12 * HOUR), 1):
        report = settled(caller, waiting=1)
        assert report["made"] == number
        assert report["waiting"][0]["due"] == pytest.approx(caller.now() + wait_s, abs=2)
        caller.advance(wait_s - 10)
        assert caller.control("webhooks")["made"] == number
        caller.advance(20)
        until(lambda made=number + 1: caller.control("webhooks")["made"] == made)
    report = settled(caller)
    assert report["answers"] == {str(status): 5}
    assert report["dropped"] == {"given_up": 1}
    assert len({notice["tts_notification_id"] for notice in receiver.notices()}) == 1
    caller.advance(48 * HOUR)
    assert settled(caller)["made"] == 5


@pytest.mark.parametrize(("switch", "made"), [("taken", 1), ("resent", 2)])
def test_a_401_may_count_as_taken_or_not(caller: Caller, receiver: Receiver, switch: str, made: int) -> None:
    """T-126, UNCERTAIN."""
    caller.options(webhook_401=switch)
    receiver.answers = [401]
    _order(caller)
    settled(caller, waiting=made - 1)
    caller.advance(3 * MINUTE)
    assert settled(caller)["made"] == made


def test_who_answers_too_late_gets_it_again_and_no_call_waits_meanwhile(
    caller: Caller, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T-126: 3 s; the API answers all the while."""
    assert post.PATIENCE_S == 3.0
    monkeypatch.setattr(post, "PATIENCE_S", 0.3)
    receiver.slow_s = 1.0
    _order(caller)
    until(lambda: len(receiver.got) == 1)
    assert caller.page()["total_count"] == 1
    assert caller.control("webhooks")["made"] == 0  # still on its way, and calls were answered
    assert settled(caller, waiting=1)["answers"] == {"none": 1}


def test_nobody_there_counts_as_no_answer(caller: Caller) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/hook"
    caller.data("PUT", WEBHOOKS, body={"address": address, "event_type": ORDERS})
    _order(caller)
    assert settled(caller, waiting=1)["answers"] == {"none": 1}


def test_switched_off_nothing_is_delivered_and_nothing_kept(caller: Caller, receiver: Receiver) -> None:
    """T-127: what the poll must heal."""
    receiver.answers = [503]
    _order(caller)
    settled(caller, waiting=1)
    caller.options(webhooks="off")
    _order(caller)
    assert settled(caller, waiting=1)["dropped"] == {"off": 1}
    caller.advance(3 * MINUTE)
    assert settled(caller)["dropped"] == {"off": 2}
    caller.options(webhooks="on")
    caller.advance(3 * MINUTE)
    assert len(receiver.got) == 1


def test_duplicates_come_with_the_same_id(caller: Caller, receiver: Receiver) -> None:
    """T-127."""
    caller.options(webhook_duplicates="1")
    _order(caller)
    assert settled(caller)["made"] == 2
    first, second = receiver.got
    assert first[1] == second[1]
    caller.options(webhook_duplicates="0.5")
    caller.seed({"paid_time": None, "status": "UNPAID", "count": 60})
    assert 2 + 60 + 10 < settled(caller)["made"] < 2 + 120 - 10


def test_deliveries_leave_in_turn_unless_they_are_to_overtake_each_other(caller: Caller, receiver: Receiver) -> None:
    """T-127."""
    told = caller.seed({"paid_time": None, "status": "UNPAID", "count": 20})
    settled(caller)
    assert [each["order_id"] for each in receiver.data(1)] == told
    receiver.got.clear()
    caller.options(webhook_reorder="on")
    told = caller.seed({"paid_time": None, "status": "UNPAID", "count": 20})
    settled(caller)
    arrived = [each["order_id"] for each in receiver.data(1)]
    assert sorted(arrived) == sorted(told)
    assert arrived != told


def test_delay_is_real_time(caller: Caller, receiver: Receiver) -> None:
    caller.options(webhook_delay_ms="400")
    began = time.monotonic()
    _order(caller)
    until(lambda: len(receiver.got) == 1)
    assert time.monotonic() - began >= 0.4


def test_what_waits_is_bounded_however_long_nobody_listens(
    caller: Caller, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailer, "ROOM", 30)
    caller.options(webhook_delay_ms="600000")
    caller.seed({"paid_time": None, "status": "UNPAID", "count": 100})
    report = caller.control("webhooks")
    assert (report["pending"], report["dropped"], report["made"]) == (30, {"full": 70}, 0)


def test_what_is_remembered_is_bounded(caller: Caller, receiver: Receiver) -> None:
    assert mailer.REMEMBERED < mailer.ROOM
    report = caller.control("webhooks")
    assert report["deliveries"] == report["waiting"] == []


def test_nothing_is_ever_sent_off_this_machine(caller: Caller) -> None:
    """A registered https address is kept, and its deliveries go nowhere."""
    caller.data("PUT", WEBHOOKS, body={"address": "https://hub.example.com/hook", "event_type": ORDERS})
    _order(caller)
    report = settled(caller)
    assert (report["made"], report["dropped"]) == (0, {"elsewhere": 1})


@pytest.mark.parametrize("address", ["http://127.0.0.1:99999/", "http://[::1", "ftp://localhost/", "http://10.0.0.1/"])
def test_an_address_that_is_none_ends_no_thread(caller: Caller, receiver: Receiver, address: str) -> None:
    caller.data("DELETE", WEBHOOKS, body={"event_type": ORDERS})
    caller.options(webhook_app_url=address)
    _order(caller)
    until(lambda: (r := caller.control("webhooks"))["made"] + r["dropped"].get("elsewhere", 0) == 1)
    receiver.subscribe(caller, ORDERS)
    _order(caller)
    until(lambda: len(receiver.got) == 1)


def test_a_stopped_simulator_sends_no_more_and_leaves_no_thread(receiver: Receiver) -> None:
    simulator = Simulator(options={"rate_limit": "off", "webhook_http": "on", "webhook_delay_ms": "300"})
    simulator.start()
    caller = Caller(simulator)
    receiver.subscribe(caller, ORDERS)
    _order(caller)
    caller.http.close()
    simulator.stop()
    until(lambda: all(thread.name != "tiktok-webhooks" for thread in threading.enumerate()))
    time.sleep(0.4)
    assert receiver.got == []
    simulator.start()  # what waited is sent once it serves again
    until(lambda: len(receiver.got) == 1)
    simulator.stop()


ABANDONED = """
import sys
from tiktok_simulator import Simulator
from tests.plugins.tiktok.tiktok_caller import Caller

simulator = Simulator(options={"rate_limit": "off", "webhook_app_url": sys.argv[1]})
simulator.start()
caller = Caller(simulator)
caller.seed({"count": 50})
while not caller.control("webhooks")["pending"]:
    pass
print("left")
"""


def test_a_process_ends_though_a_delivery_hangs_and_nobody_stops_the_simulator() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and never answers
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/hook"
        command = [sys.executable, "-c", ABANDONED, address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        silent.settimeout(5)
        silent.accept()[0].close()
    assert (done.stdout, done.stderr) == ("left\n", "")
