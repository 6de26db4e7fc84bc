"""Faults on demand: which call is hit, and by what."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tiktok_simulator.chance import repeatable
from tiktok_simulator.wire import ControlError, Json, Request

BEFORE = frozenset({"drop", "429", "503", "500"})
KINDS = BEFORE | {"lost_reply", "slow", "cut_body", "page_shift"}


@dataclass(slots=True)
class Fault:
    """One planned fault and how often it may still strike; a kind made of digits is a TikTok error code."""

    kind: str
    match: re.Pattern[str]
    method: str | None
    times: int | None
    probability: float
    seconds: float

    @property
    def code(self) -> int | None:
        """The error code that replaces the answer after the call took effect, such as 36009007 (T-38, T-39)."""
        return int(self.kind) if self.kind.isdigit() and self.kind not in BEFORE else None


class Faults:
    """The list of planned faults, struck in its order."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._random = repeatable(0)

    def replace(self, faults: list[Json], seed: int | None) -> None:
        """Plan these faults instead of the former ones."""
        self._faults = [_fault(spec) for spec in faults]
        self._random = repeatable(seed or 0)

    def strike(self, request: Request) -> Fault | None:
        """The fault that hits this request, if any; it is counted."""
        for fault in self._faults:
            if self._hits(fault, request):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    def shift(self) -> int:
        """By how many rows a shifted page is off: one is skipped, or one comes again."""
        return self._random.choice((1, -1))

    def as_list(self) -> list[Json]:
        """The faults still planned."""
        return [
            {"kind": f.kind, "match": f.match.pattern, "method": f.method, "times": f.times,
             "probability": f.probability, "seconds": f.seconds}
            for f in self._faults
        ]  # fmt: skip

    def _hits(self, fault: Fault, request: Request) -> bool:
        if fault.times is not None and fault.times <= 0:
            return False
        if fault.method is not None and fault.method != request.method:
            return False
        if not fault.match.search(request.path):
            return False
        if fault.kind == "page_shift" and not request.query.get("page_token"):
            return False
        return fault.probability >= 1 or self._random.random() < fault.probability


def _fault(spec: Json) -> Fault:
    kind = str(spec.get("kind", ""))
    if kind not in KINDS and not (kind.isdigit() and len(kind) > 3):
        raise ControlError(f"no fault {kind!r}; there are {', '.join(sorted(KINDS))} and TikTok error codes")
    times: Any = spec.get("times")
    method = spec.get("method")
    return Fault(
        kind=kind,
        match=re.compile(str(spec.get("match") or "")),
        method=str(method).upper() if method else None,
        times=None if times is None else int(times),
        probability=float(spec.get("probability", 1)),
        seconds=float(spec.get("seconds", 1)),
    )
