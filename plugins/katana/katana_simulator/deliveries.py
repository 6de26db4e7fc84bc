"""Deliveries of webhooks, by real HTTP from threads of their own: signed, repeated, and given up in the end.

Nobody waits for them: the gateway only puts them into a queue that is bounded, and the threads end with the process.
Whatever happens, nothing is sent to another machine.
"""

from __future__ import annotations

import hashlib
import heapq
import hmac
import http.client
import json
import random
import ssl
import threading
from collections import Counter, deque
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from katana_simulator.exchange import Row, to_json
from katana_simulator.news import Event, is_loopback
from katana_simulator.world import World

RETRY_S = (30.0, 120.0, 900.0)  # K-97: after the first, second and third try, in simulated time
THREADS = 4
REPORTED = 1_000
HELD_BACK_S = (1.0, 10.0)


@dataclass(slots=True)
class Delivery:
    """One payload on its way to one subscription."""

    webhook: Row
    event: str
    body: bytes
    retries: int = 0


class Sender:
    """Sends what the gateway puts in; it never takes the lock of the world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int, Delivery]] = []
        self._put, self._in_flight = 0, 0
        self._answers: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()
        self._made: deque[tuple[float, Delivery, int, int | None]] = deque(maxlen=REPORTED)
        self._dice = random.Random(0)  # noqa: S311  repeatable on purpose
        self._run: object | None = None
        self._has_begun = False

    def tell(self, events: list[Event], base_url: str) -> None:
        """Queue each event for whoever subscribes to it."""
        for webhook in self._world.webhooks.rows.values():
            for event in events:
                if webhook["enabled"] and event.action in webhook["subscribed_events"]:
                    self._queue(Delivery(webhook, event.action, self._body(webhook, event, base_url)))

    def wake(self) -> None:
        """Look again at what is due, because the clock was moved."""
        with self._changed:
            self._changed.notify_all()

    def start(self) -> None:
        """Go on with what waits; threads are made with the first delivery."""
        with self._changed:
            self._run, self._has_begun = object(), False
            self._begin()

    def stop(self) -> None:
        """End each thread when it is not in the middle of a call; what waits is kept."""
        with self._changed:
            self._run = None
            self._changed.notify_all()

    def report(self) -> dict[str, Any]:
        """What was sent and answered, what waits, and why what was dropped was."""
        with self._changed:
            made, pending = list(self._made), len(self._waiting) + self._in_flight
            answers, dropped = dict(self._answers), dict(self._dropped)
        return {
            "subscriptions": list(self._world.webhooks.rows.values()),
            "made": sum(answers.values()),
            "answers": answers,
            "pending": pending,
            "dropped": dropped,
            "deliveries": [
                {
                    "at": at,
                    "webhook_id": each.webhook["id"],
                    "event": each.event,
                    "object": json.loads(each.body)["object"],
                    "retry": retry,
                    "answer": answer,
                }
                for at, each, retry, answer in made
            ],
        }

    def _body(self, webhook: Row, event: Event, base_url: str) -> bytes:
        """The payload of one event.  # K-95, K-96"""
        options = self._world.options
        write = str if options["webhook_object_id"] == "string" else int
        about: Row = {"id": write(event.id)}
        if event.resource_type == "current_inventory" and options["webhook_inventory_object"] == "variant_id":
            about = {"id": write(900_000_000 + self._put), "variant_id": write(event.id)}
        about |= event.says | ({"href": f"{base_url}{event.path}"} if event.path else {})
        return to_json(
            {
                "resource_type": event.resource_type,
                "action": event.action,
                "webhook_id": webhook["id"],
                "object": about,
            }
        )

    def _queue(self, delivery: Delivery) -> None:
        options = self._world.options
        if options["webhooks"] == "off":
            self._dropped["off"] += 1
            return
        copies = 2 if self._dice.random() < float(options["webhook_duplicates"]) else 1
        for _ in range(copies):
            wait_s = float(options["webhook_delay_s"])
            if self._dice.random() < float(options["webhook_reorder"]):
                wait_s += self._dice.uniform(*HELD_BACK_S)
            copy = Delivery(delivery.webhook, delivery.event, delivery.body)
            with self._changed:
                self._push(copy, wait_s)

    def _push(self, delivery: Delivery, wait_s: float) -> None:
        if len(self._waiting) >= int(float(self._world.options["webhook_room"])):
            self._dropped["full"] += 1
            return
        self._put += 1
        heapq.heappush(self._waiting, (self._world.clock.now() + wait_s, self._put, delivery))
        self._begin()
        self._changed.notify()

    def _begin(self) -> None:
        if self._run is None or self._has_begun or not self._waiting:
            return
        self._has_begun = True
        for _ in range(THREADS):
            threading.Thread(target=self._work, args=(self._run,), name="katana-webhooks", daemon=True).start()

    def _work(self, run: object) -> None:
        while True:
            delivery = self._next(run)
            if delivery is None:
                return
            answer, retry = self._send(delivery), delivery.retries
            with self._changed:
                self._in_flight -= 1
                self._judge(delivery, answer, retry)

    def _next(self, run: object) -> Delivery | None:
        clock = self._world.clock
        with self._changed:
            while self._run is run:
                now = clock.now()
                if self._waiting and self._waiting[0][0] <= now:
                    self._in_flight += 1
                    return heapq.heappop(self._waiting)[2]
                is_coming = self._waiting and clock.rate > 0
                self._changed.wait(min((self._waiting[0][0] - now) / clock.rate, 1.0) if is_coming else None)
        return None

    def _judge(self, delivery: Delivery, answer: int | None, retry: int) -> None:
        if answer == 0:
            self._dropped["ended"] += 1
            return
        self._answers[str(answer) if answer else "none"] += 1
        self._made.append((self._world.clock.now(), delivery, retry, answer))
        if answer is not None and 200 <= answer < 300:
            return
        if retry == len(RETRY_S):
            self._dropped["given_up"] += 1
            return
        delivery.retries += 1
        self._push(delivery, RETRY_S[retry])

    def _send(self, delivery: Delivery) -> int | None:
        """The status of the answer; None where none came in time, 0 where nobody wants it any more."""
        webhook, options = delivery.webhook, self._world.options
        if self._world.webhooks.live(webhook["id"]) is not webhook or not webhook["enabled"]:
            return 0
        if not is_loopback(webhook["url"]):
            return None
        digest = hmac.new(webhook["token"].encode(), delivery.body, hashlib.sha256).hexdigest()  # K-94
        prefix = "sha256=" if options["webhook_prefix"] == "yes" else ""
        headers = {"Content-Type": "application/json", "X-Sha2-Signature": f"{prefix}{digest}"}
        if delivery.retries:
            headers["X-Katana-Retry-Num"] = str(delivery.retries)
        return _post(webhook["url"], delivery.body, headers, float(options["webhook_timeout_s"]))


def _post(url: str, body: bytes, headers: dict[str, str], timeout_s: float) -> int | None:
    try:
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        with closing(_connection(parts, timeout_s)) as connection:
            connection.request("POST", path, body, headers)
            return connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError):
        return None


def _connection(parts: SplitResult, timeout_s: float) -> http.client.HTTPConnection:
    host = str(parts.hostname)
    if parts.scheme != "https":
        return http.client.HTTPConnection(host, parts.port, timeout=timeout_s)
    trusting = ssl._create_unverified_context()  # noqa: S323  this machine only, whatever its certificate
    return http.client.HTTPSConnection(host, parts.port, timeout=timeout_s, context=trusting)
