"""What can be wrong with a route file, where it stands, and the one error that tells it all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from hub.contract import ConfigurationError

CODES: Mapping[str, str] = {
    "file-unreadable": "the file, or a file it names, is missing, empty, too big or not UTF-8",
    "yaml-syntax": "the text is not YAML, or uses a part of YAML that route files do not have",
    "duplicate-key": "a key stands twice in one mapping",
    "unknown-key": "a key that does not exist here",
    "missing-key": "a key that must be there is not",
    "wrong-value": "a value of the wrong kind, or outside what is allowed",
    "reference-missing": "a ${NAME} that the environment does not have",
    "reference-malformed": "a ${ that is no reference, or stands where none may",
    "secret-literal": "a secret written into the file",
    "secret-unreadable": "a secret that cannot be read from where the file says, or is empty",
    "secret-exposed": "a secret's file that other users of the machine can read (warning)",
    "connector-unknown": "a connector that is not installed",
    "capability-missing": "a connector that cannot do what the route asks of it",
    "connection-unknown": "a route that names a connection which is not there",
    "connection-unused": "a connection that no route names (warning)",
    "oversell": "stock that would be sold more than once",
    "buffer-zero": "stock that goes out with nothing kept back (warning)",
    "route-conflict": "two routes, or two parts of one, that contradict each other",
    "clock-refused": "a simulated clock beside something that is not on this machine",
}
"""Every code a Fault may carry, and what it stands for."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing to mend: line and column count from 1 (0: the file as a whole), ``pointer`` is a JSON pointer."""

    line: int
    column: int
    pointer: str
    code: str
    what: str
    do: str

    def text(self, path: Path | str) -> str:
        """Return ``file:line:column: /pointer: what. do`` on one line."""
        place = f"{printable(str(path), 500)}:{self.line}:{self.column}" if self.line else printable(str(path), 500)
        pointer = f"{printable(self.pointer, 300)}: " if self.pointer else ""
        return f"{place}: {pointer}{self.what}. {self.do}"


class RouteFileError(ConfigurationError):
    """Everything that is wrong with one route file, sorted by place."""

    def __init__(self, path: Path, faults: Iterable[Fault]) -> None:
        self.path, self.faults = path, tuple(sorted(faults))
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        super().__init__(
            "route-file",
            f"the route file has {count}",
            where=str(path),
            do="Mend each one, then check the file again.",
        )

    def __str__(self) -> str:
        return "\n".join(fault.text(self.path) for fault in self.faults)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value begins and where its key does; both count from 1."""

    line: int
    column: int
    key_line: int
    key_column: int


@dataclass(slots=True)
class Report:
    """Collects the faults of one file.

    ``settled`` holds the pointers whose value is known to be wrong, so that no second check complains of it again;
    ``sources`` keeps how a value with references was written, and ``hidden`` what the variables and secrets held, so
    that no message shows it.
    """

    path: Path
    places: dict[str, Place] = field(default_factory=dict)
    faults: set[Fault] = field(default_factory=set)
    warnings: set[Fault] = field(default_factory=set)
    settled: set[str] = field(default_factory=set)
    sources: dict[str, str] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)

    def wrong(self, pointer: str, code: str, what: str, do: str) -> None:
        """Note that the value at a pointer is wrong, unless that is known already."""
        if not self.is_settled(pointer):
            self._note(self.faults, pointer, code, what, do)
            self.settled.add(pointer)

    def misses(self, pointer: str, key: str, do: str) -> None:
        """Note that a mapping lacks a key; the place is the mapping's own key."""
        if not self.is_settled(pointer):
            self._note(self.faults, pointer, "missing-key", f"{key} is missing", do, at_key=True)

    def wrong_key(self, pointer: str, code: str, what: str, do: str, *, place: Place | None = None) -> None:
        """Note that a key itself is wrong; ``place`` where it is not the one that ``places`` knows."""
        self._note(self.faults, pointer, code, what, do, at_key=True, place=place)

    def warn(self, pointer: str, code: str, what: str, do: str, *, at_key: bool = False) -> None:
        """Note something that works, and that the operator should know of."""
        self._note(self.warnings, pointer, code, what, do, at_key=at_key)

    def is_settled(self, pointer: str) -> bool:
        """Say whether this value, or one that holds it, is known to be wrong."""
        return any(above in self.settled for above in lineage(pointer))

    def shown(self, pointer: str, value: str) -> str:
        """Return a value as a message may show it: as it was written, printable, not too long."""
        return printable(self.sources.get(pointer, value))

    def raise_faults(self) -> None:
        """Raise RouteFileError if there is any fault."""
        if self.faults:
            raise RouteFileError(self.path, self.faults)

    def _note(
        self,
        notes: set[Fault],
        pointer: str,
        code: str,
        what: str,
        do: str,
        *,
        at_key: bool = False,
        place: Place | None = None,
    ) -> None:
        known = (self.places[above] for above in lineage(pointer) if above in self.places)
        place = place or next(known, Place(1, 1, 1, 1))
        line, column = (place.key_line, place.key_column) if at_key else (place.line, place.column)
        notes.add(Fault(line, column, pointer, code, what, do))


def child(pointer: str, key: str | int) -> str:
    """Return the JSON pointer (RFC 6901) of a member."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"


def lineage(pointer: str) -> Iterable[str]:
    """Yield a pointer, then those of everything that holds it, the root last."""
    while pointer:
        yield pointer
        pointer = pointer.rpartition("/")[0]
    yield ""


def printable(text: str, limit: int = 80) -> str:
    """Return text that fits a terminal line whatever it holds."""
    clean = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text[: limit + 1])
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def as_written(value: Any) -> str:
    """Return a value as one would write it in the file, quotes only where a text needs them."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {as_written(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(as_written(inner) for inner in value) + "]"
    plain = isinstance(value, str) and value not in ("true", "false", "null") and _PLAIN.fullmatch(value)
    return str(value) if plain else json.dumps(value, ensure_ascii=False, default=str)


_PLAIN = re.compile(r"(?![0-9.]+$)[A-Za-z0-9$][^\n#]*")


def listing(words: Iterable[str]) -> str:
    """Return words as a list a person reads: ``a, b, c``; ``nothing`` where there are none."""
    return ", ".join(printable(word) for word in words) or "nothing"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``Did you mean x? `` with a space behind it, or nothing."""
    found = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"Did you mean {printable(found[0])}? " if found else ""
