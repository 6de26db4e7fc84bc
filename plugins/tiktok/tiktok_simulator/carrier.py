"""The carrier, by clock: it scans, delivers, and what it never scans is cancelled; all of it off by default."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tiktok_simulator.order import ARRANGED, COMPLETED, DELIVERED, MOVING, Order, Unit
from tiktok_simulator.orders import Orders

Advance = Callable[[Order, Iterable[Unit], int, int], None]
Cancel = Callable[[Order, Iterable[Unit], str, str, int], object]


class Carrier:
    """Plans what becomes of shipped units, by the options `scan_after_s` and its like."""

    def __init__(self, orders: Orders, advance: Advance, cancel: Cancel) -> None:
        self._orders = orders
        self._advance = advance
        self._cancel = cancel

    def take(self, order: Order, units: list[Unit], at: int) -> None:
        """Plan the way of units that were shipped now."""
        limit = self._orders.options.number("unscanned_cancel_s")
        if limit is not None:
            self._orders.agenda.at(at + limit, lambda then: self._give_up(order, units, then))
        self._after("scan_after_s", order, units, MOVING, at)

    def _after(self, option: str, order: Order, units: list[Unit], stage: int, at: int) -> None:
        wait = self._orders.options.number(option)
        if wait is not None:
            self._orders.agenda.at(at + wait, lambda then: self._reach(order, units, stage, then))

    def _reach(self, order: Order, units: list[Unit], stage: int, at: int) -> None:
        if not any(ARRANGED <= unit.stage < stage for unit in units):
            return
        self._advance(order, units, stage, at)
        if stage == MOVING:
            self._after("deliver_after_s", order, units, DELIVERED, at)
        elif stage == DELIVERED:
            self._after("complete_after_s", order, units, COMPLETED, at)

    def _give_up(self, order: Order, units: list[Unit], at: int) -> None:
        """No scan in time: TikTok cancels (5.3)."""
        unscanned = [unit for unit in units if unit.stage == ARRANGED]
        if unscanned:
            self._cancel(order, unscanned, "SYSTEM", "No tracking scan in time", at)
