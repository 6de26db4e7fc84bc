"""What a pass says while it works: one line that changes on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hub.cli import show
from hub.cli.database import say
from hub.engine.progress import Progress

EVERY_S = 5.0


@contextmanager
def progress_line() -> Iterator[Callable[[Progress], None]]:
    """Yield what to call after each step; talks on stderr."""
    if not sys.stderr.isatty():
        yield _Occasionally()
        return
    console = show.console(stderr=True)
    with console.status("starting") as status:
        yield lambda progress: status.update(describe(progress))


class _Occasionally:
    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        if time.monotonic() - self._last >= EVERY_S:
            self._last = time.monotonic()
            say(describe(progress))


def describe(progress: Progress) -> str:
    """Return what is done so far, in one line."""
    done = [
        f"{count} {word}"
        for count, word in (
            (progress.pulled, "read"),
            (progress.recorded.new, "new"),
            (progress.recorded.changed, "changed"),
            (progress.released, "looked at"),
            (progress.sent, "sent"),
        )
        if count
    ]
    return " · ".join([progress.doing or "starting", *done])
