"""How long calls take to get through a request budget; pure arithmetic over a sliding window."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

KEPT_FREE = 0.75  # so much of a long window calls that are not urgent may use; see host.budget.RESERVE
LONG_S = 10.0


@dataclass(frozen=True, slots=True)
class Window:
    """A budget at a moment: ``calls`` in any ``per_s``; ``frees``: in how many seconds each call that is taken is over.

    ``closed_s``: for how long the other side lets nothing through.
    """

    calls: int
    per_s: float
    frees: Sequence[float] = ()
    closed_s: float = 0.0

    def slots(self) -> deque[float]:
        """Return in how many seconds each of the window's calls may go out next."""
        taken = sorted(self.frees)[max(0, len(self.frees) - self.calls) :]
        free = [0.0] * (self.calls - len(taken))
        return deque(sorted(max(self.closed_s, each) for each in [*free, *taken]))


def finish(window: Window, jobs: Sequence[tuple[float, float]], background_per_s: float = 0.0) -> Iterator[float]:
    """Yield in how many seconds each job is done: ``(ready in s, calls)``, in the order they are taken up.

    ``background_per_s``: calls that go out between them all the while.
    """
    slots, owed, done, aside = window.slots(), 0.0, 0.0, 0.0
    for ready, calls in jobs:
        owed += calls
        while owed >= 1:
            at = max(ready, slots.popleft())
            slots.append(at + window.per_s)
            if aside + 1 <= background_per_s * at:  # this one went to the background
                aside += 1
                continue
            owed, done = owed - 1, max(done, at)
        yield max(done, ready)


def emptied(jobs: Sequence[tuple[float, float]], done: Sequence[float]) -> float:
    """Return in how many seconds nothing waits: the first moment that no job is ready for which none is done."""
    for at, following in zip(done, [*(ready for ready, _ in jobs[1:]), float("inf")], strict=False):
        if following > at:
            return at
    return 0.0


def unhurried(window: Window, calls: float, urgent_s: float, urgent_per_s: float) -> float:
    """Return in how many seconds calls are through that leave a part of a long window to urgent ones.

    Args:
        urgent_s: until when urgent calls use the budget up; one other call a window gets through meanwhile.
        urgent_per_s: how many urgent calls a second go out after that.
    """
    if calls <= 0:
        return 0.0
    is_long = window.per_s >= LONG_S
    early = urgent_s / window.per_s if is_long else 0.0
    if calls <= early:
        return calls * window.per_s
    share = window.calls * (KEPT_FREE if is_long else 1.0)
    at_once = max(0.0, share - len(window.frees)) if urgent_s <= window.closed_s else 0.0
    rate = max((share / window.per_s) - urgent_per_s, 1 / window.per_s)
    return max(urgent_s, window.closed_s) + max(0.0, calls - early - at_once) / rate
