"""How many calls may go out under one key: a sliding window that all processes share through a ledger.

A call counts from the moment it was answered, and until then as of now: however long it travelled, the other side
counted it no later than that. So no window of the other side's ever holds more than the budget.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeVar

from hub.contract import LONGEST_WAIT_S, Budget, HubError, Pace
from hub.host.clock import HubClock

SHARE = 60  # a process takes a sixtieth of a window's calls at once, so that a high limit costs few writes
RESERVE = 4  # a quarter of a window is kept for calls that are urgent
LONG_S = 10.0  # no reserve where the window is shorter: nobody waits long there
SLOW_MS = 500  # a call that took longer is put right at once, a faster one with the next
AHEAD_MS = 60_000  # what was taken so far in the future was taken before the clock was set back
RECOVERY_MS, RECOVERY_STEPS, AT_ONCE_MS = 60_000, 8, 1_000  # after a refusal without a known limit

T = TypeVar("T")


Window = tuple[list[list[int]], int]
"""What is taken of a budget as ``[from, until, calls]``, and until when it is closed; in milliseconds since 1970."""

Change = Callable[[Window], tuple[Window | None, T]]


class Ledger(Protocol):
    """Where budgets are kept."""

    def change(self, key: str, change: Change[T]) -> T:
        """Read a budget, let ``change`` decide, and keep what it returns (None: nothing changed), all in one.

        Raises:
            HubError: it cannot be reached.
        """
        ...


class OwnLedger:
    """Budgets of this process alone."""

    def __init__(self) -> None:
        self._lock, self._windows = threading.Lock(), dict[str, Window]()

    def change(self, key: str, change: Change[T]) -> T:
        """See Ledger."""
        with self._lock:
            changed, result = change(self._windows.get(key, ([], 0)))
            if changed is not None:
                self._windows[key] = changed
            return result


@dataclass(slots=True)
class Permit:
    """One call that may go out. Give it back to ``answered`` whatever became of the call, or say that it is dropped."""

    key: str
    at: int
    until: int
    is_counted: bool  # alone, not with a portion: it is put right when its answer came
    answered_at: int | None = None
    is_dropped: bool = False  # nobody waits for its answer any more; takes no lock, so a garbage collector may say so


@dataclass(slots=True)
class _Mine:
    """What this process holds of one budget."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    left: int = 0  # of the last portion
    at: int = 0
    until: int = 0
    closed_until: int = 0
    flights: list[Permit] = field(default_factory=list)
    believed: int = 0  # calls left in the window, as last seen


class Budgets:
    """Lets calls out within their budgets, narrowed by what the other side says."""

    def __init__(self, clock: HubClock, ledger: Ledger | None = None) -> None:
        self._clock, self._ledger = clock, ledger or OwnLedger()
        self._lock, self._mine = threading.Lock(), dict[str, _Mine]()

    def take(self, budget: Budget, *, urgent: bool = True) -> Permit | float:
        """Take a permit if there is one, else return the seconds until there may be.

        Args:
            urgent: a call that is not leaves a part of a long window to those that are.

        Raises:
            HubError: the ledger cannot be reached; nothing was taken.
        """
        mine, now = self._of(budget.key), self._now()
        with mine.lock:
            if mine.at - AHEAD_MS > now:
                mine.left = mine.closed_until = 0
            if mine.closed_until > now:
                return (mine.closed_until - now) / 1000
            if mine.left == 0 or now >= mine.until:
                taken = _Taking(budget, now, urgent, mine)
                if (delay := self._ledger.change(budget.key, taken)) > 0:
                    return delay
                taken.granted(mine)
            mine.left -= 1
            is_counted = mine.at == mine.until
            permit = Permit(budget.key, now, now + _ms(budget.per_s), is_counted)
            if is_counted:
                mine.left = 0
                mine.flights.append(permit)
            return permit

    def room_in_s(self, budget: Budget, *, urgent: bool = True) -> float:
        """Return the seconds until there may be a permit (0: now); takes none.

        Raises:
            HubError: the ledger cannot be reached.
        """
        mine, now = self._of(budget.key), self._now()
        with mine.lock:
            if mine.closed_until > now:
                return (mine.closed_until - now) / 1000
            if mine.left and now < mine.until:
                return 0.0
            taking = _Taking(budget, now, urgent, mine)
            return self._ledger.change(budget.key, lambda window: (None, taking(window)[1]))

    def answered(self, permit: Permit) -> None:
        """Count a call from now on: it was answered, or given up."""
        if not permit.is_counted:
            return
        mine, now = self._of(permit.key), self._now()
        with mine.lock:
            permit.answered_at = now
            if now - permit.at > SLOW_MS:
                self._tell(permit.key, partial(_put_right, flights=mine.flights, now=now))

    def learn(self, budget: Budget, pace: Pace | None) -> None:
        """Believe the other side where it says that fewer calls are left; raises nothing, a call may be behind us."""
        if pace is None:
            return
        if pace.slower:
            self._tell(budget.key, partial(_slow_down, budget=budget, now=self._now()))
        if pace.remaining <= 0:
            self.close(budget, pace.resets_in_s)
            return
        mine = self._of(budget.key)
        with mine.lock:
            if pace.remaining < mine.believed:
                believe = partial(_believe, budget=budget, pace=pace, now=self._now())
                mine.believed = self._tell(budget.key, believe) or 0
                mine.left = min(mine.left, pace.remaining)

    def close(self, budget: Budget, seconds: float) -> None:
        """Let nothing out under this key for that long, an hour at most, from any process; raises nothing."""
        mine, until = self._of(budget.key), self._now() + _ms(min(seconds, LONGEST_WAIT_S))
        with mine.lock:
            mine.left, mine.closed_until = 0, max(mine.closed_until, until)
            self._tell(budget.key, partial(_close, until=until))

    def _tell(self, key: str, change: Change[T]) -> T | None:
        """Change the ledger where nothing may fail any more: the call has happened."""
        with suppress(HubError):
            return self._ledger.change(key, change)
        return None

    def _of(self, key: str) -> _Mine:
        with self._lock:
            return self._mine.setdefault(key, _Mine())

    def _now(self) -> int:
        return _ms(self._clock.now().timestamp())


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


