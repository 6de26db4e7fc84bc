"""The orders of one shop in the order of their times, and pages of them."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass

from tiktok_simulator.order import Order

Key = tuple[int, str]


class Feed:
    """Two sorted lists of (time, id), kept in step with the orders."""

    def __init__(self) -> None:
        self.by_update: list[Key] = []
        self.by_create: list[Key] = []

    def add(self, order: Order) -> None:
        """Take an order in."""
        insort(self.by_update, (order.update_time, order.id))
        insort(self.by_create, (order.create_time, order.id))

    def move(self, order: Order, update_time: int) -> None:
        """Give an order its new place; it keeps its own record of the time."""
        key = (order.update_time, order.id)
        index = bisect_left(self.by_update, key)
        if index < len(self.by_update) and self.by_update[index] == key:
            del self.by_update[index]
        order.update_time = update_time
        insort(self.by_update, (update_time, order.id))


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
