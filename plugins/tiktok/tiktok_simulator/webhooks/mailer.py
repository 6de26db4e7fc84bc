"""Deliveries on their way: a thread of its own sends them, and sends again what was not taken.

First tries are due in real time, so that they leave while the simulated clock stands still; repeats are due on the
simulated clock. What waits and what is remembered is bounded, however long nobody listens.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, replace

from tiktok_simulator.chance import repeatable
from tiktok_simulator.clock import Clock
from tiktok_simulator.options import Options
from tiktok_simulator.sign import webhook_signature
from tiktok_simulator.webhooks.post import is_local, post
from tiktok_simulator.wire import Json

REPEATED_AFTER_S = (120, 1_800, 10_800, 43_200)  # T-126: each after the try before
ROOM = 10_000
REMEMBERED = 1_000
HELD_BACK_S = 0.5  # at most, where deliveries are to overtake each other
OK, UNAUTHORISED = 200, 401


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notice to one address; ``repeats`` made so far."""

    id: str
    topic: int
    shop: str
    address: str
    body: bytes
    repeats: int = 0


class Mailer:
    """Sends deliveries one after another, in the order they are due."""

    def __init__(self, clock: Clock, options: Options) -> None:
        self._clock, self._options = clock, options
        self._changed = threading.Condition()
        self._fresh: list[tuple[float, int, Delivery]] = []
        self._again: list[tuple[float, int, Delivery]] = []
        self._in_hand = 0
        self._numbers = itertools.count()
        self._random = repeatable(0)
        self._made: deque[Json] = deque(maxlen=REMEMBERED)
        self._answers: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()
        self._thread: threading.Thread | None = None
        self._is_open = False

    def open(self) -> None:
        """Send from now on what waits and what comes."""
        with self._changed:
            self._is_open = True
            self._start()

    def close(self) -> None:
        """Send no more; a delivery that is being made ends by itself."""
        with self._changed:
            self._is_open, self._thread = False, None
            self._changed.notify_all()

    def wake(self) -> None:
        """Look again what is due: the clock was turned."""
        with self._changed:
            self._changed.notify_all()

    def put(self, delivery: Delivery) -> None:
        """Take a delivery, twice where chance wants it (T-127); what finds no room is dropped."""
        twice = self._random.random() < float(self._options["webhook_duplicates"])
        with self._changed:
            for _ in range(1 + twice):
                if len(self._fresh) + len(self._again) >= ROOM:
                    self._dropped["full"] += 1
                    continue
                wait_s = self._options.seconds("webhook_delay_ms") / 1000
                if self._options["webhook_reorder"] == "on":
                    wait_s += self._random.random() * HELD_BACK_S
                heapq.heappush(self._fresh, (time.monotonic() + wait_s, next(self._numbers), delivery))
            self._start()
            self._changed.notify_all()

    def drop(self, why: str) -> None:
        """Count what is not delivered."""
        with self._changed:
            self._dropped[why] += 1

    def report(self) -> Json:
        """What was delivered, how it was answered, and what waits."""
        with self._changed:
            waiting = [_shown(one) | {"due": None} for _, _, one in sorted(self._fresh)[:REMEMBERED]]
            waiting += [_shown(one) | {"due": due} for due, _, one in sorted(self._again)[:REMEMBERED]]
            return {
                "made": self._answers.total(),
                "answers": dict(self._answers),
                "dropped": dict(self._dropped),
                "pending": len(self._fresh) + len(self._again) + self._in_hand,
                "waiting": waiting,
                "deliveries": list(self._made),
            }

    def _start(self) -> None:
        if self._is_open and self._thread is None and (self._fresh or self._again):
            self._thread = threading.Thread(target=self._work, name="tiktok-webhooks", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while (delivery := self._next()) is not None:
            if self._options["webhooks"] == "off":
                self._done(delivery, dropped="off")
            elif not is_local(delivery.address):
                self._done(delivery, dropped="elsewhere")
            else:
                self._note(delivery, post(delivery.address, self._headers(delivery), delivery.body))

    def _next(self) -> Delivery | None:
        """Wait for what is due; None once another thread, or none, is to send."""
        with self._changed:
            while self._thread is threading.current_thread():
                for queue, now in ((self._fresh, time.monotonic()), (self._again, self._clock.now())):
                    if queue and queue[0][0] <= now:
                        self._in_hand += 1
                        return heapq.heappop(queue)[2]
                self._changed.wait(self._patience())
        return None

    def _patience(self) -> float | None:
        waits = [self._fresh[0][0] - time.monotonic()] if self._fresh else []
        if self._again and self._clock.rate > 0:
            waits.append((self._again[0][0] - self._clock.now()) / self._clock.rate)
        return max(0.0, min(waits)) if waits else None

    def _headers(self, delivery: Delivery) -> dict[str, str]:
        key, secret = self._options["app_key"], self._options["app_secret"]
        return {
            "Content-Type": "application/json",
            "Authorization": webhook_signature(secret, key, delivery.body),
            "Connection": "close",
        }

    def _note(self, delivery: Delivery, status: int | None) -> None:
        """Remember an answer; anything but a proper one brings the delivery back later, four times (T-126)."""
        proper = (OK, UNAUTHORISED) if self._options["webhook_401"] == "taken" else (OK,)
        given_up = ""
        with self._changed:
            self._answers[str(status or "none")] += 1
            self._made.append(_shown(delivery) | {"at": self._clock.now(), "answer": status})
            if status not in proper and delivery.repeats < len(REPEATED_AFTER_S):
                due = self._clock.now() + REPEATED_AFTER_S[delivery.repeats]
                again = replace(delivery, repeats=delivery.repeats + 1)
                heapq.heappush(self._again, (due, next(self._numbers), again))
            elif status not in proper:
                given_up = "given_up"
        self._done(delivery, dropped=given_up)

    def _done(self, delivery: Delivery, dropped: str) -> None:
        with self._changed:
            self._in_hand -= 1
            if dropped:
                self._dropped[dropped] += 1


def _shown(delivery: Delivery) -> Json:
    return {
        "id": delivery.id,
        "type": delivery.topic,
        "shop_id": delivery.shop,
        "address": delivery.address,
        "repeats": delivery.repeats,
    }