class _Taking:
    """One try to take calls out of a window; nothing is taken until the ledger has kept it."""

    def __init__(self, budget: Budget, now: int, urgent: bool, mine: _Mine) -> None:
        self._budget, self._now, self._mine = budget, now, mine
        self._portion = max(1, budget.calls // SHARE)
        self._per = _ms(budget.per_s)
        self._lasts = self._per // SHARE if self._portion > 1 else 0
        self._most = budget.calls - (0 if urgent or budget.per_s < LONG_S else budget.calls // RESERVE)
        self._got = self._room = 0

    def __call__(self, window: Window) -> tuple[Window | None, float]:
        """Return the window without what is taken, and the seconds to wait where nothing could be."""
        now = self._now
        for flight in self._mine.flights:
            if flight.is_dropped and flight.answered_at is None:
                flight.answered_at = now
        taken, closed = _in_force(window, now, self._per)
        if closed > now:
            return ((taken, closed) if closed != window[1] else None), (closed - now) / 1000
        taken = _restamped(taken, self._mine.flights, now)
        self._room = self._most - sum(calls for _, _, calls in taken)
        if self._room <= 0:
            return None, max(1, _freed(taken, 1 - self._room) - now) / 1000
        self._got = min(self._portion, self._room)
        # A portion counts for as long after its last moment as a single call after its own.
        taken.append([now, now + self._per + self._lasts, self._got])
        return (taken, closed), 0.0

    def granted(self, mine: _Mine) -> None:
        """Note what was taken, once it is kept."""
        mine.left, mine.at, mine.until = self._got, self._now, self._now + self._lasts
        mine.believed = self._room - self._got + self._budget.calls - self._most
        _settle(mine.flights, self._now)


def _in_force(window: Window, now: int, per: int) -> Window:
    """Leave out what is over; where the clock was set back, also what can no longer be told."""
    taken, closed = [each for each in window[0] if each[1] > now], window[1]
    if any(each[0] > now + AHEAD_MS for each in taken):
        taken = [each for each in taken if each[0] <= now + AHEAD_MS]
        closed = min(closed, now + per)
    return taken, closed


def _freed(taken: list[list[int]], calls: int) -> int:
    """Return when that many calls will be over."""
    for _, until, each in sorted(taken, key=lambda entry: entry[1]):
        calls -= each
        if calls <= 0:
            return until
    return 0


def _restamped(taken: list[list[int]], flights: list[Permit], now: int) -> list[list[int]]:
    """Move this process's calls to when they were answered; those still on their way to now."""
    moved = [list(each) for each in taken]
    for flight in flights:
        at = now if flight.answered_at is None else flight.answered_at
        if (old := [flight.at, flight.until, 1]) in moved:
            moved.remove(old)
        if (until := at + flight.until - flight.at) > now:
            moved.append([at, until, 1])
    return moved


def _settle(flights: list[Permit], now: int) -> None:
    """Note that the flights were restamped, and forget those that were answered."""
    flights[:] = [flight for flight in flights if flight.answered_at is None]
    for flight in flights:
        flight.at, flight.until = now, now + flight.until - flight.at


def _put_right(window: Window, *, flights: list[Permit], now: int) -> tuple[Window, None]:
    taken = _restamped([each for each in window[0] if each[1] > now], flights, now)
    _settle(flights, now)
    return (taken, window[1]), None


def _believe(window: Window, *, budget: Budget, pace: Pace, now: int) -> tuple[Window | None, int]:
    """Enter as taken what another tool took; returns the calls left."""
    taken, closed = _in_force(window, now, _ms(budget.per_s))
    left = max(0, budget.calls - sum(calls for _, _, calls in taken))
    if pace.remaining >= left:
        return None, left
    foreign = [now, now + _ms(min(pace.resets_in_s, LONGEST_WAIT_S)), left - pace.remaining]
    return ([*taken, foreign], closed), pace.remaining


def _close(window: Window, *, until: int) -> tuple[Window | None, None]:
    taken, closed = window
    return (None if closed >= until else (taken, until)), None


def _slow_down(window: Window, *, budget: Budget, now: int) -> tuple[Window | None, None]:
    """Hold half of the calls back; they return step by step, a minute each."""
    taken, closed = _in_force(window, now, _ms(budget.per_s))
    held = [each for each in taken if each[1] - each[0] >= RECOVERY_MS + _ms(budget.per_s)]
    if any(start > now - AT_ONCE_MS for start, _, _ in held):
        return None, None  # calls that were in flight together are refused together
    more = (budget.calls - sum(calls for _, _, calls in held)) // 2
    steps = min(more, RECOVERY_STEPS)
    ends = [now + _ms(budget.per_s) + RECOVERY_MS * (step + 1) for step in range(steps)]
    parts = [more // steps + (step < more % steps) for step in range(steps)]
    return ([*taken, *([now, end, part] for end, part in zip(ends, parts, strict=True))], closed), None
