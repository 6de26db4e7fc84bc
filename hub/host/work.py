"""What a call is made for: how urgent it is, and what it is counted under."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from hub.contract import Budget


class Work:
    """The calls that one piece of work took, by the budget they came out of."""

    def __init__(self) -> None:
        self.calls: dict[Budget | None, int] = {}

    def count(self, budget: Budget | None) -> None:
        """Count one call."""
        self.calls[budget] = self.calls.get(budget, 0) + 1

    def taken(self) -> dict[Budget | None, int]:
        """Return the calls since the last time, by budget."""
        taken, self.calls = self.calls, {}
        return taken


_works: ContextVar[tuple[Work, ...]] = ContextVar("works", default=())
_urgent: ContextVar[bool] = ContextVar("urgent", default=True)


@contextmanager
def counted(work: Work) -> Iterator[None]:
    """Count the calls of this context as those of a piece of work, and of what it is a part of."""
    token = _works.set((*_works.get(), work))
    try:
        yield
    finally:
        _works.reset(token)


@contextmanager
def unhurried() -> Iterator[None]:
    """Let calls of this context leave a part of their budget to those that are urgent."""
    token = _urgent.set(False)
    try:
        yield
    finally:
        _urgent.reset(token)


@contextmanager
def hurried() -> Iterator[None]:
    """Let calls of this context use their budget up, because they have waited for long."""
    token = _urgent.set(True)
    try:
        yield
    finally:
        _urgent.reset(token)


def is_urgent() -> bool:
    """Say whether the calls of this context may use a budget up."""
    return _urgent.get()


def count_call(budget: Budget | None) -> None:
    """Count a call for the work of this context, as far as it is counted."""
    for work in _works.get():
        work.count(budget)
