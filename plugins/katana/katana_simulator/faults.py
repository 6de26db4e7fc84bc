"""Faults on demand: which calls go wrong, how, and how often."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KINDS = ("lost_reply", "drop", "429", "503", "500", "slow", "cut_body", "page_shift")
_KEYS = {"kind", "match", "method", "times", "probability", "seconds"}


@dataclass(slots=True)
class Fault:
    """One rule: calls whose path matches suffer it, at most `times_left` times (None: for ever)."""

    kind: str
    match: re.Pattern[str]
    method: str | None
    times_left: int | None
    probability: float
    seconds: float


class Faults:
    """The list of faults in force, tried in order; the first that hits a call is the one it suffers."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._random = _dice(0)

    def replace(self, faults: list[Mapping[str, Any]], seed: int) -> None:
        self._faults = [_parse(fault) for fault in faults]
        self._random = _dice(seed)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault for this call, if any; `page_shift` waits for `take_shift`."""
        if not self._faults:
            return None
        return self._take(method, path, is_shift=False)

    def take_shift(self, method: str, path: str) -> int:
        """1 to skip a row of a later page, -1 to repeat one, 0 to leave it alone."""
        if self._take(method, path, is_shift=True) is None:
            return 0
        return self._random.choice((1, -1))

    def _take(self, method: str, path: str, *, is_shift: bool) -> Fault | None:
        for fault in self._faults:
            if (fault.kind == "page_shift") is not is_shift or fault.times_left == 0:
                continue
            if fault.method not in (None, method) or not fault.match.search(path):
                continue
            if fault.probability < 1 and self._random.random() >= fault.probability:
                continue
            if fault.times_left is not None:
                fault.times_left -= 1
            return fault
        return None


def _dice(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  repeatable on purpose; nothing here is secret


def _parse(given: Mapping[str, Any]) -> Fault:
    unknown = set(given) - _KEYS
    if unknown or str(given.get("kind")) not in KINDS:
        raise ValueError(f"a fault takes {sorted(_KEYS)} and a kind out of {KINDS}, not {dict(given)}")
    method, times = given.get("method"), given.get("times")
    return Fault(
        kind=str(given["kind"]),
        match=re.compile(given.get("match") or ""),
        method=None if method is None else str(method).upper(),
        times_left=None if times is None else int(times),
        probability=float(given.get("probability", 1)),
        seconds=float(given.get("seconds", 1)),
    )
