"""What a proof says: equations, one for each thing that is compared, each with its remainder named one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class Part:
    """What was told = what became of it, by word (``skipped: before-start``) + a remainder, by kind, each by its id."""

    told: int = 0
    fates: dict[str, int] = field(default_factory=dict)
    remainder: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, *kinds: str) -> Part:
        """Begin with nothing told, and with these kinds of remainder."""
        return cls(remainder={kind: [] for kind in kinds})

    def count(self, word: str, detail: str | None = None) -> None:
        """Count one thing that is accounted for."""
        key = f"{word}: {detail}" if detail else word
        self.fates[key] = self.fates.get(key, 0) + 1

    @property
    def is_whole(self) -> bool:
        """Say whether nothing remains."""
        return not any(self.remainder.values())

    @property
    def is_balanced(self) -> bool:
        """Say whether each thing told was counted or named, once."""
        return self.told == sum(self.fates.values()) + sum(map(len, self.remainder.values()))

    def document(self) -> dict[str, Any]:
        """Return it as it is kept, and as programs get it."""
        return {"told": self.told, "fates": self.fates, **self.remainder}

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Part:
        """Return what was kept."""
        lists = {kind: list(ids) for kind, ids in kept.items() if isinstance(ids, list)}
        return cls(int(kept["told"]), dict(kept["fates"]), lists)


@dataclass(slots=True)
class Proof:
    """What one Connection told of a window, held against the ledger."""

    connection: str
    since: datetime
    at: datetime
    parts: dict[str, Part] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Say whether everything is accounted for."""
        return all(part.is_whole for part in self.parts.values())

    def document(self) -> dict[str, Any]:
        """Return it as it is kept; when it was made stands beside it."""
        parts = {name: part.document() for name, part in self.parts.items()}
        return {"since": self.since.isoformat(), "whole": self.is_whole, **parts}

    @classmethod
    def read(cls, connection: str, at: datetime, kept: Mapping[str, Any]) -> Proof:
        """Return what was kept."""
        parts = {name: Part.read(part) for name, part in kept.items() if isinstance(part, dict)}
        return cls(connection, datetime.fromisoformat(kept["since"]), at, parts)
