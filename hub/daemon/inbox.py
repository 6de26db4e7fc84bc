"""Deliveries of webhooks on their way in: verified before they are answered, noted after."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, Full, Queue

from hub.contract import Hint, HubError, RejectedError, TransientError, Webhook
from hub.engine.wake import hear, note
from hub.engine.world import World

ROOM = 1_000  # deliveries that may wait to be noted; the next one is refused, and its sender repeats it
GATHER_S = 0.2  # one change may fire several deliveries, and a burst is one look
AGAIN_S = 1.0
QUIET_S = 600.0  # the same trouble is logged once in this time, whatever comes in
TAKEN, REFUSED, LATER = 200, 401, 503

Count = Callable[[str, str], None]  # Connection ("": none of ours), what became of a delivery


class Inbox:
    """Hears deliveries in the threads that ask it, ``most`` at once, and notes what they hint at in one of its own."""

    def __init__(
        self, world_of: Callable[[], World], on_hint: Callable[[str], None], count: Count, *, most: int = 4
    ) -> None:
        self._world_of, self._on_hint, self._count = world_of, on_hint, count
        self._waiting: Queue[tuple[str, list[Hint]]] = Queue(ROOM)
        self._hearing = threading.BoundedSemaphore(most)
        self._over = threading.Event()
        self._said: dict[str, float] = {}

    def take(self, id_: str, webhook: Webhook) -> int:
        """Verify a delivery and keep what it hints at; returns the HTTP status of the answer.

        A wrong signature and an unknown Connection get the same answer, so that nobody learns which ids there are.
        """
        # Whoever asked may have given up on a thread that still hangs.
        if not self._hearing.acquire(blocking=False):
            self._count("", "busy")
            return LATER
        try:
            return self._take(id_, webhook)
        finally:
            self._hearing.release()

    def _take(self, id_: str, webhook: Webhook) -> int:
        world = self._world_of()
        connected = world.connected.get(id_)
        if connected is None or "read_webhook" not in connected.capabilities:
            self._count("", "unknown")
            return REFUSED
        try:
            hints = hear(world, id_, webhook)
            self._waiting.put_nowait((id_, hints))
        except RejectedError as error:
            self._say("webhook-refused", id_, error.code)
            self._count(id_, "refused")
            return REFUSED
        except HubError as error:
            self._count(id_, error.code)
            return LATER
        except Full:
            self._count(id_, "full")
            return LATER
        self._count(id_, "taken")
        return TAKEN

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Note what comes in, until the end; what waits then is still noted."""
        thread = threading.Thread(target=self._work, name="inbox", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            with suppress(Full):  # where there is no room, the thread does not wait for more
                self._waiting.put_nowait(("", []))
            thread.join(2 * AGAIN_S)

    def _work(self) -> None:
        while True:
            found: dict[str, list[Hint]] = {}
            try:
                id_, hints = self._waiting.get(block=not self._over.is_set())
                found[id_] = hints
                self._over.wait(GATHER_S)
                for _ in range(ROOM):
                    id_, hints = self._waiting.get_nowait()
                    found[id_] = [*found.get(id_, []), *hints]
            except Empty:
                if self._over.is_set() and not found:
                    return
            for id_, hints in found.items():
                self._note(id_, hints)

    def _note(self, id_: str, hints: list[Hint]) -> None:
        while hints:
            try:
                note(self._world_of(), id_, hints)
                self._on_hint(id_)
                return
            except TransientError as error:  # the database is away: nobody else will tell what is held here
                self._say("webhook-waits", id_, error.code)
                if self._over.wait(AGAIN_S):
                    return
            except Exception as error:  # the daemon's top: one delivery must not end the thread; polling heals it
                self._say("webhook-lost", id_, type(error).__name__)
                return

    def _say(self, event: str, id_: str, code: str) -> None:
        """Log a trouble that may come as often as somebody outside likes."""
        if time.monotonic() - self._said.get(f"{event}:{id_}", -QUIET_S) >= QUIET_S:
            self._said[f"{event}:{id_}"] = time.monotonic()
            self._world_of().log.warning(event, connection=id_, code=code)
