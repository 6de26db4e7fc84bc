"""The orders, packages or records of one shop in the order of their times, and pages of them."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import Protocol

Key = tuple[int, str]


class Timed(Protocol):
    """Anything with an id that is made at one time and changed at another."""

    id: str
    create_time: int
    update_time: int


class Feed:
    """Two sorted lists of (time, id), kept in step with what they list."""

    def __init__(self) -> None:
        self.by_update: list[Key] = []
        self.by_create: list[Key] = []

    def add(self, item: Timed) -> None:
        """Take one in."""
        insort(self.by_update, (item.update_time, item.id))
        insort(self.by_create, (item.create_time, item.id))

    def move(self, item: Timed, update_time: int) -> None:
        """Give one its new place; it keeps its own record of the time."""
        key = (item.update_time, item.id)
        index = bisect_left(self.by_update, key)
        if index < len(self.by_update) and self.by_update[index] == key:
            del self.by_update[index]
        item.update_time = update_time
        insort(self.by_update, (update_time, item.id))

    def drop(self, item: Timed) -> None:
        """Let one go."""
        for keys, key in ((self.by_update, (item.update_time, item.id)), (self.by_create, (item.create_time, item.id))):
            index = bisect_left(keys, key)
            if index < len(keys) and keys[index] == key:
                del keys[index]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next page starts: after a key, or at a row number (T-50)."""

    key: Key | None = None
    row: int = 0


@dataclass(frozen=True, slots=True)
class Slice:
    """The rows of one page and where the next one starts; no next place on the last page."""

    ids: list[str]
    following: Place | None


def cut(rows: list[Key], size: int, place: Place | None, *, descending: bool, by_row: bool, shift: int) -> Slice:
    """One page of ascending rows; `shift` starts it a row late or early, as offset paging does when data moves."""
    ordered = rows[::-1] if descending else rows
    start = 0
    if place is not None and by_row:
        start = place.row
    elif place is not None and place.key is not None:
        position = bisect_left(rows, place.key)
        present = position < len(rows) and rows[position] == place.key
        start = len(rows) - position if descending else position + present
    start = max(0, start + shift)
    page = ordered[start : start + size]
    more = start + size < len(ordered)
    return Slice([order_id for _, order_id in page], Place(page[-1], start + size) if more and page else None)
