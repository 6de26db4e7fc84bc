"""Clock, signals and schedulers around the engine; decides nothing about orders."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from hub.contract import TransientError

GRACE_S = 9.0


@dataclass(slots=True)
class Stopping:
    """Whether, and by which signal, this process was told to stop."""

    event: threading.Event = field(default_factory=threading.Event)
    reload: threading.Event = field(default_factory=threading.Event)  # SIGHUP came: read the route file again
    signal: int | None = None

    @property
    def exit_code(self) -> int:
        """128 and the signal's number, as shells have it; 0 where none came."""
        return 128 + self.signal if self.signal else 0


def _print(what: str) -> None:
    sys.stderr.write(f"{what}\n")


@contextmanager
def stopping(*, grace_s: float = GRACE_S, say: Callable[[str], None] = _print) -> Iterator[Stopping]:
    """Turn SIGINT, SIGTERM and SIGHUP into events; ``say`` tells of an end in the middle.

    Told to stop, the process ends at the latest ``grace_s`` after, or at a second signal.

    Ending in the middle is safe: what is in flight is looked up at the next start before anything is sent again.
    """
    asked = Stopping()
    timer = threading.Timer(grace_s, _end, (asked, say))
    timer.daemon = True

    def stop(number: int, _frame: FrameType | None) -> None:
        if asked.event.is_set():
            _end(asked, say)
        asked.signal = number
        asked.event.set()
        timer.start()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    if hasattr(signal, "SIGHUP"):
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, lambda number, frame: asked.reload.set())
    try:
        yield asked
    finally:
        timer.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(asked: Stopping, say: Callable[[str], None]) -> None:
    say("stopped with a call still open; the next start looks up what became of it")
    sys.stderr.flush()
    os._exit(asked.exit_code)


def busy(connections: list[str]) -> TransientError:
    """Return what to say where another process is the one worker of these Connections."""
    names = ", ".join(connections)
    return TransientError(
        "connection-busy",
        f"another hub process works for {names} right now",
        where=names,
        do="That one does the work; stop it first if this one shall. Looking (hub orders) works beside it.",
    )
